package sqltext

import (
	"strings"
)

// A Dialect says how a database reads SQL text.
type Dialect uint8

const (
	// Postgres has nested comments, dollar quotes, E-strings, $1.
	Postgres Dialect = iota
	// SQLite has three ways to quote a name, and ? for placeholders.
	SQLite
)

// foldsQuoted reports whether names that differ in case are one name even if they are quoted.
func (d Dialect) foldsQuoted() bool { return d == SQLite }

type kind uint8

const (
	word   kind = iota // an unquoted name or keyword, in lower case
	quoted             // a quoted name
	text               // a string literal; text is its value
	number             // a number literal
	param              // a placeholder; n is its number, from 1
	punct              // one byte of anything else
)

// A token is a lexical unit, with its place in the text.
type token struct {
	kind       kind
	text       string
	n          int
	start, end int
	depth      int // of parentheses and brackets around it
}

// is reports whether the token is the keyword or the punctuation.
func (t token) is(s string) bool { return (t.kind == word || t.kind == punct) && t.text == s }

// in reports whether the token is one of the keywords.
func (t token) in(words ...string) bool {
	for _, w := range words {
		if t.kind == word && t.text == w {
			return true
		}
	}
	return false
}

// name reports whether the token may be a name.
func (t token) name() bool { return t.kind == word || t.kind == quoted }

// A lexer cuts a text into tokens.
type lexer struct {
	src     string
	dialect Dialect
	pos     int
	depth   int
	params  int
	tokens  []token
	// comments are the places that the text can do without.
	comments [][2]int
	// unsure is set when the text may mean something else to the database.
	unsure bool
}

// lex cuts src into tokens. ok is false if the text may mean something else to the database than to the lexer.
func lex(src string, d Dialect) (l *lexer, ok bool) {
	l = &lexer{src: src, dialect: d, tokens: make([]token, 0, 8+len(src)/5)}
	for l.pos < len(src) && !l.unsure {
		l.next()
	}
	return l, !l.unsure && l.depth == 0
}

func (l *lexer) next() {
	c := l.src[l.pos]
	switch {
	case strings.IndexByte(" \t\n\r\f\v", c) >= 0:
		l.pos++
	case l.at("--"):
		l.lineComment()
	case l.at("/*"):
		l.blockComment()
	case c == '\'':
		l.string(false)
	case c == '"':
		l.quotedName('"')
	case c == '$' && l.dialect == Postgres:
		l.dollar()
	case strings.IndexByte("`[?:@$", c) >= 0 && l.dialect == SQLite:
		l.sqlite(c)
	case isLetter(c):
		l.word()
	case isDigit(c) || c == '.' && l.pos+1 < len(l.src) && isDigit(l.src[l.pos+1]):
		l.number()
	case c == '\\' || c < ' ':
		l.unsure = true
	default:
		l.punct(c)
	}
}

// sqlite reads what means something in SQLite only.
func (l *lexer) sqlite(c byte) {
	switch c {
	case '`':
		l.quotedName('`')
	case '[':
		l.bracketName()
	case '?':
		l.question()
	default:
		l.unsure = true // a named parameter, which GORM does not write
	}
}

func (l *lexer) at(s string) bool { return strings.HasPrefix(l.src[l.pos:], s) }

func (l *lexer) emit(k kind, s string, end int) {
	l.tokens = append(l.tokens, token{kind: k, text: s, start: l.pos, end: end, depth: l.depth})
	l.pos = end
}

func (l *lexer) lineComment() {
	end := strings.IndexByte(l.src[l.pos:], '\n')
	if end < 0 {
		end = len(l.src) - l.pos
	}
	l.comments = append(l.comments, [2]int{l.pos, l.pos + end})
	l.pos += end
}

// blockComment skips a comment, in which PostgreSQL, unlike others, counts nested ones.
func (l *lexer) blockComment() {
	start, nested := l.pos, 0
	for l.pos < len(l.src) {
		switch {
		case l.at("/*"):
			if nested++; nested > 1 && l.dialect != Postgres {
				nested = 1
			}
			l.pos += 2
		case l.at("*/"):
			l.pos += 2
			if nested--; nested == 0 {
				l.comments = append(l.comments, [2]int{start, l.pos})
				return
			}
		default:
			l.pos++
		}
	}
	l.unsure = true
}

// string reads '…', in which two quotes stand for one, and in which, if it escapes, a backslash does so.
func (l *lexer) string(escapes bool) {
	var b strings.Builder
	for i := l.pos + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '\'' && i+1 < len(l.src) && l.src[i+1] == '\'':
			b.WriteByte('\'')
			i++
		case c == '\'':
			l.emit(text, b.String(), i+1)
			return
		case c == '\\' && escapes:
			if i+1 < len(l.src) {
				b.WriteByte(l.src[i+1])
			}
			i++
		default:
			b.WriteByte(c)
		}
	}
	l.unsure = true
}

// quotedName reads a name between quotes, in which two quotes stand for one.
func (l *lexer) quotedName(quote byte) {
	var b strings.Builder
	for i := l.pos + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == quote && i+1 < len(l.src) && l.src[i+1] == quote:
			b.WriteByte(quote)
			i++
		case c == quote:
			l.emitName(b.String(), i+1)
			return
		default:
			b.WriteByte(c)
		}
	}
	l.unsure = true
}

func (l *lexer) bracketName() {
	end := strings.IndexByte(l.src[l.pos:], ']')
	if end < 0 {
		l.unsure = true
		return
	}
	l.emitName(l.src[l.pos+1:l.pos+end], l.pos+end+1)
}

func (l *lexer) emitName(name string, end int) {
	if l.dialect.foldsQuoted() {
		name = strings.ToLower(name)
	}
	l.emit(quoted, name, end)
}

// dollar reads $1, or a string between $tag$ and $tag$.
func (l *lexer) dollar() {
	i := l.pos + 1
	for i < len(l.src) && isDigit(l.src[i]) {
		i++
	}
	if i > l.pos+1 {
		n := 0
		for _, c := range l.src[l.pos+1 : i] {
			n = min(10*n+int(c-'0'), 1<<20)
		}
		if i < len(l.src) && isLetter(l.src[i]) {
			l.unsure = true
			return
		}
		l.param(n, i)
		return
	}
	for i < len(l.src) && (isLetter(l.src[i]) || isDigit(l.src[i])) {
		i++
	}
	if i == len(l.src) || l.src[i] != '$' {
		l.unsure = true
		return
	}
	tag := l.src[l.pos : i+1]
	end := strings.Index(l.src[i+1:], tag)
	if end < 0 {
		l.unsure = true
		return
	}
	l.emit(text, l.src[i+1:i+1+end], i+1+end+len(tag))
}

// question reads ? or ?1.
func (l *lexer) question() {
	i := l.pos + 1
	if i < len(l.src) && isDigit(l.src[i]) {
		l.unsure = true // mixed with ?, the numbers depend on the order
		return
	}
	l.param(l.params+1, i)
}

func (l *lexer) param(n, end int) {
	l.params = max(l.params, n)
	l.emit(param, "", end)
	l.tokens[len(l.tokens)-1].n = n
}

// word reads an unquoted name or keyword, or a string whose prefix is one.
func (l *lexer) word() {
	i := l.pos
	for i < len(l.src) && (isLetter(l.src[i]) || isDigit(l.src[i]) || l.src[i] == '$') {
		i++
	}
	w := strings.ToLower(l.src[l.pos:i])
	if i < len(l.src) && l.src[i] == '\'' {
		l.prefixed(w, i)
		return
	}
	if w == "u" && strings.HasPrefix(l.src[i:], "&") && i+1 < len(l.src) && (l.src[i+1] == '\'' || l.src[i+1] == '"') {
		l.unsure = true // unicode escapes
		return
	}
	l.emit(word, w, i)
}

// prefixed reads a string with a prefix: E'…', B'…', X'…', N'…'. Any other word ends at the quote.
func (l *lexer) prefixed(prefix string, quote int) {
	switch {
	case prefix == "e" && l.dialect == Postgres:
		l.pos = quote
		l.string(true)
		// What escapes mean is left to the database: the value is only good for telling that there is one.
		if n := len(l.tokens); !l.unsure && strings.Contains(l.src[quote:l.tokens[n-1].end], `\`) {
			l.tokens[n-1].text = "\x00"
		}
	case prefix == "b" || prefix == "x" || prefix == "n":
		l.pos = quote
		l.string(false)
		if n := len(l.tokens); !l.unsure {
			l.tokens[n-1].text = "\x00"
		}
	default:
		l.emit(word, prefix, quote)
	}
}

func (l *lexer) number() {
	i := l.pos
	for i < len(l.src) && (isDigit(l.src[i]) || isLetter(l.src[i]) || l.src[i] == '.') {
		if (l.src[i] == 'e' || l.src[i] == 'E') && i+1 < len(l.src) && (l.src[i+1] == '+' || l.src[i+1] == '-') {
			i++
		}
		i++
	}
	l.emit(number, l.src[l.pos:i], i)
}

func (l *lexer) punct(c byte) {
	if c == ')' || c == ']' {
		l.depth--
	}
	if l.depth < 0 {
		l.unsure = true
		return
	}
	l.emit(punct, string(c), l.pos+1)
	if c == '(' || c == '[' {
		l.depth++
	}
}

// without returns the text without its comments.
func (l *lexer) without() string {
	if len(l.comments) == 0 {
		return l.src
	}
	var b strings.Builder
	from := 0
	for _, c := range l.comments {
		b.WriteString(l.src[from:c[0]])
		b.WriteByte(' ')
		from = c[1]
	}
	b.WriteString(l.src[from:])
	return strings.TrimSpace(b.String())
}

// isLetter reports whether c may begin a name. Bytes beyond ASCII may, in every dialect.
func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
