package tests_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/plugin/dbresolver"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// replicated is a primary and a streaming replica of it, which a test holds back.
type replicated struct {
	primary *testkit.PostgresServer
	standby *testkit.Standby
}

func newReplicated(t *testing.T) *replicated {
	t.Helper()
	primary := testkit.StartPostgres(t)
	return &replicated{primary: primary, standby: primary.StartStandby()}
}

// database makes a database on both, with wares, and holds the replica back: it will show nothing newer. Seen from the
// replica, the second world is the same database.
func (r *replicated) database(t *testing.T) (w *world, plain, replica *handle) {
	t.Helper()
	client, namespace := testkit.Redis(t)
	name := testkit.Unique(t)
	at := func(server string) string {
		u, err := url.Parse(server)
		require.NoError(t, err)
		u.Path = "/" + name
		return u.String()
	}
	_, err := testkit.OpenPostgres(t, r.primary.URL).ExecContext(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	w = &world{t: t, dialect: onPostgres(), dsn: at(r.primary.URL), redis: client, namespace: namespace}
	plain = w.wares(2)
	r.standby.Hold()
	t.Cleanup(r.standby.Release)
	return w, plain, (&world{t: t, dialect: onPostgres(), dsn: at(r.standby.URL), redis: client, namespace: namespace}).plain()
}

// resolvedTo opens a handle whose replica is the pool of another handle, which sees what reaches it.
func (w *world) resolvedTo(replica *handle, o order, options ...option) *handle {
	w.t.Helper()
	pool, err := replica.DB.DB()
	require.NoError(w.t, err)
	return w.resolved(o.before, w.resolver(dbresolver.Config{
		Replicas: []gorm.Dialector{postgres.New(postgres.Config{Conn: pool})},
	}), append(options, o.options...)...)
}

// lateWrites are writes that the replica has not seen yet.
func lateWrites() []func(*gorm.DB) error {
	return []func(*gorm.DB) error{
		func(db *gorm.DB) error { return db.Model(&ware{ID: 10}).Update("name", "one").Error },
		func(db *gorm.DB) error { return db.Exec("UPDATE wares SET name = 'two' WHERE grp = 1").Error },
		func(db *gorm.DB) error { return db.Create(&ware{ID: 12, Grp: 1, Name: "three"}).Error },
		func(db *gorm.DB) error { s := stickerOf(1); return db.Create(&s).Error },
		func(db *gorm.DB) error { return db.Delete(&ware{}, 11).Error },
		func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error {
				if err := tx.Save(&ware{ID: 10, Grp: 1, Name: "four"}).Error; err != nil {
					return err
				}
				return tx.Exec("UPDATE stickers SET text = 'four'").Error
			})
		},
		func(db *gorm.DB) error {
			return db.Raw("UPDATE wares SET name = 'five' WHERE id = 10 RETURNING id").Scan(new(int)).Error
		},
	}
}

// A replica that is behind is never seen after a write: whatever is read after the commit, from Redis or not, is as new
// as the write, and what is stored was read from the primary.
func TestReplicaWithLagIsNeverStored(t *testing.T) {
	t.Parallel()
	servers := newReplicated(t)
	for name, o := range orders() { //nolint:paralleltest // the replica is held back for all of its databases
		t.Run(name, func(t *testing.T) {
			w, plain, replica := servers.database(t)
			h, reader := w.resolvedTo(replica, o), w.cached()
			old := look(t, plain.DB, 1)
			require.Equal(t, old, look(t, replica.DB, 1))
			var there []string
			for i, write := range lateWrites() {
				writer := h
				if i%2 == 1 {
					writer = reader // another process
				}
				before := look(t, plain.DB, 1)
				require.NoError(t, write(writer.DB), i)
				want := look(t, plain.DB, 1)
				require.NotEqual(t, want, before, i)
				require.Equal(t, old, look(t, replica.DB, 1), "the replica is not held back")
				there = append(there, replica.sql.during(func() {
					require.Equal(t, want, look(t, h.DB, 1), i)
					require.Equal(t, want, look(t, reader.DB, 1), i)
					h.warmView(t, 1, want)
					reader.requireHits(t, 1, want)
				})...)
			}
			require.Empty(t, there, "the replica was asked")

			// dbresolver does send there what the cache has nothing to do with.
			var name string
			asked := replica.sql.during(func() {
				require.NoError(t, h.Clauses(rediscache.Bypass).Model(&ware{}).Select("name").First(&name, 10).Error)
			})
			require.Len(t, asked, 1)
			require.Equal(t, "old", name)
			servers.standby.Release()
			require.Equal(t, look(t, plain.DB, 1), look(t, replica.DB, 1))
		})
	}
}

// With ReadReplicas, the replica answers what the cache does not have, however far it is behind. Nothing of that is
// stored; what others stored is served.
func TestReadReplicasStoresNothingOfAReplicaWithLag(t *testing.T) {
	t.Parallel()
	servers := newReplicated(t)
	for name, o := range orders() { //nolint:paralleltest // as above
		t.Run(name, func(t *testing.T) {
			w, plain, replica := servers.database(t)
			h := w.resolvedTo(replica, o, withPlugin(func(c *rediscache.Config) { c.ReadReplicas = true }))
			reader := w.cached()
			old := look(t, plain.DB, 1)
			for i := range 3 {
				require.NoError(t, h.Exec("UPDATE wares SET name = ? WHERE grp = 1", fmt.Sprint("new ", i)).Error)
				want := look(t, plain.DB, 1)
				for range 3 {
					asked := replica.sql.during(func() { require.Equal(t, old, look(t, h.DB, 1), i) })
					require.NotEmpty(t, asked)
				}
				e := reader.log.read(t, func() { require.NoError(t, reader.Find(&[]ware{}, 10).Error) })
				require.Equal(t, metrics.Miss, e.Outcome, "the replica's answer was stored")
				require.Equal(t, want, look(t, reader.DB, 1), i)
				reader.warmView(t, 1, want)
				asked := replica.sql.during(func() { h.requireHits(t, 1, want) })
				require.Empty(t, asked)
			}
		})
	}
}
