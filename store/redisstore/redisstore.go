// Package redisstore keeps the cache in Redis, through go-redis: one server, Sentinel or Cluster.
//
// It works with Redis 5 and later and with Valkey, and needs the commands MGET, SET, EVALSHA, EVAL and INFO, and in
// scripts DEL, EXISTS, GET, PEXPIRE, PTTL, SET, TIME, ZADD, ZREM and ZREMRANGEBYSCORE. Of a Cluster, every
// script touches keys of one slot, and the commands DEL, GET and ZREM are needed, too, while a slot is moved.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/internal/script"
)

// ErrClient is wrapped by the error of [New], and of steps, for a client that cannot hold the cache.
var ErrClient = errors.New("redisstore: unusable client")

// Options configures a [Store].
type Options struct {
	// Timeout bounds each exchange with a server, besides the step's context. Defaults to 100 ms.
	Timeout time.Duration
	// Logger receives a warning if a server does not tell the history of its dataset. Defaults to no logging.
	Logger *slog.Logger
}

// A Store is a [store.Store] on Redis.
type Store struct {
	client  redis.UniversalClient
	servers servers
	timeout time.Duration
	intend  *redis.Script
	release *redis.Script
	mint    *redis.Script
	declare *redis.Script
	join    *redis.Script
}

var _ store.Store = (*Store)(nil)

// servers knows which server holds a key.
type servers interface {
	layout
	judgement
}

// layout says where keys are.
type layout interface {
	fmt.Stringer
	// node returns the primary that holds the key.
	node(ctx context.Context, key string) (*node, error)
	// pipeline returns a pipeline that finds the servers of its commands by itself.
	pipeline() redis.Pipeliner
	// oneNode reports whether all keys are on one server, and may be read by one command.
	oneNode() bool
	// names says how names are spread over the servers.
	names() keying.Layout
	// each calls a function for every primary, perhaps for several at the same time.
	each(ctx context.Context, do func(context.Context, *node) error) error
}

// judgement remembers which servers answer.
type judgement interface {
	// ask reports whether a server may be asked; saw is told what became of a step on it.
	ask(n *node) bool
	saw(ctx context.Context, n *node, err error)
	// others reports whether a step that failed says nothing of the store as a whole: other servers answer.
	others() bool
}

// New returns a store on a client, which stays the caller's: the store never closes it. Nothing is dialed. The
// client gets a hook that counts its connections.
//
// A client that reads from replicas, or that spreads keys over servers by itself, cannot keep the cache's promise:
// it is refused with an error that wraps [ErrClient]. Each step fails with such an error on a [redis.Client] whose server
// turns out to be one of a Cluster.
func New(client redis.UniversalClient, opt Options) (*Store, error) {
	if opt.Timeout <= 0 {
		opt.Timeout = 100 * time.Millisecond
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		client:  client,
		timeout: opt.Timeout,
		intend:  redis.NewScript(script.Intend),
		release: redis.NewScript(script.Release),
		mint:    redis.NewScript(script.Mint),
		declare: redis.NewScript(script.Declare),
		join:    redis.NewScript(script.Join),
	}
	switch c := client.(type) {
	case *redis.Client:
		if c == nil {
			return nil, fmt.Errorf("%w: nil", ErrClient)
		}
		if o := c.Options(); o.ClientSideCache != nil || o.ClientSideCacheConfig != nil {
			return nil, fmt.Errorf("%w: it caches on the client's side, which may not have heard of a write yet", ErrClient)
		}
		s.servers = newSingle(c, opt)
	case *redis.ClusterClient:
		if c == nil {
			return nil, fmt.Errorf("%w: nil", ErrClient)
		}
		if o := c.Options(); o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
			return nil, fmt.Errorf("%w: it reads from replicas (ReadOnly, RouteByLatency or RouteRandomly), "+
				"which may not have seen a write yet", ErrClient)
		}
		s.servers = newCluster(c, opt)
	case nil:
		return nil, fmt.Errorf("%w: nil", ErrClient)
	case *redis.Ring:
		return nil, fmt.Errorf("%w: a Ring moves keys to another server when one fails, and back, "+
			"which brings old answers back", ErrClient)
	default:
		return nil, fmt.Errorf("%w: want *redis.Client or *redis.ClusterClient, got %T", ErrClient, client)
	}
	return s, nil
}

// Server names what is asked, for people: the address of the server that was dialed last, or the addresses that a Cluster
// was found by.
func (s *Store) Server() string { return s.servers.String() }

// Close does nothing: the client is the caller's.
func (s *Store) Close() error { return nil }

// Layout implements [store.Store].
func (s *Store) Layout() keying.Layout { return s.servers.names() }

// Put implements [store.Store] with one SET for each entry, in one pipeline.
func (s *Store) Put(ctx context.Context, entries []store.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	key := func(i int) string { return string(entries[i].Key) }
	err := s.onNodes(ctx, s.together(len(entries), key), key, func(_ *node, groups [][]int) error {
		return s.exec(ctx, func(p redis.Pipeliner) {
			for _, i := range slices.Concat(groups...) {
				p.Set(ctx, string(entries[i].Key), entries[i].Data, entries[i].TTL)
			}
		})
	})
	if err != nil {
		return fmt.Errorf("redisstore: put %d entries: %w", len(entries), err)
	}
	return nil
}

// exec runs a pipeline of writes. It returns when the context is over, even if the client goes on waiting.
func (s *Store) exec(ctx context.Context, fill func(redis.Pipeliner)) error {
	p := s.servers.pipeline()
	fill(p)
	if s.servers.oneNode() { // whose client keeps the time by itself
		_, err := p.Exec(ctx)
		return err
	}
	done := make(chan error, 1)
	go func() { // ends when the client's own timeouts do
		_, err := p.Exec(ctx)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
