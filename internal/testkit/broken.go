package testkit

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// Stores on which the protocol does not hold, to show that a test notices.

// OnlyExpires is a cache that is never told of a write.
type OnlyExpires struct{ store.Store }

// Intend tells nobody.
func (OnlyExpires) Intend(context.Context, string, time.Duration, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, nil
}

// Release tells nobody.
func (OnlyExpires) Release(context.Context, string, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, nil
}

// DeleteAfterCommit is the usual cache-aside: entries are stored as they are, and deleted after COMMIT.
type DeleteAfterCommit struct {
	store.Store
	mu      sync.Mutex
	entries map[string]map[string]bool // by token
}

// NewDeleteAfterCommit returns one on top of a store that works.
func NewDeleteAfterCommit(s store.Store) store.Store {
	return &DeleteAfterCommit{Store: s, entries: map[string]map[string]bool{}}
}

const constantToken = "0123456789abcdef"

// Load answers that every token is current, and remembers which entries were asked for with it.
func (s *DeleteAfterCommit) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap, err := s.Store.Load(ctx, keys)
	if err != nil {
		return snap, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, token := range keys {
		if !strings.HasSuffix(token, ":t") {
			continue
		}
		snap.Values[i] = store.Value{Data: constantToken, Found: true}
		if s.entries[token] == nil {
			s.entries[token] = map[string]bool{}
		}
		for _, entry := range keys {
			if !strings.HasSuffix(entry, ":t") {
				s.entries[token][entry] = true
			}
		}
	}
	return snap, nil
}

// Mint makes no tokens.
func (s *DeleteAfterCommit) Mint(_ context.Context, mints []store.Mint) (store.Snapshot, error) {
	snap := store.Snapshot{Values: make([]store.Value, len(mints))}
	for i := range snap.Values {
		snap.Values[i] = store.Value{Data: constantToken, Found: true}
	}
	return snap, nil
}

// Intend does nothing before COMMIT.
func (s *DeleteAfterCommit) Intend(
	context.Context, string, time.Duration, []keying.Tag, []keying.Tag,
) ([]store.Value, error) {
	return nil, nil
}

// Release deletes the entries.
func (s *DeleteAfterCommit) Release(
	ctx context.Context, _ string, tags, _ []keying.Tag,
) ([]store.Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gone []store.Entry
	for _, tag := range tags {
		for entry := range s.entries[tag.Token()] {
			gone = append(gone, store.Entry{Key: keying.Key(entry), Data: []byte("deleted"), TTL: time.Minute})
		}
	}
	return nil, s.Put(ctx, gone)
}

// Forgetful is a store that is not told of some tags, but when it listens.
type Forgetful struct {
	store.Store
	Forgets func(keying.Tag) bool
	Listens atomic.Bool
}

// Intend tells it of the other tags.
func (s *Forgetful) Intend(
	ctx context.Context, id string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	return s.Store.Intend(ctx, id, ttl, s.heard(tags), watch)
}

// Release tells it of the other tags.
func (s *Forgetful) Release(ctx context.Context, id string, tags, watch []keying.Tag) ([]store.Value, error) {
	return s.Store.Release(ctx, id, s.heard(tags), watch)
}

func (s *Forgetful) heard(tags []keying.Tag) []keying.Tag {
	if s.Listens.Load() {
		return tags
	}
	return slices.DeleteFunc(slices.Clone(tags), s.Forgets)
}
