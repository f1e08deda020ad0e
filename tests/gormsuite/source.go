package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

const (
	gormModule  = "gorm.io/gorm"
	ownModule   = "github.com/gorm-rediscache/rediscache"
	envCheckout = "GORM_CHECKOUT"
)

// openConnection is added to GORM's tests: OpenTestConnection, with the plugin if the environment says so.
//
//go:embed openconnection.go.txt
var openConnection []byte

// A suite is a compiled copy of GORM's tests.
type suite struct {
	version string // of GORM
	dir     string // where the tests are, and run
	scratch string // for what they leave behind
	binary  string
}

// prepare copies GORM's tests, puts the plugin into them, and compiles them.
func prepare(ctx context.Context, dir string) (*suite, error) {
	version, err := command(ctx, ".", "go", "list", "-m", "-f", "{{.Version}}", gormModule)
	if err != nil {
		return nil, err
	}
	root, err := command(ctx, ".", "go", "list", "-m", "-f", "{{.Dir}}", ownModule)
	if err != nil {
		return nil, err
	}
	s := &suite{version: version, dir: filepath.Join(dir, "tests"), scratch: dir, binary: filepath.Join(dir, "suite.test")}
	if err := s.copy(ctx); err != nil {
		return nil, err
	}
	if err := s.patch(); err != nil {
		return nil, err
	}
	say("compiling the tests of %s %s", gormModule, version)
	for _, args := range [][]string{
		{
			"mod", "edit", "-dropreplace=" + gormModule, "-require=" + gormModule + "@" + version,
			"-replace=" + ownModule + "=" + root, "-require=" + ownModule + "@v0.0.0",
		},
		{"test", "-mod=mod", "-c", "-o", s.binary, "."},
	} {
		if _, err := command(ctx, s.dir, "go", args...); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// copy takes the tests from the checkout that is named, or from the module proxy.
func (s *suite) copy(ctx context.Context) error {
	checkout := os.Getenv(envCheckout)
	if checkout == "" {
		module, err := s.download(ctx)
		if err != nil {
			return fmt.Errorf("the module proxy has no tests of GORM: set %s to a checkout (git clone --branch %s "+
				"https://github.com/go-gorm/gorm): %w", envCheckout, s.version, err)
		}
		return os.CopyFS(s.dir, os.DirFS(module))
	}
	archive, err := command(ctx, checkout, "git", "archive", s.version, "tests")
	if err != nil {
		say("%s has no tag %s: its tests are taken as they are", checkout, s.version)
		return os.CopyFS(s.dir, os.DirFS(filepath.Join(checkout, "tests")))
	}
	untar := exec.CommandContext(ctx, "tar", "-x", "-C", s.scratch)
	untar.Stdin = strings.NewReader(archive)
	return untar.Run()
}

// download returns the folder of the tests' module at the commit of GORM's version: it has no versions of its own.
func (s *suite) download(ctx context.Context) (string, error) {
	var m struct {
		Dir    string
		Origin struct{ Hash string }
	}
	get := func(version string) error {
		out, err := command(ctx, ".", "go", "mod", "download", "-json", version)
		if err != nil {
			return err
		}
		return json.Unmarshal([]byte(out), &m)
	}
	if err := get(gormModule + "@" + s.version); err != nil {
		return "", err
	}
	if m.Origin.Hash == "" {
		return "", errors.New("the proxy does not tell the commit of " + s.version)
	}
	err := get(gormModule + "/tests@" + m.Origin.Hash)
	return m.Dir, err
}

var (
	openFunction = regexp.MustCompile(`func OpenTestConnection\(`)
	simpleOnly   = regexp.MustCompile(`PreferSimpleProtocol: true`)
	otherServer  = regexp.MustCompile(`postgresDSN\s*= ".*"`)
)

// patch puts the plugin, and the way to connect, into OpenTestConnection.
func (s *suite) patch() error {
	file := filepath.Join(s.dir, "tests_test.go")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for _, p := range []struct {
		what *regexp.Regexp
		with string
	}{
		{openFunction, "func openGORMConnection("},
		{simpleOnly, `PreferSimpleProtocol: os.Getenv("GORM_SUITE_PROTOCOL") != "extended"`},
		{otherServer, `postgresDSN = os.Getenv("GORM_DSN")`}, // some tests open it by themselves
	} {
		if !p.what.Match(text) {
			return fmt.Errorf("%s has changed: no %s", file, p.what)
		}
		text = p.what.ReplaceAll(text, []byte(p.with))
	}
	return errors.Join(os.WriteFile(file, text, 0o600),
		os.WriteFile(filepath.Join(s.dir, "openconnection_test.go"), openConnection, 0o600))
}

// libraries decide what the tests show.
var libraries = []string{
	gormModule, "gorm.io/driver/postgres", "gorm.io/driver/mysql", "gorm.io/driver/sqlite", "github.com/jackc/pgx/v5",
	"github.com/go-sql-driver/mysql", "github.com/mattn/go-sqlite3", "github.com/redis/go-redis/v9",
}

// versions names Go, and the libraries that were compiled.
func (s *suite) versions(ctx context.Context) (string, error) {
	args := append([]string{"list", "-mod=mod", "-m", "-f", "{{.Path}} {{.Version}}"}, libraries...)
	found, err := command(ctx, s.dir, "go", args...)
	return runtime.Version() + ", " + strings.ReplaceAll(found, "\n", ", "), err
}

// command runs a program and returns what it prints.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimRight(string(out), "\n"), nil
}
