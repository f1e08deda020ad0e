package world

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// Limits of a handle's pools: the same for every handle.
const (
	// SQLConnections is how many connections to PostgreSQL a handle has, and keeps.
	SQLConnections = 16
	// RedisConnections is how many connections to Redis a handle has.
	RedisConnections = 32
	// Timeout is that of the plugin: longer than its default, as the machine is busy on purpose.
	Timeout = time.Second
)

// A Handle is a GORM handle that counts what it sends.
type Handle struct {
	*gorm.DB
	// SQL counts statements, Redis commands.
	SQL   *Statements
	Redis *Commands
}

// Plain opens a handle without the plugin.
func (w *World) Plain() (*Handle, error) {
	conn, err := pgx.ParseConfig(w.dsn)
	if err != nil {
		return nil, err
	}
	h := &Handle{SQL: &Statements{}, Redis: &Commands{}}
	conn.Tracer = h.SQL
	pool := stdlib.OpenDB(*conn)
	pool.SetMaxOpenConns(SQLConnections)
	pool.SetMaxIdleConns(SQLConnections)
	w.onClose(func(context.Context) error { return pool.Close() })
	h.DB, err = gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{Logger: logger.Discard})
	return h, err
}

// Client opens a client of Redis, whose commands are counted.
func (w *World) Client(counter *Commands) *redis.Client {
	opt := *w.redis
	opt.PoolSize = RedisConnections
	counter.count(&opt)
	client := redis.NewClient(&opt)
	w.onClose(func(context.Context) error { return client.Close() })
	return client
}

// Prefix is the beginning of the names of keys that the world removes when it is closed.
func (w *World) Prefix(name string) string { return w.namespace + "." + name }

// Cached opens a handle with the plugin, and with nothing in its cache unless the name was used before. The recorder
// may be nil.
func (w *World) Cached(name string, recorder metrics.Recorder) (*Handle, error) {
	h, err := w.Plain()
	if err != nil {
		return nil, err
	}
	plugin := w.plugin(name, w.Client(h.Redis), recorder)
	if err := h.Use(plugin); err != nil {
		return nil, err
	}
	w.onClose(plugin.Close)
	return h, nil
}

// Use gives a handle that is not the world's a plugin, which the caller closes.
func (w *World) Use(db *gorm.DB, client *redis.Client) (*rediscache.Plugin, error) {
	plugin := w.plugin("other", client, nil)
	return plugin, db.Use(plugin)
}

func (w *World) plugin(name string, client *redis.Client, recorder metrics.Recorder) *rediscache.Plugin {
	return rediscache.New(rediscache.Config{
		Redis: client, Namespace: w.Prefix(name), Recorder: recorder, Timeout: Timeout,
		Logger: slog.New(slog.DiscardHandler),
	})
}

// Away opens a handle with the plugin whose Redis is not there.
func (w *World) Away(policy rediscache.Outage) (*Handle, error) {
	h, err := w.Plain()
	if err != nil {
		return nil, err
	}
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	w.onClose(func(context.Context) error { return client.Close() })
	plugin := rediscache.New(rediscache.Config{
		Redis: client, Namespace: w.Prefix("away"), OnOutage: policy, Logger: slog.New(slog.DiscardHandler),
	})
	if err := h.Use(plugin); err != nil {
		return nil, err
	}
	w.onClose(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		_ = plugin.Close(ctx) // what Redis was not told of remains untold
		return nil
	})
	return h, nil
}
