package tests_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// figures are metrics, by name.
type figures map[string]float64

// require checks that the metrics of a registry are these, if need be after a while: answers are stored in the background.
func (f figures) require(t *testing.T, reg prometheus.Gatherer) {
	t.Helper()
	var got map[string]float64
	agree := func() bool {
		got = testkit.Metrics(t, reg)
		for name, want := range f {
			if v, ok := got[name]; !ok || v != want {
				return false
			}
		}
		return true
	}
	deadline := time.Now().Add(10 * time.Second)
	for !agree() && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	for name, want := range f {
		require.Contains(t, got, name)
		require.InDelta(t, want, got[name], 0, name)
	}
}

// measured opens a handle on a Redis server of its own, with metrics.
func (w *world) measured(server *testkit.RedisServer, options ...option) (*handle, *prometheus.Registry) {
	w.t.Helper()
	reg := prometheus.NewPedanticRegistry()
	options = append([]option{withPlugin(func(c *rediscache.Config) { c.Redis, c.Registerer = server.Client(), reg })}, options...)
	return w.cached(options...), reg
}

func TestMetricsAreWhatWasDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(9)
	h, reg := w.measured(testkit.StartRedis(t))
	first := func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) }
	all := func(db *gorm.DB) { require.NoError(t, db.Order("name").Find(&[]member{}).Error) }

	first(h.DB)
	all(h.DB)
	figures{
		"reads_total{kind=row,outcome=miss,table=members}":   1,
		"reads_total{kind=list,outcome=miss,table=members}":  1,
		"fills_total{kind=row,result=stored,table=members}":  1,
		"fills_total{kind=list,result=stored,table=members}": 1,
		"fills_in_flight": 0,
	}.require(t, reg)
	for range 3 {
		first(h.DB)
	}
	all(h.DB)
	require.NoError(t, h.Find(&[]member{}, []int{1, 2, 3}).Error)
	first(h.Clauses(rediscache.Bypass))
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error { first(tx); all(tx); return nil }))
	figures{
		"reads_total{kind=row,outcome=hit,table=members}":     3,
		"reads_total{kind=row,outcome=miss,table=members}":    2,
		"reads_total{kind=list,outcome=hit,table=members}":    1,
		"reads_total{kind=row,outcome=bypass,table=members}":  2,
		"reads_total{kind=list,outcome=bypass,table=members}": 1,
		"bypasses_total{reason=control,table=members}":        1,
		"bypasses_total{reason=transaction,table=members}":    2,
		"read_entries_total{source=redis}":                    5,
		"read_entries_total{source=database}":                 4,
		"fills_total{kind=row,result=stored,table=members}":   3,
		"read_duration_seconds{outcome=hit}":                  4,
		"read_duration_seconds{outcome=miss}":                 3,
	}.require(t, reg)

	require.NoError(t, h.Model(&member{ID: 1}).Update("age", 1).Error)
	require.NoError(t, h.Create(&member{Name: "new"}).Error)
	require.NoError(t, h.Exec("UPDATE members SET age = age + 1").Error)
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Delete(&member{}, 2).Error)
		return tx.Delete(&member{}, 3).Error
	}))
	require.Error(t, h.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Delete(&member{}, 4).Error)
		return gorm.ErrInvalidTransaction
	}))
	figures{
		"writes_total{outcome=committed}":                          4,
		"writes_total{outcome=rolled_back}":                        0, // it had announced nothing
		"invalidations_total{cause=update,table=members,tag=row}":  1,
		"invalidations_total{cause=update,table=members,tag=list}": 1,
		"invalidations_total{cause=create,table=members,tag=row}":  1,
		"invalidations_total{cause=create,table=members,tag=list}": 1,
		"invalidations_total{cause=raw,table=members,tag=bulk}":    1,
		"invalidations_total{cause=delete,table=members,tag=row}":  2,
		"invalidations_total{cause=delete,table=members,tag=list}": 1,
		"write_step_duration_seconds{step=intent}":                 4,
		"write_step_duration_seconds{step=release}":                4,
		"unannounced_writes_total":                                 0,
		"errors_total{kind=connection}":                            0,
		"breaker_open":                                             0,
		"journal_writes":                                           0,
		"journal_age_seconds":                                      0,
	}.require(t, reg)

	got := testkit.Metrics(t, reg)
	require.Positive(t, got["plans"])
	require.Positive(t, got["fill_bytes_total{table=members}"])
	require.Positive(t, got["pool_connections{state=idle}"])
	require.Positive(t, got["pool_requests_total{result=hit}"])
	require.Positive(t, got["redis_memory_used_bytes"])
	require.Contains(t, got, "redis_evicted_keys_total")
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
}

// All keys of the server are the cache's: what is estimated is what there is.
func TestMetricsOfRedisAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(9)
	server := testkit.StartRedis(t)
	w.cached(on(server.Client())).warm(t, func(db *gorm.DB) { require.NoError(t, db.Find(&[]member{}, []int{1, 2, 3}).Error) })
	_, reg := w.measured(server)
	keys, err := server.Client().DBSize(t.Context()).Result()
	require.NoError(t, err)
	require.Positive(t, keys)
	got := testkit.Metrics(t, reg)
	// Introducing itself, a plugin may mint a token that it has not found.
	require.InDelta(t, float64(keys), got["redis_keys"], 0)
	require.InDelta(t, float64(keys), got["namespace_keys"], 0)
	require.Greater(t, got["namespace_memory_bytes"], 50*float64(keys))
	require.Less(t, got["namespace_memory_bytes"], got["redis_memory_used_bytes"])
}

func TestMetricsTellThatRedisIsAwayAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(9)
	server := testkit.StartRedis(t)
	h, reg := w.measured(server, on(server.Client()))
	first := func() { require.NoError(t, h.First(&member{}, 1).Error) }
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	server.Kill()
	for range 6 {
		first()
	}
	require.NoError(t, h.Model(&member{ID: 1}).Update("age", 1).Error)
	first()
	figures{
		"breaker_open": 1, "breaker_openings_total": 1,
		"unannounced_writes_total": 1, "late_releases_total": 1, "journaled_writes_total": 1, "journal_writes": 1,
		"bypasses_total{reason=journal,table=members}": 1,
		"writes_total{outcome=committed}":              1,
	}.require(t, reg)
	got := testkit.Metrics(t, reg)
	require.GreaterOrEqual(t, got["errors_total{kind=connection}"]+got["errors_total{kind=timeout}"], 5.)
	require.GreaterOrEqual(t, got["bypasses_total{reason=store,table=members}"], 5.)
	require.Positive(t, got["journal_age_seconds"])
	server.Start()
	figures{"breaker_open": 0, "journal_writes": 0, "journal_age_seconds": 0, "journaled_writes_total": 1}.require(t, reg)
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
}

func TestMetricsGoWithTheirPlugin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	server := testkit.StartRedis(t)
	h, reg := w.measured(server)
	other := w.cached(on(server.Client()), withPlugin(func(c *rediscache.Config) { c.Registerer = reg }))
	for _, one := range []*handle{h, other} {
		require.NoError(t, one.Clauses(rediscache.Bypass).First(&member{}, 1).Error)
	}
	figures{"bypasses_total{reason=control,table=members}": 2}.require(t, reg)
	require.NoError(t, h.plugin.Close(t.Context()))
	figures{"bypasses_total{reason=control,table=members}": 2}.require(t, reg)
	require.NoError(t, other.plugin.Close(t.Context()))
	require.Empty(t, testkit.Metrics(t, reg))
}

func TestMetricsOfSomebodyElseUnderTheSameNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reg := prometheus.NewRegistry()
	reg.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "rediscache_plans", Help: "Something else."}))
	err := w.plain().Use(rediscache.New(rediscache.Config{Redis: w.redis, Namespace: w.namespace, Registerer: reg}))
	require.ErrorIs(t, err, rediscache.ErrConfig)
	require.ErrorContains(t, err, "Config.Registerer")
	require.ErrorContains(t, err, "rediscache_plans")
}

// A plugin that could not be used leaves nothing behind.
func TestMetricsOfAPluginThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reg := prometheus.NewRegistry()
	ring := redis.NewRing(&redis.RingOptions{})
	t.Cleanup(func() { _ = ring.Close() })
	plugin := rediscache.New(rediscache.Config{Redis: ring, Namespace: w.namespace, Registerer: reg})
	require.ErrorIs(t, w.plain().Use(plugin), rediscache.ErrConfig)
	require.Empty(t, testkit.Metrics(t, reg))
}

// text is a buffer that goroutines may share.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// At level Debug the log tells of what happens, and nothing of single queries above it.
func TestLogTellsOfQueriesAtDebugOnly(t *testing.T) {
	t.Parallel()
	for level, want := range map[slog.Level][]string{
		slog.LevelDebug: {
			"rediscache: miss", "rediscache: fill", "rediscache: hit", "rediscache: invalidation", "rediscache: bypass",
			"reason=control", "key=", ":row:members:1",
		},
		slog.LevelInfo: nil,
	} {
		t.Run(level.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(3)
			var log text
			h := w.cached(withPlugin(func(c *rediscache.Config) {
				c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
			}))
			h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
			require.NoError(t, h.Model(&member{ID: 1}).Update("age", 1).Error)
			require.NoError(t, h.Clauses(rediscache.Bypass).First(&member{}, 1).Error)
			for _, part := range want {
				testkit.Eventually(t, part, func() bool { return strings.Contains(log.String(), part) })
			}
			if want == nil {
				require.Equal(t, 1, strings.Count(log.String(), "\n"), log.String())
				require.Contains(t, log.String(), "rediscache: connected to Redis")
			}
		})
	}
}

// A scrape looks through no keys, and the next one asks for nothing.
func TestCommandsForAScrape(t *testing.T) { //nolint:paralleltest // what a loaded machine tries again would count
	w := newWorld(t)
	w.members(9)
	server := testkit.StartRedis(t)
	h, reg := w.measured(server)
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	// INFO, and MEMORY USAGE of the keys that are the cache's, are not in the list.
	require.Equal(t, "dbsize 1, randomkey 32", commandsOf(t, server, func() {
		for range 3 {
			require.Contains(t, testkit.Metrics(t, reg), "namespace_keys")
		}
	}))
}

// A write may return rows, however they are asked for.
func TestWriteThatReturnsRowsIsReportedAsAWriteAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	const text = "UPDATE members SET age = age + 1 WHERE id = 1 RETURNING age"
	for name, write := range map[string]func() error{
		"Row":  func() error { return h.Raw(text).Row().Scan(new(int)) },
		"Scan": func() error { return h.Raw(text).Scan(new(int)).Error },
		"Rows": func() error {
			rows, err := h.Raw(text).Rows()
			if err == nil {
				defer rows.Close()
				for rows.Next() {
				}
				err = rows.Err()
			}
			return err
		},
	} {
		h.log.mu.Lock()
		h.log.reads = nil
		h.log.mu.Unlock()
		written := h.log.wrote(func() { require.NoError(t, write(), name) })
		h.log.mu.Lock()
		require.Empty(t, h.log.reads, name)
		h.log.mu.Unlock()
		require.Len(t, written, 1, name)
	}
}
