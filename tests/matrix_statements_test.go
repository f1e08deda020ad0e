package tests_test

import (
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

func matrixStatements() []matrixMutation {
	return []matrixMutation{
		{name: "INSERT", run: statement("INSERT INTO customers (name, email) VALUES (?, ?)", "i", "i@x")},
		{name: "INSERT SELECT", run: statement("INSERT INTO purchases (customer_id, cents) SELECT id, age FROM customers WHERE age > ?", 20)},
		{name: "UPDATE", run: statement("UPDATE customers SET name = ? WHERE id = ?", "u", 1)},
		{name: "UPDATE FROM", run: statement("UPDATE purchases p SET cents = c.age FROM customers c WHERE c.id = p.customer_id AND c.age > ?", 20)},
		{name: "DELETE", run: statement("DELETE FROM items WHERE id = ?", 1)},
		{name: "DELETE that cascades", run: statement("DELETE FROM customers WHERE id = ?", 1)},
		{name: "DELETE USING", run: statement("DELETE FROM items USING purchases WHERE purchases.id = items.purchase_id AND paid")},
		{name: "WITH", run: statement("WITH gone AS (DELETE FROM items WHERE purchase_id = ? RETURNING *), "+
			"made AS (INSERT INTO labels (name) SELECT name FROM gone RETURNING id) UPDATE counters SET n = (SELECT count(*) FROM made)", 1)},
		{name: "MERGE", run: statement("MERGE INTO settings s USING (VALUES ('theme', 'm'), ('size', 'm')) v(k, val) ON s.key = v.k " +
			"WHEN MATCHED THEN UPDATE SET value = v.val WHEN NOT MATCHED THEN INSERT VALUES (v.k, v.val)")},
		{name: "ON CONFLICT", run: statement("INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value", "theme", "c")},
		{name: "TRUNCATE", run: statement("TRUNCATE items")},
		{name: "TRUNCATE CASCADE", run: statement("TRUNCATE customers CASCADE")},
		{name: "several statements", run: statement("UPDATE companies SET name = 's' WHERE id = 1; DELETE FROM labels WHERE id = 1")},
		{name: "quoted names", run: statement(`UPDATE "Odd.Name" SET "Value" = 'q' WHERE "id" = 1`)},
		{name: "quoted column", run: statement(`UPDATE weird SET "Some Text" = 'q' WHERE id = 1`)},
		{name: "comments", run: statement("/* SELECT */ -- DELETE FROM labels\nUPDATE /* companies */ customers -- x\nSET name = 'c' WHERE id = 1")},
		{name: "dollar quotes", run: statement("UPDATE customers SET name = $$'; DELETE FROM labels -- $$ WHERE id = 1")},
		{name: "capital letters", run: statement("UpDaTe CUSTOMERS sEt NAME = 'c' wHeRe ID = 1")},
		{name: "key as text", run: statement("UPDATE customers SET name = 'k' WHERE id = '1'")},
		{name: "key as expression", run: statement("UPDATE customers SET name = 'k' WHERE id = 3 - 2")},
		{name: "key or something else", run: statement("UPDATE customers SET name = 'k' WHERE id = 2 OR age > 20")},
		{name: "not the key", run: statement("UPDATE customers SET name = 'k' WHERE NOT id = 2")},
		{name: "ONLY", run: statement("UPDATE ONLY customers AS c SET name = 'o' WHERE id = 1")},
		{name: "partitioned table", run: statement("INSERT INTO events VALUES (3, '2031-01-01')")},
		{name: "partition", run: statement("DELETE FROM events_new WHERE id = 2")},
		{name: "row that moves to another partition", run: statement("UPDATE events SET day = '2030-06-01' WHERE id = 1")},
		{name: "function", run: func(db *gorm.DB) error {
			return db.Raw("SELECT rename_company(?, ?)", 1, "f").Scan(&[]sql.NullString{}).Error
		}},
		{name: "procedure", run: statement("CALL close_purchases()")},
		{name: "DO", run: statement("DO $$ BEGIN DELETE FROM labels WHERE id = 1; END $$")},
		{name: "trigger", run: statement("DELETE FROM toys WHERE id = 1")},
		{name: "Raw UPDATE RETURNING", run: func(db *gorm.DB) error {
			return db.Raw("UPDATE customers SET name = 'r' WHERE id = ? RETURNING *", 1).Scan(&[]customer{}).Error
		}},
		{name: "Raw INSERT RETURNING", run: func(db *gorm.DB) error {
			return db.Raw("INSERT INTO labels (name) VALUES (?) RETURNING id", "r").Scan(new(int)).Error
		}},
		{name: "Raw WITH DELETE", run: func(db *gorm.DB) error {
			return db.Raw("WITH d AS (DELETE FROM items WHERE id = ? RETURNING name) SELECT name FROM d", 1).Scan(&[]string{}).Error
		}},
		{name: "Raw DELETE, Rows", run: func(db *gorm.DB) error {
			rows, err := db.Raw("DELETE FROM items WHERE id = ? RETURNING id", 1).Rows()
			if err != nil {
				return err
			}
			for rows.Next() {
			}
			return errors.Join(rows.Err(), rows.Close())
		}},
		{name: "Raw UPDATE, Row", run: func(db *gorm.DB) error {
			var name string
			return db.Raw("UPDATE customers SET name = 'row' WHERE id = ? RETURNING name", 1).Row().Scan(&name)
		}},
		{name: "query that writes", run: func(db *gorm.DB) error {
			return db.Raw("INSERT INTO labels (name) VALUES (?) RETURNING *", "q").Find(&[]label{}).Error
		}},
		{name: "Invalidate", nothing: true, run: func(db *gorm.DB) error {
			if db.Plugins["rediscache"] == nil {
				return nil
			}
			return rediscache.Invalidate(db, rediscache.Row[customer](1), rediscache.Table("labels"))
		}},
		{name: "BEGIN and COMMIT as text", run: func(db *gorm.DB) error {
			return db.Connection(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("BEGIN").Error, tx.Exec("UPDATE customers SET name = 'text' WHERE id = 1").Error,
					tx.Exec("COMMIT").Error)
			})
		}},
	}
}

func matrixDefinitions() []matrixMutation {
	return []matrixMutation{
		{name: "new column", definition: true, run: statement("ALTER TABLE labels ADD COLUMN more text DEFAULT 'x'")},
		{name: "column dropped", definition: true, run: statement("ALTER TABLE settings DROP COLUMN value")},
		{name: "new view", definition: true, run: statement("CREATE OR REPLACE VIEW debtors AS SELECT id, name, id AS cents FROM companies")},
		{name: "table renamed", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(db.Exec("ALTER TABLE labels RENAME TO marks").Error,
				db.Exec("CREATE TABLE labels (id serial PRIMARY KEY, name text)").Error)
		}},
		{name: "table dropped and made again", definition: true, run: statement("DROP TABLE items; CREATE TABLE items (id serial PRIMARY KEY, purchase_id int, name text)")},
		{name: "AutoMigrate", definition: true, run: func(db *gorm.DB) error {
			type setting struct {
				Key   string `gorm:"primaryKey"`
				Value string
				More  int `gorm:"default:5"`
			}
			return db.AutoMigrate(&setting{})
		}},
		{name: "REFRESH MATERIALIZED VIEW", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(db.Exec("UPDATE purchases SET cents = 1").Error, db.Exec("REFRESH MATERIALIZED VIEW totals").Error)
		}},
		{name: "new cascade", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(
				db.Exec("ALTER TABLE toys ADD FOREIGN KEY (owner_id) REFERENCES customers ON DELETE CASCADE").Error,
				db.Unscoped().Delete(&customer{}, 1).Error,
			)
		}},
	}
}
