package callbacks

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/relations"
)

// maxPoint is the greatest number of rows that are looked up one by one.
const maxPoint = 500

// A pointPlan is that of a query which looks rows up by primary key: each row is an entry of its own, shared by all
// queries that select the same columns and restrict rows in the same way besides. Or of one that looks up all rows of some
// scopes, as a preload does: then each scope is an entry of its own.
type pointPlan struct {
	table *keying.Table
	// scope is the name of the scope; empty for the primary key. key holds the columns of either.
	scope string
	key   []catalog.Column
	kinds []keying.KeyKind
	// tuples are the keys that are looked up: an operand for each column of the key.
	tuples [][]sqltext.Operand
	// rest are the arguments that restrict rows besides; shape stands for the rest of the query, variant for both if
	// there are no such arguments.
	rest    []int
	shape   string
	variant keying.Digest
	limit   *sqltext.Operand
	// descending is set if the rows are wanted in that order. Else they are in the order of their keys: the query's, or
	// any, if it has none.
	descending bool
	// order holds the columns by which the rows of several scopes are put in order; NULL is less than any value in some
	// databases.
	order      []sqltext.Ordering
	nullsFirst bool
	// list is where the keys stand in the text, if they can be replaced by fewer.
	list *sqltext.Condition
}

// point plans a lookup; nil if the query is none.
func (k *snapshot) point(p *plan, names []string, shape []string) *pointPlan {
	q := p.script.Parts[0].Lookup
	if q == nil || !q.Plain || q.Offset || len(names) != 1 || names[0] != q.Table.Name {
		return nil
	}
	t, ok := k.graph.Table(q.Table.Name)
	if !ok {
		return nil
	}
	pt := &pointPlan{table: k.table(t.Name), key: t.Key, kinds: kindsOf(t.Key, k.graph.Dialect()), limit: q.Limit}
	if pt.kinds != nil {
		if tuples, used := keyConditions(q.Conditions, t.Key); tuples != nil {
			return pt.complete(p, q, tuples, used, shape)
		}
	}
	if q.Limit != nil || !k.graph.Direct(&p.script.Parts[0], t.Name) {
		return nil
	}
	for _, s := range k.scopes(t.Name) {
		if tuples, used := keyConditions(q.Conditions, s.columns); tuples != nil {
			pt := &pointPlan{
				table: pt.table, scope: s.name, key: s.columns, kinds: s.kinds,
				order: k.mergeable(q, t), nullsFirst: k.graph.Dialect() == sqltext.SQLite,
			}
			if pt = pt.complete(p, q, tuples, used, shape); pt != nil {
				return pt
			}
		}
	}
	return nil
}

// complete plans the lookup of some keys; nil if the rows of several could not be put together.
func (pt *pointPlan) complete(
	p *plan, q *sqltext.Lookup, tuples [][]sqltext.Operand, used []*sqltext.Condition, shape []string,
) *pointPlan {
	pt.tuples = tuples
	if len(tuples) > 1 && !pt.orders(q) {
		return nil
	}
	pt.list = onlyList(used)
	pt.shapeOf(p, q, used, shape)
	return pt
}

// mergeable returns the columns that put the rows of several scopes in the order of the query; that of the primary key, if
// it has none: any order will do then. nil if the order is the database's affair.
func (k *snapshot) mergeable(q *sqltext.Lookup, t relations.Table) []sqltext.Ordering {
	order := q.Order
	if !q.Ordered {
		for _, c := range t.Key {
			order = append(order, sqltext.Ordering{Column: c.Name})
		}
	}
	for _, o := range order {
		c, ok := k.graph.Column(t.Name, o.Column)
		if !ok || q.Ordered && kindOf(c, k.graph.Dialect()) != keying.Integer { // texts have collations
			return nil
		}
		if !slices.Contains(q.Output, "*") && !slices.Contains(q.Output, o.Column) {
			return nil
		}
	}
	return order
}

// keyConditions returns the keys that the conditions limit the query to, one operand for each column of the key, and
// the conditions that say so.
func keyConditions(
	conditions []sqltext.Condition, key []catalog.Column,
) (tuples [][]sqltext.Operand, used []*sqltext.Condition) {
	if len(key) == 0 {
		return nil, nil
	}
	tuples = [][]sqltext.Operand{make([]sqltext.Operand, len(key))}
	bound := make([]bool, len(key))
	for i := range conditions {
		c := &conditions[i]
		at := positions(c.Columns, key)
		if at == nil || slices.ContainsFunc(at, func(n int) bool { return bound[n] }) {
			continue
		}
		if len(tuples)*len(c.Tuples) > maxPoint {
			return nil, nil
		}
		tuples = cross(tuples, c.Tuples, at)
		for _, n := range at {
			bound[n] = true
		}
		used = append(used, c)
	}
	if slices.Contains(bound, false) {
		return nil, nil
	}
	return tuples, used
}

// onlyList returns the condition that lists several values, if it is the only one: then the keys are as many as its
// values, in their order.
func onlyList(used []*sqltext.Condition) (list *sqltext.Condition) {
	for _, c := range used {
		switch {
		case len(c.Tuples) == 1:
		case list != nil || c.ListEnd == 0:
			return nil
		default:
			list = c
		}
	}
	return list
}

// positions returns where columns stand in a key; nil if one of them does not.
func positions(columns []string, key []catalog.Column) []int {
	at := make([]int, len(columns))
	for i, column := range columns {
		at[i] = slices.IndexFunc(key, func(c catalog.Column) bool { return c.Name == column })
		if at[i] < 0 || slices.Contains(at[:i], at[i]) {
			return nil
		}
	}
	return at
}

// cross returns every combination of keys with values for some of their columns.
func cross(keys, values [][]sqltext.Operand, at []int) [][]sqltext.Operand {
	all := make([][]sqltext.Operand, 0, len(keys)*len(values))
	for _, key := range keys {
		for _, v := range values {
			k := slices.Clone(key)
			for i, n := range at {
				k[n] = v[i]
			}
			all = append(all, k)
		}
	}
	return all
}

// orders reports whether several rows can be put into the order that the query wants: any, or that of an integer key.
// Others are the database's affair: text has collations.
func (pt *pointPlan) orders(q *sqltext.Lookup) bool {
	if !slices.Contains(q.Output, "*") && !pt.selects(q.Output) {
		return false // rows cannot be told apart
	}
	if pt.scope != "" {
		return len(pt.order) > 0
	}
	if !q.Ordered {
		return true
	}
	if len(pt.key) != 1 || pt.kinds[0] == keying.Text || len(q.Order) == 0 || q.Order[0].Column != pt.key[0].Name {
		return false
	}
	pt.descending = q.Order[0].Descending
	return true
}

// selects reports whether the key is among the columns of the answer.
func (pt *pointPlan) selects(output []string) bool {
	for _, c := range pt.key {
		if !slices.Contains(output, c.Name) {
			return false
		}
	}
	return true
}

// shapeOf collects what else the query says: what it selects, and how it restricts rows besides.
func (pt *pointPlan) shapeOf(p *plan, q *sqltext.Lookup, used []*sqltext.Condition, shape []string) {
	spans := slices.Clone(q.Rest)
	for i := range q.Conditions {
		if c := &q.Conditions[i]; !slices.Contains(used, c) {
			spans = append(spans, sqltext.Span{Start: c.Start, End: c.End})
		}
	}
	slices.SortFunc(spans, func(a, b sqltext.Span) int { return cmp.Compare(a.Start, b.Start) })
	parts := append(slices.Clone(shape), q.Table.Schema, p.src[q.Select.Start:q.Select.End])
	if pt.scope != "" {
		parts = append(parts, pt.scope)
		spans = append(spans, q.OrderBy)
	}
	for _, span := range spans {
		text, params := p.normal(span)
		parts = append(parts, text)
		pt.rest = append(pt.rest, params...)
	}
	f := keying.NewFingerprint(parts...)
	if len(pt.rest) == 0 {
		pt.variant = f.Variant()
	}
	pt.shape = f.Sum()
}

// normal returns a part of the text with its placeholders made equal, and their numbers.
func (p *plan) normal(span sqltext.Span) (text string, params []int) {
	var b strings.Builder
	from := span.Start
	for _, ph := range p.script.Placeholders {
		if ph.Start < span.Start || ph.End > span.End {
			continue
		}
		b.WriteString(p.src[from:ph.Start])
		b.WriteByte('?')
		from = ph.End
		params = append(params, ph.N)
	}
	b.WriteString(p.src[from:span.End])
	return b.String(), params
}

// A lookup is a pointPlan with its arguments.
type lookup struct {
	*pointPlan
	keys []keying.PrimaryKey
	// tuple is where each key stands among the tuples.
	tuple   []int
	variant keying.Digest
	args    []any
}

// bind puts arguments into the plan. It answers false if they are not what can be looked up row by row.
func (pt *pointPlan) bind(args []any) (*lookup, bool) {
	l := &lookup{pointPlan: pt, variant: pt.variant, args: args}
	if !l.bindKeys() {
		return nil, false
	}
	if pt.limit != nil && !l.within(*pt.limit) {
		return nil, false
	}
	if len(pt.rest) > 0 {
		f := keying.NewFingerprint(pt.shape)
		for _, n := range pt.rest {
			if addArg(f, args[n-1]) != nil {
				return nil, false
			}
		}
		l.variant = f.Query()
	}
	return l, true
}

// bindKeys names the rows that are looked up, each once. It answers false if two of the keys may be one to the database,
// which then has one row for them; each has an entry of its own.
func (l *lookup) bindKeys() bool {
	l.keys = make([]keying.PrimaryKey, 0, len(l.tuples))
	var seen map[string]keying.PrimaryKey
	if len(l.tuples) > 1 {
		seen = make(map[string]keying.PrimaryKey, len(l.tuples))
		l.tuple = make([]int, 0, len(l.tuples))
	}
	for i, tuple := range l.tuples {
		key, ok := primaryKey(l.kinds, tuple, l.args)
		if !ok {
			return false
		}
		if seen != nil {
			if before, ok := seen[key.Folded()]; ok && before != key {
				return false
			} else if ok {
				continue
			}
			seen[key.Folded()] = key
			l.tuple = append(l.tuple, i)
		}
		l.keys = append(l.keys, key)
	}
	return true
}

// primaryKey names the row of a tuple.
func primaryKey(kinds []keying.KeyKind, tuple []sqltext.Operand, args []any) (keying.PrimaryKey, bool) {
	if len(tuple) == 1 {
		return keying.NewPrimaryKey(kinds, value(tuple[0], args))
	}
	values := make([]any, len(tuple))
	for i, op := range tuple {
		values[i] = value(op, args)
	}
	return keying.NewPrimaryKey(kinds, values...)
}

var errMoment = errors.New("means the moment, as a time")

// addArg adds an argument to a fingerprint, unless the database might take it for the moment at which it is read.
func addArg(f *keying.Fingerprint, arg any) error {
	switch arg.(type) {
	case int, int64, uint, bool, time.Time:
	default:
		if plain, err := keying.Plain(arg); err == nil {
			if s, ok := plain.(string); ok && sqltext.IsMoment(s) {
				return errMoment
			}
		}
	}
	return f.Arg(arg)
}

// value returns what an operand stands for.
func value(op sqltext.Operand, args []any) any {
	if op.Param > 0 {
		return args[op.Param-1]
	}
	return op.Literal
}

// within reports whether LIMIT leaves room for every row.
func (l *lookup) within(limit sqltext.Operand) bool {
	n, ok := keying.NewPrimaryKey([]keying.KeyKind{keying.Integer}, value(limit, l.args))
	if !ok {
		return false
	}
	rows, err := strconv.Atoi(n.String())
	return err == nil && rows >= len(l.keys)
}
