package redisstore

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// historyAge is how long the history of a server's dataset is believed without asking again. It bounds the time in
// which a promotion that happened behind an open connection goes unseen; one that needs a new connection is seen at
// once.
const historyAge = 100 * time.Millisecond

// silentAge is how long a server that does not tell its history is not asked again.
const silentAge = time.Minute

var (
	errNotPrimary = errors.New("the server is a replica")
	errCutOff     = errors.New("the server has lost its replicas, without which it takes no writes (min-replicas-to-write)")
)

// A node is one server, with what is known of the history of its dataset.
type node struct {
	rdb     *redis.Client
	dials   atomic.Uint64
	addr    atomic.Pointer[string] // that was dialed last
	history atomic.Pointer[knownHistory]
	reads   batcher
	health  health
	log     *slog.Logger
	mode    *mode
}

// knownHistory was read when the client had dialed the server so many times.
type knownHistory struct {
	id    store.History
	dials uint64
	read  time.Time
	age   time.Duration
}

func newNode(c *redis.Client, opt Options, names keying.Layout) *node {
	n := &node{log: opt.Logger, mode: newMode(names)}
	n.reads.exchange, n.reads.timeout = n.exchange, opt.Timeout
	c.AddHook(dialHook{n})
	// The copy shares the connections; it only gives up sooner.
	n.rdb = c.WithTimeout(opt.Timeout)
	return n
}

// exchange runs reads on one connection, and returns the history of the dataset that answered them.
func (n *node) exchange(ctx context.Context, cmds []redis.Cmder) (store.History, error) {
	if known, ok := n.current(); ok && len(cmds) == 1 {
		err := n.rdb.Process(ctx, cmds[0])
		if n.dials.Load() == known.dials {
			return known.id, cmp.Or(err, refusalOf(cmds))
		}
	}
	history, err := n.pipelined(ctx, func(p redis.Pipeliner) {
		for _, cmd := range cmds {
			_ = p.Process(ctx, cmd) // queues it
		}
	})
	return history, cmp.Or(err, refusalOf(cmds))
}

// pipelined runs commands, and returns the history of the dataset that answered them, and the first error of any of them.
//
// A command says nothing of the server that ran it, and a connection is picked by the client. So a history that was
// read earlier counts only if the client has dialed no connection since, and until historyAge is over; else INFO
// goes along, on the same connection.
func (n *node) pipelined(ctx context.Context, queue func(redis.Pipeliner)) (store.History, error) {
	if known, ok := n.current(); ok {
		p := n.rdb.Pipeline()
		queue(p)
		_, err := p.Exec(ctx)
		if n.dials.Load() == known.dials {
			return known.id, err
		}
	}
	return n.withInfo(ctx, queue)
}

// current returns the history that is known, if it may still be believed.
func (n *node) current() (*knownHistory, bool) {
	known := n.history.Load()
	return known, known != nil && known.dials == n.dials.Load() && time.Since(known.read) < known.age
}

// withInfo runs commands and INFO in one pipeline, hence on one connection.
func (n *node) withInfo(ctx context.Context, queue func(redis.Pipeliner)) (store.History, error) {
	dials, now := n.dials.Load(), time.Now()
	p := n.rdb.Pipeline()
	queue(p)
	info := p.Info(ctx, "replication")
	cmds, err := p.Exec(ctx)
	for _, cmd := range cmds {
		if cmd != redis.Cmder(info) && cmd.Err() != nil && !errors.Is(cmd.Err(), redis.Nil) {
			return store.History{}, cmd.Err()
		}
	}
	if err != nil && info.Err() == nil {
		return store.History{}, err
	}
	id, err := parseInfo(info)
	if err != nil {
		return store.History{}, err
	}
	age := historyAge
	if id == (store.History{}) {
		age = silentAge
		n.log.WarnContext(ctx, "rediscache: the server does not tell master_replid in INFO replication; after a "+
			"failover or a restart from a copy of its data, old answers live until their TTL", "server", n.rdb.Options().Addr)
	}
	n.history.Store(&knownHistory{id: id, dials: dials, read: now, age: age})
	return id, nil
}

// parseInfo returns the history that INFO replication tells: master_replid "marks a given history of the data set",
// and is new after a restart and on a promoted replica (Redis documentation, "Replication"). A server that refuses
// the command, or does not know the field, has the zero history.
//
// A primary that is to take no writes without replicas, and has none, may be one that has been cut off, and has had a
// successor for long: it takes no intents, and must not be believed.
func parseInfo(cmd *redis.StringCmd) (store.History, error) {
	var id store.History
	text, err := cmd.Result()
	if _, refused := errors.AsType[redis.Error](err); refused {
		return id, nil
	}
	if err != nil {
		return id, err
	}
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case name == "role" && value != "master":
			return id, errNotPrimary
		case name == "min_slaves_good_slaves" && value == "0": // told only if min-replicas-to-write is set
			return store.History{}, errCutOff
		case name == "master_replid" && len(value) >= 2*len(id):
			if _, err := hex.Decode(id[:], []byte(value[:2*len(id)])); err != nil {
				return store.History{}, nil // not a replication id: the server tells no history
			}
		}
	}
	return id, nil
}

// dialHook counts the connections that a client opens to a node.
type dialHook struct{ n *node }

func (h dialHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		// Counted before and after: whoever looks at the count while the connection is made, or once it is in use,
		// finds it changed.
		h.n.dials.Add(1)
		conn, err := next(ctx, network, addr)
		h.n.dials.Add(1)
		if err == nil {
			addr = conn.RemoteAddr().String()
			h.n.addr.Store(&addr)
		}
		return conn, err
	}
}

func (dialHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (dialHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
