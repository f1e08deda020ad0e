// Package upstashstore keeps the cache in Upstash Redis, through its REST API: for serverless platforms, where connections
// that stay open are dear or not to be had.
//
// Every step is one HTTP request and, but for Put, one script, which runs on the primary of the database: what only reads
// may be answered by a replica that has not heard of the last write. Values are stored as redisstore stores them.
//
// Upstash does not tell when another server has taken the primary's place, so what a write changed that was lost with the
// old one may be served until its time to live is over: docs/decisions/0012-stores-without-a-history.md.
//
// It needs EVALSHA and EVAL, and in scripts MGET and what redisstore needs.
//
// The protocol: https://upstash.com/docs/redis/features/restapi.
package upstashstore

import (
	"context"
	"fmt"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
	"github.com/gorm-rediscache/rediscache/store/internal/script"
)

// A Store is a [store.Store] in Upstash Redis. Use [New].
type Store struct {
	client  *client
	server  string
	timeout time.Duration

	load, put, mint, declare, intend, release lua
}

var _ store.Store = (*Store)(nil)

// New returns a store. Nothing is dialed. An error wraps [ErrOptions], and names the field; it does not repeat the token.
func New(opt Options) (*Store, error) {
	opt = opt.withDefaults()
	if err := opt.validate(); err != nil {
		return nil, err
	}
	return &Store{
		client: newClient(opt), server: opt.host(), timeout: opt.Timeout,
		load: newLua(script.Load), put: newLua(script.Put), mint: newLua(script.Mint), declare: newLua(script.Declare),
		intend: newLua(script.Intend), release: newLua(script.Release),
	}, nil
}

// Server names the database, for people: the host of its URL.
func (s *Store) Server() string { return s.server }

// Layout implements [store.Store].
func (s *Store) Layout() keying.Layout { return keying.OneSlot }

// Close closes connections that nobody uses. A client that was given in [Options] is left alone.
func (s *Store) Close() error {
	s.client.close()
	return nil
}

// never makes a name that nothing is stored under out of one that is the cache's: see load.lua.
const never = ":never"

// Load implements [store.Store] with load.lua.
func (s *Store) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	snap := store.Snapshot{Values: make([]store.Value, len(keys)), Atomic: true}
	if len(keys) == 0 {
		return snap, nil
	}
	values, err := s.values(ctx, s.load, append([]string{keys[0] + never}, keys...))
	if err == nil {
		err = fill(snap.Values, values)
	}
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("upstashstore: load %d keys: %w", len(keys), err)
	}
	return snap, nil
}

// Mint implements [store.Store] with mint.lua.
func (s *Store) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	snap := store.Snapshot{Values: make([]store.Value, len(mints)), Atomic: true}
	if len(mints) == 0 {
		return snap, nil
	}
	keys, args := make([]string, 0, 2*len(mints)), make([]any, 0, 2*len(mints))
	for _, m := range mints {
		keys = append(keys, m.Tag.Token(), m.Tag.Writers())
		args = append(args, m.Token, m.TTL.Milliseconds())
	}
	values, err := s.values(ctx, s.mint, keys, args...)
	if err == nil {
		err = fill(snap.Values, values)
	}
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("upstashstore: mint %d tokens: %w", len(mints), err)
	}
	return snap, nil
}

// Put implements [store.Store] with put.lua, once for each entry, in one pipeline.
func (s *Store) Put(ctx context.Context, entries []store.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	calls := make([]call, len(entries))
	for i, e := range entries {
		calls[i] = call{keys: []string{string(e.Key)}, args: []any{string(e.Data), max(1, e.TTL.Milliseconds())}}
	}
	if err := s.client.evalAll(ctx, s.put, calls); err != nil {
		return fmt.Errorf("upstashstore: put %d entries: %w", len(entries), err)
	}
	return nil
}

// Declare implements [store.Store] with declare.lua.
func (s *Store) Declare(ctx context.Context, d store.Declaration) (store.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	args := []any{d.Token, d.TTL.Milliseconds(), d.Max}
	for _, name := range d.Names {
		args = append(args, name)
	}
	result, err := s.client.eval(ctx, s.declare, call{keys: []string{d.Tag.Token(), d.Tag.Writers()}, args: args})
	if err != nil {
		return store.Value{}, fmt.Errorf("upstashstore: declare: %w", err)
	}
	token, ok := result.(string)
	if !ok {
		return store.Value{}, fmt.Errorf("upstashstore: declare: %w: %T", errAnswer, result)
	}
	return store.Value{Data: token, Found: true}, nil
}

// Intend implements [store.Store] with intend.lua.
func (s *Store) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	watched, err := s.write(ctx, s.intend, tags, watch, writer, len(tags), ttl.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("upstashstore: intend on %d tags: %w", len(tags), err)
	}
	return watched, nil
}

// Release implements [store.Store] with release.lua.
func (s *Store) Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]store.Value, error) {
	watched, err := s.write(ctx, s.release, tags, watch, writer, len(tags))
	if err != nil {
		return nil, fmt.Errorf("upstashstore: release %d tags: %w", len(tags), err)
	}
	return watched, nil
}

// write runs a script of a writer's on tags, and returns what was then found under those that are watched.
func (s *Store) write(ctx context.Context, sc lua, tags, watch []keying.Tag, args ...any) ([]store.Value, error) {
	watched := make([]store.Value, len(watch))
	if len(tags)+len(watch) == 0 {
		return watched, nil
	}
	keys := make([]string, 0, 2*len(tags)+len(watch))
	for _, tag := range tags {
		keys = append(keys, tag.Token(), tag.Writers())
	}
	for _, tag := range watch {
		keys = append(keys, tag.Token())
	}
	values, err := s.values(ctx, sc, keys, args...)
	if err != nil {
		return nil, err
	}
	return watched, fill(watched, values)
}

// values runs a script that returns values.
func (s *Store) values(ctx context.Context, sc lua, keys []string, args ...any) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	result, err := s.client.eval(ctx, sc, call{keys: keys, args: args})
	if err != nil {
		return nil, err
	}
	values, ok := result.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: %T", errAnswer, result)
	}
	return values, nil
}

// fill takes what a script found. Upstash tells no history.
func fill(into []store.Value, found []any) error {
	if len(found) != len(into) {
		return fmt.Errorf("%w: %d values in place of %d", errAnswer, len(found), len(into))
	}
	for i, v := range found {
		switch v := v.(type) {
		case string:
			into[i] = store.Value{Data: v, Found: true}
		case nil:
		default:
			return fmt.Errorf("%w: %T", errAnswer, v)
		}
	}
	return nil
}
