package tests_test

import (
	"errors"

	"gorm.io/gorm"
)

// mysqlDefinitions change the schema. In a transaction they commit what was written before, and what is written after
// them is not part of any.
func mysqlDefinitions() []matrixMutation {
	undo := errors.New("undo")
	undone := func(texts ...string) func(*gorm.DB) error {
		return func(db *gorm.DB) error {
			err := db.Transaction(func(tx *gorm.DB) error {
				for _, text := range texts {
					if err := tx.Exec(text).Error; err != nil {
						return err
					}
				}
				return undo
			})
			if errors.Is(err, undo) {
				return nil
			}
			return errors.Join(errors.New("not undone"), err)
		}
	}
	update, more := "UPDATE customers SET name = 'tx' WHERE id = 1", "UPDATE labels SET name = 'after' WHERE id = 1"
	create := "CREATE TABLE made (id int)"
	return []matrixMutation{
		{name: "view replaced", definition: true, run: statement("CREATE OR REPLACE VIEW debtors AS SELECT id, name, id AS cents FROM companies")},
		{name: "ALTER VIEW", definition: true, run: statement("ALTER VIEW adults AS SELECT id, name, 1 AS age FROM companies")},
		{name: "RENAME TABLE", definition: true, run: statement("RENAME TABLE labels TO other, companies TO labels, other TO companies")},
		{name: "CREATE TABLE SELECT", definition: true, run: statement("CREATE OR REPLACE TABLE copies SELECT id, name FROM labels")},
		{name: "CREATE TABLE LIKE", definition: true, run: statement("DROP TABLE copies; CREATE TABLE copies LIKE companies; INSERT INTO copies SELECT * FROM companies")},
		{name: "column changed", definition: true, run: statement("ALTER TABLE purchases MODIFY cents varchar(20)")},
		{name: "new primary key", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(db.Exec("ALTER TABLE seats DROP PRIMARY KEY, ADD PRIMARY KEY (no, hall, name)").Error,
				db.Exec("UPDATE seats SET name = 'x' WHERE hall = 'a' AND no = 2").Error)
		}},
		{name: "new cascade", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(
				db.Exec("ALTER TABLE toys ADD FOREIGN KEY (owner_id) REFERENCES customers (id) ON DELETE CASCADE").Error,
				db.Unscoped().Delete(&customer{}, 1).Error,
			)
		}},
		{name: "new trigger", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(
				db.Exec("CREATE TRIGGER more AFTER UPDATE ON settings FOR EACH ROW DELETE FROM labels WHERE id = 1").Error,
				db.Model(&setting{Key: "theme"}).Update("value", "fires").Error,
			)
		}},
		{name: "new collation", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(
				db.Exec("ALTER TABLE settings MODIFY `key` varchar(191) COLLATE utf8mb4_bin").Error,
				db.Exec("INSERT INTO settings VALUES ('THEME', 'capitals')").Error,
			)
		}},
		{name: "partition truncated", definition: true, run: statement("ALTER TABLE events TRUNCATE PARTITION p_new")},
		{name: "definition in a transaction", definition: true, run: func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec(update).Error, tx.Exec(create).Error, tx.Exec(more).Error)
			})
		}},
		{name: "definition in a transaction, rolled back", definition: true, run: undone(update, create, more)},
		{name: "definition in a transaction, through GORM", definition: true, run: func(db *gorm.DB) error {
			type made struct{ ID int }
			tx := db.Begin()
			return errors.Join(tx.Model(&customer{ID: 1}).Update("name", "tx").Error, tx.AutoMigrate(&made{}),
				tx.Model(&label{ID: 1}).Update("name", "after").Error, tx.Rollback().Error)
		}},
		{name: "TRUNCATE in a transaction, rolled back", definition: true, run: undone(update, "TRUNCATE items", more)},
		{name: "procedure that defines, rolled back", definition: true, run: undone(update, "CALL run_text('CREATE TABLE made (id int)')", more)},
		{name: "LOCK TABLES in a transaction, rolled back", definition: true, run: undone(update, "LOCK TABLES labels WRITE", more, "UNLOCK TABLES")},
		{name: "BEGIN in a transaction, rolled back", definition: true, run: undone(update, "BEGIN", more)},
		{name: "ANALYZE TABLE in a transaction, rolled back", definition: true, run: undone(update, "ANALYZE TABLE items", more)},
		{name: "COMMIT in a transaction, rolled back", definition: true, run: undone(update, "COMMIT", more)},
		{name: "grants in a transaction, rolled back", definition: true, run: undone(update, "FLUSH TABLES", more)},
		{name: "autocommit off", definition: true, run: func(db *gorm.DB) error {
			return db.Connection(func(tx *gorm.DB) error {
				return errors.Join(tx.Exec("SET autocommit = 0").Error, tx.Exec(update).Error, tx.Exec(more).Error,
					tx.Exec("COMMIT").Error, tx.Exec("SET autocommit = 1").Error)
			})
		}},
		{name: "autocommit on ends a transaction", definition: true, run: undone("SET autocommit = 0", update, more, "SET autocommit = 1")},
	}
}
