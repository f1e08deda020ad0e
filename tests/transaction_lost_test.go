package tests_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// MySQL rolls a transaction back that is the victim of a deadlock. If the program goes on in it, each statement commits by
// itself; a rollback undoes none of them.
func TestStatementsAfterADeadlockAreAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dsn := testkit.MySQL(t)
	plain := w.mysqlPlain(dsn)
	require.NoError(t, plain.AutoMigrate(&ware{}, &sticker{}))
	rows := append(groupOf(1), groupOf(2)...)
	require.NoError(t, plain.Create(&rows).Error)
	writer, reader := w.mysqlWith(dsn), w.mysqlWith(dsn)
	before := look(t, plain.DB, 2)
	reader.warmView(t, 2, before)

	rename := func(tx *gorm.DB, id int) error { return tx.Model(&ware{ID: id}).Update("name", "new").Error }
	other, victim := plain.Begin(), writer.Begin()
	require.NoError(t, other.Exec("UPDATE wares SET name = CONCAT(name, '!') WHERE id IN (10, 11)").Error) // changes more: it wins, whoever waits first
	require.NoError(t, rename(victim, 21))
	waits := make(chan error, 1)
	go func() { waits <- rename(other, 21) }()
	lost := rename(victim, 10)
	require.ErrorContains(t, lost, "Deadlock")
	require.NoError(t, <-waits)
	require.NoError(t, other.Commit().Error)
	require.NoError(t, rename(victim, 20)) // and is committed
	want := look(t, plain.DB, 2)
	require.NotEqual(t, want, before)
	require.NoError(t, victim.Rollback().Error)
	require.Equal(t, want, look(t, plain.DB, 2), "it was undone: this test shows nothing")
	require.Equal(t, want.Row, look(t, reader.DB, 2).Row)
	w.old = true // the other one wrote without the plugin
}

// SQLite rolls a transaction back whose write says so.
func TestStatementsAfterSQLiteHasRolledBackAreAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dsn := filepath.Join(t.TempDir(), "a.db") + "?_pragma=busy_timeout(5000)"
	writer := w.lite(dsn)
	before := createGroup(t, writer)
	reader := w.lite(dsn)
	reader.warmView(t, 1, before)
	errUndone := errors.New("undone")
	require.Error(t, writer.Transaction(func(tx *gorm.DB) error {
		require.Error(t, tx.Exec("INSERT OR ROLLBACK INTO wares (id) VALUES (10)").Error)
		require.NoError(t, tx.Model(&ware{ID: 10}).Update("name", "new").Error) // commits by itself
		return errUndone
	}))
	require.Equal(t, "new", look(t, reader.DB, 1).Row[0].Name)
}
