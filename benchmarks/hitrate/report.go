package hitrate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gorm-rediscache/rediscache/benchmarks/report"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// A simulation is a scenario, with how long it takes.
type simulation struct {
	name, what  string
	scenario    scenario
	warm, count int
	target      string
}

func simulations(opt Options) []simulation {
	return []simulation{
		{"points", "lookups by key, updates by key", points{}, opt.Warm, opt.Count, "1"},
		{"lists", "a user's latest 20 orders, inserts of orders", lists{}, opt.Warm, opt.Count, "2"},
		{
			"preload", "20 neighboring users with orders and tags, writes to all of these", &preload{page: true},
			opt.Preloads / 2, opt.Preloads, "3",
		},
		{
			"preload-mixed", "the same with 20 users each chosen by itself", &preload{}, opt.Preloads / 2, opt.Preloads, "3",
		},
	}
}

// Run carries out every simulation, one after the other, on a world that is filled.
func Run(ctx context.Context, w *world.World, opt Options) (report.Section, error) {
	rates := report.Table{Columns: []string{
		"simulation", "unit", "asked", "oracle", "rediscache", "points from the oracle", "wanted",
	}}
	tables := report.Table{
		Title: "Answers, by table", Columns: []string{"simulation", "table", "asked", "oracle", "rediscache", "points"},
	}
	costs := report.Table{Title: "What it costs", Columns: []string{
		"simulation", "SELECT per read, plain GORM", "rediscache", "median time of a read, to plain", "mean", "tags per write",
		"bypasses",
	}}
	var text strings.Builder
	fmt.Fprintf(&text, `
Zipf (s = %.1f) over %d users, %.0f %% writes; one goroutine. %d operations, after %d to warm up; of the preloads %d, after
%d. What is counted, and what the oracle knows, is in benchmarks/hitrate/doc.go. Every read was compared with plain GORM's.
`, zipfExponent, opt.Size.Users, 100*writeShare, opt.Count, opt.Warm, opt.Preloads, opt.Preloads/2)
	for _, s := range simulations(opt) {
		t, err := simulate(ctx, w, s.name, s.scenario, opt.Size, s.warm, s.count)
		if err != nil {
			return report.Section{}, err
		}
		fmt.Fprintf(&text, "\n* `%s`: %s", s.name, s.what)
		addRates(&rates, s, t)
		for _, name := range slices.Sorted(maps.Keys(t.tables)) {
			n := t.tables[name]
			tables.Add(s.name, name, strconv.Itoa(n.asked), report.Percent(n.ideal, n.asked), report.Percent(n.found, n.asked),
				report.Points(n.found, n.ideal, n.asked))
		}
		addCosts(&costs, s.name, t)
	}
	return report.Section{Title: "Hit rate", Text: text.String(), Tables: []report.Table{rates, tables, costs}}, nil
}

func addRates(table *report.Table, s simulation, t *tally) {
	units := []struct {
		name   string
		share  share
		target string
	}{{"answers", t.answers, s.target}, {"statements", t.statements, ""}, {"whole operations", t.operations, ""}}
	if t.answers.asked == t.operations.asked { // all the same
		units = units[:1]
	}
	for _, u := range units {
		table.Add(s.name, u.name, strconv.Itoa(u.share.asked), report.Percent(u.share.ideal, u.share.asked),
			report.Percent(u.share.found, u.share.asked), report.Points(u.share.found, u.share.ideal, u.share.asked),
			within(u.target))
	}
}

func within(points string) string {
	if points == "" {
		return ""
	}
	return "within " + points
}

func addCosts(table *report.Table, name string, t *tally) {
	reads := float64(max(1, t.operations.asked))
	table.Add(name, report.Figure(float64(t.plainQueries)/reads), report.Figure(float64(t.queries)/reads),
		report.Figure(report.Median(t.cachedTimes)/report.Median(t.plainTimes)),
		report.Figure(sum(t.cachedTimes)/sum(t.plainTimes)),
		report.Figure(float64(t.tags)/float64(max(1, t.writes))), strconv.Itoa(t.bypasses))
}

func sum(figures []float64) (total float64) {
	for _, f := range figures {
		total += f
	}
	return total
}
