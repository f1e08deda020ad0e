package consistency_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// An obstacle is what a step of a read meets. It happens right before the step, whose error it returns.
type obstacle func(w *world, other *process) error

func obstacles() map[string]obstacle {
	intend := func(w *world, other *process) (*consistency.Write, error) {
		return other.Intend(w.t.Context(), w.tags(ids(3)...))
	}
	return map[string]obstacle{
		"the store fails": func(*world, *process) error { return errRedis },
		"the rows are being written": func(w *world, other *process) error {
			_, err := intend(w, other)
			return err
		},
		"the rows were written": func(w *world, other *process) error {
			wr, err := intend(w, other)
			if err == nil {
				wr.End(w.t.Context(), metrics.Committed)
			}
			return err
		},
		"the rows were evicted": func(w *world, _ *process) error {
			w.lose(w.tags(ids(3)...)...)
			return nil
		},
		"everything was written": func(w *world, other *process) error {
			wr, err := other.Intend(w.t.Context(), w.names.All())
			if err == nil {
				wr.End(w.t.Context(), metrics.Committed)
				other.read(1, 2, 3, 4, 5)
			}
			return err
		},
		"the schema has changed": func(w *world, other *process) error {
			wr, err := other.Intend(w.t.Context(), w.names.Everything())
			if err == nil {
				wr.End(w.t.Context(), metrics.Committed)
			}
			return err
		},
		"the schema has changed, and another process has learned it": func(w *world, other *process) error {
			wr, err := other.Intend(w.t.Context(), w.names.Everything())
			if err == nil {
				wr.End(w.t.Context(), metrics.Committed)
				_, err = other.Pin(w.t.Context(), w.names)
				other.read(1, 2, 3, 4, 5)
			}
			return err
		},
	}
}

// before makes the nth step of a kind meet an obstacle.
func before(n int, meets func() error) func() error {
	return func() error {
		if n--; n == 0 {
			return meets()
		}
		return nil
	}
}

// Whatever a step of a read meets, and whatever the steps before it have left: the read ends as a bypass, with the request to
// learn the schema anew, or with the right rows. On a store of one server and on one of several, where several entries are
// looked at twice.
func TestReadEndsWellWhateverAStepMeets(t *testing.T) {
	t.Parallel()
	requests := map[string]consistency.Request{
		"strict":    {},
		"refresh":   {Refresh: true},
		"read only": {ReadOnly: metrics.ReasonControl},
		"stale":     {StaleFor: time.Minute},
		"aged":      {MaxAge: time.Nanosecond},
	}
	// Rows 1 to 3 are there, 4 and 5 are not. Rows 1, 2 and 4 are cached.
	lookups := [][]int{{1}, {3}, {4}, {5}, {1, 2}, {1, 3}, {1, 4}, {4, 5}, {1, 2, 3, 4, 5}}
	for name, meets := range obstacles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, req := range requests {
				for _, lookup := range lookups {
					for _, step := range []string{"look 1", "look 2", "look 3", "mint"} {
						for _, several := range []bool{false, true} {
							r := hindered{meets: meets, step: step, several: several, request: req, lookup: lookup}
							r.endsWell(t, fmt.Sprintf("%s %v, %s, several servers: %v", kind, lookup, step, several))
						}
					}
				}
			}
		})
	}
}

// hindered is a read of rows one step of which meets an obstacle, on one server or on several.
type hindered struct {
	meets   obstacle
	step    string
	several bool
	request consistency.Request
	lookup  []int
}

func (h hindered) endsWell(t *testing.T, name string) {
	t.Helper()
	w := newWorldInMemory(t)
	w.commit(10, 1, 2, 3)
	p, other := w.foreground(consistency.Config{}), w.process(consistency.Config{})
	if h.several {
		p.steps.Store = notAtomic{p.steps.Store}
	}
	pins, err := p.Pin(t.Context(), w.names)
	require.NoError(t, err)
	for _, id := range []int{1, 2, 4} {
		_, err := p.ask(t.Context(), consistency.Request{Pins: pins}, id)
		require.NoError(t, err, name)
	}
	meet := func() error { return h.meets(w, other) }
	switch h.step {
	case "look 1":
		p.steps.set(&p.steps.onLoad, before(1, meet))
	case "look 2":
		p.steps.set(&p.steps.onLoad, before(2, meet))
	case "look 3":
		p.steps.set(&p.steps.onLoad, before(3, meet))
	case "mint":
		p.steps.set(&p.steps.onMint, before(1, meet))
	}
	h.request.Pins = pins
	got, err := p.ask(t.Context(), h.request, h.lookup...)
	if errors.Is(err, consistency.ErrOutdated) {
		return
	}
	require.NoError(t, err, name)
	require.Equal(t, p.select_(h.lookup), got.values, name)
}
