package sqltext

import "strings"

// A Lookup is a query of one table whose answer depends on nothing but the rows that meet its conditions: no join, no
// subquery, no grouping.
type Lookup struct {
	Table Relation
	// Plain is set if every column of the answer is a column of the table, as it is. Select is the place of the list.
	Plain  bool
	Select Span
	// Output holds the names of the columns of a Plain answer; "*" stands for all of the table's.
	Output []string
	// Conditions limit the rows; Rest limits them further, in ways that are not understood but depend on one row only.
	Conditions []Condition
	Rest       []Span
	// Order holds the columns of ORDER BY. Ordered is set if there is one; its columns may not be known.
	Ordered bool
	Order   []Ordering
	OrderBy Span
	// Limit is the operand of LIMIT, if there is one. Offset is set if rows are skipped.
	Limit  *Operand
	Offset bool
}

// An Ordering is one column of ORDER BY.
type Ordering struct {
	Column     string
	Descending bool
}

// lookup reads a query as a Lookup, or answers nil.
func (p *parser) lookup() *Lookup {
	selects := 0
	for _, t := range p.tokens {
		if t.in("select", "values", "table") {
			selects++
		}
	}
	if selects != 1 || !p.at(0).is("select") || len(p.out.Relations) != 1 || p.at(1).in("distinct", "all") {
		return nil
	}
	from := p.find(0, "from")
	if from == 1 || from >= len(p.tokens) || p.at(from+1).is("only") || !p.at(from+1).name() {
		return nil
	}
	q := &Lookup{Select: p.span(1, from)}
	table, last := p.relation(from + 1)
	next, names := p.tableAlias(table, last+1)
	q.Table = table
	q.Output, q.Plain = p.plainList(1, from, names)
	if p.at(next).is("where") {
		end := p.find(next, "order", "limit", "offset", "group", "having", "window", "fetch", "for", "union", "intersect",
			"except")
		q.Conditions, q.Rest = p.conditions(next+1, end, names)
		next = end
	}
	if p.at(next).is("order") {
		end := p.find(next, "limit", "offset", "fetch", "for")
		q.Ordered = true
		q.Order = p.order(next+2, end, names)
		q.OrderBy = p.span(next, end)
		next = end
	}
	for p.at(next).in("limit", "offset") {
		end := p.find(next+1, "limit", "offset", "fetch", "for")
		if p.at(next).is("offset") {
			q.Offset = true
		} else if q.Limit = p.operand(next+1, end); q.Limit == nil {
			return nil
		}
		next = end
	}
	if next != len(p.tokens) {
		return nil
	}
	return q
}

// tableAlias reads the alias behind the name of a table.
func (p *parser) tableAlias(table Relation, i int) (next int, names []string) {
	if p.at(i).is("as") && p.at(i+1).name() {
		return i + 2, []string{strings.ToLower(p.at(i + 1).text)}
	}
	t := p.at(i)
	if t.kind == quoted || t.kind == word && !t.in("where", "order", "limit", "offset", "group", "having", "window", "fetch",
		"for", "union", "intersect", "except", "join", "inner", "left", "right", "full", "cross", "natural", "tablesample",
		"straight_join", "use", "force", "ignore", "partition") {
		return i + 1, []string{strings.ToLower(t.text)}
	}
	return i, []string{table.Name}
}

// plainList reads a select list that consists of *, t.* and columns. One that gives a column another name is not plain:
// the name may be another column's.
func (p *parser) plainList(i, end int, names []string) (output []string, plain bool) {
	for i < end {
		switch {
		case p.at(i).is("*"):
			output = append(output, "*")
			i++
		case p.at(i).name() && p.at(i+1).is(".") && p.at(i+2).is("*"):
			output = append(output, "*")
			i += 3
		default:
			column, next, ok := p.column(i, names)
			if !ok || systemColumn(p.at(i).text) || p.at(i).kind == word && volatileWord(p.at(i).text, p.dialect) {
				return nil, false
			}
			if i = next; p.at(i).is("as") {
				i++
			}
			if i < end && p.at(i).name() {
				if !strings.EqualFold(column, p.at(i).text) {
					return nil, false
				}
				i++
			}
			output = append(output, column)
		}
		if i == end {
			return output, true
		}
		if !p.at(i).is(",") {
			return nil, false
		}
		i++
	}
	return nil, false
}

// order reads the columns of ORDER BY; nil if one of them is not a column of the table.
func (p *parser) order(i, end int, names []string) []Ordering {
	var order []Ordering
	for i < end {
		column, next, ok := p.column(i, names)
		if !ok {
			return nil
		}
		o := Ordering{Column: column}
		if i = next; p.at(i).in("asc", "desc") {
			o.Descending = p.at(i).is("desc")
			i++
		}
		order = append(order, o)
		if i == end {
			return order
		}
		if !p.at(i).is(",") {
			return nil
		}
		i++
	}
	return nil
}
