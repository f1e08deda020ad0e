package soundness_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A ledger counts what became of stored answers.
type ledger struct {
	// cells are the fates of answers by the kind of their query and the group of the write.
	cells map[cell]*tally
	// writes are those that were carried out and those that the database refused, by kind.
	done, refused map[string]int
	// never are the queries whose answers did not come to be stored, of all that were watched.
	never   []string
	watched int
}

type cell struct{ read, group string }

// A tally counts stored answers that a write met.
type tally struct {
	// stored were there. Of them changed are no longer right, and were not served; idle are right, and were not served.
	stored, changed, idle int
}

// A fateOf is what became of a stored answer.
type fateOf int

const (
	lived fateOf = iota
	died
	diedForNothing
)

func fate(changed, hit bool) fateOf {
	switch {
	case changed:
		return died
	case hit:
		return lived
	default:
		return diedForNothing
	}
}

func newLedger() *ledger {
	return &ledger{cells: map[cell]*tally{}, done: map[string]int{}, refused: map[string]int{}}
}

// undone is the group of all writes that left nothing.
const undone = "undone"

func (l *ledger) wrote(kind string, err error) {
	if err != nil && !errors.Is(err, errUndo) {
		l.refused[kind]++
	} else {
		l.done[kind]++
	}
}

func (l *ledger) saw(kind string, s step, err error, f fateOf) {
	group := groupOf(s.kind)
	if err != nil {
		group = undone
	}
	c := cell{kind, group}
	if l.cells[c] == nil {
		l.cells[c] = &tally{}
	}
	l.cells[c].add(f)
}

func groupOf(kind string) string {
	for _, k := range writeKinds() {
		if k.name == kind {
			return k.group
		}
	}
	return ""
}

func (t *tally) add(f fateOf) {
	t.stored++
	switch f {
	case died:
		t.changed++
	case diedForNothing:
		t.idle++
	case lived:
	}
}

// sum adds up the cells that a function wants.
func (l *ledger) sum(want func(cell) bool) tally {
	var t tally
	for c, n := range l.cells {
		if want(c) {
			t.stored += n.stored
			t.changed += n.changed
			t.idle += n.idle
		}
	}
	return t
}

func anyCell(cell) bool { return true }

// groups returns the groups of writes, in their order.
func groups() []string {
	var all []string
	for _, k := range writeKinds() {
		if !slices.Contains(all, k.group) {
			all = append(all, k.group)
		}
	}
	return append(slices.DeleteFunc(all, func(g string) bool { return g == "rolled back" }), undone)
}

func (l *ledger) summary() string {
	t := l.sum(anyCell)
	var b strings.Builder
	fmt.Fprintf(&b, "%d pairs of a stored answer and a write: %d answers changed, %d died for nothing (%.1f %% of those that had not changed)\n",
		t.stored, t.changed, t.idle, percent(t.idle, t.stored-t.changed))
	for _, k := range writeKinds() {
		fmt.Fprintf(&b, "  %-45s %4d done, %4d refused\n", k.name, l.done[k.name], l.refused[k.name])
	}
	return b.String()
}

// check demands that the test tested something: of every kind, if there were enough.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	all := l.sum(anyCell)
	require.Positive(t, all.changed)
	require.Less(t, all.changed, all.stored)
	require.Less(t, 1000*len(l.never), 5*l.watched, "too many are not stored:\n%s", strings.Join(l.never, "\n"))
	const enough = 60_000
	if all.stored < enough {
		return
	}
	for _, k := range readKinds() {
		n := l.sum(func(c cell) bool { return c.read == k.name })
		require.Positive(t, n.changed, "no write changes what %q asks for", k.name)
	}
	for _, k := range writeKinds() {
		if k.group != "rolled back" {
			require.Positive(t, l.done[k.name], "no %q is carried out", k.name)
			n := l.sum(func(c cell) bool { return c.group == k.group })
			require.Positive(t, n.changed, "no %q changes what a query asks for", k.group)
		}
	}
}

func percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
