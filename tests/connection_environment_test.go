package tests_test

import (
	"bytes"
	"log/slog"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/upstash"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// environment sets the variables that name Redis, and no others.
func environment(t *testing.T, vars map[string]string) {
	t.Helper()
	clearEnvironment(t)
	for name, value := range vars {
		t.Setenv(name, value)
	}
}

// zero opens a handle with a plugin that knows what the environment says.
func (w *world) zero() *handle {
	w.t.Helper()
	h := w.plain()
	h.plugin = rediscache.New(rediscache.Config{})
	require.NoError(w.t, h.Use(h.plugin))
	w.t.Cleanup(func() { closeNow(w.t, h) })
	return h
}

// isHit reads a member, and reports whether the answer came from the cache.
func (h *handle) isHit(t testing.TB, m *member, id int) bool {
	t.Helper()
	var why rediscache.Explanation
	*m = member{}
	require.NoError(t, h.Clauses(rediscache.Explain(&why)).First(m, id).Error)
	return why.Outcome == metrics.Hit
}

// cachesWith checks that two handles with zero Configs share a cache, and that a write of one is seen by the other.
func cachesWith(t *testing.T, w *world, vars map[string]string) *handle {
	t.Helper()
	environment(t, vars)
	h, other := w.zero(), w.zero()
	var m member
	testkit.Eventually(t, "it is cached", func() bool { return h.isHit(t, &m, 1) })
	testkit.Eventually(t, "the other one finds it", func() bool { return other.isHit(t, &m, 1) })
	require.NoError(t, other.Model(&member{ID: 1}).Update("name", t.Name()).Error)
	h.isHit(t, &m, 1)
	require.Equal(t, t.Name(), m.Name)
	testkit.Eventually(t, "it is cached again", func() bool { return h.isHit(t, &m, 1) })
	require.Equal(t, t.Name(), m.Name)
	return h
}

func TestZeroConfigOnAServerWithUsers(t *testing.T) { //nolint:paralleltest // it sets the environment
	w := newWorld(t)
	w.members(1)
	server := testkit.StartRedis(t)
	host, port := hostAndPort(t, server.Addr)
	admin := server.Client()
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "ann", "on", ">hunter2", "~*", "+@all").Err())
	require.NoError(t, admin.Do(t.Context(), "ACL", "SETUSER", "default", "off").Err())
	cachesWith(t, w, map[string]string{
		"REDIS_HOST": host, "REDIS_PORT": port, "REDIS_USERNAME": "ann", "REDIS_PASSWORD": "hunter2", "REDIS_DB": "3",
	})
	in := redis.NewClient(&redis.Options{Addr: server.Addr, Username: "ann", Password: "hunter2", DB: 3})
	t.Cleanup(func() { _ = in.Close() })
	require.NotZero(t, in.DBSize(t.Context()).Val(), "in the database that was asked for")
	cachesWith(t, w, map[string]string{"REDIS_URL": "redis://ann:hunter2@" + server.Addr + "/4"})
}

func TestZeroConfigOnASocket(t *testing.T) { //nolint:paralleltest // it sets the environment
	w := newWorld(t)
	w.members(1)
	socket := t.TempDir() + "/s"
	testkit.StartRedis(t, "--unixsocket", socket)
	cachesWith(t, w, map[string]string{"REDIS_URL": "unix://" + socket})
}

func TestZeroConfigOverTLS(t *testing.T) { //nolint:paralleltest // it sets the environment
	w := newWorld(t)
	w.old = true
	w.members(1)
	server := testkit.StartRedisTLS(t)
	host, port := hostAndPort(t, server.TLSAddr)
	files := map[string]string{
		"REDIS_TLS_CA_FILE": server.CAFile, "REDIS_TLS_CERT_FILE": server.CertFile, "REDIS_TLS_KEY_FILE": server.KeyFile,
	}
	with := func(vars map[string]string) map[string]string {
		maps.Copy(vars, files)
		return vars
	}
	cachesWith(t, w, with(map[string]string{"REDIS_HOST": host, "REDIS_PORT": port, "REDIS_TLS": "true"}))
	cachesWith(t, w, with(map[string]string{"REDIS_URL": "rediss://localhost:" + port}))

	// Whom nobody has signed is not trusted; the application goes on.
	environment(t, map[string]string{"REDIS_URL": "rediss://localhost:" + port})
	var m member
	require.False(t, w.zero().isHit(t, &m, 1))
}

func TestZeroConfigOnACluster(t *testing.T) { //nolint:paralleltest // it sets the environment
	w := newWorld(t)
	w.members(1)
	client := testkit.StartRedisCluster(t)
	h := cachesWith(t, w, map[string]string{"REDIS_ADDRS": strings.Join(client.Options().Addrs, ",")})
	works(t, h, 1)
}

func TestZeroConfigOnUpstash(t *testing.T) { //nolint:paralleltest // it sets the environment
	w := newWorld(t)
	w.members(1)
	server := upstash.Start(t, testkit.StartRedis(t).Client())
	h := cachesWith(t, w, map[string]string{
		"UPSTASH_REDIS_REST_URL": server.URL, "UPSTASH_REDIS_REST_TOKEN": upstash.Token,
	})
	require.NotEmpty(t, server.Requests())
	works(t, h, 1)

	environment(t, map[string]string{"UPSTASH_REDIS_REST_URL": server.URL, "REDIS_TLS": "perhaps"})
	require.ErrorContains(t, w.plain().Use(rediscache.New(rediscache.Config{})), "UPSTASH_REDIS_REST_TOKEN")

	// A Redis that is named besides is what counts.
	unasked := upstash.Start(t, testkit.StartRedis(t).Client()) // the other one may still be told what was read
	cachesWith(t, w, map[string]string{
		"UPSTASH_REDIS_REST_URL": unasked.URL, "UPSTASH_REDIS_REST_TOKEN": upstash.Token,
		"REDIS_URL": "redis://" + testkit.StartRedis(t).Addr,
	})
	require.Empty(t, unasked.Requests())
}

// The replica that takes over has neither heard of the latest write nor lost the answer that is old by it.
func TestZeroConfigOnSentinelsKeepsThePromiseOverAFailover(t *testing.T) { //nolint:paralleltest // it sets the environment
	w := newWorld(t)
	w.members(2)
	servers := testkit.StartRedisSentinel(t)
	h := cachesWith(t, w, map[string]string{
		"REDIS_ADDRS": strings.Join(servers.Addrs(), ","), "REDIS_MASTER_NAME": "main",
	})
	var m member
	require.NoError(t, servers.Primary.Client().Do(t.Context(), "WAIT", 1, 10_000).Err())
	old := len(servers.Replica.Client().Keys(t.Context(), "*").Val())
	require.NotZero(t, old)

	servers.Replica.Stop()
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "changed").Error)
	servers.Primary.Kill()
	servers.Replica.Continue()
	h.isHit(t, &m, 1)
	require.Equal(t, "changed", m.Name)
	require.Eventually(t, func() bool {
		hit := h.isHit(t, &m, 1)
		require.Equal(t, "changed", m.Name)
		return hit
	}, time.Minute, 5*time.Millisecond, "the one that took over is used")
	works(t, h, 2)
}

// Clients that read from replicas without saying so are found out by what the server says that it is.
func TestClientOfReplicasServesNothingAndTheLogSaysWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.old = true
	w.members(1)
	servers := testkit.StartRedisSentinel(t)
	for name, client := range map[string]redis.UniversalClient{
		"replica": servers.Replica.Client(),
		"replica-only failover": redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: "main", SentinelAddrs: servers.Addrs(), ReplicaOnly: true,
		}),
	} {
		t.Cleanup(func() { _ = client.Close() })
		log := &safeBuffer{}
		h := w.cached(withPlugin(func(c *rediscache.Config) {
			c.Redis, c.Logger = client, slog.New(slog.NewTextHandler(log, nil))
		}))
		var m member
		testkit.Eventually(t, "it is given up", func() bool {
			require.False(t, h.isHit(t, &m, 1), name)
			return log.String() != ""
		})
		require.Contains(t, log.String(), "the server is a replica", name)
	}
}

// Nothing is dialed before a statement asks for it.
func TestNewAndUseDialNothing(t *testing.T) { //nolint:paralleltest // it sets the environment
	for _, serverless := range []rediscache.Serverless{rediscache.ServerlessOff, rediscache.ServerlessOn} {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		environment(t, map[string]string{"REDIS_URL": "redis://" + l.Addr().String()})
		w := newWorld(t)
		w.members(1)
		h := w.plain()
		h.plugin = rediscache.New(rediscache.Config{Serverless: serverless})
		require.NoError(t, h.Use(h.plugin))
		t.Cleanup(func() { closeNow(t, h) })
		require.NoError(t, l.SetDeadline(time.Now().Add(200*time.Millisecond)))
		_, err = l.Accept()
		require.ErrorContains(t, err, "timeout", "nobody has called")
		require.NoError(t, h.First(&member{}, 1).Error)
		require.NoError(t, l.SetDeadline(time.Now().Add(10*time.Second)))
		conn, err := l.Accept()
		require.NoError(t, err, "now somebody has")
		_ = conn.Close()
	}
}

// Everything that is wrong is told at once, whether it is in the Config or in the environment.
func TestErrorsOfConfigAndEnvironmentTogether(t *testing.T) { //nolint:paralleltest // it sets the environment
	w := newWorld(t)
	environment(t, map[string]string{"REDIS_PORT": "x", "REDIS_TLS": "perhaps", "REDIS_PASSWORD": "hunter2"})
	err := w.plain().Use(rediscache.New(rediscache.Config{Timeout: -1, MaxRows: -1}))
	require.ErrorIs(t, err, rediscache.ErrConfig)
	for _, name := range []string{"REDIS_PORT", "REDIS_TLS", "Config.Timeout", "Config.MaxRows"} {
		require.ErrorContains(t, err, name)
	}
	require.NotContains(t, err.Error(), "hunter2")
}

// safeBuffer is a buffer that many may write to.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Connected, lost and back: one line each, however many meet it together, and no password in any of them.
func TestEachChangeOfTheConnectionIsOneLine(t *testing.T) { //nolint:paralleltest // it sets the environment
	w := newWorld(t)
	w.members(64)
	server := testkit.StartRedis(t)
	require.NoError(t, server.Client().Do(t.Context(), "ACL", "SETUSER", "ann", "on", ">hunter2", "~*", "+@all").Err())
	proxy := testkit.StartProxy(t, server.Addr)
	environment(t, map[string]string{"REDIS_URL": "redis://ann:hunter2@" + proxy.Addr})
	log := &safeBuffer{}
	h := w.cached(withPlugin(func(c *rediscache.Config) {
		c.Redis, c.Logger = nil, slog.New(slog.NewTextHandler(log, nil))
	}))
	together := func() {
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				for range 5 {
					_ = h.First(&member{}, i+1).Error
				}
			})
		}
		all.Wait()
	}
	lines := func(text string) int { return strings.Count(log.String(), text) }
	together()
	require.Equal(t, 1, lines("connected to Redis\" server="+proxy.Addr), log.String())
	proxy.Cut()
	together()
	require.Equal(t, 1, lines("Redis does not answer"), log.String())
	proxy.Restore()
	testkit.Eventually(t, "Redis answers again", func() bool { together(); return lines("Redis answers again") > 0 })
	together()
	require.Equal(t, 1, lines("Redis answers again"), log.String())
	require.Equal(t, 1, lines("Redis does not answer"), log.String())
	require.Equal(t, 1, lines("connected to Redis"), log.String())
	require.Equal(t, 3, lines("\n"), log.String())
	require.NotContains(t, log.String(), "hunter2")
}
