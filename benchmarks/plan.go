package main

import (
	"fmt"
	"time"

	"github.com/gorm-rediscache/rediscache/benchmarks/hitrate"
	"github.com/gorm-rediscache/rediscache/benchmarks/migration"
	"github.com/gorm-rediscache/rediscache/benchmarks/outage"
	"github.com/gorm-rediscache/rediscache/benchmarks/shop"
	"github.com/gorm-rediscache/rediscache/benchmarks/speed"
	"github.com/gorm-rediscache/rediscache/benchmarks/writecost"
)

// A plan says how much is measured.
type plan struct {
	mode string
	size shop.Size
	hits hitrate.Options
	cost writecost.Options
	open migration.Options
	fast speed.Options
	away outage.Options
}

// far is by how much the round trips to distant servers are longer.
const far = 500 * time.Microsecond

func planOf(mode string) (plan, error) {
	switch mode {
	case "smoke":
		return plan{
			mode: mode,
			size: shop.Size{Users: 1000, Tags: 20},
			hits: hitrate.Options{Warm: 50, Count: 200, Preloads: 40},
			cost: writecost.Options{Entries: []int{100, 1000}, Blocks: 2, PerBlock: 10},
			open: migration.Options{Rounds: 1},
			away: outage.Options{Rounds: 1, Block: 5},
			fast: speed.Options{
				Goroutines: []int{1, 8}, Rounds: 1, Block: 5 * time.Millisecond, Hot: 60, Mix: 50,
				Far: far, FarGoroutines: []int{8}, FarRounds: 1,
			},
		}, nil
	case "quick":
		return plan{
			mode: mode,
			size: shop.Size{Users: 20_000, Tags: 100},
			hits: hitrate.Options{Warm: 1000, Count: 3000, Preloads: 300},
			cost: writecost.Options{Entries: []int{1000, 10_000, 50_000}, Blocks: 5, PerBlock: 100},
			open: migration.Options{Rounds: 5},
			away: outage.Options{Rounds: 10, Block: 100},
			fast: speed.Options{
				Goroutines: []int{1, 64}, Rounds: 3, Block: 50 * time.Millisecond, Hot: 200, Mix: 1000,
				Far: far, FarGoroutines: []int{1}, FarRounds: 2,
			},
		}, nil
	case "full":
		return plan{
			mode: mode,
			size: shop.Size{Users: 100_000, Tags: 200},
			hits: hitrate.Options{Warm: 10_000, Count: 20_000, Preloads: 2000},
			cost: writecost.Options{Entries: []int{1000, 100_000, 1_000_000}, Blocks: 9, PerBlock: 200},
			open: migration.Options{Rounds: 15},
			away: outage.Options{Rounds: 40, Block: 200},
			fast: speed.Options{
				Goroutines: []int{1, 8, 64}, Rounds: 7, Block: 150 * time.Millisecond, Hot: 200, Mix: 5000,
				Far: far, FarGoroutines: []int{1, 64}, FarRounds: 5,
			},
		}, nil
	default:
		return plan{}, fmt.Errorf("mode %q: %w", mode, errMode)
	}
}
