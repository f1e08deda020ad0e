package tests_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/glebarez/sqlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// lite opens a handle on SQLite, with a plugin of its own.
func (w *world) lite(dsn string, options ...option) *handle {
	w.t.Helper()
	gormConfig := &gorm.Config{Logger: logger.Discard}
	h := &handle{sql: &statements{}, log: &events{}}
	cfg := rediscache.Config{
		Redis: w.redis, Namespace: w.namespace, Recorder: h.log, Timeout: patience, LearnTimeout: patience,
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, o := range options {
		o(gormConfig, &cfg)
	}
	var err error
	h.DB, err = gorm.Open(sqlite.Open(dsn), gormConfig)
	require.NoError(w.t, err)
	pool, err := h.DB.DB()
	require.NoError(w.t, err)
	pool.SetMaxOpenConns(1) // a database in memory lives as long as its connection
	w.t.Cleanup(func() { _ = pool.Close() })
	h.plugin = rediscache.New(cfg)
	require.NoError(w.t, h.Use(h.plugin))
	w.t.Cleanup(func() {
		ctx, cancel := contextWithTimeout(w.t, 100*time.Millisecond)
		defer cancel()
		_ = h.plugin.Close(ctx)
	})
	return h
}

// liteDSNs are the kinds of databases that SQLite has.
func liteDSNs(t *testing.T) map[string]string {
	t.Helper()
	unique := testkit.Unique(t)
	return map[string]string{
		"file":             filepath.Join(t.TempDir(), "a.db"),
		"file as a URI":    "file:" + filepath.Join(t.TempDir(), "b.db"),
		"memory":           ":memory:",
		"memory as a URI":  "file::memory:",
		"shared memory":    "file:" + unique + "?mode=memory&cache=shared",
		"temporary, empty": "",
	}
}

// createGroup makes the tables and a group, with the handle itself.
func createGroup(t *testing.T, h *handle) view {
	t.Helper()
	require.NoError(t, h.AutoMigrate(&ware{}, &sticker{}))
	rows := groupOf(1)
	require.NoError(t, h.Create(&rows).Error)
	return look(t, h.Clauses(rediscache.Bypass).Session(&gorm.Session{}), 1)
}

func TestSQLiteIsCachedAndInvalidated(t *testing.T) {
	t.Parallel()
	for name, dsn := range liteDSNs(t) {
		for how, options := range map[string][]option{
			"plain":                       nil,
			"prepared":                    {withGORM(func(c *gorm.Config) { c.PrepareStmt = true })},
			"without default transaction": {withGORM(func(c *gorm.Config) { c.SkipDefaultTransaction = true })},
			"wrapped":                     {withPlugin(func(c *rediscache.Config) { c.WrapConnPool = true })},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				w, dsn := newWorld(t), dsn
				if name == "file" || name == "file as a URI" || name == "shared memory" {
					dsn = fmt.Sprintf(map[string]string{
						"file": "%[1]s/%[2]s.db", "file as a URI": "file:%[1]s/%[2]s.db",
						"shared memory": "file:%[2]s?mode=memory&cache=shared",
					}[name], t.TempDir(), testkit.Unique(t))
				}
				h := w.lite(dsn, options...)
				h.warmView(t, 1, createGroup(t, h))
				truth := func() view { return look(t, h.Session(&gorm.Session{Context: rediscache.WithBypass(t.Context())}), 1) }
				for i, write := range []func(*gorm.DB) error{
					func(db *gorm.DB) error { return db.Model(&ware{ID: 10}).Update("name", "one").Error },
					func(db *gorm.DB) error { return db.Exec("UPDATE wares SET name = 'two' WHERE id = 10").Error },
					func(db *gorm.DB) error { return db.Create(&ware{ID: 12, Grp: 1}).Error },
					func(db *gorm.DB) error { r := stickerOf(1); return db.Create(&r).Error },
					func(db *gorm.DB) error { return db.Delete(&ware{}, 11).Error },
					func(db *gorm.DB) error { return db.Save(&ware{ID: 10, Grp: 1, Name: "three"}).Error },
					func(db *gorm.DB) error {
						return db.Raw("UPDATE wares SET name = 'four' WHERE id = 10 RETURNING id").Scan(new(int)).Error
					},
					func(db *gorm.DB) error {
						return db.Transaction(func(tx *gorm.DB) error { return tx.Model(&ware{ID: 10}).Update("name", "five").Error })
					},
					func(db *gorm.DB) error {
						return db.Connection(func(tx *gorm.DB) error {
							return tx.Exec("REPLACE INTO wares (id, grp, name) VALUES (10, 1, 'six')").Error
						})
					},
				} {
					before := truth()
					require.NoError(t, write(h.DB), i)
					got := look(t, h.DB, 1)
					want := truth()
					require.NotEqual(t, want, before, i)
					require.Equal(t, want, got, i)
					h.warmView(t, 1, want)
				}
				require.ErrorIs(t, h.Transaction(func(tx *gorm.DB) error {
					require.NoError(t, tx.Exec("UPDATE wares SET name = 'undone'").Error)
					return errWay
				}), errWay)
				h.requireHits(t, 1, truth())
			})
		}
	}
}

// Databases in memory are nobody else's: the entries of one are not served to another.
func TestDatabasesInMemoryDoNotMix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, dsn := range []string{":memory:", "file::memory:", ""} {
		a, b := w.lite(dsn), w.lite(dsn)
		wantA := createGroup(t, a)
		createGroup(t, b)
		require.NoError(t, b.Exec("UPDATE wares SET name = 'second'").Error)
		a.warmView(t, 1, wantA)
		wantB := look(t, b.Session(&gorm.Session{Context: rediscache.WithBypass(t.Context())}), 1)
		require.Equal(t, "second", wantB.Row[0].Name, dsn)
		b.warmView(t, 1, wantB)
		require.NoError(t, a.Exec("UPDATE wares SET name = 'first'").Error)
		b.requireHits(t, 1, wantB)
		require.Equal(t, "first", look(t, a.DB, 1).Row[0].Name, dsn)
	}
}

// Handles of one file, or of one shared database in memory, share their entries.
func TestHandlesOfOneSQLiteDatabaseShareEntries(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{
		"file":          filepath.Join(t.TempDir(), "a.db") + "?_pragma=busy_timeout(5000)",
		"shared memory": "file:" + testkit.Unique(t) + "?mode=memory&cache=shared",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.lite(dsn)
			want := createGroup(t, a)
			b := w.lite(dsn)
			a.warmView(t, 1, want)
			b.requireHits(t, 1, want)
			require.NoError(t, b.Model(&ware{ID: 10}).Update("name", "new").Error)
			got := look(t, a.DB, 1)
			require.Equal(t, "new", got.Row[0].Name)
			b.warmView(t, 1, got)
			a.requireHits(t, 1, got)
		})
	}
	// Files of one name in two directories are two databases.
	w := newWorld(t)
	a, b := w.lite(filepath.Join(t.TempDir(), "a.db")), w.lite(filepath.Join(t.TempDir(), "a.db"))
	a.warmView(t, 1, createGroup(t, a))
	createGroup(t, b)
	require.NoError(t, b.Exec("UPDATE wares SET name = 'second'").Error)
	require.Equal(t, "second", look(t, b.DB, 1).Row[0].Name)
	e := a.log.read(t, func() { require.NoError(t, a.First(&ware{}, 10).Error) })
	require.Equal(t, metrics.Hit, e.Outcome)
}
