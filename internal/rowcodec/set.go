// Package rowcodec turns result rows into bytes and back into a *sql.Rows, exactly as the driver returned them.
//
// What is kept is what the driver handed to database/sql: column names, column types and driver values. So whatever
// scans the rows afterwards gets the same Go values of the same types as from the database.
package rowcodec

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"reflect"
)

// FormatVersion changes with the encoding. It belongs in the name under which an encoded Set is stored.
const FormatVersion = 1

// ErrUnsupported is returned for a result that cannot be encoded: a value or a column type that is not known here.
var ErrUnsupported = errors.New("rowcodec: unsupported type")

// A Set is a result: columns, and the rows that were read. It does not change.
type Set struct {
	Columns *Columns
	Rows    []Row
	player  *Player // that decodes rows; nil if none is encoded
}

// NewSet returns a set with some columns and no rows.
func (p *Player) NewSet(c *Columns) *Set { return &Set{Columns: c, player: p} }

// Columns is what database/sql can tell about the columns of a result. It does not change, and may be shared.
type Columns struct {
	names []string
	types []column
	// header is its encoding; empty if a type is not supported.
	header string
}

type column struct {
	dbType    string
	scanType  reflect.Type
	length    int64
	hasLength bool
	precision int64
	scale     int64
	hasScale  bool
	nullable  bool
	hasNull   bool
}

// Names returns the names of the columns. They must not be changed.
func (c *Columns) Names() []string { return c.names }

// Index returns the position of a column, or -1 if there is none, or more than one, of that name.
func (c *Columns) Index(name string) int {
	at := -1
	for i, n := range c.names {
		if n != name {
			continue
		}
		if at >= 0 {
			return -1
		}
		at = i
	}
	return at
}

// Equal reports whether two results have the same columns.
func (c *Columns) Equal(other *Columns) bool {
	return c == other || c.header != "" && c.header == other.header
}

// Limits bounds what Capture keeps.
type Limits struct {
	Rows, Bytes int
}

// Capture reads rows until they end or a limit is exceeded; more is then set, and the rest is still to be read. If
// reading fails, it returns what was read before, with the error.
func (p *Player) Capture(rows *sql.Rows, limits Limits) (set *Set, more bool, err error) {
	set = &Set{player: p}
	if set.Columns, err = p.columnsOf(rows); err != nil {
		return nil, false, err
	}
	size := 0
	into := make([]any, len(set.Columns.names))
	for len(set.Rows) < limits.Rows && size <= limits.Bytes {
		if !rows.Next() {
			return set, false, rows.Err()
		}
		row := make([]driver.Value, len(into))
		if err := scan(rows, row, into); err != nil {
			return set, false, err
		}
		set.Rows = append(set.Rows, Row{values: row})
		size += sizeOf(row)
	}
	return set, true, nil
}

// scan reads the driver values of the current row. into is room for pointers to them.
func scan(rows *sql.Rows, row []driver.Value, into []any) error {
	values := make([]any, len(row))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	for i := range values {
		row[i] = values[i]
	}
	return nil
}

// sizeOf is about how many bytes a row takes.
func sizeOf(row []driver.Value) int {
	n := 0
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
		n += 8
	}
	return n
}

func (p *Player) columnsOf(rows *sql.Rows) (*Columns, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	c := &Columns{names: make([]string, len(types)), types: make([]column, len(types))}
	for i, t := range types {
		c.names[i] = t.Name()
		d := &c.types[i]
		d.dbType, d.scanType = t.DatabaseTypeName(), t.ScanType()
		d.length, d.hasLength = t.Length()
		d.precision, d.scale, d.hasScale = t.DecimalSize()
		d.nullable, d.hasNull = t.Nullable()
	}
	c.header = p.header(c)
	return p.headers.intern(c), nil
}
