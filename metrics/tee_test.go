package metrics_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// picky does not look at the tags of reads.
type picky struct{ metrics.Counters }

func (*picky) ReadTagsUnwanted() {}

func TestTeeHandsEachEventToAll(t *testing.T) {
	t.Parallel()
	var a, b metrics.Counters
	r := metrics.Tee(nil, &a, metrics.Nop{}, &b)
	r.Read(metrics.ReadEvent{Outcome: metrics.Hit})
	r.Fill(metrics.FillEvent{Result: metrics.Stored})
	r.Write(metrics.WriteEvent{Outcome: metrics.InDoubt})
	r.State(metrics.StateEvent{State: metrics.StoreOpen, On: true})
	for _, c := range []*metrics.Counters{&a, &b} {
		got := c.Totals()
		require.Equal(t, []int64{1, 1, 1, 1}, []int64{got.Hits, got.Fills, got.Writes, got.InDoubt})
	}
}

func TestTeeCostsWhatItsRecordersDo(t *testing.T) {
	t.Parallel()
	var all metrics.Counters
	require.Equal(t, metrics.Nop{}, metrics.Tee())
	require.Equal(t, metrics.Nop{}, metrics.Tee(nil, metrics.Nop{}))
	require.Same(t, &all, metrics.Tee(metrics.Nop{}, &all))
	require.False(t, metrics.WantsReadTags(metrics.Nop{}))
	require.False(t, metrics.WantsReadTags(metrics.Tee(&picky{}, &picky{})))
	require.True(t, metrics.WantsReadTags(metrics.Tee(&picky{}, &all)))
	require.True(t, metrics.WantsReadTags(struct{ metrics.Nop }{}), "who embeds Nop may look at what it likes")
}
