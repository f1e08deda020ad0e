package consistency_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
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

// tiny is less than any entry is old.
const tiny = time.Nanosecond

// written returns a world whose rows were cached with the value 10, and then written with 20.
func written(t *testing.T, rows int) (*world, *process) {
	t.Helper()
	w := newWorld(t)
	w.commit(10, ids(rows)...)
	p := w.process(consistency.Config{})
	p.cached(ids(rows)...)
	p.write(20, ids(rows)...)
	return w, p
}

// blocked holds reads of the database up until it is let go. It counts those that have come.
func (p *process) blocked() (let func(), came *atomic.Int32) {
	gate := make(chan struct{})
	came = &atomic.Int32{}
	p.beforeLoad = func() { came.Add(1); <-gate }
	return func() { close(gate) }, came
}

// relaxed reads rows that may be stale, if the database was read for them so long ago at most.
func (p *process) relaxed(within time.Duration, ids ...int) answer {
	p.w.t.Helper()
	a, err := p.ask(p.w.t.Context(), consistency.Request{StaleFor: within}, ids...)
	require.NoError(p.w.t, err)
	return a
}

// load returns what reads some of the rows from the database.
func (p *process) load(ids []int) consistency.Load {
	return func(ctx context.Context, missing []int) ([]consistency.Result, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		results := make([]consistency.Result, len(missing))
		for n, v := range p.select_(pick(ids, missing)) {
			results[n] = row(v)
		}
		return results, nil
	}
}

func TestStaleAnswerIsServedIfAskedForAndReadAnewBehindIt(t *testing.T) {
	t.Parallel()
	w, p := written(t, 1)
	let, _ := p.blocked()
	for range 3 {
		a := p.relaxed(time.Minute, 1)
		require.Equal(t, answer{values: []int{10}, outcome: metrics.Hit, found: 1, stale: true}, a)
	}
	let()
	testkit.Eventually(t, "the answer has been read anew", func() bool {
		a := p.relaxed(time.Minute, 1)
		return a.values[0] == 20 && !a.stale
	})
	require.Equal(t, 2, w.databaseReads(), "three readers found it stale, and one of them had it read anew")
}

func TestStaleAnswerThatIsTooOldIsNotServed(t *testing.T) {
	t.Parallel()
	_, p := written(t, 1)
	require.Equal(t, answer{values: []int{20}, outcome: metrics.Miss}, p.relaxed(tiny, 1))
}

func TestAnswerFromTheFutureIsNotServedStale(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		more byte // times 2^40 ms, some 35 years
		want answer
	}{
		{"read now", 0, answer{values: []int{10}, outcome: metrics.Hit, found: 1, stale: true}},
		{"read in the future", 1, answer{values: []int{20}, outcome: metrics.Miss}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, p := written(t, 1)
			key := string(w.entry(1).Key)
			data := []byte(w.holds(key).Data)
			data[3+5] += c.more
			w.put(key, resealed(key, data))
			require.Equal(t, c.want, p.relaxed(time.Hour, 1))
		})
	}
}

// resealed returns an entry whose head was changed, with the checksum of what it is now: see envelope.
func resealed(key string, data []byte) string {
	at := 19 + 16*int(data[2])
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Checksum([]byte(key), table)
	sum = crc32.Update(crc32.Update(sum, table, data[:at]), table, data[at+4:])
	binary.LittleEndian.PutUint32(data[at:], sum)
	return string(data)
}

// Those who do not ask for stale answers are not given any: neither while one is served and read anew, nor together with
// who reads it anew.
func TestStaleAnswerIsNobodyElses(t *testing.T) {
	t.Parallel()
	w, p := written(t, 1)
	let, _ := p.blocked()
	require.Equal(t, []int{10}, p.relaxed(time.Minute, 1).values)
	got := make(chan answer)
	go func() { got <- p.read(1) }()
	other := w.process(consistency.Config{}).read(1)
	require.Equal(t, []int{20}, other.values)
	let()
	require.Equal(t, []int{20}, (<-got).values)
}

// A renewal is a read of its own: what was written while it waits is not stored as if it were current.
func TestWriteDuringARenewalIsNotLost(t *testing.T) {
	t.Parallel()
	w, p := written(t, 1)
	read := make(chan struct{})
	gate := make(chan struct{})
	p.afterLoad = first(func() { close(read); <-gate })
	require.Equal(t, []int{10}, p.relaxed(time.Minute, 1).values)
	<-read
	other := w.process(consistency.Config{})
	other.write(30, 1)
	close(gate)
	testkit.Eventually(t, "the renewal is over", func() bool { return p.events.lastFill() == metrics.Stored })
	require.Equal(t, []int{30}, other.read(1).values)
}

func TestStaleAnswerIsServedWhileATagIsBeingWritten(t *testing.T) {
	t.Parallel()
	w, p := written(t, 1)
	wr, err := p.Intend(t.Context(), w.tags(1))
	require.NoError(t, err)
	before := w.databaseReads()
	a := p.relaxed(time.Minute, 1)
	require.Equal(t, []int{10}, a.values)
	require.True(t, a.stale)
	require.Equal(t, before, w.databaseReads(), "what would be read could not be stored")
	require.Equal(t, metrics.ReasonWriting, p.relaxed(tiny, 1).reason)
	require.Equal(t, metrics.ReasonWriting, p.read(1).reason)
	wr.End(t.Context(), metrics.Committed)
}

func TestReadOnlyReaderOfAStaleAnswerDoesNotReadItAnew(t *testing.T) {
	t.Parallel()
	w, p := written(t, 1)
	before := w.databaseReads()
	req := consistency.Request{StaleFor: time.Minute, ReadOnly: metrics.ReasonControl}
	a, err := p.ask(t.Context(), req, 1)
	require.NoError(t, err)
	require.Equal(t, answer{values: []int{10}, outcome: metrics.Hit, found: 1, stale: true}, a)
	req.StaleFor = tiny
	a, err = p.ask(t.Context(), req, 1)
	require.NoError(t, err)
	require.Equal(t, metrics.ReasonControl, a.reason)
	require.Equal(t, before+1, w.databaseReads())
	require.Zero(t, p.read(1).found, "nothing was stored")
}

// Where as many renewals are under way as may be, or there can be none, the reader itself waits for the database.
func TestReaderThatCannotHaveItReadAnewWaits(t *testing.T) {
	t.Parallel()
	const most = 16
	_, p := written(t, most+1)
	let, came := p.blocked()
	for id := 1; id <= most; id++ {
		require.Equal(t, []int{10}, p.relaxed(time.Minute, id).values)
	}
	got := make(chan answer)
	go func() { got <- p.relaxed(time.Minute, most+1) }()
	testkit.Eventually(t, "all wait for the database", func() bool { return came.Load() == most+1 })
	let()
	require.Equal(t, answer{values: []int{20}, outcome: metrics.Miss}, <-got)

	_, p = written(t, 1)
	a, err := p.ask(t.Context(), consistency.Request{
		StaleFor: time.Minute, Detach: func() consistency.Load { return nil },
	}, 1)
	require.NoError(t, err)
	require.Equal(t, answer{values: []int{20}, outcome: metrics.Miss}, a)
}

func TestRenewalThatFailsOrPanicsIsTriedAgain(t *testing.T) {
	t.Parallel()
	_, p := written(t, 1)
	var tries atomic.Int32
	req := consistency.Request{StaleFor: time.Minute, Detach: func() consistency.Load {
		return func(context.Context, []int) ([]consistency.Result, error) {
			if tries.Add(1) == 1 {
				return nil, context.DeadlineExceeded
			}
			panic("a driver's")
		}
	}}
	testkit.Eventually(t, "it was tried more than once", func() bool {
		a, err := p.ask(t.Context(), req, 1)
		require.NoError(t, err)
		require.Equal(t, []int{10}, a.values)
		return tries.Load() > 2
	})
}

// Close ends reads of the database that nobody waits for.
func TestCloseEndsRenewals(t *testing.T) {
	t.Parallel()
	_, p := written(t, 1)
	began, ended := make(chan struct{}), make(chan error, 1)
	_, err := p.ask(t.Context(), consistency.Request{StaleFor: time.Minute, Detach: func() consistency.Load {
		return func(ctx context.Context, _ []int) ([]consistency.Result, error) {
			close(began)
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}
	}}, 1)
	require.NoError(t, err)
	<-began
	require.NoError(t, p.Close(t.Context()))
	require.ErrorIs(t, <-ended, context.Canceled)
}

// What is not in the store at all has to be read from the database, and then everything that is stale with it.
func TestStaleRowsAreServedTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	w, p := written(t, 3)
	p.cached(1)
	a := p.relaxed(time.Minute, 1, 2, 3)
	require.Equal(t, answer{values: []int{20, 10, 10}, outcome: metrics.Hit, found: 3, stale: true}, a)
	w.set(4, 40)
	require.Equal(t, []int{20, 20, 20, 40}, p.relaxed(time.Minute, 1, 2, 3, 4).values)
}

// That there is no such row is not believed of a row whose key was not known when it was created.
func TestAbsenceThatIsNotConfirmedCountsAsStale(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		const within = 200 * time.Millisecond
		p := w.process(consistency.Config{})
		w.set(2, 5)
		p.cached(1)
		time.Sleep(2 * within)
		p.cached(2)
		p.write(6, 2)
		wr, err := p.Intend(t.Context(), []keying.Tag{w.table.List(), w.table.Absent()})
		require.NoError(t, err)
		w.set(1, 10)
		wr.End(t.Context(), metrics.Committed)
		require.Equal(t, 10, p.relaxed(within, 1, 2).values[0])
	})
}

// What a query reads, and what its answer looks like, is known or it is not: no relaxation there.
func TestNothingIsServedStaleFromBeforeTheSchemaChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	pin := func() *consistency.Pins {
		pins, err := p.Pin(t.Context(), w.names)
		require.NoError(t, err)
		return pins
	}
	ask := func(req consistency.Request) (answer, error) { return p.ask(t.Context(), req, 1) }
	pins := pin()
	testkit.Eventually(t, "the row is cached", func() bool {
		a, err := ask(consistency.Request{Pins: pins})
		require.NoError(t, err)
		return a.found == 1
	})
	p.write(20, 1)
	stale, err := ask(consistency.Request{Pins: pins, StaleFor: time.Minute, ReadOnly: metrics.ReasonControl})
	require.NoError(t, err)
	require.Equal(t, []int{10}, stale.values)

	wr, err := p.Intend(t.Context(), append(w.names.Everything(), w.tags(1)...))
	require.NoError(t, err)
	during, err := ask(consistency.Request{Pins: pins, StaleFor: time.Minute})
	require.NoError(t, err)
	require.Equal(t, metrics.ReasonWriting, during.reason)
	w.set(1, 30)
	wr.End(t.Context(), metrics.Committed)
	_, err = ask(consistency.Request{Pins: pins, StaleFor: time.Minute})
	require.ErrorIs(t, err, consistency.ErrOutdated)
	after, err := ask(consistency.Request{Pins: pin(), StaleFor: time.Minute})
	require.NoError(t, err)
	require.Equal(t, []int{30}, after.values)
}

func TestAnswerThatIsOlderThanAskedForIsAMiss(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	p.cached(1)
	w.set(1, 20) // by somebody who does not announce it
	a, err := p.ask(t.Context(), consistency.Request{MaxAge: time.Minute}, 1)
	require.NoError(t, err)
	require.Equal(t, []int{10}, a.values)
	a, err = p.ask(t.Context(), consistency.Request{MaxAge: tiny, StaleFor: time.Minute, ReadOnly: metrics.ReasonControl}, 1)
	require.NoError(t, err)
	require.Equal(t, answer{values: []int{10}, outcome: metrics.Hit, found: 1, stale: true}, a)
	a, err = p.ask(t.Context(), consistency.Request{MaxAge: tiny}, 1)
	require.NoError(t, err)
	require.Equal(t, answer{values: []int{20}, outcome: metrics.Miss}, a)
	testkit.Eventually(t, "the new answer is stored", func() bool { return p.read(1).values[0] == 20 })
}

// Nothing is stored for no time.
func TestAbsentRowsAreNotStoredIfThatIsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.process(consistency.Config{})
	e := w.entry(1)
	e.AbsentTTL = -1
	for range 2 {
		reading, err := p.Read(t.Context(), request(e), p.load([]int{1}))
		require.NoError(t, err)
		require.Equal(t, metrics.Miss, reading.Outcome)
	}
	require.Equal(t, 2, w.databaseReads())
	require.Zero(t, p.events.lastFill())
}

// What became of entries that are missing, as far as it can be told.
func TestReadingTellsWrittenEntriesFromThoseThatEnded(t *testing.T) {
	t.Parallel()
	w, p := written(t, 2)
	p.cached(2)
	ends := store.Entry{Key: w.entry(2).Key, Data: []byte("x"), TTL: time.Millisecond}
	require.NoError(t, w.inner.Put(t.Context(), []store.Entry{ends}))
	testkit.Eventually(t, "it has ended", func() bool { return !w.holds(string(ends.Key)).Found })
	reading, err := p.Read(t.Context(), consistency.Request{
		Entries: []consistency.Entry{w.entry(1), w.entry(2), w.entry(3)}, Pins: &consistency.Pins{},
	}, p.load([]int{1, 2, 3}))
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{reading.Written, reading.Ended})
}

// An answer that is shared was read when whoever shares it began to.
func TestSharedAnswerThatIsOlderThanAskedForIsNotTaken(t *testing.T) { //nolint:paralleltest // inVirtualTime says so
	inVirtualTime(t, func(t *testing.T, w *world) {
		w.set(1, 10)
		p := w.process(consistency.Config{})
		stored := make(chan struct{})
		p.steps.set(&p.steps.onPut, func() error { <-stored; return errRedis }) // so long it may be shared
		defer close(stored)
		require.Equal(t, []int{10}, p.read(1).values)
		w.set(1, 20) // by somebody who does not announce it
		require.Equal(t, []int{10}, p.read(1).values, "it is shared")
		time.Sleep(2 * tiny)
		a, err := p.ask(t.Context(), consistency.Request{MaxAge: tiny}, 1)
		require.NoError(t, err)
		require.Equal(t, answer{values: []int{20}, outcome: metrics.Miss}, a)
	})
}
