package consistency_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// scenarios are what the protocol has to stand, each in every interleaving.
var scenarios = map[string]model{
	"two writers die":      {faults: faults{crash: true}, writers: 2, reads: 1, linear: true, quiet: true},
	"a writer dies":        {faults: faults{crash: true}, writers: 1, reads: 2, linear: true, quiet: true},
	"an intent lapses":     {faults: faults{lapse: true}, writers: 1, reads: 1, quiet: true},
	"an intent is renewed": {faults: faults{lapse: true, renewed: true, crash: true}, writers: 1, reads: 1, linear: true, quiet: true},
	"keys are evicted":     {faults: faults{evict: 2}, writers: 1, reads: 1, quiet: true},
	"a replica takes over": {faults: faults{failover: true}, writers: 1, reads: 1, quiet: true},
	"W2 is not done":       {faults: faults{deaf: true}, writers: 1, reads: 2, quiet: true},
	"a step is repeated":   {faults: faults{repeat: true}, writers: 1, reads: 2, linear: true, quiet: true},
}

// in returns the scenario for readers that use one scope, or two.
func (m model) in(scopes int, v variant) *model {
	m.scopes[1] = uint8(scopes - 1)
	m.variant = v
	return &m
}

// Every interleaving of a few writers and readers, with whatever may go wrong between two steps, keeps what is promised.
func TestModelOfScopesHolds(t *testing.T) {
	t.Parallel()
	for name, m := range scenarios { //nolint:paralleltest // others want to run, too
		t.Run(name, func(t *testing.T) {
			for scopes := 1; scopes <= 2; scopes++ {
				if scopes == 2 && (m.writers == 2 || testing.Short()) {
					break // so many states more that show nothing more
				}
				m := m.in(scopes, variant{})
				require.Empty(t, m.explore())
				t.Logf("%d scopes: %d states", scopes, len(m.states))
			}
		})
	}
}

// Without any one of its steps it does not.
func TestModelOfScopesNeedsEachStep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct { //nolint:paralleltest // as above
		variant
		scenario string
	}{
		"readers do not look whether the table is being written": {variant{noSettle: true}, "a writer dies"},
		"readers look before they declare":                       {variant{settleFirst: true}, "a writer dies"},
		"writers do not look":                                    {variant{noGuard: true}, "a writer dies"},
		"writers look before they intend":                        {variant{lookFirst: true, noEndLook: true}, "a writer dies"},
		"columns are not in the token":                           {variant{noNames: true}, "keys are evicted"},
		"columns are added to a token":                           {variant{sameToken: true}, "a writer dies"},
		"W4 does not look":                                       {variant{noEndLook: true}, "an intent lapses"},
		"W4 does not look after an outage":                       {variant{noEndLook: true}, "W2 is not done"},
		"W4 looks if the writer knows of the lapse: eviction":    {variant{clockLook: true}, "keys are evicted"},
		"W4 looks if the writer knows of the lapse: failover":    {variant{clockLook: true}, "a replica takes over"},
		"renewing does not look":                                 {variant{noRenewLook: true}, "an intent is renewed"},
		"a token comes back":                                     {variant{comesBack: true}, "a step is repeated"},
	} {
		t.Run(name, func(t *testing.T) {
			way := scenarios[c.scenario].in(1, c.variant).explore()
			if way == "" {
				way = scenarios[c.scenario].in(2, c.variant).explore()
			}
			require.NotEmpty(t, way)
			t.Log(way)
		})
	}
}

// A model of scopes and registries as the package's documentation has them, small enough to look at every interleaving.
// It knows one table, one row, which has one value in two columns, and an entry for each of the two scopes.

// Tags of the model. The list and the registry are in one slot; each scope is in one of its own.
const (
	mList = iota
	mRegistry
	mScopes // and one more
	mTags   = mScopes + 2
)

// faults are what may happen besides steps.
type faults struct {
	crash    bool // a writer dies
	lapse    bool // an intent lapses while its writer lives
	renewed  bool // ... but the writer does not send its COMMIT before it has renewed it
	evict    int8 // so many keys are evicted
	failover bool // a replica takes over, which has not heard the last steps
	deaf     bool // a writer cannot do W2, and goes on
	repeat   bool // a step of a reader's is carried out once more, late
}

// variant is how a protocol differs from the right one.
type variant struct {
	noSettle, settleFirst, noGuard, lookFirst, noNames, sameToken, noEndLook, clockLook, noRenewLook, comesBack bool
}

type mStamp struct{ token, history uint8 } // zero: none

type mStore struct {
	token   [mTags]uint8
	names   uint8        // what the registry's token carries: a bit for each scope
	writers [mTags]uint8 // a bit for each writer
	entry   [2]mEntry
}

type mEntry struct {
	stored          bool
	value           uint8
	scope, registry mStamp
}

type mWriter struct {
	pc      uint8
	known   uint8 // scopes that its tags have been made for
	done    uint8 // tags of the phase under way that are done
	more    bool  // the registry is one of its tags
	renewal uint8 // 1: has looked and has to intend on the registry, 2: done
	lapsed  bool  // as its own clock tells
	value   uint8
}

const (
	wStart = iota
	wLook  // only where it looks first
	wIntend
	wCommit
	wRelease
	wEnd
)

type mReader struct {
	pc, of          uint8 // of: which scope it reads
	reads           uint8
	entry           mEntry
	scope, registry mStamp
	names           uint8 // that the registry's token carried when it was declared
	value           uint8
	strict, linear  uint8 // the oldest values that it may answer
	repeated        bool  // its declaration, by fault
	looked          bool  // in the variant that looks first
}

const (
	rStart = iota
	rRegistry
	rDeclare
	rSettle
	rMint
	rDatabase
	rAnswer
	rStore
)

type mState struct {
	store, replica    mStore
	copied, promoted  bool
	history           uint8
	evicted           int8
	settled           mStamp // what this process, which both readers are of, knows of
	settledNames      uint8
	database          uint8
	acknowledged, saw uint8 // the newest value that a write returned for, and that a read answered
	w                 [2]mWriter
	r                 [2]mReader
}

type mLabel struct {
	format string
	args   [2]int8
}

func (l mLabel) String() string {
	args := []any{l.args[0], l.args[1]}
	return fmt.Sprintf(l.format, args[:strings.Count(l.format, "%d")]...)
}

type model struct { //nolint:recvcheck // in makes another one
	faults
	variant
	writers, reads int
	scopes         [2]uint8 // that the readers use
	linear, quiet  bool     // L and Q are promised

	states []mState
	from   []int32
	labels []mLabel
	known  map[mState]struct{}
	at     int32
	wrong  string
}

// tokens calls f with each token of a tag, wherever it stands.
func (s *mState) tokens(tag int, f func(*uint8)) {
	f(&s.store.token[tag])
	f(&s.replica.token[tag])
	if tag == mRegistry {
		f(&s.settled.token)
	}
	for i := range s.r {
		r := &s.r[i]
		r.entry.tokens(tag, r.of, f)
		if tag == mRegistry {
			f(&r.registry.token)
		} else if int(r.of) == tag-mScopes {
			f(&r.scope.token)
		}
	}
	for i := range 2 {
		s.store.entry[i].tokens(tag, uint8(i), f)
		s.replica.entry[i].tokens(tag, uint8(i), f)
	}
}

func (e *mEntry) tokens(tag int, scope uint8, f func(*uint8)) {
	if tag == mRegistry {
		f(&e.registry.token)
	} else if int(scope) == tag-mScopes {
		f(&e.scope.token)
	}
}

// simplify makes states the same that differ only by the names of tokens, or by what is of no use any more.
func (m *model) simplify(s *mState) {
	if !m.comesBack && (!m.failover || s.promoted) {
		for i := range s.store.entry {
			if e := &s.store.entry[i]; e.scope != s.found(mScopes+i) || e.registry != s.found(mRegistry) {
				*e = mEntry{}
			}
		}
		if s.settled != s.found(mRegistry) {
			s.settled, s.settledNames = mStamp{}, 0
		}
	}
	for tag := mRegistry; tag < mTags; tag++ {
		var names [32]uint8
		next := uint8(1)
		s.tokens(tag, func(t *uint8) {
			if *t != 0 && names[*t] == 0 {
				names[*t] = next
				next++
			}
			*t = names[*t]
		})
	}
}

func (m *model) to(s mState, label string, args ...int) {
	m.simplify(&s)
	if _, ok := m.known[s]; ok {
		return
	}
	m.known[s] = struct{}{}
	l := mLabel{format: label}
	for i, a := range args {
		l.args[i] = int8(a)
	}
	m.states, m.from, m.labels = append(m.states, s), append(m.from, m.at), append(m.labels, l)
}

// explore returns the shortest way to a wrong answer, or nothing.
func (m *model) explore() string {
	m.known = map[mState]struct{}{}
	m.at = -1
	m.to(mState{history: 1, r: [2]mReader{{of: m.scopes[0]}, {of: m.scopes[1]}}}, "")
	for m.at = 0; int(m.at) < len(m.states) && m.wrong == ""; m.at++ {
		s := m.states[m.at]
		m.mishaps(s)
		for i := range m.writers {
			m.writer(s, i)
		}
		for i := range s.r {
			m.reader(s, i)
		}
		m.rest(s)
	}
	if m.wrong == "" {
		return ""
	}
	way := []string{m.wrong}
	for at := m.at - 1; at > 0; at = m.from[at] {
		way = append(way, m.labels[at].String())
	}
	slices.Reverse(way)
	return strings.Join(way, "; ")
}

// rest checks Q: when nothing is under way, nothing old would be served.
func (m *model) rest(s mState) {
	for _, w := range s.w[:m.writers] {
		if w.pc != wStart && w.pc != wEnd {
			return
		}
	}
	for i, r := range s.r {
		e := s.store.entry[m.scopes[i]]
		if r.pc != rStart {
			return
		}
		if m.quiet && e.stored && e.value != s.database && e.scope == s.found(mScopes+int(m.scopes[i])) &&
			e.registry == s.found(mRegistry) {
			m.wrong = "Q: an old entry is left"
		}
	}
}

func (s *mState) found(tag int) mStamp {
	if s.store.token[tag] == 0 {
		return mStamp{}
	}
	return mStamp{s.store.token[tag], s.history}
}

func (m *model) mishaps(s mState) {
	for i := range m.writers {
		n := s
		for tag := range mTags {
			n.store.writers[tag] &^= 1 << i
		}
		if n.store == s.store || s.w[i].pc != wEnd && !m.lapse {
			continue
		}
		if s.w[i].pc != wEnd {
			n.w[i].lapsed, n.w[i].renewal = true, 0
		}
		m.to(n, "w%d's intent lapses", i)
	}
	for tag := range mTags {
		if n := s; s.evicted < m.evict && s.store.token[tag] != 0 {
			n.store.token[tag] = 0
			n.evicted++
			m.to(n, "token %d is evicted", tag)
		}
		if n := s; s.evicted < m.evict && s.store.writers[tag] != 0 {
			n.store.writers[tag] = 0
			n.evicted++
			m.to(n, "writers of %d are evicted", tag)
		}
	}
	if n := s; m.noNames && s.evicted < m.evict && s.store.names != 0 {
		n.store.names = 0
		n.evicted++
		m.to(n, "names are evicted")
	}
	if n := s; m.failover && !s.copied {
		n.copied, n.replica = true, s.store
		m.to(n, "the replica hears no more")
	}
	if n := s; s.copied && !s.promoted {
		n.promoted, n.store, n.replica = true, s.replica, mStore{}
		n.history++
		m.to(n, "the replica takes over")
	}
}
