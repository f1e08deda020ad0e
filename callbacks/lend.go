package callbacks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
)

// On which connection the catalog is read, and how, so that the application's transaction on it stays as it is.

var errHeld = errors.New("the catalog cannot be read on the connection of the statement")

// A lender lends a connection.
type lender struct {
	conn gorm.ConnPool
	// held is set if it is one that a statement holds; tx, if that may be in a transaction of PostgreSQL's; old, if it may see
	// the catalog as it was before, so that only the identity of the database is asked.
	held, tx, old bool
	// bound is how long one question may take.
	bound   time.Duration
	release func() // gives it back
}

// borrow returns the connection that a statement holds, if the catalog can be read on that, or one of the pool, for which it
// waits until the context is over. The caller gives it back.
func (d *database) borrow(ctx context.Context, held gorm.ConnPool) (from lender, err error) {
	from.release, from.bound = func() {}, readTimeout
	if held != nil || d.h.opt.Foreground {
		from.bound = d.h.opt.LearnTimeout // a statement waits to the end
	}
	if held != nil {
		from.conn, from.held = unprepared(held), true
		if d.ofSession {
			return from, nil // the cache has taken it from the pool: there is no transaction on it
		}
		if !catalog.Knows(d.dialect) {
			return from, errHeld // a query that fails might end its transaction
		}
		from.tx = d.dialect == catalog.Postgres // perhaps: a text may have begun one
		if from.old = !from.tx || from.seesSnapshot(ctx); from.old && d.identity.Load() != nil {
			return from, errHeld
		}
		return from, nil
	}
	db, ok := d.pool.(*sql.DB)
	if !ok {
		from.conn = d.pool
		return from, nil
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return from, err
	}
	from.conn, from.release = c, func() { _ = c.Close() } // gives it back
	return from, nil
}

// lend runs ask with the connection. In a transaction of PostgreSQL's, what is asked is bounded by a setting, and what fails
// ends nothing: both are undone with a savepoint. Outside of one there is nothing to end.
func (l lender) lend(ctx context.Context, ask func(context.Context, catalog.Querier) error) error {
	switch {
	case !l.held:
		ctx, cancel := context.WithTimeout(ctx, l.bound)
		defer cancel()
		return ask(ctx, l.conn)
	case !l.tx:
		return ask(ctx, l.conn) // a deadline would end the connection
	}
	do := func(text string) error { _, err := l.conn.ExecContext(ctx, text); return err }
	switch err := do("SAVEPOINT rediscache"); {
	case stateOf(err) == noTransaction:
		return ask(ctx, l.conn)
	case err != nil:
		return err
	}
	err := do(fmt.Sprintf("SELECT pg_catalog.set_config('statement_timeout', '%d', true)", l.bound.Milliseconds()))
	if err == nil {
		err = ask(ctx, l.conn)
	}
	return errors.Join(err, do("ROLLBACK TO SAVEPOINT rediscache"), do("RELEASE SAVEPOINT rediscache"))
}

// seesSnapshot reports whether a transaction of PostgreSQL's sees one snapshot, or sees nothing any more.
func (l lender) seesSnapshot(ctx context.Context) bool {
	level := ""
	err := l.conn.QueryRowContext(context.WithoutCancel(ctx), // or the connection would end with the context
		"SHOW transaction_isolation").Scan(&level)
	return err != nil || !strings.HasPrefix(level, "read ")
}

// noTransaction is the SQLSTATE of a statement that needs a transaction.
const noTransaction = "25P01"

// prepares reports whether what is sent through a pool is prepared by database/sql.
func prepares(pool gorm.ConnPool) bool {
	switch pool.(type) {
	case *gorm.PreparedStmtDB, *gorm.PreparedStmtTX:
		return true
	default:
		return false
	}
}

// unprepared returns the pool below GORM's cache of prepared statements, which is the application's: what the cache asks
// must not be found there.
func unprepared(pool gorm.ConnPool) gorm.ConnPool {
	for {
		switch p := pool.(type) {
		case *gorm.PreparedStmtDB:
			pool = p.ConnPool
		case *gorm.PreparedStmtTX:
			pool = p.Tx
		default:
			return pool
		}
	}
}
