// Package testkit gives a test servers that nobody else disturbs: a private PostgreSQL schema, MySQL database and Redis namespace on
// shared servers, private servers that it may kill, and a network that it can cut.
//
// Shared servers are named by REDISCACHE_TEST_POSTGRES, REDISCACHE_TEST_MYSQL and REDISCACHE_TEST_REDIS, or are those on
// localhost. Command withservers (make test) finds or starts them.
package testkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Environment variables that the tests read.
const (
	// EnvPostgres is the URL of a PostgreSQL server on which the tests may create schemas and databases.
	EnvPostgres = "REDISCACHE_TEST_POSTGRES"
	// EnvMySQL is the DSN of a MySQL or MariaDB server on which the tests may create databases.
	EnvMySQL = "REDISCACHE_TEST_MYSQL"
	// EnvRedis is the URL of a Redis server in which the tests may use names of their own.
	EnvRedis = "REDISCACHE_TEST_REDIS"
	// EnvRedisServer is the program of which the tests start servers of their own: redis-server, which is the default, or
	// another version of it, or valkey-server.
	EnvRedisServer = "REDISCACHE_TEST_REDIS_SERVER"
	// EnvWithout names programs without which the tests that need them are skipped, whatever EnvRequire says.
	EnvWithout = "REDISCACHE_TEST_WITHOUT"
	// EnvRequire, when set, makes a test fail that would be skipped for want of a server.
	EnvRequire = "REDISCACHE_TEST_REQUIRE"
)

// Defaults for servers on localhost.
const (
	LocalPostgres = "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"
	LocalMySQL    = "root@tcp(127.0.0.1:3306)/?parseTime=true"
	LocalRedis    = "redis://127.0.0.1:6379/0"
)

// Missing skips the test for want of a server, or fails it where nothing may be skipped.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv(EnvRequire) != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format+" (make test finds or starts it)", args...)
}

// Binary returns the path of an installed program.
func Binary(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "the program %s is not installed", name)
	}
	return path
}

// Eventually waits until a condition holds, for a minute at most.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	within(t, time.Minute, what, holds)
}

// within waits until a condition holds.
func within(t testing.TB, most time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(most)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for: %s", most, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// Unique returns a name that no other test has: short, lower case, good for a schema and for a namespace.
func Unique(t testing.TB) string {
	t.Helper()
	name := strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	clean := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, name)
	if len(clean) > 24 {
		clean = clean[:24]
	}
	return fmt.Sprintf("t_%s_%x", clean, time.Now().UnixNano())
}

// background is the context of work that outlives a test's own context: its clean-up.
func background() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 30*time.Second)
}

func envOr(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}

// Soak returns for how long tests that draw what they do go on drawing, as REDISCACHE_SOAK says; 0: as long as in every run of
// the tests.
func Soak(t testing.TB) time.Duration {
	t.Helper()
	s := os.Getenv("REDISCACHE_SOAK")
	if s == "" {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatalf("REDISCACHE_SOAK: %v", err)
	}
	return d
}
