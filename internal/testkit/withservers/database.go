package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/testkit/pgsessions"
)

// ownPrefix begins the name of a database of a run: behind it are when it was made, in seconds since 1970, and by which process.
const ownPrefix = "rediscache_run_"

// staleAfter is when a database of a run is taken for that of one that was killed: no run takes that long.
const staleAfter = 12 * time.Hour

// ownDatabase makes a database for this run on a PostgreSQL server, and returns its URL. The schemas that tests make do not
// swell the catalog of another one, and what a run that was killed has left behind slows no later one: it goes with its
// database, after half a day.
func (h *house) ownDatabase(ctx context.Context, server string) (string, error) {
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close() }()
	dropStale(ctx, admin)
	name := fmt.Sprintf("%s%d_%d", ownPrefix, time.Now().Unix(), os.Getpid())
	if _, err := admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("a database for this run: %w", err)
	}
	h.cleanups = append(h.cleanups, func() {
		if admin, err := sql.Open("pgx", server); err == nil {
			_, _ = admin.Exec("DROP DATABASE " + name + " WITH (FORCE)") //nolint:noctx // in the end, whatever happened
			_ = admin.Close()
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// hasten makes a database of a run fast for tests, and returns its URL from then on. No test asks that what it has committed
// outlives a crash of this server.
func (h *house) hasten(ctx context.Context, database string) (string, error) {
	admin, err := sql.Open("pgx", database)
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close() }()
	const unsafe = `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$`
	if _, err := admin.ExecContext(ctx, unsafe); err != nil {
		return "", fmt.Errorf("a database that does not wait for the disk: %w", err)
	}
	return h.shareSessions(database)
}

// shareSessions returns the URL of a database through a server that hands on the sessions of tests: most tests send few
// statements in each, and PostgreSQL starts a process for each.
func (h *house) shareSessions(database string) (string, error) {
	server, err := pgsessions.Start(database)
	if errors.Is(err, pgsessions.ErrTLS) {
		return database, nil
	}
	if err != nil {
		return "", err
	}
	h.cleanups = append(h.cleanups, server.Close)
	return server.URL(), nil
}

// dropStale drops the databases of runs that were killed.
func dropStale(ctx context.Context, admin *sql.DB) {
	rows, err := admin.QueryContext(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", ownPrefix)
	if err != nil {
		return
	}
	defer func() { _ = rows.Close() }()
	var stale []string
	for rows.Next() {
		var name string
		if rows.Scan(&name) == nil && isStale(name, time.Now()) {
			stale = append(stale, name)
		}
	}
	if rows.Err() != nil {
		return
	}
	for _, name := range stale {
		_, _ = admin.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
	}
}

// isStale reports whether a database is that of a run which was killed. Its name holds digits only, behind the prefix.
func isStale(name string, now time.Time) bool {
	made, process, ok := strings.Cut(strings.TrimPrefix(name, ownPrefix), "_")
	if _, err := strconv.ParseUint(process, 10, 32); !ok || err != nil {
		return false
	}
	seconds, err := strconv.ParseInt(made, 10, 64)
	return err == nil && now.Sub(time.Unix(seconds, 0)) > staleAfter
}
