package relations

import (
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// A Refusal says why an answer may not be cached. A greater one weighs more.
type Refusal uint8

const (
	// Accepted means that it may.
	Accepted Refusal = iota
	// RefusedVolatile means that it depends on more than tables.
	RefusedVolatile
	// RefusedTable means that it reads what is no table of the application's, or one whose rows must not be kept.
	RefusedTable
	// RefusedUnknown means that it reads a table that the catalog did not show.
	RefusedUnknown
)

// Reads returns the tables that a query depends on, in the order of their names in its text; through views, those that
// they read.
//
// Every name in the text that is a table's counts, whatever the syntax makes of it: a column that is called as a table
// is one dependency too many. What stands where a table is read has to be known, or the query is refused. Only of a
// Lookup is it understood what each name is.
func (g *Graph) Reads(s *sqltext.Statement) ([]string, Refusal) {
	r := reader{g: g, seen: map[string]bool{}}
	refused := r.statement(s)
	return r.tables, refused
}

type reader struct {
	g      *Graph
	seen   map[string]bool
	tables []string
}

func (r *reader) statement(s *sqltext.Statement) Refusal {
	refused := Accepted
	if s.Volatile {
		refused = RefusedVolatile
	}
	for _, call := range s.Calls {
		if !r.g.pure(call) {
			refused = max(refused, RefusedVolatile)
		}
	}
	for _, name := range s.Names { // t.f is f(t) (PostgreSQL documentation, "Using Composite Types in Queries")
		if f := r.g.functions[name]; f != nil && f.attribute && !f.pure {
			refused = max(refused, RefusedVolatile)
		}
	}
	for _, rel := range s.Relations {
		refused = max(refused, r.relation(rel))
	}
	names := s.Names
	if s.Lookup != nil {
		names = []string{s.Lookup.Table.Name}
	}
	for _, name := range names {
		refused = max(refused, r.name(name))
	}
	return refused
}

func (r *reader) relation(rel sqltext.Relation) Refusal {
	switch known := r.g.tables[rel.Name] != nil; {
	case system(rel), !known && strings.HasPrefix(rel.Name, "pg_"):
		return RefusedTable
	case !known:
		return RefusedUnknown
	default:
		return Accepted
	}
}

func (r *reader) name(name string) Refusal {
	t := r.g.tables[name]
	if t == nil || r.seen[name] {
		return Accepted
	}
	r.seen[name] = true
	if t.view == nil {
		r.tables = append(r.tables, name)
		return t.refused
	}
	refused := max(t.refused, r.statement(t.view))
	for _, base := range t.bases { // also those of another view with the same name
		refused = max(refused, r.name(base))
	}
	return refused
}

// system reports whether a relation is in a schema of the database's own.
func system(r sqltext.Relation) bool {
	return r.Schema == "information_schema" || strings.HasPrefix(r.Schema, "pg_")
}

// Hides reports whether a text may call functions that depend on more than their arguments without naming them: by
// operators, or by casts, written or not.
func (g *Graph) Hides(text string) bool {
	return g.casts || slices.ContainsFunc(g.operators, func(o string) bool { return strings.Contains(text, o) })
}

// pure reports whether a function depends on its arguments alone.
func (g *Graph) pure(call string) bool {
	if f := g.functions[call]; f != nil {
		return f.pure
	}
	return sqltext.Pure(call)
}
