package sqltext

import "strings"

// An Op is what a Write does to the rows of its table.
type Op uint8

const (
	// Insert adds rows.
	Insert Op = iota
	// Update changes rows.
	Update
	// Delete removes rows.
	Delete
	// Merge may do all of it.
	Merge
	// Truncate removes all rows.
	Truncate
)

// A Write is a change of one table.
type Write struct {
	Op    Op
	Table Relation
	// Conditions limit the rows of an Update or Delete: only rows that meet all of them are changed.
	Conditions []Condition
	// Assigned holds the columns that an Update, or an Insert that becomes one, assigns. AnyColumn is set if they are
	// not known.
	Assigned  []string
	AnyColumn bool
	// Columns and Rows hold what an Insert inserts, if it is a plain VALUES list. A value that is not simple is nil.
	Columns []string
	Rows    [][]*Operand
	// Place and Where are the places of the table with its alias, and of the condition, of an Update or Delete that is a
	// whole statement. Returning is set if more follows: it returns rows itself, say. Then Output holds the columns that
	// it returns, as they are, if that is all; "*" stands for all of the table's.
	Place, Where Span
	Returning    bool
	Output       []string
	// Replaces is set for an Insert that may change rows that are there already. Only those whose values in the
	// columns Target are those of a row it inserts, if there is a Target.
	Replaces bool
	Target   []string
	// Upserts is set if all that it does to such rows is to assign the columns Assigned, to each of them.
	Upserts bool
}

// change reads the verb of a change at i and its table, and returns the position of the table's name.
func (p *parser) change(l *level, i int) int {
	verb := p.at(i).text
	*l = level{verb: verb}
	w := Write{AnyColumn: true}
	j := i + 1
	switch verb {
	case "insert", "replace":
		w.Op, w.Replaces = Insert, verb == "replace"
		for p.at(j).in("or", "replace", "rollback", "abort", "fail", "ignore", "low_priority", "delayed", "high_priority") {
			w.Replaces = w.Replaces || p.at(j).is("replace")
			j++
		}
		if !p.at(j).is("into") {
			return p.lost(i)
		}
		j++
	case "update":
		w.Op = Update
		if p.at(j).is("or") {
			w.Op = Merge // OR REPLACE removes other rows
			j += 2
		}
		j = p.modifiers(j)
	case "delete":
		w.Op = Delete
		if !p.at(j).is("from") {
			return p.lost(i)
		}
		j++
	case "merge":
		w.Op = Merge
		if !p.at(j).is("into") {
			return p.lost(i)
		}
		j++
	case "copy":
		w.Op = Insert
	case "truncate":
		return p.truncate(i)
	}
	if p.at(j).is("only") && p.at(j+1).name() {
		j++
	}
	if !p.at(j).name() {
		return p.lost(i)
	}
	p.name(p.at(j).text)
	w.Table, j = p.relation(j)
	p.out.Changes = append(p.out.Changes, w)
	if p.dialect == MySQL || p.dialect == Standard {
		p.several(verb, j)
	}
	return j
}

// lost notes a change of a table that was not found.
func (p *parser) lost(i int) int {
	p.out.Changes = append(p.out.Changes, Write{Op: Merge, AnyColumn: true})
	return i
}

func (p *parser) truncate(i int) int {
	j := i + 1
	if p.at(j).is("table") {
		j++
	}
	for {
		if p.at(j).is("only") && p.at(j+1).name() {
			j++
		}
		if !p.at(j).name() {
			return p.lost(i)
		}
		w := Write{Op: Truncate, AnyColumn: true}
		p.name(p.at(j).text)
		w.Table, j = p.relation(j)
		p.out.Changes = append(p.out.Changes, w)
		if p.at(j + 1).is("*") {
			j++
		}
		if !p.at(j + 1).is(",") {
			return j
		}
		j += 2
	}
}

// detail reads more of a statement that is one plain INSERT, UPDATE or DELETE, from its first token on.
func (p *parser) detail() {
	if len(p.out.Changes) != 1 || p.out.Changes[0].Table.Name == "" || p.at(0).kind != word {
		return
	}
	w := &p.out.Changes[0]
	switch p.at(0).text {
	case "insert":
		p.insert(w)
	case "update":
		p.update(w)
	case "delete":
		p.delete(w)
	}
}

// after returns the position behind the name of the change's table, and its alias.
func (p *parser) after(i int) (next int, names []string) {
	if p.at(i).is("only") {
		i++
	}
	r, i := p.relation(i)
	names = []string{r.Name}
	i++
	if p.at(i).is("*") {
		i++
	}
	if p.at(i).is("as") {
		i++
	}
	if p.at(i).kind == quoted || p.at(i).kind == word && !p.at(i).in("set", "where", "using", "returning", "values",
		"select", "default", "on", "from", "with", "overriding", "indexed", "not", "order", "limit") {
		names = []string{strings.ToLower(p.at(i).text)} // an alias hides the name
		i++
	}
	return i, names
}

func (p *parser) update(w *Write) {
	i, names := p.after(1)
	if !p.at(i).is("set") {
		return
	}
	w.Place = p.span(1, i)
	set := i + 1
	where := p.find(set, "where")
	end := p.find(set, "returning", "order", "limit")
	from := p.find(set, "from")
	w.Assigned, w.AnyColumn = p.assigned(set, min(where, end, from))
	if from < len(p.tokens) || where == len(p.tokens) || where > end {
		return
	}
	p.limited(w, where, end, names)
}

func (p *parser) delete(w *Write) {
	i, names := p.after(2)
	if !p.at(i).is("where") {
		return
	}
	w.Place = p.span(2, i)
	p.limited(w, i, p.find(i, "returning", "order", "limit"), names)
}

// limited reads the condition of an Update or Delete, from WHERE on.
func (p *parser) limited(w *Write, where, end int, names []string) {
	w.Conditions, _ = p.conditions(where+1, end, names)
	w.Where = p.span(where+1, end)
	w.Returning = end < len(p.tokens)
	if p.at(end).is("returning") {
		w.Output, _ = p.plainList(end+1, len(p.tokens), names)
	}
}

// find returns the position of the first of the words from i on, outside parentheses.
func (p *parser) find(i int, words ...string) int {
	for ; i < len(p.tokens); i++ {
		if p.tokens[i].depth == 0 && p.tokens[i].in(words...) && !p.dotted(i) {
			return i
		}
	}
	return i
}

// assigned reads SET a = …, (b, c) = …: the columns, and whether some are not known.
func (p *parser) assigned(i, end int) (columns []string, unknown bool) {
	start := true
	for ; i < end; i++ {
		t := p.at(i)
		switch {
		case start && t.name():
			for p.at(i+1).is(".") && p.at(i+2).name() {
				i += 2
			}
			if !p.at(i+1).is("=") && !p.at(i+1).is("[") {
				return nil, true
			}
			columns, start = append(columns, p.at(i).text), false
		case start:
			return nil, true // (b, c) = …
		case t.is(",") && t.depth == 0:
			start = true
		}
	}
	return columns, len(columns) == 0
}

func (p *parser) insert(w *Write) {
	i := 1
	for !p.at(i).is("into") {
		i++
	}
	i, _ = p.after(i + 1)
	if p.at(i).is("(") && p.at(i).depth == 0 {
		w.Columns, i = p.columns(i)
	}
	if p.at(i).is("overriding") {
		i += 3
	}
	if p.at(i).is("values") && w.Columns != nil {
		w.Rows, i = p.values(i+1, len(w.Columns))
	}
	on := p.find(i, "on")
	if on == len(p.tokens) {
		return
	}
	p.conflict(w, on)
}

// columns reads (a, b, c), and returns the position behind it.
func (p *parser) columns(i int) ([]string, int) {
	var columns []string
	for i++; p.at(i).name(); i++ {
		columns = append(columns, p.at(i).text)
		if i++; !p.at(i).is(",") {
			break
		}
	}
	if !p.at(i).is(")") {
		return nil, i
	}
	return columns, i + 1
}

// values reads (…), (…) …, and returns the position behind it.
func (p *parser) values(i, width int) ([][]*Operand, int) {
	var rows [][]*Operand
	for p.at(i).is("(") {
		row := make([]*Operand, 0, width)
		from, depth := i+1, p.at(i).depth
		for i++; i < len(p.tokens); i++ {
			if t := p.at(i); t.depth == depth+1 && t.is(",") || t.depth == depth && t.is(")") {
				row = append(row, p.operand(from, i))
				from = i + 1
				if t.is(")") {
					break
				}
			}
		}
		if len(row) != width {
			return nil, i
		}
		rows = append(rows, row)
		if i++; !p.at(i).is(",") {
			break
		}
		i++
	}
	return rows, i
}

// conflict reads ON CONFLICT [(target)] DO NOTHING, or DO UPDATE SET …. Any other ON may replace any row.
func (p *parser) conflict(w *Write, i int) {
	replaces := w.Replaces
	w.Replaces = true
	clauses := 0
	for _, t := range p.tokens {
		if t.is("conflict") {
			clauses++
		}
	}
	if clauses != 1 || !p.at(i+1).is("conflict") {
		return
	}
	i += 2
	var target []string
	if p.at(i).is("(") {
		target, i = p.columns(i)
	}
	do := p.find(i, "do")
	if p.at(do + 1).is("nothing") {
		w.Replaces = replaces
		return
	}
	if do == i { // else: ON CONSTRAINT, a partial index, an expression
		w.Target = target
	}
	if p.at(do+1).is("update") && p.at(do+2).is("set") {
		w.Assigned, w.AnyColumn = p.assigned(do+3, min(p.find(do, "where"), p.find(do, "returning")))
		w.Upserts = !replaces && !w.AnyColumn && p.find(do, "where") == len(p.tokens)
	}
}
