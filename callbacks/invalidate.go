package callbacks

import (
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/txpool"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// A Target is something that the application says has changed.
type Target struct {
	// Everything: all that is cached of the database.
	Everything bool
	// Table is the name of a table. Model is a pointer to one of its rows, if the name is not given.
	Table string
	Model any
	// Key holds the primary key of a row, in the order of the database's own; empty: any row.
	Key []any
}

// ErrUnknown is returned for what cannot be invalidated because the database was not asked what it is.
var ErrUnknown = errors.New("nothing is known of the database")

// Invalidate makes what depends on the targets unservable, as a write that touches them would: in a transaction when
// it commits, else before it returns.
func (h *Hooks) Invalidate(db *gorm.DB, targets []Target) error {
	db = db.Session(&gorm.Session{Initialized: true})
	s := h.shim(db, written)
	ctx := db.Statement.Context
	d := h.database(db, s.ConnPool)
	k := d.knowledge(ctx, s.held())
	if k == nil {
		return ErrUnknown
	}
	var e effects
	for _, t := range targets {
		if err := k.target(&e, db, t); err != nil {
			return err
		}
	}
	if s.inTransaction() {
		return h.invalidateAtCommit(s, d, k, &e)
	}
	w, err := h.opt.Protocol.Intend(ctx, e.tags(k.identity))
	if err != nil {
		return err
	}
	w.End(ctx, metrics.Committed)
	return nil
}

func (h *Hooks) invalidateAtCommit(s *shim, d *database, k *knowledge, e *effects) error {
	observer, state := h.tracker.Observe(s.ConnPool, func() txpool.Observer {
		return &transaction{d: d, id: k.identity, ctx: s.db.Statement.Context}
	})
	if state != txpool.Observed {
		return fmt.Errorf("%w: the end of the transaction cannot be observed", gorm.ErrInvalidTransaction)
	}
	tx := observer.(*transaction) //nolint:forcetypeassert // made above
	tx.touch(func(all *effects) { all.merge(e) }, false)
	return nil
}

// target adds what a target stands for.
func (k *knowledge) target(e *effects, db *gorm.DB, t Target) error {
	if t.Everything {
		e.everything = true
		return nil
	}
	name := t.Table
	if t.Model != nil {
		stmt := &gorm.Statement{DB: db}
		if err := stmt.Parse(t.Model); err != nil {
			return fmt.Errorf("%T: %w", t.Model, err)
		}
		name = stmt.Schema.Table
	}
	name = bare(name)
	table, _ := k.graph.Table(name)
	if key, ok := keying.NewPrimaryKey(kindsOf(table.Key), t.Key...); ok {
		e.of(k.table(name)).addRow(key, false)
		return nil
	}
	var w writePlan
	k.touched(&w, name)
	e.add(k, &w, nil, false, false)
	return nil
}

// merge adds other effects.
func (e *effects) merge(other *effects) {
	e.everything = e.everything || other.everything
	for t, from := range other.tables {
		into := e.of(t)
		into.bulk, into.absent = into.bulk || from.bulk, into.absent || from.absent
		for key, there := range from.rows {
			into.addRow(key, !there)
		}
	}
}
