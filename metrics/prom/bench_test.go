package prom_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/metrics/prom"
)

func hit() metrics.ReadEvent {
	return metrics.ReadEvent{
		Table: "users", Kind: metrics.Row, Outcome: metrics.Hit, Key: "k", Entries: 1, Found: 1, Duration: 180 * time.Microsecond,
	}
}

// What a hit costs in metrics: nothing without a Registerer, but for the question whether the log is at level Debug.
func BenchmarkHit(b *testing.B) {
	handle, err := prom.Register(prometheus.NewRegistry())
	require.NoError(b, err)
	quiet := metrics.NewLog(slog.New(slog.DiscardHandler))
	for name, r := range map[string]metrics.Recorder{
		"without": metrics.Tee(nil, quiet), "prometheus": metrics.Tee(nil, quiet, handle), "counters": &metrics.Counters{},
	} {
		e := hit()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r.Read(e)
			}
		})
		b.Run(name+", by all processors", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r.Read(e)
				}
			})
		})
	}
}

func TestCountingAHitAllocatesNothing(t *testing.T) { //nolint:paralleltest // what others allocate would count
	_, h := registered(t)
	e := hit()
	h.Read(e)
	require.Zero(t, testing.AllocsPerRun(1000, func() { h.Read(e) }))
}
