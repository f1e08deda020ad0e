package consistency_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// foreground is a process that may be frozen whenever nobody waits for it.
func (w *world) foreground(cfg consistency.Config) *process {
	cfg.Foreground = true
	return w.process(cfg)
}

func TestForegroundStoresBeforeItAnswers(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		w.set(1, 10)
		p, other := w.foreground(consistency.Config{}), w.process(consistency.Config{})
		var stored atomic.Bool
		p.steps.set(&p.steps.onPut, func() error {
			time.Sleep(50 * time.Millisecond) // as a slow server does
			stored.Store(true)
			return nil
		})
		require.Equal(t, metrics.Miss, p.read(1).outcome)
		require.True(t, stored.Load())
		require.Equal(t, metrics.Hit, p.read(1).outcome)
		require.Equal(t, metrics.Hit, other.read(1).outcome)
	})
}

// quiet checks that another process goes on serving what is old for longer than the background would wait.
func quiet(t *testing.T, other *process, old int) {
	t.Helper()
	forSo(30*time.Second, func() { require.Equal(t, []int{old}, other.read(1).values, "nobody works in the background") })
}

func TestForegroundPaysTheJournalWithTheNextStatement(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]func(*process){ //nolint:paralleltest // inVirtualTime says so
		"read":  func(p *process) { require.Equal(t, []int{10}, p.read(2).values) },
		"write": func(p *process) { p.write(30, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, func(t *testing.T, w *world) {
				w.set(1, 10)
				w.set(2, 10)
				p, other := w.foreground(consistency.Config{}), w.process(consistency.Config{})
				other.cached(1)
				p.steps.set(&p.steps.onIntend, fails)
				p.steps.set(&p.steps.onRelease, fails)
				p.write(20, 1)
				p.steps.set(&p.steps.onIntend, nil)
				p.steps.set(&p.steps.onRelease, nil)
				quiet(t, other, 10)
				statement(p)
				require.Equal(t, []int{20}, other.read(1).values)
			})
		})
	}
}

func TestForegroundReleasesWithTheNextRead(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(_ *testing.T, w *world) {
		w.set(1, 10)
		w.set(2, 10)
		p, other := w.foreground(consistency.Config{IntentTTL: time.Hour}), w.process(consistency.Config{})
		p.cached(2)
		p.steps.set(&p.steps.onRelease, fails)
		p.write(20, 1)
		require.Equal(t, metrics.Hit, p.read(2).outcome, "it was announced: nothing old is served")
		p.steps.set(&p.steps.onRelease, nil)
		require.Equal(t, metrics.ReasonWriting, other.read(1).reason)
		require.Equal(t, metrics.Hit, p.read(2).outcome)
		other.cached(1) // long before the intent ends by itself
		require.Equal(t, []int{20}, other.read(1).values)
	})
}

// Nobody can renew the intent of a write in doubt: it lasts from the start.
func TestForegroundIntentInDoubtLastsWithoutBeingRenewed(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		w.set(1, 10)
		p := w.foreground(consistency.Config{InDoubtHold: time.Minute, IntentTTL: 100 * time.Millisecond})
		other := w.process(consistency.Config{})
		other.cached(1)
		wr, err := p.Intend(t.Context(), w.tags(1))
		require.NoError(t, err)
		wr.End(t.Context(), metrics.InDoubt)
		p.steps.set(&p.steps.onIntend, fails) // it is frozen
		p.steps.set(&p.steps.onRelease, fails)
		forSo(59*time.Second, func() { require.Equal(t, metrics.ReasonWriting, other.read(1).reason) })
		w.commit(20, 1) // it lands late
		testkit.Eventually(t, "it is settled", func() bool { return other.read(1).outcome == metrics.Hit })
		require.Equal(t, []int{20}, other.read(1).values)
	})
}
