package tests_test

import (
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

type parcel struct {
	ID     int64
	A, B   string
	Data   []byte
	Weight float64
	Sent   time.Time
	Local  time.Time `gorm:"type:timestamp"`
	Note   *string
	Fast   bool
}

// Queries of one text whose arguments are nearly the same: each gets its own answer.
func TestArgumentsThatAreNearlyTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&parcel{})
	at := time.Date(2024, 1, 2, 3, 4, 5, 6000, time.UTC)
	empty, one := "", "1"
	require.NoError(t, plain.Create(&[]parcel{
		{A: "a", B: "bc", Data: []byte("1"), Weight: 1, Sent: at, Local: at, Note: nil, Fast: true},
		{A: "ab", B: "c", Data: []byte{}, Weight: math.Copysign(0, -1), Sent: at.Add(time.Hour), Local: at.Add(time.Hour), Note: &empty},
		{A: "a b", B: "c", Data: []byte{0}, Weight: math.Inf(1), Sent: at.Add(time.Microsecond), Local: at, Note: &one},
		{A: "a", B: "b c", Data: []byte("\x00\x01"), Weight: math.NaN(), Sent: at, Local: at, Note: &one},
		{A: "bc", B: "a", Weight: 0.1 + 0.2, Sent: at, Local: at},
		{A: "1", B: "true", Weight: 0.3, Sent: at, Local: at, Fast: true},
		{A: "<nil>", B: "", Weight: math.MaxFloat64, Sent: at, Local: at},
		{A: "a','b", B: `"`, Weight: 1e-300, Sent: at, Local: at},
	}).Error)
	type status string
	type word string
	ids := func(tx *gorm.DB) any {
		all := []int64{}
		for _, p := range *tx.Statement.Dest.(*[]parcel) {
			all = append(all, p.ID)
		}
		slices.Sort(all)
		return fmt.Sprint(tx.Error, tx.RowsAffected, all)
	}
	h := w.cached()
	for _, c := range []struct {
		where string
		args  [][]any
	}{
		{"a = ? AND b = ?", [][]any{
			{"a", "bc"},
			{"ab", "c"},
			{"a b", "c"},
			{"a", "b c"},
			{"bc", "a"},
			{"a','b", `"`},
			{status("a"), word("bc")},
			{"", "abc"},
			{"abc", ""},
			{&one, "true"},
			{sql.NullString{String: "a", Valid: true}, "bc"},
			{sql.NullString{String: "a"}, "bc"},
			{nil, nil},
			{"<nil>", ""},
			{"A", "BC"},
			{"a", []byte("bc")},
		}},
		{"b = ? AND a = ?", [][]any{{"bc", "a"}, {"a", "bc"}}},
		{"a IN ? AND b IN ?", [][]any{
			{[]string{"a"}, []string{"bc", "c"}},
			{[]string{"a", "bc"}, []string{"c"}},
			{[]string{"a", "ab"}, []string{"bc"}},
			{[]string{"a,ab"}, []string{"bc"}},
			{[]string{}, []string{"bc"}},
			{[]string{"a"}, []string{}},
		}},
		{"note = ?", [][]any{{nil}, {""}, {"1"}, {(*string)(nil)}, {&empty}, {&one}, {sql.NullString{}}, {sql.NullString{Valid: true}}}},
		{"note IS NOT DISTINCT FROM ?", [][]any{{nil}, {""}, {"1"}, {(*string)(nil)}, {&empty}, {sql.NullString{}}}},
		{"data = ?", [][]any{{[]byte(nil)}, {[]byte{}}, {[]byte("1")}, {[]byte{0}}, {[]byte("\x00\x01")}, {"1"}, {sql.RawBytes("1")}}},
		{"weight = ?", [][]any{
			{0.0},
			{math.Copysign(0, -1)},
			{1},
			{1.0},
			{float32(1)},
			{0.3},
			{0.1 + 0.2},
			{float32(0.3)},
			{math.NaN()},
			{math.Inf(1)},
			{math.Inf(-1)},
			{math.MaxFloat64},
			{uint64(math.MaxUint64)},
			{int64(math.MaxInt64)},
			{sql.NullFloat64{}},
			{sql.NullFloat64{Float64: 1, Valid: true}},
		}},
		{"sent = ?", [][]any{
			{at},
			{at.Local()},
			{at.In(time.FixedZone("x", 3600))},
			{at.Add(time.Hour)},
			{at.Add(time.Microsecond)},
			{at.Add(time.Nanosecond)},
			{sql.NullTime{Time: at, Valid: true}},
			{sql.NullTime{}},
			{at.Format(time.RFC3339Nano)},
			{time.Time{}},
			{time.Date(2024, 1, 2, 4, 4, 5, 6000, time.FixedZone("", 3600))},
			{time.Date(2024, 1, 2, 4, 4, 5, 6000, time.UTC)},
		}},
		// A column without a time zone takes what the clock shows.
		{"local = ?", [][]any{
			{at}, {at.In(time.FixedZone("x", 3600))}, {at.Add(time.Hour)}, {time.Date(2024, 1, 2, 4, 4, 5, 6000, time.FixedZone("", 3600))},
		}},
		{"fast = ?", [][]any{{true}, {false}, {"true"}, {"f"}, {sql.NullBool{}}, {sql.NullBool{Valid: true}}}},
		{"id = ?", [][]any{
			{1},
			{"1"},
			{"01"},
			{int8(1)},
			{uint64(1)},
			{1.0},
			{float32(1)},
			{uint64(math.MaxUint64)},
			{int64(math.MinInt64)},
			{"+1"},
			{" 1 "},
			{true},
			{nil},
			{"a"},
			{""},
			{sql.NullInt64{Int64: 1, Valid: true}},
			{sql.NullInt64{Int64: 1}},
			{time.Duration(1)},
			{"1.0"},
			{-1},
		}},
		{"id IN ?", [][]any{
			{[]int{1, 2}},
			{[]int{2, 1}},
			{[]int{1, 1, 1}},
			{[]int{12}},
			{[]string{"1", "2"}},
			{[]string{"1,2"}},
			{[]any{1, "2"}},
			{[]any{1, nil}},
			{[]int{}},
			{[]int(nil)},
			{[]int8{1}},
			{[2]int{1, 2}},
			{[]*string{&one, nil}},
			{[]float64{1}},
		}},
		{"id NOT IN ?", [][]any{{[]int{1, 2}}, {[]int{1}}, {[]int{}}}},
		{"id = ? OR id = ?", [][]any{{1, 2}, {2, 1}, {1, 1}, {12, 1}, {1, 21}}},
		{"a LIKE ?", [][]any{{"a%"}, {"%"}, {`a\%`}, {"a_b"}}},
	} {
		// All of them are stored before any is compared for the last time.
		for range 3 {
			for _, args := range c.args {
				read := func(db *gorm.DB) any {
					var got []parcel
					return ids(db.Where(c.where, args...).Order("parcels.a, id").Find(&got))
				}
				require.Equal(t, read(plain.DB), read(h.DB), "%s %#v", c.where, args)
				point := func(db *gorm.DB) any {
					var got []parcel
					return ids(db.Where(c.where, args...).Find(&got))
				}
				require.Equal(t, point(plain.DB), point(h.DB), "%s %#v", c.where, args)
			}
		}
	}
}

// The offset of a zone may have seconds, as that of Amsterdam had until 1937.
func TestTimesInZonesThatDifferBySeconds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&parcel{})
	require.NoError(t, plain.Create(&parcel{Sent: time.Date(1930, 1, 2, 11, 40, 40, 0, time.UTC)}).Error)
	h := w.cached()
	for range 3 {
		for _, offset := range []int{1172, 1140, 1172} {
			at := time.Date(1930, 1, 2, 12, 0, 0, 0, time.FixedZone("", offset))
			agrees(t, plain, h, at.UTC().String(), func(db *gorm.DB) any {
				var n int64
				require.NoError(t, db.Model(&parcel{}).Where("sent < ?", at).Count(&n).Error)
				return n
			})
		}
	}
}

// An argument that the driver refuses, next to one whose row is stored: the error is that of the program's statement.
func TestErrorOfAnArgumentAmongOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	h.warm(t, func(db *gorm.DB) { db.Find(&[]member{}, []int{1, 2}) })
	agrees(t, plain, h, "too great", func(db *gorm.DB) any {
		return fmt.Sprint(db.Find(&[]member{}, []uint64{1, math.MaxUint64}).Error)
	})
}

type codename string

// TextValue is what the driver sends in place of the string.
func (c codename) TextValue() (pgtype.Text, error) {
	return pgtype.Text{String: "agent " + string(c), Valid: true}, nil
}

type agent struct {
	ID   string `gorm:"primaryKey"`
	Name string
}

// The driver asks a value of a type that knows how to write itself: the row is not that of the bare string.
func TestKeyOfATypeThatTheDriverAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&agent{})
	require.NoError(t, plain.Create(&[]agent{{"x", "bare"}, {"agent x", "by method"}}).Error)
	h, other := w.cached(), w.cached()
	read := func(key any) func(*gorm.DB) any {
		return func(db *gorm.DB) any {
			var a agent
			require.NoError(t, db.First(&a, "id = ?", key).Error)
			return a
		}
	}
	for range 3 { // whichever comes first
		for _, key := range []any{codename("x"), "x", "agent x"} {
			agrees(t, plain, h, fmt.Sprintf("%T %v", key, key), read(key))
		}
	}
	many := func(db *gorm.DB) any {
		var a []agent
		require.NoError(t, db.Find(&a, "id IN ?", []codename{"x", "y"}).Error)
		return a
	}
	agrees(t, plain, h, "several", many)
	h.warm(t, func(db *gorm.DB) { read("x")(db) })
	h.warm(t, func(db *gorm.DB) { read("agent x")(db) })
	require.NoError(t, other.Model(&agent{}).Where("id = ?", codename("x")).Update("name", "changed").Error)
	for _, key := range []any{"x", "agent x", codename("x")} {
		agrees(t, plain, h, fmt.Sprintf("%T %v, changed", key, key), read(key))
	}
}

type placard struct {
	ID   int
	Name string
	Rank int
}

// A query may give the key's name to another column.
func TestKeyWhoseNameIsGivenToAnotherColumn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&placard{})
	require.NoError(t, plain.Create(&[]placard{{1, "2", 2}, {2, "1", 1}, {3, "3", 9}}).Error)
	for name, text := range map[string]string{
		"exchanged":         "SELECT rank AS id, id AS rank, name FROM placards WHERE id IN (1, 2)",
		"exchanged, as":     "SELECT rank id, name FROM placards WHERE placards.id IN (1, 2)",
		"exchanged, text":   "SELECT name AS id, id AS name FROM placards WHERE id IN (1, 2)",
		"ordered by alias":  "SELECT id AS rank, rank AS id, name FROM placards WHERE id IN (1, 2, 3) ORDER BY id",
		"ordered by rank":   "SELECT id AS rank, name, id FROM placards WHERE id IN (1, 2, 3) ORDER BY rank DESC",
		"key at the end":    "SELECT name AS a, id FROM placards WHERE id IN (1, 2, 3) ORDER BY id",
		"same column twice": "SELECT id, name, name FROM placards WHERE id IN (1, 2) ORDER BY id",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := w.cached()
			read := func(where string) func(*gorm.DB) any {
				return func(db *gorm.DB) any {
					var got []map[string]any
					require.NoError(t, db.Raw(where).Scan(&got).Error)
					return got
				}
			}
			head, _, _ := strings.Cut(text, " WHERE ")
			for range 2 {
				want := read(text)(plain.DB)
				require.Equal(t, want, read(text)(h.DB))
				waitFor(t, func() bool { return h.log.lastOutcome() != "" })
				// The rows that were stored one by one, asked for one by one.
				for id := 1; id <= 3; id++ {
					agrees(t, plain, h, strconv.Itoa(id), read(fmt.Sprintf("%s WHERE id = %d", head, id)))
					agrees(t, plain, h, strconv.Itoa(id), read(fmt.Sprintf("%s WHERE placards.id = %d", head, id)))
				}
				agrees(t, plain, h, name, read(text))
			}
		})
	}
}
