package tests_test

import (
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
