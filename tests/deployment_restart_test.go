package tests_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// onServer returns a world on a server of its own, which the test may stop.
func onServer(t *testing.T) (*world, *testkit.PostgresServer) {
	t.Helper()
	w := newWorld(t)
	server := testkit.StartPostgres(t)
	w.dsn = server.URL
	return w, server
}

// An interruption is how an application loses its connections to the database.
type interruption struct {
	name string
	run  func(t *testing.T, server *testkit.PostgresServer)
}

func interruptions() []interruption {
	return []interruption{
		{"restarted", func(_ *testing.T, server *testkit.PostgresServer) { server.Restart() }},
		{"crashed", func(_ *testing.T, server *testkit.PostgresServer) {
			server.Kill()
			server.Start()
		}},
		{"connections terminated", func(t *testing.T, server *testkit.PostgresServer) {
			t.Helper()
			db := testkit.OpenPostgres(t, server.URL)
			_, err := db.ExecContext(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "+
				"WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' "+
				"AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)") // that of a barrier
			require.NoError(t, err)
			require.NoError(t, db.Close())
		}},
	}
}

// While the database is away, what is cached is read on, and the rest fails as it does without a cache. When it is back,
// everything works.
func TestHitsGoOnWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]option{
		"extended": nil,
		"prepared": {withGORM(func(c *gorm.Config) { c.PrepareStmt = true })},
		"wrapped":  {withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, server := onServer(t)
			w.wares(2)
			plain, h := w.plain(options...), w.cached(options...)
			for _, db := range []*handle{plain, h} {
				pool, err := db.DB.DB()
				require.NoError(t, err)
				pool.SetMaxOpenConns(1) // so that both lose the same
			}
			want := look(t, plain.DB, 1)
			h.warmView(t, 1, want)
			server.Stop()
			for i := range 3 {
				h.requireHits(t, 1, want)
				require.Equal(t, kindOfError(absent(plain)), kindOfError(absent(h)), "read %d of what is not cached", i)
				lost := func(db *handle) error { return db.Model(&ware{ID: 10}).Update("name", "lost").Error }
				require.Equal(t, kindOfError(lost(plain)), kindOfError(lost(h)), "write %d", i)
			}
			server.Start()
			w.requireWorksAgain(h, plain, want)
		})
	}
}

// absent reads what is not there, and in no cache.
func absent(h *handle) error {
	return h.Where("grp = ? AND name <> ?", 9, time.Now().String()).Find(&[]ware{}).Error
}

// requireWorksAgain requires that a handle reads and writes, and reads what is true, once its connections that are gone
// have told so: the pool may have several.
func (w *world) requireWorksAgain(h, plain *handle, want view) {
	w.t.Helper()
	for _, db := range []*handle{plain, h} {
		testkit.Eventually(w.t, "the pool connects anew", func() bool { return absent(db) == nil })
	}
	require.Equal(w.t, want, look(w.t, plain.DB, 1))
	require.Equal(w.t, want, look(w.t, h.DB, 1))
	require.NoError(w.t, h.Model(&ware{ID: 11}).Update("name", "after").Error)
	require.Equal(w.t, look(w.t, plain.DB, 1), look(w.t, h.DB, 1))
	require.Equal(w.t, "after", look(w.t, h.DB, 1).List[1].Name)
}

// The database is restarted while many read and write: no answer is wrong, then or later, and no error is one that the
// database did not give.
func TestDatabaseIsInterruptedUnderTraffic(t *testing.T) {
	t.Parallel()
	for _, how := range interruptions() {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			w, server := onServer(t)
			plain := w.wares(4)
			require.NoError(t, plain.Exec("UPDATE wares SET grp = 0").Error) // the version
			traffic := &traffic{t: t, errors: map[string]int{}}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			handles := []*handle{w.cached(), w.cached(withGORM(func(c *gorm.Config) { c.PrepareStmt = true }))}
			for _, h := range handles {
				traffic.start(ctx, h)
			}
			for range 3 {
				traffic.flow(200)
				how.run(t, server)
			}
			traffic.flow(200)
			stop()
			traffic.wait.Wait()
			verdict := traffic.history.Judge()
			require.Zero(t, verdict.Bad(), verdict.Example)
			require.Greater(t, verdict.Writes, 30)
			require.NotEmpty(t, traffic.errors, "the interruption was not felt")
			for message, n := range traffic.errors {
				require.NotEqual(t, "another", kindOfError(errors.New(message)), "%d times: %s", n, message)
			}
			for _, h := range handles {
				require.Contains(t, h.outcomes(), metrics.Hit)
			}
			t.Logf("%+v", verdict)
		})
	}
}

// outcomes returns how often each outcome was reported.
func (h *handle) outcomes() map[metrics.Outcome]int {
	h.log.mu.Lock()
	defer h.log.mu.Unlock()
	n := map[metrics.Outcome]int{}
	for _, r := range h.log.reads {
		n[r.Outcome]++
	}
	return n
}

// traffic writes and reads versions of rows, and records what it sees.
type traffic struct {
	t       *testing.T
	history testkit.History
	wait    sync.WaitGroup
	mu      sync.Mutex
	done    int
	errors  map[string]int
}

// flow waits until so many more operations have succeeded.
func (tr *traffic) flow(more int) {
	tr.t.Helper()
	tr.mu.Lock()
	until := tr.done + more
	tr.mu.Unlock()
	testkit.Eventually(tr.t, "traffic flows", func() bool {
		tr.mu.Lock()
		defer tr.mu.Unlock()
		return tr.done >= until
	})
}

func (tr *traffic) note(err error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if err == nil {
		tr.done++
	} else if !errors.Is(err, context.Canceled) {
		tr.errors[err.Error()]++
	}
}

func (tr *traffic) start(ctx context.Context, h *handle) {
	for _, id := range []int{10, 20} {
		tr.loop(ctx, func() error { return tr.write(h.WithContext(context.WithoutCancel(ctx)), id) })
		for range 2 {
			tr.loop(ctx, func() error { return tr.read(h.WithContext(context.WithoutCancel(ctx)), id) })
		}
	}
}

func (tr *traffic) loop(ctx context.Context, f func() error) {
	tr.wait.Go(func() {
		for ctx.Err() == nil {
			tr.note(f())
			time.Sleep(time.Millisecond)
		}
	})
}

// write makes the next version of a row.
func (tr *traffic) write(db *gorm.DB, id int) error {
	began, version := tr.history.Now(), 0
	err := db.Transaction(func(tx *gorm.DB) error {
		var row ware
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).First(&row, id).Error; err != nil {
			return err
		}
		version = row.Grp + 1
		return tx.Model(&row).Update("grp", version).Error
	})
	switch key := strconv.Itoa(id); {
	case err == nil:
		tr.history.Wrote(key, int64(version), began)
	case version > 0:
		tr.history.InDoubt(key, int64(version), began)
	}
	return err
}

func (tr *traffic) read(db *gorm.DB, id int) error {
	began := tr.history.Now()
	var row ware
	err := db.First(&row, id).Error
	if err == nil {
		tr.history.Read(strconv.Itoa(id), int64(row.Grp), began)
	}
	return err
}

// kindOfError sorts the errors that a program gets from a database that goes away or comes back. Whether it hears that its
// connection has ended, or finds that no other can be had, depends on whether the driver has looked at it: pgx does so if
// it was idle for more than a second (pgx, stdlib.Conn.ResetSession).
func kindOfError(err error) string {
	if err == nil {
		return "none"
	}
	for _, part := range []string{
		"57P01", "57P02", "57P03", // terminated, crashed, not accepting connections yet
		"connection refused", "connection reset", "broken pipe", "EOF", "conn closed", "bad connection",
		"closed network connection", "already been committed or rolled back",
	} {
		if strings.Contains(err.Error(), part) {
			return "gone"
		}
	}
	return "another"
}

// A COMMIT is cut: it may have been carried out, or not. In both cases everybody reads what has become of it.
func TestCommitCutByAnInterruption(t *testing.T) {
	t.Parallel()
	for _, how := range interruptions() {
		for _, landed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, landed: %t", how.name, landed), func(t *testing.T) {
				t.Parallel()
				w, server := onServer(t)
				plain := w.wares(1)
				writer, reader := w.cached(), w.cached()
				before := look(t, plain.DB, 1)
				reader.warmView(t, 1, before)
				writer.warmView(t, 1, before)
				waiting, let := w.holdCommits(plain, landed)
				done := make(chan error, 1)
				go func() { done <- writer.Model(&ware{ID: 10}).Update("name", "new").Error }()
				testkit.Eventually(t, "COMMIT is under way", waiting)
				let()
				how.run(t, server)
				require.Error(t, <-done)
				for _, h := range []*handle{plain, reader, writer} {
					testkit.Eventually(t, "the pool connects anew", func() bool { return h.Exec("SELECT 1").Error == nil })
				}
				want := look(t, w.plain().DB, 1)
				require.Equal(t, landed, want.Row[0].Name == "new")
				for range 3 {
					require.Equal(t, want, look(t, reader.DB, 1))
					require.Equal(t, want, look(t, writer.DB, 1))
				}
				w.requireAllLapse()
			})
		}
	}
}

// holdCommits makes a COMMIT that changes wares wait: before it is carried out, or after it, for a standby that is not
// there. It returns what tells whether one waits, and what lets those go that come after the interruption.
func (w *world) holdCommits(plain *handle, landed bool) (waiting func() bool, let func()) {
	w.t.Helper()
	if !landed {
		g := newGate(w.t, plain, "wares", true)
		return func() bool { return g.waiting() != 0 }, func() {}
	}
	require.NoError(w.t, plain.Exec("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").Error)
	require.NoError(w.t, plain.Exec("SELECT pg_reload_conf()").Error)
	standby := func() (held int64) {
		require.NoError(w.t, plain.Raw("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&held).Error)
		return held
	}
	// Sessions learn of the setting before the checkpointer makes it hold: a COMMIT tells (PostgreSQL, syncrep.c).
	testkit.Eventually(w.t, "the setting holds", func() bool {
		probe := make(chan error, 1)
		go func() { probe <- plain.Exec("SELECT pg_logical_emit_message(true, 'probe', '')").Error }()
		for {
			select {
			case err := <-probe:
				require.NoError(w.t, err)
				return false
			default:
			}
			if standby() > 0 {
				require.NoError(w.t, plain.Exec("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Error)
				require.NoError(w.t, <-probe)
				return true
			}
		}
	})
	return func() bool { return standby() > 0 }, func() {
		require.NoError(w.t, plain.Exec("ALTER SYSTEM RESET synchronous_standby_names").Error)
	}
}

// What was stored before the interruption is served after it. What was not is asked with connections that are gone: the
// program gets such an error once for each of them at most, as it does without a cache.
func TestEntriesOutliveAnInterruption(t *testing.T) {
	t.Parallel()
	for _, how := range interruptions() {
		t.Run(how.name, func(t *testing.T) {
			t.Parallel()
			w, server := onServer(t)
			w.wares(1)
			plain, h := w.plain(), w.cached()
			pool, err := h.DB.DB()
			require.NoError(t, err)
			want := look(t, plain.DB, 1)
			h.warmView(t, 1, want)
			connections := pool.Stats().OpenConnections
			how.run(t, server)
			h.requireHits(t, 1, want)
			for told := 0; ; told++ {
				// The driver finds out by itself that a connection is gone if it was idle for a second.
				kind := kindOfError(absent(h))
				if kind == "none" {
					break
				}
				require.Equal(t, "gone", kind)
				require.Less(t, told, connections)
			}
			w.requireWorksAgain(h, plain, want)
		})
	}
}
