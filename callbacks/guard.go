package callbacks

import (
	"fmt"
	"reflect"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// ranKey is the key, among a statement's settings, of the last statement that a shim has run.
type ranKey struct{}

// A guard runs after one of GORM's handlers. If somebody has replaced the handler after us, and with it the shim, it
// announces what the statement has changed: in a transaction in time, in autocommit a moment late.
type guard struct {
	name     string
	register func(string, func(*gorm.DB)) error
}

func (h *Hooks) registerGuards(db *gorm.DB) error {
	const commit = "gorm:commit_or_rollback_transaction"
	cb := db.Callback()
	for _, g := range []guard{
		{"create", cb.Create().After("gorm:create").Before(commit).Register},
		{"update", cb.Update().After("gorm:update").Before(commit).Register},
		{"delete", cb.Delete().After("gorm:delete").Before(commit).Register},
		{"raw", cb.Raw().After("gorm:raw").Register},
		{"query", cb.Query().After("gorm:query").Register},
		{"row", cb.Row().After("gorm:row").Register},
	} {
		guard := h.guard
		if own := hooked(db, g.name); own != nil {
			guard = func(db *gorm.DB) {
				if current := hooked(db, g.name); !same(own, current) {
					h.guard(db)
				}
			}
		}
		if err := g.register("rediscache:after_"+g.name, guard); err != nil {
			return fmt.Errorf("guard %s: %w", g.name, err)
		}
	}
	return nil
}

// hooked returns the handler of what reads, which is not to be told of each statement.
func hooked(db *gorm.DB, name string) func(*gorm.DB) {
	switch name {
	case "query":
		return db.Callback().Query().Get("gorm:query")
	case "row":
		return db.Callback().Row().Get("gorm:row")
	default:
		return nil
	}
}

// same reports whether two functions have the same code.
func same(a, b func(*gorm.DB)) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// ran notes that a shim runs the statement.
func ran(db *gorm.DB) { db.Statement.Settings.Store(ranKey{}, db.Statement) }

func (h *Hooks) guard(db *gorm.DB) {
	if h.closed.Load() || h.idle(db) || db.Statement.SQL.Len() == 0 {
		return
	}
	if last, ok := db.Statement.Settings.Load(ranKey{}); ok && last == db.Statement {
		return
	}
	s := h.shim(db, written)
	st := s.statement(db.Statement.Context, db.Statement.SQL.String(), db.Statement.Vars)
	st.alters()(db.Error)
	if !st.writes() {
		st.note()
		return
	}
	w, err := s.announce(st)
	if err != nil {
		_ = db.AddError(err) // FailWrite: in a transaction it is rolled back
		return
	}
	w.end(st, metrics.Committed)
}
