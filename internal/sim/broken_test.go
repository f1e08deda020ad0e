package sim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// A brokenProtocol lacks something. Each of the seeds shows it.
type brokenProtocol struct {
	opt   options
	seeds []uint64
}

func brokenProtocols() map[string]brokenProtocol {
	on := func(broken func(store.Store) store.Store, seeds ...uint64) brokenProtocol {
		return brokenProtocol{options{Outage: consistency.FailWrite, Broken: broken}, seeds}
	}
	announces := func(tags func(keying.Space) []keying.Tag, seeds ...uint64) brokenProtocol {
		return brokenProtocol{options{Outage: consistency.FailWrite, Announces: tags}, seeds}
	}
	return map[string]brokenProtocol{
		"entries are deleted after COMMIT": on(testkit.NewDeleteAfterCommit, 0, 1, 2),
		"entries are deleted before and after COMMIT": on(func(s store.Store) store.Store {
			return testkit.DeleteTwice{Store: testkit.NewDeleteAfterCommit(s)}
		}, 0, 1, 2),
		"entries only expire": on(func(s store.Store) store.Store { return testkit.OnlyExpires{Store: s} }, 0, 1, 2),
		"no intent":           on(func(s store.Store) store.Store { return testkit.NoIntent{Store: s} }, 3, 8, 20),
		"no release":          on(func(s store.Store) store.Store { return testkit.NoRelease{Store: s} }, 59, 179, 345),
		"release after the acknowledgement, no intent": on(func(s store.Store) store.Store {
			return &testkit.LateRelease{Store: testkit.NoIntent{Store: s}}
		}, 7, 8, 9),
		"one slot for all writers":                                 on(func(s store.Store) store.Store { return testkit.OneSlot{Store: s} }, 946, 1119, 1162),
		"tokens are counted, and come back":                        on(testkit.NewCounted, 2, 9, 10),
		"a reader shares a look at the store that began before it": on(testkit.NewJoining, 2, 4, 11),
		"the history is not compared":                              on(func(s store.Store) store.Store { return testkit.NoHistory{Store: s} }, 132, 173, 824),
		"a change of the schema announces entries alone":           announces(keying.Space.All, 2, 17, 18),
		"a change of the schema announces the schema alone":        announces(keying.Space.Schema, 11, 47, 51),
	}
}

// Each broken protocol breaks a promise in some runs, of which these are known.
func TestBrokenProtocolsAreFoundOut(t *testing.T) {
	t.Parallel()
	for name, broken := range brokenProtocols() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, seed := range broken.seeds {
				if len(simulate(t, seed, broken.opt).Wrong) == 0 {
					t.Fatalf("seed %d does not show it any more; these do: %v", seed, search(t, broken.opt))
				}
			}
			require.NotEmpty(t, broken.seeds)
		})
	}
}

// search returns seeds that show that a protocol is broken. They become others when the protocol takes other steps.
func search(t *testing.T, opt options) (found []uint64) {
	t.Helper()
	for seed := uint64(0); seed < 10_000 && len(found) < 3; seed++ {
		if len(simulate(t, seed, opt).Wrong) > 0 {
			found = append(found, seed)
		}
	}
	return found
}
