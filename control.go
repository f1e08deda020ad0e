package rediscache

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache/callbacks"
)

const (
	// Bypass is a clause that lets a statement neither read from the cache nor store in it, nor its preloads. Writes are
	// announced all the same.
	Bypass control = iota
	// Refresh is a clause that reads the database even if the cache has the answer, and stores it.
	Refresh
)

// control is a clause that adds nothing to the SQL.
type control uint8

var (
	_ clause.Interface       = control(0)
	_ gorm.StatementModifier = control(0)
)

// Name implements [clause.Interface], as gorm.io/gen wants of a clause.
func (control) Name() string { return "" }

// MergeClause implements [clause.Interface].
func (control) MergeClause(*clause.Clause) {}

// Build implements [clause.Expression].
func (control) Build(clause.Builder) {}

// ModifyStatement implements [gorm.StatementModifier].
func (c control) ModifyStatement(stmt *gorm.Statement) {
	callbacks.Amend(stmt, callbacks.Control{Bypass: c == Bypass, Refresh: c == Refresh})
}

// WithBypass returns a context whose statements are all as with [Bypass].
func WithBypass(ctx context.Context) context.Context {
	return callbacks.WithControl(ctx, callbacks.Control{Bypass: true})
}

// WithRefresh returns a context whose statements are all as with [Refresh].
func WithRefresh(ctx context.Context) context.Context {
	return callbacks.WithControl(ctx, callbacks.Control{Refresh: true})
}

// Touches returns a clause that says that a statement may change any row of these tables, besides what its text shows: that
// of a procedure that it calls, say. What the database changes by itself then counts, too.
func Touches(tables ...string) clause.Expression { return touches(tables) }

type touches []string

// Name implements [clause.Interface], as gorm.io/gen wants of a clause.
func (touches) Name() string { return "" }

// MergeClause implements [clause.Interface].
func (touches) MergeClause(*clause.Clause) {}

// Build implements [clause.Expression].
func (touches) Build(clause.Builder) {}

// ModifyStatement implements [gorm.StatementModifier].
func (t touches) ModifyStatement(stmt *gorm.Statement) {
	callbacks.Amend(stmt, callbacks.Control{Touches: t})
}

// DependsOn returns a clause that says that the answer of a query depends on these tables besides those that its text
// shows, as if the text named them, too: a view stands for the tables that it reads, and what must not be cached may not be
// named. A write to any row of any of them makes the answer unservable. Answers with other dependencies are other answers.
// A schema in a name does not count, and a name that the database does not know is a table that may be made later.
//
// With it, a query may also call functions that PostgreSQL's catalog calls STABLE, and read views whose queries the catalog
// does not show. Otherwise such a query is not cached. The clause then declares that their results depend on nothing but
// their arguments, and on rows of these tables and of those that the text shows: not on the time, on the session or its
// settings, on chance, or on another table. The cache cannot see whether that is so; until the time to live is over it
// serves what it has. Functions that are VOLATILE, as they are if nothing else is said of them, and now(), random() and
// their like in the text or in a view, are not cached all the same.
//
// The clause holds for the preloads of the statement, too. For a write it means nothing: see [Touches].
func DependsOn(tables ...string) clause.Expression { return dependsOn(tables) }

type dependsOn []string

// Name implements [clause.Interface], as gorm.io/gen wants of a clause.
func (dependsOn) Name() string { return "" }

// MergeClause implements [clause.Interface].
func (dependsOn) MergeClause(*clause.Clause) {}

// Build implements [clause.Expression].
func (dependsOn) Build(clause.Builder) {}

// ModifyStatement implements [gorm.StatementModifier].
func (d dependsOn) ModifyStatement(stmt *gorm.Statement) {
	callbacks.Amend(stmt, callbacks.Control{DependsOn: d})
}
