package tests_test

import (
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache"
)

// matrixStatements are texts that every database understands.
func matrixStatements(d *dialect) []matrixMutation {
	return []matrixMutation{
		{name: "INSERT", run: statement("INSERT INTO customers (name, email) VALUES (?, ?)", "i", "i@x")},
		{name: "INSERT SELECT", run: statement("INSERT INTO purchases (customer_id, cents) SELECT id, age FROM customers WHERE age > ?", 20)},
		{name: "UPDATE", run: statement("UPDATE customers SET name = ? WHERE id = ?", "u", 1)},
		{name: "DELETE", run: statement("DELETE FROM items WHERE id = ?", 1)},
		{name: "DELETE that cascades", run: statement("DELETE FROM customers WHERE id = ?", 1)},
		{name: "several statements", run: statement("UPDATE companies SET name = 's' WHERE id = 1; DELETE FROM labels WHERE id = 1")},
		{name: "several statements, of which the last fails", run: func(db *gorm.DB) error {
			if db.Exec("UPDATE companies SET name = 's' WHERE id = 1; DELETE FROM nothing WHERE id = 1").Error == nil {
				return errors.New("it did not fail")
			}
			return nil
		}, nothing: d.is("postgres")},
		{name: "quoted names", run: statement(d.text("UPDATE {odd} SET {value} = 'q' WHERE id = 1"))},
		{name: "quoted column", run: statement(d.text("UPDATE weird SET {some text} = 'q' WHERE id = 1"))},
		{name: "comments", run: statement("/* SELECT */ -- DELETE FROM labels\nUPDATE /* companies */ customers -- x\nSET name = 'c' WHERE id = 1")},
		{name: "key as text", run: statement("UPDATE customers SET name = 'k' WHERE id = '1'")},
		{name: "key as an argument of another type", run: statement("UPDATE customers SET name = 'k' WHERE id = ?", "1")},
		{name: "key as expression", run: statement("UPDATE customers SET name = 'k' WHERE id = 3 - 2")},
		{name: "key or something else", run: statement("UPDATE customers SET name = 'k' WHERE id = 2 OR age > 20")},
		{name: "not the key", run: statement("UPDATE customers SET name = 'k' WHERE NOT id = 2")},
		{name: "trigger", run: statement("DELETE FROM toys WHERE id = 1")},
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

// returning are statements that answer with what they wrote.
func returning() []matrixMutation {
	return []matrixMutation{
		{name: "Raw INSERT RETURNING", run: func(db *gorm.DB) error {
			return db.Raw("INSERT INTO labels (name) VALUES (?) RETURNING id", "r").Scan(new(int)).Error
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
		{name: "query that writes", run: func(db *gorm.DB) error {
			return db.Raw("INSERT INTO labels (name) VALUES (?) RETURNING *", "q").Find(&[]label{}).Error
		}},
	}
}

// returningUpdated are those of databases that answer for an UPDATE, too.
func returningUpdated() []matrixMutation {
	return []matrixMutation{
		{name: "Update returning", run: do(func(db *gorm.DB) *gorm.DB {
			return db.Model(&[]customer{}).Clauses(clause.Returning{}).Where("addr_city = ?", "Rome").Update("age", 1)
		})},
		{name: "Raw UPDATE RETURNING", run: func(db *gorm.DB) error {
			return db.Raw("UPDATE customers SET name = 'r' WHERE id = ? RETURNING *", 1).Scan(&[]customer{}).Error
		}},
		{name: "Raw UPDATE, Row", run: func(db *gorm.DB) error {
			var name string
			return db.Raw("UPDATE customers SET name = 'row' WHERE id = ? RETURNING name", 1).Row().Scan(&name)
		}},
	}
}

// matrixDefinitions change the schema.
func matrixDefinitions(d *dialect) []matrixMutation {
	return append([]matrixMutation{
		{name: "new column", definition: true, run: statement("ALTER TABLE labels ADD COLUMN more int DEFAULT 5")},
		{name: "column dropped", definition: true, run: statement("ALTER TABLE settings DROP COLUMN value")},
		{name: "new view", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(db.Exec("DROP VIEW debtors").Error,
				db.Exec("CREATE VIEW debtors AS SELECT id, name, id AS cents FROM companies").Error)
		}},
		{name: "table renamed", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(db.Exec("ALTER TABLE labels RENAME TO labels_before").Error,
				db.Exec(d.text("CREATE TABLE labels (id {serial}, name {text})", d.matrix().words...)).Error)
		}},
		{name: "table dropped and made again", definition: true, run: statement("DROP TABLE items; " +
			d.text("CREATE TABLE items (id {serial}, purchase_id int, name {text})", d.matrix().words...))},
		{name: "AutoMigrate", definition: true, run: func(db *gorm.DB) error {
			type setting struct {
				Key   string `gorm:"primaryKey"`
				Value string
				More  int `gorm:"default:5"`
			}
			return db.AutoMigrate(&setting{})
		}},
		{name: "Migrator, DropColumn", definition: true, run: func(db *gorm.DB) error {
			return db.Migrator().DropColumn(&seat{}, "name")
		}},
	}, d.matrix().definitions...)
}
