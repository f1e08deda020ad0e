// Package store defines the few atomic steps that the cache asks of a server, so that any server able to take them
// can hold the cache. What the steps are for is in package consistency; a store decides nothing.
//
// The interface is not stable before version 1. An implementation must pass package storetest.
package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
)

// ErrUnavailable is wrapped by the error of a step that was not asked of the server at all, because the server has
// stopped answering.
var ErrUnavailable = errors.New("store unavailable")

// ErrShared is wrapped by the error of a step that went along with others, or that waited to: whoever did the exchange for
// them has the same error without it. So what failed once can be counted once.
var ErrShared = errors.New("in an exchange with others")

// ErrInPart is wrapped by the error of a step that failed on some of the servers that a store consists of, while others
// answer. It does not mean that the store has stopped answering.
var ErrInPart = errors.New("a part of the store")

// A Store holds entries, and for each tag a token and a set of writers.
//
// Every method may be called by many goroutines at once, and may be repeated: a step that was carried out twice, or
// late, must be harmless. A step takes no longer than its context allows, and is not retried beyond that. An error
// says that the step may not have been carried out, wholly or in part.
type Store interface { //nolint:interfacebloat // the steps of one protocol
	// Load returns the values of keys, of entries and tokens alike, in their order.
	Load(ctx context.Context, keys []string) (Snapshot, error)

	// Mint returns the token of each tag. If the tag has none and nobody writes it, the token becomes a new one, for the
	// tag's time to live. It begins with the first half of the given one; the rest is made by the server, so that the same
	// step, carried out again, makes another token. What is shorter than a token is none.
	Mint(ctx context.Context, mints []Mint) (Snapshot, error)

	// Put stores entries, whatever was there before.
	Put(ctx context.Context, entries []Entry) error

	// Declare returns the token of a registry, after its names were added to those that the token carries: see [Names].
	// If one was missing, or there was no token, the token becomes a new one, as by Mint. While somebody writes the tag,
	// its token reads [Writing]. Names beyond the greatest number are not added.
	Declare(ctx context.Context, d Declaration) (Value, error)

	// Intend drops the token of each tag and makes the writer one of the tag's writers, until the time to live is
	// over on the server's clock. Until then the tag's token reads [Writing].
	//
	// It returns the tokens of the watched tags, without histories, as they are after it, in the same step for each
	// slot: nothing happens between what is done to the tags of a slot and the look at those that are watched in it.
	Intend(ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag) ([]Value, error)

	// Release drops the token of each tag and removes the writer from the tag's writers. If it was the last, the
	// tag has no token. It returns the tokens of the watched tags as Intend does.
	Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]Value, error)

	// Layout says how names are to be spread: [keying.ManySlots] if several servers share the keys by the slots of their hash
	// tags. It is the same in all processes that share the data.
	Layout() keying.Layout

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

// A Declaration adds names to a registry.
type Declaration struct {
	Tag keying.Tag
	// Token is [TokenSize] bytes.
	Token string
	TTL   time.Duration
	// Names hold no line feed. Max is the greatest number of them that the registry takes.
	Names []string
	Max   int
}

// TokenSize is the size of a token. What a registry's token carries comes behind.
const TokenSize = 16

// Names returns what the token of a registry carries, as [Store.Declare] put it there.
func Names(token string) []string {
	if len(token) <= TokenSize {
		return nil
	}
	return strings.Split(token[TokenSize:], "\n")
}

// An Entry is to be stored.
type Entry struct {
	Key  keying.Key
	Data []byte
	TTL  time.Duration
}
