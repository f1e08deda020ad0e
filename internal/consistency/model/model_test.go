// Package model is the protocol of package consistency as a model that is small enough to look at every interleaving of a
// few readers and writers, with whatever may go wrong between two steps: crashes, evictions, lapsed intents, steps that are
// repeated, another server in the place of the first, writers that cannot reach the store, COMMITs without an answer.
//
//	scenarios_test.go   what holds in which situation: the table of docs/guarantees.md
//	variants_test.go    what does not, if a step is missing or another: each has a shortest counterexample
//	stores_test.go      the real stores take the steps of the model
//	lockstep_test.go    the real protocol takes them in the order of the model
//	store_test.go       what a store does
//	reader_test.go      what a reader does
//	writer_test.go      what a writer does, the keeper and the relay
//	faults_test.go      what may go wrong
//
// Scopes and registries have a model of their own, beside the protocol.
package model_test

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
)

// A shape is what is read and written.
type shape struct {
	entries mask           // that each reader asks for, in one read
	tags    [nEntries]mask // that they depend on
	absent  [nEntries]mask // ... besides, if they say that there is no such row: its version is 0
	of      [nEntries]mask // the rows that they tell of
	writes  [nWriters]mask // the rows that writers change
	tells   [nWriters]mask // the tags that they announce
}

// An outage policy is what a writer does that cannot reach the store before its COMMIT.
type policy uint8

const (
	journal policy = iota
	failWrite
	outbox
)

// faults are what may go wrong.
type faults struct {
	crash     bool   // a writer dies at any step
	sleeps    bool   // an intent lapses while its writer lives
	slow      bool   // COMMIT takes longer than an intent lives, and the writer's process is awake
	evictions uint8  // so many keys are evicted
	evicts    string // of these: tokens, writers, entries
	flush     bool   // all keys are gone, once
	failover  bool   // another server takes over, which has not heard the last steps
	unseen    bool   // ... and this is noticed later
	repeats   bool   // a step is carried out once more, late
	cut       bool   // the first writer may fail to do W2, and W4 if it has
	cutAfter  bool   // the first writer may fail to do W4
	policy    policy
	doubt     bool // COMMIT may have no answer, or the process may die under it
	late      bool // ... and be carried out after everybody has stopped waiting for it
}

// A variant is how a protocol differs from the right one.
type variant struct {
	rule
	noIntent    bool // W2 is left out
	plain       bool // entries have no stamps; a write deletes what it knows to be wrong, after COMMIT
	checkAtFill bool // stamps are compared when an answer is stored, not when it is served; a write deletes entries
	stampAtFill bool // stamps are taken when the answer is stored
	noHistory   bool
	noRelease   bool
	async       bool // W5 before W4
	asyncUnless bool // ... unless the writer knows that its intent has lapsed
	noRenewal   bool
	naive       bool // flights are of an entry, whatever the stamps
	naiveLease  bool // what another process stores is taken as it is
	noTorn      bool // what was found is not looked at once more after the database was read
	noAbsent    bool // ... nor for what says that there is no such row
	comesBack   bool // a step that is repeated makes the same token
	noJournal   bool // entries are served before the store has been told
	ownRow      bool // the row of the outbox is visible before the write
	noDoubt     bool // a COMMIT without an answer is taken for one that was not carried out
}

// exact reports whether only entries whose stamps are current can be served.
func (v variant) exact() bool { return !v.plain && !v.checkAtFill && !v.comesBack && !v.naiveLease }

// A scenario is what happens.
type scenario struct {
	shape
	faults
	variant
	writers, readers int
	nodes            bool // the store is several servers: nothing is read in one step
	own              bool // readers are in the first writer's process
}

// Properties that may be broken.
const (
	strict       = 1 << iota // S
	linearizable             // L
	quiescent                // Q
	whole                    // T: what is read together is of one instant
	unnoticed                // s: S, of reads that began before it was noticed that another server has taken over
)

const properties = "SLQTs"

// letters writes properties as letters.
func letters(broken mask) string {
	var b strings.Builder
	for i, p := range properties {
		if broken>>i&1 != 0 {
			b.WriteRune(p)
		}
	}
	return b.String()
}

// A model looks at the states of a scenario.
type model struct {
	scenario
	symmetric bool // readers are the same to it
	// emit gets each step that can be taken in a state, and the state after it.
	emit   func(n *state, by step)
	broken mask // what the step under way has broken
	answer answer
}

// An answer is what a reader has given to its caller in the step under way.
type answer struct {
	given bool
	hit   bool
	value [nRows]uint8
}

// next emits all steps that can be taken.
func (m *model) next(s *state) {
	for i := range m.writers {
		m.writer(s, i)
	}
	m.relay(s)
	for i := range m.readers {
		m.reader(s, i)
	}
	m.mishaps(s)
}

func (m *model) to(n *state, kind stepKind, who, at int) {
	m.emit(n, step{kind: kind, who: uint8(who), at: uint8(at)})
	m.broken, m.answer = 0, answer{}
}

// A way is how a property was broken.
type way []step

func (w way) String() string {
	parts := make([]string, len(w))
	for i, by := range w {
		parts[i] = by.String()
	}
	return strings.Join(parts, "; ")
}

// An explorer visits all states, those that are fewest steps away first.
type explorer struct {
	model
	seeds [2]maphash.Seed
	known map[[2]uint64]struct{} // hashes of states: two of 10⁷ are the same with a probability of 10⁻²⁴
	level []state
	nodes []node
	ways  map[mask]way
}

type node struct {
	from int32
	by   step
}

// explore visits all states, or those up to the first that breaks one of the properties.
func (sc scenario) explore(symmetric bool, until mask) *explorer {
	x := &explorer{
		model: model{scenario: sc, symmetric: symmetric}, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		known: map[[2]uint64]struct{}{}, ways: map[mask]way{},
	}
	at := int32(-1)
	var next []state
	x.emit = func(n *state, by step) {
		x.violates(x.broken, at, by)
		c := *n
		if x.simplify(&c); x.new(&c) {
			next, x.nodes = append(next, c), append(x.nodes, node{at, by})
		}
	}
	x.to(&state{noticed: !sc.unseen}, nothing, 0, 0)
	for at = 0; len(next) > 0; {
		x.level, next = next, x.level[:0]
		for i := range x.level {
			if x.left(&x.level[i]) {
				x.violates(quiescent, at, step{kind: rests})
			}
			x.next(&x.level[i])
			if x.broke()&until != 0 {
				return x
			}
			at++
		}
	}
	return x
}

func (x *explorer) new(s *state) bool {
	hash := [2]uint64{maphash.Comparable(x.seeds[0], *s), maphash.Comparable(x.seeds[1], *s)}
	if _, ok := x.known[hash]; ok {
		return false
	}
	x.known[hash] = struct{}{}
	return true
}

// broke returns what is broken.
func (x *explorer) broke() (broken mask) {
	for p := range x.ways {
		broken |= p
	}
	return broken
}

// violates remembers the first way to break each property.
func (x *explorer) violates(broken mask, at int32, by step) {
	for p := mask(1); p <= broken; p <<= 1 {
		if _, ok := x.ways[p]; ok || broken&p == 0 {
			continue
		}
		way := way{by}
		for ; at > 0; at = x.nodes[at].from {
			way = append(way, x.nodes[at].by)
		}
		slices.Reverse(way)
		x.ways[p] = way
	}
}

// left reports whether nothing is under way and something old would be served.
func (m *model) left(s *state) bool {
	for i := range m.writers {
		if w := &s.w[i]; w.pending || w.pc != wDone && w.pc != wDead && *w != (writer{}) {
			return false
		}
	}
	for i := range s.r {
		if pc := s.r[i].pc; pc != rIdle && pc != rDone {
			return false
		}
	}
	if s.promoted && !s.noticed || s.outbox != 0 || s.copy.kind != nothing && s.copy.kind != spent {
		return false
	}
	for e := range nEntries {
		if m.entries>>e&1 != 0 && m.served(s, e) && s.entries[e].value != m.only(s.rows, m.of[e]) {
			return true
		}
	}
	return false
}

// served reports whether an entry would be served now.
func (m *model) served(s *state, e int) bool {
	if !s.entries[e].stored {
		return false
	}
	if m.plain || m.checkAtFill {
		return true
	}
	for t := range nTags {
		if is := s.entries[e].stamps[t]; is != (stamp{}) && is != m.stamp(s, t) {
			return false
		}
	}
	return true
}

// only returns some of the rows.
func (m *model) only(rows [nRows]uint8, of mask) [nRows]uint8 {
	for row := range rows {
		if of>>row&1 == 0 {
			rows[row] = 0
		}
	}
	return rows
}

// A step is what somebody does.
type step struct {
	kind stepKind
	who  uint8
	at   uint8
}

type stepKind uint8

const (
	nothing stepKind = iota
	// readers
	begins
	begunBarred
	loads
	confirms
	mints
	asks
	joins
	awaits
	bypasses
	checks
	puts
	lands
	// writers
	intends
	cannotIntend
	refuses
	renews
	commits
	hasNoAnswer
	isLate
	isNot
	stopsWaiting
	releases
	cannotRelease
	pays
	returns
	relays
	// what may go wrong
	dies
	lapses
	lingers
	ages
	evictsToken
	evictsWriters
	evictsEntry
	flushes
	hearsNoMore
	takesOver
	isNoticed
	isSentTwice
	comesLate
	rests
)

// String says what a step is. %r is who as a reader, %w as a writer, %t is the tag.
func (s step) String() string {
	text := map[stepKind]string{
		begins: "%r begins", begunBarred: "%r begins, and its process owes the store something", loads: "%r loads %t",
		confirms: "%r looks at %t once more", mints: "%r mints %t", asks: "%r reads the database", joins: "%r joins a flight",
		awaits: "%r takes what another process has stored", bypasses: "%r bypasses: reads the database",
		checks: "%r finds its stamps current", puts: "%r stores", lands: "%r's flight lands",
		intends: "%w intends on %t", cannotIntend: "%w cannot do W2", refuses: "%w is refused", renews: "%w renews its intent",
		commits: "%w commits", hasNoAnswer: "%w's COMMIT has no answer", isLate: "%w's COMMIT is carried out after all",
		isNot: "%w's COMMIT is never carried out", stopsWaiting: "%w is not waited for any more",
		releases: "%w releases %t", cannotRelease: "%w cannot do W4", pays: "%w's keeper releases %t", returns: "%w returns",
		relays: "a relay releases %t for %w", dies: "%w dies", lapses: "%w's intent on %t lapses",
		lingers: "%w's intent on %t lapses, its mark lingers", ages: "%w's intent ages",
		evictsToken: "token %t is evicted", evictsWriters: "writers of %t are evicted", evictsEntry: "entry %t is evicted",
		flushes: "the store is flushed", hearsNoMore: "the replica hears no more", takesOver: "the replica takes over",
		isNoticed: "it is noticed", isSentTwice: "it is sent twice", comesLate: "the copy is carried out",
		rests: "nothing is under way",
	}[s.kind]
	who, at := strconv.Itoa(int(s.who)), strconv.Itoa(int(s.at))
	if s.at == all {
		at = "all"
	}
	return strings.NewReplacer("%r", "r"+who, "%w", "w"+who, "%t", at).Replace(text)
}

// all stands for everything that is to be loaded in one step.
const all = 255
