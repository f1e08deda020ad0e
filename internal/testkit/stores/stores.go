// Package stores lets the tests of one package run on every store: on Redis through redisstore, as they always do, and then,
// by [OnOthers], on the others; or, by [OnACluster], on a Redis Cluster.
package stores

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/upstash"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/memstore"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

const (
	// Env names the store that the tests run on: redisstore, the default, or one of others.
	Env = "REDISCACHE_TEST_STORE"
	// EnvCluster has the addresses of the Redis Cluster that the tests run on. Without it they run on one server.
	EnvCluster = "REDISCACHE_TEST_CLUSTER"
)

const (
	memory = "memstore"
	rest   = "upstashstore"
)

// Other reports whether the tests run on another store than redisstore.
func Other() bool { name := os.Getenv(Env); return name == memory || name == rest }

// InMemory reports whether the tests run on a store of which nothing can be taken from outside.
func InMemory() bool { return os.Getenv(Env) == memory }

// Clustered reports whether the tests run on a Redis Cluster.
func Clustered() bool { return os.Getenv(EnvCluster) != "" }

// Redis returns a client of the Redis that the tests run on, which is one server or a Cluster, and a namespace of the test's
// own.
func Redis(t testing.TB) (client redis.UniversalClient, namespace string) {
	t.Helper()
	if !Clustered() {
		return testkit.Redis(t)
	}
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: strings.Split(os.Getenv(EnvCluster), ",")})
	t.Cleanup(func() { _ = cluster.Close() })
	return cluster, testkit.Unique(t) // nothing is emptied: the servers end with the run
}

// Open returns a new store, of the kind that the environment names, that is patient with a loaded machine. If it keeps its
// values in Redis, it is in that of the client.
func Open(t testing.TB, client redis.UniversalClient, timeout time.Duration) store.Store {
	t.Helper()
	var s store.Store
	var err error
	switch name := os.Getenv(Env); name {
	case "", "redisstore":
		s, err = redisstore.New(client, redisstore.Options{Timeout: timeout})
	case memory:
		s, err = memstore.New(memstore.Options{})
	case rest:
		behind, ok := client.(*redis.Client)
		require.True(t, ok, "it is before one server")
		server := upstash.Start(t, behind)
		nobody := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
		server.ReadFrom(t, nobody) // so that a step which a replica may answer fails
		require.NoError(t, nobody.Close())
		s, err = upstashstore.New(upstashstore.Options{URL: server.URL, Token: upstash.Token, Timeout: timeout})
	default:
		t.Fatalf("%s: want redisstore, %s or %s, got %q", Env, memory, rest, name)
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// OnOthers runs tests of the package once more on each of the other stores: those whose names match the one pattern and not
// the other one.
func OnOthers(t *testing.T, run, skip string) {
	t.Helper()
	for _, name := range []string{memory, rest} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again(t, run, skip, Env+"="+name)
		})
	}
}

// OnACluster runs tests of the package once more on a Redis Cluster of three primaries: those whose names match the pattern.
// Each primary must be in use.
func OnACluster(t *testing.T, run string) {
	t.Helper()
	c := testkit.StartRedisPrimaries(t)
	again(t, run, "^$", EnvCluster+"="+strings.Join(c.Client().Options().Addrs, ","))
	for _, s := range c.Primaries {
		require.NotZero(t, s.Client().DBSize(t.Context()).Val(), "nothing was kept on one of the servers")
	}
}

// again runs tests of the package in another process, with another environment.
func again(t *testing.T, run, skip, env string) {
	t.Helper()
	if Other() || Clustered() {
		t.Skip("this is such a run")
	}
	program, err := os.Executable()
	require.NoError(t, err)
	args := []string{"-test.run=" + run, "-test.skip=" + skip, "-test.v", "-test.timeout=10m"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), env)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, failures(string(out)))
	require.Contains(t, string(out), "--- PASS: ", "no test has run")
	require.NotContains(t, string(out), "--- SKIP: ")
}

// failures returns what a run has printed, without what went well.
func failures(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- PASS: ") {
			b.WriteString(line)
		}
	}
	return b.String()
}
