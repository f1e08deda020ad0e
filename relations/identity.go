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

// read adds a table or view that is read.
func (i *identity) read(g *Graph, r sqltext.Relation) {
	t := g.tables[r.Name]
	if t == nil {
		return
	}
	before := len(i.parts)
	for _, p := range t.places {
		if r.Schema == p.schema || r.Schema == "" && !p.hidden {
			i.parts = append(i.parts, p.identity)
		}
	}
	if len(i.parts) == before { // which one is meant is not certain
		i.everywhere(t)
	}
	i.heirs(g, r.Name, map[string]bool{r.Name: true})
}

// heirs adds the tables that inherit from one: their rows are its rows, too. In which schemas they are is not known.
func (i *identity) heirs(g *Graph, name string, seen map[string]bool) {
	for _, heir := range g.heirs[name] {
		if seen[heir] {
			continue
		}
		seen[heir] = true
		if t := g.tables[heir]; t != nil {
			i.everywhere(t)
		}
		i.heirs(g, heir, seen)
	}
}

func (i *identity) everywhere(t *table) {
	for _, p := range t.places {
		i.parts = append(i.parts, p.identity)
	}
}

func (i *identity) add(o identity) {
	i.parts, i.calls = append(i.parts, o.parts...), i.calls || o.calls
}
