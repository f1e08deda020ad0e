package model_test

// What a reader does: R1 to R6 of package consistency.

// reader emits what a reader can do next.
func (m *model) reader(s *state, i int) {
	switch r := &s.r[i]; r.pc {
	case rIdle:
		m.begin(s, i)
	case rLook:
		m.phase(s, i, loads, m.looked(), (*model).load, (*model).decide)
	case rSure:
		m.phase(s, i, confirms, m.dependencies(r), (*model).confirm, (*model).sure)
	case rMint:
		for t := range nTags {
			if m.unminted(r)>>t&1 != 0 {
				m.mintStep(s, i, t)
			}
		}
	case rLoad:
		m.database(s, i)
	case rTorn:
		m.phase(s, i, confirms, m.dependencies(r), (*model).confirm, (*model).torn)
	case rBypass:
		n := *s
		m.give(&n, i, m.only(s.rows, m.rowsOf(m.entries)), false)
		m.to(&n, bypasses, i, 0)
	}
	if s.r[i].fill {
		m.fill(s, i)
	} else if s.r[i].flight && s.r[i].pc != rDone {
		n := *s
		n.r[i].flight = false
		m.end(&n.r[i])
		m.to(&n, lands, i, 0)
	}
}

// begin is the moment from which on the promise counts, and the look at the journal.
func (m *model) begin(s *state, i int) {
	for j := range i {
		if s.r[j].pc == rIdle {
			return // all are the same before they begin
		}
	}
	n := *s
	r := &n.r[i]
	r.pc, r.strict, r.linear, r.early = rLook, s.acknowledged, s.acknowledged, !s.noticed
	for row := range s.saw {
		r.linear[row] = max(r.linear[row], s.saw[row])
	}
	if m.own && s.w[0].strict && !m.noJournal {
		r.pc = rBypass
		m.to(&n, begunBarred, i, 0)
		return
	}
	m.to(&n, begins, i, 0)
}

// phase takes the steps that are to do, which are one where the store is one server, and then ends it.
func (m *model) phase(
	s *state, i int, kind stepKind, todo mask, do func(*model, *state, int, int), end func(*model, *state, int),
) {
	n := *s
	if !m.nodes {
		for at := range 8 {
			if todo>>at&1 != 0 {
				do(m, &n, i, at)
			}
		}
		end(m, &n, i)
		m.to(&n, kind, i, all)
		return
	}
	for at := range 8 {
		if bit := mask(1) << at; todo&^s.r[i].got&bit != 0 {
			n = *s
			do(m, &n, i, at)
			if n.r[i].got |= bit; n.r[i].got&todo == todo {
				n.r[i].got = 0
				end(m, &n, i)
			}
			m.to(&n, kind, i, at)
		}
	}
}

// looked is what R1 loads: tags, and behind them entries.
func (m *model) looked() (todo mask) {
	for e := range nEntries {
		if m.entries>>e&1 != 0 {
			todo |= m.tags[e] | 1<<(nTags+e)
		}
	}
	return todo
}

// load is R1 for one key.
func (m *model) load(n *state, i, at int) {
	if at >= nTags {
		n.r[i].entries[at-nTags] = n.entries[at-nTags]
		return
	}
	n.r[i].tokens[at] = m.stamp(n, at)
	n.r[i].barred = n.r[i].barred || n.tags[at].token == writing
}

// decide is R2 and R3.
func (m *model) decide(n *state, i int) {
	r := &n.r[i]
	if r.barred && !m.plain && !m.checkAtFill {
		m.bypass(r)
		return
	}
	absent := false
	for e := range nEntries {
		if m.entries>>e&1 == 0 {
			continue
		}
		if is := &r.entries[e]; m.current(r, e) {
			r.found |= 1 << e
			m.take(r, is.value, m.of[e])
			absent = absent || m.isAbsent(e, is.value)
		} else {
			*is = entry{}
		}
	}
	switch {
	case r.found != m.entries:
		m.toMint(n, i)
	case absent && !m.noAbsent, m.nodes && count(m.entries) > 1 && !m.noTorn:
		r.pc, r.tokens = rSure, [nTags]stamp{}
	default:
		m.give(n, i, r.value, true)
	}
}

// current is R3 for one entry.
func (m *model) current(r *reader, e int) bool {
	is := &r.entries[e]
	if !is.stored || m.plain || m.checkAtFill {
		return is.stored
	}
	for t := range nTags {
		if m.tags[e]>>t&1 != 0 && (r.tokens[t] == stamp{} || is.stamps[t] != r.tokens[t]) {
			return false
		}
	}
	return true
}

func (m *model) isAbsent(e int, value [nRows]uint8) bool { return m.absent[e] != 0 && value[e] == 0 }

// take copies the rows of an entry.
func (m *model) take(r *reader, value [nRows]uint8, of mask) {
	for row := range value {
		if of>>row&1 != 0 {
			r.value[row] = value[row]
		}
	}
}

// dependencies are the tags of what was found.
func (m *model) dependencies(r *reader) (tags mask) {
	for e := range nEntries {
		if r.found>>e&1 != 0 {
			tags |= m.tags[e]
			if m.isAbsent(e, r.entries[e].value) {
				tags |= m.absent[e]
			}
		}
	}
	return tags
}

// confirm is the second look at one tag.
func (m *model) confirm(n *state, i, at int) { m.load(n, i, at) }

// old returns the entries that were found and are not current any more.
func (m *model) old(r *reader) (old mask) {
	for e := range nEntries {
		if r.found>>e&1 == 0 {
			continue
		}
		tags := m.tags[e]
		if m.isAbsent(e, r.entries[e].value) {
			tags |= m.absent[e]
		}
		for t := range nTags {
			if tags>>t&1 != 0 && r.entries[e].stamps[t] != r.tokens[t] {
				old |= 1 << e
			}
		}
	}
	return old
}

// sure ends the second look before the database: what is old is a miss.
func (m *model) sure(n *state, i int) {
	r := &n.r[i]
	old := m.old(r)
	switch {
	case r.barred:
		m.bypass(r)
	case old == 0:
		m.give(n, i, r.value, true)
	default:
		r.found &^= old
		m.toMint(n, i)
	}
}

// torn ends the second look after it: if something is old, the answer is.
func (m *model) torn(n *state, i int) {
	r := &n.r[i]
	if r.barred || m.old(r) != 0 {
		m.bypass(r)
		return
	}
	m.give(n, i, r.value, r.joined)
}

// needed are the tags that the missing entries will be stored with.
func (m *model) needed(r *reader) (tags mask) {
	for e := range nEntries {
		if m.entries&^r.found>>e&1 != 0 {
			tags |= m.tags[e] | m.absent[e]
		}
	}
	return tags
}

func (m *model) unminted(r *reader) (tags mask) {
	for t := range nTags {
		if m.needed(r)>>t&1 != 0 && r.tokens[t] == (stamp{}) && r.got>>t&1 == 0 {
			tags |= 1 << t
		}
	}
	return tags
}

// toMint goes on to R4, or to R5 if there is nothing to mint.
func (m *model) toMint(n *state, i int) {
	r := &n.r[i]
	r.pc = rMint
	if m.unminted(r) == 0 || m.plain || m.stampAtFill {
		m.toLoad(r)
	}
}

// mintStep is R4 for one tag.
func (m *model) mintStep(s *state, i, t int) {
	n := *s
	r := &n.r[i]
	token := m.mint(&n.tags[t], s.fresh(t))
	if token == writing {
		r.barred = true
	} else {
		r.tokens[t] = m.stamp(&n, t)
	}
	if r.got |= 1 << t; m.unminted(r) == 0 {
		r.got = 0
		if r.barred {
			m.bypass(r)
		} else {
			m.toLoad(r)
		}
	}
	m.to(&n, mints, i, t)
	if token != writing {
		m.sendTwice(&n, copied{kind: mints, who: uint8(i), at: uint8(t), token: token})
	}
}

// toLoad takes the stamps for R6.
func (m *model) toLoad(r *reader) {
	r.pc, r.barred = rLoad, false
	for t := range nTags {
		if m.needed(r)>>t&1 != 0 && !m.plain && !m.stampAtFill {
			r.stamps[t] = r.tokens[t]
		}
	}
	r.tokens = [nTags]stamp{}
}

// database is R5: reads the database, or shares what somebody else has read.
func (m *model) database(s *state, i int) {
	r := &s.r[i]
	rows := m.rowsOf(m.entries &^ r.found)
	n := *s
	n.r[i].fill, n.r[i].flight = true, true
	m.brought(&n, i, s.rows, rows, false)
	m.to(&n, asks, i, 0)
	for j := range s.r {
		if o := &s.r[j]; j != i && o.flight && o.found == r.found && (o.stamps == r.stamps || m.naive) {
			n = *s
			m.brought(&n, i, o.value, rows, true)
			m.to(&n, joins, i, j)
			break // the others have the same
		}
	}
	if m.entries == 1 { // a lease: another process reads the database
		e := &s.entries[0]
		if e.stored && (m.naiveLease || e.stamps == m.carriedBy(0, e.value, r.stamps)) {
			n = *s
			m.brought(&n, i, e.value, rows, true)
			m.to(&n, awaits, i, 0)
		}
	}
}

// carriedBy are the stamps that an entry of this value carries.
func (m *model) carriedBy(e int, value [nRows]uint8, all [nTags]stamp) [nTags]stamp {
	for t := range nTags {
		if m.tags[e]>>t&1 == 0 && (m.absent[e]>>t&1 == 0 || !m.isAbsent(e, value)) {
			all[t] = stamp{}
		}
	}
	return all
}

// brought ends R5.
func (m *model) brought(n *state, i int, value [nRows]uint8, rows mask, hit bool) {
	r := &n.r[i]
	m.take(r, value, rows)
	if r.found != 0 && !m.noTorn {
		r.pc, r.joined = rTorn, hit
		return
	}
	m.give(n, i, r.value, hit)
}

func (m *model) rowsOf(entries mask) (rows mask) {
	for e := range nEntries {
		if entries>>e&1 != 0 {
			rows |= m.of[e]
		}
	}
	return rows
}

func (m *model) bypass(r *reader) {
	*r = reader{
		pc: rBypass, strict: r.strict, linear: r.linear, early: r.early, found: r.found,
		fill: r.fill, flight: r.flight, value: r.value, stamps: r.stamps,
	}
	if !r.fill && !r.flight {
		r.found, r.value, r.stamps = 0, [nRows]uint8{}, [nTags]stamp{}
	}
}

// give answers the caller, and looks whether that was right.
func (m *model) give(n *state, i int, value [nRows]uint8, hit bool) {
	r := &n.r[i]
	for row := range nRows {
		if m.rowsOf(m.entries)>>row&1 == 0 {
			continue
		}
		switch {
		case value[row] < r.strict[row] && r.early:
			m.broken |= unnoticed
		case value[row] < r.strict[row]:
			m.broken |= strict
		}
		if value[row] < r.linear[row] {
			m.broken |= linearizable
		}
		n.saw[row] = max(n.saw[row], value[row])
	}
	if m.writes[0] == 3 && count(m.entries) == 2 && value[0] != value[1] {
		m.broken |= whole // all writes are of both
	}
	m.answer = answer{given: true, hit: hit, value: value}
	r.pc = rAnswered
	r.strict, r.linear, r.entries, r.tokens = [nRows]uint8{}, [nRows]uint8{}, [nEntries]entry{}, [nTags]stamp{}
	r.got, r.barred, r.early, r.joined = 0, false, false, false
	m.end(r)
}

// end forgets a reader of which nothing is left.
func (m *model) end(r *reader) {
	if r.pc == rAnswered && !r.fill && !r.flight {
		*r = reader{pc: rDone}
	}
}

// fill is R6.
func (m *model) fill(s *state, i int) {
	r := s.r[i]
	n := *s
	if m.checkAtFill && !r.checked {
		if n.r[i].checked = true; !m.valid(s, &r) {
			n.r[i].fill, n.r[i].checked = false, false
			m.end(&n.r[i])
		}
		m.to(&n, checks, i, 0)
		return
	}
	if m.stampAtFill && !m.stampNow(&n, &r) {
		n.r[i].fill = false
		m.end(&n.r[i])
		m.to(&n, puts, i, 0)
		return
	}
	var last entry
	for e := range nEntries {
		if m.entries&^r.found>>e&1 != 0 {
			value := m.only(r.value, m.of[e])
			last = entry{stored: true, value: value, stamps: m.carriedBy(e, value, r.stamps)}
			n.entries[e] = last
		}
	}
	n.r[i].fill = false
	m.end(&n.r[i])
	m.to(&n, puts, i, 0)
	if m.entries == 1 {
		m.sendTwice(&n, copied{kind: puts, who: uint8(i), entry: last})
	}
}

// valid reports whether the stamps of a fill are current.
func (m *model) valid(s *state, r *reader) bool {
	for t := range nTags {
		if r.stamps[t] != (stamp{}) && r.stamps[t] != m.stamp(s, t) {
			return false
		}
	}
	return true
}

// stampNow mints the stamps of a fill when it is stored.
func (m *model) stampNow(n *state, r *reader) bool {
	for t := range nTags {
		if m.needed(r)>>t&1 != 0 {
			if m.mint(&n.tags[t], n.fresh(t)) == writing {
				return false
			}
			r.stamps[t] = m.stamp(n, t)
		}
	}
	return true
}
