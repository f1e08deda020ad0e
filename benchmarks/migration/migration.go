// Package migration measures what a program pays that opens a database, migrates it, and writes and reads for the first time, as
// each test of an application does.
package migration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/glebarez/sqlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache/benchmarks/report"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// Options says how much is measured.
type Options struct {
	// Rounds is how many databases are opened with the plugin, and as many without it.
	Rounds int
}

// A program is one that opens a database; times are in microseconds.
type program struct {
	open, migrate, use float64
	exchanges          int64 // with Redis, in the migration
}

func (p program) all() float64 { return p.open + p.migrate + p.use }

// Run measures programs on fresh databases in turn.
func Run(ctx context.Context, opt Options) (report.Section, error) {
	table := report.Table{Columns: []string{
		"database", "step", "plain GORM", "rediscache", "ratio (min – median – max of rounds)", "Redis round trips",
	}}
	for _, server := range []struct {
		name string
		run  func(context.Context, bool) (program, error)
	}{{"PostgreSQL", onPostgres}, {"SQLite", onSQLite}} {
		var plain, cached []program
		for i := range opt.Rounds + 1 { // the first is for warming up
			p, err := server.run(ctx, false)
			if err != nil {
				return report.Section{}, fmt.Errorf("%s: %w", server.name, err)
			}
			c, err := server.run(ctx, true)
			if err != nil {
				return report.Section{}, fmt.Errorf("%s with the plugin: %w", server.name, err)
			}
			if i > 0 {
				plain, cached = append(plain, p), append(cached, c)
			}
		}
		add(&table, server.name, plain, cached)
	}
	return report.Section{
		Title: "Opening and migrating",
		Text: "`gorm.Open`, `Use`, `AutoMigrate` of five models with six tables and four indexes, then one `Create` and one `First`, each " +
			"in a database that is new. A migration reads no catalog for the plugin; each of its definitions is announced, before it and " +
			"after it. The first statement behind it reads the catalog.",
		Tables: []report.Table{table},
	}, nil
}

func add(table *report.Table, name string, plain, cached []program) {
	for _, step := range []struct {
		name      string
		of        func(program) float64
		exchanges bool
	}{
		{"open", func(p program) float64 { return p.open }, false},
		{"migrate", func(p program) float64 { return p.migrate }, true},
		{"first write and read", func(p program) float64 { return p.use }, false},
		{"all", program.all, false},
	} {
		var before, after, ratios []float64
		for i := range plain {
			before, after = append(before, step.of(plain[i])), append(after, step.of(cached[i]))
			ratios = append(ratios, after[i]/before[i])
		}
		exchanges := ""
		if step.exchanges {
			exchanges = strconv.FormatInt(cached[0].exchanges, 10)
		}
		table.Add(name, step.name, millis(report.Median(before)), millis(report.Median(after)), report.Range(ratios), exchanges)
	}
}

func millis(us float64) string { return fmt.Sprintf("%.1f ms", us/1e3) }

func onPostgres(ctx context.Context, cached bool) (p program, err error) {
	w, err := world.Open(ctx)
	if err != nil {
		return program{}, err
	}
	defer func() { err = errors.Join(err, w.Close(ctx)) }()
	return run(ctx, w, postgres.Open(w.DSN()), cached)
}

func onSQLite(ctx context.Context, cached bool) (p program, err error) {
	w, err := world.Open(ctx)
	if err != nil {
		return program{}, err
	}
	defer func() { err = errors.Join(err, w.Close(ctx)) }()
	dir, err := os.MkdirTemp("", "rediscache-migration-")
	if err != nil {
		return program{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return run(ctx, w, sqlite.Open(filepath.Join(dir, "shop.db")), cached)
}

// run is such a program.
func run(ctx context.Context, w *world.World, dialector gorm.Dialector, cached bool) (p program, err error) {
	counter := &world.Commands{}
	client := w.Client(counter)
	if err := client.Ping(ctx).Err(); err != nil { // the connection is there, as one to a database in a file is
		return program{}, err
	}
	took := stopwatch()
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return program{}, err
	}
	pool, err := db.DB()
	if err != nil {
		return program{}, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if cached {
		plugin, err := w.Use(db, client)
		if err != nil {
			return program{}, err
		}
		defer func() { _ = plugin.Close(ctx) }()
	}
	p.open = took()
	before := counter.Exchanges()
	if err := db.AutoMigrate(shop.Models()...); err != nil {
		return program{}, err
	}
	p.migrate, p.exchanges = took(), counter.Exchanges()-before
	tag := shop.Tag{Name: "first"}
	if err := errors.Join(db.Create(&tag).Error, db.First(&tag, tag.ID).Error); err != nil {
		return program{}, err
	}
	p.use = took()
	return p, nil
}

// stopwatch returns a function that says how many microseconds have gone by since it was called last.
func stopwatch() func() float64 {
	last := time.Now()
	return func() float64 {
		now := time.Now()
		took := now.Sub(last)
		last = now
		return float64(took.Nanoseconds()) / 1e3
	}
}
