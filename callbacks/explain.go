package callbacks

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// An Explainer writes down what the cache does for the statements of one call.
type Explainer struct {
	mu   sync.Mutex
	into *metrics.Explanation
	// stmt is the statement that was asked about, if it is not copied before it runs; found is set when it has run.
	stmt  *gorm.Statement
	found bool
}

// NewExplainer returns an explainer for a statement.
func NewExplainer(stmt *gorm.Statement, into *metrics.Explanation) *Explainer {
	*into = metrics.Explanation{}
	return &Explainer{into: into, stmt: stmt}
}

// add writes down what was done for a statement. That of the call itself is told from those besides by being the one that
// was asked about, or the first.
func (x *Explainer) add(stmt *gorm.Statement, e metrics.Explanation) {
	x.mu.Lock()
	defer x.mu.Unlock()
	main := x.into.Statement == "" || stmt == x.stmt && !x.found
	if !main {
		x.into.Besides = append(x.into.Besides, e)
		return
	}
	x.found = stmt == x.stmt
	if x.into.Statement != "" {
		before := *x.into
		before.Besides = nil
		e.Besides = append([]metrics.Explanation{before}, x.into.Besides...)
	}
	*x.into = e
}

// explainRead explains a statement that reads.
func (s *shim) explainRead(st *statement, e metrics.ReadEvent) metrics.Explanation {
	x := metrics.Explanation{
		Statement: st.text, Outcome: e.Outcome, Reason: e.Reason, Key: e.Key, Entries: e.Entries, Found: e.Found,
		Joined: e.Joined, Stale: e.Stale, Age: e.Age, TTL: e.TTL, Partition: string(st.partition),
	}
	if st.p != nil && e.Reason == st.p.reason {
		x.Detail = st.p.detail
	}
	for _, tag := range e.Tags {
		x.Tags = append(x.Tags, metrics.TagReason{Tag: tag, Why: st.whyRead(tag)})
	}
	return x
}

// whyRead says what a tag of an entry stands for.
func (st *statement) whyRead(tag string) string {
	kind, name, _ := strings.Cut(tag, ":")
	switch kind {
	case "row":
		return "a row, by primary key"
	case "scope":
		return "the rows that have this value"
	case "registry":
		return "scopes of the table that some process does not know of"
	case "absent":
		return "new rows whose keys are not known"
	case "bulk":
		return "writes of which it is not known which rows they touch"
	case "all":
		return "changes of the schema, and whatever may change anything"
	default:
		return "any row of the table: " + st.whyList(name)
	}
}

// whyList says why an answer depends on any row of a table.
func (st *statement) whyList(table string) string {
	r := st.p.read
	switch {
	case r.opaque:
		return "only DependsOn says what is read"
	case slices.Contains(r.besides, st.k.table(table).List()):
		return "it is declared, by DependsOn or CacheDependsOn; which of its rows count is not known"
	case r.crowded.Load():
		return metrics.ReasonScopes.Sentence()
	}
	limited := func(d dependency) bool { return d.table == st.k.table(table) && len(d.tuples) > 0 }
	if slices.ContainsFunc(r.depends, limited) {
		return "an argument of its condition has no name among keys"
	}
	return st.k.whyWhole(st.p, table)
}

// whyWhole says why no condition of a query limits what counts of a table to some rows or scopes.
func (k *knowledge) whyWhole(p *plan, table string) string {
	s := &p.script.Parts[0]
	if !k.graph.Direct(s, table) {
		return "it is read through a view"
	}
	i := slices.IndexFunc(s.Limits, func(l sqltext.Limit) bool { return l.Table.Name == table })
	if i < 0 {
		return "no simple condition (column = value, or IN) limits its rows in the one place where it is read"
	}
	var named, known []string
	for _, c := range s.Limits[i].Conditions {
		named = append(named, strings.Join(c.Columns, "+"))
	}
	for _, columns := range k.grains(table) {
		if tuples, _ := keyConditions(s.Limits[i].Conditions, columns); len(tuples) > maxDependencies {
			return fmt.Sprintf("its condition has more than %d values", maxDependencies)
		}
		known = append(known, joined(columns))
	}
	more := "Policy.TagColumns adds scopes"
	if !scopable(k.graph.Dialect()) {
		more = "this database does not tell what it stores, so it has no scopes"
	}
	return fmt.Sprintf("conditions on [%s] are none on a key or scope, of which it has [%s]; %s",
		strings.Join(named, " "), strings.Join(known, " "), more)
}

// grains returns the columns by which rows of a table are told apart: of the primary key, and of scopes.
func (k *knowledge) grains(table string) (grains [][]catalog.Column) {
	if t, _ := k.graph.Table(table); len(t.Key) > 0 {
		grains = append(grains, t.Key)
	}
	for _, s := range k.scopes(table) {
		grains = append(grains, s.columns)
	}
	return grains
}

func joined(columns []catalog.Column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	return strings.Join(names, "+")
}
