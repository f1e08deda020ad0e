package rediscache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store/upstashstore"
)

// Errors as a real server, or its absence, causes them.
func TestErrorsOfRedisAreToldApart(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	ctx, admin := t.Context(), server.Client()
	client := func(change func(*redis.Options)) *redis.Client {
		opt := &redis.Options{Addr: server.Addr, MaxRetries: -1, DialerRetries: 1}
		change(opt)
		c := redis.NewClient(opt)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	require.NoError(t, admin.Set(ctx, "scalar", "v", 0).Err())
	set := func(c *redis.Client) error { return c.Set(ctx, "k", "v", 0).Err() }
	require.NoError(t, admin.Do(ctx, "ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+hello", "+client").Err())
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })

	replica := testkit.StartRedis(t)
	host, port, err := net.SplitHostPort(server.Addr)
	require.NoError(t, err)
	require.NoError(t, replica.Client().ReplicaOf(ctx, host, port).Err())

	busy := client(func(o *redis.Options) {
		o.PoolSize, o.PoolTimeout, o.PipelineReadBufferSize, o.PipelineWriteBufferSize = 1, time.Millisecond, 0, 0
	})
	held := busy.Conn()
	require.NoError(t, held.Ping(ctx).Err())
	defer func() { _ = held.Close() }()

	full := testkit.StartRedis(t, "--maxmemory", "1", "--maxmemory-policy", "noeviction")
	for name, c := range map[string]struct {
		err  error
		want metrics.ErrorKind
	}{
		"refused":    {set(client(func(o *redis.Options) { o.Addr = "127.0.0.1:1" })), metrics.ErrorConnection},
		"cut":        {fmt.Errorf("read: %w", io.EOF), metrics.ErrorConnection},
		"silent":     {set(client(func(o *redis.Options) { o.Addr, o.ReadTimeout = silent.Addr().String(), time.Millisecond })), metrics.ErrorTimeout},
		"deadline":   {fmt.Errorf("load: %w", context.DeadlineExceeded), metrics.ErrorTimeout},
		"busy":       {set(busy), metrics.ErrorPool},
		"password":   {set(client(func(o *redis.Options) { o.Username, o.Password = "reader", "wrong" })), metrics.ErrorAuth},
		"rights":     {set(client(func(o *redis.Options) { o.Username, o.Password = "reader", "pw" })), metrics.ErrorAuth},
		"replica":    {replica.Client().Set(ctx, "k", "v", 0).Err(), metrics.ErrorReadOnly},
		"memory":     {full.Client().Set(ctx, "k", "v", 0).Err(), metrics.ErrorMemory},
		"script":     {admin.Eval(ctx, "return nothing()", nil).Err(), metrics.ErrorScript},
		"no script":  {admin.EvalSha(ctx, "0000000000000000000000000000000000000000", nil).Err(), metrics.ErrorScript},
		"wrong type": {admin.LPush(ctx, "scalar", "x").Err(), metrics.ErrorOther},
		"upstash":    {fmt.Errorf("load: %w", upstashstore.ErrUnauthorized), metrics.ErrorAuth},
		"our own":    {errors.New("mint answered nothing"), metrics.ErrorOther},
	} {
		require.Error(t, c.err, name)
		require.Equal(t, c.want, errorKind(fmt.Errorf("redisstore: %w", c.err)), "%s: %v", name, c.err)
	}
}
