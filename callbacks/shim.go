package callbacks

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/internal/txpool"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// A use says what GORM does with the rows that a statement returns.
type use uint8

const (
	// scanned: GORM scans them into the destination of a query.
	scanned use = iota
	// rowScanned: GORM scans them, into a destination that is not known yet.
	rowScanned
	// handedOut: the application gets the cursor.
	handedOut
	// written: they are what a text wrote.
	written
	// updating, deleting: they are what the statement wrote.
	updating
	deleting
	// creating: the same, and GORM puts the keys that the database made into the model.
	creating
)

// A shim stands in the place of the connection pool while one of GORM's handlers runs a statement.
type shim struct {
	gorm.ConnPool // the pool that GORM, or dbresolver, chose
	h             *Hooks
	db            *gorm.DB
	use           use
	control       Control
	// declared are the tables that the statement is said to depend on besides, as they are part of a plan's key.
	declared string
	// own is set while a query holds a connection that the cache has taken for it: see session.go.
	own bool
	// created are inserts into tables whose new keys were not in the text.
	created []tableWrite
	// inserted is set if the statement was carried out in this transaction.
	inserted *transaction
	// told is the statement that wrote, if somebody asks what was done for it.
	told *statement
}

var _ gorm.ConnPool = (*shim)(nil)

func (h *Hooks) shim(db *gorm.DB, use use) *shim {
	inner := db.Statement.ConnPool
	if outer, ok := inner.(*shim); ok {
		inner = outer.ConnPool
	}
	return &shim{ConnPool: inner, h: h, db: db, use: use, control: controlOf(db.Statement)}
}

// leave gives the statement its pool back.
func (s *shim) leave() {
	s.learnKeys()
	s.explainWrite()
	if s.db.Statement.ConnPool == gorm.ConnPool(s) {
		s.db.Statement.ConnPool = s.ConnPool
	}
}

// isRecorder reports whether a logger is the one that Scan installs.
func isRecorder(l logger.Interface) bool {
	return reflect.TypeOf(l) == reflect.TypeOf(logger.Recorder.New())
}

// inTransaction reports whether the statement runs in one.
func (s *shim) inTransaction() bool {
	_, ok := s.ConnPool.(gorm.TxCommitter)
	return ok
}

// warnHidden says, once for each type of pool, that the statement's pool has the methods of a transaction, and that none is
// found in it: by its looks, every statement of such a handle is in a transaction.
func (s *shim) warnHidden() {
	switch s.ConnPool.(type) {
	case *sql.Tx, *gorm.PreparedStmtTX:
		return
	}
	pool := fmt.Sprintf("%T", s.ConnPool)
	if !s.h.tracker.Sees(s.ConnPool) && s.h.first("hidden", pool) {
		s.h.opt.Logger.WarnContext(s.db.Statement.Context, "rediscache: this pool looks like a transaction, and none is found "+
			"in it: nothing is read from the cache through it, and what it writes is not cached for a while", "pool", pool)
	}
}

// pinned reports whether the statement runs on one connection that the application holds: what was set on it before
// is not known.
func (s *shim) pinned() bool {
	switch p := s.ConnPool.(type) {
	case *sql.Conn:
		return true
	case *gorm.PreparedStmtDB:
		_, ok := p.ConnPool.(*sql.Conn)
		return ok
	default:
		return false
	}
}

// held returns the one connection that the statement runs on, in a transaction or because the application holds it; nil
// if it may run on any. The catalog is asked on it without waiting for another one.
func (s *shim) held() gorm.ConnPool {
	if s.inTransaction() || s.pinned() {
		return s.ConnPool
	}
	return nil
}

// planned returns the schema by which a statement is planned, and its plan; nil, if it has to go on without the schema.
func (s *shim) planned(st *statement) (*knowledge, *plan) {
	s.h.models.learn(s.db.Statement.Schema)
	d, key := st.d, s.key(st)
	if k := d.known.Load(); k != nil && s.mayNeedNoReading() {
		if p := k.plan(d, key); s.needsNoReading(p, d) && len(st.control.Touches) == 0 {
			return k, p
		}
	}
	k := s.knowledge(st.ctx, d)
	if k == nil {
		return nil, nil
	}
	p := k.plan(d, key)
	if p.unknown && !k.partial && time.Since(k.read) >= retryAge && !s.defines(d) {
		if anew := s.anew(st, k, p); anew != nil {
			return anew, anew.plan(d, key)
		}
	}
	return k, p
}

// mayNeedNoReading reports whether the statement is of a kind of which needsNoReading has to be asked.
func (s *shim) mayNeedNoReading() bool {
	switch s.use {
	case rowScanned, handedOut, written:
		return !s.own
	default:
		return s.held() != nil && !s.own
	}
}

// needsNoReading reports whether a plan is right whatever tables there are by now, so that the catalog need not be read for
// it. A migration has many such statements, and each of its definitions makes the catalog that was read before an old one.
func (s *shim) needsNoReading(p *plan, d *database) bool {
	switch {
	case p.needsNoSchema(), p.readsCatalog(d.lexer):
		return true
	case p.plainQuery(d.lexer): // nothing is served in a transaction, or where the application gets the cursor
		return s.held() != nil || s.use == handedOut
	default: // SET TRANSACTION has to come first
		return s.held() != nil && p.needsNoCatalog()
	}
}

// key names the plan of a statement.
func (s *shim) key(st *statement) planKey {
	return planKey{text: st.text, model: s.db.Statement.Schema, declared: s.declared, prepared: st.prepared}
}

// knowledge returns what is known of the database, or nil if that is nothing.
func (s *shim) knowledge(ctx context.Context, d *database) *knowledge {
	if s.defines(d) {
		return d.known.Load()
	}
	return d.knowledge(ctx, s.held())
}

// defines reports whether the statement's transaction has changed the catalog. Nobody else sees that yet, and it may be
// rolled back: nothing is learned in there. It announces everything in the end.
func (s *shim) defines(d *database) bool {
	id := d.identity.Load()
	if id == nil || !s.inTransaction() {
		return false
	}
	observer, state := s.h.tracker.Observe(s.ConnPool, func() txpool.Observer {
		return &transaction{d: d, id: id, ctx: s.db.Statement.Context}
	})
	tx, ok := observer.(*transaction)
	return ok && state == txpool.Observed && tx.defines()
}

// anew asks again for the catalog, which did not show a table that the statement names; nil, if that is not waited for. A
// write waits: the database may take the change further. A query is not cached meanwhile, unless nothing may be done in the
// background.
func (s *shim) anew(st *statement, k *knowledge, p *plan) *knowledge {
	if p.write == nil && !s.h.opt.Foreground {
		st.d.renew(st.ctx)
		return nil
	}
	return st.d.learnAfter(st.ctx, s.held(), k)
}

// QueryContext implements [gorm.ConnPool].
func (s *shim) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st := s.statement(ctx, text, args)
	altered := st.alters()
	rows, err := s.answers(st)
	altered(err)
	return rows, err
}

func (s *shim) answers(st *statement) (*sql.Rows, error) {
	if st.writes() {
		return s.queryWrite(st)
	}
	return s.open(s.read(st))
}

// QueryRowContext implements [gorm.ConnPool].
func (s *shim) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	st := s.statement(ctx, text, args)
	if !st.writes() {
		s.record(st, metrics.ReadEvent{Outcome: metrics.Bypass, Reason: metrics.ReasonCursor})
	}
	altered := st.alters()
	if !st.writes() && !st.calls() {
		row := s.ConnPool.QueryRowContext(ctx, text, args...)
		s.failed(st, row.Err())
		altered(row.Err())
		return row
	}
	rows, err := s.queryWrite(st)
	altered(err)
	if err != nil {
		return s.h.player.Row(rowcodec.Playback{Err: err})
	}
	return s.h.player.Row(rowcodec.Playback{Tail: rows})
}

// ExecContext implements [gorm.ConnPool].
func (s *shim) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	st := s.statement(ctx, text, args)
	altered := st.alters()
	result, err := s.run(st)
	altered(err)
	return result, err
}

func (s *shim) run(st *statement) (sql.Result, error) {
	if !st.writes() && !st.calls() {
		s.tell(st, &effects{})
		st.note()
		return s.ConnPool.ExecContext(st.ctx, st.text, st.args...)
	}
	return s.exec(st)
}

// A statement is one execution of a text.
type statement struct {
	ctx     context.Context //nolint:containedctx // lives as long as the call that it belongs to
	text    string
	args    []any
	control Control
	d       *database
	k       *knowledge // nil if nothing is known of the database, or not enough
	p       *plan      // nil with k
	// blind is set if the schema is not known as it is now. What is in k and p was known before. The statement is not
	// cached; it may write anything, unless reads is set: then it does nothing but read, whatever there is in the database.
	blind, reads bool
	// prepared is set if database/sql prepares it.
	prepared bool
	// partition stands for whose answer it is; empty: everybody's.
	partition keying.Digest
	// question is what the database is asked about it; nil if the text says it all, or it cannot be asked.
	question *question
	// touched collects what it changes, for who asks about it.
	touched *effects
}

// statement finds out what is about to run.
func (s *shim) statement(ctx context.Context, text string, args []any) *statement {
	st := &statement{ctx: ctx, text: text, args: args, control: s.control}
	s.declared = st.control.declared()
	st.d, st.prepared = s.h.database(s.db, s.ConnPool), prepares(s.ConnPool)
	if s.h.opt.Foreground && st.d.relay != nil && s.held() == nil {
		st.d.relay.Tick(ctx)
	}
	s.plan(st)
	return st
}

// plan finds the plan of a statement.
func (s *shim) plan(st *statement) {
	defer s.rescuePlan(st)
	st.blind, st.reads = false, false
	if st.k, st.p = s.planned(st); st.p != nil {
		return
	}
	st.blind = true
	if k := st.d.known.Load(); k != nil {
		st.k, st.p = k, k.plan(st.d, s.key(st))
		st.reads = st.p.plainQuery(st.d.lexer)
		return
	}
	unplanned := plan{src: st.text, script: sqltext.Parse(st.text, st.d.lexer)}
	st.reads = unplanned.plainQuery(st.d.lexer)
}

// writes reports whether the statement may change anything that is cached.
func (st *statement) writes() bool {
	if st.blind && !st.reads || len(st.control.Touches) > 0 {
		return true
	}
	return !st.blind && st.p.write != nil
}

// calls reports whether the statement calls functions of which the catalog said, when it was read, that they change nothing.
// They may have been replaced since.
func (st *statement) calls() bool { return !st.blind && st.p.calls && st.p.write == nil }

// note takes notice of what a statement changes besides rows.
func (st *statement) note() {
	if st.p == nil {
		return
	}
	if st.p.definition {
		st.d.changed()
	}
	if st.p.begins {
		st.d.begun.Store(true)
	}
	if st.p.ends && !st.d.ended.Swap(true) {
		st.d.h.opt.Logger.WarnContext(st.ctx, "rediscache: a transaction is ended by a text; each time, everything that is "+
			"cached of this database is invalidated. What PREPARE TRANSACTION has prepared is seen when COMMIT PREPARED runs "+
			"through GORM", "statement", st.shown())
	}
}

// shown is what the log may hold of the text: there may be passwords in it.
func (st *statement) shown() string { return sqltext.Redact(st.text, st.d.lexer) }

// bound reports whether each placeholder has its argument. Drivers take options among the arguments, which would shift
// them.
func (st *statement) bound() bool { return st.p.script.Params == len(st.args) }
