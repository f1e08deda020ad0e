// Command gormsuite runs GORM's own tests without the plugin and with it, and fails if a test passes only without.
//
//	make gorm-suite
//	GORM_CHECKOUT=/path/to/gorm make gorm-suite
//	GORM_CHECKOUT=/path/to/gorm make gorm-suite MODES=simple,sqlite
//
// GORM's tests are a module of their own. They are taken from the checkout that GORM_CHECKOUT names, at the version of
// GORM in go.mod, or from the module proxy, where it has them. They are copied into a temporary folder, get the plugin
// in OpenTestConnection, and run against databases and Redis namespaces of their own, which go in the end.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	only := flag.String("modes", "", "the modes to run, separated by commas (default: all)")
	verbose := flag.Bool("v", false, "print what the tests say that fail with and without the plugin")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *only, *verbose)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gormsuite:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, verbose bool) error {
	modes, err := chosen(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gormsuite-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	s, err := prepare(ctx, dir)
	if err != nil {
		return err
	}
	var outcomes []outcome
	for _, m := range modes {
		o, err := s.compare(ctx, m)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		outcomes = append(outcomes, o)
	}
	versions, err := s.versions(ctx)
	if err != nil {
		return err
	}
	report(os.Stdout, versions, outcomes, verbose)
	return verdict(outcomes)
}

// compare runs the suite in one mode, without the plugin and with it.
func (s *suite) compare(ctx context.Context, m mode) (outcome, error) {
	o := outcome{mode: m}
	var err error
	say("%s, without the plugin", m.name)
	if o.without, err = s.side(ctx, m, false, nil); err != nil {
		return o, err
	}
	say("%s, with the plugin", m.name)
	// A test that ends the process without the plugin is left out with it: nothing can be said of it.
	if o.with, err = s.side(ctx, m, true, o.without.panics()); err != nil {
		return o, err
	}
	return o, nil
}

// verdict says what is wrong: with the plugin, or with a run that shows nothing.
func verdict(outcomes []outcome) error {
	var wrong []error
	for _, o := range outcomes {
		if broken := o.broken(); len(broken) > 0 {
			wrong = append(wrong, fmt.Errorf("%s: only with the plugin: %s", o.mode.name, strings.Join(broken, ", ")))
		}
		if o.without.count(passed) == 0 {
			wrong = append(wrong, fmt.Errorf("%s: no test passes without the plugin", o.mode.name))
		}
		if t := o.with.totals; t.Hits == 0 || t.Misses == 0 || t.Writes == 0 {
			wrong = append(wrong, fmt.Errorf("%s: the plugin was not at work: %+v", o.mode.name, t))
		}
	}
	return errors.Join(wrong...)
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "gormsuite: "+format+"\n", args...) }
