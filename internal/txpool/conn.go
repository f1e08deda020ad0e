package txpool

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// An Execer carries out statements in the transaction that is about to commit. It must not be kept.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// conn carries out statements on a driver's connection. Its user has that to itself: database/sql holds the lock of the
// connection while it commits.
type conn struct{ driver.Conn }

// ExecContext implements [Execer]. The arguments are of types that every driver takes.
func (c conn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if c.Conn == nil {
		return nil, errors.ErrUnsupported
	}
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, err
		}
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	if direct, ok := c.Conn.(driver.ExecerContext); ok {
		if result, err := direct.ExecContext(ctx, query, named); !errors.Is(err, driver.ErrSkip) {
			return result, err
		}
	}
	return c.prepared(ctx, query, named)
}

// prepared is for drivers that do not carry out a text with arguments by itself.
func (c conn) prepared(ctx context.Context, query string, args []driver.NamedValue) (sql.Result, error) {
	stmt, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Close() }() // what it did is done
	if s, ok := stmt.(driver.StmtExecContext); ok {
		return s.ExecContext(ctx, args)
	}
	values := make([]driver.Value, len(args))
	for i, arg := range args {
		values[i] = arg.Value
	}
	return stmt.Exec(values) //nolint:staticcheck // a driver that has nothing newer
}

func (c conn) prepare(ctx context.Context, query string) (driver.Stmt, error) {
	if p, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, query)
	}
	return c.Prepare(query)
}
