package callbacks

import (
	"database/sql"
	"fmt"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/internal/txpool"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// exec runs a statement that writes and returns no rows.
func (s *shim) exec(st *statement) (sql.Result, error) {
	if st.question = s.question(st); st.question != nil && !s.inTransaction() {
		if result, done, err := s.execAlone(st); done {
			return result, err
		}
	}
	w, err := s.announce(st)
	if err != nil {
		return nil, err
	}
	if st.question != nil {
		return s.execAsked(st)
	}
	if s.leaves(st, w) {
		if result, done, err := s.execLeaving(st, w); done {
			return result, err
		}
	}
	end := metrics.InDoubt // if the driver panics
	defer func() { w.end(st, end) }()
	result, err := s.ConnPool.ExecContext(st.ctx, st.text, st.args...)
	s.failed(st, err)
	if err == nil {
		s.leaveAfter(st, w.write)
	}
	end = outcome(err, st.d.dialect)
	return result, err
}

// queryWrite runs a statement that writes and returns rows. In autocommit it may commit only when its rows have been
// read, so its end is theirs.
func (s *shim) queryWrite(st *statement) (*sql.Rows, error) {
	st.question = s.questionOfReturned(st)
	w, err := s.announce(st)
	if err != nil {
		return nil, err
	}
	if st.question != nil {
		return s.queryAsked(st)
	}
	if w.write == nil && !w.calls {
		defer st.note()
		return s.watched(st)
	}
	if s.leaves(st, w) {
		if rows, done, err := s.queryLeaving(st, w); done {
			return rows, err
		}
	}
	ended := false
	defer func() {
		if !ended { // the driver panics
			w.end(st, metrics.InDoubt)
		}
	}()
	rows, err := s.ConnPool.QueryContext(st.ctx, st.text, st.args...)
	ended = true
	if err != nil {
		w.end(st, outcome(err, st.d.dialect))
		return nil, err
	}
	return s.h.player.Rows(rowcodec.Playback{Tail: rows, Closed: func() {
		if rows.Err() == nil {
			s.leaveAfter(st, w.write)
		}
		w.end(st, outcome(rows.Err(), st.d.dialect))
	}})
}

// An autocommit is a write that commits by itself.
type autocommit struct {
	// write was announced; nil if there is nothing to announce, or not yet.
	write *consistency.Write
	// everything is set if that is what was announced.
	everything bool
	// calls is set if what it calls has to be looked at again.
	calls bool
	// unseen is set if its statement is part of a transaction whose end cannot be observed.
	unseen bool
}

func (a *autocommit) end(st *statement, o metrics.WriteOutcome) {
	st.note()
	if a.unseen && o == metrics.Committed {
		o = metrics.Unseen
	}
	if a.write == nil && !a.calls {
		return
	}
	var pins *consistency.Pins
	if st.k != nil {
		pins = st.k.pins
	}
	current := st.d.current(st.ctx, pins, a.everything || o == metrics.RolledBack && st.atomic())
	if a.write != nil {
		a.write.End(st.ctx, o)
	}
	if <-current {
		return
	}
	// The statement may have waited for a change of what it was planned with.
	st.d.changed()
	if late, err := st.d.h.opt.Protocol.Intend(st.ctx, st.d.unplanned(st.d.identity.Load(), st.calls())); err == nil {
		late.Because(outdated())
		late.End(st.ctx, o)
	}
}

// atomic reports whether nothing is left of the statement when it fails. Of several statements, the first may have been
// carried out; procedures commit on their way.
func (st *statement) atomic() bool {
	if st.p == nil || len(st.p.script.Parts) != 1 {
		return false
	}
	class := st.p.script.Parts[0].Class
	return class == sqltext.Query || class == sqltext.Change
}

// announce takes notice of what a statement is about to change. In a transaction it is remembered until that commits;
// in autocommit it is announced now. The caller ends it when the statement is over. An error means that the statement
// must not run.
func (s *shim) announce(st *statement) (*autocommit, error) {
	id := st.d.identity.Load()
	if id == nil {
		s.tell(st, &effects{everything: true})
		return &autocommit{}, s.nameless(st)
	}
	if s.inTransaction() {
		return s.announceInTransaction(st, id)
	}
	var e effects
	st.question = nil
	if st.ctx.Err() != nil {
		return &autocommit{}, nil //nolint:nilerr // it will not run, and says so itself
	}
	s.effects(st, &e, false)
	s.tell(st, &e)
	return s.intend(st, id, &e)
}

func (s *shim) intend(st *statement, id *identity, e *effects) (*autocommit, error) {
	if e.empty() {
		return &autocommit{calls: st.calls()}, nil
	}
	w, err := s.h.opt.Protocol.Intend(st.ctx, e.tags(id), e.guards()...)
	if err != nil {
		return nil, err
	}
	w.Because(e.causes())
	return &autocommit{write: w, everything: e.everything}, nil
}

func (s *shim) announceInTransaction(st *statement, id *identity) (*autocommit, error) {
	observer, state := s.h.tracker.Observe(s.ConnPool, func() txpool.Observer {
		return &transaction{d: st.d, id: id, ctx: st.ctx}
	})
	switch state {
	case txpool.Observed:
		tx := observer.(*transaction) //nolint:forcetypeassert // made above
		tx.plannedBy(st.k)
		tx.called(st.calls())
		commits := st.p == nil || st.p.write != nil && st.p.write.commits
		over := tx.over(commits)
		if over { // then this statement may be one that commits by itself
			st.question = nil
		}
		var e effects
		s.created = s.effects(st, &e, s.use == creating)
		s.tell(st, &e)
		tx.touch(func(all *effects) { all.merge(&e) }, st.p == nil || st.p.definition)
		s.inserted = tx
		if over {
			now := effects{everything: commits, schema: commits, cause: metrics.CauseUnknown}
			s.effects(st, &now, false)
			return s.intend(st, id, &now)
		}
		st.note()
		return &autocommit{}, nil // announced when it commits
	case txpool.Ended:
		st.question = nil
		return &autocommit{}, nil // it will fail
	case txpool.Opaque:
		s.warnHidden()
	}
	// The end of the transaction cannot be observed: what it touches is held back for a while.
	st.question = nil
	var e effects
	s.effects(st, &e, false)
	s.tell(st, &e)
	w, err := s.intend(st, id, &e)
	if err != nil {
		return nil, err
	}
	w.unseen = true
	return w, nil
}

// effects adds what a statement changes. It returns the inserts whose keys can be learned from the model afterwards.
func (s *shim) effects(st *statement, e *effects, later bool) (created []tableWrite) {
	defer s.rescueEffects(st, e, &created)
	switch {
	case !st.blind:
	case st.p == nil || st.d.mayDefine(st.p.calls):
		e.anything(metrics.CauseUnknown)
	default:
		e.everything = true
		e.because(metrics.CauseUnknown)
	}
	if st.p == nil {
		return nil
	}
	if len(st.control.Touches) > 0 {
		var w writePlan
		for _, name := range st.control.Touches {
			st.k.touched(&w, bare(name))
		}
		e.add(st.k, &w, metrics.CauseTouches, nil, false, false, false, nil)
	}
	if st.p.write == nil {
		return nil
	}
	return e.add(st.k, st.p.write, s.cause(), st.args, st.bound(), later, st.question != nil, s.namer(st.ctx))
}

// nameless is a write to a database that could not be asked what it is: nobody can be told of it.
func (s *shim) nameless(st *statement) error {
	if !catalog.Knows(st.d.dialect) && !s.h.opt.OwnNamespace {
		return nil // nobody caches such a database: its name is not certain
	}
	err := s.h.opt.Protocol.Unannounceable()
	if !st.d.unnamed.Swap(true) {
		s.h.opt.Logger.WarnContext(st.ctx, "rediscache: writes cannot be announced: the database could not be asked what it is",
			"statement", st.shown())
	}
	if err != nil {
		return fmt.Errorf("rediscache: %w", err)
	}
	return nil
}
