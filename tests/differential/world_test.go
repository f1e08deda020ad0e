package differential_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// A world is a schema, with handles for every setting: some without the plugin, some with it.
type world struct {
	t      testing.TB
	dsn    string
	config rediscache.Config
	plain  map[setting]*gorm.DB
	cached map[setting]*gorm.DB
	reads  reads
	// resetting is called before and after the rows are put back.
	resetting func(bool)
}

func newWorld(t testing.TB, wrap func(store.Store) store.Store) *world {
	t.Helper()
	client, namespace := testkit.Redis(t)
	w := &world{
		t: t, dsn: testkit.Postgres(t), plain: map[setting]*gorm.DB{}, cached: map[setting]*gorm.DB{}, resetting: func(bool) {},
	}
	w.config = rediscache.Config{
		Redis: client, Namespace: namespace, Recorder: &w.reads, Timeout: 20 * time.Second, LearnTimeout: 20 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
	}
	if wrap != nil {
		inner, err := redisstore.New(client, redisstore.Options{Timeout: 5 * time.Second})
		require.NoError(t, err)
		w.config.Redis, w.config.Store = nil, wrap(inner)
	}
	create(t, w.open(setting{}))
	return w
}

// open opens a handle.
func (w *world) open(s setting) *gorm.DB {
	dsn := w.dsn
	if s.Zone != "" {
		dsn += "&timezone=" + s.Zone
	}
	db, err := gorm.Open(postgres.New(postgres.Config{DSN: dsn, PreferSimpleProtocol: s.Simple}), &gorm.Config{
		Logger: logger.Discard, PrepareStmt: s.Prepare, SkipDefaultTransaction: s.Skip, QueryFields: s.Fields,
		TranslateError: s.Translate, CreateBatchSize: s.Batch,
		NowFunc: func() time.Time { return time.Date(2025, 6, 7, 8, 9, 10, 0, time.UTC) },
	})
	require.NoError(w.t, err)
	require.NoError(w.t, db.SetupJoinTable(&person{}, "Clubs", &membership{}))
	require.NoError(w.t, db.SetupJoinTable(&club{}, "People", &membership{}))
	pool, err := db.DB()
	require.NoError(w.t, err)
	pool.SetMaxOpenConns(2)
	w.t.Cleanup(func() { _ = pool.Close() })
	return db
}

func (w *world) without(s setting) *gorm.DB {
	if w.plain[s] == nil {
		w.plain[s] = w.open(s)
	}
	return w.plain[s]
}

func (w *world) with(s setting) *gorm.DB {
	if w.cached[s] == nil {
		db := w.open(s)
		plugin := rediscache.New(w.config)
		require.NoError(w.t, db.Use(plugin))
		w.t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = plugin.Close(ctx)
		})
		w.cached[s] = db
	}
	return w.cached[s]
}

// reads counts what the cached handles were asked.
type reads struct {
	metrics.Nop
	hits, misses, bypasses atomic.Int64
	mu                     sync.Mutex
	reasons                map[metrics.Reason]int
}

// Read implements metrics.Recorder.
func (r *reads) Read(e metrics.ReadEvent) {
	switch e.Outcome {
	case metrics.Hit:
		r.hits.Add(1)
	case metrics.Miss:
		r.misses.Add(1)
	case metrics.Bypass:
		r.bypasses.Add(1)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.reasons == nil {
			r.reasons = map[metrics.Reason]int{}
		}
		r.reasons[e.Reason]++
	}
}

// A run is all that a program showed, and left behind.
type run struct {
	steps []string
	left  string
}

// reset gives the tables their rows again. The cache is told.
func (w *world) reset() {
	w.resetting(true)
	defer w.resetting(false)
	require.NoError(w.t, w.with(setting{Simple: true}).Exec(rows).Error)
}

// differ runs a program three times, and says in what the runs differ; nothing, if they agree.
func (w *world) differ(p program) string {
	plain := w.run(p, w.without(p.set), false)
	for _, warm := range []bool{false, true} {
		name := map[bool]string{false: "a cold cache", true: "a warm cache"}[warm]
		if d := plain.differ(w.run(p, w.with(p.set), warm)); d != "" {
			return fmt.Sprintf("With %s this program is another one:\n\n%s\n%s", name, p, d)
		}
	}
	return ""
}

// run runs a program. With a warm cache, all that it reads was read before, and each read is done three times.
func (w *world) run(p program, db *gorm.DB, warm bool) (r run) {
	w.reset()
	ctx := w.t.Context()
	if warm {
		for _, s := range p.steps {
			if s.reads() {
				_ = s.observe(ctx, db)
			}
		}
	}
	for _, s := range p.steps {
		seen := s.observe(ctx, db).String()
		for i := 0; i < 2 && warm && s.reads(); i++ {
			if again := s.observe(ctx, db).String(); again != seen {
				seen += "\n… and then\n" + again
			}
		}
		r.steps = append(r.steps, seen)
	}
	r.left = w.left()
	return r
}

// left returns all rows, as the database prints them.
func (w *world) left() string {
	var b strings.Builder
	for _, table := range tables() {
		var rows []string
		require.NoError(w.t, w.without(setting{}).Raw("SELECT t::text FROM "+table+" t ORDER BY 1").Scan(&rows).Error)
		fmt.Fprintf(&b, "%s:\n  %s\n", table, strings.Join(rows, "\n  "))
	}
	return b.String()
}

// differ says where another run is not the same.
func (r run) differ(other run) string {
	for i := range r.steps {
		if r.steps[i] != other.steps[i] {
			return fmt.Sprintf("step %d without the plugin:\n%s\nwith it:\n%s", i+1, r.steps[i], other.steps[i])
		}
	}
	if r.left != other.left {
		return fmt.Sprintf("it leaves without the plugin:\n%s\nwith it:\n%s", r.left, other.left)
	}
	return ""
}
