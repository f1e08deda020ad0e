// Package archtest fails when a package imports what the architecture says it must not.
package archtest_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gorm-rediscache/rediscache"

// may lists what each package may import besides the standard library. Arrows only go down: a package stands below
// those that may import it. docs/architecture.md draws the same graph; change both or neither.
var may = map[string][]string{
	// leaves
	"keying":                {},
	"internal/aead":         {},
	"metrics":               {},
	"metrics/prom":          {"metrics", "github.com/prometheus/client_golang"},
	"ttlconfig":             {},
	"internal/background":   {},
	"internal/flight":       {},
	"internal/heat":         {},
	"internal/rowcodec":     {},
	"internal/sqltext":      {},
	"internal/catalog":      {},
	"internal/txpool":       {"gorm.io/gorm"},
	"store/internal/script": {},
	// what the database says of its tables, and what follows from it
	"relations":       {"internal/catalog", "internal/sqltext"},
	"internal/outbox": {"internal/catalog", "keying"},
	// the store
	"store":              {"keying"},
	"store/redisstore":   {"keying", "metrics", "store", "store/internal/script", "github.com/redis/go-redis/v9"},
	"store/upstashstore": {"keying", "store", "store/internal/script"},
	"store/memstore":     {"keying", "store"},
	"store/storetest":    {"keying", "store", "github.com/stretchr/testify/require"},
	"internal/breaker":   {"keying", "store", "github.com/sony/gobreaker/v2"},
	// the protocol
	"internal/consistency": {"internal/background", "internal/flight", "internal/heat", "keying", "metrics", "store"},
	// GORM
	"callbacks": {
		"internal/background", "internal/catalog", "internal/consistency", "internal/outbox", "internal/rowcodec",
		"internal/sqltext", "internal/txpool", "keying", "metrics", "relations", "ttlconfig", "gorm.io/gorm",
	},
}

// free may import anything: the face, and what only tests use. No package in may lists them.
var free = []string{
	".", "internal/testkit", "internal/testkit/pgsessions", "internal/testkit/stores", "internal/testkit/upstash", "internal/testkit/withservers",
	"internal/testkit/history", "internal/archtest", "internal/sim",
}

func TestImportsFollowTheArchitecture(t *testing.T) {
	t.Parallel()
	// The files are parsed here rather than by a child process: go test keeps a result for as long as the files that
	// the test itself opened have not changed.
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", "bin", "testdata", "tests", "examples", "benchmarks"}, d.Name()):
			return fs.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		return check(t, path, filepath.ToSlash(rel))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, path, pkg string) error {
	t.Helper()
	if slices.Contains(free, pkg) {
		return nil
	}
	allowed, ok := may[pkg]
	if !ok {
		t.Errorf("package %s is not in the architecture: add it here and to docs/architecture.md", pkg)
		return nil
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range f.Imports {
		if imp := strings.Trim(spec.Path.Value, `"`); !permitted(imp, allowed) {
			t.Errorf("%s: package %s must not import %s", path, pkg, imp)
		}
	}
	return nil
}

func permitted(imp string, allowed []string) bool {
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	if own, ok := strings.CutPrefix(imp, module+"/"); ok {
		return slices.Contains(allowed, own)
	}
	return slices.ContainsFunc(allowed, func(a string) bool { return imp == a || strings.HasPrefix(imp, a+"/") })
}
