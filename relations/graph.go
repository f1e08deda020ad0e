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
	dialect   sqltext.Dialect
	tables    map[string]*table
	functions map[string]*function
	// children are the foreign keys by their parents.
	children map[string][]catalog.ForeignKey
	// parents and heirs are the tables above and below one that inherits, by its name.
	parents, heirs map[string][]string
	triggers       map[string][]catalog.Trigger
	// operators and casts are those by which a text may call a function that is not pure without naming it.
	operators []string
	casts     bool
}

// A Table is what a point lookup has to know.
type Table struct {
	Name string
	// Key holds the columns of the primary key. It is empty for a table whose rows cannot be told apart by it.
	Key []catalog.Column
}

type table struct {
	Table
	// refused says why its rows may not be cached at all.
	refused Refusal
	// view is the query that a view stands for.
	view *sqltext.Statement
	// bases are the tables that a view reads, views among them.
	bases []string
	rules bool
}

type function struct {
	pure, volatile bool
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
		dialect: d, tables: map[string]*table{}, functions: map[string]*function{},
		children: map[string][]catalog.ForeignKey{}, parents: map[string][]string{}, heirs: map[string][]string{},
		triggers: map[string][]catalog.Trigger{}, operators: c.Operators, casts: c.Casts,
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
		if t := g.tables[parent]; t != nil && !i.Partition {
			t.Key = nil // children do not share their parent's key
		}
	}
	for _, t := range c.Triggers {
		on := strings.ToLower(t.Table)
		g.triggers[on] = append(g.triggers[on], t)
	}
	return g
}

func (g *Graph) addTable(t catalog.Table) {
	name := strings.ToLower(t.Name)
	n := &table{Table: Table{Name: name}, rules: t.Rules}
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
		n.Key = t.Key
	}
	if twin := g.tables[name]; twin != nil {
		n = merge(twin, n)
	}
	g.tables[name] = n
}

// merge makes one of two tables with the same name: what is not certain of both is certain of none.
func merge(a, b *table) *table {
	m := &table{Table: Table{Name: a.Name}, refused: max(a.refused, b.refused), rules: a.rules || b.rules}
	if slices.Equal(a.Key, b.Key) {
		m.Key = a.Key
	}
	if (a.view == nil) != (b.view == nil) {
		m.refused = RefusedTable
	} else if a.view != nil {
		m.view, m.bases = a.view, slices.Concat(a.bases, b.bases)
	}
	return m
}

func (g *Graph) defineView(n *table, definition string) Refusal {
	if g.dialect == sqltext.SQLite { // CREATE VIEW name [(columns)] AS SELECT …
		_, query, ok := cutAS(definition)
		if !ok {
			return RefusedTable
		}
		definition = query
	}
	script := sqltext.Parse(definition, g.dialect)
	if len(script.Parts) != 1 || script.Parts[0].Class != sqltext.Query {
		return RefusedTable
	}
	n.view = &script.Parts[0]
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
		pure: f.Pure, volatile: f.Volatile, attribute: f.Attribute, foreign: f.Language == "c" || f.Language == "internal",
	}
	if f.Body != "" {
		body := sqltext.ParseBody(f.Body, g.dialect)
		n.body = &body
	}
	if twin := g.functions[strings.ToLower(f.Name)]; twin != nil { // overloaded
		n = &function{
			pure: n.pure && twin.pure, attribute: n.attribute || twin.attribute,
			volatile: n.volatile || twin.volatile, foreign: n.foreign && twin.foreign,
			body: both(n, twin),
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

// Tables returns the names of all tables.
func (g *Graph) Tables() []string {
	names := make([]string, 0, len(g.tables))
	for name := range g.tables {
		names = append(names, name)
	}
	return names
}
