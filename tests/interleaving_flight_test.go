package tests_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// blockTable keeps every read of a table waiting in the database until it is let go.
func blockTable(t *testing.T, plain *handle) (let func()) {
	t.Helper()
	tx := plain.Begin()
	require.NoError(t, tx.Exec("LOCK TABLE members IN ACCESS EXCLUSIVE MODE").Error)
	var once sync.Once
	let = func() { once.Do(func() { tx.Rollback() }) }
	t.Cleanup(let)
	return let
}

// readers waits until as many statements as that wait for a table that is blocked.
func readers(t *testing.T, w *world, n int) {
	t.Helper()
	admin := w.plain()
	waitFor(t, func() bool {
		var waiting int
		require.NoError(t, admin.Raw("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'members'::regclass").Scan(&waiting).Error)
		return waiting >= n
	})
}

// One reads for many; the many are not let down when the one is canceled, and each keeps its own deadline.
func TestReaderForOthersIsCanceled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	h, g := w.gated()
	let := blockTable(t, plain)
	first, cancelFirst := context.WithCancel(t.Context())
	var firstErr, hastyErr, patientErr error
	var got member
	waitFirst := async(t, func() { firstErr = h.WithContext(first).First(&member{}, 1).Error })
	readers(t, w, 1)
	// Two more come: one that will not wait, one that will.
	hasty, cancelHasty := context.WithCancel(t.Context())
	minted := g.count(afterLoad)
	waitHasty := async(t, func() { hastyErr = h.WithContext(hasty).First(&member{}, 1).Error })
	waitPatient := async(t, func() { patientErr = h.WithContext(t.Context()).First(&got, 1).Error })
	waitFor(t, func() bool { return g.count(afterLoad) >= minted+2 })
	cancelHasty()
	waitHasty()
	require.ErrorIs(t, hastyErr, context.Canceled)
	cancelFirst()
	waitFirst()
	require.ErrorIs(t, firstErr, context.Canceled)
	let()
	waitPatient()
	require.NoError(t, patientErr)
	require.Equal(t, "m1", got.Name)
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
}

// A reader that began before a write may be answered with what was there; one that begins after it must not be, nor be
// answered together with the first.
func TestReadDoesNotJoinOneFromBeforeAWrite(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*gorm.DB) any{
		"point": func(db *gorm.DB) any { var m member; db.First(&m, 1); return m.Name },
		"list":  func(db *gorm.DB) any { var m []member; db.Order("id").Find(&m); return m[0].Name },
		"count": func(db *gorm.DB) any {
			var n int64
			db.Model(&member{}).Where("name = 'm1'").Count(&n)
			return map[bool]string{true: "m1", false: "changed"}[n == 1]
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(2)
			h, g := w.gated()
			writer := w.cached()
			// The first one has its answer, which is on its way into the store: others may join it.
			put := g.hold(t, beforePut)
			require.Equal(t, "m1", read(h.DB))
			put.await()
			e := h.log.read(t, func() { require.Equal(t, "m1", read(h.DB)) })
			require.Equal(t, metrics.Hit, e.Outcome)
			require.True(t, e.Joined)
			require.NoError(t, writer.Model(&member{ID: 1}).Update("name", "changed").Error)
			e = h.log.read(t, func() { require.Equal(t, "changed", read(h.DB)) })
			require.False(t, e.Joined)
			put.resume()
			for range 3 {
				require.Equal(t, "changed", read(h.DB))
				require.Equal(t, "changed", read(writer.DB))
			}
		})
	}
}

// Whoever shares an answer shares no memory.
func TestReadersThatShareAnAnswerDoNotShareItsMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.migrate(&parcel{})
	note := "note"
	require.NoError(t, plain.Create(&parcel{ID: 1, Data: []byte("data"), Note: &note}).Error)
	h, g := w.gated()
	put := g.hold(t, beforePut)
	for i := range 5 {
		var p parcel
		e := h.log.read(t, func() { require.NoError(t, h.First(&p, 1).Error) })
		if i == 0 {
			put.await() // before another answer, the one below, is stored: it would be held in the place of this one
		}
		require.Equal(t, i > 0, e.Joined)
		require.Equal(t, "data", string(p.Data))
		require.Equal(t, "note", *p.Note)
		copy(p.Data, "XXXX")
		*p.Note = "spoiled"
		m := map[string]any{}
		require.NoError(t, h.Table("parcels").Where("id = 1").Take(&m).Error)
		if b, ok := m["data"].([]byte); ok {
			require.Equal(t, "data", string(b))
			copy(b, "XXXX")
		}
	}
	put.resume()
}

// Many goroutines that ask for the same at once: all of them see what was committed before they asked.
func TestManyReadersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(2)
	h := w.cached()
	pool, err := h.DB.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(3)
	for round := range 10 {
		require.NoError(t, h.Model(&member{ID: 1}).Update("age", round).Error)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				db := h.WithContext(ctx)
				var m []member
				switch i % 3 {
				case 0:
					require.NoError(t, db.Find(&m, 1).Error)
				case 1:
					require.NoError(t, db.Order("id").Find(&m).Error)
				default:
					require.NoError(t, db.Order("id").Find(&m, []int{1, 2}).Error)
				}
				require.Equal(t, round, m[0].Age)
			})
		}
		wg.Wait()
	}
}
