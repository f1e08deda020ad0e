package model_test

import "cmp"

// A state is all that there is at one moment: the store, the database, and how far everybody has come. It has no pointers
// and no gaps, so that it can be compared and hashed as it is.
type state struct {
	memory
	replica          memory // what another server has heard, if copied
	copied, promoted bool
	noticed          bool // everybody has seen that another server has taken over
	evicted          uint8
	copy             copied
	rows             [nRows]uint8 // the database: the version of each row
	acknowledged     [nRows]uint8 // the newest version that a write has returned for
	saw              [nRows]uint8 // the newest version that a read has answered
	outbox           mask         // writers whose row is there
	relayed          mask         // tags that the relay has released of the row that it has taken
	w                [nWriters]writer
	r                [nReaders]reader
}

// A writer is one transaction.
type writer struct {
	pc        uint8
	done      mask // tags of the phase under way that are done
	value     [nRows]uint8
	announced bool // W2 is done
	lapsed    bool // as its own clock tells
	returned  bool
	strict    bool // its process serves nothing before the store was told
	pending   bool // COMMIT is under way, and nobody waits for it any more
	age       uint8
}

const (
	wIntend  = iota // also: not begun
	wCommit         // W3 is next
	wDoubt          // COMMIT has had no answer
	wRelease        // W4 is next
	wOwes           // it has returned; the keeper has to tell the store
	wDone
	wDead
)

// A reader is one read.
type reader struct {
	pc             uint8
	got            mask // steps of the phase under way that are done
	barred         bool // one of them has shown that the answer cannot come from the store
	found          mask // entries that are served from the store
	early          bool // it began before another server's taking over was noticed
	tokens         [nTags]stamp
	entries        [nEntries]entry // as they were loaded
	stamps         [nTags]stamp    // that the answer is stored with
	value          [nRows]uint8
	strict, linear [nRows]uint8 // the oldest versions that it may answer
	fill, flight   bool         // the answer is to be stored; it can be joined
	joined         bool         // a flight has brought what was missing, and what was found is to be looked at once more
	checked        bool         // in the variant that compares stamps when it stores
}

const (
	rIdle = iota
	rLook // R1 to R3
	rSure // what was found is looked at once more, before the database
	rMint // R4
	rLoad // R5
	rTorn // what was found is looked at once more, after the database
	rBypass
	rAnswered // a fill or a flight is left
	rDone
)

// copied is a step that is under way for a second time: it was repeated, and this is the one that comes late.
type copied struct {
	kind  stepKind
	who   uint8
	at    uint8 // tag or entry
	token uint8
	entry entry
}

// tokens calls f with each token of a tag, wherever it stands.
func (s *state) tokens(t int, f func(*uint8)) {
	f(&s.tags[t].token)
	for e := range s.entries {
		f(&s.entries[e].stamps[t].token)
	}
	for i := range s.r {
		r := &s.r[i]
		f(&r.tokens[t].token)
		f(&r.stamps[t].token)
		for e := range r.entries {
			f(&r.entries[e].stamps[t].token)
		}
	}
	f(&s.replica.tags[t].token)
	for e := range s.replica.entries {
		f(&s.replica.entries[e].stamps[t].token)
	}
	if s.copy.kind == mints && int(s.copy.at) == t {
		f(&s.copy.token)
	}
	f(&s.copy.entry.stamps[t].token)
}

// fresh returns a token that is none of those which somebody knows.
func (s *state) fresh(t int) uint8 {
	newest := uint8(first - 1)
	s.tokens(t, func(token *uint8) { newest = max(newest, *token) })
	return newest + 1
}

// history is what readers take for the history of what the store holds.
func (m *model) history(s *state) uint8 {
	if s.promoted && s.noticed && !m.noHistory {
		return 2
	}
	return 1
}

// stamp is what a reader finds under a tag; zero: nothing, or the mark.
func (m *model) stamp(s *state, t int) stamp {
	if token := s.tags[t].token; token >= first {
		return stamp{token, m.history(s)}
	}
	return stamp{}
}

// simplify makes states the same that differ only by the names of tokens and of readers, or by an entry that can no more be
// served.
func (m *model) simplify(s *state) {
	if m.exact() && (!m.failover || s.promoted && s.noticed) && (s.copy.kind == nothing || s.copy.kind == spent) {
		for e := range s.entries {
			if !m.alive(s, e) {
				s.entries[e] = entry{}
			}
		}
	}
	if !m.counts {
		for t := range nTags {
			var names [32]uint8
			next := uint8(first)
			s.tokens(t, func(token *uint8) {
				if *token < first {
					return
				}
				if names[*token] == 0 {
					names[*token] = next
					next++
				}
				*token = names[*token]
			})
		}
	}
	if m.symmetric {
		for i := 1; i < nReaders; i++ {
			for j := i; j > 0 && less(&s.r[j], &s.r[j-1]); j-- {
				s.r[j], s.r[j-1] = s.r[j-1], s.r[j]
			}
		}
	}
}

// alive reports whether an entry may still be served: its stamps are current, or somebody took them for current.
func (m *model) alive(s *state, e int) bool {
	for t := range nTags {
		is := s.entries[e].stamps[t]
		if is == (stamp{}) {
			continue
		}
		known := is == m.stamp(s, t)
		for i := range s.r {
			known = known || s.r[i].tokens[t] == is || s.r[i].stamps[t] == is
		}
		if !known {
			return false
		}
	}
	return true
}

// less orders readers. Those that it takes for the same may differ: then two states are looked at instead of one.
func less(a, b *reader) bool {
	return cmp.Or(
		cmp.Compare(a.pc, b.pc), cmp.Compare(a.got, b.got), cmp.Compare(a.found, b.found),
		compare(a.value, b.value), compare(a.strict, b.strict), compare(a.linear, b.linear), stamps(a.tokens, b.tokens),
		stamps(a.stamps, b.stamps), bit(a.fill, b.fill), bit(a.flight, b.flight),
	) < 0
}

func compare(a, b [nRows]uint8) int {
	return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
}

// stamps compares which are there: what they are called has to do with the order of readers.
func stamps(a, b [nTags]stamp) int {
	for t := range a {
		if c := bit(a[t] != stamp{}, b[t] != stamp{}); c != 0 {
			return c
		}
	}
	return 0
}

func bit(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
