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

// kinds are reads of each kind that policies tell apart, each in several spellings.
func kinds() map[metrics.Kind][]func(*gorm.DB) error {
	return map[metrics.Kind][]func(*gorm.DB) error{
		metrics.Row: {
			func(db *gorm.DB) error { return db.First(&bill{}, 1).Error },
			func(db *gorm.DB) error { return db.Find(&[]bill{}, []int{1, 2}).Error },
			func(db *gorm.DB) error { return db.Raw("SELECT * FROM bills WHERE id = 1").Scan(&bill{}).Error },
		},
		metrics.List: {
			func(db *gorm.DB) error { return db.Where("patron_id = ?", 1).Find(&[]bill{}).Error },
			func(db *gorm.DB) error { return db.Where("patron_id IN ?", []int{1, 2}).Find(&[]bill{}).Error },
			func(db *gorm.DB) error { return db.Order("amount").Find(&[]bill{}).Error },
			func(db *gorm.DB) error { return db.Model(&bill{}).Pluck("amount", &[]int{}).Error },
			func(db *gorm.DB) error {
				return db.Model(&bill{}).Select("status, count(*) AS n").Group("status").Find(&[]map[string]any{}).Error
			},
		},
		metrics.Count: {
			func(db *gorm.DB) error { return db.Model(&bill{}).Count(new(int64)).Error },
			func(db *gorm.DB) error { return db.Model(&bill{}).Where("patron_id = ?", 1).Count(new(int64)).Error },
			func(db *gorm.DB) error { return db.Model(&bill{}).Select("sum(amount)").Scan(new(int)).Error },
			func(db *gorm.DB) error { return db.Raw("SELECT max(amount) FROM bills").Scan(new(int)).Error },
		},
	}
}

// left sees that an entry stays in Redis for about so long.
func (w *world) left(key string, want time.Duration) {
	w.t.Helper()
	if w.store != nil {
		return // it does not tell
	}
	left, err := w.redis.PTTL(w.t.Context(), key).Result()
	require.NoError(w.t, err)
	require.InDelta(w.t, want, left, float64(time.Minute), key)
}

// Each kind of answer is kept for its own time. What kind an answer is, its text says, and not how it was asked for.
func TestEachKindOfAnswerHasItsOwnTimeToLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.billed()
	h := w.cached(withPlugin(func(c *rediscache.Config) {
		c.Policy = ttlconfig.Policy{
			RowTTL: time.Hour, ListTTL: 2 * time.Hour, CountTTL: 3 * time.Hour, AbsentTTL: 30 * time.Minute,
			Jitter: ttlconfig.NoJitter,
		}
	}))
	want := map[metrics.Kind]time.Duration{
		metrics.Row: time.Hour, metrics.List: 2 * time.Hour, metrics.Count: 3 * time.Hour,
	}
	for kind, reads := range kinds() {
		for i, read := range reads {
			h.warm(t, func(db *gorm.DB) { require.NoError(t, read(db)) })
			e := h.log.read(t, func() { require.NoError(t, read(h.DB)) })
			require.Equal(t, kind, e.Kind, "%s %d", kind, i)
			require.Equal(t, want[kind], e.TTL, "%s %d", kind, i)
			w.left(e.Key, want[kind])
		}
	}
	absent := func(db *gorm.DB) { require.NoError(t, db.Find(&bill{}, 99).Error) }
	h.warm(t, absent)
	e := h.log.read(t, func() { absent(h.DB) })
	require.Equal(t, 30*time.Minute, e.TTL)
}

// A kind that is turned off is neither stored nor served, also not what others have stored; the other kinds are.
func TestKindThatIsOffIsNotCached(t *testing.T) {
	t.Parallel()
	for off, policy := range map[metrics.Kind]ttlconfig.Policy{
		metrics.Row:   {RowTTL: ttlconfig.Off},
		metrics.List:  {ListTTL: ttlconfig.Off},
		metrics.Count: {TTL: ttlconfig.Off, RowTTL: time.Hour, ListTTL: time.Hour},
	} {
		t.Run(string(off), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.billed()
			all := w.cached()
			h := w.cached(withPlugin(func(c *rediscache.Config) {
				c.Models = ttlconfig.Models{ttlconfig.For[bill](): policy}
			}))
			for kind, reads := range kinds() {
				for i, read := range reads {
					all.warm(t, func(db *gorm.DB) { require.NoError(t, read(db)) })
					e := h.log.read(t, func() { require.NoError(t, read(h.DB)) })
					if kind == off {
						require.Equal(t, metrics.ReasonPolicy, e.Reason, "%s %d", kind, i)
						require.Equal(t, kind, e.Kind)
						e = h.log.read(t, func() { require.NoError(t, read(h.Clauses(rediscache.TTL(time.Minute)))) })
						require.Equal(t, metrics.ReasonPolicy, e.Reason, "a statement cannot turn it on")
					} else {
						require.Equal(t, metrics.Hit, e.Outcome, "%s %d", kind, i)
					}
				}
			}
		})
	}
}

func TestRowsThatAreNotThereAreNotStoredIfThatIsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.Policy.AbsentTTL = ttlconfig.Off }))
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	for range 2 {
		e := h.log.read(t, func() { require.ErrorIs(t, h.First(&member{}, 9).Error, gorm.ErrRecordNotFound) })
		require.Equal(t, metrics.Miss, e.Outcome)
		exists, err := w.redis.Exists(t.Context(), e.Key).Result()
		require.NoError(t, err)
		require.Zero(t, exists)
	}
	e := h.log.read(t, func() { require.NoError(t, h.Find(&[]member{}, []int{1, 9}).Error) })
	require.Equal(t, []int{2, 1}, []int{e.Entries, e.Found})
}
