package sim_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// seeds is how many are played of each situation.
const seeds, shortSeeds = 1000, 100

func situations() map[string]options {
	return map[string]options{
		"one server, FailWrite":  {Outage: consistency.FailWrite},
		"one server, Journal":    {Outage: consistency.Journal},
		"two servers, FailWrite": {Outage: consistency.FailWrite, Servers: 2},
		"two servers, Journal":   {Outage: consistency.Journal, Servers: 2},
	}
}

// The protocol keeps its promises in every run. A run that shows otherwise is printed, step by step; its seed repeats it.
// REDISCACHE_SOAK plays new seeds for so long.
func TestPromisesHoldInEveryRun(t *testing.T) {
	t.Parallel()
	for name, opt := range situations() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			played, total := uint64(seeds), run{}
			if testing.Short() {
				played = shortSeeds
			}
			for seed := range played {
				requirePromises(t, seed, opt, &total)
			}
			for until := time.Now().Add(testkit.Soak(t)); time.Now().Before(until); {
				requirePromises(t, rand.Uint64(), opt, &total)
			}
			t.Logf("%d reads, %d rows found in the store, %d commits", total.Reads, total.Hits, total.Commits)
			require.Greater(t, total.Hits, total.Reads/20, "too few rows are found in the store: what is served is hardly judged")
		})
	}
}

func requirePromises(t *testing.T, seed uint64, opt options, total *run) {
	t.Helper()
	run := simulate(t, seed, opt)
	if len(run.Wrong) > 0 {
		t.Fatalf("seed %d: %s\n\n%s", seed, strings.Join(run.Wrong, "\n"), strings.Join(run.Trace, "\n"))
	}
	total.Reads, total.Hits, total.Commits = total.Reads+run.Reads, total.Hits+run.Hits, total.Commits+run.Commits
}

func TestOneSeedIsOneRun(t *testing.T) {
	t.Parallel()
	for name, opt := range situations() {
		for seed := range uint64(10) {
			once, again := simulate(t, seed, opt), simulate(t, seed, opt)
			require.Equal(t, once, again, "%s, seed %d", name, seed)
		}
	}
}
