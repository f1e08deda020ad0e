package callbacks

import (
	"context"
	"database/sql"
	"reflect"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
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
	// written: they are what the statement wrote.
	written
	// creating: the same, and GORM puts the keys that the database made into the model.
	creating
)

// A shim stands in the place of the connection pool while one of GORM's handlers runs a statement.
type shim struct {
	gorm.ConnPool // the pool that GORM, or dbresolver, chose
	h             *Hooks
	db            *gorm.DB
	use           use
	// created are inserts into tables whose new keys were not in the text.
	created []tableWrite
	// inserted is set if the statement was carried out in this transaction.
	inserted *transaction
}

var _ gorm.ConnPool = (*shim)(nil)

func (h *Hooks) shim(db *gorm.DB, use use) *shim {
	inner := db.Statement.ConnPool
	if outer, ok := inner.(*shim); ok {
		inner = outer.ConnPool
	}
	return &shim{ConnPool: inner, h: h, db: db, use: use}
}

// leave gives the statement its pool back.
func (s *shim) leave() {
	s.learnKeys()
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

// planned returns what is known of the database, and the plan of a text; nil if nothing is known.
func (s *shim) planned(ctx context.Context, d *database, text string) (*knowledge, *plan) {
	held := s.held()
	if k := d.known.Load(); k != nil && held != nil {
		// In a transaction nothing is served. A query that is one whatever the catalog says need not ask for it.
		if p := k.plan(d, text, s.db.Statement.Schema); p.plainQuery() {
			return k, p
		}
	}
	k := d.knowledge(ctx, held)
	if k == nil {
		return nil, nil
	}
	p := k.plan(d, text, s.db.Statement.Schema)
	if p.unknown && time.Since(k.read) >= retryAge {
		return s.plannedAnew(ctx, d, text, k, p)
	}
	return k, p
}

// plannedAnew asks again for the catalog, which did not show a table that the text names. A write waits for it: the
// database may take the change further. A query is not cached meanwhile.
func (s *shim) plannedAnew(ctx context.Context, d *database, text string, k *knowledge, p *plan) (*knowledge, *plan) {
	if p.write == nil {
		d.renew(ctx)
		return k, p
	}
	anew, err := d.learnAfter(ctx, s.held(), k, learnTimeout)
	if err != nil {
		return k, p
	}
	return anew, anew.plan(d, text, s.db.Statement.Schema)
}

// QueryContext implements [gorm.ConnPool].
func (s *shim) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st := s.statement(ctx, text, args)
	if st.writes() {
		return s.queryWrite(st)
	}
	return s.read(st)
}

// QueryRowContext implements [gorm.ConnPool].
func (s *shim) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	st := s.statement(ctx, text, args)
	if !st.writes() {
		s.record(st, metrics.ReadEvent{Outcome: metrics.Bypass, Reason: metrics.ReasonCursor})
		return s.ConnPool.QueryRowContext(ctx, text, args...)
	}
	rows, err := s.queryWrite(st)
	if err != nil {
		return s.h.player.Row(rowcodec.Playback{Err: err})
	}
	return s.h.player.Row(rowcodec.Playback{Tail: rows})
}

// ExecContext implements [gorm.ConnPool].
func (s *shim) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	st := s.statement(ctx, text, args)
	if !st.writes() {
		st.note()
		return s.ConnPool.ExecContext(ctx, text, args...)
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
	k       *knowledge // nil if nothing is known of the database
	p       *plan      // nil with k
}

// statement finds out what is about to run.
func (s *shim) statement(ctx context.Context, text string, args []any) *statement {
	st := &statement{ctx: ctx, text: text, args: args, control: controlOf(s.db.Statement)}
	st.d = s.h.database(s.db, s.ConnPool)
	st.k, st.p = s.planned(ctx, st.d, text)
	return st
}

// writes reports whether the statement may change anything that is cached.
func (st *statement) writes() bool {
	return st.p == nil || st.p.write != nil || len(st.control.Touches) > 0
}

// note takes notice of what a statement changes besides rows.
func (st *statement) note() {
	if st.p == nil {
		return
	}
	if st.p.definition {
		st.d.changed()
	}
	if st.p.session && !st.d.altered.Swap(true) {
		st.d.h.opt.Logger.WarnContext(st.ctx, "rediscache: a setting of the session was changed on a pooled connection; "+
			"nothing of this database is read from the cache any more", "statement", st.text)
	}
}

// bound reports whether each placeholder has its argument. Drivers take options among the arguments, which would shift
// them.
func (st *statement) bound() bool { return st.p.script.Params == len(st.args) }
