package rowcodec

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
	"slices"
	"sync"
)

// A Player plays sets back as genuine *sql.Rows, by way of a private driver. Use [NewPlayer].
type Player struct {
	db           *sql.DB
	scanTypes    []reflect.Type
	scanTypeCode map[reflect.Type]byte
	zones        zones
	headers      headers
}

// maxIdle is how many connections of the private driver are kept. They cost nothing.
const maxIdle = 1024

// NewPlayer returns a player. Close it.
func NewPlayer() *Player {
	p := &Player{db: sql.OpenDB(connector{}), scanTypes: scanTypes(), scanTypeCode: map[reflect.Type]byte{}}
	p.db.SetMaxIdleConns(maxIdle)
	for i, t := range p.scanTypes {
		p.scanTypeCode[t] = byte(i)
	}
	return p
}

// Close frees what the player holds. Rows that are still open go on.
func (p *Player) Close() error { return p.db.Close() }

// A Playback says what to play: the rows of a set, then, if there is one, the rest of a cursor or an error.
type Playback struct {
	Set *Set
	// Tail is read after the rows of Set, and closed with the playback. If Set is nil its columns are Tail's.
	Tail *sql.Rows
	// Err ends the rows, as a cursor's error does. If there is nothing else to play, the query itself fails with it.
	Err error
	// Closed is called once, when the rows are closed or have ended.
	Closed func()
	// Context, if there is one, ends the rows when it is over, as it ends those of a query.
	Context context.Context //nolint:containedctx // lives as long as the rows
}

// Rows plays rows. No goroutine waits for the end of their context: it is looked at before each row.
func (p *Player) Rows(play Playback) (*sql.Rows, error) {
	c := p.cursor(play)
	rows, err := p.db.QueryContext(playing{context.Background(), c}, "") //nolint:forbidigo // see above
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return rows, nil
}

// Row plays one row.
func (p *Player) Row(play Playback) *sql.Row {
	c := p.cursor(play)
	row := p.db.QueryRowContext(playing{context.Background(), c}, "") //nolint:forbidigo // see above
	if row.Err() != nil {
		_ = c.Close() // the error that counts is the row's
	}
	return row
}

// playing hands a cursor to the driver.
type playing struct {
	context.Context //nolint:containedctx // it is one
	cursor          *cursor
}

// cursor is the driver's view of a Playback.
type cursor struct {
	set    *Set
	names  []string
	next   int
	tail   *sql.Rows
	into   []any
	err    error
	closed func()
	ctx    context.Context //nolint:containedctx // lives as long as the rows
}

var (
	_ driver.RowsColumnTypeDatabaseTypeName = (*cursor)(nil)
	_ driver.RowsColumnTypeLength           = (*cursor)(nil)
	_ driver.RowsColumnTypeNullable         = (*cursor)(nil)
	_ driver.RowsColumnTypePrecisionScale   = (*cursor)(nil)
	_ driver.RowsColumnTypeScanType         = (*cursor)(nil)
)

func (p *Player) cursor(play Playback) *cursor {
	c := &cursor{set: play.Set, tail: play.Tail, err: play.Err, closed: play.Closed, ctx: play.Context}
	if c.set == nil && c.tail != nil {
		columns, err := p.columnsOf(c.tail)
		if err != nil {
			c.err = err
			return c
		}
		c.set = &Set{Columns: columns}
	}
	return c
}

// Columns returns a copy, the same each time: callers of sql.Rows.Columns write to it, and errors of Scan then say what
// they wrote, as with the database's own rows.
func (c *cursor) Columns() []string {
	if c.names == nil {
		c.names = slices.Clone(c.set.Columns.names)
	}
	return c.names
}

func (c *cursor) Next(dest []driver.Value) error {
	if c.ctx != nil && c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	if c.next < len(c.set.Rows) {
		c.set.copyTo(dest, c.next)
		c.next++
		return nil
	}
	if c.tail != nil && c.tail.Next() {
		if c.into == nil {
			c.into = make([]any, len(dest))
		}
		return scan(c.tail, dest, c.into)
	}
	if c.tail != nil && c.tail.Err() != nil {
		return c.tail.Err()
	}
	if c.err != nil {
		return c.err
	}
	return io.EOF
}

func (c *cursor) Close() error {
	var err error
	if c.tail != nil {
		err = c.tail.Close()
	}
	if c.closed != nil {
		c.closed()
		c.closed = nil
	}
	return err
}

func (c *cursor) ColumnTypeDatabaseTypeName(i int) string { return c.set.Columns.types[i].dbType }

func (c *cursor) ColumnTypeScanType(i int) reflect.Type {
	if t := c.set.Columns.types[i].scanType; t != nil {
		return t
	}
	return reflect.TypeFor[any]()
}

func (c *cursor) ColumnTypeLength(i int) (int64, bool) {
	return c.set.Columns.types[i].length, c.set.Columns.types[i].hasLength
}

func (c *cursor) ColumnTypeNullable(i int) (nullable, ok bool) {
	return c.set.Columns.types[i].nullable, c.set.Columns.types[i].hasNull
}

func (c *cursor) ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool) {
	d := &c.set.Columns.types[i]
	return d.precision, d.scale, d.hasScale
}

// The private driver. It does nothing but take the cursor out of the context.
type (
	connector struct{}
	conn      struct{}
)

var errNotSupported = errors.New("rowcodec: not supported")

func (connector) Connect(context.Context) (driver.Conn, error) { return conn{}, nil }
func (c connector) Driver() driver.Driver                      { return c }
func (connector) Open(string) (driver.Conn, error)             { return conn{}, nil }

func (conn) Prepare(string) (driver.Stmt, error) { return nil, errNotSupported }
func (conn) Begin() (driver.Tx, error)           { return nil, errNotSupported }
func (conn) Close() error                        { return nil }

func (conn) QueryContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Rows, error) {
	p, ok := ctx.(playing)
	if !ok {
		return nil, errNotSupported
	}
	if p.cursor.set == nil {
		return nil, p.cursor.err
	}
	return p.cursor, nil
}

// headers remembers columns by their encoding, so that a hit need not decode them.
type headers struct {
	mu   sync.RWMutex
	m    map[string]*Columns
	size int // of the encodings
}

// maxHeaders bounds what is remembered, and maxHeaderBytes how large it is: what is stored may not be what was stored here.
const (
	maxHeaders     = 4096
	maxHeaderBytes = 4 << 20
)

func (h *headers) get(header string) (*Columns, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	c, ok := h.m[header]
	return c, ok
}

// intern returns columns that are the same, if there were some before: what is known of columns is kept by their address.
func (h *headers) intern(c *Columns) *Columns {
	if c.header == "" {
		return c
	}
	if known, ok := h.get(c.header); ok {
		return known
	}
	h.put(c.header, c)
	return c
}

func (h *headers) put(header string, c *Columns) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.m == nil || len(h.m) >= maxHeaders || h.size+len(header) > maxHeaderBytes {
		h.m, h.size = map[string]*Columns{}, 0
	}
	h.m[header] = c
	h.size += len(header)
}
