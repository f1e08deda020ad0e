package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// NoTokenBesideALiveIntent checks the protocol's invariant I under concurrency: between a writer's Intend and its
// Release nobody sees a token, and a token that somebody saw before the Intend is never seen after it.
func NoTokenBesideALiveIntent(t *testing.T, c *Case) {
	const workers, rounds = 8, 40
	tags := []keying.Tag{c.row(t, 1), c.row(t, 2), c.row(t, 3)}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(w)))
			for i := range rounds {
				tag := tags[rnd.IntN(len(tags))]
				if w%2 == 0 {
					writeOnce(t, c, tag, fmt.Sprintf("w%d-%d", w, i))
				} else {
					c.mint(t, tag, token(fmt.Sprintf("m%d-%d", w, i)))
				}
			}
		})
	}
	wg.Wait()
	for _, tag := range tags {
		require.Equal(t, token("end"), func() string {
			c.release(t, "", tag)
			return c.mint(t, tag, token("end"))
		}())
	}
}

func writeOnce(t *testing.T, c *Case, tag keying.Tag, writer string) {
	t.Helper()
	before := c.load(t, tag.Token())[0].Data
	c.intend(t, writer, long, tag)
	for range 3 {
		require.Equal(t, store.Writing, c.mint(t, tag, token("never")))
		require.Equal(t, store.Writing, c.load(t, tag.Token())[0].Data)
	}
	c.release(t, writer, tag)
	if after := c.load(t, tag.Token())[0].Data; before != store.Writing && before != "" {
		require.NotEqual(t, before, after)
	}
}

// ConcurrentDeclarationsAreAllKept says that those who declare at the same time end with the names of all of them.
func ConcurrentDeclarationsAreAllKept(t *testing.T, c *Case) {
	const n = 8
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { c.declare(t, "t"+strconv.Itoa(i), max16, "c"+strconv.Itoa(i)) })
	}
	wg.Wait()
	names := store.Names(c.registry(t).Data)
	slices.Sort(names)
	require.Equal(t, []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"}, names)
}

// NoDeclarationIsMissedByAWriter checks what scopes rest on: of a writer that intends on the list and watches the registry,
// and a reader that declares and then mints the list, one sees the other.
func NoDeclarationIsMissedByAWriter(t *testing.T, c *Case) {
	list, registry := c.Names.Table("users").List(), c.Names.Table("users").Registry()
	for i := range 40 {
		name := "c" + strconv.Itoa(i)
		var wg sync.WaitGroup
		var held, seen bool
		wg.Go(func() {
			c.declare(t, token(name), 100, name)
			held = c.mint(t, list, token(name)) == store.Writing
		})
		wg.Go(func() {
			watched, err := c.Store.Intend(t.Context(), name, long, []keying.Tag{list}, []keying.Tag{registry})
			require.NoError(t, err)
			seen = slices.Contains(store.Names(watched[0].Data), name)
		})
		wg.Wait()
		require.True(t, held || seen, "round %d", i)
		c.release(t, name, list)
	}
}
