package tests_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Each way of writing, on each set-up. What a transaction writes is its own until it commits; when COMMIT has returned
// every handle sees it; a rollback leaves nothing behind; and then the cache serves again.
func TestEveryWayOfWritingOnEverySetUp(t *testing.T) {
	t.Parallel()
	ways := append(autocommitWays(), transactionWays()...)
	every := 1
	if testing.Short() {
		every = 6 // each way on a sixth of the set-ups
	}
	for n, s := range setUps() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			plain := w.wares(len(ways))
			require.NoError(t, plain.Exec("CREATE TABLE deferreds (ware_id bigint REFERENCES wares (id) "+
				"DEFERRABLE INITIALLY DEFERRED)").Error)
			writer, other := s.open(w), w.cached()
			for i, way := range ways {
				if way.pinned && s.resolver || (i+n)%every > 0 {
					continue // dbresolver takes the statements away from the connection
				}
				t.Run(way.name, func(t *testing.T) {
					c := &cell{
						t: t, grp: i + 1, id: (i + 1) * 10, setUp: s, writer: writer, db: s.db(writer),
						readers: []*handle{writer, other},
					}
					c.run(plain, way)
				})
			}
		})
	}
}

func (c *cell) run(plain *handle, way way) {
	c.before = look(c.t, plain.DB, c.grp)
	for _, h := range c.readers {
		h.warmView(c.t, c.grp, c.before)
	}
	require.ErrorIs(c.t, way.run(c), way.err)
	var got []view
	for _, h := range c.readers { // before anything else: a moment later it might be true by chance
		got = append(got, look(c.t, h.DB, c.grp))
	}
	got = append(got, look(c.t, c.db, c.grp))
	after := look(c.t, plain.DB, c.grp)
	if way.changes {
		require.NotEqual(c.t, c.before, after, "the test changes nothing")
	} else {
		require.Equal(c.t, c.before, after, "the test changes something")
	}
	for _, v := range got {
		require.Equal(c.t, after, v)
	}
	for _, h := range c.readers {
		h.warmView(c.t, c.grp, after)
	}
}
