package redisstore

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/keying"
)

// single is one server, or the primary that Sentinel names.
type single struct{ n *node }

func newSingle(c *redis.Client, opt Options) *single {
	return &single{n: newNode(c, opt, keying.OneSlot)}
}

func (s *single) node(context.Context, string) (*node, error) { return s.n, nil }
func (s *single) pipeline() redis.Pipeliner                   { return s.n.rdb.Pipeline() }
func (s *single) oneNode() bool                               { return true }
func (s *single) names() keying.Layout                        { return keying.OneSlot }
func (s *single) ask(*node) bool                              { return true }
func (s *single) saw(context.Context, *node, error)           {}
func (s *single) others() bool                                { return false }

// ofSentinel is what go-redis calls the address of a server that Sentinel names.
const ofSentinel = "FailoverClient"

func (s *single) String() string {
	if addr := s.n.addr.Load(); addr != nil && *addr != ofSentinel {
		return *addr
	}
	if addr := s.n.rdb.Options().Addr; addr != ofSentinel {
		return addr
	}
	return "the primary that Sentinel names"
}

func (s *single) each(ctx context.Context, do func(context.Context, *node) error) error {
	return do(ctx, s.n)
}

// cluster is a Redis Cluster. Reads ask the primary of a slot themselves, because the history that qualifies a token
// is the history of the server that answered; a slot that moves meanwhile is an error, hence a read of the database.
// Writes go there, too, and through the cluster client, which follows redirections, if that fails.
type cluster struct {
	c        *redis.ClusterClient
	opt      Options
	nodes    sync.Map     // *redis.Client → *member
	swept    atomic.Int64 // when it was looked for those that are gone, in nanoseconds since 1970
	answered atomic.Int64 // when one of them has answered last, in nanoseconds since 1970
}

const (
	// othersAge is for how long a server of a Cluster that has answered stands for the Cluster.
	othersAge = 10 * time.Second
	// sweepAge is for how long a server counts as one of the Cluster that is not asked, at least.
	sweepAge = time.Minute
)

func newCluster(c *redis.ClusterClient, opt Options) *cluster { return &cluster{c: c, opt: opt} }

func (c *cluster) node(ctx context.Context, key string) (*node, error) {
	rdb, err := c.c.MasterForKey(ctx, key)
	if err != nil {
		return nil, err
	}
	return c.of(rdb), nil
}

// A member is a server of a Cluster.
type member struct {
	*node
	used atomic.Bool // since the last sweep
}

// of returns the node of a client of the cluster client's.
func (c *cluster) of(rdb *redis.Client) *node {
	found, ok := c.nodes.Load(rdb)
	if !ok {
		c.sweep(time.Now())
		found, _ = c.nodes.LoadOrStore(rdb, &member{node: newNode(rdb, c.opt, c.names())})
	}
	m := found.(*member) //nolint:forcetypeassert // only members are stored
	if !m.used.Load() {  // what many statements share is not written for each of them
		m.used.Store(true)
	}
	return m.node
}

// sweep is called when a server is new. It removes those that nobody has asked since the last time: where servers get a new
// address with each start, there is no end of them. One that is asked again is new once more.
func (c *cluster) sweep(now time.Time) {
	last := c.swept.Load()
	if now.UnixNano()-last < int64(sweepAge) || !c.swept.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	c.nodes.Range(func(rdb, m any) bool {
		if !m.(*member).used.Swap(false) { //nolint:forcetypeassert // as above
			c.nodes.Delete(rdb)
		}
		return true
	})
}

func (c *cluster) each(ctx context.Context, do func(context.Context, *node) error) error {
	return c.c.ForEachMaster(ctx, func(ctx context.Context, rdb *redis.Client) error { return do(ctx, c.of(rdb)) })
}

func (c *cluster) pipeline() redis.Pipeliner { return c.c.Pipeline() }
func (c *cluster) oneNode() bool             { return false }

// names takes the servers of a client that has its slots from elsewhere for none of a Cluster's: those of a failover client
// are one primary, which others may use by a client of another kind.
func (c *cluster) names() keying.Layout {
	if c.c.Options().ClusterSlots != nil {
		return keying.OneSlot
	}
	return keying.ManySlots
}

func (c *cluster) others() bool     { return time.Now().UnixNano()-c.answered.Load() < int64(othersAge) }
func (c *cluster) ask(n *node) bool { return n.health.ask(time.Now()) }

// saw takes notice of what became of a step: whoever holds the keys by now, another server says.
func (c *cluster) saw(ctx context.Context, n *node, err error) {
	now := time.Now()
	if err == nil {
		c.answered.Store(now.UnixNano())
	} else {
		c.c.ReloadState(ctx)
	}
	if errors.Is(err, errSilent) {
		return
	}
	switch silent, again := n.health.saw(err, now); {
	case silent:
		n.log.WarnContext(ctx, "rediscache: a server of the Cluster does not answer; reading from the database what it holds",
			"server", n.rdb.Options().Addr, "error", err)
	case again:
		n.log.InfoContext(ctx, "rediscache: a server of the Cluster answers again", "server", n.rdb.Options().Addr)
	}
}

func (c *cluster) String() string { return cmp.Or(strings.Join(c.c.Options().Addrs, ","), "a Cluster") }
