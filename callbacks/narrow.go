package callbacks

import (
	"strconv"
	"strings"
)

// narrow returns the query for some of the keys only, with the arguments that are left. Placeholders are numbered
// anew: a database wants to know the type of each argument.
func (l *lookup) narrow(p *plan, positional bool, keep []int) (text string, args []any) {
	n := narrower{p: p, args: l.args, positional: positional, numbers: map[int]int{}}
	n.copy(0, l.list.ListStart)
	for i, k := range keep {
		if i > 0 {
			n.b.WriteByte(',')
		}
		tuple := l.list.Tuples[l.tuple[k]]
		if len(tuple) > 1 {
			n.b.WriteByte('(')
		}
		for j, op := range tuple {
			if j > 0 {
				n.b.WriteByte(',')
			}
			n.copy(op.Start, op.End)
		}
		if len(tuple) > 1 {
			n.b.WriteByte(')')
		}
	}
	n.copy(l.list.ListEnd, len(p.src))
	return n.b.String(), n.kept
}

// A narrower copies parts of a text, and numbers their placeholders anew.
type narrower struct {
	p    *plan
	args []any
	// positional placeholders have no numbers.
	positional bool
	numbers    map[int]int
	kept       []any
	b          strings.Builder
}

func (n *narrower) copy(start, end int) {
	from := start
	for _, ph := range n.p.script.Placeholders {
		if ph.Start < start || ph.End > end {
			continue
		}
		n.b.WriteString(n.p.src[from:ph.Start])
		n.placeholder(ph.N)
		from = ph.End
	}
	n.b.WriteString(n.p.src[from:end])
}

func (n *narrower) placeholder(old int) {
	if n.positional {
		n.kept = append(n.kept, n.args[old-1])
		n.b.WriteByte('?')
		return
	}
	number, ok := n.numbers[old]
	if !ok {
		n.kept = append(n.kept, n.args[old-1])
		number = len(n.kept)
		n.numbers[old] = number
	}
	n.b.WriteByte('$')
	n.b.WriteString(strconv.Itoa(number))
}
