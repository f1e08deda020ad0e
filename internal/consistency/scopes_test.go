package consistency_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// byUser is the column by which readers tell entries apart. Row 1 is the only one of user 7.
const byUser = "user_id"

// readScope reads the rows of user 7, as far as they depend on a column.
func (p *process) readScope(column string) answer {
	p.w.t.Helper()
	w := p.w
	key, tags := w.table.ScopeEntry(column, w.key(7), "v")
	req := request(consistency.Entry{Key: key, Tags: tags[:], TTL: time.Minute})
	req.Scopes = []consistency.Scope{{Registry: w.table.Registry(), List: w.table.List(), Name: column}}
	reading, err := p.Read(w.t.Context(), req, func(context.Context, []int) ([]consistency.Result, error) {
		return []consistency.Result{row(p.select_([]int{1})[0])}, nil
	})
	require.NoError(w.t, err)
	a := answer{outcome: reading.Outcome, reason: reading.Reason, found: reading.Found, joined: reading.Joined}
	switch {
	case reading.Outcome == metrics.Bypass:
		a.values = p.select_([]int{1})
	case reading.Payloads[0].Hit:
		v, err := strconv.Atoi(reading.Payloads[0].Data)
		require.NoError(w.t, err)
		a.values = []int{v}
	default:
		a.values = []int{int(reading.Results[0].(row))}
	}
	return a
}

func (p *process) cachedScope(column string) {
	p.w.t.Helper()
	testkit.Eventually(p.w.t, "the scope is cached", func() bool { return p.readScope(column).found == 1 })
}

// intend announces a write of row 1 by a caller that knows of some columns.
func (p *process) intend(known ...string) *consistency.Write {
	p.w.t.Helper()
	tags := p.w.tags(1)
	for _, column := range known {
		tags = append(tags, p.w.table.Scope(column, p.w.key(7)))
	}
	wr, err := p.Intend(p.w.t.Context(), tags, consistency.Guard{Registry: p.w.table.Registry(), Names: known})
	require.NoError(p.w.t, err)
	return wr
}

func (p *process) end(wr *consistency.Write) { wr.End(p.w.t.Context(), metrics.Committed) }

// scopeWorld returns a world with a row of user 7, a process that reads, and one that writes.
func scopeWorld(t *testing.T, cfg consistency.Config) (w *world, reader, writer *process) {
	t.Helper()
	w = newWorld(t)
	w.set(1, 10)
	return w, w.process(consistency.Config{}), w.process(cfg)
}

func TestScopeIsCachedWhileOtherRowsAreWritten(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	r.cachedScope(byUser)
	wr, err := p.Intend(t.Context(), w.tags(2), consistency.Guard{Registry: w.table.Registry(), Names: []string{byUser}})
	require.NoError(t, err)
	require.Equal(t, metrics.Hit, r.readScope(byUser).outcome)
	p.end(wr)
	require.Equal(t, metrics.Hit, r.readScope(byUser).outcome)
	require.Equal(t, []string{byUser}, p.ScopesOf(t.Context(), w.table.Registry()))
}

func TestWriteThatKnowsTheColumnsLeavesTheRegistryAlone(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	r.cachedScope(byUser)
	before := w.holds(w.table.Registry().Token())
	wr := p.intend(byUser)
	require.Equal(t, metrics.ReasonWriting, r.readScope(byUser).reason)
	w.commit(20, 1)
	p.end(wr)
	require.Equal(t, []int{20}, r.readScope(byUser).values)
	require.Equal(t, before, w.holds(w.table.Registry().Token()))
}

// doc.go: columns that a writer does not know. The reader declared before the writer looked.
func TestWriterFindsColumnsThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	r.cachedScope(byUser)
	_ = p.intend()
	require.Equal(t, metrics.ReasonWriting, r.readScope(byUser).reason)
	w.commit(20, 1) // and dies
	require.Equal(t, answer{values: []int{20}, outcome: metrics.Bypass, reason: metrics.ReasonWriting}, r.readScope(byUser))
}

// The reader declares after the writer looked.
func TestReaderThatDeclaresDuringAWriteStoresNothing(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	wr := p.intend()
	require.Equal(t, metrics.ReasonWriting, r.readScope(byUser).reason)
	require.Equal(t, metrics.ReasonWriting, r.readScope(byUser).reason) // now it has been declared
	w.commit(20, 1)
	require.Equal(t, []int{20}, r.readScope(byUser).values)
	p.end(wr)
	r.cachedScope(byUser)
	require.Equal(t, []int{20}, r.readScope(byUser).values)
}

// A second column is another token, under which nobody has looked at the table yet.
func TestColumnThatIsAddedDuringAWriteStoresNothing(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	r.cachedScope(byUser)
	_ = p.intend(byUser)
	require.Equal(t, metrics.ReasonWriting, r.readScope("shop_id").reason)
	require.Equal(t, metrics.ReasonWriting, r.readScope("shop_id").reason)
	w.commit(20, 1) // and dies
	require.Equal(t, []int{20}, r.readScope("shop_id").values)
}

// Whether anybody writes the table is asked once for each token.
func TestSettledRegistryIsNotDeclaredAgain(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	declared := 0
	r.steps.set(&r.steps.onDeclare, func() error { declared++; return nil })
	for range 3 {
		r.cachedScope(byUser)
		p.end(p.intend(byUser))
	}
	require.Equal(t, 1, declared)
	w.lose(w.table.Registry())
	r.cachedScope(byUser)
	require.Equal(t, 2, declared)
	w.dataset.set(store.History{1})
	r.cachedScope(byUser)
	require.Equal(t, 3, declared)
}

// doc.go: a registry that is lost.
func TestScopesOfALostRegistryAreNotServed(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	r.cachedScope(byUser)
	w.lose(w.table.Registry())
	_ = p.intend() // finds no columns
	require.Equal(t, metrics.ReasonWriting, r.readScope(byUser).reason)
	w.commit(20, 1)
	require.Equal(t, []int{20}, r.readScope(byUser).values)
}

// A writer that finds no registry goes on announcing the columns that it knew: readers will declare them again.
func TestWriterRemembersColumnsOfALostRegistry(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	r.cachedScope(byUser)
	registry := w.table.Registry()
	require.Equal(t, []string{byUser}, p.ScopesOf(t.Context(), registry))
	w.lose(registry)
	p.end(p.intend(byUser))
	require.Equal(t, []string{byUser}, p.ScopesOf(t.Context(), registry))
	other := w.process(consistency.Config{})
	other.end(other.intend()) // writes the registry
	wr := p.intend(byUser)
	require.Equal(t, []string{byUser}, p.ScopesOf(t.Context(), registry))
	p.end(wr)
}

// doc.go: a writer that slept while a column was declared.
func TestWriterThatSleptDropsScopesThatWereDeclaredMeanwhile(t *testing.T) {
	t.Parallel()
	for name, away := range map[string]func(*testing.T) (w *world, r, p *process, wr *consistency.Write){
		"its intent lapsed": func(t *testing.T) (*world, *process, *process, *consistency.Write) {
			t.Helper()
			w, r, p := scopeWorld(t, consistency.Config{IntentTTL: 60 * time.Millisecond})
			p.steps.set(&p.steps.onIntend, onlyOnce())
			return w, r, p, p.intend()
		},
		// Its own clock tells nothing of these.
		"its intent was evicted": func(t *testing.T) (*world, *process, *process, *consistency.Write) {
			t.Helper()
			w, r, p := scopeWorld(t, consistency.Config{})
			wr := p.intend()
			w.lose(w.tags(1)...)
			return w, r, p, wr
		},
		"its intent could not be told": func(t *testing.T) (*world, *process, *process, *consistency.Write) {
			t.Helper()
			w, r, p := scopeWorld(t, consistency.Config{})
			p.steps.set(&p.steps.onIntend, fails)
			return w, r, p, p.intend()
		},
		"a failover lost it": func(t *testing.T) (*world, *process, *process, *consistency.Write) {
			t.Helper()
			w, r, p := scopeWorld(t, consistency.Config{})
			wr := p.intend()
			w.lose(w.tags(1)...)
			w.dataset.set(store.History{1})
			return w, r, p, wr
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, r, p, wr := away(t)
			r.cachedScope(byUser)
			w.commit(20, 1)
			require.Equal(t, []int{10}, r.readScope(byUser).values, "it stored nothing, so this test tests nothing")
			p.end(wr)
			require.Equal(t, []int{20}, r.readScope(byUser).values)
			require.True(t, p.events.lastWrite().Released)
		})
	}
}

// What W4 found must be told, too, before this process serves anything.
func TestColumnsThatAreFoundAtTheEndAreOwed(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	wr := p.intend()
	w.lose(w.tags(1)...)
	r.cachedScope(byUser)
	w.commit(20, 1)
	steps := 0
	p.steps.set(&p.steps.onRelease, func() error {
		if steps++; steps == 1 {
			return nil
		}
		return errRedis
	})
	p.end(wr)
	require.False(t, p.events.lastWrite().Released)
	require.Equal(t, answer{values: []int{20}, outcome: metrics.Bypass, reason: metrics.ReasonJournal}, p.readScope(byUser))
	p.steps.set(&p.steps.onRelease, nil)
	testkit.Eventually(t, "the other process sees it", func() bool { return r.readScope(byUser).values[0] == 20 })
}

// A release that nobody could look at is repeated with the registry.
func TestReleaseThatFailedDropsTheRegistryWhenItIsRepeated(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	p.steps.set(&p.steps.onIntend, fails)
	p.steps.set(&p.steps.onRelease, fails)
	wr := p.intend()
	r.cachedScope(byUser)
	w.commit(20, 1)
	p.end(wr)
	p.steps.set(&p.steps.onRelease, nil)
	testkit.Eventually(t, "the other process sees it", func() bool { return r.readScope(byUser).values[0] == 20 })
}

// While its COMMIT is under way, a writer that has slept finds what was declared meanwhile.
func TestRenewalLooksAgain(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{IntentTTL: 300 * time.Millisecond})
	asleep := make(chan struct{})
	first := true
	p.steps.set(&p.steps.onIntend, func() error {
		select {
		case <-asleep:
			return nil
		default:
		}
		if first {
			first = false
			return nil
		}
		return errRedis
	})
	_ = p.intend()
	r.cachedScope(byUser) // possible only because the intent lapsed
	close(asleep)
	testkit.Eventually(t, "the registry is being written", func() bool {
		return r.readScope(byUser).reason == metrics.ReasonWriting
	})
	w.commit(20, 1)
	require.Equal(t, []int{20}, r.readScope(byUser).values)
}

// In doubt: the scopes are not served until it is settled, not even those that are declared after the intent lapsed.
func TestCommitInDoubtKeepsScopesFromBeingCached(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{InDoubtHold: time.Minute})
	wr := p.intend()
	w.lose(w.tags(1)...)
	r.cachedScope(byUser)
	wr.End(t.Context(), metrics.InDoubt)
	testkit.Eventually(t, "the registry is being written", func() bool {
		return r.readScope(byUser).reason == metrics.ReasonWriting
	})
	w.commit(20, 1) // it lands late
	require.Equal(t, []int{20}, r.readScope(byUser).values)
}

func TestScopesBeyondTheGreatestNumberAreNotCached(t *testing.T) {
	t.Parallel()
	w, r, _ := scopeWorld(t, consistency.Config{})
	for i := range consistency.MaxScopes {
		require.Equal(t, metrics.Miss, r.readScope(fmt.Sprintf("c%d", i)).outcome)
	}
	for range 2 {
		require.Equal(t, answer{values: []int{10}, outcome: metrics.Bypass, reason: metrics.ReasonScopes}, r.readScope(byUser))
	}
	r.cachedScope("c0")
	require.Len(t, r.ScopesOf(t.Context(), w.table.Registry()), consistency.MaxScopes)
}

func TestScopesAreAskedForOnce(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	registry := w.table.Registry()
	loads := 0
	p.steps.set(&p.steps.onLoad, func() error { loads++; return nil })
	require.Empty(t, p.ScopesOf(t.Context(), registry))
	r.cachedScope(byUser)
	require.Empty(t, p.ScopesOf(t.Context(), registry))
	require.Equal(t, 1, loads)
	p.end(p.intend()) // which learns
	require.Equal(t, []string{byUser}, p.ScopesOf(t.Context(), registry))
	require.Equal(t, 1, loads)
}

// What cannot be asked, or is being written, is asked again.
func TestScopesThatAreNotKnownAreAskedForAgain(t *testing.T) {
	t.Parallel()
	w, r, p := scopeWorld(t, consistency.Config{})
	registry := w.table.Registry()
	p.steps.set(&p.steps.onLoad, fails)
	require.Empty(t, p.ScopesOf(t.Context(), registry))
	p.steps.set(&p.steps.onLoad, nil)
	other := w.process(consistency.Config{})
	wr, err := other.Intend(t.Context(), []keying.Tag{w.table.List(), registry})
	require.NoError(t, err)
	require.Empty(t, p.ScopesOf(t.Context(), registry))
	other.end(wr)
	r.cachedScope(byUser)
	require.Equal(t, []string{byUser}, p.ScopesOf(t.Context(), registry))
}

func TestScopeThatCannotBeDeclaredIsReadFromTheDatabase(t *testing.T) {
	t.Parallel()
	_, r, _ := scopeWorld(t, consistency.Config{})
	want := answer{values: []int{10}, outcome: metrics.Bypass, reason: metrics.ReasonStore}
	r.steps.set(&r.steps.onDeclare, fails)
	require.Equal(t, want, r.readScope(byUser))
	r.steps.set(&r.steps.onDeclare, nil)
	r.steps.set(&r.steps.onMint, func() error { return errors.New("the table cannot be looked at") })
	require.Equal(t, want, r.readScope(byUser))
}
