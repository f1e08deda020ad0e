package tests_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// What a transaction writes is served to nobody while it may be rolled back, and when it is, nothing is invalidated.
func TestRollbackOnEveryDialect(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(t *testing.T, w *world) {
		plain := w.wares(1)
		writer, reader := w.cached(), w.cached()
		want := look(t, plain.DB, 1)
		reader.warmView(t, 1, want)
		for _, session := range []*gorm.Session{{}, {PrepareStmt: true}, {SkipDefaultTransaction: true}} {
			events := writer.log.wrote(func() {
				tx := writer.Session(session).Begin()
				require.NoError(t, tx.Model(&ware{ID: 10}).Update("name", "new").Error)
				require.NoError(t, tx.Create(&ware{ID: 12, Grp: 1}).Error)
				require.NoError(t, tx.Exec("DELETE FROM wares WHERE id = 11").Error)
				require.NotEqual(t, want, look(t, tx, 1))
				reader.requireHits(t, 1, want)
				require.NoError(t, tx.Rollback().Error)
				reader.requireHits(t, 1, want)
			})
			require.Empty(t, events)
		}
	})
}

// Reads with a lock go to the database, and leave nothing: each waits for the one before, and no update is lost.
func TestLockedReadOnEveryDialect(t *testing.T) {
	t.Parallel()
	onEveryDialect(t, func(t *testing.T, w *world) {
		plain := w.members(1)
		locks := map[string]func(*gorm.DB) *gorm.DB{
			"UPDATE": func(db *gorm.DB) *gorm.DB { return db.Clauses(clause.Locking{Strength: "UPDATE"}) },
		}
		if w.dialect.is("mysql") {
			locks["LOCK IN SHARE MODE"] = func(db *gorm.DB) *gorm.DB {
				return db.Raw("SELECT * FROM members WHERE id = 1 LOCK IN SHARE MODE")
			}
			locks["FOR UPDATE"] = func(db *gorm.DB) *gorm.DB { return db.Raw("SELECT * FROM members WHERE id = 1 FOR UPDATE WAIT 5") }
			locks["SHARE"] = func(db *gorm.DB) *gorm.DB { return db.Raw("SELECT * FROM members WHERE id = 1 FOR UPDATE NOWAIT") }
		}
		if w.dialect.is("sqlite") {
			locks = nil // which has no such reads: GORM leaves the clause out
		}
		h := w.cached()
		warmMember(t, h, 1)
		for name, lock := range locks {
			for range 3 {
				var m []member
				e := h.log.read(t, func() { require.NoError(t, lock(h.DB).Find(&m).Error, name) })
				require.Equal(t, metrics.ReasonLock, e.Reason, name)
				require.Len(t, m, 1)
			}
		}
		const each = 5
		require.NoError(t, h.Model(&member{ID: 1}).Update("age", 100).Error)
		var wg sync.WaitGroup
		for _, h := range []*handle{h, w.cached()} {
			wg.Go(func() {
				for range each {
					_ = nameOf(t, h.DB, 1) // so that it is cached all the time
					require.NoError(t, withdraw(w, h.DB))
				}
			})
		}
		wg.Wait()
		var m, want member
		require.NoError(t, h.First(&m, 1).Error)
		require.NoError(t, plain.First(&want, 1).Error)
		require.Equal(t, want, m)
		require.Equal(t, 100-2*each, m.Age)
	})
}

// withdraw reads with a lock and writes. SQLite locks when it writes: there the first statement of the transaction does.
func withdraw(w *world, db *gorm.DB) error {
	return db.Transaction(func(tx *gorm.DB) error {
		if w.dialect.is("sqlite") {
			if err := tx.Exec("UPDATE members SET name = name").Error; err != nil {
				return err
			}
		}
		var m member
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).First(&m, 1).Error; err != nil {
			return err
		}
		return tx.Model(&m).Update("age", m.Age-1).Error
	})
}

// A connection that MySQL's KILL ends, or a statement that it interrupts, leaves nothing old, whenever it comes.
func TestMySQLConnectionKilledDuringAWrite(t *testing.T) {
	t.Parallel()
	for _, kill := range []string{"KILL", "KILL QUERY", "KILL HARD"} {
		t.Run(kill, func(t *testing.T) {
			t.Parallel()
			w := newWorldOn(t, onMySQL())
			plain := w.members(2)
			h, other := w.cached(), w.cached()
			other.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
			_ = h.Transaction(func(tx *gorm.DB) error {
				require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "never").Error)
				var id int
				require.NoError(t, tx.Raw("SELECT CONNECTION_ID()").Scan(&id).Error)
				require.NoError(t, plain.Exec(fmt.Sprintf("%s %d", kill, id)).Error)
				return tx.Exec("UPDATE members SET name = 'nor this' WHERE id = 1").Error
			})
			want := nameOf(t, plain.DB, 1)
			for range 3 {
				require.Equal(t, want, nameOf(t, h.DB, 1))
				require.Equal(t, want, nameOf(t, other.DB, 1))
			}
			// In autocommit, while the statement waits for a lock.
			holder := plain.Begin()
			require.NoError(t, holder.Exec("UPDATE members SET name = 'held' WHERE id = 1").Error)
			wait := async(t, func() { _ = h.Exec("UPDATE members SET name = 'waited', age = 1 WHERE id = 1").Error })
			var id int
			waitFor(t, func() bool {
				require.NoError(t, plain.Raw("SELECT COALESCE(MAX(id), 0) FROM information_schema.processlist "+
					"WHERE db = DATABASE() AND info LIKE 'UPDATE members SET name = ''waited''%'").Scan(&id).Error)
				return id > 0
			})
			require.NoError(t, plain.Exec(fmt.Sprintf("%s %d", kill, id)).Error)
			wait()
			require.NoError(t, holder.Rollback().Error)
			want = nameOf(t, plain.DB, 1)
			require.Equal(t, want, nameOf(t, other.DB, 1))
			require.NoError(t, h.Model(&member{ID: 1}).Update("name", "again").Error)
			require.Equal(t, "again", nameOf(t, other.DB, 1))
		})
	}
}

// A transaction that the database ends by itself, for a deadlock, announces nothing that is not so.
func TestMySQLTransactionEndedByADeadlock(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, onMySQL())
	plain := w.members(2)
	a, b, reader := w.cached(), w.cached(), w.cached()
	view := func(db *gorm.DB) []string { return []string{nameOf(t, db, 1), nameOf(t, db, 2)} }
	reader.warm(t, func(db *gorm.DB) { view(db) })
	first, second := a.Begin(), b.Begin()
	require.NoError(t, first.Model(&member{ID: 1}).Update("name", "first").Error)
	require.NoError(t, second.Model(&member{ID: 2}).Update("name", "second").Error)
	var one error
	wait := async(t, func() { one = first.Model(&member{ID: 2}).Update("name", "first").Error })
	two := second.Model(&member{ID: 1}).Update("name", "second").Error
	wait() // MySQL ends one of the two; the other one goes on
	require.Error(t, errors.Join(one, two))
	ended, other := first, second
	if one == nil {
		ended, other = second, first
	}
	require.NoError(t, other.Commit().Error)
	reader.warm(t, func(db *gorm.DB) { view(db) })
	// What is written after it is in no transaction.
	require.NoError(t, ended.Exec("UPDATE members SET name = 'after' WHERE id = 1").Error)
	require.Equal(t, "after", nameOf(t, plain.DB, 1))
	require.Equal(t, "after", nameOf(t, reader.DB, 1))
	_ = ended.Rollback()
	require.Equal(t, view(plain.DB), view(reader.DB))
}
