package sqltext_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// one parses a text that is one statement.
func one(t testing.TB, src string) sqltext.Statement {
	t.Helper()
	s := sqltext.Parse(src, sqltext.Postgres)
	require.Len(t, s.Parts, 1, src)
	return s.Parts[0]
}

func relations(s sqltext.Statement) string {
	var names []string
	for _, r := range s.Relations {
		names = append(names, strings.TrimPrefix(r.Schema+"."+r.Name, "."))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

func TestRelationsOfQueries(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`SELECT * FROM users`:                                                                             "users",
		`SELECT * FROM "users" WHERE "users"."id" = $1`:                                                   "users",
		`select * from Users u, Orders as o`:                                                              "orders users",
		`SELECT * FROM audit.events e`:                                                                    "audit.events",
		`SELECT * FROM "Audit"."Events"`:                                                                  "audit.events",
		`SELECT * FROM db.audit.events`:                                                                   "audit.events",
		`SELECT 1`:                                                                                        "",
		`TABLE users`:                                                                                     "users",
		`VALUES (1), (2)`:                                                                                 "",
		`SELECT * FROM users TABLESAMPLE SYSTEM (1)`:                                                      "users",
		`SELECT * FROM ONLY users`:                                                                        "users",
		`SELECT a, b FROM t1 JOIN t2 ON t1.x = t2.x, t3`:                                                  "t1 t2 t3",
		`SELECT * FROM t1 LEFT OUTER JOIN t2 USING (id, x)`:                                               "t1 t2",
		`SELECT * FROM t1 NATURAL JOIN t2 CROSS JOIN t3`:                                                  "t1 t2 t3",
		`SELECT * FROM (t1 JOIN t2 ON true) JOIN t3 ON true`:                                              "t1 t2 t3",
		`SELECT * FROM ((t1 JOIN t2 ON true) CROSS JOIN t3) x`:                                            "t1 t2 t3",
		`SELECT * FROM (SELECT * FROM t1) x, t2`:                                                          "t1 t2",
		`SELECT * FROM (SELECT * FROM t1, t2) AS x JOIN t3 ON x.a = t3.a`:                                 "t1 t2 t3",
		`SELECT (SELECT max(a) FROM t2) FROM t1`:                                                          "t1 t2",
		`SELECT * FROM t1 WHERE EXISTS (SELECT 1 FROM t2 WHERE t2.a = t1.a)`:                              "t1 t2",
		`SELECT * FROM t1 WHERE a IN (SELECT a FROM t2 UNION SELECT b FROM t3)`:                           "t1 t2 t3",
		`SELECT a FROM t1 UNION ALL SELECT a FROM t2 EXCEPT (SELECT a FROM t3)`:                           "t1 t2 t3",
		`SELECT a FROM t1 UNION TABLE t2`:                                                                 "t1 t2",
		`SELECT a FROM t1 GROUP BY a HAVING count(*) > (SELECT count(*) FROM t2)`:                         "t1 t2",
		`WITH x AS (SELECT * FROM t1) SELECT * FROM x, t2`:                                                "t1 t2",
		`WITH x AS MATERIALIZED (SELECT * FROM t1), y(a, b) AS (TABLE x) SELECT * FROM y`:                 "t1",
		`WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT * FROM n`:               "",
		`SELECT * FROM (WITH x AS (SELECT * FROM t1) SELECT * FROM x) y`:                                  "t1",
		`SELECT extract(epoch FROM created_at) FROM t1`:                                                   "t1",
		`SELECT substring(name FROM 2 FOR 3), trim(both 'x' FROM name) FROM t1`:                           "t1",
		`SELECT * FROM t1 WHERE a IS DISTINCT FROM b AND c IS NOT DISTINCT FROM d`:                        "t1",
		`SELECT DISTINCT ON (a) a, b FROM t1 ORDER BY a, b`:                                               "t1",
		`SELECT * FROM t1 x, LATERAL (SELECT * FROM t2 WHERE t2.a = x.a) y`:                               "t1 t2",
		`SELECT * FROM t1, unnest(t1.tags) AS tag(name), t2`:                                              "t1 t2",
		`SELECT * FROM generate_series(1, 3) AS n WHERE n IN (SELECT id FROM t1)`:                         "t1",
		`SELECT * FROM t1 -- , t2` + "\n" + `, t3`:                                                        "t1 t3",
		`SELECT * FROM t1 /* , t2 /* nested */ , t4 */, t3`:                                               "t1 t3",
		`SELECT 'FROM t2', E'it\'s FROM t2', $$ FROM t2 $$, $q$ FROM t2 $q$ FROM t1`:                      "t1",
		`SELECT * FROM t1 WHERE tags @> ARRAY['a','b'] AND doc #>> '{a,b}' = 'x', t2`:                     "t1",
		`SELECT * FROM "t""1", "from", "select"`:                                                          `from select t"1`,
		`SELECT * FROM t1 FOR UPDATE OF t1`:                                                               "t1",
		`SELECT count(*) FILTER (WHERE a), sum(b) OVER (PARTITION BY c) FROM t1 WINDOW w AS (ORDER BY a)`: "t1",
	} {
		s := one(t, src)
		require.Equal(t, want, relations(s), src)
		require.Equal(t, sqltext.Query, s.Class, src)
		for _, r := range s.Relations {
			require.Contains(t, s.Names, r.Name, src)
		}
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for want, list := range map[sqltext.Class][]string{
		sqltext.Query: {
			`SELECT updated_at FROM t`, `SELECT t.delete, t.update FROM t`, `select 'delete from t'`, `(SELECT 1)`,
			`/* update */ SELECT 1 -- delete`, `SELECT * FROM t FOR NO KEY UPDATE`, `SELECT 1;`, `;;SELECT 1`,
			`SELECT set_config('app.tenant', $1, true)`, `SELECT pg_catalog.set_config('role', f('a', 'b'), 'on'), 1`,
			`SELECT set_config('Statement_Timeout', $1, false)`,
		},
		sqltext.Change: {
			`INSERT INTO t (a) VALUES (1)`, `UPDATE t SET a = 1`, `DELETE FROM t`, `TRUNCATE t`, `TRUNCATE TABLE a, ONLY b`,
			`MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE`, `COPY t FROM STDIN`, `COPY t (a, b) FROM STDIN`,
			`WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x`, `WITH x AS (SELECT 1) UPDATE t SET a = 1`,
			`WITH x AS (INSERT INTO t VALUES (1) RETURNING a), y AS (SELECT 1) SELECT * FROM y`,
			`  update t set a = now()`, `/* c */ delete /* d */ from t`,
		},
		sqltext.Definition: {
			`CREATE TABLE t (a int)`, `ALTER TABLE t ADD b int`, `DROP TABLE t`, `SELECT * INTO t2 FROM t`, `GRANT ALL ON t TO u`,
			`REFRESH MATERIALIZED VIEW v`, `CREATE TABLE t AS SELECT 1`, `COMMENT ON TABLE t IS 'x'`,
		},
		sqltext.Session: {
			`SET search_path TO a, b`, `SET SESSION search_path = a`, `SET ROLE r`, `SET TIME ZONE 'UTC'`, `SET app.tenant = '1'`,
			`SET SESSION AUTHORIZATION u`, `SELECT set_config('search_path', 'a', false)`, `SELECT set_config($1, $2, $3)`,
			`SELECT set_config('a.b', 'x', true), set_config('a.c', 'x', false)`, `SELECT set_config('a.b', 'x', NOT true)`,
			`SELECT set_config(is_local => false, new_value => 'x', setting_name => 'a.b')`, `SELECT set_config('a.b')`,
			`SELECT * FROM (SELECT set_config('a.b', 'true', 'f')) x`,
		},
		sqltext.Control: {`BEGIN`, `START TRANSACTION`, `SAVEPOINT sp1`, `RELEASE SAVEPOINT sp1`, `ROLLBACK`, `ROLLBACK TO sp1`},
		sqltext.Commit:  {`COMMIT`, `END`, `PREPARE TRANSACTION 'x'`, `COMMIT PREPARED 'x'`},
		sqltext.Utility: {
			`SET LOCAL search_path TO a`, `SET TRANSACTION READ ONLY`, `SET statement_timeout = 100`, `SHOW search_path`,
			`SET CONSTRAINTS ALL DEFERRED`, `EXPLAIN SELECT 1`, `VACUUM`, `ANALYZE t`, `LISTEN c`, `COPY t TO STDOUT`, `RESET ALL`,
			`LOCK TABLE t`, `DECLARE c CURSOR FOR SELECT 1`, `PREPARE p AS SELECT 1`,
		},
		sqltext.Unknown: {
			`CALL close_month(1)`, `DO $$ BEGIN DELETE FROM t; END $$`, `EXECUTE p`, `EXPLAIN ANALYZE DELETE FROM t`, `'`, `"a`,
			`SELECT $$ FROM t`, `/* SELECT 1`, `SELECT 1)`, `(SELECT 1`, `SELECT U&"d\0061t" FROM t`, `FROB t`, `1`, `DELETE t`,
			`INSERT t VALUES (1)`, `UPDATE`, `TRUNCATE`, "SELECT \x00", `SELECT \`, `SELECT $1a`,
		},
	} {
		for _, src := range list {
			require.Equal(t, want, one(t, src).Class, src)
		}
	}
}

func TestScriptsOfSeveralStatements(t *testing.T) {
	t.Parallel()
	s := sqltext.Parse(`UPDATE a SET x = ';' WHERE id = 1; DELETE FROM b; SELECT 1;`, sqltext.Postgres)
	require.Len(t, s.Parts, 3)
	require.Equal(t, "a", s.Parts[0].Changes[0].Table.Name)
	require.Equal(t, "b", s.Parts[1].Changes[0].Table.Name)
	require.Equal(t, sqltext.Query, s.Parts[2].Class)
	require.Empty(t, sqltext.Parse(` ; -- nothing`, sqltext.Postgres).Parts)
}

func TestTextComesWithoutComments(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`SELECT 1`:                              `SELECT 1`,
		`SELECT 1 /* trace=abc */`:              `SELECT 1`,
		`/* a */ SELECT /* b */ 1 -- c`:         `SELECT   1`,
		`SELECT '/* no */', "--no" FROM t -- x`: `SELECT '/* no */', "--no" FROM t`,
	} {
		require.Equal(t, want, sqltext.Parse(src, sqltext.Postgres).Text)
	}
}

func TestTablesThatAreWritten(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`UPDATE ONLY public.users AS u SET a = 1`:        "public.users",
		`INSERT INTO "Orders" ("a") SELECT b FROM x`:     ".orders",
		`TRUNCATE TABLE a, ONLY b.c, d RESTART IDENTITY`: ".a b.c .d",
		`TRUNCATE a * , b`:                               ".a .b",
		`DELETE FROM a USING b WHERE a.x = b.x`:          ".a",
		`MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)`: ".a",
		`WITH d AS (DELETE FROM a RETURNING *), i AS (INSERT INTO b SELECT * FROM d RETURNING *) UPDATE c SET x = 1`:     ".a .b .c",
		`COPY a (x, y) FROM STDIN`: ".a",
		`UPDATE a SET x = (SELECT max(y) FROM b) WHERE id IN (SELECT id FROM c)`: ".a",
		`INSERT INTO a VALUES (1) ON CONFLICT (id) DO UPDATE SET x = 2`:          ".a",
	} {
		var got []string
		for _, w := range one(t, src).Changes {
			got = append(got, w.Table.Schema+"."+w.Table.Name)
		}
		require.Equal(t, want, strings.Join(got, " "), src)
	}
	require.True(t, one(t, `TRUNCATE a CASCADE`).Cascade)
}

func TestWhatMakesAnAnswerVolatile(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`SELECT current_timestamp`, `SELECT * FROM t WHERE d < CURRENT_DATE`, `SELECT current_user`, `SELECT user`,
		`SELECT ctid FROM t`, `SELECT t.xmin FROM t`, `SELECT 't'::regclass`, `SELECT * FROM t WHERE d > 'today'`,
		`SELECT 'now'::timestamptz`, `SELECT * FROM t TABLESAMPLE BERNOULLI (10)`, `SELECT a OPERATOR(s.+) b FROM t`,
		`SELECT age(born) FROM t`, `SELECT pg_catalog.age(xmin) FROM t`,
	} {
		require.NotEmpty(t, one(t, src).Volatile, src)
	}
	for _, src := range []string{
		`SELECT t.user FROM t`, `SELECT "user" FROM t`, `SELECT 'nowhere' FROM t`, `SELECT date, now FROM t`, `SELECT age, age(died, born) FROM t`,
	} {
		require.Empty(t, one(t, src).Volatile, src)
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`SELECT now(), count(*), t.a FROM t WHERE lower(b) IN ('x') AND (c)`:             "now count lower",
		`SELECT * FROM my_func(1) AS x`:                                                  "my_func",
		`SELECT s.f(1), pg_catalog.lower('x')`:                                           "s.f lower",
		`SELECT "Lower"(a)::numeric(10,2), CAST(b AS varchar(3)) FROM t`:                 "lower",
		`INSERT INTO "users" ("a", "b") VALUES (f(1), (2))`:                              "f",
		`INSERT INTO s.users (a) VALUES (1)`:                                             "",
		`WITH x(a) AS (VALUES (1)) SELECT * FROM x`:                                      "",
		`SELECT * FROM t AS y(a, b)`:                                                     "",
		`SELECT a[1], ARRAY[1,2], (a).b, ROW(1) FROM t`:                                  "",
		`SELECT * FROM t y(a, b) WHERE f(a)`:                                             "f",
		`SELECT * FROM s.t y(a), u JOIN v w(c) ON g(c) = a`:                              "g",
		`SELECT tag FROM t, unnest(t.tags) x(tag)`:                                       "unnest",
		`SELECT * FROM t CROSS JOIN LATERAL (SELECT f(1), 2) o(a, b)`:                    "f",
		`SELECT * FROM (VALUES (1), (f(2))) "V" (id)`:                                    "f",
		`SELECT * FROM generate_series(1, (2)) WITH ORDINALITY g(x, n)`:                  "generate_series",
		`SELECT * FROM (t JOIN u USING (id)) y(a) JOIN f(1) g(b) ON true`:                "f",
		`SELECT * FROM t JOIN u ON (t.a = u.a) UNION SELECT DISTINCT ON (a) f(b) FROM t`: "f",
		`SELECT (SELECT 1) FROM t WHERE (a) AND f(b)`:                                    "f",
		`SELECT * FROM t WHERE a IN (SELECT b FROM u x(b)) ORDER BY f(a)`:                "f",
		`DELETE FROM t USING (VALUES (1)) v(id) WHERE f(v.id)`:                           "f",
		`MERGE INTO t USING (VALUES (1)) v(id) ON f(v.id) WHEN MATCHED THEN DELETE`:      "f",
	} {
		require.Equal(t, want, strings.Join(one(t, src).Calls, " "), src)
	}
	for _, f := range []string{"now", "random", "nextval", "pg_sleep", "clock_timestamp", "s.lower", "uuid"} {
		require.False(t, sqltext.Postgres.Pure(f), f)
	}
	for _, f := range []string{"lower", "age", "date", "point", "int4"} {
		require.True(t, sqltext.Postgres.Pure(f), f)
	}
	for _, d := range []sqltext.Dialect{sqltext.SQLite, sqltext.Standard} {
		require.False(t, d.Pure("date"), "date('now')")
		require.False(t, d.Pure("age"))
	}
}

func TestLocks(t *testing.T) {
	t.Parallel()
	for _, lock := range []string{"UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE", "update of t nowait", "SHARE SKIP LOCKED"} {
		require.True(t, one(t, `SELECT * FROM t WHERE id = 1 FOR `+lock).Locks, lock)
	}
	require.False(t, one(t, `SELECT substring(a FOR 2) FROM t`).Locks)
}

// limits writes conditions as "a=1;b=$2 c=…".
func limits(cs []sqltext.Condition) string {
	var parts []string
	for _, c := range cs {
		var values []string
		for _, tuple := range c.Tuples {
			for _, op := range tuple {
				if op.Param > 0 {
					values = append(values, "$"+string(rune('0'+op.Param)))
				} else {
					values = append(values, op.Literal)
				}
			}
		}
		parts = append(parts, strings.Join(c.Columns, ",")+"="+strings.Join(values, "|"))
	}
	return strings.Join(parts, " ")
}

func TestLookups(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`SELECT * FROM "users" WHERE "users"."id" = $1 ORDER BY "users"."id" LIMIT $2`: "id=$1",
		`SELECT * FROM users WHERE id = 7`:                                             "id=7",
		`SELECT * FROM users WHERE id = -7`:                                            "id=-7",
		`SELECT * FROM users WHERE id = '7'`:                                           "id=7",
		`SELECT * FROM users WHERE (id = $1)`:                                          "id=$1",
		`SELECT * FROM users WHERE ((id = $1) AND (a = $2))`:                           "id=$1 a=$2",
		`SELECT * FROM users WHERE id IN ($1,$2,3)`:                                    "id=$1|$2|3",
		`SELECT * FROM users WHERE (a, b) IN (($1,$2),($3,$4))`:                        "a,b=$1|$2|$3|$4",
		`SELECT * FROM users WHERE (a, b) = ($1, $2)`:                                  "a,b=$1|$2",
		`SELECT * FROM users u WHERE u.id = $1 AND u.deleted_at IS NULL`:               "id=$1",
		`SELECT * FROM "s"."users" WHERE "s"."users"."id" = $1`:                        "id=$1",
		`SELECT a, "b", users.c AS d, e f FROM users WHERE id = $1`:                    "id=$1",
		`SELECT count(*) FROM users WHERE id = $1`:                                     "id=$1",
		`SELECT * FROM users WHERE id = $1 AND age BETWEEN 1 AND 2 AND b = $2`:         "id=$1 b=$2",
		`SELECT * FROM users WHERE id = $1 AND (a = $2 OR b = $3)`:                     "id=$1",
		`SELECT * FROM users WHERE id = $1 AND CASE WHEN a AND b THEN c OR d END`:      "id=$1",
		// not limited
		`SELECT * FROM users`:                                               "",
		`SELECT * FROM users WHERE id = $1 OR a = $2`:                       "",
		`SELECT * FROM users WHERE id = $1 AND a = $2 OR b`:                 "",
		`SELECT * FROM users WHERE NOT id = $1`:                             "",
		`SELECT * FROM users WHERE id = $1 + 1`:                             "",
		`SELECT * FROM users WHERE id = $1::int`:                            "",
		`SELECT * FROM users WHERE id = ANY($1)`:                            "",
		`SELECT * FROM users WHERE id = a`:                                  "",
		`SELECT * FROM users WHERE a BETWEEN b AND id = $1`:                 "",
		`SELECT * FROM users WHERE id IN (NULL)`:                            "",
		`SELECT * FROM users WHERE id IN ($1) = true`:                       "",
		`SELECT * FROM users WHERE id = 1.5`:                                "",
		`SELECT * FROM users WHERE id = E'\x37'`:                            "",
		`SELECT * FROM users WHERE id = B'1'`:                               "",
		`SELECT * FROM users WHERE id <> $1 AND id > $2 AND lower(id) = $3`: "",
		`SELECT * FROM users u WHERE users.id = $1`:                         "",
		`SELECT * FROM users WHERE other.id = $1`:                           "",
		`SELECT * FROM users WHERE (a, b) IN (($1,$2),($3))`:                "",
	} {
		s := one(t, src)
		require.NotNil(t, s.Lookup, src)
		require.Equal(t, "users", s.Lookup.Table.Name, src)
		require.Equal(t, want, limits(s.Lookup.Conditions), src)
	}
}

func TestQueriesThatAreNoLookup(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`SELECT * FROM users, orders WHERE users.id = $1`, `SELECT * FROM users JOIN orders ON true WHERE users.id = $1`,
		`SELECT * FROM users WHERE id = $1 UNION SELECT * FROM users`, `SELECT a FROM users WHERE id = $1 GROUP BY a`,
		`SELECT DISTINCT a FROM users WHERE id = $1`, `SELECT * FROM users WHERE id = $1 AND EXISTS (SELECT 1 FROM orders)`,
		`SELECT (SELECT 1) FROM users WHERE id = $1`, `WITH x AS (SELECT 1) SELECT * FROM users WHERE id = $1`,
		`SELECT * FROM users WHERE id = $1 FOR UPDATE`, `SELECT * FROM ONLY users WHERE id = $1`,
		`SELECT * FROM users WHERE id = $1 FETCH FIRST 1 ROW ONLY`, `SELECT * FROM users WHERE id = $1 LIMIT ALL`,
		`SELECT * FROM (SELECT * FROM users) u WHERE id = $1`, `SELECT * FROM f() WHERE id = $1`,
		`SELECT * FROM users WHERE id = $1 LIMIT 1 + 1`, `(SELECT * FROM users WHERE id = $1)`,
	} {
		require.Nil(t, one(t, src).Lookup, src)
	}
}

func TestRestOfALookup(t *testing.T) {
	t.Parallel()
	src := `SELECT a,b FROM t WHERE id = $1 AND x > $2 AND (y OR z) ORDER BY id DESC, a LIMIT 3 OFFSET 2`
	q := one(t, src).Lookup
	require.True(t, q.Plain)
	require.Equal(t, []string{"a", "b"}, q.Output)
	require.Equal(t, []string{"*", "b", "c", "e"}, one(t, `SELECT *, b, c AS c, t.e E FROM t`).Lookup.Output)
	require.False(t, one(t, `SELECT c AS id FROM t`).Lookup.Plain)
	require.Equal(t, "a,b", src[q.Select.Start:q.Select.End])
	var rest []string
	for _, r := range q.Rest {
		rest = append(rest, src[r.Start:r.End])
	}
	require.Equal(t, []string{"x > $2", "y OR z"}, rest)
	require.Equal(t, []sqltext.Ordering{{Column: "id", Descending: true}, {Column: "a"}}, q.Order)
	require.Equal(t, "3", q.Limit.Literal)
	require.True(t, q.Offset)
	list := one(t, `SELECT * FROM t WHERE id IN ($1, $2) ORDER BY lower(a)`).Lookup
	require.True(t, list.Ordered)
	require.Nil(t, list.Order)
	for _, src := range []string{
		`SELECT count(*) FROM t`, `SELECT a + 1 FROM t`, `SELECT lower(a) FROM t`, `SELECT NULL FROM t`, `SELECT 1 FROM t`,
		`SELECT other.a FROM t`, `SELECT a::text FROM t`, `SELECT ctid FROM t`,
	} {
		require.False(t, one(t, src).Lookup.Plain, src)
	}
}

func TestUpdatesAndDeletes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ src, limits, assigned string }{
		{`UPDATE "users" SET "name"=$1,"updated_at"=$2 WHERE "id" = $3`, "id=$3", "name updated_at"},
		{`UPDATE users SET a = a + 1 WHERE users.id IN (1,2) AND b RETURNING *`, "id=1|2", "a"},
		{`UPDATE users u SET u.a = CASE WHEN x = 1 THEN 2 END WHERE u.id = $1`, "id=$1", "a"},
		{`UPDATE users SET a = (SELECT max(x) FROM y WHERE id = 3), b[1] = 2 WHERE id = $1`, "id=$1", "a b"},
		{`UPDATE users SET a = 1 FROM b WHERE users.id = $1`, "", "a"},
		{`UPDATE users SET a = 1`, "", "a"},
		{`UPDATE users SET (a, b) = (1, 2) WHERE id = $1`, "id=$1", "?"},
		{`UPDATE users SET a = 1 WHERE id = $1 OR true`, "", "a"},
		{`DELETE FROM users WHERE id = $1`, "id=$1", "?"},
		{`DELETE FROM ONLY users u WHERE u.id = $1 RETURNING id`, "id=$1", "?"},
		{`DELETE FROM users USING b WHERE users.id = $1`, "", "?"},
		{`DELETE FROM users`, "", "?"},
		{`WITH x AS (SELECT 1) DELETE FROM users WHERE id = $1`, "", "?"},
	} {
		s := one(t, c.src)
		require.Len(t, s.Changes, 1, c.src)
		w := s.Changes[0]
		require.Equal(t, c.limits, limits(w.Conditions), c.src)
		assigned := strings.Join(w.Assigned, " ")
		if w.AnyColumn {
			assigned = "?"
		}
		require.Equal(t, c.assigned, assigned, c.src)
	}
}

func TestInserts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src, columns, rows string
		replaces           bool
		target             string
	}{
		{`INSERT INTO "t" ("a","b") VALUES ($1,$2),($3,DEFAULT) RETURNING "id"`, "a b", "$1 $2; $3 -", false, ""},
		{`INSERT INTO t (a, b) VALUES (f(1, 2), 'x')`, "a b", "- x", false, ""},
		{`INSERT INTO t VALUES (1)`, "", "", false, ""},
		{`INSERT INTO t DEFAULT VALUES`, "", "", false, ""},
		{`INSERT INTO t (a) SELECT a FROM b`, "a", "", false, ""},
		{`INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES (1)`, "a", "1", false, ""},
		{`INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING`, "a", "1", false, ""},
		{`INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET b = excluded.b`, "a", "1", true, "a"},
		{`INSERT INTO t (a) VALUES (1) ON CONFLICT ("a","b") DO UPDATE SET c = 1 WHERE t.x`, "a", "1", true, "a b"},
		{`INSERT INTO t (a) VALUES (1) ON CONFLICT (a) WHERE x DO UPDATE SET b = 1`, "a", "1", true, ""},
		{`INSERT INTO t (a) VALUES (1) ON CONFLICT (lower(a)) DO UPDATE SET b = 1`, "a", "1", true, ""},
		{`INSERT INTO t (a) VALUES (1) ON CONFLICT ON CONSTRAINT k DO UPDATE SET b = 1`, "a", "1", true, ""},
		{`INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING ON CONFLICT (b) DO UPDATE SET b = 1`, "a", "1", true, ""},
		{`INSERT OR REPLACE INTO t (a) VALUES (1)`, "a", "1", true, ""},
		{`INSERT OR IGNORE INTO t (a) VALUES (1)`, "a", "1", false, ""},
		{`INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 2`, "a", "1", true, ""},
		{`INSERT INTO t (a) VALUES (1, 2)`, "a", "", false, ""},
	} {
		w := one(t, c.src).Changes[0]
		require.Equal(t, c.columns, strings.Join(w.Columns, " "), c.src)
		var rows []string
		for _, row := range w.Rows {
			var ops []string
			for _, op := range row {
				switch {
				case op == nil:
					ops = append(ops, "-")
				case op.Param > 0:
					ops = append(ops, "$"+string(rune('0'+op.Param)))
				default:
					ops = append(ops, op.Literal)
				}
			}
			rows = append(rows, strings.Join(ops, " "))
		}
		require.Equal(t, c.rows, strings.Join(rows, "; "), c.src)
		require.Equal(t, c.replaces, w.Replaces, c.src)
		require.Equal(t, c.target, strings.Join(w.Target, " "), c.src)
	}
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	s := sqltext.Parse("SELECT * FROM `users` WHERE `users`.`ID` = ? AND [a] = ? LIMIT 1", sqltext.SQLite)
	require.Equal(t, 2, s.Params)
	require.Equal(t, "id=$1 a=$2", limits(s.Parts[0].Lookup.Conditions))
	for _, src := range []string{`SELECT ?1`, `SELECT :a`, `SELECT @a`, `SELECT $a`} {
		require.Equal(t, sqltext.Unknown, sqltext.Parse(src, sqltext.SQLite).Parts[0].Class, src)
	}
	require.Equal(t, sqltext.Change, sqltext.Parse(`REPLACE INTO t (a) VALUES (1)`, sqltext.SQLite).Parts[0].Class)
}

func TestPlaceholdersAndTemporaryTables(t *testing.T) {
	t.Parallel()
	src := `SELECT '$9' FROM t WHERE a = $2 AND b = $1`
	var found []string
	for _, p := range sqltext.Parse(src, sqltext.Postgres).Placeholders {
		found = append(found, src[p.Start:p.End])
	}
	require.Equal(t, []string{"$2", "$1"}, found)
	require.Equal(t, 2, sqltext.Parse(`SELECT ? + ?`, sqltext.SQLite).Placeholders[1].N)
	require.True(t, one(t, `CREATE TEMP TABLE t (a int)`).Temporary)
	require.True(t, one(t, `CREATE LOCAL TEMPORARY TABLE t (a int)`).Temporary)
	require.False(t, one(t, `CREATE TABLE temp (a int)`).Temporary)
	require.False(t, one(t, `DROP TABLE temp`).Temporary)
}

func TestRedactedTextHasNoLiterals(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"SET app.jwt = 'hunter2'":                             "SET app.jwt = ?",
		"CREATE ROLE x PASSWORD $$hunter2$$ -- hunter2":       "CREATE ROLE x PASSWORD ?",
		"SELECT set_config('app.jwt', E'hunter2', false), 42": "SELECT set_config(?, ?, false), ?",
		"/* hunter2 */ COMMIT":                                "COMMIT",
		"SET x = 'hunter2":                                    "set …",
		"\\ hunter2":                                          "…",
		"":                                                    "",
	} {
		require.Equal(t, want, sqltext.Redact(src, sqltext.Postgres), src)
	}
	require.Less(t, len(sqltext.Redact("SELECT "+strings.Repeat("a, ", 10_000)+"a", sqltext.Postgres)), 1000)
}

func FuzzParse(f *testing.F) {
	for _, src := range []string{
		`SELECT * FROM "users" WHERE "users"."id" IN ($1,$2) AND x BETWEEN 1 AND 2 ORDER BY "users"."id" LIMIT $3`,
		`WITH x(a) AS (DELETE FROM t RETURNING *) INSERT INTO s.t (a, b) VALUES ($1, f(2)) ON CONFLICT (a) DO UPDATE SET b = 1`,
		`UPDATE ONLY t AS u SET (a, b) = (1, 2), c[1] = $q$ x $q$ FROM v WHERE u.id = $1; TRUNCATE a, b CASCADE`,
		`MERGE INTO t USING s ON true WHEN MATCHED THEN UPDATE SET a = 1 -- x` + "\n/* y */",
	} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, d := range []sqltext.Dialect{sqltext.Postgres, sqltext.SQLite} {
			s := sqltext.Parse(src, d)
			for _, part := range s.Parts {
				if part.Class == sqltext.Change && len(part.Changes) == 0 {
					t.Fatalf("%q changes nothing that is known", src)
				}
				for _, w := range part.Changes {
					if part.Class == sqltext.Change && w.Table.Name == "" {
						t.Fatalf("%q changes a table without a name", src)
					}
				}
			}
			// Comments do not count.
			again := sqltext.Parse(s.Text, d)
			if len(s.Parts) > 0 && s.Parts[0].Class != sqltext.Unknown && len(again.Parts) != len(s.Parts) {
				t.Fatalf("%q without comments is %q", src, s.Text)
			}
		}
	})
}
