package faults_test

import (
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// An operation is one read or write of a version: of a row, or of how many rows were added with it.
type operation struct {
	Key          string
	Row          int // whose version it is
	Handle       int // of the process, which has a plugin of its own
	Version      int64
	Write        bool
	Doubt        bool  // of a write: whether it was committed
	Began, Ended int64 // of the machine's clock
}

// now is the moment, which all processes of the machine share and nobody sets.
func now() int64 {
	var at unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &at) // fails for unknown clocks only
	return at.Nano()
}

// A report is what a process tells.
type report struct {
	Operations []operation
	Hits       int
	Refused    int      // writes, with ErrUnannounced
	Felt       int      // errors of the database
	Errors     []string // others that reached the application
	Longest    time.Duration
	LongestOf  string
	Wrong      []string // in the end, when nothing is under way
	Problem    string   // that kept the process from doing what it was told
}

// A record is what a process notes down.
type record struct {
	metrics.Nop
	mu     sync.Mutex
	report report
}

func (r *record) note(do func(*report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do(&r.report)
}

// Read implements metrics.Recorder.
func (r *record) Read(e metrics.ReadEvent) {
	if e.Outcome == metrics.Hit {
		r.note(func(all *report) { all.Hits++ })
	}
}

// took notes how long a statement has taken.
func (r *record) took(what string, began int64) {
	d := time.Duration(now() - began)
	r.note(func(all *report) {
		if d > all.Longest {
			all.Longest, all.LongestOf = d, what
		}
	})
}

// failed notes an error: one of the database, or one that the application should not have seen.
func (r *record) failed(what string, err error, expected []string) {
	r.note(func(all *report) {
		if anyOf(err, expected) {
			all.Felt++
		} else if len(all.Errors) < 5 {
			all.Errors = append(all.Errors, what+": "+err.Error())
		}
	})
}

func anyOf(err error, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(err.Error(), part) })
}

// copy returns what was noted so far.
func (r *record) copy() report {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.report
	c.Operations, c.Errors = slices.Clone(c.Operations), slices.Clone(c.Errors)
	return c
}
