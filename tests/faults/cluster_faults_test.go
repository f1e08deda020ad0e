package faults_test

import (
	"context"
	"net"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// A shard is a primary of a cluster.
type shard struct {
	*redis.Client
	id string
}

// Slots move to another server while they are read and written: half of their keys are here, half are there.
func TestSlotsMoveUnderTraffic(t *testing.T) {
	t.Parallel()
	var shards []shard
	cluster := testkit.StartRedisCluster(t)
	for _, addr := range cluster.Options().Addrs {
		c := redis.NewClient(&redis.Options{Addr: addr})
		t.Cleanup(func() { _ = c.Close() })
		shards = append(shards, shard{c, c.Do(t.Context(), "CLUSTER", "MYID").String()[len("CLUSTER MYID: "):]})
	}
	s := &scene{t: t}
	s.bring(setup{Cluster: cluster.Options().Addrs, Recovered: fault{}.recovered()})
	s.warm()
	for n, from := range shards {
		to := shards[(n+1)%len(shards)]
		slots := from.slots(t)
		for _, slot := range slots {
			to.set(t, slot, "IMPORTING", from.id)
			from.set(t, slot, "MIGRATING", to.id)
			from.migrate(t, slot, to, 1) // a half, or so: there are few keys in a slot
		}
		s.more()
		for _, slot := range slots {
			for from.migrate(t, slot, to, 100) {
			}
			to.set(t, slot, "NODE", to.id)
			for _, c := range shards {
				c.set(t, slot, "NODE", to.id)
			}
		}
		s.more()
	}
	total := 0
	for _, c := range shards {
		total += field(c.Info(t.Context(), "errorstats").Val(), "errorstat_TRYAGAIN:count=")
	}
	require.Positive(t, total, "TRYAGAIN")
	s.judge(false)
}

// slots returns those that hold something.
func (c shard) slots(t *testing.T) []int64 {
	t.Helper()
	seen := map[int64]bool{}
	var slots []int64
	keys := c.Scan(t.Context(), 0, "*", 1000).Iterator()
	for keys.Next(t.Context()) {
		slot := c.ClusterKeySlot(t.Context(), keys.Val()).Val()
		if !seen[slot] {
			seen[slot] = true
			slots = append(slots, slot)
		}
	}
	require.NoError(t, keys.Err())
	return slots
}

func (c shard) set(t *testing.T, slot int64, state, id string) {
	t.Helper()
	require.NoError(t, c.Do(t.Context(), "CLUSTER", "SETSLOT", slot, state, id).Err())
}

// migrate moves so many keys of a slot, and reports whether there were any.
func (c shard) migrate(t *testing.T, slot int64, to shard, n int) bool {
	t.Helper()
	keys := c.ClusterGetKeysInSlot(t.Context(), int(slot), n).Val()
	host, port, err := net.SplitHostPort(to.Options().Addr)
	require.NoError(t, err)
	args := []any{"MIGRATE", host, port, "", 0, 5000, "REPLACE", "KEYS"}
	for _, k := range keys {
		args = append(args, k)
	}
	if len(keys) > 0 {
		require.NoError(t, c.Do(context.WithoutCancel(t.Context()), args...).Err())
	}
	return len(keys) > 0
}
