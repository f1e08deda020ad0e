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
	// Elsewhere holds other schemas in which it may be anything.
	Elsewhere []string
	// Because says of each table how it is reached; of "", why it may be anything.
	Because map[string]string
}

// Reach follows a change of a table through foreign keys, triggers, rules, views and inheritance.
func (g *Graph) Reach(name string, c Change) Reach {
	w := newWalk(g)
	w.table(strings.ToLower(name), c, true)
	return w.reach()
}

// Call returns what the call of a function may change: nothing, for most.
func (g *Graph) Call(call string) Reach {
	w := newWalk(g)
	w.call(call)
	return w.reach()
}

// Opaque returns the tables of which the triggers or rules may change anything, as far as can be read, by name.
func (g *Graph) Opaque() []string {
	var names []string
	for name, t := range g.tables {
		w := newWalk(g)
		w.shallow = true
		w.fire(name, sqltext.Merge)
		w.fire(name, sqltext.Truncate)
		if t.rules || w.everything {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// walk follows changes until nothing new is reached.
type walk struct {
	g                         *Graph
	changed, grown, elsewhere map[string]bool
	everything                bool
	done                      map[string]bool
	// shallow walks do not go on from the tables that they reach.
	shallow bool
	// cause says how what is reached next is reached; because, how the tables were that are reached already.
	cause   string
	because map[string]string
}

// by sets the cause for what a function does.
func (w *walk) by(cause string, do func()) {
	before := w.cause
	w.cause = cause
	do()
	w.cause = before
}

// anything notes that anything may be changed.
func (w *walk) anything(why string) {
	if !w.everything && w.cause != "" {
		why = w.cause + ": " + why
	}
	if !w.everything {
		w.because[""] = why
	}
	w.everything = true
}

func newWalk(g *Graph) *walk {
	return &walk{
		g: g, changed: map[string]bool{}, grown: map[string]bool{}, elsewhere: map[string]bool{}, done: map[string]bool{},
		because: map[string]string{},
	}
}

func (w *walk) reach() Reach {
	r := Reach{Everything: w.everything, Because: w.because}
	for name := range w.changed {
		r.Changed = append(r.Changed, name)
	}
	for name := range w.grown {
		if !w.changed[name] {
			r.Grown = append(r.Grown, name)
		}
	}
	for name := range w.elsewhere {
		r.Elsewhere = append(r.Elsewhere, name)
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
	if w.shallow {
		return
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
		w.anything("table " + name + " has rules")
		return
	}
	w.references(name, c)
	w.fire(name, c.Op)
	w.inherit(name, c, w.g.parents)
	w.inherit(name, c, w.g.heirs)
	if t.view != nil { // through the view, its tables are written
		for _, base := range t.bases {
			if w.g.tables[base] != nil && base != name {
				w.by("view "+name, func() { w.table(base, Change{Op: sqltext.Merge, AnyColumn: true}, false) })
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
		w.by("inheritance of "+name, func() { w.mark(other, c.Op) })
		w.references(other, c)
		w.fire(other, c.Op)
		w.inherit(other, c, along)
	}
}

func (w *walk) mark(name string, op sqltext.Op) {
	if w.because[name] == "" {
		w.because[name] = w.cause
	}
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
		if k.Elsewhere != "" {
			if c.Op != sqltext.Insert { // by whatever action
				w.elsewhere[strings.ToLower(k.Elsewhere)] = true
			}
			continue
		}
		if c.Op == sqltext.Truncate {
			if c.Cascade {
				w.by("TRUNCATE "+name+" CASCADE", func() { w.table(child, c, false) })
			}
			continue
		}
		if c.Op == sqltext.Delete || c.Op == sqltext.Merge {
			w.by(w.g.foreignKey(k)+" ON DELETE "+actionOf(k.OnDelete), func() { w.act(child, k, k.OnDelete, sqltext.Delete) })
		}
		if c.Op == sqltext.Merge || c.Op == sqltext.Update && c.touches(k.References) {
			w.by(w.g.foreignKey(k)+" ON UPDATE "+actionOf(k.OnUpdate), func() { w.act(child, k, k.OnUpdate, sqltext.Update) })
		}
	}
}

// foreignKey names a foreign key: orders(user_id) REFERENCES users.
func (g *Graph) foreignKey(k catalog.ForeignKey) string {
	columns := strings.Join(g.columnNames(k.Columns), ", ")
	return strings.ToLower(k.Child) + "(" + columns + ") REFERENCES " + strings.ToLower(k.Parent)
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
	before     = 1 << 1
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
		if t.Events != 0 && t.Events&mask == 0 {
			continue
		}
		w.by("a trigger of "+name, func() {
			if t.Body == "" {
				w.call(strings.ToLower(t.Function))
				return
			}
			body := sqltext.ParseBody(t.Body, w.g.dialect)
			w.run(&body)
		})
	}
}

// call runs a function.
func (w *walk) call(call string) {
	name := call[strings.LastIndexByte(call, '.')+1:]
	f := w.g.functions[name]
	switch {
	case f == nil && runsText(name), f == nil && name != call:
		w.anything("function " + call + ", which the catalog does not show, or which runs text that it is given")
		if schema, _, ok := strings.Cut(call, "."); ok && w.g.own != "" {
			w.elsewhere[schema] = true
		}
	case f == nil && w.g.partial && !w.g.KeepsTables(name):
		w.anything("function " + call + ", which may be the application's own: the catalog may not be read")
	case f == nil || !f.volatile || f.foreign:
	case f.body == nil:
		w.anything("function " + call + " is in a language that cannot be read")
	case !w.done["call\x00"+name]:
		w.done["call\x00"+name] = true
		w.by(strings.TrimPrefix(w.cause+", function "+name, ", "), func() { w.run(f.body) })
	}
}

// run takes what a body may do: to every table that it names.
func (w *walk) run(b *sqltext.Body) {
	if b.Unknown {
		w.anything("it runs text that cannot be read")
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
	for _, schema := range b.Schemas {
		if w.g.own != "" && schema != w.g.own {
			w.elsewhere[schema] = true
		}
	}
	for _, name := range b.Names {
		if w.g.tables[name] != nil {
			w.table(name, c, false)
		}
	}
}

// KeepsTables reports whether a function changes no table, whatever the catalog says: because it is the database's own.
func (g *Graph) KeepsTables(call string) bool {
	return g.functions[call] == nil && (g.dialect.Pure(call) || keepsTables(call))
}

// keepsTables lists functions of the database's own, not pure, that statements which write often call.
func keepsTables(function string) bool {
	switch function {
	case "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday", "random", "gen_random_uuid",
		"uuid_generate_v4", "nextval", "currval", "lastval", "setval", "current_setting", "set_config", "pg_notify",
		"pg_advisory_lock", "pg_advisory_xact_lock", "pg_try_advisory_lock", "pg_try_advisory_xact_lock", "pg_advisory_unlock":
		return true
	default:
		return false
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
