package soundness_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// Environment variables of this package, besides those of the testkit.
const (
	// envSoak says how long the test runs; envSeed, which pairs it draws.
	envSoak = "REDISCACHE_SOAK"
	envSeed = "REDISCACHE_SEED"
	// envPrecision is the path of the report that is to be written. The test then draws so many writes of certain seeds.
	envPrecision = "REDISCACHE_PRECISION"
)

const (
	// roundsOfEpoch is how many writes there are before the rows are put back and other queries are drawn.
	roundsOfEpoch = 20
	// epochsUntilFound is how many of them it takes at most until a broken cache is found out.
	epochsUntilFound = 40
	// epochsOfReport is how many of them a report is made of.
	epochsOfReport = 12
)

// soak says how long pairs are drawn, in place of how many.
func soak(t *testing.T) (d time.Duration, ok bool) {
	t.Helper()
	given := os.Getenv(envSoak)
	if given == "" {
		return 0, false
	}
	d, err := time.ParseDuration(given)
	require.NoError(t, err, envSoak)
	return d, true
}

// epochs returns how many there are.
func epochs(t *testing.T) uint64 {
	t.Helper()
	if testing.Short() {
		return 2
	}
	return 6
}

// seed returns the first seed: the same each time, but in a soak.
func seed(t *testing.T) uint64 {
	t.Helper()
	first := uint64(1)
	if _, soaks := soak(t); soaks {
		first = rand.Uint64N(1e9)
	}
	if given := os.Getenv(envSeed); given != "" {
		var err error
		first, err = strconv.ParseUint(given, 10, 64)
		require.NoError(t, err, envSeed)
	}
	t.Logf("%s=%d", envSeed, first)
	return first
}

// The test of this package.
func TestAnswerThatAWriteChangedIsNeverServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	l := newLedger()
	report := os.Getenv(envPrecision)
	if report != "" {
		for i := range uint64(epochsOfReport) {
			require.Empty(t, w.epoch(newGen(i+1), l, roundsOfEpoch))
		}
		require.NoError(t, os.WriteFile(report, []byte(l.report()), 0o644))
		return
	}
	d, _ := soak(t)
	first, end := seed(t), time.Now().Add(d)
	for i := uint64(0); i < epochs(t) || time.Now().Before(end); i++ {
		require.Empty(t, w.epoch(newGen(first+i), l, roundsOfEpoch), "%s=%d", envSeed, first+i)
	}
	t.Log("\n" + l.summary())
	l.check(t)
}

// The same test finds what a broken cache serves.
func TestBrokenCachesAreFoundOut(t *testing.T) {
	t.Parallel()
	for name, forgets := range map[string]func(keying.Tag) bool{
		"rows and scopes are not told of writes":  keying.Tag.IsFine,
		"what is no row is not told of writes":    func(tag keying.Tag) bool { return !tag.IsFine() },
		"one table is not told of writes":         about("items"),
		"what triggers write is not told of them": about("audits"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := &testkit.Forgetful{Forgets: forgets}
			w := newWorld(t, func(s store.Store) store.Store { broken.Store = s; broken.Listens.Store(true); return broken })
			w.resetting = broken.Listens.Store
			broken.Listens.Store(false)
			failure := ""
			for i := range uint64(epochsUntilFound) {
				if failure = w.epoch(newGen(seed(t)+i), newLedger(), roundsOfEpoch); failure != "" {
					t.Logf("in epoch %d", i+1)
					break
				}
			}
			require.Contains(t, failure, "the cache serves")
			t.Log(failure)
		})
	}
}

// about reports whether a tag is one of a table's.
func about(table string) func(keying.Tag) bool {
	return func(tag keying.Tag) bool {
		_, name, _ := strings.Cut(tag.String(), ":")
		return name == table || strings.HasPrefix(name, table+":")
	}
}
