package callbacks

import (
	"slices"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/relations"
)

// A writePlan says what a text changes.
type writePlan struct {
	// everything: it may be anything.
	everything bool
	// whole is the cause of that.
	whole metrics.Cause
	// commits is set if what was done before is made permanent.
	commits bool
	tables  []tableWrite
	// changed and grown are the tables that the database changes by itself.
	changed, grown []string
	// elsewhere are other databases of the server in which it may be anything.
	elsewhere []string
	// because says how what the database changes by itself is reached; of "", why it may be anything.
	because map[string]string
}

// A tableWrite is the change of a table that the text names.
type tableWrite struct {
	table *keying.Table
	// bulk is set if the rows are not known.
	bulk bool
	// inserts is set if rows are only added. Those of unknown keys may be learned from the model afterwards.
	inserts bool
	// upserts is set if rows may also be changed that have the keys which the database is about to make. They are known when
	// those are.
	upserts bool
	// learned is set if the keys that GORM puts into the model are those of the rows.
	learned bool
	name    string
	kinds   []keying.KeyKind
	// change is what the text says; nil if it is not all that happens. key holds the columns of the primary key.
	change *sqltext.Write
	key    []catalog.Column
	// askable is set if the database can be asked which rows it touches, and these are likely to be few.
	askable bool
	// scoped is set if the database tells which values it has stored, so that rows may be told apart by scopes.
	scoped bool
	// keys are the rows: an operand for each column of the key.
	keys [][]sqltext.Operand
}

// writes plans what a text changes; nil if that is nothing.
func (k *snapshot) writes(p *plan) *writePlan {
	w := &writePlan{}
	for i := range p.script.Parts {
		s := &p.script.Parts[i]
		if s.Commits(k.graph.Dialect()) {
			w.commits = true
			w.anything(metrics.CauseUnknown, "it makes permanent what was done before")
		}
		if s.Class == sqltext.Unknown || s.Class == sqltext.Definition {
			k.elsewhere(w, s)
		}
		k.statement(p, w, s)
		for _, call := range s.Calls {
			w.reach(k.graph.Call(call))
		}
	}
	if !w.everything && len(w.tables) == 0 && len(w.changed) == 0 && len(w.grown) == 0 && len(w.elsewhere) == 0 {
		return nil
	}
	return w
}

// statement plans what one statement of a text changes, but for the functions that it calls.
func (k *snapshot) statement(p *plan, w *writePlan, s *sqltext.Statement) {
	switch s.Class {
	case sqltext.Unknown:
		w.anything(metrics.CauseUnknown, "it is not understood")
	case sqltext.Commit:
		p.ends = true
	case sqltext.Definition:
		p.definition = true
		// Other databases do not tell of it, and it may hide a table from whoever gets its connection next.
		p.session = p.session || s.Temporary && k.graph.Dialect() != sqltext.Postgres
		if !s.Temporary {
			w.anything(metrics.CauseSchema, "it changes the schema")
		}
	case sqltext.Session:
		p.session, p.settings = true, append(p.settings, s.Settings...)
	case sqltext.Change:
		for j := range s.Changes {
			known := k.change(w, &s.Changes[j], s.Cascade)
			p.unknown = p.unknown || !known
		}
	case sqltext.Control:
		p.begins = p.begins || s.Begins()
	case sqltext.Utility:
		p.settings = append(p.settings, s.Settings...)
	case sqltext.Query:
	}
}

// elsewhere plans that a statement may do anything in each database of the server that it names.
func (k *snapshot) elsewhere(w *writePlan, s *sqltext.Statement) {
	for _, name := range s.Qualifiers {
		if schema, ok := k.graph.Elsewhere(sqltext.Relation{Schema: name}); ok {
			w.elsewhere = append(w.elsewhere, schema)
		}
	}
}

func (w *writePlan) reach(r relations.Reach) {
	if w.everything = w.everything || r.Everything; r.Everything {
		w.whole = both(w.whole, metrics.CauseDatabase)
	}
	w.changed = append(w.changed, r.Changed...)
	w.grown = append(w.grown, r.Grown...)
	w.elsewhere = append(w.elsewhere, r.Elsewhere...)
	for name, why := range r.Because {
		w.explain(name, why)
	}
}

// explain notes how a table is reached; of "", why it may be anything.
func (w *writePlan) explain(name, why string) {
	if w.because == nil {
		w.because = map[string]string{}
	}
	if w.because[name] == "" {
		w.because[name] = why
	}
}

// anything plans that it may be anything.
func (w *writePlan) anything(cause metrics.Cause, why string) {
	w.everything, w.whole = true, both(w.whole, cause)
	w.explain("", why)
}

// change plans one change of a table. It answers false if the catalog did not show the table.
func (k *snapshot) change(w *writePlan, c *sqltext.Write, cascade bool) (known bool) {
	if schema, ok := k.graph.Elsewhere(c.Table); ok {
		w.elsewhere = append(w.elsewhere, schema)
	}
	dialect := k.graph.Dialect()
	t, known := k.graph.Table(c.Table.Name)
	if !known && dialect == sqltext.Standard {
		w.anything(metrics.CauseUnknown, "table "+c.Table.Name+" is not known") // perhaps the alias of another one
	}
	tw := tableWrite{name: c.Table.Name, table: k.table(c.Table.Name), kinds: kindsOf(t.Key, dialect), change: c, key: t.Key}
	tw.scoped = scopable(dialect)
	// MySQL tells the first of several keys that it made: the others need not follow it one by one.
	tw.learned = !t.Rekeyed && dialect != sqltext.MySQL
	reach := relations.Change{Op: c.Op, Assigned: c.Assigned, AnyColumn: c.AnyColumn, Cascade: cascade}
	switch c.Op {
	case sqltext.Insert:
		tw.inserts = !c.Replaces
		tw.keys = insertedKeys(c, t)
		if c.Replaces {
			tw.replaces(c, t)
			reach.Op = sqltext.Merge
		}
		if c.Replaces && c.Upserts {
			w.reach(k.graph.Reach(c.Table.Name, relations.Change{Op: sqltext.Insert}))
			reach.Op = sqltext.Update
		}
	case sqltext.Update, sqltext.Delete:
		tw.limits(c, t, dialect)
	case sqltext.Merge, sqltext.Truncate:
		tw.bulk = true
	}
	rekeyed := t.Rekeyed && c.Op != sqltext.Delete
	if tw.kinds == nil || rekeyed || len(tw.keys) > maxAnnounced {
		tw.keys, tw.bulk = nil, !tw.inserts
	}
	tw.askable = known && !rekeyed && k.askable(c, t)
	w.tables = append(w.tables, tw)
	w.reach(k.graph.Reach(c.Table.Name, reach))
	return known
}

// replaces plans that an INSERT may change rows that are there: those with the keys that it inserts, at best.
func (tw *tableWrite) replaces(c *sqltext.Write, t relations.Table) {
	byKey := isKey(c.Target, t) && !assignsKey(c, t)
	tw.upserts = c.Upserts && byKey && tw.keys == nil
	tw.bulk = !byKey || tw.keys == nil && !tw.upserts
}

// limits plans which rows of a table an UPDATE or DELETE changes.
func (tw *tableWrite) limits(c *sqltext.Write, t relations.Table, d sqltext.Dialect) {
	tw.keys, _ = keyConditions(c.Conditions, t.Key)
	tw.bulk = tw.keys == nil || c.Op == sqltext.Update && (assignsKey(c, t) || d == sqltext.SQLite && assignsRowID(c))
}

// touched plans that any row of a table may have changed.
func (k *snapshot) touched(w *writePlan, name string) {
	w.tables = append(w.tables, tableWrite{name: name, table: k.table(name), bulk: true})
	w.reach(k.graph.Reach(name, relations.Change{Op: sqltext.Merge, AnyColumn: true}))
}

// insertedKeys returns the keys of the rows that an INSERT adds; nil if they are not all in the text.
func insertedKeys(c *sqltext.Write, t relations.Table) [][]sqltext.Operand {
	if len(c.Rows) == 0 || len(t.Key) == 0 {
		return nil
	}
	keys := make([][]sqltext.Operand, len(c.Rows))
	for i, row := range c.Rows {
		keys[i] = make([]sqltext.Operand, len(t.Key))
		for n, column := range t.Key {
			at := slices.Index(c.Columns, column.Name)
			if at < 0 || row[at] == nil {
				return nil
			}
			keys[i][n] = *row[at]
		}
	}
	return keys
}

// isKey reports whether columns are the primary key.
func isKey(columns []string, t relations.Table) bool {
	at := positions(columns, t.Key)
	return len(at) > 0 && len(at) == len(t.Key)
}

// assignsKey reports whether a change may give rows another key.
func assignsKey(c *sqltext.Write, t relations.Table) bool {
	return c.AnyColumn || slices.ContainsFunc(c.Assigned, func(a string) bool { return positions([]string{a}, t.Key) != nil })
}

// assignsRowID reports whether a change assigns the key by another name (SQLite, "ROWIDs and the INTEGER PRIMARY KEY").
func assignsRowID(c *sqltext.Write) bool {
	return slices.ContainsFunc(c.Assigned, func(a string) bool { return a == "rowid" || a == "oid" || a == "_rowid_" })
}
