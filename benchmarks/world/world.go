// Package world opens what is measured: a private PostgreSQL database, a private Redis namespace, and GORM handles on both,
// with the plugin and without it. The servers are those that the tests use. It is a database, and not only a schema, as the
// plugin knows tables by their bare names: a table of the same name in another schema would count.
package world

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// A World is a database and a namespace that nobody else uses. Close removes both.
type World struct {
	dsn       string
	redis     *redis.Options
	namespace string
	admin     *sql.DB
	client    *redis.Client
	closers   []func(context.Context) error
}

// Open makes a world on the servers that REDISCACHE_TEST_POSTGRES and REDISCACHE_TEST_REDIS name, or those on localhost.
func Open(ctx context.Context) (*World, error) {
	w := &World{namespace: fmt.Sprintf("bench-%x", time.Now().UnixNano())}
	if err := w.openPostgres(ctx, envOr(testkit.EnvPostgres, testkit.LocalPostgres)); err != nil {
		return nil, errors.Join(fmt.Errorf("PostgreSQL: %w", err), w.Close(ctx))
	}
	if err := w.openRedis(ctx, envOr(testkit.EnvRedis, testkit.LocalRedis)); err != nil {
		return nil, errors.Join(fmt.Errorf("redis: %w", err), w.Close(ctx))
	}
	return w, nil
}

// DSN is that of the database.
func (w *World) DSN() string { return w.dsn }

func envOr(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}

func (w *World) onClose(f func(context.Context) error) { w.closers = append(w.closers, f) }

// Close removes everything that was made, last things first.
func (w *World) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var errs []error
	for _, closer := range slices.Backward(w.closers) {
		errs = append(errs, closer(ctx))
	}
	w.closers = nil
	return errors.Join(errs...)
}

func (w *World) openPostgres(ctx context.Context, server string) error {
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	w.admin = admin
	w.onClose(func(context.Context) error { return admin.Close() })
	name := fmt.Sprintf("bench_%x", time.Now().UnixNano())
	if _, err := admin.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
		return err
	}
	w.onClose(func(ctx context.Context) error {
		_, err := admin.ExecContext(ctx, `DROP DATABASE `+name+` WITH (FORCE)`)
		return err
	})
	u, err := url.Parse(server)
	if err != nil {
		return err
	}
	u.Path = "/" + name
	w.dsn = u.String()
	return nil
}

func (w *World) openRedis(ctx context.Context, server string) error {
	opt, err := redis.ParseURL(server)
	if err != nil {
		return err
	}
	w.redis = opt
	client := redis.NewClient(opt)
	w.client = client
	w.onClose(func(context.Context) error { return client.Close() })
	if err := client.Ping(ctx).Err(); err != nil {
		return err
	}
	w.onClose(func(ctx context.Context) error { return w.empty(ctx, w.namespace) })
	return nil
}

// empty removes every key whose name begins so.
func (w *World) empty(ctx context.Context, prefix string) error {
	var cursor uint64
	for {
		keys, next, err := w.client.Scan(ctx, cursor, prefix+"*", 5000).Result()
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			if err := w.client.Unlink(ctx, keys...).Err(); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// Empty removes what was cached under a name.
func (w *World) Empty(ctx context.Context, name string) error { return w.empty(ctx, w.Prefix(name)) }

// Versions says what servers these are.
func (w *World) Versions(ctx context.Context) (postgres, redis string, err error) {
	if err := w.admin.QueryRowContext(ctx, `SHOW server_version`).Scan(&postgres); err != nil {
		return "", "", err
	}
	info, err := w.client.InfoMap(ctx, "server").Result()
	if err != nil {
		return "", "", err
	}
	return postgres, info["Server"]["redis_version"], nil
}

// Distant returns a view of the world whose servers' answers take a time longer. It lives as long as the world, and is
// not closed by itself.
func (w *World) Distant(more time.Duration) (*World, error) {
	u, err := url.Parse(w.dsn)
	if err != nil {
		return nil, err
	}
	far := *w
	if u.Host, err = w.delay(withPort(u.Host, "5432"), more); err != nil {
		return nil, err
	}
	far.dsn = u.String()
	opt := *w.redis
	if opt.Addr, err = w.delay(opt.Addr, more); err != nil {
		return nil, err
	}
	far.redis = &opt
	far.namespace = w.namespace + "-far"
	far.closers = nil
	w.onClose(far.Close) // before the proxies are
	return &far, nil
}

func withPort(host, port string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(host, port)
}
