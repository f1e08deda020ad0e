package tests_test

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// dying is the store of a process that is killed at one of its steps.
type dying struct {
	store.Store
	at string
}

func (s dying) die(step string) {
	if s.at == step {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it is carried out
	}
}

func (s dying) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	s.die("before the intent")
	watched, err := s.Store.Intend(ctx, writer, ttl, tags, watch)
	s.die("before COMMIT")
	return watched, err
}

func (s dying) Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]store.Value, error) {
	s.die("after COMMIT")
	watched, err := s.Store.Release(ctx, writer, tags, watch)
	s.die("after the release")
	return watched, err
}

// TestProcessThatIsKilled is not a test: it is the process that TestKilledWriterLeavesNothingOld kills.
func TestProcessThatIsKilled(t *testing.T) { //nolint:paralleltest // it is no test
	dsn := os.Getenv("REDISCACHE_DYING_DSN")
	if dsn == "" {
		return
	}
	opt, err := redis.ParseURL(os.Getenv("REDISCACHE_DYING_REDIS"))
	require.NoError(t, err)
	inner, err := redisstore.New(redis.NewClient(opt), redisstore.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)
	db, err := gorm.Open(postgres.Open(dsn), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.Use(rediscache.New(rediscache.Config{
		Store: dying{inner, os.Getenv("REDISCACHE_DYING_AT")}, Namespace: os.Getenv("REDISCACHE_DYING_NAMESPACE"),
	})))
	require.NoError(t, db.Model(&member{ID: 1}).Update("name", "changed").Error)
	t.Fatal("it should have been killed")
}

// A process may be killed between any two steps of a write: what was committed is seen at once, and what was not is not.
func TestKilledWriterLeavesNothingOld(t *testing.T) {
	t.Parallel()
	for at, committed := range map[string]bool{
		"before the intent": false, "before COMMIT": false, "after COMMIT": true, "after the release": true,
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(2)
			h := w.cached()
			h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
			h.warm(t, func(db *gorm.DB) { require.NoError(t, db.Order("id").Find(&[]member{}).Error) })
			h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 2).Error) })

			cmd := exec.Command(os.Args[0], "-test.run=^TestProcessThatIsKilled$")
			cmd.Env = append(os.Environ(), "REDISCACHE_DYING_DSN="+w.dsn, "REDISCACHE_DYING_AT="+at,
				"REDISCACHE_DYING_NAMESPACE="+w.namespace, "REDISCACHE_DYING_REDIS="+w.redisURL())
			out, err := cmd.CombinedOutput()
			require.ErrorContains(t, err, "killed", string(out))

			want := "m1"
			if committed {
				want = "changed"
			}
			var m member
			e := h.log.read(t, func() { require.NoError(t, h.First(&m, 1).Error) })
			require.Equal(t, want, m.Name)
			if at == "before COMMIT" || at == "after COMMIT" {
				// The dead writer keeps the row from being cached until its intent lapses; nothing else.
				require.Equal(t, metrics.ReasonWriting, e.Reason)
			}
			var all []member
			require.NoError(t, h.Order("id").Find(&all).Error)
			require.Equal(t, want, all[0].Name)
			require.Empty(t, h.sql.during(func() { require.NoError(t, h.First(&member{}, 2).Error) }))
		})
	}
}

func (w *world) redisURL() string {
	o := w.redis.Options()
	return "redis://" + o.Addr + "/0"
}
