package consistency_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// minting calls after with each tag of which a token was asked for, and given.
type minting struct {
	store.Store
	after func(keying.Tag)
}

func (s minting) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	snap, err := s.Store.Mint(ctx, mints)
	for i := range mints {
		s.after(mints[i].Tag)
	}
	return snap, err
}

// dying is an entry of which the database takes longer than what is left of its time.
func (w *world) dying(p *process) consistency.Request {
	w.t.Helper()
	entry := w.entry(1)
	entry.TTL = time.Second
	req := request(entry)
	_, err := p.Read(w.t.Context(), req, func(context.Context, []int) ([]consistency.Result, error) {
		time.Sleep(500 * time.Millisecond)
		return []consistency.Result{row(10)}, nil
	})
	require.NoError(w.t, err)
	return req
}

func TestEntryIsReadAnewBeforeItsTimeIsOver(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		p := w.process(consistency.Config{Timeout: 100 * time.Millisecond}) // for so long the first read can be joined
		testkit.Eventually(t, "it is read anew while it is there", func() bool {
			req := w.dying(p)
			for ; ; time.Sleep(time.Millisecond) {
				var early bool
				reading, err := p.Read(t.Context(), req, func(context.Context, []int) ([]consistency.Result, error) {
					early = w.holds(string(req.Entries[0].Key)).Found
					return []consistency.Result{row(20)}, nil
				})
				require.NoError(t, err)
				if reading.Outcome == metrics.Miss {
					return early
				}
			}
		})
	})
}

func TestEntryIsServedIfItCannotBeReadAnew(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		p := w.process(consistency.Config{Timeout: 100 * time.Millisecond})
		broken := errors.New("the database is away")
		testkit.Eventually(t, "reading it anew fails", func() bool {
			req := w.dying(p)
			for ; ; time.Sleep(time.Millisecond) {
				var asked bool
				reading, err := p.Read(t.Context(), req, func(context.Context, []int) ([]consistency.Result, error) {
					asked = true
					return nil, broken
				})
				if asked && err == nil {
					require.Equal(t, metrics.Hit, reading.Outcome)
					require.Equal(t, "10", reading.Payloads[0].Data)
					return true
				}
				if err != nil {
					return false // its time is over
				}
			}
		})
	})
}

// It was current when the reader looked, whatever becomes of the tokens that are wanted besides.
func TestEntryIsServedIfItCannotBeMintedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(consistency.Config{Timeout: 100 * time.Millisecond})
	testkit.Eventually(t, "it is to be read anew, and cannot be", func() bool {
		req := w.dying(p)
		var asked bool
		p.steps.set(&p.steps.onMint, func() error { asked = true; return errors.New("the store is away") })
		defer p.steps.set(&p.steps.onMint, nil)
		for {
			reading, err := p.Read(t.Context(), req, func(context.Context, []int) ([]consistency.Result, error) {
				return []consistency.Result{row(20)}, nil
			})
			require.NoError(t, err)
			if asked && reading.Outcome == metrics.Hit {
				require.Equal(t, "10", reading.Payloads[0].Data)
				return true
			}
			if reading.Outcome == metrics.Bypass {
				return false // its time is over
			}
		}
	})
}

func TestWhatIsWrittenFasterThanReadIsStoredRarely(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	stored, bypassed := 0, 0
	for i := range 200 {
		p.write(i+1, 1)
		a := p.read(1)
		require.Equal(t, []int{i + 1}, a.values)
		switch {
		case a.outcome == metrics.Miss:
			stored++
		case a.reason == metrics.ReasonChurn:
			bypassed++
		}
	}
	require.Equal(t, 200, stored+bypassed)
	require.Less(t, stored, 100)
	// One that is read again is worth it.
	p.cached(1)
	for i := range 10 {
		p.write(i+1, 1)
		require.Equal(t, metrics.Miss, p.read(1).outcome)
	}
}

// Of those who come right after a write one reads the database, and the others share it. Nobody hits, and yet it is worth it.
func TestWhatIsSharedAfterEachWriteIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	for i := range 60 {
		p.write(i+1, 1)
		goOn := make(chan struct{})
		p.steps.set(&p.steps.onPut, func() error { <-goOn; return nil })
		require.Equal(t, metrics.Miss, p.read(1).outcome)
		require.True(t, p.read(1).joined)
		close(goOn)
	}
}

func TestTokenThatManyAskForAtOnceIsMadeOnce(t *testing.T) {
	t.Parallel()
	const readers = 40
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	var asking atomic.Int32
	p.steps.set(&p.steps.onMint, func() error {
		asking.Add(1)
		testkit.Eventually(t, "all ask", func() bool { return asking.Load() >= readers })
		return nil
	})
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() { p.read(1) })
	}
	wg.Wait()
	p.write(20, 1)
	require.Equal(t, metrics.Miss, p.read(1).outcome)
}

func TestMissesWaitTheirTurn(t *testing.T) {
	t.Parallel()
	const most, readers = 2, 20
	w := newWorld(t)
	var minted, now atomic.Int32
	w.inner = minting{w.inner, func(tag keying.Tag) {
		if strings.HasPrefix(tag.String(), "row:") {
			minted.Add(1)
		}
	}}
	p := w.process(consistency.Config{MaxMisses: most})
	p.beforeLoad = func() {
		if n := now.Add(1); n > most {
			t.Errorf("%d at once", n)
		}
		testkit.Eventually(t, "all others want to read the database", func() bool { return minted.Load() == readers })
	}
	p.afterLoad = func() { now.Add(-1) }
	var wg sync.WaitGroup
	for id := range readers {
		wg.Go(func() { p.read(id + 1) })
	}
	wg.Wait()
}

func TestMissWhoseTurnDoesNotComeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.inner = minting{w.inner, func(tag keying.Tag) {
		if tag == w.table.Row(w.key(2)) {
			cancel()
		}
	}}
	p := w.process(consistency.Config{MaxMisses: 1})
	reading, over := make(chan struct{}), make(chan struct{})
	p.beforeLoad = func() { close(reading); <-over }
	var wg sync.WaitGroup
	wg.Go(func() { p.read(1) })
	<-reading
	loads := w.databaseReads()
	_, err := p.try(ctx, 2)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, loads, w.databaseReads())
	close(over)
	wg.Wait()
}
