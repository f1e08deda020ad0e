// Package stores lets the tests of one package run on every store: on Redis through redisstore, as they always do, and then,
// by [OnOthers], on the others.
package stores

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit/upstash"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/memstore"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// Env names the store that the tests run on: redisstore, the default, or one of others.
const Env = "REDISCACHE_TEST_STORE"

const (
	memory = "memstore"
	rest   = "upstashstore"
)

// Other reports whether the tests run on another store than redisstore.
func Other() bool { name := os.Getenv(Env); return name == memory || name == rest }

// InMemory reports whether the tests run on a store of which nothing can be taken from outside.
func InMemory() bool { return os.Getenv(Env) == memory }

// Open returns a new store, of the kind that the environment names, that is patient with a loaded machine. If it keeps its
// values in Redis, it is in that of the client.
func Open(t testing.TB, client *redis.Client, timeout time.Duration) store.Store {
	t.Helper()
	var s store.Store
	var err error
	switch name := os.Getenv(Env); name {
	case "", "redisstore":
		s, err = redisstore.New(client, redisstore.Options{Timeout: timeout})
	case memory:
		s, err = memstore.New(memstore.Options{})
	case rest:
		server := upstash.Start(t, client)
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
	if Other() {
		t.Skip("this is such a run")
	}
	program, err := os.Executable()
	require.NoError(t, err)
	for _, name := range []string{memory, rest} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := []string{"-test.run=" + run, "-test.skip=" + skip, "-test.v", "-test.timeout=10m"}
			if testing.Short() {
				args = append(args, "-test.short")
			}
			cmd := exec.CommandContext(t.Context(), program, args...)
			cmd.Env = append(os.Environ(), Env+"="+name)
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, failures(string(out)))
			require.Contains(t, string(out), "--- PASS: ", "no test has run")
			require.NotContains(t, string(out), "--- SKIP: ")
		})
	}
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
