package testkit

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// Redis returns a client of the shared Redis server, and a namespace of the test's own, which is emptied when the
// test is over.
func Redis(t testing.TB) (client *redis.Client, namespace string) {
	t.Helper()
	opt, err := redis.ParseURL(envOr(EnvRedis, LocalRedis))
	require.NoError(t, err, EnvRedis)
	client = redis.NewClient(opt)
	if err := client.Ping(t.Context()).Err(); err != nil {
		Missing(t, "no Redis at %s: %v", opt.Addr, err)
	}
	namespace = Unique(t)
	t.Cleanup(func() {
		ctx, cancel := background()
		defer cancel()
		keys := client.Scan(ctx, 0, namespace+"*", 1000).Iterator()
		for keys.Next(ctx) {
			client.Unlink(ctx, keys.Val())
		}
		_ = client.Close()
	})
	return client, namespace
}

// A RedisServer is a server of the test's own, which it may kill.
type RedisServer struct {
	Addr string

	t    testing.TB
	path string
	dir  string
	args []string
	cmd  *exec.Cmd
}

// StartRedis starts a server on a private port, without persistence unless the arguments say so.
func StartRedis(t testing.TB, args ...string) *RedisServer {
	t.Helper()
	s := newRedis(t)
	s.start(args...)
	return s
}

// newRedis has an address, and nothing that runs yet.
func newRedis(t testing.TB) *RedisServer {
	t.Helper()
	return &RedisServer{t: t, path: Binary(t, envOr(EnvRedisServer, "redis-server")), dir: t.TempDir(), Addr: freeAddr(t)}
}

func (s *RedisServer) start(args ...string) {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.Addr)
	require.NoError(s.t, err)
	s.args = append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "no",
		"--repl-diskless-sync-delay", "0",
		"--logfile", filepath.Join(s.dir, "redis.log"),
	}, args...)
	s.Start()
	s.t.Cleanup(s.Kill)
}

// Start starts the server again, with the data that it kept.
func (s *RedisServer) Start() {
	s.t.Helper()
	s.Launch()
	c := redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1})
	defer func() { _ = c.Close() }()
	Eventually(s.t, "redis-server on "+s.Addr, func() bool { return pings(c) })
}

// Launch starts the server without waiting until it serves, with further arguments for this time.
func (s *RedisServer) Launch(args ...string) {
	s.t.Helper()
	s.cmd = exec.Command(s.path, slices.Concat(s.args, args)...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(s.t, s.cmd.Start())
}

// pings reports whether a server serves, if only those who have its password.
func pings(c *redis.Client) bool {
	err := c.Ping(context.Background()).Err()
	return err == nil || strings.HasPrefix(err.Error(), "NOAUTH")
}

// Kill kills the server and waits until it is gone. A server that is gone stays gone.
func (s *RedisServer) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// Dir is the folder in which the server keeps its data.
func (s *RedisServer) Dir() string { return s.dir }

// Stop makes the server stop answering without closing a connection, until Continue.
func (s *RedisServer) Stop() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGSTOP)) }

// Continue ends Stop.
func (s *RedisServer) Continue() { require.NoError(s.t, s.cmd.Process.Signal(syscall.SIGCONT)) }

// Client returns a new client of the server, closed when the test is over.
func (s *RedisServer) Client() *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.Addr})
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// nextPort spreads private servers over ports below the range from which the system picks ports by itself. The bus
// of a cluster node listens 10 000 ports above its own.
var nextPort atomic.Int64

func freeAddr(t testing.TB) string {
	t.Helper()
	nextPort.CompareAndSwap(0, int64(12000+os.Getpid()%5000))
	for range 1000 {
		port := 12000 + (nextPort.Add(1)-12000)%8000
		if free(port) && free(port+10000) {
			return fmt.Sprintf("127.0.0.1:%d", port)
		}
	}
	t.Fatal("no free port")
	return ""
}

func free(port int64) bool {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(port)})
	if err != nil {
		return false
	}
	return l.Close() == nil
}
