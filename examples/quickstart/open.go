package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/examples/internal/servers"
)

// environment is what the shop runs on.
type environment struct {
	servers *servers.Servers
	db      *gorm.DB // will use the plugin
	plain   *gorm.DB // will not
	redis   *redis.Client
	logger  *slog.Logger
	report  *report
	closers []func() error
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
	found, err := servers.Find(getenv)
	if err != nil {
		return nil, err
	}
	env := &environment{report: &report{}, servers: found, logger: found.Logger(slog.Default())}
	env.onClose(found.Close)
	fail := func(err error) (*environment, error) { return nil, errors.Join(err, env.close()) }
	if err := env.openDatabase(); err != nil {
		return fail(fmt.Errorf("%s: %w", servers.EnvDatabase, err))
	}
	env.redis = redis.NewClient(found.Redis())
	env.onClose(env.redis.Close)
	if err := env.redis.Ping(ctx).Err(); err != nil {
		return fail(fmt.Errorf("%s: %w", servers.EnvRedis, err))
	}
	if err := fill(env.plain); err != nil {
		return fail(err)
	}
	env.onClose(func() error { return drop(env.plain) })
	return env, nil
}

func (e *environment) openDatabase() error {
	pool, err := e.servers.OpenPool()
	if err != nil {
		return err
	}
	e.onClose(pool.Close)
	e.report.sql = &meter{DB: pool}
	cfg := gorm.Config{Logger: logger.Discard, NamingStrategy: schema.NamingStrategy{TablePrefix: prefix}}
	plain := cfg
	if e.db, err = gorm.Open(e.servers.Dialector(e.report.sql), &cfg); err != nil {
		return err
	}
	e.plain, err = gorm.Open(e.servers.Dialector(pool), &plain)
	return err
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
