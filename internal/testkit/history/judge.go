package history

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Claims is what a row of docs/guarantees.md says of a situation. The zero Claims are "strict", and nothing else.
type Claims struct {
	// Linearizable: no read is older than what an earlier, completed read has shown.
	Linearizable bool
	// Untold are processes that could not tell Redis of their writes. They see them; others do after the time to live.
	Untold []uint16
	TTL    time.Duration
}

// A State is what a register held before the history began.
type State struct {
	Version int32
	Nonce   uint64
}

// A Wrong is a way in which an answer can be wrong.
type Wrong string

// The ways.
const (
	Stale    Wrong = "older than a write that was acknowledged before it began"
	Expired  Wrong = "older than a write that was acknowledged a time to live before it began"
	Backward Wrong = "older than what another read had shown before it began"
	Dirty    Wrong = "of no write that may have been committed"
	Future   Wrong = "of a write that had not begun, or of one after it"
	Split    Wrong = "of a version that two writes made"
	Order    Wrong = "of a list whose rows are not those, in that order, of the writes"
)

// A Verdict counts operations, and what was wrong with them.
type Verdict struct {
	Reads, Writes, InDoubt int
	// Wrong counts the wrong answers, and Evidence shows one of each kind.
	Wrong    map[Wrong]int
	Evidence []string
	// Confirmed, Skipped and Unknown count the windows that Porcupine has seen, those too large for it, and those it could not
	// decide in time.
	Confirmed, Skipped, Unknown int
}

// Bad is the number of wrong answers.
func (v *Verdict) Bad() (n int) {
	for _, m := range v.Wrong {
		n += m
	}
	return n
}

// Judge scans all operations, in O(n log n). It sorts them.
//
// Versions of one register are ordered as their commits are. So a history is linearizable if and only if none of its reads
// is wrong in one of the ways above; and strict, if none is but for Backward.
func Judge(ops []Op, initial map[Key]State, c Claims) Verdict {
	slices.SortFunc(ops, func(a, b Op) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Began, b.Began)) })
	v := Verdict{Wrong: map[Wrong]int{}}
	for len(ops) > 0 {
		n := 1
		for n < len(ops) && ops[n].Key == ops[0].Key {
			n++
		}
		j := newJudge(&v, c, ops[:n], initial[ops[0].Key])
		j.scan()
		if c.Linearizable && len(c.Untold) == 0 {
			j.confirm()
		}
		ops = ops[n:]
	}
	return v
}

// A judge looks at one register.
type judge struct {
	v       *Verdict
	c       Claims
	ops     []Op // in the order in which they began
	ended   []int
	initial State
	// writes are the writes by nonce, made, the nonces by the version that they made.
	writes  map[uint64]int
	made    map[int32]uint64
	digests map[int32]uint64
	// unread is when the first write in doubt began that nobody read: it may have made a version that was counted; Never: none.
	unread int64
	// last is, by version, the write that began last of those that made this version or an earlier one.
	last map[int32]int
}

func newJudge(v *Verdict, c Claims, ops []Op, initial State) *judge {
	j := &judge{
		v: v, c: c, ops: ops, initial: initial, ended: make([]int, len(ops)), writes: map[uint64]int{},
		made: map[int32]uint64{initial.Version: initial.Nonce}, digests: map[int32]uint64{},
		last: map[int32]int{},
	}
	for i := range ops {
		j.ended[i] = i
		if ops[i].writes() {
			j.writes[ops[i].Nonce] = i
		}
	}
	slices.SortFunc(j.ended, func(a, b int) int { return cmp.Compare(ops[a].Ended, ops[b].Ended) })
	for i := range ops {
		if o := &ops[i]; o.writes() && o.Outcome == Committed || o.Kind == Read {
			j.makes(i)
		}
	}
	j.unread, _ = firstUnread(ops)
	j.chain()
	j.begin()
	return j
}

// begin finds for each version the write without which it could not be, and that began last.
func (j *judge) begin() {
	last := -1
	for _, version := range slices.Sorted(maps.Keys(j.made)) {
		if w := j.writer(j.made[version]); w >= 0 && (last < 0 || j.ops[w].Began > j.ops[last].Began) {
			last = w
		}
		j.last[version] = last
	}
}

// makes notes which write made a version.
func (j *judge) makes(i int) {
	o := &j.ops[i]
	if nonce, known := j.made[o.Version]; !known {
		j.made[o.Version] = o.Nonce
	} else if nonce != o.Nonce {
		j.wrong(Split, i, j.writer(nonce))
	}
}

// chain finds the digests of a list, as far as all of its rows are known.
func (j *judge) chain() {
	var d uint64
	for n := int32(1); ; n++ {
		nonce, ok := j.made[n]
		if !ok {
			return
		}
		d = Digest(d, nonce)
		j.digests[n] = d
	}
}

// writer returns the write of a nonce; -1 if there is none.
func (j *judge) writer(nonce uint64) int {
	if i, ok := j.writes[nonce]; ok {
		return i
	}
	return -1
}

// A bound is the least version that a read may show, and the operation that demands it.
type bound struct {
	version int32
	by      int
}

func (b *bound) raise(version int32, by int) {
	if version > b.version {
		b.version, b.by = version, by
	}
}

// bounds are those of one moment.
type bounds struct {
	told, seen, late bound
	own              map[uint16]bound
}

// scan looks at each read, with what had ended before it began.
func (j *judge) scan() {
	first := bound{j.initial.Version, -1}
	b := bounds{told: first, seen: first, late: first, own: map[uint16]bound{}}
	next, late := 0, 0
	for i := range j.ops {
		o := &j.ops[i]
		for ; next < len(j.ended) && j.ops[j.ended[next]].Ended < o.Began; next++ {
			j.advance(&b, j.ended[next])
		}
		for ; j.c.TTL > 0 && late < next && j.ops[j.ended[late]].Ended < o.Began-int64(j.c.TTL); late++ {
			if e := &j.ops[j.ended[late]]; e.writes() && e.Outcome == Committed {
				b.late.raise(e.Version, j.ended[late])
			}
		}
		switch {
		case !o.writes():
			j.v.Reads++
			j.read(&b, i)
		case o.Outcome == InDoubt:
			j.v.InDoubt++
			fallthrough
		default:
			j.v.Writes++
		}
	}
}

// advance takes an operation into account that has ended.
func (j *judge) advance(b *bounds, i int) {
	e := &j.ops[i]
	switch {
	case !e.writes() && e.Kind != Torn:
		b.seen.raise(e.Version, i)
	case e.writes() && e.Outcome == Committed && !slices.Contains(j.c.Untold, e.Process):
		b.told.raise(e.Version, i)
	case e.writes() && e.Outcome == Committed:
		own, ok := b.own[e.Process]
		if !ok {
			own = bound{j.initial.Version, -1}
		}
		own.raise(e.Version, i)
		b.own[e.Process] = own
	}
}

// read judges one read.
func (j *judge) read(b *bounds, i int) {
	o := &j.ops[i]
	if how, by := j.source(o); how != "" {
		j.wrong(how, i, by)
		return
	}
	own, untold := b.own[o.Process]
	switch {
	case o.Version < b.told.version:
		j.wrong(Stale, i, b.told.by)
	case untold && o.Version < own.version:
		j.wrong(Stale, i, own.by)
	case o.Version < b.late.version:
		j.wrong(Expired, i, b.late.by)
	case j.c.Linearizable && o.Version < b.seen.version:
		j.wrong(Backward, i, b.seen.by)
	}
}

// source says what is wrong with where an answer comes from.
func (j *judge) source(o *Op) (how Wrong, by int) {
	if o.Kind == Torn {
		return Order, -1
	}
	nonce, known := o.Nonce, true
	if o.Kind == Count {
		nonce, known = j.made[o.Version]
	}
	if !known && o.Ended < j.unread {
		return Dirty, -1
	}
	if !known || nonce == j.initial.Nonce && o.Version == j.initial.Version {
		return "", -1
	}
	w := j.writer(nonce)
	switch {
	case w < 0:
		return Dirty, -1
	case j.ops[w].Outcome == RolledBack, j.ops[w].Version != Unknown && j.ops[w].Version != o.Version:
		return Dirty, w
	}
	if last := j.last[o.Version]; last >= 0 && o.Ended < j.ops[last].Began {
		return Future, last
	}
	if d, ok := j.digests[o.Version]; ok && o.Key.IsList() && o.Kind == Read && d != o.Digest {
		return Order, w
	}
	return "", -1
}

// wrong notes a finding, with evidence if it is the first of its kind.
func (j *judge) wrong(how Wrong, i, by int) {
	j.v.Wrong[how]++
	if j.v.Wrong[how] == 1 {
		j.v.Evidence = append(j.v.Evidence, j.evidence(how, i, by))
	}
}
