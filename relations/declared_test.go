package relations_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/relations"
)

func TestDeclaredReads(t *testing.T) {
	t.Parallel()
	c := shop()
	c.Functions = append(c.Functions, catalog.Function{Name: "counted", Stable: true, Language: "sql"})
	c.Tables = append(c.Tables, catalog.Table{Name: "tally", Kind: catalog.View, Definition: `SELECT counted() FROM users`})
	g := relations.New(c, sqltext.Postgres)
	of := func(name string) []string {
		return map[string][]string{"tally": {"notes"}, "notes": {"audit"}, "audit": {"notes"}}[name]
	}
	for _, c := range []struct {
		text, declared string
		of             bool
		refused        relations.Refusal
		tables, also   string
		opaque         bool
	}{
		{`SELECT * FROM users`, "", false, relations.Accepted, "users", "", false},
		{`SELECT * FROM users`, "Orders", false, relations.Accepted, "users", "orders", false},
		{`SELECT * FROM users`, "users", false, relations.Accepted, "users", "users", false},
		{`SELECT * FROM users`, "richer items", false, relations.Accepted, "users", "items orders users", false},
		{`SELECT * FROM users`, "unknown", false, relations.Accepted, "users", "unknown", false},
		{`SELECT * FROM users`, "pg_catalog.pg_class", false, relations.RefusedTable, "users", "", false},
		{`SELECT * FROM users`, "secret", false, relations.RefusedTable, "users", "secret", false},
		{`SELECT * FROM users`, "recent", false, relations.RefusedVolatile, "users", "orders", false},
		{`SELECT * FROM users`, "strange", false, relations.Accepted, "users", "strange", false},
		{`SELECT counted()`, "", false, relations.RefusedVolatile, "", "", false},
		{`SELECT counted()`, "items", false, relations.Accepted, "", "items", true},
		{`SELECT counted(), gen()`, "items", false, relations.RefusedVolatile, "", "items", true},
		{`SELECT counted(), now()`, "items", false, relations.RefusedVolatile, "", "items", true},
		{`SELECT stable()`, "items", false, relations.RefusedVolatile, "", "items", false},
		{`SELECT * FROM strange`, "items", false, relations.Accepted, "strange", "items", true},
		{`SELECT * FROM tally`, "", false, relations.RefusedVolatile, "users", "", false},
		{`SELECT * FROM tally`, "", true, relations.Accepted, "users", "audit notes", true},
		{`SELECT * FROM tally, counted()`, "", true, relations.RefusedVolatile, "users", "audit notes", true},
	} {
		s := sqltext.Parse(c.text, sqltext.Postgres).Parts[0]
		d := relations.Declaration{Tables: strings.Fields(c.declared)}
		if c.of {
			d.Of = of
		}
		got, refused := g.Reads(&s, d)
		what := c.text + " / " + c.declared
		require.Equal(t, c.refused, refused, what)
		require.Equal(t, c.tables, strings.Join(got.Tables, " "), what)
		require.Equal(t, c.also, strings.Join(got.Declared, " "), what)
		require.Equal(t, c.opaque, got.Opaque, what)
	}
}

func TestTablesOfOtherDatabasesCannotBeDeclared(t *testing.T) {
	t.Parallel()
	g := relations.New(&catalog.Catalog{Database: "shop", Tables: []catalog.Table{{Name: "users", Kind: catalog.Base}}}, sqltext.MySQL)
	s := sqltext.Parse(`SELECT * FROM users`, sqltext.MySQL).Parts[0]
	for name, want := range map[string]relations.Refusal{
		"shop.orders": relations.Accepted, "orders": relations.Accepted, "other.orders": relations.RefusedTable,
	} {
		_, refused := g.Reads(&s, relations.Declaration{Tables: []string{name}})
		require.Equal(t, want, refused, name)
	}
}
