// Package store defines the few atomic steps that the cache asks of a server, so that any server able to take them
// can hold the cache. What the steps are for is in package consistency; a store decides nothing.
//
// The interface is not stable before version 1. An implementation must pass package storetest.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
)

// ErrUnavailable is wrapped by the error of a step that was not asked of the server at all, because the server has
// stopped answering.
var ErrUnavailable = errors.New("store unavailable")

// A Store holds entries, and for each tag a token and a set of writers.
//
// Every method may be called by many goroutines at once, and may be repeated: a step that was carried out twice, or
// late, must be harmless. A step takes no longer than its context allows, and is not retried beyond that. An error
// says that the step may not have been carried out, wholly or in part.
type Store interface {
	// Load returns the values of keys, of entries and tokens alike, in their order.
	Load(ctx context.Context, keys []string) (Snapshot, error)

	// Mint returns the token of each tag. If the tag has none and nobody writes it, the token becomes the given
	// one, for the tag's time to live.
	Mint(ctx context.Context, mints []Mint) (Snapshot, error)

	// Put stores entries, whatever was there before.
	Put(ctx context.Context, entries []Entry) error

	// Intend drops the token of each tag and makes the writer one of the tag's writers, until the time to live is
	// over on the server's clock. Until then the tag's token reads [Writing].
	Intend(ctx context.Context, writer string, ttl time.Duration, tags []keying.Tag) error

	// Release drops the token of each tag and removes the writer from the tag's writers. If it was the last, the
	// tag has no token.
	Release(ctx context.Context, writer string, tags []keying.Tag) error

	// Close frees what the store itself opened, and nothing that was given to it.
	Close() error
}

// Writing is what the token of a tag reads while the tag has writers. No token is of this length.
const Writing = "!"

// A Snapshot is what a step read.
type Snapshot struct {
	Values []Value
	// Atomic reports whether all values were read in one step of the server's.
	Atomic bool
}

// A Value is what a key held.
type Value struct {
	Data string
	// Found is false if there was nothing under the key.
	Found bool
	// History identifies the history of the dataset that the value belongs to. A server that restarts from a copy
	// of its data, or that takes another one's place, has another history. Zero: the server does not tell.
	History History
}

// A History is random, and the same for all values of one dataset between two restarts or failovers.
type History [16]byte

// A Mint asks for the token of a tag.
type Mint struct {
	Tag   keying.Tag
	Token string
	TTL   time.Duration
}

// An Entry is to be stored.
type Entry struct {
	Key  keying.Key
	Data []byte
	TTL  time.Duration
}
