package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// source has what mutants of these tests change.
const source = `package p

const most = 200 // of them

func first(a, b int) bool {
	if c := a; c < b && // why
		a != 0 {
		call(a,
			b) // so
		return true
	}
	for range a {
		call(b, a); call(1, 2)
	}
	defer call(0, 0)
	switch a {
	case 1, 2,
		3:
		return !(a < b)
	}
	f := func() (int, T) { return 7, T{a: a, b: b} }
	_, _ = f()
	return false
}

func second() bool { return most < 1 }

type T struct{ a, b int }

func (t *T) method() int { return t.a }

type list[K comparable, V any] struct{}

func (l *list[K, V]) method() int { return 1 }
`

// mutate applies a mutant of a package with the source, and with other files.
func mutate(t *testing.T, m mutant) (string, error) {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "p"), 0o700))
	for name, text := range map[string]string{"a.go": "package p", "p.go": source, "z_test.go": "package p_test"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, "p", name), []byte(text), 0o600))
	}
	path, changed, err := m.apply(root)
	if err == nil {
		require.Equal(t, filepath.Join(root, "p", "p.go"), path)
	}
	return changed, err
}

func TestCodeIsFoundHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ decl, old, new, from, to string }{
		"an expression":  {"first", "c < b && a != 0", "true", "c < b && // why\n\t\ta != 0", "true"},
		"a part of one":  {"first", "a != 0", "true", "a != 0", "true"},
		"a call":         {"first", "call(a, b)", "", "call(a,\n\t\t\tb)", ""},
		"a statement":    {"first", "defer call(0, 0)", "_ = a", "defer call(0, 0)", "_ = a"},
		"statements":     {"first", "call(a, b); return true", "", "call(a,\n\t\t\tb) // so\n\t\treturn true", ""},
		"in lines":       {"first", "call(b, a)\ncall(1, 2)", "", "call(b, a); call(1, 2)", ""},
		"a head":         {"first", "if c := a; c < b && a != 0", "if b", "if c := a; c < b && // why\n\t\ta != 0 ", "if b"},
		"a for":          {"first", "for range a", "for a > 1 ", "for range a ", "for a > 1 "},
		"of a case":      {"first", "2, 3", "4", "2,\n\t\t3", "4"},
		"of two results": {"first", "7", "8", "return 7", "return 8"},
		"of a literal":   {"first", "b: b", "b: a", "b: b", "b: a"},
		"a result":       {"second", "most < 1", "false", "most < 1", "false"},
		"a constant":     {"most", "200", "5", "200", "5"},
		"a method":       {"T.method", "t.a", "t.b", "return t.a", "return t.b"},
		"generic":        {"list.method", "1", "2", "return 1 ", "return 2 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed, err := mutate(t, mutant{in: in("p", c.decl), old: c.old, new: c.new})
			require.NoError(t, err)
			require.Equal(t, 1, strings.Count(source, c.from))
			require.Equal(t, strings.Replace(source, c.from, c.to, 1), changed, "nothing else changes")
		})
	}
}

func TestExpressionKeepsItsPlace(t *testing.T) {
	t.Parallel()
	changed, err := mutate(t, mutant{in: in("p", "first"), old: "a < b", new: "a < b || a == 0"})
	require.NoError(t, err)
	require.Contains(t, changed, "return !((a < b || a == 0))")

	changed, err = mutate(t, mutant{in: in("p", "first"), old: "c < b", new: "c < b || true"})
	require.NoError(t, err)
	require.Contains(t, changed, "(c < b || true) && // why")
}

func TestMutantThatDoesNotApplySaysWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		decl, old, new string
		want           error
		text           string
	}{
		"code of another function":  {"second", "c < b", "true", errLost, "second of p"},
		"a part of an operator":     {"first", "b && a", "true", errLost, ""},
		"statements of two blocks":  {"first", "return true; defer call(0, 0)", "", errLost, ""},
		"sides of an operator":      {"second", "most, 1", "", errLost, ""},
		"code that is there twice":  {"first", "c", "a", errTwice, "2 times"},
		"a function that is not":    {"third", "c < b", "true", errUnknown, "third of p"},
		"a method without its type": {"method", "t.a", "0", errUnknown, ""},
		"nothing":                   {"first", "", "true", errEmpty, ""},
		"code that is no Go":        {"first", "if (", "true", errNotGo, ""},
		"a change that is no Go":    {"first", "a != 0", "a != ", errNotGo, "expected operand"},
		"a change that ends early":  {"first", "defer call(0, 0)", "}", errNotGo, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := mutate(t, mutant{in: in("p", c.decl), old: c.old, new: c.new})
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.text)
		})
	}
}

func TestTextThatIsNotGoIsFoundLetterByLetter(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "a.lua"), []byte("local a = 1\nlocal b = 1\n"), 0o600))
	_, changed, err := mutant{in: inText("a.lua"), old: "b = 1", new: "b = a + 1"}.apply(root)
	require.NoError(t, err)
	require.Equal(t, "local a = 1\nlocal b = a + 1\n", changed)

	_, _, err = mutant{in: inText("a.lua"), old: "= 1"}.apply(root)
	require.ErrorIs(t, err, errTwice)
	_, _, err = mutant{in: inText("a.lua"), old: "b  = 1"}.apply(root)
	require.ErrorIs(t, err, errLost)
}
