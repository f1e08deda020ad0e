package relations

import (
	"fmt"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
)

// A Drawing is the graph of one database, for people to read.
type Drawing struct {
	// Database is its name.
	Database string
	// Partial is set if it is what models say.
	Partial bool
	Nodes   []Node
}

func (d Drawing) title() string {
	if d.Partial {
		return d.Database + " (the catalog may not be read: what models say)"
	}
	return d.Database
}

// Text writes the graph, a table a paragraph.
func (d Drawing) Text(b *strings.Builder) {
	fmt.Fprintf(b, "database %s\n", d.title())
	for _, n := range d.Nodes {
		fmt.Fprintf(b, "\n%s: %s\n", n.Name, strings.Join(n.facts(), "; "))
		for _, e := range n.Edges {
			fmt.Fprintf(b, "  %s\n", e.sentence())
		}
	}
}

// facts returns what is said of a table besides its name and its edges.
func (n Node) facts() []string {
	facts := []string{kindName(n.Kind)}
	if !n.Cached {
		facts = append(facts, "not cached")
	}
	if n.Opaque {
		facts = append(facts, "a write may change anything")
	}
	if len(n.Key) > 0 {
		facts = append(facts, "key "+strings.Join(n.Key, "+"))
	}
	if len(n.Scopes) > 0 {
		facts = append(facts, "scopes "+strings.Join(n.Scopes, ", "))
	}
	return facts
}

func kindName(k catalog.Kind) string {
	switch k {
	case catalog.Base:
		return "table"
	case catalog.Partitioned:
		return "partitioned table"
	case catalog.View:
		return "view"
	case catalog.MaterializedView:
		return "materialized view"
	case catalog.Foreign:
		return "foreign table"
	default:
		return "tables of several kinds"
	}
}

// verb returns what stands between the two tables of an edge.
func (k EdgeKind) verb() string {
	switch k {
	case Refers:
		return "refers to"
	case Associated:
		return "is associated with"
	case Inherits:
		return "inherits from"
	case PartOf:
		return "is a partition of"
	case ReadsFrom:
		return "reads"
	case DependsOn:
		return "depends on"
	case Writes:
		return "has triggers that write to"
	case Elsewhere:
		return "is referred to from schema"
	}
	return ""
}

func (e Edge) sentence() string {
	text := e.Kind.verb() + " " + e.To
	if how := e.how(); how != "" {
		text += " by " + how
	}
	return text
}

// how returns the columns and actions of an edge.
func (e Edge) how() string {
	if len(e.Columns) == 0 {
		return ""
	}
	text := strings.Join(e.Columns, "+")
	if len(e.References) > 0 {
		text += " = " + strings.Join(e.References, "+")
	}
	if e.OnDelete != "" {
		text += ", on delete " + e.OnDelete
	}
	if e.OnUpdate != "" {
		text += ", on update " + e.OnUpdate
	}
	return text
}

// DOT writes graphs in the language of Graphviz, each in a frame of its own.
func DOT(drawings []Drawing) string {
	var b strings.Builder
	b.WriteString("digraph rediscache {\n\trankdir=LR\n\tnode [shape=box]\n")
	for i, d := range drawings {
		fmt.Fprintf(&b, "\tsubgraph cluster_%d {\n\t\tlabel=%s\n", i, quoted(d.title()))
		for _, n := range d.Nodes {
			fmt.Fprintf(&b, "\t\t%s [label=%s%s]\n", d.id(i, n.Name), quoted(append([]string{n.Name}, n.facts()...)...), n.style())
		}
		for _, n := range d.Nodes {
			for _, e := range n.Edges {
				fmt.Fprintf(&b, "\t\t%s -> %s [label=%s%s]\n", d.id(i, n.Name), d.id(i, e.To), quoted(e.label()...), e.Kind.style())
			}
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// id names a node: tables of several databases may have one name.
func (d Drawing) id(i int, name string) string { return quoted(fmt.Sprintf("%d.%s", i, name)) }

// quoted returns lines as a string of the language.
func quoted(lines ...string) string {
	for i, line := range lines {
		lines[i] = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(line)
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}

func (e Edge) label() []string {
	if how := e.how(); how != "" {
		return strings.Split(how, ", ")
	}
	return []string{e.Kind.verb()}
}

func (n Node) style() string {
	switch {
	case !n.Cached:
		return ", color=gray, fontcolor=gray"
	case n.Opaque:
		return ", color=red"
	case n.Kind == catalog.View, n.Kind == catalog.MaterializedView:
		return ", style=rounded"
	default:
		return ""
	}
}

func (k EdgeKind) style() string {
	switch k {
	case Associated, DependsOn:
		return ", style=dotted"
	case Inherits, PartOf:
		return ", arrowhead=empty"
	case ReadsFrom:
		return ", style=dashed"
	case Writes:
		return ", style=bold"
	case Refers, Elsewhere:
	}
	return ""
}
