package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A report is the table that is printed.
type report struct {
	w                        io.Writer
	verbose                  bool
	killed, survived, errors int
}

func newReport(w io.Writer, verbose bool) *report { return &report{w: w, verbose: verbose} }

// nameWidth is that of the column for names; the test guards it.
const nameWidth = 76

// add prints the row of a mutant.
func (r *report) add(res result) {
	verdict, detail := "killed", res.killer
	switch {
	case res.err != nil:
		r.errors++
		verdict, detail = "ERROR", res.err.Error()
	case res.killer == "":
		r.survived++
		verdict, detail = "SURVIVED", res.mutant.killers.pkg+" "+res.mutant.killers.pattern
	default:
		r.killed++
	}
	fmt.Fprintf(r.w, "%-8s %5.1fs  %-*s  %s\n", verdict, res.took.Seconds(), nameWidth, res.mutant.name, detail)
	if res.output != "" && (r.verbose || res.err != nil) {
		fmt.Fprintln(r.w, indent(res.output))
	}
}

// sum prints the last line. It answers false unless all mutants were killed.
func (r *report) sum(took time.Duration) bool {
	fmt.Fprintf(r.w, "%d killed, %d survived, %d errors, in %s\n", r.killed, r.survived, r.errors, took.Round(time.Second))
	return r.survived == 0 && r.errors == 0
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ")
}

// firstFailure finds, in what a test program said, the first test that failed: the innermost one of those that failed
// with it. A program that died of something else is named by what it said of that.
func firstFailure(output string) string {
	const mark = "--- FAIL: "
	found := ""
	for line := range strings.Lines(output) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), mark); ok {
			name, _, _ = strings.Cut(name, " (")
			if found != "" && !strings.HasPrefix(name, found+"/") {
				break
			}
			found = name
		}
	}
	if found != "" {
		return found
	}
	for line := range strings.Lines(output) {
		for _, word := range []string{"panic: ", "fatal error: ", "goleak: "} {
			if strings.HasPrefix(line, word) {
				return strings.TrimSpace(line)
			}
		}
	}
	return "it exits with an error"
}
