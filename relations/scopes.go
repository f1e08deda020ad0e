package relations

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// A Scope is a set of columns by which rows of a table are likely to be looked up: all rows that have the same values
// in them.
type Scope struct {
	// Columns are sorted by name. None of them is generated.
	Columns []catalog.Column
	// Unique is set if at most one row of the table has the same values.
	Unique bool
}

// maxUnique is the greatest number of columns of a unique index that is a scope as a whole.
const maxUnique = 3

// Column returns what is known of a column whose values can be named. Names of columns are as in a text: without
// quotes, in lower case where the database takes them for equal.
func (g *Graph) Column(table, name string) (catalog.Column, bool) {
	if t := g.tables[strings.ToLower(table)]; t != nil {
		return t.column(name)
	}
	return catalog.Column{}, false
}

func (t *table) column(name string) (catalog.Column, bool) {
	for _, c := range t.columns {
		if c.Name == name {
			return c, true
		}
	}
	return catalog.Column{}, false
}

// ScopeColumns returns the scopes of a table that the catalog speaks for, best first: unique indexes, foreign keys,
// columns of a composite primary key, first columns of other indexes. The primary key as a whole is none. The caller
// must not change them.
func (g *Graph) ScopeColumns(table string) []Scope {
	if t := g.tables[strings.ToLower(table)]; t != nil {
		return t.scopes
	}
	return nil
}

// longer orders scopes: the more columns, the fewer rows.
func longer(a, b Scope) int { return cmp.Compare(len(b.Columns), len(a.Columns)) }

// addScopes finds the scopes of every table.
func (g *Graph) addScopes(keys []catalog.ForeignKey) {
	foreign := map[string][][]string{}
	for _, k := range keys {
		if k.Elsewhere == "" {
			child := strings.ToLower(k.Child)
			foreign[child] = append(foreign[child], g.columnNames(k.Columns))
		}
	}
	for name, t := range g.tables {
		if len(t.columns) > 0 {
			t.scopes = t.findScopes(foreign[name])
		}
	}
}

// columnNames returns names of columns as they are in a text.
func (g *Graph) columnNames(names []string) []string {
	if g.dialect == sqltext.Postgres {
		return names
	}
	lower := make([]string, len(names))
	for i, name := range names {
		lower[i] = strings.ToLower(name)
	}
	return lower
}

// findScopes returns the scopes of a table.
func (t *table) findScopes(foreign [][]string) []Scope {
	l := scopeList{t: t}
	if !t.shared {
		for _, x := range t.indexes {
			if x.Unique && len(x.Columns) <= maxUnique {
				l.add(x.Columns, true)
			}
		}
		l.sort(func(a, b Scope) int { return cmp.Compare(len(a.Columns), len(b.Columns)) })
	}
	for _, columns := range foreign {
		l.add(columns, false)
	}
	l.sort(longer)
	if len(t.Key) > 1 {
		for _, c := range t.Key {
			l.add([]string{c.Name}, false)
		}
	}
	l.sorted = len(l.scopes) // in the order of the key
	for _, x := range t.indexes {
		if !x.Unique || len(x.Columns) > maxUnique || t.shared {
			l.add(x.Columns[:1], false)
		}
	}
	l.sort(func(Scope, Scope) int { return 0 })
	return l.scopes
}

// scopeList collects the scopes of a table.
type scopeList struct {
	t      *table
	scopes []Scope
	// sorted is how many of them are in their final order.
	sorted int
}

// add adds a scope, unless it is there, is the primary key, or has a column that cannot be one of a scope's.
func (l *scopeList) add(names []string, unique bool) {
	names = slices.Clone(names)
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 || l.t.isKey(names) {
		return
	}
	s := Scope{Unique: unique}
	for _, name := range names {
		c, ok := l.t.column(name)
		if !ok || c.Generated {
			return
		}
		s.Columns = append(s.Columns, c)
	}
	if !slices.ContainsFunc(l.scopes, func(o Scope) bool { return slices.Equal(o.Columns, s.Columns) }) {
		l.scopes = append(l.scopes, s)
	}
}

// sort puts the scopes that were added since it was called last in order: by a comparison, and then by name.
func (l *scopeList) sort(compare func(a, b Scope) int) {
	slices.SortFunc(l.scopes[l.sorted:], func(a, b Scope) int {
		return cmp.Or(compare(a, b), slices.CompareFunc(a.Columns, b.Columns, func(x, y catalog.Column) int {
			return cmp.Compare(x.Name, y.Name)
		}))
	})
	l.sorted = len(l.scopes)
}

// isKey reports whether sorted names are those of the primary key.
func (t *table) isKey(sorted []string) bool {
	key := make([]string, len(t.Key))
	for i, c := range t.Key {
		key[i] = c.Name
	}
	slices.Sort(key)
	return slices.Equal(key, sorted)
}

// common returns what of two tables with the same name both have: columns of one type, and indexes.
func common(a, b *table) (columns []catalog.Column, indexes []catalog.Index) {
	for _, c := range a.columns {
		if slices.Contains(b.columns, c) {
			columns = append(columns, c)
		}
	}
	for _, x := range a.indexes {
		for _, y := range b.indexes {
			if slices.Equal(x.Columns, y.Columns) {
				indexes = append(indexes, catalog.Index{Columns: x.Columns, Unique: x.Unique && y.Unique})
			}
		}
	}
	return columns, indexes
}
