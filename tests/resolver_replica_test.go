package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// lagging returns a second world in the same Redis namespace, which has what the first one had long ago: a replica
// that has not caught up. Its rows are named "replica", so that an answer shows where it came from.
func (w *world) lagging(groups int) *world {
	w.t.Helper()
	replica := &world{t: w.t, dialect: w.dialect, dsn: testkit.Postgres(w.t), redis: w.redis, namespace: w.namespace}
	h := replica.wares(groups)
	require.NoError(w.t, h.Exec("UPDATE wares SET name = 'replica'").Error)
	return replica
}

// resolved opens a handle with a dbresolver, before or after the plugin.
func (w *world) resolved(before bool, r *dbresolver.DBResolver, options ...option) *handle {
	w.t.Helper()
	h := w.plain(options...)
	if before {
		require.NoError(w.t, h.Use(r))
	}
	w.use(h, options...)
	if !before {
		require.NoError(w.t, h.Use(r))
	}
	return h
}

// An order is a way to register dbresolver and the plugin.
type order struct {
	before  bool
	options []option
}

// orders are dbresolver before the plugin, and after it, prepared and not.
func orders() map[string]order {
	prepare := withGORM(func(c *gorm.Config) { c.PrepareStmt = true })
	wrap := withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })
	return map[string]order{
		"before": {true, nil}, "after": {false, nil},
		"before, prepared": {true, []option{prepare}}, "after, prepared": {false, []option{prepare}},
		"before, wrapped": {true, []option{wrap}}, "after, wrapped": {false, []option{wrap}},
	}
}

// eachOrder runs a test with each of them.
func eachOrder(t *testing.T, test func(t *testing.T, before bool, options ...option)) {
	t.Helper()
	for name, o := range orders() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, o.before, o.options...)
		})
	}
}

// What is stored comes from a source: an answer of a replica that has not caught up would be served for its time to
// live.
func TestNothingIsStoredFromAReplica(t *testing.T) {
	t.Parallel()
	eachOrder(t, func(t *testing.T, before bool, options ...option) {
		w := newWorld(t)
		plain := w.wares(2)
		replica := w.lagging(2)
		h := w.resolved(before, w.resolver(dbresolver.Config{Replicas: []gorm.Dialector{postgres.Open(replica.dsn)}}), options...)
		reader := w.cached()
		want := look(t, plain.DB, 1)
		require.Equal(t, "old", want.Row[0].Name)
		require.Equal(t, want, look(t, h.DB, 1))
		h.warmView(t, 1, want)
		reader.warmView(t, 1, want)
		require.NoError(t, h.Model(&ware{ID: 10}).Update("name", "new").Error)
		want = look(t, plain.DB, 1)
		require.Equal(t, want, look(t, h.DB, 1))
		require.Equal(t, want, look(t, reader.DB, 1))
		h.warmView(t, 1, want)
		reader.warmView(t, 1, want)

		// A part of the rows is cached, the others come from the source, too.
		var got []ware
		require.NoError(t, h.Order("id").Find(&got, []int{10, 11, 20, 21}).Error)
		require.Equal(t, []string{"new", "old", "old", "old"}, []string{got[0].Name, got[1].Name, got[2].Name, got[3].Name})

		// What the cache has nothing to do with goes where dbresolver says.
		var name string
		require.NoError(t, h.Clauses(rediscache.Bypass).Model(&ware{}).Select("name").First(&name, 10).Error)
		require.Equal(t, "replica", name)
		require.NoError(t, h.Clauses(dbresolver.Write, rediscache.Bypass).Model(&ware{}).Select("name").First(&name, 10).Error)
		require.Equal(t, "new", name)
		require.NoError(t, h.Clauses(rediscache.Refresh).Model(&ware{}).Select("name").First(&name, 10).Error)
		require.Equal(t, "new", name)
		h.warmView(t, 1, want)
	})
}

// With ReadReplicas, misses are answered by the replica, and nothing of that is stored.
func TestReadReplicasLeavesMissesToTheReplica(t *testing.T) {
	t.Parallel()
	eachOrder(t, func(t *testing.T, before bool, options ...option) {
		w := newWorld(t)
		plain := w.wares(2)
		replica := w.lagging(2)
		options = append(options, withPlugin(func(c *rediscache.Config) { c.ReadReplicas = true }))
		h := w.resolved(before, w.resolver(dbresolver.Config{Replicas: []gorm.Dialector{postgres.Open(replica.dsn)}}), options...)
		reader := w.cached()
		old := look(t, replica.plain().DB, 1)
		for range 3 {
			require.Equal(t, old, look(t, h.DB, 1))
		}
		var i ware
		e := h.log.read(t, func() { require.NoError(t, h.First(&i, 10).Error) })
		require.Equal(t, metrics.Bypass, e.Outcome)
		require.Equal(t, metrics.ReasonReplica, e.Reason)
		e = reader.log.read(t, func() { require.NoError(t, reader.First(&i, 10).Error) })
		require.Equal(t, metrics.Miss, e.Outcome, "the replica's answer was stored")
		require.Equal(t, "old", i.Name)

		// What others store is served to it, and what it writes is invalidated.
		want := look(t, plain.DB, 1)
		reader.warmView(t, 1, want)
		h.requireHits(t, 1, want)
		require.NoError(t, h.Model(&ware{ID: 10}).Update("name", "new").Error)
		require.Equal(t, look(t, plain.DB, 1), look(t, reader.DB, 1))
		// The application may ask for the source.
		i = ware{}
		require.NoError(t, h.Clauses(dbresolver.Write).First(&i, 11).Error)
		require.Equal(t, "old", i.Name)
	})
}

// A locking read and a read in a transaction are the source's.
func TestReadsThatNeedTheSource(t *testing.T) {
	t.Parallel()
	eachOrder(t, func(t *testing.T, before bool, options ...option) {
		w := newWorld(t)
		w.wares(1)
		replica := w.lagging(1)
		h := w.resolved(before, w.resolver(dbresolver.Config{Replicas: []gorm.Dialector{postgres.Open(replica.dsn)}}), options...)
		var name string
		require.NoError(t, h.Raw("SELECT name FROM wares WHERE id = 10 FOR UPDATE").Scan(&name).Error)
		require.Equal(t, "old", name)
		require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
			return tx.Raw("SELECT name FROM wares WHERE id = 10").Scan(&name).Error
		}))
		require.Equal(t, "old", name)
		// A cursor is handed out by whom dbresolver has chosen, as without the plugin.
		require.NoError(t, h.Raw("SELECT name FROM wares WHERE id = 10").Row().Scan(&name))
		require.Equal(t, "replica", name)
		require.NoError(t, h.Clauses(dbresolver.Read).Raw("SELECT name FROM wares WHERE id = 10").Row().Scan(&name))
		require.Equal(t, "replica", name)
	})
}
