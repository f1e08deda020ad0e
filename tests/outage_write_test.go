package tests_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

func TestFailWriteRefusesWritesThatCannotBeAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(3)
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	t.Cleanup(func() { _ = client.Close() })
	h := w.cached(on(client), withPlugin(func(c *rediscache.Config) { c.OnOutage = rediscache.FailWrite }))
	for name, write := range map[string]func() error{
		"default transaction": func() error { return h.Model(&member{ID: 1}).Update("name", "x").Error },
		"create":              func() error { return h.Create(&member{Name: "x"}).Error },
		"transaction": func() error {
			return h.Transaction(func(tx *gorm.DB) error { return tx.Model(&member{ID: 1}).Update("name", "x").Error })
		},
		"autocommit": func() error { return h.Exec("UPDATE members SET name = 'x'").Error },
		"returning":  func() error { return h.Raw("UPDATE members SET name = 'x' RETURNING id").Scan(new(int)).Error },
		"row":        func() error { return h.Raw("DELETE FROM members RETURNING id").Row().Scan(new(int)) },
	} {
		require.ErrorIs(t, write(), rediscache.ErrUnannounced, name)
	}
	// Nothing was written, and reading goes on.
	var want, got []member
	require.NoError(t, plain.Order("id").Find(&want).Error)
	require.NoError(t, h.Order("id").Find(&got).Error)
	require.Len(t, got, 3)
	require.Equal(t, want, got)
	for _, m := range got {
		require.NotEqual(t, "x", m.Name)
	}
}

// docs/guarantees.md: a writer that is cut off commits, and serves nothing old itself. Other processes may serve what
// was there before until it can tell Redis; then they do not.
func TestWriterThatIsCutOffTellsWhenItCan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	server := testkit.StartRedis(t)
	proxy := testkit.StartProxy(t, server.Addr)
	cut := redis.NewClient(&redis.Options{Addr: proxy.Addr})
	t.Cleanup(func() { _ = cut.Close() })
	writer, reader := w.cached(on(cut)), w.cached(on(server.Client()))
	read := func(h *handle) string {
		var m member
		require.NoError(t, h.First(&m, 1).Error)
		return m.Name
	}
	reader.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	writer.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, 1).Error) })
	proxy.Cut()
	require.NoError(t, writer.Model(&member{ID: 1}).Update("name", "changed").Error)
	events := writer.log.wrote(func() {})
	require.Empty(t, events)
	require.Equal(t, "changed", read(writer))
	require.Equal(t, "m1", read(reader), "the reader cannot know; if it does, this test tests nothing")
	proxy.Restore()
	testkit.Eventually(t, "the reader sees it", func() bool { return read(reader) == "changed" })
	require.Equal(t, "changed", read(writer))
	testkit.Eventually(t, "the writer serves from Redis again", func() bool {
		return read(writer) == "changed" && writer.log.lastOutcome() == metrics.Hit
	})
}

// A server that stalls makes a process give it up. When the stall is over before a write is, nobody may go on serving
// what the write has changed.
func TestWriteRightAfterAStallIsSeenByAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	server := testkit.StartRedis(t)
	writer, reader := w.cached(on(server.Client())), w.cached(on(server.Client()))
	read := func(db *gorm.DB) string {
		var m member
		require.NoError(t, db.First(&m, 1).Error)
		return m.Name
	}
	reader.warm(t, func(db *gorm.DB) { read(db) })
	writer.warm(t, func(db *gorm.DB) { read(db) })
	server.Stop()
	for range 6 {
		read(writer.DB) // it gives up
	}
	server.Continue()
	require.Empty(t, reader.sql.during(func() { read(reader.DB) }))
	require.NoError(t, writer.Model(&member{ID: 1}).Update("name", "changed").Error)
	require.Equal(t, "changed", read(reader.DB))
}

// silent is a store that answers no step of a write.
type silent struct{ store.Store }

func (silent) Intend(ctx context.Context, _ string, _ time.Duration, _, _ []keying.Tag) ([]store.Value, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (silent) Release(ctx context.Context, _ string, _, _ []keying.Tag) ([]store.Value, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// The plugin announces the write before its COMMIT, and waits for one deadline. As that failed, other processes would go on
// serving the old row; so after the COMMIT it tries the release twice, and waits for one deadline each.
func TestWriteWhileRedisSaysNothingWaitsForThreeDeadlinesAtMost(t *testing.T) {
	t.Parallel()
	inVirtualTime(t, onPostgres(), func(t *testing.T, w *world) {
		w.members(3)
		const deadline = time.Minute
		h := w.cached(withPlugin(func(c *rediscache.Config) { c.Store, c.Timeout = silent{w.store}, deadline }))
		h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
		start := time.Now()
		require.NoError(t, h.Model(&member{ID: 1}).Update("name", "changed").Error)
		require.Equal(t, 3*deadline, time.Since(start)) // of virtual time, which passes only while the plugin waits for Redis
	})
}
