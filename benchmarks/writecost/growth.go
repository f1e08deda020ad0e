package writecost

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/benchmarks/report"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// Options says how much is measured.
type Options struct {
	// Entries are the sizes of the cache.
	Entries []int
	// Blocks of PerBlock updates are carried out by plain GORM and by the cache in turn.
	Blocks, PerBlock int
}

// fillBatch is how many rows are looked up at once to fill the cache: fewer than what is not cached for its length.
const fillBatch = 200

// errUnfilled is returned if not everything that was read was stored.
var errUnfilled = errors.New("not all entries were stored")

// Growth measures updates by key while more and more entries are cached.
func Growth(ctx context.Context, w *world.World, opt Options) (report.Section, error) {
	table := report.Table{Columns: []string{
		"entries", "time of an update, plain GORM", "rediscache", "ratio (min – median – max of blocks)",
		"SQL statements, plain GORM", "rediscache", "Redis commands", "Redis round trips",
	}}
	plain, err := w.Plain()
	if err != nil {
		return report.Section{}, err
	}
	if err := shop.FillItems(ctx, plain.DB, slices.Max(opt.Entries)); err != nil {
		return report.Section{}, err
	}
	for _, entries := range opt.Entries {
		g := &growth{entries: entries, opt: opt, plain: plain, rng: rand.New(rand.NewPCG(3, 4))}
		if err := g.fill(ctx, w); err != nil {
			return report.Section{}, err
		}
		if err := g.measure(ctx); err != nil {
			return report.Section{}, err
		}
		g.report(&table)
		if err := w.Empty(ctx, g.name()); err != nil {
			return report.Section{}, err
		}
	}
	return report.Section{Title: "What an update costs while the cache grows", Text: fmt.Sprintf(`
`+"`db.Model(&Item{}).Where(\"id = ?\", id).Update(\"stock\", n)`"+` with GORM's default transaction, while as many rows as the first
column says are cached, each an entry of its own with a tag of its own, all of them by real reads
(`+"`id IN (…)`"+` of %d). The table has %d rows throughout. Blocks of %d updates, %d of each.`,
		fillBatch, slices.Max(opt.Entries), opt.PerBlock, opt.Blocks), Tables: []report.Table{table}}, nil
}

// growth is the measurement with one size of the cache.
type growth struct {
	entries       int
	opt           Options
	plain, cached *world.Handle
	rng           *rand.Rand

	plainTimes, cachedTimes, ratios     []float64 // medians of blocks, in microseconds
	plainSQL, sql, commands, roundTrips int64
}

func (g *growth) name() string { return fmt.Sprint("growth-", g.entries) }

// fill reads as many rows as are to be cached.
func (g *growth) fill(ctx context.Context, w *world.World) (err error) {
	events := &world.Events{}
	filler, err := w.Cached(g.name(), events)
	if err != nil {
		return err
	}
	for first := 1; first <= g.entries; first += fillBatch {
		var ids []int
		for id := first; id < min(first+fillBatch, g.entries+1); id++ {
			ids = append(ids, id)
		}
		var items []shop.Item
		if err := filler.WithContext(ctx).Find(&items, ids).Error; err != nil {
			return err
		}
		if err := events.Settle(ctx); err != nil {
			return err
		}
		events.Take()
	}
	if stored := events.Stored(); stored != g.entries {
		return fmt.Errorf("%w: %d of %d", errUnfilled, stored, g.entries)
	}
	g.cached, err = w.Cached(g.name(), nil)
	return err
}

// measure updates rows that are cached.
func (g *growth) measure(ctx context.Context) error {
	for i := range g.opt.Blocks + 1 { // the first is for warming up
		p, err := g.block(ctx, g.plain)
		if err != nil {
			return err
		}
		if i == 0 {
			g.plainSQL = g.plain.SQL.All()
		}
		sql, commands, exchanges := g.cached.SQL.All(), g.cached.Redis.All(), g.cached.Redis.Exchanges()
		c, err := g.block(ctx, g.cached)
		if err != nil {
			return err
		}
		if i == 0 {
			continue
		}
		g.sql += g.cached.SQL.All() - sql
		g.commands += g.cached.Redis.All() - commands
		g.roundTrips += g.cached.Redis.Exchanges() - exchanges
		g.plainTimes, g.cachedTimes = append(g.plainTimes, p), append(g.cachedTimes, c)
		g.ratios = append(g.ratios, c/p)
	}
	g.plainSQL = g.plain.SQL.All() - g.plainSQL
	return nil
}

// block carries out updates and returns their median time.
func (g *growth) block(ctx context.Context, h *world.Handle) (float64, error) {
	db := h.WithContext(ctx)
	times := make([]float64, g.opt.PerBlock)
	for i := range times {
		id, stock := 1+g.rng.IntN(g.entries), g.rng.IntN(1000)
		start := time.Now()
		if err := update(db, id, stock); err != nil {
			return 0, err
		}
		times[i] = float64(time.Since(start).Nanoseconds()) / 1e3
	}
	return report.Median(times), nil
}

func update(db *gorm.DB, id, stock int) error {
	return db.Model(&shop.Item{}).Where("id = ?", id).Update("stock", stock).Error
}

func (g *growth) report(table *report.Table) {
	n := float64(g.opt.Blocks * g.opt.PerBlock)
	table.Add(strconv.Itoa(g.entries), micros(report.Median(g.plainTimes)), micros(report.Median(g.cachedTimes)),
		report.Range(g.ratios), report.Figure(float64(g.plainSQL)/n), report.Figure(float64(g.sql)/n),
		report.Figure(float64(g.commands)/n), report.Figure(float64(g.roundTrips)/n))
}

func micros(f float64) string { return fmt.Sprintf("%.0f µs", f) }
