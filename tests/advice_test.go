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

// What is written before each read is named; what is read again and again is not.
func TestAdviceNamesAnswersThatDieByWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&patron{}, 1).Error) })
	count := func() { require.NoError(t, h.Model(&bill{}).Where("amount > ?", 5).Count(new(int64)).Error) }
	for range 60 {
		count()
		require.NoError(t, h.Model(&bill{ID: 1}).Update("amount", gorm.Expr("amount + 1")).Error)
		require.NoError(t, h.First(&patron{}, 1).Error)
	}
	advice := h.plugin.Advice()
	require.Len(t, advice, 1, "%v", advice)
	a := advice[0]
	require.Equal(t, "bills", a.Table)
	require.Equal(t, metrics.Count, a.Kind)
	require.Equal(t, metrics.DiesUnread, a.Finding)
	require.GreaterOrEqual(t, a.Reads, int64(60))
	require.Greater(t, a.DiedByWrite, int64(30), a)
	require.Zero(t, a.Hits)
}

// What is read until its time is over, and is then the same as before, is named.
func TestAdviceNamesAnswersThatEndUnchanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const rows = 40
	w.members(rows)
	h := w.cached(withPlugin(func(c *rediscache.Config) {
		c.Models = ttlconfig.Models{ttlconfig.For[member](): {RowTTL: time.Second}}
		c.Timeout = 500 * time.Millisecond // a flight can be joined for as long after its end
	}))
	waitFor(t, func() bool {
		for id := 1; id <= rows; id++ {
			nameOf(t, h.DB, id)
		}
		return len(h.plugin.Advice()) > 0
	})
	a := h.plugin.Advice()[0]
	require.Equal(t, metrics.EndsUnchanged, a.Finding, a)
	require.Equal(t, []any{"members", metrics.Row}, []any{a.Table, a.Kind})
	require.Contains(t, a.Recommendation, "RowTTL")
	require.Greater(t, a.DiedByTTL, a.Fills/2, a)
}

func TestAdviceBeforeThereIsAnything(t *testing.T) {
	t.Parallel()
	require.Empty(t, rediscache.New(rediscache.Config{}).Advice())
}
