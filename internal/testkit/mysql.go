package testkit

import (
	"context"
	"database/sql"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
)

// MySQL returns the DSN of a private, empty database on the shared MySQL or MariaDB server, which is dropped when the test
// is over.
func MySQL(t testing.TB) string {
	t.Helper()
	server, err := mysql.ParseDSN(envOr(EnvMySQL, LocalMySQL))
	require.NoError(t, err, EnvMySQL)
	admin := OpenMySQL(t, server.FormatDSN())
	if err := admin.PingContext(t.Context()); err != nil {
		Missing(t, "no MySQL: %v", err)
	}
	server.DBName = Unique(t)
	_, err = admin.ExecContext(t.Context(), "CREATE DATABASE "+server.DBName+" CHARACTER SET utf8mb4")
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := background()
		defer cancel()
		dropViews(ctx, admin, server.DBName)
		_, _ = admin.ExecContext(ctx, "DROP DATABASE "+server.DBName)
	})
	return server.FormatDSN()
}

// dropViews drops the views of a database. While it is dropped with their tables, the information schema has the views and
// not their queries, for whoever looks at all databases.
func dropViews(ctx context.Context, admin *sql.DB, database string) {
	var views sql.NullString
	const list = "SELECT GROUP_CONCAT('`', table_schema, '`.`', table_name, '`') FROM information_schema.views WHERE table_schema = ?"
	if err := admin.QueryRowContext(ctx, list, database).Scan(&views); err == nil && views.Valid {
		_, _ = admin.ExecContext(ctx, "DROP VIEW "+views.String)
	}
}

// OpenMySQL opens a pool, which is closed when the test is over.
func OpenMySQL(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
