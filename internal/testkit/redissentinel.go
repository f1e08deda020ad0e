package testkit

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// A RedisSentinel is a primary and a replica, watched by three Sentinels, which know them by the name "main".
type RedisSentinel struct {
	Primary, Replica *RedisServer
	Sentinels        []*RedisServer
}

// StartRedisSentinel starts one. The replica takes over some two seconds after the primary was killed. Both servers get the
// arguments.
func StartRedisSentinel(t testing.TB, args ...string) *RedisSentinel {
	t.Helper()
	s := &RedisSentinel{Primary: StartRedis(t, args...)}
	host, port, err := net.SplitHostPort(s.Primary.Addr)
	require.NoError(t, err)
	s.Replica = StartRedis(t, append(args, "--replicaof", host, port)...)
	replica := s.Replica.Client()
	Eventually(t, "the replica is in sync", func() bool {
		return strings.Contains(replica.Info(t.Context(), "replication").Val(), "master_link_status:up")
	})
	for range 3 {
		s.Sentinels = append(s.Sentinels, startSentinel(t, host, port))
	}
	for _, sentinel := range s.Sentinels {
		c := redis.NewSentinelClient(&redis.Options{Addr: sentinel.Addr})
		Eventually(t, "the Sentinels know each other and the replica", func() bool {
			main := c.Master(t.Context(), "main").Val()
			return main["num-slaves"] == "1" && main["num-other-sentinels"] == "2"
		})
		require.NoError(t, c.Close())
	}
	return s
}

// Addrs returns the addresses of the Sentinels.
func (s *RedisSentinel) Addrs() []string {
	addrs := make([]string, len(s.Sentinels))
	for i, sentinel := range s.Sentinels {
		addrs[i] = sentinel.Addr
	}
	return addrs
}

func startSentinel(t testing.TB, host, port string) *RedisServer {
	t.Helper()
	s := newRedis(t)
	_, own, err := net.SplitHostPort(s.Addr)
	require.NoError(t, err)
	conf := filepath.Join(s.dir, "sentinel.conf") // which the Sentinel writes, too
	require.NoError(t, os.WriteFile(conf, fmt.Appendf(nil, `port %s
bind 127.0.0.1
dir %s
logfile %s
sentinel monitor main %s %s 2
sentinel down-after-milliseconds main 1000
sentinel failover-timeout main 5000
`, own, s.dir, filepath.Join(s.dir, "sentinel.log"), host, port), 0o600))
	s.args = []string{conf, "--sentinel"}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}
