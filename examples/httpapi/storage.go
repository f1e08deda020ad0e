package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/examples/internal/servers"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// storage is the database, with its cache.
type storage struct {
	db       *gorm.DB
	servers  *servers.Servers
	counters *metrics.Counters
	registry *prometheus.Registry
	closers  []func(context.Context) error
}

// open opens the database, gives it the cache, and makes the tables.
func open(ctx context.Context, cfg config, log *slog.Logger) (*storage, error) {
	s := &storage{counters: &metrics.Counters{}, registry: prometheus.NewRegistry()}
	err := s.connect(cfg, log)
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

func (s *storage) connect(cfg config, log *slog.Logger) error {
	var err error
	if s.servers, err = servers.Find(cfg.getenv); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.servers.Close() })

	// An application has sql.Open("pgx", url) here, and postgres.New(postgres.Config{Conn: pool}) below.
	pool, err := s.servers.OpenPool()
	if err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return pool.Close() })
	pool.SetMaxOpenConns(20) // of all instances together, less than PostgreSQL's max_connections
	pool.SetMaxIdleConns(20)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	s.db, err = gorm.Open(s.servers.Dialector(pool), &gorm.Config{
		Logger: logger.NewSlogLogger(log, logger.Config{
			LogLevel: logger.Warn, SlowThreshold: time.Second, IgnoreRecordNotFoundError: true,
		}),
		NamingStrategy: schema.NamingStrategy{TablePrefix: "httpapi_"},
		TranslateError: true, // so that gorm.ErrDuplicatedKey is an error that can be told from others
	})
	if err != nil {
		return fmt.Errorf("%s: %w", servers.EnvDatabase, err)
	}

	client := redis.NewClient(s.servers.Redis())
	s.onClose(func(context.Context) error { return client.Close() })
	plugin := rediscache.New(rediscache.Config{
		Redis:      client,
		Namespace:  cfg.namespace,
		Timeout:    cfg.cacheTimeout,
		Recorder:   s.counters,
		Registerer: s.registry,
		Logger:     s.servers.Logger(log),
	})
	s.onClose(plugin.Close) // before the client and the pool are closed
	return s.db.Use(plugin)
}

// migrate makes the tables. An application whose instances start together leaves that to a job of its deployment.
func (s *storage) migrate(ctx context.Context) error {
	db := s.db.WithContext(ctx)
	if err := db.AutoMigrate(&User{}, &Product{}, &Order{}, &Item{}); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if !s.servers.EmbeddedDatabase() {
		return nil
	}
	return errors.Join(
		db.Create(&User{UserFields: UserFields{Name: "Ada", Email: "ada@example.com"}}).Error,
		db.Create(&Product{ProductFields: ProductFields{Name: "Engine", Cents: 1999, Stock: 10}}).Error,
	)
}

func (s *storage) onClose(f func(context.Context) error) { s.closers = append(s.closers, f) }

// close closes everything, the last first. The plugin tells Redis what is still to be told, for as long as grace.
func (s *storage) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	var errs []error
	for _, f := range slices.Backward(s.closers) {
		errs = append(errs, f(ctx))
	}
	return errors.Join(errs...)
}
