package rowcodec

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"math"
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
	r := reader{data: data, p: p, clone: len(data) > maxShared}
	header := r.string()
	columns := p.columns(header, &r)
	rows := r.uvarint()
	if r.failed || columns == nil || rows > uint64(len(r.data)/len(columns.names)) {
		return nil, ErrCorrupt // a value is a byte at least
	}
	s := &Set{Columns: columns, Rows: make([][]driver.Value, rows)}
	width := len(columns.names)
	values := make([]driver.Value, int(rows)*width)
	for i := range values {
		values[i] = r.value()
	}
	if r.failed || r.data != "" {
		return nil, ErrCorrupt
	}
	for i := range s.Rows {
		s.Rows[i] = values[i*width : (i+1)*width : (i+1)*width]
	}
	return s, nil
}

// A reader takes values off the front of data. After a failure it returns zero values.
type reader struct {
	data   string
	failed bool
	p      *Player
	// clone is set if strings must not be parts of data.
	clone bool
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

func (r *reader) value() driver.Value {
	switch mark := r.byte(); mark {
	case markNil:
		return nil
	case markFalse:
		return false
	case markTrue:
		return true
	case markInt:
		return r.varint()
	case markFloat:
		if len(r.data) < 8 {
			r.fail()
			return nil
		}
		bits := binary.LittleEndian.Uint64([]byte(r.data[:8]))
		r.data = r.data[8:]
		return math.Float64frombits(bits)
	case markUint:
		return r.uvarint()
	case markFloat32:
		if len(r.data) < 4 {
			r.fail()
			return nil
		}
		bits := binary.LittleEndian.Uint32([]byte(r.data[:4]))
		r.data = r.data[4:]
		return math.Float32frombits(bits)
	case markString:
		s := r.string()
		if r.clone {
			s = strings.Clone(s)
		}
		return s
	case markBytes:
		return []byte(r.string())
	case markUTC, markLocal, markZone, markOffset:
		return r.time(mark)
	default:
		r.fail()
		return nil
	}
}

func (r *reader) time(mark byte) driver.Value {
	loc := time.UTC
	switch mark {
	case markLocal:
		loc = time.Local //nolint:gosmopolitan // what the driver would have returned here
	case markZone:
		if loc = r.p.zones.load(r.string()); loc == nil {
			r.fail()
			return nil
		}
	case markOffset:
		name := r.string()
		loc = r.p.zones.fixed(name, r.varint())
	}
	sec, nsec := r.varint(), r.uvarint()
	if nsec >= 1e9 {
		r.fail()
		return nil
	}
	return time.Unix(sec, int64(nsec)).In(loc)
}

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
	if n == 0 || n > uint64(len(header)) {
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
