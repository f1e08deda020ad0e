package relations_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/relations"
)

// columns returns columns of whole numbers.
func columns(names ...string) []catalog.Column {
	list := make([]catalog.Column, len(names))
	for i, name := range names {
		list[i] = catalog.Column{Name: name, Type: "int8"}
	}
	return list
}

func unique(names ...string) catalog.Index { return catalog.Index{Columns: names, Unique: true} }

func index(names ...string) catalog.Index { return catalog.Index{Columns: names} }

// spell writes scopes as one text.
func spell(scopes []relations.Scope) string {
	list := make([]string, len(scopes))
	for i, s := range scopes {
		names := make([]string, len(s.Columns))
		for n, c := range s.Columns {
			names[n] = c.Name
		}
		list[i] = strings.Join(names, "+")
		if s.Unique {
			list[i] += "!"
		}
	}
	return strings.Join(list, " ")
}

func TestScopesAreWhatTheCatalogSpeaksForBestFirst(t *testing.T) {
	t.Parallel()
	generated := catalog.Column{Name: "g", Type: "int8", Generated: true}
	for _, c := range []struct {
		name  string
		table catalog.Table
		keys  []catalog.ForeignKey
		want  string
	}{
		{"nothing", catalog.Table{Key: columns("a"), Columns: columns("a", "b"), Indexes: []catalog.Index{unique("a")}}, nil, ""},
		{
			"all kinds, in order",
			catalog.Table{
				Key: columns("z", "y"), Columns: columns("a", "b", "c", "d", "e", "f", "y", "z"),
				Indexes: []catalog.Index{index("f", "a"), index("e"), unique("z", "y"), unique("c", "b"), unique("d")},
			},
			[]catalog.ForeignKey{{Columns: []string{"a"}}, {Columns: []string{"f", "a"}}},
			"d! b+c! a+f a z y e f",
		},
		{
			"no duplicates, whatever their order",
			catalog.Table{
				Key: columns("id"), Columns: columns("a", "b", "id"),
				Indexes: []catalog.Index{unique("a", "b"), unique("b", "a"), index("a"), index("a", "b")},
			},
			[]catalog.ForeignKey{{Columns: []string{"b", "a"}}, {Columns: []string{"a"}}},
			"a+b! a",
		},
		{
			"long unique indexes count by their first column",
			catalog.Table{Columns: columns("a", "b", "c", "d"), Indexes: []catalog.Index{unique("d", "c", "b", "a")}},
			nil, "d",
		},
		{
			"nothing generated, nothing whose values cannot be named",
			catalog.Table{
				Columns: append(columns("a"), generated),
				Indexes: []catalog.Index{unique("g"), unique("a", "g"), index("g"), index("price"), unique("price", "a")},
			},
			[]catalog.ForeignKey{{Columns: []string{"price"}}},
			"",
		},
		{
			"a foreign key that is the primary key",
			catalog.Table{Key: columns("id"), Columns: columns("id")},
			[]catalog.ForeignKey{{Columns: []string{"id"}}},
			"",
		},
		{
			"foreign keys of other databases' tables",
			catalog.Table{Columns: columns("a")},
			[]catalog.ForeignKey{{Elsewhere: "crm", Columns: []string{"a"}}},
			"",
		},
		{"views", catalog.Table{Kind: catalog.View, Definition: "SELECT 1", Columns: columns("a")}, nil, ""},
		{
			"partitioned tables",
			catalog.Table{
				Kind: catalog.Partitioned, Key: columns("id", "day"), Columns: columns("id", "a"),
				Indexes: []catalog.Index{unique("id", "day"), index("a")},
			},
			nil, "id a",
		},
	} {
		c.table.Name = "Orders"
		if c.table.Kind == "" {
			c.table.Kind = catalog.Base
		}
		for i := range c.keys {
			c.keys[i].Child, c.keys[i].Parent = "Orders", "users"
		}
		g := relations.New(&catalog.Catalog{Tables: []catalog.Table{c.table}, ForeignKeys: c.keys}, sqltext.Postgres)
		require.Equal(t, c.want, spell(g.ScopeColumns("ORDERS")), c.name)
	}
	require.Empty(t, graph().ScopeColumns("unknown"))
}

func TestTablesOfOneNameHaveTheScopesThatAllOfThemHave(t *testing.T) {
	t.Parallel()
	wide := catalog.Table{
		Name: "users", Schema: "a", Kind: catalog.Base, Columns: columns("a", "b", "c"),
		Indexes: []catalog.Index{unique("a"), unique("b"), unique("c")},
	}
	narrow := catalog.Table{Name: "users", Schema: "b", Kind: catalog.Base, Columns: []catalog.Column{
		{Name: "a", Type: "int8"}, {Name: "b", Type: "text"}, {Name: "c", Type: "int8"},
	}, Indexes: []catalog.Index{unique("a"), unique("b"), index("c")}}
	g := relations.New(&catalog.Catalog{Tables: []catalog.Table{wide, narrow}}, sqltext.Postgres)
	require.Equal(t, "a! c", spell(g.ScopeColumns("users")))
	_, ok := g.Column("users", "b")
	require.False(t, ok)
}

// A table from which others inherit has rows that its own indexes do not know.
func TestIndexesOfParentsSayNothingOfTheRowsOfHeirs(t *testing.T) {
	t.Parallel()
	tables := []catalog.Table{
		{Name: "animals", Kind: catalog.Base, Key: columns("id"), Columns: columns("id", "a"), Indexes: []catalog.Index{unique("id"), unique("a")}},
		{Name: "dogs", Kind: catalog.Base, Key: columns("id"), Columns: columns("id", "a"), Indexes: []catalog.Index{unique("id"), unique("a")}},
	}
	for partition, want := range map[bool]string{false: "a id", true: "a!"} {
		g := relations.New(&catalog.Catalog{
			Tables: tables, Inherits: []catalog.Inheritance{{Child: "dogs", Parent: "animals", Partition: partition}},
		}, sqltext.Postgres)
		require.Equal(t, want, spell(g.ScopeColumns("animals")))
		require.Equal(t, "a!", spell(g.ScopeColumns("dogs")))
	}
}

func TestColumnsAreFoundByTheirNamesInATextAndForeignKeysToo(t *testing.T) {
	t.Parallel()
	at := func(d sqltext.Dialect, column, key string) *relations.Graph {
		return relations.New(&catalog.Catalog{
			Tables:      []catalog.Table{{Name: "Orders", Kind: catalog.Base, Columns: columns(column)}},
			ForeignKeys: []catalog.ForeignKey{{Child: "Orders", Parent: "users", Columns: []string{key}}},
		}, d)
	}
	g := at(sqltext.MySQL, "user_id", "User_ID")
	c, ok := g.Column("ORDERS", "user_id")
	require.True(t, ok)
	require.Equal(t, columns("user_id")[0], c)
	require.Equal(t, "user_id", spell(g.ScopeColumns("orders")))
	g = at(sqltext.Postgres, "userID", "userID")
	_, ok = g.Column("orders", "userid")
	require.False(t, ok)
	_, ok = g.Column("orders", "userID")
	require.True(t, ok)
	require.Equal(t, "userID", spell(g.ScopeColumns("orders")))
	_, ok = g.Column("unknown", "userID")
	require.False(t, ok)
}

func TestTablesWhoseRowsAreRetouched(t *testing.T) {
	t.Parallel()
	const before, insert, update = 1 << 1, 1 << 2, 1 << 4
	body := func(name, text string) catalog.Function {
		return catalog.Function{Name: name, Volatile: true, Language: "plpgsql", Body: text}
	}
	c := &catalog.Catalog{
		Tables: []catalog.Table{
			{Name: "plain", Kind: catalog.Base},
			{Name: "stamped", Kind: catalog.Base},
			{Name: "moved", Kind: catalog.Base},
			{Name: "late", Kind: catalog.Base},
			{Name: "ruled", Kind: catalog.Base, Rules: true},
			{Name: "opaque", Kind: catalog.Base},
			{Name: "rich", Kind: catalog.View, Definition: "SELECT * FROM plain"},
			{Name: "parts", Kind: catalog.Partitioned, Key: columns("tenant_id")},
			{Name: "parts_1", Kind: catalog.Base, Key: columns("tenant_id")},
		},
		Inherits: []catalog.Inheritance{{Child: "parts_1", Parent: "parts", Partition: true}},
		Functions: []catalog.Function{
			body("stamp", "BEGIN NEW.updated_at := now(); RETURN NEW; END"),
			body("move", "BEGIN NEW.Tenant_ID := 7; RETURN NEW; END"),
			{Name: "gen", Volatile: true, Language: "c"},
		},
		Triggers: []catalog.Trigger{
			{Table: "stamped", Events: before | update, Function: "stamp"},
			{Table: "moved", Events: before | insert, Function: "move"},
			{Table: "late", Events: update, Function: "move"},
			{Table: "opaque", Events: before | insert, Function: "gen"},
			{Table: "parts_1", Events: before | insert, Function: "move"},
		},
	}
	g := relations.New(c, sqltext.Postgres)
	for table, want := range map[string]bool{
		"plain": false, "stamped": false, "moved": true, "late": false, "ruled": true, "opaque": true, "rich": true,
		"Parts": true, "parts_1": true, "unknown": true,
	} {
		require.Equal(t, want, g.Retouches(table, []string{"tenant_id"}), table)
	}
	require.True(t, g.Retouches("stamped", []string{"a", "updated_at"}))
	require.False(t, g.Retouches("moved", []string{"name"}))
	parts, _ := g.Table("parts")
	require.True(t, parts.Rekeyed, "by the trigger of a partition")
}
