package redisstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/store"
)

// A gate is a server whose exchanges wait until they are let go.
type gate struct {
	b     batcher
	began chan int // how many commands an exchange has
	let   chan error
}

func newGate() *gate {
	g := &gate{began: make(chan int, 1000), let: make(chan error)}
	g.b.timeout = time.Minute
	g.b.exchange = func(ctx context.Context, cmds []redis.Cmder) (store.History, error) {
		g.began <- len(cmds)
		select {
		case err := <-g.let:
			return store.History{byte(len(cmds))}, err
		case <-ctx.Done():
			return store.History{}, ctx.Err()
		}
	}
	return g
}

type answer struct {
	history store.History
	err     error
}

// read begins to read, and returns what will come of it.
func (g *gate) read(ctx context.Context) chan answer {
	got := make(chan answer, 1)
	go func() {
		history, err := g.b.read(ctx, redis.NewSliceCmd(ctx, "mget", "k"))
		got <- answer{history, err}
	}()
	return got
}

// fill begins as many exchanges as there may be.
func (g *gate) fill(ctx context.Context) {
	for range maxExchanges {
		g.read(ctx)
	}
	for range maxExchanges {
		<-g.began
	}
}

// release lets exchanges go.
func (g *gate) release(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case g.let <- nil:
		case <-time.After(10 * time.Second):
			t.Fatal("no exchange waits")
		}
	}
}

// waits waits until so many readers wait for the next batch.
func (g *gate) waits(t *testing.T, n int) {
	t.Helper()
	testkit.Eventually(t, "readers wait", func() bool {
		g.b.mu.Lock()
		defer g.b.mu.Unlock()
		return n == 0 && g.b.next == nil || g.b.next != nil && g.b.next.waiting == n
	})
}

// idle waits until nothing is under way.
func (g *gate) idle(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, "nothing is under way", func() bool {
		g.b.mu.Lock()
		defer g.b.mu.Unlock()
		return g.b.underWay == 0 && g.b.next == nil
	})
}

func TestReadsThatComeMeanwhileGoTogether(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.fill(t.Context())
	var all []chan answer
	for range 20 {
		all = append(all, g.read(t.Context()))
	}
	g.waits(t, 20)
	g.release(t, 1)
	require.Equal(t, 20, <-g.began)
	fails := errors.New("fails")
	g.release(t, maxExchanges-1)
	g.let <- fails
	led := 0
	for _, got := range all {
		a := <-got
		require.Equal(t, store.History{20}, a.history)
		require.ErrorIs(t, a.err, fails)
		if !errors.Is(a.err, store.ErrShared) {
			led++
		}
	}
	require.Equal(t, 1, led, "one reader answers for the exchange")
	g.idle(t)
}

func TestReaderWhoseContextEndsLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.fill(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	leaves, stays := g.read(ctx), g.read(t.Context())
	g.waits(t, 2)
	cancel()
	left := <-leaves
	require.ErrorIs(t, left.err, context.Canceled)
	require.ErrorIs(t, left.err, store.ErrShared)
	g.release(t, maxExchanges+1)
	require.NoError(t, (<-stays).err)
	g.idle(t)
}

// If all have left that waited, nobody does the exchange, and the next reader finds its way.
func TestBatchThatAllHaveLeftIsForgotten(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.fill(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	one, two := g.read(ctx), g.read(ctx)
	g.waits(t, 2)
	cancel()
	require.ErrorIs(t, (<-one).err, context.Canceled)
	require.ErrorIs(t, (<-two).err, context.Canceled)
	g.waits(t, 0)
	g.release(t, maxExchanges)
	g.idle(t)
	require.Empty(t, g.began)
}

// The reader that does the exchange of a batch may be one whose context ends: the exchange does not.
func TestExchangeOfABatchOutlivesTheContextOfItsReader(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.fill(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	all := []chan answer{g.read(ctx), g.read(ctx)}
	g.waits(t, 2)
	g.release(t, 1)
	require.Equal(t, 2, <-g.began)
	cancel()
	g.release(t, maxExchanges)
	led := 0
	for _, got := range all {
		if a := <-got; a.err == nil {
			led++
		}
	}
	require.Positive(t, led, "whoever does the exchange has its answer")
	g.idle(t)
}

// The last reader may leave when it was just given the right to do the exchange.
func TestRightToSendThatNobodyTookIsGivenBack(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.b.underWay = 1
	own := g.b.join(nil)
	g.b.ended()
	g.b.leave(own)
	g.idle(t)
}

// Whenever readers leave, no exchange is forgotten that was under way, and no right to begin one is lost.
func TestReadersMayLeaveAtAnyMoment(t *testing.T) {
	t.Parallel()
	g := newGate()
	g.b.exchange = func(context.Context, []redis.Cmder) (store.History, error) {
		time.Sleep(rand.N(200 * time.Microsecond))
		return store.History{1}, nil
	}
	var readers sync.WaitGroup
	for range 64 {
		readers.Go(func() {
			for range 200 {
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(400*time.Microsecond))
				history, err := g.b.read(ctx, redis.NewSliceCmd(ctx, "mget", "k"))
				if err == nil && history != (store.History{1}) {
					t.Error("an answer without a history")
				}
				cancel()
			}
		})
	}
	readers.Wait()
	g.idle(t)
}
