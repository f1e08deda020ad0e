package redisstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/store"
)

// Load implements [store.Store] with MGET: one for all keys where they are on one server, else one for each slot.
func (s *Store) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	snap := store.Snapshot{Values: make([]store.Value, len(keys)), Atomic: true}
	if s.servers.oneNode() {
		n, err := s.servers.node(ctx, "")
		if err == nil {
			err = n.suits(ctx)
		}
		if err == nil {
			err = n.mget(ctx, keys, snap.Values)
		}
		if err != nil {
			return store.Snapshot{}, fmt.Errorf("redisstore: load %d keys: %w", len(keys), err)
		}
		return snap, nil
	}
	groups := bySlot(len(keys), func(i int) string { return keys[i] })
	snap.Atomic = len(groups) == 1
	err := s.onNodes(ctx, groups, func(i int) string { return keys[i] }, func(n *node, groups [][]int) error {
		return n.mgetSlots(ctx, keys, groups, snap.Values)
	})
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("redisstore: load %d keys: %w", len(keys), err)
	}
	return snap, nil
}

// Mint implements [store.Store] with mint.lua.
func (s *Store) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	groups := s.together(len(mints), func(i int) string { return string(mints[i].Tag) })
	snap := store.Snapshot{Values: make([]store.Value, len(mints)), Atomic: len(groups) == 1}
	err := s.onNodes(ctx, groups, func(i int) string { return mints[i].Tag.Token() }, func(n *node, groups [][]int) error {
		return n.mint(ctx, s.mint, mints, groups, snap.Values)
	})
	if err != nil {
		return store.Snapshot{}, fmt.Errorf("redisstore: mint %d tokens: %w", len(mints), err)
	}
	return snap, nil
}

// onNodes calls do once for each server, with the groups of keys that it holds, all at the same time. A server that does
// not answer keeps nobody from the others.
func (s *Store) onNodes(
	ctx context.Context, groups [][]int, key func(int) string, do func(*node, [][]int) error,
) error {
	held := make(map[*node][][]int, 1)
	for _, g := range groups {
		n, err := s.servers.node(ctx, key(g[0]))
		if err != nil {
			return err
		}
		held[n] = append(held[n], g)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for n, g := range held {
		run := func() {
			if err := s.onNode(ctx, n, g, do); err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		}
		if len(held) == 1 {
			run()
		} else {
			wg.Go(run)
		}
	}
	wg.Wait()
	if failed != nil && s.servers.others() {
		return fmt.Errorf("%w: %w", store.ErrInPart, failed)
	}
	return failed
}

func (s *Store) onNode(ctx context.Context, n *node, groups [][]int, do func(*node, [][]int) error) error {
	err := errSilent
	if s.servers.ask(n) {
		if err = n.suits(ctx); err == nil {
			err = do(n, groups)
		}
	}
	s.servers.saw(ctx, n, err)
	return err
}

// mget reads keys with one command.
func (n *node) mget(ctx context.Context, keys []string, into []store.Value) error {
	cmd := newMGet(ctx, keys)
	history, err := n.reads.read(ctx, cmd)
	if err != nil {
		return err
	}
	return newReply(cmd.Val()).values(len(keys), func(i int, data string) {
		into[i] = store.Value{Data: data, Found: true, History: history}
	})
}

// mgetSlots reads each group of keys with a command of its own, in one pipeline.
func (n *node) mgetSlots(ctx context.Context, keys []string, groups [][]int, into []store.Value) error {
	cmds := make([]redis.Cmder, len(groups))
	values := make([]*redis.RawCmd, len(groups))
	for i, g := range groups {
		part := make([]string, len(g))
		for j, k := range g {
			part[j] = keys[k]
		}
		values[i] = newMGet(ctx, part)
		cmds[i] = values[i]
	}
	history, err := n.reads.read(ctx, cmds...)
	if err != nil {
		return err
	}
	for i, g := range groups {
		err := newReply(values[i].Val()).values(len(g), func(j int, data string) {
			into[g[j]] = store.Value{Data: data, Found: true, History: history}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// newMGet asks for the reply as it is: go-redis allocates each value twice. It names the keys by pointers, which
// go-redis takes for what they point to: strings in interfaces are allocated.
func newMGet(ctx context.Context, keys []string) *redis.RawCmd {
	args := make([]any, 1, 1+len(keys))
	args[0] = "mget"
	for i := range keys {
		args = append(args, &keys[i])
	}
	return redis.NewRawCmd(ctx, args...)
}

// mint runs mint.lua on each group of tags, in one pipeline.
func (n *node) mint(
	ctx context.Context, sc *redis.Script, mints []store.Mint, groups [][]int, into []store.Value,
) error {
	cmds := make([]*redis.Cmd, len(groups))
	run := func(eval func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd) (store.History, error) {
		return n.pipelined(ctx, func(p redis.Pipeliner) {
			for i, g := range groups {
				keys := make([]string, 0, 2*len(g))
				args := make([]any, 0, 2*len(g))
				for _, m := range g {
					keys = append(keys, mints[m].Tag.Token(), mints[m].Tag.Writers())
					args = append(args, mints[m].Token, mints[m].TTL.Milliseconds())
				}
				cmds[i] = eval(ctx, p, keys, args...)
			}
		})
	}
	history, err := run(sc.EvalSha)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		// All of it again, so that the history is that of the server which holds the tokens.
		history, err = run(sc.Eval)
	}
	if err != nil {
		return err
	}
	for i, g := range groups {
		tokens, err := cmds[i].StringSlice()
		if err != nil || len(tokens) != len(g) {
			return fmt.Errorf("mint answered %v (%w)", cmds[i].Val(), err)
		}
		for j, m := range g {
			into[m] = store.Value{Data: tokens[j], Found: true, History: history}
		}
	}
	return nil
}

// maxTogether bounds the elements that one run of a script touches: a server does nothing else meanwhile.
const maxTogether = 256

// together groups the positions of n elements which one run of a script may touch: of a Cluster, those whose keys are in one
// slot; of one server, all.
func (s *Store) together(n int, key func(int) string) [][]int {
	if !s.servers.oneNode() {
		return bySlot(n, key)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return slices.Collect(slices.Chunk(all, maxTogether))
}

// bySlot groups the positions of n elements whose keys are in one slot, in the order of their first element. Names of
// package keying have equal hash tags if they are in one slot.
func bySlot(n int, key func(int) string) [][]int {
	groups := make([][]int, 0, 1)
	at := make(map[string]int, 1)
	for i := range n {
		tag := hashTag(key(i))
		g, ok := at[tag]
		if !ok {
			g = len(groups)
			at[tag] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], i)
	}
	return groups
}

// hashTag returns the part of a key that decides its slot (Redis Cluster specification, "Hash tags").
func hashTag(key string) string {
	if _, rest, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(rest, "}"); ok && tag != "" {
			return tag
		}
	}
	return key
}
