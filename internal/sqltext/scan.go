package sqltext

import (
	"strings"
	"unicode"
)

// level is what scan knows at one depth of parentheses.
type level struct {
	// verb is the statement that is under way: select, insert, update, delete, merge; empty in an expression.
	verb string
	// from is set between FROM and the next clause; table, where the name of a table is expected.
	from, table bool
	// with is set between WITH and the statement that it belongs to; cte, where a name that it defines is expected.
	with, cte bool
	// alias is where the alias of what FROM has just named may stand, without AS; opens is the parenthesis that ends before
	// it. Both are positions; zero: there is none.
	alias, opens int
}

// scan goes through the tokens once, and collects names, tables, calls and changes.
func (p *parser) scan() {
	p.seen, p.ctes = map[string]bool{}, map[string]bool{}
	levels := []level{{}}
	for i := 0; i < len(p.tokens); i++ {
		t := p.tokens[i]
		for len(levels) <= t.depth {
			levels = append(levels, p.enter(levels[len(levels)-1], i))
		}
		levels = levels[:t.depth+1]
		l := &levels[t.depth]
		if t.name() && p.at(i+1).is(".") {
			p.out.Qualifiers = append(p.out.Qualifiers, strings.ToLower(t.text))
		}
		switch t.kind {
		case quoted:
			p.name(t.text)
			i = p.place(l, i)
		case word:
			p.name(t.text)
			i = p.word(l, i)
		case text:
			p.literal(t.text)
		case punct:
			p.punct(l, i)
		default:
			l.table = false
		}
		p.call(l, i)
	}
}

// enter returns what is known inside the parentheses that the token before i opens.
func (p *parser) enter(outer level, i int) level {
	if outer.table && p.at(i-1).is("(") && !p.at(i).in("select", "with", "values", "table") {
		return level{verb: outer.verb, from: true, table: true} // FROM (a JOIN b)
	}
	return level{}
}

func (p *parser) name(s string) {
	if s = strings.ToLower(s); !p.seen[s] {
		p.seen[s] = true
		p.out.Names = append(p.out.Names, s)
	}
}

func (p *parser) punct(l *level, i int) {
	switch t := p.at(i); {
	case t.is(",") && l.from:
		l.table = true
	case t.is(",") && l.with:
		l.cte = true
	case t.is("(") && l.table:
		l.opens = i
	case t.is(")"):
		if l.opens > 0 {
			l.alias = i + 1
		}
		l.table, l.opens = false, 0 // FROM (…) is one
	case t.is("@") && p.dialect == MySQL:
		p.volatile("a variable")
	}
}

// volatile notes what makes the statement depend on more than tables.
func (p *parser) volatile(because string) {
	if p.out.Volatile == "" {
		p.out.Volatile = because
	}
}

// literal notices strings that mean the moment, once they are cast to a time.
func (p *parser) literal(s string) {
	if IsMoment(s) {
		p.volatile("a literal that means the moment, as 'today' does")
	}
}

// IsMoment reports whether a string, taken for a date or a time, may depend on when it is read: one of the special words
// is in it, with whatever else (PostgreSQL documentation, "Date/Time Special Input Values", and "Date/Time Input
// Interpretation"). Longer strings than maxDate are no dates.
func IsMoment(s string) bool {
	const maxDate = 128 // MAXDATELEN
	if len(s) > maxDate {
		return false
	}
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		switch strings.ToLower(word) {
		case "now", "today", "tomorrow", "yesterday":
			return true
		}
	}
	return false
}

// word looks at a keyword or an unquoted name, and returns the position of the last token that it has taken.
func (p *parser) word(l *level, i int) int {
	if last, ok := p.verb(l, i); ok {
		return last
	}
	if last, ok := p.clause(l, i); ok {
		return last
	}
	switch t := p.at(i); {
	case t.is("cascade"):
		p.out.Cascade = true
	case t.is("tablesample"), t.in("next", "previous") && p.at(i+1).is("value"): // NEXT VALUE FOR sequence
		p.volatile(strings.ToUpper(t.text))
	case t.is("lock") && p.at(i+1).is("in") && p.at(i+2).is("share"):
		p.out.Locks = true
	case p.dialect != SQLite && systemColumn(t.text), !p.dotted(i) && volatileWord(t.text, p.dialect):
		p.volatile(t.text)
	}
	return p.place(l, i)
}

// verb looks at a word that may begin a statement, or a part of one.
func (p *parser) verb(l *level, i int) (last int, ok bool) {
	prev := p.at(i - 1)
	starts := i == 0 || prev.is("(") || l.with && prev.is(")") || prev.in("union", "all", "intersect", "except", "as")
	switch t := p.at(i); t.text {
	case "select", "values":
		if !p.dotted(i) {
			*l = level{verb: t.text}
			return i, true
		}
	case "table":
		if starts {
			*l = level{verb: "select", from: true, table: true}
			return i, true
		}
	case "with":
		if i == 0 || prev.is("(") {
			*l = level{with: true, cte: true}
			return i, true
		}
	case "recursive", "materialized":
		return i, l.with
	case "insert", "update", "delete", "merge", "truncate", "replace", "copy":
		if starts && !p.at(i+1).is("(") {
			return p.change(l, i), true
		}
	}
	return i, false
}

// clause looks at a word that may begin a clause.
func (p *parser) clause(l *level, i int) (last int, ok bool) {
	switch p.at(i).text {
	case "from":
		return p.fromClause(l, i), true
	case "using":
		if l.verb == "delete" || l.verb == "merge" {
			l.from, l.table = true, true
			return i, true
		}
	case "join", "straight_join":
		l.from, l.table = true, true
		return i, true
	case "only", "lateral":
		return i, l.table
	case "on": // commas behind it still separate tables
		l.table = l.table && p.dotted(i)
		return i, true
	case "where", "group", "having", "order", "limit", "offset", "fetch", "window", "returning", "set", "union", "intersect",
		"except":
		if !p.dotted(i) {
			l.from, l.table = false, false
		}
		return i, true
	case "for":
		p.out.Locks = p.out.Locks || p.locks(i)
		l.from, l.table = false, false
		return i, true
	case "into":
		if l.verb == "select" {
			p.out.Class = Definition // SELECT … INTO creates a table
		}
		return i, true
	}
	return i, false
}

// dotted reports whether the i-th token is a part of a name that is not its first one.
func (p *parser) dotted(i int) bool { return p.at(i - 1).is(".") }

// fromClause looks at FROM: not that of extract(… FROM …), of IS DISTINCT FROM or of COPY … FROM.
func (p *parser) fromClause(l *level, i int) int {
	if p.at(i-1).is("distinct") && p.at(i-2).in("is", "not") {
		return i
	}
	if l.verb == "select" || l.verb == "update" || l.verb == "delete" {
		l.from, l.table = true, true
	}
	return i
}

// locks reports whether FOR at i begins a locking clause.
func (p *parser) locks(i int) bool {
	next := p.at(i + 1)
	return next.in("update", "share") || next.is("no") && p.at(i+2).is("key") || next.is("key") && p.at(i+2).is("share")
}

// place looks at a name that stands where a table, or what WITH defines, is expected. It returns the position of the
// name's last part.
func (p *parser) place(l *level, i int) int {
	if !l.table && !l.cte {
		return i
	}
	r, last := p.relation(i)
	switch {
	case l.cte:
		p.ctes[r.Name] = true
	case p.at(last + 1).is("("): // a function that returns rows
		l.opens = last + 1
	default:
		p.out.Relations = append(p.out.Relations, r)
		l.alias = last + 1
	}
	l.table, l.cte = false, false
	return last
}

// relation reads a name of one to three parts, and returns the position of the last one.
func (p *parser) relation(i int) (Relation, int) {
	r := Relation{Name: strings.ToLower(p.at(i).text)}
	for p.at(i+1).is(".") && p.at(i+2).name() {
		i += 2
		r.Schema, r.Name = r.Name, strings.ToLower(p.at(i).text)
		p.name(r.Name)
	}
	return r, i
}

// call notices the call of a function: a name before a parenthesis that is no keyword's.
func (p *parser) call(l *level, i int) {
	t := p.at(i)
	if !t.name() || !p.at(i+1).is("(") || l.cte || t.kind == word && opensNoCall(t.text) {
		return
	}
	if t.kind == quoted && (p.at(i-1).is("into") || p.at(i-1).in("as")) || p.ctes[strings.ToLower(t.text)] {
		return
	}
	if p.at(i-1).is("into") || p.at(i-1).is("as") { // INSERT INTO t (…), AS t(a, b)
		return
	}
	if p.isTarget(i) || p.isAlias(l, i) {
		return
	}
	p.out.Calls = append(p.out.Calls, p.function(i))
	if p.dialect == Postgres && p.function(i) == "age" && len(p.arguments(i+1)) == 1 {
		p.volatile("function age of one argument")
	}
}

// isAlias reports whether the name at i is the alias, with columns and without AS, of what FROM names before it:
// (…) t(a, b), t x(a), f(…) WITH ORDINALITY t(a, n) (PostgreSQL documentation, "Table Expressions").
func (p *parser) isAlias(l *level, i int) bool {
	if p.at(i-1).is("ordinality") && p.at(i-2).is("with") {
		i -= 2
	}
	return l.from && l.alias > 0 && l.alias == i
}

// function returns the name of the function that ends at i. One of another schema's than the database's own keeps the
// schema: it may be anything.
func (p *parser) function(i int) string {
	name := strings.ToLower(p.at(i).text)
	if !p.dotted(i) {
		return name
	}
	if schema := strings.ToLower(p.at(i - 2).text); schema != "pg_catalog" {
		return schema + "." + name
	}
	return name
}

// isTarget reports whether the name that ends at i is the table of a change: INSERT INTO s.t (a, b).
func (p *parser) isTarget(i int) bool {
	for p.at(i - 1).is(".") {
		i -= 2
	}
	return p.at(i-1).in("into", "only", "copy", "as")
}

// opensNoCall lists keywords, and types, that a parenthesis may follow.
func opensNoCall(s string) bool {
	switch s {
	case "in", "and", "or", "not", "exists", "any", "some", "all", "as", "on", "using", "select", "from", "where", "join",
		"over", "by", "union", "having", "then", "when", "else", "case", "limit", "offset", "filter", "is", "like", "ilike",
		"similar", "between", "array", "row", "group", "order", "partition", "within", "except", "intersect", "lateral",
		"returning", "set", "distinct", "materialized", "values", "conflict", "with", "rollup", "cube", "sets", "fetch",
		"default", "update", "table", "only", "collate", "escape", "recursive", "end", "window", "rows",
		"interval", "cast", "varchar", "char", "character", "varying", "numeric", "decimal", "float", "timestamp",
		"timestamptz", "time", "timetz", "bit", "precision", "into", "glob", "regexp", "indexed", "of":
		return true
	default:
		return false
	}
}

// systemColumn lists columns that tell the physical place or the version of a row.
func systemColumn(s string) bool {
	switch s {
	case "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid":
		return true
	default:
		return false
	}
}

// volatileWord lists words without parentheses whose value depends on the moment, the session or the catalog.
func volatileWord(s string, d Dialect) bool {
	switch s {
	case "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp":
		return true
	case "current_user", "session_user", "current_role", "current_catalog", "current_schema", "user",
		"regclass", "regproc", "regprocedure", "regoper", "regoperator", "regtype", "regrole", "regnamespace",
		"regconfig", "regdictionary", "regcollation", "operator":
		return d == Postgres || d == Standard || d == MySQL && strings.HasPrefix(s, "current_")
	case "utc_date", "utc_time", "utc_timestamp", "sql_calc_found_rows", "nextval", "currval", "lastval", "sysdate":
		return d == MySQL || d == Standard
	case "systimestamp", "rownum", "rowid":
		return d == Standard
	default:
		return false
	}
}
