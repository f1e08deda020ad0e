package txpool_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "github.com/glebarez/go-sqlite" // registers its driver
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/txpool"
)

// What an observer writes before COMMIT is part of the transaction: it is there when that has committed, and not when it is
// refused.
func TestObserverWritesInTheTransaction(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func() *sql.DB{
		"postgres": func() *sql.DB { return testkit.OpenPostgres(t, testkit.Postgres(t)) },
		"mysql":    func() *sql.DB { return testkit.OpenMySQL(t, testkit.MySQL(t)) },
		"mysql, arguments in the text": func() *sql.DB {
			return testkit.OpenMySQL(t, testkit.MySQL(t)+"&interpolateParams=true")
		},
		"sqlite": func() *sql.DB {
			db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "db"))
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			return db
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, mark := open(), "?"
			if name == "postgres" {
				mark = "$1"
			}
			_, err := db.ExecContext(t.Context(), "CREATE TABLE notes (note VARCHAR(20))")
			require.NoError(t, err)
			tracker := txpool.New()
			for _, refuse := range []error{nil, errRefused} {
				tx, err := db.BeginTx(t.Context(), nil)
				require.NoError(t, err)
				observe(t, tracker, tx, &log{text: "INSERT INTO notes (note) VALUES (" + mark + ")", args: []any{"a"}, refuse: refuse})
				_, err = tx.ExecContext(t.Context(), "INSERT INTO notes (note) VALUES ('b')")
				require.NoError(t, err)
				require.ErrorIs(t, tx.Commit(), refuse)
			}
			n := 0
			require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM notes").Scan(&n))
			require.Equal(t, 2, n)
		})
	}
}

func TestObserverOfAWrappedPoolWritesInTheTransaction(t *testing.T) {
	t.Parallel()
	db, err := gorm.Open(postgres.Open(testkit.Postgres(t)), &gorm.Config{Logger: logger.Discard, PrepareStmt: true})
	require.NoError(t, err)
	tracker := txpool.New()
	db.ConnPool = tracker.Wrap(db.ConnPool)
	db.Statement.ConnPool = db.ConnPool
	require.NoError(t, db.Exec("CREATE TABLE notes (note text)").Error)
	for _, refuse := range []error{nil, errRefused} {
		tx := db.Begin()
		observe(t, tracker, tx.Statement.ConnPool, &log{
			text: "INSERT INTO notes (note) VALUES ($1)", args: []any{"a"}, refuse: refuse,
		})
		require.ErrorIs(t, tx.Commit().Error, refuse)
	}
	var n int64
	require.NoError(t, db.Table("notes").Count(&n).Error)
	require.EqualValues(t, 1, n)
}
