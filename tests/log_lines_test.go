package tests_test

import (
	"context"
	"log/slog"
	"net/url"
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

// loggedInto has the lines of the plugin's log written down.
func loggedInto(log journal) option {
	return withPlugin(func(c *rediscache.Config) { c.Logger = slog.New(log) })
}

// A database that cannot be asked what it is: the log says so once, and not for each write.
func TestLogSaysOnceThatWritesCannotBeAnnounced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dsn = testkit.PostgresDatabase(t)
	admin := w.members(1)
	role := testkit.Unique(t)
	for _, text := range []string{
		"CREATE ROLE " + role + " LOGIN", "GRANT ALL ON members TO " + role, "REVOKE SELECT ON pg_catalog.pg_database FROM PUBLIC",
	} {
		require.NoError(t, admin.Exec(text).Error, text)
	}
	t.Cleanup(func() {
		db := admin.WithContext(context.Background())
		db.Exec("DROP OWNED BY " + role)
		db.Exec("DROP ROLE " + role)
	})
	u, err := url.Parse(w.dsn)
	require.NoError(t, err)
	u.User = url.User(role)
	restricted := *w
	restricted.dsn, restricted.old = u.String(), true
	log := newJournal()
	h := restricted.cached(loggedInto(log))
	for range 3 {
		require.NoError(t, h.Exec("UPDATE members SET age = age + 1").Error)
	}
	require.Equal(t, 1, log.told("writes cannot be announced"))
}

// What keeps everything from being cached, until somebody changes it, is named with what to do about it; once, whatever is read.
func TestLogNamesTheSettingThatKeepsEverythingFromBeingCached(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dialect *dialect
		change  func(dsn string) string
		remedy  string
	}{
		{onPostgres(), func(dsn string) string { return dsn + "&standard_conforming_strings=off" }, "standard_conforming_strings=off; set it to on"},
		{onMySQL(), func(dsn string) string { return dsn + "&sql_mode=ANSI_QUOTES" }, "sql_mode=ANSI_QUOTES; set a sql_mode without it"},
		{onMySQL(), func(dsn string) string { return dsn + "&autocommit=0" }, "autocommit=OFF; set autocommit=1"},
	} {
		w := newWorldOn(t, c.dialect)
		w.members(1)
		odd := *w
		odd.dsn = c.change(w.dsn)
		log := newJournal()
		h := odd.cached(loggedInto(log))
		for range 3 {
			require.Equal(t, metrics.Bypass, h.log.read(t, func() { nameOf(t, h.DB, 1) }).Outcome)
		}
		require.Equal(t, 1, log.told("nothing of this database is cached"), c.remedy)
		require.Contains(t, strings.Join(log.values("error"), " "), c.remedy)
		require.Zero(t, log.told("nothing is cached until"))
	}
}

// rewriting is a pool that rewrites statements, as those that spread tables over several do. It has the methods of a transaction.
type rewriting struct{ gorm.ConnPool }

func (rewriting) Commit() error   { return nil }
func (rewriting) Rollback() error { return nil }

// By its looks, every statement of such a pool is in a transaction: nothing is cached, and the log says why, once.
func TestPoolThatLooksLikeATransactionIsNamedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	log := newJournal()
	h := w.cached(loggedInto(log))
	require.NoError(t, h.Callback().Query().Before("*").Register("rewrite", func(db *gorm.DB) {
		db.Statement.ConnPool = rewriting{db.Statement.ConnPool}
	}))
	for range 3 {
		require.Equal(t, metrics.ReasonTransaction, h.log.read(t, func() { nameOf(t, h.DB, 1) }).Reason)
	}
	require.Equal(t, 1, log.told("looks like a transaction"))
	require.Contains(t, log.values("pool"), "tests_test.rewriting")
	require.NoError(t, h.Transaction(func(tx *gorm.DB) error { nameOf(t, tx, 1); return nil }))
	require.Equal(t, 1, log.told("looks like a transaction"))
}

// Close waits no longer than it may, whatever a driver does.
func TestCloseHeedsItsContext(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, onSQLite())
	w.members(1)
	h := w.cached()
	let, asked := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(asked) })
	hold := func(text string) {
		if strings.Contains(text, "sqlite_master") {
			once()
			<-let
		}
	}
	h.sql.before.Store(&hold)
	read := make(chan string)
	go func() { read <- nameOf(t, h.DB, 1) }()
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, h.plugin.Close(ctx), context.DeadlineExceeded)
	close(let)
	require.Equal(t, "m1", <-read)
}
