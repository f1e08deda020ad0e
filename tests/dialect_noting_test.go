package tests_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
)

// noting is a connector that notes the statements that reach the database. A statement that the driver wants to have
// prepared is noted when it is prepared.
type noting struct {
	driver.Connector
	noted *statements
}

// Connect implements driver.Connector.
func (n noting) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := n.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &notedConn{c, n.noted}, nil
}

// byDSN is the connector of a driver that has none.
type byDSN struct {
	driver driver.Driver
	dsn    string
}

// Connect implements driver.Connector.
func (b byDSN) Connect(context.Context) (driver.Conn, error) { return b.driver.Open(b.dsn) }

// Driver implements driver.Connector.
func (b byDSN) Driver() driver.Driver { return b.driver }

// notedConn has what database/sql looks for in connections, as far as the drivers of the tests have it.
type notedConn struct {
	driver.Conn
	noted *statements
}

func (c *notedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.before(query)
	q, ok := c.Conn.(driver.QueryerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	rows, err := q.QueryContext(ctx, query, args)
	c.note(query, err)
	return rows, err
}

func (c *notedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.before(query)
	e, ok := c.Conn.(driver.ExecerContext)
	if !ok {
		return nil, driver.ErrSkip
	}
	result, err := e.ExecContext(ctx, query, args)
	c.note(query, err)
	return result, err
}

func (c *notedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.note(query, nil)
	if p, ok := c.Conn.(driver.ConnPrepareContext); ok {
		return p.PrepareContext(ctx, query)
	}
	return c.Prepare(query)
}

func (c *notedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if b, ok := c.Conn.(driver.ConnBeginTx); ok {
		return b.BeginTx(ctx, opts)
	}
	return c.Begin()
}

func (c *notedConn) Ping(ctx context.Context) error {
	if p, ok := c.Conn.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

func (c *notedConn) ResetSession(ctx context.Context) error {
	if r, ok := c.Conn.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

func (c *notedConn) IsValid() bool {
	v, ok := c.Conn.(driver.Validator)
	return !ok || v.IsValid()
}

func (c *notedConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *notedConn) before(query string) {
	if before := c.noted.before.Load(); before != nil {
		(*before)(query)
	}
}

func (c *notedConn) note(query string, err error) {
	if !errors.Is(err, driver.ErrSkip) {
		c.noted.add(query)
	}
}

// add notes a statement, unless it is the plugin's or the pool's own. Those that read the catalog are counted.
func (s *statements) add(query string) {
	for _, own := range []string{"pg_catalog", "information_schema", "SHOW VARIABLES", "SELECT DATABASE()", "sqlite_master", "pragma_"} {
		if strings.Contains(query, own) {
			s.catalog.Add(1)
			return
		}
	}
	if strings.HasPrefix(query, "-- ping") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, query)
}
