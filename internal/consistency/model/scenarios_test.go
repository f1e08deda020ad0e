package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is read and written.
func oneRow() shape {
	return shape{entries: 1, tags: [2]mask{1}, of: [2]mask{1}, writes: [2]mask{1, 1}, tells: [2]mask{1, 1}}
}

// A join of two tables; each writer writes one of them.
func twoTables() shape {
	return shape{entries: 1, tags: [2]mask{3}, of: [2]mask{3}, writes: [2]mask{1, 2}, tells: [2]mask{1, 2}}
}

// The same; the first writer writes both.
func wideWrite() shape {
	s := twoTables()
	s.writes[0], s.tells[0] = 3, 3
	return s
}

// Two rows in one lookup, which are always written together.
func twoRows() shape {
	return shape{entries: 3, tags: [2]mask{1, 2}, of: [2]mask{1, 2}, writes: [2]mask{3, 3}, tells: [2]mask{3, 3}}
}

// Two rows, of which each writer writes one: the other one stays in the store.
func rowsApart() shape {
	return shape{entries: 3, tags: [2]mask{1, 2}, of: [2]mask{1, 2}, writes: [2]mask{1, 2}, tells: [2]mask{1, 2}}
}

// A row that is not there; the first writer creates it without knowing its key beforehand, the second one updates it.
func noRow() shape {
	return shape{
		entries: 1, tags: [2]mask{1}, absent: [2]mask{2}, of: [2]mask{1}, writes: [2]mask{1, 1}, tells: [2]mask{2, 1},
	}
}

// with returns scenarios of one row: one writer with three reads, and two writers with two.
func with(f faults) []scenario {
	return of(oneRow(), f, false)
}

func of(s shape, f faults, nodes bool) []scenario {
	return []scenario{
		{shape: s, faults: f, writers: 1, readers: 3, nodes: nodes}, {shape: s, faults: f, writers: 2, readers: 2, nodes: nodes},
	}
}

// few returns the first scenario with two reads: one read has very many steps.
func few(in []scenario) []scenario {
	in[0].readers = 2
	return in[:1]
}

// A situation is a row of docs/guarantees.md: what may happen, and which of the properties do not hold then. All others do.
type situation struct {
	name   string
	broken string
	in     []scenario
}

func own(in []scenario) []scenario {
	for i := range in {
		in[i].own = true
	}
	return in
}

func situations() []situation {
	return []situation{
		{"nothing is broken", "", with(faults{})},
		{"... of two tables", "", of(twoTables(), faults{}, false)},
		{"... of two tables, in a store of several servers", "", of(twoTables(), faults{}, true)},
		{"... of two tables, written together, in a store of several servers", "", of(wideWrite(), faults{}, true)},
		{"... of two rows, read together", "", of(twoRows(), faults{}, false)},
		{"... of two rows, read together, in a store of several servers", "", few(of(twoRows(), faults{}, true))},
		{"... of a row that is not there", "", of(noRow(), faults{}, false)},
		{"processes die", "", with(faults{crash: true})},
		{"processes die, of two tables, in a store of several servers", "", few(of(wideWrite(), faults{crash: true}, true))},
		{"COMMIT takes longer than an intent lives", "", with(faults{slow: true})},
		{"a step is carried out twice, and the second time late", "", with(faults{repeats: true})},
		{"a writer sleeps", "L", with(faults{sleeps: true})},
		{"a writer sleeps, and dies", "LQ", with(faults{sleeps: true, crash: true})},
		{"COMMIT has no answer", "", with(faults{doubt: true, crash: true})},
		{"COMMIT has no answer, and is carried out after it was waited for", "LQ", with(faults{doubt: true, late: true})},
		{"the store evicts entries and tokens", "", with(faults{crash: true, evictions: 2, evicts: "entries, tokens"})},
		{"the store evicts the set of writers", "L", with(faults{evictions: 1, evicts: "writers"})},
		{"the store is flushed", "L", with(faults{flush: true})},
		{"another server takes over, which has not heard everything", "L", with(faults{failover: true})},
		{"another server takes over, and nobody notices at once", "Ls", with(faults{failover: true, unseen: true})},
		{"a writer is cut off after W2", "", with(faults{cutAfter: true, crash: true})},
		{"a writer is cut off after W2, and the store is flushed", "SL", with(faults{cutAfter: true, flush: true})},
		{"a writer is cut off before W2: Journal, in its process", "L", own(with(faults{cut: true}))},
		{"a writer is cut off before W2: Journal, elsewhere", "SL", with(faults{cut: true})},
		{"a writer is cut off before W2: Journal, and dies", "SLQ", with(faults{cut: true, crash: true})},
		{"a writer is cut off before W2: FailWrite", "", with(faults{cut: true, crash: true, policy: failWrite})},
		{"a writer is cut off before W2: Outbox, in its process", "L", own(with(faults{cut: true, policy: outbox}))},
		{"a writer is cut off before W2: Outbox, and dies", "SL", with(faults{cut: true, crash: true, policy: outbox})},
	}
}

// Every interleaving, in each situation, keeps what is promised there; and what is not promised is broken by one of them, so
// that the table says no less than what is true.
func TestModelKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	for _, c := range situations() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var broken mask
			states := 0
			for _, sc := range c.in {
				if testing.Short() && sc.writers == 2 {
					sc.readers = 1
				}
				x := sc.explore(true, 0)
				states += len(x.nodes)
				broken |= x.broke()
				for p, way := range x.ways {
					require.Contains(t, c.broken, letters(p), "%v", way)
				}
			}
			require.Equal(t, c.broken, letters(broken), "not promised, and yet it holds")
			t.Logf("%d states", states)
		})
	}
}
