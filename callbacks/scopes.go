package callbacks

import (
	"context"
	"slices"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
)

// A namer returns the names of the scopes that a table is known to have.
type namer func(*keying.Table) []string

func (s *shim) namer(ctx context.Context) namer {
	return func(t *keying.Table) []string { return s.h.opt.Protocol.ScopesOf(ctx, t.Registry()) }
}

// knows notes for which scopes it was found out which of them rows are in.
func (x *effect) knows(names []string) {
	if x.names == nil {
		x.names = append([]string{}, names...)
		return
	}
	x.names = slices.DeleteFunc(x.names, func(name string) bool { return !slices.Contains(names, name) })
}

func (x *effect) addScope(tag keying.Tag) {
	if x.anyScope() {
		return
	}
	if x.scopes == nil {
		x.scopes = make(map[keying.Tag]bool, 1)
	}
	x.scopes[tag] = true
}

// addScopes adds the scopes of the rows that a statement touches, as far as its text tells them: an INSERT's. Those of rows
// that were there are asked of the database, if they can be: see touched.go.
func (x *effect) addScopes(k *knowledge, tw tableWrite, args []any, bound bool, names []string) {
	x.knows(names)
	if len(names) == 0 {
		return
	}
	if !tw.inserts || !bound || len(tw.change.Rows) == 0 {
		x.unscoped = true
		return
	}
	for _, name := range names {
		sc := k.scopeNamed(tw.name, name)
		if sc == nil || sc.retouched {
			x.unscoped = true
			return
		}
		for _, row := range tw.change.Rows {
			x.addInserted(tw, sc, row, args)
		}
	}
}

// addInserted adds the scope that a row is inserted into.
func (x *effect) addInserted(tw tableWrite, sc *scope, row []*sqltext.Operand, args []any) {
	values := make([]any, len(sc.columns))
	for i, c := range sc.columns {
		at := slices.Index(tw.change.Columns, c.Name)
		switch {
		case at < 0 && !c.Default: // NULL
		case at < 0, row[at] == nil:
			x.unscoped = true
			return
		default:
			values[i] = value(*row[at], args)
		}
	}
	x.addValues(tw.table, sc, values)
}

// addValues adds the scope of some values. NULL is equal to nothing, so a row with it is in no scope.
func (x *effect) addValues(t *keying.Table, sc *scope, values []any) {
	for _, v := range values {
		plain, err := keying.Plain(v)
		if err != nil {
			x.unscoped = true
			return
		}
		if plain == nil {
			return
		}
	}
	if named, ok := keying.NewPrimaryKey(sc.kinds, values...); ok {
		x.addScope(t.Scope(sc.name, named))
	} else {
		x.unscoped = true
	}
}
