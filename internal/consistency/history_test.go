package consistency_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/stores"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// Several processes write and read a few rows at random, with readers that stall between any two steps. No read may
// be stale, dirty or older than an earlier one.
func TestRandomHistoriesHaveNoWrongAnswers(t *testing.T) {
	t.Parallel()
	v := run(t, 2*time.Second, func(s store.Store) store.Store { return s })
	require.Zero(t, v.Bad(), v.Example)
	enough := 500
	if stores.Other() { // which may be slower, beside others
		enough = 100
	}
	require.Greater(t, v.Reads, enough)
	require.Greater(t, v.Writes, enough/10)
}

// The same test catches protocols that are broken.
func TestRandomHistoriesCatchBrokenProtocols(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(store.Store) store.Store{
		"entries are deleted after commit":             testkit.NewDeleteAfterCommit,
		"no intent":                                    func(s store.Store) store.Store { return noIntent{s} },
		"release after the acknowledgement, no intent": func(s store.Store) store.Store { return lateRelease{s} },
		"no release and no intent":                     func(s store.Store) store.Store { return noInvalidation{s} },
		"one slot for all writers":                     func(s store.Store) store.Store { return oneSlot{s} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 60 { // until it is caught
				if v := run(t, time.Second, broken); v.Bad() > 0 {
					t.Logf("%d of %d reads are wrong, e.g. %s", v.Bad(), v.Reads, v.Example)
					return
				}
			}
			t.Fatal("not caught")
		})
	}
}

func run(t *testing.T, d time.Duration, protocol func(store.Store) store.Store) testkit.Verdict {
	t.Helper()
	const processes, rows = 3, 3
	w := newWorld(t)
	w.inner = protocol(w.inner)
	var h testkit.History
	var commits sync.Mutex // the database orders commits
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for n := range processes {
		p := w.process(consistency.Config{})
		p.beforeLoad, p.afterLoad = stall, stall
		p.steps.set(&p.steps.onPut, func() error { stall(); return nil })
		for worker := range 6 {
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(n), uint64(worker)))
				for time.Now().Before(end) {
					id := 1 + rnd.IntN(rows)
					if worker < 2 {
						writeVersion(t, p, &h, &commits, id)
						time.Sleep(time.Duration(rnd.IntN(10)) * time.Millisecond)
					} else {
						began := h.Now()
						h.Read(strconv.Itoa(id), int64(p.read(id).values[0]), began)
					}
				}
			})
		}
	}
	wg.Wait()
	return h.Judge()
}

// writeVersion writes the next version of a row. Writers of one row overlap.
func writeVersion(t *testing.T, p *process, h *testkit.History, commits *sync.Mutex, id int) (version int) {
	t.Helper()
	began := h.Now()
	wr, err := p.Intend(t.Context(), p.w.tags(id))
	require.NoError(t, err)
	stall()
	commits.Lock()
	version = p.w.get(id) + 1
	p.w.set(id, version)
	commits.Unlock()
	stall()
	wr.End(t.Context(), metrics.Committed)
	h.Wrote(strconv.Itoa(id), int64(version), began)
	return version
}

// stall takes a little time, now and then much more.
func stall() {
	switch n := rand.IntN(20); {
	case n == 0:
		time.Sleep(5 * time.Millisecond)
	case n < 6:
		time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
	}
}

// noIntent is a protocol that invalidates after COMMIT only.
type noIntent struct{ store.Store }

func (noIntent) Intend(context.Context, string, time.Duration, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, nil
}

// lateRelease is one that invalidates in the background.
type lateRelease struct{ store.Store }

func (lateRelease) Intend(context.Context, string, time.Duration, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, nil
}

func (s lateRelease) Release(ctx context.Context, writer string, tags, _ []keying.Tag) ([]store.Value, error) {
	ctx = context.WithoutCancel(ctx)
	time.AfterFunc(time.Millisecond, func() { _, _ = s.Store.Release(ctx, writer, tags, nil) })
	return nil, nil
}

// noInvalidation is one that relies on the time to live.
type noInvalidation struct{ store.Store }

func (noInvalidation) Intend(context.Context, string, time.Duration, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, nil
}

func (noInvalidation) Release(context.Context, string, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, nil
}

// oneSlot is one whose writers take each other's place.
type oneSlot struct{ store.Store }

func (s oneSlot) Intend(
	ctx context.Context, _ string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	return s.Store.Intend(ctx, "the writer", ttl, tags, watch)
}

func (s oneSlot) Release(ctx context.Context, _ string, tags, watch []keying.Tag) ([]store.Value, error) {
	return s.Store.Release(ctx, "the writer", tags, watch)
}
