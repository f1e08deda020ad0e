// Package soundness_test draws queries and writes, and demands of every pair: if the write changed the query's answer, the
// stored one is not served. The reverse is counted: how often an answer was dropped although it had not changed.
package soundness_test

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// A world is a database, with handles as several processes have them.
type world struct {
	t   testing.TB
	dsn string
	cfg rediscache.Config
	// plain has no plugin.
	plain *handle
	// readers have the same models. The first one writes, too.
	readers []*handle
	writers []writer
	// redefined is set when the schema is no longer what it was.
	redefined bool
	// resetting is called before and after the rows are put back.
	resetting func(bool)
}

// A handle is a GORM handle, with what reaches its database and what its plugin reports.
type handle struct {
	*gorm.DB
	sql *statements
	log *events
}

// A writer is a handle that writes, in one of the settings that change how GORM does it.
type writer struct {
	name string
	*handle
	// stranger is set if the process has other models.
	stranger bool
}

func newWorld(t testing.TB, wrap func(store.Store) store.Store) *world {
	t.Helper()
	client, namespace := testkit.Redis(t)
	w := &world{t: t, dsn: testkit.PostgresDatabase(t) + "&search_path=public,types", resetting: func(bool) {}, redefined: true}
	// Deadlines that a loaded machine keeps.
	w.cfg = rediscache.Config{
		Redis: client, Namespace: namespace, Timeout: 20 * time.Second, LearnTimeout: 20 * time.Second, Logger: slog.New(slog.DiscardHandler),
	}
	if wrap != nil {
		inner, err := redisstore.New(client, redisstore.Options{Timeout: 20 * time.Second})
		require.NoError(t, err)
		w.cfg.Redis, w.cfg.Store = nil, wrap(inner)
	}
	w.plain = w.open(false, &gorm.Config{})
	require.NoError(t, w.plain.Exec(types).Error)
	w.readers = []*handle{w.cached(false, &gorm.Config{}), w.cached(false, &gorm.Config{})}
	here := w.readers[0]
	other := w.cached(false, &gorm.Config{})
	direct := w.cached(true, &gorm.Config{SkipDefaultTransaction: true})
	w.writers = []writer{
		{name: "the reader itself", handle: here},
		{name: "the reader itself, no default transaction", handle: here.session(&gorm.Session{SkipDefaultTransaction: true})},
		{name: "the reader itself, prepared", handle: here.session(&gorm.Session{PrepareStmt: true})},
		{name: "another process", handle: other, stranger: true},
		{name: "another process, simple protocol, no default transaction", handle: direct, stranger: true},
	}
	w.reset()
	return w
}

// open opens a handle without the plugin.
func (w *world) open(simple bool, cfg *gorm.Config) *handle {
	w.t.Helper()
	h := &handle{sql: &statements{}, log: newEvents()}
	c, err := pgx.ParseConfig(w.dsn)
	require.NoError(w.t, err)
	c.Tracer = h.sql
	pool := stdlib.OpenDB(*c)
	pool.SetMaxOpenConns(4)
	w.t.Cleanup(func() { _ = pool.Close() })
	cfg.Logger = logger.Discard
	cfg.NowFunc = func() time.Time { return time.Date(2025, 6, 7, 8, 9, 10, 0, time.UTC) }
	h.DB, err = gorm.Open(postgres.New(postgres.Config{Conn: pool, PreferSimpleProtocol: simple}), cfg)
	require.NoError(w.t, err)
	return h
}

// cached opens a handle with a plugin of its own.
func (w *world) cached(simple bool, cfg *gorm.Config) *handle {
	w.t.Helper()
	h := w.open(simple, cfg)
	c := w.cfg
	c.Recorder = h.log
	plugin := rediscache.New(c)
	require.NoError(w.t, h.Use(plugin))
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = plugin.Close(ctx)
	})
	return h
}

func (h *handle) session(s *gorm.Session) *handle {
	return &handle{DB: h.Session(s), sql: h.sql, log: h.log}
}

// reset gives the tables their rows again. The cache is told.
func (w *world) reset() {
	w.t.Helper()
	w.resetting(true)
	defer w.resetting(false)
	if w.redefined {
		require.NoError(w.t, w.readers[0].Exec(schema).Error)
	}
	require.NoError(w.t, w.readers[0].Exec(rows).Error)
	w.redefined = false
}

// statements remembers what reaches the database, as the driver sees it.
type statements struct {
	mu  sync.Mutex
	all []string
}

var _ pgx.QueryTracer = (*statements)(nil)

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := d.SQL
	var args []string
	for _, arg := range d.Args {
		switch arg.(type) {
		case pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
		default:
			args = append(args, fmt.Sprintf("%#v", deref(arg)))
		}
	}
	if len(args) > 0 {
		line += " -- " + strings.Join(args, ", ")
	}
	if !strings.HasPrefix(line, "-- ") { // the catalog's
		s.all = append(s.all, line)
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// during returns what a function sends.
func (s *statements) during(f func()) string {
	s.mu.Lock()
	s.all = nil
	s.mu.Unlock()
	f()
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.all, "\n    ")
}

// deref returns what a pointer points to.
func deref(arg any) any {
	if v := reflect.ValueOf(arg); v.Kind() == reflect.Pointer && !v.IsNil() {
		return v.Elem().Interface()
	}
	return arg
}
