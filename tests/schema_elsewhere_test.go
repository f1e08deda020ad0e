package tests_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store/memstore"
)

// aMinute is what a change of the schema that is made elsewhere takes to be seen at most, and a while.
const aMinute = 75 * time.Second

// inVirtualTime runs a test in which minutes take no time: on databases of its own, and a store in memory, as time does not pass
// while a goroutine waits for a server.
func inVirtualTime(t *testing.T, d *dialect, test func(t *testing.T, w *world)) {
	t.Helper()
	dsn := d.database(t)
	synctest.Test(t, func(t *testing.T) {
		shared, err := memstore.New(memstore.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { _ = shared.Close() })
		test(t, &world{t: t, dialect: d, dsn: dsn, namespace: testkit.Unique(t), store: shared, old: true})
	})
}

// What somebody else does to a table that is cached, without the plugin, is seen within a minute by a process that knows the
// table, whether it is in use meanwhile or not, and at once by a new one.
func TestTableThatSomebodyElseMakesAnewIsSeenWithinAMinute(t *testing.T) {
	t.Parallel()
	for _, d := range dialects() {
		for _, inUse := range []bool{true, false} {
			name := map[bool]string{true: "in use", false: "quiet"}[inUse]
			t.Run(d.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				inVirtualTime(t, d, func(t *testing.T, w *world) {
					elsewhere := w.members(1)
					h := w.cached()
					warmMember(t, h, 1)
					require.NoError(t, elsewhere.Migrator().DropTable(&member{}))
					require.NoError(t, elsewhere.AutoMigrate(&member{}))
					require.NoError(t, elsewhere.Create(&member{ID: 1, Name: "another"}).Error)
					for begun := time.Now(); time.Since(begun) < aMinute; {
						time.Sleep(aMinute / 10)
						if inUse {
							nameOf(t, h.DB, 1)
						}
					}
					require.Equal(t, "another", nameOf(t, h.DB, 1))
					warmMember(t, h, 1)
					require.Equal(t, "another", nameOf(t, w.cached().DB, 1))
				})
			})
		}
	}
}

// What is planned is kept while the schema is the same, and it is looked at without a statement that waits: during minutes of
// quiet, too, but not for ever.
func TestSchemaIsLookedAtBehindTheStatements(t *testing.T) {
	t.Parallel()
	for _, d := range dialects() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			inVirtualTime(t, d, func(t *testing.T, w *world) {
				w.members(1)
				h := w.cached(withPlugin(func(c *rediscache.Config) { c.Policy.RowTTL = 24 * time.Hour }))
				warmMember(t, h, 1)
				readings := func(f func()) int64 {
					synctest.Wait()
					before := h.sql.catalog.Load()
					f()
					synctest.Wait()
					return h.sql.catalog.Load() - before
				}
				hit := func() {
					require.Equal(t, metrics.Hit, h.log.read(t, func() { require.Equal(t, "m1", nameOf(t, h.DB, 1)) }).Outcome)
				}
				for range 3 {
					require.Positive(t, readings(func() { time.Sleep(100 * time.Second) }))
					require.Zero(t, readings(hit))
				}
				time.Sleep(time.Hour)
				require.Zero(t, readings(func() { time.Sleep(time.Hour) }), "a database without statements can sleep")
				require.Positive(t, readings(hit), "an hour ago is too long ago")
			})
		})
	}
}

// Nor does an answer outlive the view or the function that it was computed by, nor the partitions that its rows were in.
func TestDefinitionsThatSomebodyElseReplacesAreSeenWithinAMinute(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, onPostgres(), func(t *testing.T, w *world) {
		elsewhere := w.members(2)
		run := func(texts ...string) {
			for _, text := range texts {
				require.NoError(t, elsewhere.Exec(text).Error, text)
			}
		}
		run("CREATE VIEW seen AS SELECT id FROM members WHERE id = 1",
			"CREATE FUNCTION shifted(i bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT i + 1'",
			"CREATE TABLE parts (id bigint) PARTITION BY LIST (id)",
			"CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)", "INSERT INTO parts VALUES (1)")
		h := w.cached()
		ids := func(text string) (found []int) {
			require.NoError(t, h.Raw(text).Scan(&found).Error)
			return found
		}
		for _, c := range []struct {
			text, change  string
			before, after []int
		}{
			{
				"SELECT id FROM seen", "CREATE OR REPLACE VIEW seen AS SELECT id FROM members WHERE id = 2",
				[]int{1},
				[]int{2},
			},
			{
				"SELECT shifted(id) AS id FROM members WHERE id = 1",
				"CREATE OR REPLACE FUNCTION shifted(i bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT i + 2'",
				[]int{2},
				[]int{3},
			},
			{"SELECT id FROM parts", "DROP TABLE parts_1", []int{1}, nil},
		} {
			h.warm(t, func(db *gorm.DB) {
				var found []int
				require.NoError(t, db.Raw(c.text).Scan(&found).Error)
				require.Equal(t, c.before, found, c.text)
			})
			run(c.change)
			time.Sleep(aMinute)
			require.Equal(t, c.after, ids(c.text), c.text)
		}
	})
}
