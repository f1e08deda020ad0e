package sqltext_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// limited writes the limits of a query as "table.column=values".
func limited(t *testing.T, src string) string {
	t.Helper()
	s := sqltext.Parse(src, sqltext.Postgres)
	require.Len(t, s.Parts, 1)
	require.Equal(t, sqltext.Query, s.Parts[0].Class)
	var out []string
	for _, l := range s.Parts[0].Limits {
		for _, c := range l.Conditions {
			values := make([]string, len(c.Tuples))
			for i, tuple := range c.Tuples {
				for _, op := range tuple {
					values[i] += op.Literal
					if op.Param > 0 {
						values[i] += fmt.Sprintf("$%d", op.Param)
					}
				}
			}
			out = append(out, l.Table.Name+"."+strings.Join(c.Columns, ",")+"="+strings.Join(values, "|"))
		}
	}
	return strings.Join(out, " ")
}

func TestLimitsThatHold(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`SELECT * FROM orders WHERE user_id = $1`:                                          "orders.user_id=$1",
		`SELECT count(*) FROM "orders" WHERE "orders"."user_id" = $1 AND status <> 'x'`:    "orders.user_id=$1",
		`SELECT sum(a) FROM orders WHERE user_id IN ($1,$2) GROUP BY b HAVING sum(a) > 3`:  "orders.user_id=$1|$2",
		`SELECT * FROM orders o WHERE o.user_id = 7 ORDER BY id LIMIT 20`:                  "orders.user_id=7",
		`SELECT o.* FROM orders AS o JOIN users u ON u.id = o.user_id WHERE u.id = $1`:     "users.id=$1",
		`SELECT * FROM a, b WHERE a.id = b.id AND a.x = 1 AND b.y = 2`:                     "a.x=1 b.y=2",
		`SELECT l.* FROM languages l JOIN ul ON ul.language_id = l.id AND ul.user_id = $1`: "ul.user_id=$1",
		`SELECT * FROM a LEFT JOIN b ON b.a_id = a.id AND b.kind = 1 WHERE a.x = 2`:        "a.x=2 b.kind=1",
		`SELECT * FROM a LEFT OUTER JOIN b ON b.a_id = a.id WHERE b.x = 2`:                 "b.x=2",
		`SELECT * FROM a FULL JOIN b ON b.a_id = a.id AND b.k = 1 WHERE a.x = 2`:           "a.x=2",
		`SELECT * FROM a JOIN b ON a.x = 1 AND b.a_id = a.id`:                              "a.x=1",
		`SELECT * FROM a JOIN b USING (id) WHERE a.x = 1`:                                  "a.x=1",
		`SELECT * FROM a CROSS JOIN b WHERE b.x = 1`:                                       "b.x=1",
		`SELECT * FROM a NATURAL JOIN b WHERE b.x = 1`:                                     "b.x=1",
		`SELECT * FROM a WHERE x = 1 AND id IN (SELECT a_id FROM b WHERE y = 2)`:           "a.x=1",
		`SELECT * FROM (SELECT * FROM b) AS s JOIN a ON a.id = s.id WHERE a.x = 1`:         "a.x=1",
		`WITH s AS (SELECT * FROM b) SELECT * FROM a JOIN s ON s.id = a.id WHERE a.x = 1`:  "a.x=1",
		`SELECT a IS DISTINCT FROM b FROM t WHERE c = 1`:                                   "t.c=1",
		`SELECT DISTINCT b FROM t WHERE (c = 1 AND (d = 2))`:                               "t.c=1 t.d=2",
		`SELECT * FROM t WHERE (a, b) IN ((1, 2), (3, 4))`:                                 "t.a,b=12|34",
		`SELECT * FROM s.orders WHERE s.orders.user_id = 1`:                                "orders.user_id=1",
		`SELECT * FROM a JOIN generate_series(1, 3) g ON g = a.id WHERE a.x = 1`:           "a.x=1",
	} {
		require.Equal(t, want, limited(t, src), src)
	}
}

func TestLimitsThatDoNotHold(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`SELECT * FROM orders`,
		`SELECT * FROM orders WHERE user_id = 1 OR status = 'x'`,
		`SELECT * FROM orders WHERE NOT user_id = 1`,
		`SELECT * FROM orders WHERE user_id = 1 UNION SELECT * FROM orders`,
		`SELECT * FROM orders WHERE user_id > 1`,
		`SELECT * FROM orders WHERE user_id = other_id`,
		`SELECT * FROM orders WHERE lower(name) = 'a'`,
		// Read in two places.
		`SELECT * FROM orders WHERE user_id = 1 AND id IN (SELECT id FROM orders)`,
		`SELECT * FROM orders a JOIN orders b ON a.id = b.parent_id WHERE a.user_id = 1`,
		`SELECT * FROM orders o WHERE o.user_id = 1 AND EXISTS (SELECT 1 FROM x WHERE x.id IN (SELECT id FROM "orders"))`,
		`WITH s AS (SELECT * FROM orders) SELECT * FROM orders JOIN s ON true WHERE orders.user_id = 1`,
		`WITH orders AS (SELECT * FROM orders) SELECT * FROM orders WHERE user_id = 1`,
		`SELECT orders FROM orders WHERE user_id = 1`, // a row as a value
		// Whose column it is is not known.
		`SELECT * FROM orders JOIN users ON users.id = orders.user_id WHERE user_id = 1`,
		// The kept side of an outer join.
		`SELECT * FROM a LEFT JOIN b ON a.x = 1 AND b.a_id = a.id`,
		`SELECT * FROM a RIGHT JOIN b ON b.x = 1`,
		`SELECT * FROM a FULL JOIN b ON b.x = 1 AND a.x = 1`,
		// Not understood.
		`SELECT * FROM (a JOIN b ON a.id = b.id) WHERE a.x = 1`,
		`SELECT * FROM a JOIN b JOIN c ON b.id = c.id ON a.id = b.id WHERE a.x = 1`,
		`SELECT * FROM t AS u(x, y) WHERE u.x = 1`,
		`SELECT * FROM ONLY t WHERE x = 1`,
		`(SELECT * FROM t WHERE x = 1)`,
		`SELECT * FROM a x, b X WHERE x.c = 1`,
	} {
		require.Empty(t, limited(t, src), src)
	}
}
