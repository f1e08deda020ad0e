package relations_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/relations"
)

// shop is a catalog with one of everything.
func shop() *catalog.Catalog {
	id := []catalog.Column{{Name: "id", Type: "int8"}}
	return &catalog.Catalog{
		Tables: []catalog.Table{
			{Name: "users", Kind: catalog.Base, Key: id},
			{Name: "orders", Kind: catalog.Base, Key: id},
			{Name: "items", Kind: catalog.Base, Key: id},
			{Name: "notes", Kind: catalog.Base, Key: id},
			{Name: "audit", Kind: catalog.Base, Key: id},
			{Name: "Stats", Kind: catalog.Base, Key: id},
			{Name: "rich", Kind: catalog.View, Definition: ` SELECT u.* FROM users u JOIN orders o ON true`},
			{Name: "richer", Kind: catalog.View, Definition: `SELECT * FROM rich`},
			{Name: "recent", Kind: catalog.View, Definition: `SELECT * FROM orders WHERE at > now()`},
			{Name: "strange", Kind: catalog.View, Definition: `EXPLAIN`},
			{Name: "totals", Kind: catalog.MaterializedView, Definition: `SELECT * FROM orders`},
			{Name: "scratch", Kind: catalog.Base, Temporary: true},
			{Name: "remote", Kind: catalog.Foreign},
			{Name: "secret", Kind: catalog.Base, RowSecurity: true},
			{Name: "ruled", Kind: catalog.Base, Rules: true},
			{Name: "parts", Kind: catalog.Partitioned, Key: id},
			{Name: "parts_1", Kind: catalog.Base, Key: id},
			{Name: "animals", Kind: catalog.Base, Key: id},
			{Name: "dogs", Kind: catalog.Base, Key: id},
			{Name: "tree", Kind: catalog.Base, Key: id},
			{Schema: "a", Name: "twin", Kind: catalog.Base, Key: id},
			{Schema: "b", Name: "twin", Kind: catalog.Base},
			{Schema: "a", Name: "mixed", Kind: catalog.Base},
			{Schema: "b", Name: "mixed", Kind: catalog.View, Definition: `SELECT 1`},
		},
		ForeignKeys: []catalog.ForeignKey{
			{Child: "orders", Parent: "users", OnDelete: "c", OnUpdate: "a", Columns: []string{"user_id"}, References: []string{"id"}},
			{Child: "items", Parent: "orders", OnDelete: "c", OnUpdate: "c", Columns: []string{"order_id"}, References: []string{"id"}},
			{Child: "notes", Parent: "users", OnDelete: "n", OnUpdate: "n", Columns: []string{"user_id"}, References: []string{"id"}},
			{Child: "tree", Parent: "tree", OnDelete: "CASCADE", Columns: []string{"parent_id"}},
		},
		Inherits: []catalog.Inheritance{
			{Child: "parts_1", Parent: "parts", Partition: true}, {Child: "dogs", Parent: "animals"},
		},
		Triggers: []catalog.Trigger{
			{Table: "items", Events: 1 << 4, Function: "log_it"},
			{Table: "notes", Events: 1<<2 | 1<<4, Function: "touch"},
			{Table: "dogs", Events: 1 << 3, Function: "count_it"},
		},
		Functions: []catalog.Function{
			{Name: "log_it", Volatile: true, Language: "plpgsql", Body: `BEGIN INSERT INTO audit (a) VALUES (now()); RETURN NEW; END`},
			{Name: "touch", Volatile: true, Language: "plpgsql", Body: `BEGIN NEW.updated_at = now(); RETURN NEW; END`},
			{Name: "count_it", Volatile: true, Language: "plpgsql", Body: `BEGIN PERFORM bump(); RETURN OLD; END`},
			{Name: "bump", Volatile: true, Language: "sql", Body: `UPDATE stats SET n = n + 1; SELECT bump()`},
			{Name: "dynamic", Volatile: true, Language: "plpgsql", Body: `BEGIN EXECUTE 'DELETE FROM ' || t; END`},
			{Name: "opaque", Volatile: true, Language: "plpython3u"},
			{Name: "stable", Language: "sql"},
			{Name: "slug", Pure: true, Language: "sql"},
			{Name: "lower", Language: "sql"},
			{Name: "replace", Pure: true, Language: "sql"},
			{Name: "gen", Volatile: true, Language: "c"},
			{Name: "twofold", Language: "sql", Pure: true},
			{Name: "twofold", Volatile: true, Language: "sql", Body: `INSERT INTO audit VALUES (1)`},
		},
	}
}

func graph() *relations.Graph { return relations.New(shop(), sqltext.Postgres) }

func TestReads(t *testing.T) {
	t.Parallel()
	g := graph()
	for src, want := range map[string]string{
		`SELECT * FROM users`:                                          "users",
		`SELECT * FROM "Users" u, Orders`:                              "users orders",
		`SELECT * FROM users WHERE id IN (SELECT user_id FROM orders)`: "users orders",
		`SELECT items FROM orders`:                                     "orders",
		`SELECT items FROM orders GROUP BY items`:                      "items orders", // perhaps a column, perhaps not
		`SELECT * FROM rich`:                                           "users orders",
		`SELECT * FROM richer r JOIN items i ON true`:                  "users orders items",
		`SELECT * FROM totals`:                                         "totals",
		`SELECT * FROM parts`:                                          "parts",
		`WITH x AS (SELECT * FROM users) SELECT * FROM x`:              "users",
		`SELECT count(*), slug('x'), replace('a','b','c') FROM users`:  "users",
		`SELECT * FROM a.twin`:                                         "twin",
	} {
		s := sqltext.Parse(src, sqltext.Postgres).Parts[0]
		reading, refused := g.Reads(&s, relations.Declaration{})
		require.Equal(t, relations.Accepted, refused, src)
		require.Equal(t, want, strings.Join(reading.Tables, " "), src)
	}
}

func TestRefusedReads(t *testing.T) {
	t.Parallel()
	g := graph()
	for want, list := range map[relations.Refusal][]string{
		relations.RefusedTable: {
			`SELECT * FROM pg_catalog.pg_class`, `SELECT * FROM pg_class`,
			`SELECT * FROM information_schema.users`, `SELECT * FROM scratch`, `SELECT * FROM remote`, `SELECT * FROM secret`,
			`SELECT * FROM strange`, `SELECT * FROM mixed`,
		},
		relations.RefusedUnknown: {
			`SELECT * FROM unknown`, `SELECT * FROM users, unknown`, `SELECT nextval('s'), last_value FROM users_id_seq`,
		},
		relations.RefusedVolatile: {
			`SELECT now() FROM users`, `SELECT * FROM users WHERE at > current_date`, `SELECT * FROM recent`, `SELECT random()`,
			`SELECT stable() FROM users`, `SELECT lower(name) FROM users`, `SELECT other.slug('x')`, `SELECT gen()`, `SELECT twofold()`,
		},
	} {
		for _, src := range list {
			s := sqltext.Parse(src, sqltext.Postgres).Parts[0]
			_, refused := g.Reads(&s, relations.Declaration{})
			require.Equal(t, want, refused, src)
		}
	}
}

func TestWritesReachWhatTheDatabaseChangesByItself(t *testing.T) {
	t.Parallel()
	g := graph()
	update := func(columns ...string) relations.Change {
		return relations.Change{Op: sqltext.Update, Assigned: columns}
	}
	for _, c := range []struct {
		name           string
		table          string
		change         relations.Change
		changed, grown string
		everything     bool
	}{
		{"insert", "users", relations.Change{Op: sqltext.Insert}, "", "", false},
		{"delete cascades, sets null and fires triggers", "users", relations.Change{Op: sqltext.Delete}, "items notes orders", "", false},
		{"update of what nobody refers to", "users", update("name"), "", "", false},
		{"update of a key", "users", update("ID"), "notes", "", false},
		{"update of unknown columns", "users", relations.Change{Op: sqltext.Update, AnyColumn: true}, "notes", "", false},
		{"update cascades and the trigger of the child inserts", "orders", update("id"), "items", "audit", false},
		{"trigger that inserts", "items", update("name"), "", "audit", false},
		{"trigger that writes nothing", "notes", update("name"), "", "", false},
		{"trigger of another event", "items", relations.Change{Op: sqltext.Delete}, "", "", false},
		{"trigger that calls a function that updates", "dogs", relations.Change{Op: sqltext.Delete}, "animals stats", "", false},
		{"parent of one that inherits", "animals", update("name"), "dogs", "", false},
		{"partition", "parts_1", relations.Change{Op: sqltext.Insert}, "", "parts", false},
		{"partitioned table", "parts", update("name"), "parts_1", "", false},
		{"self reference", "tree", relations.Change{Op: sqltext.Delete}, "tree", "", false},
		{"truncate", "users", relations.Change{Op: sqltext.Truncate}, "", "", false},
		{"truncate cascade", "users", relations.Change{Op: sqltext.Truncate, Cascade: true}, "items notes orders", "", false},
		{"merge", "users", relations.Change{Op: sqltext.Merge, AnyColumn: true}, "items notes orders", "", false},
		{"view", "rich", update("name"), "items notes orders users", "audit", false},
		{"rules", "ruled", relations.Change{Op: sqltext.Insert}, "", "", true},
		{"unknown table", "unknown", relations.Change{Op: sqltext.Delete}, "", "", false},
	} {
		got := g.Reach(c.table, c.change)
		require.Equal(t, c.everything, got.Everything, c.name)
		require.Equal(t, c.changed, strings.Join(got.Changed, " "), c.name)
		require.Equal(t, c.grown, strings.Join(got.Grown, " "), c.name)
	}
}

func TestCallsReachWhatFunctionsWrite(t *testing.T) {
	t.Parallel()
	g := graph()
	for call, want := range map[string]relations.Reach{
		"lower": {}, "now": {}, "stable": {}, "gen": {}, "touch": {}, "random": {},
		"log_it":       {Grown: []string{"audit"}},
		"bump":         {Changed: []string{"stats"}},
		"app.bump":     {Changed: []string{"stats"}},
		"twofold":      {Grown: []string{"audit"}},
		"dynamic":      {Everything: true},
		"opaque":       {Everything: true},
		"app.unknown":  {Everything: true},
		"query_to_xml": {Everything: true},
	} {
		got := g.Call(call)
		got.Because = nil
		require.Equal(t, want, got, call)
	}
}

func TestReachSaysHowEachTableIsReached(t *testing.T) {
	t.Parallel()
	g := graph()
	for _, c := range []struct {
		table  string
		change relations.Change
		want   map[string]string
	}{
		{"users", relations.Change{Op: sqltext.Delete}, map[string]string{
			"orders": "orders(user_id) REFERENCES users ON DELETE CASCADE",
			"items":  "items(order_id) REFERENCES orders ON DELETE CASCADE",
			"notes":  "notes(user_id) REFERENCES users ON DELETE SET NULL",
		}},
		{"users", relations.Change{Op: sqltext.Truncate, Cascade: true}, map[string]string{
			"orders": "TRUNCATE users CASCADE", "items": "TRUNCATE orders CASCADE", "notes": "TRUNCATE users CASCADE",
		}},
		{"items", relations.Change{Op: sqltext.Update, Assigned: []string{"name"}}, map[string]string{
			"audit": "a trigger of items, function log_it",
		}},
		{"animals", relations.Change{Op: sqltext.Update, Assigned: []string{"name"}}, map[string]string{"dogs": "inheritance of animals"}},
		{"ruled", relations.Change{Op: sqltext.Insert}, map[string]string{"": "table ruled has rules"}},
	} {
		require.Equal(t, c.want, g.Reach(c.table, c.change).Because, "%s %v", c.table, c.change)
	}
	require.Equal(t, map[string]string{"stats": "function bump"}, g.Call("app.bump").Because)
	require.Equal(t, map[string]string{"": "function dynamic: it runs text that cannot be read"}, g.Call("dynamic").Because)
}

func TestRefusalSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	g := graph()
	for src, want := range map[string]string{
		"SELECT * FROM users WHERE at < now()":          "function now",
		"SELECT * FROM users WHERE at < CURRENT_DATE":   "current_date",
		"SELECT * FROM users, nowhere WHERE at < now()": "relation nowhere, which the catalog did not show",
		"SELECT * FROM pg_class":                        "relation pg_class of another schema, or of the database's own",
		"SELECT * FROM users":                           "",
	} {
		s := sqltext.Parse(src, sqltext.Postgres).Parts[0]
		reading, _ := g.Reads(&s, relations.Declaration{})
		require.Equal(t, want, reading.Because, src)
	}
}

func TestKeysOfTables(t *testing.T) {
	t.Parallel()
	g := graph()
	for name, keyed := range map[string]bool{
		"users": true, "USERS": true, "parts": true, "dogs": true,
		"animals": false, // rows of those who inherit may have the same key
		"twin":    false, // one of two tables of that name
		"rich":    false, "totals": false,
	} {
		table, ok := g.Table(name)
		require.True(t, ok, name)
		require.Equal(t, keyed, len(table.Key) > 0, name)
	}
	_, ok := g.Table("unknown")
	require.False(t, ok)
}

func TestTablesWhoseTriggersOrRulesCannotBeRead(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"ruled"}, graph().Opaque())
	c := shop()
	c.Triggers = append(c.Triggers,
		catalog.Trigger{Table: "audit", Events: 1 << 2, Function: "opaque"},
		catalog.Trigger{Table: "Tree", Events: 1 << 5, Function: "dynamic"},
		catalog.Trigger{Table: "users", Events: 1 << 3, Function: "indirect"},
		catalog.Trigger{Table: "twin", Events: 1 << 3, Function: "gen"},
	)
	c.Functions = append(c.Functions, catalog.Function{
		Name: "indirect", Volatile: true, Language: "plpgsql", Body: "BEGIN PERFORM dynamic(); RETURN OLD; END",
	})
	require.Equal(t, []string{"audit", "ruled", "tree", "users"}, relations.New(c, sqltext.Postgres).Opaque(), "and not items, which writes to audit")
}

// Where there may be functions that the catalog does not show, one that is not the database's own may do anything.
func TestFunctionsOfPartialCatalogs(t *testing.T) {
	t.Parallel()
	g := relations.New(&catalog.Catalog{Partial: true, Tables: []catalog.Table{{Name: "users", Kind: catalog.Base}}}, sqltext.Postgres)
	require.True(t, g.Retouches("users", []string{"name"}), "perhaps by a trigger")
	for call, want := range map[string]bool{"lower": false, "now": false, "nextval": false, "close_month": true, "app.lower": true} {
		require.Equal(t, want, g.Call(call).Everything, call)
	}
}

func TestSQLiteGraph(t *testing.T) {
	t.Parallel()
	g := relations.New(&catalog.Catalog{
		Tables: []catalog.Table{
			{Name: "users", Kind: catalog.Base},
			{Name: "audit", Kind: catalog.Base},
			{Name: "stats", Kind: catalog.Base},
			{Name: "v", Kind: catalog.View, Definition: `CREATE VIEW "v" (a) AS SELECT id AS a FROM users`},
			{Name: "w", Kind: catalog.View, Definition: `CREATE VIEW w AS WITH x AS (SELECT 1) SELECT * FROM x, "stats"`},
		},
		Triggers: []catalog.Trigger{
			{Table: "users", Body: `CREATE TRIGGER t AFTER UPDATE ON users BEGIN INSERT INTO audit VALUES (1); END`},
			{Table: "audit", Body: `CREATE TRIGGER t2 AFTER INSERT ON audit BEGIN UPDATE stats SET n = n + 1; END`},
		},
	}, sqltext.SQLite)
	s := sqltext.Parse("SELECT * FROM sqlite_sequence", sqltext.SQLite).Parts[0]
	_, refused := g.Reads(&s, relations.Declaration{})
	require.Equal(t, relations.RefusedTable, refused)
	for src, want := range map[string]string{`SELECT * FROM v`: "users", `SELECT * FROM w`: "stats"} {
		s := sqltext.Parse(src, sqltext.SQLite).Parts[0]
		reading, refused := g.Reads(&s, relations.Declaration{})
		require.Equal(t, relations.Accepted, refused, src)
		require.Equal(t, want, strings.Join(reading.Tables, " "), src)
	}
	require.Equal(t, relations.Reach{Changed: []string{"stats"}, Grown: []string{"audit"}, Because: map[string]string{
		"audit": "a trigger of users", "stats": "a trigger of audit",
	}}, g.Reach("users", relations.Change{Op: sqltext.Update, Assigned: []string{"name"}}))
}

// A trigger that runs before a row is written may give it another key than the statement does.
func TestTablesWhoseTriggersMayChangeKeys(t *testing.T) {
	t.Parallel()
	const before, insert, update, remove = 1 << 1, 1 << 2, 1 << 4, 1 << 3
	body := func(name, text string) catalog.Function {
		return catalog.Function{Name: name, Volatile: true, Language: "plpgsql", Body: text}
	}
	functions := []catalog.Function{
		body("stamp", "BEGIN NEW.updated_at := now(); RETURN NEW; END"), body("number", "BEGIN NEW.id := 7; RETURN NEW; END"),
		body("other", "BEGIN RETURN r; END"),
		{Name: "moddatetime", Volatile: true, Language: "c"},
		{Name: "autoinc", Volatile: true, Language: "c"},
	}
	for _, c := range []struct {
		function string
		events   int
		want     bool
	}{
		{"stamp", before | insert | update, false},
		{"number", before | insert, true},
		{"number", before | update, true},
		{"number", insert, false},
		{"number", before | remove, false},
		{"other", before | insert, true},
		{"moddatetime", before | update, false},
		{"autoinc", before | insert, true},
		{"unknown", before | insert, true},
	} {
		g := relations.New(&catalog.Catalog{
			Tables:    []catalog.Table{{Name: "users", Kind: catalog.Base, Key: []catalog.Column{{Name: "id", Type: "int8"}}}},
			Functions: functions, Triggers: []catalog.Trigger{{Table: "users", Events: c.events, Function: c.function}},
		}, sqltext.Postgres)
		table, _ := g.Table("users")
		require.Equal(t, c.want, table.Rekeyed, c)
	}
}

// A catalog may be of one of a server's databases: what is in others is not read, and a write to one of them is told to
// whoever uses that.
func TestOtherDatabasesOfAServer(t *testing.T) {
	t.Parallel()
	g := relations.New(&catalog.Catalog{
		Database:    "shop",
		Tables:      []catalog.Table{{Name: "users", Kind: catalog.Base}, {Name: "orders", Kind: catalog.Base}},
		ForeignKeys: []catalog.ForeignKey{{Elsewhere: "crm", Child: "notes", Parent: "users", OnDelete: "CASCADE"}},
		Triggers:    []catalog.Trigger{{Table: "orders", Events: 1 << 4, Body: "INSERT INTO log.entries (a) VALUES (1)"}},
	}, sqltext.MySQL)
	for src, want := range map[string]relations.Refusal{
		"SELECT * FROM users": relations.Accepted, "SELECT * FROM shop.users": relations.Accepted,
		"SELECT * FROM SHOP.users": relations.Accepted, "SELECT * FROM crm.users": relations.RefusedTable,
	} {
		s := sqltext.Parse(src, sqltext.MySQL).Parts[0]
		_, refused := g.Reads(&s, relations.Declaration{})
		require.Equal(t, want, refused, src)
	}
	require.Equal(t, []string{"crm"}, g.Reach("users", relations.Change{Op: sqltext.Delete}).Elsewhere)
	require.Equal(t, []string{"log"}, g.Reach("orders", relations.Change{Op: sqltext.Update}).Elsewhere)
	require.Equal(t, []string{"crm"}, g.Call("crm.f").Elsewhere)
	schema, ok := g.Elsewhere(sqltext.Relation{Schema: "crm", Name: "users"})
	require.True(t, ok)
	require.Equal(t, "crm", schema)
	_, ok = g.Elsewhere(sqltext.Relation{Schema: "shop", Name: "users"})
	require.False(t, ok)
}
