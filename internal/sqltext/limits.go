package sqltext

import (
	"slices"
	"strings"
)

// A Limit is a table that a query reads in one place only, with conditions that hold for each of its rows on which the
// answer depends: rows that do not meet them might as well not be there.
//
// It is that of WHERE, which no row passes that has another value, also not one that an outer join has filled up with
// NULL; that of ON in an inner join, which takes part in nothing if it does not pass; and that of ON in a left join for
// the table on its right side, which is joined with nothing.
type Limit struct {
	Table      Relation
	Conditions []Condition
}

// limits finds the limits of a query that is one SELECT, whatever subqueries it has.
func (p *parser) limits() []Limit {
	main, from := p.mainSelect()
	if from == len(p.tokens) {
		return nil
	}
	end := p.find(from, "where", "group", "having", "window", "order", "limit", "offset", "fetch", "for", "into")
	items, ok := p.fromItems(from+1, end)
	if !ok {
		return nil
	}
	where, last := end, end
	if p.at(end).is("where") {
		where = end + 1
		last = p.find(where, "group", "having", "window", "order", "limit", "offset", "fetch", "for", "into")
	}
	var limits []Limit
	for i, item := range items {
		if !p.once(main, item, items) {
			continue
		}
		c := p.conditionsOn(where, last, item, len(items))
		for j := i; j < len(items); j++ {
			if joined := items[j]; joined.inner || joined.left && i == j {
				c = append(c, p.conditionsOn(joined.on, joined.onEnd, item, len(items))...)
			}
		}
		if len(c) > 0 {
			limits = append(limits, Limit{Table: item.table, Conditions: c})
		}
	}
	return limits
}

// mainSelect returns where the one SELECT outside parentheses stands, and its FROM.
func (p *parser) mainSelect() (main, from int) {
	none := len(p.tokens)
	main = -1
	for i, t := range p.tokens {
		switch {
		case t.depth > 0 || p.dotted(i):
		case t.in("union", "intersect", "except", "minus"):
			return 0, none
		case t.in("select", "values", "table") && main >= 0, t.in("values", "table") && !p.at(i-1).is("as"):
			return 0, none
		case t.is("select"):
			main = i
		}
	}
	if main < 0 {
		return 0, none
	}
	from = main
	for {
		from = p.find(from+1, "from")
		if from == none || !p.at(from-1).is("distinct") || !p.at(from-2).in("is", "not") {
			return main, from
		}
	}
}

// A fromItem is a table, or what stands for one, in FROM.
type fromItem struct {
	// table is empty for a subquery or a function.
	table Relation
	// name is what its columns are qualified by; at, where the name of the table ends.
	name string
	at   int
	// inner or left is set if it is joined so, with the condition between on and onEnd.
	inner, left bool
	on, onEnd   int
}

// fromItems reads FROM. It answers false for what it does not understand.
func (p *parser) fromItems(i, end int) (items []fromItem, ok bool) {
	item := fromItem{}
	for {
		if i, ok = p.fromItem(&item, i, end); !ok {
			return nil, false
		}
		switch {
		case p.at(i).is("on") && i < end:
			item.on = i + 1
			i = p.joinEnd(item.on, end)
			item.onEnd = i
		case p.at(i).is("using") && p.at(i+1).is("(") && i < end:
			i = p.closing(i+1, end) + 1
		case item.inner || item.left:
			return nil, false // A JOIN B JOIN C ON … ON …
		}
		items = append(items, item)
		if i >= end {
			return items, i == end
		}
		if item, i, ok = p.join(i); !ok {
			return nil, false
		}
	}
}

// join reads a comma, or the words of a join.
func (p *parser) join(i int) (item fromItem, next int, ok bool) {
	if p.at(i).is(",") {
		return item, i + 1, true
	}
	natural := p.at(i).is("natural")
	if natural {
		i++
	}
	switch {
	case p.at(i).in("join", "straight_join"):
		item.inner = !natural
		return item, i + 1, true
	case p.at(i).is("inner"):
		item.inner = !natural
	case p.at(i).is("cross"):
	case p.at(i).in("left", "right", "full"):
		item.left = p.at(i).is("left") && !natural
		if p.at(i + 1).is("outer") {
			i++
		}
	default:
		return item, i, false
	}
	return item, i + 2, p.at(i + 1).is("join")
}

// joinEnd returns where the condition of a join ends.
func (p *parser) joinEnd(i, end int) int {
	for j := range p.outside(i, end) {
		t := p.at(j)
		if t.is(",") || t.in("natural", "inner", "cross", "join", "straight_join") ||
			t.in("left", "right", "full") && p.at(j+1).in("join", "outer") {
			return j
		}
	}
	return end
}

// fromItem reads a table, a subquery or a function, with its alias.
func (p *parser) fromItem(item *fromItem, i, end int) (next int, ok bool) {
	if p.at(i).is("lateral") {
		i++
	}
	switch {
	case p.at(i).is("only"):
		return i, false
	case p.at(i).is("("):
		if !p.at(i+1).in("select", "with", "values") {
			return i, false // a join in parentheses
		}
		i = p.closing(i, end) + 1
	case p.at(i).name():
		item.table, item.at = p.relation(i)
		item.name = item.table.Name
		if i = item.at + 1; p.at(i).is("(") {
			item.table = Relation{}
			i = p.closing(i, end) + 1
		} else if p.at(i).is("*") {
			i++
		}
	default:
		return i, false
	}
	if p.at(i).is("as") && i < end {
		i++
	} else if i >= end || !p.at(i).name() || p.at(i).kind == word && endsFromItem(p.at(i).text) {
		return i, item.name != ""
	}
	if !p.at(i).name() {
		return i, false
	}
	item.name = strings.ToLower(p.at(i).text)
	if i++; i < end && p.at(i).is("(") { // AS t(a, b): columns have other names
		item.table = Relation{}
		i = p.closing(i, end) + 1
	}
	return i, i <= end
}

// endsFromItem lists keywords that may follow a table without an alias, or that say something which is not understood.
func endsFromItem(s string) bool {
	switch s {
	case "on", "using", "natural", "inner", "cross", "join", "straight_join", "left", "right", "full",
		"tablesample", "with", "use", "force", "ignore", "partition", "indexed", "not", "window", "for":
		return true
	default:
		return false
	}
}

// closing returns where the parenthesis that opens at i closes.
func (p *parser) closing(i, end int) int {
	depth := p.at(i).depth
	for i++; i < end && (p.at(i).depth > depth || !p.at(i).is(")")); {
		i++
	}
	return i
}

// once reports whether a table is read by this item only: its name stands nowhere else, but for a qualifier.
func (p *parser) once(main int, item fromItem, items []fromItem) bool {
	name := item.table.Name
	if name == "" || p.ctes[name] {
		return false
	}
	for _, other := range items {
		if other.at != item.at && (other.name == item.name || other.table.Name == name) {
			return false
		}
	}
	for i, t := range p.tokens {
		if !t.name() || i == item.at || !strings.EqualFold(t.text, name) {
			continue
		}
		qualifies := p.at(i+1).is(".") && item.name == name
		alias := i > item.at && i <= item.at+2 && item.name == name && !p.at(i+1).is(".")
		if !qualifies && !alias || i < main {
			return false
		}
	}
	return true
}

// conditionsOn returns the simple conditions between two positions on the columns of an item. If there are several items,
// columns have to be qualified: whose others are is not known here.
func (p *parser) conditionsOn(i, end int, item fromItem, items int) []Condition {
	p.qualified = items > 1
	defer func() { p.qualified = false }()
	simple, _ := p.conditions(i, end, []string{item.name})
	return slices.Clip(simple)
}
