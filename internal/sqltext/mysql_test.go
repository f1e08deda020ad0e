package sqltext_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

func oneOf(t testing.TB, d sqltext.Dialect, src string) sqltext.Statement {
	t.Helper()
	s := sqltext.Parse(src, d)
	require.Len(t, s.Parts, 1, src)
	return s.Parts[0]
}

func written(s sqltext.Statement) string {
	var names []string
	for _, w := range s.Changes {
		names = append(names, strings.TrimPrefix(w.Table.Schema+"."+w.Table.Name, "."))
	}
	return strings.Join(names, " ")
}

func TestMySQLClasses(t *testing.T) {
	t.Parallel()
	for want, texts := range map[sqltext.Class][]string{
		sqltext.Query: {
			"SELECT * FROM `users` WHERE `users`.`id` = ?", `SELECT "a;b", 'it\'s; x' FROM t`, "SELECT 1--1 FROM t # WHERE x",
			"SELECT 5 -- 1", "SELECT * FROM t WHERE a = 0x1F AND b = 1.5e-3",
		},
		sqltext.Unknown: {
			"SELECT /*!50000 1, */ 2", "SELECT /*M! 1 */", "SELECT /*+ SET_VAR(sql_mode = '') */ 1", "SELECT * FROM 1abc",
			`SELECT 'open\'`, "ANALYZE UPDATE t SET a = 1", "SET STATEMENT x = 1 FOR UPDATE t SET a = 1",
			"BEGIN NOT ATOMIC UPDATE t SET a = 1", "CALL p()", "DELETE a FROM t AS a", "DELETE FROM a, b USING a JOIN b",
			"DELETE FROM a USING t AS a", "REPLACE t VALUES (1)", "INSERT t VALUES (1)", "UPDATE (SELECT 1) x, t SET a = 1",
			"UPDATE t, (SELECT 1) x SET a = 1", "LOAD DATA INFILE 'x' INTO TABLE t", "EXECUTE s", "HANDLER t OPEN",
			"DELETE QUICK FROM t",
		},
		sqltext.Commit:     {"BEGIN", "BEGIN WORK", "START TRANSACTION", "COMMIT", "LOCK TABLES t WRITE", "UNLOCK TABLES", "ANALYZE TABLE t"},
		sqltext.Control:    {"ROLLBACK", "SAVEPOINT a", "ROLLBACK TO a", "RELEASE SAVEPOINT a"},
		sqltext.Utility:    {"SET @a = 1", "SET FOREIGN_KEY_CHECKS = 0", "SET SESSION wait_timeout = 3", "DESCRIBE t", "SHOW TABLES"},
		sqltext.Session:    {"SET NAMES utf8", "SET @@sql_mode = ''", "SET LOCAL sql_mode = ''", "USE other", "SET autocommit = 0", "SET @a = 1, sql_mode = ''", "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"},
		sqltext.Definition: {"RENAME TABLE a TO b", "CREATE TEMPORARY TABLE t (a int)", "SELECT 1 INTO @x"},
	} {
		for _, src := range texts {
			require.Equal(t, want, oneOf(t, sqltext.MySQL, src).Class, src)
		}
	}
}

func TestMySQLTablesThatAreWritten(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"UPDATE `users` SET `name` = ? WHERE `id` = ?":                        "users",
		"UPDATE IGNORE users SET a = 1":                                       "users",
		"UPDATE LOW_PRIORITY IGNORE other.users SET a = 1":                    "other.users",
		"UPDATE a JOIN b ON a.x = b.x LEFT JOIN c USING (x) SET a.y = b.y":    "a b c",
		"UPDATE a, b AS z, other.c SET a.y = z.y":                             "a b other.c",
		"UPDATE a STRAIGHT_JOIN b SET a.y = 1 WHERE a.z IN (SELECT x FROM c)": "a b",
		"DELETE FROM users WHERE id = 1 ORDER BY id LIMIT 1":                  "users",
		"INSERT IGNORE INTO t SET a = 1":                                      "t",
		"INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a)":  "t",
		"REPLACE INTO t (a) SELECT b FROM u":                                  "t",
		"REPLACE LOW_PRIORITY INTO t VALUES (1)":                              "t",
		"TRUNCATE t":                                                          "t",
		"DELETE FROM t FOR PORTION OF p FROM '2020-01-01' TO '2021-01-01'":    "t",
	} {
		s := oneOf(t, sqltext.MySQL, src)
		require.Equal(t, sqltext.Change, s.Class, src)
		require.Equal(t, want, written(s), src)
	}
	s := oneOf(t, sqltext.MySQL, "INSERT INTO t (id) VALUES (1) ON DUPLICATE KEY UPDATE a = 1")
	require.True(t, s.Changes[0].Replaces)
	require.Empty(t, s.Changes[0].Target, "any unique key may be the one")
	require.Empty(t, oneOf(t, sqltext.MySQL, "UPDATE a JOIN b SET a.x = 1 WHERE id = 3").Changes[0].Conditions)
}

// What binds as loosely as OR must not be taken for a part of one condition.
func TestMySQLSpellingsOfOr(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]int{
		"SELECT * FROM t WHERE id = 1 AND a = 2":           2,
		"SELECT * FROM t WHERE a = 1 || b = 2 AND id = 3":  0,
		"SELECT * FROM t WHERE a = 1 XOR b = 2 AND id = 3": 0,
		"SELECT * FROM t WHERE a = 1 OR b = 2 AND id = 3":  0,
		"SELECT * FROM t WHERE a = 1 && id = 3":            0,
		`SELECT * FROM t WHERE id = "it's"`:                1,
	} {
		require.Len(t, oneOf(t, sqltext.MySQL, src).Lookup.Conditions, want, src)
	}
	q := oneOf(t, sqltext.MySQL, `SELECT * FROM t WHERE id = 'a\'b' AND x = "c"`).Lookup
	require.Len(t, q.Conditions, 1, "what an escape means is the database's affair")
	require.Equal(t, "x", q.Conditions[0].Columns[0])
}

func TestMySQLVolatileAnswers(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]bool{
		"SELECT @x FROM t": true, "SELECT @@version FROM t": true, "SELECT @n := @n + 1 FROM t": true, "SELECT UTC_DATE FROM t": true,
		"SELECT CURRENT_USER FROM t": true, "SELECT NEXT VALUE FOR s FROM t": true, "SELECT SQL_CALC_FOUND_ROWS * FROM t": true,
		"SELECT user, level FROM t": false, "SELECT '@x' FROM t": false,
	} {
		require.Equal(t, want, oneOf(t, sqltext.MySQL, src).Volatile != "", src)
	}
	require.True(t, oneOf(t, sqltext.MySQL, "SELECT * FROM t LOCK IN SHARE MODE").Locks)
	require.True(t, sqltext.MySQL.Pure("date_format"))
	require.False(t, sqltext.MySQL.Pure("unix_timestamp"), "without an argument it tells the time")
	require.False(t, sqltext.SQLite.Pure("date"), "there it may tell the time")
}

// MySQL commits before and after what it cannot undo.
func TestMySQLCommitsByItself(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]bool{
		"COMMIT": true, "BEGIN": true, "CREATE TABLE t (a int)": true, "TRUNCATE t": true, "CALL p()": true,
		"CREATE TEMPORARY TABLE t (a int)": false, "UPDATE t SET a = 1": false, "SAVEPOINT a": false, "SELECT 1": false,
	} {
		s := oneOf(t, sqltext.MySQL, src)
		require.Equal(t, want, s.Commits(sqltext.MySQL), src)
	}
	s := oneOf(t, sqltext.Postgres, "CREATE TABLE t (a int)")
	require.False(t, s.Commits(sqltext.Postgres))
}

// Of a database that is not known, what dialects disagree on is not understood.
func TestStandard(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`SELECT 'a\'`, "SELECT 1 # x", "SELECT 5--1", "SELECT $a$x$a$", "SELECT [a] FROM t", "SELECT @x", "SELECT :name",
		"SELECT /* a /* b */ */ 1", "SELECT /*! 1 */", "SELECT q'[it's]'", "UPDATE t SET a = 1 OUTPUT inserted.a INTO u",
		"DELETE FROM a USING b",
	} {
		require.Equal(t, sqltext.Unknown, oneOf(t, sqltext.Standard, src).Class, src)
	}
	for _, src := range []string{
		`SELECT * FROM "users" WHERE id = $1`, "SELECT * FROM `users` WHERE id = ? -- x", "SELECT * FROM users WHERE name = 'it''s'",
	} {
		s := oneOf(t, sqltext.Standard, src)
		require.Equal(t, sqltext.Query, s.Class, src)
		require.Equal(t, "users", relations(s), src)
	}
	require.Equal(t, "a b", written(oneOf(t, sqltext.Standard, "UPDATE a JOIN b SET x = 1")))
}

func TestBodiesThatMayChangeTheKey(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]bool{
		"BEGIN NEW.updated_at = now(); RETURN NEW; END": false, "BEGIN RETURN NULL; END": false, "BEGIN RETURN OLD; END": false,
		"BEGIN NEW := x; RETURN NEW; END": true, "BEGIN RETURN x; END": true, "BEGIN SELECT * INTO NEW FROM t; RETURN NEW; END": true,
		"SET NEW.a = 1": false,
	} {
		require.Equal(t, want, sqltext.ParseBody(src, sqltext.Postgres).Row, src)
	}
	b := sqltext.ParseBody("BEGIN INSERT INTO other.log (a) VALUES (NEW.id); UPDATE own SET b = 1; END", sqltext.MySQL)
	require.Equal(t, "[other]", fmt.Sprint(b.Schemas))
}
