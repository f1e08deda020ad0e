package rowcodec_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

func player(t testing.TB) *rowcodec.Player {
	t.Helper()
	p := rowcodec.NewPlayer()
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

var unlimited = rowcodec.Limits{Rows: 1 << 20, Bytes: 1 << 30}

// everyType selects a value of every kind that PostgreSQL knows, and a NULL of it.
const everyType = `
SELECT * FROM (VALUES (
  1::int2, 2::int4, 9007199254740993::int8, 1.5::float4, 'NaN'::float8, 0.1::float8, true, 12345678901234567890.123::numeric,
  'text'::text, 'pad'::char(5), 'var'::varchar(10), '\x00ff'::bytea, '{"a": [1, null]}'::jsonb, '{"a":1}'::json,
  '<a/>'::xml, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '2026-01-02'::date, 'infinity'::date, '04:05:06'::time,
  '2026-01-02 03:04:05.678901'::timestamp, '2026-01-02 03:04:05+02'::timestamptz, '-infinity'::timestamptz,
  '1 day 2 hours'::interval, '{1,2,NULL}'::int[], '{a,"b c"}'::text[], '127.0.0.1/8'::inet, '08:00:2b:01:02:03'::macaddr,
  '[1,5)'::int4range, '(1,2)'::point, B'101'::bit(3), 7::oid, 'x'::name, ROW(1, 'a'), '$1.00'::money, 'a'::"char",
  1.5::numeric(8,2)
), (
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
)) AS v`

// scanAll returns what is scanned from rows into any, and what is told of the columns.
func scanAll(t *testing.T, rows *sql.Rows) (values [][]any, columns []string) {
	t.Helper()
	defer rows.Close()
	types, err := rows.ColumnTypes()
	require.NoError(t, err)
	for _, c := range types {
		length, hasLength := c.Length()
		precision, scale, hasScale := c.DecimalSize()
		nullable, hasNull := c.Nullable()
		text, err := json.Marshal([]any{
			c.Name(), c.DatabaseTypeName(), c.ScanType().String(), length, hasLength, precision, scale, hasScale, nullable, hasNull,
		})
		require.NoError(t, err)
		columns = append(columns, string(text))
	}
	for rows.Next() {
		row, into := make([]any, len(types)), make([]any, len(types))
		for i := range row {
			into[i] = &row[i]
		}
		require.NoError(t, rows.Scan(into...))
		values = append(values, row)
	}
	require.NoError(t, rows.Err())
	return values, columns
}

// same compares values with their Go types; NaN is NaN, and times have their zone.
func same(t *testing.T, want, got [][]any) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		for j := range want[i] {
			w, g := want[i][j], got[i][j]
			require.Equal(t, reflect.TypeOf(w), reflect.TypeOf(g), "row %d column %d", i, j)
			if f, ok := w.(float64); ok && math.IsNaN(f) {
				require.True(t, math.IsNaN(g.(float64)))
				continue
			}
			if at, ok := w.(time.Time); ok {
				require.True(t, at.Equal(g.(time.Time)))
				require.Equal(t, at.Location().String(), g.(time.Time).Location().String())
				require.Equal(t, at.String(), g.(time.Time).String())
				continue
			}
			require.Equal(t, w, g, "row %d column %d", i, j)
		}
	}
}

func TestRowsComeBackAsTheDriverReturnedThem(t *testing.T) {
	t.Parallel()
	dsn := testkit.Postgres(t)
	for _, mode := range []string{"", "&default_query_exec_mode=simple_protocol", "&TimeZone=Asia/Tokyo"} {
		db := testkit.OpenPostgres(t, dsn+mode)
		p := player(t)
		query := func() *sql.Rows {
			rows, err := db.QueryContext(t.Context(), everyType)
			require.NoError(t, err)
			require.NoError(t, rows.Err())
			return rows
		}
		want, columns := scanAll(t, query())
		live := query()
		set, more, err := p.Capture(live, unlimited)
		require.NoError(t, err)
		require.False(t, more)
		require.NoError(t, live.Close())
		data, err := p.Encode(nil, set)
		require.NoError(t, err)
		for _, q := range []*rowcodec.Player{p, player(t)} { // in this process, and in one that has not seen these columns
			decoded, err := q.Decode(string(data))
			require.NoError(t, err)
			require.True(t, set.Columns.Equal(decoded.Columns))
			for _, s := range []*rowcodec.Set{set, decoded} {
				for range 2 { // a set can be played again
					rows, err := q.Rows(rowcodec.Playback{Set: s})
					require.NoError(t, err)
					got, gotColumns := scanAll(t, rows)
					same(t, want, got)
					require.Equal(t, columns, gotColumns)
				}
			}
		}
	}
}

// set makes a set of one column without a database.
func set(t testing.TB, p *rowcodec.Player, values ...driver.Value) *rowcodec.Set {
	t.Helper()
	db := testkit.OpenPostgres(t, testkit.Postgres(t))
	rows, err := db.QueryContext(t.Context(), `SELECT 'x'::text AS a`)
	require.NoError(t, err)
	defer rows.Close()
	s, _, err := p.Capture(rows, unlimited)
	require.NoError(t, err)
	s.Rows = nil
	for _, v := range values {
		s.Rows = append(s.Rows, rowcodec.RowOf(v))
	}
	return s
}

func TestTimesKeepTheirZone(t *testing.T) {
	t.Parallel()
	p := player(t)
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	at := time.Date(2026, 7, 1, 2, 3, 4, 5, time.UTC)
	times := []driver.Value{
		at, at.In(time.Local), at.In(tokyo), at.In(time.FixedZone("", 3600)), at.In(time.FixedZone("XYZ", -7200)),
		time.Time{},
		time.Date(-4712, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(294276, 12, 31, 0, 0, 0, 999999000, time.UTC),
	}
	data, err := p.Encode(nil, set(t, p, times...))
	require.NoError(t, err)
	s, err := p.Decode(string(data))
	require.NoError(t, err)
	for i := range times {
		want, got := times[i].(time.Time), s.Value(i, 0).(time.Time)
		require.True(t, want.Equal(got))
		require.Equal(t, want.String(), got.String())
		require.Equal(t, want.Location() == time.Local, got.Location() == time.Local)
		require.Equal(t, want.AddDate(0, 6, 0).String(), got.AddDate(0, 6, 0).String())
	}
}

func TestValuesThatAreNotKnownAreNotEncoded(t *testing.T) {
	t.Parallel()
	p := player(t)
	for _, v := range []driver.Value{int32(1), struct{}{}, []string{"a"}} {
		_, err := p.Encode(nil, set(t, p, v))
		require.ErrorIs(t, err, rowcodec.ErrUnsupported)
	}
	_, err := p.Encode(nil, &rowcodec.Set{Columns: &rowcodec.Columns{}})
	require.ErrorIs(t, err, rowcodec.ErrUnsupported)
}

func TestCaptureStopsAtItsLimitsAndTheRestIsPlayedFromTheCursor(t *testing.T) {
	t.Parallel()
	p := player(t)
	db := testkit.OpenPostgres(t, testkit.Postgres(t))
	for _, limits := range []rowcodec.Limits{{Rows: 2, Bytes: 1 << 20}, {Rows: 100, Bytes: 20}} {
		live, err := db.QueryContext(t.Context(), `SELECT i FROM generate_series(1, 10) i`)
		require.NoError(t, err)
		require.NoError(t, live.Err())
		s, more, err := p.Capture(live, limits)
		require.NoError(t, err)
		require.True(t, more)
		require.Less(t, len(s.Rows), 10)
		closed := 0
		rows, err := p.Rows(rowcodec.Playback{Set: s, Tail: live, Closed: func() { closed++ }})
		require.NoError(t, err)
		got, _ := scanAll(t, rows)
		require.Len(t, got, 10)
		require.Equal(t, []any{int64(10)}, got[9])
		require.Equal(t, 1, closed)
		require.False(t, live.Next())
	}
}

func TestErrorEndsTheRowsAsACursorsErrorDoes(t *testing.T) {
	t.Parallel()
	p := player(t)
	broken := errors.New("connection reset")
	rows, err := p.Rows(rowcodec.Playback{Set: set(t, p, "a", "b"), Err: broken})
	require.NoError(t, err)
	n := 0
	for rows.Next() {
		n++
	}
	require.Equal(t, 2, n)
	require.ErrorIs(t, rows.Err(), broken)
	require.NoError(t, rows.Close())

	_, err = p.Rows(rowcodec.Playback{Err: broken})
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, p.Row(rowcodec.Playback{Err: broken}).Err(), broken)
}

func TestRowIsPlayedAndClosed(t *testing.T) {
	t.Parallel()
	p := player(t)
	closed := false
	var s string
	require.NoError(t, p.Row(rowcodec.Playback{Set: set(t, p, "a"), Closed: func() { closed = true }}).Scan(&s))
	require.Equal(t, "a", s)
	require.True(t, closed)
	require.ErrorIs(t, p.Row(rowcodec.Playback{Set: set(t, p)}).Scan(&s), sql.ErrNoRows)
}

// What one reader does to what it was given must not be seen by the next.
func TestPlayedRowsAreNotShared(t *testing.T) {
	t.Parallel()
	p := player(t)
	s := set(t, p, []byte("abc"))
	for range 2 {
		rows, err := p.Rows(rowcodec.Playback{Set: s})
		require.NoError(t, err)
		names, err := rows.Columns()
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, names)
		names[0] = "changed"
		require.True(t, rows.Next())
		var raw sql.RawBytes
		require.NoError(t, rows.Scan(&raw))
		require.Equal(t, "abc", string(raw))
		raw[0] = 'X'
		require.NoError(t, rows.Close())
		require.NoError(t, rows.Err())
	}
}

func TestBytesThatEncodeDidNotMakeAreCorrupt(t *testing.T) {
	t.Parallel()
	p := player(t)
	data, err := p.Encode(nil, set(t, p, "abc", int64(7), time.Now(), nil))
	require.NoError(t, err)
	for n := range data {
		_, err := p.Decode(string(data[:n]))
		require.ErrorIs(t, err, rowcodec.ErrCorrupt, "%d bytes", n)
	}
	_, err = p.Decode(string(data) + "x")
	require.ErrorIs(t, err, rowcodec.ErrCorrupt)
}

func TestStringsOfLargeSetsDoNotKeepAllOfIt(t *testing.T) {
	t.Parallel()
	p := player(t)
	data, err := p.Encode(nil, set(t, p, "small", strings.Repeat("x", 100_000)))
	require.NoError(t, err)
	s, err := p.Decode(string(data))
	require.NoError(t, err)
	require.Equal(t, "small", s.Value(0, 0))
}

func FuzzDecode(f *testing.F) {
	p := player(f)
	for _, v := range []driver.Value{"a", int64(1), 1.5, []byte("x"), true, nil, time.Now(), time.Now().In(time.FixedZone("", 60))} {
		data, err := p.Encode(nil, set(f, p, v))
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte("\x06\x01\xff\xff\xff\xff\x7f")) // lengths that are not true
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := p.Decode(string(data))
		runtime.ReadMemStats(&after)
		// A value of one byte takes 16, and its row a slice; a column of four bytes, a hundred. Others may run beside it.
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(200*len(data)+1<<20), "memory that data does not warrant")
		if err != nil {
			return
		}
		again, err := p.Encode(nil, s)
		if err != nil {
			return // a zone that is neither
		}
		if _, err := p.Decode(string(again)); err != nil {
			t.Fatal(err)
		}
		rows, err := p.Rows(rowcodec.Playback{Set: s})
		require.NoError(t, err)
		for rows.Next() {
			_ = rows
		}
		require.NoError(t, rows.Close())
		require.NoError(t, rows.Err())
	})
}
