package callbacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// tell notes what a statement changes, if somebody asks.
func (s *shim) tell(st *statement, e *effects) {
	if st.control.Explain == nil {
		return
	}
	s.told = st
	if st.touched == nil {
		st.touched = &effects{}
	}
	st.touched.merge(e)
}

// explainWrite explains the statement that wrote, when all is known that it touched.
func (s *shim) explainWrite() {
	st := s.told
	if st == nil {
		return
	}
	x := metrics.Explanation{Statement: st.text}
	if id := st.d.identity.Load(); id != nil {
		seen := map[string]bool{}
		for _, tag := range st.touched.tags(id) {
			if name := tag.String(); !seen[name] { // some have copies
				seen[name] = true
				x.Tags = append(x.Tags, metrics.TagReason{Tag: name, Why: st.whyWritten(name)})
			}
		}
	}
	slices.SortFunc(x.Tags, func(a, b metrics.TagReason) int { return strings.Compare(a.Tag, b.Tag) })
	st.control.Explain.add(s.db.Statement, x)
	s.told = nil
}

// whyWritten says why a write makes a tag's answers unservable.
func (st *statement) whyWritten(tag string) string {
	kind, name, _ := strings.Cut(tag, ":")
	switch kind {
	case "schema":
		return "it may have changed the schema"
	case "all":
		return "it may have changed anything: " + st.whyAnything()
	case "row":
		return "a row that it touched"
	case "scope":
		return "rows with this value were touched, or had it before"
	case "absent":
		return "rows were added whose keys are not known"
	case "registry":
		return "rows were touched of which it is not known in which scopes they are, or were"
	case "bulk":
		return "any row may have changed: " + st.whyBulk(name)
	default:
		if why := st.reached(name); why != "" {
			return "rows of the table changed: " + why
		}
		return "rows of the table changed"
	}
}

func (st *statement) whyAnything() string {
	switch {
	case st.blind:
		return "the schema is not known as it is now"
	case st.p.write == nil:
		return "what Touches names does"
	default:
		return st.p.write.because[""]
	}
}

// reached says how a table is reached that the statement does not name; nothing, if it does.
func (st *statement) reached(table string) string {
	if st.p == nil || st.p.write == nil {
		return ""
	}
	if slices.ContainsFunc(st.p.write.tables, func(tw tableWrite) bool { return tw.name == table }) {
		return ""
	}
	return st.p.write.because[table]
}

// whyBulk says why it is not known which rows of a table a statement touches.
func (st *statement) whyBulk(table string) string {
	if why := st.reached(table); why != "" {
		return why
	}
	if st.p == nil || st.p.write == nil {
		return "Touches says so"
	}
	i := slices.IndexFunc(st.p.write.tables, func(tw tableWrite) bool { return tw.name == table })
	if i < 0 {
		return "Touches says so"
	}
	return st.p.write.tables[i].why(st.k)
}

// why says why it is not known which rows a change touches.
func (tw *tableWrite) why(k *knowledge) string {
	c := tw.change
	t, _ := k.graph.Table(tw.name)
	switch {
	case c == nil:
		return "the statement does not say which"
	case c.Op == sqltext.Truncate, c.Op == sqltext.Merge:
		return "a statement of this kind does not say which"
	case tw.kinds == nil:
		return "its primary key, if it has one, has no names"
	case c.Op == sqltext.Insert:
		return "rows that were there may have got other values, by another key than the primary one"
	case c.Op == sqltext.Update && assignsKey(c, t):
		return "the primary key is assigned"
	case tw.askable, len(tw.keys) > 0:
		return fmt.Sprintf("rows were touched that have no names, or more than %d of them", maxAnnounced)
	default:
		return fmt.Sprintf("the condition names neither rows by %s nor rows of a scope", joined(t.Key))
	}
}
