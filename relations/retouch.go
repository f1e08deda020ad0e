package relations

import (
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// Retouches reports whether the database may give a row of a table other values in these columns than the INSERT or
// UPDATE that writes it gives: by a trigger that runs before, on the table or on one below it, or by a rule. What else a
// trigger does, it does by statements: see Reach.
func (g *Graph) Retouches(table string, columns []string) bool {
	name := strings.ToLower(table)
	t := g.tables[name]
	if t == nil || t.rules || t.view != nil || g.partial {
		return true // or there may be triggers that the catalog does not show
	}
	return g.retouches(name, columns, map[string]bool{})
}

// retouches looks at the triggers of a table and of those below it, which are fired by a write to it.
func (g *Graph) retouches(name string, columns []string, seen map[string]bool) bool {
	if seen[name] {
		return false
	}
	seen[name] = true
	if slices.ContainsFunc(g.triggers[name], func(t catalog.Trigger) bool { return g.assigns(t, columns) }) {
		return true
	}
	return slices.ContainsFunc(g.heirs[name], func(heir string) bool {
		h := g.tables[heir]
		return h != nil && h.rules || g.retouches(heir, columns, seen)
	})
}

// assigns reports whether a trigger may assign columns of the row that fires it.
func (g *Graph) assigns(t catalog.Trigger, columns []string) bool {
	if t.Events&before == 0 || t.Events&(onInsert|onUpdate) == 0 {
		return false
	}
	var body *sqltext.Body
	if t.Body != "" {
		b := sqltext.ParseBody(t.Body, g.dialect)
		body = &b
	} else if f := g.functions[strings.ToLower(t.Function)]; f != nil {
		body = f.body
	}
	if body == nil {
		return !keepsKey(strings.ToLower(t.Function))
	}
	return body.Row || body.Unknown || slices.ContainsFunc(columns, func(c string) bool {
		return slices.Contains(body.Names, strings.ToLower(c))
	})
}

// keepsKey lists functions for triggers, of PostgreSQL and its extensions, that assign nothing but times and documents
// for text search: no key, and nothing that a key refers to.
func keepsKey(function string) bool {
	switch function {
	case "moddatetime", "suppress_redundant_updates_trigger", "tsvector_update_trigger", "tsvector_update_trigger_column":
		return true
	default:
		return false
	}
}

// rekeyed reports whether a table's rows may get another key than the one that a statement gives them.
func (g *Graph) rekeyed(t *table) bool {
	names := make([]string, len(t.Key))
	for i, c := range t.Key {
		names[i] = c.Name
	}
	return g.retouches(t.Name, names, map[string]bool{})
}
