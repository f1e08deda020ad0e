package consistency_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

func TestEvictedTokensAreMisses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	for _, tag := range w.entry(1).Tags {
		p.cached(1)
		w.lose(tag)
		require.Equal(t, metrics.Miss, p.read(1).outcome, tag)
	}
}

func TestEntriesThatDoNotDecodeAreMisses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	key := string(w.entry(1).Key)
	p.cached(1)
	good := w.holds(key).Data
	changed := []byte(good)
	changed[len(changed)-1] ^= 1
	for _, bad := range []string{"", "x", good[:2], good[:len(good)/2], good[:len(good)-1], "\xff" + good[1:], string(changed)} {
		w.put(key, bad)
		got := p.read(1)
		require.Zero(t, got.found, "%q", bad)
		require.Equal(t, []int{10}, got.values)
		p.cached(1)
	}
	require.NotEmpty(t, p.events.states)
}

func TestEntryLivesFromTheReadOfTheDatabaseOn(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		w.set(1, 10)
		p := w.process(consistency.Config{})
		entry := w.entry(1)
		entry.TTL = 50 * time.Millisecond
		_, err := p.Read(t.Context(), request(entry), func(context.Context, []int) ([]consistency.Result, error) {
			time.Sleep(60 * time.Millisecond)
			return []consistency.Result{row(10)}, nil
		})
		require.NoError(t, err)
		testkit.Eventually(t, "the fill is over", func() bool { return p.events.lastFill() != "" })
		require.Equal(t, metrics.Expired, p.events.lastFill())
		require.Equal(t, metrics.Miss, p.read(1).outcome)
	})
}

func TestLargeAnswersAreNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 123456)
	p := w.process(consistency.Config{MaxEntry: 60})
	p.read(1)
	testkit.Eventually(t, "the fill is over", func() bool { return p.events.lastFill() == metrics.TooLarge })
	require.Equal(t, metrics.Miss, p.read(1).outcome)
}

func TestLoadThatKeepsItsAnswerIsNeitherSharedNorStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(consistency.Config{})
	calls := 0
	load := func(context.Context, []int) ([]consistency.Result, error) { calls++; return nil, nil }
	for i := range 3 {
		reading, err := p.Read(t.Context(), request(w.entry(1)), load)
		require.NoError(t, err)
		require.Equal(t, metrics.Miss, reading.Outcome)
		require.Nil(t, reading.Results)
		require.Equal(t, i+1, calls)
	}
}

func TestErrorOfTheDatabaseIsTheReadersOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	p.beforeLoad = func() {}
	go func() {
		_, _ = p.Read(ctx, request(w.entry(1)), func(ctx context.Context, _ []int) ([]consistency.Result, error) {
			close(started)
			<-ctx.Done()
			return nil, ctx.Err()
		})
	}()
	<-started
	done := make(chan answer)
	go func() { done <- p.read(1) }()
	cancel()
	require.Equal(t, []int{10}, (<-done).values)
}

// doc.go: a dependency that is not known yet.
func TestWhatWasLearnedHoldsWhileItsPinsAreCurrent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	load := func(context.Context, []int) ([]consistency.Result, error) { return []consistency.Result{row(10)}, nil }
	read := func(pins *consistency.Pins) (metrics.Outcome, error) {
		reading, err := p.Read(t.Context(), consistency.Request{Entries: []consistency.Entry{w.entry(1)}, Pins: pins}, load)
		return reading.Outcome, err
	}
	_, err := read(nil) // nothing was learned
	require.ErrorIs(t, err, consistency.ErrOutdated)

	pins, err := p.Pin(t.Context(), w.names)
	require.NoError(t, err)
	outcome, err := read(pins)
	require.NoError(t, err)
	require.Equal(t, metrics.Miss, outcome)
	testkit.Eventually(t, "the entry is stored", func() bool {
		outcome, err := read(pins)
		return err == nil && outcome == metrics.Hit
	})

	wr, err := w.process(consistency.Config{}).Intend(t.Context(), w.names.Everything())
	require.NoError(t, err)
	_, err = p.Pin(t.Context(), w.names)
	require.ErrorIs(t, err, consistency.ErrWriting)
	wr.End(t.Context(), metrics.Committed)
	for range 2 { // once when the new token has yet to be minted, once when it is there
		_, err = read(pins)
		require.ErrorIs(t, err, consistency.ErrOutdated)
	}
	again, err := p.Pin(t.Context(), w.names)
	require.NoError(t, err)
	_, err = read(again)
	require.NoError(t, err)
}

// The tokens have been minted by one who has learned anew; one who has not must notice all the same.
func TestWhatWasLearnedIsLookedAtWhenNothingIsMinted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	old, anew := w.process(consistency.Config{}), w.process(consistency.Config{})
	list := w.entry(1)
	list.AbsentTags = nil // as the answer of a query
	read := func(p *process, pins *consistency.Pins) error {
		_, err := p.Read(t.Context(), consistency.Request{Entries: []consistency.Entry{list}, Pins: pins},
			func(context.Context, []int) ([]consistency.Result, error) { return []consistency.Result{row(10)}, nil })
		return err
	}
	pins, err := old.Pin(t.Context(), w.names)
	require.NoError(t, err)
	require.NoError(t, read(old, pins))
	wr, err := anew.Intend(t.Context(), w.names.Everything())
	require.NoError(t, err)
	wr.End(t.Context(), metrics.Committed)
	now, err := anew.Pin(t.Context(), w.names)
	require.NoError(t, err)
	require.NoError(t, read(anew, now))
	require.ErrorIs(t, read(old, pins), consistency.ErrOutdated)
}

func TestRefreshReadsTheDatabaseAndStoresTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	p.cached(1)
	req := request(w.entry(1))
	req.Refresh = true
	w.set(1, 20) // by somebody who does not announce it
	reading, err := p.Read(t.Context(), req, func(context.Context, []int) ([]consistency.Result, error) {
		return []consistency.Result{row(20)}, nil
	})
	require.NoError(t, err)
	require.Equal(t, metrics.Miss, reading.Outcome)
	testkit.Eventually(t, "the new answer is stored", func() bool { return p.read(1).values[0] == 20 })
}

func TestReadOnlyStoresNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	req := request(w.entry(1))
	req.ReadOnly = metrics.ReasonReplica
	load := func(context.Context, []int) ([]consistency.Result, error) { panic("must not run") }
	reading, err := p.Read(t.Context(), req, load)
	require.NoError(t, err)
	require.Equal(t, metrics.ReasonReplica, reading.Reason)
	p.cached(1)
	reading, err = p.Read(t.Context(), req, load)
	require.NoError(t, err)
	require.Equal(t, metrics.Hit, reading.Outcome)
}
