package tests_test

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
)

// crowd is another process, with many goroutines that read one row.
type crowd struct{ *child }

const readersOfACrowd = 250

func (w *world) crowd() crowd {
	w.t.Helper()
	return crowd{w.child("TestProcessThatIsACrowd")}
}

// read lets all read at once.
func (c crowd) read() {
	c.t.Helper()
	c.say("read")
}

// queries returns how often they asked the database.
func (c crowd) queries() int {
	c.t.Helper()
	answer := c.hear()
	n, err := strconv.Atoi(answer)
	require.NoError(c.t, err, answer)
	return n
}

// TestProcessThatIsACrowd is not a test: it is the process that a crowd is in.
func TestProcessThatIsACrowd(t *testing.T) { //nolint:paralleltest // it is no test
	dsn, client, namespace := bornInto(t)
	if dsn == "" {
		return
	}
	sql := &statements{}
	dialector, pool, err := onPostgres().open(dsn, sql)
	require.NoError(t, err)
	t.Cleanup(func() { _ = pool.Close() })
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	plugin := rediscache.New(rediscache.Config{Redis: client, Namespace: namespace, Timeout: patience, LearnTimeout: patience})
	require.NoError(t, db.Use(plugin))
	t.Cleanup(func() { _ = plugin.Close(t.Context()) })
	var unknown member // what is asked about the table is not what is counted
	require.ErrorIs(t, db.First(&unknown, 99).Error, gorm.ErrRecordNotFound)

	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		queries := sql.during(func() {
			var wg sync.WaitGroup
			for range readersOfACrowd {
				wg.Go(func() {
					var m member
					if err := db.First(&m, 1).Error; err != nil {
						fmt.Println(err)
					}
				})
			}
			wg.Wait()
		})
		queries = slices.DeleteFunc(slices.Clone(queries), func(text string) bool { // the catalog is read in the background
			return !strings.Contains(text, `FROM "members"`)
		})
		fmt.Println(len(queries))
	}
}

// A thousand readers in four processes want one row at the same time.
func TestReadersOfSeveralProcessesAskTheDatabaseOnceEach(t *testing.T) {
	t.Parallel()
	const processes = 4
	w := newWorld(t)
	w.members(2)
	h := w.cached()
	crowds := make([]crowd, processes)
	for i := range crowds {
		crowds[i] = w.crowd()
	}
	for _, when := range []string{"cold", "after a write", "after another"} {
		if when != "cold" {
			require.NoError(t, h.Model(&member{ID: 1}).Update("name", when).Error)
		}
		release := w.hold(t, "members")
		for _, c := range crowds {
			c.read()
		}
		release()
		all := 0
		for _, c := range crowds {
			all += c.queries()
		}
		t.Logf("%s: %d readers, %d queries", when, processes*readersOfACrowd, all)
		require.Positive(t, all, when)
		require.LessOrEqual(t, all, processes, when)
	}
}

// hold makes readers of a table wait until one of them does, and release is called.
func (w *world) hold(t *testing.T, table string) (release func()) {
	t.Helper()
	tx := w.plain().Begin()
	require.NoError(t, tx.Exec("LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE").Error)
	return func() {
		t.Helper()
		require.Eventually(t, func() bool {
			var waiting int
			err := tx.Raw("SELECT count(*) FROM pg_locks WHERE relation = ?::regclass AND NOT granted", table).Scan(&waiting).Error
			return err == nil && waiting > 0
		}, time.Minute, time.Millisecond, "somebody reads")
		require.NoError(t, tx.Commit().Error)
	}
}
