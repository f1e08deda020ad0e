package tests_test

import (
	"errors"

	"gorm.io/gorm"
)

func sqliteMatrix() matrixDialect {
	return matrixDialect{
		words:  []string{"{serial}", "integer PRIMARY KEY AUTOINCREMENT", "{text}", "text", "{time}", "datetime"},
		schema: sqliteSchema, rows: sqliteRows,
		renumber: func(db *gorm.DB) error {
			return db.Exec("UPDATE sqlite_sequence SET seq = 100").Error
		},
		statements:  append(append(sqliteStatements(), returning()...), returningUpdated()...),
		definitions: sqliteDefinitions(), reads: sqliteReads(),
	}
}

const sqliteSchema = `
CREATE TABLE marks (name text, n int, value text, PRIMARY KEY (name, n)) WITHOUT ROWID;
CREATE TABLE singles (id integer PRIMARY KEY, name text UNIQUE ON CONFLICT REPLACE);
CREATE TABLE parents (id integer PRIMARY KEY);
CREATE TABLE children (id integer PRIMARY KEY, parent_id integer REFERENCES parents ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE tariffs (id integer PRIMARY KEY, price int, twice int AS (price * 2) STORED, thrice int AS (price * 3));
CREATE TABLE folded (name text COLLATE NOCASE PRIMARY KEY, value text);
CREATE TABLE loose (id PRIMARY KEY, value);
CREATE VIEW named_labels AS SELECT * FROM labels WHERE name IS NOT NULL;
CREATE TRIGGER toys_made AFTER INSERT ON toys BEGIN UPDATE counters SET n = n + 1 WHERE name = 'toys'; END;
CREATE TRIGGER toys_gone AFTER DELETE ON toys BEGIN UPDATE counters SET n = n + 1 WHERE name = 'toys'; END;
CREATE TRIGGER adults_changed INSTEAD OF UPDATE ON adults BEGIN UPDATE customers SET name = NEW.name WHERE id = OLD.id; END;
CREATE TRIGGER adults_gone INSTEAD OF DELETE ON adults BEGIN DELETE FROM items WHERE id = OLD.id; END;
CREATE TRIGGER labels_made INSTEAD OF INSERT ON named_labels BEGIN INSERT INTO labels (name) VALUES (NEW.name); END;
`

const sqliteRows = `
DELETE FROM marks; DELETE FROM singles; DELETE FROM children; DELETE FROM parents; DELETE FROM tariffs; DELETE FROM folded;
DELETE FROM loose;
INSERT INTO marks VALUES ('a', 1, 'm1'), ('b', 2, 'm2');
INSERT INTO singles VALUES (1, 'one'), (2, 'two');
INSERT INTO parents VALUES (1), (2);
INSERT INTO children VALUES (1, 1), (2, 2);
INSERT INTO tariffs (id, price) VALUES (1, 10), (2, 20);
INSERT INTO folded VALUES ('theme', 'dark');
INSERT INTO loose VALUES (1, 'number'), ('1', 'text'), ('a', 'letter');
`

// single, mark and child have tables in the matrix of SQLite alone.
type (
	single struct {
		ID   int
		Name string
	}
	mark struct {
		Name  string `gorm:"primaryKey"`
		N     int    `gorm:"primaryKey"`
		Value string
	}
)

func sqliteReads() []matrixRead {
	in := func(table string) func(*gorm.DB) *gorm.DB {
		return func(db *gorm.DB) *gorm.DB { return db.Table(table) }
	}
	return []matrixRead{
		{name: "composite keys", run: all[seat](by("hall, no",
			"(hall, no) IN (VALUES (?, ?), (?, ?), (?, ?))", "a", 1, "a", 2, "b", 9))},
		{name: "string key without a table", run: first[setting](by("key", "key = ?", "theme"))},
		{name: "concatenation", run: raw[string]("SELECT c.name || i.name FROM customers c, purchases p, items i " +
			"WHERE p.customer_id = c.id AND i.purchase_id = p.id ORDER BY 1")},
		{name: "marks", run: all[mark](by("name"))},
		{name: "mark", run: first[mark](by("n", "name = ? AND n = ?", "a", 1))},
		{name: "singles", run: all[single](by("id"))},
		{name: "singles by keys", run: all[single](by("id", "id IN ?", []int{1, 2, 3}))},
		{name: "single", run: first[single](key(1))},
		{name: "children", run: raw[total]("SELECT id AS n, parent_id AS cents FROM children ORDER BY id")},
		{name: "child", run: raw[total]("SELECT id AS n, parent_id AS cents FROM children WHERE id = ?", 1)},
		{name: "parents", run: raw[int]("SELECT id FROM parents ORDER BY id")},
		{name: "tariff", run: func(db *gorm.DB) any {
			v := map[string]any{}
			return see(in("tariffs")(db).Where("id = ?", 1).Take(&v), v)
		}},
		{name: "by rowid", run: raw[customer]("SELECT * FROM customers WHERE rowid = ?", 1)},
		{name: "key in other letters", run: raw[string]("SELECT value FROM folded WHERE name = ?", "THEME")},
		{name: "row by a key in other letters", run: func(db *gorm.DB) any {
			var v []map[string]any
			return see(in("folded")(db).Where("name = ?", "THEME").Find(&v), v)
		}},
		{name: "key of any type, a number", run: func(db *gorm.DB) any {
			var v []map[string]any
			return see(in("loose")(db).Where("id = ?", 1).Find(&v), v)
		}},
		{name: "key of any type, a text", run: func(db *gorm.DB) any {
			var v []map[string]any
			return see(in("loose")(db).Where("id = ?", "1").Find(&v), v)
		}},
		{name: "integer key as text", run: all[customer](by("name", "id = ?", "1"))},
		{name: "integer key as text with a zero", run: all[customer](by("name", "id = ?", "01"))},
		{name: "integer key as text with letters", run: all[customer](by("name", "id = ?", "1abc"))},
		{name: "integer key as a fraction", run: all[customer](by("name", "id = ?", 1.0))},
		{name: "brackets", run: raw[string]("SELECT [name] FROM [labels] ORDER BY [id]")},
		{name: "backticks", run: raw[string]("SELECT `name` FROM `labels` ORDER BY `id`")},
		{name: "LIMIT with an offset", run: raw[string]("SELECT name FROM labels ORDER BY id LIMIT 1, 2")},
		{name: "main", run: raw[string]("SELECT name FROM main.labels ORDER BY id")},
		{name: "view over a table", run: raw[string]("SELECT name FROM named_labels ORDER BY id")},
		{name: "recursive", run: raw[int]("WITH RECURSIVE up(id) AS (SELECT 4 UNION SELECT manager_id FROM customers " +
			"JOIN up USING (id)) SELECT id FROM up WHERE id IS NOT NULL ORDER BY id")},
	}
}

func sqliteStatements() []matrixMutation {
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
		{name: "capital letters", run: statement("UpDaTe CUSTOMERS sEt NAME = 'c' wHeRe ID = 1")},
		{name: "INSERT OR REPLACE", run: statement("INSERT OR REPLACE INTO settings VALUES ('theme', 'r')")},
		{name: "INSERT OR REPLACE of another key", run: statement("INSERT OR REPLACE INTO labels (id, name) VALUES (101, 'vip')")},
		{name: "REPLACE of another key", run: statement("REPLACE INTO labels (id, name) VALUES (101, 'vip')")},
		{name: "REPLACE that cascades", run: statement("REPLACE INTO purchases (id, cents) VALUES (1, 1)")},
		{name: "UPDATE OR REPLACE", run: statement("UPDATE OR REPLACE labels SET name = 'vip' WHERE id = 2")},
		{name: "UPDATE OR REPLACE of the key", run: statement("UPDATE OR REPLACE labels SET id = 1 WHERE id = 4")},
		{name: "UPDATE OR IGNORE", run: statement("UPDATE OR IGNORE labels SET name = 'new' WHERE id IN (1, 2) OR name = 'new'"), nothing: true},
		{name: "UPDATE OR IGNORE of several", run: statement("UPDATE OR IGNORE labels SET name = 'fresh' WHERE id > 1")},
		{name: "INSERT OR IGNORE", run: statement("INSERT OR IGNORE INTO labels (id, name) VALUES (1, 'ignored'), (101, 'made')")},
		{name: "table that replaces by itself", run: statement("INSERT INTO singles (id, name) VALUES (3, 'one')")},
		{name: "table that replaces by itself, UPDATE", run: statement("UPDATE singles SET name = 'one' WHERE id = 2")},
		{name: "table that replaces by itself, Create", run: func(db *gorm.DB) error { return db.Create(&single{ID: 3, Name: "one"}).Error }},
		{name: "table that replaces by itself, Update", run: func(db *gorm.DB) error {
			return db.Model(&single{ID: 2}).Update("name", "one").Error
		}},
		{name: "ON CONFLICT", run: statement("INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", "theme", "c")},
		{name: "ON CONFLICT of another key", run: statement("INSERT INTO labels (id, name) VALUES (101, 'vip') ON CONFLICT (name) DO UPDATE SET name = 'c'")},
		{name: "ON CONFLICT of any", run: statement("INSERT INTO labels (id, name) VALUES (101, 'vip'), (102, 'm') ON CONFLICT DO NOTHING")},
		{name: "INSERT without columns", run: statement("INSERT INTO settings VALUES ('size', 'v')")},
		{name: "INSERT of defaults", run: statement("INSERT INTO customers DEFAULT VALUES")},
		{name: "INSERT of key NULL", run: statement("INSERT INTO customers (id, name) VALUES (NULL, 'null')")},
		{name: "INSERT by rowid", run: statement("INSERT INTO labels (rowid, name) VALUES (101, 'r')")},
		{name: "REPLACE by rowid", run: statement("REPLACE INTO labels (rowid, name) VALUES (1, 'r')")},
		{name: "UPDATE by rowid", run: statement("UPDATE customers SET name = 'r' WHERE rowid = 1")},
		{name: "UPDATE by oid", run: statement("UPDATE customers SET name = 'r' WHERE oid = 1 AND _rowid_ = 1")},
		{name: "UPDATE of rowid", run: statement("UPDATE labels SET rowid = 101 WHERE id = 4")},
		{name: "UPDATE of rowid, by key", run: statement("UPDATE customers SET _rowid_ = 101 WHERE id = 2")},
		{name: "UPDATE FROM", run: statement("UPDATE purchases SET cents = c.age FROM customers c WHERE c.id = purchases.customer_id AND c.age > ?", 20)},
		{name: "WITH", run: statement("WITH gone AS (SELECT id FROM items WHERE purchase_id = 1) DELETE FROM items WHERE id IN gone")},
		{name: "WITH INSERT", run: statement("WITH v(n) AS (VALUES ('w')) INSERT INTO labels (name) SELECT n FROM v")},
		{name: "UPDATE by text with a zero", run: statement("UPDATE customers SET name = 'k' WHERE id = ?", "01")},
		{name: "UPDATE by a fraction", run: statement("UPDATE customers SET name = 'k' WHERE id = 1.0")},
		{name: "UPDATE by a float", run: statement("UPDATE customers SET name = 'k' WHERE id = ?", 1.0)},
		{name: "UPDATE with IS", run: statement("UPDATE customers SET name = 'k' WHERE id IS 1")},
		{name: "UPDATE with ==", run: statement("UPDATE customers SET name = 'k' WHERE id == 1")},
		{name: "UPDATE with a numbered parameter", run: func(db *gorm.DB) error {
			return db.Exec("UPDATE customers SET name = ?2 WHERE id = ?1", 1, "numbered").Error
		}},
		{name: "UPDATE by key in other letters", run: statement("UPDATE folded SET value = 'k' WHERE name = 'Theme'")},
		{name: "key of any type", run: statement("UPDATE loose SET value = 'k' WHERE id = 1")},
		{name: "key of any type, a text", run: statement("UPDATE loose SET value = 'k' WHERE id = '1'")},
		{name: "WITHOUT ROWID", run: statement("UPDATE marks SET value = 'x' WHERE name = 'a' AND n = 1")},
		{name: "WITHOUT ROWID, Save", run: func(db *gorm.DB) error { return db.Save(&mark{Name: "a", N: 1, Value: "s"}).Error }},
		{name: "generated columns", run: statement("UPDATE tariffs SET price = 5 WHERE id = 1")},
		{name: "SET DEFAULT", run: statement("DELETE FROM parents WHERE id = 1")},
		{name: "view, INSERT", run: statement("INSERT INTO named_labels (name) VALUES ('viewed')")},
		{name: "view, DELETE that does something else", run: statement("DELETE FROM adults WHERE id = 1")},
		{name: "brackets", run: statement("UPDATE [customers] SET [name] = 'b' WHERE [id] = 1")},
		{name: "backticks", run: statement("UPDATE `customers` SET `name` = 'b' WHERE `id` = 1")},
		{name: "text as a name", run: statement(`UPDATE 'customers' SET 'name' = 'b' WHERE "id" = 1`)},
		{name: "main", run: statement("UPDATE main.customers SET name = 'm' WHERE id = 1")},
		{name: "INDEXED BY", run: statement("UPDATE customers NOT INDEXED SET name = 'i' WHERE id = 1")},
		{name: "foreign keys off", run: on("PRAGMA foreign_keys = 0", "DELETE FROM customers WHERE id = 1", "PRAGMA foreign_keys = 1")},
		{name: "BEGIN IMMEDIATE and END", run: on("BEGIN IMMEDIATE", "UPDATE customers SET name = 'text' WHERE id = 1", "END")},
		{name: "SAVEPOINT and RELEASE", run: on("SAVEPOINT s", "UPDATE customers SET name = 'text' WHERE id = 1", "RELEASE s")},
		{name: "temporary table of the same name", definition: true, run: on("CREATE TEMP TABLE labels (id int, name text)",
			"INSERT INTO labels VALUES (1, 'temporary')", "DROP TABLE temp.labels", "UPDATE labels SET name = 'base' WHERE id = 1")},
		{name: "temporary trigger", definition: true, run: on("CREATE TEMP TRIGGER t AFTER UPDATE ON main.settings BEGIN DELETE FROM labels WHERE id = 1; END",
			"UPDATE settings SET value = 'fires' WHERE key = 'theme'", "DROP TRIGGER temp.t")},
		{name: "EXPLAIN", nothing: true, run: func(db *gorm.DB) error {
			return db.Raw("EXPLAIN DELETE FROM labels").Scan(&[]map[string]any{}).Error
		}},
		{name: "comment that does not end", run: statement("UPDATE customers SET name = 'c' WHERE id = 1 /* WHERE id = 99")},
		{name: "UPDATE with a limit of a subquery", run: statement("DELETE FROM items WHERE id IN (SELECT id FROM items ORDER BY id LIMIT 2)")},
	}
}

// sqliteDefinitions change the schema. SQLite can undo them.
func sqliteDefinitions() []matrixMutation {
	return []matrixMutation{
		{name: "CREATE TABLE AS", definition: true, run: statement("DROP TABLE singles; CREATE TABLE singles AS SELECT id, name FROM labels")},
		{name: "column renamed", definition: true, run: statement("ALTER TABLE singles RENAME COLUMN name TO title")},
		{name: "new trigger", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(
				db.Exec("CREATE TRIGGER more AFTER UPDATE ON settings BEGIN DELETE FROM labels WHERE id = 1; END").Error,
				db.Model(&setting{Key: "theme"}).Update("value", "fires").Error,
			)
		}},
		{name: "new trigger in a transaction", definition: true, run: func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(
					tx.Exec("CREATE TRIGGER more AFTER UPDATE ON settings BEGIN DELETE FROM labels WHERE id = 1; END").Error,
					tx.Model(&setting{Key: "theme"}).Update("value", "fires").Error,
				)
			})
		}},
		{name: "definition, rolled back", definition: true, run: func(db *gorm.DB) error {
			undo := errors.New("undo")
			err := db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("ALTER TABLE labels ADD COLUMN more int").Error, tx.Exec("DELETE FROM labels").Error, undo)
			})
			if !errors.Is(err, undo) {
				return err
			}
			return db.Exec("UPDATE labels SET name = 'after' WHERE id = 1").Error
		}},
		{name: "ATTACH", definition: true, run: func(db *gorm.DB) error {
			return db.Connection(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("ATTACH ':memory:' AS aside").Error,
					tx.Exec("CREATE TABLE aside.labels (id integer PRIMARY KEY, name text)").Error,
					tx.Exec("INSERT INTO aside.labels VALUES (1, 'aside')").Error,
					tx.Exec("UPDATE main.labels SET name = (SELECT name FROM aside.labels) WHERE id = 1").Error,
					tx.Exec("DETACH aside").Error)
			})
		}},
		{name: "PRAGMA that changes answers", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(db.Exec("PRAGMA recursive_triggers = 1").Error,
				db.Exec("REPLACE INTO toys (id, name) VALUES (1, 'replaced')").Error)
		}},
	}
}
