package consistency_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// acknowledged remembers when each version of a row was committed, and its writer told so.
type acknowledged struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (a *acknowledged) add(id, version int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at[fmt.Sprint(id, version)] = time.Now()
}

// overdue reports whether a version had been replaced by a newer one, for all to see, before a moment.
func (a *acknowledged) overdue(id, version int, before time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, ok := a.at[fmt.Sprint(id, version+1)]
	return ok && at.Before(before)
}

// Among random writers and readers, some readers put up with answers that are stale for a while. They get none that is stale
// for longer, and nobody else gets any.
func TestRandomHistoriesWithRelaxedReaders(t *testing.T) {
	t.Parallel()
	const processes, rows, within = 3, 3, 40 * time.Millisecond
	w := newWorld(t)
	var h testkit.History
	var commits sync.Mutex
	var wg sync.WaitGroup
	acked := acknowledged{at: map[string]time.Time{}}
	var mu sync.Mutex
	late := ""
	for n := range processes {
		p := w.process(consistency.Config{})
		p.beforeLoad, p.afterLoad = stall, stall
		p.steps.set(&p.steps.onPut, func() error { stall(); return nil })
		for worker := range 7 {
			rnd := rand.New(rand.NewPCG(uint64(n), uint64(worker)))
			writes := func() {
				id := 1 + rnd.IntN(rows)
				acked.add(id, writeVersion(t, p, &h, &commits, id))
				time.Sleep(time.Duration(rnd.IntN(10)) * time.Millisecond)
			}
			relaxes := func() {
				id, began := 1+rnd.IntN(rows), time.Now()
				a := p.relaxed(within, id)
				if acked.overdue(id, a.values[0], began.Add(-within)) {
					mu.Lock()
					late = fmt.Sprintf("row %d: version %d", id, a.values[0])
					mu.Unlock()
				}
			}
			reads := func() {
				id, began := 1+rnd.IntN(rows), h.Now()
				h.Read(strconv.Itoa(id), int64(p.read(id).values[0]), began)
			}
			wg.Go(func() {
				switch {
				case worker < 2:
					repeat(writesEach, writes)
				case worker < 4:
					repeat(readsEach, relaxes)
				default:
					repeat(readsEach, reads)
				}
			})
		}
	}
	wg.Wait()
	v := h.Judge()
	require.Zero(t, v.Bad(), v.Example)
	require.Empty(t, late, "was replaced more than %v before it was asked for", within)
}

func repeat(n int, do func()) {
	for range n {
		do()
	}
}
