package testkit

import (
	"database/sql"
	"net/url"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	"github.com/stretchr/testify/require"
)

// Postgres returns the URL of a private, empty schema on the shared PostgreSQL server, which is dropped when the test
// is over. Nothing but the schema is on the search path.
func Postgres(t testing.TB) string {
	t.Helper()
	server := envOr(EnvPostgres, LocalPostgres)
	admin := OpenPostgres(t, server)
	if err := admin.PingContext(t.Context()); err != nil {
		Missing(t, "no PostgreSQL: %v", err)
	}
	schema := Unique(t)
	_, err := admin.ExecContext(t.Context(), `CREATE SCHEMA `+schema)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := background()
		defer cancel()
		_, _ = admin.ExecContext(ctx, `DROP SCHEMA `+schema+` CASCADE`)
	})
	return withParam(t, server, "search_path", schema)
}

// PostgresDatabase returns the URL of a private database on the shared server, which is dropped when the test is over.
func PostgresDatabase(t testing.TB) string {
	t.Helper()
	server := envOr(EnvPostgres, LocalPostgres)
	admin := OpenPostgres(t, server)
	if err := admin.PingContext(t.Context()); err != nil {
		Missing(t, "no PostgreSQL: %v", err)
	}
	name := Unique(t)
	_, err := admin.ExecContext(t.Context(), `CREATE DATABASE `+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := background()
		defer cancel()
		_, _ = admin.ExecContext(ctx, `DROP DATABASE `+name+` WITH (FORCE)`)
	})
	u, err := url.Parse(server)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

// OpenPostgres opens a pool, which is closed when the test is over.
func OpenPostgres(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// withParam adds a parameter to the URL of a server.
func withParam(t testing.TB, dsn, name, value string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}
