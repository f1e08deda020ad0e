package tests_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// TTL is how long what a statement stores is kept, whatever it is.
func TestTTLIsThatOfWhatTheStatementStores(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	h := w.cached(noJitter)
	for name, read := range dependents() {
		db := h.Clauses(rediscache.TTL(2 * time.Hour)).Session(&gorm.Session{})
		e := h.log.read(t, func() { require.NoError(t, read(db.Clauses(rediscache.Refresh))) })
		require.Equal(t, 2*time.Hour, e.TTL, name)
		h.warm(t, func(*gorm.DB) { require.NoError(t, read(db)) })
		e = h.log.read(t, func() { require.NoError(t, read(db)) })
		w.left(e.Key, 2*time.Hour)
	}
	absent := func(ttl, want time.Duration) {
		t.Helper()
		e := h.log.read(t, func() {
			require.NoError(t, h.Clauses(rediscache.TTL(ttl), rediscache.Refresh).Find(&bill{}, 99).Error)
		})
		require.Equal(t, want, e.TTL)
	}
	absent(2*time.Hour, ttlconfig.DefaultAbsentTTL)
	absent(time.Second, time.Second)
}

// Who asks for a TTL is not served what is older, however long whoever stored it wanted it kept. Everybody else is.
func TestTTLIsTheGreatestAgeThatTheStatementAccepts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true
	plain := w.members(1)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	stored := time.Now()
	require.NoError(t, plain.Model(&member{ID: 1}).Update("name", "changed").Error) // the cache is not told
	require.Equal(t, "m1", nameOf(t, h.Clauses(rediscache.TTL(time.Hour)), 1))
	waitFor(t, func() bool { return time.Since(stored) > 5*time.Millisecond })
	require.Equal(t, "m1", nameOf(t, h.DB, 1))
	e := h.log.read(t, func() { require.Equal(t, "changed", nameOf(t, h.Clauses(rediscache.TTL(5*time.Millisecond)), 1)) })
	require.Equal(t, metrics.Miss, e.Outcome)
}
