package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// A status is what became of a test.
type status string

const (
	passed   status = "pass"
	failed   status = "fail"
	skipped  status = "skip"
	panicked status = "panic" // it ends the process: the others run without it
)

// maxPanics bounds how often a run is repeated without a test that ends it.
const maxPanics = 10

// results are what became of the tests of one run.
type results struct {
	tests  map[string]status
	output map[string]string // of tests that failed
	totals metrics.Totals    // what the plugin did
}

// panics returns the tests that ended the process.
func (r *results) panics() []string {
	var names []string
	for name, s := range r.tests {
		if s == panicked {
			names = append(names, name)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// count counts the tests, not their parts.
func (r *results) count(s status) (n int) {
	for name, got := range r.tests {
		if got == s && !strings.Contains(name, "/") {
			n++
		}
	}
	return n
}

// side runs the suite without the plugin or with it, and again without the tests that end the process.
func (s *suite) side(ctx context.Context, m mode, plugin bool, without []string) (*results, error) {
	omitted := slices.Clone(without)
	for range maxPanics {
		r, err := s.once(ctx, m, plugin, omitted)
		if err != nil {
			return nil, err
		}
		culprits := r.panics()
		if len(culprits) == 0 {
			for _, name := range omitted {
				r.tests[name] = panicked
			}
			return r, nil
		}
		say("%s panics: once more without it", strings.Join(culprits, ", "))
		omitted = append(omitted, culprits...)
	}
	return nil, fmt.Errorf("panics again and again: %s", strings.Join(omitted, ", "))
}

// once runs the suite once, on a database and a namespace of its own.
func (s *suite) once(ctx context.Context, m mode, plugin bool, omitted []string) (_ *results, err error) {
	tmp, err := os.MkdirTemp(s.scratch, "run-") // SQLite's file is in there
	if err != nil {
		return nil, err
	}
	dsn, drop, err := newDatabase(ctx, m.dialect)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	env := slices.Concat(os.Environ(), m.env,
		[]string{"TMPDIR=" + tmp, "GORM_DIALECT=" + m.dialect, "GORM_DSN=" + dsn, "DEBUG=false"})
	totals := filepath.Join(tmp, "totals.json")
	if plugin {
		url, namespace, empty, err := newNamespace()
		if err != nil {
			return nil, err
		}
		defer empty()
		env = append(env, "REDIS_URL="+url, "GORM_SUITE_NAMESPACE="+namespace, "GORM_SUITE_TOTALS="+totals)
	}
	r, err := s.execute(ctx, env, omitted)
	if err != nil || !plugin || len(r.panics()) > 0 {
		return r, err
	}
	text, err := os.ReadFile(totals)
	if err != nil {
		return nil, err
	}
	return r, json.Unmarshal(text, &r.totals)
}

// execute runs the tests and reads what they tell.
func (s *suite) execute(ctx context.Context, env, omitted []string) (*results, error) {
	args := []string{"tool", "test2json", "-t", s.binary, "-test.v=test2json", "-test.timeout=10m"}
	if len(omitted) > 0 {
		args = append(args, "-test.skip=^("+strings.Join(omitted, "|")+")$")
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = s.dir, env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r, err := read(out)
	_ = cmd.Wait() // not 0 if a test fails
	if err == nil && len(r.tests) == 0 {
		err = fmt.Errorf("no test ran: %s%s", r.output[""], stderr.Bytes())
	}
	return r, err
}

// event is what test2json tells.
type event struct{ Action, Test, Output string }

// read reads events. A test in whose output a panic is told has ended the process.
func read(events io.Reader) (*results, error) {
	r := &results{tests: map[string]status{}, output: map[string]string{}}
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20)
	var culprit string
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			continue // what a test prints by itself
		}
		switch e.Action {
		case "output":
			r.output[e.Test] += e.Output
			if strings.HasPrefix(e.Output, "panic: ") {
				culprit, _, _ = strings.Cut(e.Test, "/")
			}
		case string(passed), string(failed), string(skipped):
			if e.Test != "" {
				r.tests[e.Test] = status(e.Action)
			}
		}
	}
	if culprit != "" {
		r.tests[culprit] = panicked
	}
	maps.DeleteFunc(r.output, func(name, _ string) bool {
		return name != "" && r.tests[name] != failed && r.tests[name] != panicked
	})
	return r, lines.Err()
}
