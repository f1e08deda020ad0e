package consistency_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

var errRedis = errors.New("connection refused")

func fails() error { return errRedis }

func TestSecondReadIsAHitInEveryProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{})
	require.Equal(t, metrics.Miss, a.read(1).outcome)
	a.cached(1)
	require.Equal(t, answer{values: []int{10}, outcome: metrics.Hit, found: 1}, b.read(1))
	require.Equal(t, 1, w.databaseReads())
}

// The answer that is on its way into the store is shared by those who ask for it meanwhile, so a program that reads
// twice in a row asks the database once.
func TestReadIsSharedUntilItsFillHasLanded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	release := make(chan struct{})
	p.steps.set(&p.steps.onPut, func() error { <-release; return nil })
	require.False(t, p.read(1).joined)
	second := p.read(1)
	require.True(t, second.joined)
	require.Equal(t, []int{10}, second.values)
	require.Equal(t, 1, w.databaseReads())
	close(release)
	p.cached(1)
}

// doc.go: late fill.
func TestLateFillIsNeverServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{})
	read, goOn := make(chan struct{}), make(chan struct{})
	a.steps.set(&a.steps.onPut, func() error { close(read); <-goOn; return nil })
	a.read(1)
	<-read
	b.write(20, 1)
	close(goOn)
	testkit.Eventually(t, "the fill landed", func() bool { return a.events.lastFill() == metrics.Stored })
	b.steps.set(&b.steps.onPut, func() error { return errors.New("it does not replace the old entry") })
	require.Equal(t, []int{20}, b.read(1).values)
	require.Equal(t, []int{20}, w.process(consistency.Config{}).read(1).values, "every tag has a token again")
	b.steps.set(&b.steps.onPut, nil)
	b.cached(1)
	require.Equal(t, []int{20}, a.read(1).values)
}

// doc.go: between COMMIT and invalidation.
func TestNothingOldIsServedBetweenCommitAndRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{})
	a.cached(1)
	wr, err := b.Intend(t.Context(), w.tags(1))
	require.NoError(t, err)
	require.Equal(t, metrics.ReasonWriting, a.read(1).reason)
	w.commit(20, 1)
	require.Equal(t, answer{values: []int{20}, outcome: metrics.Bypass, reason: metrics.ReasonWriting}, a.read(1))
	wr.End(t.Context(), metrics.Committed)
	require.Equal(t, []int{20}, a.read(1).values)
	require.Equal(t, metrics.WriteEvent{
		Tags: []string{"list:accounts", "row:accounts:1"}, Outcome: metrics.Committed, Announced: true, Released: true,
		Before: b.events.lastWrite().Before, After: b.events.lastWrite().After,
	}, b.events.lastWrite())
}

// doc.go: crash after COMMIT.
func TestWriterThatDiesAfterCommitLeavesNothingOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{IntentTTL: 200 * time.Millisecond})
	a.cached(1)
	_, err := b.Intend(t.Context(), w.tags(1))
	require.NoError(t, err)
	w.commit(20, 1)
	_ = b.Close(t.Context()) // dies: neither renews nor releases
	require.Equal(t, []int{20}, a.read(1).values)
	a.cached(1) // the place of the dead writer lapses
	require.Equal(t, []int{20}, a.read(1).values)
}

// doc.go: two writers.
func TestOneWriterDoesNotUncoverAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	a, b, c := w.process(consistency.Config{}), w.process(consistency.Config{}), w.process(consistency.Config{})
	first, err := a.Intend(t.Context(), w.tags(1))
	require.NoError(t, err)
	_, err = b.Intend(t.Context(), w.tags(1))
	require.NoError(t, err)
	w.commit(20, 1)
	first.End(t.Context(), metrics.Committed)
	require.Equal(t, metrics.ReasonWriting, c.read(1).reason)
	w.commit(30, 1) // the second one commits, and dies
	require.Equal(t, answer{values: []int{30}, outcome: metrics.Bypass, reason: metrics.ReasonWriting}, c.read(1))
}

// doc.go: a writer that sleeps.
func TestWriterThatSleptDropsWhatWasStoredMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	a := w.process(consistency.Config{})
	b := w.process(consistency.Config{IntentTTL: 60 * time.Millisecond})
	b.steps.set(&b.steps.onIntend, onlyOnce())
	wr, err := b.Intend(t.Context(), w.tags(1))
	require.NoError(t, err)
	a.cached(1) // possible only because the intent lapsed
	w.commit(20, 1)
	wr.End(t.Context(), metrics.Committed)
	require.Equal(t, []int{20}, a.read(1).values)
	require.True(t, b.events.lastWrite().Lapsed)
}

// onlyOnce lets the first step through: a writer that is stopped does not renew its intent.
func onlyOnce() func() error {
	var once sync.Once
	return func() error {
		err := errRedis
		once.Do(func() { err = nil })
		return err
	}
}

// An intent that came after the release would be nobody's: its tags would not be served until it lapses.
func TestReleaseWaitsForTheRenewalThatIsUnderWay(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		w.set(1, 10)
		a := w.process(consistency.Config{})
		b := w.process(consistency.Config{IntentTTL: 300 * time.Millisecond})
		wr, err := b.Intend(t.Context(), w.tags(1))
		require.NoError(t, err)
		let := make(chan struct{})
		b.steps.set(&b.steps.onIntend, func() error { <-let; return nil })
		time.Sleep(150 * time.Millisecond) // the renewal is under way
		w.commit(20, 1)
		ended := make(chan struct{})
		go func() {
			wr.End(t.Context(), metrics.Committed)
			close(ended)
		}()
		synctest.Wait()
		close(let)
		<-ended
		synctest.Wait()
		require.Equal(t, metrics.Miss, a.read(1).outcome) // and not a bypass, because somebody writes
		synctest.Wait()
		require.Equal(t, answer{values: []int{20}, outcome: metrics.Hit, found: 1}, a.read(1))
	})
}

func TestIntentIsRenewedWhileCommitIsUnderWay(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		w.set(1, 10)
		a := w.process(consistency.Config{})
		b := w.process(consistency.Config{IntentTTL: 300 * time.Millisecond})
		wr, err := b.Intend(t.Context(), w.tags(1))
		require.NoError(t, err)
		forSo(time.Minute, func() { require.Equal(t, metrics.ReasonWriting, a.read(1).reason) })
		w.commit(20, 1)
		wr.End(t.Context(), metrics.Committed)
		require.Equal(t, []int{20}, a.read(1).values)
		require.False(t, b.events.lastWrite().Lapsed)
	})
}

// doc.go: a joined flight.
func TestReadNeverJoinsAReadThatBeganBeforeAWriteItMustSee(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{})
	read, goOn := make(chan struct{}), make(chan struct{})
	a.afterLoad = first(func() { close(read); <-goOn })
	old := make(chan answer)
	go func() { old <- a.read(1) }()
	<-read
	b.write(20, 1)
	require.Equal(t, []int{20}, a.read(1).values)
	close(goOn)
	require.Equal(t, []int{10}, (<-old).values) // began before the write
	require.Equal(t, []int{20}, a.read(1).values)
	require.Equal(t, []int{20}, b.read(1).values)
}

func TestConcurrentMissesReadTheDatabaseOnce(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		w.set(1, 10)
		p := w.process(consistency.Config{})
		p.beforeLoad = func() { time.Sleep(50 * time.Millisecond) }
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { require.Equal(t, []int{10}, p.read(1).values) })
		}
		wg.Wait()
		require.Equal(t, 1, w.databaseReads())
	})
}

// doc.go: a store that goes back in time.
func TestEntriesOfAnotherHistoryAreNotServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	p.cached(1)
	// A failover that lost a write: token and entry are those from before it, and the history is another.
	w.commit(20, 1)
	w.dataset.set(store.History{1})
	require.Equal(t, []int{20}, p.read(1).values)
	p.cached(1)
	require.Equal(t, []int{20}, p.read(1).values)
}

// doc.go: a torn answer.
func TestRowsReadTogetherAreOfOneInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit(10, 1, 2)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{})
	a.cached(1)
	a.beforeLoad = first(func() { b.write(20, 1, 2) }) // after row 1 was found, before row 2 is read
	got := a.read(1, 2)
	require.Equal(t, []int{20, 20}, got.values)
	require.Equal(t, metrics.ReasonTorn, got.reason)
}

// notAtomic is a store of several servers.
type notAtomic struct{ store.Store }

func (s notAtomic) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap, err := s.Store.Load(ctx, keys)
	snap.Atomic = false
	return snap, err
}

func TestRowsFoundOnSeveralServersAreOfOneInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit(10, 1, 2)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{})
	a.steps.Store = notAtomic{w.inner}
	a.cached(1, 2)
	loads := 0
	a.steps.set(&a.steps.onLoad, func() error {
		if loads++; loads == 2 {
			b.write(20, 1, 2) // after the rows were found
		}
		return nil
	})
	got := a.read(1, 2)
	require.Equal(t, []int{20, 20}, got.values)
	require.Equal(t, metrics.Miss, got.outcome)
	loads = 2
	a.cached(1, 2)
}

func TestOnlyMissingRowsAreReadFromTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit(10, ids(50)...)
	p := w.process(consistency.Config{})
	p.cached(ids(47)...)
	p.beforeLoad = func() {}
	got := p.read(ids(50)...)
	require.Equal(t, metrics.Miss, got.outcome)
	require.Equal(t, 47, got.found)
	require.Len(t, got.values, 50)
	p.cached(ids(50)...)
}

func TestAbsentRowIsCachedUntilItIsCreated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{})
	a.cached(1)
	require.Equal(t, []int{0}, b.read(1).values)
	b.write(10, 1)
	require.Equal(t, []int{10}, a.read(1).values)
}

// The key of the new row is not known before it is inserted.
func TestAbsentRowIsCachedUntilARowOfUnknownKeyIsCreated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(2, 5)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{})
	a.cached(1)
	a.cached(2)
	wr, err := b.Intend(t.Context(), []keying.Tag{w.table.List(), w.table.Absent()})
	require.NoError(t, err)
	require.Equal(t, metrics.ReasonWriting, a.read(1).reason)
	require.Equal(t, metrics.Hit, a.read(2).outcome) // rows that are there are not concerned
	w.commit(10, 1)
	_ = wr // dies
	require.Equal(t, []int{10}, a.read(1).values)
}

// An answer "no such row" that was read from the database before the row was there must not outlive it.
func TestAbsentAnswerThatIsStoredLateIsNeverServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.process(consistency.Config{}), w.process(consistency.Config{})
	a.afterLoad = first(func() {
		wr, err := b.Intend(t.Context(), []keying.Tag{w.table.List(), w.table.Absent()})
		require.NoError(t, err)
		w.commit(10, 1)
		wr.End(t.Context(), metrics.Committed)
	})
	require.Equal(t, []int{0}, a.read(1).values)
	testkit.Eventually(t, "the fill landed", func() bool { return a.events.lastFill() == metrics.Stored })
	require.Equal(t, []int{10}, a.read(1).values)
	require.Equal(t, []int{10}, b.read(1).values)
}
