package sqltext

import (
	"slices"
	"strings"
)

// A Condition limits columns to values: (a, b) IN ((1, 2), (3, 4)), a = 1.
type Condition struct {
	Columns []string
	// Tuples holds the values, one for each column.
	Tuples [][]Operand
	// Start and End are its place in the text; ListStart and ListEnd, those of the list within IN's parentheses, or
	// zero for =.
	Start, End         int
	ListStart, ListEnd int
}

// An Operand is a placeholder, or a literal.
type Operand struct {
	// Param is the number of the placeholder, from 1, or 0 for a literal.
	Param int
	// Literal is the text of a literal: digits, or a string's value.
	Literal string
	// Start and End are its place in the text.
	Start, End int
}

// A Span is a place in the text.
type Span struct{ Start, End int }

// conditions reads the conditions between two positions that must all hold. What is not a simple condition is
// returned as rest; the caller only knows that it limits the rows further. If an OR joins what is there, all is rest.
func (p *parser) conditions(i, end int, names []string) (simple []Condition, rest []Span) {
	if i >= end {
		return nil, nil
	}
	if p.hasOr(i, end) {
		return nil, []Span{p.span(i, end)}
	}
	from := i
	for i := range p.ands(i, end) {
		s, r := p.condition(from, i, names)
		simple, rest = append(simple, s...), append(rest, r...)
		from = i + 1
	}
	return simple, rest
}

// hasOr reports whether an OR, or what binds as loosely, joins what is between two positions.
func (p *parser) hasOr(i, end int) bool {
	for i := range p.outside(i, end) {
		if p.at(i).in("or", "xor") || p.at(i).is("|") && p.at(i+1).is("|") && p.dialect == MySQL {
			return true
		}
	}
	return false
}

// ands yields the positions of the ANDs between two positions, but for those of BETWEEN, and then the end.
func (p *parser) ands(i, end int) func(func(int) bool) {
	return func(yield func(int) bool) {
		between := 0
		for i := range p.outside(i, end) {
			switch {
			case p.at(i).is("between"):
				between++
			case p.at(i).is("and") && between > 0:
				between--
			case p.at(i).is("and"):
				if !yield(i) {
					return
				}
			}
		}
		yield(end)
	}
}

// outside yields the positions between two others that are not within parentheses or CASE … END.
func (p *parser) outside(i, end int) func(func(int) bool) {
	return func(yield func(int) bool) {
		depth, cases := p.at(i).depth, 0
		for ; i < end; i++ {
			t := p.at(i)
			switch {
			case t.depth != depth:
			case t.is("case"):
				cases++
			case t.is("end") && cases > 0:
				cases--
			case cases == 0 && !yield(i):
				return
			}
		}
	}
}

func (p *parser) span(i, end int) Span {
	if i >= end {
		return Span{}
	}
	return Span{p.at(i).start, p.at(end - 1).end}
}

// condition reads one piece between ANDs.
func (p *parser) condition(i, end int, names []string) ([]Condition, []Span) {
	if p.wrapped(i, end) && !p.at(i+1).is("select") {
		return p.conditions(i+1, end-1, names)
	}
	c := Condition{Start: p.at(i).start}
	if end > i {
		c.End = p.at(end - 1).end
	}
	columns, next, ok := p.left(i, names)
	if !ok {
		return nil, []Span{p.span(i, end)}
	}
	c.Columns = columns
	switch {
	case p.at(next).is("=") && !p.at(next+1).is("="):
		if tuple, ok := p.tuple(next+1, end, len(columns)); ok {
			c.Tuples = [][]Operand{tuple}
			return []Condition{c}, nil
		}
	case p.at(next).is("in") && p.at(next+1).is("(") && p.wrapped(next+1, end):
		if c.Tuples, ok = p.list(next+2, end-1, len(columns)); ok {
			c.ListStart, c.ListEnd = p.at(next+1).end, p.at(end-1).start
			return []Condition{c}, nil
		}
	}
	return nil, []Span{p.span(i, end)}
}

// wrapped reports whether one pair of parentheses holds all between two positions.
func (p *parser) wrapped(i, end int) bool {
	if end-i < 2 || !p.at(i).is("(") || !p.at(end-1).is(")") {
		return false
	}
	depth := p.at(i).depth
	for j := i + 1; j < end-1; j++ {
		if p.at(j).depth <= depth {
			return false
		}
	}
	return p.at(end-1).depth == depth
}

// left reads a column, or several in parentheses.
func (p *parser) left(i int, names []string) (columns []string, next int, ok bool) {
	if !p.at(i).is("(") {
		column, next, ok := p.column(i, names)
		return []string{column}, next, ok
	}
	for i++; ; i++ {
		column, next, ok := p.column(i, names)
		if !ok {
			return nil, 0, false
		}
		columns = append(columns, column)
		i = next
		if p.at(i).is(")") {
			return columns, i + 1, true
		}
		if !p.at(i).is(",") {
			return nil, 0, false
		}
	}
}

// column reads the name of a column of the statement's table.
func (p *parser) column(i int, names []string) (string, int, bool) {
	first := i
	if !p.at(i).name() || p.at(i).kind == word && notColumn(p.at(i).text) {
		return "", i, false
	}
	for p.at(i+1).is(".") && p.at(i+2).name() {
		i += 2
	}
	if i > first {
		owner := strings.ToLower(p.at(i - 2).text)
		return p.at(i).text, i + 1, slices.Contains(names, owner)
	}
	return p.at(i).text, i + 1, !p.qualified
}

func notColumn(s string) bool {
	switch s {
	case "not", "exists", "select", "case", "null", "true", "false", "row", "array", "cast", "interval", "all", "any":
		return true
	default:
		return false
	}
}

// list reads the operands of IN.
func (p *parser) list(i, end, width int) (tuples [][]Operand, ok bool) {
	from, depth := i, p.at(i).depth
	for ; i <= end; i++ {
		if i < end && (p.at(i).depth != depth || !p.at(i).is(",")) {
			continue
		}
		tuple, ok := p.tuple(from, i, width)
		if !ok {
			return nil, false
		}
		tuples = append(tuples, tuple)
		from = i + 1
	}
	return tuples, len(tuples) > 0
}

// tuple reads one operand, or as many as there are columns, in parentheses.
func (p *parser) tuple(i, end, width int) ([]Operand, bool) {
	if width == 1 {
		if op := p.operand(i, end); op != nil {
			return []Operand{*op}, true
		}
		return nil, false
	}
	if !p.wrapped(i, end) {
		return nil, false
	}
	tuple := make([]Operand, 0, width)
	from := i + 1
	for j := i + 1; j < end; j++ {
		if j < end-1 && !p.at(j).is(",") {
			continue
		}
		op := p.operand(from, j)
		if op == nil {
			return nil, false
		}
		tuple = append(tuple, *op)
		from = j + 1
	}
	return tuple, len(tuple) == width
}

// operand reads a placeholder or a literal that stands alone between two positions; nil for anything else.
func (p *parser) operand(i, end int) *Operand {
	t := p.at(i)
	op := &Operand{Start: t.start, End: t.end}
	sign := ""
	if t.is("-") && end == i+2 && p.at(i+1).kind == number {
		sign, t = "-", p.at(i+1)
		op.End = t.end
	} else if end != i+1 {
		return nil
	}
	switch {
	case t.kind == param:
		op.Param = t.n
	case t.kind == number && strings.Trim(t.text, "0123456789") == "":
		op.Literal = sign + t.text
	case t.kind == text && t.text != "\x00":
		op.Literal = t.text
	default:
		return nil
	}
	return op
}
