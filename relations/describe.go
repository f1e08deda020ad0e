package relations

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
)

// A Node is what is known of a table, for people to read.
type Node struct { //nolint:recvcheck // only AddEdge changes it
	Name string
	Kind catalog.Kind
	// Cached is false for a table of which no query is cached.
	Cached bool
	// Opaque is set if its triggers or rules may change anything.
	Opaque bool
	// Key holds the columns of the primary key. Scopes are the scopes of its rows; who knows them adds them.
	Key, Scopes []string
	Edges       []Edge
}

// An Edge says what a table has to do with another one.
type Edge struct {
	Kind EdgeKind
	To   string
	// Columns are the child's columns of a foreign key or an association, References the parent's.
	Columns, References []string
	// OnDelete and OnUpdate are the actions of a foreign key, in SQL; empty if it has none.
	OnDelete, OnUpdate string
}

// An EdgeKind is what one table has to do with another.
type EdgeKind uint8

const (
	// Refers is a foreign key.
	Refers EdgeKind = iota
	// Associated is an association of models, for which the database has no foreign key.
	Associated
	// Inherits is a table whose rows are also the other's.
	Inherits
	// PartOf is a partition of the other table.
	PartOf
	// ReadsFrom is a view that reads the other table.
	ReadsFrom
	// DependsOn is a model that says that it depends on the other table.
	DependsOn
	// Writes is a table whose triggers write to the other.
	Writes
	// Elsewhere is a table to which those of another schema refer.
	Elsewhere
)

// compareEdges orders edges.
func compareEdges(a, b Edge) int {
	return cmp.Or(
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.To, b.To), slices.Compare(a.Columns, b.Columns),
		slices.Compare(a.References, b.References), cmp.Compare(a.OnDelete, b.OnDelete), cmp.Compare(a.OnUpdate, b.OnUpdate),
	)
}

// AddEdge adds an edge, unless it is there. Edges are kept in order.
func (n *Node) AddEdge(e Edge) {
	if at, found := slices.BinarySearchFunc(n.Edges, e, compareEdges); !found {
		n.Edges = slices.Insert(n.Edges, at, e)
	}
}

// Nodes returns what is known of all tables, by name.
func (g *Graph) Nodes() []Node {
	nodes := make([]Node, 0, len(g.tables))
	opaque := g.Opaque()
	for _, name := range slices.Sorted(maps.Keys(g.tables)) {
		t := g.tables[name]
		n := Node{
			Name: name, Kind: t.kind, Cached: g.cached(name), Opaque: slices.Contains(opaque, name), Key: namesOf(t.Key),
		}
		g.describe(&n, t)
		nodes = append(nodes, n)
	}
	for parent, keys := range g.children {
		for _, k := range keys {
			describeKey(nodes, parent, g.keyEdge(parent, k), k)
		}
	}
	return nodes
}

// cached reports whether queries of a table are cached.
func (g *Graph) cached(name string) bool {
	r := g.reader(Declaration{}, false)
	return r.name(name) == Accepted
}

func namesOf(columns []catalog.Column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return names
}

// describe adds the edges that begin at a table, but for its foreign keys.
func (g *Graph) describe(n *Node, t *table) {
	for _, base := range t.bases {
		if base != n.Name && g.tables[base] != nil {
			n.AddEdge(Edge{Kind: ReadsFrom, To: base})
		}
	}
	for _, parent := range g.parents[n.Name] {
		kind := PartOf
		if p := g.tables[parent]; p != nil && p.shared {
			kind = Inherits
		}
		n.AddEdge(Edge{Kind: kind, To: parent})
	}
	w := newWalk(g)
	w.shallow = true
	w.fire(n.Name, sqltext.Merge)
	w.fire(n.Name, sqltext.Truncate)
	for _, written := range []map[string]bool{w.changed, w.grown} {
		for name := range written {
			n.AddEdge(Edge{Kind: Writes, To: name})
		}
	}
}

// keyEdge returns the edge of a foreign key.
func (g *Graph) keyEdge(parent string, k catalog.ForeignKey) Edge {
	if k.Elsewhere != "" {
		return Edge{Kind: Elsewhere, To: strings.ToLower(k.Elsewhere)}
	}
	return Edge{
		Kind: Refers, To: parent, Columns: g.columnNames(k.Columns), References: g.columnNames(k.References),
		OnDelete: actionOf(k.OnDelete), OnUpdate: actionOf(k.OnUpdate),
	}
}

// describeKey adds the edge of a foreign key to the child; if that is elsewhere, to the parent.
func describeKey(nodes []Node, parent string, e Edge, k catalog.ForeignKey) {
	from := strings.ToLower(k.Child)
	if e.Kind == Elsewhere {
		from = parent
	}
	at, found := slices.BinarySearchFunc(nodes, from, func(n Node, name string) int { return cmp.Compare(n.Name, name) })
	if found {
		nodes[at].AddEdge(e)
	}
}

// actionOf returns the action of a foreign key as SQL has it; nothing, for one that only refuses.
func actionOf(action string) string {
	switch strings.ToLower(action) {
	case "c", "cascade":
		return "CASCADE"
	case "n", "set null":
		return "SET NULL"
	case "d", "set default":
		return "SET DEFAULT"
	default:
		return ""
	}
}
