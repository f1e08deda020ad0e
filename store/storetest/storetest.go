// Package storetest is the conformance suite that every [store.Store] must pass.
package storetest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// Features says what a store promises beyond the steps themselves.
type Features struct {
	// Atomic: one Load reads keys of several slots in one step.
	Atomic bool
	// History: values carry the history of their dataset.
	History bool
}

// A Harness opens a store in which the test finds nothing but its own names.
type Harness func(t *testing.T) (s store.Store, names keying.Space)

// Run runs every test of the suite.
func Run(t *testing.T, f Features, open Harness) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, *Case)
	}{
		{"LoadFindsNothing", LoadFindsNothing},
		{"PutThenLoad", PutThenLoad},
		{"PutReplaces", PutReplaces},
		{"EntryExpires", EntryExpires},
		{"BytesComeBackAsTheyWere", BytesComeBackAsTheyWere},
		{"MintCreatesOnce", MintCreatesOnce},
		{"TokenExpires", TokenExpires},
		{"IntentDropsToken", IntentDropsToken},
		{"IntentBlocksMint", IntentBlocksMint},
		{"ReleaseLeavesNoToken", ReleaseLeavesNoToken},
		{"OtherWriterStillBlocksMint", OtherWriterStillBlocksMint},
		{"IntentLapses", IntentLapses},
		{"IntentIsRenewed", IntentIsRenewed},
		{"ReleaseDropsTokenMintedAfterLapse", ReleaseDropsTokenMintedAfterLapse},
		{"StepsMayBeRepeated", StepsMayBeRepeated},
		{"NoTokenComesBack", NoTokenComesBack},
		{"StepsTakeTagsOfAllPartitions", StepsTakeTagsOfAllPartitions},
		{"EmptyStepsDoNothing", EmptyStepsDoNothing},
		{"HistoryIsTheSameForAllValues", HistoryIsTheSameForAllValues},
		{"LoadSaysWhetherItWasAtomic", LoadSaysWhetherItWasAtomic},
		{"CancelledContextFails", CancelledContextFails},
		{"NoTokenBesideALiveIntent", NoTokenBesideALiveIntent},
		{"DeclareAddsNames", DeclareAddsNames},
		{"DeclareMakesATokenOnlyIfSomethingWasAdded", DeclareMakesATokenOnlyIfSomethingWasAdded},
		{"DeclareAddsNoMoreThanTheGreatestNumber", DeclareAddsNoMoreThanTheGreatestNumber},
		{"DeclareIsHeldBackByWriters", DeclareIsHeldBackByWriters},
		{"DeclarationExpires", DeclarationExpires},
		{"NoDeclaredTokenComesBack", NoDeclaredTokenComesBack},
		{"DeclaredTokenIsAToken", DeclaredTokenIsAToken},
		{"ConcurrentDeclarationsAreAllKept", ConcurrentDeclarationsAreAllKept},
		{"WritersSeeWatchedTags", WritersSeeWatchedTags},
		{"WatchedTagIsSeenAfterTheStep", WatchedTagIsSeenAfterTheStep},
		{"NoDeclarationIsMissedByAWriter", NoDeclarationIsMissedByAWriter},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, names := open(t)
			test.run(t, &Case{Store: s, Names: names, Features: f})
		})
	}
}

// A Case is what one test of the suite works with.
type Case struct {
	Store    store.Store
	Names    keying.Space
	Features Features
}

const (
	long  = time.Minute
	short = 60 * time.Millisecond
)

func (c *Case) row(t *testing.T, id int) keying.Tag {
	t.Helper()
	pk, ok := keying.NewPrimaryKey([]keying.KeyKind{keying.Integer}, id)
	require.True(t, ok)
	return c.Names.Table("users").Row(pk)
}

func (c *Case) load(t *testing.T, keys ...string) []store.Value {
	t.Helper()
	snap, err := c.Store.Load(t.Context(), keys)
	require.NoError(t, err)
	require.Len(t, snap.Values, len(keys))
	return snap.Values
}

func (c *Case) mint(t *testing.T, tag keying.Tag, token string) string {
	t.Helper()
	snap, err := c.Store.Mint(t.Context(), []store.Mint{{Tag: tag, Token: token, TTL: long}})
	require.NoError(t, err)
	require.Len(t, snap.Values, 1)
	require.True(t, snap.Values[0].Found)
	return given(t, snap.Values[0].Data)
}

func (c *Case) put(t *testing.T, key, data string, ttl time.Duration) {
	t.Helper()
	err := c.Store.Put(t.Context(), []store.Entry{{Key: keying.Key(key), Data: []byte(data), TTL: ttl}})
	require.NoError(t, err)
}

func (c *Case) intend(t *testing.T, writer string, ttl time.Duration, tags ...keying.Tag) {
	t.Helper()
	_, err := c.Store.Intend(t.Context(), writer, ttl, tags, nil)
	require.NoError(t, err)
}

func (c *Case) release(t *testing.T, writer string, tags ...keying.Tag) {
	t.Helper()
	_, err := c.Store.Release(t.Context(), writer, tags, nil)
	require.NoError(t, err)
}

func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	require.Eventually(t, holds, 10*time.Second, 5*time.Millisecond)
}

// token makes 16 bytes of a word of no more than 8.
func token(word string) string { return fmt.Sprintf("%-16s", word) }

// given returns the token that a step was given for the one that it made: the first half is the same. What reads Writing
// is returned as it is.
func given(t *testing.T, made string) string {
	t.Helper()
	if made == store.Writing {
		return made
	}
	require.GreaterOrEqual(t, len(made), store.TokenSize)
	return made[:store.TokenSize/2] + strings.Repeat(" ", store.TokenSize/2)
}

// LoadFindsNothing says that a key that was never stored is not found.
func LoadFindsNothing(t *testing.T, c *Case) {
	v := c.load(t, c.Names.Prefix()+"{a}:nothing", c.row(t, 1).Token())
	require.False(t, v[0].Found)
	require.False(t, v[1].Found)
}

// PutThenLoad says that an entry that was stored is found, beside one that was not.
func PutThenLoad(t *testing.T, c *Case) {
	key := c.Names.Prefix() + "{a}:entry"
	c.put(t, key, "answer", long)
	v := c.load(t, c.Names.Prefix()+"{a}:nothing", key)
	require.False(t, v[0].Found)
	require.True(t, v[1].Found)
	require.Equal(t, "answer", v[1].Data)
}

// PutReplaces says that the last Put wins.
func PutReplaces(t *testing.T, c *Case) {
	key := c.Names.Prefix() + "{a}:entry"
	c.put(t, key, "first", long)
	c.put(t, key, "second", long)
	require.Equal(t, "second", c.load(t, key)[0].Data)
}

// EntryExpires says that an entry is gone when its time to live is over.
func EntryExpires(t *testing.T, c *Case) {
	key := c.Names.Prefix() + "{a}:entry"
	c.put(t, key, "answer", short)
	eventually(t, func() bool { return !c.load(t, key)[0].Found })
}

// BytesComeBackAsTheyWere says that data is not text.
func BytesComeBackAsTheyWere(t *testing.T, c *Case) {
	data := make([]byte, 0, 512)
	for i := range 512 {
		data = append(data, byte(i))
	}
	key := c.Names.Prefix() + "{a}:entry"
	c.put(t, key, string(data), long)
	require.Equal(t, string(data), c.load(t, key)[0].Data)

	const half = store.TokenSize / 2
	require.Equal(t, string(data[:half]), c.mint(t, c.row(t, 1), string(data[:2*half]))[:half])
	require.Equal(t, string(data[:half]), c.load(t, c.row(t, 1).Token())[0].Data[:half])
}

// MintCreatesOnce says that the first token stays.
func MintCreatesOnce(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	require.Equal(t, token("first"), c.mint(t, tag, token("first")))
	require.Equal(t, token("first"), c.mint(t, tag, token("second")))
	require.Equal(t, token("first"), given(t, c.load(t, tag.Token())[0].Data))
}

// TokenExpires says that a token has the time to live that it was minted with.
func TokenExpires(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	_, err := c.Store.Mint(t.Context(), []store.Mint{{Tag: tag, Token: token("first"), TTL: short}})
	require.NoError(t, err)
	eventually(t, func() bool { return !c.load(t, tag.Token())[0].Found })
}

// IntentDropsToken says that from the intent on the token reads Writing.
func IntentDropsToken(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	c.mint(t, tag, token("first"))
	c.intend(t, "w1", long, tag)
	require.Equal(t, store.Writing, c.load(t, tag.Token())[0].Data)
}

// IntentBlocksMint says that nothing can be minted while a tag is being written, even if the mark was evicted.
func IntentBlocksMint(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	c.intend(t, "w1", long, tag)
	require.Equal(t, store.Writing, c.mint(t, tag, token("first")))
}

// ReleaseLeavesNoToken says that after the release the tag has no token, and the next mint creates one.
func ReleaseLeavesNoToken(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	c.mint(t, tag, token("first"))
	c.intend(t, "w1", long, tag)
	c.release(t, "w1", tag)
	require.False(t, c.load(t, tag.Token())[0].Found)
	require.Equal(t, token("second"), c.mint(t, tag, token("second")))
}

// OtherWriterStillBlocksMint says that writers are a set.
func OtherWriterStillBlocksMint(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	c.intend(t, "w1", long, tag)
	c.intend(t, "w2", long, tag)
	c.release(t, "w1", tag)
	require.Equal(t, store.Writing, c.load(t, tag.Token())[0].Data)
	require.Equal(t, store.Writing, c.mint(t, tag, token("first")))
	c.release(t, "w2", tag)
	require.Equal(t, token("first"), c.mint(t, tag, token("first")))
}

// IntentLapses says that the intent of a writer that died ends by itself, and does not end those of others.
func IntentLapses(t *testing.T, c *Case) {
	tag, other := c.row(t, 1), c.row(t, 2)
	c.intend(t, "w1", short, tag, other)
	c.intend(t, "w2", long, other)
	eventually(t, func() bool { return c.mint(t, tag, token("first")) == token("first") })
	require.Equal(t, store.Writing, c.mint(t, other, token("first")))
}

// IntentIsRenewed says that intending again puts the end of an intent off; a shorter intent of another writer does not bring
// it closer.
func IntentIsRenewed(t *testing.T, c *Case) {
	tag, clock := c.row(t, 1), c.row(t, 2)
	c.intend(t, "w1", short, tag, clock)
	c.intend(t, "w1", long, tag)
	c.intend(t, "w2", short, tag)
	eventually(t, func() bool { return c.mint(t, clock, token("clock")) == token("clock") })
	require.Equal(t, store.Writing, c.mint(t, tag, token("first")))
}

// ReleaseDropsTokenMintedAfterLapse says that a writer that slept for longer than its intent lived drops, with its release,
// what was minted meanwhile.
func ReleaseDropsTokenMintedAfterLapse(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	c.intend(t, "w1", short, tag)
	eventually(t, func() bool { return c.mint(t, tag, token("first")) == token("first") })
	c.release(t, "w1", tag)
	require.False(t, c.load(t, tag.Token())[0].Found)
}

// StepsMayBeRepeated says that a step that is carried out twice, or late, leaves the tag as once, in time.
func StepsMayBeRepeated(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	c.intend(t, "w1", long, tag)
	c.intend(t, "w1", long, tag)
	c.release(t, "w1", tag)
	require.Equal(t, token("first"), c.mint(t, tag, token("first")))
	c.release(t, "w1", tag)
	c.release(t, "never intended", tag)
	require.Equal(t, token("second"), c.mint(t, tag, token("second")))
}

// NoTokenComesBack says that a mint that is carried out a second time, after a write, makes another token than the first
// time, although it was given the same.
func NoTokenComesBack(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	c.mint(t, tag, token("first"))
	before := c.load(t, tag.Token())[0].Data
	c.intend(t, "w1", long, tag)
	c.release(t, "w1", tag)
	c.mint(t, tag, token("first"))
	require.NotEqual(t, before, c.load(t, tag.Token())[0].Data)
}

// StepsTakeTagsOfAllPartitions says that one step may name tags of every slot.
func StepsTakeTagsOfAllPartitions(t *testing.T, c *Case) {
	tags := c.Names.All()
	mints := make([]store.Mint, len(tags))
	keys := make([]string, len(tags))
	for i, tag := range tags {
		mints[i] = store.Mint{Tag: tag, Token: token(strconv.Itoa(i)), TTL: long}
		keys[i] = tag.Token()
	}
	minted, err := c.Store.Mint(t.Context(), mints)
	require.NoError(t, err)
	for i, v := range c.load(t, keys...) {
		require.Equal(t, mints[i].Token, given(t, v.Data))
		require.Equal(t, v.Data, minted.Values[i].Data)
	}
	c.intend(t, "w1", long, tags...)
	for _, v := range c.load(t, keys...) {
		require.Equal(t, store.Writing, v.Data)
	}
	c.release(t, "w1", tags...)
	for _, v := range c.load(t, keys...) {
		require.False(t, v.Found)
	}
}

// EmptyStepsDoNothing says that a step on nothing is no error.
func EmptyStepsDoNothing(t *testing.T, c *Case) {
	ctx := t.Context()
	require.NoError(t, c.Store.Put(ctx, nil))
	_, err := c.Store.Intend(ctx, "w1", long, nil, nil)
	require.NoError(t, err)
	_, err = c.Store.Release(ctx, "w1", nil, nil)
	require.NoError(t, err)
	snap, err := c.Store.Mint(ctx, nil)
	require.NoError(t, err)
	require.Empty(t, snap.Values)
}

// HistoryIsTheSameForAllValues says that what is read and what is minted belong to one history.
func HistoryIsTheSameForAllValues(t *testing.T, c *Case) {
	tag := c.row(t, 1)
	snap, err := c.Store.Mint(t.Context(), []store.Mint{{Tag: tag, Token: token("first"), TTL: long}})
	require.NoError(t, err)
	minted := snap.Values[0].History
	require.Equal(t, c.Features.History, minted != store.History{})
	for range 3 {
		require.Equal(t, minted, c.load(t, tag.Token())[0].History)
	}
}

// LoadSaysWhetherItWasAtomic says that keys of one slot always are read in one step, others if the store promises it.
func LoadSaysWhetherItWasAtomic(t *testing.T, c *Case) {
	all := c.Names.All()
	snap, err := c.Store.Load(t.Context(), []string{all[0].Token(), all[0].Writers() + "x"})
	require.NoError(t, err)
	require.True(t, snap.Atomic)
	snap, err = c.Store.Load(t.Context(), []string{all[0].Token(), all[1].Token()})
	require.NoError(t, err)
	require.Equal(t, c.Features.Atomic, snap.Atomic)
}

// CancelledContextFails says that a step whose context is over is an error.
func CancelledContextFails(t *testing.T, c *Case) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tag := c.row(t, 1)
	_, err := c.Store.Load(ctx, []string{tag.Token()})
	require.Error(t, err)
	_, err = c.Store.Mint(ctx, []store.Mint{{Tag: tag, Token: token("first"), TTL: long}})
	require.Error(t, err)
	require.Error(t, c.Store.Put(ctx, []store.Entry{{Key: "k", Data: []byte("v"), TTL: long}}))
	_, err = c.Store.Intend(ctx, "w1", long, []keying.Tag{tag}, nil)
	require.Error(t, err)
	_, err = c.Store.Release(ctx, "w1", []keying.Tag{tag}, nil)
	require.Error(t, err)
	_, err = c.Store.Declare(ctx, store.Declaration{Tag: tag, Token: token("first"), TTL: long, Max: 1})
	require.Error(t, err)
}
