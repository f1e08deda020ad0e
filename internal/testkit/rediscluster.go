package testkit

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

const (
	primaries = 3
	slots     = 16384
	patience  = time.Minute // with servers that talk to each other, on a machine that has other things to do
	// givenUp is after how long a replica that was told to take over has given up (CLUSTER_MF_TIMEOUT, 5 s). Before, it
	// would only begin again.
	givenUp = 6 * time.Second
)

// A RedisCluster is a Redis Cluster of three primaries, each of which may have a replica. The i-th primary has the i-th
// third of the slots.
type RedisCluster struct {
	Primaries, Replicas []*RedisServer

	t   testing.TB
	bus map[*RedisServer]*Proxy // before each server's port for the other servers
}

// StartRedisCluster starts a Redis Cluster of three primaries without replicas and returns a client of it.
func StartRedisCluster(t testing.TB) *redis.ClusterClient {
	t.Helper()
	return StartRedisPrimaries(t).Client()
}

// StartRedisPrimaries starts a Redis Cluster without replicas. When a primary is lost, the others go on.
func StartRedisPrimaries(t testing.TB, args ...string) *RedisCluster {
	t.Helper()
	c := &RedisCluster{t: t}
	for range primaries {
		c.Primaries = append(c.Primaries, c.start(newRedis(t), append([]string{
			"--cluster-require-full-coverage", "no", "--cluster-node-timeout", "2000",
		}, args...)...))
	}
	c.form()
	return c
}

// StartReplicatedRedisCluster starts a Redis Cluster with replicas. A replica takes over some two seconds after its primary
// was lost, however long it has not heard of it before.
func StartReplicatedRedisCluster(t testing.TB, args ...string) *RedisCluster {
	t.Helper()
	c := &RedisCluster{t: t}
	args = append([]string{"--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0"}, args...)
	for range primaries {
		c.Primaries = append(c.Primaries, c.start(newRedis(t), args...))
		c.Replicas = append(c.Replicas, c.start(newRedis(t), args...))
	}
	c.form()
	return c
}

// StartRedisClusterWithBus starts a replicated Cluster in which a server can be cut off from the others by Isolate. It needs
// Redis 7 or later, and a system on which all of 127.0.0.0/8 is the machine itself: the servers are told apart by where
// they come from.
func StartRedisClusterWithBus(t testing.TB) *RedisCluster {
	t.Helper()
	c := &RedisCluster{t: t, bus: map[*RedisServer]*Proxy{}}
	for i := range 2 * primaries {
		s := newRedis(t)
		p := StartProxy(t, busOf(t, s))
		c.bus[s] = p
		_, port, err := net.SplitHostPort(p.Addr)
		require.NoError(t, err)
		c.start(s, "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0",
			"--bind-source-addr", sourceOf(i), "--protected-mode", "no", // which takes them for other machines
			"--cluster-announce-ip", "127.0.0.1", "--cluster-announce-bus-port", port)
		if i < primaries {
			c.Primaries = append(c.Primaries, s)
		} else {
			c.Replicas = append(c.Replicas, s)
		}
	}
	c.form()
	return c
}

// sourceOf returns from where a server connects to the others.
func sourceOf(i int) string { return "127.0.1." + strconv.Itoa(1+i) }

// busOf returns where a server listens to the others.
func busOf(t testing.TB, s *RedisServer) string {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	require.NoError(t, err)
	n, err := strconv.Atoi(port)
	require.NoError(t, err)
	return net.JoinHostPort(host, strconv.Itoa(n+10000))
}

func (c *RedisCluster) start(s *RedisServer, args ...string) *RedisServer {
	c.t.Helper()
	s.start(append([]string{"--cluster-enabled", "yes"}, args...)...)
	return s
}

// form gives the primaries their slots, and makes the servers know each other.
func (c *RedisCluster) form() {
	t, ctx := c.t, c.t.Context()
	t.Helper()
	all := c.all()
	for i, s := range all {
		node := s.Client()
		require.NoError(t, node.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err())
		if i < primaries {
			require.NoError(t, node.ClusterAddSlotsRange(ctx, i*slots/primaries, (i+1)*slots/primaries-1).Err())
		}
	}
	for i, s := range all {
		for _, other := range all[:i] { // each of them, as gossip takes its time
			require.NoError(t, other.Client().Do(ctx, c.meet(s)...).Err())
		}
	}
	c.await("the servers know each other")
	for i, s := range c.Replicas {
		node, primary := s.Client(), c.id(c.Primaries[i])
		within(t, patience, "the replica knows its primary", func() bool {
			return node.Do(ctx, "CLUSTER", "REPLICATE", primary).Err() == nil
		})
	}
	for i, s := range c.Replicas {
		node := s.Client()
		within(t, patience, "the replica is in sync", func() bool {
			return strings.Contains(node.Info(ctx, "replication").Val(), "master_link_status:up")
		})
		within(t, patience, "all know the replica", func() bool {
			return c.everyone(func(node *redis.Client) bool {
				return strings.Contains(node.ClusterNodes(ctx).Val(), "slave "+c.id(c.Primaries[i]))
			})
		})
	}
	c.await("the cluster is up")
}

func (c *RedisCluster) all() []*RedisServer { return slices.Concat(c.Primaries, c.Replicas) }

func (c *RedisCluster) meet(s *RedisServer) []any {
	host, port, err := net.SplitHostPort(s.Addr)
	require.NoError(c.t, err)
	args := []any{"CLUSTER", "MEET", host, port}
	if p, ok := c.bus[s]; ok {
		_, bus, err := net.SplitHostPort(p.Addr)
		require.NoError(c.t, err)
		args = append(args, bus)
	}
	return args
}

// await waits until every server knows all, and is content with what it knows.
func (c *RedisCluster) await(what string) {
	c.t.Helper()
	known := fmt.Sprintf("cluster_known_nodes:%d\r\n", len(c.Primaries)+len(c.Replicas))
	within(c.t, patience, what, func() bool {
		return c.everyone(func(node *redis.Client) bool {
			info := node.ClusterInfo(c.t.Context()).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, known) &&
				strings.Contains(info, fmt.Sprintf("cluster_slots_assigned:%d\r\n", slots))
		})
	})
}

func (c *RedisCluster) everyone(holds func(*redis.Client) bool) bool {
	for _, s := range c.all() {
		node := redis.NewClient(&redis.Options{Addr: s.Addr})
		ok := holds(node)
		_ = node.Close()
		if !ok {
			return false
		}
	}
	return true
}

func (c *RedisCluster) id(s *RedisServer) string {
	id, err := s.Client().Do(c.t.Context(), "CLUSTER", "MYID").Text()
	require.NoError(c.t, err)
	return id
}

// Client returns a new client of the Cluster, closed when the test is over.
func (c *RedisCluster) Client() *redis.ClusterClient {
	addrs := make([]string, len(c.Primaries))
	for i, s := range c.Primaries {
		addrs[i] = s.Addr
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

// Holder returns the position of the primary that a key was given to when the Cluster was started.
func (c *RedisCluster) Holder(key string) int {
	slot := c.Slot(key)
	for i := range primaries {
		if slot < (i+1)*slots/primaries {
			return i
		}
	}
	panic("a slot beyond the last")
}

// Slot returns the slot of a key: CRC16 of what is in braces, or of all of it (Redis Cluster specification).
func (c *RedisCluster) Slot(key string) int {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			key = tag
		}
	}
	crc := uint16(0)
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return int(crc) % slots
}

// AwaitPrimary waits until a server is a primary with slots, in the eyes of all that are there.
func (c *RedisCluster) AwaitPrimary(s *RedisServer) {
	c.t.Helper()
	node := s.Client()
	within(c.t, patience, "the replica has taken over", func() bool {
		return c.isPrimary(node) && strings.Contains(node.ClusterInfo(c.t.Context()).Val(), "cluster_state:ok")
	})
}

// AwaitReplica waits until a server that was a primary knows that it is none any more.
func (c *RedisCluster) AwaitReplica(s *RedisServer) {
	c.t.Helper()
	node := s.Client()
	within(c.t, patience, "the old primary has heard of the new one", func() bool { return !c.isPrimary(node) })
}

func (c *RedisCluster) isPrimary(node *redis.Client) bool {
	return strings.Contains(node.Info(c.t.Context(), "replication").Val(), "role:master")
}

// TakeOver has a replica take over from its primary, which is well and hands over without a loss (CLUSTER FAILOVER). A server
// that is a primary already, because the others voted for it, is left alone. The others vote for replicas of the same
// primary once in two node timeouts.
func (c *RedisCluster) TakeOver(s *RedisServer) {
	c.t.Helper()
	node := s.Client()
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.t.Logf("%s was to take over:\n%s", s.Addr, node.ClusterNodes(context.Background()).Val())
		}
	})
	within(c.t, patience, "the replica is in sync", func() bool {
		return c.isPrimary(node) || strings.Contains(node.Info(c.t.Context(), "replication").Val(), "master_link_status:up")
	})
	var asked time.Time
	within(c.t, patience, "the replica may take over", func() bool {
		if time.Since(asked) > givenUp && node.ClusterFailover(c.t.Context()).Err() == nil {
			asked = time.Now()
		}
		return c.isPrimary(node)
	})
	c.AwaitPrimary(s)
}

// SlotsInUse returns slots that hold something on a server, so many at most.
func (c *RedisCluster) SlotsInUse(s *RedisServer, most int) (slots []int) {
	c.t.Helper()
	keys, err := s.Client().Keys(c.t.Context(), "*").Result()
	require.NoError(c.t, err)
	for _, key := range keys {
		if slot := c.Slot(key); len(slots) < most && !slices.Contains(slots, slot) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// Isolate cuts a server off from the other servers. Clients still reach it.
func (c *RedisCluster) Isolate(cut *RedisServer) {
	for i, s := range c.all() {
		if s != cut {
			continue
		}
		c.bus[s].Cut()
		for _, p := range c.bus {
			p.Refuse(sourceOf(i))
		}
	}
}

// Rejoin ends Isolate.
func (c *RedisCluster) Rejoin() {
	for _, p := range c.bus {
		p.Restore()
	}
}

// A Migration moves a slot from one primary to another one, step by step.
type Migration struct {
	c        *RedisCluster
	slot     int
	from, to *RedisServer
}

// Migrate begins to move a slot: from now on it is MIGRATING, and IMPORTING at the other end.
func (c *RedisCluster) Migrate(slot int, from, to *RedisServer) *Migration {
	c.t.Helper()
	ctx := c.t.Context()
	require.NoError(c.t, to.Client().Do(ctx, "CLUSTER", "SETSLOT", slot, "IMPORTING", c.id(from)).Err())
	require.NoError(c.t, from.Client().Do(ctx, "CLUSTER", "SETSLOT", slot, "MIGRATING", c.id(to)).Err())
	return &Migration{c: c, slot: slot, from: from, to: to}
}

// Move moves keys of the slot, so many at most. It returns how many there were.
func (m *Migration) Move(most int) int {
	m.c.t.Helper()
	ctx := m.c.t.Context()
	from := m.from.Client()
	keys, err := from.ClusterGetKeysInSlot(ctx, m.slot, most).Result()
	require.NoError(m.c.t, err)
	for _, key := range keys {
		m.MoveKey(key)
	}
	return len(keys)
}

// MoveKey moves a key, if it is there.
func (m *Migration) MoveKey(key string) {
	m.c.t.Helper()
	host, port, err := net.SplitHostPort(m.to.Addr)
	require.NoError(m.c.t, err)
	require.NoError(m.c.t, m.from.Client().Migrate(m.c.t.Context(), host, port, key, 0, 5*time.Second).Err())
}

// Finish moves the keys that are left, and gives the slot to its new owner.
func (m *Migration) Finish() {
	m.c.t.Helper()
	ctx := m.c.t.Context()
	id := m.c.id(m.to)
	within(m.c.t, patience, "all keys are moved, and none is added meanwhile", func() bool {
		for m.Move(100) > 0 {
			continue
		}
		// The new owner first: who is sent there by the old one must be taken.
		return m.to.Client().Do(ctx, "CLUSTER", "SETSLOT", m.slot, "NODE", id).Err() == nil &&
			m.from.Client().Do(ctx, "CLUSTER", "SETSLOT", m.slot, "NODE", id).Err() == nil
	})
}
