package catalog_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/glebarez/go-sqlite" // the driver
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

func exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := db.ExecContext(t.Context(), s)
		require.NoError(t, err, s)
	}
}

func load(t *testing.T, db *sql.DB, dialect string) *catalog.Catalog {
	t.Helper()
	c, err := catalog.Load(t.Context(), db, dialect)
	require.NoError(t, err)
	return c
}

func find[E any](t *testing.T, all []E, match func(E) bool) E {
	t.Helper()
	i := slices.IndexFunc(all, match)
	require.GreaterOrEqual(t, i, 0, "%+v", all)
	return all[i]
}

func TestPostgresTellsWhatIsInIt(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.PostgresDatabase(t))
	exec(t, db,
		`CREATE TYPE color AS ENUM ('red', 'green')`,
		`CREATE DOMAIN small AS int`,
		`CREATE TABLE users (id bigserial PRIMARY KEY, name text)`,
		`CREATE TABLE pairs (b text, a small, c color, PRIMARY KEY (a, b, c))`,
		`CREATE TABLE orders (id int PRIMARY KEY, user_id bigint REFERENCES users ON DELETE CASCADE ON UPDATE SET NULL)`,
		`CREATE TABLE keyless (a int)`,
		`CREATE VIEW rich AS SELECT u.* FROM users u JOIN orders o ON o.user_id = u.id`,
		`CREATE TABLE parts (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)`,
		`CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')`,
		`CREATE TABLE secret (id int PRIMARY KEY)`, `ALTER TABLE secret ENABLE ROW LEVEL SECURITY`,
		`CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO keyless VALUES (1); RETURN NEW; END'`,
		`CREATE TRIGGER log AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION log_it()`,
		`CREATE FUNCTION twice(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * i'`,
		`CREATE FUNCTION seen() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM keyless'`,
		`CREATE FUNCTION now(i int) RETURNS int STABLE LANGUAGE sql AS 'SELECT i'`,
		`CREATE FUNCTION random(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT i'`,
		`CREATE SCHEMA other`, `CREATE TABLE other.users (code text PRIMARY KEY)`,
	)
	c := load(t, db, catalog.Postgres)
	table := func(schema, name string) catalog.Table {
		return find(t, c.Tables, func(x catalog.Table) bool { return x.Schema == schema && x.Name == name })
	}
	require.Equal(t, []catalog.Column{{Name: "id", Type: "int8"}}, table("public", "users").Key)
	require.Equal(t, []catalog.Column{{Name: "code", Type: "text"}}, table("other", "users").Key)
	require.Equal(t, []catalog.Column{
		{Name: "a", Type: "int4"}, {Name: "b", Type: "text"}, {Name: "c", Type: "color", Enum: true},
	}, table("public", "pairs").Key)
	require.Empty(t, table("public", "keyless").Key)
	require.Equal(t, catalog.View, table("public", "rich").Kind)
	require.Contains(t, table("public", "rich").Definition, "orders")
	require.Equal(t, catalog.Partitioned, table("public", "parts").Kind)
	require.True(t, table("public", "secret").RowSecurity)
	require.Equal(t, []catalog.ForeignKey{{
		Child: "orders", Parent: "users", OnDelete: "c", OnUpdate: "n", Columns: []string{"user_id"}, References: []string{"id"},
	}}, c.ForeignKeys)
	require.Equal(t, []catalog.Inheritance{
		{ChildSchema: "public", Child: "parts_1", ParentSchema: "public", Parent: "parts", Partition: true},
	}, c.Inherits)
	trigger := find(t, c.Triggers, func(x catalog.Trigger) bool { return x.Table == "users" })
	require.Equal(t, "log_it", trigger.Function)
	require.NotZero(t, trigger.Events&(1<<4))
	function := func(name string) catalog.Function {
		return find(t, c.Functions, func(x catalog.Function) bool { return x.Name == name })
	}
	require.True(t, function("log_it").Volatile)
	require.Contains(t, function("log_it").Body, "INSERT INTO keyless")
	require.True(t, function("twice").Pure)
	require.False(t, function("twice").Stable)
	require.True(t, function("seen").Stable)
	require.False(t, function("now").Stable, "the database has a function of that name that tells the time")
	require.False(t, function("random").Pure, "the database has a volatile function of that name")
}

func TestEmptyPostgresHasACatalog(t *testing.T) {
	t.Parallel()
	c := load(t, testkit.OpenPostgres(t, testkit.PostgresDatabase(t)), catalog.Postgres)
	require.Empty(t, c.Tables)
}

func TestTemporaryTablesAreToldApart(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.PostgresDatabase(t))
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), `CREATE TEMP TABLE scratch (id int)`)
	require.NoError(t, err)
	c := load(t, db, catalog.Postgres)
	require.True(t, find(t, c.Tables, func(x catalog.Table) bool { return x.Name == "scratch" }).Temporary)
}

func identify(t *testing.T, db catalog.Querier, dialect, host string) catalog.Identity {
	t.Helper()
	id, err := catalog.Identify(t.Context(), db, catalog.Origin{Dialect: dialect, Host: host})
	require.NoError(t, err)
	return id
}

func TestPostgresDatabasesHaveTheirOwnNames(t *testing.T) {
	t.Parallel()
	first, second := testkit.PostgresDatabase(t), testkit.PostgresDatabase(t)
	a := identify(t, testkit.OpenPostgres(t, first), catalog.Postgres, "")
	again := identify(t, testkit.OpenPostgres(t, first), catalog.Postgres, "elsewhere")
	b := identify(t, testkit.OpenPostgres(t, second), catalog.Postgres, "")
	require.Equal(t, a, again)
	require.True(t, a.Certain)
	require.NotEqual(t, a.Database, b.Database)
	require.Equal(t, a.Sessions, b.Sessions)
}

func TestSessionsThatGetOtherAnswersAreToldApart(t *testing.T) {
	t.Parallel()
	dsn := testkit.PostgresDatabase(t)
	a := identify(t, testkit.OpenPostgres(t, dsn), catalog.Postgres, "")
	for _, option := range []string{
		"search_path=other", "TimeZone=Asia/Tokyo", "role=pg_monitor", "IntervalStyle=iso_8601",
	} {
		b := identify(t, testkit.OpenPostgres(t, dsn+"&"+option), catalog.Postgres, "")
		require.Equal(t, a.Database, b.Database, option)
		require.NotEqual(t, a.Sessions, b.Sessions, option)
	}
	_, err := catalog.Identify(t.Context(), testkit.OpenPostgres(t, dsn+"&standard_conforming_strings=off"), catalog.Origin{Dialect: catalog.Postgres})
	require.ErrorIs(t, err, catalog.ErrSettings)
}

func TestDriversThatReturnOtherValuesAreToldApart(t *testing.T) {
	t.Parallel()
	dsn := testkit.PostgresDatabase(t)
	config, err := pgx.ParseConfig(dsn)
	require.NoError(t, err)
	// The application wants its times in UTC.
	utc := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}))
	t.Cleanup(func() { _ = utc.Close() })
	a := identify(t, testkit.OpenPostgres(t, dsn), catalog.Postgres, "")
	b := identify(t, utc, catalog.Postgres, "")
	require.Equal(t, a.Database, b.Database)
	require.NotEqual(t, a.Sessions, b.Sessions)
}

func openSQLite(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	return db
}

func TestSQLiteTellsWhatIsInIt(t *testing.T) {
	t.Parallel()
	db := openSQLite(t, ":memory:")
	exec(t, db,
		`CREATE TABLE Users (ID integer PRIMARY KEY, name text)`,
		`CREATE TABLE pairs (a int, b varchar(10), PRIMARY KEY (b, a))`,
		`CREATE TABLE orders (id integer PRIMARY KEY, user_id int REFERENCES users(id) ON DELETE CASCADE)`,
		`CREATE VIEW rich AS SELECT * FROM users`,
		`CREATE TRIGGER log AFTER UPDATE ON users BEGIN INSERT INTO orders (user_id) VALUES (1); END`,
	)
	c := load(t, db, catalog.SQLite)
	table := func(name string) catalog.Table {
		return find(t, c.Tables, func(x catalog.Table) bool { return strings.EqualFold(x.Name, name) })
	}
	require.Equal(t, []catalog.Column{{Name: "id", Type: "integer"}}, table("users").Key)
	require.Equal(t, []catalog.Column{{Name: "b", Type: "varchar(10)"}, {Name: "a", Type: "int"}}, table("pairs").Key)
	require.Equal(t, catalog.View, table("rich").Kind)
	require.Equal(t, []catalog.ForeignKey{{
		Child: "orders", Parent: "users", OnDelete: "CASCADE", OnUpdate: "NO ACTION",
		Columns: []string{"user_id"}, References: []string{"id"},
	}}, c.ForeignKeys)
	require.Contains(t, c.Triggers[0].Body, "INSERT INTO orders")
}

func TestSQLiteFilesHaveTheirOwnNamesAndMemoryHasNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := identify(t, openSQLite(t, filepath.Join(dir, "a.db")), catalog.SQLite, "host")
	require.NotEmpty(t, a.Database)
	require.Equal(t, a, identify(t, openSQLite(t, filepath.Join(dir, "a.db")), catalog.SQLite, "host"))
	require.NotEqual(t, a.Database, identify(t, openSQLite(t, filepath.Join(dir, "b.db")), catalog.SQLite, "host").Database)
	require.NotEqual(t, a.Database, identify(t, openSQLite(t, filepath.Join(dir, "a.db")), catalog.SQLite, "other").Database)
	require.Empty(t, identify(t, openSQLite(t, ":memory:"), catalog.SQLite, "host").Database)
}
