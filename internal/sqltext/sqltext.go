// Package sqltext reads SQL text: which tables a statement reads and writes, which rows it is limited to, and whether
// its answer depends on anything else. It is a lexer and a few patterns, not a parser, and errs on one side only:
//
//   - a query reads no table that is not among its Names;
//   - a statement writes no table that is not among its Changes, unless its class says that it may do anything;
//   - a limit to rows that is reported holds.
//
// What it does not understand, it calls [Unknown].
package sqltext

import "slices"

// A Class says what a statement may do.
type Class uint8

const (
	// Unknown statements may do anything.
	Unknown Class = iota
	// Query statements read, unless a function that they call writes.
	Query
	// Change statements write to the tables in Changes, and may read.
	Change
	// Definition statements change what tables there are, or what is in them beyond rows.
	Definition
	// Session statements change settings of the connection that affect later statements.
	Session
	// Control statements begin and end transactions, without making anything permanent.
	Control
	// Commit statements make permanent what was done before.
	Commit
	// Utility statements change nothing that a query could see.
	Utility
)

// A Script is a text: most often one statement.
type Script struct {
	// Text is the text without comments.
	Text string
	// Values is how many placeholders and literals there are.
	Values int
	// Params is the highest number of a placeholder.
	Params int
	// Placeholders are where they stand in the text that was parsed, in order.
	Placeholders []Placeholder
	Parts        []Statement
}

// Calls reports whether a function of some kind is called anywhere.
func (s *Script) Calls(kind func(call string) bool) bool {
	return slices.ContainsFunc(s.Parts, func(part Statement) bool { return slices.ContainsFunc(part.Calls, kind) })
}

// A Placeholder stands for the N-th argument, from 1.
type Placeholder struct{ N, Start, End int }

// A Statement is what a text says of one statement.
type Statement struct {
	Class Class
	// Names holds every name in the statement, in lower case, without duplicates: the tables that it reads are among
	// them, whatever the syntax.
	Names []string
	// Relations holds the names that stand where a table is read, but for those that WITH defines.
	Relations []Relation
	// Calls holds the functions that are called, in lower case.
	Calls []string
	// Locks is set by FOR UPDATE and the like.
	Locks bool
	// Volatile names what makes the answer depend on the moment, the session or the physical place of rows; empty: nothing.
	Volatile string
	// Changes holds what a Change writes.
	Changes []Write
	// End is where its last token ends.
	End int
	// Qualifiers are the names that stand before a dot: schemas, tables and their aliases.
	Qualifiers []string
	// Settings are those that the statement changes for its session, or, if it is a Utility, sets back: in lower case, and
	// [AnySetting] for one that it does not name, or that somebody else has defined.
	Settings []string
	// Autocommit is set by a Session that says whether statements commit by themselves.
	Autocommit bool
	// Cascade is set by TRUNCATE … CASCADE.
	Cascade bool
	// Temporary is set for a Definition that creates a table which only this connection sees.
	Temporary bool
	// Aggregate is set if the answer of a Query is one row of aggregates, at most: a count, a sum …
	Aggregate bool
	// Limits are the tables of a Query of which only some rows count.
	Limits []Limit
	// Lookup describes a Query of one table that is limited by simple conditions; nil for any other.
	Lookup *Lookup
}

// Begins reports whether a Control statement begins a transaction.
func (s *Statement) Begins() bool {
	return len(s.Names) > 0 && (s.Names[0] == "begin" || s.Names[0] == "start")
}

// A Relation is a name that stands for a table or a view.
type Relation struct {
	Schema, Name string // in lower case
}

// Parse reads a text.
func Parse(src string, d Dialect) Script {
	l, ok := lex(src, d)
	s := Script{Text: src, Params: l.params}
	if !ok {
		s.Parts = []Statement{{Class: Unknown}}
		return s
	}
	s.Text = l.without()
	for _, t := range l.tokens {
		switch t.kind {
		case param:
			s.Placeholders = append(s.Placeholders, Placeholder{N: t.n, Start: t.start, End: t.end})
			s.Values++
		case text, number:
			s.Values++
		default:
		}
	}
	for part := range split(l.tokens) {
		p := parser{dialect: d, src: src, tokens: part}
		s.Parts = append(s.Parts, p.statement())
	}
	return s
}

// split cuts tokens at semicolons, and leaves empty statements out.
func split(tokens []token) func(func([]token) bool) {
	return func(yield func([]token) bool) {
		from := 0
		for i := 0; i <= len(tokens); i++ {
			if i < len(tokens) && (!tokens[i].is(";") || tokens[i].depth > 0) {
				continue
			}
			if i > from && !yield(tokens[from:i]) {
				return
			}
			from = i + 1
		}
	}
}

// A parser reads one statement.
type parser struct {
	dialect Dialect
	src     string
	tokens  []token
	out     Statement
	seen    map[string]bool
	ctes    map[string]bool
	// qualified is set while columns count only with the name of their table.
	qualified bool
}

// at returns the i-th token, or an empty one.
func (p *parser) at(i int) token {
	if i < 0 || i >= len(p.tokens) {
		return token{kind: punct}
	}
	return p.tokens[i]
}

func (p *parser) statement() Statement {
	p.out.Class = p.class()
	p.out.End = p.at(len(p.tokens) - 1).end
	p.scan()
	p.out.Relations = slices.DeleteFunc(p.out.Relations, func(r Relation) bool {
		return r.Schema == "" && p.ctes[r.Name]
	})
	switch p.out.Class {
	case Query:
		if len(p.out.Changes) > 0 {
			p.out.Class = Change
		} else {
			p.out.Lookup, p.out.Limits, p.out.Aggregate = p.lookup(), p.limits(), p.aggregates()
		}
	case Change:
		if len(p.out.Changes) == 0 {
			p.out.Class = Unknown
		}
		p.detail()
	default:
	}
	if slices.ContainsFunc(p.out.Changes, func(w Write) bool { return w.Table == Relation{} }) {
		p.out.Class = Unknown // writes to something that was not found
	}
	p.out.Autocommit = p.out.Class == Session && slices.Contains(p.out.Names, "autocommit")
	if settings := p.configures(); len(settings) > 0 {
		p.out.Class, p.out.Settings = Session, append(p.out.Settings, settings...)
	}
	return p.out
}

// class tells by its first words what the statement may do. A Query may still turn out to contain a Change.
func (p *parser) class() Class {
	first := 0
	for p.at(first).is("(") {
		first++
	}
	t := p.at(first)
	if t.kind != word {
		return Unknown
	}
	if p.dialect == MySQL {
		if c, ok := p.mysqlClass(t, p.at(first+1)); ok {
			return c
		}
	}
	return p.commonClass(first)
}

// commonClass is what the word at first means to most dialects.
func (p *parser) commonClass(first int) Class {
	t, second := p.at(first), p.at(first+1)
	switch t.text {
	case "select", "values", "table", "with":
		return Query
	case "insert", "update", "delete", "merge", "truncate", "replace":
		return Change
	case "copy":
		if slices.ContainsFunc(p.tokens, func(t token) bool { return t.depth == 0 && t.is("to") }) {
			return Utility
		}
		return Change
	case "create", "alter", "drop", "rename", "comment", "grant", "revoke", "reassign", "refresh", "import", "security",
		"reindex", "cluster", "attach", "detach":
		p.out.Temporary = t.is("create") && p.temporary(first+1)
		return Definition
	case "set":
		return p.setting()
	case "begin", "start", "savepoint", "release", "rollback", "abort":
		return Control
	case "commit", "end":
		return Commit
	case "prepare":
		if second.is("transaction") {
			return Commit
		}
		return Utility
	case "explain":
		// EXPLAIN ANALYZE carries the statement out.
		if slices.ContainsFunc(p.tokens, func(t token) bool { return t.in("analyze", "analyse") }) {
			return Unknown
		}
		return Utility
	case "show", "listen", "notify", "unlisten", "vacuum", "analyze", "analyse", "checkpoint", "lock", "declare", "fetch",
		"move", "close", "deallocate", "pragma":
		return Utility
	case "reset", "discard": // back to what it was
		p.out.Settings = []string{p.settingAt(first + 1)}
		return Utility
	default: // CALL, DO, EXECUTE, LOAD …
		return Unknown
	}
}

// temporary reports whether TEMP stands at i, perhaps behind other words of CREATE.
func (p *parser) temporary(i int) bool {
	for p.at(i).in("or", "replace", "local", "global") {
		i++
	}
	return p.at(i).in("temp", "temporary")
}
