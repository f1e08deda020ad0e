package sqltext

import "strings"

// maxRedacted bounds what Redact returns, in bytes.
const maxRedacted = 500

// Redact returns a text as it may be told to a log: without literals and comments, and not too long of it. Of one that may
// mean something else to the database, it returns the first word.
func Redact(src string, d Dialect) string {
	l, ok := lex(src, d)
	if !ok {
		if len(l.tokens) == 0 || l.tokens[0].kind != word {
			return "…"
		}
		return l.tokens[0].text + " …"
	}
	var b strings.Builder
	end := 0
	for _, t := range l.tokens {
		if b.Len() > maxRedacted {
			b.WriteString(" …")
			break
		}
		if t.start > end && b.Len() > 0 {
			b.WriteByte(' ')
		}
		if t.kind == text || t.kind == number {
			b.WriteByte('?')
		} else {
			b.WriteString(src[t.start:t.end])
		}
		end = t.end
	}
	return b.String()
}
