package tests_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// barrier makes the server wait in the middle of a COMMIT, or of a statement, until it is opened.
type barrier struct {
	t    *testing.T
	lock int32
	open func()
	h    *handle
}

// newGate makes every change of a table's rows wait: at COMMIT if deferred is set, else before the change.
func newGate(t *testing.T, h *handle, table string, deferred bool) *barrier {
	t.Helper()
	g := &barrier{t: t, lock: rand.Int32(), h: h}
	require.NoError(t, h.Exec(fmt.Sprintf(`CREATE FUNCTION wait_%s() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM pg_advisory_xact_lock(%d); RETURN NEW; END $$`, table, g.lock)).Error)
	kind := "TRIGGER wait BEFORE UPDATE ON " + table
	if deferred {
		kind = "CONSTRAINT TRIGGER wait AFTER UPDATE ON " + table + " DEFERRABLE INITIALLY DEFERRED"
	}
	require.NoError(t, h.Exec("CREATE "+kind+" FOR EACH ROW EXECUTE FUNCTION wait_"+table+"()").Error)
	tx := h.Begin()
	require.NoError(t, tx.Exec(fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", g.lock)).Error)
	g.open = func() { tx.Rollback() }
	t.Cleanup(g.open)
	return g
}

// waiting returns the server process that waits at the barrier; 0 if there is none.
func (g *barrier) waiting() int {
	var pid int
	require.NoError(g.t, g.h.Raw("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = ? AND NOT granted",
		g.lock).Scan(&pid).Error)
	return pid
}

// busy reports whether any transaction but the asking one still holds a lock on the table of the tests.
func (g *barrier) busy() bool {
	var n int64
	require.NoError(g.t, g.h.Raw("SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND "+
		"relation = 'wares'::regclass AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()").Scan(&n).Error)
	return n > 0
}

// through returns the same world, whose database is reached by way of a proxy.
func (w *world) through() (*world, *testkit.Proxy) {
	w.t.Helper()
	u, err := url.Parse(w.dsn)
	require.NoError(w.t, err)
	proxy := testkit.StartProxy(w.t, u.Host)
	u.Host = proxy.Addr
	other := *w
	other.dsn = u.String()
	return &other, proxy
}

// cutWay is how an application loses the answer to a COMMIT.
type cutWay struct {
	name   string
	cut    func(g *barrier, proxy *testkit.Proxy, cancel func())
	landed bool // the server carries it out all the same
}

func cutWays() []cutWay {
	return []cutWay{
		{"the network is cut", func(_ *barrier, proxy *testkit.Proxy, _ func()) { proxy.Cut() }, true},
		{"the server process is terminated", func(g *barrier, _ *testkit.Proxy, _ func()) {
			require.NoError(g.t, g.h.Exec("SELECT pg_terminate_backend(?)", g.waiting()).Error)
		}, false},
		{"the context is canceled", func(_ *barrier, _ *testkit.Proxy, cancel func()) { cancel() }, false},
	}
}

// A COMMIT whose answer is lost may be carried out later. Until that is known nothing old is served, and nothing is
// stored that the COMMIT would make old.
func TestCommitInDoubtIsNeverStale(t *testing.T) {
	t.Parallel()
	for _, way := range cutWays() {
		for kind, write := range map[string]func(*gorm.DB, int) error{
			"default transaction": func(db *gorm.DB, id int) error {
				return db.Model(&ware{ID: id}).Update("name", "new").Error
			},
			"transaction": func(db *gorm.DB, id int) error {
				return db.Transaction(func(tx *gorm.DB) error {
					return tx.Exec("UPDATE wares SET name = 'new' WHERE id = ?", id).Error
				})
			},
			"autocommit without arguments": func(db *gorm.DB, _ int) error {
				return db.Exec("UPDATE wares SET name = 'new' WHERE id = 10").Error
			},
			"autocommit": func(db *gorm.DB, id int) error {
				return db.Exec("UPDATE wares SET name = 'new' WHERE id = ?", id).Error
			},
			"autocommit returning": func(db *gorm.DB, id int) error {
				return db.Raw("UPDATE wares SET name = 'new' WHERE id = ? RETURNING name", id).Scan(new(string)).Error
			},
		} {
			t.Run(way.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				plain := w.wares(1)
				far, proxy := w.through()
				writer, reader := far.cached(), w.cached()
				before := look(t, plain.DB, 1)
				reader.warmView(t, 1, before)
				writer.warmView(t, 1, before)
				g := newGate(t, plain, "wares", true)

				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := make(chan error, 1)
				go func() { done <- write(writer.WithContext(ctx), 10) }()
				testkit.Eventually(t, "COMMIT is under way", func() bool { return g.waiting() != 0 })
				// On its way, it may be carried out at any moment: nobody serves from Redis, nobody stores.
				require.Equal(t, before, look(t, reader.DB, 1))
				way.cut(g, proxy, cancel)
				require.Error(t, <-done)
				require.Equal(t, before, look(t, reader.DB, 1))
				require.Equal(t, before, look(t, reader.DB, 1))
				g.open()
				testkit.Eventually(t, "the server is done", func() bool { return !g.busy() })
				if way.landed {
					require.Equal(t, "new", look(t, plain.DB, 1).Row[0].Name)
				}
				proxy.Restore()
				want := look(t, plain.DB, 1)
				for range 3 {
					require.Equal(t, want, look(t, reader.DB, 1))
				}
				w.requireAllLapse()
				if os.Getenv("REDISCACHE_SOAK") == "" {
					return
				}
				require.Eventually(t, func() bool {
					require.Equal(t, want, look(t, reader.DB, 1))
					return reader.log.lastOutcome() == metrics.Hit
				}, 3*time.Minute, 100*time.Millisecond, "it is cached again")
			})
		}
	}
}

// requireAllLapse requires that all that is held of the world in Redis ends by itself, so that nothing that a writer
// left behind keeps readers from caching for ever.
func (w *world) requireAllLapse() {
	w.t.Helper()
	keys := w.redis.Scan(w.t.Context(), 0, w.namespace+"*", 1000).Iterator()
	n := 0
	for keys.Next(w.t.Context()) {
		ttl, err := w.redis.PTTL(w.t.Context(), keys.Val()).Result()
		require.NoError(w.t, err)
		require.NotEqual(w.t, time.Duration(-1), ttl, "%s is there for ever", keys.Val())
		n++
	}
	require.NoError(w.t, keys.Err())
	require.NotZero(w.t, n)
}

// A COMMIT that the server takes its time over: nothing is served that it may have made old; then the cache goes on.
func TestSlowCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.wares(1)
	writer, reader := w.cached(), w.cached()
	before := look(t, plain.DB, 1)
	reader.warmView(t, 1, before)
	g := newGate(t, plain, "wares", true)
	done := make(chan error, 1)
	go func() { done <- writer.Model(&ware{ID: 10}).Update("name", "new").Error }()
	testkit.Eventually(t, "COMMIT is under way", func() bool { return g.waiting() != 0 })
	for range 3 {
		e := reader.log.read(t, func() {
			var i ware
			require.NoError(t, reader.First(&i, 10).Error)
			require.Equal(t, "old", i.Name)
		})
		require.Equal(t, metrics.ReasonWriting, e.Reason)
	}
	g.open()
	require.NoError(t, <-done)
	after := look(t, reader.DB, 1)
	require.Equal(t, "new", after.Row[0].Name)
	reader.warmView(t, 1, after)
	writer.warmView(t, 1, after)
}

// A write in autocommit that returns rows commits when they have been read: what others read meanwhile is not stored.
func TestWriteCommitsWhenItsRowsHaveBeenRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.wares(1)
	writer, reader := w.cached(), w.cached()
	before := look(t, plain.DB, 1)
	reader.warmView(t, 1, before)
	g := newGate(t, plain, "wares", true)
	// More than a server keeps to itself before it sends some.
	rows, err := writer.Raw("UPDATE wares SET name = 'new' WHERE grp = 1 RETURNING repeat('x', 1000000)").Rows()
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	for range 3 {
		require.Equal(t, before, look(t, reader.DB, 1))
	}
	g.open()
	require.NoError(t, rows.Close())
	require.Equal(t, "new", look(t, reader.DB, 1).Row[0].Name)
}

// What the server refuses is not in doubt: what the statement would have touched is cached again at once.
func TestStatementThatTheServerRefusesIsNotInDoubt(t *testing.T) {
	t.Parallel()
	texts := map[string][]string{
		"postgres": {
			"COPY members FROM '/nowhere/at/all'", "INSERT INTO members (id) SELECT 1 / 0", "UPDATE members SET age = 'x'",
			"DO $$ BEGIN UPDATE members SET age = 99; RAISE EXCEPTION USING ERRCODE = '58030'; END $$",
		},
		"mysql": {
			"INSERT INTO needs (note) VALUES ('x')", "UPDATE members SET age = 99 WHERE refused(id) > 0",
			"INSERT INTO members (id, name) VALUES (1, 'again')",
			"CALL refuse()", // what it has done before stays
		},
		"sqlite": {"INSERT INTO members (id, name) VALUES (1, 'again')"},
	}
	onEveryDialect(t, func(t *testing.T, w *world) {
		plain := w.members(2)
		if w.dialect.name == "mysql" {
			for _, text := range []string{
				"CREATE TABLE needs (id INT NOT NULL PRIMARY KEY, note TEXT)",
				"CREATE PROCEDURE refuse() BEGIN UPDATE members SET age = 99; SIGNAL SQLSTATE 'HY000' SET MESSAGE_TEXT = 'no'; END",
				"CREATE FUNCTION refused(id INT) RETURNS INT BEGIN SIGNAL SQLSTATE 'HY000' SET MESSAGE_TEXT = 'no'; RETURN 1; END",
			} {
				require.NoError(t, plain.Exec(text).Error, text)
			}
		}
		h, other := w.cached(), w.cached()
		age := func(db *gorm.DB) any {
			var m member
			require.NoError(t, db.First(&m, 1).Error)
			return m.Age
		}
		for _, text := range texts[w.dialect.name] {
			agreesFromCache(t, plain, h, text, age)
			agreesFromCache(t, plain, other, text, age)
			for _, e := range h.log.wrote(func() { require.Error(t, h.Exec(text).Error, text) }) {
				require.Equal(t, metrics.RolledBack, e.Outcome, text)
			}
		}
		agreesFromCache(t, plain, h, "afterwards", age)
		agreesFromCache(t, plain, other, "afterwards", age)
	})
}
