package sqltext

import (
	"errors"
	"strconv"
	"strings"
)

// quotes reads what is quoted, and placeholders.
func (l *lexer) quotes(c byte) bool {
	switch {
	case c == '\'', c == '"' && l.dialect == MySQL:
		l.string(l.dialect == MySQL)
	case c == '"':
		l.quotedName('"')
	case c == '$' && (l.dialect == Postgres || l.dialect == Standard):
		l.dollar()
	case strings.IndexByte("`[?:@$#", c) >= 0 && l.dialect != Postgres:
		l.special(c)
	default:
		return false
	}
	return true
}

// special reads what does not mean the same everywhere.
func (l *lexer) special(c byte) {
	switch {
	case c == '`':
		l.quotedName('`')
	case c == '?':
		l.question()
	case c == '[' && l.dialect == SQLite:
		l.bracketName()
	case strings.IndexByte("@:", c) >= 0 && l.dialect == MySQL: // a variable; := assigns one
		l.punct(c)
	default:
		l.unsure = true // a named parameter, which GORM does not write in a dialect that is known
	}
}

// string reads '…', in which two quotes stand for one, and in which, if it escapes, a backslash does so. What escapes
// mean is left to the database: the value then is only good for telling that there is one.
func (l *lexer) string(escapes bool) {
	var b strings.Builder
	quote, escaped := l.src[l.pos], false
	for i := l.pos + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == quote && i+1 < len(l.src) && l.src[i+1] == quote:
			b.WriteByte(quote)
			i++
		case c == quote && escaped:
			l.emit(text, "\x00", i+1)
			return
		case c == quote:
			l.emit(text, b.String(), i+1)
			return
		case c == '\\' && l.dialect == Standard:
			l.unsure = true
			return
		case c == '\\' && escapes:
			escaped = true
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
	if i == len(l.src) || l.src[i] != '$' || l.dialect == Standard {
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

// prefixed reads a string with a prefix: E'…', B'…', X'…', N'…'. Any other word ends at the quote.
func (l *lexer) prefixed(prefix string, quote int) {
	switch {
	case prefix == "e" && l.dialect == Postgres:
		l.pos = quote
		l.string(true)
	case prefix == "b" || prefix == "x" || prefix == "n":
		l.pos = quote
		l.string(l.dialect == MySQL)
		if n := len(l.tokens); !l.unsure {
			l.tokens[n-1].text = "\x00"
		}
	case l.dialect == Standard:
		l.unsure = true // another way to quote, perhaps
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
	if l.dialect == MySQL && !isNumber(l.src[l.pos:i]) {
		l.unsure = true // names may begin with digits
		return
	}
	l.emit(number, l.src[l.pos:i], i)
}

// isNumber reports whether what begins with a digit is a number: 12, 1.5e3, 0x1F.
func isNumber(s string) bool {
	if len(s) > 2 && s[0] == '0' && (s[1]|0x20 == 'x' || s[1]|0x20 == 'b') {
		return strings.Trim(strings.ToLower(s[2:]), "0123456789abcdef") == ""
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}
