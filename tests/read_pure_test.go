package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

// An alias with columns is no function, and functions of the database's own that depend on their arguments alone keep nothing
// from being cached.
func TestReadsOfNothingButTablesAreCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.plain()
	for _, text := range []string{
		"CREATE TABLE things (id int PRIMARY KEY, tags text[], at timestamp, zoned timestamptz, n numeric, place point)",
		"INSERT INTO things VALUES (1, '{a,b}', '2020-02-03 04:05:06', '2020-02-03 04:05:06Z', 5.50, '(1,2)'), " +
			"(2, '{b}', '2021-02-03 04:05:06', '2021-02-03 04:05:06Z', 7, '(5,5)')",
	} {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	h := w.cached()
	for _, text := range []string{
		"SELECT id, tag FROM things, unnest(tags) t(tag) ORDER BY id, tag",
		"SELECT things.id, v.n FROM things JOIN (VALUES (1, 'x')) v(id, n) ON v.id = things.id",
		"SELECT o.a, o.b FROM things CROSS JOIN LATERAL (SELECT things.id, things.n) o(a, b) ORDER BY a",
		"SELECT id, g.x FROM things, generate_series(1, id) g(x) ORDER BY 1, 2",
		"SELECT id, g.tag, g.nr FROM things CROSS JOIN unnest(tags) WITH ORDINALITY g(tag, nr) ORDER BY 1, 3",
		"SELECT y.a FROM things y(a, b) ORDER BY a",
		"SELECT id FROM things WHERE date(at) = '2020-02-03'", "SELECT id, date(zoned) FROM things ORDER BY id",
		"SELECT id, age(at, '2020-01-01')::text FROM things ORDER BY id",
		"SELECT id, age(zoned, '2020-01-01Z')::text FROM things ORDER BY id",
		"SELECT id, int4(n), scale(n), factorial(id) FROM things ORDER BY id",
		"SELECT id FROM things ORDER BY place <-> point(4, 4)", "SELECT id, place <-> '(0,0)'::point AS far FROM things ORDER BY id",
	} {
		read := func(db *gorm.DB) any {
			var rows []map[string]any
			require.NoError(t, db.Raw(text).Scan(&rows).Error, text)
			require.NotEmpty(t, rows, text)
			return rows
		}
		agreesFromCache(t, plain, h, text, read)
	}
	for text, function := range map[string]string{
		"SELECT id FROM things WHERE age(at) > '1 day'": "age", "SELECT id, now() FROM things": "now",
		"SELECT id, x.r FROM things, random() x(r)": "random", "SELECT id FROM things WHERE at < current_date": "current_date",
	} {
		var why rediscache.Explanation
		require.NoError(t, h.Clauses(rediscache.Explain(&why)).Raw(text).Scan(&[]map[string]any{}).Error)
		require.Contains(t, why.String(), "volatile", text)
		require.Contains(t, why.String(), function, text)
	}
}
