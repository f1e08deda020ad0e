package model_test

// What a writer does, W2 to W5 of package consistency, and what is done for it afterwards.

// nobody is a writer who is in no set: a relay.
const nobody = nWriters

// writer emits what a writer can do next.
func (m *model) writer(s *state, i int) {
	switch w := &s.w[i]; w.pc {
	case wIntend:
		m.announce(s, i)
	case wCommit:
		m.commitStep(s, i)
	case wDoubt:
		if !w.pending || m.late {
			n := *s
			n.w[i].pc, n.w[i].returned = wRelease, true
			m.to(&n, stopsWaiting, i, 0)
		}
	case wRelease:
		m.release4(s, i)
	case wOwes:
		m.each(s, i, pays, m.tells[i], func(n *state, t int) { m.release(&n.tags[t], i) }, func(n *state) {
			n.w[i] = writer{pc: wDone}
		})
	}
	if s.w[i].pending {
		n := *s
		m.write(&n, i)
		n.w[i].pending = false
		m.to(&n, isLate, i, 0)
		n = *s
		n.w[i].pending = false
		m.to(&n, isNot, i, 0)
	}
}

// each takes a step for each tag, in any order, and then ends the phase.
func (m *model) each(s *state, i int, kind stepKind, todo mask, do func(n *state, t int), end func(n *state)) {
	for t := range nTags {
		bit := mask(1) << t
		if todo&^s.w[i].done&bit == 0 {
			continue
		}
		n := *s
		do(&n, t)
		if n.w[i].done |= bit; n.w[i].done&todo == todo {
			n.w[i].done = 0
			end(&n)
		}
		m.to(&n, kind, i, t)
		m.sendTwice(&n, copied{kind: kind, who: uint8(i), at: uint8(t)})
	}
}

// announce is W2.
func (m *model) announce(s *state, i int) {
	if m.noIntent || m.plain {
		n := *s
		n.w[i].pc = wCommit
		m.commitStep(&n, i)
		return
	}
	m.each(s, i, intends, m.tells[i], func(n *state, t int) { m.intendOn(n, i, t) }, func(n *state) {
		n.w[i].pc, n.w[i].announced = wCommit, true
	})
	if !m.cut || i != 0 {
		return
	}
	n := *s
	n.w[i].done = 0
	if m.policy == failWrite {
		n.w[i].pc = wOwes
		m.to(&n, refuses, i, 0)
		return
	}
	n.w[i].pc = wCommit
	if m.ownRow {
		n.outbox |= 1 << i
	}
	m.to(&n, cannotIntend, i, 0)
}

func (m *model) intendOn(n *state, i, t int) {
	m.intend(&n.tags[t], i)
	m.deleteEntries(n, t)
}

// deleteEntries is what a write does to entries where they are not told old by their stamps.
func (m *model) deleteEntries(n *state, t int) {
	for e := range nEntries {
		if (m.plain || m.checkAtFill) && m.tags[e]>>t&1 != 0 {
			n.entries[e] = entry{}
		}
	}
}

// commitStep is W3.
func (m *model) commitStep(s *state, i int) {
	w := &s.w[i]
	if m.slow && w.announced && w.age > 0 && !m.noRenewal {
		n := *s
		for t := range nTags {
			if m.tells[i]>>t&1 != 0 {
				m.intendOn(&n, i, t)
			}
		}
		n.w[i].age = 0
		m.to(&n, renews, i, 0)
	}
	if m.doubt {
		n := *s
		n.w[i].pc, n.w[i].pending = wDoubt, true
		if m.noDoubt {
			n.w[i].pc, n.w[i].returned = wRelease, true
		}
		m.to(&n, hasNoAnswer, i, 0)
	}
	n := *s
	m.write(&n, i)
	n.w[i].pc, n.w[i].age = wRelease, 0
	if m.cut && m.policy == outbox && !w.announced && i == 0 && !m.ownRow {
		n.outbox |= 1 << i // in the same transaction
	}
	if m.async || m.asyncUnless && !w.lapsed || m.noRelease {
		m.acknowledge(&n, i)
	}
	if m.noRelease {
		n.w[i] = writer{pc: wDone}
	}
	m.to(&n, commits, i, 0)
}

// write changes the rows.
func (m *model) write(n *state, i int) {
	for row := range nRows {
		// Where rows may be missing, the first writer creates them, and the second one changes those that are there.
		idle := m.absent[0] != 0 && (i == 0) != (n.rows[row] == 0)
		if m.writes[i]>>row&1 != 0 && !idle {
			n.rows[row]++
			n.w[i].value[row] = n.rows[row]
		}
	}
}

// acknowledge is W5.
func (m *model) acknowledge(n *state, i int) {
	w := &n.w[i]
	for row, value := range w.value {
		if !w.returned {
			n.acknowledged[row] = max(n.acknowledged[row], value)
		}
	}
	w.returned, w.value = true, [nRows]uint8{}
}

// release4 is W4.
func (m *model) release4(s *state, i int) {
	m.each(s, i, releases, m.tells[i], func(n *state, t int) {
		m.release(&n.tags[t], i)
		m.deleteEntries(n, t)
	}, func(n *state) {
		m.acknowledge(n, i)
		n.w[i] = writer{pc: wDone, pending: n.w[i].pending}
	})
	if (m.cut || m.cutAfter) && i == 0 {
		n := *s
		m.acknowledge(&n, i)
		w := &n.w[i]
		w.pc, w.done, w.strict = wOwes, 0, !w.announced || w.lapsed
		m.to(&n, cannotRelease, i, 0)
	}
}

// relay releases what it finds in the outbox, then deletes it there.
func (m *model) relay(s *state) {
	for i := range m.writers {
		if s.outbox>>i&1 == 0 {
			continue
		}
		for t := range nTags {
			bit := mask(1) << t
			if m.tells[i]&^s.relayed&bit == 0 {
				continue
			}
			n := *s
			m.release(&n.tags[t], nobody)
			if n.relayed |= bit; n.relayed&m.tells[i] == m.tells[i] {
				n.relayed, n.outbox = 0, n.outbox&^(1<<i)
			}
			m.to(&n, relays, i, t)
		}
	}
}
