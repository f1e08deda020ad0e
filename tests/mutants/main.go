// Command mutants breaks the plugin on purpose, in one place at a time, and demands that the tests notice.
//
//	go run ./tests/mutants [-run regexp] [-parallel n] [-v]
//
// A mutant is one such break: code of a function that is replaced by other code, and the tests that have to fail then. It
// is looked for as syntax: whoever formats or comments the function, or moves it within its package, need not tell the
// mutants. The list is in list_*.go. The tree is never touched: the compiler is given the changed file by go's flag
// -overlay.
//
// Only a test that fails kills a mutant. One that does not apply, does not compile, or whose tests hang or fail without
// it as well, is an error of the list. The command fails if there is an error, or if a mutant survives.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

func main() {
	var opt options
	flag.StringVar(&opt.run, "run", "", "only the mutants whose names match this regular expression")
	flag.IntVar(&opt.parallel, "parallel", 2, "how many mutants are tried at the same time")
	flag.DurationVar(&opt.timeout, "timeout", 2*time.Minute, "how long the tests of one mutant may take")
	flag.BoolVar(&opt.verbose, "v", false, "show what the tests say")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := run(ctx, opt)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	run      string
	parallel int
	timeout  time.Duration
	verbose  bool
}

// run tries mutants. It answers false unless all of them are killed.
func run(ctx context.Context, opt options) (ok bool, err error) {
	chosen, err := choose(opt.run)
	if err != nil {
		return false, err
	}
	l, err := newLab(ctx, opt)
	if err != nil {
		return false, err
	}
	defer l.close()
	start := time.Now()
	l.rehearse(ctx, chosen)
	report := newReport(os.Stdout, opt.verbose)
	for r := range l.tryAll(ctx, chosen) {
		if ctx.Err() != nil {
			break // what was interrupted says nothing
		}
		report.add(r)
	}
	return report.sum(time.Since(start)), ctx.Err()
}

// choose returns the mutants whose names match.
func choose(pattern string) ([]mutant, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("-run: %w", err)
	}
	var chosen []mutant
	for _, m := range mutants() {
		if re.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("-run: no mutant's name matches %q", pattern)
	}
	return chosen, nil
}
