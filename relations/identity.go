package relations

import (
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// An identity collects what stands for the definitions of all that a query depends on.
type identity struct {
	// parts are those of tables and views, and of what inherits from them.
	parts []string
	// calls is set if the query calls what users have defined.
	calls bool
}

// Identity stands for the definitions of all that a query depends on. With another one, its answer may be another one
// although no row has changed: somebody has made a table anew, or changed a view or a function.
func (g *Graph) Identity(r Reading, text string) string {
	all := strings.Join(r.identity.parts, "\n")
	if r.identity.calls || g.callsUnnamed(text) { // what is called may call anything else
		all += "\n" + g.definitions
	}
	return all
}

// callsUnnamed reports whether a text may call functions that users have defined without naming them.
func (g *Graph) callsUnnamed(text string) bool {
	return g.ownCasts || slices.ContainsFunc(g.ownOperators, func(o string) bool { return strings.Contains(text, o) })
}

// read adds a table or view that is read, and what inherits from it.
func (i *identity) read(g *Graph, r sqltext.Relation) {
	t := g.tables[r.Name]
	if t == nil {
		return
	}
	meant := func(p place) bool { return r.Schema == p.schema || r.Schema == "" && !p.hidden }
	certain := slices.ContainsFunc(t.places, meant)
	seen := map[sqltext.Relation]bool{}
	for _, p := range t.places {
		if !certain || meant(p) {
			i.place(g, sqltext.Relation{Schema: p.schema, Name: r.Name}, seen)
		}
	}
}

// place adds the table of a name in a schema, and those that inherit from it: their rows are its rows, too.
func (i *identity) place(g *Graph, r sqltext.Relation, seen map[sqltext.Relation]bool) {
	t := g.tables[r.Name]
	if t == nil || seen[r] {
		return
	}
	seen[r] = true
	for _, p := range t.places {
		if p.schema == r.Schema {
			i.parts = append(i.parts, p.identity)
		}
	}
	for _, heir := range g.below[r] {
		i.place(g, heir, seen)
	}
}

func (i *identity) add(o identity) {
	i.parts, i.calls = append(i.parts, o.parts...), i.calls || o.calls
}
