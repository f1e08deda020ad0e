package consistency_test

import "fmt"

// The steps of package consistency, as the model takes them.

// touch is what intend and release do to one tag.
func (s *mState) touch(tag, writer int, join bool) {
	s.store.token[tag] = 0
	s.store.writers[tag] &^= 1 << writer
	if join {
		s.store.writers[tag] |= 1 << writer
	}
}

// look is what a writer finds in the registry: it reports whether there are scopes that it did not know of.
func (m *model) look(s *mState, i int) bool {
	there := s.store.token[mRegistry] != 0 && s.store.writers[mRegistry] == 0
	return !m.noGuard && (there || m.noNames) && s.store.names&^s.w[i].known != 0
}

func (m *model) writer(s mState, i int) {
	w := s.w[i]
	if m.crash && w.pc != wStart && w.pc != wEnd {
		n := s
		n.w[i] = mWriter{pc: wEnd}
		m.to(n, "w%d dies", i)
	}
	switch w.pc {
	case wStart:
		for known := range uint8(2) {
			n := s
			n.w[i].known, n.w[i].pc = known, wIntend
			if m.lookFirst {
				n.w[i].pc = wLook
			}
			m.to(n, "w%d knows %d", i, int(known))
			if m.deaf {
				n.w[i].pc = wCommit
				m.to(n, "w%d knows %d, and cannot do W2", i, int(known))
			}
		}
	case wLook:
		n := s
		n.w[i].more, n.w[i].pc = m.look(&s, i), wIntend
		m.to(n, "w%d looks", i)
	case wIntend, wRelease:
		m.phase(s, i)
	case wCommit:
		if n := s; !m.renewed || !w.lapsed || w.renewal == 2 {
			n.database++
			n.w[i].value, n.w[i].pc, n.w[i].renewal = n.database, wRelease, 0
			m.to(n, "w%d commits", i)
		}
		m.renew(s, i)
	}
}

// phase is W2 or W4: one step for each slot, then one on the registry if it has to be.
func (m *model) phase(s mState, i int) {
	w, join := s.w[i], s.w[i].pc == wIntend
	todo := uint8(1<<mList) | w.known<<mScopes
	last := func(n *mState) {
		if n.w[i].done = 0; join {
			n.w[i].pc = wCommit
			return
		}
		n.acknowledged = max(s.acknowledged, w.value) // it returns
		n.w[i] = mWriter{pc: wEnd}
	}
	if w.done&todo == todo {
		n := s
		n.touch(mRegistry, i, join)
		last(&n)
		m.to(n, "w%d: W2 or W4 on the registry, which is the last", i)
	}
	for tag := range mTags {
		if bit := uint8(1) << tag; todo&^w.done&bit != 0 {
			n := s
			n.touch(tag, i, join)
			if tag == mList && (join && !m.lookFirst || !join && !m.noEndLook && (!m.clockLook || w.lapsed)) {
				n.w[i].more = w.more || m.look(&n, i)
			}
			if n.w[i].done |= bit; n.w[i].done == todo && !n.w[i].more {
				last(&n)
			}
			m.to(n, "w%d: W2 or W4 on %d", i, tag)
		}
	}
}

// renew is W2 again, once, while the COMMIT is under way. What it does to all tags but the registry is one step here.
func (m *model) renew(s mState, i int) {
	w := s.w[i]
	n := s
	switch {
	case w.lapsed && w.renewal == 0:
		n.touch(mList, i, true)
		for scope := range 2 {
			if w.known>>scope&1 != 0 {
				n.touch(mScopes+scope, i, true)
			}
		}
		n.w[i].more = w.more || !m.noRenewLook && m.look(&n, i)
		n.w[i].renewal = 1
		m.to(n, "w%d renews", i)
	case w.renewal == 1:
		if w.more {
			n.touch(mRegistry, i, true)
		}
		n.w[i].renewal = 2
		m.to(n, "w%d has renewed", i)
	}
}

// mint is what a reader's step does to a tag; ok is false while it is being written.
func (s *mState) mint(tag int) (stamp mStamp, ok bool) {
	if s.store.writers[tag] != 0 {
		return mStamp{}, false
	}
	if s.store.token[tag] == 0 {
		newest := uint8(0)
		s.tokens(tag, func(t *uint8) { newest = max(newest, *t) })
		s.store.token[tag] = newest + 1 // another one than any that somebody knows
	}
	return s.found(tag), true
}

// declare adds a scope to the registry.
func (m *model) declare(s *mState, scope uint8) (mStamp, bool) {
	if s.store.writers[mRegistry] != 0 {
		return mStamp{}, false
	}
	if s.store.token[mRegistry] == 0 && !m.noNames {
		s.store.names = 0
	}
	if s.store.names&(1<<scope) == 0 {
		s.store.names |= 1 << scope
		if !m.sameToken && !m.noNames {
			s.store.token[mRegistry] = 0
		}
	}
	return s.mint(mRegistry)
}

// answer ends a read, and checks S and L.
func (m *model) answer(s *mState, i int, value uint8, next uint8) {
	r := &s.r[i]
	if value < r.strict {
		m.wrong = fmt.Sprintf("S: r%d answers %d", i, value)
	} else if m.linear && value < r.linear {
		m.wrong = fmt.Sprintf("L: r%d answers %d", i, value)
	}
	s.saw = max(s.saw, value)
	if r.pc = next; next == rStart {
		*r = mReader{of: r.of, reads: r.reads}
	}
}

func (m *model) reader(s mState, i int) {
	r, scope := s.r[i], m.scopes[i]
	n, tag := s, mScopes+int(scope)
	then := func(pc uint8, label string) {
		n.r[i].pc = pc
		m.to(n, "r%d "+label, i)
	}
	bypass := func(label string) {
		m.answer(&n, i, n.database, rStart)
		m.to(n, "r%d "+label+", hence reads the database", i)
	}
	if m.repeat && r.pc == rStore && !r.repeated { // what was sent twice arrives
		again := s
		again.r[i].repeated = true
		if m.comesBack && s.store.writers[mRegistry] == 0 && s.store.token[mRegistry] == 0 {
			again.store.token[mRegistry], again.store.names = r.registry.token, 1<<scope
		} else if !m.comesBack {
			_, _ = m.declare(&again, scope)
		}
		m.to(again, "r%d's declaration is carried out again", i)
	}
	switch r.pc {
	case rStart:
		if int(r.reads) == m.reads {
			return
		}
		n.r[i].reads++
		n.r[i].strict, n.r[i].linear = s.acknowledged, max(s.acknowledged, s.saw)
		// R1 to R3, on two nodes
		if s.store.writers[tag] != 0 {
			bypass("finds its scope being written")
			return
		}
		n.r[i].entry, n.r[i].scope = s.store.entry[scope], s.found(tag)
		then(rRegistry, "loads its entry")
	case rRegistry:
		n.r[i].registry = s.found(mRegistry)
		switch e := r.entry; {
		case s.store.writers[mRegistry] != 0:
			bypass("finds the registry being written")
		case e.stored && e.scope == r.scope && e.registry == s.found(mRegistry):
			m.answer(&n, i, e.value, rStart)
			m.to(n, "r%d has a hit", i)
		default:
			n.r[i].entry = mEntry{}
			then(rDeclare, "misses")
		}
	case rDeclare: // R4
		if s.settled == r.registry && r.registry != (mStamp{}) && (s.settledNames>>scope&1 != 0 || m.sameToken || m.noNames) {
			then(rMint, "knows that the registry is settled")
			return
		}
		if m.settleFirst && !r.looked {
			if s.store.writers[mList] != 0 {
				bypass("finds the table being written")
				return
			}
			n.r[i].looked = true
			then(rDeclare, "finds nobody writing the table")
			return
		}
		stamp, ok := m.declare(&n, scope)
		if !ok {
			bypass("finds the registry being written")
			return
		}
		n.r[i].registry, n.r[i].names = stamp, n.store.names
		n.r[i].looked = false
		then(rSettle, "declares")
	case rSettle:
		if s.store.writers[mList] != 0 && !m.noSettle && !m.settleFirst {
			bypass("finds the table being written")
			return
		}
		n.settled, n.settledNames = r.registry, r.names
		then(rMint, "finds nobody writing the table")
	case rMint:
		if r.scope == (mStamp{}) {
			stamp, ok := n.mint(tag)
			if !ok {
				bypass("finds its scope being written")
				return
			}
			n.r[i].scope = stamp
		}
		then(rDatabase, "has stamps")
	case rDatabase: // R5
		n.r[i].value = s.database
		then(rAnswer, "reads the database")
		o := s.r[1-i]
		if n = s; m.scopes[1-i] == scope && o.pc >= rAnswer && o.scope == r.scope && o.registry == r.registry {
			n.r[i].value = o.value
			then(rAnswer, "joins a flight")
		}
	case rAnswer:
		m.answer(&n, i, r.value, rStore)
		m.to(n, "r%d answers", i)
	case rStore: // R6
		n.store.entry[scope] = mEntry{stored: true, value: r.value, scope: r.scope, registry: r.registry}
		n.r[i] = mReader{of: r.of, reads: r.reads}
		m.to(n, "r%d stores", i)
	}
}
