package consistency_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

func TestReadFallsBackToTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	p.cached(1)
	p.steps.set(&p.steps.onLoad, fails)
	require.Equal(t, answer{values: []int{10}, outcome: metrics.Bypass, reason: metrics.ReasonStore}, p.read(1))
	p.steps.set(&p.steps.onLoad, nil)
	p.steps.set(&p.steps.onMint, fails)
	require.Equal(t, answer{values: []int{0}, outcome: metrics.Bypass, reason: metrics.ReasonStore}, p.read(2))
	p.steps.set(&p.steps.onMint, nil)
	p.steps.set(&p.steps.onPut, fails)
	require.Equal(t, metrics.Miss, p.read(2).outcome)
	testkit.Eventually(t, "the fill failed", func() bool { return p.events.lastFill() == metrics.FillError })
}

func TestJournalIsPaidBeforeAnythingIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	w.set(2, 10)
	p, other := w.process(consistency.Config{}), w.process(consistency.Config{})
	p.cached(1)
	p.cached(2)
	p.steps.set(&p.steps.onIntend, fails)
	p.steps.set(&p.steps.onRelease, fails)
	p.write(20, 1)
	require.Equal(t, metrics.WriteEvent{
		Tags: []string{"list:accounts", "row:accounts:1"}, Outcome: metrics.Committed, Journaled: true,
		Before: p.events.lastWrite().Before, After: p.events.lastWrite().After,
	}, p.events.lastWrite())

	// This process serves nothing, the other one does not know better: docs/guarantees.md.
	require.Equal(t, answer{values: []int{20}, outcome: metrics.Bypass, reason: metrics.ReasonJournal}, p.read(1))
	require.Equal(t, metrics.ReasonJournal, p.read(2).reason)
	require.Equal(t, []int{10}, other.read(1).values)

	p.steps.set(&p.steps.onRelease, nil)
	testkit.Eventually(t, "the journal is paid", func() bool { return p.read(1).reason != metrics.ReasonJournal })
	require.Equal(t, []int{20}, p.read(1).values)
	require.Equal(t, []int{20}, other.read(1).values)
	require.Equal(t, metrics.Hit, p.read(2).outcome)
}

func TestJournalIsPaidInTheBackground(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p, other := w.process(consistency.Config{}), w.process(consistency.Config{})
	other.cached(1)
	p.steps.set(&p.steps.onIntend, fails)
	p.steps.set(&p.steps.onRelease, fails)
	p.write(20, 1)
	p.steps.set(&p.steps.onRelease, nil)
	testkit.Eventually(t, "the other process sees it", func() bool { return other.read(1).values[0] == 20 })
}

// A write whose intent failed but whose release did not is told in time.
func TestWriteThatIsToldAfterCommitNeedsNoJournal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	p.cached(1)
	p.steps.set(&p.steps.onIntend, fails)
	p.write(20, 1)
	require.Equal(t, []int{20}, p.read(1).values)
	require.NotEqual(t, metrics.ReasonJournal, p.read(1).reason)
	require.False(t, p.events.lastWrite().Announced)
	require.True(t, p.events.lastWrite().Released)
}

// A write that was announced is safe even if it is never released: it stops nobody from serving other rows.
func TestWriteThatWasAnnouncedIsReleasedInTheBackground(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(_ *testing.T, w *world) {
		w.set(1, 10)
		w.set(2, 10)
		p, other := w.process(consistency.Config{IntentTTL: time.Hour}), w.process(consistency.Config{})
		p.cached(2)
		p.steps.set(&p.steps.onRelease, fails)
		p.write(20, 1)
		require.Equal(t, metrics.Hit, p.read(2).outcome)
		require.Equal(t, answer{values: []int{20}, outcome: metrics.Bypass, reason: metrics.ReasonWriting}, other.read(1))
		p.steps.set(&p.steps.onRelease, nil)
		other.cached(1) // long before the intent ends by itself
	})
}

func TestFailWriteRefusesWhatCannotBeAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{Outage: consistency.FailWrite})
	p.cached(1)
	p.steps.set(&p.steps.onIntend, fails)
	_, err := p.Intend(t.Context(), w.tags(1))
	require.ErrorIs(t, err, consistency.ErrUnannounced)
	require.ErrorIs(t, err, errRedis)
	require.Equal(t, metrics.Refused, p.events.lastWrite().Outcome)
	require.NotEqual(t, metrics.ReasonJournal, p.read(1).reason)
}

// doc.go: an unknown outcome.
func TestCommitInDoubtKeepsReadersFromCachingUntilItIsSettled(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		w.set(1, 10)
		p := w.process(consistency.Config{InDoubtHold: time.Minute, IntentTTL: 200 * time.Millisecond})
		other := w.process(consistency.Config{})
		other.cached(1)
		wr, err := p.Intend(t.Context(), w.tags(1))
		require.NoError(t, err)
		wr.End(t.Context(), metrics.InDoubt)
		forSo(59*time.Second, func() { require.Equal(t, metrics.ReasonWriting, other.read(1).reason) })
		w.commit(20, 1) // it lands late
		other.cached(1)
		require.Equal(t, []int{20}, other.read(1).values)
	})
}

// In doubt, and Redis does not know: nothing is served before it does.
func TestCommitInDoubtThatCouldNotBeAnnouncedOpensTheJournal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{InDoubtHold: time.Minute})
	p.cached(1)
	p.steps.set(&p.steps.onIntend, fails)
	wr, err := p.Intend(t.Context(), w.tags(1))
	require.NoError(t, err)
	wr.End(t.Context(), metrics.InDoubt)
	require.Equal(t, metrics.ReasonJournal, p.read(1).reason)
	p.steps.set(&p.steps.onIntend, nil)
	testkit.Eventually(t, "Redis was told", func() bool { return p.read(1).reason == metrics.ReasonWriting })
}

// doc.go: a canceled request.
func TestStepsOfAWriteGoOnWhenItsContextIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	p.cached(1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wr, err := p.Intend(ctx, w.tags(1))
	require.NoError(t, err)
	w.commit(20, 1)
	wr.End(ctx, metrics.Committed)
	require.Equal(t, []int{20}, p.read(1).values)
	require.True(t, p.events.lastWrite().Released)
}

func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit(10, ids(3)...)
	p, other := w.process(consistency.Config{}), w.process(consistency.Config{})
	other.cached(ids(3)...)
	p.steps.set(&p.steps.onIntend, fails)
	p.steps.set(&p.steps.onRelease, fails)
	for range 12 {
		p.write(20, ids(1000)...)
	}
	p.steps.set(&p.steps.onRelease, nil)
	testkit.Eventually(t, "the other process sees it", func() bool { return other.read(3).values[0] == 20 })
	testkit.Eventually(t, "the journal is paid", func() bool { return p.read(1).reason != metrics.ReasonJournal })
}

// What is remembered instead of a journal that is too long stands for all of it.
func TestJournalThatIsTooLongForgetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit(10, 1, 3)
	p, other := w.process(consistency.Config{}), w.process(consistency.Config{})
	other.cached(3)
	p.steps.set(&p.steps.onIntend, fails)
	p.steps.set(&p.steps.onRelease, fails)
	p.write(20, 3)
	for range 12 {
		p.write(20, ids(1003)[3:]...)
	}
	p.steps.set(&p.steps.onRelease, nil)
	testkit.Eventually(t, "the journal is paid", func() bool { return p.read(1).reason != metrics.ReasonJournal })
	require.Equal(t, []int{20}, other.read(3).values)
}

// A release that fails once, after an intent that failed, is a stall that is over: others must see the write.
func TestReleaseThatOthersDependOnIsTriedTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p, other := w.process(consistency.Config{}), w.process(consistency.Config{})
	other.cached(1)
	p.steps.set(&p.steps.onIntend, fails)
	var tried atomic.Bool
	p.steps.set(&p.steps.onRelease, func() error {
		if tried.Swap(true) {
			return nil
		}
		return errRedis
	})
	p.write(20, 1)
	require.Equal(t, []int{20}, other.read(1).values)
	require.True(t, p.events.lastWrite().Released)
}

func TestCloseTellsRedisWhatItStillHasToBeTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p, other := w.process(consistency.Config{}), w.process(consistency.Config{})
	other.cached(1)
	p.steps.set(&p.steps.onIntend, fails)
	p.steps.set(&p.steps.onRelease, fails)
	p.write(20, 1)
	p.steps.set(&p.steps.onRelease, nil)
	require.NoError(t, p.Close(t.Context()))
	require.Equal(t, []int{20}, other.read(1).values)
}

// Also if the time ends in the middle of an attempt, as it does when Redis answers slowly.
func TestCloseSaysWhyRedisWasNotTold(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		p := w.process(consistency.Config{})
		p.steps.set(&p.steps.onIntend, fails)
		p.steps.set(&p.steps.onRelease, fails)
		p.write(20, 1)
		attempts := 0
		p.steps.set(&p.steps.onRelease, func() error {
			if attempts++; attempts > 1 {
				time.Sleep(time.Second)
			}
			return errRedis
		})
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
		defer cancel()
		err := p.Close(ctx)
		require.ErrorIs(t, err, errRedis)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(2 * time.Second) // what goes on in the background ends
	})
}

// What the store still has to be told is known to who asks.
func TestBacklogIsWhatTheStoreHasToBeTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{InDoubtHold: time.Minute})
	require.Equal(t, consistency.Backlog{}, p.Backlog())
	p.steps.set(&p.steps.onIntend, fails)
	p.steps.set(&p.steps.onRelease, fails)
	before := time.Now()
	p.write(20, 1)
	first := p.Backlog()
	require.Equal(t, 1, first.Journal)
	require.False(t, first.Since.Before(before))
	require.Zero(t, first.InDoubt)
	p.write(21, 1)
	require.Equal(t, consistency.Backlog{Journal: 2, Since: first.Since}, p.Backlog(), "the oldest counts")
	for range 12 {
		p.write(22, ids(1000)...)
	}
	require.Equal(t, first.Since, p.Backlog().Since, "also when the journal was too long to be kept")
	p.steps.set(&p.steps.onIntend, nil)
	p.steps.set(&p.steps.onRelease, nil)
	testkit.Eventually(t, "the journal is paid", func() bool { return p.Backlog().Journal == 0 })
	require.Zero(t, p.Backlog().Since)
	wr, err := p.Intend(t.Context(), w.tags(1))
	require.NoError(t, err)
	wr.End(t.Context(), metrics.InDoubt)
	require.Equal(t, consistency.Backlog{InDoubt: 1}, p.Backlog())
}

// However much the store has to be told, a read waits for its own deadline at most, and so does Close.
func TestNobodyPaysALongJournalForLongerThanItHasTime(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		p := w.process(consistency.Config{Foreground: true})
		p.steps.set(&p.steps.onIntend, fails)
		p.steps.set(&p.steps.onRelease, fails)
		const writes = 300
		for range writes {
			p.write(20, 1)
		}
		var told atomic.Int64
		p.steps.set(&p.steps.onRelease, func() error {
			told.Add(1)
			time.Sleep(5 * time.Millisecond)
			return nil
		})
		for _, pay := range []func(context.Context){
			func(ctx context.Context) { _, _ = p.ask(ctx, consistency.Request{}, 1) },
			func(ctx context.Context) { require.ErrorIs(t, p.Close(ctx), context.DeadlineExceeded) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			pay(ctx)
			cancel()
			require.Less(t, told.Load(), int64(writes/2))
		}
		require.Positive(t, told.Load())
	})
}
