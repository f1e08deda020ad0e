package tests_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// defective is a store with a defect: one of its steps panics.
type defective struct {
	store.Store
	step atomic.Value // "load", "mint", "put" or ""
}

func (s *defective) meet(step string) {
	if s.step.Load() == step {
		panic("defect in " + step)
	}
}

func (s *defective) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	s.meet("load")
	return s.Store.Load(ctx, keys)
}

func (s *defective) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	s.meet("mint")
	return s.Store.Mint(ctx, mints)
}

func (s *defective) Put(ctx context.Context, entries []store.Entry) error {
	s.meet("put")
	return s.Store.Put(ctx, entries)
}

// A panic of the cache's own code is counted, and its stack is in the log once; the database answers. The pool has one
// connection, so one that was lost would be noticed.
func TestPanicOfTheCacheDoesNotReachTheApplication(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"load", "mint", "put"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(3)
			broken := &defective{Store: w.inner()}
			log := &rememberedLog{}
			h := w.cached(withPlugin(func(c *rediscache.Config) {
				c.Redis, c.Store, c.Logger = nil, broken, slog.New(slog.NewTextHandler(log, nil))
			}))
			pool, err := h.DB.DB()
			require.NoError(t, err)
			pool.SetMaxOpenConns(1)
			require.Equal(t, "m3", nameOf(t, h.DB, 3)) // the schema is learned
			broken.step.Store(step)
			for range 3 {
				require.Equal(t, "m1", nameOf(t, h.DB, 1))
				var both []member
				require.NoError(t, h.Order("id").Find(&both, []int{1, 2}).Error)
				require.Len(t, both, 2)
			}
			testkit.Eventually(t, "it is counted", func() bool { return h.log.panics.Load() > 0 })
			require.Equal(t, 1, log.count("the cache panicked"))
			require.Equal(t, 1, log.count("runtime/debug.Stack()"), "the stack is in the log")
			if step != "put" {
				require.Equal(t, metrics.ReasonPanic, h.log.read(t, func() { nameOf(t, h.DB, 2) }).Reason)
			}
			broken.step.Store("")
			h.warm(t, func(db *gorm.DB) { require.Equal(t, "m1", nameOf(t, db, 1)) })
		})
	}
}

// The schema is learned by way of the store, too, when a statement is planned and in the background.
func TestPanicWhileTheSchemaIsLearnedDoesNotReachTheApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	broken := &defective{Store: w.inner()}
	broken.step.Store("load")
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.Redis, c.Store = nil, broken }))
	require.Equal(t, "m1", nameOf(t, h.DB, 1))
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "Zoe").Error)
	require.Equal(t, "Zoe", nameOf(t, h.DB, 1))
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error { return tx.Model(&member{ID: 1}).Update("name", "Ann").Error }))
	require.Equal(t, "Ann", nameOf(t, h.DB, 1))
	require.Positive(t, h.log.panics.Load())
	broken.step.Store("")
	h.warm(t, func(db *gorm.DB) { require.Equal(t, "Ann", nameOf(t, db, 1)) })
}

// A panic of the driver goes on, as without the plugin.
func TestPanicOfTheDriverIsTheApplications(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	h := w.cached()
	nameOf(t, h.DB, 2)
	h.sql.defect.Store(true)
	require.PanicsWithValue(t, "defect in the driver", func() { nameOf(t, h.DB, 1) })
	h.sql.defect.Store(false)
	require.Zero(t, h.log.panics.Load())
	require.Equal(t, "m1", nameOf(t, h.DB, 1))
}

// The driver panics in COMMIT: it may have been sent. What was announced ends as it does for any write in doubt.
func TestWriteWhoseCommitPanicsIsInDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	nameOf(t, h.DB, 1) // the schema is learned
	session := 0
	writes := h.log.wrote(func() {
		require.PanicsWithValue(t, "defect in the driver", func() {
			_ = h.Transaction(func(tx *gorm.DB) error {
				require.NoError(t, tx.Raw("SELECT pg_backend_pid()").Scan(&session).Error)
				require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "Zoe").Error)
				h.sql.defect.Store(true)
				return nil
			})
		})
	})
	h.sql.defect.Store(false)
	require.NoError(t, w.plain().Exec("SELECT pg_terminate_backend(?)", session).Error) // which database/sql has lost
	require.Len(t, writes, 1)
	require.Equal(t, metrics.InDoubt, writes[0].Outcome)
	require.Equal(t, "m1", nameOf(t, h.DB, 1))
}
