package tests_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/glebarez/sqlite"
	mysqldriver "github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/stores"
)

// A dialect is a kind of database that the same tests run on.
type dialect struct {
	name string
	// kin is the kind of database behind a dialect of another name; empty for those that are known.
	kin string
	// database returns the DSN of a private, empty database.
	database func(testing.TB) string
	// open opens a pool of which the statements are noted, and the dialector for it.
	open func(dsn string, noted *statements) (gorm.Dialector, *sql.DB, error)
	// mark quotes names.
	mark string
	// matrix describes what of the matrix exists only there, or reads otherwise.
	matrix func() matrixDialect
	// without names the reads of the matrix that are not cached there, as the plugin does not understand them.
	without []string
}

// dialects are those that the plugin knows. One will do for a run that is about another store, or about a Cluster.
func dialects() []*dialect {
	if stores.Other() || stores.Clustered() {
		return []*dialect{onPostgres()}
	}
	return []*dialect{onPostgres(), onMySQL(), onSQLite()}
}

// dialectNamed finds a dialect, among those of other names, too.
func dialectNamed(t testing.TB, name string) *dialect {
	t.Helper()
	for _, d := range append(dialects(), strangers()...) {
		if d.name == name {
			return d
		}
	}
	t.Fatalf("no dialect %q", name)
	return nil
}

// quoted quotes a name.
func (d *dialect) quoted(name string) string { return d.mark + name + d.mark }

// is reports whether the database behind a dialect is of a kind.
func (d *dialect) is(kind string) bool { return d.name == kind || d.kin == kind }

func onPostgres() *dialect {
	return &dialect{
		name: "postgres", database: testkit.Postgres, mark: `"`, matrix: postgresMatrix,
		open: func(dsn string, noted *statements) (gorm.Dialector, *sql.DB, error) {
			conn, err := pgx.ParseConfig(dsn)
			if err != nil {
				return nil, nil, err
			}
			conn.Tracer = noted
			pool := stdlib.OpenDB(*conn)
			return postgres.New(postgres.Config{Conn: pool}), pool, nil
		},
	}
}

func onMySQL() *dialect {
	return &dialect{
		name: "mysql", mark: "`", matrix: mysqlMatrix,
		database: func(t testing.TB) string { return testkit.MySQL(t) + "&multiStatements=true" },
		open: func(dsn string, noted *statements) (gorm.Dialector, *sql.DB, error) {
			cfg, err := mysqldriver.ParseDSN(dsn)
			if err != nil {
				return nil, nil, err
			}
			inner, err := mysqldriver.NewConnector(cfg)
			if err != nil {
				return nil, nil, err
			}
			pool := sql.OpenDB(noting{inner, noted})
			pool.SetMaxIdleConns(1) // servers have few connections by default
			return mysql.New(mysql.Config{DSN: dsn, Conn: pool}), pool, nil
		},
	}
}

func onSQLite() *dialect {
	return &dialect{
		name: "sqlite", mark: "`", matrix: sqliteMatrix,
		database: func(t testing.TB) string {
			t.Helper()
			return fmt.Sprintf("file:%s?_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)"+
				"&_pragma=synchronous(OFF)", filepath.Join(t.TempDir(), testkit.Unique(t)+".db"))
		},
		open: func(dsn string, noted *statements) (gorm.Dialector, *sql.DB, error) {
			plain, err := sql.Open(sqlite.DriverName, dsn) // opens nothing: it is asked for its driver
			if err != nil {
				return nil, nil, err
			}
			if err := plain.Close(); err != nil {
				return nil, nil, err
			}
			pool := sql.OpenDB(noting{byDSN{plain.Driver(), dsn}, noted})
			return sqlite.Dialector{DSN: dsn, Conn: pool}, pool, nil
		},
	}
}

// newWorldOn returns a world on a database of a dialect.
func newWorldOn(t *testing.T, d *dialect) *world {
	t.Helper()
	client, namespace := stores.Redis(t)
	w := &world{t: t, dialect: d, dsn: d.database(t), redis: client, namespace: namespace}
	if stores.Other() {
		w.store = stores.Open(t, client, patience)
	}
	return w
}

// onEveryDialect runs a test on every kind of database that the plugin knows.
func onEveryDialect(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	for _, d := range dialects() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorldOn(t, d))
		})
	}
}
