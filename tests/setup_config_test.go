package tests_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// Everything that is wrong is told at once, by name.
func TestInvalidConfigNamesEveryField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var typed *redis.Client
	for name, test := range map[string]struct {
		config rediscache.Config
		fields []string
	}{
		"several": {rediscache.Config{
			Redis: w.redis, Namespace: "a b", OnOutage: 7, Timeout: -1, MaxRows: -1, MaxBytes: -1,
			Policy: ttlconfig.Policy{TTL: -time.Second},
			Models: ttlconfig.Models{ttlconfig.For[member](): {AbsentTTL: -1}},
		}, []string{"Namespace", "OnOutage", "Timeout", "MaxRows", "MaxBytes", "Policy", "Models", "member"}},
		"nil client":     {rediscache.Config{Redis: typed}, []string{"Config.Redis"}},
		"replica client": {rediscache.Config{Redis: redis.NewClusterClient(&redis.ClusterOptions{ReadOnly: true})}, []string{"Config.Redis", "ReadOnly"}},
		"no model":       {rediscache.Config{Redis: w.redis, Models: ttlconfig.Models{ttlconfig.For[int](): {}}}, []string{"Models", "int"}},
		"unnamed model":  {rediscache.Config{Redis: w.redis, Models: ttlconfig.Models{{}: {}}}, []string{"Models"}},
	} {
		err := w.plain().Use(rediscache.New(test.config))
		require.ErrorIs(t, err, rediscache.ErrConfig, name)
		for _, field := range test.fields {
			require.ErrorContains(t, err, field, name)
		}
	}
}

// The environment says where Redis is; an error names the variable, and does not repeat a password.
func TestEnvironment(t *testing.T) {
	server := testkit.StartRedis(t)
	require.NoError(t, server.Client().ConfigSet(t.Context(), "requirepass", "s3cret").Err())
	host, port := "127.0.0.1", server.Addr[len("127.0.0.1:"):]
	for name, test := range map[string]struct {
		env   map[string]string
		wrong string
	}{
		"url":         {env: map[string]string{"REDIS_URL": "redis://:s3cret@" + server.Addr + "/1"}},
		"parts":       {env: map[string]string{"REDIS_HOST": host, "REDIS_PORT": port, "REDIS_PASSWORD": "s3cret", "REDIS_DB": "2"}},
		"user":        {env: map[string]string{"REDIS_HOST": host, "REDIS_PORT": port, "REDIS_USERNAME": "default", "REDIS_PASSWORD": "s3cret", "REDIS_TLS": "false"}},
		"wrong url":   {env: map[string]string{"REDIS_URL": "http://s3cret@x"}, wrong: "REDIS_URL"},
		"wrong port":  {env: map[string]string{"REDIS_PORT": "70000", "REDIS_PASSWORD": "s3cret"}, wrong: "REDIS_PORT"},
		"wrong db":    {env: map[string]string{"REDIS_DB": "first", "REDIS_PASSWORD": "s3cret"}, wrong: "REDIS_DB"},
		"wrong tls":   {env: map[string]string{"REDIS_TLS": "maybe", "REDIS_PASSWORD": "s3cret"}, wrong: "REDIS_TLS"},
		"url decides": {env: map[string]string{"REDIS_URL": "redis://:s3cret@" + server.Addr, "REDIS_PORT": "nonsense"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{"URL", "HOST", "PORT", "USERNAME", "PASSWORD", "DB", "TLS"} {
				t.Setenv("REDIS_"+v, test.env["REDIS_"+v])
			}
			w := newWorld(t)
			w.members(1)
			h := w.plain()
			cfg := rediscache.Config{Namespace: w.namespace, Recorder: h.log, Timeout: 5 * time.Second}
			plugin := rediscache.New(cfg)
			err := h.Use(plugin)
			if test.wrong != "" {
				require.ErrorIs(t, err, rediscache.ErrConfig)
				require.ErrorContains(t, err, test.wrong)
				require.NotContains(t, err.Error(), "s3cret")
				return
			}
			require.NoError(t, err)
			h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
			require.NoError(t, plugin.Close(t.Context()))
		})
	}
}

// The zero Config shares its cache with whoever else uses the same database and Redis, and with nobody else.
func TestDatabasesNeverMix(t *testing.T) {
	t.Parallel()
	shared := newWorld(t)
	worlds := []*world{
		{t: t, dsn: testkit.PostgresDatabase(t)}, {t: t, dsn: testkit.PostgresDatabase(t)}, // databases
		{t: t, dsn: shared.dsn}, {t: t, dsn: testkit.Postgres(t)}, // schemas of one database
	}
	var handles []*handle
	for i, w := range worlds {
		w.redis, w.namespace = shared.redis, shared.namespace
		plain := w.members(1)
		require.NoError(t, plain.Model(&member{ID: 1}).Update("name", string(rune('a'+i))).Error)
		handles = append(handles, w.cached(), w.cached())
	}
	for range 3 {
		for i, h := range handles {
			require.Equal(t, string(rune('a'+i/2)), nameOf(t, h.DB, 1))
		}
	}
	for i := 0; i < len(handles); i += 2 {
		require.NoError(t, handles[i].Model(&member{ID: 1}).Update("name", string(rune('A'+i/2))).Error)
	}
	for i, h := range handles {
		require.Equal(t, string(rune('A'+i/2)), nameOf(t, h.DB, 1))
	}
}

// Namespaces share nothing: neither answers nor invalidations. It is for databases that nobody shares.
func TestNamespacesShareNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true
	w.members(1)
	other := *w
	other.namespace += "-other"
	a, b := w.cached(), other.cached()
	a.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	b.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	require.NoError(t, b.Model(&member{ID: 1}).Update("name", "changed").Error)
	require.Equal(t, "m1", nameOf(t, a.DB, 1))
	require.Equal(t, "changed", nameOf(t, b.DB, 1))
}

// One plugin may serve several handles, and several plugins one application.
func TestOnePluginForSeveralHandles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	second := w.plain()
	require.NoError(t, second.Use(h.plugin))
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	require.Empty(t, second.sql.during(func() { nameOf(t, second.DB, 1) }))
	require.NoError(t, second.Model(&member{ID: 1}).Update("name", "changed").Error)
	require.Equal(t, "changed", nameOf(t, h.DB, 1))
	require.ErrorIs(t, second.Use(rediscache.New(rediscache.Config{Redis: w.redis})), gorm.ErrRegistered)
}

// Sessions that were made before the plugin was used are sessions of the same handle.
func TestSessionsMadeBeforeThePluginWasUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.plain()
	session := h.Session(&gorm.Session{})
	scoped := h.Where("age > ?", 1).Session(&gorm.Session{})
	w.use(h)
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	require.NoError(t, session.Model(&member{ID: 1}).Update("name", "changed").Error)
	require.Equal(t, "changed", nameOf(t, h.DB, 1))
	h.warm(t, func(*gorm.DB) { nameOf(t, scoped, 1) })
}

// After Close the handles go on, with the database alone.
func TestClosedPluginPassesEverythingBy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true // who goes on writing does not tell Redis
	w.members(1)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	tx := h.Begin()
	require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "in a transaction").Error)
	require.NoError(t, h.plugin.Close(t.Context()))
	require.NoError(t, h.plugin.Close(t.Context()))
	require.NoError(t, tx.Commit().Error)
	require.Equal(t, "in a transaction", nameOf(t, h.DB, 1))
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "changed").Error)
	require.Equal(t, "changed", nameOf(t, h.DB, 1))
	require.ErrorIs(t, w.plain().Use(h.plugin), rediscache.ErrClosed)
	require.NoError(t, rediscache.New(rediscache.Config{}).Close(context.Background()))
}

// Nothing of it needs Redis when the application starts.
func TestRedisMayBeAwayWhenTheApplicationStarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	server := testkit.StartRedis(t)
	proxy := testkit.StartProxy(t, server.Addr)
	proxy.Cut()
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	h := w.cached(on(client))
	works(t, h, 1)
	proxy.Restore()
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 2).Error) })
}

// Applications may put handlers of their own in the place of GORM's, also after the plugin: reads then pass by, and
// writes are announced all the same.
func TestHandlersThatAreReplacedAfterThePlugin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	h, reader := w.cached(), w.cached()
	for _, replace := range []func(func(*gorm.DB)) error{
		func(f func(*gorm.DB)) error { return h.Callback().Update().Replace("gorm:update", f) },
		func(f func(*gorm.DB)) error { return h.Callback().Delete().Replace("gorm:delete", f) },
		func(f func(*gorm.DB)) error { return h.Callback().Raw().Replace("gorm:raw", f) },
	} {
		require.NoError(t, replace(func(db *gorm.DB) {
			if db.Error == nil && db.Statement.SQL.Len() == 0 {
				db.Statement.SQL.WriteString("UPDATE members SET age = age + 100 WHERE id = 1")
			}
			result, err := db.Statement.ConnPool.ExecContext(db.Statement.Context, db.Statement.SQL.String(), db.Statement.Vars...)
			if db.AddError(err) == nil {
				db.RowsAffected, _ = result.RowsAffected()
			}
		}))
	}
	age := func(db *gorm.DB) int {
		var m member
		require.NoError(t, db.First(&m, 1).Error)
		return m.Age
	}
	for i, write := range []func() error{
		func() error { return h.Model(&member{ID: 1}).Update("age", 1).Error },
		func() error { return h.Delete(&member{}, 3).Error },
		func() error { return h.Exec("UPDATE members SET age = age + 100 WHERE id = ?", 1).Error },
		func() error {
			return h.Transaction(func(tx *gorm.DB) error { return tx.Model(&member{ID: 1}).Update("age", 1).Error })
		},
	} {
		reader.warm(t, func(db *gorm.DB) { age(db) })
		require.NoError(t, write())
		require.Equal(t, 20+100*(i+1), age(reader.DB))
	}
}

// The application's own callbacks run as they do without the plugin, and see the same statement.
func TestCallbacksOfTheApplicationRunAsBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	h := w.plain()
	var calls []string
	note := func(name string) func(*gorm.DB) {
		return func(db *gorm.DB) {
			calls = append(calls, name+" "+db.Statement.SQL.String())
			require.NoError(t, db.Error)
		}
	}
	require.NoError(t, h.Callback().Query().Before("gorm:query").Register("app:before", note("before")))
	require.NoError(t, h.Callback().Query().After("gorm:query").Register("app:after", note("after")))
	read := func() []string {
		calls = nil
		nameOf(t, h.DB, 1)
		return calls
	}
	want := read()
	w.use(h)
	h.warm(t, func(*gorm.DB) { require.Equal(t, want, read()) })
	require.Equal(t, want, read())
}
