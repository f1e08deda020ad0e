package tests_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/glebarez/sqlite"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/upstash"
)

// Everything that is secret in the test below has this in it.
const hunter = "hunter2"

// A visit is of somebody, and known by a secret.
type visit struct {
	Token string `gorm:"primaryKey"`
	Email string `gorm:"uniqueIndex"`
	Age   int
}

// shown is what a plugin tells people.
type shown struct {
	log  rememberedLog
	text strings.Builder
	reg  *prometheus.Registry
}

func (s *shown) config(c rediscache.Config) rediscache.Config {
	s.reg = prometheus.NewRegistry()
	c.Registerer = s.reg
	c.Logger = slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c.Annotate = func(_ context.Context, attrs []slog.Attr) { fmt.Fprintln(&s.text, attrs) }
	return c
}

// use opens a handle on a database with a plugin, and uses it in several ways.
func (s *shown) use(t *testing.T, dialector gorm.Dialector, c rediscache.Config) {
	t.Helper()
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	require.NoError(t, db.AutoMigrate(&visit{}))
	_ = db.Save(&visit{Token: "token-" + hunter, Email: hunter + "@shop.example"})
	plugin := rediscache.New(s.config(c))
	if err := db.Use(plugin); err != nil {
		fmt.Fprintln(&s.text, err)
		return
	}
	for range 3 {
		for _, read := range []*gorm.DB{
			db.Where("token = ?", "token-"+hunter), db.Where("email = ?", hunter+"@shop.example"),
			db.Where("email = ? AND age = ?", hunter+"@shop.example", 0), db.Where("email LIKE ?", hunter+"%"),
		} {
			var why rediscache.Explanation
			require.NoError(t, read.Clauses(rediscache.Explain(&why)).Find(&[]visit{}).Error)
			fmt.Fprintln(&s.text, why)
		}
		time.Sleep(10 * time.Millisecond) // until they are stored, perhaps
	}
	var why rediscache.Explanation
	require.NoError(t, db.Clauses(rediscache.Explain(&why)).Model(&visit{Token: "token-" + hunter}).Update("age", 0).Error)
	fmt.Fprintln(&s.text, why, plugin.Advice(), plugin.Graph())
	s.scrape(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := plugin.Close(ctx); err != nil {
		fmt.Fprintln(&s.text, err)
	}
}

// scrape reads all metrics.
func (s *shown) scrape(t *testing.T) {
	t.Helper()
	families, err := s.reg.Gather()
	require.NoError(t, err)
	for _, f := range families {
		fmt.Fprintln(&s.text, f)
	}
}

// Passwords, keys, DSNs and texts of rows do not come back out of the plugin, whatever goes wrong.
func TestNothingSecretIsShown(t *testing.T) { //nolint:paralleltest // it sets the environment
	server := testkit.StartRedis(t)
	require.NoError(t, server.Client().ConfigSet(t.Context(), "requirepass", hunter+"-right").Err())
	rest := upstash.Start(t, testkit.StartRedis(t).Client())
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Password: hunter + "-right"})
	t.Cleanup(func() { _ = client.Close() })
	for name, c := range map[string]struct { //nolint:paralleltest // as above
		env map[string]string
		cfg rediscache.Config
		// want is a part of what is shown.
		want string
	}{
		"all is well":         {map[string]string{"REDIS_URL": "redis://:" + hunter + "-right@" + server.Addr}, rediscache.Config{}, "outcome   hit"},
		"a wrong password":    {map[string]string{"REDIS_URL": "redis://:" + hunter + "@" + server.Addr}, rediscache.Config{}, "WRONGPASS"},
		"a wrong user":        {map[string]string{"REDIS_URL": "redis://ann:" + hunter + "@" + server.Addr}, rediscache.Config{}, "WRONGPASS"},
		"no server":           {map[string]string{"REDIS_URL": "redis://:" + hunter + "@127.0.0.1:1/0"}, rediscache.Config{}, "refused"},
		"no host":             {map[string]string{"REDIS_URL": "redis://:" + hunter + "@nowhere.invalid:1"}, rediscache.Config{}, "nowhere.invalid"},
		"no URL":              {map[string]string{"REDIS_URL": "redis://:" + hunter + "@host:port/x y"}, rediscache.Config{}, "REDIS_URL"},
		"no scheme":           {map[string]string{"REDIS_URL": hunter + "@host"}, rediscache.Config{}, "REDIS_URL"},
		"parts that disagree": {map[string]string{"REDIS_URL": "redis://:" + hunter + "@h", "REDIS_PASSWORD": hunter + "x"}, rediscache.Config{}, "REDIS_PASSWORD"},
		"a wrong token": {map[string]string{
			"UPSTASH_REDIS_REST_URL": rest.URL, "UPSTASH_REDIS_REST_TOKEN": hunter,
		}, rediscache.Config{}, "UPSTASH_REDIS_REST_TOKEN"},
		"a key that is none": {nil, rediscache.Config{EncryptionKeys: [][]byte{[]byte(hunter)}}, "Config.EncryptionKeys: "},
		"encryption": {map[string]string{"REDIS_URL": "redis://:" + hunter + "-right@" + server.Addr}, rediscache.Config{
			EncryptionKeys: [][]byte{bytes.Repeat([]byte(hunter), 5)[:32]},
			Partition:      func(context.Context) string { return hunter },
		}, "outcome   hit"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, c.env)
			var s shown
			c.cfg.Timeout = 5 * time.Second
			dsn := fmt.Sprintf("file:%s?mode=memory&cache=shared&_key=%s", testkit.Unique(t), hunter)
			s.use(t, sqlite.Open(dsn), c.cfg)
			all := s.log.all() + s.text.String()
			require.Contains(t, all, c.want)
			for line := range strings.SplitSeq(all, "\n") {
				require.NotContains(t, line, hunter)
			}
			for _, key := range client.Keys(t.Context(), "*").Val() {
				require.NotContains(t, key, hunter)
				if value := client.Get(t.Context(), key).Val(); c.cfg.EncryptionKeys != nil {
					require.NotContains(t, value, hunter, key)
				}
			}
			require.NoError(t, client.FlushAll(t.Context()).Err())
		})
	}
}
