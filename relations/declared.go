package relations

import (
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// A Declaration is what the application says of a query, because neither its text nor the catalog shows it.
type Declaration struct {
	// Tables are read besides. With any, what the query calls and reads may be what only the declaration speaks for:
	// functions that the catalog calls stable, and views whose queries it does not show.
	Tables []string
	// Of returns what is read besides wherever a table or view of this name is read. It speaks for that view alone. Nil:
	// nothing.
	Of func(name string) []string
}

// A Reading is what a query depends on.
type Reading struct {
	// Tables are those that its text shows, in the order of their names; through views, those that they read.
	Tables []string
	// Declared are those that the declaration names, some of Tables perhaps among them. Nobody knows which of their rows
	// count.
	Declared []string
	// Opaque is set if the query calls a function, or reads a view, of which only the declaration says what it reads: any
	// row of any of the tables.
	Opaque   bool
	identity identity
	// Because says what in the query a refusal is for.
	Because string
}

// All returns every table, each once.
func (r Reading) All() []string {
	all := slices.Clip(r.Tables)
	for _, name := range r.Declared {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// Reads returns what a query depends on.
//
// Every name in the text that is a table's counts, whatever the syntax makes of it: a column that is called as a table
// is one dependency too many. What stands where a table is read has to be known, or the query is refused. Only of a
// Lookup is it understood what each name is. What is declared counts as if the text named it, too; a table that the
// catalog does not show is one all the same.
func (g *Graph) Reads(s *sqltext.Statement, d Declaration) (Reading, Refusal) {
	r := g.reader(d, len(d.Tables) > 0)
	refused := r.statement(s)
	reading := Reading{Tables: r.tables, Opaque: r.opaque, Because: r.because}
	done := map[string]bool{}
	for names := append(slices.Clip(d.Tables), r.besides...); len(names) > 0; names = names[1:] {
		if done[names[0]] {
			continue
		}
		done[names[0]] = true
		o := g.reader(d, true)
		refused = max(refused, o.declared(names[0]))
		if o.weight > r.weight {
			r.weight, reading.Because = o.weight, o.because
		}
		names = append(slices.Clip(names), o.besides...)
		r.identity.add(o.identity)
		for _, table := range o.tables {
			if !slices.Contains(reading.Declared, table) {
				reading.Declared = append(reading.Declared, table)
			}
		}
	}
	slices.Sort(reading.Declared)
	reading.identity = r.identity
	return reading, refused
}

func (g *Graph) reader(d Declaration, trusted bool) *reader {
	return &reader{g: g, seen: map[string]bool{}, of: d.Of, trusted: trusted}
}

// declared reads a table that is declared.
func (r *reader) declared(name string) Refusal {
	schema, name := cutSchema(strings.ToLower(name))
	rel := sqltext.Relation{Schema: schema, Name: name}
	if _, elsewhere := r.g.Elsewhere(rel); elsewhere || inSystemSchema(rel) {
		return r.refuse(RefusedTable, "declared table "+rel.Name+" of another schema, or of the database's own")
	}
	if r.g.tables[name] == nil {
		r.tables = append(r.tables, name)
	}
	r.identity.read(r.g, rel)
	return r.name(name)
}

func cutSchema(name string) (schema, table string) {
	at := strings.LastIndexByte(name, '.')
	return name[:max(at, 0)], name[at+1:]
}

// pure reports whether a function that is called depends on its arguments alone, or on what is declared.
func (r *reader) pure(call string) bool {
	if r.g.pure(call) {
		return true
	}
	f := r.g.functions[call]
	if !r.trusted || f == nil || !f.stable {
		return false
	}
	r.opaque = true
	return true
}
