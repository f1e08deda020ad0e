package consistency_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/store"
)

// inTwoParts is a store of two servers: what concerns row 3 is looked at after the rest, and something happens in between, once.
type inTwoParts struct {
	store.Store
	between func()
}

func (s *inTwoParts) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap, err := s.Store.Load(ctx, keys)
	if err != nil || s.between == nil {
		return snap, err
	}
	between := s.between
	s.between = nil
	between()
	later, err := s.Store.Load(ctx, keys)
	for i, key := range keys {
		if strings.Contains(key, ":row:accounts:3") {
			snap.Values[i] = later.Values[i]
		}
	}
	snap.Atomic = false
	return snap, err
}

// doc.go: a torn answer of a flight.
func TestRowsOfAJoinedFlightAreOfTheInstantOfTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit(10, 1, 3)
	p, other := w.process(consistency.Config{}), w.process(consistency.Config{})
	other.cached(3)
	stored := make(chan struct{})
	t.Cleanup(func() { close(stored) })
	p.steps.set(&p.steps.onPut, func() error { <-stored; return nil }) // its flights can be joined
	require.Equal(t, []int{10}, p.read(1).values)
	p.steps.Store = &inTwoParts{p.steps.Store, func() {
		other.write(20, 1, 3)
		other.cached(3)
	}}
	require.Equal(t, []int{20, 20}, p.read(1, 3).values)
}
