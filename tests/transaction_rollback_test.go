package tests_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// A transaction announces what it wrote when it commits; one that is rolled back costs nobody anything.
func TestRollbackAnnouncesNothing(t *testing.T) {
	t.Parallel()
	for _, s := range setUps() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.wares(1)
			writer, reader := s.open(w), w.cached()
			want := look(t, plain.DB, 1)
			reader.warmView(t, 1, want)
			events := writer.log.wrote(func() {
				tx := s.db(writer).Begin()
				require.NoError(t, tx.Model(&ware{ID: 10}).Update("name", "new").Error)
				require.NoError(t, tx.Create(&ware{ID: 12, Grp: 1}).Error)
				require.NoError(t, tx.Exec("DELETE FROM wares WHERE id = 11").Error)
				reader.requireHits(t, 1, want)
				require.NoError(t, tx.Rollback().Error)
				reader.requireHits(t, 1, want)
			})
			require.Empty(t, events)
		})
	}
}

// Many transactions that are abandoned in every way leave the pools usable, and the cache as it was.
func TestAbandonedTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.wares(1)
	writer, reader := w.cached(), w.cached()
	pool, err := writer.DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(2)
	want := look(t, plain.DB, 1)
	reader.warmView(t, 1, want)
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		tx := writer.WithContext(ctx).Begin()
		require.NoError(t, tx.Model(&ware{ID: 10}).Update("name", "new").Error)
		cancel()
		tx = writer.Begin()
		require.NoError(t, tx.Error)
		_ = tx.Exec("nonsense")
		require.Error(t, tx.Commit().Error)
	}
	reader.warmView(t, 1, want)
	testkit.Eventually(t, "the connections are back", func() bool { return pool.Stats().InUse == 0 })
}

// With one connection, a transaction holds it: nothing of the cache may need another.
func TestPoolOfOneConnectionDoesNotHang(t *testing.T) {
	t.Parallel()
	for _, s := range setUps() {
		if s.resolver {
			continue // has other pools
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.wares(1)
			h := s.open(w)
			pool, err := h.DB.DB()
			require.NoError(t, err)
			pool.SetMaxOpenConns(1)
			// Less than the catalog would be waited for.
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			defer cancel()
			db := s.db(h).WithContext(ctx)
			for range 2 {
				require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
					require.NoError(t, tx.Model(&ware{ID: 10}).Update("name", "new").Error)
					require.NoError(t, tx.Exec("CREATE TABLE IF NOT EXISTS more (id int PRIMARY KEY)").Error)
					require.NoError(t, tx.Exec("INSERT INTO more VALUES (1) ON CONFLICT DO NOTHING").Error)
					look(t, tx, 1)
					return tx.Create(&sticker{WareID: 10}).Error
				}))
				require.NoError(t, db.Connection(func(tx *gorm.DB) error {
					return tx.Exec("UPDATE wares SET name = 'newer' WHERE id = 10").Error
				}))
				look(t, db, 1)
				rows, err := db.Raw("SELECT * FROM wares").Rows()
				require.NoError(t, err)
				require.NoError(t, rows.Close())
			}
			h.warm(t, func(db *gorm.DB) { look(t, db, 1) })
		})
	}
}
