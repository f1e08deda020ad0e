package speed

import (
	"context"
	"fmt"
	"time"

	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// Options says how much is measured.
type Options struct {
	Size shop.Size
	// Goroutines are the numbers of callers at once.
	Goroutines []int
	// Rounds of blocks, one of each variant, each of this length.
	Rounds int
	Block  time.Duration
	// Hot is how many different answers are asked for where all of them are cached: more than 50.
	Hot int
	// Mix is how many operations of a mix are carried out before it is measured.
	Mix int
	// Far is by how much the answers of distant servers take longer; FarGoroutines are the numbers of callers there.
	Far           time.Duration
	FarGoroutines []int
	FarRounds     int
}

// A result is what was measured of a workload with a number of callers.
type result struct {
	workload   workload
	goroutines int
	rounds     []map[variant]block
}

// settleTime is how long the background fills of the last warm-up may take.
const settleTime = 50 * time.Millisecond

// all lists the workloads.
func (b *bench) all() []workload {
	all := append(b.points(), b.reads()...)
	all = append(all, b.preload())
	return append(all, b.writes()...)
}

// measureAll measures workloads on a world.
func measureAll(ctx context.Context, w *world.World, opt Options, onlyBase bool) ([]result, error) {
	b, err := newBench(ctx, w, opt.Size, opt.Hot)
	if err != nil {
		return nil, err
	}
	var results []result
	for _, load := range b.all() {
		if onlyBase && !load.base {
			continue
		}
		if err := b.warm(ctx, load, opt.Mix); err != nil {
			return nil, fmt.Errorf("%s: %w", load.name, err)
		}
		for _, n := range opt.Goroutines {
			r := result{workload: load, goroutines: n}
			if err := r.measure(ctx, b, opt); err != nil {
				return nil, fmt.Errorf("%s, %d goroutines: %w", load.name, n, err)
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// warm fills the caches. All answers are asked for twice, as what is stored in the background may be stored late.
func (b *bench) warm(ctx context.Context, load workload, mix int) error {
	count, times := load.warm, 2
	if load.mix {
		count, times = mix, 1
	}
	for _, v := range variants() {
		o, ok := load.ops[v]
		if !ok || v == plain || count == 0 {
			continue
		}
		for range times {
			c := newCaller(ctx, 1, b.size)
			c.sequence = true
			for range count {
				if err := o(c); err != nil {
					return err
				}
			}
			time.Sleep(settleTime)
		}
	}
	return nil
}

// measure carries out the rounds. In each another variant is the first. One round before is not counted.
func (r *result) measure(ctx context.Context, b *bench, opt Options) error {
	callers := make([]*caller, r.goroutines)
	for i := range callers {
		callers[i] = newCaller(ctx, uint64(i)+2, b.size)
	}
	order := variants()
	for round := range opt.Rounds + 1 {
		blocks := map[variant]block{}
		for _, v := range order {
			o, ok := r.workload.ops[v]
			if !ok {
				continue
			}
			m, err := b.measure(ctx, v, o, callers, opt.Block)
			if err != nil {
				return fmt.Errorf("%s: %w", v, err)
			}
			blocks[v] = m
		}
		if round > 0 {
			r.rounds = append(r.rounds, blocks)
		}
		order = append(order[1:], order[0])
	}
	return nil
}
