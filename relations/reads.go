package relations

import (
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
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

type reader struct {
	g        *Graph
	seen     map[string]bool
	tables   []string
	identity identity
	// of returns what is declared of a table or view; besides collects it. trusted is set while the declaration speaks for
	// what is read, opaque if only it does.
	of              func(string) []string
	besides         []string
	trusted, opaque bool
	// weight is the greatest refusal so far; because says what in the query it is for.
	weight  Refusal
	because string
}

// refuse notes what a refusal is for, unless another weighs as much.
func (r *reader) refuse(refusal Refusal, because string) Refusal {
	if refusal > r.weight {
		r.weight, r.because = refusal, because
	}
	return refusal
}

func (r *reader) statement(s *sqltext.Statement) Refusal {
	refused := Accepted
	if s.Volatile != "" {
		refused = r.refuse(RefusedVolatile, s.Volatile)
	}
	for _, call := range s.Calls {
		r.identity.calls = r.identity.calls || r.g.functions[call] != nil
		if !r.pure(call) {
			refused = max(refused, r.refuse(RefusedVolatile, "function "+call))
		}
	}
	for _, name := range s.Names { // t.f is f(t) (PostgreSQL documentation, "Using Composite Types in Queries")
		f := r.g.functions[name]
		r.identity.calls = r.identity.calls || f != nil && f.attribute
		if f != nil && f.attribute && !r.pure(name) {
			refused = max(refused, r.refuse(RefusedVolatile, "function "+name))
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
	_, elsewhere := r.g.Elsewhere(rel)
	switch known := r.g.tables[rel.Name] != nil; {
	case elsewhere, inSystemSchema(rel), !known && System(rel):
		return r.refuse(RefusedTable, "relation "+rel.Name+" of another schema, or of the database's own")
	case !known:
		return r.refuse(RefusedUnknown, "relation "+rel.Name+", which the catalog did not show")
	default:
		r.identity.read(r.g, rel)
		return Accepted
	}
}

func (r *reader) name(name string) Refusal {
	t := r.g.tables[name]
	if t == nil || r.seen[name] {
		return Accepted
	}
	r.seen[name] = true
	if r.of != nil {
		if more := r.of(name); len(more) > 0 {
			r.besides = append(r.besides, more...)
			defer func(before bool) { r.trusted = before }(r.trusted)
			r.trusted = true
		}
	}
	if t.view == nil {
		r.tables = append(r.tables, name)
		if t.unshown && r.trusted {
			r.opaque = true
			return Accepted
		}
		return r.refuse(t.refused, "table "+name+": "+t.kept())
	}
	r.identity.calls = r.identity.calls || t.calls
	refused := max(r.refuse(t.refused, "view "+name), r.statement(t.view))
	for _, base := range t.bases { // also those of another view with the same name
		refused = max(refused, r.name(base))
	}
	return refused
}

// kept says why rows of a table are not cached.
func (t *table) kept() string {
	switch {
	case t.unshown:
		return "the catalog does not show the query of the view; DependsOn can"
	case t.kind == catalog.Foreign:
		return "foreign tables are written by others"
	default:
		return "it is temporary, row-level security decides who sees what, or it is a view in one schema only"
	}
}

// Direct reports whether a query reads a table by its own name only: not through a view, too.
func (g *Graph) Direct(s *sqltext.Statement, table string) bool {
	if t := g.tables[table]; t == nil || t.view != nil {
		return false
	}
	for _, name := range s.Names {
		t := g.tables[name]
		if t == nil || t.view == nil {
			continue
		}
		r := g.reader(Declaration{}, false)
		r.name(name)
		if r.seen[table] {
			return false
		}
	}
	return true
}

// System reports whether a relation is one of the database's own, by its name or its schema's.
func System(r sqltext.Relation) bool {
	return inSystemSchema(r) || strings.HasPrefix(r.Name, "pg_") || strings.HasPrefix(r.Name, "sqlite_")
}

func inSystemSchema(r sqltext.Relation) bool {
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
	return g.dialect.Pure(call)
}
