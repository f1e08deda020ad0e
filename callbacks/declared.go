package callbacks

import (
	"strings"

	"github.com/gorm-rediscache/rediscache/relations"
)

// declared returns the tables that a statement is said to depend on besides, as one text.
func (c Control) declared() string {
	if len(c.DependsOn) == 0 {
		return ""
	}
	return strings.Join(c.DependsOn, "\x00")
}

// declaration is the one place where what is said of a statement, and of the models of the tables that it reads, comes
// together.
func (k *snapshot) declaration(declared string) relations.Declaration {
	d := relations.Declaration{Of: k.models.dependsOn}
	if declared != "" {
		d.Tables = strings.Split(declared, "\x00")
	}
	return d
}

// besides makes every entry depend on the tables that are declared. It returns what tells these entries from others.
func (k *snapshot) besides(r *readPlan, reading relations.Reading) string {
	for _, name := range reading.Declared {
		r.besides = append(r.besides, k.table(name).List())
	}
	return "\x00" + strings.Join(reading.Declared, "\x00")
}

// wholes returns dependencies on whole tables.
func (k *snapshot) wholes(names []string) []dependency {
	all := make([]dependency, len(names))
	for i, name := range names {
		all[i].table = k.table(name)
	}
	return all
}
