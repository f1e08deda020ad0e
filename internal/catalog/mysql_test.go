package catalog_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

func TestMySQLTellsWhatIsInIt(t *testing.T) {
	t.Parallel()
	first, second := testkit.MySQL(t), testkit.MySQL(t)
	db, other := testkit.OpenMySQL(t, first), testkit.OpenMySQL(t, second)
	var own, elsewhere string
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT DATABASE()").Scan(&own))
	require.NoError(t, other.QueryRowContext(t.Context(), "SELECT DATABASE()").Scan(&elsewhere))
	exec(t, db,
		"CREATE TABLE Users (ID bigint unsigned PRIMARY KEY AUTO_INCREMENT, name varchar(20), UNIQUE (name))",
		"CREATE TABLE pairs (b varchar(10), a int, PRIMARY KEY (b, a))",
		"CREATE TABLE letters (l varchar(10) COLLATE utf8mb4_roman_ci PRIMARY KEY)",
		"CREATE TABLE orders (id int PRIMARY KEY, user_id bigint unsigned, FOREIGN KEY (user_id) REFERENCES Users (ID) ON DELETE CASCADE)",
		"CREATE TABLE quick (id int PRIMARY KEY) ENGINE = MyISAM",
		"CREATE VIEW rich AS SELECT * FROM Users",
		"CREATE TRIGGER log AFTER UPDATE ON Users FOR EACH ROW INSERT INTO orders (id) VALUES (1)",
		"CREATE TRIGGER early BEFORE INSERT ON orders FOR EACH ROW SET NEW.id = 7",
		"CREATE FUNCTION twice(i int) RETURNS int DETERMINISTIC RETURN 2 * i",
	)
	exec(t, other, "CREATE TABLE far (user_id bigint unsigned, FOREIGN KEY (user_id) REFERENCES "+own+".Users (ID) ON DELETE CASCADE)")
	c := load(t, db, catalog.MySQL)
	require.Equal(t, own, c.Database)
	table := func(name string) catalog.Table {
		return find(t, c.Tables, func(x catalog.Table) bool { return strings.EqualFold(x.Name, name) })
	}
	require.Equal(t, []catalog.Column{{Name: "id", Type: "bigint"}}, table("users").Key)
	require.Equal(t, []catalog.Column{{Name: "b", Type: "varchar"}, {Name: "a", Type: "int"}}, table("pairs").Key)
	require.Equal(t, []catalog.Column{{Name: "l", Type: "collated utf8mb4_roman_ci"}}, table("letters").Key)
	require.Equal(t, catalog.Base, table("users").Kind)
	require.Equal(t, catalog.Foreign, table("quick").Kind, "without transactions")
	require.Equal(t, catalog.View, table("rich").Kind)
	require.Contains(t, table("rich").Definition, "Users")
	require.ElementsMatch(t, []catalog.ForeignKey{
		{
			Child: "orders", Parent: "Users", OnDelete: "CASCADE", OnUpdate: "RESTRICT",
			Columns: []string{"user_id"}, References: []string{"ID"},
		},
		{
			Elsewhere: elsewhere, Child: "far", Parent: "Users", Columns: []string{""}, References: []string{""},
		},
	}, c.ForeignKeys)
	trigger := find(t, c.Triggers, func(x catalog.Trigger) bool { return strings.EqualFold(x.Table, "users") })
	require.Equal(t, 1<<4, trigger.Events)
	require.Contains(t, trigger.Body, "INSERT INTO orders")
	early := find(t, c.Triggers, func(x catalog.Trigger) bool { return x.Table == "orders" })
	require.Equal(t, 1<<1|1<<2, early.Events)
	require.Equal(t, "RETURN 2 * i", c.Functions[0].Body)
}

func TestMySQLSessionsThatGetOtherAnswersAreToldApart(t *testing.T) {
	t.Parallel()
	dsn := testkit.MySQL(t)
	a := identify(t, testkit.OpenMySQL(t, dsn), catalog.MySQL, "")
	require.True(t, a.Certain)
	require.Equal(t, a, identify(t, testkit.OpenMySQL(t, dsn), catalog.MySQL, "elsewhere"))
	for _, option := range []string{"time_zone=%27%2B05%3A00%27", "collation=utf8mb4_bin", "loc=Asia%2FTokyo", "group_concat_max_len=10"} {
		b := identify(t, testkit.OpenMySQL(t, dsn+"&"+option), catalog.MySQL, "")
		require.Equal(t, a.Database, b.Database, option)
		require.NotEqual(t, a.Sessions, b.Sessions, option)
	}
	written := identify(t, testkit.OpenMySQL(t, dsn+"&interpolateParams=true"), catalog.MySQL, "").Sessions
	require.NotEqual(t, a.Sessions[catalog.Plain], a.Sessions[catalog.Prepared], "the text and the binary protocol")
	require.Equal(t, a.Sessions[catalog.Prepared], a.Sessions[catalog.WithArguments])
	require.Equal(t, a.Sessions[catalog.Plain], written[catalog.WithArguments], "the driver has written the arguments into the text")
	require.Equal(t, a.Sessions[catalog.Prepared], written[catalog.Prepared])
	b := identify(t, testkit.OpenMySQL(t, testkit.MySQL(t)), catalog.MySQL, "")
	require.NotEqual(t, a.Database, b.Database)
	for _, option := range []string{
		"sql_mode=ANSI_QUOTES", "sql_mode=%27NO_BACKSLASH_ESCAPES%27", "autocommit=0", "tx_isolation=%27READ-UNCOMMITTED%27",
	} {
		id, err := catalog.Identify(t.Context(), testkit.OpenMySQL(t, dsn+"&"+option), catalog.Origin{Dialect: catalog.MySQL})
		require.ErrorIs(t, err, catalog.ErrSettings, option)
		require.Equal(t, a.Database, id.Database, "its writes have to be announced: %s", option)
	}
}

// A database that is not known is asked for the information schema of the SQL standard.
func TestUnknownDialects(t *testing.T) {
	t.Parallel()
	db := testkit.OpenPostgres(t, testkit.PostgresDatabase(t))
	exec(t, db,
		"CREATE TABLE users (id bigserial PRIMARY KEY, name text)",
		"CREATE TABLE orders (id int PRIMARY KEY, user_id bigint REFERENCES users ON DELETE CASCADE)",
		"CREATE VIEW rich AS SELECT * FROM users",
		"CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"CREATE TRIGGER log AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION log_it()",
	)
	require.False(t, catalog.Knows("acme"))
	c := load(t, db, "acme")
	users := find(t, c.Tables, func(x catalog.Table) bool { return x.Name == "users" })
	require.Equal(t, catalog.Base, users.Kind)
	require.Empty(t, users.Key, "how values are compared is not known")
	require.Equal(t, []catalog.ForeignKey{{
		Child: "orders", Parent: "users", OnDelete: "CASCADE", OnUpdate: "NO ACTION", Columns: []string{"user_id"}, References: []string{"id"},
	}}, c.ForeignKeys)
	rich := find(t, c.Tables, func(x catalog.Table) bool { return x.Name == "rich" })
	require.Equal(t, catalog.View, rich.Kind)
	require.Contains(t, rich.Definition, "users")
	require.Equal(t, "users", c.Triggers[0].Table)
	require.Equal(t, "log_it", c.Functions[0].Name)
	id, err := catalog.Identify(t.Context(), db, catalog.Origin{Dialect: "acme", DSN: "one"})
	require.NoError(t, err)
	require.False(t, id.Certain)
	other, err := catalog.Identify(t.Context(), db, catalog.Origin{Dialect: "acme", DSN: "two"})
	require.NoError(t, err)
	require.NotEqual(t, id.Sessions, other.Sessions)
	_, err = catalog.Load(t.Context(), openSQLite(t, ":memory:"), "acme")
	require.Error(t, err)
}
