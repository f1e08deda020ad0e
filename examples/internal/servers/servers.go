// Package servers gives the examples a database and a Redis: those that the environment names, or ones in this process, so
// that they run on a machine that has neither. An application has its own, and needs nothing of this.
package servers

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alicebob/miniredis/v2"
	"github.com/glebarez/sqlite"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	"github.com/redis/go-redis/v9"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// Variables of the environment that name servers.
const (
	EnvDatabase = "DATABASE_URL" // of PostgreSQL, or file:… of SQLite
	EnvRedis    = "REDIS_URL"
)

// Servers are a database and a Redis. Nothing is dialed to find them.
type Servers struct {
	database, address string // URLs
	redis             *redis.Options
	embeddedRedis     bool
	closers           []func() error
}

// Find returns the servers that the environment names, and starts those that it does not. An error names the variable.
func Find(getenv func(string) string) (*Servers, error) {
	s := &Servers{database: getenv(EnvDatabase), address: getenv(EnvRedis)}
	fail := func(name string, err error) (*Servers, error) {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), s.Close())
	}
	if s.database == "" {
		if err := s.startDatabase(); err != nil {
			return fail(EnvDatabase, err)
		}
	}
	if s.address == "" {
		server, err := miniredis.Run()
		if err != nil {
			return fail(EnvRedis, err)
		}
		s.closers = append(s.closers, func() error { server.Close(); return nil })
		s.embeddedRedis = true
		s.address = "redis://" + server.Addr()
	}
	var err error
	if s.redis, err = redis.ParseURL(s.address); err != nil {
		return fail(EnvRedis, errors.New("want redis://[user:password@]host:port/db or rediss://…")) // err may show a password
	}
	return s, nil
}

// sqliteURL begins the URL of a database in a file.
const sqliteURL = "file:"

// startDatabase makes a file for SQLite. Writers wait for one another.
func (s *Servers) startDatabase() error {
	dir, err := os.MkdirTemp("", "rediscache-example-")
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { return os.RemoveAll(dir) })
	settings := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "foreign_keys(1)", "journal_mode(WAL)", "synchronous(OFF)",
	}}
	s.database = sqliteURL + filepath.Join(dir, "example.db") + "?" + settings.Encode()
	return nil
}

// OpenPool returns a new pool of connections to the database. It is the caller's to close, and dials nothing yet.
func (s *Servers) OpenPool() (*sql.DB, error) {
	if s.EmbeddedDatabase() {
		return sql.Open("sqlite", s.database)
	}
	pool, err := sql.Open("pgx", s.database)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EnvDatabase, err)
	}
	return pool, nil
}

// Dialector returns what GORM has to know to use a pool of the database.
func (s *Servers) Dialector(pool gorm.ConnPool) gorm.Dialector {
	if s.EmbeddedDatabase() {
		return &sqlite.Dialector{Conn: pool}
	}
	return postgres.New(postgres.Config{Conn: pool})
}

// Redis returns the options of a client.
func (s *Servers) Redis() *redis.Options {
	opt := *s.redis
	return &opt
}

// Logger returns the logger for the plugin: none beside the embedded Redis, which does not know replication, and would be
// warned of.
func (s *Servers) Logger(own *slog.Logger) *slog.Logger {
	if s.embeddedRedis {
		return slog.New(slog.DiscardHandler)
	}
	return own
}

// EmbeddedDatabase reports whether the database is in this process.
func (s *Servers) EmbeddedDatabase() bool { return strings.HasPrefix(s.database, sqliteURL) }

// Environment returns the variables with which Find finds the same servers.
func (s *Servers) Environment() map[string]string {
	return map[string]string{EnvDatabase: s.database, EnvRedis: s.address}
}

// String returns what they are, for people.
func (s *Servers) String() string {
	database, cache := "PostgreSQL", "Redis"
	if s.EmbeddedDatabase() {
		database = "an embedded SQLite"
	}
	if s.embeddedRedis {
		cache = "an embedded Redis"
	}
	return database + " and " + cache
}

// Close stops and removes what Find started.
func (s *Servers) Close() error {
	var errs []error
	for _, closer := range slices.Backward(s.closers) {
		errs = append(errs, closer())
	}
	s.closers = nil
	return errors.Join(errs...)
}
