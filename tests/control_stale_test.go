package tests_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// Who puts up with a stale answer gets it at once, of every kind, and it is read anew behind that.
func TestStaleOKServesWhatWasWrittenAndReadsItAnew(t *testing.T) {
	t.Parallel()
	for name, read := range dependents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.billed()
			h, writer := w.cached(), w.cached()
			stale := h.Clauses(rediscache.StaleOK(time.Hour)).Session(&gorm.Session{})
			h.warm(t, func(db *gorm.DB) { require.NoError(t, read(db)) })
			require.NoError(t, writer.Model(&bill{}).Where("1 = 1").Update("amount", 7).Error)
			var why rediscache.Explanation
			e := h.log.read(t, func() { require.NoError(t, read(stale.Clauses(rediscache.Explain(&why)))) })
			require.Equal(t, metrics.Hit, e.Outcome)
			require.True(t, e.Stale)
			require.Positive(t, e.Age)
			require.True(t, why.Stale)
			require.Contains(t, why.String(), "hit; it may have been written since, which StaleOK allows")
			waitFor(t, func() bool {
				e := h.log.read(t, func() { require.NoError(t, read(stale)) })
				return e.Outcome == metrics.Hit && !e.Stale
			})
			e = h.log.read(t, func() { require.NoError(t, read(h.DB)) })
			require.Equal(t, e.Entries, e.Found, "nobody else has read it")
		})
	}
}

func TestStaleOKIsTheGreatestAgeOfWhatIsServedStale(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	stored := time.Now()
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "changed").Error)
	waitFor(t, func() bool { return time.Since(stored) > 5*time.Millisecond })
	require.Equal(t, "changed", nameOf(t, h.Clauses(rediscache.StaleOK(5*time.Millisecond)), 1))
}

// While it is served to who asked for it, everybody else gets what is true, also who comes while it is read anew.
func TestStaleOKIsNobodyElses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	plain := w.members(2)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	require.NoError(t, h.Model(&member{ID: 1}).Update("name", "changed").Error)
	let := blockTable(t, plain)
	require.Equal(t, "m1", nameOf(t, h.Clauses(rediscache.StaleOK(time.Hour)), 1))
	readers(t, w, 1)
	var got string
	wait := async(t, func() { got = nameOf(t, h.DB, 1) })
	require.Equal(t, "m1", nameOf(t, h.Clauses(rediscache.StaleOK(time.Hour)), 1))
	let()
	wait()
	require.Equal(t, "changed", got)
	require.Equal(t, "changed", nameOf(t, w.cached().DB, 1))
}

// A transaction reads what it wrote.
func TestStaleOKInsideATransactionIsTheDatabases(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	h.warm(t, func(db *gorm.DB) { nameOf(t, db, 1) })
	require.NoError(t, h.WithContext(rediscache.WithStaleOK(t.Context(), time.Hour)).Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Model(&member{ID: 1}).Update("name", "changed").Error)
		require.Equal(t, "changed", nameOf(t, tx, 1))
		return nil
	}))
}

// After the schema has changed, nothing is served from before.
func TestStaleOKAfterTheSchemaChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(1)
	h := w.cached()
	read := func(db *gorm.DB) { require.NoError(t, db.Raw("SELECT id, name FROM members").Scan(&[]member{}).Error) }
	h.warm(t, read)
	require.NoError(t, h.Exec("ALTER TABLE members ADD COLUMN motto text").Error)
	e := h.log.read(t, func() { read(h.Clauses(rediscache.StaleOK(time.Hour))) })
	require.Equal(t, metrics.Miss, e.Outcome)
}

// An argument that the application may change is not looked at when the statement is over: the reader itself waits.
func TestStaleOKWithArgumentsThatMayChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	h := w.cached()
	one := 1
	name := "m1"
	for _, c := range []struct {
		arg   any
		where string
		later bool
	}{
		{1, "id = ?", true},
		{&one, "id = ?", false},
		{"m1", "name = ?", true},
		{&name, "name = ?", false},
		{gorm.DeletedAt{}, "deleted IS NOT DISTINCT FROM ?::timestamptz AND id = 1", false},
	} {
		read := func(db *gorm.DB) (m member) {
			require.NoError(t, db.Where(c.where, c.arg).Find(&m).Error)
			return m
		}
		h.warm(t, func(db *gorm.DB) { read(db) })
		before := read(h.DB).Age
		require.NoError(t, h.Model(&member{}).Where("id = 1").Update("age", gorm.Expr("age")).Error)
		e := h.log.read(t, func() { require.Equal(t, before, read(h.Clauses(rediscache.StaleOK(time.Hour))).Age) })
		require.Equal(t, c.later, e.Stale, "%T", c.arg)
	}
}

// An answer that turns out to be too large to be stored leaves no connection behind.
func TestStaleOKOfAnAnswerThatHasGrown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.members(3)
	h := w.cached(withPlugin(func(c *rediscache.Config) { c.MaxRows = 4 }))
	pool, err := h.DB.DB()
	require.NoError(t, err)
	read := func(db *gorm.DB) int {
		var all []member
		require.NoError(t, db.Order("id").Find(&all).Error)
		return len(all)
	}
	h.warm(t, func(db *gorm.DB) { read(db) })
	require.NoError(t, h.Create(&member{Name: "m4"}).Error)
	sent := func() int {
		h.sql.mu.Lock()
		defer h.sql.mu.Unlock()
		return len(h.sql.all)
	}
	before := sent()
	require.Equal(t, 3, read(h.Clauses(rediscache.StaleOK(time.Hour))))
	waitFor(t, func() bool { return sent() > before })
	waitFor(t, func() bool { return pool.Stats().InUse == 0 })
	require.Equal(t, 4, read(h.DB))
}
