package rowcodec

import (
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"time"
)

// The encoding of a Set:
//
//	uvarint   length of the header
//	          header: number of columns, then each column
//	uvarint   number of rows
//	          values, row by row: a mark, then what the mark says
//
// Integers are varints, strings are length-prefixed, floats are 8 bytes.

// Marks of values.
const (
	markNil byte = iota
	markFalse
	markTrue
	markInt
	markFloat
	markString
	markBytes
	markUTC
	markLocal
	markZone   // an IANA time zone, by name
	markOffset // a zone that is an offset, with a name or without
	markUint
	markFloat32
)

// scanTypes are the Go types that a driver may recommend for a column. Their order is part of the encoding.
func scanTypes() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[any](), reflect.TypeFor[bool](),
		reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](),
		reflect.TypeFor[uint8](), reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](),
		reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[[]byte](),
		reflect.TypeFor[time.Time](), reflect.TypeFor[sql.RawBytes](), reflect.TypeFor[sql.NullBool](),
		reflect.TypeFor[sql.NullInt16](), reflect.TypeFor[sql.NullInt32](), reflect.TypeFor[sql.NullInt64](),
		reflect.TypeFor[sql.NullFloat64](), reflect.TypeFor[sql.NullString](), reflect.TypeFor[sql.NullTime](),
		reflect.TypeFor[sql.NullByte](), reflect.TypeFor[int](), reflect.TypeFor[uint](),
		reflect.TypeFor[sql.Null[any]](),
	}
}

// Encode appends a set to b.
func (p *Player) Encode(b []byte, s *Set) ([]byte, error) {
	if s.Columns.header == "" {
		return nil, fmt.Errorf("%w: columns %v", ErrUnsupported, s.Columns.names)
	}
	b = appendString(b, s.Columns.header)
	b = binary.AppendUvarint(b, uint64(len(s.Rows)))
	var err error
	for _, row := range s.Rows {
		b = append(b, row.packed...)
		for _, v := range row.values {
			if b, err = p.appendValue(b, v); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

// header returns the encoding of columns, or nothing if there are none, or one of a type that is not known.
func (p *Player) header(c *Columns) string {
	if len(c.names) == 0 {
		return ""
	}
	b := binary.AppendUvarint(make([]byte, 0, 32*len(c.names)), uint64(len(c.names)))
	for i := range c.types {
		d := &c.types[i]
		scanType, ok := p.scanTypeCode[d.scanType]
		if !ok && d.scanType != nil {
			return ""
		}
		b = appendString(appendString(b, c.names[i]), d.dbType)
		b = append(b, scanType, flags(d.hasLength, d.hasScale, d.hasNull, d.nullable))
		if d.hasLength {
			b = binary.AppendVarint(b, d.length)
		}
		if d.hasScale {
			b = binary.AppendVarint(binary.AppendVarint(b, d.precision), d.scale)
		}
	}
	return string(b)
}

func flags(bits ...bool) byte {
	var f byte
	for i, on := range bits {
		if on {
			f |= 1 << i
		}
	}
	return f
}

func (p *Player) appendValue(b []byte, v driver.Value) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, markNil), nil
	case bool:
		if v {
			return append(b, markTrue), nil
		}
		return append(b, markFalse), nil
	case int64:
		return binary.AppendVarint(append(b, markInt), v), nil
	case uint64: // MySQL
		return binary.AppendUvarint(append(b, markUint), v), nil
	case float32:
		return binary.LittleEndian.AppendUint32(append(b, markFloat32), math.Float32bits(v)), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, markFloat), math.Float64bits(v)), nil
	case string:
		return appendString(append(b, markString), v), nil
	case []byte:
		return append(binary.AppendUvarint(append(b, markBytes), uint64(len(v))), v...), nil
	case time.Time:
		return p.appendTime(b, v)
	default:
		return nil, fmt.Errorf("%w: value of %T", ErrUnsupported, v)
	}
}

// appendTime keeps the instant, and the location as what it is: what is local here is local where it is read.
func (p *Player) appendTime(b []byte, t time.Time) ([]byte, error) {
	loc := t.Location()
	mark := markUTC
	if loc != time.UTC {
		var err error
		if mark, err = p.zones.mark(loc, t); err != nil {
			return nil, err
		}
	}
	b = append(b, mark)
	if mark == markZone || mark == markOffset {
		b = appendString(b, loc.String())
	}
	if mark == markOffset {
		_, offset := t.Zone()
		b = binary.AppendVarint(b, int64(offset))
	}
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond())), nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
