package prom_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/metrics/prom"
)

// full is a source that answers every question.
func full(name string) prom.Source {
	return prom.Source{
		Gauges: func() metrics.Gauges {
			return metrics.Gauges{StoreOpen: true, Fills: 1, Plans: 2, Journal: 3, JournalAge: 4 * time.Second, InDoubt: 5, Outbox: 6, OutboxAge: 7 * time.Second}
		},
		Pool: func() metrics.Pool {
			return metrics.Pool{Total: 5, Idle: 3, Hits: 10, Misses: 2, Timeouts: 1, Stale: 4}
		},
		Server: func(context.Context) (metrics.Server, error) {
			return metrics.Server{Used: 100, Max: 200, Evicted: 7, Keys: 50, OwnKeys: 20, OwnBytes: 2000}, nil
		},
		Client: name, ServerName: name, Namespace: "rc", Timeout: 10 * time.Second,
	}
}

// happen reports one event of each kind.
func happen(r metrics.Recorder) {
	r.Read(metrics.ReadEvent{
		Table: "users", Kind: metrics.Row, Outcome: metrics.Hit, Entries: 3, Found: 3, Duration: time.Millisecond,
	})
	r.Read(metrics.ReadEvent{Table: "users", Kind: metrics.Row, Outcome: metrics.Miss, Entries: 3, Found: 2})
	r.Read(metrics.ReadEvent{Table: "users", Kind: metrics.Query, Outcome: metrics.Bypass, Reason: metrics.ReasonLock})
	r.Fill(metrics.FillEvent{Table: "users", Kind: metrics.Row, Result: metrics.Stored, Entries: 2, Bytes: 99})
	r.Fill(metrics.FillEvent{Table: "users", Kind: metrics.Row, Result: metrics.FillError, Entries: 1, Bytes: 50})
	r.Write(metrics.WriteEvent{
		Outcome: metrics.Committed, Announced: true, Released: true, Before: time.Millisecond, After: time.Millisecond,
		Tags:   []string{"row:users:1", "row:users:2", "list:users", "bulk:odd%20one", "bulk:odd%20one"},
		Causes: map[string]metrics.Cause{"users": metrics.CauseUpdate, "odd%20one": metrics.CauseDatabase},
	})
	r.Write(metrics.WriteEvent{Outcome: metrics.Committed, Journaled: true, Tags: []string{"all", "all"}})
	r.Write(metrics.WriteEvent{Outcome: metrics.InDoubt, Announced: true, Lapsed: true})
	r.Write(metrics.WriteEvent{Outcome: metrics.Refused, Tags: []string{"list:users"}})
	for _, s := range []metrics.StateEvent{
		{State: metrics.StoreOpen, On: true},
		{State: metrics.StoreOpen},
		{State: metrics.CorruptEntry, On: true},
		{State: metrics.Panicked, On: true},
		{State: metrics.StoreError, On: true, Error: metrics.ErrorMemory},
		{State: metrics.JournalOpen, On: true},
	} {
		r.State(s)
	}
}

// registered returns a registry with one plugin's metrics, and the plugin's part in them.
func registered(t *testing.T) (*prometheus.Registry, *prom.Handle) {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	h, err := prom.Register(reg)
	require.NoError(t, err)
	return reg, h
}

func TestMetricsAreClean(t *testing.T) {
	t.Parallel()
	reg, h := registered(t)
	h.Observe(full("a"))
	happen(h)
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestEventsAreCounted(t *testing.T) {
	t.Parallel()
	reg, h := registered(t)
	happen(h)
	got := testkit.Metrics(t, reg)
	for name, want := range map[string]float64{
		"reads_total{kind=row,outcome=hit,table=users}":              1,
		"reads_total{kind=row,outcome=miss,table=users}":             1,
		"reads_total{kind=query,outcome=bypass,table=users}":         1,
		"bypasses_total{reason=lock,table=users}":                    1,
		"read_entries_total{source=redis}":                           5,
		"read_entries_total{source=database}":                        1,
		"fills_total{kind=row,result=stored,table=users}":            2,
		"fills_total{kind=row,result=error,table=users}":             1,
		"fill_bytes_total{table=users}":                              99,
		"writes_total{outcome=committed}":                            2,
		"writes_total{outcome=in_doubt}":                             1,
		"writes_total{outcome=refused}":                              1,
		"writes_total{outcome=rolled_back}":                          0,
		"unannounced_writes_total":                                   1,
		"late_releases_total":                                        1,
		"lapsed_intents_total":                                       1,
		"journaled_writes_total":                                     1,
		"invalidations_total{cause=update,table=users,tag=row}":      2,
		"invalidations_total{cause=update,table=users,tag=list}":     1,
		"invalidations_total{cause=database,table=odd one,tag=bulk}": 1,
		"invalidations_total{cause=unknown,table=,tag=all}":          1,
		"corrupt_entries_total":                                      1,
		"panics_total":                                               1,
		"breaker_openings_total":                                     1,
		"errors_total{kind=memory}":                                  1,
		"errors_total{kind=timeout}":                                 0,
		"read_duration_seconds{outcome=hit}":                         1,
		"write_step_duration_seconds{step=intent}":                   3,
	} {
		require.Contains(t, got, name)
		require.InDelta(t, want, got[name], 0, name)
	}
}

// Whoever can make an application name ever new tables cannot make ever new series.
func TestTablesThatHaveSeriesOfTheirOwnAreBounded(t *testing.T) {
	t.Parallel()
	reg, h := registered(t)
	for i := range 1000 {
		table := fmt.Sprintf("t%d", i)
		h.Read(metrics.ReadEvent{Table: table, Kind: metrics.Row, Outcome: metrics.Hit})
		h.Read(metrics.ReadEvent{Table: table, Kind: metrics.Query, Outcome: metrics.Bypass, Reason: metrics.ReasonLock})
		h.Fill(metrics.FillEvent{Table: table, Kind: metrics.Row, Result: metrics.Stored, Entries: 1})
		h.Write(metrics.WriteEvent{Tags: []string{"list:" + table}})
	}
	tables := map[string]bool{}
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "table" {
					tables[l.GetValue()] = true
				}
			}
		}
	}
	require.Len(t, tables, 201)
	require.True(t, tables["other"])
	require.InDelta(t, 800, testkit.Metrics(t, reg)["reads_total{kind=row,outcome=hit,table=other}"], 0)
}

func TestWhatAPluginIsDoingIsAskedForAtAScrape(t *testing.T) {
	t.Parallel()
	reg, h := registered(t)
	h.Observe(full("a"))
	got := testkit.Metrics(t, reg)
	for name, want := range map[string]float64{
		"breaker_open": 1, "fills_in_flight": 1, "plans": 2, "journal_writes": 3, "journal_age_seconds": 4, "in_doubt_writes": 5,
		"outbox_rows": 6, "outbox_age_seconds": 7,
		"pool_connections{state=idle}": 3, "pool_connections{state=used}": 2, "pool_requests_total{result=hit}": 10,
		"pool_requests_total{result=miss}": 2, "pool_requests_total{result=timeout}": 1, "pool_stale_connections_total": 4,
		"redis_memory_used_bytes": 100, "redis_memory_max_bytes": 200, "redis_evicted_keys_total": 7, "redis_keys": 50,
		"namespace_keys": 20, "namespace_memory_bytes": 2000,
	} {
		require.Contains(t, got, name)
		require.InDelta(t, want, got[name], 0, name)
	}
}

// Plugins on one registerer share the metrics. Servers, and namespaces on them, that both of them see count once.
func TestPluginsShareTheMetricsOfARegisterer(t *testing.T) {
	t.Parallel()
	reg, first := registered(t)
	second, err := prom.Register(reg)
	require.NoError(t, err)
	third, err := prom.Register(reg)
	require.NoError(t, err)
	first.Observe(full("a"))
	second.Observe(full("a"))
	elsewhere := full("a")
	elsewhere.Namespace, elsewhere.Client = "shop", "another client of the same server"
	third.Observe(elsewhere)
	happen(first)
	happen(second)
	got := testkit.Metrics(t, reg)
	require.InDelta(t, 2, got["reads_total{kind=row,outcome=hit,table=users}"], 0)
	require.InDelta(t, 6, got["plans"], 0)
	require.InDelta(t, 4, got["journal_age_seconds"], 0)
	require.InDelta(t, 10, got["pool_connections{state=idle}"]+got["pool_connections{state=used}"], 0)
	require.InDelta(t, 100, got["redis_memory_used_bytes"], 0)
	require.InDelta(t, 40, got["namespace_keys"], 0)

	first.Close()
	first.Close()
	third.Close()
	require.InDelta(t, 2, testkit.Metrics(t, reg)["plans"], 0)
	second.Close()
	require.Empty(t, testkit.Metrics(t, reg), "the last one unregisters them")
	again, err := prom.Register(reg)
	require.NoError(t, err)
	require.Zero(t, testkit.Metrics(t, reg)["writes_total{outcome=committed}"])
	again.Close()
}

func TestPluginsAreToldApartByLabelsOfTheirRegisterers(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewPedanticRegistry()
	for _, name := range []string{"shop", "blog"} {
		h, err := prom.Register(prometheus.WrapRegistererWith(prometheus.Labels{"cache": name}, reg))
		require.NoError(t, err)
		t.Cleanup(h.Close)
		for range len(name) {
			h.State(metrics.StateEvent{State: metrics.CorruptEntry, On: true})
		}
		same, err := prom.Register(prometheus.WrapRegistererWith(prometheus.Labels{"cache": name}, reg))
		require.NoError(t, err)
		same.State(metrics.StateEvent{State: metrics.CorruptEntry, On: true})
	}
	require.InDelta(t, 5, testkit.Metrics(t, reg)["corrupt_entries_total{cache=shop}"], 0)
	require.InDelta(t, 5, testkit.Metrics(t, reg)["corrupt_entries_total{cache=blog}"], 0)
}

func TestMetricsOfSomebodyElseUnderTheSameNameAreAnError(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	reg.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "rediscache_plans", Help: "Something else."}))
	_, err := prom.Register(reg)
	require.ErrorContains(t, err, "rediscache_plans")
}

// What a server does not tell has no metric; one that does not answer in time has none that are new.
func TestScrapeWaitsNoLongerThanTheTimeout(t *testing.T) {
	t.Parallel()
	reg, h := registered(t)
	answer := make(chan metrics.Server)
	source := full("a")
	source.Timeout = time.Millisecond
	source.Server = func(ctx context.Context) (metrics.Server, error) {
		select {
		case s := <-answer:
			return s, nil
		case <-ctx.Done():
			return metrics.Server{}, ctx.Err()
		}
	}
	h.Observe(source)
	var got map[string]float64
	scraped := make(chan struct{})
	go func() {
		defer close(scraped)
		got = testkit.Metrics(t, reg)
	}()
	select {
	case <-scraped:
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for a server that does not answer")
	}
	require.NotContains(t, got, "redis_memory_used_bytes")
	require.Contains(t, got, "plans")
	answer <- metrics.Server{Used: 5, Max: math.NaN(), Evicted: math.NaN(), Keys: 6, OwnKeys: math.NaN(), OwnBytes: math.NaN()}
	require.Eventually(t, func() bool {
		got = testkit.Metrics(t, reg)
		_, ok := got["redis_memory_used_bytes"]
		return ok
	}, 10*time.Second, time.Millisecond, "what came late is told at the next scrape")
	require.Contains(t, got, "redis_keys")
	for _, name := range []string{"redis_memory_max_bytes", "redis_evicted_keys_total", "namespace_keys", "namespace_memory_bytes"} {
		require.NotContains(t, got, name)
	}
	h.Close()
}

// However often Prometheus comes, Redis is asked once in a while.
func TestServerIsNotAskedAtEachScrape(t *testing.T) {
	t.Parallel()
	reg, h := registered(t)
	asked := 0
	source := full("a")
	source.Server = func(context.Context) (metrics.Server, error) {
		asked++
		if asked == 1 {
			return metrics.Server{}, errors.New("not yet")
		}
		return metrics.Server{Used: 5}, nil
	}
	h.Observe(source)
	require.NotContains(t, testkit.Metrics(t, reg), "redis_memory_used_bytes")
	for range 5 {
		require.Contains(t, testkit.Metrics(t, reg), "redis_memory_used_bytes")
	}
	require.Equal(t, 2, asked)
}
