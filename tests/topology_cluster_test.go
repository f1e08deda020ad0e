package tests_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

func TestClusterFailoverUnderTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := testkit.StartReplicatedRedisCluster(t)
	load := w.under(clusterClients(c, 3)...)
	load.start()
	c.Primaries[1].Kill()
	c.AwaitPrimary(c.Replicas[1])
	load.goOn(time.Second)
	require.Zero(t, load.end())
	load.hits("afterwards")
}

func TestClusterFailoverThatWasAskedForUnderTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := testkit.StartReplicatedRedisCluster(t)
	load := w.under(clusterClients(c, 3)...)
	load.start()
	c.TakeOver(c.Replicas[2])
	c.AwaitReplica(c.Primaries[2])
	heard := time.Now()
	load.goOn(500 * time.Millisecond)
	load.end()
	require.Zero(t, load.staleSince(heard), "the old primary has heard of it")
	load.hits("afterwards")
}

// One process changes the schema again and again, and both read rows of several slots: each read is answered, and none by
// recovering from a panic.
func TestRowsAreReadOnAClusterWhileTheSchemaChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(20)
	c := testkit.StartRedisPrimaries(t)
	open := func() *handle {
		client := c.Client()
		t.Cleanup(func() { _ = client.Close() })
		return w.cached(withPlugin(func(cfg *rediscache.Config) { cfg.Redis = client }))
	}
	ids := []int{1, 2, 3, 7, 9, 12}
	here, elsewhere := open(), open()
	for i := range 10 {
		for range 4 { // until the rows are cached again, and once more
			for _, h := range []*handle{elsewhere, here} {
				var rows []member
				require.NoError(t, h.Order("id").Find(&rows, ids).Error)
				require.Len(t, rows, len(ids))
			}
		}
		require.NoError(t, elsewhere.Exec(fmt.Sprintf("CREATE TABLE migrated_%d (id integer)", i)).Error)
		for range 4 { // learns the schema, which outdates what the other one knows
			require.NoError(t, elsewhere.Find(&[]member{}, ids).Error)
		}
	}
	require.Zero(t, here.log.panics.Load())
	require.Zero(t, elsewhere.log.panics.Load())
}

func TestSlotsMoveUnderTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := testkit.StartRedisPrimaries(t)
	load := w.under(clusterClients(c, 3)...)
	slots := c.SlotsInUse(c.Primaries[0], maxMoved)
	require.NotEmpty(t, slots)
	load.start()
	for _, slot := range slots {
		m := c.Migrate(slot, c.Primaries[0], c.Primaries[1])
		m.Move(3)
		load.goOn(100 * time.Millisecond)
		m.Finish()
	}
	load.goOn(300 * time.Millisecond)
	require.Zero(t, load.end())
	load.hits("afterwards")
}

// A primary is gone, and nobody takes its place. What the others hold is served on; the rest is the database's.
func TestClusterThatLosesAServerUnderTraffic(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := testkit.StartRedisPrimaries(t)
	load := w.under(clusterClients(c, 3)...)
	reader := load.handles[0]
	there, here := 0, 0
	for id := 1; id <= counters; id++ {
		if _, key := reader.whereFrom(t, id); c.Holder(key) == 1 {
			there = id
		} else {
			here = id
		}
	}
	require.NotZero(t, there*here, "there are rows on either side")
	load.start()
	c.Primaries[1].Kill()
	load.goOn(3 * time.Second)
	require.Zero(t, load.end())

	reader = w.cached(withPlugin(func(cfg *rediscache.Config) { cfg.Redis, cfg.Timeout = c.Client(), time.Second }))
	outcome, _ := reader.whereFrom(t, there)
	require.NotEqual(t, metrics.Hit, outcome)
	c.Primaries[1].Start()
	load.hits("when it is back")
}

// whereFrom reads a row, and returns where the answer came from and where it is kept.
func (h *handle) whereFrom(t *testing.T, id int) (metrics.Outcome, string) {
	t.Helper()
	var why rediscache.Explanation
	require.NoError(t, h.Clauses(rediscache.Explain(&why)).First(&counter{}, id).Error)
	return why.Outcome, why.Key
}

// The replica that takes over has heard nothing of the write, and has what is old by it.
func TestClusterFailoverThatLosesAnAcknowledgedWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := testkit.StartReplicatedRedisCluster(t)
	load := w.under(clusterClients(c, 2)...)
	_, key := load.handles[0].whereFrom(t, 7)
	i := c.Holder(key)
	require.NoError(t, load.losesAWrite(c.Primaries[i], c.Replicas[i], 7))
	c.AwaitPrimary(c.Replicas[i])
	require.NotZero(t, c.Replicas[i].Client().Exists(t.Context(), key).Val(), "what is old is there, or this tests nothing")
	load.goOn(time.Second)
	require.Zero(t, load.end())
	load.hits("afterwards")
}

// A reader sees nobody but a primary that has been cut off from the others, which have chosen another one.
func TestReaderThatIsAloneWithAnOldPrimaryOfACluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := testkit.StartRedisClusterWithBus(t)
	var cut atomic.Bool
	only := func(seen func(addr string) bool) *redis.ClusterClient {
		client := redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: c.Client().Options().Addrs,
			Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if cut.Load() && !seen(addr) {
					return nil, errors.New("cut off")
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			},
		})
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
	var old string
	load := w.under(only(func(addr string) bool { return addr == old }))
	reader := load.handles[0]
	_, key := reader.whereFrom(t, 7)
	i := c.Holder(key)
	old = c.Primaries[i].Addr

	c.Isolate(c.Primaries[i])
	cut.Store(true)
	began := time.Now()
	writer := w.cached(withPlugin(func(cfg *rediscache.Config) {
		cfg.Redis, cfg.Timeout = only(func(addr string) bool { return addr != old }), time.Second
	}))
	require.NoError(t, load.write(writer, 7))
	load.goOn(0)
	testkit.Eventually(t, "the old primary gives up, some node timeouts after it was cut off", func() bool {
		outcome, _ := reader.whereFrom(t, 7)
		return outcome != metrics.Hit
	})
	t.Logf("given up after %v", time.Since(began))
	require.NoError(t, load.read(reader, 7))
	require.Zero(t, load.staleness(load.reads[len(load.reads)-1]))
	cut.Store(false)
	c.Rejoin()
	load.handles = append(load.handles, writer)
	load.hits("afterwards")
}
