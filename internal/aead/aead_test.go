package aead_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/aead"
)

func newKey() []byte {
	k := make([]byte, aead.KeySize)
	_, _ = rand.Read(k)
	return k
}

func ring(t testing.TB, keys ...[]byte) *aead.Ring {
	t.Helper()
	r, err := aead.New(keys)
	require.NoError(t, err)
	return r
}

func TestTextIsReadByWhoHasTheKeyAlone(t *testing.T) {
	t.Parallel()
	old, now, other := newKey(), newKey(), newKey()
	text, bound := []byte("a text that is long enough to be found"), []byte("row 42")
	sealed := ring(t, old).Seal([]byte("head"), text, bound)
	require.Equal(t, "head", string(sealed[:4]))
	require.NotContains(t, string(sealed), string(text))
	sealed = sealed[4:]

	for name, r := range map[string]*aead.Ring{"its key": ring(t, old), "after a rotation": ring(t, now, old)} {
		got, ok := r.Open(sealed, bound)
		require.True(t, ok, name)
		require.Equal(t, text, got, name)
	}
	_, ok := ring(t, now, other).Open(sealed, bound)
	require.False(t, ok, "a key that was taken out")
	_, ok = ring(t, old).Open(sealed, []byte("row 43"))
	require.False(t, ok, "bound to something else")
}

func TestTheFirstKeyEncrypts(t *testing.T) {
	t.Parallel()
	old, now := newKey(), newKey()
	_, ok := ring(t, now).Open(ring(t, now, old).Seal(nil, []byte("x"), nil), nil)
	require.True(t, ok)
}

func TestOneTextIsNeverEncryptedTwiceTheSame(t *testing.T) {
	t.Parallel()
	r := ring(t, newKey())
	once := r.Seal(nil, []byte("x"), nil)
	require.NotEqual(t, once, r.Seal(nil, []byte("x"), nil))
}

func TestWhatWasChangedIsNotOpened(t *testing.T) {
	t.Parallel()
	r := ring(t, newKey())
	sealed := r.Seal(nil, []byte("text"), []byte("bound"))
	for n := range sealed {
		_, ok := r.Open(sealed[:n], []byte("bound"))
		require.False(t, ok, "%d bytes", n)
		changed := bytes.Clone(sealed)
		changed[n] ^= 1
		_, ok = r.Open(changed, []byte("bound"))
		require.False(t, ok, "byte %d", n)
	}
}

func TestKeysThatCannotBeUsedAreRefused(t *testing.T) {
	t.Parallel()
	k := newKey()
	for want, keys := range map[string][][]byte{
		"want one at least":           nil,
		"want 32 bytes, key 2 has 16": {k, k[:16]},
		"want 32 bytes, key 1 has 0":  {nil},
		"keys 1 and 3 are the same":   {k, newKey(), k},
		"key 1 is all zeros":          {make([]byte, 32)},
		"want 32 bytes, key 1 has 44": {bytes.Repeat([]byte("a"), 44)},
	} {
		_, err := aead.New(keys)
		require.ErrorIs(t, err, aead.ErrKeys, want)
		require.ErrorContains(t, err, want)
	}
}

// BenchmarkRing is what one answer costs: that of a row, and that of a list.
func BenchmarkRing(b *testing.B) {
	r := ring(b, newKey())
	for name, size := range map[string]int{"row": 300, "list": 16 << 10} {
		text, bound := make([]byte, size), make([]byte, 150)
		sealed := r.Seal(nil, text, bound)
		b.Run("seal/"+name, func(b *testing.B) {
			for b.Loop() {
				r.Seal(nil, text, bound)
			}
		})
		b.Run("open/"+name, func(b *testing.B) {
			for b.Loop() {
				r.Open(sealed, bound)
			}
		})
	}
}
