package tests_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// Redis may evict any token. If the token of all entries is evicted, the process goes on with the schema that it has read; if the
// schema's token is evicted, too, it reads the catalog once.
func TestEvictedTokensOfADatabaseDoNotMakeItReadItsCatalogAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	h := w.cached()
	warmMember(t, h, 1)
	evict := func(kinds ...string) {
		keys, err := w.redis.Keys(t.Context(), w.namespace+"/*").Result()
		require.NoError(t, err)
		for _, key := range keys {
			for _, kind := range kinds {
				if strings.HasSuffix(key, kind) {
					require.NoError(t, w.redis.Del(t.Context(), key).Err())
				}
			}
		}
	}
	readings := func() int64 {
		before := h.sql.catalog.Load()
		require.Equal(t, metrics.Miss, h.log.read(t, func() { nameOf(t, h.DB, 1) }).Outcome)
		return h.sql.catalog.Load() - before
	}
	one := func() int64 { evict(":all:t", ":schema:t"); return readings() }()
	require.Positive(t, one)
	for range 3 {
		warmMember(t, h, 1)
		evict(":all:t")
		require.Zero(t, readings())
		warmMember(t, h, 1)
		evict(":all:t", ":schema:t")
		require.Equal(t, one, readings())
	}
}
