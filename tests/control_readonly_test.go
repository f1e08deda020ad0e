package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// keys counts what there is in Redis.
func (w *world) keys() int {
	all, err := w.redis.Keys(w.t.Context(), w.namespace+"*").Result()
	require.NoError(w.t, err)
	return len(all)
}

// looked lets the plugin look at the schema, which takes a token.
func (h *handle) looked(t *testing.T) {
	t.Helper()
	require.NotEmpty(t, h.plugin.Graph().String())
}

// A reader that is to leave no trace is served what is there, and leaves nothing behind: no entry, no token.
func TestReadOnlyIsServedAndStoresNothing(t *testing.T) {
	t.Parallel()
	for name, read := range dependents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.billed()
			h := w.cached()
			h.looked(t)
			before := w.keys()
			readOnly := h.Clauses(rediscache.ReadOnly).Session(&gorm.Session{})
			for range 2 {
				e := h.log.read(t, func() { require.NoError(t, read(readOnly)) })
				require.Equal(t, metrics.ReasonControl, e.Reason)
				require.Equal(t, before, w.keys())
			}
			refresh := func() { require.NoError(t, read(readOnly.Clauses(rediscache.Refresh))) }
			require.Equal(t, metrics.ReasonControl, h.log.read(t, refresh).Reason)
			require.Equal(t, before, w.keys())
			h.warm(t, func(db *gorm.DB) { require.NoError(t, read(db)) })
			e := h.log.read(t, func() { require.NoError(t, read(readOnly)) })
			require.Equal(t, metrics.Hit, e.Outcome)
		})
	}
}

// Its preloads are as read-only as it is, and its writes are announced.
func TestReadOnlyHoldsForPreloadsAndNotForWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	h := w.cached()
	h.looked(t)
	before := w.keys()
	readOnly := h.WithContext(rediscache.WithReadOnly(t.Context())).Session(&gorm.Session{})
	require.NoError(t, readOnly.Preload("Bills").Find(&[]patron{}).Error)
	require.Equal(t, before, w.keys())
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&patron{}, 1).Error) })
	require.NoError(t, readOnly.Model(&patron{ID: 1}).Update("name", "new").Error)
	var p patron
	require.NoError(t, h.First(&p, 1).Error)
	require.Equal(t, "new", p.Name)
}
