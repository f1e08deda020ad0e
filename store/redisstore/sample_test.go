package redisstore_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

func sampler(t *testing.T, client redis.UniversalClient, log *slog.Logger) *redisstore.Sampler {
	t.Helper()
	s, err := redisstore.New(client, redisstore.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)
	return redisstore.NewSampler(s, "rc/", log)
}

// fill stores a thousand keys of 200 bytes, of which some are the cache's.
func fill(t *testing.T, client redis.UniversalClient, own int) {
	t.Helper()
	p := client.Pipeline()
	for i := range 1000 {
		name := "other/"
		if i < own {
			name = "rc/"
		}
		p.Set(t.Context(), fmt.Sprintf("%s%d", name, i), strings.Repeat("x", 200), 0)
	}
	_, err := p.Exec(t.Context())
	require.NoError(t, err)
}

func TestSampleEstimatesWhatIsTheCaches(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]redis.UniversalClient{
		"one server": testkit.StartRedis(t, "--maxmemory", "100mb").Client(), "cluster": testkit.StartRedisCluster(t),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sampler(t, client, slog.New(slog.DiscardHandler))
			empty, err := s.Sample(t.Context())
			require.NoError(t, err)
			require.Zero(t, empty.Keys)
			require.Zero(t, empty.OwnKeys)
			require.Zero(t, empty.OwnBytes)
			fill(t, client, 700)
			for range 8 {
				_, err = s.Sample(t.Context())
				require.NoError(t, err)
			}
			got, err := s.Sample(t.Context())
			require.NoError(t, err)
			require.InDelta(t, 1000, got.Keys, 0)
			require.InDelta(t, 700, got.OwnKeys, 200, "seven standard errors")
			size, err := client.MemoryUsage(t.Context(), "rc/1").Result()
			require.NoError(t, err)
			require.InDelta(t, float64(size), got.OwnBytes/got.OwnKeys, 20)
			require.Greater(t, got.Used, 500_000.)
			if name == "one server" {
				require.InDelta(t, 100<<20, got.Max, 0)
			} else {
				require.Zero(t, got.Max, "there is no limit")
			}
			require.Zero(t, got.Evicted)
			pool := s.Pool()
			require.Positive(t, pool.Total)
			require.GreaterOrEqual(t, pool.Total, pool.Idle)
			require.Positive(t, pool.Hits)
		})
	}
}

func TestSampleCountsEvictions(t *testing.T) {
	t.Parallel()
	client := testkit.StartRedis(t, "--maxmemory-policy", "allkeys-lru").Client()
	s := sampler(t, client, slog.New(slog.DiscardHandler))
	fill(t, client, 1000)
	before, err := s.Sample(t.Context())
	require.NoError(t, err)
	limit := strconv.Itoa(int(before.Used) - 50_000)
	require.NoError(t, client.ConfigSet(t.Context(), "maxmemory", limit).Err())
	require.NoError(t, client.Set(t.Context(), "one", "more", 0).Err())
	got, err := s.Sample(t.Context())
	require.NoError(t, err)
	require.Positive(t, got.Evicted)
}

// A service that forbids commands has fewer metrics, and is told of it once, at level Debug.
func TestSampleDoesWithoutCommandsThatAreForbidden(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	fill(t, server.Client(), 1000)
	for rights, check := range map[string]func(t *testing.T, used, keys, ownKeys, ownBytes float64){
		"-memory": func(t *testing.T, used, keys, ownKeys, ownBytes float64) {
			require.Positive(t, used)
			require.InDelta(t, 1000, keys, 0)
			require.InDelta(t, 1000, ownKeys, 0)
			require.True(t, math.IsNaN(ownBytes))
		},
		"-randomkey": func(t *testing.T, used, keys, ownKeys, ownBytes float64) {
			require.Positive(t, used)
			require.InDelta(t, 1000, keys, 0)
			require.True(t, math.IsNaN(ownKeys))
			require.True(t, math.IsNaN(ownBytes))
		},
		"-dbsize": func(t *testing.T, used, keys, ownKeys, _ float64) {
			require.Positive(t, used)
			require.True(t, math.IsNaN(keys))
			require.True(t, math.IsNaN(ownKeys))
		},
		"-info": func(t *testing.T, used, keys, ownKeys, _ float64) {
			require.True(t, math.IsNaN(used))
			require.InDelta(t, 1000, keys, 0)
			require.InDelta(t, 1000, ownKeys, 0)
		},
	} {
		t.Run(rights, func(t *testing.T) {
			t.Parallel()
			user := "without" + rights
			require.NoError(t, server.Client().Do(t.Context(),
				"ACL", "SETUSER", user, "on", ">pw", "~*", "&*", "+@all", rights).Err())
			client := redis.NewClient(&redis.Options{Addr: server.Addr, Username: user, Password: "pw"})
			t.Cleanup(func() { _ = client.Close() })
			var log bytes.Buffer
			s := sampler(t, client, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
			for range 3 {
				got, err := s.Sample(t.Context())
				require.NoError(t, err)
				check(t, got.Used, got.Keys, got.OwnKeys, got.OwnBytes)
			}
			require.Equal(t, 1, strings.Count(log.String(), "level=DEBUG"), log.String())
			require.Contains(t, log.String(), "command="+strings.TrimPrefix(rights, "-"))
		})
	}
}

func TestSampleOfAServerThatIsAwayIsAnError(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	s := sampler(t, client, slog.New(slog.DiscardHandler))
	server.Kill()
	_, err := s.Sample(t.Context())
	require.Error(t, err)
}
