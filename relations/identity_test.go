package relations_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/relations"
)

// tenants is a database with a table for each of two tenants, a third one that inherits from both, and a view.
func tenants() *catalog.Catalog {
	return &catalog.Catalog{
		Tables: []catalog.Table{
			{Schema: "public", Name: "users", Kind: catalog.Base, Identity: "1"},
			{Schema: "other", Name: "users", Kind: catalog.Base, Identity: "2", Hidden: true},
			{Schema: "public", Name: "orders", Kind: catalog.Base, Identity: "3"},
			{Schema: "away", Name: "notes", Kind: catalog.Base, Identity: "4", Hidden: true},
			{Schema: "public", Name: "heirs", Kind: catalog.Base, Identity: "5"},
			{Schema: "other", Name: "heirs", Kind: catalog.Base, Identity: "6", Hidden: true},
			{Schema: "public", Name: "rich", Kind: catalog.View, Identity: "7", Definition: "SELECT * FROM orders"},
			{Schema: "public", Name: "far", Kind: catalog.View, Identity: "8", Definition: "SELECT * FROM other.users"},
			{Schema: "public", Name: "added", Kind: catalog.View, Identity: "9", Definition: "SELECT id &&& 1 FROM orders"},
		},
		Inherits: []catalog.Inheritance{
			{ChildSchema: "other", Child: "heirs", ParentSchema: "public", Parent: "orders", Partition: true},
			{ChildSchema: "other", Child: "heirs", ParentSchema: "other", Parent: "users", Partition: true},
		},
		Functions:    []catalog.Function{{Name: "twice", Pure: true}, {Name: "label", Pure: true, Attribute: true}},
		OwnOperators: []string{"&&&"},
		Definitions:  "f",
	}
}

// What stands for a query's definitions is another one if, and only if, what it reads is.
func TestIdentityOfWhatAQueryReads(t *testing.T) {
	t.Parallel()
	of := func(c *catalog.Catalog, text string, d relations.Declaration) string {
		g := relations.New(c, sqltext.Postgres)
		s := sqltext.Parse(text, sqltext.Postgres)
		reading, refused := g.Reads(&s.Parts[0], d)
		require.Equal(t, relations.Accepted, refused, text)
		return g.Identity(reading, text)
	}
	for text, depends := range map[string]string{
		`SELECT * FROM users`:                               "1",
		`SELECT * FROM users WHERE id = 1`:                  "1",
		`SELECT * FROM public.users`:                        "1",
		`SELECT * FROM other.users`:                         "26",
		`SELECT * FROM users, other.users o`:                "126",
		`SELECT * FROM notes`:                               "4",
		`SELECT * FROM orders`:                              "36",
		`SELECT * FROM rich`:                                "367",
		`SELECT * FROM far`:                                 "268",
		`SELECT * FROM added`:                               "369f",
		`SELECT twice(id) FROM users`:                       "1f",
		`SELECT u.label FROM users u`:                       "1f",
		`SELECT * FROM users WHERE id &&& 1 = 1`:            "1f",
		`SELECT * FROM users WHERE id IN (SELECT twice(1))`: "1f",
	} {
		before := of(tenants(), text, relations.Declaration{})
		for i := range tenants().Tables {
			c := tenants()
			id := c.Tables[i].Identity
			c.Tables[i].Identity += " anew"
			require.Equal(t, strings.Contains(depends, id), before != of(c, text, relations.Declaration{}), "%s: %s", text, id)
		}
		c := tenants()
		c.Definitions += " anew"
		require.Equal(t, strings.Contains(depends, "f"), before != of(c, text, relations.Declaration{}), text)
	}
	declared := relations.Declaration{Tables: []string{"other.users"}}
	c := tenants()
	before := of(c, `SELECT * FROM orders`, declared)
	c.Tables[1].Identity = "anew"
	require.NotEqual(t, before, of(c, `SELECT * FROM orders`, declared))
	c = tenants()
	c.OwnOperators, c.OwnCasts = nil, true
	before = of(c, `SELECT * FROM users`, relations.Declaration{})
	c.Definitions = "anew"
	require.NotEqual(t, before, of(c, `SELECT * FROM users`, relations.Declaration{}), "a cast is not seen in the text")
}
