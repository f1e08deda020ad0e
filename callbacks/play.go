package callbacks

import (
	"cmp"
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
	return rowcodec.Playback{Set: q.rows.join(sets)}, true
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
	if len(l.kinds) > 1 || l.kinds[0] != keying.Integer {
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
