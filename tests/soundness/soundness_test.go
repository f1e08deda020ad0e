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
	// epochsOfReport is how many of them a report is made of.
	epochsOfReport = 12
)

// duration says how long random pairs are drawn.
func duration(t *testing.T, usual time.Duration) time.Duration {
	t.Helper()
	if soak := os.Getenv(envSoak); soak != "" {
		d, err := time.ParseDuration(soak)
		require.NoError(t, err, envSoak)
		return d
	}
	if testing.Short() {
		return usual / 3
	}
	return usual
}

// leastEpochs is how many there are on a slow machine, too, if that does not take twice the time.
func leastEpochs(t *testing.T) uint64 {
	t.Helper()
	if testing.Short() {
		return 4
	}
	return 12
}

// seed returns the first seed.
func seed(t *testing.T) uint64 {
	t.Helper()
	first := rand.Uint64N(1e9)
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
	const usual = 25 * time.Second
	first, start, d := seed(t), time.Now(), duration(t, usual)
	for i := uint64(0); time.Since(start) < d || i < leastEpochs(t) && time.Since(start) < 2*usual; i++ {
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
			// Half a minute on average, if all run at once on two cores; chance wants a wide margin.
			for i, end := seed(t), time.Now().Add(10*time.Minute); failure == "" && time.Now().Before(end); i++ {
				failure = w.epoch(newGen(i), newLedger(), roundsOfEpoch)
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
