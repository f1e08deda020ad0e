package tests_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// A reading is a way to read members, as text.
type reading struct {
	name string
	read func(t *testing.T, db *gorm.DB) any
}

// readings are ways to read the rows that the interleavings write.
func readings() []reading {
	return []reading{
		{"row", func(t *testing.T, db *gorm.DB) any {
			var m member
			require.NoError(t, db.Limit(1).Find(&m, 1).Error)
			return m
		}},
		{"rows", func(t *testing.T, db *gorm.DB) any {
			var ms []member
			require.NoError(t, db.Order("id").Find(&ms, []int{1, 2, 3, 101}).Error)
			return ms
		}},
		{"list", func(t *testing.T, db *gorm.DB) any {
			var ms []member
			require.NoError(t, db.Order("id").Find(&ms).Error)
			return ms
		}},
		{"count", func(t *testing.T, db *gorm.DB) any {
			var n int64
			require.NoError(t, db.Model(&member{}).Count(&n).Error)
			return n
		}},
		{"absent row", func(t *testing.T, db *gorm.DB) any {
			var ms []member
			require.NoError(t, db.Find(&ms, 101).Error)
			return ms
		}},
		{"join", func(t *testing.T, db *gorm.DB) any {
			var pairs []struct{ Name, Next string }
			require.NoError(t, db.Raw("SELECT a.name, b.name AS next FROM members a JOIN members b ON b.id = a.id + 1 ORDER BY 1").Scan(&pairs).Error)
			return pairs
		}},
	}
}

// changes are writes that all readings see.
var changes = map[string]func(*gorm.DB) error{
	"by key": func(db *gorm.DB) error {
		return db.Transaction(func(tx *gorm.DB) error {
			if err := tx.Model(&member{ID: 1}).Update("name", "changed").Error; err != nil {
				return err
			}
			return tx.Create(&member{ID: 101, Name: "m101"}).Error
		})
	},
	"in bulk": func(db *gorm.DB) error {
		if db.Name() != "postgres" {
			return db.Exec("UPDATE members SET name = 'changed' WHERE age = 20; INSERT INTO members (id, name) VALUES (101, 'm101')").Error
		}
		return db.Exec("WITH u AS (UPDATE members SET name = 'changed' WHERE age = 20) INSERT INTO members (id, name) VALUES (101, 'm101')").Error
	},
	"deleted": func(db *gorm.DB) error {
		return db.Exec("DELETE FROM members WHERE id = 1; INSERT INTO members (id, name) VALUES (101, 'm101'), (102, 'x')").Error
	},
}

// fresh demands that handles read what a handle without the plugin reads.
func (w *world) fresh(t *testing.T, v reading, handles ...*handle) {
	t.Helper()
	want := v.read(t, w.plain().DB)
	for i, h := range handles {
		require.Equal(t, want, v.read(t, h.DB), "%s, handle %d", v.name, i)
	}
}

// eachReading runs a test for every way to read, on every kind of database; where the race detector watches, on PostgreSQL.
func eachReading(t *testing.T, test func(t *testing.T, w *world, v reading)) {
	t.Helper()
	for _, d := range raced(dialects()) {
		for _, v := range readings() {
			t.Run(d.name+", "+v.name, func(t *testing.T) {
				t.Parallel()
				w := newWorldOn(t, d)
				w.members(3)
				test(t, w, v)
			})
		}
	}
}

// A reader has read the database; before it stores the answer, somebody writes. The answer must never be served.
func TestAnswerThatIsStoredLateIsNeverServed(t *testing.T) {
	t.Parallel()
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachReading(t, func(t *testing.T, w *world, v reading) {
				slow, g := w.gated()
				writer, other := w.cached(), w.cached()
				g.during(t, beforePut, func() { v.read(t, slow.DB) }, func() { // its fill waits
					require.NoError(t, change(writer.DB))
					w.fresh(t, v, writer, other, slow)
				})
				w.fresh(t, v, slow, other, writer)
				other.warm(t, func(db *gorm.DB) { v.read(t, db) })
				w.fresh(t, v, other)
			})
		})
	}
}

// A reader has found nothing, and is about to mint the tokens; meanwhile somebody writes.
func TestReaderThatMintsLateReadsWhatIsNew(t *testing.T) {
	t.Parallel()
	eachReading(t, func(t *testing.T, w *world, v reading) {
		slow, g := w.gated()
		writer := w.cached()
		var got any
		g.during(t, beforeMint, func() { got = v.read(t, slow.DB) }, func() { require.NoError(t, changes["by key"](writer.DB)) })
		require.Equal(t, v.read(t, w.plain().DB), got)
		w.fresh(t, v, slow, writer)
	})
}

// Between a writer's steps others read what is committed, and nothing of what they read is served after the next step.
func TestReadsBetweenTheStepsOfAWrite(t *testing.T) {
	t.Parallel()
	for _, at := range []string{beforeIntend, afterIntend, beforeRelease} {
		for name, change := range changes {
			t.Run(at+", "+name, func(t *testing.T) {
				t.Parallel()
				eachReading(t, func(t *testing.T, w *world, v reading) {
					writer, g := w.gated()
					a, b := w.cached(), w.cached()
					for _, h := range []*handle{a, b, writer} {
						h.warm(t, func(db *gorm.DB) { v.read(t, db) })
					}
					g.during(t, at, func() { require.NoError(t, change(writer.DB)) }, func() {
						for range 2 {
							w.fresh(t, v, a, b)
						}
					})
					w.fresh(t, v, writer, a, b)
					a.warm(t, func(db *gorm.DB) { v.read(t, db) })
				})
			})
		}
	}
}

// Two writers of different rows overlap; the second is done while the first has yet to commit.
func TestWriterThatOverlapsAnotherDoesNotUncoverIt(t *testing.T) {
	t.Parallel()
	for _, at := range []string{afterIntend, beforeRelease} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			eachReading(t, func(t *testing.T, w *world, v reading) {
				if at == afterIntend && w.dialect.is("sqlite") {
					return // which has one writer at a time
				}
				first, g := w.gated()
				second, reader := w.cached(), w.cached()
				reader.warm(t, func(db *gorm.DB) { v.read(t, db) })
				g.during(t, at, func() { require.NoError(t, first.Model(&member{ID: 1}).Update("name", "m-first").Error) }, func() {
					require.NoError(t, second.Model(&member{ID: 2}).Update("name", "m-second").Error)
					w.fresh(t, v, reader, second)
				})
				w.fresh(t, v, reader, second, first)
			})
		})
	}
}

// A read in a transaction sees what the transaction has written, and leaves nothing of it to others, also if it is
// rolled back.
func TestReadInsideTransactionGoesToTheDatabase(t *testing.T) {
	t.Parallel()
	errUndo := errors.New("undo")
	eachReading(t, func(t *testing.T, w *world, v reading) {
		h, other := w.cached(), w.cached()
		before := v.read(t, w.plain().DB)
		read := func(db *gorm.DB) { require.Equal(t, before, v.read(t, db)) }
		h.warm(t, read)
		for _, undo := range []error{errUndo, nil} {
			err := h.Transaction(func(tx *gorm.DB) error {
				require.Len(t, h.sql.during(func() { read(tx) }), 1)
				require.NoError(t, changes["by key"](tx))
				for range 2 {
					require.NotEqual(t, before, v.read(t, tx))
					require.Equal(t, metrics.ReasonTransaction, h.log.read(t, func() { v.read(t, tx) }).Reason)
				}
				read(other.DB)
				read(h.DB) // another connection
				return undo
			})
			require.ErrorIs(t, err, undo)
			if undo != nil {
				require.Empty(t, h.sql.during(func() { read(h.DB) }), "a rollback invalidates nothing")
				read(other.DB)
			}
		}
		w.fresh(t, v, h, other)
	})
}

// A transaction with a snapshot goes on seeing what is old; nobody else does.
func TestSnapshotOfATransactionIsNotStored(t *testing.T) {
	t.Parallel()
	eachReading(t, func(t *testing.T, w *world, v reading) {
		h, other := w.cached(), w.cached()
		var options []*sql.TxOptions
		if !w.dialect.is("sqlite") { // whose every transaction has a snapshot
			options = append(options, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		}
		tx := h.Begin(options...)
		before := v.read(t, tx)
		require.NoError(t, changes["by key"](other.DB))
		require.Equal(t, before, v.read(t, tx))
		w.fresh(t, v, h, other)
		require.Equal(t, before, v.read(t, tx))
		require.NoError(t, tx.Commit().Error)
		w.fresh(t, v, h, other)
	})
}

// A program asks for the same row at once, while it is made: each gets it, or not, and nobody keeps "not".
func TestFirstOrCreateAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	handles := []*handle{w.cached(), w.cached()}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			h := handles[i%2]
			var m member
			_ = h.Where(member{ID: 101}).Attrs(member{Name: "m101"}).FirstOrCreate(&m).Error // one of them wins
			require.NoError(t, h.First(&m, 101).Error)
			require.Equal(t, "m101", m.Name)
		})
	}
	wg.Wait()
}

// The caller of a write gives up while it commits: its steps are taken all the same.
func TestWriteWhoseContextEndsAtEachStep(t *testing.T) {
	t.Parallel()
	for _, at := range []string{beforeIntend, afterIntend, beforeRelease} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.members(3)
			writer, g := w.gated()
			reader := w.cached()
			v := readings()[0]
			reader.warm(t, func(db *gorm.DB) { v.read(t, db) })
			ctx, cancel := context.WithCancel(t.Context())
			g.during(t, at, func() { _ = writer.WithContext(ctx).Model(&member{ID: 1}).Update("name", "changed").Error }, cancel)
			w.fresh(t, v, reader, writer)
		})
	}
}
