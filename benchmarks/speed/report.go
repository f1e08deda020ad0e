package speed

import (
	"context"
	"fmt"
	"strconv"

	"github.com/gorm-rediscache/rediscache/benchmarks/report"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// Run measures every workload on a world that is filled, then those that say most on distant servers.
func Run(ctx context.Context, w *world.World, opt Options) ([]report.Section, error) {
	near, err := measureAll(ctx, w, opt, false)
	if err != nil {
		return nil, err
	}
	far, err := w.Distant(opt.Far)
	if err != nil {
		return nil, err
	}
	farOpt := opt
	farOpt.Goroutines, farOpt.Rounds = opt.FarGoroutines, opt.FarRounds
	distant, err := measureAll(ctx, far, farOpt, true)
	if err != nil {
		return nil, fmt.Errorf("distant: %w", err)
	}
	return []report.Section{
		{Title: "Time and throughput", Text: fmt.Sprintf(`
Ratios to plain GORM in the same round: rounds of blocks of %[2]v, %[1]d of them, in which each variant has its turn. *time* is the median time
of an operation, less is better; *throughput* is that of all goroutines together, more is better. Given are the least, the
**median** and the greatest of the rounds. *floor* is hand-written GET and decode of the same rows, and forgetting by hand;
*behind* is the same behind GORM's statement builder (benchmarks/floor). Neither keeps what it answers true.`,
			opt.Rounds, opt.Block), Tables: ratioTables(near, opt.Goroutines)},
		{
			Title: "What an operation costs", Text: `
One goroutine; averages over all rounds. *allocs* is everything that the process allocates meanwhile, fills in the background
included. Redis commands and round trips include those of fills; a fraction is INFO, which is asked for every 100 ms.`,
			Tables: []report.Table{costTable(near)},
		},
		{
			Title: "Servers further away", Text: fmt.Sprintf(`
The same with %v added to the round trips of both servers, and what the proxies that do so take, in %d rounds.`, opt.Far, opt.FarRounds),
			Tables: ratioTables(distant, opt.FarGoroutines),
		},
		{
			Title: "Where we lose", Text: "Slower than plain GORM, by the median of the rounds.",
			Tables: []report.Table{lossTable(near, ""), lossTable(distant, fmt.Sprint(opt.Far, " further away"))},
		},
	}, nil
}

func ratioTables(results []result, goroutines []int) []report.Table {
	var tables []report.Table
	for _, n := range goroutines {
		t := report.Table{Title: plural(n), Columns: []string{
			"workload", "plain GORM", "time: floor", "behind", "rediscache", "wanted", "throughput: floor", "behind", "rediscache",
			"wanted",
		}}
		for i := range results {
			if r := &results[i]; r.goroutines == n {
				t.Rows = append(t.Rows, r.row())
			}
		}
		tables = append(tables, t)
	}
	return tables
}

func plural(goroutines int) string {
	if goroutines == 1 {
		return "1 goroutine"
	}
	return fmt.Sprint(goroutines, " goroutines")
}

func (r *result) row() []string {
	base := r.figures(plain, func(b block) float64 { return float64(b.median.Nanoseconds()) / 1e3 })
	wantTime, wantThroughput := "", ""
	if r.workload.time != "" && r.goroutines == 1 {
		wantTime = "≤ " + r.workload.time
	}
	if r.workload.throughput != "" && (r.goroutines == 64 || r.goroutines == 8 && r.workload.time == "") {
		wantThroughput = "≥ " + r.workload.throughput
	}
	return []string{
		r.workload.name, fmt.Sprintf("%.0f µs", report.Median(base)),
		middle(r.times(aside)), middle(r.times(behind)), report.Range(r.times(cached)), wantTime,
		middle(r.throughputs(aside)), middle(r.throughputs(behind)), report.Range(r.throughputs(cached)), wantThroughput,
	}
}

func middle(figures []float64) string {
	if len(figures) == 0 {
		return "–"
	}
	return report.Figure(report.Median(figures))
}

// times are a variant's ratios to plain, round by round.
func (r *result) times(v variant) []float64 {
	return r.ratios(v, func(b block) float64 { return float64(b.median) })
}

func (r *result) throughputs(v variant) []float64 {
	return r.ratios(v, func(b block) float64 { return b.perSecond })
}

func (r *result) ratios(v variant, of func(block) float64) []float64 {
	var all []float64
	for _, round := range r.rounds {
		if b, ok := round[v]; ok {
			all = append(all, of(b)/of(round[plain]))
		}
	}
	return all
}

func (r *result) figures(v variant, of func(block) float64) []float64 {
	var all []float64
	for _, round := range r.rounds {
		if b, ok := round[v]; ok {
			all = append(all, of(b))
		}
	}
	return all
}

func costTable(results []result) report.Table {
	t := report.Table{Columns: []string{
		"workload", "allocs: plain GORM", "floor", "behind", "rediscache", "KB: plain GORM", "rediscache", "SQL: plain GORM",
		"rediscache", "Redis commands: floor", "rediscache", "Redis round trips: rediscache",
	}}
	for i := range results {
		r := &results[i]
		if r.goroutines != 1 {
			continue
		}
		mean := func(v variant, of func(block) float64) string {
			sum, n := 0.0, 0
			for _, round := range r.rounds {
				if b, ok := round[v]; ok {
					sum += of(b) * float64(b.ops)
					n += b.ops
				}
			}
			if n == 0 {
				return "–"
			}
			return report.Figure(sum / float64(n))
		}
		allocs := func(b block) float64 { return b.allocs }
		kilobytes := func(b block) float64 { return b.bytes / 1024 }
		sql := func(b block) float64 { return b.sql }
		commands := func(b block) float64 { return b.commands }
		t.Add(r.workload.name, mean(plain, allocs), mean(aside, allocs), mean(behind, allocs), mean(cached, allocs),
			mean(plain, kilobytes), mean(cached, kilobytes), mean(plain, sql), mean(cached, sql),
			mean(aside, commands), mean(cached, commands), mean(cached, func(b block) float64 { return b.exchanges }))
	}
	return t
}

func lossTable(results []result, title string) report.Table {
	t := report.Table{Title: title, Columns: []string{"workload", "goroutines", "time", "throughput"}}
	for i := range results {
		r := &results[i]
		time, throughput := report.Median(r.times(cached)), report.Median(r.throughputs(cached))
		if time > 1 || throughput < 1 {
			t.Add(r.workload.name, strconv.Itoa(r.goroutines), report.Figure(time), report.Figure(throughput))
		}
	}
	return t
}
