package speed

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A block is what was measured of one variant, in one piece of time.
type block struct {
	ops    int
	median time.Duration
	// perSecond is the throughput of all callers together.
	perSecond float64
	// What an operation costs on average, of everything that the process does meanwhile.
	allocs, bytes, sql, commands, exchanges float64
}

// measure lets callers carry out an operation until the time is over.
func (b *bench) measure(ctx context.Context, v variant, o op, callers []*caller, length time.Duration) (block, error) {
	var before, after runtime.MemStats
	sql, commands, exchanges := b.sql[v].All(), b.redis[v].All(), b.redis[v].Exchanges()
	runtime.ReadMemStats(&before)
	start := time.Now()
	times, err := carryOut(ctx, o, callers, start.Add(length))
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil {
		return block{}, err
	}
	slices.Sort(times)
	n := float64(len(times))
	return block{
		ops: len(times), median: times[len(times)/2], perSecond: n / took.Seconds(),
		allocs: float64(after.Mallocs-before.Mallocs) / n, bytes: float64(after.TotalAlloc-before.TotalAlloc) / n,
		sql:       float64(b.sql[v].All()-sql) / n,
		commands:  float64(b.redis[v].All()-commands) / n,
		exchanges: float64(b.redis[v].Exchanges()-exchanges) / n,
	}, nil
}

// carryOut returns the times of all operations. Each caller carries out one at least.
func carryOut(ctx context.Context, o op, callers []*caller, until time.Time) ([]time.Duration, error) {
	times := make([][]time.Duration, len(callers))
	errs := make([]error, len(callers))
	var wg sync.WaitGroup
	for i, c := range callers {
		times[i] = make([]time.Duration, 0, 4096)
		wg.Go(func() {
			for begin := time.Now(); ; {
				if errs[i] = errors.Join(o(c), ctx.Err()); errs[i] != nil {
					return
				}
				end := time.Now()
				times[i] = append(times[i], end.Sub(begin))
				if begin = end; !end.Before(until) {
					return
				}
			}
		})
	}
	wg.Wait()
	return slices.Concat(times...), errors.Join(errs...)
}
