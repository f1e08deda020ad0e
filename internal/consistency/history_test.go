package consistency_test

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// How often each worker of a random history does what it does: so many, however long it takes.
const writesEach, readsEach = 40, 100

// Several processes write and read a few rows at random, with readers that stall between any two steps. No read may
// be stale, dirty or older than an earlier one.
func TestRandomHistoriesHaveNoWrongAnswers(t *testing.T) {
	t.Parallel()
	const processes, rows = 3, 3
	w := newWorld(t)
	var h testkit.History
	var commits sync.Mutex // the database orders commits
	var wg sync.WaitGroup
	for n := range processes {
		p := w.process(consistency.Config{})
		p.beforeLoad, p.afterLoad = stall, stall
		p.steps.set(&p.steps.onPut, func() error { stall(); return nil })
		for worker := range 6 {
			rnd := rand.New(rand.NewPCG(uint64(n), uint64(worker)))
			wg.Go(func() {
				if worker < 2 {
					for range writesEach {
						writeVersion(t, p, &h, &commits, 1+rnd.IntN(rows))
						time.Sleep(time.Duration(rnd.IntN(10)) * time.Millisecond)
					}
					return
				}
				for range readsEach {
					id, began := 1+rnd.IntN(rows), h.Now()
					h.Read(strconv.Itoa(id), int64(p.read(id).values[0]), began)
				}
			})
		}
	}
	wg.Wait()
	v := h.Judge()
	require.Zero(t, v.Bad(), v.Example)
}

// writeVersion writes the next version of a row. Writers of one row overlap.
func writeVersion(t *testing.T, p *process, h *testkit.History, commits *sync.Mutex, id int) (version int) {
	t.Helper()
	began := h.Now()
	wr, err := p.Intend(t.Context(), p.w.tags(id))
	require.NoError(t, err)
	stall()
	commits.Lock()
	version = p.w.get(id) + 1
	p.w.set(id, version)
	commits.Unlock()
	stall()
	wr.End(t.Context(), metrics.Committed)
	h.Wrote(strconv.Itoa(id), int64(version), began)
	return version
}

// stall takes a little time, now and then much more.
func stall() {
	switch n := rand.IntN(20); {
	case n == 0:
		time.Sleep(5 * time.Millisecond)
	case n < 6:
		time.Sleep(time.Duration(rand.IntN(500)) * time.Microsecond)
	}
}
