package tests_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// TestMain checks that no goroutine outlives the plugins and the handles that the tests have closed.
func TestMain(m *testing.M) {
	redis.SetLogger(quiet{}) // it tells of every attempt to reach a server that a test has taken away
	// GORM keeps one for each handle that prepares statements.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"),
		// It looks once a second whether the client of a Redis that is away was closed.
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"),
	)
}

type quiet struct{}

// Printf implements the logger of go-redis.
func (quiet) Printf(context.Context, string, ...any) {}
