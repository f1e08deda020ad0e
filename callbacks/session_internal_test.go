package callbacks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
)

func session(settings string) *database {
	d := &database{ofSession: true}
	d.identity.Store(&identity{found: catalog.Identity{Sessions: catalog.Sessions{settings}}})
	return d
}

// A statement gives its connection back before it is noticed that it is over: who gets it next must not take it for what it was.
func TestConnectionIsNotTakenForWhatItWasWhileASettingChanges(t *testing.T) {
	t.Parallel()
	var s sessions
	now := time.Now()
	known := func(conn int) bool {
		d, ok := s.get(conn, now)
		return ok && d != nil
	}
	put := func(conn int, d *database) *database { return s.put(conn, d, now) }
	put(1, session("a"))
	require.True(t, known(1))
	now = now.Add(maxAge)
	require.False(t, known(1), "it may have changed since it was asked")
	put(1, session("a"))
	s.begin()
	require.False(t, known(1))
	s.end(true, true)
	require.True(t, known(1), "it was refused")
	s.begin()
	s.end(false, true)
	require.False(t, known(1))
	first := put(1, session("a"))
	require.Same(t, first, put(2, session("a")))
	require.NotSame(t, first, put(3, session("b")))
	for conn := range 10 * maxConnections {
		put(conn, session("a"))
	}
	require.LessOrEqual(t, len(s.of), maxConnections)
}

func TestConnectionsAreLookedAtEverLessSoonAfterASettingHasChanged(t *testing.T) {
	t.Parallel()
	var s sessions
	for n, pause := range []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second} {
		s.begin()
		require.False(t, s.settled(time.Now().Add(maxPause)), "while it changes")
		s.end(false, true)
		require.Equal(t, n == 0, s.settled(s.last))
		require.True(t, s.settled(s.last.Add(pause)))
		require.False(t, s.settled(s.last.Add(pause-1)))
	}
	for range 100 {
		s.begin()
		s.end(false, true)
	}
	require.True(t, s.settled(s.last.Add(maxPause)))
	s.begin()
	s.end(false, false)
	require.False(t, s.settled(s.last.Add(2*maxPause)), "what nobody tells of")
}
