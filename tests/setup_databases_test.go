package tests_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// memberName reads a member, with the event of it.
func memberName(t testing.TB, h *handle, id int) (string, metrics.ReadEvent) {
	t.Helper()
	var m member
	e := h.log.read(t, func() { require.NoError(t, h.First(&m, id).Error) })
	return m.Name, e
}

func warmMember(t testing.TB, h *handle, id int) {
	t.Helper()
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, id).Error) })
}

// Two databases on one Redis have the same tables and keys, and no Namespace was thought of.
func TestDatabasesOnOneRedisDoNotMix(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	first.dsn = testkit.PostgresDatabase(t)
	second := &world{t: t, dialect: onPostgres(), dsn: testkit.PostgresDatabase(t), redis: first.redis, namespace: first.namespace}
	t.Cleanup(func() { // the namespace of the defaults is not the test's own
		ctx := context.Background()
		keys := first.redis.Scan(ctx, 0, "rc/1:t_databasesononeredis*", 1000).Iterator()
		for keys.Next(ctx) {
			first.redis.Unlink(ctx, keys.Val())
		}
	})
	first.members(2)
	require.NoError(t, second.members(2).Exec("UPDATE members SET name = 'second'").Error)
	unnamed := withPlugin(func(c *rediscache.Config) { c.Namespace = "" })
	a, b := first.cached(unnamed), second.cached(unnamed)
	warmMember(t, a, 1)
	name, e := memberName(t, b, 1)
	require.Equal(t, "second", name)
	require.Equal(t, metrics.Miss, e.Outcome)
	warmMember(t, b, 1)
	require.NoError(t, a.Model(&member{ID: 1}).Update("name", "changed").Error)
	name, e = memberName(t, b, 1)
	require.Equal(t, "second", name)
	require.Equal(t, metrics.Hit, e.Outcome, "a write to one database costs the other its entry")
	name, _ = memberName(t, first.cached(unnamed), 1)
	require.Equal(t, "changed", name)
	closeNow(t, a)
	closeNow(t, b)
}

// Schemas of one database have the same tables and keys; which one is meant, the search path says, or the text.
func TestSchemasDoNotMix(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	second := &world{t: t, dialect: onPostgres(), dsn: testkit.Postgres(t), redis: first.redis, namespace: first.namespace}
	first.members(2)
	require.NoError(t, second.members(2).Exec("UPDATE members SET name = 'second'").Error)
	a, b := first.cached(), second.cached()
	warmMember(t, a, 1)
	name, _ := memberName(t, b, 1)
	require.Equal(t, "second", name)
	warmMember(t, b, 1)
	other := second.schemaOf() + ".members"
	byText := func(db *gorm.DB) string {
		var m member
		require.NoError(t, db.Table(other).Where("id = ?", 1).Take(&m).Error)
		return m.Name
	}
	for range 3 {
		require.Equal(t, "second", byText(a.DB))
	}
	require.NoError(t, a.Table(other).Where("id = ?", 1).Update("name", "by text").Error)
	require.Equal(t, "by text", byText(a.DB))
	name, _ = memberName(t, b, 1)
	require.Equal(t, "by text", name)
	name, _ = memberName(t, a, 1)
	require.Equal(t, "m1", name)
	require.NoError(t, b.Model(&member{ID: 1}).Update("name", "again").Error)
	require.Equal(t, "again", byText(a.DB))
}

// Namespaces share nothing: the application has asked for it.
func TestNamespacesShareNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true // as it says
	w.members(1)
	a := w.cached()
	b := w.cached(withPlugin(func(c *rediscache.Config) { c.Namespace += "-other" }))
	warmMember(t, a, 1)
	_, e := memberName(t, b, 1)
	require.Equal(t, metrics.Miss, e.Outcome)
	warmMember(t, b, 1)
	require.NoError(t, a.Model(&member{ID: 1}).Update("name", "changed").Error)
	name, e := memberName(t, b, 1)
	require.Equal(t, metrics.Hit, e.Outcome)
	require.Equal(t, "m1", name, "a namespace of its own is not told")
}

// One plugin may be used by several handles, of one database or of several.
func TestOnePluginForSeveralHandles(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	second := &world{t: t, dialect: onPostgres(), dsn: testkit.PostgresDatabase(t), redis: first.redis, namespace: first.namespace}
	first.members(2)
	require.NoError(t, second.members(2).Exec("UPDATE members SET name = 'second'").Error)
	a := first.cached()
	more := []*handle{first.plain(), second.plain(), second.plain(withGORM(func(c *gorm.Config) { c.PrepareStmt = true }))}
	for _, h := range more {
		require.NoError(t, h.Use(a.plugin))
		h.log, h.plugin = a.log, a.plugin
	}
	for range 2 {
		for i, h := range append([]*handle{a}, more...) {
			warmMember(t, h, 1)
			name, _ := memberName(t, h, 1)
			require.Equal(t, []string{"m1", "m1", "second", "second"}[i], name)
		}
	}
	require.NoError(t, more[1].Model(&member{ID: 1}).Update("name", "changed").Error)
	for i, h := range append([]*handle{a}, more...) {
		name, _ := memberName(t, h, 1)
		require.Equal(t, []string{"m1", "m1", "changed", "changed"}[i], name)
	}
}

// Two plugins on two databases, in one process.
func TestTwoPluginsInOneProcess(t *testing.T) {
	t.Parallel()
	first := newWorld(t)
	second := &world{t: t, dialect: onPostgres(), dsn: testkit.PostgresDatabase(t), redis: first.redis, namespace: first.namespace}
	first.members(2)
	require.NoError(t, second.members(2).Exec("UPDATE members SET name = 'second'").Error)
	a, b := first.cached(), second.cached()
	warmMember(t, a, 1)
	warmMember(t, b, 1)
	closeNow(t, a)
	name, e := memberName(t, b, 1)
	require.Equal(t, "second", name)
	require.Equal(t, metrics.Hit, e.Outcome)
}

// The name of the plugin is GORM's to guard: a second one is refused, and the first goes on.
func TestPluginIsUsedOncePerHandle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	require.ErrorIs(t, h.Use(h.plugin), gorm.ErrRegistered)
	require.ErrorIs(t, h.Use(rediscache.New(rediscache.Config{Redis: w.redis})), gorm.ErrRegistered)
	warmMember(t, h, 1)
	require.Empty(t, h.sql.during(func() { require.NoError(t, h.First(&member{}, 1).Error) }))
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "new").Error)
	name, _ := memberName(t, h, 1)
	require.Equal(t, "new", name)
	require.ErrorIs(t, rediscache.Invalidate(w.plain().DB, rediscache.Everything()), rediscache.ErrNotUsed)
}

// A statement that is not carried out asks nobody, and is not announced.
func TestDryRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h, reader := w.cached(), w.cached()
	warmMember(t, reader, 1)
	for name, db := range map[string]*gorm.DB{
		"session": h.Session(&gorm.Session{DryRun: true}),
		"config":  w.cached(withGORM(func(c *gorm.Config) { c.DryRun = true })).DB,
	} {
		events := h.log.wrote(func() {
			for _, sent := range h.sql.during(func() {
				require.Contains(t, db.First(&member{}, 1).Statement.SQL.String(), "SELECT", name)
				require.Contains(t, db.Model(&member{ID: 1}).Update("name", "x").Statement.SQL.String(), "UPDATE", name)
				require.Contains(t, db.Delete(&member{}, 1).Statement.SQL.String(), "UPDATE", name)
				require.Contains(t, db.Create(&member{Name: "x"}).Statement.SQL.String(), "INSERT", name)
				require.Contains(t, db.Exec("DELETE FROM members").Statement.SQL.String(), "DELETE", name)
			}) {
				require.NotContains(t, sent, "members", name) // only GORM's BEGIN and COMMIT
			}
		})
		require.Empty(t, events, name)
	}
	require.Contains(t, h.ToSQL(func(tx *gorm.DB) *gorm.DB { return tx.First(&member{}, 1) }), "SELECT")
	require.Equal(t, metrics.Hit, reader.outcomeOf(t, 1))
}

// What an application may expect at a first start: tables that do not exist yet.
func TestUseBeforeTheTablesExist(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.cached()
	require.Error(t, h.First(&member{}, 1).Error)
	require.NoError(t, h.AutoMigrate(&member{}))
	require.NoError(t, h.Create(&member{Name: "a"}).Error)
	warmMember(t, h, 1)
	other := w.cached()
	require.Equal(t, metrics.Hit, other.outcomeOf(t, 1))
	require.NoError(t, other.Migrator().AddColumn(&memberWithMail{}, "Mail"))
	require.NoError(t, other.Exec("UPDATE members SET mail = 'x'").Error)
	var m memberWithMail
	require.NoError(t, h.First(&m, 1).Error)
	require.Equal(t, "x", m.Mail)
	require.NoError(t, other.Migrator().DropTable(&member{}))
	require.Error(t, h.First(&member{}, 1).Error)
}

type memberWithMail struct {
	ID   int
	Mail string
}

func (memberWithMail) TableName() string { return "members" }

// A database that cannot be reached when the plugin is used is asked again.
func TestDatabaseAwayWhenThePluginIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(1)
	far, proxy := w.through()
	h := far.plain()
	proxy.Cut()
	far.use(h)
	require.Error(t, h.First(&member{}, 1).Error)
	proxy.Restore()
	require.Eventually(t, func() bool {
		return h.First(&member{}, 1).Error == nil && h.log.lastOutcome() == metrics.Hit
	}, 20*time.Second, 5*time.Millisecond)
	reader := w.cached()
	warmMember(t, reader, 1)
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "new").Error)
	name, _ := memberName(t, reader, 1)
	require.Equal(t, "new", name)
	_ = plain
}
