package tests_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// failoverClients returns so many clients that ask Sentinels where the primary is.
func failoverClients(t *testing.T, s *testkit.RedisSentinel, n int) (clients []redis.UniversalClient) {
	t.Helper()
	for range n {
		client := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "main", SentinelAddrs: s.Addrs()})
		t.Cleanup(func() { _ = client.Close() })
		clients = append(clients, client)
	}
	return clients
}

// promoted waits until a replica has become the primary.
func promoted(t *testing.T, s *testkit.RedisServer) {
	t.Helper()
	client := s.Client()
	require.Eventually(t, func() bool {
		return strings.Contains(client.Info(t.Context(), "replication").Val(), "role:master")
	}, time.Minute, 10*time.Millisecond)
}

func TestSentinelFailoverUnderTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := testkit.StartRedisSentinel(t)
	load := w.under(failoverClients(t, s, 3)...)
	load.start()
	s.Primary.Kill()
	promoted(t, s.Replica)
	load.goOn(time.Second)
	require.Zero(t, load.end())
	load.hits("afterwards")
}

// The replica that takes over has heard nothing of the write, and has what is old by it.
func TestSentinelFailoverThatLosesAnAcknowledgedWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := testkit.StartRedisSentinel(t)
	load := w.under(failoverClients(t, s, 2)...)
	_, key := load.handles[0].whereFrom(t, 7)
	require.NoError(t, load.losesAWrite(s.Primary, s.Replica, 7))
	promoted(t, s.Replica)
	require.NotZero(t, s.Replica.Client().Exists(t.Context(), key).Val(), "what is old is there, or this tests nothing")
	load.goOn(time.Second)
	require.Zero(t, load.end())
	load.hits("afterwards")
}
