package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// An outcome is what two runs in one mode gave.
type outcome struct {
	mode          mode
	without, with *results
}

// broken returns the tests that come out worse with the plugin: those that pass, or are skipped, without it, and do
// something else with it.
func (o *outcome) broken() []string {
	var names []string
	for name, was := range o.without.tests {
		is, ran := o.with.tests[name]
		if (was == passed || was == skipped) && (!ran || is != was && is != passed) {
			names = append(names, name)
		}
	}
	for name, is := range o.with.tests {
		if _, ran := o.without.tests[name]; !ran && (is == failed || is == panicked) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// failing returns the tests that fail without the plugin, and with it as well, or not.
func (o *outcome) failing(with bool) []string {
	var names []string
	for name, was := range o.without.tests {
		if was == failed && (o.with.tests[name] == failed) == with && !strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// report prints a table, and what lies behind it; if verbose is set, what the tests say that fail on both sides.
func report(w io.Writer, versions string, outcomes []outcome, verbose bool) {
	fmt.Fprintf(w, "\n%s\n\nGORM's tests: passed/failed/skipped/panicked\n\n", versions)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "mode\twithout\twith\tonly with\tread: hits/misses/bypasses\twrites")
	for _, o := range outcomes {
		t := o.with.totals
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d/%d/%d\t%d\n", o.mode.name, o.without, o.with, len(o.broken()),
			t.Hits, t.Misses, t.Bypasses, t.Writes)
	}
	_ = table.Flush()
	for _, o := range outcomes {
		fmt.Fprintf(w, "\n%s: with and without, these fail: %s; these panic: %s; only without, these fail: %s\n", o.mode.name,
			list(o.failing(true)), list(o.without.panics()), list(o.failing(false)))
		for _, name := range slices.Sorted(maps.Keys(o.without.output)) {
			if verbose && o.with.tests[name] == failed {
				fmt.Fprintf(w, "\n%s: %s, without the plugin\n%s", o.mode.name, name, o.without.output[name])
			}
		}
		for _, name := range o.broken() {
			fmt.Fprintf(w, "\nonly with the plugin, %s: %s\n%s", o.mode.name, name, o.with.output[name])
		}
	}
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// String counts passed/failed/skipped/panicked.
func (r *results) String() string {
	return fmt.Sprintf("%d/%d/%d/%d", r.count(passed), r.count(failed), r.count(skipped), r.count(panicked))
}
