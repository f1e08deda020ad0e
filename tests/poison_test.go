package tests_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// State counts entries that did not decode, and panics.
func (e *events) State(s metrics.StateEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.State == metrics.CorruptEntry {
		e.corrupt++
	}
	if s.State == metrics.Panicked {
		e.panics.Add(1)
	}
}

// Somebody puts something else under every name that the cache has in Redis. Answers stay right, what can be seen is counted,
// and everything is cached again.
func TestPoisonInRedisIsAMiss(t *testing.T) {
	t.Parallel()
	random := make([]byte, 4096)
	_, _ = rand.Read(random)
	for name, p := range map[string]struct {
		put  func(r redis.Pipeliner, key, value string)
		seen bool
	}{
		"random bytes":   {func(r redis.Pipeliner, key, _ string) { r.Set(t.Context(), key, random, 0) }, true},
		"nothing":        {func(r redis.Pipeliner, key, _ string) { r.Set(t.Context(), key, "", 0) }, true},
		"the first half": {func(r redis.Pipeliner, key, v string) { r.Set(t.Context(), key, v[:len(v)/2], 0) }, true},
		"8 MiB": {func(r redis.Pipeliner, key, v string) {
			r.Set(t.Context(), key, v, 0)
			if !strings.HasSuffix(key, ":t") {
				r.SetRange(t.Context(), key, 8<<20, "x")
			}
		}, true},
		"another type": {func(r redis.Pipeliner, key, _ string) {
			r.Del(t.Context(), key)
			r.RPush(t.Context(), key, "a", "b")
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(5)
			h := w.cached()
			reads := []func(*gorm.DB){
				func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) },
				func(db *gorm.DB) { require.Error(t, db.First(&member{}, 77).Error) },
				func(db *gorm.DB) { require.NoError(t, db.Find(&[]member{}, []int{2, 3}).Error) },
				func(db *gorm.DB) { require.NoError(t, db.Where("age > ?", 0).Find(&[]member{}).Error) },
				func(db *gorm.DB) { require.NoError(t, db.Model(&member{}).Count(new(int64)).Error) },
			}
			for _, read := range reads {
				h.warm(t, read)
			}
			for _, key := range w.redis.Keys(t.Context(), w.namespace+"*").Val() {
				value := w.redis.Get(t.Context(), key).Val()
				_, err := w.redis.Pipelined(t.Context(), func(r redis.Pipeliner) error {
					p.put(r, key, value)
					return nil
				})
				require.NoError(t, err)
			}
			works(t, h, 1)
			for _, read := range reads {
				h.warm(t, read)
			}
			h.log.mu.Lock()
			defer h.log.mu.Unlock()
			require.Equal(t, p.seen, h.log.corrupt > 0, "%d were counted", h.log.corrupt)
		})
	}
}
