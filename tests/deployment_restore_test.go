package tests_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// A database is set back to what it was, below the application: it still is the same database, and what was stored since is
// served for its time to live, unless somebody says so.
func TestDatabaseThatIsSetBack(t *testing.T) {
	t.Parallel()
	for name, back := range map[string]func(t *testing.T, w *world, server *testkit.PostgresServer, change func()){
		"from a copy of its folder": func(t *testing.T, _ *world, server *testkit.PostgresServer, change func()) {
			t.Helper()
			server.Stop()
			copied := t.TempDir()
			require.NoError(t, exec.Command("cp", "-a", server.Data+"/.", copied).Run())
			server.Start()
			change()
			server.Stop()
			require.NoError(t, os.RemoveAll(server.Data))
			require.NoError(t, exec.Command("cp", "-a", copied, server.Data).Run())
			server.Start()
		},
		"from a dump": func(t *testing.T, w *world, server *testkit.PostgresServer, change func()) {
			t.Helper()
			dump, err := exec.Command(testkit.PostgresProgram(t, "pg_dump"), "--clean", "--inserts", server.URL).Output()
			require.NoError(t, err)
			change()
			psql := exec.Command(testkit.PostgresProgram(t, "psql"), "-q", "-v", "ON_ERROR_STOP=1", w.dsn)
			in, err := psql.StdinPipe()
			require.NoError(t, err)
			require.NoError(t, psql.Start())
			_, err = in.Write(dump)
			require.NoError(t, err)
			require.NoError(t, in.Close())
			require.NoError(t, psql.Wait())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, server := onServer(t)
			w.old = true // the application is not told
			old := look(t, w.wares(1).DB, 1)
			h := w.cached()
			var since view
			back(t, w, server, func() {
				awaitPool(t, h)
				require.NoError(t, h.Model(&ware{ID: 10}).Update("name", "since").Error)
				since = look(t, w.plain().DB, 1)
				h.warmView(t, 1, since)
			})
			awaitPool(t, h)
			require.Equal(t, old, look(t, w.plain().DB, 1))
			h.requireHits(t, 1, since)
			require.NoError(t, rediscache.Invalidate(h.DB, rediscache.Everything()))
			require.Equal(t, old, look(t, h.DB, 1))
			h.warmView(t, 1, old)
		})
	}
}

// awaitPool waits until a handle has found out which of its connections are gone.
func awaitPool(t testing.TB, h *handle) {
	t.Helper()
	testkit.Eventually(t, "the pool connects anew", func() bool { return h.Exec("SELECT 1").Error == nil })
}

// A database that is restored under its name, or under another one, is another database: it shares no entry with the one
// that it is a copy of, neither way.
func TestDatabaseThatIsRestoredAnew(t *testing.T) {
	t.Parallel()
	w, server := onServer(t)
	admin := w.plain()
	require.NoError(t, admin.Exec("CREATE DATABASE shop").Error)
	original := *w
	original.old = true // a process that runs on finds out when it reads the catalog again
	original.dsn = strings.Replace(server.URL, "/postgres?", "/shop?", 1)
	plain := original.wares(1)
	h := original.cached()
	want := look(t, plain.DB, 1)
	h.warmView(t, 1, want)
	for _, db := range []*handle{plain, h} { // a template must not be in use
		pool, err := db.DB.DB()
		require.NoError(t, err)
		pool.SetMaxIdleConns(0)
	}
	require.NoError(t, admin.Exec("CREATE DATABASE copy TEMPLATE shop").Error)
	require.NoError(t, h.Model(&ware{ID: 10}).Update("name", "since").Error)
	h.warmView(t, 1, look(t, plain.DB, 1))
	require.NoError(t, admin.Exec("DROP DATABASE shop WITH (FORCE)").Error)
	require.NoError(t, admin.Exec("ALTER DATABASE copy RENAME TO shop").Error)
	restored := original.cached()
	e := restored.log.read(t, func() { require.NoError(t, restored.DB.Find(&[]ware{}, 10).Error) })
	require.Equal(t, metrics.Miss, e.Outcome)
	restored.warm(t, func(db *gorm.DB) { require.Equal(t, want, look(t, db, 1)) })
}
