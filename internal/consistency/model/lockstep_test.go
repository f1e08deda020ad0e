package model_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/stores"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// A lockstep is the real protocol, in one process, and its model, which take the same steps in an order that is drawn.
// Before each step the protocol has to be where the model is, and to have the same step in mind; and it has to answer the same.
type lockstep struct {
	t     testing.TB
	r     *rand.Rand
	model model
	s     state
	after []after // the steps that the model can take, found by next

	real    *consistency.Protocol
	gate    *gate
	entries []consistency.Entry
	mu      sync.Mutex
	rows    [nRows]uint8

	parked map[actor]event // who waits to take a step
	inbox  map[actor]event // what has come, and nobody has waited for
	begun  int             // readers
	wrote  int             // writers that have begun
	tries  [nWriters]int
	told   strings.Builder
	kinds  map[stepKind]bool
}

type after struct {
	step
	s      state
	answer answer
}

// A row is what the database answers for an entry.
type row struct {
	value  [nRows]uint8
	absent bool
}

func (r row) Absent() bool { return r.absent }

func (r row) Append(b []byte) ([]byte, error) { return append(b, r.value[:]...), nil }

func newLockstep(t testing.TB, sc scenario, s store.Store, table *keying.Table, seed uint64) *lockstep {
	t.Helper()
	l := &lockstep{
		t: t, r: rand.New(rand.NewPCG(seed, 0)), model: model{scenario: sc}, s: state{noticed: true},
		parked: map[actor]event{}, inbox: map[actor]event{}, kinds: map[stepKind]bool{},
	}
	l.model.emit = func(n *state, by step) { l.after = append(l.after, after{by, *n, l.model.answer}) }
	l.gate = &gate{
		Store: s, names: [nTags]keying.Tag{table.List(), table.Absent()}, events: make(chan event), closed: make(chan struct{}),
	}
	for e := range nEntries {
		l.gate.keys[e] = keying.Key(fmt.Sprint(string(table.List()), "/entry", e))
		if sc.entries>>e&1 != 0 {
			l.entries = append(l.entries, consistency.Entry{
				Key: l.gate.keys[e], Tags: l.tags(sc.tags[e]), AbsentTags: l.tags(sc.absent[e]), TTL: time.Hour, AbsentTTL: time.Hour,
			})
		}
	}
	outage := consistency.Journal
	if sc.policy == failWrite {
		outage = consistency.FailWrite
	}
	// Nothing happens by itself but what the keeper does: flights stay, intents need not be renewed.
	l.real = consistency.New(consistency.Config{Store: l.gate, Outage: outage, Timeout: time.Hour, IntentTTL: time.Hour})
	t.Cleanup(func() {
		close(l.gate.closed)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = l.real.Close(ctx)
	})
	return l
}

func (l *lockstep) tags(on mask) (tags []keying.Tag) {
	for i, name := range l.gate.names {
		if on>>i&1 != 0 {
			tags = append(tags, name)
		}
	}
	return tags
}

// read is a reader of the real protocol.
func (l *lockstep) read(a actor) {
	ctx := a.as(l.t.Context())
	req := consistency.Request{Entries: l.entries, Pins: &consistency.Pins{}}
	reading, err := l.real.Read(ctx, req, func(_ context.Context, missing []int) ([]consistency.Result, error) {
		var rows [nRows]uint8
		if err := l.gate.pass(a, asks, 0, func() error { rows = l.database(); return nil }); err != nil {
			return nil, err
		}
		results := make([]consistency.Result, len(missing))
		for n, i := range missing {
			value := l.model.only(rows, l.model.of[i])
			results[n] = row{value, l.model.isAbsent(i, value)}
		}
		return results, nil
	})
	got := event{actor: a, err: err, answer: answer{given: true, hit: reading.Outcome == metrics.Hit}}
	switch {
	case err != nil:
	case reading.Outcome == metrics.Bypass:
		got.err = l.gate.pass(a, bypasses, 0, func() error {
			got.answer.value = l.model.only(l.database(), l.model.rowsOf(l.model.entries))
			return nil
		})
	default:
		for i, p := range reading.Payloads {
			for rowAt := range nRows {
				if p.Hit {
					got.answer.value[rowAt] += p.Data[rowAt]
				} else {
					got.answer.value[rowAt] += reading.Results[i].(row).value[rowAt]
				}
			}
		}
	}
	l.gate.tell(got)
}

// commit changes the rows.
func (l *lockstep) commit(writer int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := state{rows: l.rows}
	l.model.write(&n, writer)
	l.rows = n.rows
}

func (l *lockstep) database() [nRows]uint8 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rows
}

// write is a writer of the real protocol.
func (l *lockstep) write(a actor) {
	ctx := a.as(l.t.Context())
	w, err := l.real.Intend(ctx, l.tags(l.model.tells[a.n]))
	if err == nil {
		if err = l.gate.pass(a, commits, 0, func() error { l.commit(a.n); return nil }); err == nil {
			w.End(ctx, metrics.Committed)
		}
	}
	l.gate.tell(event{actor: a, err: err})
}

// await returns what an actor does next.
func (l *lockstep) await(a actor) event {
	l.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		if e, ok := l.inbox[a]; ok {
			delete(l.inbox, a)
			return e
		}
		select {
		case e := <-l.gate.events:
			l.inbox[e.actor] = e
		case <-deadline:
			require.FailNow(l.t, "nothing happens", "%c%d\n%s", a.role, a.n, &l.told)
		}
	}
}

// park waits until an actor is about to take a step.
func (l *lockstep) park(a actor) event {
	l.t.Helper()
	e := l.await(a)
	require.NotEqual(l.t, nothing, e.kind, "%c%d is at its end (%v)\n%s", a.role, a.n, e.err, &l.told)
	l.parked[a] = e
	return e
}

// ends waits until an actor has come to its end.
func (l *lockstep) ends(a actor) event {
	l.t.Helper()
	e := l.await(a)
	require.Equal(l.t, nothing, e.kind, "%c%d: %v instead of its end\n%s", a.role, a.n, step{kind: e.kind}, &l.told)
	return e
}

// take lets the model take all steps of a kind that somebody has to take now. The model has to have one.
func (l *lockstep) take(kind stepKind, who int) (got answer) {
	l.t.Helper()
	for taken := 0; ; taken++ {
		n, ok := l.can(kind, who)
		if !ok {
			require.NotZero(l.t, taken, "not a step of the model's: %v\n%s", step{kind, uint8(who), 0}, &l.told)
			l.kinds[kind] = true
			return got
		}
		l.s = n.s
		l.told.WriteString(n.String() + "; ")
		if n.answer.given {
			got = n.answer
		}
	}
}

// can returns the state after a step.
func (l *lockstep) can(kind stepKind, who int) (after, bool) {
	l.after = l.after[:0]
	l.model.next(&l.s)
	for _, n := range l.after {
		if n.kind == kind && int(n.who) == who {
			return n, true
		}
	}
	return after{}, false
}

// step lets somebody who is drawn do something. It answers false when nobody has anything to do.
func (l *lockstep) step() bool {
	l.t.Helper()
	select {
	case e := <-l.gate.events:
		l.inbox[e.actor] = e
	default:
	}
	keeper := actor{role: 'k'}
	if e, ok := l.inbox[keeper]; ok {
		delete(l.inbox, keeper)
		l.parked[keeper] = e
	}
	var options []func()
	for _, a := range l.actors() {
		if e, ok := l.parked[a]; ok {
			options = append(options, func() {
				delete(l.parked, a)
				l.grant(e)
			})
		}
	}
	if l.wrote < l.model.writers {
		options = append(options, func() { l.wrote++; l.writerBegins(actor{'w', l.wrote - 1}) })
	}
	if l.begun < l.model.readers && (len(options) == 0 || l.r.IntN(3) == 0) { // so that some begin late
		options = append(options, func() { l.begun++; l.begins(actor{'r', l.begun - 1}) })
	}
	if len(options) == 0 {
		if l.s.w[0].pc != wOwes {
			return false
		}
		l.park(keeper)
		return true
	}
	options[l.r.IntN(len(options))]()
	l.compare()
	return true
}

// actors are all that there may be, in an order that does not depend on chance.
func (l *lockstep) actors() (all []actor) {
	for i := range nReaders {
		all = append(all, actor{'r', i}, actor{'f', i}, actor{'w', i})
	}
	return append(all, actor{role: 'k'})
}

// grant lets an actor take the step that it waits for.
func (l *lockstep) grant(e event) {
	l.t.Helper()
	switch e.role {
	case 'r':
		l.reader(e)
	case 'f':
		require.Equal(l.t, (l.model.entries&^l.s.r[e.n].found)<<nTags, e.on, "%s", &l.told)
		e.allow(nil)
		l.take(puts, e.n)
	case 'w':
		l.writer(e)
	case 'k':
		require.Equal(l.t, releases, e.kind, "%s", &l.told)
		require.Equal(l.t, l.model.tells[0], e.on, "%s", &l.told)
		e.allow(nil)
		// That it is paid is noted after the step.
		testkit.Eventually(l.t, "the journal is paid", func() bool { return l.real.Backlog().Journal == 0 })
		l.take(pays, 0)
	}
}

// begins is a reader's first look at the journal.
func (l *lockstep) begins(a actor) {
	l.t.Helper()
	go l.read(a)
	e := l.park(a)
	if e.kind == releases { // it pays itself
		e.allow(l.maybe())
		if e = l.park(a); e.kind == loads {
			l.take(pays, 0)
		}
	}
	if e.kind == bypasses {
		l.take(begunBarred, a.n)
		return
	}
	l.take(begins, a.n)
}

// maybe is an error, mostly.
func (l *lockstep) maybe() error {
	if l.r.IntN(4) == 0 {
		return nil
	}
	return errCut
}

func (l *lockstep) writerBegins(a actor) {
	l.t.Helper()
	go l.write(a)
	l.park(a)
}

// reader lets a reader take a step.
func (l *lockstep) reader(e event) {
	l.t.Helper()
	r := &l.s.r[e.n]
	want := map[stepKind]mask{loads: l.model.looked(), confirms: l.model.dependencies(r), mints: l.model.unminted(r)}[e.kind]
	require.Equal(l.t, want, e.on, "%v\n%s", step{e.kind, uint8(e.n), 0}, &l.told)
	if e.kind == asks {
		_, joinable := l.can(joins, e.n)
		require.False(l.t, joinable, "r%d reads the database instead of joining a flight\n%s", e.n, &l.told)
	}
	e.allow(nil)
	got := l.take(e.kind, e.n)
	if e.kind == asks {
		l.park(actor{'f', e.n})
		for i := range l.begun {
			if i != e.n && l.follows(i, e.n) {
				l.goesOn(i, l.take(joins, i))
			}
		}
	}
	l.goesOn(e.n, got)
}

// follows reports whether a reader waits for another one's flight, or would join it.
func (l *lockstep) follows(i, leader int) bool {
	r, o := &l.s.r[i], &l.s.r[leader]
	return r.pc == rLoad && r.found == o.found && r.stamps == o.stamps
}

// goesOn waits for what a reader does after a step.
func (l *lockstep) goesOn(i int, got answer) {
	l.t.Helper()
	a := actor{'r', i}
	if got.given {
		e := l.ends(a)
		require.NoError(l.t, e.err, "%s", &l.told)
		require.Equal(l.t, got, e.answer, "r%d's answer\n%s", i, &l.told)
		return
	}
	if _, joinable := l.can(joins, i); joinable {
		l.goesOn(i, l.take(joins, i))
		return
	}
	for j := range l.begun {
		if _, asks := l.parked[actor{'r', j}]; asks && j != i && l.s.r[i].pc == rLoad && l.s.r[j].pc == rLoad && l.follows(i, j) {
			return // it waits for that one's flight
		}
	}
	l.park(a)
}

// writer lets a writer take a step, or fail to.
func (l *lockstep) writer(e event) {
	l.t.Helper()
	i := e.n
	if e.kind != commits {
		require.Equal(l.t, l.model.tells[i], e.on, "%s", &l.told)
	}
	var err error
	if l.model.cut && i == 0 && e.kind != commits {
		err = l.maybe()
	}
	e.allow(err)
	switch {
	case e.kind == intends && err != nil && l.model.policy == failWrite:
		l.take(refuses, i)
		require.ErrorIs(l.t, l.ends(e.actor).err, consistency.ErrUnannounced)
	case e.kind == intends && err != nil:
		l.take(cannotIntend, i)
		l.park(e.actor)
	case e.kind == releases && err != nil && !l.s.w[i].announced && l.tries[i] == 0:
		l.tries[i]++ // others would be served what is old: once more
		require.Equal(l.t, releases, l.park(e.actor).kind, "%s", &l.told)
	case e.kind == releases && err != nil:
		l.take(cannotRelease, i)
		require.NoError(l.t, l.ends(e.actor).err)
	case e.kind == releases:
		l.take(releases, i)
		require.NoError(l.t, l.ends(e.actor).err)
	default:
		l.take(e.kind, i)
		l.park(e.actor)
	}
}

// compare holds the store to the model.
func (l *lockstep) compare() {
	l.t.Helper()
	snap, err := l.gate.Store.Load(l.t.Context(), []string{l.gate.names[0].Token(), l.gate.names[1].Token()})
	require.NoError(l.t, err)
	for i, v := range snap.Values {
		is := uint8(absent)
		switch {
		case v.Data == store.Writing:
			is = writing
		case v.Found:
			is = first
		}
		require.Equal(l.t, min(l.s.tags[i].token, first), is, "tag %d\n%s", i, &l.told)
	}
}

// The protocol takes the steps of the model, in its order, whatever the order of the others' steps: readers that hit, miss,
// share, bypass, look twice, and writers that reach the store, do not, and are refused.
func TestProtocolMovesAsTheModelDoes(t *testing.T) {
	t.Parallel()
	s := open(t)
	shapes := map[string]shape{"row": oneRow(), "tables": wideWrite(), "rows": twoRows(), "apart": rowsApart(), "absent": noRow()}
	variants := map[string]faults{"": {}, "journal": {cut: true}, "refused": {cut: true, policy: failWrite}}
	runs := 30
	if testing.Short() || stores.Other() {
		runs = 15
	}
	var mu sync.Mutex
	seen := map[stepKind]bool{}
	for name, shape := range shapes {
		for fault, f := range variants {
			sc := scenario{shape: shape, faults: f, writers: 2, readers: 3, own: true}
			parallel(t, runs, 8, func(i int) {
				table := s.space.Table(fmt.Sprint(name, fault, i))
				l := newLockstep(t, sc, s.Store, table, uint64(i))
				for l.step() {
				}
				require.Empty(t, l.parked, "%s", &l.told)
				mu.Lock()
				defer mu.Unlock()
				for kind := range l.kinds {
					seen[kind] = true
				}
			})
		}
	}
	for _, kind := range []stepKind{
		begins, begunBarred, loads, confirms, mints, asks, joins, bypasses, puts, intends, cannotIntend, refuses, commits,
		releases, cannotRelease, pays,
	} {
		require.True(t, seen[kind], "never seen: %v", step{kind: kind})
	}
}
