package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// A lab builds tests and runs them, with a mutant or without.
type lab struct {
	opt  options
	root string // of the module
	dir  string // for what is built
	// sound says what is wrong with the tests of a package without a mutant: nothing, it is to be hoped.
	sound map[string]error
}

func newLab(ctx context.Context, opt options) (*lab, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return nil, err
	}
	return &lab{opt: opt, root: strings.TrimSpace(string(out)), dir: dir, sound: map[string]error{}}, nil
}

func (l *lab) close() { _ = os.RemoveAll(l.dir) }

// A result is what became of a mutant.
type result struct {
	mutant mutant
	// err is set if it says nothing of the tests.
	err error
	// killer is the first test that failed; empty if the mutant survives.
	killer string
	// output is what the tests said, or the compiler.
	output string
	took   time.Duration
}

// tryAll tries mutants at the same time, and yields what became of them in their order.
func (l *lab) tryAll(ctx context.Context, all []mutant) func(yield func(result) bool) {
	results := make([]chan result, len(all))
	for i := range results {
		results[i] = make(chan result, 1)
	}
	go each(l.opt.parallel, len(all), func(i int) { results[i] <- l.try(ctx, i, all[i]) })
	return func(yield func(result) bool) {
		for _, r := range results {
			if !yield(<-r) {
				return
			}
		}
	}
}

// each calls a function for 0 … n-1, so many at the same time.
func each(parallel, n int, do func(int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, max(parallel, 1))
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	wg.Wait()
}

var (
	errNoTest = errors.New("no test has such a name")
	errFails  = errors.New("it fails")
	errHangs  = errors.New("its tests do not end")
	errDied   = errors.New("its tests were ended from outside")
)

// rehearsal is how many times longer than those of one mutant the tests of all may take.
const rehearsal = 20

// rehearse runs the tests of mutants without them, package by package: those that fail anyway would prove nothing.
func (l *lab) rehearse(ctx context.Context, all []mutant) {
	patterns := map[string][]string{}
	var pkgs []string
	for _, m := range all {
		k := m.killers
		if patterns[k.pkg] == nil {
			pkgs = append(pkgs, k.pkg)
		}
		if !slices.Contains(patterns[k.pkg], k.pattern) {
			patterns[k.pkg] = append(patterns[k.pkg], k.pattern)
		}
	}
	var mu sync.Mutex
	each(l.opt.parallel, len(pkgs), func(i int) {
		err := l.passes(ctx, by(pkgs[i], strings.Join(patterns[pkgs[i]], "|")))
		mu.Lock()
		defer mu.Unlock()
		l.sound[pkgs[i]] = err
	})
}

// passes builds tests and runs them, and says what is wrong unless they pass.
func (l *lab) passes(ctx context.Context, t tests) error {
	binary := filepath.Join(l.dir, strings.ReplaceAll(t.pkg, "/", "_")+".test")
	output, err := l.build(ctx, t.pkg, binary, "")
	if err == nil {
		var killer string
		if output, killer, err = l.test(ctx, binary, t, rehearsal*l.opt.timeout); killer != "" {
			err = fmt.Errorf("%w: %s", errFails, killer)
		}
	}
	if err != nil {
		return fmt.Errorf("%s, without a mutant: %w\n%s", t.pkg, err, output)
	}
	return nil
}

// try builds the tests with a mutant and runs them.
func (l *lab) try(ctx context.Context, n int, m mutant) (r result) {
	start := time.Now()
	r.mutant = m
	defer func() { r.took = time.Since(start) }()
	if r.err = l.sound[m.killers.pkg]; r.err != nil {
		return r
	}
	dir := filepath.Join(l.dir, strconv.Itoa(n))
	if r.err = os.Mkdir(dir, 0o700); r.err != nil {
		return r
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := m.overlay(l.root, dir)
	if err != nil {
		r.err = err
		return r
	}
	binary := filepath.Join(dir, "mutant.test")
	if r.output, r.err = l.build(ctx, m.killers.pkg, binary, overlay); r.err != nil {
		return r
	}
	r.output, r.killer, r.err = l.test(ctx, binary, m.killers, l.opt.timeout+m.killers.soak)
	if errors.Is(r.err, errHangs) { // without the mutant they end
		r.killer, r.err = "they do not end", nil
	}
	return r
}

// build compiles the tests of a package.
func (l *lab) build(ctx context.Context, pkg, binary, overlay string) (output string, err error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-ldflags=-s -w", "-overlay="+overlay, "-o", binary, "./"+pkg)
	cmd.Dir = l.root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("it does not compile: %w", err)
	}
	return string(out), nil
}

// test runs tests that were built, and returns the first one that failed.
func (l *lab) test(ctx context.Context, binary string, t tests, timeout time.Duration) (output, killer string, err error) {
	cmd := exec.CommandContext(ctx, binary, "-test.run="+t.pattern, "-test.failfast", "-test.timeout="+timeout.String())
	cmd.Dir = filepath.Join(l.root, filepath.FromSlash(t.pkg))
	cmd.Env = append(os.Environ(), testkit.EnvRequire+"=1") // a test that is skipped kills nothing
	if t.soak > 0 {
		cmd.Env = append(cmd.Env, "REDISCACHE_SOAK="+t.soak.String())
	}
	cmd.WaitDelay = time.Second // for processes that the tests have started
	out, err := cmd.CombinedOutput()
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil && strings.Contains(string(out), "no tests to run"):
		return string(out), "", errNoTest
	case err == nil:
		return string(out), "", nil
	case !failed:
		return string(out), "", err
	case exit.ExitCode() < 0:
		return string(out), "", errDied
	case strings.Contains(string(out), "panic: test timed out"):
		return string(out), "", errHangs
	default:
		return string(out), firstFailure(string(out)), nil
	}
}
