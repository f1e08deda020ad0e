package tests_test

import (
	"context"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// serverless makes a plugin one that may be frozen between two statements, with a client of its own.
func serverless() option {
	return withPlugin(func(c *rediscache.Config) { c.Redis, c.Serverless = nil, rediscache.ServerlessOn })
}

// slow is a store that takes its time for what might be left to the background.
type slow struct{ store.Store }

func (s slow) Put(ctx context.Context, entries []store.Entry) error {
	time.Sleep(20 * time.Millisecond)
	return s.Store.Put(ctx, entries)
}

// working returns the stacks of goroutines in which one of these works.
func working(names ...string) (found []string) {
	buf := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		for _, name := range names {
			if strings.Contains(stack, name) {
				found = append(found, stack)
				break
			}
		}
	}
	return found
}

// answered reports whether a goroutine has only to end: the statement has waited for its answer.
func answered(stack string) bool { return strings.Contains(stack, "callbacks.(*database).current") }

// When a statement has returned, nothing goes on in this process on its behalf.
func TestServerlessLeavesNoGoroutineBehindAStatement(t *testing.T) { //nolint:paralleltest // the others' would be seen
	ours := []string{
		"rediscache/callbacks.", "rediscache/internal/consistency.", "rediscache/internal/txpool.",
		"rediscache/store/redisstore.",
	}
	require.Empty(t, working(ours...))
	w := newWorld(t)
	w.members(5)
	inner, err := redisstore.New(w.redis, redisstore.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)
	h := w.cached(withPlugin(func(c *rediscache.Config) {
		c.Redis, c.Store, c.Serverless = nil, slow{inner}, rediscache.ServerlessOn
	}))
	statements := map[string]func(*gorm.DB) error{
		"row":    func(db *gorm.DB) error { return db.First(&member{}, 1).Error },
		"absent": func(db *gorm.DB) error { return db.Find(&[]member{}, 99).Error },
		"list":   func(db *gorm.DB) error { return db.Order("id").Find(&[]member{}).Error },
		"update": func(db *gorm.DB) error { return db.Model(&member{ID: 1}).Update("name", "x").Error },
		"raw":    func(db *gorm.DB) error { return db.Exec("UPDATE members SET age = 1").Error },
		"tx": func(db *gorm.DB) error {
			return db.Transaction(func(tx *gorm.DB) error { return tx.Delete(&member{ID: 2}).Error })
		},
		"ids": func(db *gorm.DB) error { return db.Find(&[]member{}, []int{1, 3, 4, 5}).Error },
	}
	for _, name := range []string{"row", "absent", "list", "update", "row", "raw", "list", "tx", "ids", "row", "list"} {
		require.NoError(t, statements[name](h.DB), name)
		require.Empty(t, slices.DeleteFunc(working(ours...), answered), name)
		testkit.Eventually(t, "who has answered is gone", func() bool { return len(working(ours...)) == 0 })
	}
	// What was read is stored: nobody has to wait.
	require.Equal(t, metrics.Hit, w.cached().outcomeOf(t, 1))
}

// A table that was made since the catalog was read is found by the statement that names it, not in the background.
func TestServerlessReadsTheCatalogWhenItIsNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.Serverless = rediscache.ServerlessOn }))
	require.NoError(t, h.First(&member{}, 1).Error)
	require.NoError(t, w.plain().Exec("CREATE TABLE latecomers AS SELECT 1 AS id").Error)
	time.Sleep(1100 * time.Millisecond) // a catalog that is younger is not asked again
	var n int64
	e := h.log.read(t, func() { require.NoError(t, h.Table("latecomers").Count(&n).Error) })
	require.Equal(t, metrics.Miss, e.Outcome, e.Reason)
}

// The client of a serverless process has no goroutine that needs CPU time while nobody asks, whether Redis is there or not.
func TestServerlessClientHasNoGoroutines(t *testing.T) { //nolint:paralleltest // the others' would be seen
	w := newWorld(t)
	w.old = true
	w.members(20)
	server := testkit.StartRedis(t)
	before := len(working("github.com/redis/go-redis"))
	environment(t, map[string]string{"REDIS_URL": "redis://" + server.Addr})
	h := w.cached(serverless(), withPlugin(func(c *rediscache.Config) { c.Timeout = 100 * time.Millisecond }))
	none := func(when string) {
		testkit.Eventually(t, "goroutines of go-redis end "+when, func() bool {
			return len(working("github.com/redis/go-redis")) <= before
		})
	}
	require.NoError(t, h.First(&member{}, 1).Error)
	none("when Redis answers")
	server.Kill()
	for i := range 20 {
		require.NoError(t, h.First(&member{}, i+1).Error)
	}
	none("when Redis is away")
}

// What is asked of Redis for the first query, and for the next one.
func TestColdStartAsksNothingBeforeTheFirstQuery(t *testing.T) { //nolint:paralleltest // what others do would count
	w := newWorld(t)
	w.members(2)
	server := testkit.StartRedis(t)
	environment(t, map[string]string{"REDIS_URL": "redis://" + server.Addr})
	var h *handle
	require.Empty(t, commandsOf(t, server, func() { h = w.cached(serverless()) }))
	read := func() { require.NoError(t, h.First(&member{}, 1).Error) }
	h.warm(t, func(*gorm.DB) { read() })
	require.Empty(t, commandsOf(t, server, func() { h = w.cached(serverless()) }))
	// The first query of an instance sees that what it knows of the database is current, then asks for its answer.
	require.Equal(t, "mget 2", commandsOf(t, server, read))
	require.Equal(t, "mget 1", commandsOf(t, server, read))
}

// A Redis that does not answer costs the first query of an instance one deadline: it is asked once.
func TestColdStartWithoutRedisCostsOneDeadline(t *testing.T) { //nolint:paralleltest // it sets the environment
	l, err := net.Listen("tcp", "127.0.0.1:0") // what calls is put through, and hears nothing
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	p := testkit.StartProxy(t, l.Addr().String())
	environment(t, map[string]string{"REDIS_URL": "redis://" + p.Addr})
	w := newWorld(t)
	w.old = true
	w.members(2)
	const timeout = time.Second
	h := w.cached(serverless(), withPlugin(func(c *rediscache.Config) { c.Timeout = timeout }))
	start := time.Now()
	var m member
	require.NoError(t, h.First(&m, 1).Error)
	require.Equal(t, "m1", m.Name)
	require.GreaterOrEqual(t, time.Since(start), timeout, "it has not been waited for")
	// What is asked after a deadline is asked on another connection, since the answer may still come on the first.
	require.Equal(t, 1, p.Accepted())
}

// Connections that died while the process was frozen do not cost an answer.
func TestConnectionThatDiedWhileFrozen(t *testing.T) { //nolint:paralleltest // it sets the environment
	server := testkit.StartRedisTLS(t)
	w := newWorld(t)
	w.members(2)
	for name, c := range map[string]struct { //nolint:paralleltest // as above
		target, scheme, query string
		die                   func(*testkit.Proxy)
	}{
		"closed":           {server.Addr, "redis", "", func(p *testkit.Proxy) { p.Cut(); p.Restore() }},
		"closed, with TLS": {server.TLSAddr, "rediss", "", func(p *testkit.Proxy) { p.Cut(); p.Restore() }},
		"forgotten, and it is known for how long": {
			server.Addr, "redis", "?conn_max_idle_time=10ms",
			func(p *testkit.Proxy) { p.Silence(); time.Sleep(20 * time.Millisecond) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := testkit.StartProxy(t, c.target)
			vars := map[string]string{"REDIS_URL": c.scheme + "://" + proxy.Addr + c.query}
			if c.scheme == "rediss" {
				vars["REDIS_TLS_CA_FILE"] = server.CAFile
				vars["REDIS_TLS_CERT_FILE"], vars["REDIS_TLS_KEY_FILE"] = server.CertFile, server.KeyFile
			}
			environment(t, vars)
			h := w.cached(serverless())
			read := func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) }
			h.warm(t, read)
			for range 3 {
				before := proxy.Accepted()
				c.die(proxy)
				e := h.log.read(t, func() { read(h.DB) })
				require.Equal(t, metrics.Hit, e.Outcome, e.Reason)
				require.Equal(t, 1, proxy.Accepted()-before, "connections made")
			}
		})
	}
}

// Instances come and go, some without a word, and all of them together stay within the connections that they may have.
func TestManyInstancesDoNotExhaustTheServer(t *testing.T) { //nolint:paralleltest // it sets the environment
	const conns = 4
	for name, c := range map[string]struct{ instances, maxclients int }{ //nolint:paralleltest // as above
		"enough for all": {200, 200*conns + 10}, "too few": {20, 10},
	} {
		t.Run(name, func(t *testing.T) {
			server := testkit.StartRedis(t)
			admin := server.Client()
			require.NoError(t, admin.ConfigSet(t.Context(), "maxclients", strconv.Itoa(c.maxclients)).Err())
			environment(t, map[string]string{"REDIS_URL": "redis://" + server.Addr, "AWS_LAMBDA_FUNCTION_NAME": "f"})
			instance := instances(t)
			for i := range c.instances / 2 {
				instance(i%2 == 0)
			}
			var atOnce sync.WaitGroup
			for i := range c.instances / 2 {
				atOnce.Go(func() { instance(i%2 == 0) })
			}
			atOnce.Wait()
			stats := func(section, name string) string { return admin.InfoMap(t.Context(), section).Val()[section][name] }
			if c.maxclients < c.instances*conns {
				require.NotEqual(t, "0", stats("Stats", "rejected_connections"), "it was not exhausted, so this test tests nothing")
				return
			}
			require.Equal(t, "0", stats("Stats", "rejected_connections"))
			testkit.Eventually(t, "those that were abandoned have few connections, and the others none", func() bool {
				n, err := strconv.Atoi(stats("Clients", "connected_clients"))
				return err == nil && n <= c.instances/2*conns+1
			})
		})
	}
}

// instances returns a function that starts one, uses it as eight users do, and closes it, or forgets it. They share the pool of
// a database, which is not theirs to exhaust.
func instances(t *testing.T) func(closes bool) {
	t.Helper()
	const users = 8
	w := newWorld(t)
	pool, err := w.members(users).DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(10)
	return func(closes bool) {
		db, err := gorm.Open(postgres.New(postgres.Config{Conn: pool}), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		plugin := rediscache.New(rediscache.Config{Namespace: w.namespace, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, db.Use(plugin))
		var all sync.WaitGroup
		for i := range users {
			all.Go(func() {
				var m member
				require.NoError(t, db.First(&m, i+1).Error)
				require.Equal(t, i+1, m.ID)
				require.NoError(t, db.Model(&m).Update("age", i).Error) // writes share no exchange
			})
		}
		all.Wait()
		bye := func() {
			ctx, cancel := contextWithTimeout(t, time.Millisecond) // a Redis without connections cannot be told
			defer cancel()
			_ = plugin.Close(ctx)
		}
		if closes {
			bye()
		} else {
			t.Cleanup(bye) // when all is over
		}
	}
}
