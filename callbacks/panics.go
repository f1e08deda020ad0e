package callbacks

import "github.com/gorm-rediscache/rediscache/metrics"

// A panic of the cache's own code must not reach the application: the database answers a read, and a write that was not
// understood announces everything. A panic of the driver, or of the application's code, goes on as without the plugin. Both
// run below functions of this package, so a query notes while code that is not the cache's runs.

// outside runs code that is not the cache's: the driver's.
func (q *query) outside(f func()) {
	q.foreign = true
	f()
	q.foreign = false // not if it panics
}

// rescue is deferred while a query is answered. It turns a panic of the cache's own code into the answer of the database.
func (q *query) rescue(a *answer, err *error) {
	if q.foreign {
		return
	}
	r := recover()
	if r == nil {
		return
	}
	q.s.h.opt.Protocol.Panicked(q.st.ctx, r)
	if q.cursor != nil {
		_ = q.cursor.Close() // so that its connection is free: it may be the only one
	}
	*a, *err = fromDatabase(q.bypass(metrics.ReasonPanic))
}

// rescuePlan is deferred while a statement is planned. After a panic there is no plan: a statement without one is not
// cached, and announces everything if it may write.
func (s *shim) rescuePlan(st *statement) {
	if r := recover(); r != nil {
		s.h.opt.Protocol.Panicked(st.ctx, r)
		st.k, st.p, st.blind, st.reads = nil, nil, true, false
	}
}

// rescueLearning is deferred while the schema is learned before a transaction. After a panic the statement goes on as if it
// could not be learned.
func (s *shim) rescueLearning() {
	if r := recover(); r != nil {
		s.h.opt.Protocol.Panicked(s.db.Statement.Context, r)
	}
}

// rescueReason is deferred while it is decided whether the cache has to do with a statement that reads. After a panic it has
// not.
func (s *shim) rescueReason(st *statement, reason *metrics.Reason) {
	if r := recover(); r != nil {
		s.h.opt.Protocol.Panicked(st.ctx, r)
		*reason = metrics.ReasonPanic
	}
}

// rescueEffects is deferred while it is found out what a statement changes. After a panic it may be anything.
func (s *shim) rescueEffects(st *statement, e *effects, created *[]tableWrite) {
	if r := recover(); r != nil {
		s.h.opt.Protocol.Panicked(st.ctx, r)
		*created = nil
		e.anything(metrics.CauseUnknown)
	}
}

// rescueQuestion is deferred while it is found out what the database has to be asked about a write. After a panic it is
// asked nothing.
func (s *shim) rescueQuestion(st *statement, q **question) {
	if r := recover(); r != nil {
		s.h.opt.Protocol.Panicked(st.ctx, r)
		*q = nil
	}
}

// rescueFill is deferred while a destination is filled without GORM. After a panic GORM fills it, from the beginning.
func (s *shim) rescueFill(filled *bool) {
	if r := recover(); r != nil {
		s.h.opt.Protocol.Panicked(s.db.Statement.Context, r)
		*filled = false
	}
}
