package catalog_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// stands returns what stands for a table or a view; without a name, what stands for functions.
func stands(t *testing.T, db *sql.DB, dialect, table string) string {
	t.Helper()
	c := load(t, db, dialect)
	if table == "" {
		return c.Definitions
	}
	return find(t, c.Tables, func(x catalog.Table) bool { return strings.EqualFold(x.Name, table) }).Identity
}

type change struct {
	table string
	texts []string
}

// changesIdentity carries out each change, and compares what stands for its table before and after.
func changesIdentity(t *testing.T, db *sql.DB, dialect string, want bool, changes ...change) {
	t.Helper()
	for _, c := range changes {
		if c.table != "" {
			require.NotEmpty(t, stands(t, db, dialect, c.table))
		}
		before, digest := stands(t, db, dialect, c.table), load(t, db, dialect).Digest()
		require.Equal(t, digest, load(t, db, dialect).Digest(), "read twice")
		exec(t, db, c.texts...)
		require.Equal(t, want, before != stands(t, db, dialect, c.table), c.texts)
		if want {
			require.NotEqual(t, digest, load(t, db, dialect).Digest(), c.texts)
		}
	}
}

func TestPostgresTellsATableFromOneThatWasMadeAnewOrChanged(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.PostgresDatabase(t))
	exec(t, db, "CREATE TYPE color AS ENUM ('red', 'green')", "CREATE TYPE pair AS (a int)",
		"CREATE FUNCTION twice(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * i'",
		"CREATE DOMAIN tint AS color",
		"CREATE TABLE a (id int PRIMARY KEY, name text, c color, p pair)", "CREATE TABLE d (t tint)", "CREATE TABLE e (c color[])", "CREATE TABLE b (LIKE a INCLUDING ALL)",
		"CREATE VIEW v AS SELECT id, name FROM a", "CREATE MATERIALIZED VIEW m AS SELECT id FROM a")
	changesIdentity(t, db, catalog.Postgres, true,
		change{"b", []string{"DROP TABLE b", "CREATE TABLE b (LIKE a INCLUDING ALL)"}},
		change{"b", []string{"ALTER TABLE a RENAME TO c", "ALTER TABLE b RENAME TO a", "ALTER TABLE c RENAME TO b"}},
		change{"a", []string{"TRUNCATE a"}},
		change{"a", []string{"ALTER TABLE a ADD COLUMN more text"}},
		change{"a", []string{"ALTER TABLE a DROP COLUMN more"}},
		change{"a", []string{"ALTER TABLE a RENAME COLUMN p TO q"}},
		change{"a", []string{"ALTER TYPE color RENAME VALUE 'red' TO 'blue'"}},
		change{"d", []string{"ALTER TYPE color RENAME VALUE 'blue' TO 'red'"}},
		change{"e", []string{"ALTER TYPE color ADD VALUE 'black' BEFORE 'red'"}},
		change{"a", []string{"ALTER TYPE pair ADD ATTRIBUTE b int"}},
		change{"v", []string{"CREATE OR REPLACE VIEW v AS SELECT id, name FROM a"}},
		change{"m", []string{"REFRESH MATERIALIZED VIEW m"}},
		change{"", []string{"CREATE OR REPLACE FUNCTION twice(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 3 * i'"}},
		change{"", []string{"DROP FUNCTION twice"}},
	)
	changesIdentity(t, db, catalog.Postgres, false,
		change{"a", []string{"INSERT INTO a (id) VALUES (1)", "UPDATE a SET name = 'x'", "ANALYZE a", "VACUUM a"}},
		change{"a", []string{"CREATE INDEX ON a (name)", "GRANT SELECT ON a TO PUBLIC", "ALTER TABLE b ADD COLUMN more text"}},
	)
}

func TestMySQLTellsATableFromOneThatWasMadeAnewOrChanged(t *testing.T) {
	t.Parallel()
	db := testkit.OpenMySQL(t, testkit.MySQL(t))
	exec(t, db, "CREATE TABLE a (id int PRIMARY KEY, name varchar(10), c enum('red', 'green'))", "CREATE TABLE b LIKE a",
		"CREATE TABLE p (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2", "CREATE VIEW v AS SELECT id, name FROM a")
	changesIdentity(t, db, catalog.MySQL, true,
		change{"b", []string{"DROP TABLE b", "CREATE TABLE b LIKE a"}},
		change{"b", []string{"RENAME TABLE a TO c, b TO a, c TO b"}},
		change{"a", []string{"TRUNCATE a"}},
		change{"a", []string{"ALTER TABLE a ADD COLUMN more text"}},
		change{"a", []string{"ALTER TABLE a DROP COLUMN more"}},
		change{"a", []string{"ALTER TABLE a CHANGE name named varchar(10)"}},
		change{"a", []string{"ALTER TABLE a MODIFY c enum('blue', 'green')"}},
		change{"p", []string{"ALTER TABLE p TRUNCATE PARTITION p0"}},
		change{"v", []string{"CREATE OR REPLACE VIEW v AS SELECT id, name FROM b"}},
	)
	changesIdentity(t, db, catalog.MySQL, false,
		change{"a", []string{"INSERT INTO a (id) VALUES (1)", "UPDATE a SET named = 'x'", "ANALYZE TABLE a", "DROP TABLE p"}},
	)
}

// Names that the engine spells otherwise are told apart by the second in which they were made, and all are if one is.
func TestMySQLTellsWhenATableWasMadeIfItsNumberIsNotToldOf(t *testing.T) {
	t.Parallel()
	db := testkit.OpenMySQL(t, testkit.MySQL(t))
	exec(t, db, "CREATE TABLE `a-b` (id int PRIMARY KEY)", "CREATE TABLE a (id int PRIMARY KEY)")
	changesIdentity(t, db, catalog.MySQL, true,
		change{"a-b", []string{"DROP TABLE `a-b`", "DO SLEEP(1.1)", "CREATE TABLE `a-b` (id int PRIMARY KEY)"}},
		change{"a", []string{"DROP TABLE a", "CREATE TABLE a (id int PRIMARY KEY)"}},
	)
	changesIdentity(t, db, catalog.MySQL, false, change{"a-b", []string{"INSERT INTO `a-b` VALUES (1)"}})
}

func TestSQLiteTellsATableFromOneThatWasMadeAnewOrChanged(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "db"))
	require.NoError(t, err)
	defer db.Close()
	exec(t, db, "CREATE TABLE a (id int PRIMARY KEY, name text)", "ANALYZE") // the first makes a table
	changesIdentity(t, db, catalog.SQLite, true,
		change{"a", []string{"DROP TABLE a", "CREATE TABLE a (id int PRIMARY KEY, name text)"}},
		change{"a", []string{"ALTER TABLE a RENAME COLUMN name TO named"}},
	)
	changesIdentity(t, db, catalog.SQLite, false, change{"a", []string{"INSERT INTO a (id) VALUES (1)", "ANALYZE"}})
}

// A name without a schema means the first table on the search_path; not one that somebody drops while the catalog is read.
func TestPostgresTellsWhichTableANameMeans(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.PostgresDatabase(t))
	exec(t, db, "CREATE SCHEMA other", "CREATE TABLE a (id int)", "CREATE TABLE other.a (id int)", "CREATE TABLE other.b (id int)")
	hidden := func(q catalog.Querier) map[string]bool {
		c, err := catalog.Load(t.Context(), q, catalog.Postgres)
		require.NoError(t, err)
		found := map[string]bool{}
		for _, table := range c.Tables {
			found[table.Schema+"."+table.Name] = table.Hidden
		}
		return found
	}
	want := map[string]bool{"public.a": false, "other.a": true, "other.b": true}
	require.Equal(t, want, hidden(db))
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(t.Context(), "SELECT 1 FROM pg_class") // it sees what there is now
	require.NoError(t, err)
	exec(t, db, "DROP TABLE other.a")
	require.Equal(t, want, hidden(tx))
}
