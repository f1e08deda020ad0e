package txpool

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// selfTest observes a transaction of a driver that does nothing, to see whether its end is told.
func (t *Tracker) selfTest() (works bool) {
	defer func() {
		if recover() != nil {
			works = false
		}
	}()
	db := sql.OpenDB(nothing{})
	defer db.Close()
	for _, rollback := range []bool{false, true} {
		tx, err := db.BeginTx(context.Background(), nil) //nolint:forbidigo // asks no database
		if err != nil {
			return false
		}
		seen := &witness{}
		if _, state := t.attach(tx, func() Observer { return seen }); state != Observed {
			_ = tx.Rollback()
			return false
		}
		if rollback {
			err = tx.Rollback()
		} else {
			err = tx.Commit()
		}
		if _, state := t.attach(tx, func() Observer { return seen }); err != nil || state != Ended || t.DB(tx) != db {
			return false
		}
		if want := (witness{before: !rollback, committed: !rollback, rolledBack: rollback}); *seen != want {
			return false
		}
	}
	return true
}

// witness remembers what it was told.
type witness struct{ before, committed, rolledBack bool }

func (w *witness) BeforeCommit(Execer) error { w.before = true; return nil }
func (w *witness) Committed(error)           { w.committed = true }
func (w *witness) RolledBack()               { w.rolledBack = true }

// nothing is a driver that does nothing.
type nothing struct{}

func (n nothing) Connect(context.Context) (driver.Conn, error) { return n, nil }
func (n nothing) Driver() driver.Driver                        { return n }
func (n nothing) Open(string) (driver.Conn, error)             { return n, nil }
func (n nothing) Begin() (driver.Tx, error)                    { return n, nil }
func (nothing) Prepare(string) (driver.Stmt, error)            { return nil, errors.ErrUnsupported }
func (nothing) Close() error                                   { return nil }
func (nothing) Commit() error                                  { return nil }
func (nothing) Rollback() error                                { return nil }
