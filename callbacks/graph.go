package callbacks

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/relations"
)

// Graph returns what is known of each database that handles use, by the databases' names: its tables, as they were when
// its catalog was read last, and what models say. Databases of which nothing is known yet are left out.
func (h *Hooks) Graph() []relations.Drawing {
	var drawings []relations.Drawing
	seen := map[string]bool{}
	h.databases.Range(func(_, d any) bool {
		k := h.schema(d.(*database)) //nolint:forcetypeassert // only databases are stored
		if k == nil || k.found.Database != "" && seen[k.found.Database] {
			return true // or a replica
		}
		seen[k.found.Database] = true
		drawings = append(drawings, k.drawing())
		return true
	})
	slices.SortStableFunc(drawings, func(a, b relations.Drawing) int {
		return cmp.Or(cmp.Compare(a.Database, b.Database), slices.CompareFunc(a.Nodes, b.Nodes, func(x, y relations.Node) int {
			return cmp.Compare(x.Name, y.Name)
		}))
	})
	return drawings
}

// schema returns the schema of a database. If no statement has needed it yet, it is read now, for LearnTimeout at most; nil,
// if that takes longer or fails.
func (h *Hooks) schema(d *database) *knowledge {
	if k := d.known.Load(); k == nil || !k.unread {
		return k
	}
	return d.knowledge(h.ending, nil)
}

func (k *knowledge) drawing() relations.Drawing {
	d := relations.Drawing{Database: cmp.Or(k.found.Database, "in memory"), Partial: k.partial, Nodes: k.graph.Nodes()}
	facts := k.models.known.Load()
	at := make(map[string]*relations.Node, len(d.Nodes))
	for i := range d.Nodes {
		n := &d.Nodes[i]
		at[n.Name] = n
		for _, s := range k.scopes(n.Name) {
			n.Scopes = append(n.Scopes, s.String())
		}
		for _, name := range facts.depends[n.Name] {
			n.AddEdge(relations.Edge{Kind: relations.DependsOn, To: name})
		}
	}
	for _, key := range facts.keys {
		child := at[key.Child]
		if child == nil || at[key.Parent] == nil {
			continue // another database's
		}
		e := relations.Edge{Kind: relations.Associated, To: key.Parent, Columns: key.Columns, References: key.References}
		if !slices.ContainsFunc(child.Edges, func(o relations.Edge) bool {
			return o.Kind == relations.Refers && o.To == e.To && slices.Equal(o.Columns, e.Columns)
		}) {
			child.AddEdge(e)
		}
	}
	return d
}

// String returns the columns of a scope.
func (s scope) String() string {
	names := make([]string, len(s.columns))
	for i, c := range s.columns {
		names[i] = c.Name
	}
	if s.unique {
		return strings.Join(names, "+") + " (unique)"
	}
	return strings.Join(names, "+")
}
