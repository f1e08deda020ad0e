package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/keying"
)

// A mode is whether a server is one of a Cluster, as the layout of names presumes. All processes that use a server must have
// the same layout, whatever clients they have: else they would not hear of each other's writes.
type mode struct {
	// settled is set when the server is known to be what it has to be. One that a Cluster has named is from the beginning.
	settled atomic.Bool
	// asking is full while somebody asks the server.
	asking chan struct{}
}

var errClustered = fmt.Errorf("%w: the server is one of a Redis Cluster, which needs redis.NewClusterClient, "+
	"without ClusterSlots", ErrClient)

func newMode(names keying.Layout) *mode {
	m := &mode{asking: make(chan struct{}, 1)}
	m.settled.Store(names == keying.ManySlots)
	return m
}

// suits asks the server, once, for its mode, and returns an error if it needs another client. A server that does not know
// INFO, or forbids it, is taken for what it has to be; one that lets nobody in, or is starting, is asked again.
func (n *node) suits(ctx context.Context) error {
	if n.mode.settled.Load() {
		return nil
	}
	select { // many statements begin at the same time: one connection is enough
	case n.mode.asking <- struct{}{}:
		defer func() { <-n.mode.asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if n.mode.settled.Load() {
		return nil
	}
	info, err := n.rdb.Info(ctx, "cluster").Result()
	_, refused := errors.AsType[redis.Error](err)
	if err != nil && !refused || redis.IsAuthError(err) || redis.IsLoadingError(err) || redis.IsMasterDownError(err) ||
		redis.IsMaxClientsError(err) {
		return err
	}
	if strings.Contains(info, "cluster_enabled:1") {
		return errClustered
	}
	n.mode.settled.Store(true)
	return nil
}
