package tests_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

const exhibits = `
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TABLE exhibits (
  id int PRIMARY KEY, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, num numeric, num2 numeric(10, 2), money money,
  t text, vc varchar(10), c char(5), ch "char", nm name, by bytea, u uuid, d date, ti time, tz timetz, ts timestamp, tsz timestamptz,
  iv interval, js json, jb jsonb, ia int[], ta text[], ma int[][], inet inet, cidr cidr, mac macaddr, bits bit(3), vb varbit, mood mood,
  comp pair, dom positive, r int4range, pt point, x xml, tsv tsvector, oid oid);
INSERT INTO exhibits (id) VALUES (1);
INSERT INTO exhibits VALUES (2, true, -32768, 2147483647, 9223372036854775807, 'NaN', 'Infinity', 'NaN', 12345678.90, 1.5,
  'é''"\', '', 'ab', 'x', 'name', '\x0001ff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'infinity', '24:00:00', '10:00:00+05:30',
  'infinity', '-infinity', '1 year 2 mons -3 days 04:05:06.789', '{"a": 1.0, "a": 9007199254740993}', '{"b": null, "n": 9007199254740993}',
  '{1,NULL,3}', '{"a,b",NULL,""}', '{{1,2},{3,4}}', '10.0.0.1/24', '10.0.0.0/8', '08:00:2b:01:02:03', '101', '1', 'glad', '(1,"a b")', 7,
  '[1,5)', '(1,2)', '<a/>', 'a:1 b:2', 42);
INSERT INTO exhibits VALUES (3, false, 0, 0, 9007199254740993, '-0', '-0', '123456789012345678901234567890.123456789', 0, '-1.50',
  '', 'x', '', ' ', '', '', '00000000-0000-0000-0000-000000000000', '0044-03-15 BC', '00:00:00.000001', '23:59:59.999999-12',
  '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789012+05:30', '0', 'null', 'null', '{}', '{}', '{}', '::1', 'fe80::/10',
  'ff:ff:ff:ff:ff:ff', '000', '', 'sad', '(,)', 1, 'empty', '(0,0)', '', '', 0);
INSERT INTO exhibits (id, f4, f8, d, ts, tsz, num) VALUES (4, '-Infinity', 1e-308, '0001-01-01', '0001-01-01', '294276-12-31', '0.10');
INSERT INTO exhibits (id, f4, f8, ts, tsz, by) VALUES (5, 3.4028235e38, 0.1, '1969-12-31 23:59:59.999999', '1883-11-18 12:00:00+00', '');
`

func exhibit(t *testing.T) (*world, *handle) {
	t.Helper()
	w := newWorld(t)
	plain := w.migrate()
	for _, text := range splitStatements(exhibits) {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	return w, plain
}

// printed tells values apart that are not equal to themselves, and types.
func printed(v any) string { return fmt.Sprintf("%#v", v) }

// Every type of PostgreSQL comes back as the same Go value of the same type, into destinations that take anything, and
// fails with the same error into those that do not fit.
func TestEveryColumnTypeIntoEveryDestination(t *testing.T) {
	t.Parallel()
	w, plain := exhibit(t)
	var columns []string
	require.NoError(t, plain.Raw(`SELECT attname FROM pg_attribute WHERE attrelid = 'exhibits'::regclass AND attnum > 0`).Scan(&columns).Error)
	require.Greater(t, len(columns), 35)
	destinations := map[string]func(db *gorm.DB) any{
		"any":      into[any],
		"string":   into[string],
		"*string":  into[*string],
		"bytes":    into[[]byte],
		"int64":    into[int64],
		"uint8":    into[uint8],
		"float32":  into[float32],
		"float64":  into[float64],
		"bool":     into[bool],
		"time":     into[time.Time],
		"*time":    into[*time.Time],
		"null":     into[sql.NullString],
		"nulltime": into[sql.NullTime],
		"nullint":  into[sql.NullInt32],
		"generic":  into[sql.Null[float64]],
		"raw json": into[json.RawMessage],
	}
	h := w.cached()
	for _, column := range columns {
		h.warm(t, func(db *gorm.DB) { into[any](db.Table("exhibits").Select(column).Order("id")) })
		for name, pluck := range destinations { // all of them are answered from one entry
			require.Equal(t, pluck(plain.Table("exhibits").Select(column).Order("id")),
				pluck(h.Table("exhibits").Select(column).Order("id")), "%s into %s", column, name)
		}
		e := h.log.read(t, func() { h.Table("exhibits").Select(column).Order("id").Pluck(column, &[]string{}) })
		require.Equal(t, metrics.Hit, e.Outcome, column)
	}
}

// into scans a column into a slice, as Pluck and as Scan do.
func into[T any](db *gorm.DB) any {
	var plucked, scanned []T
	column := db.Statement.Selects[0]
	db = db.Session(&gorm.Session{})
	err1 := db.Pluck(column, &plucked).Error
	err2 := db.Scan(&scanned).Error
	return fmt.Sprintf("%s %v\n%s %v", deep(plucked), err1, deep(scanned), err2)
}

// deep prints values behind pointers, too.
func deep[T any](all []T) string {
	var s strings.Builder
	for _, v := range all {
		switch v := any(v).(type) {
		case *string:
			if v != nil {
				s.WriteString(*v)
			}
		case *time.Time:
			if v != nil {
				s.WriteString(printed(*v))
			}
		}
		fmt.Fprintf(&s, "%T %v;", v, stripped(v))
	}
	return s.String()
}

// stripped leaves addresses out.
func stripped(v any) any {
	switch v := v.(type) {
	case *string:
		return v == nil
	case *time.Time:
		return v == nil
	default:
		return printed(v)
	}
}

// Maps take what the driver hands over.
func TestRowsIntoMaps(t *testing.T) {
	t.Parallel()
	w, plain := exhibit(t)
	h := w.cached()
	for name, read := range map[string]func(*gorm.DB) any{
		"maps": func(db *gorm.DB) any {
			var m []map[string]any
			db.Table("exhibits").Order("id").Find(&m)
			return printed(m)
		},
		"map": func(db *gorm.DB) any {
			m := map[string]any{"kept": true}
			db.Table("exhibits").Where("id = 2").Take(&m)
			return printed(m)
		},
		"scanned": func(db *gorm.DB) any {
			var m []map[string]any
			db.Raw("SELECT * FROM exhibits ORDER BY id").Scan(&m)
			return printed(m)
		},
		"one": func(db *gorm.DB) any {
			m := map[string]any{}
			db.Raw("SELECT * FROM exhibits WHERE id = 3").Scan(&m)
			return printed(m)
		},
		"named twice": func(db *gorm.DB) any {
			var m []map[string]any
			db.Raw("SELECT id, id AS id, t AS id FROM exhibits").Scan(&m)
			return printed(m)
		},
		"expressions": func(db *gorm.DB) any {
			var m []map[string]any
			db.Raw("SELECT count(*), sum(i8), avg(f8), max(t), array_agg(id), bool_or(b), 1.5 AS n, NULL AS nothing, 'x' AS s, ROW(1, 'a') AS r FROM exhibits").Scan(&m)
			return printed(m)
		},
	} {
		agreesFromCache(t, plain, h, name, read)
	}
	// Great integers are not rounded, and what is NaN is not lost.
	var m map[string]any
	require.NoError(t, h.Table("exhibits").Select("i8, f4").Where("id = 2").Take(&m).Error)
	require.Equal(t, int64(math.MaxInt64), m["i8"])
	require.Equal(t, "NaN", fmt.Sprint(m["f4"]))
}

// Sessions in different time zones, or that see another schema, do not share answers.
func TestSessionsThatSeeSomethingElse(t *testing.T) {
	t.Parallel()
	w, plain := exhibit(t)
	other := plain
	require.NoError(t, other.Exec("CREATE SCHEMA "+w.namespace+"_b").Error)
	t.Cleanup(func() { other.Exec("DROP SCHEMA " + w.namespace + "_b CASCADE") })
	require.NoError(t, other.Exec("CREATE TABLE "+w.namespace+"_b.exhibits AS SELECT * FROM exhibits WHERE id < 4").Error)
	require.NoError(t, other.Exec("UPDATE "+w.namespace+"_b.exhibits SET t = 'other schema'").Error)
	for name, query := range map[string]string{
		"zone": "&TimeZone=Asia/Tokyo", "style": "&datestyle=German", "digits": "&extra_float_digits=-3",
		"schema": "&search_path=" + w.namespace + "_b", "simple protocol": "&default_query_exec_mode=simple_protocol",
		"exec": "&default_query_exec_mode=exec", "described": "&default_query_exec_mode=cache_describe",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			here, there := *w, *w
			here.t, there.t = t, t
			there.dsn += query
			a, b := here.cached(), there.cached()
			plainA, plainB := here.plain(), there.plain()
			for i := range 3 {
				for text, read := range map[string]func(*gorm.DB) any{
					"text": func(db *gorm.DB) any {
						var m []map[string]any
						db.Raw("SELECT id, t, tsz::text AS a, d::text AS b, f8::text AS c FROM exhibits ORDER BY id").Scan(&m)
						return printed(m)
					},
					"row": func(db *gorm.DB) any {
						m := map[string]any{}
						db.Table("exhibits").Where("id = 3").Take(&m)
						return printed(m)
					},
				} {
					require.Equal(t, read(plainA.DB), read(a.DB), "%s %d", text, i)
					require.Equal(t, read(plainB.DB), read(b.DB), "%s %d", text, i)
				}
			}
		})
	}
	// A table that is named with its schema.
	h := w.cached()
	for range 3 {
		for _, table := range []string{"exhibits", w.namespace + "_b.exhibits"} {
			agrees(t, plain, h, table, func(db *gorm.DB) any {
				m := map[string]any{}
				db.Table(table).Where("id = ?", 3).Take(&m)
				return m["t"]
			})
		}
	}
	require.NoError(t, h.Exec("UPDATE "+w.namespace+"_b.exhibits SET t = 'changed' WHERE id = 3").Error)
	agrees(t, plain, h, "changed", func(db *gorm.DB) any {
		m := map[string]any{}
		db.Table(w.namespace+"_b.exhibits").Where("id = ?", 3).Take(&m)
		return m["t"]
	})
}
