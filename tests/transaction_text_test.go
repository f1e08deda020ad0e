package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// A program may end a transaction by SQL. When that statement has returned, what it committed is seen by everybody.
func TestTransactionsEndedBySQL(t *testing.T) {
	t.Parallel()
	update := func(t *testing.T, tx *gorm.DB) {
		t.Helper()
		require.NoError(t, tx.Exec("UPDATE wares SET name = 'new' WHERE id = 10").Error)
	}
	for name, c := range map[string]struct {
		// run calls look whenever something was committed or rolled back.
		run func(t *testing.T, db *gorm.DB, look func())
	}{
		"COMMIT of GORM's transaction": {func(t *testing.T, db *gorm.DB, look func()) {
			tx := db.Begin()
			update(t, tx)
			require.NoError(t, tx.Exec("COMMIT").Error)
			look()
			_ = tx.Commit()
			look()
		}},
		"COMMIT AND CHAIN": {func(t *testing.T, db *gorm.DB, look func()) {
			tx := db.Begin()
			update(t, tx)
			require.NoError(t, tx.Exec("COMMIT AND CHAIN").Error)
			look()
			require.NoError(t, tx.Exec("UPDATE wares SET name = 'newer' WHERE id = 11").Error)
			look()
			require.NoError(t, tx.Commit().Error)
			look()
		}},
		"COMMIT AND CHAIN, then rolled back": {func(t *testing.T, db *gorm.DB, look func()) {
			tx := db.Begin()
			update(t, tx)
			require.NoError(t, tx.Exec("COMMIT AND CHAIN").Error)
			require.NoError(t, tx.Exec("UPDATE wares SET name = 'newer' WHERE id = 11").Error)
			require.NoError(t, tx.Rollback().Error)
			look()
		}},
		"ROLLBACK AND CHAIN": {func(t *testing.T, db *gorm.DB, look func()) {
			tx := db.Begin()
			update(t, tx)
			require.NoError(t, tx.Exec("ROLLBACK AND CHAIN").Error)
			look()
			require.NoError(t, tx.Exec("UPDATE wares SET name = 'newer' WHERE id = 11").Error)
			require.NoError(t, tx.Commit().Error)
			look()
		}},
		"END, on a connection": {func(t *testing.T, db *gorm.DB, look func()) {
			require.NoError(t, db.Connection(func(tx *gorm.DB) error {
				tx = tx.Session(&gorm.Session{})
				require.NoError(t, tx.Exec("START TRANSACTION").Error)
				update(t, tx)
				look() // stores what was there before
				require.NoError(t, tx.Exec("END").Error)
				look()
				return nil
			}))
		}},
		"in one text": {func(t *testing.T, db *gorm.DB, look func()) {
			require.NoError(t, db.Exec("BEGIN; UPDATE wares SET name = 'new' WHERE id = 10; COMMIT").Error)
			look()
			require.NoError(t, db.Exec("BEGIN; UPDATE wares SET name = 'newer' WHERE id = 10; ROLLBACK").Error)
			look()
		}},
		"in several texts of several statements": {func(t *testing.T, db *gorm.DB, look func()) {
			require.NoError(t, db.Connection(func(tx *gorm.DB) error {
				tx = tx.Session(&gorm.Session{})
				require.NoError(t, tx.Exec("BEGIN; UPDATE wares SET name = 'new' WHERE id = 10").Error)
				look()
				require.NoError(t, tx.Exec("SAVEPOINT one; UPDATE wares SET name = 'newer'; ROLLBACK TO one").Error)
				look()
				require.NoError(t, tx.Exec("/* done */ commit work").Error)
				look()
				return nil
			}))
		}},
		"COMMIT by a cursor's text": {func(t *testing.T, db *gorm.DB, look func()) {
			require.NoError(t, db.Connection(func(tx *gorm.DB) error {
				tx = tx.Session(&gorm.Session{})
				require.NoError(t, tx.Exec("BEGIN").Error)
				update(t, tx)
				look()
				rows, err := tx.Raw("COMMIT").Rows()
				require.NoError(t, err)
				require.NoError(t, rows.Close())
				look()
				return nil
			}))
		}},
		"a procedure that commits": {func(t *testing.T, db *gorm.DB, look func()) {
			require.NoError(t, db.Exec(`CREATE PROCEDURE change() LANGUAGE plpgsql AS $$
				BEGIN UPDATE wares SET name = 'new' WHERE id = 10; COMMIT; UPDATE wares SET name = 'newer' WHERE id = 11;
				ROLLBACK; END $$`).Error)
			require.NoError(t, db.Exec("CALL change()").Error)
			look()
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.wares(1)
			writer, reader := w.cached(), w.cached()
			before := look(t, plain.DB, 1)
			reader.warmView(t, 1, before)
			writer.warmView(t, 1, before)
			c.run(t, writer.DB, func() {
				t.Helper()
				want := look(t, plain.DB, 1)
				for range 2 {
					require.Equal(t, want, look(t, reader.DB, 1))
					require.Equal(t, want, look(t, writer.DB, 1))
				}
			})
			want := look(t, plain.DB, 1)
			require.NotEqual(t, want, before)
			reader.warmView(t, 1, want)
			writer.warmView(t, 1, want)
		})
	}
}
