package relations_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/relations"
)

var update = flag.Bool("update", false, "write testdata/graph.* anew")

// golden compares a text with that of a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestGraphsAreDrawnTheSameEachTime(t *testing.T) {
	t.Parallel()
	for range 10 {
		c := shop()
		c.Triggers = append(c.Triggers, catalog.Trigger{Table: "audit", Events: 1 << 2, Function: "dynamic"})
		d := relations.Drawing{Database: "shop", Nodes: relations.New(c, sqltext.Postgres).Nodes()}
		for i := range d.Nodes {
			if n := &d.Nodes[i]; n.Name == "orders" {
				n.Scopes = []string{"code (unique)", "user_id"}
				n.AddEdge(relations.Edge{Kind: relations.Associated, To: "notes", Columns: []string{"note_id"}, References: []string{"id"}})
				n.AddEdge(relations.Edge{Kind: relations.DependsOn, To: "stats"})
				n.AddEdge(relations.Edge{Kind: relations.DependsOn, To: "stats"})
			}
		}
		other := relations.Drawing{Database: `"other" \ one`, Partial: true, Nodes: relations.New(&catalog.Catalog{
			Database: "other", Tables: []catalog.Table{{Name: "users", Kind: catalog.Base}},
			ForeignKeys: []catalog.ForeignKey{{Elsewhere: "crm", Child: "notes", Parent: "users", OnDelete: "CASCADE"}},
		}, sqltext.MySQL).Nodes()}
		var b strings.Builder
		for _, d := range []relations.Drawing{d, other} {
			d.Text(&b)
		}
		golden(t, "graph.txt", b.String())
		golden(t, "graph.dot", relations.DOT([]relations.Drawing{d, other}))
	}
}
