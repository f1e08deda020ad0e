// Package aead encrypts what the cache stores, and knows what was encrypted with its keys.
//
// The cipher is XAES-256-GCM (C2SP, https://c2sp.org/XAES-256-GCM): AES-256-GCM under a key that is derived, by two
// more blocks of AES (NIST SP 800-108r1, CMAC in counter mode), from the key of the application and from half of a
// random nonce of 24 bytes. GCM alone takes 2^32 messages with random nonces under one key (NIST SP 800-38D, 8.3),
// which a busy cache makes in weeks; with nonces of this length it is 2^80.
package aead

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
)

const (
	// KeySize is the size of a key, in bytes.
	KeySize = 32

	nonceSize = 24
	halfNonce = nonceSize / 2
)

// ErrKeys is wrapped by the error of [New].
var ErrKeys = errors.New("unusable keys")

// A Ring holds keys. The first one encrypts; all of them decrypt.
type Ring struct{ keys []key }

// New returns a ring of keys. Each is of [KeySize] bytes, and there is none twice. The error repeats none of them.
func New(keys [][]byte) (*Ring, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: want one at least", ErrKeys)
	}
	r := &Ring{keys: make([]key, len(keys))}
	for i, k := range keys {
		if len(k) != KeySize {
			return nil, fmt.Errorf("%w: want %d bytes, key %d has %d", ErrKeys, KeySize, i+1, len(k))
		}
		if subtle.ConstantTimeCompare(k, make([]byte, KeySize)) == 1 {
			return nil, fmt.Errorf("%w: key %d is all zeros", ErrKeys, i+1)
		}
		for j := range i {
			if subtle.ConstantTimeCompare(k, keys[j]) == 1 {
				return nil, fmt.Errorf("%w: keys %d and %d are the same", ErrKeys, j+1, i+1)
			}
		}
		var err error
		if r.keys[i], err = newKey(k); err != nil {
			return nil, fmt.Errorf("%w: key %d: %w", ErrKeys, i+1, err)
		}
	}
	return r, nil
}

// Seal appends a text to b, encrypted with the first key, and bound to what it belongs to.
func (r *Ring) Seal(b, text, bound []byte) []byte {
	var nonce [nonceSize]byte
	_, _ = rand.Read(nonce[:]) // never fails (crypto/rand)
	return r.keys[0].seal(b, &nonce, text, bound)
}

// Open returns what Seal has appended. It answers false if anything else was, if it was bound to something else, or if none
// of the keys is the one that it was encrypted with.
func (r *Ring) Open(data, bound []byte) ([]byte, bool) {
	if len(data) < nonceSize {
		return nil, false
	}
	nonce := [nonceSize]byte(data)
	for i := range r.keys {
		gcm := r.keys[i].derive(&nonce)
		if text, err := gcm.Open(nil, nonce[halfNonce:], data[nonceSize:], bound); err == nil {
			return text, true
		}
	}
	return nil, false
}

// A key is one of the application's, ready to derive others from it.
type key struct {
	block  cipher.Block
	subkey [aes.BlockSize]byte // K1 of CMAC
}

func newKey(k []byte) (key, error) {
	block, err := aes.NewCipher(slices.Clone(k))
	if err != nil {
		return key{}, err
	}
	made := key{block: block}
	var l [aes.BlockSize]byte
	block.Encrypt(l[:], l[:])
	carry := -(l[0] >> 7) & 0x87
	for i := len(l) - 1; i >= 0; i-- { // doubled, in GF(2^128)
		made.subkey[i] = l[i]<<1 ^ carry
		carry = l[i] >> 7
	}
	return made, nil
}

// derive returns the cipher of a nonce.
func (k *key) derive(nonce *[nonceSize]byte) cipher.AEAD {
	var derived [KeySize]byte
	for counter := range byte(2) {
		half := derived[aes.BlockSize*int(counter):][:aes.BlockSize]
		copy(half, []byte{0, counter + 1, 'X', 0})
		copy(half[4:], nonce[:halfNonce])
		subtle.XORBytes(half, half, k.subkey[:])
		k.block.Encrypt(half, half)
	}
	block, _ := aes.NewCipher(derived[:]) // never fails for a key of this size
	gcm, _ := cipher.NewGCM(block)        // never fails for a block of AES
	return gcm
}

func (k *key) seal(b []byte, nonce *[nonceSize]byte, text, bound []byte) []byte {
	return k.derive(nonce).Seal(append(b, nonce[:]...), nonce[halfNonce:], text, bound)
}
