package rediscache

import (
	"fmt"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/callbacks"
)

// A Target is something that has changed without GORM's knowing. Use [Row], [Scope], [Table] or [Everything].
type Target struct{ target callbacks.Target }

// Row is one row of a model's table: that of the primary key, whose values are given in the order of the database's
// key.
func Row[T any](key ...any) Target {
	return Target{callbacks.Target{Model: new(T), Key: key}}
}

// Scope is what queries answer that look for the rows of a model's table with these values in these columns, by column or
// field name: WHERE user_id = 7, in any spelling, and preloads of one parent; and what depends on the whole table. It is the
// finest target after rows were added to a list, or left it. Lookups of the same rows by primary key, or by other
// columns, are not part of it: name them, too, or the [Table].
func Scope[T any](where map[string]any) Target {
	return Target{callbacks.Target{Model: new(T), Where: where}}
}

// Table is any row of a table, and of the tables that the database changes with it. A schema in the name does not
// count.
func Table(name string) Target { return Target{callbacks.Target{Table: name}} }

// Everything is all that is cached of the handle's database.
func Everything() Target { return Target{callbacks.Target{Everything: true}} }

// Invalidate makes all answers that depend on the targets unservable, in every process, before it returns. On a handle
// that is in a transaction it does so when that commits.
//
// It is for writes that GORM does not see: those of other programs, of database/sql, of jobs in the database. Errors
// are [ErrNotUsed], [ErrUnknownDatabase], [ErrColumn], an error of GORM's for a model that has no table, and
// [ErrUnannounced].
func Invalidate(db *gorm.DB, targets ...Target) error {
	p, ok := db.Plugins[pluginName].(*Plugin)
	if !ok {
		return ErrNotUsed
	}
	all := make([]callbacks.Target, len(targets))
	for i, t := range targets {
		all[i] = t.target
	}
	if err := p.hooks.Invalidate(db, all); err != nil {
		return fmt.Errorf("rediscache: invalidate: %w", err)
	}
	return nil
}
