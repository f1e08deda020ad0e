// Package plugins tests rediscache side by side with other plugins and libraries of GORM's, on real PostgreSQL and
// Redis. It is a module of its own, so that applications do not get what only its tests need.
package plugins_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// world is a private database schema and a private Redis namespace.
type world struct {
	t         *testing.T
	dsn       string
	redis     *redis.Client
	namespace string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	client, namespace := testkit.Redis(t)
	return &world{t: t, dsn: testkit.Postgres(t), redis: client, namespace: namespace}
}

// handle is a GORM handle, with the statements that reach its database and what its plugin reports.
type handle struct {
	*gorm.DB
	sql *statements
	log *events
}

// plain opens a handle without rediscache.
func (w *world) plain(more ...gorm.Plugin) *handle {
	w.t.Helper()
	conn, err := pgx.ParseConfig(w.dsn)
	require.NoError(w.t, err)
	h := &handle{sql: &statements{}, log: &events{}}
	conn.Tracer = h.sql
	pool := stdlib.OpenDB(*conn)
	w.t.Cleanup(func() { _ = pool.Close() })
	h.DB, err = gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{Logger: logger.Discard})
	require.NoError(w.t, err)
	h.use(w.t, more...)
	return h
}

func (h *handle) use(t testing.TB, plugins ...gorm.Plugin) {
	t.Helper()
	for _, p := range plugins {
		require.NoError(t, h.Use(p))
	}
}

// cached opens a handle with rediscache, before the other plugins or after them.
func (w *world) cached(order order, more ...gorm.Plugin) *handle {
	w.t.Helper()
	h := w.plain()
	if order == rediscacheLast {
		h.use(w.t, more...)
	}
	plugin := rediscache.New(rediscache.Config{
		Redis: w.redis, Namespace: w.namespace, Recorder: h.log, Timeout: 20 * time.Second, LearnTimeout: 20 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
	})
	h.use(w.t, plugin)
	if order == rediscacheFirst {
		h.use(w.t, more...)
	}
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = plugin.Close(ctx)
	})
	return h
}

// order is that of registration.
type order string

const (
	rediscacheFirst order = "rediscache first"
	rediscacheLast  order = "rediscache last"
)

// eachOrder runs a test with each.
func eachOrder(t *testing.T, test func(t *testing.T, o order)) {
	t.Helper()
	for _, o := range []order{rediscacheFirst, rediscacheLast} {
		t.Run(string(o), func(t *testing.T) {
			test(t, o)
		})
	}
}

// statements remembers what reaches the database, as the driver sees it.
type statements struct {
	mu  sync.Mutex
	all []string
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.Contains(d.SQL, "pg_catalog") && !strings.HasPrefix(d.SQL, "-- ping") { // rediscache's own, the pool's own
		s.all = append(s.all, d.SQL)
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// during returns the statements that a function sends.
func (s *statements) during(f func()) []string {
	s.mu.Lock()
	before := len(s.all)
	s.mu.Unlock()
	f()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[before:]
}

// events remembers what rediscache reports.
type events struct {
	metrics.Nop
	mu    sync.Mutex
	reads []metrics.ReadEvent
}

func (e *events) Read(r metrics.ReadEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reads = append(e.reads, r)
}

// during returns what was read while a function ran.
func (e *events) during(f func()) []metrics.ReadEvent {
	e.mu.Lock()
	e.reads = nil
	e.mu.Unlock()
	f()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.reads
}

// hits reports whether a function reads, and is answered from Redis alone.
func (h *handle) hits(f func()) bool {
	reads := h.log.during(f)
	for _, r := range reads {
		if r.Outcome != metrics.Hit || r.Found < r.Entries {
			return false
		}
	}
	return len(reads) > 0
}

// agrees checks that a read gives the same without rediscache, when its answer is not cached, and when it is, and that
// the last one asks the database nothing.
func agrees(t testing.TB, plain, cached *handle, read func(*gorm.DB) any) {
	t.Helper()
	want := read(plain.DB)
	defer func() {
		if t.Failed() {
			t.Logf("reads: %+v", cached.log.during(func() { read(cached.DB) }))
		}
	}()
	testkit.Eventually(t, "the answer is cached", func() bool {
		return cached.hits(func() { require.Equal(t, want, read(cached.DB)) })
	})
	sent := cached.sql.during(func() {
		require.True(t, cached.hits(func() { require.Equal(t, want, read(cached.DB)) }))
	})
	require.Empty(t, sent)
}

// changes checks that a write changes what is read, and that all see it at once, who had the answer cached.
func changes(t testing.TB, plain *handle, cached []*handle, read func(*gorm.DB) any, write func() error) {
	t.Helper()
	for _, h := range cached {
		agrees(t, plain, h, read)
	}
	before := read(plain.DB)
	require.NoError(t, write())
	after := read(plain.DB)
	require.NotEqual(t, before, after, "the write changes nothing")
	for _, h := range cached {
		require.Equal(t, after, read(h.DB))
	}
	for _, h := range cached {
		agrees(t, plain, h, read)
	}
}
