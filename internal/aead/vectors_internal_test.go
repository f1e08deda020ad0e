package aead

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// The examples of the specification (https://c2sp.org/XAES-256-GCM, "Test vectors").
func TestCipherIsThatOfTheSpecification(t *testing.T) {
	t.Parallel()
	nonce := [nonceSize]byte([]byte("ABCDEFGHIJKLMNOPQRSTUVWX"))
	for _, c := range []struct {
		key   byte
		bound string
		want  string
	}{
		{0x01, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{0x03, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		k, err := newKey(bytes.Repeat([]byte{c.key}, KeySize))
		require.NoError(t, err)
		sealed := k.seal(nil, &nonce, []byte("XAES-256-GCM"), []byte(c.bound))
		require.Equal(t, c.want, hex.EncodeToString(sealed[nonceSize:]))
	}
}
