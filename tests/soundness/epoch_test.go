package soundness_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// A step is a write of a process.
type step struct {
	write
	by *writer
}

func (w *world) drawStep(g *gen) step {
	by := &w.writers[g.IntN(len(w.writers))]
	return step{write: drawWrite(g, by.stranger), by: by}
}

// do carries out a step.
func (w *world) do(s step) error {
	w.redefined = w.redefined || s.redefines
	return s.run(s.by.DB)
}

// A watch is a query whose answer is stored.
type watch struct {
	read
	// before is its answer, without the plugin.
	before string
	// hot is set if its answer was seen to come from the store; never, if it did not come to be stored.
	hot, never bool
}

// epoch puts the rows back, draws queries, and then so many writes. After each write it asks all the queries, and demands
// that no answer is old. It returns what is wrong: nothing, it is to be hoped.
func (w *world) epoch(g *gen, l *ledger, rounds int) string {
	w.t.Helper()
	w.reset()
	var watched []*watch
	for _, r := range drawReads(g) {
		watched = append(watched, &watch{read: r, before: r.ask(w.plain.DB)})
	}
	var history []step
	for range rounds {
		if wrong := w.warm(watched, l); wrong != "" {
			return wrong
		}
		s := w.drawStep(g)
		err := w.do(s)
		if q, wrong := w.look(g, watched, s, err, l); q != nil {
			return w.shrunk(history, *q, s, wrong)
		}
		history = append(history, s)
	}
	return ""
}

// look asks all queries after a write, and returns one whose answer is old, and that.
func (w *world) look(g *gen, watched []*watch, s step, err error, l *ledger) (*read, string) {
	l.wrote(s.kind, err)
	for _, q := range watched {
		after := q.ask(w.plain.DB)
		reader := pick(g, w.readers...)
		got := ""
		events, _ := reader.log.during(func() { got = q.ask(reader.DB) })
		if got != after {
			return &q.read, fmt.Sprintf("before it: %s\n  after it, the cache serves: %s\n  the database answers: %s", q.before, got, after)
		}
		if q.never {
			reader.log.forgive(events)
		}
		if q.hot {
			l.saw(q.kind, s, err, fate(q.before != after, hit(events)))
		}
		q.before, q.hot = after, false
	}
	return nil, ""
}

// warm asks queries until all answers come from the store. An answer that is an error is not stored. It returns what is
// wrong.
func (w *world) warm(watched []*watch, l *ledger) string {
	w.t.Helper()
	reader := w.readers[0]
	const attempts = 4
	for n := range attempts {
		for _, r := range w.readers {
			r.log.settle()
		}
		for _, q := range watched {
			if q.hot || q.never || failed(q.before) {
				continue
			}
			got := ""
			events, _ := reader.log.during(func() { got = q.ask(reader.DB) })
			if got != q.before {
				return fmt.Sprintf("%s: %s\n  though nothing was written since, the cache serves: %s\n  the database answers: %s",
					q.kind, w.sqlOf(&q.read), got, q.before)
			}
			q.hot = hit(events)
			if n == attempts-1 && !q.hot {
				q.never = true
				reader.log.forgive(events)
				l.never = append(l.never, fmt.Sprintf("%s: %s %+v", q.kind, w.sqlOf(&q.read), events))
			}
		}
	}
	l.watched += len(watched)
	return ""
}

// failed reports whether an answer is an error. That there is no such row is none.
func failed(answer string) bool {
	return strings.Contains(strings.ReplaceAll(answer, "Err\":\"record not found", ""), `Err":`) || strings.Contains(answer, "Err:")
}

// sqlOf returns what a query sends to the database.
func (w *world) sqlOf(r *read) string {
	return w.plain.sql.during(func() { r.ask(w.plain.DB) })
}

// shrinking bounds the search for a shorter way.
const shrinking = 20 * time.Second

// shrunk finds a short way to a wrong answer, and describes it: without the other queries, and with as few writes before the
// one that counts as there can be.
func (w *world) shrunk(history []step, q read, last step, wrong string) string {
	end := time.Now().Add(shrinking)
	if found := w.replay(nil, q, last); found != "" {
		return found
	}
	found := w.replay(history, q, last)
	if found == "" {
		return fmt.Sprintf("%s, after %s by %s, but not when it was tried again. The query:\n    %s\n  %s",
			q.kind, last.kind, last.by.name, w.sqlOf(&q), wrong)
	}
	for i := 0; i < len(history) && time.Now().Before(end); {
		fewer := slices.Delete(slices.Clone(history), i, i+1)
		if again := w.replay(fewer, q, last); again != "" {
			history, found = fewer, again
		} else {
			i++
		}
	}
	return found
}

// replay puts the rows back, carries out the steps before, stores the answer of one query, carries out the last step, and
// describes what is wrong then.
func (w *world) replay(history []step, q read, last step) string {
	w.reset()
	var b strings.Builder
	for _, s := range history {
		fmt.Fprintf(&b, "before, %s by %s:\n    %s\n", s.kind, s.by.name, s.by.sql.during(func() { _ = w.do(s) }))
	}
	watched := &watch{read: q, before: q.ask(w.plain.DB)}
	if wrong := w.warm([]*watch{watched}, newLedger()); wrong != "" {
		return b.String() + wrong
	}
	reads, _ := w.readers[0].log.during(func() { q.ask(w.readers[0].DB) })
	fmt.Fprintf(&b, "the query, %s:\n    %s\n", q.kind, w.sqlOf(&q))
	for _, r := range reads {
		fmt.Fprintf(&b, "  an entry of %d depends on: %s\n", r.Entries, strings.Join(r.Tags, ", "))
	}
	fmt.Fprintf(&b, "  answers: %s\n", watched.before)
	var err error
	var writes []metrics.WriteEvent
	sent := last.by.sql.during(func() { _, writes = last.by.log.during(func() { err = w.do(last) }) })
	fmt.Fprintf(&b, "the write, %s by %s (%v):\n    %s\n", last.kind, last.by.name, err, sent)
	for _, e := range writes {
		fmt.Fprintf(&b, "  rotates: %s (%s)\n", strings.Join(e.Tags, ", "), e.Outcome)
	}
	after := q.ask(w.plain.DB)
	for i, reader := range w.readers {
		if got := q.ask(reader.DB); got != after {
			fmt.Fprintf(&b, "after it, the cache serves (reader %d): %s\n  the database answers: %s\n", i, got, after)
			return b.String()
		}
	}
	return ""
}
