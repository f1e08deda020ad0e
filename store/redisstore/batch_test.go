package redisstore_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// Many readers at once need few connections, and each gets its own answer.
func TestManyReadersShareFewConnections(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	client := server.Client()
	s, _ := open(t, client, "ns")
	const readers = 64
	for i := range readers {
		require.NoError(t, client.Set(t.Context(), fmt.Sprint("k", i), i, 0).Err())
	}
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() {
			for range 50 {
				snap, err := s.Load(t.Context(), []string{fmt.Sprint("k", i), "none"})
				if err != nil || snap.Values[0].Data != strconv.Itoa(i) || snap.Values[1].Found {
					t.Errorf("reader %d got %v (%v)", i, snap, err)
				}
			}
		})
	}
	all.Wait()
	// Four, and what the client has dialed while one came free; without batches it is as many as its pool may hold, 20 or more.
	require.LessOrEqual(t, client.PoolStats().TotalConns, uint32(8))
}

// BenchmarkLoad is a point lookup's load, by many readers.
func BenchmarkLoad(b *testing.B) {
	client, namespace := testkit.Redis(b)
	keys := []string{namespace + ":a", namespace + ":b", namespace + ":c"}
	for _, key := range keys {
		require.NoError(b, client.Set(b.Context(), key, strings.Repeat("x", 200), 0).Err())
	}
	s, _ := open(b, client, namespace)
	for _, parallel := range []int{1, 8, 64} {
		b.Run(strconv.Itoa(parallel), func(b *testing.B) {
			b.SetParallelism(max(1, parallel/2))
			if parallel == 1 {
				for b.Loop() {
					_, _ = s.Load(b.Context(), keys)
				}
				return
			}
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = s.Load(b.Context(), keys)
				}
			})
		})
	}
}
