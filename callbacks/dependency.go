package callbacks

import (
	"cmp"
	"slices"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
)

// maxDependencies is the greatest number of rows, or of scopes, of one table that an answer depends on one by one.
const maxDependencies = 16

// A dependency is what an answer depends on in one table: some rows of it, those of some scopes, or all.
type dependency struct {
	table *keying.Table
	// scope is the name of the scopes; empty for rows.
	scope string
	kinds []keying.KeyKind
	// tuples are the primary keys, or the values of the scopes; none: the answer depends on the whole table.
	tuples [][]sqltext.Operand
}

// A scope is a set of columns by which the rows of a table may be told apart.
type scope struct {
	name    string
	columns []catalog.Column
	kinds   []keying.KeyKind
	// unique is set if at most one row has the same values.
	unique bool
	// retouched is set if the database may store other values than it is given.
	retouched bool
}

// scopes returns the scopes that queries of a table may have, the best first: those of the catalog, then those of models and
// policies.
func (k *snapshot) scopes(table string) []scope {
	if !scopable(k.graph.Dialect()) {
		return nil
	}
	var scopes []scope
	for _, s := range k.graph.ScopeColumns(table) {
		if found := newScope(s.Columns, k.graph.Dialect()); found != nil {
			found.unique = s.Unique
			scopes = append(scopes, *found)
		}
	}
	for _, columns := range k.models.scopes(table) {
		name, ok := keying.ScopeName(columns)
		if !ok || slices.ContainsFunc(scopes, func(s scope) bool { return s.name == name }) {
			continue
		}
		if found := k.scopeNamed(table, name); found != nil {
			scopes = append(scopes, *found)
		}
	}
	slices.SortStableFunc(scopes, func(a, b scope) int { // of more columns: of fewer rows
		return cmp.Or(-compareBools(a.unique, b.unique), cmp.Compare(len(b.columns), len(a.columns)))
	})
	return scopes
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}

// scopable reports whether a database tells which values a statement has stored: by the text, or by RETURNING. MySQL may
// store others than it was given (its Reference Manual, "Server SQL Modes").
func scopable(d sqltext.Dialect) bool { return d == sqltext.Postgres || d == sqltext.SQLite }

// newScope returns the scope of some columns; nil if their values have no names.
func newScope(columns []catalog.Column, d sqltext.Dialect) *scope {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	name, ok := keying.ScopeName(names)
	kinds := kindsOf(columns, d)
	if !ok || kinds == nil {
		return nil
	}
	return &scope{name: name, columns: columns, kinds: kinds}
}

// scopeNamed returns the scope of a name; nil if the table has not all of its columns, or their values have no names.
func (k *snapshot) scopeNamed(table, name string) *scope {
	key := table + "\x00" + name
	if found, ok := k.named.Load(key); ok {
		return found.(*scope) //nolint:forcetypeassert // only scopes are stored
	}
	found := k.findScope(table, keying.ScopeColumns(name))
	k.named.Store(key, found)
	return found
}

func (k *snapshot) findScope(table string, names []string) *scope {
	columns := make([]catalog.Column, len(names))
	for i, name := range names {
		c, ok := k.graph.Column(table, name)
		if !ok || c.Generated {
			return nil
		}
		columns[i] = c
	}
	s := newScope(columns, k.graph.Dialect())
	if s != nil {
		s.retouched = k.graph.Retouches(table, names)
	}
	return s
}

// dependencies returns what a query depends on in each of its tables: the finest that holds. Of those that are declared,
// which rows count is not known.
func (k *snapshot) dependencies(s *sqltext.Statement, names, declared []string) []dependency {
	all := k.wholes(names)
	for i, name := range names {
		if slices.Contains(declared, name) {
			continue
		}
		at := slices.IndexFunc(s.Limits, func(l sqltext.Limit) bool { return l.Table.Name == name })
		if at >= 0 && k.graph.Direct(s, name) {
			k.narrow(&all[i], name, s.Limits[at].Conditions)
		}
	}
	return all
}

// narrow finds the finest dependency on a table of which only rows count that meet some conditions.
func (k *snapshot) narrow(d *dependency, name string, conditions []sqltext.Condition) {
	t, _ := k.graph.Table(name)
	if kinds := kindsOf(t.Key, k.graph.Dialect()); kinds != nil {
		if tuples, _ := keyConditions(conditions, t.Key); within(tuples, maxDependencies) {
			d.kinds, d.tuples = kinds, tuples
			return
		}
	}
	for _, s := range k.scopes(name) {
		if tuples, _ := keyConditions(conditions, s.columns); within(tuples, maxDependencies) {
			d.scope, d.kinds, d.tuples = s.name, s.kinds, tuples
			return
		}
	}
}

func within(tuples [][]sqltext.Operand, most int) bool { return len(tuples) > 0 && len(tuples) <= most }

// values names the rows, or the scopes, for some arguments. It answers false if one of them has no name.
func (d *dependency) values(args []any) ([]keying.PrimaryKey, bool) {
	if len(d.tuples) == 0 {
		return nil, false
	}
	values := make([]keying.PrimaryKey, len(d.tuples))
	for i, tuple := range d.tuples {
		v, ok := primaryKey(d.kinds, tuple, args)
		if !ok {
			return nil, false
		}
		values[i] = v
	}
	return values, true
}

// tags returns what the answer depends on for some values.
func (d *dependency) tags(values []keying.PrimaryKey) (tags []keying.Tag) {
	for _, v := range values {
		var add [3]keying.Tag
		if d.scope == "" {
			add = d.table.RowDependency(v)
		} else {
			add = d.table.ScopeDependency(d.scope, v)
		}
		for _, tag := range add {
			if !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// scopeOf returns the scope of a table as the protocol knows it.
func scopeOf(t *keying.Table, name string) consistency.Scope {
	return consistency.Scope{Registry: t.Registry(), List: t.List(), Name: name}
}
