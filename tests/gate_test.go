package tests_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// The moments at which a gate can hold a handle: before a step of its store, and after it.
const (
	beforeLoad    = "before load"
	afterLoad     = "after load"
	beforeMint    = "before mint"
	afterMint     = "after mint"
	beforePut     = "before put"
	afterPut      = "after put"
	beforeIntend  = "before intend"
	afterIntend   = "after intend" // right before COMMIT
	beforeRelease = "before release"
	afterRelease  = "after release" // right before the application is told
)

// A gate is a store that holds its handle at chosen moments, so that a test decides what happens meanwhile.
type gate struct {
	store.Store
	mu    sync.Mutex
	holds map[string][]*hold
	// passed counts how often each moment went by.
	passed map[string]int
}

// A hold stops the next one who comes to its moment.
type hold struct {
	t       testing.TB
	moment  string
	arrived chan struct{}
	let     chan struct{}
	once    sync.Once
}

// gated opens a cached handle whose store has a gate. It outlives what the store's deadline would allow a test.
func (w *world) gated(options ...option) (*handle, *gate) {
	w.t.Helper()
	g := &gate{Store: w.inner(), holds: map[string][]*hold{}, passed: map[string]int{}}
	options = append(options, withPlugin(func(c *rediscache.Config) { c.Redis, c.Store, c.Timeout = nil, g, patience }))
	return w.cached(options...), g
}

// hold arms a moment, once.
func (g *gate) hold(t testing.TB, moment string) *hold {
	t.Helper()
	h := &hold{t: t, moment: moment, arrived: make(chan struct{}), let: make(chan struct{})}
	g.mu.Lock()
	g.holds[moment] = append(g.holds[moment], h)
	g.mu.Unlock()
	t.Cleanup(h.resume) // so that a failed test leaves nobody waiting
	return h
}

func (g *gate) pass(moment string) {
	g.mu.Lock()
	g.passed[moment]++
	var h *hold
	if waiting := g.holds[moment]; len(waiting) > 0 {
		h, g.holds[moment] = waiting[0], waiting[1:]
	}
	g.mu.Unlock()
	if h != nil {
		close(h.arrived)
		<-h.let
	}
}

// count returns how often a moment went by.
func (g *gate) count(moment string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.passed[moment]
}

// await waits until somebody is held.
func (h *hold) await() {
	h.t.Helper()
	select {
	case <-h.arrived:
	case <-time.After(10 * time.Second):
		h.t.Fatalf("nobody came to %q", h.moment)
	}
}

// during runs a function until it is held at a moment, then another one, then lets the first one go on.
func (g *gate) during(t testing.TB, moment string, held, meanwhile func()) {
	t.Helper()
	h := g.hold(t, moment)
	wait := async(t, held)
	h.await()
	meanwhile()
	h.resume()
	wait()
}

func (h *hold) resume() { h.once.Do(func() { close(h.let) }) }

func (g *gate) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	g.pass(beforeLoad)
	defer g.pass(afterLoad)
	return g.Store.Load(ctx, keys)
}

func (g *gate) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	g.pass(beforeMint)
	defer g.pass(afterMint)
	return g.Store.Mint(ctx, mints)
}

func (g *gate) Put(ctx context.Context, entries []store.Entry) error {
	g.pass(beforePut)
	defer g.pass(afterPut)
	return g.Store.Put(ctx, entries)
}

func (g *gate) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	g.pass(beforeIntend)
	defer g.pass(afterIntend)
	return g.Store.Intend(ctx, writer, ttl, tags, watch)
}

func (g *gate) Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]store.Value, error) {
	g.pass(beforeRelease)
	defer g.pass(afterRelease)
	return g.Store.Release(ctx, writer, tags, watch)
}

// async runs a function beside the test, and returns what waits for it.
func async(t testing.TB, f func()) (wait func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return func() {
		t.Helper()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("it does not end")
		}
	}
}

// agrees checks that a read gives the same without the plugin, when it is cached, and when it is answered from the cache.
func agrees(t testing.TB, plain, cached *handle, name string, read func(*gorm.DB) any) {
	t.Helper()
	want := read(plain.DB)
	for i := range 3 {
		require.Equal(t, want, read(cached.DB), "%s, read %d", name, i+1)
	}
}

// agreesFromCache is agrees for what has to come from the cache in the end.
func agreesFromCache(t testing.TB, plain, cached *handle, name string, read func(*gorm.DB) any) {
	t.Helper()
	want := read(plain.DB)
	cached.warm(t, func(db *gorm.DB) { require.Equal(t, want, read(db), name) })
	sent := cached.sql.during(func() { require.Equal(t, want, read(cached.DB), name) })
	require.Empty(t, sent, name)
}

func waitFor(t testing.TB, holds func() bool) {
	t.Helper()
	testkit.Eventually(t, "the other side", holds)
}

// withValue returns the test's context with a counter for hooks.
func withValue(t testing.TB, n *atomic.Int64) context.Context {
	return context.WithValue(t.Context(), hookKey{}, n)
}
