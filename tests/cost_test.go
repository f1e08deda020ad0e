package tests_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// commands matches a line of INFO commandstats.
var commands = regexp.MustCompile(`cmdstat_(\w+):calls=(\d+)`)

// commandsOf returns which commands a server was asked for, and how often. Those that scripts run count, as they cost the server
// time. INFO is left out: it is asked for every 100 ms at most, whatever the number of reads.
func commandsOf(t *testing.T, server *testkit.RedisServer, f func()) string {
	t.Helper()
	admin := server.Client()
	require.NoError(t, admin.ConfigResetStat(t.Context()).Err())
	f()
	text, err := admin.Info(t.Context(), "commandstats").Result()
	require.NoError(t, err)
	var all []string
	for _, m := range commands.FindAllStringSubmatch(text, -1) {
		switch m[1] {
		case "info", "config", "client", "hello":
		default:
			all = append(all, m[1]+" "+m[2])
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// What reads and writes ask of Redis, once everything is known, is stated here, so that it does not grow unnoticed.
func TestCommandsForEachReadAndWrite(t *testing.T) { //nolint:paralleltest // what a loaded machine tries again would count
	w := newWorld(t)
	w.members(60)
	server := testkit.StartRedis(t)
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.Redis = server.Client() }))
	ids := make([]int, 50)
	for i := range ids {
		ids[i] = i + 1
	}
	reads := map[string]func(*gorm.DB){
		"row":    func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) },
		"50 ids": func(db *gorm.DB) { require.NoError(t, db.Find(&[]member{}, ids).Error) },
		"list":   func(db *gorm.DB) { require.NoError(t, db.Order("id DESC").Limit(20).Find(&[]member{}).Error) },
		"count":  func(db *gorm.DB) { var n int64; require.NoError(t, db.Model(&member{}).Count(&n).Error) },
	}
	for name, read := range reads {
		h.warm(t, read)
		require.Equal(t, "mget 1", commandsOf(t, server, func() { read(h.DB) }), name)
	}
	update := func() { require.NoError(t, h.Model(&member{ID: 1}).Update("name", "new").Error) }
	update() // Redis gets to know the scripts
	got := commandsOf(t, server, update)
	// The writer reads the table's registry of scopes; then it takes one step before COMMIT and one after it, each one script
	// for all tags. The other commands are those of the scripts.
	require.Equal(t, "del 4, evalsha 2, get 2, mget 1, pexpire 2, pttl 4, set 2, time 1, zadd 2, zrem 2", got)
}

// A migration asks the database for nothing that it would not without the plugin: what it reads is not cached, and a definition
// announces everything, whatever there was before.
func TestMigrationReadsTheCatalogForItselfOnly(t *testing.T) {
	t.Parallel()
	type shelf struct {
		ID    int
		Label string `gorm:"index"`
	}
	type Price struct{ Price int }
	onEveryDialect(t, func(t *testing.T, w *world) {
		sent := func(h *handle) (all []string, ofCatalog int64) {
			before := h.sql.catalog.Load()
			all = h.sql.during(func() {
				for range 2 { // the second time there is nothing to do
					require.NoError(t, h.AutoMigrate(&member{}, &shelf{}))
				}
				require.NoError(t, h.Table("shelves").AutoMigrate(&Price{}))
				require.NoError(t, h.Migrator().DropTable(&member{}, &shelf{}))
			})
			return all, h.sql.catalog.Load() - before
		}
		want, wantOfCatalog := sent(w.plain())
		got, gotOfCatalog := sent(w.cached())
		require.Equal(t, want, got)
		require.Equal(t, wantOfCatalog, gotOfCatalog)
	})
}

// A hit costs no more memory than what is stated here, with metrics for Prometheus or without. GORM's own part is most of it.
func TestAllocationsOfAHit(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testing.Short() {
		t.Skip("the race detector allocates, too")
	}
	w := newWorld(t)
	plain := w.members(3)
	h, quiet := w.cached(), w.cached(withPlugin(func(c *rediscache.Config) { c.Recorder = nil }))
	read := func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) }
	h.warm(t, read)
	measured := w.cached(withPlugin(func(c *rediscache.Config) {
		c.Recorder, c.Registerer = nil, prometheus.NewRegistry()
	}))
	for _, h := range []*handle{quiet, measured} {
		read(h.DB)
		require.Empty(t, h.sql.during(func() { read(h.DB) }))
	}
	allocations := func(db *gorm.DB) float64 { return testing.AllocsPerRun(300, func() { read(db) }) }
	cached, without := allocations(quiet.DB), allocations(plain.DB)
	require.InDelta(t, cached, allocations(measured.DB), 1, "with metrics")
	t.Log("allocations of a point lookup:", cached, "from the cache,", without, "by plain GORM")
	require.LessOrEqual(t, cached, without+maxMoreAllocations)
}

// A list from the cache costs less memory than one from the database, whatever types its driver has for texts.
func TestAllocationsOfAList(t *testing.T) { //nolint:paralleltest // what others allocate would count
	if testing.Short() {
		t.Skip("the race detector allocates, too")
	}
	for name, w := range map[string]*world{"postgres": newWorld(t), "mysql": newWorldOn(t, onMySQL())} {
		plain := w.members(20)
		h := w.cached(withPlugin(func(c *rediscache.Config) { c.Recorder = nil }))
		read := func(db *gorm.DB) { require.NoError(t, db.Order("id").Find(&[]member{}).Error) }
		w.cached().warm(t, read)
		read(h.DB)
		require.Empty(t, h.sql.during(func() { read(h.DB) }))
		cached := testing.AllocsPerRun(100, func() { read(h.DB) })
		without := testing.AllocsPerRun(100, func() { read(plain.DB) })
		t.Logf("%s: allocations of a list of twenty: %v from the cache, %v by plain GORM", name, cached, without)
		require.Less(t, cached, without, name)
	}
}

// maxMoreAllocations is what a hit may allocate more often than plain GORM does.
const maxMoreAllocations = 25
