package tests_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	mysqldriver "github.com/go-sql-driver/mysql"
	"gorm.io/gorm"
)

func mysqlStatements() []matrixMutation {
	return []matrixMutation{
		{name: "capital letters", run: statement("UpDaTe customers sEt NAME = 'c' wHeRe ID = 1")},
		{name: "ON DUPLICATE KEY UPDATE", run: statement("INSERT INTO settings VALUES (?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)", "theme", "d")},
		{name: "ON DUPLICATE KEY UPDATE, of another key", run: statement("INSERT INTO labels (id, name) VALUES (101, 'vip') ON DUPLICATE KEY UPDATE name = 'dup'")},
		{name: "ON DUPLICATE KEY UPDATE of the key", run: statement("INSERT INTO labels (name) VALUES ('lone') ON DUPLICATE KEY UPDATE id = 101")},
		{name: "INSERT SELECT ON DUPLICATE KEY UPDATE", run: statement("INSERT INTO items (id, name) SELECT id, name FROM labels ON DUPLICATE KEY UPDATE name = labels.name")},
		{name: "REPLACE", run: statement("REPLACE INTO settings VALUES ('theme', 'r')")},
		{name: "REPLACE of another key", run: statement("REPLACE INTO labels (id, name) VALUES (101, 'vip')")},
		{name: "REPLACE that cascades", run: statement("REPLACE INTO purchases (id, cents) VALUES (1, 1)")},
		{name: "REPLACE SET", run: statement("REPLACE toys SET id = 1, name = 'r'")},
		{name: "INSERT IGNORE", run: statement("INSERT IGNORE INTO labels (id, name) VALUES (1, 'ignored'), (101, 'made')")},
		{name: "INSERT IGNORE of nothing", nothing: true, run: statement("INSERT IGNORE INTO labels (id, name) VALUES (1, 'ignored')")},
		{name: "INSERT SET", run: statement("INSERT INTO labels SET id = ?, name = ?", 101, "set")},
		{name: "INSERT without INTO", run: statement("INSERT LOW_PRIORITY labels (name) VALUE (\"it\\'s; DELETE FROM toys\")")},
		{name: "INSERT of key zero", run: statement("INSERT INTO customers (id, name) VALUES (?, ?)", 0, "zero")},
		{name: "INSERT of key NULL", run: statement("INSERT INTO customers (id, name) VALUES (NULL, 'null')")},
		{name: "INSERT of key DEFAULT", run: statement("INSERT INTO customers (id, name) VALUES (DEFAULT, 'default')")},
		{name: "INSERT of key zero as text", run: statement("INSERT INTO customers (id, name) VALUES ('0', 'zero'), ('00', 'zero')")},
		{name: "INSERT of a key with letters", run: statement("INSERT IGNORE INTO customers (id, name) VALUES ('101abc', 'letters')")},
		{name: "INSERT of a fraction", run: statement("INSERT INTO customers (id, name) VALUES (100.6, 'fraction')")},
		{name: "INSERT of no column", run: statement("INSERT INTO customers () VALUES ()")},
		{name: "UPDATE by text with a zero", run: statement("UPDATE customers SET name = 'k' WHERE id = ?", "01")},
		{name: "UPDATE by text with letters", run: statement("UPDATE IGNORE customers SET name = 'k' WHERE id = '1abc'")},
		{name: "UPDATE by a fraction", run: statement("UPDATE customers SET name = 'k' WHERE id = 1.0")},
		{name: "UPDATE by a boolean", run: statement("UPDATE customers SET name = 'k' WHERE id = TRUE")},
		{name: "UPDATE by a bit", run: statement("UPDATE customers SET name = 'k' WHERE id = b'1'")},
		{name: "UPDATE by hexadecimal", run: statement("UPDATE customers SET name = 'k' WHERE id = 0x01")},
		{name: "UPDATE by key in other letters", run: statement("UPDATE settings SET value = 'k' WHERE `key` = ?", "THEME")},
		{name: "UPDATE by a composite key in other letters", run: statement("UPDATE seats SET name = 'k' WHERE hall = ? AND no = ?", "A", 2)},
		{name: "UPDATE by key with spaces", run: statement("UPDATE settings SET value = 'k' WHERE `key` = 'theme   '")},
		{name: "UPDATE by key with accents", run: statement("UPDATE settings SET value = 'k' WHERE `key` = 'thème'")},
		{name: "INSERT of a key in other letters", run: statement("REPLACE INTO settings VALUES ('THEME', 'k')")},
		{name: "UPDATE with null-safe equality", run: statement("UPDATE customers SET name = 'k' WHERE id <=> 1")},
		{name: "UPDATE with &&", run: statement("UPDATE customers SET name = 'k' WHERE id = 1 && age > 1 || id = 2")},
		{name: "UPDATE with XOR", run: statement("UPDATE customers SET name = 'k' WHERE id = 2 XOR age > 1")},
		{name: "UPDATE with an order", run: statement("UPDATE items SET id = id + 100 ORDER BY id DESC LIMIT 2")},
		{name: "UPDATE of generated columns", run: statement("UPDATE tariffs SET price = 5 WHERE id = 1")},
		{name: "UPDATE of a key that cascades", run: statement("UPDATE numbers SET id = 9 WHERE id = 1")},
		{name: "UPDATE with a join", run: statement("UPDATE customers c JOIN purchases p ON p.customer_id = c.id SET c.name = 'j', p.cents = 1 WHERE c.id = 1")},
		{name: "UPDATE with a comma", run: statement("UPDATE customers AS c, labels SET labels.name = 'j' WHERE c.id = labels.id AND c.id = 1")},
		{name: "UPDATE with parentheses", run: statement("UPDATE (customers c, labels l) SET l.name = 'j' WHERE c.id = l.id AND c.id = 1")},
		{name: "UPDATE with a derived table", run: statement("UPDATE labels l JOIN (SELECT min(id) AS id FROM customers) c ON c.id = l.id SET l.name = 'j'")},
		{name: "UPDATE with quotes and a database", run: statement("UPDATE customers SET customers.name = 'j' WHERE `customers`.`id` = 1")},
		{name: "DELETE of several tables", run: statement("DELETE i, l FROM items i JOIN labels l ON l.id = i.id WHERE i.id = 3")},
		{name: "DELETE of one of several tables", run: statement("DELETE i.* FROM items AS i JOIN purchases p ON p.id = i.purchase_id WHERE p.id = 1")},
		{name: "DELETE USING", run: statement("DELETE FROM i USING items AS i JOIN purchases p ON p.id = i.purchase_id WHERE p.paid")},
		{name: "DELETE with a limit", run: statement("DELETE QUICK FROM labels ORDER BY id DESC LIMIT 1")},
		{name: "TRUNCATE", run: statement("TRUNCATE items")},
		{name: "partition", run: statement("DELETE FROM events PARTITION (p_new)")},
		{name: "view", run: statement("INSERT INTO named_labels (name) VALUES ('viewed')")},
		{name: "view of a view", run: statement("DELETE FROM adults WHERE id = 4")},
		{name: "trigger that gives a key", run: statement("INSERT INTO dockets (id, name) VALUES (50, 'x')")},
		{name: "trigger that changes a key", run: statement("UPDATE dockets SET name = 'move' WHERE id = 1")},
		{name: "Create with a trigger that gives a key", run: func(db *gorm.DB) error { return db.Create(&docket{ID: 50, Name: "x"}).Error }},
		{name: "system-versioned table", run: statement("UPDATE ledgers SET cents = 99 WHERE id = 1")},
		{name: "system-versioned table, DELETE", run: statement("DELETE FROM ledgers WHERE id = 2")},
		{name: "comment with a number sign", run: statement("UPDATE customers SET name = 'c' # WHERE id = 99\nWHERE id = 1")},
		{name: "executable comment", run: statement("/*! UPDATE customers SET name = 'c' WHERE id = 1 */")},
		{name: "executable comment with a version", run: statement("UPDATE customers SET name = 'c' /*!50000 , age = 1 */ WHERE id = 1 /*M! OR id = 2 */")},
		{name: "comment that hides nothing", run: statement("UPDATE customers SET name = 'c' WHERE id = 1 /*!99999999 AND FALSE */")},
		{name: "dashes without a space", run: statement("UPDATE customers SET age = 10--1 WHERE id = 1")},
		{name: "double quotes", run: statement(`UPDATE customers SET name = "a \" WHERE id = 99 -- " WHERE id = 1`)},
		{name: "UPDATE of everything", run: statement("UPDATE customers SET name = 'it''s', age = 1")},
		{name: "several rows through multiStatements", run: statement("INSERT INTO labels (name) VALUES ('a;'); UPDATE labels SET name = 'b' WHERE id = 1; SELECT 1")},
	}
}

// mysqlRoutines are writes by functions, procedures and texts that the server runs.
func mysqlRoutines() []matrixMutation {
	return []matrixMutation{
		{name: "function", run: func(db *gorm.DB) error {
			return db.Raw("SELECT rename_company(?, ?)", 1, "f").Scan(new(int)).Error
		}},
		{name: "function of a function", run: func(db *gorm.DB) error {
			return db.Raw("SELECT rename_indirectly(1) FROM labels WHERE id = 1").Scan(&[]int{}).Error
		}},
		{name: "function in UPDATE", run: statement("UPDATE labels SET name = rename_company(2, 'f') WHERE id = 1")},
		{name: "function in a condition", run: statement("DELETE FROM labels WHERE id = rename_company(2, 'f') + 100")},
		{name: "DO", run: statement("DO rename_company(1, 'do')")},
		{name: "function in SET", run: statement("SET @r = rename_company(1, 'set')")},
		{name: "procedure", run: statement("CALL close_purchases()")},
		{name: "procedure without parentheses", run: statement("CALL close_purchases")},
		{name: "procedure of a procedure", run: statement("CALL close_indirectly()")},
		{name: "procedure that runs a text", run: statement("CALL run_text('DELETE FROM labels WHERE id = 1')")},
		{name: "procedure, Raw", run: func(db *gorm.DB) error { return db.Raw("CALL close_purchases()").Scan(&[]int{}).Error }},
		{name: "EXECUTE IMMEDIATE", run: statement("EXECUTE IMMEDIATE 'DELETE FROM labels WHERE id = 1'")},
		{name: "PREPARE and EXECUTE", run: func(db *gorm.DB) error {
			return db.Connection(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("PREPARE s FROM 'DELETE FROM labels WHERE id = ?'").Error, tx.Exec("SET @id = 1").Error,
					tx.Exec("EXECUTE s USING @id").Error, tx.Exec("DEALLOCATE PREPARE s").Error)
			})
		}},
		{name: "SET STATEMENT", run: statement("SET STATEMENT max_statement_time = 100 FOR DELETE FROM labels WHERE id = 1")},
		{name: "BEGIN NOT ATOMIC", run: statement("BEGIN NOT ATOMIC DELETE FROM labels WHERE id = 1; END")},
		{name: "IF", run: statement("IF TRUE THEN DELETE FROM labels WHERE id = 1; END IF")},
		{name: "ANALYZE", run: func(db *gorm.DB) error {
			return db.Raw("ANALYZE DELETE FROM items WHERE id = 1").Scan(&[]map[string]any{}).Error
		}},
	}
}

// mysqlDirect are writes beside the usual statements.
func mysqlDirect() []matrixMutation {
	on := func(texts ...string) func(*gorm.DB) error {
		return func(db *gorm.DB) error {
			return db.Connection(func(tx *gorm.DB) error {
				var errs []error
				for _, text := range texts {
					errs = append(errs, tx.Exec(text).Error)
				}
				return errors.Join(errs...)
			})
		}
	}
	return []matrixMutation{
		{name: "LOAD DATA", run: func(db *gorm.DB) error {
			return load(db, "loaded\nalso\n", "LOAD DATA LOCAL INFILE 'Reader::%s' INTO TABLE labels (name)")
		}},
		{name: "LOAD DATA REPLACE", run: func(db *gorm.DB) error {
			return load(db, "1\treplaced\n", "LOAD DATA LOCAL INFILE 'Reader::%s' REPLACE INTO TABLE items (id, name)")
		}},
		{name: "LOCK TABLES", run: on("LOCK TABLES labels WRITE, items AS i WRITE", "UPDATE labels SET name = 'locked' WHERE id = 1",
			"UNLOCK TABLES")},
		{name: "START TRANSACTION, ended by LOCK TABLES", run: on("START TRANSACTION", "UPDATE labels SET name = 'x' WHERE id = 1",
			"LOCK TABLES items WRITE", "UNLOCK TABLES")},
		{name: "BEGIN ended by BEGIN", run: on("BEGIN", "UPDATE labels SET name = 'x' WHERE id = 1", "BEGIN", "ROLLBACK")},
		{name: "COMMIT AND CHAIN", run: on("BEGIN", "UPDATE labels SET name = 'x' WHERE id = 1", "COMMIT AND CHAIN", "UPDATE labels SET name = 'y' WHERE id = 2", "COMMIT")},
		{name: "XA", run: on("XA START 'rediscache-matrix'", "UPDATE labels SET name = 'x' WHERE id = 1",
			"XA END 'rediscache-matrix'", "XA COMMIT 'rediscache-matrix' ONE PHASE")},
		{name: "foreign keys off", run: on("SET foreign_key_checks = 0", "DELETE FROM customers WHERE id = 1", "SET foreign_key_checks = 1")},
		{name: "temporary table of the same name", definition: true, run: on("CREATE TEMPORARY TABLE labels (id int, name text)",
			"INSERT INTO labels VALUES (1, 'temporary')", "DROP TEMPORARY TABLE labels", "UPDATE labels SET name = 'base' WHERE id = 1")},
	}
}

// loads counts the files that were loaded: the driver knows each by a name.
var loads atomic.Int64

func load(db *gorm.DB, content, text string) error {
	name := fmt.Sprintf("file %d", loads.Add(1))
	mysqldriver.RegisterReaderHandler(name, func() io.Reader { return strings.NewReader(content) })
	defer mysqldriver.DeregisterReaderHandler(name)
	return db.Exec(fmt.Sprintf(text, name)).Error
}
