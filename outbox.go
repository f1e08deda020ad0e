package rediscache

import (
	"fmt"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/outbox"
)

// ErrNoOutbox is wrapped by the error of gorm.DB.Use, under [Outbox], for a database that has no outbox: see [CreateOutbox].
var ErrNoOutbox = outbox.ErrMissing

// CreateOutbox creates the table rediscache_outbox, which [Outbox] needs, if it is not there: in the database of the handle,
// in the schema that names without one mean. The handle need not use the plugin yet, and may be in a transaction. Call it
// before db.Use(plugin); or run [OutboxSQL] with the other migrations. The role of the application needs the rights to
// SELECT, INSERT, UPDATE and DELETE there.
//
// Services that share the table must share the Redis, too, or have different Namespaces: a row is relayed by whoever has the
// same namespace and database.
func CreateOutbox(db *gorm.DB) error {
	statement, err := OutboxSQL(db.Name())
	if err != nil {
		return err
	}
	// Not through GORM: a plugin in the handle would take it for any other table.
	if _, err := db.Statement.ConnPool.ExecContext(db.Statement.Context, statement); err != nil {
		return fmt.Errorf("rediscache: create the outbox: %w", err)
	}
	return nil
}

// OutboxSQL returns the statement that creates the table, for tools that migrate: of the dialect that GORM calls
// "postgres", "mysql" (and MariaDB) or "sqlite". Another one is an error.
func OutboxSQL(dialect string) (string, error) {
	statement, err := outbox.Statement(dialect)
	if err != nil {
		return "", fmt.Errorf("rediscache: %w, not %q", err, dialect)
	}
	return statement, nil
}
