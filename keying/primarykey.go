package keying

import (
	"strings"
)

// A KeyKind says how the database compares the values of a primary key's column.
type KeyKind uint8

const (
	// Opaque values may be spelled in several ways that cannot be told from several values. Rows of such a table have no
	// names.
	Opaque KeyKind = iota
	// Integer values are integers; 7, 07 and "7" are one value.
	Integer
	// LooseInteger values are integers that are compared with text as floating-point numbers, and whose zero, when it is
	// inserted, stands for one that the database makes (MySQL Reference Manual, "Type Conversion in Expression
	// Evaluation", "Using AUTO_INCREMENT").
	LooseInteger
	// Text values are compared as text, perhaps ignoring case, padding or punctuation (char(n), citext, uuid,
	// a collation of the database's).
	Text
)

// maxKeyText bounds the length of a text key, in bytes, so that names stay short.
const maxKeyText = 128

// maxLoose is the length of a text up to which its integer is one as a floating-point number, too.
const maxLoose = 15

// A PrimaryKey names a row of a table.
//
// It holds the value twice. Exact tells apart all that the database might tell apart: it names entries. Folded is the
// same for all that the database might take for one value: it names tags. So an entry is never served for another
// row, and a write always reaches every entry of its row, without knowing the column's collation.
type PrimaryKey struct{ exact, folded string }

// NewPrimaryKey returns the name of a row, from the values of its key's columns in the order of the key. It answers
// false for a value that has no provable name; the caller then uses the table's tags.
func NewPrimaryKey(kinds []KeyKind, values ...any) (PrimaryKey, bool) {
	if len(values) == 0 || len(kinds) != len(values) {
		return PrimaryKey{}, false
	}
	if len(values) == 1 {
		return primaryKeyPart(kinds[0], values[0])
	}
	var exact, folded strings.Builder
	for i, v := range values {
		part, ok := primaryKeyPart(kinds[i], v)
		if !ok {
			return PrimaryKey{}, false
		}
		if i > 0 {
			exact.WriteByte(',') // no part contains a comma
			folded.WriteByte(',')
		}
		exact.WriteString(part.exact)
		folded.WriteString(part.folded)
	}
	return PrimaryKey{exact: exact.String(), folded: folded.String()}, true
}

// String returns the key as it stands in the name of an entry.
func (k PrimaryKey) String() string { return k.exact }

// Folded is the same for all keys that a database may take for one. It may be the same for others, too.
func (k PrimaryKey) Folded() string { return k.folded }

func primaryKeyPart(kind KeyKind, v any) (PrimaryKey, bool) {
	v, err := Plain(v)
	if err != nil {
		return PrimaryKey{}, false
	}
	switch kind {
	case Integer:
		s, ok := integerText(v)
		return PrimaryKey{exact: s, folded: s}, ok
	case LooseInteger:
		s, ok := integerText(v)
		if _, text := v.(string); text && len(s) > maxLoose || s == "0" {
			return PrimaryKey{}, false
		}
		return PrimaryKey{exact: s, folded: s}, ok
	case Text:
		s, ok := v.(string)
		if !ok || len(s) > maxKeyText {
			return PrimaryKey{}, false
		}
		folded, ok := fold(s)
		return PrimaryKey{exact: escape(s), folded: folded}, ok
	default:
		return PrimaryKey{}, false
	}
}

// fold maps every spelling that a database may take for the same text to one string: letters without case, digits,
// nothing else, and no leading zeros if it is a number. Text beyond ASCII has no such map: there, what is equal
// depends on the collation.
func fold(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	digits := true
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 0x80:
			return "", false
		case 'A' <= c && c <= 'Z':
			b, digits = append(b, c|0x20), false
		case 'a' <= c && c <= 'z':
			b, digits = append(b, c), false
		case '0' <= c && c <= '9':
			b = append(b, c)
		}
	}
	if digits {
		return trimZeros(string(b)), true
	}
	return string(b), true
}

func trimZeros(s string) string {
	if t := strings.TrimLeft(s, "0"); t != "" || s == "" {
		return t
	}
	return "0"
}
