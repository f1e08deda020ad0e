package consistency_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// An interleaving is one order of the steps of readers and writers of row 1, which holds 10 in the beginning. Each step is
// over before the next one begins, so it has one outcome. It ends with a read that began when the database held want.
type interleaving func(w *world) (got, want int)

// row1 reads row 1, and has stored the answer, where it may, when it returns.
func (w *world) row1() int {
	w.t.Helper()
	return w.foreground(consistency.Config{}).read(1).values[0]
}

// announce is W2 of a write to row 1.
func (w *world) announce() *consistency.Write {
	w.t.Helper()
	wr, err := w.process(consistency.Config{}).Intend(w.t.Context(), w.tags(1))
	require.NoError(w.t, err)
	return wr
}

// release is W4, after which the writer returns to its caller.
func (w *world) release(wr *consistency.Write) { wr.End(w.t.Context(), metrics.Committed) }

// change is a whole write to row 1.
func (w *world) change(to int) {
	w.t.Helper()
	wr := w.announce()
	w.commit(to, 1)
	w.release(wr)
}

// doc.go: late fill.
func lateFill(w *world) (got, want int) {
	reader := w.foreground(consistency.Config{})
	reader.steps.set(&reader.steps.onPut, func() error { w.change(20); return nil })
	reader.read(1)
	return w.row1(), 20
}

// doc.go: between COMMIT and invalidation.
func betweenCommitAndRelease(w *world) (got, want int) {
	w.row1()
	wr := w.announce()
	defer w.release(wr)
	w.commit(20, 1)
	return w.row1(), 20
}

// A reader comes between W2 and W3.
func fillBeforeCommit(w *world) (got, want int) {
	wr := w.announce()
	defer w.release(wr)
	w.row1()
	w.commit(20, 1)
	return w.row1(), 20
}

// Promise S.
func afterTheWrite(w *world) (got, want int) {
	w.row1()
	w.row1() // a hit
	w.change(20)
	return w.row1(), 20
}

// doc.go: two writers.
func twoWriters(w *world) (got, want int) {
	one, two := w.announce(), w.announce()
	w.commit(20, 1)
	w.release(one)
	w.row1() // while two is about to commit
	w.commit(30, 1)
	defer w.release(two)
	return w.row1(), 30
}

// doc.go: a token that comes back.
func twoWritesAfterAFill(w *world) (got, want int) {
	w.row1()
	w.change(20)
	w.change(30)
	reader := w.foreground(consistency.Config{})
	reader.steps.set(&reader.steps.onPut, fails) // it mints, and dies before it has stored
	reader.read(1)
	return w.row1(), 30
}

// doc.go: a writer that sleeps.
func intentIsLost(w *world) (got, want int) {
	wr := w.announce()
	w.lose(w.tags(1)...)
	w.row1()
	w.commit(20, 1)
	w.release(wr)
	return w.row1(), 20
}

// doc.go: a store that goes back in time.
func storeGoesBack(w *world) (got, want int) {
	w.row1()
	w.commit(20, 1) // what the writer told the store is not in the copy that was promoted
	w.dataset.set(store.History{1})
	return w.row1(), 20
}

// A writer who knows the column says which scope the row is in.
func scopeIsWritten(w *world) (got, want int) {
	reader := func() int { return w.foreground(consistency.Config{}).readScope(byUser).values[0] }
	reader() // declares the column
	reader()
	p := w.process(consistency.Config{})
	wr := p.intend(byUser)
	w.commit(20, 1)
	p.end(wr)
	return reader(), 20
}

// The protocol gives a right answer in each interleaving, and each protocol that lacks something a wrong one in those that its
// lack is known to break. Nothing here depends on chance, on time, or on the load.
func TestInterleavings(t *testing.T) {
	t.Parallel()
	all := map[string]interleaving{
		"late fill":                  lateFill,
		"between COMMIT and release": betweenCommitAndRelease,
		"fill before COMMIT":         fillBeforeCommit,
		"after the write":            afterTheWrite,
		"two writers":                twoWriters,
		"two writes after a fill":    twoWritesAfterAFill,
		"intent is lost":             intentIsLost,
		"store goes back":            storeGoesBack,
		"scope is written":           scopeIsWritten,
	}
	for name, play := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, want := play(worldOf(t, func(s store.Store) store.Store { return s }))
			require.Equal(t, want, got)
		})
	}
}

func TestInterleavingsCatchBrokenProtocols(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]struct {
		of  func(store.Store) store.Store
		are []interleaving
	}{
		"entries are deleted after COMMIT": {
			testkit.NewDeleteAfterCommit, []interleaving{lateFill, betweenCommitAndRelease, fillBeforeCommit},
		},
		"entries are deleted before and after COMMIT": {
			func(s store.Store) store.Store { return testkit.DeleteTwice{Store: testkit.NewDeleteAfterCommit(s)} },
			[]interleaving{lateFill, fillBeforeCommit},
		},
		"entries only expire": {
			func(s store.Store) store.Store { return testkit.OnlyExpires{Store: s} },
			[]interleaving{betweenCommitAndRelease, afterTheWrite, twoWritesAfterAFill},
		},
		"no intent": {
			func(s store.Store) store.Store { return testkit.NoIntent{Store: s} },
			[]interleaving{betweenCommitAndRelease, fillBeforeCommit, twoWriters},
		},
		"release after the acknowledgement, no intent": {
			func(s store.Store) store.Store { return &testkit.LateRelease{Store: testkit.NoIntent{Store: s}} }, []interleaving{afterTheWrite},
		},
		"no release": {
			func(s store.Store) store.Store { return testkit.NoRelease{Store: s} }, []interleaving{intentIsLost},
		},
		"one slot for all writers": {
			func(s store.Store) store.Store { return testkit.OneSlot{Store: s} }, []interleaving{twoWriters},
		},
		"tokens are counted, and come back": {
			testkit.NewCounted,
			[]interleaving{twoWritesAfterAFill},
		},
		"a reader shares a look at the store that began before it": {
			testkit.NewJoining,
			[]interleaving{afterTheWrite},
		},
		"the history is not compared": {
			func(s store.Store) store.Store { return testkit.NoHistory{Store: s} }, []interleaving{storeGoesBack},
		},
		"scopes are not announced": {
			func(s store.Store) store.Store {
				return &testkit.Forgetful{Store: s, Forgets: func(t keying.Tag) bool { return strings.Contains(string(t), ":scope:") }}
			},
			[]interleaving{scopeIsWritten},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, play := range broken.are {
				got, want := play(worldOf(t, broken.of))
				require.NotEqual(t, want, got, "this protocol cannot be right")
			}
		})
	}
}

// worldOf returns a world whose protocol is what the function makes of the store.
func worldOf(t *testing.T, protocol func(store.Store) store.Store) *world {
	t.Helper()
	w := newWorld(t)
	w.inner = protocol(w.inner)
	w.set(1, 10)
	return w
}
