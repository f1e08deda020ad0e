package tests_test

import (
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// Moments at which the schema has to be learned. Each leaves the handle at one.
func learningMoments() map[string]func(t *testing.T, w *world, h *handle) {
	warm := func(t *testing.T, h *handle) {
		t.Helper()
		h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	}
	return map[string]func(t *testing.T, w *world, h *handle){
		"cold start": func(*testing.T, *world, *handle) {},
		"after a migration here": func(t *testing.T, _ *world, h *handle) {
			t.Helper()
			warm(t, h)
			require.NoError(t, h.Exec("CREATE TABLE migrated_here (id integer)").Error)
		},
		"after a migration elsewhere": func(t *testing.T, w *world, h *handle) {
			t.Helper()
			warm(t, h)
			require.NoError(t, w.cached().Exec("CREATE TABLE migrated_elsewhere (id integer)").Error) // which h hears of with its next read
		},
	}
}

// All connections of a pool are held by transactions when the schema has to be learned, and readers wait for connections. The
// transactions go on at once: they wait for nobody who waits for a connection.
func TestTransactionsThatHoldAllConnectionsGoOn(t *testing.T) {
	t.Parallel()
	for _, d := range dialects() {
		for _, size := range []int{1, 2, 10} {
			if d.is("sqlite") && size > 1 {
				continue // it has one writer
			}
			for _, prepare := range []bool{false, true} {
				for moment, reach := range learningMoments() {
					t.Run(fmt.Sprintf("%s, %d connections, prepared: %v, %s", d.name, size, prepare, moment), func(t *testing.T) {
						t.Parallel()
						w := newWorldOn(t, d)
						w.members(size)
						h := w.cached(withGORM(func(c *gorm.Config) { c.PrepareStmt = prepare }),
							withPlugin(func(c *rediscache.Config) { c.LearnTimeout = time.Hour }))
						reach(t, w, h)
						h.crowd(t, size)
						h.warm(t, func(db *gorm.DB) { require.Equal(t, "written", nameOf(t, db, 1)) })
					})
				}
			}
		}
	}
}

// After an hour without statements the catalog that the process has read is too old: it has to be read again.
func TestTransactionsThatHoldAllConnectionsGoOnAfterAnHour(t *testing.T) {
	t.Parallel()
	for _, d := range dialects() {
		for _, size := range []int{1, 10} {
			if d.is("sqlite") && size > 1 {
				continue // it has one writer
			}
			t.Run(fmt.Sprintf("%s, %d connections", d.name, size), func(t *testing.T) {
				t.Parallel()
				inVirtualTime(t, d, func(t *testing.T, w *world) {
					w.members(size)
					h := w.cached(withPlugin(func(c *rediscache.Config) { c.LearnTimeout = time.Hour }))
					warmMember(t, h, 1)
					time.Sleep(time.Hour)
					h.crowd(t, size)
				})
			})
		}
	}
}

// A resolver has a pool for its sources and one for its replicas. Who holds a connection of one waits for none of the other.
func TestTransactionsGoOnWhileNoPoolOfAResolverHasAConnectionLeft(t *testing.T) {
	t.Parallel()
	eachOrder(t, func(t *testing.T, before bool, options ...option) {
		w := newWorld(t)
		w.members(1)
		replica := w.plain()
		h := w.resolvedTo(replica, order{before: before, options: options},
			withPlugin(func(c *rediscache.Config) { c.LearnTimeout = time.Hour }))
		h.crowd(t, 1, replica)
	})
}

// crowd lets transactions take all connections of the pool, and those of a replica's, and then write, while readers wait for a
// connection.
func (h *handle) crowd(t *testing.T, size int, replicas ...*handle) {
	t.Helper()
	var all []*gorm.DB
	var pools []*sql.DB
	for _, each := range append(replicas, h) {
		pool, err := each.DB.DB()
		require.NoError(t, err)
		pool.SetMaxOpenConns(size)
		pools = append(pools, pool)
		for range size {
			tx := each.Begin()
			require.NoError(t, tx.Error)
			all = append(all, tx)
		}
	}
	var readers sync.WaitGroup
	t.Cleanup(func() { // if it has failed
		for _, tx := range all {
			tx.Rollback()
		}
		readers.Wait()
	})
	waits := func() (n int64) {
		for _, pool := range pools {
			n += pool.Stats().WaitCount
		}
		return n
	}
	waited := waits()
	for i := range 20 {
		readers.Go(func() { nameOf(t, h.DB, 1+i%size) })
	}
	testkit.Eventually(t, "readers wait for a connection", func() bool { return waits() > waited })
	written := make(chan error, size)
	for i, tx := range all[len(all)-size:] {
		go func() { written <- tx.Model(&member{ID: i + 1}).Update("name", "written").Error }()
	}
	ended := 0
	testkit.Eventually(t, "the transactions have written, and no connection has become free", func() bool {
		select {
		case err := <-written:
			require.NoError(t, err)
			ended++
		default:
		}
		return ended == size
	})
	for _, tx := range all {
		require.NoError(t, tx.Commit().Error)
	}
	readers.Wait()
}

// GORM keeps the statements that it has prepared. What the cache asks for itself is not among them, though it is asked on the
// connection of a transaction: at a cold start, and after a migration.
func TestCacheLeavesNothingAmongPreparedStatements(t *testing.T) {
	t.Parallel()
	for _, d := range dialects() {
		for moment, reach := range learningMoments() {
			t.Run(d.name+", "+moment, func(t *testing.T) {
				t.Parallel()
				w := newWorldOn(t, d)
				w.members(2)
				h := w.cached(withGORM(func(c *gorm.Config) { c.PrepareStmt = true }))
				reach(t, w, h)
				require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
					return tx.Model(&member{ID: 1}).Update("age", 50).Error
				}))
				prepared, ok := h.ConnPool.(*gorm.PreparedStmtDB)
				require.True(t, ok)
				for _, text := range prepared.Stmts.Keys() {
					require.Regexp(t, "^(SELECT|UPDATE|CREATE).*(members|migrated)", text)
				}
			})
		}
	}
}

// Somebody keeps the catalog locked (as VACUUM FULL does), so that a reading of the schema does not come to an end. Statements wait
// for it as long as LearnTimeout says, and go on without it. What they write is seen by others.
func TestStatementsGoOnWhileTheSchemaIsReadSlowly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t)
	w.members(1)
	reader := w.cached()
	warmMember(t, reader, 1)
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.LearnTimeout = 30 * time.Millisecond }))
	lock := w.plain().Begin()
	t.Cleanup(func() { lock.Rollback() })
	require.NoError(t, lock.Exec("LOCK TABLE pg_catalog.pg_trigger IN ACCESS EXCLUSIVE MODE").Error)
	stillReads := func() {
		t.Helper()
		waiting := 0
		require.NoError(t, lock.Raw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").
			Scan(&waiting).Error)
		require.Equal(t, 1, waiting, "the schema is being read")
	}
	require.Equal(t, metrics.ReasonDatabase, h.log.read(t, func() { nameOf(t, h.DB, 1) }).Reason)
	stillReads()
	for name, write := range map[string]func() error{
		"alone": func() error { return h.Model(&member{ID: 1}).Update("name", "alone").Error },
		"together": func() error {
			return h.Transaction(func(tx *gorm.DB) error { return tx.Model(&member{ID: 1}).Update("name", "together").Error })
		},
	} {
		writes := h.log.wrote(func() { require.NoError(t, write(), name) })
		stillReads()
		require.Len(t, writes, 1, name)
		require.Contains(t, writes[0].Tags, "all", name)
		require.True(t, writes[0].Released, name)
	}
	require.NoError(t, lock.Rollback().Error)
	require.Contains(t, []string{"alone", "together"}, nameOf(t, reader.DB, 1))
	warmMember(t, h, 1)
}

// In a transaction of MySQL's nothing bounds what is asked, and what is asked fixes the snapshot. The schema is learned in the
// background, or by the next statement outside of a transaction.
func TestCatalogOfMySQLIsNotReadInATransaction(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, onMySQL())
	w.members(1)
	reader := w.cached()
	warmMember(t, reader, 1)
	h := w.cached()
	locked := make(chan struct{})
	unlock := sync.OnceFunc(func() { close(locked) })
	t.Cleanup(unlock)
	never := func(text string) {
		if strings.Contains(text, "information_schema") {
			<-locked
		}
	}
	h.sql.before.Store(&never)
	written := make(chan error, 1)
	go func() {
		written <- h.Transaction(func(tx *gorm.DB) error { return tx.Model(&member{ID: 1}).Update("name", "new").Error })
	}()
	testkit.Eventually(t, "the transaction is over", func() bool { return len(written) == 1 })
	require.NoError(t, <-written)
	require.Equal(t, "new", nameOf(t, reader.DB, 1))
	unlock()
	warmMember(t, h, 1)
}
