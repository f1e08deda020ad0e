package consistency_test

import (
	"context"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store/memstore"
)

// What a protocol remembers does not grow with the entries and the tables that it is asked about. Not parallel: it looks at
// the memory of the process.
func TestMemoryIsBoundedWhateverIsAskedFor(t *testing.T) { //nolint:paralleltest // as it says
	w := newWorld(t)
	inner, err := memstore.New(memstore.Options{MaxBytes: 1 << 20})
	require.NoError(t, err)
	p := consistency.New(consistency.Config{Store: inner}) // that of the harness remembers all that happens
	t.Cleanup(func() { require.NoError(t, p.Close(context.Background())) })
	const all = 200_000
	ask := func(from, to int) {
		for n := from; n < to; n++ {
			table := w.names.Table("t" + strconv.Itoa(n))
			p.ScopesOf(t.Context(), table.Registry())
			if n%8 != 0 {
				continue
			}
			key, tags := table.RowEntry(w.key(n), "v")
			e := consistency.Entry{Key: key, Tags: tags[:], TTL: time.Minute, AbsentTTL: time.Minute}
			_, err := p.Read(t.Context(), request(e), func(context.Context, []int) ([]consistency.Result, error) {
				return []consistency.Result{row(1)}, nil
			})
			require.NoError(t, err)
			if n%32 != 0 {
				continue
			}
			wr, err := p.Intend(t.Context(), tags[:])
			require.NoError(t, err)
			wr.End(t.Context(), metrics.Committed)
		}
	}
	ask(0, all/10)
	before := heap()
	ask(all/10, all)
	after := heap()
	t.Logf("%d KiB after %d tables, %d KiB after %d", before>>10, all/10, after>>10, all)
	require.Less(t, after, before+6<<20)
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
