package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// A temporary table hides another one from its own connection: its rows are nobody else's, whether the program holds the
// connection, or gets one of the pool's.
func TestTemporaryTableOfMySQLAndSQLite(t *testing.T) {
	t.Parallel()
	for _, d := range []*dialect{onMySQL(), onSQLite()} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			temporaryTableHides(t, newWorldOn(t, d))
		})
	}
}

func temporaryTableHides(t *testing.T, w *world) {
	t.Helper()
	w.members(1)
	h, other := w.cached(), w.cached()
	warmMember(t, h, 1)
	warmMember(t, other, 1)
	hide := func(db *gorm.DB) {
		require.NoError(t, db.Exec("CREATE TEMPORARY TABLE members (id int PRIMARY KEY, name text, age int, deleted timestamp)").Error)
		require.NoError(t, db.Exec("INSERT INTO members (id, name, deleted) VALUES (1, 'temporary', NULL)").Error)
	}
	require.NoError(t, h.Connection(func(tx *gorm.DB) error {
		hide(tx)
		require.Equal(t, "temporary", nameOf(t, tx, 1))
		require.Equal(t, "m1", nameOf(t, other.DB, 1))
		require.Equal(t, "m1", nameOf(t, h.DB, 1))
		return tx.Exec("DROP TABLE members").Error
	}))
	require.Equal(t, "m1", nameOf(t, h.DB, 1))

	h = w.cached()
	pool, err := h.DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1)
	hide(h.DB)
	for range 3 {
		require.Equal(t, "temporary", nameOf(t, h.DB, 1))
		require.Equal(t, "m1", nameOf(t, other.DB, 1))
		require.Equal(t, "m1", nameOf(t, w.cached().DB, 1))
	}
	require.NoError(t, h.Exec("DROP TABLE members").Error)
}
