package rowcodec

import (
	"database/sql/driver"
	"math"
	"slices"
	"strings"
	"time"
)

// A Row is one row of a set: what the driver returned, or its encoding. It does not change.
type Row struct {
	values []driver.Value
	packed string
	// large is set if packed is a part of something that must not be kept for the sake of one string.
	large bool
}

// A Kind is the type of a [Value].
type Kind uint8

// The kinds are the types that drivers return. Other is any type that is not encoded.
const (
	Null Kind = iota
	Bool
	Int
	Uint
	Float32
	Float64
	Text
	Bytes
	Time
	Other
)

// A Value is one value of a row. Unlike a [driver.Value] it is not allocated.
type Value struct {
	Kind  Kind
	bits  uint64
	text  string
	time  time.Time
	other driver.Value
}

// Bool returns the value of a Bool.
func (v *Value) Bool() bool { return v.bits != 0 }

// Int returns the value of an Int.
func (v *Value) Int() int64 { return int64(v.bits) }

// Uint returns the value of a Uint.
func (v *Value) Uint() uint64 { return v.bits }

// Float returns the value of a Float64.
func (v *Value) Float() float64 { return math.Float64frombits(v.bits) }

// Text returns the value of a Text, or the bytes of a Bytes.
func (v *Value) Text() string { return v.text }

// Time returns the value of a Time.
func (v *Value) Time() time.Time { return v.time }

// Driver returns the value as the driver returned it. Bytes are a copy, which a Scanner may keep and write to.
func (v *Value) Driver() driver.Value {
	switch v.Kind {
	case Null:
		return nil
	case Bool:
		return v.Bool()
	case Int:
		return v.Int()
	case Uint:
		return v.Uint()
	case Float32:
		return math.Float32frombits(uint32(v.bits))
	case Float64:
		return v.Float()
	case Text:
		return v.text
	case Bytes:
		return []byte(v.text)
	case Time:
		return v.time
	default:
		return v.other
	}
}

// take is the opposite of Driver.
func (v *Value) take(from driver.Value) {
	switch from := from.(type) {
	case nil:
		v.Kind = Null
	case bool:
		v.Kind, v.bits = Bool, 0
		if from {
			v.bits = 1
		}
	case int64:
		v.Kind, v.bits = Int, uint64(from)
	case uint64:
		v.Kind, v.bits = Uint, from
	case float32:
		v.Kind, v.bits = Float32, uint64(math.Float32bits(from))
	case float64:
		v.Kind, v.bits = Float64, math.Float64bits(from)
	case string:
		v.Kind, v.text = Text, from
	case []byte:
		v.Kind, v.text = Bytes, string(from)
	case time.Time:
		v.Kind, v.time = Time, from
	default:
		v.Kind, v.other = Other, from
	}
}

// A RowReader reads the values of a row, one after the other.
type RowReader struct {
	packed reader
	values []driver.Value
	large  bool
}

// Read returns a reader of a row.
func (s *Set) Read(row int) RowReader {
	r := &s.Rows[row]
	return RowReader{packed: reader{data: r.packed, p: s.player}, values: r.values, large: r.large}
}

// Next takes the next value. There must be one.
func (r *RowReader) Next(v *Value) {
	if r.values != nil {
		v.take(r.values[0])
		r.values = r.values[1:]
		return
	}
	r.packed.next(v)
	if r.large && v.Kind == Text {
		v.text = strings.Clone(v.text)
	}
}

// Value returns the value of a column.
func (s *Set) Value(row, column int) driver.Value {
	if values := s.Rows[row].values; values != nil {
		return values[column]
	}
	var v Value
	r := s.Read(row)
	for range column + 1 {
		r.Next(&v)
	}
	return v.Driver()
}

// copyTo returns the values of a row. Bytes are copies, as a Scanner might keep them and write to them.
func (s *Set) copyTo(dest []driver.Value, row int) {
	if values := s.Rows[row].values; values != nil {
		copy(dest, values)
		for i, v := range dest {
			if b, ok := v.([]byte); ok {
				dest[i] = slices.Clone(b)
			}
		}
		return
	}
	var v Value
	r := s.Read(row)
	for i := range dest {
		r.Next(&v)
		dest[i] = v.Driver()
	}
}
