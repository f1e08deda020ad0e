package memstore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// A small store whose clock the test sets.
type small struct {
	*Store
	t     *testing.T
	now   time.Duration
	names keying.Space
}

func newSmall(t *testing.T, maxBytes int) *small {
	t.Helper()
	s, err := New(Options{MaxBytes: maxBytes})
	require.NoError(t, err)
	names, err := keying.NewSpace("ns", "test", keying.ManySlots)
	require.NoError(t, err)
	m := &small{Store: s, t: t, names: names}
	s.clock = func() time.Duration { return m.now }
	return m
}

func (m *small) row(id int) keying.Tag {
	m.t.Helper()
	pk, ok := keying.NewPrimaryKey([]keying.KeyKind{keying.Integer}, id)
	require.True(m.t, ok)
	return m.names.Table("users").Row(pk)
}

func (m *small) put(key string, size int) {
	m.t.Helper()
	data := []byte(strings.Repeat("x", size))
	require.NoError(m.t, m.Put(m.t.Context(), []store.Entry{{Key: keying.Key(key), Data: data, TTL: time.Minute}}))
	clear(data) // the caller's, to use again
}

func (m *small) load(key string) store.Value {
	m.t.Helper()
	snap, err := m.Load(m.t.Context(), []string{key})
	require.NoError(m.t, err)
	return snap.Values[0]
}

func (m *small) mint(tag keying.Tag) string {
	m.t.Helper()
	snap, err := m.Mint(m.t.Context(), []store.Mint{{Tag: tag, Token: "0123456789abcdef", TTL: time.Hour}})
	require.NoError(m.t, err)
	return snap.Values[0].Data
}

func (m *small) intend(writer string, ttl time.Duration, tags ...keying.Tag) {
	m.t.Helper()
	_, err := m.Intend(m.t.Context(), writer, ttl, tags, nil)
	require.NoError(m.t, err)
}

func (m *small) release(writer string, tags ...keying.Tag) {
	m.t.Helper()
	_, err := m.Release(m.t.Context(), writer, tags, nil)
	require.NoError(m.t, err)
}

func TestWhatHasNotBeenUsedForLongestGoesFirst(t *testing.T) {
	t.Parallel()
	m := newSmall(t, 10_000)
	for i := range 4 {
		m.put(fmt.Sprint("k", i), 2000)
	}
	require.True(t, m.load("k0").Found) // used
	m.put("k4", 2000)
	for key, found := range map[string]bool{"k0": true, "k1": false, "k2": true, "k3": true, "k4": true} {
		require.Equal(t, found, m.load(key).Found, key)
	}
	require.Equal(t, strings.Repeat("x", 2000), m.load("k4").Data)
	require.LessOrEqual(t, m.bytes, 10_000)
}

func TestEntryLargerThanTheStoreIsNotKept(t *testing.T) {
	t.Parallel()
	m := newSmall(t, 10_000)
	m.put("k", 100)
	m.put("k", 20_000)
	require.False(t, m.load("k").Found)
	require.Zero(t, m.bytes)
}

// What an evicted token had covered is not served under the next one.
func TestTokenThatWasEvictedDoesNotComeBack(t *testing.T) {
	t.Parallel()
	m := newSmall(t, 10_000)
	before := m.mint(m.row(1))
	m.put("large", 9_900)
	require.False(t, m.load(m.row(1).Token()).Found)
	require.NotEqual(t, before, m.mint(m.row(1)))
}

// A set of writers stays until its time is over, however small the store.
func TestWritersAreNeverEvicted(t *testing.T) {
	t.Parallel()
	m := newSmall(t, 2000)
	tags := make([]keying.Tag, 100)
	for i := range tags {
		tags[i] = m.row(i)
	}
	m.put("entry", 1500)
	m.intend("dead", time.Minute, tags...)
	require.False(t, m.load("entry").Found, "what may go goes first")
	for i := range 100 {
		m.put(fmt.Sprint("k", i), 1000)
	}
	for _, tag := range tags {
		require.Equal(t, store.Writing, m.load(tag.Token()).Data)
		require.Equal(t, store.Writing, m.mint(tag))
	}
	m.now = time.Minute
	require.NotEqual(t, store.Writing, m.mint(tags[0]))
}

// Intents that have lapsed, and that nobody asks for, cost no memory for long.
func TestWritersThatDiedAreForgotten(t *testing.T) {
	t.Parallel()
	m := newSmall(t, 0)
	for i := range 20_000 {
		m.now += time.Millisecond
		m.intend("dead", time.Second, m.row(i))
		require.Less(t, len(m.writers), 4*minSweep)
	}
	m.now += time.Second
	for i := range 2 * len(m.writers) {
		m.intend("w", time.Hour, m.row(-i))
		m.release("w", m.row(-i))
	}
	require.Empty(t, m.writers)
	require.Zero(t, m.bytes)
}

func TestNothingIsLeftOfWhatIsOver(t *testing.T) {
	t.Parallel()
	m := newSmall(t, 0)
	m.put("k", 100)
	m.put("k", 200)
	m.mint(m.row(1))
	m.intend("a", time.Minute, m.row(1), m.row(2))
	m.intend("a", time.Minute, m.row(1))
	m.intend("b", time.Minute, m.row(1))
	m.release("a", m.row(1), m.row(2))
	m.release("a", m.row(1), m.row(3))
	require.Equal(t, store.Writing, m.load(m.row(1).Token()).Data)
	m.now = time.Hour
	require.False(t, m.load("k").Found)
	require.False(t, m.load(m.row(1).Token()).Found)
	require.Zero(t, m.bytes)
	require.Empty(t, m.items)
	require.Empty(t, m.writers)
}

// An intent is renewed at its own pace: a step that was under way for long does not bring its end closer.
func TestIntentThatIsCarriedOutLateDoesNotEndSooner(t *testing.T) {
	t.Parallel()
	m := newSmall(t, 0)
	m.intend("w", time.Minute, m.row(1))
	m.intend("w", time.Second, m.row(1))
	m.now = 59 * time.Second
	require.Equal(t, store.Writing, m.mint(m.row(1)))
}

func TestStoresHaveHistoriesOfTheirOwn(t *testing.T) {
	t.Parallel()
	a, b := newSmall(t, 0), newSmall(t, 0)
	a.put("k", 1)
	b.put("k", 1)
	require.NotEqual(t, a.load("k").History, b.load("k").History)
	require.NotZero(t, a.load("k").History)
}
