package tests_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// The connection is lost while COMMIT is under way; the server carries it out later. Until then readers get what is
// there and store nothing, so afterwards nobody is served what was there before.
func TestCommitWithoutAnAnswerIsNeverServedOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	require.NoError(t, plain.Exec(`
		CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
		  BEGIN PERFORM pg_advisory_xact_lock_shared(hashtext(current_schema())); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON members DEFERRABLE INITIALLY DEFERRED
		  FOR EACH ROW EXECUTE FUNCTION wait()`).Error)
	lock := plain.Begin()
	t.Cleanup(func() { lock.Rollback() })
	require.NoError(t, lock.Exec("SELECT pg_advisory_xact_lock(hashtext(current_schema()))").Error)

	dsn, err := url.Parse(w.dsn)
	require.NoError(t, err)
	proxy := testkit.StartProxy(t, dsn.Host)
	dsn.Host = proxy.Addr
	cut := *w
	cut.dsn = dsn.String()
	writer, reader := cut.cached(), w.cached()
	read := func(db *gorm.DB) {
		var m member
		require.NoError(t, db.First(&m, 1).Error)
	}
	reader.warm(t, read)

	failed := make(chan error)
	go func() { failed <- writer.Model(&member{ID: 1}).Update("name", "changed").Error }()
	testkit.Eventually(t, "COMMIT is under way", func() bool {
		var n int64
		require.NoError(t, plain.Raw("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND "+
			"objid = hashtext(current_schema())::oid").Scan(&n).Error)
		return n == 1
	})
	proxy.Cut()
	require.Error(t, <-failed)
	proxy.Restore()

	e := reader.log.read(t, func() { read(reader.DB) })
	require.Equal(t, metrics.ReasonWriting, e.Reason)
	require.NoError(t, lock.Commit().Error) // now the server goes on
	testkit.Eventually(t, "it is carried out", func() bool {
		var want, got member
		// What is read later is at least as new.
		require.NoError(t, plain.First(&want, 1).Error)
		require.NoError(t, reader.First(&got, 1).Error)
		if want.Name == "changed" {
			require.Equal(t, "changed", got.Name)
		}
		return want.Name == "changed"
	})
	read(writer.DB)
}
