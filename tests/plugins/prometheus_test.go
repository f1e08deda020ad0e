package plugins_test

import (
	"slices"
	"strings"
	"testing"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/plugin/prometheus"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

type gadget struct {
	ID   int `gorm:"primaryKey;autoIncrement:false"`
	Name string
}

// gauge returns what the default registry of Prometheus has of a collector about a database; -1 if nothing.
func gauge(t *testing.T, metric, name string, w *world) float64 {
	t.Helper()
	families, err := client.DefaultGatherer.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != metric {
			continue
		}
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["db_name"] == name && (labels["datname"] == "" || strings.Contains(w.dsn, "/"+labels["datname"]+"?")) {
				return m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

func collector(name string) *prometheus.Prometheus {
	return prometheus.New(prometheus.Config{
		DBName: name, RefreshInterval: 1, MetricsCollector: []prometheus.MetricsCollector{&prometheus.Postgres{Interval: 1}},
	})
}

// The collector sends the database what it sends without rediscache, is never answered from Redis, and leaves the cache
// to the application.
func TestPrometheusCollects(t *testing.T) { //nolint:paralleltest // its registry is one for all
	eachOrder(t, func(t *testing.T, o order) {
		w := newWorld(t)
		w.dsn = testkit.PostgresDatabase(t)
		plain := w.plain()
		require.NoError(t, plain.AutoMigrate(&gadget{}))
		require.NoError(t, plain.Create(&[]gadget{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}}).Error)
		// Each collector begins with a round of its own, before it is registered.
		without := w.plain()
		want := without.sql.during(func() { without.use(t, collector(testkit.Unique(t))) })
		name := testkit.Unique(t)
		h := w.cached(o)
		var got []string
		if o == rediscacheFirst {
			got = h.sql.during(func() { h.use(t, collector(name)) })
		} else {
			h = w.cached(o, collector(name))
			got = h.sql.all
		}
		for _, sent := range [][]string{want, got} {
			slices.Sort(sent)
		}
		require.NotEmpty(t, want)
		require.Equal(t, want, slices.Compact(got))

		// Of all that it collects, this has one label, and is found again in the next round.
		size := func() float64 { return gauge(t, "gorm_status_size_bytes", name, w) }
		require.Positive(t, size())
		read := func(db *gorm.DB) any {
			var g gadget
			var all []gadget
			require.NoError(t, db.First(&g, 1).Error)
			require.NoError(t, db.Where("id < 100").Order("id").Find(&all).Error)
			return []any{g, all}
		}
		for round := range 2 {
			before := size()
			require.NoError(t, h.Exec("INSERT INTO gadgets SELECT i + ?, repeat('x', 1000) FROM generate_series(1, 300) i", 1000+1000*round).Error)
			require.NoError(t, h.Create(&gadget{ID: 3 + round}).Error)
			testkit.Eventually(t, "the collector has seen it", func() bool { return size() > before })
			want := read(plain.DB)
			testkit.Eventually(t, "it is cached", func() bool {
				require.Equal(t, want, read(h.DB))
				sent := h.sql.during(func() { require.Equal(t, want, read(h.DB)) })
				return !slices.ContainsFunc(sent, func(s string) bool { return strings.Contains(s, `"gadgets"`) })
			})
		}
		testkit.Eventually(t, "the pool is seen", func() bool { return gauge(t, "gorm_dbstats_open_connections", name, w) > 0 })
	})
}
