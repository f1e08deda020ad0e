package callbacks

import (
	"cmp"
	"database/sql/driver"
	"slices"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/keying"
)

// play puts the answer together. It answers false if an entry does not decode, or does not fit the others.
func (q *query) play(r consistency.Reading) (rowcodec.Playback, bool) {
	if q.whole != nil {
		return *q.whole, true
	}
	sets := make([]*rowcodec.Set, len(q.entries))
	for i := range sets {
		if r.Payloads[i].Hit {
			decoded, err := q.s.h.player.Decode(r.Payloads[i].Data)
			if err != nil {
				return rowcodec.Playback{}, false
			}
			sets[i] = decoded
		} else if part, ok := r.Results[i].(set); ok {
			sets[i] = part.Set
		}
		if sets[i] == nil || !sets[i].Columns.Equal(sets[0].Columns) {
			return rowcodec.Playback{}, false
		}
	}
	if len(sets) == 1 {
		return rowcodec.Playback{Set: sets[0]}, true
	}
	if q.rows.scope != "" {
		return q.rows.merge(sets)
	}
	return rowcodec.Playback{Set: q.rows.join(sets)}, true
}

// merge puts the rows of several scopes together, each time the least of those that come next: rows of one scope stay in the
// order in which the database returned them. It answers false if rows cannot be compared after all.
func (l *lookup) merge(sets []*rowcodec.Set) (rowcodec.Playback, bool) {
	merged := &rowcodec.Set{Columns: sets[0].Columns}
	at := make([]int, len(l.order))
	for i, o := range l.order {
		if at[i] = merged.Columns.Index(o.Column); at[i] < 0 {
			return rowcodec.Playback{}, false
		}
	}
	next := make([][][]driver.Value, 0, len(sets))
	for _, s := range sets {
		if len(s.Rows) > 0 {
			next = append(next, s.Rows)
		}
	}
	for len(next) > 0 {
		least := 0
		for i := 1; i < len(next); i++ {
			c, ok := l.compareRows(next[i][0], next[least][0], at)
			if !ok {
				return rowcodec.Playback{}, false
			}
			if c < 0 {
				least = i
			}
		}
		merged.Rows = append(merged.Rows, next[least][0])
		if next[least] = next[least][1:]; len(next[least]) == 0 {
			next = slices.Delete(next, least, least+1)
		}
	}
	return rowcodec.Playback{Set: merged}, true
}

// compareRows orders rows by the columns at some positions.
func (l *lookup) compareRows(a, b []driver.Value, at []int) (order int, ok bool) {
	for i, o := range l.order {
		c, ok := compareValues(a[at[i]], b[at[i]], l.nullsFirst)
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

// join puts rows into the order of their keys.
func (l *lookup) join(sets []*rowcodec.Set) *rowcodec.Set {
	order := make([]int, len(sets))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if l.descending {
			a, b = b, a
		}
		return l.compare(l.keys[a].String(), l.keys[b].String())
	})
	joined := &rowcodec.Set{Columns: sets[0].Columns}
	for _, i := range order {
		joined.Rows = append(joined.Rows, sets[i].Rows...)
	}
	return joined
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
