package histories_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/history"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// Applications on a Redis Cluster see what docs/guarantees.md says while slots move from server to server, and while replicas
// take over from primaries that are well.
func TestHistoriesOnAClusterThatChanges(t *testing.T) {
	t.Parallel()
	// No replica takes over by itself: the machine is busy, and a second's silence is no sign of a primary that is lost.
	c := testkit.StartReplicatedRedisCluster(t, "--cluster-node-timeout", "15000", "--repl-diskless-sync-delay", "0")
	l := &lab{fleet: &fleet{t: t}}
	l.open(storeOn(t, c.Client()), func(cfg *rediscache.Config) { cfg.Policy = ttlconfig.Policy{TTL: ttl} })
	for _, p := range []phase{
		{name: "nothing is broken", claims: linearizable, length: time.Second},
		{name: "slots move", fault: moveSlots(c), claims: linearizable, length: 3 * time.Second},
		{name: "replicas take over", fault: handOver(c), claims: untilHeard, length: 3 * time.Second},
		{name: "nothing is broken any more", claims: linearizable, length: time.Second},
	} {
		v := l.try(p)
		require.Zero(t, v.Bad(), "%s: %v\n%s", p.name, v.Wrong, strings.Join(v.Evidence, "\n"))
		for _, a := range l.apps {
			require.NoError(t, a.settle(), p.name)
			require.Empty(t, a.quiescent(l.phase), p.name)
		}
	}
	require.Positive(t, l.totals.hits)
	require.Zero(t, l.totals.unjudged)
}

// untilHeard is what holds while replicas take over: an old primary answers with what it has until it has heard of the new one.
func untilHeard(*fleet, []uint16) history.Claims {
	return history.Claims{Untold: []uint16{0, 1, 2}, TTL: ttl}
}

// moveSlots moves slots that hold something from each primary to the next one, a key at a time.
func moveSlots(c *testkit.RedisCluster) func(*fleet, time.Time) {
	from := 0
	return func(f *fleet, until time.Time) {
		moved := 0
		every(20*time.Millisecond, until, func() {
			to := (from + 1) % len(c.Primaries)
			for _, slot := range c.SlotsInUse(c.Primaries[from], 4) {
				m := c.Migrate(slot, c.Primaries[from], c.Primaries[to])
				for m.Move(1) > 0 {
					continue
				}
				m.Finish()
				moved++
			}
			from = to
		})
		f.t.Logf("%d slots have moved", moved)
		require.Positive(f.t, moved)
	}
}

// handOver has each primary's replica take over, and then each of those that were primaries before.
func handOver(c *testkit.RedisCluster) func(*fleet, time.Time) {
	return func(_ *fleet, until time.Time) {
		pause := time.Until(until) / time.Duration(2*len(c.Primaries)+1)
		for _, s := range c.Replicas {
			time.Sleep(pause)
			c.TakeOver(s)
		}
		for _, s := range c.Primaries {
			time.Sleep(pause)
			c.AwaitReplica(s)
			c.TakeOver(s)
		}
	}
}
