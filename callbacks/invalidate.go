package callbacks

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

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
	// Where holds the values of a scope's columns.
	Where map[string]any
}

// ErrColumn is returned for a scope of a column that its model does not have.
var ErrColumn = errors.New("no such column")

// ErrUnknown is returned for what cannot be invalidated because the database was not asked what it is.
var ErrUnknown = errors.New("nothing is known of the database")

// Invalidate makes what depends on the targets unservable, as a write that touches them would: in a transaction when
// it commits, else before it returns.
func (h *Hooks) Invalidate(db *gorm.DB, targets []Target) error {
	db = db.Session(&gorm.Session{Initialized: true})
	s := h.shim(db, written)
	ctx := db.Statement.Context
	d := h.database(db, s.ConnPool)
	var e effects
	k := s.knowledge(ctx, d)
	if k == nil { // what a target reaches is not known as it is now
		if k = d.known.Load(); k == nil {
			return ErrUnknown
		}
		e.everything = true
		e.because(metrics.CauseInvalidate)
	}
	for _, t := range targets {
		if err := k.target(&e, s, t); err != nil {
			return err
		}
	}
	if s.inTransaction() {
		return h.invalidateAtCommit(s, d, k, &e)
	}
	w, err := h.opt.Protocol.Intend(ctx, e.tags(k.identity), e.guards()...)
	if err != nil {
		return err
	}
	w.Because(e.causes())
	s.leaveAfter(&statement{ctx: ctx, d: d}, w)
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
	tx.plannedBy(k)
	tx.touch(func(all *effects) { all.merge(e) }, false)
	return nil
}

// target adds what a target stands for.
func (k *knowledge) target(e *effects, s *shim, t Target) error {
	if t.Everything {
		e.anything(metrics.CauseInvalidate)
		return nil
	}
	name := t.Table
	if t.Model != nil {
		stmt := &gorm.Statement{DB: s.db}
		if err := stmt.Parse(t.Model); err != nil {
			return fmt.Errorf("%T: %w", t.Model, err)
		}
		name = stmt.Schema.Table
		if len(t.Where) > 0 {
			return k.scopeTarget(e, stmt.Schema, t.Where, s.namer(s.db.Statement.Context))
		}
	}
	name = bare(name)
	table, _ := k.graph.Table(name)
	if key, ok := keying.NewPrimaryKey(kindsOf(table.Key, k.graph.Dialect()), t.Key...); ok {
		x := e.changed(k.table(name), metrics.CauseInvalidate)
		x.addRow(key, false)
		x.unscoped = true // which scopes it was in, nobody knows
		return nil
	}
	var w writePlan
	k.touched(&w, name)
	e.add(k, &w, metrics.CauseInvalidate, nil, false, false, false, nil)
	return nil
}

// scopeTarget adds the answers that depend on the rows with some values. Those whose values have no names depend on the
// whole table; those that are looked up by more columns may be any.
func (k *knowledge) scopeTarget(e *effects, model *schema.Schema, where map[string]any, names namer) error {
	table := bare(model.Table)
	values := make(map[string]any, len(where))
	for column, value := range where {
		field := model.LookUpField(column)
		if field == nil || field.DBName == "" {
			return fmt.Errorf("%w: %s has none of the name %q", ErrColumn, model.Name, column)
		}
		values[field.DBName] = value
	}
	x := e.changed(k.table(table), metrics.CauseInvalidate) // its list
	name, ok := keying.ScopeName(slices.Collect(maps.Keys(values)))
	if !ok {
		return nil
	}
	known := names(k.table(table))
	x.knows(known)
	for _, other := range known {
		x.unscoped = x.unscoped || other != name && among(keying.ScopeColumns(name), keying.ScopeColumns(other))
	}
	s := k.scopeNamed(table, name)
	if s == nil {
		return nil
	}
	ordered := make([]any, len(s.columns))
	for i, c := range s.columns {
		ordered[i] = values[c.Name]
	}
	if value, ok := keying.NewPrimaryKey(s.kinds, ordered...); ok {
		x.addScope(k.table(table).Scope(name, value))
	}
	return nil
}

// among reports whether all columns are among others.
func among(columns, others []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(others, c) })
}

// merge adds other effects.
func (e *effects) merge(other *effects) {
	e.everything, e.schema = e.everything || other.everything, e.schema || other.schema
	e.because(other.cause)
	for name := range other.elsewhere {
		if e.elsewhere == nil {
			e.elsewhere = map[string]bool{}
		}
		e.elsewhere[name] = true
	}
	for t, from := range other.tables {
		into := e.changed(t, from.cause)
		into.bulk, into.absent = into.bulk || from.bulk, into.absent || from.absent
		into.unscoped = into.unscoped || from.unscoped
		for tag := range from.scopes {
			into.addScope(tag)
		}
		if from.names != nil {
			into.knows(from.names)
		}
		for key, there := range from.rows {
			into.addRow(key, !there)
		}
	}
}
