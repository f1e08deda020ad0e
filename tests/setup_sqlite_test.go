package tests_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/glebarez/sqlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
)

// lite opens a SQLite database with a plugin of its own.
func (w *world) lite(dsn string) *handle {
	w.t.Helper()
	h := &handle{sql: &statements{}, log: &events{}}
	var err error
	h.DB, err = gorm.Open(sqlite.Open(dsn), &gorm.Config{Logger: logger.Discard})
	require.NoError(w.t, err)
	pool, err := h.DB.DB()
	require.NoError(w.t, err)
	pool.SetMaxOpenConns(1) // as programs do whose database is in memory
	w.t.Cleanup(func() { _ = pool.Close() })
	w.use(h, withPlugin(func(c *rediscache.Config) { c.Timeout = 5 * time.Second }))
	return h
}

func TestSQLiteFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	a, same, b := w.lite(filepath.Join(dir, "a.db")), w.lite(filepath.Join(dir, "a.db")), w.lite(filepath.Join(dir, "b.db"))
	for name, h := range map[string]*handle{"a": a, "b": b} {
		require.NoError(t, h.AutoMigrate(&member{}))
		require.NoError(t, h.Create(&member{Name: name}).Error)
	}
	list := func(db *gorm.DB) (names []string) {
		require.NoError(t, db.Model(&member{}).Order("id").Pluck("name", &names).Error)
		return names
	}
	a.warm(t, func(db *gorm.DB) { nameOf(t, db, 1); list(db) })
	b.warm(t, func(db *gorm.DB) { nameOf(t, db, 1); list(db) })
	same.warm(t, func(db *gorm.DB) { require.Equal(t, "a", nameOf(t, db, 1)) })
	for name, write := range map[string]func(db *gorm.DB) error{
		"autocommit": func(db *gorm.DB) error {
			return db.Exec("UPDATE members SET name = ? WHERE id = 1", "autocommit").Error
		},
		"transaction": func(db *gorm.DB) error { return db.Model(&member{ID: 1}).Update("name", "transaction").Error },
		"returning": func(db *gorm.DB) error {
			return db.Raw("UPDATE members SET name = ? WHERE id = 1 RETURNING id", "returning").Scan(new(int)).Error
		},
	} {
		require.NoError(t, write(same.DB))
		for range 2 {
			require.Equal(t, name, nameOf(t, a.DB, 1))
			require.Equal(t, []string{name}, list(a.DB))
			require.Equal(t, "b", nameOf(t, b.DB, 1))
		}
		a.warm(t, func(db *gorm.DB) { nameOf(t, db, 1); list(db) })
	}
	require.NoError(t, same.Unscoped().Delete(&member{}, 1).Error)
	require.ErrorIs(t, a.First(&member{}, 1).Error, gorm.ErrRecordNotFound)
	require.Empty(t, list(a.DB))
}

// A database in memory has no name: each handle has its own.
func TestSQLiteInMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handles := []*handle{w.lite(":memory:"), w.lite(":memory:"), w.lite("file:" + t.Name() + "?mode=memory&cache=shared")}
	for i, h := range handles {
		require.NoError(t, h.AutoMigrate(&member{}))
		require.NoError(t, h.Create(&member{Name: string(rune('a' + i))}).Error)
	}
	shared := w.lite("file:" + t.Name() + "?mode=memory&cache=shared")
	for range 2 {
		for i, h := range handles {
			h.warm(t, func(db *gorm.DB) { require.Equal(t, string(rune('a'+i)), nameOf(t, db, 1)) })
		}
		require.Equal(t, "c", nameOf(t, shared.DB, 1))
	}
	require.NoError(t, shared.Model(&member{ID: 1}).Update("name", "changed").Error)
	require.Equal(t, "changed", nameOf(t, handles[2].DB, 1))
	require.Equal(t, "a", nameOf(t, handles[0].DB, 1))
}
