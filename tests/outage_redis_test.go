package tests_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// on makes a plugin use a Redis client, with the deadlines of the defaults.
func on(client redis.UniversalClient) option {
	return withPlugin(func(c *rediscache.Config) { c.Redis, c.Timeout = client, 100*time.Millisecond })
}

// works checks that an application goes on as if there were no cache.
func works(t *testing.T, h *handle, id int) {
	t.Helper()
	var m member
	require.NoError(t, h.First(&m, id).Error)
	require.NoError(t, h.Model(&m).Update("age", m.Age+1).Error)
	var again member
	require.NoError(t, h.First(&again, id).Error)
	require.Equal(t, m.Age, again.Age)
	var n int64
	require.NoError(t, h.Model(&member{}).Count(&n).Error)
	require.NoError(t, h.Create(&member{Name: "one more"}).Error)
	require.NoError(t, h.Model(&member{}).Where("id > ?", 1000).Delete(&member{}).Error)
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
		return tx.Exec("UPDATE members SET age = age + 1 WHERE id = ?", id).Error
	}))
	require.NoError(t, h.First(&again, id).Error)
	require.Equal(t, m.Age+1, again.Age)
}

func TestRedisAwayFromTheStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = client.Close() })
	works(t, w.cached(on(client)), 1)
}

func TestRedisThatAnswersNonsense(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				r := bufio.NewReader(conn)
				for {
					if _, err := r.ReadString('\n'); err != nil {
						return
					}
					_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
				}
			}()
		}
	}()
	w := newWorld(t)
	w.members(3)
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = client.Close() })
	works(t, w.cached(on(client)), 1)
}

// A counted store counts the looks at it.
type counted struct {
	store.Store
	looks atomic.Int64
}

func (s *counted) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	s.looks.Add(1)
	return s.Store.Load(ctx, keys)
}

func TestRedisThatStopsAnsweringIsAskedNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	server := testkit.StartRedis(t)
	inner, err := redisstore.New(server.Client(), redisstore.Options{Timeout: 100 * time.Millisecond})
	require.NoError(t, err)
	s := &counted{Store: inner}
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.Redis, c.Store = nil, s }))
	h.warm(t, func(db *gorm.DB) { db.First(&member{}, 1) })
	server.Stop()
	t.Cleanup(server.Continue)
	s.looks.Store(0)
	start := time.Now()
	for range 50 {
		require.NoError(t, h.First(&member{}, 1).Error)
	}
	// Redis is given up after five looks. The n-th trial after them comes n pauses after the one before.
	most := int64(5)
	for left := time.Since(start); left > 0; most++ {
		left -= time.Duration(most-4) * 50 * time.Millisecond
	}
	require.LessOrEqual(t, s.looks.Load(), most)
	require.Less(t, s.looks.Load(), int64(50))
	works(t, h, 1)
	server.Continue()
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
}

// A write while Redis is away must not be forgotten when it is back with what it had before.
func TestNothingOldIsServedWhenRedisComesBackWithItsData(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]func(*testkit.RedisServer){
		"it was stopped": func(s *testkit.RedisServer) { s.Continue() },
		"it was restarted from a copy of its data": func(s *testkit.RedisServer) {
			s.Kill()
			s.Start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(3)
			server := testkit.StartRedis(t)
			h := w.cached(on(server.Client()))
			read := func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) }
			h.warm(t, read)
			require.NoError(t, server.Client().Save(t.Context()).Err())
			server.Stop()
			require.NoError(t, h.Model(&member{ID: 1}).Update("name", "changed").Error)
			back(server)
			require.Eventually(t, func() bool {
				var m member
				require.NoError(t, h.First(&m, 1).Error)
				require.Equal(t, "changed", m.Name)
				return h.log.lastOutcome() == metrics.Hit
			}, 20*time.Second, 5*time.Millisecond, "it is cached again")
		})
	}
}

// lastOutcome returns where the latest answer came from.
func (e *events) lastOutcome() metrics.Outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.reads) == 0 {
		return ""
	}
	return e.reads[len(e.reads)-1].Outcome
}

func TestRedisRestartedEmptyIsFilledAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	server := testkit.StartRedis(t)
	h := w.cached(on(server.Client()))
	read := func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) }
	h.warm(t, read)
	server.Kill()
	works(t, h, 1)
	server.Start()
	h.warm(t, read)
	works(t, h, 1)
}

func TestApplicationMayFlushRedisAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	server := testkit.StartRedis(t)
	client := server.Client()
	h, other := w.cached(on(client)), w.cached(on(server.Client()))
	read := func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) }
	for _, flush := range []func() error{
		func() error { return client.FlushAll(t.Context()).Err() },
		func() error { return client.ScriptFlush(t.Context()).Err() },
		func() error { return client.ClientKillByFilter(t.Context(), "TYPE", "normal").Err() },
	} {
		h.warm(t, read)
		if err := flush(); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "EOF") {
			require.NoError(t, err)
		}
		works(t, other, 1)
		works(t, h, 1)
		h.warm(t, read)
	}
}

// A server that has no memory left goes on serving what it has, and a write still makes it unservable.
func TestFullRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	server := testkit.StartRedis(t, "--maxmemory-policy", "noeviction")
	client := server.Client()
	h, other := w.cached(on(client)), w.cached(on(server.Client()))
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", "1mb").Err())
	require.ErrorContains(t, client.Set(t.Context(), "k", "v", 0).Err(), "OOM")
	require.Empty(t, h.sql.during(func() { require.NoError(t, h.First(&member{}, 1).Error) }))
	wrote := other.log.wrote(func() { require.NoError(t, other.Model(&member{ID: 1}).Update("name", "changed").Error) })
	require.Len(t, wrote, 1)
	require.True(t, wrote[0].Announced, "before its COMMIT")
	var m member
	require.NoError(t, h.First(&m, 1).Error)
	require.Equal(t, "changed", m.Name)
	works(t, h, 1)
	works(t, h, 2)
}

func TestLargeAnswersAreServedButNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(30)
	for name, limit := range map[string]option{
		"rows":  withPlugin(func(c *rediscache.Config) { c.MaxRows = 10 }),
		"bytes": withPlugin(func(c *rediscache.Config) { c.MaxBytes = 200 }),
	} {
		h := w.cached(limit, withPlugin(func(c *rediscache.Config) { c.Namespace += name }))
		var want, got []member
		require.NoError(t, plain.Order("id").Find(&want).Error)
		for range 3 {
			sent := h.sql.during(func() { require.NoError(t, h.Order("id").Find(&got).Error) })
			require.Len(t, sent, 1, name)
			require.Equal(t, want, got, name)
		}
		var some []member
		h.warm(t, func(db *gorm.DB) { require.NoError(t, db.Find(&some, []int{1}).Error) })
		require.NoError(t, h.Find(&some, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}).Error)
		require.Equal(t, want[:12], some, name)
	}
}
