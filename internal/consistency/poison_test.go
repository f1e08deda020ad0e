package consistency_test

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/aead"
	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// cipher returns one whose first key is new.
func cipher(t testing.TB, others ...[]byte) (*aead.Ring, []byte) {
	t.Helper()
	key := make([]byte, aead.KeySize)
	_, _ = rand.Read(key)
	ring, err := aead.New(append([][]byte{key}, others...))
	require.NoError(t, err)
	return ring, key
}

// ciphers are the two ways in which payloads are stored.
func ciphers(t *testing.T) map[string]consistency.Cipher {
	t.Helper()
	ring, _ := cipher(t)
	return map[string]consistency.Cipher{"as they are": nil, "encrypted": ring}
}

// corrupt returns what was reported as not decoding.
func (e *events) corrupt() (names []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.states {
		if s.State == metrics.CorruptEntry {
			names = append(names, s.Detail)
		}
	}
	return names
}

// readAs reads row 1 from an entry of a name, and reports whether it was found.
func (p *process) readAs(key keying.Key) bool {
	p.w.t.Helper()
	e := p.w.entry(1)
	e.Key = key
	reading, err := p.Read(p.w.t.Context(), request(e), func(context.Context, []int) ([]consistency.Result, error) {
		return nil, nil
	})
	require.NoError(p.w.t, err)
	return reading.Found == 1
}

// An entry that stands under the name of another one, with the same tags, and thus the same stamps: somebody has put it there.
func TestEntryOfAnotherKeyIsNotServed(t *testing.T) {
	t.Parallel()
	for name, cipher := range ciphers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.set(1, 10)
			p := w.process(consistency.Config{Cipher: cipher})
			p.cached(1)
			own, other := w.entry(1).Key, keying.Key(strings.TrimSuffix(string(w.entry(1).Key), "v")+"another")
			w.put(string(other), w.holds(string(own)).Data)
			require.True(t, p.readAs(own))
			require.False(t, p.readAs(other))
			require.Equal(t, []string{string(other)}, p.events.corrupt())
		})
	}
}

func TestEntryOfWhichAnyByteHasChangedIsNotServed(t *testing.T) {
	t.Parallel()
	for name, cipher := range ciphers(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.set(1, 10)
			p := w.process(consistency.Config{Cipher: cipher})
			p.cached(1)
			key := w.entry(1).Key
			good := w.holds(string(key)).Data
			for i := range good {
				bad := []byte(good)
				bad[i] ^= 0x40
				w.put(string(key), string(bad))
				require.False(t, p.readAs(key), "byte %d", i)
				w.put(string(key), good[:i])
				require.False(t, p.readAs(key), "%d bytes", i)
			}
			w.put(string(key), good)
			require.True(t, p.readAs(key))
		})
	}
}

// What this process would not have stored may take more memory to decode than it is worth.
func TestEntryThatIsTooLargeIsNotDecoded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 1234567890)
	w.process(consistency.Config{}).cached(1)
	p := w.process(consistency.Config{MaxEntry: 10})
	require.False(t, p.readAs(w.entry(1).Key))
	require.NotEmpty(t, p.events.corrupt())
}

// A token that is none is replaced, and what depends on it is cached again.
func TestTokenThatIsNoneCountsAsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 10)
	p := w.process(consistency.Config{})
	for _, tag := range w.entry(1).Tags {
		for _, poison := range []string{"", "x", "123456789012345"} {
			p.cached(1)
			w.put(tag.Token(), poison)
			got := p.read(1)
			require.Equal(t, []int{10}, got.values)
			require.Equal(t, metrics.Miss, got.outcome, "%s %q", tag, poison)
			require.Contains(t, p.events.corrupt(), tag.Token())
			p.cached(1)
			require.GreaterOrEqual(t, len(w.holds(tag.Token()).Data), store.TokenSize)
		}
	}
	for _, pinned := range []keying.Tag{w.names.Schema()[0], w.names.All()[0]} {
		w.put(pinned.Token(), "poison")
		_, err := p.Pin(t.Context(), w.names)
		require.NoError(t, err)
	}
}

func TestEncryptedEntriesAreReadByWhoHasTheKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(1, 1234567890)
	key := w.entry(1).Key
	old, oldKey := cipher(t)
	rotated, _ := cipher(t, oldKey)
	stranger, _ := cipher(t)

	w.process(consistency.Config{Cipher: old}).cached(1)
	require.NotContains(t, w.holds(string(key)).Data, "1234567890")
	require.True(t, w.process(consistency.Config{Cipher: rotated}).readAs(key), "a key that is still there decrypts")

	for name, cipher := range map[string]consistency.Cipher{"another key": stranger, "no key": nil} {
		p := w.process(consistency.Config{Cipher: cipher})
		require.False(t, p.readAs(key), name)
		require.Equal(t, []string{string(key)}, p.events.corrupt(), name)
	}
	// What is not encrypted is not taken from who expects that it is: anybody could have written it.
	w.lose(w.entry(1).Tags...)
	w.process(consistency.Config{}).cached(1)
	require.Contains(t, w.holds(string(key)).Data, "1234567890")
	require.False(t, w.process(consistency.Config{Cipher: old}).readAs(key))
}

// poisoned is a store in which somebody has put something.
type poisoned struct {
	store.Store
	data string
}

func (s poisoned) Load(_ context.Context, keys []string) (store.Snapshot, error) {
	snap := store.Snapshot{Values: make([]store.Value, len(keys)), Atomic: true}
	for i := range keys {
		snap.Values[i] = store.Value{Data: s.data, Found: true}
	}
	return snap, nil
}

func (poisoned) Mint(_ context.Context, mints []store.Mint) (store.Snapshot, error) {
	return store.Snapshot{Values: slices.Repeat([]store.Value{{Data: store.Writing, Found: true}}, len(mints))}, nil
}

func (poisoned) Close() error { return nil }

func (poisoned) Layout() keying.Layout { return keying.ManySlots }

// Whatever is under the names of entries and of tokens, it is not served, and harms nobody.
func FuzzStoredValues(f *testing.F) {
	names, err := keying.NewSpace("fuzz", "db", keying.ManySlots)
	require.NoError(f, err)
	tag := names.Table("t").List()
	entry, _ := names.Table("t").QueryEntry("q")
	ring, _ := cipher(f)
	f.Add("\x04\x00\x01" + strings.Repeat("x", 100))
	f.Add("\x05\x00\xff" + strings.Repeat("x", 100))
	f.Add("!")
	f.Fuzz(func(t *testing.T, data string) {
		for _, cipher := range []consistency.Cipher{nil, ring} {
			p := consistency.New(consistency.Config{Store: poisoned{data: data}, Cipher: cipher})
			req := request(consistency.Entry{Key: entry, Tags: []keying.Tag{tag}, TTL: 1})
			reading, err := p.Read(t.Context(), req, func(context.Context, []int) ([]consistency.Result, error) {
				return nil, nil
			})
			require.NoError(t, err)
			require.Zero(t, reading.Found)
			require.NoError(t, p.Close(t.Context()))
		}
	})
}
