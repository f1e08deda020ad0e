// Package relations knows which tables depend on which: what a write to one of them changes in others, and what a
// query reads besides the tables that it names. It knows it from the database's own catalog.
package relations

import (
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// A Graph is what follows from one catalog. Tables have one name each, in lower case and without a schema: two tables
// of that name, in two schemas, are taken for one. It does not change; a changed catalog has a graph of its own.
type Graph struct {
	// own is the schema that names without one are in, if the catalog is of one schema only.
	own       string
	dialect   sqltext.Dialect
	tables    map[string]*table
	functions map[string]*function
	// children are the foreign keys by their parents.
	children map[string][]catalog.ForeignKey
	// parents and heirs are the tables above and below one that inherits, by its name.
	parents, heirs map[string][]string
	// below are the tables that inherit from one, each in its schema.
	below    map[sqltext.Relation][]sqltext.Relation
	triggers map[string][]catalog.Trigger
	// operators and casts are those by which a text may call a function that is not pure without naming it.
	operators []string
	casts     bool
	// partial is set if there may be functions that the catalog does not show.
	partial bool
	// definitions stands for the functions, operators and casts of users: see catalog.Catalog. A text may call them by names
	// of functions, by ownOperators, and, with ownCasts, without a sign of it.
	definitions  string
	ownOperators []string
	ownCasts     bool
}

// A Table is what a point lookup has to know.
type Table struct {
	Name string
	// Key holds the columns of the primary key. It is empty for a table whose rows cannot be told apart by it.
	Key []catalog.Column
	// Rekeyed is set if a trigger may give rows another key than the one that a statement gives them.
	Rekeyed bool
	// Unreadable is set if the role may not read it.
	Unreadable bool
}

type table struct {
	Table
	// places are the tables of this name.
	places []place
	// kind is empty for tables of one name that are of several kinds.
	kind catalog.Kind
	// refused says why its rows may not be cached at all.
	refused Refusal
	// view is the query that a view stands for.
	view *sqltext.Statement
	// unshown is set for a view whose query the catalog does not show, or that is not understood.
	unshown bool
	// calls is set for a view whose query may call what users have defined without naming it.
	calls bool
	// bases are the tables that a view reads, views among them.
	bases []string
	rules bool
	// shared is set if tables that inherit from it have rows in it that its indexes do not know.
	shared bool
	// columns are those whose values can be named.
	columns []catalog.Column
	indexes []catalog.Index
	scopes  []Scope
}

// A place is a schema in which there is a table of a name.
type place struct {
	schema string
	// hidden is set if the name without a schema does not mean this one.
	hidden bool
	// identity stands for the table as it is now: see catalog.Table.Identity.
	identity string
}

type function struct {
	pure, volatile bool
	// stable functions may depend on tables, and none of the database's own with the name depends on anything else.
	stable bool
	// attribute functions may be written as columns.
	attribute bool
	// body is nil if the text is not known.
	body *sqltext.Body
	// foreign functions are written in a language that does not reach tables.
	foreign bool
}

// New builds a graph.
func New(c *catalog.Catalog, d sqltext.Dialect) *Graph {
	g := &Graph{
		own: strings.ToLower(c.Database), dialect: d, tables: map[string]*table{}, functions: map[string]*function{},
		children: map[string][]catalog.ForeignKey{}, parents: map[string][]string{}, heirs: map[string][]string{},
		below:    map[sqltext.Relation][]sqltext.Relation{},
		triggers: map[string][]catalog.Trigger{}, operators: c.Operators, casts: c.Casts, partial: c.Partial,
		definitions: c.Definitions, ownOperators: c.OwnOperators, ownCasts: c.OwnCasts,
	}
	for _, f := range c.Functions {
		g.addFunction(f)
	}
	for _, t := range c.Tables {
		g.addTable(t)
	}
	for _, k := range c.ForeignKeys {
		parent := strings.ToLower(k.Parent)
		g.children[parent] = append(g.children[parent], k)
	}
	for _, i := range c.Inherits {
		child, parent := strings.ToLower(i.Child), strings.ToLower(i.Parent)
		g.parents[child] = append(g.parents[child], parent)
		g.heirs[parent] = append(g.heirs[parent], child)
		above := sqltext.Relation{Schema: strings.ToLower(i.ParentSchema), Name: parent}
		g.below[above] = append(g.below[above], sqltext.Relation{Schema: strings.ToLower(i.ChildSchema), Name: child})
		if t := g.tables[parent]; t != nil && !i.Partition {
			t.Key, t.shared = nil, true // children do not share their parent's indexes
		}
	}
	for _, t := range c.Triggers {
		on := strings.ToLower(t.Table)
		g.triggers[on] = append(g.triggers[on], t)
	}
	for _, t := range g.tables {
		t.Rekeyed = g.rekeyed(t)
	}
	g.addScopes(c.ForeignKeys)
	return g
}

// Dialect returns how the database reads text.
func (g *Graph) Dialect() sqltext.Dialect { return g.dialect }

// Elsewhere returns the schema that a relation is in, if it is not the catalog's own.
func (g *Graph) Elsewhere(r sqltext.Relation) (schema string, ok bool) {
	return r.Schema, g.own != "" && r.Schema != "" && r.Schema != g.own
}

func (g *Graph) addTable(t catalog.Table) {
	name := strings.ToLower(t.Name)
	n := &table{Table: Table{Name: name, Unreadable: t.Unreadable}, kind: t.Kind, rules: t.Rules}
	n.places = []place{{schema: strings.ToLower(t.Schema), hidden: t.Hidden, identity: t.Identity}}
	switch {
	case t.Temporary:
		n.refused = RefusedTable
	case t.Kind == catalog.Foreign:
		n.refused = RefusedTable // written by others
	case t.RowSecurity:
		n.refused = RefusedTable // who asks decides
	case t.Kind == catalog.View:
		n.refused = g.defineView(n, t.Definition)
	case t.Kind == catalog.Base || t.Kind == catalog.Partitioned:
		n.Key, n.columns, n.indexes = t.Key, t.Columns, t.Indexes
	}
	if twin := g.tables[name]; twin != nil {
		n = merge(twin, n)
	}
	g.tables[name] = n
}

// merge makes one of two tables with the same name: what is not certain of both is certain of none.
func merge(a, b *table) *table {
	m := &table{
		Table:   Table{Name: a.Name, Unreadable: a.Unreadable || b.Unreadable},
		places:  slices.Concat(a.places, b.places),
		refused: max(a.refused, b.refused), rules: a.rules || b.rules,
	}
	if slices.Equal(a.Key, b.Key) {
		m.Key = a.Key
	}
	if a.kind == b.kind {
		m.kind = a.kind
	}
	m.columns, m.indexes = common(a, b)
	m.unshown = a.unshown && b.unshown
	if (a.view == nil) != (b.view == nil) {
		m.refused = RefusedTable
	} else if a.view != nil {
		m.view, m.bases, m.calls = a.view, slices.Concat(a.bases, b.bases), a.calls || b.calls
	}
	return m
}

func (g *Graph) defineView(n *table, definition string) Refusal {
	if g.dialect == sqltext.SQLite { // CREATE VIEW name [(columns)] AS SELECT …
		_, query, ok := cutAS(definition)
		if n.unshown = !ok; !ok {
			return RefusedTable
		}
		definition = query
	}
	script := sqltext.Parse(definition, g.dialect)
	if n.unshown = len(script.Parts) != 1 || script.Parts[0].Class != sqltext.Query; n.unshown {
		return RefusedTable
	}
	n.view, n.calls = &script.Parts[0], g.callsUnnamed(script.Text)
	n.bases = n.view.Names
	if g.Hides(script.Text) {
		return RefusedVolatile
	}
	return Accepted
}

// cutAS cuts the definition of a view at its first AS.
func cutAS(s string) (before, after string, ok bool) {
	lower := strings.ToLower(s)
	for i := 0; i+2 <= len(lower); i++ {
		if lower[i:i+2] == "as" && i > 0 && !isName(lower[i-1]) && i+2 < len(lower) && !isName(lower[i+2]) {
			return s[:i], s[i+2:], true
		}
	}
	return s, "", false
}

func isName(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '"' || c >= 0x80
}

func (g *Graph) addFunction(f catalog.Function) {
	n := &function{
		pure: f.Pure, stable: f.Pure || f.Stable, volatile: f.Volatile, attribute: f.Attribute,
		foreign: f.Language == "c" || f.Language == "internal",
	}
	if f.Body != "" {
		body := sqltext.ParseBody(f.Body, g.dialect)
		n.body = &body
	}
	if twin := g.functions[strings.ToLower(f.Name)]; twin != nil { // overloaded
		n = &function{
			pure: n.pure && twin.pure, stable: n.stable && twin.stable, attribute: n.attribute || twin.attribute,
			volatile: n.volatile || twin.volatile, foreign: n.foreign && twin.foreign, body: both(n, twin),
		}
	}
	g.functions[strings.ToLower(f.Name)] = n
}

// both makes one body of those of two functions that have the same name. One that cannot write adds nothing.
func both(a, b *function) *sqltext.Body {
	switch {
	case !a.volatile || a.foreign:
		return b.body
	case !b.volatile || b.foreign:
		return a.body
	case a.body == nil || b.body == nil:
		return nil
	default:
		return &sqltext.Body{
			Names: append(slices.Clone(a.body.Names), b.body.Names...), Calls: append(slices.Clone(a.body.Calls), b.body.Calls...),
			Writes: a.body.Writes || b.body.Writes, OnlyInserts: false, Unknown: a.body.Unknown || b.body.Unknown,
		}
	}
}

// Table returns what is known of a table.
func (g *Graph) Table(name string) (Table, bool) {
	t, ok := g.tables[strings.ToLower(name)]
	if !ok {
		return Table{}, false
	}
	return t.Table, true
}
