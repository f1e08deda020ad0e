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

// hot makes an entry one that the process asks for often.
func (p *process) hot(id int) {
	p.w.t.Helper()
	for range 40 {
		p.cached(id)
	}
}

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

// leased calls f whenever a process asks for a lease, and has an answer.
func leased(s store.Store, f func()) store.Store {
	return minting{s, func(tag keying.Tag) {
		if strings.HasPrefix(tag.String(), "lease:") {
			f()
		}
	}}
}

// An entry that is asked for often is worth a lease, however quickly the database answers.
func TestEntryThatIsAskedForOftenIsLeased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	var asked atomic.Int32
	w.inner = leased(w.inner, func() { asked.Add(1) })
	p := w.process(consistency.Config{})
	testkit.Eventually(t, "the machine was quick enough to ask often within a second", func() bool {
		p.hot(1)
		p.write(20, 1)
		asked.Store(0)
		p.read(1)
		return asked.Load() == 1
	})
}

func TestOneOfSeveralProcessesReadsTheDatabaseForAHotEntry(t *testing.T) {
	t.Parallel()
	const processes = 4
	w := newWorld(t)
	w.set(1, 10)
	var asked atomic.Int32
	w.inner = leased(w.inner, func() { asked.Add(1) })
	all := make([]*process, processes)
	for i := range all {
		all[i] = w.process(consistency.Config{Timeout: 10 * time.Second}) // for so long the others wait
	}
	all[0].beforeLoad = func() { time.Sleep(10 * time.Millisecond) } // so slow that it is worth a lease
	all[0].cached(1)
	all[0].write(20, 1)
	before := w.databaseReads()
	asked.Store(0)
	for _, p := range all {
		p.beforeLoad = func() { // the database takes until all have come
			testkit.Eventually(t, "every process has asked for the lease", func() bool { return asked.Load() == processes })
		}
	}
	var joined atomic.Int32
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() {
			a := p.read(1)
			require.Equal(t, []int{20}, a.values)
			if a.outcome == metrics.Hit && a.joined {
				joined.Add(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, w.databaseReads()-before)
	require.EqualValues(t, processes-1, joined.Load())
}

// A read of several rows shares the read of one of them, which another process carries out.
func TestRowsOfWhichOneIsLeasedAreEachTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit(10, 1, 2)
	var asked, looked atomic.Int32
	w.inner = leased(w.inner, func() { asked.Add(1) })
	here, there := w.process(consistency.Config{Timeout: 10 * time.Second}), w.process(consistency.Config{})
	here.cached(1)
	there.beforeLoad = func() { time.Sleep(10 * time.Millisecond) } // so slow that it is worth a lease
	there.cached(2)
	there.write(20, 2)
	asked.Store(0)
	read, goOn := make(chan struct{}), make(chan struct{})
	there.afterLoad = first(func() { close(read); <-goOn })
	var wg sync.WaitGroup
	wg.Go(func() { require.Equal(t, []int{20}, there.read(2).values) })
	<-read
	here.steps.set(&here.steps.onLoad, func() error { looked.Add(1); return nil })
	wg.Go(func() { require.Equal(t, []int{20}, here.read(2).values) })
	testkit.Eventually(t, "it waits for the other process", func() bool { return asked.Load() == 2 })
	var several answer
	wg.Go(func() { several = here.read(1, 2) })
	before := looked.Load()
	testkit.Eventually(t, "all have looked, and one again and again", func() bool { return looked.Load() > before+5 })
	reads := w.databaseReads()
	close(goOn)
	wg.Wait()
	require.Equal(t, []int{10, 20}, several.values)
	require.Equal(t, reads, w.databaseReads(), "it did not share, so this test tests nothing")
}

func TestColdEntryCostsNoLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	w.inner = leased(w.inner, func() { t.Error("it asks for a lease") })
	p := w.process(consistency.Config{})
	require.Equal(t, metrics.Miss, p.read(1).outcome)
}

// An entry that took the database long is worth a lease, however seldom it is asked for.
func TestEntryThatIsSlowToReadIsLeased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	var asked atomic.Int32
	w.inner = leased(w.inner, func() { asked.Add(1) })
	p := w.process(consistency.Config{})
	p.beforeLoad = func() { time.Sleep(6 * time.Millisecond) }
	p.cached(1)
	require.Zero(t, asked.Load())
	p.write(20, 1)
	p.read(1)
	require.EqualValues(t, 1, asked.Load())
}

// A lease that nobody makes use of costs others a wait, and no wrong answer.
func TestLeaseOfAProcessThatDiesIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	dead, alive := w.process(consistency.Config{}), w.process(consistency.Config{})
	dead.hot(1)
	alive.hot(1)
	dead.write(20, 1)
	dead.steps.set(&dead.steps.onPut, func() error { return errors.New("it is gone") })
	require.Equal(t, []int{20}, dead.read(1).values)
	a := alive.read(1)
	require.Equal(t, []int{20}, a.values)
	require.Equal(t, metrics.Miss, a.outcome)
	require.False(t, a.joined)
}

// What another process stores is taken only if it is as fresh as the reader needs it.
func TestLeaseDoesNotServeWhatWasReadBeforeAWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	slow, quick := w.process(consistency.Config{}), w.process(consistency.Config{})
	slow.hot(1)
	quick.hot(1)
	slow.write(20, 1)
	read, stored := make(chan struct{}), make(chan struct{})
	slow.afterLoad = first(func() { close(read); <-stored }) // it has read 20
	done := make(chan answer)
	go func() { done <- slow.read(1) }()
	<-read
	quick.write(30, 1)
	quick.steps.set(&quick.steps.onLoad, first2(func() { close(stored) })) // once it waits, the old answer is stored
	require.Equal(t, []int{30}, quick.read(1).values)
	select {
	case <-stored:
	default:
		close(stored)
	}
	require.Equal(t, []int{20}, (<-done).values)
	require.Equal(t, []int{30}, slow.read(1).values)
}

// first2 returns a step that calls f the second time, when a reader that has looked once looks again.
func first2(f func()) func() error {
	var n atomic.Int32
	return func() error {
		if n.Add(1) == 2 {
			f()
		}
		return nil
	}
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

func TestEntryIsReadAnewBeforeItsTimeIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(consistency.Config{Timeout: 100 * time.Millisecond}) // for so long the first read can be joined
	testkit.Eventually(t, "it is read anew while it is there", func() bool {
		req := w.dying(p)
		for {
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
}

func TestEntryIsServedIfItCannotBeReadAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(consistency.Config{Timeout: 100 * time.Millisecond})
	broken := errors.New("the database is away")
	testkit.Eventually(t, "reading it anew fails", func() bool {
		req := w.dying(p)
		for {
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
	const most = 2
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.inner = minting{w.inner, func(tag keying.Tag) {
		if tag == w.table.Row(w.key(100)) {
			cancel() // before its turn has come
		}
	}}
	p := w.process(consistency.Config{MaxMisses: most})
	var now atomic.Int32
	both, over := make(chan struct{}), make(chan struct{})
	p.beforeLoad = func() {
		if n := now.Add(1); n > most {
			t.Errorf("%d at once", n)
		} else if n == most {
			select {
			case <-both:
			default:
				close(both)
			}
		}
		<-over
		now.Add(-1)
	}
	var wg sync.WaitGroup
	for id := range 20 {
		wg.Go(func() { p.read(id + 1) })
	}
	<-both
	_, err := p.try(ctx, 100)
	close(over)
	wg.Wait()
	require.ErrorIs(t, err, context.Canceled)
}

func TestLeaseIsInTheSlotOfItsEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slot := func(name string) string {
		_, rest, _ := strings.Cut(name, "{")
		tag, _, _ := strings.Cut(rest, "}")
		return tag
	}
	key := w.entry(1).Key
	require.Equal(t, slot(string(key)), slot(key.Lease("stamps").Token()))
	require.NotEqual(t, key.Lease("stamps"), key.Lease("others"))
	require.NotEqual(t, key.Lease("stamps"), keying.Tag(key))
}
