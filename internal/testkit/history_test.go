package testkit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

func TestHistoryJudgesReads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		run  func(*testkit.History)
		want testkit.Verdict
	}{
		"good": {
			run: func(h *testkit.History) {
				w := h.Now()
				early := h.Now()
				h.Wrote("k", 1, w)
				h.Read("k", 0, early) // began before the write was acknowledged
				h.Read("k", 1, h.Now())
				h.Read("other", 0, h.Now())
			},
			want: testkit.Verdict{Reads: 3, Writes: 1},
		},
		"stale": {
			run: func(h *testkit.History) {
				h.Wrote("k", 1, h.Now())
				h.Read("k", 0, h.Now())
			},
			want: testkit.Verdict{Reads: 1, Writes: 1, Stale: 1, Example: "k: read version 0 after version 1 was acknowledged"},
		},
		"backward": {
			run: func(h *testkit.History) {
				w := h.Now()
				h.Read("k", 1, h.Now())
				h.Read("k", 0, h.Now())
				h.Wrote("k", 1, w)
			},
			want: testkit.Verdict{Reads: 2, Writes: 1, Backward: 1, Example: "k: read version 0 after version 1 was read"},
		},
		"dirty": {
			run: func(h *testkit.History) {
				h.RolledBack("k", 1, h.Now())
				h.Read("k", 1, h.Now())
			},
			want: testkit.Verdict{Reads: 1, Writes: 1, Dirty: 1, Example: "k: read version 1, which was never committed"},
		},
		"in doubt": {
			run: func(h *testkit.History) {
				h.InDoubt("k", 1, h.Now())
				h.Read("k", 0, h.Now())
				h.Read("k", 1, h.Now())
			},
			want: testkit.Verdict{Reads: 2, Writes: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var h testkit.History
			c.run(&h)
			require.Equal(t, c.want, h.Judge())
		})
	}
}
