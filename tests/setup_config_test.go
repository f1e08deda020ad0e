package tests_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

func TestConfigErrorsNameTheField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	s, err := redisstore.New(w.redis, redisstore.Options{})
	require.NoError(t, err)
	replicas := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, ReadOnly: true})
	t.Cleanup(func() { _ = replicas.Close() })
	random := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}, RouteRandomly: true})
	t.Cleanup(func() { _ = random.Close() })
	for name, c := range map[string]struct {
		change func(*rediscache.Config)
		fields []string
	}{
		"redis and store":    {func(c *rediscache.Config) { c.Store = s }, []string{"Config.Store"}},
		"namespace":          {func(c *rediscache.Config) { c.Namespace = "a b" }, []string{"Config.Namespace"}},
		"long namespace":     {func(c *rediscache.Config) { c.Namespace = string(make([]byte, 65)) }, []string{"Config.Namespace"}},
		"braces":             {func(c *rediscache.Config) { c.Namespace = "{x}" }, []string{"Config.Namespace"}},
		"policy":             {func(c *rediscache.Config) { c.Policy.TTL = -time.Second }, []string{"Config.Policy"}},
		"serverless":         {func(c *rediscache.Config) { c.Serverless = 3 }, []string{"Config.Serverless", "3"}},
		"outage":             {func(c *rediscache.Config) { c.OnOutage = 7 }, []string{"Config.OnOutage", "7"}},
		"timeout":            {func(c *rediscache.Config) { c.Timeout = -time.Second }, []string{"Config.Timeout", "-1s"}},
		"rows":               {func(c *rediscache.Config) { c.MaxRows = -1 }, []string{"Config.MaxRows", "-1"}},
		"bytes":              {func(c *rediscache.Config) { c.MaxBytes = -2 }, []string{"Config.MaxBytes", "-2"}},
		"misses":             {func(c *rediscache.Config) { c.MaxMisses = -2 }, []string{"Config.MaxMisses", "-2"}},
		"reads of replicas":  {func(c *rediscache.Config) { c.Redis = replicas }, []string{"Config.Redis"}},
		"reads of any":       {func(c *rediscache.Config) { c.Redis = random }, []string{"Config.Redis"}},
		"policy of a model":  {func(c *rediscache.Config) { c.Models = ttlconfig.Models{ttlconfig.For[ware](): {TTL: -1}} }, []string{"Config.Models", "ware"}},
		"model without name": {func(c *rediscache.Config) { c.Models = ttlconfig.Models{ttlconfig.Model{}: {}} }, []string{"Config.Models"}},
		"all at once": {func(c *rediscache.Config) {
			c.Namespace, c.Timeout, c.MaxRows, c.MaxBytes, c.OnOutage, c.Policy.TTL = "?", -1, -1, -1, 9, -1
		}, []string{"Config.Namespace", "Config.Timeout", "Config.MaxRows", "Config.MaxBytes", "Config.OnOutage", "Config.Policy"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := rediscache.Config{Redis: w.redis, Namespace: w.namespace}
			c.change(&cfg)
			db, err := gorm.Open(postgres.Open(w.dsn), &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			pool, err := db.DB()
			require.NoError(t, err)
			defer pool.Close()
			err = db.Use(rediscache.New(cfg))
			require.ErrorIs(t, err, rediscache.ErrConfig)
			for _, field := range c.fields {
				require.ErrorContains(t, err, field)
			}
			// The handle works, as if it had never been told.
			require.NoError(t, db.Create(&member{Name: "a"}).Error)
			require.NoError(t, db.First(&member{}).Error)
		})
	}
}

// What the environment says is used by a Config that names no client.
func TestRedisFromTheEnvironment(t *testing.T) {
	w := newWorld(t)
	w.members(3)
	opt := w.server().Options()
	host, port := hostAndPort(t, opt.Addr)
	for name, env := range map[string]map[string]string{
		"url":                        {"REDIS_URL": "redis://" + opt.Addr + "/0"},
		"parts":                      {"REDIS_HOST": host, "REDIS_PORT": port, "REDIS_DB": "0", "REDIS_TLS": "false"},
		"both, as some platforms do": {"REDIS_URL": "redis://" + opt.Addr, "REDIS_HOST": host, "REDIS_PORT": port},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnvironment(t)
			for k, v := range env {
				t.Setenv(k, v)
			}
			h := w.cached(withPlugin(func(c *rediscache.Config) { c.Redis = nil }))
			h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
			// The same Redis: another handle has it without asking its database.
			require.Equal(t, metrics.Hit, w.cached().outcomeOf(t, 1))
			closeNow(t, h)
		})
	}
}

func TestEnvironmentErrorsNameTheVariable(t *testing.T) {
	w := newWorld(t)
	w.members(1)
	for name, c := range map[string]struct {
		env   map[string]string
		names string
	}{
		"url":        {map[string]string{"REDIS_URL": "http://user:hunter2@x"}, "REDIS_URL"},
		"no url":     {map[string]string{"REDIS_URL": "://hunter2"}, "REDIS_URL"},
		"port":       {map[string]string{"REDIS_PORT": "x"}, "REDIS_PORT"},
		"high port":  {map[string]string{"REDIS_PORT": "65536"}, "REDIS_PORT"},
		"zero port":  {map[string]string{"REDIS_PORT": "0"}, "REDIS_PORT"},
		"db":         {map[string]string{"REDIS_DB": "first"}, "REDIS_DB"},
		"minus db":   {map[string]string{"REDIS_DB": "-1"}, "REDIS_DB"},
		"tls":        {map[string]string{"REDIS_TLS": "perhaps"}, "REDIS_TLS"},
		"tls and db": {map[string]string{"REDIS_TLS": "perhaps", "REDIS_DB": "1"}, "REDIS_TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnvironment(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			h := w.plain()
			err := h.Use(rediscache.New(rediscache.Config{}))
			require.ErrorIs(t, err, rediscache.ErrConfig)
			require.ErrorContains(t, err, c.names)
			require.NotContains(t, err.Error(), "hunter2")
			require.NoError(t, h.First(&member{}, 1).Error)
		})
	}
	// With a client of its own the application need not care about the environment.
	t.Setenv("REDIS_URL", "nonsense")
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
}

// Credentials and TLS of the environment are used: a server that wants none of them is not reached.
func TestCredentialsOfTheEnvironmentAreUsed(t *testing.T) {
	w := newWorld(t)
	w.old = true // Redis is not told of what they write
	w.members(1)
	host, port := hostAndPort(t, w.server().Options().Addr)
	for name, env := range map[string]map[string]string{
		"password": {"REDIS_PASSWORD": "wrong"},
		"username": {"REDIS_USERNAME": "nobody", "REDIS_PASSWORD": "wrong"},
		"tls":      {"REDIS_TLS": "true"},
		"db":       {"REDIS_DB": "99999"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnvironment(t)
			t.Setenv("REDIS_HOST", host)
			t.Setenv("REDIS_PORT", port)
			for k, v := range env {
				t.Setenv(k, v)
			}
			h := w.cached(withPlugin(func(c *rediscache.Config) { c.Redis, c.Timeout = nil, 100*time.Millisecond }))
			works(t, h, 1)
			e := h.log.read(t, func() { require.NoError(t, h.First(&member{}, 1).Error) })
			require.NotEqual(t, metrics.Hit, e.Outcome)
		})
	}
}

// Nothing is dialed before it is needed, and an application starts without its cache.
func TestNewAndUseWithRedisAway(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("REDIS_URL", "redis://127.0.0.1:1")
	w := newWorld(t)
	w.members(3)
	plugin := rediscache.New(rediscache.Config{Namespace: w.namespace})
	require.Equal(t, "rediscache", plugin.Name())
	h := w.plain()
	require.NoError(t, h.Use(plugin))
	works(t, h, 1)
	require.NoError(t, h.Exec("UPDATE members SET age = 1").Error)
	ctx, cancel := contextWithTimeout(t, 200*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, plugin.Close(ctx), context.DeadlineExceeded, "Redis does not know of the writes")
	works(t, h, 2)
}
