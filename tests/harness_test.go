// Package tests tests the plugin as an application meets it: through GORM, on real databases and Redis. One behavior
// a file.
package tests_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/stores"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// world is a private database schema and a private Redis namespace, with handles on both. Each handle that is cached
// has a plugin of its own, as another process has.
type world struct {
	t         *testing.T
	dialect   *dialect
	dsn       string
	redis     redis.UniversalClient // of one server, or of a Cluster
	namespace string
	// store is what the cache is kept in, if not in Redis by redisstore.
	store store.Store
	// outage is what writes do that cannot be announced.
	outage rediscache.Outage
	// old is set by tests that may leave old answers in Redis: in which somebody writes of whom the cache is not told.
	old bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, onPostgres())
}

// handle is a GORM handle, with the statements that reach its database and what its plugin reports.
type handle struct {
	*gorm.DB
	sql    *statements
	plugin *rediscache.Plugin // nil: none
	log    *events
	asked  asked
}

type option func(*gorm.Config, *rediscache.Config)

// withGORM changes the configuration of GORM.
func withGORM(f func(*gorm.Config)) option {
	return func(c *gorm.Config, _ *rediscache.Config) { f(c) }
}

// withPlugin changes the configuration of the plugin.
func withPlugin(f func(*rediscache.Config)) option {
	return func(_ *gorm.Config, c *rediscache.Config) { f(c) }
}

// plain opens a handle without the plugin.
func (w *world) plain(options ...option) *handle {
	w.t.Helper()
	cfg := &gorm.Config{Logger: logger.Discard}
	for _, o := range options {
		o(cfg, &rediscache.Config{})
	}
	h := &handle{sql: &statements{}, log: &events{}}
	dialector, pool, err := w.dialect.open(w.dsn, h.sql)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = pool.Close() })
	h.DB, err = gorm.Open(dialector, cfg)
	require.NoError(w.t, err)
	return h
}

// cached opens a handle with a plugin of its own.
func (w *world) cached(options ...option) *handle {
	w.t.Helper()
	h := w.plain(options...)
	w.use(h, options...)
	return h
}

// use gives a handle a plugin.
func (w *world) use(h *handle, options ...option) {
	w.t.Helper()
	// Deadlines that a loaded machine keeps; those of the defaults have tests of their own.
	cfg := rediscache.Config{
		Redis: w.redis, Namespace: w.namespace, Recorder: h.log, Timeout: 5 * time.Second, LearnTimeout: patience,
		Logger: slog.New(slog.DiscardHandler), OnOutage: w.outage,
	}
	if w.store != nil {
		cfg.Redis, cfg.Store = nil, w.store
	}
	for _, o := range options {
		o(&gorm.Config{}, &cfg)
	}
	h.plugin = rediscache.New(cfg)
	require.NoError(w.t, h.Use(h.plugin))
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = h.plugin.Close(ctx)
	})
	require.NoError(w.t, h.asked.remember(h.DB))
	w.t.Cleanup(func() {
		if !w.t.Failed() && !w.old {
			require.Empty(w.t, h.quiescent(), "when nothing is under way, Redis and the database must agree")
		}
	})
}

// inner returns a store for a handle that stands between it and its steps.
func (w *world) inner() store.Store {
	w.t.Helper()
	if w.store != nil {
		return w.store
	}
	return stores.Open(w.t, w.redis, patience)
}

// patience is how long a step may take that a test holds up.
const patience = 20 * time.Second

// migrate creates the tables of models, without the plugin, and returns the handle that it used.
func (w *world) migrate(models ...any) *handle {
	w.t.Helper()
	h := w.plain()
	require.NoError(w.t, h.AutoMigrate(models...))
	return h
}

// statements counts what reaches the database, as the driver sees it.
type statements struct {
	mu  sync.Mutex
	all []string
	// catalog counts those that read the catalog, the plugin's and the application's.
	catalog atomic.Int64
	defect  atomic.Bool // each statement makes the driver panic
	// before runs before a statement is sent (MySQL, SQLite).
	before atomic.Pointer[func(text string)]
}

var _ pgx.QueryTracer = (*statements)(nil)

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.add(d.SQL)
	if s.defect.Load() {
		panic("defect in the driver")
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

// events remembers what a plugin reports.
type events struct {
	metrics.Nop
	mu     sync.Mutex
	reads  []metrics.ReadEvent
	writes []metrics.WriteEvent
	// corrupt is how many entries did not decode.
	corrupt int
	panics  atomic.Int32
}

func (e *events) Read(r metrics.ReadEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reads = append(e.reads, r)
}

func (e *events) Write(w metrics.WriteEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writes = append(e.writes, w)
}

// read returns the event of the one statement that a function reads with.
func (e *events) read(t testing.TB, f func()) metrics.ReadEvent {
	t.Helper()
	e.mu.Lock()
	e.reads = nil
	e.mu.Unlock()
	f()
	e.mu.Lock()
	defer e.mu.Unlock()
	require.Len(t, e.reads, 1)
	return e.reads[0]
}

// wrote returns the tags of the writes that a function makes.
func (e *events) wrote(f func()) []metrics.WriteEvent {
	e.mu.Lock()
	e.writes = nil
	e.mu.Unlock()
	f()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.writes
}

// digestOf is how a text stands in the name of a key.
func digestOf(text string) string { return string(keying.NewFingerprint(text).Query()) }

// warm runs a read until its answer comes from Redis, so that what is served afterwards is what was stored.
func (h *handle) warm(t testing.TB, read func(*gorm.DB)) {
	t.Helper()
	cached := false
	defer func() {
		if !cached {
			var why rediscache.Explanation
			read(h.Clauses(rediscache.Explain(&why)))
			t.Logf("reads: %+v\n%s", h.log.reads, why)
		}
	}()
	testkit.Eventually(t, "the answer is cached", func() bool {
		h.log.mu.Lock()
		h.log.reads = nil
		h.log.mu.Unlock()
		read(h.DB)
		h.log.mu.Lock()
		defer h.log.mu.Unlock()
		for _, r := range h.log.reads {
			if r.Outcome != metrics.Hit || r.Found < r.Entries {
				return false
			}
		}
		return len(h.log.reads) > 0
	})
	cached = true
}
