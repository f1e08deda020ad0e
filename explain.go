package rediscache

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache/callbacks"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// An Explanation says what the cache did for a statement, and why. Its String method is for bug reports.
type Explanation = metrics.Explanation

// Explain returns a clause that has the cache say what it does for a statement, whether that reads or writes, and for
// those that belong to it: its preloads, associations and batches. It changes nothing of what is done. The explanation is
// complete when GORM returns; what a statement in a transaction makes unservable becomes so when that commits.
//
// Use a clause for one call only. It empties what it is given.
func Explain(into *Explanation) clause.Expression { return explain{into} }

// WithExplain returns a context whose first statement is explained; those that follow are told among Besides. It is for
// the context of one call, or of one request: what it is given grows with each statement, and is complete when the last
// has returned. It empties what it is given.
func WithExplain(ctx context.Context, into *Explanation) context.Context {
	return callbacks.WithControl(ctx, callbacks.Control{Explain: callbacks.NewExplainer(nil, into)})
}

type explain struct{ into *Explanation }

// Name implements [clause.Interface], as gorm.io/gen wants of a clause.
func (explain) Name() string { return "" }

// MergeClause implements [clause.Interface].
func (explain) MergeClause(*clause.Clause) {}

// Build implements [clause.Expression].
func (explain) Build(clause.Builder) {}

// ModifyStatement implements [gorm.StatementModifier].
func (e explain) ModifyStatement(stmt *gorm.Statement) {
	callbacks.Amend(stmt, callbacks.Control{Explain: callbacks.NewExplainer(stmt, e.into)})
}
