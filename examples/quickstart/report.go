package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// report prints what happens. It is the plugin's Recorder.
type report struct {
	metrics.Nop
	sql *meter
	err error // of the first step that failed

	mu     sync.Mutex
	reads  []metrics.ReadEvent
	writes []metrics.WriteEvent
}

// Read implements metrics.Recorder.
func (r *report) Read(e metrics.ReadEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads = append(r.reads, e)
}

// Write implements metrics.Recorder.
func (r *report) Write(e metrics.WriteEvent) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, e)
}

func (r *report) title(s string) { fmt.Printf("\n%s\n\n", s) }

// read runs a step that reads, and prints the statements that it sent and what the cache had.
func (r *report) read(name string, step func() error) {
	took, sent := r.run(name, step)
	hits, misses := 0, 0
	for _, e := range r.reads {
		if e.Outcome == metrics.Hit {
			hits++
		} else {
			misses++
		}
	}
	fmt.Printf("  %-46s %d SQL   %s   %8s\n", name, sent, outcome(hits, misses), round(took))
}

func outcome(hits, misses int) string {
	switch {
	case misses == 0 && hits == 1:
		return "hit             "
	case hits == 0 && misses == 1:
		return "miss            "
	default:
		return fmt.Sprintf("hit %d, miss %d   ", hits, misses)
	}
}

// write runs a step that writes, and prints what it invalidated.
func (r *report) write(name string, step func() error) {
	took, _ := r.run(name, step)
	fmt.Printf("  %-46s %33s\n", name, round(took))
	var tags []string
	for _, e := range r.writes {
		tags = append(tags, e.Tags...)
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	if len(tags) == 0 {
		tags = []string{"nothing"}
	}
	fmt.Printf("      invalidates %s\n", strings.ReplaceAll(strings.Join(tags, ", "), prefix, ""))
}

func (r *report) run(name string, step func() error) (took time.Duration, sent int64) {
	r.mu.Lock()
	r.reads, r.writes = nil, nil
	r.mu.Unlock()
	before, start := r.sql.sent.Load(), time.Now()
	err := step()
	took = time.Since(start)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
	return took, r.sql.sent.Load() - before
}

func round(d time.Duration) time.Duration { return d.Round(time.Microsecond) }

// compare prints the times of a few reads with and without the cache, taken in turn.
func compare(plain, cached *gorm.DB) {
	fmt.Printf("\nTimes without and with the cache (medians, in turn)\n\n")
	for _, c := range []struct {
		name string
		read func(*gorm.DB)
	}{
		{"one user by key", func(db *gorm.DB) { db.First(&User{}, 4) }},
		{"20 orders of a user", func(db *gorm.DB) { db.Where("user_id = ?", 4).Order("id DESC").Limit(20).Find(&[]Order{}) }},
		{"the five best customers", func(db *gorm.DB) { _, _ = topCustomers(db) }},
	} {
		c.read(cached)
		var without, with []time.Duration
		for range 50 {
			without = append(without, timed(func() { c.read(plain) }))
			with = append(with, timed(func() { c.read(cached) }))
		}
		a, b := median(without), median(with)
		fmt.Printf("  %-46s %9s   %9s   × %.2f\n", c.name, round(a), round(b), float64(b)/float64(a))
	}
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
