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

	"github.com/alicebob/miniredis/v2"
	"github.com/glebarez/sqlite"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	"github.com/redis/go-redis/v9"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// Variables of the environment that name servers.
const (
	EnvDatabase = "DATABASE_URL" // of PostgreSQL
	EnvRedis    = "REDIS_URL"
)

// Servers are a database and a Redis. Nothing is dialed to find them.
type Servers struct {
	database      string // the URL of PostgreSQL; of a file of SQLite if it is embedded
	redis         *redis.Options
	embeddedDB    bool
	embeddedRedis bool
	closers       []func() error
}

// Find returns the servers that the environment names, and starts those that it does not. An error names the variable.
func Find(getenv func(string) string) (*Servers, error) {
	s := &Servers{database: getenv(EnvDatabase)}
	fail := func(name string, err error) (*Servers, error) {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), s.Close())
	}
	if s.database == "" {
		if err := s.startDatabase(); err != nil {
			return fail(EnvDatabase, err)
		}
	}
	address := getenv(EnvRedis)
	if address == "" {
		server, err := miniredis.Run()
		if err != nil {
			return fail(EnvRedis, err)
		}
		s.closers = append(s.closers, func() error { server.Close(); return nil })
		s.embeddedRedis = true
		address = "redis://" + server.Addr()
	}
	var err error
	if s.redis, err = redis.ParseURL(address); err != nil {
		return fail(EnvRedis, errors.New("want redis://[user:password@]host:port/db or rediss://…")) // err may show a password
	}
	return s, nil
}

// startDatabase makes a file for SQLite. Writers wait for one another.
func (s *Servers) startDatabase() error {
	dir, err := os.MkdirTemp("", "rediscache-example-")
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() error { return os.RemoveAll(dir) })
	s.embeddedDB = true
	settings := url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "foreign_keys(1)", "journal_mode(WAL)", "synchronous(OFF)",
	}}
	s.database = "file:" + filepath.Join(dir, "example.db") + "?" + settings.Encode()
	return nil
}

// OpenPool returns a new pool of connections to the database. It is the caller's to close, and dials nothing yet.
func (s *Servers) OpenPool() (*sql.DB, error) {
	if s.embeddedDB {
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
	if s.embeddedDB {
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

// EmbeddedDatabase reports whether the database is in this process, and gone with it.
func (s *Servers) EmbeddedDatabase() bool { return s.embeddedDB }

// String returns what they are, for people.
func (s *Servers) String() string {
	database, cache := "PostgreSQL", "Redis"
	if s.embeddedDB {
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
