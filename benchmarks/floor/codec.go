// Package floor is what a cache in Redis costs at least: GET, and a decoder written by hand for each model. It keeps no promise:
// it is told by hand what to forget, and two writers, or a late reader, leave old answers in it.
package floor

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
)

// A Codec writes and reads rows of a model.
type Codec[T any] struct {
	put func([]byte, *T) []byte
	get func(*reader, *T)
}

// errShort is returned for bytes that end too early.
var errShort = errors.New("floor: short value")

// Encode returns rows as they are stored.
func (c Codec[T]) Encode(rows []T) []byte {
	b := binary.AppendUvarint(nil, uint64(len(rows)))
	for i := range rows {
		b = c.put(b, &rows[i])
	}
	return b
}

// Decode returns rows that were stored.
func (c Codec[T]) Decode(b []byte) ([]T, error) {
	r := reader{b: b}
	rows := make([]T, r.int())
	for i := range rows {
		c.get(&r, &rows[i])
	}
	return rows, r.err
}

// reader takes values off the front.
type reader struct {
	b   []byte
	err error
}

func (r *reader) int() int64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.err, r.b = errShort, nil
		return 0
	}
	r.b = r.b[n:]
	return int64(v)
}

func (r *reader) string() string {
	n := r.int()
	if n < 0 || n > int64(len(r.b)) {
		r.err, r.b = errShort, nil
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) float() float64 { return math.Float64frombits(uint64(r.int())) }

func (r *reader) time() time.Time { return time.UnixMicro(r.int()) }

func putInt(b []byte, v int64) []byte { return binary.AppendUvarint(b, uint64(v)) }

func putString(b []byte, s string) []byte { return append(putInt(b, int64(len(s))), s...) }

// Users is the codec of users, without their orders and tags.
func Users() Codec[shop.User] {
	return Codec[shop.User]{
		put: func(b []byte, u *shop.User) []byte {
			b = putString(putString(putString(putInt(b, u.ID), u.Name), u.Email), u.City)
			b = putInt(putInt(b, u.Age), int64(math.Float64bits(u.Score)))
			active := int64(0)
			if u.Active {
				active = 1
			}
			return putInt(putString(putInt(putInt(b, active), u.Balance), u.Bio), u.CreatedAt.UnixMicro())
		},
		get: func(r *reader, u *shop.User) {
			u.ID, u.Name, u.Email, u.City = r.int(), r.string(), r.string(), r.string()
			u.Age, u.Score, u.Active, u.Balance = r.int(), r.float(), r.int() == 1, r.int()
			u.Bio, u.CreatedAt = r.string(), r.time()
		},
	}
}

// Orders is the codec of orders.
func Orders() Codec[shop.Order] {
	return Codec[shop.Order]{
		put: func(b []byte, o *shop.Order) []byte {
			b = putString(putString(putInt(putInt(putInt(b, o.ID), o.UserID), o.Total), o.Status), o.Note)
			return putInt(b, o.CreatedAt.UnixMicro())
		},
		get: func(r *reader, o *shop.Order) {
			o.ID, o.UserID, o.Total, o.Status, o.Note = r.int(), r.int(), r.int(), r.string(), r.string()
			o.CreatedAt = r.time()
		},
	}
}

// Tags is the codec of tags.
func Tags() Codec[shop.Tag] {
	return Codec[shop.Tag]{
		put: func(b []byte, t *shop.Tag) []byte { return putString(putInt(b, t.ID), t.Name) },
		get: func(r *reader, t *shop.Tag) { t.ID, t.Name = r.int(), r.string() },
	}
}

// UserTags is the codec of links.
func UserTags() Codec[shop.UserTag] {
	return Codec[shop.UserTag]{
		put: func(b []byte, l *shop.UserTag) []byte { return putInt(putInt(b, l.UserID), l.TagID) },
		get: func(r *reader, l *shop.UserTag) { l.UserID, l.TagID = r.int(), r.int() },
	}
}

// Lines is the codec of orders with their users' names.
func Lines() Codec[shop.OrderLine] {
	return Codec[shop.OrderLine]{
		put: func(b []byte, l *shop.OrderLine) []byte {
			return putString(putString(putInt(putInt(b, l.ID), l.Total), l.Status), l.Name)
		},
		get: func(r *reader, l *shop.OrderLine) {
			l.ID, l.Total, l.Status, l.Name = r.int(), r.int(), r.string(), r.string()
		},
	}
}

// Counts is the codec of counts.
func Counts() Codec[int64] {
	return Codec[int64]{
		put: func(b []byte, n *int64) []byte { return putInt(b, *n) },
		get: func(r *reader, n *int64) { *n = r.int() },
	}
}
