package metrics_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/metrics"
)

func times(n int, a *metrics.Advisor, e metrics.ReadEvent) {
	for range n {
		a.Read(e)
	}
}

// events of one entry of a table.
func miss(table string, written, ended int) metrics.ReadEvent {
	return metrics.ReadEvent{
		Table: table, Kind: metrics.List, Outcome: metrics.Miss, Entries: 1, Written: written, Ended: ended, TTL: 10 * time.Minute,
	}
}

func hit(table string, age time.Duration) metrics.ReadEvent {
	return metrics.ReadEvent{
		Table: table, Kind: metrics.List, Outcome: metrics.Hit, Entries: 1, Found: 1, Age: age, TTL: 10 * time.Minute,
	}
}

func TestAdviceNamesWhatDiesUnread(t *testing.T) {
	t.Parallel()
	var a metrics.Advisor
	require.Empty(t, a.Advice())
	times(10, &a, miss("events", 0, 1))
	times(90, &a, miss("events", 1, 0))
	times(20, &a, hit("events", time.Second))
	busy := metrics.ReadEvent{Table: "events", Kind: metrics.List, Outcome: metrics.Bypass, Reason: metrics.ReasonWriting}
	times(5, &a, busy)
	joined := miss("events", 1, 0)
	joined.Outcome, joined.Joined = metrics.Hit, true
	times(7, &a, joined)
	advice := a.Advice()
	require.Len(t, advice, 1)
	require.Contains(t, advice[0].Recommendation, "TagColumns")
	require.Contains(t, advice[0].String(),
		"events, list: 132 reads, 20 hits, 100 fills; 95 died by a write, 10 by their time to live (10m0s): writes make them")
	advice[0].Recommendation = ""
	require.Equal(t, metrics.Advice{
		Table: "events", Kind: metrics.List, Finding: metrics.DiesUnread, Reads: 132, Hits: 20, Fills: 100, DiedByWrite: 95,
		DiedByTTL: 10, TTL: 10 * time.Minute,
	}, advice[0])
}

func TestAdviceNamesWhatEndsUnchanged(t *testing.T) {
	t.Parallel()
	var a metrics.Advisor
	times(100, &a, miss("countries", 0, 1))
	times(900, &a, hit("countries", time.Minute))
	require.Empty(t, a.Advice(), "nobody reads them near their end")
	times(100, &a, hit("countries", 599*time.Second))
	advice := a.Advice()
	require.Len(t, advice, 1)
	require.Equal(t, metrics.EndsUnchanged, advice[0].Finding)
	require.Contains(t, advice[0].Recommendation, "(ListTTL, or ttlconfig.Static)")
	require.Equal(t, []int64{1100, 1000, 100, 0, 100}, []int64{
		advice[0].Reads, advice[0].Hits, advice[0].Fills, advice[0].DiedByWrite, advice[0].DiedByTTL,
	})
}

func TestAdviceKeepsSilentWhereThereIsNothingToSay(t *testing.T) {
	t.Parallel()
	for name, feed := range map[string]func(*metrics.Advisor){
		"too little": func(a *metrics.Advisor) { times(49, a, miss("t", 1, 0)) },
		"of use, though written": func(a *metrics.Advisor) {
			times(100, a, miss("t", 1, 0))
			times(100, a, hit("t", time.Second))
		},
		"asked for once": func(a *metrics.Advisor) { times(100, a, miss("t", 0, 1)) },
		"kept for long": func(a *metrics.Advisor) {
			m, h := miss("t", 0, 1), hit("t", 24*time.Hour)
			m.TTL, h.TTL = 24*time.Hour, 24*time.Hour
			times(100, a, m)
			times(900, a, h)
		},
		"asked for by the application": func(a *metrics.Advisor) {
			times(100, a, metrics.ReadEvent{Table: "t", Outcome: metrics.Bypass, Reason: metrics.ReasonControl})
		},
	} {
		var a metrics.Advisor
		feed(&a)
		require.Empty(t, a.Advice(), name)
	}
}

func TestAdviceTellsKindsApartAndPutsTheMostFirst(t *testing.T) {
	t.Parallel()
	var a metrics.Advisor
	for i, kind := range []metrics.Kind{metrics.Row, metrics.List, metrics.Count} {
		e := miss("t", 1, 0)
		e.Kind = kind
		times(100*(i+1), &a, e)
	}
	advice := a.Advice()
	require.Len(t, advice, 3)
	for i, want := range []string{"CountTTL: ttlconfig.Off", "ListTTL: ttlconfig.Off", "RowTTL: ttlconfig.Off"} {
		require.Contains(t, advice[i].Recommendation, want)
	}
}

func TestAdvisorTellsSoManyTablesApartAndCountsEachEvent(t *testing.T) {
	t.Parallel()
	var a metrics.Advisor
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 2000 {
				times(25, &a, miss(fmt.Sprint("t", i), 1, 0))
			}
		})
	}
	wg.Wait()
	advice := a.Advice()
	require.Len(t, advice, 1024)
	for _, one := range advice {
		require.EqualValues(t, 100, one.Fills)
	}
}

func TestAdvisorDoesNotAllocateForAHit(t *testing.T) { //nolint:paralleltest // it counts what is allocated
	var a metrics.Advisor
	e := hit("t", time.Second)
	a.Read(e)
	require.Zero(t, testing.AllocsPerRun(100, func() { a.Read(e) }))
}

func BenchmarkAdvisorHit(b *testing.B) {
	var a metrics.Advisor
	for i := range 300 {
		a.Read(hit(fmt.Sprint("table", i), time.Second))
	}
	e := hit("table7", time.Second)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a.Read(e)
		}
	})
}
