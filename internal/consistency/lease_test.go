package consistency_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// hot makes an entry one that the process asks for often.
func (p *process) hot(id int) {
	p.w.t.Helper()
	for range 40 {
		p.cached(id)
	}
}

// leased calls f whenever a process asks for a lease, and has an answer.
func leased(s store.Store, f func()) store.Store {
	return minting{s, func(tag keying.Tag) {
		if strings.HasPrefix(tag.String(), "lease:") {
			f()
		}
	}}
}

// An entry that is asked for often is worth a lease, however quickly the database answers.
func TestEntryThatIsAskedForOftenIsLeased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	var asked atomic.Int32
	w.inner = leased(w.inner, func() { asked.Add(1) })
	p := w.process(consistency.Config{})
	testkit.Eventually(t, "the machine was quick enough to ask often within a second", func() bool {
		p.hot(1)
		p.write(20, 1)
		asked.Store(0)
		p.read(1)
		return asked.Load() == 1
	})
}

func TestOneOfSeveralProcessesReadsTheDatabaseForAHotEntry(t *testing.T) {
	t.Parallel()
	const processes = 4
	w := newWorld(t)
	w.set(1, 10)
	var asked atomic.Int32
	w.inner = leased(w.inner, func() { asked.Add(1) })
	all := make([]*process, processes)
	for i := range all {
		all[i] = w.process(consistency.Config{Timeout: 10 * time.Second}) // for so long the others wait
	}
	all[0].beforeLoad = func() { time.Sleep(10 * time.Millisecond) } // so slow that it is worth a lease
	all[0].cached(1)
	all[0].write(20, 1)
	before := w.databaseReads()
	asked.Store(0)
	for _, p := range all {
		p.beforeLoad = func() { // the database takes until all have come
			testkit.Eventually(t, "every process has asked for the lease", func() bool { return asked.Load() == processes })
		}
	}
	var joined atomic.Int32
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() {
			a := p.read(1)
			require.Equal(t, []int{20}, a.values)
			if a.outcome == metrics.Hit && a.joined {
				joined.Add(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, w.databaseReads()-before)
	require.EqualValues(t, processes-1, joined.Load())
}

// A read of several rows shares the read of one of them, which another process carries out.
func TestRowsOfWhichOneIsLeasedAreEachTheirOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.commit(10, 1, 2)
	var asked, looked atomic.Int32
	w.inner = leased(w.inner, func() { asked.Add(1) })
	here, there := w.process(consistency.Config{Timeout: 10 * time.Second}), w.process(consistency.Config{})
	here.cached(1)
	there.beforeLoad = func() { time.Sleep(10 * time.Millisecond) } // so slow that it is worth a lease
	there.cached(2)
	there.write(20, 2)
	asked.Store(0)
	read, goOn := make(chan struct{}), make(chan struct{})
	there.afterLoad = first(func() { close(read); <-goOn })
	var wg sync.WaitGroup
	wg.Go(func() { require.Equal(t, []int{20}, there.read(2).values) })
	<-read
	here.steps.set(&here.steps.onLoad, func() error { looked.Add(1); return nil })
	wg.Go(func() { require.Equal(t, []int{20}, here.read(2).values) })
	testkit.Eventually(t, "it waits for the other process", func() bool { return asked.Load() == 2 })
	var several answer
	wg.Go(func() { several = here.read(1, 2) })
	before := looked.Load()
	testkit.Eventually(t, "all have looked, and one again and again", func() bool { return looked.Load() > before+5 })
	reads := w.databaseReads()
	close(goOn)
	wg.Wait()
	require.Equal(t, []int{10, 20}, several.values)
	require.Equal(t, reads, w.databaseReads(), "it did not share, so this test tests nothing")
}

func TestColdEntryCostsNoLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	w.inner = leased(w.inner, func() { t.Error("it asks for a lease") })
	p := w.process(consistency.Config{})
	require.Equal(t, metrics.Miss, p.read(1).outcome)
}

// An entry that took the database long is worth a lease, however seldom it is asked for.
func TestEntryThatIsSlowToReadIsLeased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	var asked atomic.Int32
	w.inner = leased(w.inner, func() { asked.Add(1) })
	p := w.process(consistency.Config{})
	p.beforeLoad = func() { time.Sleep(6 * time.Millisecond) }
	p.cached(1)
	require.Zero(t, asked.Load())
	p.write(20, 1)
	p.read(1)
	require.EqualValues(t, 1, asked.Load())
}

// A lease that nobody makes use of costs others a wait, and no wrong answer.
func TestLeaseOfAProcessThatDiesIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	dead, alive := w.process(consistency.Config{}), w.process(consistency.Config{})
	dead.hot(1)
	alive.hot(1)
	dead.write(20, 1)
	dead.steps.set(&dead.steps.onPut, func() error { return errors.New("it is gone") })
	require.Equal(t, []int{20}, dead.read(1).values)
	a := alive.read(1)
	require.Equal(t, []int{20}, a.values)
	require.Equal(t, metrics.Miss, a.outcome)
	require.False(t, a.joined)
}

// What another process stores is taken only if it is as fresh as the reader needs it: an answer of long ago may land meanwhile.
func TestLeaseDoesNotServeWhatWasReadBeforeAWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	asked := make(chan struct{}, 3)
	w.inner = leased(w.inner, func() { asked <- struct{}{} })
	late, holder, waiting := w.process(consistency.Config{}), w.process(consistency.Config{}), w.process(consistency.Config{})
	late.beforeLoad = func() { time.Sleep(10 * time.Millisecond) } // so slow that it is worth a lease
	late.cached(1)
	late.write(20, 1)
	landing := make(chan struct{})
	late.steps.set(&late.steps.onPut, func() error { <-landing; return nil })
	require.Equal(t, []int{20}, late.read(1).values) // and is on its way into the store
	<-asked
	holder.write(30, 1)
	read, goOn := make(chan struct{}), make(chan struct{})
	holder.afterLoad = func() { close(read); <-goOn }
	var wg sync.WaitGroup
	wg.Go(func() { require.Equal(t, []int{30}, holder.read(1).values) })
	<-read
	<-asked
	key := string(w.entry(1).Key)
	before := w.holds(key)
	got := make(chan answer)
	go func() { got <- waiting.read(1) }()
	<-asked // it waits for the holder
	close(landing)
	testkit.Eventually(t, "the late answer is there", func() bool { return w.holds(key) != before })
	require.Equal(t, []int{30}, (<-got).values)
	close(goOn)
	wg.Wait()
}

func TestLeaseIsInTheSlotOfItsEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slot := func(name string) string {
		_, rest, _ := strings.Cut(name, "{")
		tag, _, _ := strings.Cut(rest, "}")
		return tag
	}
	key := w.entry(1).Key
	require.Equal(t, slot(string(key)), slot(key.Lease("stamps").Token()))
	require.NotEqual(t, key.Lease("stamps"), key.Lease("others"))
	require.NotEqual(t, key.Lease("stamps"), keying.Tag(key))
}
