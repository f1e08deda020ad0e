package rediscache_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// documents returns the Markdown files of the project, by name.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "examples/*.md"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			docs[name] = string(text)
		}
	}
	require.Greater(t, len(docs), 10)
	return docs
}

// blocks returns the fenced blocks of a language.
func blocks(text, language string) []string {
	var found []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

func TestCodeOfTheReadmeIsCompiled(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	code := blocks(string(readme), "go")
	require.NotEmpty(t, code)
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, block := range code {
		require.Contains(t, squeeze(string(example)), squeeze(block))
	}
}

func TestCommandsOfTheDocumentsAreRunByCI(t *testing.T) {
	t.Parallel()
	ci, err := os.ReadFile(filepath.Join(".ci", "run"))
	require.NoError(t, err)
	n := 0
	for name, text := range documents(t) {
		for _, block := range blocks(text, "sh") {
			for line := range strings.Lines(block) {
				n++
				require.Contains(t, string(ci), "\n"+strings.TrimSpace(line)+"\n", "%s: %s", name, line)
			}
		}
	}
	require.Positive(t, n)
}

// Commands that take too long for CI, or need more than a clean clone has, stand in the text. What they name is there.
func TestTargetsAndProgramsOfTheDocumentsExist(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("Makefile")
	require.NoError(t, err)
	target := regexp.MustCompile(`(?m)(?:` + "`" + `|^\s*|=\S+ )make ([a-z]+(?:-[a-z]+)*)(?:` + "`" + `|$)`)
	program := regexp.MustCompile(`go (?:run|test) (\./[\w/]+)`)
	n := 0
	for name, text := range documents(t) {
		for _, m := range target.FindAllStringSubmatch(text, -1) {
			n++
			require.Contains(t, string(makefile), "\n"+m[1]+":", name)
		}
		for _, m := range program.FindAllStringSubmatch(text, -1) {
			n++
			require.DirExists(t, m[1], name)
		}
	}
	require.Greater(t, n, 10)
}

func TestLinksOfTheDocumentsLeadSomewhere(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile("(?s)```.*?```")
	link := regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
	for name, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(name), m[1]))
			require.NoError(t, err, "%s links to %s", name, m[1])
		}
	}
}

// Every row of the guarantees names tests that show it.
func TestGuaranteesNameTestsThatExist(t *testing.T) {
	t.Parallel()
	var code strings.Builder
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	})
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join("docs", "guarantees.md"))
	require.NoError(t, err)
	rows := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| situation") {
			continue
		}
		rows++
		names := regexp.MustCompile(`\bTest\w+`).FindAllString(line, -1)
		require.NotEmpty(t, names, line)
		for _, name := range names {
			require.Contains(t, code.String(), "func "+name+"(", line)
		}
	}
	require.Greater(t, rows, 15)
}

// Packages of the map are those of the tree.
func TestArchitectureShowsEveryPackage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("docs", "architecture.md"))
	require.NoError(t, err)
	var missing []string
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if slices.Contains([]string{".git", "bin", "testdata", "archtest", "withservers"}, d.Name()) {
			return fs.SkipDir
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), "go.mod")); err == nil && filepath.Dir(path) != "." {
			return fs.SkipDir // a part of another module
		}
		files, err := filepath.Glob(filepath.Join(path, "*.go"))
		if len(files) > 0 && path != "." && !strings.Contains(string(text), filepath.ToSlash(path)) {
			missing = append(missing, path)
		}
		return err
	})
	require.NoError(t, err)
	require.Empty(t, missing)
}
