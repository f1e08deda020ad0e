package consistency

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The chance to be read anew is exp(-left/cost) (Vattani, Chierichetti, Lowenstein 2015).
func TestEntryIsReadAnewTheLikelierTheNearerItsEnd(t *testing.T) {
	t.Parallel()
	now := time.Now()
	share := func(left, cost time.Duration) float64 {
		const draws = 20_000
		n := 0
		for range draws {
			if due(span{read: now, ttl: left, cost: cost}, now, rand.Float64) {
				n++
			}
		}
		return float64(n) / draws
	}
	require.Zero(t, share(time.Minute, time.Millisecond))
	require.InDelta(t, 0.3679, share(100*time.Millisecond, 100*time.Millisecond), 0.05)
	require.InDelta(t, 0.9048, share(10*time.Millisecond, 100*time.Millisecond), 0.05)
	require.InDelta(t, 0.0498, share(300*time.Millisecond, 100*time.Millisecond), 0.03)
}

// A clock that is ahead must not send every reader to the database.
func TestEntryWhoseTimeIsOverByThisClockIsServed(t *testing.T) {
	t.Parallel()
	now := time.Now()
	require.False(t, due(span{read: now.Add(-time.Hour), ttl: time.Minute, cost: time.Second}, now, rand.Float64))
}
