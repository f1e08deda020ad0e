package callbacks

import (
	"cmp"
	"maps"
	"slices"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// maxAnnounced is the greatest number of rows of a table that a write announces one by one.
const maxAnnounced = 128

// effects is what one or more statements have changed.
type effects struct {
	// everything: rows of any table. schema: the schema, too, so everything.
	everything, schema bool
	// cause says why everything has, or what is elsewhere.
	cause  metrics.Cause
	tables map[*keying.Table]*effect
	// elsewhere are other databases of the server.
	elsewhere map[string]bool
}

// An effect is what has changed in a table. Its list always has.
type effect struct {
	cause metrics.Cause

	bulk   bool // any row
	absent bool // rows of unknown keys were added
	// rows are those that are known: true, if the row may have been there before.
	rows map[keying.PrimaryKey]bool
	// scopes are those that rows are in, or were. unscoped is set if some of them are not known: then it is any scope of
	// the table.
	scopes   map[keying.Tag]bool
	unscoped bool
	// names are the scopes for which that is known; nil before anything is.
	names []string
}

func (e *effects) empty() bool { return !e.everything && len(e.tables) == 0 && len(e.elsewhere) == 0 }

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

// add adds what a plan changes with these arguments, and why. It returns the inserts whose keys are not known yet: later
// says that they may be learned afterwards. asked: the database says which rows of the table the statement touches.
func (e *effects) add(
	k *knowledge, w *writePlan, cause metrics.Cause, args []any, bound, later, asked bool, names namer,
) (unknown []tableWrite) {
	e.addWhole(w, cause)
	for _, tw := range w.tables {
		x := e.changed(tw.table, cause)
		if asked {
			continue // what the database answers is added later
		}
		x.bulk = x.bulk || tw.bulk
		if tw.bulk {
			continue
		}
		if tw.scoped {
			x.addScopes(k, tw, args, bound, names(tw.table))
		}
		if bound && x.addKeys(tw, args) {
			continue
		}
		switch {
		case (tw.inserts || tw.upserts) && later && tw.learned:
			unknown = append(unknown, tw)
		case !tw.inserts:
			x.bulk = true
		default:
			x.absent = true
		}
	}
	for _, name := range w.changed {
		e.changed(k.table(name), metrics.CauseDatabase).bulk = true
	}
	for _, name := range w.grown {
		x := e.changed(k.table(name), metrics.CauseDatabase)
		x.absent, x.unscoped = true, true
	}
	return unknown
}

// addWhole adds what concerns all tables, here or in other databases.
func (e *effects) addWhole(w *writePlan, cause metrics.Cause) {
	if w.everything {
		e.anything(cmp.Or(w.whole, cause))
	} else if len(w.elsewhere) > 0 {
		e.because(cmp.Or(w.whole, cause))
	}
	for _, name := range w.elsewhere {
		if e.elsewhere == nil {
			e.elsewhere = map[string]bool{}
		}
		e.elsewhere[name] = true
	}
}

// anything notes that it may be anything that has changed, the schema, too.
func (e *effects) anything(cause metrics.Cause) {
	e.everything, e.schema = true, true
	e.because(cause)
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

// addRow adds a row. Where there are many already, those who stand for them all are announced: one transaction may add
// millions.
func (x *effect) addRow(key keying.PrimaryKey, inserted bool) {
	if len(x.rows) > maxAnnounced {
		if _, known := x.rows[key]; !known && (inserted || x.isBulk()) {
			return
		}
	}
	if x.rows == nil {
		x.rows = make(map[keying.PrimaryKey]bool, 1)
	}
	x.rows[key] = x.rows[key] || !inserted
}

// tags returns what has to be announced.
func (e *effects) tags(id *identity) []keying.Tag {
	var tags []keying.Tag
	for name := range e.elsewhere {
		tags = append(tags, id.elsewhere(name)...)
	}
	switch {
	case e.schema:
		return append(tags, id.everything...)
	case e.everything:
		return append(tags, id.all...)
	}
	for t, x := range e.tables {
		tags = append(tags, t.List())
		tags = append(tags, x.tags(t)...)
	}
	return tags
}

// guards returns the tables for which the tags are those of the scopes that were known.
func (e *effects) guards() (guards []consistency.Guard) {
	if e.everything {
		return nil
	}
	for t, x := range e.tables {
		if !x.isBulk() && !x.anyScope() && x.names != nil {
			guards = append(guards, consistency.Guard{Registry: t.Registry(), Names: x.names})
		}
	}
	return guards
}

// isBulk reports whether it is any row.
func (x *effect) isBulk() bool {
	changed := 0
	for _, there := range x.rows {
		if there {
			changed++
		}
	}
	return x.bulk || changed > maxAnnounced
}

// anyScope reports whether it is any scope, but not any row.
func (x *effect) anyScope() bool { return x.unscoped || len(x.scopes) > maxAnnounced }

// tags returns what has to be announced of one table, but for its list: the rows one by one, if they are not too many.
func (x *effect) tags(t *keying.Table) []keying.Tag {
	if x.isBulk() {
		return t.Bulk()
	}
	tags := slices.Collect(maps.Keys(x.scopes))
	if x.anyScope() {
		tags = []keying.Tag{t.Registry()}
	}
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
