package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// max16 is a greatest number of names that is not reached.
const max16 = 16

// declare adds names to the registry of the table, and returns what its token is then.
func (c *Case) declare(t *testing.T, word string, most int, names ...string) store.Value {
	t.Helper()
	v, err := c.Store.Declare(t.Context(), store.Declaration{
		Tag: c.Names.Table("users").Registry(), Token: token(word), TTL: long, Names: names, Max: most,
	})
	require.NoError(t, err)
	require.True(t, v.Found)
	return v
}

// registry returns the token of the table's registry.
func (c *Case) registry(t *testing.T) store.Value {
	t.Helper()
	return c.load(t, c.Names.Table("users").Registry().Token())[0]
}

// DeclareAddsNames says that names are kept in the order in which they came, each once, and are returned as they are stored.
func DeclareAddsNames(t *testing.T, c *Case) {
	require.Equal(t, []string{"b"}, store.Names(c.declare(t, "1", max16, "b").Data))
	require.Equal(t, []string{"b", "a", "a+b"}, store.Names(c.declare(t, "2", max16, "a", "b", "a", "a+b").Data))
	last := c.declare(t, "3", max16, "ä b")
	require.Equal(t, []string{"b", "a", "a+b", "ä b"}, store.Names(last.Data))
	require.Equal(t, last, c.registry(t))
	require.Equal(t, c.Features.History, last.History != store.History{})
}

// DeclareMakesATokenOnlyIfSomethingWasAdded says that there is another token if, and only if, a name was added, or there was
// no token: who knows a token knows its names.
func DeclareMakesATokenOnlyIfSomethingWasAdded(t *testing.T, c *Case) {
	first := c.declare(t, "first", max16)
	require.Equal(t, token("first"), given(t, first.Data))
	require.Empty(t, store.Names(first.Data))
	require.Equal(t, first, c.declare(t, "second", max16))

	a := c.declare(t, "third", max16, "a")
	require.Equal(t, token("third"), given(t, a.Data))
	require.Equal(t, a, c.declare(t, "fourth", max16, "a"))
	b := c.declare(t, "fifth", max16, "a", "b")
	require.NotEqual(t, a.Data[:store.TokenSize], b.Data[:store.TokenSize])
	require.Equal(t, b, c.declare(t, "sixth", max16, "b", "a"))
}

// DeclareAddsNoMoreThanTheGreatestNumber says that names on top are left out, which changes nothing.
func DeclareAddsNoMoreThanTheGreatestNumber(t *testing.T, c *Case) {
	full := c.declare(t, "1", 2, "a", "b", "c")
	require.Equal(t, []string{"a", "b"}, store.Names(full.Data))
	require.Equal(t, full, c.declare(t, "2", 2, "c", "a"))
	require.Equal(t, full, c.declare(t, "3", 1, "d"))
}

// DeclareIsHeldBackByWriters says that nothing is declared while the registry is being written, and that a write forgets
// what was declared.
func DeclareIsHeldBackByWriters(t *testing.T, c *Case) {
	tag := c.Names.Table("users").Registry()
	c.declare(t, "1", max16, "a")
	c.intend(t, "w1", long, tag)
	c.intend(t, "dies", short, tag)
	require.Equal(t, store.Writing, c.declare(t, "2", max16, "a").Data)
	require.Equal(t, store.Writing, c.registry(t).Data)
	c.release(t, "w1", tag)
	eventually(t, func() bool { return c.declare(t, "4", max16, "b").Data != store.Writing })
	require.Equal(t, []string{"b"}, store.Names(c.registry(t).Data))
}

// DeclarationExpires says that what was declared has the time to live of its token.
func DeclarationExpires(t *testing.T, c *Case) {
	tag := c.Names.Table("users").Registry()
	_, err := c.Store.Declare(t.Context(), store.Declaration{
		Tag: tag, Token: token("first"), TTL: short, Names: []string{"a"}, Max: max16,
	})
	require.NoError(t, err)
	eventually(t, func() bool { return !c.registry(t).Found })
}

// NoDeclaredTokenComesBack says of Declare what NoTokenComesBack says of Mint.
func NoDeclaredTokenComesBack(t *testing.T, c *Case) {
	tag := c.Names.Table("users").Registry()
	before := c.declare(t, "first", max16, "a")
	require.Equal(t, before, c.declare(t, "first", max16, "a"))
	c.intend(t, "w1", long, tag)
	c.release(t, "w1", tag)
	require.NotEqual(t, before.Data, c.declare(t, "first", max16, "a").Data)
}

// DeclaredTokenIsAToken says that a mint leaves the names as they are, and that names can be added to what was minted.
func DeclaredTokenIsAToken(t *testing.T, c *Case) {
	tag := c.Names.Table("users").Registry()
	c.mint(t, tag, token("minted"))
	a := c.declare(t, "first", max16, "a")
	require.Equal(t, token("first"), given(t, a.Data))
	c.mint(t, tag, token("minted"))
	require.Equal(t, a, c.registry(t))
}

// WritersSeeWatchedTags says that an intent and a release return what is found under the tags that are watched, in their
// order, wherever they are.
func WritersSeeWatchedTags(t *testing.T, c *Case) {
	users, list := c.Names.Table("users"), c.Names.Table("users").List()
	watch := append(c.Names.All(), users.Registry(), users.Absent())
	names := c.declare(t, "names", max16, "a", "b")
	for i := range c.Names.All() {
		if i%3 != 0 {
			c.mint(t, watch[i], token("all"))
		}
	}
	c.intend(t, "other", long, users.Absent())
	want := c.load(t, tokensOf(watch)...)
	for i := range want {
		want[i].History = store.History{} // is not told
	}
	for range 2 {
		watched, err := c.Store.Intend(t.Context(), "w1", long, []keying.Tag{c.row(t, 1), list, c.row(t, 2)}, watch)
		require.NoError(t, err)
		require.Equal(t, want, watched)
		require.Equal(t, names.Data, watched[len(watched)-2].Data)
		require.Equal(t, store.Writing, watched[len(watched)-1].Data)
	}
	watched, err := c.Store.Release(t.Context(), "w1", []keying.Tag{c.row(t, 1), list, c.row(t, 2)}, watch)
	require.NoError(t, err)
	require.Equal(t, want, watched)
	require.False(t, c.load(t, list.Token())[0].Found)
}

// WatchedTagIsSeenAfterTheStep says that a tag that is written and watched at once is seen as it is written.
func WatchedTagIsSeenAfterTheStep(t *testing.T, c *Case) {
	tag := c.Names.Table("users").Registry()
	c.declare(t, "1", max16, "a")
	tags := []keying.Tag{c.row(t, 1), tag}
	watched, err := c.Store.Intend(t.Context(), "w1", long, tags, []keying.Tag{tag})
	require.NoError(t, err)
	require.Equal(t, store.Writing, watched[0].Data)
	watched, err = c.Store.Release(t.Context(), "w1", tags, []keying.Tag{tag})
	require.NoError(t, err)
	require.Equal(t, []store.Value{{}}, watched)
}

func tokensOf(tags []keying.Tag) []string {
	keys := make([]string, len(tags))
	for i, tag := range tags {
		keys[i] = tag.Token()
	}
	return keys
}
