package callbacks

import (
	"slices"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/relations"
)

// maxAnnounced is the greatest number of rows of a table that a write announces one by one.
const maxAnnounced = 128

// A writePlan says what a text changes.
type writePlan struct {
	// everything: it may be anything.
	everything bool
	// commits is set if what was done before is made permanent.
	commits bool
	tables  []tableWrite
	// changed and grown are the tables that the database changes by itself.
	changed, grown []string
}

// A tableWrite is the change of a table that the text names.
type tableWrite struct {
	table *keying.Table
	// bulk is set if the rows are not known.
	bulk bool
	// inserts is set if rows are only added. Those of unknown keys may be learned from the model afterwards.
	inserts bool
	name    string
	kinds   []keying.KeyKind
	// keys are the rows: an operand for each column of the key.
	keys [][]sqltext.Operand
}

// writes plans what a text changes; nil if that is nothing.
func (k *knowledge) writes(p *plan) *writePlan {
	w := &writePlan{}
	for i := range p.script.Parts {
		s := &p.script.Parts[i]
		switch s.Class {
		case sqltext.Unknown:
			w.everything = true
		case sqltext.Commit:
			w.everything, w.commits = true, true
		case sqltext.Definition:
			p.definition = true
			w.everything = w.everything || !s.Temporary
		case sqltext.Session:
			p.session = true
		case sqltext.Change:
			for j := range s.Changes {
				known := k.change(w, &s.Changes[j], s.Cascade)
				p.unknown = p.unknown || !known
			}
		case sqltext.Query, sqltext.Control, sqltext.Utility:
		}
		for _, call := range s.Calls {
			w.reach(k.graph.Call(call))
		}
	}
	if !w.everything && len(w.tables) == 0 && len(w.changed) == 0 && len(w.grown) == 0 {
		return nil
	}
	return w
}

func (w *writePlan) reach(r relations.Reach) {
	w.everything = w.everything || r.Everything
	w.changed = append(w.changed, r.Changed...)
	w.grown = append(w.grown, r.Grown...)
}

// change plans one change of a table. It answers false if the catalog did not show the table.
func (k *knowledge) change(w *writePlan, c *sqltext.Write, cascade bool) (known bool) {
	t, known := k.graph.Table(c.Table.Name)
	tw := tableWrite{name: c.Table.Name, table: k.table(c.Table.Name), kinds: kindsOf(t.Key)}
	reach := relations.Change{Op: c.Op, Assigned: c.Assigned, AnyColumn: c.AnyColumn, Cascade: cascade}
	switch c.Op {
	case sqltext.Insert:
		tw.inserts = !c.Replaces
		tw.keys = insertedKeys(c, t)
		if c.Replaces {
			reach.Op = sqltext.Merge
			tw.bulk = tw.keys == nil || !isKey(c.Target, t) || assignsKey(c, t)
		}
	case sqltext.Update:
		tw.keys, _ = keyConditions(c.Conditions, t.Key)
		tw.bulk = tw.keys == nil || assignsKey(c, t)
	case sqltext.Delete:
		tw.keys, _ = keyConditions(c.Conditions, t.Key)
		tw.bulk = tw.keys == nil
	case sqltext.Merge, sqltext.Truncate:
		tw.bulk = true
	}
	if tw.kinds == nil || len(tw.keys) > maxAnnounced {
		tw.keys, tw.bulk = nil, !tw.inserts
	}
	w.tables = append(w.tables, tw)
	w.reach(k.graph.Reach(c.Table.Name, reach))
	return known
}

// touched plans that any row of a table may have changed.
func (k *knowledge) touched(w *writePlan, name string) {
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

// effects is what one or more statements have changed.
type effects struct {
	everything bool
	tables     map[*keying.Table]*effect
}

// An effect is what has changed in a table. Its list always has.
type effect struct {
	bulk   bool // any row
	absent bool // rows of unknown keys were added
	// rows are those that are known: true, if the row may have been there before.
	rows map[keying.PrimaryKey]bool
}

func (e *effects) empty() bool { return !e.everything && len(e.tables) == 0 }

func (e *effects) of(t *keying.Table) *effect {
	if e.tables == nil {
		e.tables = make(map[*keying.Table]*effect, 1)
	}
	x := e.tables[t]
	if x == nil {
		x = &effect{}
		e.tables[t] = x
	}
	return x
}

// add adds what a plan changes with these arguments. It returns the inserts whose keys are not known yet: later says
// that they may be learned afterwards.
func (e *effects) add(k *knowledge, w *writePlan, args []any, bound, later bool) (unknown []tableWrite) {
	e.everything = e.everything || w.everything
	for _, tw := range w.tables {
		x := e.of(tw.table)
		x.bulk = x.bulk || tw.bulk
		if tw.bulk {
			continue
		}
		if bound && x.addKeys(tw, args) {
			continue
		}
		switch {
		case !tw.inserts:
			x.bulk = true
		case later:
			unknown = append(unknown, tw)
		default:
			x.absent = true
		}
	}
	for _, name := range w.changed {
		e.of(k.table(name)).bulk = true
	}
	for _, name := range w.grown {
		e.of(k.table(name)).absent = true
	}
	return unknown
}

// addKeys adds rows whose keys are in the text. It answers false if one of them cannot be named.
func (x *effect) addKeys(tw tableWrite, args []any) bool {
	if tw.keys == nil {
		return false
	}
	for _, tuple := range tw.keys {
		key, ok := primaryKey(tw.kinds, tuple, args)
		if !ok {
			return false
		}
		x.addRow(key, tw.inserts)
	}
	return true
}

func (x *effect) addRow(key keying.PrimaryKey, inserted bool) {
	if x.rows == nil {
		x.rows = make(map[keying.PrimaryKey]bool, 1)
	}
	x.rows[key] = x.rows[key] || !inserted
}

// tags returns what has to be announced.
func (e *effects) tags(id *identity) []keying.Tag {
	if e.everything {
		return id.all
	}
	var tags []keying.Tag
	for t, x := range e.tables {
		tags = append(tags, t.List())
		tags = append(tags, x.tags(t)...)
	}
	return tags
}

// tags returns what has to be announced of one table, but for its list: the rows one by one, if they are not too many.
func (x *effect) tags(t *keying.Table) []keying.Tag {
	changed := 0
	for _, there := range x.rows {
		if there {
			changed++
		}
	}
	if x.bulk || changed > maxAnnounced {
		return t.Bulk()
	}
	var tags []keying.Tag
	many := len(x.rows) > maxAnnounced // hence new ones: they concern only who found them absent
	if x.absent || many {
		tags = append(tags, t.Absent())
	}
	for key, there := range x.rows {
		if there || !many {
			tags = append(tags, t.Row(key))
		}
	}
	return tags
}
