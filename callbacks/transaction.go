package callbacks

import (
	"context"
	"database/sql"
	"sync"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/internal/txpool"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// A transaction collects what statements change in one database transaction, and announces it when it commits. A
// rollback announces nothing; one to a savepoint leaves what was collected: one tag too many is only a miss.
type transaction struct {
	d   *database
	id  *identity
	ctx context.Context //nolint:containedctx // for its values: COMMIT has no context of its own

	mu      sync.Mutex
	effects effects
	// definition is set if the catalog is changed.
	definition bool
	// ended is set if a text has committed what was done before: what follows may be committed by itself.
	ended bool
	// calls is set if functions were called of which the catalog has to say whether they change anything.
	calls bool
	// pins are those of the first knowledge that a statement was planned with: what it said may not hold any more.
	pins *consistency.Pins
	// writes are announced: what the transaction touched, and everything, if it was planned with old knowledge.
	writes []*consistency.Write
}

// plannedBy notes the knowledge that a statement was planned with.
func (t *transaction) plannedBy(k *knowledge) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pins == nil && k != nil {
		t.pins = k.pins
	}
}

// called notes that a statement calls functions that may be others by now.
func (t *transaction) called(calls bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = t.calls || calls
}

// defines reports whether the transaction has changed the catalog, which nobody else sees yet.
func (t *transaction) defines() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.definition
}

// touch adds to what the transaction changes.
func (t *transaction) touch(add func(*effects), definition bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	add(&t.effects)
	t.definition = t.definition || definition
}

// over reports whether a text has ended the transaction, this one or one before; it notes whether this one does.
func (t *transaction) over(commits bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = t.ended || commits
	return t.ended
}

// failed takes notice that a statement of a transaction has failed. PostgreSQL then carries out nothing more of it. Other
// databases may have rolled it back as a whole (MySQL after a deadlock, SQLite when it is interrupted), and commit what
// follows statement by statement.
func (s *shim) failed(st *statement, err error) {
	if err == nil || st.d.lexer == sqltext.Postgres || !s.inTransaction() {
		return
	}
	id := st.d.identity.Load()
	if id == nil {
		return
	}
	observer, state := s.h.tracker.Observe(s.ConnPool, func() txpool.Observer {
		return &transaction{d: st.d, id: id, ctx: st.ctx}
	})
	if tx, ok := observer.(*transaction); ok && state == txpool.Observed {
		tx.over(true)
	}
}

// watched asks the pool that GORM chose. In a transaction that may fail without being over, its rows are watched.
func (s *shim) watched(st *statement) (*sql.Rows, error) {
	rows, err := s.ConnPool.QueryContext(st.ctx, st.text, st.args...)
	s.failed(st, err)
	if err != nil || st.d.lexer == sqltext.Postgres || !s.inTransaction() || s.use == handedOut {
		return rows, err
	}
	return s.h.player.Rows(rowcodec.Playback{Tail: rows, Closed: func() { s.failed(st, rows.Err()) }})
}

// BeforeCommit implements txpool.Observer.
func (t *transaction) BeforeCommit(tx txpool.Execer) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.announce(); err != nil {
		return err
	}
	err := t.d.leaveIn(t.ctx, tx, t.writes...)
	if err != nil {
		t.end(metrics.RolledBack) // as COMMIT is not sent
	}
	return err
}

// announce announces what the transaction has touched. The caller holds mu.
func (t *transaction) announce() error {
	if t.effects.empty() && !t.calls {
		return nil
	}
	current := t.d.current(t.ctx, t.pins, t.effects.everything)
	if err := t.intend(t.effects.causes(), t.effects.tags(t.id), t.effects.guards()...); err != nil {
		return err
	}
	if <-current {
		return nil
	}
	t.d.changed()
	err := t.intend(outdated(), t.d.unplanned(t.id, t.calls))
	if err != nil {
		t.end(metrics.RolledBack) // as COMMIT is not sent
	}
	return err
}

// end ends what was announced.
func (t *transaction) end(o metrics.WriteOutcome) {
	for _, w := range t.writes {
		w.End(t.ctx, o)
	}
	t.writes = nil
}

func (t *transaction) intend(causes map[string]metrics.Cause, tags []keying.Tag, guards ...consistency.Guard) error {
	if len(tags) == 0 {
		return nil
	}
	w, err := t.d.h.opt.Protocol.Intend(t.ctx, tags, guards...)
	if err == nil {
		w.Because(causes)
		t.writes = append(t.writes, w)
	}
	return err
}

// current tells, while the caller goes on, whether what a write was planned with still holds. One that announces everything
// need not know.
func (d *database) current(ctx context.Context, pins *consistency.Pins, everything bool) <-chan bool {
	answer := make(chan bool, 1)
	if everything {
		answer <- true
		return answer
	}
	go func() { answer <- d.h.opt.Protocol.Current(ctx, pins) }() // the caller waits for it
	return answer
}

// unplanned returns the tags that a write announces when the schema by which it was planned has been changed: those of all
// entries, and those of the schema if it may have changed that.
func (d *database) unplanned(id *identity, calls bool) []keying.Tag {
	if d.mayDefine(calls) {
		return id.everything
	}
	return id.all
}

// mayDefine reports whether a statement that is no definition, and was not planned by the schema as it is, may have changed
// the schema: by a function, a trigger or a rule of which it cannot be read what it does. To announce that without need
// would make the next write find its schema changed, and so on, as long as writes overlap.
func (d *database) mayDefine(calls bool) bool {
	k := d.known.Load()
	return calls || k == nil || k.opaque
}

// Committed implements txpool.Observer.
func (t *transaction) Committed(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.definition {
		t.d.changed()
	}
	t.end(outcome(err, t.d.dialect))
}

// RolledBack implements txpool.Observer. Nothing was announced, and nothing was learned of what has not come to be: see
// shim.defines.
func (t *transaction) RolledBack() {}
