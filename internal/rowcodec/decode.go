package rowcodec

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// ErrCorrupt is returned for bytes that Encode did not make.
var ErrCorrupt = errors.New("rowcodec: corrupt")

// maxShared is the length of data that strings may be parts of. Who keeps one string of a longer one would keep all of
// it.
const maxShared = 64 << 10

// Decode returns the set that was encoded. It takes no more memory than data warrants, whatever is in it.
func (p *Player) Decode(data string) (*Set, error) {
	s := &Set{}
	if err := p.Append(s, data); err != nil {
		return nil, err
	}
	return s, nil
}

// Append adds the rows of a set that was encoded to another one of the same columns; to one without columns, these, too.
// The rows stay encoded until they are read, and cannot fail then. It is ErrCorrupt if the columns differ, or for bytes that
// Encode did not make; s has then as many rows as before.
func (p *Player) Append(s *Set, data string) error {
	r := reader{data: data, p: p}
	header := r.string()
	columns := s.Columns
	if columns == nil || columns.header != header {
		if columns = p.columns(header, &r); s.Columns != nil {
			return ErrCorrupt
		}
	}
	n := r.uvarint()
	if r.failed || columns == nil || n > uint64(len(r.data)/len(columns.names)) {
		return ErrCorrupt // a value is a byte at least
	}
	had := len(s.Rows)
	if n > 1 {
		s.Rows = slices.Grow(s.Rows, int(n))
	}
	var v Value
	for range n {
		row := r.data
		for range columns.names {
			r.next(&v)
		}
		s.Rows = append(s.Rows, Row{packed: row[:len(row)-len(r.data)], large: len(data) > maxShared})
	}
	if r.failed || r.data != "" {
		s.Rows = s.Rows[:had]
		return ErrCorrupt
	}
	s.Columns, s.player = columns, p
	return nil
}

// A reader takes values off the front of data. After a failure it returns zero values.
type reader struct {
	data   string
	failed bool
	p      *Player
}

func (r *reader) fail() {
	r.failed, r.data = true, ""
}

func (r *reader) byte() byte {
	if r.data == "" {
		r.fail()
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	var x uint64
	for shift := 0; shift < 64; shift += 7 {
		b := r.byte()
		if b < 0x80 {
			return x | uint64(b)<<shift
		}
		x |= uint64(b&0x7f) << shift
	}
	r.fail()
	return 0
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) string() string {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.fail()
		return ""
	}
	s := r.data[:n]
	r.data = r.data[n:]
	return s
}

// next takes a value.
func (r *reader) next(v *Value) {
	switch mark := r.byte(); mark {
	case markNil:
		v.Kind = Null
	case markFalse, markTrue:
		v.Kind, v.bits = Bool, uint64(mark-markFalse)
	case markInt:
		v.Kind, v.bits = Int, uint64(r.varint())
	case markUint:
		v.Kind, v.bits = Uint, r.uvarint()
	case markFloat:
		v.Kind, v.bits = Float64, r.fixed(8)
	case markFloat32:
		v.Kind, v.bits = Float32, r.fixed(4)
	case markString:
		v.Kind, v.text = Text, r.string()
	case markBytes:
		v.Kind, v.text = Bytes, r.string()
	case markUTC, markLocal, markZone, markOffset:
		v.Kind, v.time = Time, r.time(mark)
	default:
		r.fail()
	}
}

// fixed takes an integer of so many bytes, little-endian.
func (r *reader) fixed(bytes int) (x uint64) {
	if len(r.data) < bytes {
		r.fail()
		return 0
	}
	for i := range bytes {
		x |= uint64(r.data[i]) << (8 * i)
	}
	r.data = r.data[bytes:]
	return x
}

func (r *reader) time(mark byte) time.Time {
	loc := time.UTC
	switch mark {
	case markLocal:
		loc = time.Local //nolint:gosmopolitan // what the driver would have returned here
	case markZone:
		if loc = r.p.zones.load(r.string()); loc == nil {
			r.fail()
			return time.Time{}
		}
	case markOffset:
		name := r.string()
		loc = r.p.zones.fixed(name, r.varint())
	}
	sec, nsec := r.varint(), r.uvarint()
	if nsec >= 1e9 {
		r.fail()
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).In(loc)
}

// minColumn is the least size of a column's encoding: two lengths, a type and flags.
const minColumn = 4

// columns decodes a header; most often it is one that was decoded before.
func (p *Player) columns(header string, r *reader) *Columns {
	if r.failed {
		return nil
	}
	if c, ok := p.headers.get(header); ok {
		return c
	}
	h := reader{data: header}
	n := h.uvarint()
	if n == 0 || n > uint64(len(header)/minColumn) {
		return nil
	}
	c := &Columns{names: make([]string, n), types: make([]column, n), header: strings.Clone(header)}
	for i := range c.types {
		h.column(&c.names[i], &c.types[i], p)
	}
	if h.failed || h.data != "" {
		return nil
	}
	p.headers.put(c.header, c)
	return c
}

func (r *reader) column(name *string, d *column, p *Player) {
	*name = strings.Clone(r.string()) // outlives data
	d.dbType = strings.Clone(r.string())
	scanType, flags := int(r.byte()), r.byte()
	if scanType >= len(p.scanTypes) || flags > 15 {
		r.fail()
		return
	}
	d.scanType = p.scanTypes[scanType]
	d.hasLength, d.hasScale, d.hasNull, d.nullable = flags&1 != 0, flags&2 != 0, flags&4 != 0, flags&8 != 0
	if d.hasLength {
		d.length = r.varint()
	}
	if d.hasScale {
		d.precision, d.scale = r.varint(), r.varint()
	}
}
