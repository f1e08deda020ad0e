package tests_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

// The first statement of a process finds out what is known of the database under what Redis holds. What it is must not matter.

func TestFirstWriteOfAProcessInvalidatesNoMoreThanItTouches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	h := w.cached()
	for id := 1; id <= 3; id++ {
		h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, id).Error) })
	}
	for id, write := range map[int]func(*gorm.DB) error{
		1: func(db *gorm.DB) error { return db.Model(&member{ID: 1}).Update("name", "changed").Error },
		2: func(db *gorm.DB) error {
			return db.Session(&gorm.Session{SkipDefaultTransaction: true}).Model(&member{ID: 2}).Update("name", "changed").Error
		},
	} {
		require.NoError(t, write(w.cached().DB))
		require.Empty(t, h.sql.during(func() { require.NoError(t, h.First(&member{}, 3).Error) }))
		var m member
		require.NoError(t, h.First(&m, id).Error)
		require.Equal(t, "changed", m.Name)
	}
}

// PostgreSQL takes it only as the first statement of a transaction.
func TestFirstStatementOfAProcessMaySetItsTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.Serverless = rediscache.ServerlessOn }))
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").Error; err != nil {
			return err
		}
		return tx.Model(&member{ID: 1}).Update("name", "changed").Error
	}))
	var level string
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SET TRANSACTION READ ONLY").Error; err != nil {
			return err
		}
		return tx.Raw("SHOW transaction_read_only").Scan(&level).Error
	}))
	require.Equal(t, "on", level)
}

// A pool may have one connection only, which the first transaction holds.
func TestFirstTransactionOfAProcessMayHoldTheOnlyConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	h := w.cached()
	pool, err := h.DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	other := w.cached()
	other.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 2).Error) })
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
		if err := tx.First(&member{}, 1).Error; err != nil {
			return err
		}
		return tx.Model(&member{ID: 1}).Update("name", "changed").Error
	}))
	require.Empty(t, other.sql.during(func() { require.NoError(t, other.First(&member{}, 2).Error) }))
}

// On SQLite a transaction waits for another writer with its first statement only, and only if that writes. What the cache asks
// must not come before it.
func TestFirstWriteWaitsForAnotherWriter(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*testing.T, *gorm.DB) error{
		"in GORM's transaction": func(_ *testing.T, db *gorm.DB) error {
			return db.Model(&member{ID: 2}).Update("name", "written").Error
		},
		"in a transaction of the application's": func(_ *testing.T, db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				return tx.Exec("UPDATE members SET name = 'written' WHERE id = 2").Error
			})
		},
		"in one that a text has begun": func(t *testing.T, db *gorm.DB) error {
			t.Helper()
			return db.Connection(func(c *gorm.DB) error {
				require.NoError(t, c.Exec("BEGIN").Error)
				require.NoError(t, c.Exec("UPDATE members SET name = 'written' WHERE id = 2").Error)
				return c.Exec("COMMIT").Error
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, onSQLite())
			plain := w.members(2)
			cold, reads := w.cached(), w.cached()
			reads.warm(t, func(db *gorm.DB) { nameOf(t, db, 2) })
			writer := plain.Begin()
			t.Cleanup(func() { writer.Rollback() })
			require.NoError(t, writer.Exec("UPDATE members SET name = 'other' WHERE id = 1").Error)
			end := func(text string) {
				if strings.HasPrefix(text, "UPDATE") {
					writer.Commit()
				}
			}
			cold.sql.before.Store(&end)
			require.NoError(t, write(t, cold.DB))
			require.Equal(t, "written", nameOf(t, reads.DB, 2))
		})
	}
}
