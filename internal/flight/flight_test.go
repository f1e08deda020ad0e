package flight_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/flight"
)

var errDatabase = errors.New("database")

func TestConcurrentCallersShareOneResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		var calls, joins atomic.Int64
		release := make(chan struct{})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				v, joined, landed, err := g.Do(t.Context(), "k", func() (int, bool, error) {
					calls.Add(1)
					<-release
					return 7, true, nil
				})
				defer landed()
				require.NoError(t, err)
				require.Equal(t, 7, v)
				if joined {
					joins.Add(1)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		require.EqualValues(t, 1, calls.Load())
		require.EqualValues(t, 9, joins.Load())
		require.False(t, flies(t, &g, "k"))
	})
}

func TestKeysDoNotShare(t *testing.T) {
	t.Parallel()
	var g flight.Group[string]
	for _, key := range []string{"a", "b"} {
		v, joined, landed, err := g.Do(t.Context(), key, func() (string, bool, error) { return key, true, nil })
		require.NoError(t, err)
		require.False(t, joined)
		require.Equal(t, key, v)
		defer landed()
	}
	require.True(t, flies(t, &g, "a"))
	require.True(t, flies(t, &g, "b"))
}

func TestResultCanBeJoinedUntilItLanded(t *testing.T) {
	t.Parallel()
	var g flight.Group[int]
	work := func(v int) func() (int, bool, error) { return func() (int, bool, error) { return v, true, nil } }
	_, _, landed, err := g.Do(t.Context(), "k", work(1))
	require.NoError(t, err)
	v, joined, _, err := g.Do(t.Context(), "k", work(2))
	require.NoError(t, err)
	require.True(t, joined)
	require.Equal(t, 1, v)
	landed()
	v, joined, _, err = g.Do(t.Context(), "k", work(3))
	require.NoError(t, err)
	require.False(t, joined)
	require.Equal(t, 3, v)
}

// Followers of a leader that failed, would not share, or panicked do the work themselves: each gets its own outcome.
func TestFollowersOfALeaderWithoutAResultDoTheWorkThemselves(t *testing.T) {
	t.Parallel()
	for name, leader := range map[string]func() (int, bool, error){
		"error":       func() (int, bool, error) { return 0, true, errDatabase },
		"not sharing": func() (int, bool, error) { return 1, false, nil },
		"panic":       func() (int, bool, error) { panic("driver") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var g flight.Group[int]
				release := make(chan struct{})
				go func() {
					defer func() { _ = recover() }()
					_, _, landed, _ := g.Do(t.Context(), "k", func() (int, bool, error) {
						<-release
						return leader()
					})
					landed()
				}()
				synctest.Wait()
				for i := range 3 {
					go func() {
						v, joined, landed, err := g.Do(t.Context(), "k", func() (int, bool, error) { return 10 + i, true, nil })
						require.NoError(t, err)
						require.False(t, joined)
						require.Equal(t, 10+i, v)
						landed()
					}()
				}
				synctest.Wait()
				close(release)
				synctest.Wait()
				require.False(t, flies(t, &g, "k"))
			})
		})
	}
}

func TestFollowerHasItsOwnDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		release := make(chan struct{})
		go func() {
			_, _, landed, _ := g.Do(t.Context(), "k", func() (int, bool, error) { <-release; return 1, true, nil })
			landed()
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, _, err := g.Do(ctx, "k", func() (int, bool, error) { panic("must not run") })
		require.ErrorIs(t, err, context.Canceled)
		close(release)
	})
}

// flies reports whether a result can be joined.
func flies[V any](t *testing.T, g *flight.Group[V], key string) (joined bool) {
	t.Helper()
	_, joined, landed, err := g.Do(t.Context(), key, func() (v V, share bool, err error) { return v, false, nil })
	require.NoError(t, err)
	landed()
	return joined
}
