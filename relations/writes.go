package relations

import (
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// A Change is something that happens to rows of a table.
type Change struct {
	Op sqltext.Op
	// Assigned holds the columns that an Update assigns; AnyColumn is set if they are not known.
	Assigned  []string
	AnyColumn bool
	// Cascade: a Truncate takes the tables with it that refer to this one.
	Cascade bool
}

// A Reach is what a write changes besides the rows that its own statement names.
type Reach struct {
	// Everything: it may be anything.
	Everything bool
	// Changed holds tables of which any row may have changed or gone.
	Changed []string
	// Grown holds tables to which rows may have been added, and nothing else.
	Grown []string
}

// Reach follows a change of a table through foreign keys, triggers, rules, views and inheritance.
func (g *Graph) Reach(name string, c Change) Reach {
	w := walk{g: g, changed: map[string]bool{}, grown: map[string]bool{}, done: map[string]bool{}}
	w.table(strings.ToLower(name), c, true)
	return w.reach()
}

// Call returns what the call of a function may change: nothing, for most.
func (g *Graph) Call(call string) Reach {
	w := walk{g: g, changed: map[string]bool{}, grown: map[string]bool{}, done: map[string]bool{}}
	w.call(call)
	return w.reach()
}

// walk follows changes until nothing new is reached.
type walk struct {
	g              *Graph
	changed, grown map[string]bool
	everything     bool
	done           map[string]bool
}

func (w *walk) reach() Reach {
	r := Reach{Everything: w.everything}
	for name := range w.changed {
		r.Changed = append(r.Changed, name)
	}
	for name := range w.grown {
		if !w.changed[name] {
			r.Grown = append(r.Grown, name)
		}
	}
	slices.Sort(r.Changed)
	slices.Sort(r.Grown)
	return r
}

// table is a change of a table; first, if it is the one that the statement itself makes.
func (w *walk) table(name string, c Change, first bool) {
	if !first {
		w.mark(name, c.Op)
	}
	step := name + "\x00" + string('0'+rune(c.Op)) + strings.Join(c.Assigned, "\x00")
	if w.done[step] {
		return
	}
	w.done[step] = true
	t := w.g.tables[name]
	if t == nil {
		// Made since the catalog was read, or never: nothing is known to refer to it.
		return
	}
	if t.rules {
		w.everything = true
		return
	}
	w.references(name, c)
	w.fire(name, c.Op)
	w.inherit(name, c, w.g.parents)
	w.inherit(name, c, w.g.heirs)
	if t.view != nil { // through the view, its tables are written
		for _, base := range t.bases {
			if w.g.tables[base] != nil && base != name {
				w.table(base, Change{Op: sqltext.Merge, AnyColumn: true}, false)
			}
		}
	}
}

// inherit takes a change to the tables above one, whose rows are also theirs, or to those below it.
func (w *walk) inherit(name string, c Change, along map[string][]string) {
	for _, other := range along[name] {
		step := "inherit\x00" + other + "\x00" + string('0'+rune(c.Op))
		if w.done[step] {
			continue
		}
		w.done[step] = true
		w.mark(other, c.Op)
		w.references(other, c)
		w.fire(other, c.Op)
		w.inherit(other, c, along)
	}
}

func (w *walk) mark(name string, op sqltext.Op) {
	if op == sqltext.Insert {
		w.grown[name] = true
	} else {
		w.changed[name] = true
	}
}

// references follows foreign keys to the tables that refer to this one.
func (w *walk) references(name string, c Change) {
	for _, k := range w.g.children[name] {
		child := strings.ToLower(k.Child)
		if c.Op == sqltext.Truncate {
			if c.Cascade {
				w.table(child, c, false)
			}
			continue
		}
		if c.Op == sqltext.Delete || c.Op == sqltext.Merge {
			w.act(child, k, k.OnDelete, sqltext.Delete)
		}
		if c.Op == sqltext.Merge || c.Op == sqltext.Update && c.touches(k.References) {
			w.act(child, k, k.OnUpdate, sqltext.Update)
		}
	}
}

// act takes a foreign key's action on the child.
func (w *walk) act(child string, k catalog.ForeignKey, action string, parent sqltext.Op) {
	switch strings.ToLower(action) {
	case "c", "cascade":
		if parent == sqltext.Delete {
			w.table(child, Change{Op: sqltext.Delete}, false)
			return
		}
		w.table(child, Change{Op: sqltext.Update, Assigned: k.Columns}, false)
	case "n", "d", "set null", "set default":
		w.table(child, Change{Op: sqltext.Update, Assigned: k.Columns}, false)
	default: // the database refuses the change, or waits for another one
	}
}

// touches reports whether an update may assign one of the columns.
func (c Change) touches(columns []string) bool {
	if c.AnyColumn || len(columns) == 0 {
		return true
	}
	return slices.ContainsFunc(columns, func(column string) bool {
		return slices.ContainsFunc(c.Assigned, func(a string) bool { return strings.EqualFold(a, column) })
	})
}

// Bits of pg_trigger.tgtype.
const (
	onInsert   = 1 << 2
	onDelete   = 1 << 3
	onUpdate   = 1 << 4
	onTruncate = 1 << 5
)

// fire runs the triggers of a table.
func (w *walk) fire(name string, op sqltext.Op) {
	mask := map[sqltext.Op]int{
		sqltext.Insert: onInsert, sqltext.Update: onUpdate, sqltext.Delete: onDelete, sqltext.Truncate: onTruncate,
		sqltext.Merge: onInsert | onUpdate | onDelete,
	}[op]
	for _, t := range w.g.triggers[name] {
		switch {
		case t.Events != 0 && t.Events&mask == 0:
		case t.Body != "":
			body := sqltext.ParseBody(t.Body, w.g.dialect)
			w.run(&body)
		default:
			w.call(strings.ToLower(t.Function))
		}
	}
}

// call runs a function.
func (w *walk) call(call string) {
	name := call[strings.LastIndexByte(call, '.')+1:]
	f := w.g.functions[name]
	switch {
	case f == nil && runsText(name), f == nil && name != call:
		w.everything = true // another schema's that the catalog does not show
	case f == nil || !f.volatile || f.foreign:
	case f.body == nil:
		w.everything = true
	case !w.done["call\x00"+name]:
		w.done["call\x00"+name] = true
		w.run(f.body)
	}
}

// run takes what a body may do: to every table that it names.
func (w *walk) run(b *sqltext.Body) {
	if b.Unknown {
		w.everything = true
		return
	}
	for _, call := range b.Calls {
		w.call(call)
	}
	if !b.Writes {
		return
	}
	c := Change{Op: sqltext.Merge, AnyColumn: true}
	if b.OnlyInserts {
		c = Change{Op: sqltext.Insert}
	}
	for _, name := range b.Names {
		if w.g.tables[name] != nil {
			w.table(name, c, false)
		}
	}
}

// runsText lists functions of the database's own that run SQL which they are given.
func runsText(function string) bool {
	switch function {
	case "query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "cursor_to_xml", "ts_stat":
		return true
	default:
		return false
	}
}
