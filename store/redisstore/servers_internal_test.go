package redisstore

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// Where servers get another address with each start, there is no end of them.
func TestServersThatHaveLeftTheClusterAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}}), Options{})
		count := func() (n int) {
			c.nodes.Range(func(any, any) bool { n++; return true })
			return n
		}
		for generation := range 20 {
			var servers []*redis.Client
			for i := range 3 {
				servers = append(servers, redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.%d:%d", i, generation+1)}))
			}
			for range 10 { // minutes
				for _, rdb := range servers {
					n := c.of(rdb)
					require.Same(t, n, c.of(rdb))
				}
				time.Sleep(time.Minute)
			}
			require.LessOrEqual(t, count(), 6)
			require.GreaterOrEqual(t, count(), 3)
			for _, rdb := range servers {
				require.NoError(t, rdb.Close())
			}
		}
		require.NoError(t, c.c.Close())
	})
}
