package tests_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// A failpoint is a moment between two steps of a write, at which its process comes to grief.
type failpoint struct {
	do, at string
	// committed: the write is there. announced: the cache has been told of it, and not of its end.
	committed, announced bool
}

// failpoints are all of a write in a transaction, and of one in autocommit. The n-th has row n.
func failpoints() []failpoint {
	return []failpoint{
		{doUpdate, afterStatement, false, false},
		{doUpdate, beforeIntend, false, false},
		{doUpdate, afterIntend, false, true},
		{doUpdate, beforeCommit, false, true},
		{doUpdate, afterCommit, true, true},
		{doUpdate, beforeRelease, true, true},
		{doUpdate, afterRelease, true, false},
		{doAutocommit, beforeIntend, false, false},
		{doAutocommit, afterIntend, false, true},
		{doAutocommit, beforeStatement, false, true},
		{doAutocommit, afterStatement, true, true},
		{doAutocommit, beforeRelease, true, true},
		{doAutocommit, afterRelease, true, false},
	}
}

// A grief is an application whose instances all write, each stopped at another failpoint.
type grief struct {
	*world
	plain   *handle
	life    time.Duration // of an intent
	here    *handle       // reads in this process
	there   *instance     // and in another one
	writers []*instance
	began   []time.Time // no intent of a writer is older
}

// comeToGrief warms the cache, and brings a writer to each failpoint.
func comeToGrief(t *testing.T) *grief {
	t.Helper()
	w := newWorldOn(t, onPostgresOfItsOwn())
	g := &grief{world: w, plain: w.members(len(failpoints())), life: 6 * time.Second, here: w.cached()}
	if os.Getenv("REDISCACHE_SOAK") != "" {
		g.life = 30 * time.Second // as it is in production
	}
	g.there = w.instance(g.life)
	for range failpoints() {
		g.writers = append(g.writers, w.instance(g.life))
	}
	for n := range failpoints() {
		g.here.warm(t, func(db *gorm.DB) { require.NoError(t, db.First(&member{}, n+1).Error) })
		require.Equal(t, metrics.Hit, g.there.do(task{Do: doRead, ID: n + 1}).Outcome)
		g.writers[n].do(task{Do: doRead, ID: n + 1}) // so that it has begun
	}
	g.here.warm(t, func(db *gorm.DB) { require.NoError(t, db.Order("id").Find(&[]member{}).Error) })
	for n, f := range failpoints() {
		g.began = append(g.began, time.Now())
		g.writers[n].begin(task{Do: f.do, ID: n + 1, Name: "changed", At: f.at})
	}
	for n, f := range failpoints() {
		g.writers[n].awaitStop(f.at)
	}
	return g
}

// name is what a row reads while its writer is stopped, or when it is dead.
func (f failpoint) name(n int) string {
	if f.committed {
		return "changed"
	}
	return fmt.Sprintf("m%d", n+1)
}

// read reads a row in both processes, and requires that it is what the database holds. It returns how both were answered.
func (g *grief) read(n int, want string) []report {
	g.t.Helper()
	f := failpoints()[n]
	require.Equal(g.t, want, nameOf(g.t, g.plain.DB, n+1), "%+v: the database", f)
	there := g.there.do(task{Do: doRead, ID: n + 1})
	require.Empty(g.t, there.Error)
	require.Equal(g.t, want, there.Value, "%+v: another process", f)
	here := g.here.log.read(g.t, func() { require.Equal(g.t, want, nameOf(g.t, g.here.DB, n+1), "%+v: this process", f) })
	return []report{there, {Outcome: here.Outcome, Reason: here.Reason}}
}

// readList reads all rows in both processes, and requires that they are what the database holds.
func (g *grief) readList() (there report) {
	g.t.Helper()
	var want, here []member
	require.NoError(g.t, g.plain.Order("id").Find(&want).Error)
	require.NoError(g.t, g.here.Order("id").Find(&here).Error)
	require.Equal(g.t, want, here)
	there = g.there.do(task{Do: doList})
	require.Empty(g.t, there.Error)
	require.Equal(g.t, listed(want), there.Value)
	return there
}

// requireHeldUp requires what holds while the intents live: nothing old is served, what was announced is not cached, and what
// was not is served on.
func (g *grief) requireHeldUp() {
	g.t.Helper()
	seen := 0
	for n, f := range failpoints() {
		for _, r := range g.read(n, f.name(n)) {
			switch {
			case f.announced && time.Since(g.began[n]) < g.life: // by a clock that began earlier
				require.Equal(g.t, metrics.ReasonWriting, r.Reason, "%+v: %+v", f, r)
				seen++
			case !f.announced && !f.committed:
				require.Equal(g.t, metrics.Hit, r.Outcome, "%+v: %+v", f, r)
			}
		}
	}
	require.NotZero(g.t, seen, "the machine is too slow for this test")
	g.readList()
}

// requireCachedAgain waits until all is cached again, and requires that it is right all the while. What was announced is not
// cached before its intent has lapsed.
func (g *grief) requireCachedAgain(name func(n int) string) {
	g.t.Helper()
	for n, f := range failpoints() {
		g.await(fmt.Sprintf("%+v", f), func() bool {
			hits := 0
			for _, r := range g.read(n, name(n)) {
				if r.Outcome == metrics.Hit {
					hits++
				}
			}
			return hits == 2
		})
		if f.announced {
			require.GreaterOrEqual(g.t, time.Since(g.began[n]), g.life, "%+v: it was cached too early", f)
		}
	}
	g.await("the list", func() bool { return g.readList().Outcome == metrics.Hit })
}

func (g *grief) await(what string, holds func() bool) {
	g.t.Helper()
	require.Eventually(g.t, func() bool { return holds() }, g.life+time.Minute, 5*time.Millisecond, what)
}

// Writers are killed between any two steps of their writes: nothing old is served then or later, and what they were about to
// change is cached again when their intents have lapsed.
func TestKilledWriterLeavesNothingOld(t *testing.T) {
	t.Parallel()
	g := comeToGrief(t)
	for _, w := range g.writers {
		w.kill()
	}
	g.requireHeldUp()
	g.requireCachedAgain(func(n int) string { return failpoints()[n].name(n) })
	require.Empty(t, g.here.quiescent())
}

// Writers are stopped between any two steps of their writes for longer than an intent lives. While they are, others read and
// cache what the database holds. When they go on and have returned, nobody reads anything older.
func TestStoppedWriterLeavesNothingOld(t *testing.T) {
	t.Parallel()
	g := comeToGrief(t)
	g.requireHeldUp()
	g.requireCachedAgain(func(n int) string { return failpoints()[n].name(n) })
	for n, w := range g.writers {
		w.goOn()
		require.Empty(t, w.answer().Error)
		g.read(n, "changed") // at once
		g.readList()
	}
	g.requireCachedAgain(func(int) string { return "changed" })
	require.Empty(t, g.here.quiescent())
}
