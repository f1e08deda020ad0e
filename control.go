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
	_ clause.Expression      = control(0)
	_ gorm.StatementModifier = control(0)
)

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

// Build implements [clause.Expression].
func (touches) Build(clause.Builder) {}

// ModifyStatement implements [gorm.StatementModifier].
func (t touches) ModifyStatement(stmt *gorm.Statement) {
	callbacks.Amend(stmt, callbacks.Control{Touches: t})
}
