package faults_test

import (
	"context"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// setupVariable has the setup of a process that reads and writes. The test itself has none.
const setupVariable = "REDISCACHE_FAULTS_SETUP"

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{}) // it tells of every attempt to reach a server that a test has taken away
	if setup := os.Getenv(setupVariable); setup != "" {
		os.Exit(serve(setup))
	}
	// It looks once a second whether the client of a Redis that is away was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

type quiet struct{}

// Printf implements the logger of go-redis.
func (quiet) Printf(context.Context, string, ...any) {}
