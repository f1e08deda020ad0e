package rediscache

import (
	"strings"

	"github.com/gorm-rediscache/rediscache/relations"
)

// A Graph is what the plugin knows of the tables of each database that its handles use: primary keys and scope columns,
// foreign keys with their actions, what views read, partitions and inheritance, what triggers write, and what models say
// besides. It is made for people: its texts may change from one version to the next.
type Graph struct{ databases []relations.Drawing }

// Graph returns what is known now: as of the last time that a database's catalog was read, and of the models that have
// been used. The schema of a database that no statement has needed yet is read now: that takes Config.LearnTimeout at
// most, and a database that takes longer is left out. The graph is empty before [gorm.DB.Use] and after [Plugin.Close].
func (p *Plugin) Graph() Graph {
	p.mu.Lock()
	hooks, closed := p.hooks, p.closed
	p.mu.Unlock()
	if hooks == nil || closed {
		return Graph{}
	}
	return Graph{hooks.Graph()}
}

// String returns the graph as text: databases and tables by name, a table a paragraph.
func (g Graph) String() string {
	var b strings.Builder
	for i, d := range g.databases {
		if i > 0 {
			b.WriteByte('\n')
		}
		d.Text(&b)
	}
	return b.String()
}

// DOT returns the graph in the language of Graphviz: dot -Tsvg draws it, each database in a frame of its own.
func (g Graph) DOT() string { return relations.DOT(g.databases) }
