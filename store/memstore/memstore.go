// Package memstore keeps the cache in the memory of this process, without Redis: for tests, command-line tools, and small
// services of which one process runs.
//
// Only the handles that share a [Store] hear of each other's writes. Two processes, each with a store of its own, do not:
// what one writes, the other may serve as it was until its time to live is over. Where several processes share a database,
// use Redis.
package memstore

import (
	"container/list"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// ErrOptions is wrapped by the error of [New]. The error names the field.
var ErrOptions = errors.New("memstore: invalid options")

// DefaultMaxBytes is the default of [Options.MaxBytes].
const DefaultMaxBytes = 64 << 20

// Options configures a [Store]. The zero Options work.
type Options struct {
	// MaxBytes bounds what the store holds: names, values, and what it costs to keep them, which is estimated. Beyond it, what
	// has not been used for longest goes, which is a miss for whoever asks for it. Who is writing what is never forgotten
	// before its time: it counts, makes entries go, and may exceed the bound if nothing else is left. Defaults to 64 MiB.
	MaxBytes int
}

// A Store is a [store.Store] in this process. Use [New].
//
// It has no goroutine: what is out of date goes when it is met, when room is needed, or, of writers, when others write.
// Times to live are kept by the monotonic clock, which on most systems stands still while the machine sleeps.
type Store struct {
	max     int
	history store.History
	clock   func() time.Duration // since the store was made

	mu      sync.Mutex
	bytes   int
	minted  uint64                   // tokens so far
	items   map[string]*list.Element // entries and tokens, by key
	used    *list.List               // of *item, the one used last in front
	writers map[string]writers       // by key of the token
	// Tags that were written since lapsed writers were looked for, and after how many it is time again.
	unswept, nextSweep int
}

var _ store.Store = (*Store)(nil)

// New returns an empty store. It wraps [ErrOptions] in its error.
func New(opt Options) (*Store, error) {
	if opt.MaxBytes < 0 {
		return nil, fmt.Errorf("%w: Options.MaxBytes: want a positive number of bytes, got %d", ErrOptions, opt.MaxBytes)
	}
	if opt.MaxBytes == 0 {
		opt.MaxBytes = DefaultMaxBytes
	}
	began := time.Now()
	s := &Store{
		max:     opt.MaxBytes,
		clock:   func() time.Duration { return time.Since(began) },
		items:   map[string]*list.Element{},
		used:    list.New(),
		writers: map[string]writers{}, nextSweep: minSweep,
	}
	_, _ = rand.Read(s.history[:]) // never fails (crypto/rand)
	return s, nil
}

// Server names what holds the cache, for people.
func (s *Store) Server() string { return "this process" }

// Close implements [store.Store]. There is nothing to free that the garbage collector does not.
func (s *Store) Close() error { return nil }

// Layout implements [store.Store].
func (s *Store) Layout() keying.Layout { return keying.OneSlot }

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("memstore: load %d keys: %w", len(keys), err)
	}
	defer unlock()
	snap := store.Snapshot{Values: make([]store.Value, len(keys)), Atomic: true}
	for i, key := range keys {
		if data, found := s.get(key); found {
			snap.Values[i] = store.Value{Data: data, Found: true, History: s.history}
		}
	}
	return snap, nil
}

// Put implements [store.Store]. An entry that is larger than the store is gone at once.
func (s *Store) Put(ctx context.Context, entries []store.Entry) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("memstore: put %d entries: %w", len(entries), err)
	}
	defer unlock()
	for _, e := range entries {
		s.set(string(e.Key), string(e.Data), e.TTL)
	}
	return nil
}

// Mint implements [store.Store].
func (s *Store) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("memstore: mint %d tokens: %w", len(mints), err)
	}
	defer unlock()
	snap := store.Snapshot{Values: make([]store.Value, len(mints)), Atomic: true}
	for i, m := range mints {
		token, found := s.get(m.Tag.Token()) // Writing, if somebody does
		if !found || token != store.Writing && len(token) < store.TokenSize {
			token = s.newToken(m.Token)
			s.set(m.Tag.Token(), token, m.TTL)
		}
		snap.Values[i] = store.Value{Data: token, Found: true, History: s.history}
	}
	return snap, nil
}

// Intend implements [store.Store].
func (s *Store) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, fmt.Errorf("memstore: intend on %d tags: %w", len(tags), err)
	}
	defer unlock()
	for _, tag := range tags {
		s.drop(tag.Token())
		s.join(tag.Token(), writer, ttl)
	}
	s.shrink()
	return s.watched(watch), nil
}

// Release implements [store.Store].
func (s *Store) Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]store.Value, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, fmt.Errorf("memstore: release %d tags: %w", len(tags), err)
	}
	defer unlock()
	for _, tag := range tags {
		s.drop(tag.Token()) // of a writer that slept, too: it may have been minted since
		s.leave(tag.Token(), writer)
	}
	return s.watched(watch), nil
}

// lock begins a step. Steps do not wait for anything, so a context matters only before.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	return s.mu.Unlock, nil
}

func (s *Store) watched(tags []keying.Tag) []store.Value {
	values := make([]store.Value, len(tags))
	for i, tag := range tags {
		values[i].Data, values[i].Found = s.get(tag.Token())
	}
	return values
}
