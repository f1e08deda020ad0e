package sim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// wait waits until everybody waits at the gate, or for time to pass. One after the other goes on whose answer is due: so no
// two run at the same time.
func (s *simulation) wait() {
	for {
		synctest.Wait()
		c := s.gate.urgent()
		switch {
		case c == nil:
			return
		case c.kind == returns:
			s.carryOut(c)
		case s.rng.IntN(2) == 0 && c.kind == steps:
			s.gate.again(c)
			s.answer(c, "takes too long, and is still under way", context.DeadlineExceeded)
		default:
			s.answer(c, "takes too long", context.DeadlineExceeded)
		}
	}
}

// weather says what may happen in a run. Not everything may in each: what is rare, and needs that something else does not
// happen, comes about (Groce and others: Swarm Testing, ISSTA 2012).
type weather struct {
	faults, crashes, breaks, waits, ranks, schema bool
	// alone is set if there is but one row.
	alone bool
}

func (s *simulation) drawWeather() weather {
	coin := func() bool { return s.rng.IntN(2) == 0 }
	return weather{
		faults: coin(), crashes: coin(), breaks: coin(), waits: coin(), ranks: coin(), schema: coin(), alone: coin(),
	}
}

// turn is one turn of the scheduler: one who waits goes on, or something breaks, or time passes.
func (s *simulation) turn() {
	calls := s.gate.calls()
	switch n := s.rng.IntN(1000); {
	case n < 15 && s.weather.breaks:
		s.breaks()
	case n < 40 && s.weather.waits || len(calls) == 0:
		s.passes()
	default:
		s.decide(s.next(calls))
	}
}

// next draws who goes on: in one half of the runs anybody; in the other the one with the greatest rank, which changes now
// and then, so that some are held up for long (Burckhardt and others: A Randomized Scheduler with Probabilistic Guarantees
// of Finding Bugs, ASPLOS 2010). A writer seldom begins: what is read has to be found in the store at times.
func (s *simulation) next(calls []*call) *call {
	c := calls[s.rng.IntN(len(calls))]
	if s.ranks == nil {
		if c.kind == begins && strings.HasSuffix(c.what, "write") && s.rng.IntN(8) > 0 {
			c = calls[s.rng.IntN(len(calls))]
		}
		return c
	}
	for _, other := range calls {
		if s.rank(other.actor) > s.rank(c.actor) {
			c = other
		}
	}
	if s.rng.IntN(8) == 0 {
		delete(s.ranks, c.actor)
	}
	return c
}

// rank returns the rank of an actor, which it may have to draw.
func (s *simulation) rank(actor string) float64 {
	r, ok := s.ranks[actor]
	if !ok {
		r = s.rng.Float64()
		s.ranks[actor] = r
	}
	return r
}

// decide decides what becomes of a call.
func (s *simulation) decide(c *call) {
	n := s.rng.IntN(1000)
	switch {
	case c.kind == begins:
		s.carryOut(c)
	case n >= 80 && n < 200 && c.kind == commits && !c.left && s.weather.crashes:
		c.do()
		s.note("%s, and", c.what)
		s.crash(c.p)
	case n >= 80 || !s.weather.faults:
		s.carryOut(c)
	default:
		s.fails(c, n)
	}
}

// fails decides how a call fails, by a number that was drawn.
func (s *simulation) fails(c *call, n int) {
	switch {
	case n < 15:
		s.answer(c, "is not carried out", errFault)
	case n < 30:
		c.do()
		s.answer(c, "is carried out, not answered", errFault)
	case n < 45 && c.kind == steps:
		s.gate.again(c)
		s.carryOut(c)
	case n < 60 && c.kind == steps:
		s.gate.again(c)
		s.answer(c, "is late", errFault)
	case n < 60 && c.kind == commits:
		s.answer(c, "is refused", errRefused)
	case n < 75 && c.kind == commits:
		s.gate.again(c)
		s.answer(c, "is late", errFault)
	case n >= 80 && n < 84 && !c.left:
		s.crash(c.p)
	default:
		s.carryOut(c)
	}
}

// carryOut carries out a call, and answers it.
func (s *simulation) carryOut(c *call) {
	c.do()
	s.answer(c, "", nil)
}

func (s *simulation) answer(c *call, fate string, err error) {
	s.note("%s %s", c.what, fate)
	s.gate.remove(c)
	c.answer <- err // nobody waits for it if the caller has left
}

// crash ends a process, and starts another one.
func (s *simulation) crash(p *process) {
	s.note("%s crashes", p.name)
	s.gate.crash(p)
	s.alive = slices.DeleteFunc(s.alive, func(x *process) bool { return x == p })
	go s.end(p) // what it waits for is answered at once
	s.start()
}

// passes lets time pass, while all who wait are held up.
func (s *simulation) passes() {
	d := []time.Duration{
		time.Millisecond, stepTimeout / 2, 2 * stepTimeout, intentTTL / 2, intentTTL + time.Millisecond, inDoubtHold + time.Millisecond,
	}[s.rng.IntN(6)]
	s.note("%s pass", d)
	time.Sleep(d)
}

// breaks lets something happen to a server.
func (s *simulation) breaks() {
	at := s.rng.IntN(len(s.disks))
	disk, shadow := s.disks[at], s.shadows[at]
	evict := func(what string, gone func(string) bool) {
		s.note("server %d evicts %s", at, what)
		disk.evict(gone)
		shadow.evict(gone)
	}
	id := s.rng.IntN(nRows)
	tag := s.table.Row(s.key(id))
	switch s.rng.IntN(7) {
	case 0:
		evict("all", func(string) bool { return true })
		s.judge.droppedOf(s, at)
	case 1:
		evict(fmt.Sprint("the entry of row ", id), func(key string) bool { return key == string(s.entry(id).Key) })
	case 2:
		evict(fmt.Sprint("the token of row ", id), func(key string) bool { return key == tag.Token() })
		if s.serverOf(tag.Token()) == at {
			s.judge.dropped([]keying.Tag{tag})
		}
	case 3:
		evict(fmt.Sprint("the writers of row ", id), func(key string) bool { return key == tag.Writers() })
	case 4:
		evict("all writers", func(key string) bool { return strings.HasSuffix(key, ":w") })
	case 5:
		s.note("server %d is copied", at)
		s.copies[at] = copied{disk.clone(), shadow.clone()}
	default:
		s.note("server %d: the copy takes its place", at)
		disk.restore(s.copies[at].disk)
		shadow.restore(s.copies[at].shadow)
		s.judge.droppedOf(s, at)
	}
}

// droppedOf takes notice that nothing of a server is what it was.
func (j *judge) droppedOf(s *simulation, server int) {
	for _, w := range slices.Clone(j.unsafe) {
		for tag := range w.left {
			if s.serverOf(tag.Token()) == server {
				delete(w.left, tag)
			}
		}
	}
	j.dropped([]keying.Tag{})
}

// drawRead draws what a process reads; no rows when it is enough.
func (s *simulation) drawRead() read {
	if s.over {
		return read{}
	}
	rows := s.drawRows(nRows)
	r := read{rows: rows, request: consistency.Request{Table: "rows", Kind: metrics.Row}}
	for _, id := range rows {
		r.request.Entries = append(r.request.Entries, s.entry(id))
	}
	switch s.rng.IntN(12) {
	case 0:
		r.request.Refresh = true
	case 1:
		r.request.ReadOnly = metrics.ReasonControl
	}
	s.run.Reads++
	return r
}

// drawRows draws rows, most at most.
func (s *simulation) drawRows(most int) []int {
	if s.weather.alone {
		return []int{0}
	}
	rows := s.rng.Perm(nRows)[:1+s.rng.IntN(most)]
	slices.Sort(rows)
	return rows
}

type writeKind uint8

const (
	updates writeKind = iota
	deletes
	creates // of a row whose key is not known beforehand
	blind   // of rows that are not known; all entries are announced
	defines // the schema
)

func (k writeKind) String() string {
	return [...]string{"updates", "deletes", "creates", "updates blindly", "defines"}[k]
}

// drawWrite draws what a process writes; nil when it is enough.
func (s *simulation) drawWrite(p *process) *write {
	if s.over {
		return nil
	}
	w := &write{p: p, rows: s.drawRows(2)}
	w.tags = []keying.Tag{s.table.List()}
	switch n := s.rng.IntN(20); {
	case n < 2 && s.weather.schema:
		w.kind, w.rows = defines, []int{theSchema}
		w.tags = s.names.Everything()
		if s.opt.Announces != nil {
			w.tags = s.opt.Announces(s.names)
		}
		return w
	case n < 4 && s.weather.schema:
		w.kind, w.tags = blind, s.names.All()
		return w
	case n < 7:
		w.kind = deletes
	case n < 10 && s.judge.now()[w.rows[0]] == 0:
		w.kind, w.rows = creates, w.rows[:1]
		w.tags = append(w.tags, s.table.Absent())
		return w
	}
	for _, id := range w.rows {
		w.tags = append(w.tags, s.table.Row(s.key(id)))
	}
	return w
}
