package tests_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

var errAway = errors.New("it is away")

// held is a store that fails, and counts the steps that reach it. While it is held, they do not end.
type held struct {
	store.Store
	steps atomic.Int64
	mu    sync.Mutex
	gate  chan struct{} // nil: open
}

func (s *held) hold() (open func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gate := make(chan struct{})
	s.gate = gate
	return sync.OnceFunc(func() { close(gate) })
}

func (s *held) step() error {
	s.steps.Add(1)
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	if gate != nil {
		<-gate
	}
	return errAway
}

func (s *held) Layout() keying.Layout { return keying.OneSlot }

func (s *held) Load(context.Context, []string) (store.Snapshot, error) {
	return store.Snapshot{}, s.step()
}

func (s *held) Mint(context.Context, []store.Mint) (store.Snapshot, error) {
	return store.Snapshot{}, s.step()
}

func (s *held) Intend(context.Context, string, time.Duration, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, s.step()
}

func (s *held) Release(context.Context, string, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, s.step()
}

// givenUp opens a handle whose store has failed until it was given up.
func (w *world) givenUp(t testing.TB, options ...option) (*handle, *held) {
	t.Helper()
	s := &held{}
	h := w.cached(append(options, withPlugin(func(c *rediscache.Config) { c.Redis, c.Store = nil, s }))...)
	testkit.Eventually(t, "the store is given up", func() bool {
		before := s.steps.Load()
		for range 3 {
			require.NoError(t, h.First(&member{}, 1).Error)
		}
		return before >= 5 && s.steps.Load() == before // before that, it may be the catalog that has no pins yet
	})
	return h, s
}

// While a store that was given up is tried by one statement, no other one waits for it, nor asks it for anything.
func TestOneStatementAtATimeTriesAStoreThatWasGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	h, s := w.givenUp(t)
	open := s.hold()
	defer open()
	before := s.steps.Load()
	var trial sync.WaitGroup
	defer trial.Wait()
	defer open()
	tried := make(chan struct{})
	trial.Go(func() {
		defer close(tried)
		for s.steps.Load() == before { // until the pause is over
			_ = h.First(&member{}, 1)
		}
	})
	testkit.Eventually(t, "one statement tries the store", func() bool { return s.steps.Load() > before })
	var others sync.WaitGroup
	for range 8 {
		others.Go(func() {
			for range 25 {
				var m member
				require.NoError(t, h.First(&m, 2).Error)
				require.NoError(t, h.Order("id").Find(&[]member{}).Error)
			}
		})
	}
	others.Wait()
	require.Equal(t, before+1, s.steps.Load())
	select {
	case <-tried:
		t.Fatal("the trial did not wait: this tests nothing")
	default:
	}
}

// Once Redis is given up, a read costs what it costs without the cache, and a few allocations: those of the shim.
func TestReadWhileRedisIsAwayIsAReadOfTheDatabase(t *testing.T) { //nolint:paralleltest // what others allocate would count
	w := newWorld(t)
	w.members(20)
	plain := w.plain()
	h, _ := w.givenUp(t)
	for name, read := range map[string]func(*gorm.DB){
		"row":  func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) },
		"list": func(db *gorm.DB) { require.NoError(t, db.Order("id").Find(&[]member{}).Error) },
	} {
		require.Equal(t, metrics.ReasonStore, h.log.read(t, func() { read(h.DB) }).Reason)
		without := testing.AllocsPerRun(200, func() { read(plain.DB) })
		with := testing.AllocsPerRun(200, func() { read(h.DB) })
		t.Logf("%s: %.0f allocations without the plugin, %.0f with it", name, without, with)
		require.LessOrEqual(t, with-without, 14.0, name)
	}
}
