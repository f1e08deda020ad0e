// Package outage measures what statements cost while Redis is away, beside plain GORM: once it has been given up.
package outage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/benchmarks/report"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// Options says how much is measured: rounds of blocks, one of each handle, of so many operations.
type Options struct {
	Rounds, Block int
}

// An operation is carried out with a number that changes.
type operation struct {
	name   string
	writes bool
	run    func(h *world.Handle, n int) error
}

func operations() []operation {
	return []operation{
		{name: "row by key", run: func(h *world.Handle, n int) error { return h.First(&shop.User{}, n%100+1).Error }},
		{name: "list of 50", run: func(h *world.Handle, n int) error {
			return h.Where("id > ?", n%100).Order("id").Limit(50).Find(&[]shop.User{}).Error
		}},
		{name: "update by key", writes: true, run: func(h *world.Handle, n int) error {
			return h.Model(&shop.User{}).Where("id = ?", n%100+1).Update("name", strconv.Itoa(n)).Error
		}},
	}
}

// A subject is a handle that is measured.
type subject struct {
	name string
	*world.Handle
}

// Run measures all.
func Run(ctx context.Context, w *world.World, opt Options) (report.Section, error) {
	s := report.Section{
		Title: "While Redis is away",
		Text: "Medians of operations by one caller, in alternating blocks, after Redis has been given up. A write under `FailWrite` is " +
			"refused before its COMMIT.",
	}
	subjects, err := open(ctx, w)
	if err != nil {
		return s, err
	}
	t := report.Table{Columns: []string{"operation", "plain GORM", "`Journal`", "`FailWrite`", "`Outbox`"}}
	for _, op := range operations() {
		times := make([][]time.Duration, len(subjects))
		for round := range opt.Rounds + 1 { // the first does not count
			for i := range subjects {
				at := (i + round) % len(subjects)
				block, err := measure(ctx, subjects[at], op, opt.Block)
				if err != nil {
					return s, fmt.Errorf("%s, %s: %w", op.name, subjects[at].name, err)
				}
				if round > 0 {
					times[at] = append(times[at], block...)
				}
			}
		}
		t.Add(cells(op.name, times)...)
	}
	s.Tables = append(s.Tables, t)
	return s, nil
}

// open opens the handles, and has Redis given up: for longer than writes are tried all the same.
func open(ctx context.Context, w *world.World) ([]subject, error) {
	plain, err := w.Plain()
	if err != nil {
		return nil, err
	}
	if err := rediscache.CreateOutbox(plain.DB); err != nil {
		return nil, err
	}
	subjects := []subject{{"plain GORM", plain}}
	for _, policy := range []rediscache.Outage{rediscache.Journal, rediscache.FailWrite, rediscache.Outbox} {
		h, err := w.Away(policy)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, subject{fmt.Sprint("policy ", policy), h})
	}
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end) && ctx.Err() == nil; {
		for _, s := range subjects {
			if _, err := measure(ctx, s, operations()[0], 1); err != nil {
				return nil, err
			}
		}
	}
	return subjects, ctx.Err()
}

func measure(ctx context.Context, s subject, op operation, n int) ([]time.Duration, error) {
	times := make([]time.Duration, n)
	for i := range times {
		start := time.Now()
		err := op.run(s.Handle, i)
		times[i] = time.Since(start)
		if err != nil && (!op.writes || !errors.Is(err, rediscache.ErrUnannounced)) {
			return nil, err
		}
	}
	return times, ctx.Err()
}

// cells returns a row: the median, and how it compares with the first.
func cells(name string, times [][]time.Duration) []string {
	row := []string{name}
	base := time.Duration(0)
	for i, all := range times {
		slices.Sort(all)
		median := all[len(all)/2]
		cell := fmt.Sprintf("%.0f µs", float64(median)/float64(time.Microsecond))
		if i == 0 {
			base = median
		} else {
			cell += fmt.Sprintf(" (× %.2f)", float64(median)/float64(base))
		}
		row = append(row, cell)
	}
	return row
}
