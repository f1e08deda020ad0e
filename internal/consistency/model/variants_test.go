package model_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A mistake is a protocol that lacks a step, or has it elsewhere, and a situation in which that shows.
type mistake struct {
	name   string
	broken mask // the property that it breaks there
	variant
	in []scenario
}

func mistakes() []mistake {
	slept := with(faults{sleeps: true})
	died := with(faults{crash: true})
	cutOff := with(faults{cut: true, crash: true, policy: outbox})
	return []mistake{
		{"entries without stamps, deleted after COMMIT: S", strict, variant{plain: true}, with(faults{})},
		{"entries without stamps, deleted after COMMIT: Q", quiescent, variant{plain: true}, with(faults{})},
		{"tokens are dropped after COMMIT only", linearizable, variant{noIntent: true}, with(faults{})},
		{"tokens are dropped after COMMIT only, and the writer dies", quiescent, variant{noIntent: true}, died},
		{"a slot for one writer instead of a set", quiescent, variant{rule: rule{slot: true}}, died},
		{"tokens are made while somebody writes", linearizable, variant{rule: rule{open: true}}, with(faults{})},
		{
			"tokens are counted, and the counter is evicted", strict,
			variant{rule: rule{counts: true}},
			with(faults{evictions: 1, evicts: "tokens"}),
		},
		{"W4 is left out", strict, variant{noRelease: true}, slept},
		{"W4 leaves a token that was made meanwhile", strict, variant{rule: rule{keepsTokens: true}}, slept},
		{"W5 comes before W4", strict, variant{async: true}, slept},
		{
			"W5 comes before W4, the set of writers is evicted", strict,
			variant{async: true},
			with(faults{evictions: 1, evicts: "writers"}),
		},
		{
			"W5 comes before W4 unless the writer knows of a lapse", strict,
			variant{asyncUnless: true},
			with(faults{evictions: 1, evicts: "writers"}),
		},
		{
			"W5 comes before W4 unless the writer knows of a lapse, failover", strict,
			variant{asyncUnless: true},
			with(faults{failover: true}),
		},
		{"the intent is not renewed", linearizable, variant{noRenewal: true}, with(faults{slow: true})},
		{"flights are of an entry, whatever the stamps", strict, variant{naive: true}, with(faults{})},
		{"what another process stores is taken, whatever the stamps", strict, variant{naiveLease: true}, with(faults{})},
		{"stamps without a history", strict, variant{noHistory: true}, with(faults{failover: true})},
		{"stamps are compared when an answer is stored", strict, variant{checkAtFill: true}, with(faults{})},
		{"stamps are compared when an answer is stored: Q", quiescent, variant{checkAtFill: true}, with(faults{})},
		{"stamps are taken when an answer is stored", strict, variant{stampAtFill: true}, with(faults{})},
		{"a step that is repeated makes the same token", strict, variant{comesBack: true}, with(faults{repeats: true})},
		{"rows from the store and from the database", whole, variant{noTorn: true}, of(twoRows(), faults{}, false)},
		{"rows from several servers", whole, variant{noTorn: true}, few(of(twoRows(), faults{}, true))},
		{"an absence is not looked at once more", strict, variant{noAbsent: true}, of(noRow(), faults{}, false)},
		{"a process does not heed its journal", strict, variant{noJournal: true}, own(with(faults{cut: true}))},
		{"the outbox's row is in a transaction of its own", quiescent, variant{ownRow: true}, cutOff},
		{"no answer to COMMIT is taken for a rollback", quiescent, variant{noDoubt: true}, with(faults{doubt: true})},
	}
}

// Without any one of its steps the protocol breaks a promise that it keeps with it, and the model finds the shortest way.
func TestModelFindsEveryMistake(t *testing.T) {
	t.Parallel()
	for _, c := range mistakes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var found way
			for _, sc := range c.in {
				if sc.variant = c.variant; found != nil {
					break
				}
				found = sc.explore(false, c.broken).ways[c.broken]
			}
			require.NotEmpty(t, found)
			t.Log(found)
		})
	}
}
