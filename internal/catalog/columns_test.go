package catalog_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// tableOf returns the table of a name.
func tableOf(t *testing.T, c *catalog.Catalog, name string) catalog.Table {
	t.Helper()
	return find(t, c.Tables, func(x catalog.Table) bool { return strings.EqualFold(x.Name, name) })
}

func TestPostgresTellsColumns(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.PostgresDatabase(t))
	exec(t, db,
		`CREATE TYPE color AS ENUM ('red', 'green')`, `CREATE TYPE point2 AS (x int, y int)`,
		`CREATE DOMAIN short AS varchar(10)`, `CREATE DOMAIN shorter AS short`, `CREATE DOMAIN numbered AS int DEFAULT 7`,
		`CREATE TABLE users (
			id bigserial PRIMARY KEY, "UserName" text, tenant int2 NOT NULL, code short, deep shorter, seven numbered,
			kind color DEFAULT 'red', guid uuid, fixed char(3), lower_name text GENERATED ALWAYS AS (lower(code)) STORED,
			number int GENERATED ALWAYS AS IDENTITY, gone int, price numeric, at timestamptz, tags text[], place point2)`,
		`ALTER TABLE users DROP COLUMN gone`,
		`CREATE VIEW rich AS SELECT * FROM users`, `CREATE MATERIALIZED VIEW total AS SELECT id FROM users`,
		`CREATE TABLE parts (id shorter, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)`,
	)
	c := load(t, db, catalog.Postgres)
	require.Equal(t, []catalog.Column{
		{Name: "id", Type: "int8", Default: true},
		{Name: "UserName", Type: "text"},
		{Name: "tenant", Type: "int2"},
		{Name: "code", Type: "varchar"},
		{Name: "deep", Type: "varchar"},
		{Name: "seven", Type: "int4", Default: true},
		{Name: "kind", Type: "color", Enum: true, Default: true},
		{Name: "guid", Type: "uuid"},
		{Name: "fixed", Type: "bpchar"},
		{Name: "lower_name", Type: "text", Generated: true},
		{Name: "number", Type: "int4", Default: true},
	}, tableOf(t, c, "users").Columns)
	require.Equal(t, []catalog.Column{{Name: "id", Type: "int8"}}, tableOf(t, c, "users").Key, "whatever its default")
	require.Equal(t, []catalog.Column{{Name: "id", Type: "varchar"}}, tableOf(t, c, "parts").Columns)
	require.Equal(t, []catalog.Column{{Name: "id", Type: "varchar"}, {Name: "day", Type: "date"}}, tableOf(t, c, "parts").Key)
	require.Empty(t, tableOf(t, c, "rich").Columns)
	require.Empty(t, tableOf(t, c, "total").Columns)
}

func TestPostgresTellsIndexes(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.PostgresDatabase(t))
	exec(t, db,
		`CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
		`CREATE TABLE users (id int PRIMARY KEY, b text, a int, c int UNIQUE, d text COLLATE loose, tags int[])`,
		`CREATE UNIQUE INDEX i1 ON users (b, a) INCLUDE (c)`,
		`CREATE UNIQUE INDEX i2 ON users (a) WHERE c > 0`,
		`CREATE UNIQUE INDEX i3 ON users (lower(b))`,
		`CREATE UNIQUE INDEX i4 ON users (a, lower(b))`,
		`CREATE UNIQUE INDEX i5 ON users (d COLLATE "C")`,
		`CREATE INDEX i6 ON users (c, a DESC)`,
		`CREATE INDEX i7 ON users USING gin (tags)`,
		`CREATE INDEX i8 ON users USING hash (b)`,
		`CREATE TABLE parts (id int, day date, name text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)`,
		`CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')`,
		`CREATE INDEX ON parts (name)`,
		`CREATE INDEX half ON ONLY parts (day)`,
	)
	c := load(t, db, catalog.Postgres)
	index := func(unique bool, columns ...string) catalog.Index {
		return catalog.Index{Columns: columns, Unique: unique}
	}
	require.Equal(t, []catalog.Index{
		index(true, "id"), index(true, "c"), index(true, "b", "a"), index(false, "a"), index(false, "d"),
		index(false, "c", "a"), index(false, "b"),
	}, tableOf(t, c, "users").Indexes)
	for _, name := range []string{"parts", "parts_1"} {
		require.Equal(t, []catalog.Index{index(true, "id", "day"), index(false, "name")}, tableOf(t, c, name).Indexes, name)
	}
}

func TestSQLiteTellsColumnsAndIndexes(t *testing.T) {
	t.Parallel()
	db := openSQLite(t, ":memory:")
	exec(t, db,
		`CREATE TABLE Users (ID integer PRIMARY KEY, Name text NOT NULL, tenant int DEFAULT 1, price real, code varchar(3) UNIQUE,
			upper_name text GENERATED ALWAYS AS (upper(name)) VIRTUAL, stored_name text AS (upper(name)) STORED)`,
		`CREATE INDEX i1 ON users (tenant, name)`,
		`CREATE UNIQUE INDEX i2 ON users (name) WHERE tenant > 1`,
		`CREATE UNIQUE INDEX i3 ON users (lower(name), tenant)`,
		`CREATE TABLE loose (code text COLLATE NOCASE, UNIQUE (code COLLATE BINARY))`,
		`CREATE TABLE pairs (b text, a int, PRIMARY KEY (b, a)) WITHOUT ROWID`,
		`CREATE VIEW rich AS SELECT * FROM users`,
		`CREATE TABLE counted (id integer PRIMARY KEY AUTOINCREMENT)`,
	)
	c := load(t, db, catalog.SQLite)
	require.Len(t, c.Tables, 5, "and not sqlite_sequence")
	require.Equal(t, []catalog.Column{
		{Name: "id", Type: "integer", Default: true},
		{Name: "name", Type: "text"},
		{Name: "tenant", Type: "int", Default: true},
		{Name: "code", Type: "varchar(3)"},
		{Name: "upper_name", Type: "text", Generated: true},
		{Name: "stored_name", Type: "text", Generated: true},
	}, tableOf(t, c, "users").Columns)
	require.ElementsMatch(t, []catalog.Index{
		{Columns: []string{"id"}, Unique: true},
		{Columns: []string{"code"}, Unique: true},
		{Columns: []string{"tenant", "name"}},
		{Columns: []string{"name"}},
	}, tableOf(t, c, "users").Indexes)
	require.Equal(t, []catalog.Index{{Columns: []string{"code"}}}, tableOf(t, c, "loose").Indexes)
	require.Equal(t, []catalog.Index{{Columns: []string{"b", "a"}, Unique: true}}, tableOf(t, c, "pairs").Indexes)
	require.Equal(t, []catalog.Column{{Name: "b", Type: "text"}, {Name: "a", Type: "int"}}, tableOf(t, c, "pairs").Columns)
	require.Empty(t, tableOf(t, c, "rich").Columns)
}

func TestMySQLTellsColumnsAndIndexes(t *testing.T) {
	t.Parallel()
	db := testkit.OpenMySQL(t, testkit.MySQL(t))
	exec(t, db,
		`CREATE TABLE Users (ID bigint unsigned PRIMARY KEY AUTO_INCREMENT, Name varchar(20), tenant int NOT NULL, seven int DEFAULT 7,
			price decimal(10, 2), letters varchar(5) COLLATE utf8mb4_roman_ci, upper_name varchar(20) AS (upper(name)) STORED,
			virtual_name varchar(20) AS (upper(name)) VIRTUAL, quoted varchar(10) DEFAULT 'NULL', UNIQUE (Name, tenant))`,
		`CREATE INDEX i1 ON Users (tenant)`,
		`CREATE FULLTEXT INDEX i2 ON Users (name)`,
		`CREATE TABLE quick (id int PRIMARY KEY) ENGINE = MyISAM`,
		`CREATE VIEW rich AS SELECT * FROM Users`,
	)
	c := load(t, db, catalog.MySQL)
	require.Equal(t, []catalog.Column{
		{Name: "id", Type: "bigint", Default: true},
		{Name: "name", Type: "varchar"},
		{Name: "tenant", Type: "int", Default: true},
		{Name: "seven", Type: "int", Default: true},
		{Name: "upper_name", Type: "varchar", Generated: true},
		{Name: "virtual_name", Type: "varchar", Generated: true},
		{Name: "quoted", Type: "varchar", Default: true},
	}, tableOf(t, c, "users").Columns)
	require.ElementsMatch(t, []catalog.Index{
		{Columns: []string{"id"}, Unique: true}, {Columns: []string{"name", "tenant"}, Unique: true}, {Columns: []string{"tenant"}},
	}, tableOf(t, c, "users").Indexes)
	for _, name := range []string{"quick", "rich"} {
		require.Empty(t, tableOf(t, c, name).Columns, name)
		require.Empty(t, tableOf(t, c, name).Indexes, name)
	}
}
