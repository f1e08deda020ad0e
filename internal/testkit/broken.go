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

// DeleteTwice deletes entries before COMMIT, too.
type DeleteTwice struct{ store.Store }

// Intend deletes the entries.
func (s DeleteTwice) Intend(
	ctx context.Context, writer string, _ time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	return s.Release(ctx, writer, tags, watch)
}

// NoIntent invalidates after COMMIT only.
type NoIntent struct{ store.Store }

// Intend tells nobody.
func (NoIntent) Intend(context.Context, string, time.Duration, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, nil
}

// OneSlot lets writers take each other's place.
type OneSlot struct{ store.Store }

// Intend puts the writer in the place of the one before.
func (s OneSlot) Intend(
	ctx context.Context, _ string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	return s.Store.Intend(ctx, "the writer", ttl, tags, watch)
}

// Release frees the place, whoever has it.
func (s OneSlot) Release(ctx context.Context, _ string, tags, watch []keying.Tag) ([]store.Value, error) {
	return s.Store.Release(ctx, "the writer", tags, watch)
}

// Counted has tokens that are the number of writes, of which the store keeps one bit.
type Counted struct {
	store.Store
	mu    sync.Mutex
	drops map[string]byte
}

// NewCounted returns one on top of a store that works.
func NewCounted(s store.Store) store.Store { return &Counted{Store: s, drops: map[string]byte{}} }

// Load numbers what it finds.
func (s *Counted) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap, err := s.Store.Load(ctx, keys)
	for i := range snap.Values {
		s.number(keys[i], &snap.Values[i])
	}
	return snap, err
}

// Mint numbers what it makes.
func (s *Counted) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	snap, err := s.Store.Mint(ctx, mints)
	for i := range snap.Values {
		s.number(mints[i].Tag.Token(), &snap.Values[i])
	}
	return snap, err
}

func (s *Counted) number(key string, v *store.Value) {
	if len(v.Data) != store.TokenSize || !strings.HasSuffix(key, ":t") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v.Data = strings.Repeat(string('0'+s.drops[key]%2), store.TokenSize)
}

// Intend counts.
func (s *Counted) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	s.mu.Lock()
	for _, tag := range tags {
		s.drops[tag.Token()]++
	}
	s.mu.Unlock()
	return s.Store.Intend(ctx, writer, ttl, tags, watch)
}

// NoHistory takes a dataset for the one that was there before.
type NoHistory struct{ store.Store }

// Load leaves the history out.
func (s NoHistory) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap, err := s.Store.Load(ctx, keys)
	return forget(snap), err
}

// Mint leaves the history out.
func (s NoHistory) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	snap, err := s.Store.Mint(ctx, mints)
	return forget(snap), err
}

// Declare leaves the history out.
func (s NoHistory) Declare(ctx context.Context, d store.Declaration) (store.Value, error) {
	v, err := s.Store.Declare(ctx, d)
	v.History = store.History{}
	return v, err
}

func forget(snap store.Snapshot) store.Snapshot {
	for i := range snap.Values {
		snap.Values[i].History = store.History{}
	}
	return snap
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

// LateRelease returns from a release before the store has taken the step: it takes it after the next look.
type LateRelease struct {
	store.Store
	mu      sync.Mutex
	pending []func()
}

// Release puts it off.
func (s *LateRelease) Release(ctx context.Context, writer string, tags, _ []keying.Tag) ([]store.Value, error) {
	ctx = context.WithoutCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, func() { _, _ = s.Store.Release(ctx, writer, tags, nil) })
	return nil, nil
}

// Load looks, then releases what was put off.
func (s *LateRelease) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap, err := s.Store.Load(ctx, keys)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, step := range s.pending {
		step()
	}
	s.pending = nil
	return snap, err
}

// NoRelease relies on what was announced before COMMIT.
type NoRelease struct{ store.Store }

// Release tells nobody.
func (NoRelease) Release(context.Context, string, []keying.Tag, []keying.Tag) ([]store.Value, error) {
	return nil, nil
}

// Joining gives a look at the store that found something to the next reader, too.
type Joining struct {
	store.Store
	mu    sync.Mutex
	looks map[string]store.Snapshot
}

// NewJoining returns one on top of a store that works.
func NewJoining(s store.Store) store.Store {
	return &Joining{Store: s, looks: map[string]store.Snapshot{}}
}

// Load looks, or answers what was found before.
func (s *Joining) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	all := strings.Join(keys, " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if before, ok := s.looks[all]; ok {
		delete(s.looks, all)
		return before, nil
	}
	snap, err := s.Store.Load(ctx, keys)
	if err == nil && snap.Values[0].Found {
		s.looks[all] = snap
	}
	return snap, err
}
