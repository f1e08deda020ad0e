package tests_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// What docs/security.md says that a user needs in Redis.
const (
	needed        = "mget set evalsha eval info del exists get pexpire pttl time zadd zrem zremrangebyscore"
	neededCluster = needed + " cluster|slots"
)

// A subscriber has a unique text column, so that it has a scope.
type subscriber struct {
	ID    uint
	Email string `gorm:"uniqueIndex"`
	Age   int
}

// cycle reads and writes once in every way that asks Redis for something, and returns what went wrong.
func (w *world) cycle(client redis.UniversalClient, namespace string) (wrong []string) {
	w.t.Helper()
	var log rememberedLog
	h := w.cached(withPlugin(func(c *rediscache.Config) {
		c.Redis, c.Namespace, c.Serverless = client, namespace, rediscache.ServerlessOn // nothing in the background
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}))
	read := func(want metrics.Outcome, f func(*gorm.DB) *gorm.DB) {
		e := h.log.read(w.t, func() { require.NoError(w.t, f(h.DB).Error) })
		if e.Outcome != want {
			wrong = append(wrong, fmt.Sprintf("want a %s, got %+v", want, e))
		}
	}
	row := func(db *gorm.DB) *gorm.DB { return db.First(&subscriber{}, 1) }
	scope := func(db *gorm.DB) *gorm.DB { return db.Where("email = ?", "a@b.example").Find(&[]subscriber{}) }
	for _, f := range []func(*gorm.DB) *gorm.DB{row, scope} {
		read(metrics.Miss, f)
		read(metrics.Hit, f)
	}
	wrote := h.log.wrote(func() { require.NoError(w.t, h.Model(&subscriber{ID: 1}).Update("age", gorm.Expr("age + 1")).Error) })
	if len(wrote) != 1 || !wrote[0].Announced || !wrote[0].Released {
		wrong = append(wrong, fmt.Sprintf("wrote %+v", wrote))
	}
	for _, f := range []func(*gorm.DB) *gorm.DB{row, scope} {
		read(metrics.Miss, f)
		read(metrics.Hit, f)
	}
	if err := rediscache.Invalidate(h.DB, rediscache.Everything()); err != nil {
		wrong = append(wrong, err.Error())
	}
	read(metrics.Miss, row)
	if log.count("rediscache") > 0 {
		wrong = append(wrong, log.all())
	}
	return wrong
}

// setUser makes the servers' users, by what they may do, and forgets the scripts.
func setUser(t *testing.T, servers []*redis.Client, name, namespace, commands string) {
	t.Helper()
	rule := []any{"ACL", "SETUSER", name, "reset", "on", ">secret", "~" + namespace + "/*"}
	for c := range strings.FieldsSeq(commands) {
		rule = append(rule, "+"+c)
	}
	for _, server := range servers {
		require.NoError(t, server.Do(t.Context(), rule...).Err())
		require.NoError(t, server.ScriptFlush(t.Context()).Err())
	}
}

// least checks that a user with these rights has the whole cache, and that without any of them something is missing.
func least(t *testing.T, servers []*redis.Client, commands string, connect func(user string) redis.UniversalClient) {
	t.Helper()
	w := newWorld(t)
	w.old = true
	require.NoError(t, w.migrate(&subscriber{}).Create(&subscriber{Email: "a@b.example"}).Error)
	try := func(i int, commands string) []string {
		user, namespace := fmt.Sprint("user", i), fmt.Sprint("ns", i)
		setUser(t, servers, user, namespace, commands)
		client := connect(user)
		defer func() { _ = client.Close() }()
		return w.cycle(client, namespace)
	}
	require.Empty(t, try(0, commands))
	all := strings.Fields(commands)
	for i, c := range all {
		rest := strings.Join(append(append([]string{}, all[:i]...), all[i+1:]...), " ")
		require.NotEmpty(t, try(i+1, rest), "it works without %s", c)
	}
}

func TestRightsThatAUserNeedsOnAServer(t *testing.T) {
	t.Parallel()
	server := testkit.StartRedis(t)
	least(t, []*redis.Client{server.Client()}, needed, func(user string) redis.UniversalClient {
		return redis.NewClient(&redis.Options{
			Addr: server.Addr, Username: user, Password: "secret", DialTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		})
	})
}

func TestRightsThatAUserNeedsOnACluster(t *testing.T) {
	t.Parallel()
	cluster := testkit.StartRedisCluster(t)
	var servers []*redis.Client
	for _, addr := range cluster.Options().Addrs {
		c := redis.NewClient(&redis.Options{Addr: addr})
		t.Cleanup(func() { _ = c.Close() })
		servers = append(servers, c)
	}
	w := newWorld(t)
	w.old = true
	require.NoError(t, w.migrate(&subscriber{}).Create(&subscriber{Email: "a@b.example"}).Error)
	for i, commands := range []string{neededCluster, needed} {
		setUser(t, servers, "user", fmt.Sprint("ns", i), commands)
		client := redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: cluster.Options().Addrs, Username: "user", Password: "secret", ReadTimeout: 5 * time.Second,
		})
		wrong := w.cycle(client, fmt.Sprint("ns", i))
		require.NoError(t, client.Close())
		require.Equal(t, i == 0, len(wrong) == 0, "%v", wrong)
	}
}
