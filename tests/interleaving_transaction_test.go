package tests_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// What a transaction wrote counts, and what it took back to a savepoint does not.
func TestRollbackToASavepoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(4)
	h, other := w.cached(), w.cached()
	all := func(db *gorm.DB) any {
		var s []string
		require.NoError(t, db.Model(&member{}).Order("id").Pluck("name", &s).Error)
		for id := range 4 {
			s = append(s, nameOf(t, db, id+1))
		}
		return s
	}
	other.warm(t, func(db *gorm.DB) { all(db) })
	undo := errors.New("undo")
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "kept").Error)
		require.ErrorIs(t, tx.Transaction(func(tx *gorm.DB) error { // GORM makes it a savepoint
			require.NoError(t, tx.Model(&member{ID: 2}).Update("name", "undone").Error)
			require.Equal(t, "undone", nameOf(t, tx, 2))
			return undo
		}), undo)
		require.Equal(t, "m2", nameOf(t, tx, 2))
		require.NoError(t, tx.Transaction(func(tx *gorm.DB) error {
			return tx.Model(&member{ID: 3}).Update("name", "nested").Error
		}))
		require.NoError(t, tx.SavePoint("s").Error)
		require.NoError(t, tx.Exec("UPDATE members SET name = 'undone' WHERE id = 4").Error)
		require.NoError(t, tx.RollbackTo("s").Error)
		require.Equal(t, []string{"m1", "m2", "m3", "m4", "m1", "m2", "m3", "m4"}, all(other.DB))
		return nil
	}))
	require.Equal(t, []string{"kept", "m2", "nested", "m4", "kept", "m2", "nested", "m4"}, all(plain.DB))
	agrees(t, plain, other, "other", all)
	agrees(t, plain, h, "own", all)
	other.warm(t, func(db *gorm.DB) { all(db) })
}

// A writer whose connection is cut off in the middle of its transaction.
func TestWriterWhoseConnectionIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	h, other := w.cached(), w.cached()
	other.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	err := h.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "never").Error)
		var pid int
		require.NoError(t, tx.Raw("SELECT pg_backend_pid()").Scan(&pid).Error)
		return plain.Exec("SELECT pg_terminate_backend(?)", pid).Error
	})
	require.Error(t, err)
	for range 3 {
		require.Equal(t, "m1", nameOf(t, h.DB, 1))
		require.Equal(t, "m1", nameOf(t, other.DB, 1))
	}
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "again").Error)
	require.Equal(t, "again", nameOf(t, other.DB, 1))
}

// BEGIN and COMMIT as texts, on a connection that the program holds: between the two, others go on storing what they
// see.
func TestTransactionOfTextsOnOneConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	h, other := w.cached(), w.cached()
	for _, end := range []struct{ text, want string }{{"ROLLBACK", "m1"}, {"COMMIT", "new"}} {
		require.NoError(t, h.Connection(func(c *gorm.DB) error {
			require.NoError(t, c.Exec("BEGIN").Error)
			require.NoError(t, c.Exec("UPDATE members SET name = 'new' WHERE id = 1").Error)
			e := h.log.read(t, func() { require.Equal(t, "new", nameOf(t, c, 1)) })
			require.Equal(t, metrics.ReasonConnection, e.Reason)
			other.warm(t, func(db *gorm.DB) { require.Equal(t, "m1", nameOf(t, db, 1)) })
			require.Equal(t, "m1", nameOf(t, h.DB, 1))
			return c.Exec(end.text).Error
		}))
		require.Equal(t, end.want, nameOf(t, other.DB, 1), end.text)
		require.Equal(t, end.want, nameOf(t, h.DB, 1), end.text)
	}
}

// The same on the pool, where each text may get another connection: the program's fault, but others must not pay for it.
func TestTransactionOfTextsOnThePool(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	h, other := w.cached(), w.cached()
	pool, err := h.DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	h.Exec("BEGIN")
	h.Exec("UPDATE members SET name = 'in the open transaction' WHERE id = 1")
	mine := nameOf(t, h.DB, 1)
	theirs := nameOf(t, w.plain().DB, 1)
	require.Equal(t, theirs, nameOf(t, other.DB, 1), "the writer sees %q", mine)
	h.Exec("ROLLBACK")
	theirs = nameOf(t, w.plain().DB, 1)
	require.Equal(t, theirs, nameOf(t, other.DB, 1), "the writer saw %q", mine)
}
