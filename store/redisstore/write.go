package redisstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// Intend implements [store.Store] with intend.lua.
func (s *Store) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) ([]store.Value, error) {
	watched, err := s.write(ctx, s.intend, writer, tags, watch, ttl.Milliseconds())
	if err != nil {
		return nil, fmt.Errorf("redisstore: intend on %d tags: %w", len(tags), err)
	}
	return watched, nil
}

// Release implements [store.Store] with release.lua.
func (s *Store) Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]store.Value, error) {
	watched, err := s.write(ctx, s.release, writer, tags, watch)
	if err != nil {
		return nil, fmt.Errorf("redisstore: release %d tags: %w", len(tags), err)
	}
	return watched, nil
}

// write runs a script of a writer's on tags, and returns what was then found under those that are watched.
func (s *Store) write(
	ctx context.Context, sc *redis.Script, writer string, tags, watch []keying.Tag, args ...any,
) ([]store.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	groups := bySlot(slices.Concat(tags, watch), tagName)
	cmds := make([]*redis.Cmd, len(groups))
	err := s.onSlots(ctx, sc, len(groups), func(run runner) {
		for i, g := range groups {
			keys, n := keysOf(tags, g)
			for _, at := range g[n:] {
				keys = append(keys, watch[at-len(tags)].Token())
			}
			cmds[i] = run(keys, append([]any{writer, n}, args...)...)
		}
	})
	if err != nil {
		return nil, err
	}
	watched := make([]store.Value, len(watch))
	for i, g := range groups {
		_, n := keysOf(tags, g)
		if err := watchedBy(cmds[i], g[n:], len(tags), watched); err != nil {
			return nil, err
		}
	}
	return watched, nil
}

// keysOf returns the keys of those of a group that are tags, which come before what is watched, and how many they are.
func keysOf(tags []keying.Tag, group []int) (keys []string, n int) {
	keys = make([]string, 0, 2*len(group))
	for _, at := range group {
		if at >= len(tags) {
			break
		}
		keys = append(keys, tags[at].Token(), tags[at].Writers())
		n++
	}
	return keys, n
}

// watchedBy takes what a script returned for the positions of a group.
func watchedBy(cmd *redis.Cmd, positions []int, offset int, into []store.Value) error {
	values, err := cmd.Slice()
	if err != nil || len(values) != len(positions) {
		return fmt.Errorf("the script answered %v (%w)", cmd.Val(), err)
	}
	for i, at := range positions {
		data, found := values[i].(string)
		into[at-offset] = store.Value{Data: data, Found: found}
	}
	return nil
}

// Declare implements [store.Store] with declare.lua.
func (s *Store) Declare(ctx context.Context, d store.Declaration) (store.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	v, err := s.declared(ctx, d)
	if err != nil {
		return store.Value{}, fmt.Errorf("redisstore: declare: %w", err)
	}
	return v, nil
}

func (s *Store) declared(ctx context.Context, d store.Declaration) (store.Value, error) {
	n, err := s.servers.node(ctx, d.Tag.Token())
	if err != nil {
		return store.Value{}, err
	}
	keys := []string{d.Tag.Token(), d.Tag.Writers()}
	args := []any{d.Token, d.TTL.Milliseconds(), d.Max}
	for _, name := range d.Names {
		args = append(args, name)
	}
	var cmd *redis.Cmd
	run := func(eval func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd) (store.History, error) {
		return n.pipelined(ctx, func(p redis.Pipeliner) { cmd = eval(ctx, p, keys, args...) })
	}
	history, err := run(s.declare.EvalSha)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		history, err = run(s.declare.Eval)
	}
	if isMoved(err) {
		s.servers.moved(ctx)
	}
	if err != nil {
		return store.Value{}, err
	}
	data, err := cmd.Text()
	return store.Value{Data: data, Found: true, History: history}, err
}

func tagName(t keying.Tag) string { return string(t) }

// A runner queues a script.
type runner func(keys []string, args ...any) *redis.Cmd

// onSlots runs a script once for each slot, in one pipeline.
func (s *Store) onSlots(ctx context.Context, sc *redis.Script, slots int, queue func(runner)) error {
	if slots == 0 {
		return nil
	}
	run := func(eval func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd) error {
		return s.exec(ctx, func(p redis.Pipeliner) {
			queue(func(keys []string, args ...any) *redis.Cmd { return eval(ctx, p, keys, args...) })
		})
	}
	err := run(sc.EvalSha)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		// A server that was restarted, flushed or promoted: send the text. Steps that were done are done again.
		err = run(sc.Eval)
	}
	return err
}
