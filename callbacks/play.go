package callbacks

import (
	"cmp"
	"database/sql/driver"
	"errors"
	"slices"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/keying"
)

var (
	errEntry     = errors.New("an entry does not decode, or does not fit the others")
	errUnordered = errors.New("the rows of several scopes cannot be put in order")
)

// play puts the answer together.
func (q *query) play(r consistency.Reading) (rowcodec.Playback, error) {
	if q.whole != nil {
		return *q.whole, nil
	}
	byKey := len(q.entries) > 1 && q.rows.scope == ""
	var order []int
	if byKey {
		order = q.rows.sorted()
	}
	all := q.s.h.player.NewSet(nil)
	all.Rows = make([]rowcodec.Row, 0, len(q.entries))
	ends := make([]int, len(q.entries))
	for i := range ends {
		at := i
		if byKey {
			at = order[i]
		}
		if !q.part(all, r, at) {
			return rowcodec.Playback{}, errEntry
		}
		ends[i] = len(all.Rows)
	}
	if len(ends) == 1 || byKey {
		return rowcodec.Playback{Set: all}, nil
	}
	return q.rows.merge(all, ends)
}

// part adds the rows of an entry to a set.
func (q *query) part(all *rowcodec.Set, r consistency.Reading, entry int) bool {
	if r.Payloads[entry].Hit {
		err := q.s.h.player.Append(all, r.Payloads[entry].Data)
		if err != nil {
			q.s.h.opt.Protocol.Corrupt(q.st.ctx, string(q.entries[entry].Key))
		}
		return err == nil
	}
	part, ok := r.Results[entry].(set)
	if !ok || all.Columns != nil && !all.Columns.Equal(part.Columns) {
		return false
	}
	all.Columns = part.Columns
	all.Rows = append(all.Rows, part.Rows...)
	return true
}

// A head is the next row of a scope, with what it is put in order by.
type head struct {
	next, end int
	values    []driver.Value
}

// merge puts the rows of several scopes together, each time the least of those that come next: rows of one scope stay in the
// order in which the database returned them. Ends says where those of each scope end. Whether rows can be compared shows in
// their values: SQLite keeps any in any column.
func (l *lookup) merge(all *rowcodec.Set, ends []int) (rowcodec.Playback, error) {
	at := make([]int, len(l.order))
	for i, o := range l.order {
		if at[i] = all.Columns.Index(o.Column); at[i] < 0 {
			return rowcodec.Playback{}, errUnordered
		}
	}
	heads := make([]head, 0, len(ends))
	begin := 0
	for _, end := range ends {
		if begin < end {
			h := head{next: begin, end: end, values: make([]driver.Value, len(at))}
			h.read(all, at)
			heads = append(heads, h)
		}
		begin = end
	}
	merged := make([]rowcodec.Row, 0, len(all.Rows))
	for len(heads) > 0 {
		least := 0
		for i := 1; i < len(heads); i++ {
			c, ok := l.compareHeads(heads[i].values, heads[least].values)
			if !ok {
				return rowcodec.Playback{}, errUnordered
			}
			if c < 0 {
				least = i
			}
		}
		h := &heads[least]
		merged = append(merged, all.Rows[h.next])
		if h.next++; h.next == h.end {
			heads = slices.Delete(heads, least, least+1)
		} else {
			h.read(all, at)
		}
	}
	all.Rows = merged
	return rowcodec.Playback{Set: all}, nil
}

func (h *head) read(all *rowcodec.Set, at []int) {
	for i, column := range at {
		h.values[i] = all.Value(h.next, column)
	}
}

// compareHeads orders rows by the values of the columns that say so.
func (l *lookup) compareHeads(a, b []driver.Value) (order int, ok bool) {
	for i, o := range l.order {
		c, ok := compareValues(a[i], b[i], l.nullsFirst)
		if !ok || c != 0 && !o.Descending {
			return c, ok
		}
		if c != 0 {
			return -c, true
		}
	}
	return 0, true
}

// compareValues orders integers by value, and texts by their bytes. NULL is greater than any value, or less.
func compareValues(a, b driver.Value, nullsFirst bool) (order int, ok bool) {
	if a == nil || b == nil {
		order = cmp.Compare(rankOfNull(a), rankOfNull(b))
		if nullsFirst {
			order = -order
		}
		return order, true
	}
	if x, ok := a.(int64); ok {
		y, ok := b.(int64)
		return cmp.Compare(x, y), ok
	}
	x, okX := a.(string)
	y, okY := b.(string)
	return cmp.Compare(x, y), okX && okY
}

func rankOfNull(v driver.Value) int {
	if v == nil {
		return 1
	}
	return 0
}

// sorted returns the positions of the keys in the order of the answer.
func (l *lookup) sorted() []int {
	order := make([]int, len(l.keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if l.descending {
			a, b = b, a
		}
		return l.compare(l.keys[a].String(), l.keys[b].String())
	})
	return order
}

// compare orders keys: integers by value, anything else by its bytes.
func (l *lookup) compare(a, b string) int {
	if len(l.kinds) > 1 || l.kinds[0] == keying.Text {
		return cmp.Compare(a, b)
	}
	negativeA, negativeB := a[0] == '-', b[0] == '-'
	switch {
	case negativeA && negativeB:
		return compareDigits(b[1:], a[1:])
	case negativeA:
		return -1
	case negativeB:
		return 1
	default:
		return compareDigits(a, b)
	}
}

// compareDigits orders numbers without leading zeros: they may be greater than any type holds.
func compareDigits(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}
