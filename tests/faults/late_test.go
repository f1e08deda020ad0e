package faults_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// lateServer is a server with keys k0, k1, …, each of which holds its own name, behind a network that holds back one answer of
// four until its deadline is over.
func lateServer(t *testing.T, keys int, deadline time.Duration) *testkit.Proxy {
	t.Helper()
	server := testkit.StartRedis(t)
	for i := range keys {
		key := fmt.Sprintf("k%d", i)
		require.NoError(t, server.Client().Set(t.Context(), key, key, 0).Err())
	}
	proxy := testkit.StartProxy(t, server.Addr)
	proxy.Answers(func() testkit.Fate {
		if rand.IntN(4) == 0 {
			return testkit.Fate{Late: deadline + deadline/2}
		}
		return testkit.Fate{}
	})
	return proxy
}

// An answer that comes after its deadline, on a connection that is used again, is not taken for that of a later command.
func TestAnswerThatComesTooLateIsNobodyElses(t *testing.T) {
	t.Parallel()
	const keys, deadline = 30, 100 * time.Millisecond
	proxy := lateServer(t, keys, deadline)
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr, PoolSize: 1, MaxRetries: -1, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { _ = client.Close() })
	s, err := redisstore.New(client, redisstore.Options{Timeout: deadline})
	require.NoError(t, err)
	right, late := 0, 0
	for i := 0; i < 10*keys && (right < keys/3 || late < keys/3); i++ {
		key := fmt.Sprintf("k%d", i%keys)
		snap, err := s.Load(t.Context(), []string{key})
		if err != nil {
			late++
			continue
		}
		right++
		require.Equal(t, key, snap.Values[0].Data)
	}
	require.GreaterOrEqual(t, right, keys/3)
	require.GreaterOrEqual(t, late, keys/3)
}

// A client that goes on with such a connection is caught by the same network.
func TestClientThatKeepsALateConnectionIsFoundOut(t *testing.T) {
	t.Parallel()
	const keys, deadline = 30, 100 * time.Millisecond
	proxy := lateServer(t, keys, deadline)
	conn, err := net.Dial("tcp", proxy.Addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	in := bufio.NewReader(conn)
	wrong := false
	for i := 0; i < keys && !wrong; i++ {
		key := fmt.Sprintf("k%d", i)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(deadline)))
		_, err := fmt.Fprintf(conn, "GET %s\r\n", key)
		require.NoError(t, err)
		if _, err := in.ReadString('\n'); err != nil { // the size
			continue
		}
		value, err := in.ReadString('\n')
		wrong = err == nil && strings.TrimSpace(value) != key
	}
	require.True(t, wrong)
}
