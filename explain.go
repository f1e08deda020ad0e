package rediscache

import (
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
