package sqltext

import "strings"

// A Dialect says how a database reads SQL text.
type Dialect uint8

const (
	// Postgres has nested comments, dollar quotes, E-strings, $1.
	Postgres Dialect = iota
	// SQLite has three ways to quote a name, and ? for placeholders.
	SQLite
	// MySQL and MariaDB have backslashes and double quotes in strings, ? for placeholders, and comments that are carried
	// out.
	MySQL
	// Standard stands for databases that are not known. What dialects disagree on is not understood.
	Standard
)

// Positional reports whether placeholders have no numbers.
func (d Dialect) Positional() bool { return d == SQLite || d == MySQL }

// foldsQuoted reports whether names that differ in case are one name even if they are quoted.
func (d Dialect) foldsQuoted() bool { return d != Postgres }

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
	case l.skips(c), l.quotes(c):
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

// skips skips a blank or a comment.
func (l *lexer) skips(c byte) bool {
	switch {
	case strings.IndexByte(" \t\n\r\f\v", c) >= 0:
		l.pos++
	case l.at("--") && !l.minusMinus(), c == '#' && l.dialect == MySQL:
		l.lineComment()
	case l.at("/*"):
		l.blockComment()
	default:
		return false
	}
	return true
}

// minusMinus reports whether -- is no comment: in MySQL a blank has to follow.
func (l *lexer) minusMinus() bool {
	if l.dialect != MySQL && l.dialect != Standard {
		return false
	}
	next := l.pos + 2
	if next == len(l.src) || l.src[next] <= ' ' {
		return false
	}
	l.unsure = l.unsure || l.dialect == Standard
	return true
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
	if l.dialect == MySQL || l.dialect == Standard {
		if l.at("/*!") || l.at("/*M!") || l.at("/*+") {
			l.unsure = true // is carried out, or may set variables
			return
		}
	}
	start, nested := l.pos, 0
	for l.pos < len(l.src) {
		switch {
		case l.at("/*"):
			if nested++; nested > 1 && l.dialect != Postgres {
				nested = 1
				l.unsure = l.unsure || l.dialect == Standard
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
