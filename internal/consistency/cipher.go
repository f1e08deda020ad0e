package consistency

import (
	"unsafe"

	"github.com/gorm-rediscache/rediscache/keying"
)

// A Cipher makes payloads unreadable in the store, and knows those that it has made.
type Cipher interface {
	// Seal appends a text to b, encrypted, and bound to what it belongs to.
	Seal(b, text, bound []byte) []byte
	// Open returns the text of what Seal has appended. It answers false if anything else was, or if it was bound to
	// something else. It does not change data.
	Open(data, bound []byte) (text []byte, ok bool)
}

// encrypt appends the payload to a head. Both are bound to each other and to the key.
func encrypt(c Cipher, head []byte, key keying.Key, r Result) ([]byte, error) {
	payload, err := r.Append(nil)
	if err != nil {
		return nil, err
	}
	head[0] = encryptedVersion
	return c.Seal(head, payload, bound(key, head)), nil
}

// decrypt returns the payload, unless it was encrypted for another key or with another head, or by somebody else.
func decrypt(c Cipher, key keying.Key, sealed envelope) (string, bool) {
	payload, ok := c.Open(bytesOf(sealed.payload), bound(key, bytesOf(sealed.head)))
	return unsafe.String(unsafe.SliceData(payload), len(payload)), ok
}

// bound is what a payload is bound to. No key holds a zero byte.
func bound(key keying.Key, head []byte) []byte {
	b := make([]byte, 0, len(key)+1+len(head))
	return append(append(append(b, key...), 0), head...)
}
