package heat_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/heat"
)

func TestReadsOfTheLastSecondAreCounted(t *testing.T) {
	t.Parallel()
	r, now := heat.NewReads(), time.Unix(1000, 0)
	for n := range uint32(10) {
		require.Equal(t, n+1, r.Add("a", now))
	}
	require.EqualValues(t, 6, r.Add("a", now.Add(time.Second)), "those of the second before count half")
	require.EqualValues(t, 1, r.Add("a", now.Add(3*time.Second)), "older ones are forgotten")
}

func TestKeysThatNobodyUsesAreMadeInVain(t *testing.T) {
	t.Parallel()
	c, now := heat.NewChurn(), time.Unix(1000, 0)
	require.Zero(t, c.InVain("a", now))
	for n := range 20 {
		c.Made("a", now)
		require.Equal(t, n+1, c.InVain("a", now))
	}
	c.Used("b")
	require.Equal(t, 20, c.InVain("a", now))
	c.Used("a")
	require.Zero(t, c.InVain("a", now))
}

func TestKeyThatRestsIsGivenAnotherChance(t *testing.T) {
	t.Parallel()
	c, now := heat.NewChurn(), time.Unix(1000, 0)
	c.Made("a", now)
	require.Equal(t, 1, c.InVain("a", now.Add(heat.Forgets)))
	require.Zero(t, c.InVain("a", now.Add(heat.Forgets+time.Second)))
}

// Keys that share a cell take it from one another; they are not taken for one another.
func TestKeyIsNotJudgedByAnother(t *testing.T) {
	t.Parallel()
	c, now := heat.NewChurn(), time.Unix(1000, 0)
	for i := range 100_000 {
		c.Made(strconv.Itoa(i), now)
		require.Equal(t, 1, c.InVain(strconv.Itoa(i), now))
	}
}

func TestCountIsBounded(t *testing.T) {
	t.Parallel()
	c, now := heat.NewChurn(), time.Unix(1000, 0)
	for range 1 << 17 {
		c.Made("a", now)
	}
	require.Equal(t, 1<<16-1, c.InVain("a", now))
}

func BenchmarkHeat(b *testing.B) {
	r, c, now := heat.NewReads(), heat.NewChurn(), time.Now()
	for b.Loop() {
		r.Add("rc/1:shop-1f9c2b7a:{3b}:row:users:42=Zk3xW0aPq1LmN8Yd", now)
		c.Used("rc/1:shop-1f9c2b7a:{3b}:row:users:42:t")
	}
}
