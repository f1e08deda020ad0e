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
	watched, err := s.write(ctx, writing{script: s.intend, writer: writer, ttl: ttl}, tags, watch)
	if err != nil {
		return nil, fmt.Errorf("redisstore: intend on %d tags: %w", len(tags), err)
	}
	return watched, nil
}

// Release implements [store.Store] with release.lua.
func (s *Store) Release(ctx context.Context, writer string, tags, watch []keying.Tag) ([]store.Value, error) {
	watched, err := s.write(ctx, writing{script: s.release, writer: writer}, tags, watch)
	if err != nil {
		return nil, fmt.Errorf("redisstore: release %d tags: %w", len(tags), err)
	}
	return watched, nil
}

// write runs a script of a writer's on tags, and returns what was then found under those that are watched. In a slot that
// is being moved to another server, it takes the steps of apart instead.
func (s *Store) write(ctx context.Context, w writing, tags, watch []keying.Tag) ([]store.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	all := slices.Concat(tags, watch)
	watched := make([]store.Value, len(watch))
	tag := func(i int) string { return all[i].Token() }
	err := s.onNodes(ctx, s.together(len(all), tag), tag, func(n *node, groups [][]int) error {
		calls := make([]*call, len(groups))
		for i, g := range groups {
			calls[i] = newCall(w, tags, watch, g)
		}
		if err := s.run(ctx, n, w, calls); err != nil {
			return err
		}
		for i, g := range groups {
			if err := calls[i].watchedBy(g, len(tags), watched); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return watched, nil
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
	var v store.Value
	key := func(int) string { return d.Tag.Token() }
	err := s.onNodes(ctx, [][]int{{0}}, key, func(n *node, _ [][]int) (err error) {
		v, err = n.declare(ctx, s.declare, d)
		return err
	})
	return v, err
}

// declare runs declare.lua.
func (n *node) declare(ctx context.Context, sc *redis.Script, d store.Declaration) (store.Value, error) {
	keys := []string{d.Tag.Token(), d.Tag.Writers()}
	args := []any{d.Token, d.TTL.Milliseconds(), d.Max}
	for _, name := range d.Names {
		args = append(args, name)
	}
	var cmd *redis.Cmd
	run := func(eval func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd) (store.History, error) {
		return n.pipelined(ctx, func(p redis.Pipeliner) { cmd = eval(ctx, p, keys, args...) })
	}
	history, err := run(sc.EvalSha)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		history, err = run(sc.Eval)
	}
	if err != nil {
		return store.Value{}, err
	}
	data, err := cmd.Text()
	return store.Value{Data: data, Found: true, History: history}, err
}
