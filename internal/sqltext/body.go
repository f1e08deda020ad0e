package sqltext

import "strings"

// A Body is what the text of a function or a trigger says. It may be in a procedural language: only words count.
type Body struct {
	// Names holds every name in it, Calls the functions that it calls, in lower case.
	Names, Calls []string
	// Writes is set if it changes tables, OnlyInserts if all it does to them is to add rows.
	Writes, OnlyInserts bool
	// Schemas holds those that it names to write to, or to read from.
	Schemas []string
	// Row is set if it may put another row in the place of the one that fired it, or names no column that it changes.
	Row bool
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
			b.Row = b.Row || p.replacesRow(i)
			if p.at(i-1).in("into", "update", "from", "join", "ignore") && p.at(i+1).is(".") {
				b.Schemas = append(b.Schemas, strings.ToLower(t.text))
			}
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

// replacesRow reports whether the name at i stands for the new row as a whole, other than to return it, or whether
// something else is returned in its place.
func (p *parser) replacesRow(i int) bool {
	switch {
	case p.at(i).is("new"):
		return !p.at(i+1).is(".") && !p.at(i-1).is("return")
	case p.at(i).is("return"):
		return !p.at(i+1).in("new", "old", "null")
	default:
		return false
	}
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
