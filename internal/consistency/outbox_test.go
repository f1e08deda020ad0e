package consistency_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// cutOff is a process that cannot tell the store of its writes, and leaves them in an outbox.
func (w *world) cutOff() *process {
	p := w.process(consistency.Config{Outage: consistency.Outbox})
	p.steps.set(&p.steps.onIntend, fails)
	p.steps.set(&p.steps.onRelease, fails)
	return p
}

// doc.go, O1 and O2: what was left is all that has to be told, whoever tells it.
func TestWhatWasLeftIsToldByAnybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p, other, third := w.cutOff(), w.process(consistency.Config{}), w.process(consistency.Config{})
	other.cached(1)
	guard := consistency.Guard{Registry: keying.Tag("registry"), Names: []string{"a"}}
	wr, err := p.Intend(t.Context(), w.tags(1), guard)
	require.NoError(t, err)
	left := wr.Untold()
	require.Subset(t, left, w.tags(1))
	require.Contains(t, left, guard.Registry, "nobody looks at it when it is told")
	wr.Left()
	w.commit(20, 1)
	wr.End(t.Context(), metrics.Committed)
	require.True(t, p.events.lastWrite().Outboxed)
	require.Equal(t, []int{10}, other.read(1).values, "it cannot know")
	require.Equal(t, metrics.ReasonJournal, p.read(1).reason, "the writer serves nothing before")
	require.NoError(t, p.Close(t.Context()), "it need not wait")
	for range 2 { // once more is a miss
		require.NoError(t, third.Relay(t.Context(), left))
		require.Equal(t, []int{20}, other.read(1).values)
	}
	third.steps.set(&third.steps.onRelease, fails)
	require.ErrorIs(t, third.Relay(t.Context(), left), errRedis)
}

func TestNothingIsLeftOfAWriteThatWasAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, outage := range []consistency.Outage{consistency.Journal, consistency.Outbox} {
		p := w.process(consistency.Config{Outage: outage})
		if outage == consistency.Journal {
			p.steps.set(&p.steps.onIntend, fails)
		}
		wr, err := p.Intend(t.Context(), w.tags(1))
		require.NoError(t, err)
		require.Empty(t, wr.Untold())
		wr.End(t.Context(), metrics.Committed)
	}
}
