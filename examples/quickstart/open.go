package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"

	"github.com/alicebob/miniredis/v2"
	"github.com/glebarez/sqlite"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	"github.com/redis/go-redis/v9"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"
)

// environment is the servers that the shop runs on.
type environment struct {
	servers string
	// embedded is set if the database is in this process.
	embedded bool
	db       *gorm.DB // will use the plugin
	plain    *gorm.DB // will not
	redis    *redis.Client
	logger   *slog.Logger
	report   *report
	closers  []func() error
}

func (e *environment) onClose(f func() error) { e.closers = append(e.closers, f) }

func (e *environment) close() error {
	var errs []error
	for _, closer := range slices.Backward(e.closers) {
		errs = append(errs, closer())
	}
	return errors.Join(errs...)
}

// open connects to the servers that are configured, or starts its own.
func open(ctx context.Context, getenv func(string) string) (*environment, error) {
	env := &environment{report: &report{}, logger: slog.Default()}
	fail := func(err error) (*environment, error) { return nil, errors.Join(err, env.close()) }
	if err := env.openDatabase(getenv("DATABASE_URL")); err != nil {
		return fail(fmt.Errorf("DATABASE_URL: %w", err))
	}
	if err := env.openRedis(ctx, getenv("REDIS_URL")); err != nil {
		return fail(fmt.Errorf("REDIS_URL: %w", err))
	}
	if err := fill(env.plain); err != nil {
		return fail(err)
	}
	env.onClose(func() error { return drop(env.plain) })
	return env, nil
}

func (e *environment) openDatabase(url string) error {
	driver, name := "pgx", "PostgreSQL"
	dialect := func(pool gorm.ConnPool) gorm.Dialector { return postgres.New(postgres.Config{Conn: pool}) }
	if e.embedded = url == ""; e.embedded {
		dir, err := os.MkdirTemp("", "quickstart-")
		if err != nil {
			return err
		}
		e.onClose(func() error { return os.RemoveAll(dir) })
		url = "file:" + filepath.Join(dir, "shop.db") + "?_pragma=foreign_keys(1)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"
		driver, name = "sqlite", "an embedded SQLite"
		dialect = func(pool gorm.ConnPool) gorm.Dialector { return &sqlite.Dialector{Conn: pool} }
	}
	pool, err := sql.Open(driver, url)
	if err != nil {
		return err
	}
	e.onClose(pool.Close)
	e.servers = name
	e.report.sql = &meter{DB: pool}
	cfg := gorm.Config{Logger: logger.Discard, NamingStrategy: schema.NamingStrategy{TablePrefix: prefix}}
	plain := cfg
	if e.db, err = gorm.Open(dialect(e.report.sql), &cfg); err != nil {
		return err
	}
	e.plain, err = gorm.Open(dialect(pool), &plain)
	return err
}

func (e *environment) openRedis(ctx context.Context, url string) error {
	if url == "" {
		server, err := miniredis.Run()
		if err != nil {
			return err
		}
		e.onClose(func() error { server.Close(); return nil })
		e.servers += " and an embedded Redis"
		e.logger = slog.New(slog.DiscardHandler) // it does not know replication, and would be warned of
		url = "redis://" + server.Addr()
	} else {
		e.servers += " and Redis"
	}
	opt, err := redis.ParseURL(url)
	if err != nil {
		return err
	}
	e.redis = redis.NewClient(opt)
	e.onClose(e.redis.Close)
	return e.redis.Ping(ctx).Err()
}

// meter is a connection pool that counts the statements which are sent outside transactions.
type meter struct {
	*sql.DB
	sent atomic.Int64
}

// GetDBConn implements gorm.GetDBConnector.
func (m *meter) GetDBConn() (*sql.DB, error) { return m.DB, nil }

// QueryContext implements gorm.ConnPool.
func (m *meter) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	m.sent.Add(1)
	return m.DB.QueryContext(ctx, query, args...)
}
