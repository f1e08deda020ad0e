package sim_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
)

// nRows is the number of rows of the database. Its schema is one thing more that is changed by commits.
const (
	nRows     = 3
	theSchema = nRows
)

// A state is what the database holds after a commit: of each row the number of the commit that wrote it, 0 if there is no
// such row; and the number of the commit that made the schema.
type state [nRows + 1]int

func (s state) of(rows []int) []int {
	values := make([]int, len(rows))
	for i, r := range rows {
		values[i] = s[r]
	}
	return values
}

// A write is a transaction.
type write struct {
	p      *process
	kind   writeKind
	rows   []int // with theSchema, if it changes that
	tags   []keying.Tag
	writer string // its name in the store; empty before it has one
	// at is the number of its commit; 0: there is none. covered is set if it was among the writers of all its tags then:
	// nothing from before is served any more, and nothing was stored since.
	at      int
	covered bool
	// left are the tags that have not been dropped since: what depends on them may be from before.
	left map[keying.Tag]bool
	// journaled is set if its process serves nothing before the store was told.
	journaled, returned bool
}

// safe reports whether nothing from before the write can be served any more.
func (w *write) safe() bool { return w.covered || len(w.left) == 0 }

func (w *write) String() string { return fmt.Sprintf("%s %v", w.kind, w.rows) }

// A read is one statement of an application.
type read struct {
	rows    []int
	request consistency.Request
	cached  bool // the answer is not the database's alone
	found   int  // rows that were in the store
	schema  int  // the commit that made the schema by which it was planned
	least   state
	unsafe  bool // while it was under way, something that it reads was not safe
}

// A judge knows what the database has held, and what has to be seen.
type judge struct {
	states []state
	// seen is, of each row, the last commit that every read has to see which begins now: its write has returned, or has been
	// seen by a read that has returned.
	seen    state
	unsafe  []*write // committed, and not safe
	reading map[*read]bool
	wrong   []string

	mu sync.Mutex // for writer
}

// now is what the database holds.
func (j *judge) now() state { return j.states[len(j.states)-1] }

// writes notes the name of a write in the store.
func (j *judge) writes(ctx context.Context, writer string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if w, ok := ctx.Value(writeOf{}).(*write); ok && w.writer == "" {
		w.writer = writer
	}
}

// commits carries out a COMMIT. It answers false if the database refuses it.
func (j *judge) commits(w *write) bool {
	switch {
	case w.at != 0: // a transaction commits once
		return true
	case w.kind == creates && j.now()[w.rows[0]] != 0: // somebody else has created it
		return false
	}
	w.at = len(j.states)
	next := j.now()
	for _, r := range w.rows {
		next[r] = w.at
		if w.kind == deletes {
			next[r] = 0
		}
	}
	j.states = append(j.states, next)
	w.covered = w.p.s.covered(w)
	w.left = map[keying.Tag]bool{}
	for _, tag := range w.tags {
		w.left[tag] = true
	}
	if !w.safe() {
		j.unsafe = append(j.unsafe, w)
		for r := range j.reading {
			r.unsafe = r.unsafe || concerns(w, r.rows)
		}
	}
	return true
}

// returns takes notice that a write has returned to the application.
func (j *judge) returns(w *write) {
	w.returned = true
	j.settle(w)
	if !w.safe() && !w.journaled {
		return // "A writer that sleeps": its release is still to come
	}
	for _, r := range w.rows {
		w.p.returned[r] = max(w.p.returned[r], w.at)
	}
}

// settle has every read see a write from now on that has returned, if it is safe.
func (j *judge) settle(w *write) {
	if !w.returned || !w.safe() {
		return
	}
	for _, r := range w.rows {
		j.seen[r] = max(j.seen[r], w.at)
	}
}

// dropped takes notice that tags were dropped; nil: all.
func (j *judge) dropped(tags []keying.Tag) {
	j.unsafe = slices.DeleteFunc(j.unsafe, func(w *write) bool {
		if tags == nil {
			clear(w.left)
		}
		for _, tag := range tags {
			delete(w.left, tag)
		}
		j.settle(w)
		return w.safe()
	})
}

// begins notes what a read has to see that begins now.
func (j *judge) begins(p *process, r *read) {
	for i := range r.least {
		r.least[i] = max(j.seen[i], p.returned[i])
	}
	r.unsafe = slices.ContainsFunc(j.unsafe, func(w *write) bool { return concerns(w, r.rows) })
	j.reading[r] = true
}

// concerns reports whether a write concerns rows, or the schema.
func concerns(w *write, rows []int) bool {
	return slices.ContainsFunc(w.rows, func(r int) bool { return r == theSchema || slices.Contains(rows, r) })
}

// reads judges an answer.
func (j *judge) reads(p *process, r *read, got []int) {
	delete(j.reading, r)
	if r.cached && r.schema < r.least[theSchema] {
		j.lies("%s read %v by the schema of commit %d, want %d", p.name, r.rows, r.schema, r.least[theSchema])
	}
	least := 0
	for _, row := range r.rows {
		least = max(least, r.least[row])
	}
	at := j.when(r.rows, got, least)
	switch {
	case at < 0 && r.unsafe:
		for i, row := range r.rows { // "A writer that sleeps": each by itself
			if j.when([]int{row}, got[i:i+1], r.least[row]) < 0 {
				j.lies("%s read %d of row %d, want no older than commit %d", p.name, got[i], row, r.least[row])
			}
		}
	case at < 0:
		j.lies("%s read %v of rows %v, which were never so since commit %d", p.name, got, r.rows, least)
	}
	for i, row := range r.rows { // L
		if got[i] > 0 && !j.isUnsafe(got[i]) {
			j.seen[row] = max(j.seen[row], got[i])
		}
	}
}

// lies notes what breaks a promise.
func (j *judge) lies(format string, args ...any) {
	j.wrong = append(j.wrong, fmt.Sprintf(format, args...))
}

// when returns the first commit, from one on, after which rows were so; negative, if they never were.
func (j *judge) when(rows, values []int, least int) int {
	for at := least; at < len(j.states); at++ {
		if slices.Equal(j.states[at].of(rows), values) {
			return at
		}
	}
	return -1
}

func (j *judge) isUnsafe(commit int) bool {
	return slices.ContainsFunc(j.unsafe, func(w *write) bool { return w.at == commit })
}
