package tests_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// A program that reads a row with a lock, computes, and writes it back loses no update: each one's read waits for the
// one before, and sees what it wrote, however often the row is cached.
func TestLockedReadLosesNoUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	lock := func(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.Locking{Strength: "UPDATE"}) }
	for name, withdraw := range map[string]func(*gorm.DB) error{
		"clause": func(tx *gorm.DB) error {
			var m member
			if err := lock(tx).First(&m, 1).Error; err != nil {
				return err
			}
			return tx.Model(&m).Update("age", m.Age-1).Error
		},
		"text": func(tx *gorm.DB) error {
			var age int
			if err := tx.Raw("SELECT age FROM members WHERE id = 1 FOR UPDATE").Scan(&age).Error; err != nil {
				return err
			}
			return tx.Exec("UPDATE members SET age = ? WHERE id = 1", age-1).Error
		},
		"save": func(tx *gorm.DB) error {
			var m []member
			if err := lock(tx).Find(&m, []int{1}).Error; err != nil {
				return err
			}
			m[0].Age--
			return tx.Save(&m[0]).Error
		},
	} {
		handles := []*handle{w.cached(), w.cached()}
		const each = 5
		require.NoError(t, handles[0].Model(&member{ID: 1}).Update("age", 100).Error)
		var wg sync.WaitGroup
		for _, h := range handles {
			for range 2 {
				wg.Go(func() {
					for range each {
						var m member
						require.NoError(t, h.First(&m, 1).Error) // so that it is cached all the time
						require.NoError(t, h.Transaction(withdraw))
					}
				})
			}
		}
		wg.Wait()
		for _, h := range handles {
			var m member
			require.NoError(t, h.First(&m, 1).Error)
			require.Equal(t, 100-4*each, m.Age, name)
		}
	}
}

// A read with a lock waits, although the row is stored and although another goroutine is reading it.
func TestLockedReadWaitsForTheLock(t *testing.T) {
	t.Parallel()
	for _, strength := range []string{"UPDATE", "SHARE", "NO KEY UPDATE", "KEY SHARE"} {
		t.Run(strength, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.old = true // the one who holds the lock does not tell
			plain := w.members(1)
			h := w.cached()
			h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
			locking := clause.Locking{Strength: strength}
			holder := plain.Begin()
			t.Cleanup(func() { holder.Rollback() })
			require.NoError(t, holder.Exec("SELECT 1 FROM members WHERE id = 1 FOR UPDATE").Error)
			require.NoError(t, holder.Exec("UPDATE members SET name = 'locked' WHERE id = 1").Error)
			// With NOWAIT it is refused at once: the lock was asked for.
			locking.Options = "NOWAIT"
			e := h.log.read(t, func() {
				require.ErrorContains(t, h.Clauses(locking).First(&member{}, 1).Error, "could not obtain lock")
			})
			require.Equal(t, metrics.ReasonLock, e.Reason)
			require.ErrorContains(t, h.Transaction(func(tx *gorm.DB) error { return tx.Clauses(locking).First(&member{}, 1).Error }),
				"could not obtain lock")
			locking.Options = "SKIP LOCKED"
			require.ErrorIs(t, h.Clauses(locking).First(&member{}, 1).Error, gorm.ErrRecordNotFound)
			// What it did not find is not stored as absent.
			require.Equal(t, "m1", nameOf(t, h.DB, 1))
			locking.Options = ""
			var got member
			wait := async(t, func() { require.NoError(t, h.Clauses(locking).First(&got, 1).Error) })
			waitFor(t, func() bool {
				var n int
				require.NoError(t, holder.Raw("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid() AND transactionid = (SELECT transactionid FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'transactionid')").Scan(&n).Error)
				return n > 0
			})
			require.Empty(t, h.sql.during(func() { require.Equal(t, "m1", nameOf(t, h.DB, 1)) }), "others are served meanwhile")
			require.NoError(t, holder.Commit().Error)
			wait()
			require.Equal(t, "locked", got.Name)
		})
	}
}

// Upserts of one row by several at a time: each one's answer, and everybody's next read, is of the latest.
func TestUpsertsOfOneRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&member{})
	require.NoError(t, plain.Exec("CREATE UNIQUE INDEX ON members (name)").Error)
	handles := []*handle{w.cached(), w.cached()}
	read := func(h *handle) (m member) {
		h.Where("name = ?", "one").Find(&m)
		return m
	}
	for round := range 10 {
		var wg sync.WaitGroup
		for _, h := range handles {
			read(h) // absent, in the first round
			wg.Go(func() {
				require.NoError(t, h.Clauses(clause.OnConflict{
					Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.Assignments(map[string]any{"age": gorm.Expr("members.age + 1")}),
				}).Create(&member{Name: "one"}).Error)
				m := read(h)
				require.GreaterOrEqual(t, m.Age, 2*round)
			})
		}
		wg.Wait()
		for _, h := range handles {
			m := read(h)
			require.Equal(t, 2*round+1, m.Age)
			var same member
			require.NoError(t, h.First(&same, m.ID).Error)
			require.Equal(t, m, same)
		}
	}
}
