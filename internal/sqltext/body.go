package sqltext

// A Body is what the text of a function or a trigger says. It may be in a procedural language: only words count.
type Body struct {
	// Names holds every name in it, Calls the functions that it calls, in lower case.
	Names, Calls []string
	// Writes is set if it changes tables, OnlyInserts if all it does to them is to add rows.
	Writes, OnlyInserts bool
	// Unknown is set if it runs text that is not there to be read, or cannot be read itself.
	Unknown bool
}

// ParseBody reads the text of a function or a trigger.
func ParseBody(src string, d Dialect) Body {
	l, ok := lex(src, d)
	if !ok {
		return Body{Unknown: true}
	}
	p := parser{dialect: d, src: src, tokens: l.tokens, seen: map[string]bool{}, ctes: map[string]bool{}}
	b := Body{OnlyInserts: true}
	for i := p.bodyStart(); i < len(p.tokens); i++ {
		t := p.tokens[i]
		if t.name() {
			p.name(t.text)
			p.call(&level{}, i)
		}
		switch {
		case t.in("insert"):
			b.Writes = true
		case t.in("update", "delete", "merge", "truncate", "replace", "copy", "conflict"):
			b.Writes, b.OnlyInserts = true, false // FOR UPDATE says so too: one effect too many does no harm
		case p.runs(i):
			b.Unknown = true
		}
	}
	b.Names, b.Calls = p.out.Names, p.out.Calls
	b.OnlyInserts = b.OnlyInserts && b.Writes
	return b
}

// bodyStart returns where the body begins: in SQLite the text is the whole CREATE TRIGGER.
func (p *parser) bodyStart() int {
	if p.dialect == SQLite {
		return p.find(0, "begin")
	}
	return 0
}

// runs reports whether the word at i runs something that is not there to be read.
func (p *parser) runs(i int) bool {
	next := p.at(i + 1)
	switch {
	case p.at(i).in("execute", "call", "drop", "alter", "commit"):
		return true
	case p.at(i).is("do"):
		return !next.in("nothing", "update")
	case p.at(i).is("create"):
		return !next.in("or", "function", "procedure")
	default:
		return false
	}
}
