package tests_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// closeNow closes a plugin without a hurry.
func closeNow(t testing.TB, h *handle) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	require.NoError(t, h.plugin.Close(ctx))
}

// What a transaction wrote before the plugin was closed is announced when it commits afterwards.
func TestTransactionThatIsOpenWhileThePluginIsClosed(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]option{
		"plain":    nil,
		"prepared": {withGORM(func(c *gorm.Config) { c.PrepareStmt = true })},
		"wrapped":  {withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })},
	} {
		for end, commit := range map[string]bool{"commit": true, "rollback": false} {
			t.Run(name+", "+end, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				plain := w.wares(1)
				writer, reader := w.cached(options...), w.cached()
				reader.warmView(t, 1, look(t, plain.DB, 1))
				tx := writer.Begin()
				require.NoError(t, tx.Model(&ware{ID: 10}).Update("name", "new").Error)
				closeNow(t, writer)
				look(t, tx, 1)
				if commit {
					require.NoError(t, tx.Commit().Error)
				} else {
					require.NoError(t, tx.Rollback().Error)
				}
				want := look(t, plain.DB, 1)
				require.Equal(t, want, look(t, reader.DB, 1))
				require.Equal(t, want, look(t, writer.DB, 1))
				reader.warmView(t, 1, want)
			})
		}
	}
}

func TestHandleOfAClosedPluginGoesToTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.wares(1)
	h := w.cached()
	h.warmView(t, 1, look(t, plain.DB, 1))
	closeNow(t, h)
	for range 2 {
		require.Len(t, h.sql.during(func() { require.NoError(t, h.First(&ware{}, 10).Error) }), 1)
	}
	require.NoError(t, plain.Exec("UPDATE wares SET name = 'new' WHERE id = 10").Error)
	require.Equal(t, look(t, plain.DB, 1), look(t, h.DB, 1))
	require.NoError(t, h.Create(&ware{ID: 12, Grp: 1}).Error)
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error { return tx.Delete(&ware{}, 11).Error }))
	require.Equal(t, look(t, plain.DB, 1), look(t, h.DB, 1))
}

func TestCloseTwiceAndUseAfterClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wares(1)
	h := w.cached()
	closeNow(t, h)
	closeNow(t, h)
	require.ErrorIs(t, w.plain().Use(h.plugin), rediscache.ErrClosed)

	unused := rediscache.New(rediscache.Config{})
	require.NoError(t, unused.Close(t.Context()))
	require.NoError(t, unused.Close(t.Context()))
	require.ErrorIs(t, w.plain().Use(unused), rediscache.ErrClosed)
}

// Statements that are under way when the plugin is closed end as if there were no plugin.
func TestCloseWhileTheHandleIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.wares(4)
	for range 5 {
		h := w.cached()
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for grp := 1; grp <= 4; grp++ {
			wg.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					look(t, h.DB, grp)
					require.NoError(t, h.Model(&ware{ID: grp * 10}).Update("grp", grp).Error)
				}
			})
		}
		h.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&ware{}, 21).Error) })
		closeNow(t, h)
		close(stop)
		wg.Wait()
		require.Equal(t, look(t, plain.DB, 1), look(t, h.DB, 1))
	}
}

// Rows that the application still reads when the plugin is closed go on.
func TestRowsThatAreOpenWhileThePluginIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.wares(3)
	h := w.cached()
	rows, err := h.Raw("UPDATE wares SET name = 'new' RETURNING id").Rows()
	require.NoError(t, err)
	require.True(t, rows.Next())
	closeNow(t, h)
	n := 1
	for rows.Next() {
		n++
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	require.Equal(t, 6, n)
}

// ours returns the stacks of goroutines that the plugin has started.
func ours() []string {
	buffer := make([]byte, 1<<24)
	var all []string
	for stack := range strings.SplitSeq(string(buffer[:runtime.Stack(buffer, true)]), "\n\n") {
		if strings.Contains(stack, "gorm-rediscache/rediscache") && !strings.Contains(stack, "rediscache/tests") &&
			!strings.Contains(stack, "testkit") && !strings.Contains(stack, "queuedNewConn") { // go-redis dials, for a while
			all = append(all, stack)
		}
	}
	return all
}

// Not parallel: it counts all goroutines of the process.
func TestNoGoroutineIsLeftAfterClose(t *testing.T) { //nolint:paralleltest // as it says
	// The client of Redis may still dial for a test before.
	testkit.Eventually(t, "those of other tests are gone", func() bool { return len(ours()) == 0 })
	w := newWorld(t)
	plain := w.wares(1)
	far, proxy := w.through()
	for _, s := range setUps() {
		h := s.open(w)
		h.warmView(t, 1, look(t, plain.DB, 1))
		require.NoError(t, s.db(h).Model(&ware{ID: 10}).Update("grp", 1).Error)
		require.NoError(t, s.db(h).Exec("CREATE TABLE IF NOT EXISTS more (id int)").Error)
		look(t, h.DB, 1)
		closeNow(t, h)
	}
	// A write in doubt, which the keeper still has to see to.
	h := far.cached()
	g := newGate(t, plain, "wares", true)
	done := make(chan error, 1)
	go func() { done <- h.Exec("UPDATE wares SET name = 'new' WHERE id = ?", 10).Error }()
	testkit.Eventually(t, "COMMIT is under way", func() bool { return g.waiting() != 0 })
	proxy.Cut()
	require.Error(t, <-done)
	testkit.Eventually(t, "the write in doubt is seen to", func() bool { return len(ours()) > 0 })
	closeNow(t, h)
	g.open()
	testkit.Eventually(t, "all goroutines are gone", func() bool { return len(ours()) == 0 })
}
