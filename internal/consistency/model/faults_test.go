package model_test

import "strings"

// What may go wrong between any two steps.

func (m *model) mishaps(s *state) {
	for i := range m.writers {
		m.die(s, i)
		m.age(s, i)
		m.lapse(s, i)
	}
	m.evict(s)
	m.takeOver(s)
	if s.copy.kind != nothing && s.copy.kind != spent {
		n := *s
		m.again(&n)
		m.to(&n, comesLate, 0, 0)
	}
}

// spent says that there has been a copy.
const spent = rests

// die is a crash: of a writer's process, at any step. What it has remembered is gone.
func (m *model) die(s *state, i int) {
	w := &s.w[i]
	if !m.crash || *w == (writer{}) || w.pc == wDone || w.pc == wDead {
		return
	}
	n := *s
	n.w[i] = writer{pc: wDead, pending: w.pending}
	m.to(&n, dies, i, 0)
	if m.doubt && w.pc == wCommit {
		n.w[i].pending = true // the database has got it
		m.to(&n, dies, i, 1)
	}
}

// age is the passing of a third of an intent's life while COMMIT is under way. A process that is awake renews before the
// second one is over.
func (m *model) age(s *state, i int) {
	w := &s.w[i]
	if !m.slow || w.pc != wCommit || !w.announced || w.age >= 3 || w.age == 2 && !m.noRenewal {
		return
	}
	n := *s
	n.w[i].age++
	m.to(&n, ages, i, 0)
}

// lapse is the end of an intent's life, on the store's clock.
func (m *model) lapse(s *state, i int) {
	w := &s.w[i]
	gone := w.pc == wDone || w.pc == wDead || w.pc == wOwes
	if !m.sleeps && w.age < 3 && (!gone || w.pending && !m.late) {
		return
	}
	for t := range nTags {
		if s.tags[t].writers>>i&1 == 0 {
			continue
		}
		n := *s
		lapse(&n.tags[t], i, false)
		if !gone {
			n.w[i].lapsed = true
		}
		m.to(&n, lapses, i, t)
		if left := s.tags[t]; m.sleeps && left.writers == 1<<i && left.token == writing {
			n.tags[t].token = writing
			m.to(&n, lingers, i, t)
		}
	}
}

func (m *model) evict(s *state) {
	if m.flush && s.evicted == 0 {
		n := *s
		n.memory, n.evicted = memory{}, 1
		m.to(&n, flushes, 0, 0)
	}
	if s.evicted >= m.evictions {
		return
	}
	for t := range nTags {
		n := *s
		n.evicted++
		if evictToken(&n.tags[t]); strings.Contains(m.evicts, "tokens") && n.memory != s.memory {
			m.to(&n, evictsToken, 0, t)
		}
		n.memory = s.memory
		if evictWriters(&n.tags[t]); strings.Contains(m.evicts, "writers") && n.memory != s.memory {
			m.to(&n, evictsWriters, 0, t)
		}
	}
	for e := range nEntries {
		n := *s
		n.evicted++
		if n.entries[e] = (entry{}); strings.Contains(m.evicts, "entries") && n.memory != s.memory {
			m.to(&n, evictsEntry, 0, e)
		}
	}
}

// takeOver is a failover: another server has heard everything up to some moment, and takes over later. Its history is
// another one.
func (m *model) takeOver(s *state) {
	if !m.failover {
		return
	}
	n := *s
	switch {
	case !s.copied:
		n.copied, n.replica = true, s.memory
		m.to(&n, hearsNoMore, 0, 0)
	case !s.promoted:
		n.promoted, n.memory, n.replica = true, s.replica, memory{}
		m.to(&n, takesOver, 0, 0)
	case !s.noticed:
		n.noticed = true
		m.to(&n, isNoticed, 0, 0)
	}
}

// sendTwice leaves a copy of the step that was taken, for later.
func (m *model) sendTwice(n *state, c copied) {
	if m.repeats && n.copy.kind == nothing {
		n.copy = c
		m.to(n, isSentTwice, int(c.who), int(c.at))
	}
}

// again carries the copy out.
func (m *model) again(n *state) {
	c := n.copy
	n.copy = copied{kind: spent}
	t := &n.tags[c.at]
	switch c.kind {
	case mints:
		fresh := c.token
		if !m.comesBack {
			fresh = n.fresh(int(c.at))
		}
		m.mint(t, fresh)
	case puts:
		n.entries[0] = c.entry
	case intends:
		m.intend(t, int(c.who))
	case releases, pays:
		m.release(t, int(c.who))
	default:
	}
}
