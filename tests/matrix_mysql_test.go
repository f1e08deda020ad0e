package tests_test

import (
	"errors"
	"fmt"

	"gorm.io/gorm"
)

func mysqlMatrix() matrixDialect {
	return matrixDialect{
		words:  []string{"{serial}", "int AUTO_INCREMENT PRIMARY KEY", "{text}", "varchar(191)", "{time}", "datetime"},
		schema: mysqlSchema, rows: mysqlRows, renumber: renumberMySQL,
		statements:  append(append(mysqlStatements(), mysqlRoutines()...), append(mysqlDirect(), returning()...)...),
		definitions: mysqlDefinitions(), reads: mysqlReads(),
	}
}

const mysqlSchema = `
CREATE TABLE numbers (id int PRIMARY KEY, n int);
CREATE TABLE dockets (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40));
CREATE TABLE tariffs (id int PRIMARY KEY, price int, twice int AS (price * 2) STORED, thrice int AS (price * 3) VIRTUAL);
CREATE TABLE pairs (twice int PRIMARY KEY, FOREIGN KEY (twice) REFERENCES numbers (id) ON UPDATE CASCADE);
CREATE TABLE ledgers (id int PRIMARY KEY, cents int) WITH SYSTEM VERSIONING;
CREATE TABLE events (id int PRIMARY KEY) PARTITION BY RANGE (id) (
  PARTITION p_old VALUES LESS THAN (100), PARTITION p_new VALUES LESS THAN MAXVALUE);
CREATE TABLE copies (id int, name varchar(191));
CREATE VIEW named_labels AS SELECT * FROM labels WHERE name IS NOT NULL;
CREATE VIEW views_of_views AS SELECT id FROM adults;
CREATE TRIGGER toys_made AFTER INSERT ON toys FOR EACH ROW UPDATE counters SET n = n + 1 WHERE name = 'toys';
CREATE TRIGGER toys_gone AFTER DELETE ON toys FOR EACH ROW BEGIN UPDATE counters SET n = n + 1 WHERE name = 'toys'; END;
CREATE TRIGGER dockets_numbered BEFORE INSERT ON dockets FOR EACH ROW SET NEW.id = IF(NEW.id = 50, 1000, NEW.id);
CREATE TRIGGER dockets_moved BEFORE UPDATE ON dockets FOR EACH ROW SET NEW.id = IF(NEW.name = 'move', 1000, NEW.id);
CREATE FUNCTION rename_company(company int, text varchar(100)) RETURNS int MODIFIES SQL DATA
  BEGIN UPDATE companies SET name = text WHERE id = company; RETURN 1; END;
CREATE FUNCTION rename_indirectly(company int) RETURNS int MODIFIES SQL DATA RETURN rename_company(company, 'indirect');
CREATE PROCEDURE close_purchases() UPDATE purchases SET paid = true;
CREATE PROCEDURE close_indirectly() CALL close_purchases();
CREATE PROCEDURE run_text(command varchar(200)) EXECUTE IMMEDIATE command;
`

const mysqlRows = `
DELETE FROM pairs; DELETE FROM numbers; DELETE FROM dockets; DELETE FROM tariffs; DELETE FROM ledgers; DELETE FROM events;
DELETE FROM copies;
INSERT INTO numbers VALUES (1, 1), (2, 2);
INSERT INTO dockets VALUES (1, 't1'), (2, 't2');
INSERT INTO tariffs (id, price) VALUES (1, 10), (2, 20);
INSERT INTO pairs VALUES (1);
INSERT INTO ledgers VALUES (1, 10), (2, 20);
INSERT INTO events VALUES (1), (200);
INSERT INTO copies VALUES (1, 'c');
`

// renumberMySQL changes tables, which takes long: only those whose next key is another one.
func renumberMySQL(db *gorm.DB) error {
	var names []string
	err := db.Raw("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND auto_increment <> 101").
		Scan(&names).Error
	for _, name := range names {
		err = errors.Join(err, db.Exec(fmt.Sprintf("ALTER TABLE `%s` AUTO_INCREMENT = 101", name)).Error)
	}
	return err
}

// number, docket and the others have tables in the matrix of MySQL alone.
type (
	docket struct {
		ID   int
		Name string
	}
	tariff struct {
		ID, Price, Twice, Thrice int
	}
	number struct{ ID, N int }
	ledger struct{ ID, Cents int }
)

func mysqlReads() []matrixRead {
	return []matrixRead{
		{name: "composite keys", run: all[seat](by("hall, no", "(hall, no) IN ?", [][]any{{"a", 1}, {"a", 2}, {"b", 1}, {"b", 9}}))},
		{name: "string key in capitals", run: first[setting](by("`key`", "`key` = ?", "THEME"))},
		{name: "string key with spaces", run: first[setting](by("`key`", "`key` = ?", "theme  "))},
		{name: "string keys in capitals", run: all[setting](by("`key`", "`key` IN ?", []string{"THEME", "Size", "lang"}))},
		{name: "composite key in capitals", run: all[seat](by("no", "hall = ? AND no = ?", "A", 2))},
		{name: "integer key as text", run: all[customer](by("name", "id = ?", "1"))},
		{name: "integer key as text with a zero", run: all[customer](by("name", "id = ?", "01"))},
		{name: "integer key as text with letters", run: all[customer](by("name", "id = ?", "1abc"))},
		{name: "integer key as a fraction", run: all[customer](by("name", "id = ?", 1.0))},
		{name: "integer key as a literal text", run: raw[customer]("SELECT * FROM customers WHERE id = '1 '")},
		{name: "zero", run: all[customer](by("name", "id = ?", 0))},
		{name: "text for a number", run: all[customer](by("name", "id = ?", "none"))},
		{name: "concatenation", run: raw[string]("SELECT CONCAT(c.name, i.name) FROM customers c, purchases p, items i " +
			"WHERE p.customer_id = c.id AND i.purchase_id = p.id ORDER BY 1")},
		{name: "double quotes", run: raw[string](`SELECT name FROM customers WHERE addr_city = "Rome" ORDER BY id`)},
		{name: "comment with a number sign", run: raw[string]("SELECT name FROM companies # FROM toys\nORDER BY id")},
		{name: "straight join", run: raw[string]("SELECT i.name FROM purchases p STRAIGHT_JOIN items i ON i.purchase_id = p.id ORDER BY i.id")},
		{name: "index hint", run: raw[string]("SELECT name FROM labels FORCE INDEX (PRIMARY) ORDER BY id")},
		{name: "LIMIT with an offset", run: raw[string]("SELECT name FROM labels ORDER BY id LIMIT 1, 2")},
		{name: "dockets", run: all[docket](by("id"))},
		{name: "docket", run: first[docket](key(1))},
		{name: "docket of a trigger", run: first[docket](key(1000))},
		{name: "dockets by keys", run: all[docket](by("id", "id IN ?", []int{1, 2, 50, 101, 1000}))},
		{name: "generated columns", run: all[tariff](by("id", "id IN ?", []int{1, 2}))},
		{name: "tariffs", run: raw[total]("SELECT twice AS n, thrice AS cents FROM tariffs ORDER BY id")},
		{name: "numbers", run: all[number](by("id", "id IN ?", []int{1, 2, 9}))},
		{name: "pairs", run: raw[int]("SELECT twice FROM pairs ORDER BY 1")},
		{name: "ledgers", run: all[ledger](by("id", "id IN ?", []int{1, 2}))},
		{name: "all ledgers", run: all[ledger](by("id"))},
		{name: "partitioned table", run: raw[int]("SELECT id FROM events ORDER BY id")},
		{name: "partition", run: raw[int]("SELECT id FROM events PARTITION (p_new) ORDER BY id")},
		{name: "copies", run: raw[string]("SELECT name FROM copies ORDER BY name")},
		{name: "updatable view", run: raw[string]("SELECT name FROM named_labels ORDER BY id")},
		{name: "view of a view", run: raw[int]("SELECT id FROM views_of_views ORDER BY id")},
	}
}
