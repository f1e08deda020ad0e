package tests_test

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/redisstore"
)

// outboxed gives a plugin an outbox.
func outboxed() option {
	return withPlugin(func(c *rediscache.Config) { c.OnOutage = rediscache.Outbox })
}

// nowhere is a client of a Redis that is not there.
func nowhere(t testing.TB) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// rowsLeft counts what is in the outbox.
func rowsLeft(t testing.TB, plain *handle) (n int) {
	t.Helper()
	require.NoError(t, plain.Raw("SELECT count(*) FROM rediscache_outbox").Scan(&n).Error)
	return n
}

// A writer that cannot tell Redis leaves what it touched in the database, in the same transaction, and nothing else does:
// not a write that Redis was told of, not one that is rolled back. Then it is gone, and any other process tells Redis.
func TestOutboxTellsOthersWhenTheWriterIsGone(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(t *testing.T, w *world) {
		plain := w.members(4)
		require.NoError(t, rediscache.CreateOutbox(plain.DB))
		reader := w.cached()
		warmMember(t, reader, 1)
		healthy := w.cached(outboxed())
		require.NotContains(t, strings.Join(healthy.sql.during(func() {
			require.NoError(t, healthy.Model(&member{ID: 2}).Update("name", "healthy").Error)
		}), "; "), "INSERT INTO")
		closeNow(t, healthy)

		writer := w.cached(on(nowhere(t)), outboxed())
		require.Error(t, writer.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "rolled back").Error)
			return gorm.ErrInvalidTransaction
		}))
		require.Zero(t, rowsLeft(t, plain))
		require.NoError(t, writer.Model(&member{ID: 1}).Update("name", "changed").Error)
		require.Equal(t, 1, rowsLeft(t, plain))
		name, _ := memberName(t, writer, 1)
		require.Equal(t, "changed", name)
		name, _ = memberName(t, reader, 1)
		require.Equal(t, "m1", name, "nobody can know; if it does, this test tests nothing")
		closeNow(t, writer) // it has nothing to tell any more that is not in the database

		w.cached(outboxed()) // any other
		testkit.Eventually(t, "the reader sees it", func() bool {
			name, _ := memberName(t, reader, 1)
			return name == "changed"
		})
		testkit.Eventually(t, "the outbox is empty", func() bool { return rowsLeft(t, plain) == 0 })
	})
}

// killedAtRelease is the store of a process that is killed right after its COMMIT.
type killedAtRelease struct{ store.Store }

func (killedAtRelease) Release(context.Context, string, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until it is carried out
}

// TestProcessThatIsKilledAfterItLeftARow is not a test: it is the process that TestOutboxOutlivesAKilledWriter kills.
func TestProcessThatIsKilledAfterItLeftARow(t *testing.T) { //nolint:paralleltest // it is no test
	dsn := os.Getenv("REDISCACHE_LEAVING_DSN")
	if dsn == "" {
		return
	}
	inner, err := redisstore.New(nowhere(t), redisstore.Options{Timeout: 5 * time.Second})
	require.NoError(t, err)
	db, err := gorm.Open(postgres.Open(dsn), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.Use(rediscache.New(rediscache.Config{
		Store: killedAtRelease{inner}, Namespace: os.Getenv("REDISCACHE_LEAVING_NAMESPACE"), OnOutage: rediscache.Outbox,
	})))
	require.NoError(t, db.Model(&member{ID: 1}).Update("name", "changed").Error)
	t.Fatal("it should have been killed")
}

// A process writes while Redis is down, and is killed right after its COMMIT. When Redis is back, with all its data, any
// process tells it.
func TestOutboxOutlivesAKilledWriter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	require.NoError(t, rediscache.CreateOutbox(plain.DB))
	server := testkit.StartRedis(t)
	reader := w.cached(on(server.Client()), outboxed())
	warmMember(t, reader, 1)
	server.Stop()
	cmd := exec.Command(os.Args[0], "-test.run=^TestProcessThatIsKilledAfterItLeftARow$")
	cmd.Env = append(os.Environ(), "REDISCACHE_LEAVING_DSN="+w.dsn, "REDISCACHE_LEAVING_NAMESPACE="+w.namespace)
	out, err := cmd.CombinedOutput()
	require.ErrorContains(t, err, "killed", string(out))
	require.Equal(t, 1, rowsLeft(t, plain))
	server.Continue()
	testkit.Eventually(t, "the reader sees it", func() bool {
		name, _ := memberName(t, reader, 1)
		return name == "changed"
	})
	testkit.Eventually(t, "the outbox is empty", func() bool { return rowsLeft(t, plain) == 0 })
	warmMember(t, reader, 1)
	name, _ := memberName(t, reader, 1)
	require.Equal(t, "changed", name)
}

// Every way of writing leaves its row, on every set-up, if it changes anything; and what is in the rows is all that has to be
// told: who relays them makes a reader right that nobody else tells of anything.
func TestEveryWayOfWritingLeavesItsRow(t *testing.T) {
	t.Parallel()
	ways := append(autocommitWays(), transactionWays()...)
	// Tags that were collected before a savepoint was rolled back to are announced: docs/guarantees.md.
	needless := []string{"nested, only the inner writes and is rolled back", "savepoint rolled back"}
	differ := []string{"plain", "prepared without default transaction", "simple protocol", "wrapped", "resolver after with sources"}
	for _, s := range raced(slices.DeleteFunc(setUps(), func(s setUp) bool { return !slices.Contains(differ, s.name) })) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.wares(len(ways))
			require.NoError(t, plain.Exec("CREATE TABLE deferreds (ware_id bigint REFERENCES wares (id) "+
				"DEFERRABLE INITIALLY DEFERRED)").Error)
			require.NoError(t, rediscache.CreateOutbox(plain.DB))
			reader := w.cached()
			away := *w
			away.redis = nowhere(t)
			away.store, away.old = nil, true // what this handle would find in Redis is nothing
			away.outage = rediscache.Outbox
			writer := s.open(&away)
			var told []int
			for i, way := range ways {
				if way.pinned {
					continue // on a connection that the application holds: as under Journal
				}
				c := &cell{t: t, grp: i + 1, id: (i + 1) * 10, setUp: s, writer: writer, db: s.db(writer)}
				c.before = look(t, plain.DB, c.grp)
				reader.warmView(t, c.grp, c.before)
				before := rowsLeft(t, plain)
				require.ErrorIs(t, way.run(c), way.err, way.name)
				left := rowsLeft(t, plain) - before
				switch {
				case way.changes:
					require.Positive(t, left, way.name)
					told = append(told, c.grp)
				case way.name != needless[0] && way.name != needless[1]:
					require.Zero(t, left, way.name)
				}
			}
			for _, grp := range told {
				require.NotEqual(t, look(t, plain.DB, grp), look(t, reader.DB, grp), "nobody can know; else this tests nothing")
			}
			w.cached(outboxed())
			testkit.Eventually(t, "the outbox is empty", func() bool { return rowsLeft(t, plain) == 0 })
			for i, way := range ways {
				require.Equal(t, look(t, plain.DB, i+1), look(t, reader.DB, i+1), way.name)
			}
		})
	}
}

// What is told by Invalidate, outside of any transaction, is left there, too.
func TestInvalidateLeavesItsRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(1)
	require.NoError(t, rediscache.CreateOutbox(plain.DB))
	h := w.cached(on(nowhere(t)), outboxed())
	require.NoError(t, rediscache.Invalidate(h.DB, rediscache.Row[member](1)))
	require.Equal(t, 1, rowsLeft(t, plain))
}

// An outbox that does not take a row is no reason to refuse a write, nor may it end the transaction.
func TestWriteIsJournaledIfTheOutboxDoesNotTakeIt(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(t *testing.T, w *world) {
		plain := w.members(2)
		require.NoError(t, rediscache.CreateOutbox(plain.DB))
		server := testkit.StartRedis(t)
		proxy := testkit.StartProxy(t, server.Addr)
		cut := redis.NewClient(&redis.Options{Addr: proxy.Addr, MaxRetries: -1})
		t.Cleanup(func() { _ = cut.Close() })
		log := &safeBuffer{}
		h := w.cached(on(cut), outboxed(), withPlugin(func(c *rediscache.Config) { c.Logger = slog.New(slog.NewTextHandler(log, nil)) }))
		warmMember(t, h, 1)
		require.NoError(t, plain.Exec("DROP TABLE rediscache_outbox").Error)
		proxy.Cut()
		require.NoError(t, h.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "changed").Error)
			return tx.Model(&member{ID: 2}).Update("name", "changed").Error
		}))
		require.Equal(t, 1, strings.Count(log.String(), "the outbox did not take it"), log.String())
		var m member
		require.NoError(t, plain.First(&m, 2).Error)
		require.Equal(t, "changed", m.Name)
		proxy.Restore()
		testkit.Eventually(t, "Redis is told from memory", func() bool {
			name, _ := memberName(t, h, 1)
			return name == "changed" && h.log.lastOutcome() == "hit"
		})
	})
}

// A process that may do nothing in the background relays when it has a statement.
func TestServerlessRelaysWithItsStatements(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	require.NoError(t, rediscache.CreateOutbox(plain.DB))
	writer := w.cached(on(nowhere(t)), outboxed())
	require.NoError(t, writer.Model(&member{ID: 1}).Update("name", "changed").Error)
	closeNow(t, writer)
	h := w.cached(outboxed(), withPlugin(func(c *rediscache.Config) { c.Serverless = rediscache.ServerlessOn }))
	require.Equal(t, 1, rowsLeft(t, plain))
	testkit.Eventually(t, "the outbox is empty", func() bool {
		require.NoError(t, h.First(&member{}, 2).Error)
		return rowsLeft(t, plain) == 0
	})
}

func TestOutboxIsWantedBeforeTheHandleIsUsed(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(t *testing.T, w *world) {
		h := w.plain()
		plugin := rediscache.New(rediscache.Config{
			Redis: w.redis, Namespace: w.namespace, OnOutage: rediscache.Outbox,
		})
		err := h.Use(plugin)
		require.ErrorIs(t, err, rediscache.ErrNoOutbox)
		require.ErrorIs(t, err, rediscache.ErrConfig)
		require.ErrorContains(t, err, "Config.OnOutage")
		require.ErrorContains(t, err, "CreateOutbox")
		for range 2 { // in a transaction, and again
			require.NoError(t, h.Transaction(rediscache.CreateOutbox))
		}
		require.NoError(t, h.Use(plugin))
		closed(t, plugin)
	})
	_, err := rediscache.OutboxSQL("oracle")
	require.ErrorContains(t, err, "oracle")
}

// Databases have outboxes of their own, and schemas, too: each handle uses the one that it finds.
func TestDatabasesHaveOutboxesOfTheirOwn(t *testing.T) {
	t.Parallel()
	first, second := newWorld(t), newWorld(t)
	plugin := rediscache.New(rediscache.Config{
		Redis: nowhere(t), Namespace: first.namespace, OnOutage: rediscache.Outbox, Timeout: 100 * time.Millisecond,
		Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(func() { closed(t, plugin) })
	for _, w := range []*world{first, second} {
		w.members(1)
		h := w.plain()
		require.NoError(t, rediscache.CreateOutbox(h.DB))
		require.NoError(t, h.Use(plugin))
		require.NoError(t, h.Model(&member{ID: 1}).Update("name", "changed").Error)
		require.Equal(t, 1, rowsLeft(t, w.plain()))
	}
	require.Equal(t, 1, rowsLeft(t, first.plain()))
}

// Nobody is told of what is written to the outbox, so it must not be cached.
func TestOutboxIsNotCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, rediscache.CreateOutbox(w.members(1).DB))
	h := w.cached()
	for range 3 {
		e := h.log.read(t, func() { rowsLeft(t, h) })
		require.EqualValues(t, "policy", e.Reason)
	}
}

// closed closes a plugin that has nothing to wait for.
func closed(t testing.TB, plugin *rediscache.Plugin) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, plugin.Close(ctx))
}
