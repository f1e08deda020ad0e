package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/examples/internal/servers"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/upstash"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// deployed returns the environment of a function whose table is there, with the row 1, and who its connections are to
// PostgreSQL.
func deployed(t *testing.T, redisAddr string) (env map[string]string, application string) {
	t.Helper()
	application = testkit.Unique(t)
	env = map[string]string{
		servers.EnvDatabase: testkit.Postgres(t) + "&application_name=" + application,
		servers.EnvRedis:    "redis://" + redisAddr,
	}
	found, err := servers.Find(lookup(env))
	require.NoError(t, err)
	undo, err := deploy(t.Context(), found)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, undo()) })
	return env, application
}

func lookup(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

// instance returns a new instance, as after a cold start.
func instance(t *testing.T, env map[string]string, configure configure) *function {
	t.Helper()
	f := newFunction(lookup(env), configure)
	t.Cleanup(func() {
		if db, err := f.db(); err == nil {
			pool, err := db.DB()
			require.NoError(t, err)
			_ = pool.Close()
		}
	})
	return f
}

// patient is cacheConfig for a machine that has other things to do: where an answer comes from does not depend on its load.
func patient(getenv func(string) string, opt *redis.Options) (rediscache.Config, error) {
	cfg, err := cacheConfig(getenv, opt)
	cfg.Timeout, cfg.LearnTimeout = time.Minute, time.Minute
	return cfg, err
}

// call calls an instance, and returns the body and where it came from.
func call(t *testing.T, f *function, event Event) (body, cache string) {
	t.Helper()
	response, err := f.handle(t.Context(), event)
	require.NoError(t, err)
	require.Less(t, response.StatusCode, 300)
	return response.Body, response.Headers["X-Cache"]
}

const ada, grace = `{"id":1,"name":"Ada"}`, `{"id":1,"name":"Grace"}`

func TestInstancesShareWhatOneOfThemHasRead(t *testing.T) {
	t.Parallel()
	env, _ := deployed(t, testkit.StartRedis(t).Addr)
	seeWhatInstancesShare(t, env)
}

func TestInstancesShareItThroughUpstash(t *testing.T) {
	t.Parallel()
	const nowhere = "127.0.0.1:1"
	env, _ := deployed(t, nowhere)
	env[upstashstore.EnvURL] = upstash.Start(t, testkit.StartRedis(t).Client()).URL
	env[upstashstore.EnvToken] = upstash.Token
	seeWhatInstancesShare(t, env)
}

func seeWhatInstancesShare(t *testing.T, env map[string]string) {
	t.Helper()
	read := Event{Method: http.MethodGet, UserID: 1}
	first := instance(t, env, patient)
	body, cache := call(t, first, read)
	require.JSONEq(t, ada, body)
	require.Equal(t, "miss", cache)
	// At once: the answer was stored before the call returned, after which the process may have been frozen.
	for _, f := range []*function{first, instance(t, env, patient)} {
		body, cache = call(t, f, read)
		require.JSONEq(t, ada, body)
		require.Equal(t, "hit", cache)
	}

	second := instance(t, env, patient)
	call(t, second, Event{Method: http.MethodPut, UserID: 1, Name: "Grace"})
	for _, f := range []*function{first, second, instance(t, env, patient)} {
		body, _ := call(t, f, read)
		require.JSONEq(t, grace, body)
	}
}

func TestNothingIsDialedBeforeTheFirstCallAndLittleAfterIt(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	env, application := deployed(t, server.Addr)
	own, database := server.Client(), testkit.OpenPostgres(t, env[servers.EnvDatabase]+"_test")
	connections := func() (postgres, redis int) {
		const query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
		require.NoError(t, database.QueryRowContext(t.Context(), query, application).Scan(&postgres))
		return postgres, strings.Count(own.ClientList(t.Context()).Val(), "\n")
	}
	postgres, redis := connections() // of this test

	f := instance(t, env, patient)
	p, r := connections()
	require.Equal(t, [2]int{postgres, redis}, [2]int{p, r})
	_, err := f.handle(t.Context(), Event{})
	require.NoError(t, err)

	var calls sync.WaitGroup
	for i := range 50 {
		calls.Go(func() {
			_, err := f.handle(t.Context(), Event{Method: http.MethodGet, UserID: int64(i % 5)})
			require.NoError(t, err)
		})
	}
	calls.Wait()
	p, r = connections()
	require.Positive(t, p-postgres)
	require.LessOrEqual(t, p-postgres, databaseConnections)
	require.LessOrEqual(t, r-redis, redisConnections)
}

// A Redis that takes connections and never answers is the worst one to meet at a cold start.
func TestRedisThatDoesNotAnswerAtAColdStartLeavesTheCallToTheDatabase(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	for name, addr := range map[string]string{"silent": silent.Addr().String(), "refused": "127.0.0.1:1"} {
		env, _ := deployed(t, addr)
		f := instance(t, env, cacheConfig)
		// Without deadlines of its own, the client waits 12 s for an answer: four times three.
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		response, err := f.handle(ctx, Event{Method: http.MethodGet, UserID: 1})
		require.NoError(t, err, name)
		require.JSONEq(t, ada, response.Body)
		require.Equal(t, "bypass", response.Headers["X-Cache"])
		cancel()
	}
}

func TestWritesWorkWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	network := testkit.StartProxy(t, server.Addr)
	env, _ := deployed(t, network.Addr)
	f := instance(t, env, cacheConfig)
	body, _ := call(t, f, Event{Method: http.MethodGet, UserID: 1})
	require.JSONEq(t, ada, body)
	network.Cut()
	call(t, f, Event{Method: http.MethodPut, UserID: 1, Name: "Grace"})
	body, _ = call(t, f, Event{Method: http.MethodGet, UserID: 1})
	require.JSONEq(t, grace, body)
	network.Restore()
	body, _ = call(t, f, Event{Method: http.MethodGet, UserID: 1})
	require.JSONEq(t, grace, body)
}

func TestAnswersOfOtherKinds(t *testing.T) {
	t.Parallel()
	env, _ := deployed(t, testkit.StartRedis(t).Addr)
	f := instance(t, env, patient)
	for event, want := range map[Event]int{
		{Method: http.MethodGet, UserID: 9}:              http.StatusNotFound,
		{Method: http.MethodPut, UserID: 9, Name: "Ada"}: http.StatusNotFound,
		{Method: http.MethodPost}:                        http.StatusMethodNotAllowed,
	} {
		response, err := f.handle(t.Context(), event)
		require.NoError(t, err)
		require.Equal(t, want, response.StatusCode, fmt.Sprint(event))
	}
}

func TestErrorOfTheConfigurationNamesTheVariable(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{servers.EnvRedis: "nonsense", upstashstore.EnvURL: "https://example.com"} {
		f := newFunction(lookup(map[string]string{name: value}), cacheConfig)
		for range 2 {
			_, err := f.handle(t.Context(), Event{Method: http.MethodGet, UserID: 1})
			require.ErrorContains(t, err, name)
		}
	}
}

// Without t.Parallel: it sets the environment of the process, and the instance that reads it.
func TestItRunsOnWhatItBrings(t *testing.T) { //nolint:paralleltest // see above
	for _, name := range []string{servers.EnvDatabase, servers.EnvRedis} {
		t.Setenv(name, "")
	}
	shared = newFunction(os.Getenv, cacheConfig)
	require.NoError(t, run(t.Context()))
}
