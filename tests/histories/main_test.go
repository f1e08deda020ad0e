// Package histories_test runs applications against real PostgreSQL and Redis, breaks something, and judges what they saw by
// exactly what docs/guarantees.md says of it.
//
//	app_test.go        what an application writes and reads
//	process_test.go    an application as a process of its own, which can be killed
//	fleet_test.go      several of them, and their servers
//	phases_test.go     what is broken, and the rows of the guarantees that hold then
//	lab_test.go        applications in this process
//	cluster_test.go    a Redis Cluster that changes
//	broken_test.go     protocols that are broken, which have to be found out
//	memory_test.go     many goroutines, very many statements, and flat memory
package histories_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{}) // it tells of every attempt to reach a server that a test has taken away
	goleak.VerifyTestMain(m)
}

type quiet struct{}

// Printf implements the logger of go-redis.
func (quiet) Printf(context.Context, string, ...any) {}
