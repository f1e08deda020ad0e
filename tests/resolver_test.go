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

// lagging gives a handle a replica that has not heard of the writes since it was made: another schema, with the same
// tables and older rows.
func lagging(t *testing.T, h *handle) (replica *world) {
	t.Helper()
	replica = &world{t: t, dsn: testkit.Postgres(t)}
	old := replica.migrate(&member{})
	require.NoError(t, old.Create(&[]member{{Name: "old"}, {Name: "older"}}).Error)
	require.NoError(t, h.Use(dbresolver.Register(dbresolver.Config{
		Replicas: []gorm.Dialector{postgres.New(postgres.Config{Conn: replica.pool()})},
	})))
	return replica
}

func nameOf(t *testing.T, db *gorm.DB, id int) string {
	t.Helper()
	var m member
	require.NoError(t, db.First(&m, id).Error)
	return m.Name
}

// A replica lags. What is stored comes from the source, whichever of them GORM would have asked.
func TestReplicaNeverFills(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"registered before": true, "registered after": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(2)
			h := w.plain()
			if before {
				lagging(t, h)
				w.use(h)
			} else {
				w.use(h)
				lagging(t, h)
			}
			list := func(db *gorm.DB) (names []string) {
				require.NoError(t, db.Model(&member{}).Order("id").Pluck("name", &names).Error)
				return names
			}
			require.Equal(t, "old", nameOf(t, h.Clauses(rediscache.Bypass), 1), "the replica is asked; else this tests nothing")
			require.Equal(t, "m1", nameOf(t, h.DB, 1))
			require.Equal(t, []string{"m1", "m2"}, list(h.DB))
			h.warm(t, func(db *gorm.DB) { require.Equal(t, "m1", nameOf(t, db, 1)); list(db) })
			require.NoError(t, h.Model(&member{ID: 1}).Update("name", "new").Error)
			for range 3 {
				require.Equal(t, "new", nameOf(t, h.DB, 1))
				require.Equal(t, []string{"new", "m2"}, list(h.DB))
			}
			require.Equal(t, "new", nameOf(t, h.Clauses(dbresolver.Write), 1))
		})
	}
}

// With ReadReplicas, replicas answer what the cache does not have, and nothing of theirs is stored.
func TestReplicasAnswerIfTheyMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	h := w.plain()
	lagging(t, h)
	w.use(h, withPlugin(func(c *rediscache.Config) { c.ReadReplicas = true }))
	for range 3 {
		e := h.log.read(t, func() { require.Equal(t, "old", nameOf(t, h.DB, 1)) })
		require.Equal(t, metrics.ReasonReplica, e.Reason)
	}
	other := w.cached()
	other.warm(t, func(db *gorm.DB) { require.Equal(t, "m1", nameOf(t, db, 1)) })
	require.Equal(t, "m1", nameOf(t, h.DB, 1), "what another process has stored comes from the source")
}

// Several resolvers, by name and by table: each table's answers come from its own source.
func TestResolversOfSeveralDatabases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	second := &world{t: t, dsn: testkit.PostgresDatabase(t)}
	there := second.migrate(&member{}, &seat{})
	require.NoError(t, there.Create(&member{Name: "there"}).Error)
	require.NoError(t, there.Create(&seat{"a", 1, "there"}).Error)
	h := w.cached()
	require.NoError(t, h.Use(dbresolver.Register(dbresolver.Config{
		Sources: []gorm.Dialector{postgres.New(postgres.Config{Conn: second.pool()})},
	}, &seat{}, "second")))

	seatName := func(db *gorm.DB) string {
		var s seat
		require.NoError(t, db.Where("hall = ? AND no = ?", "a", 1).First(&s).Error)
		return s.Name
	}
	for range 3 {
		require.Equal(t, "m1", nameOf(t, h.DB, 1))
		require.Equal(t, "there", nameOf(t, h.Clauses(dbresolver.Use("second")), 1))
		require.Equal(t, "there", seatName(h.DB))
	}
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1); seatName(db) })
	require.NoError(t, h.Model(&seat{Hall: "a", No: 1}).Update("name", "changed").Error)
	require.NoError(t, h.Clauses(dbresolver.Use("second")).Model(&member{ID: 1}).Update("name", "changed there").Error)
	for range 3 {
		require.Equal(t, "m1", nameOf(t, h.DB, 1))
		require.Equal(t, "changed there", nameOf(t, h.Clauses(dbresolver.Use("second")), 1))
		require.Equal(t, "changed", seatName(h.DB))
	}
}
