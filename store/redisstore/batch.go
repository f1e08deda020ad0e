package redisstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/store"
)

// maxExchanges is how many exchanges of reads with one server are under way at the same time. A read that comes on top waits
// for one of them to end, and goes along with all that have come meanwhile. Few, so that many readers share the cost of an
// exchange, which is mostly that of system calls; more than one, so that a connection which stalls does not hold up all.
const maxExchanges = 4

// An exchange sends commands over one connection, and returns the history of the dataset that answered them.
type exchange func(ctx context.Context, cmds []redis.Cmder) (store.History, error)

// A batcher sends reads together that come while others are under way, as a database does with commits (group commit: DeWitt
// et al., "Implementation Techniques for Main Memory Database Systems", 1984). A read that is alone is sent at once. There
// is no goroutine of its own: one of those that wait does the exchange for all.
type batcher struct {
	exchange exchange
	timeout  time.Duration // of the exchange of a batch

	mu       sync.Mutex
	underWay int
	next     *batch // goes when one that is under way has ended; nil if nobody waits
}

// A batch is a number of reads that go together.
type batch struct {
	cmds    []redis.Cmder
	waiting int           // readers that have not left; whoever does the exchange is one of them
	lead    chan struct{} // holds the right to do the exchange, for one of those that wait
	done    chan struct{} // closed when history and err are set
	history store.History
	err     error
}

// read carries out commands of one reader. A reader whose context ends leaves the others alone.
func (b *batcher) read(ctx context.Context, cmds ...redis.Cmder) (store.History, error) {
	b.mu.Lock()
	if b.underWay < maxExchanges {
		b.underWay++
		b.mu.Unlock()
		defer b.ended()
		return b.exchange(ctx, cmds)
	}
	own := b.join(cmds)
	b.mu.Unlock()
	select {
	case <-own.done:
		return own.history, shared(own.err)
	case <-own.lead:
		b.run(ctx, own)
		return own.history, own.err
	case <-ctx.Done():
		b.leave(own)
		return store.History{}, shared(ctx.Err())
	}
}

// shared marks the error of a reader that did not do the exchange itself.
func shared(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", store.ErrShared, err)
}

// join adds commands to the batch that goes next. b.mu is held.
func (b *batcher) join(cmds []redis.Cmder) *batch {
	if b.next == nil {
		b.next = &batch{lead: make(chan struct{}, 1), done: make(chan struct{})}
	}
	b.next.cmds = append(b.next.cmds, cmds...)
	b.next.waiting++
	return b.next
}

// run does the exchange of a batch. It does not end with the context of the reader that happens to do it: it has a time
// limit of its own.
func (b *batcher) run(ctx context.Context, own *batch) {
	defer b.ended()
	defer close(own.done)
	own.err = context.Canceled // if it panics
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.timeout)
	defer cancel()
	own.history, own.err = b.exchange(ctx, own.cmds)
}

// ended lets the next batch go.
func (b *batcher) ended() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil {
		b.underWay--
		return
	}
	b.next.lead <- struct{}{}
	b.next = nil
}

// leave is called by a reader that waits no longer. If it was the last, nobody is left who could do the exchange.
func (b *batcher) leave(own *batch) {
	b.mu.Lock()
	own.waiting--
	alone, next := own.waiting == 0, b.next == own
	if alone && next {
		b.next = nil
	}
	b.mu.Unlock()
	if !alone || next {
		return
	}
	select {
	case <-own.lead: // the right was given, and nobody had taken it
		b.ended()
	case <-own.done:
	}
}
