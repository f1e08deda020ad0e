package tests_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// Models that carry a policy of their own, with a value and with a pointer as the receiver.
type (
	country struct {
		ID   int
		Name string
		Code string
	}
	quote struct {
		ID    int
		Value int
	}
)

func (country) CachePolicy() ttlconfig.Policy {
	return ttlconfig.Policy{TTL: 5 * time.Hour, ListTTL: 6 * time.Hour, TagColumns: []string{"code"}}
}

func (*quote) CachePolicy() ttlconfig.Policy { return ttlconfig.Never }

var noJitter = withPlugin(func(c *rediscache.Config) { c.Policy.Jitter = ttlconfig.NoJitter })

// ttl returns how long the answer of a read is kept.
func (h *handle) ttl(t *testing.T, read func(*gorm.DB) error) time.Duration {
	t.Helper()
	return h.log.read(t, func() { require.NoError(t, read(h.DB)) }).TTL
}

func TestModelCarriesItsPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.migrate(&country{}, &quote{}).Create(&country{Name: "Iceland", Code: "is"}).Error)
	h := w.cached(noJitter)
	row := func(db *gorm.DB) error { return db.First(&country{}, 1).Error }
	list := func(db *gorm.DB) error { return db.Find(&[]country{}).Error }
	require.Equal(t, 5*time.Hour, h.ttl(t, row))
	require.Equal(t, 6*time.Hour, h.ttl(t, list))
	require.Equal(t, metrics.ReasonPolicy, h.log.read(t, func() { h.Find(&[]quote{}) }).Reason)
	byCode := h.log.read(t, func() { require.NoError(t, h.Where("code = ?", "is").Find(&[]country{}).Error) })
	require.Contains(t, byCode.Tags, "scope:countries:code="+digestOf("is"), "its TagColumns count")
}

// What Config.Models says goes before what the model says, and that before Config.Policy, field by field.
func TestPoliciesGoOneBeforeTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.migrate(&country{}, &quote{}).Create(&country{Name: "Iceland", Code: "is"}).Error)
	h := w.cached(withPlugin(func(c *rediscache.Config) {
		c.Policy = ttlconfig.Policy{CountTTL: time.Minute, Jitter: ttlconfig.NoJitter}
		c.Models = ttlconfig.Models{
			ttlconfig.For[country](): {RowTTL: 7 * time.Hour}, ttlconfig.For[quote](): {TTL: 8 * time.Hour},
		}
	}))
	require.Equal(t, 7*time.Hour, h.ttl(t, func(db *gorm.DB) error { return db.First(&country{}, 1).Error }))
	require.Equal(t, 6*time.Hour, h.ttl(t, func(db *gorm.DB) error { return db.Find(&[]country{}).Error }))
	require.Equal(t, 8*time.Hour, h.ttl(t, func(db *gorm.DB) error { return db.Find(&[]quote{}).Error }))
}

// A query that was planned before a model was seen heeds the model's policy afterwards.
func TestPolicyOfAModelThatIsSeenLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.migrate(&country{}).Create(&country{Name: "Iceland", Code: "is"}).Error)
	h := w.cached(noJitter)
	read := func(db *gorm.DB) error { return db.Raw("SELECT name FROM countries").Scan(&[]string{}).Error }
	require.Equal(t, ttlconfig.DefaultTTL, h.ttl(t, read))
	require.NoError(t, h.First(&country{}, 1).Error)
	require.Equal(t, 6*time.Hour, h.ttl(t, func(db *gorm.DB) error {
		return db.Clauses(rediscache.Refresh).Raw("SELECT name FROM countries").Scan(&[]string{}).Error
	}))
}

// Models whose policies cannot be used.
type (
	panics     struct{ ID int }
	contradict struct{ ID int }
	oneView    struct{ ID int }
	otherView  struct{ ID int }
)

func (panics) CachePolicy() ttlconfig.Policy { panic("no policy today") }

func (contradict) CachePolicy() ttlconfig.Policy {
	return ttlconfig.Policy{TTL: time.Minute, AbsentTTL: time.Hour}
}

func (oneView) TableName() string               { return "views" }
func (otherView) TableName() string             { return "views" }
func (oneView) CachePolicy() ttlconfig.Policy   { return ttlconfig.Policy{TTL: time.Hour} }
func (otherView) CachePolicy() ttlconfig.Policy { return ttlconfig.Policy{TTL: time.Minute} }

// log is a logger that remembers.
type rememberedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *rememberedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *rememberedLog) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *rememberedLog) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// Of a model that is met later, what cannot be used is said once; the model is cached as if it had said nothing, or as the
// stricter of two has it.
func TestPolicyThatCannotBeUsedIsSaidOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.migrate(&panics{}, &contradict{}, &oneView{})
	log := &rememberedLog{}
	h := w.cached(noJitter, withPlugin(func(c *rediscache.Config) { c.Logger = slog.New(slog.NewTextHandler(log, nil)) }))
	for range 3 {
		require.Equal(t, ttlconfig.DefaultTTL, h.ttl(t, func(db *gorm.DB) error {
			return db.Clauses(rediscache.Refresh).Find(&[]panics{}).Error
		}))
		require.Equal(t, ttlconfig.DefaultTTL, h.ttl(t, func(db *gorm.DB) error {
			return db.Clauses(rediscache.Refresh).Find(&[]contradict{}).Error
		}))
		require.NoError(t, h.Find(&[]oneView{}).Error)
		require.Equal(t, time.Minute, h.ttl(t, func(db *gorm.DB) error {
			return db.Clauses(rediscache.Refresh).Find(&[]otherView{}).Error
		}))
	}
	require.Equal(t, 1, log.count("CachePolicy of tests_test.panics: it panicked: no policy today"))
	require.Equal(t, 1, log.count("CachePolicy of tests_test.contradict: AbsentTTL"))
	require.Equal(t, 1, log.count("CachePolicy of tests_test.oneView and tests_test.otherView: they are of one table, and"))
}

// Of a model that the configuration knows, it is an error of Use.
func TestPolicyThatCannotBeUsedIsAnErrorOfUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.migrate(&member{})
	for want, models := range map[string]ttlconfig.Models{
		"CachePolicy of tests_test.panics: it panicked": {ttlconfig.For[panics](): {}},
		"CachePolicy of tests_test.contradict: AbsentTTL: 1h0m0s is longer than TTL, 1m0s": {
			ttlconfig.For[contradict](): {RowTTL: time.Hour},
		},
		"Config.Models: tests_test.oneView and tests_test.otherView are of one table, and their policies differ": {
			ttlconfig.For[oneView](): {TTL: time.Hour}, ttlconfig.For[otherView](): {TTL: time.Minute},
		},
		"Config.Models[tests_test.member]: AbsentTTL: 1h0m0s is longer than RowTTL, 10m0s": {
			ttlconfig.For[member](): {AbsentTTL: time.Hour},
		},
		"TagColumns: no list and no count is kept": {
			ttlconfig.For[member](): {TTL: ttlconfig.Off, TagColumns: []string{"name"}},
		},
	} {
		db, err := gorm.Open(postgres.Open(w.dsn), &gorm.Config{Logger: logger.Discard})
		require.NoError(t, err)
		err = db.Use(rediscache.New(rediscache.Config{Redis: w.redis, Namespace: w.namespace, Models: models}))
		require.ErrorIs(t, err, rediscache.ErrConfig)
		if !strings.Contains(want, "oneView") {
			require.ErrorContains(t, err, want)
		} else {
			require.ErrorContains(t, err, "are of one table, and their policies differ")
		}
		pool, err := db.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	}
	same := ttlconfig.Models{ttlconfig.For[oneView](): {TTL: time.Hour}, ttlconfig.For[otherView](): {TTL: time.Hour}}
	w.cached(withPlugin(func(c *rediscache.Config) { c.Models = same }))
}
