package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// A writing is a step of a writer's: intend.lua, or release.lua, which has no time to live.
type writing struct {
	script *redis.Script
	writer string
	ttl    time.Duration
}

// A call is one run of its script: on keys of one slot, or of one server.
type call struct {
	tags, watch []keying.Tag
	keys        []string
	args        []any
	cmd         *redis.Cmd
	values      []any // found under what is watched
}

// newCall is for a group of positions in what tags and watched tags are together.
func newCall(w writing, tags, watch []keying.Tag, group []int) *call {
	c := &call{}
	for _, at := range group {
		if at < len(tags) {
			c.tags = append(c.tags, tags[at])
			c.keys = append(c.keys, tags[at].Token(), tags[at].Writers())
		} else { // which come behind the others
			c.watch = append(c.watch, watch[at-len(tags)])
			c.keys = append(c.keys, watch[at-len(tags)].Token())
		}
	}
	c.args = []any{w.writer, len(c.tags)}
	if w.ttl > 0 {
		c.args = append(c.args, w.ttl.Milliseconds())
	}
	return c
}

// watchedBy takes what was found for those positions of a group that are watched.
func (c *call) watchedBy(group []int, offset int, into []store.Value) error {
	positions := group[len(c.tags):]
	if len(c.values) != len(positions) {
		return fmt.Errorf("the script answered %v", c.values)
	}
	for i, at := range positions {
		data, found := c.values[i].(string)
		into[at-offset] = store.Value{Data: data, Found: found}
	}
	return nil
}

// run takes the steps of a server.
func (s *Store) run(ctx context.Context, n *node, w writing, calls []*call) error {
	err := s.eval(ctx, n.rdb.Pipeline(), w.script.EvalSha, calls)
	if slices.ContainsFunc(calls, func(c *call) bool { return redis.HasErrorPrefix(c.cmd.Err(), "NOSCRIPT") }) {
		// A server that was restarted, flushed or promoted: send the text. Steps that were done are done again.
		err = s.eval(ctx, n.rdb.Pipeline(), w.script.Eval, calls)
	}
	if err == nil || s.servers.oneNode() {
		return err
	}
	if slices.ContainsFunc(calls, func(c *call) bool { return isElsewhere(c.cmd.Err()) }) {
		return s.redirected(ctx, w, calls)
	}
	if _, answered := errors.AsType[redis.Error](err); answered || ctx.Err() != nil {
		return err
	}
	return s.again(ctx, w, calls)
}

// again has the cluster client take steps whose connection has failed: it tries others, and knows who holds the keys by now.
func (s *Store) again(ctx context.Context, w writing, calls []*call) error {
	err := s.exec(ctx, func(p redis.Pipeliner) {
		for _, c := range calls {
			c.cmd = w.script.Eval(ctx, p, c.keys, c.args...)
		}
	})
	if err != nil {
		return err
	}
	for _, c := range calls {
		c.values, _ = c.cmd.Slice()
	}
	return nil
}

// eval makes calls in one pipeline.
func (s *Store) eval(
	ctx context.Context, p redis.Pipeliner, eval func(context.Context, redis.Scripter, []string, ...any) *redis.Cmd,
	calls []*call,
) error {
	for _, c := range calls {
		c.cmd = eval(ctx, p, c.keys, c.args...)
	}
	_, err := p.Exec(ctx)
	for _, c := range calls {
		c.values, _ = c.cmd.Slice()
	}
	return err
}

// isElsewhere reports whether a step was refused because its slot is elsewhere, or on its way: before it, or in the middle
// (as a key that the script itself has deleted counts as one that has gone already).
func isElsewhere(err error) bool {
	return redis.HasErrorPrefix(err, "MOVED") || redis.HasErrorPrefix(err, "ASK") || redis.HasErrorPrefix(err, "TRYAGAIN") ||
		err != nil && strings.Contains(err.Error(), "non local key")
}

// redirected takes the steps that were refused because their slots are elsewhere.
func (s *Store) redirected(ctx context.Context, w writing, calls []*call) error {
	for _, c := range calls {
		err := c.cmd.Err()
		if isElsewhere(err) {
			err = s.apart(ctx, w, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// apart takes a step with commands of one key each. While a slot is being moved, a command of several keys is refused by
// both servers unless one of them has all, which for a writer is hardly ever so (a tag has a token, or writers); readers are
// served on by whoever has all that they ask for. The cluster client finds out which of the two has a key.
//
// The order makes up for the one step: from the moment that the writer is among the writers, nobody mints. See package
// consistency, "A slot that is being moved".
func (s *Store) apart(ctx context.Context, w writing, c *call) error {
	steps := []func(redis.Pipeliner){s.joins(ctx, w, c), drops(ctx, w, c)}
	if w.ttl == 0 {
		steps = []func(redis.Pipeliner){drops(ctx, w, c), leaves(ctx, w, c)}
	}
	for _, step := range steps {
		if err := s.exec(ctx, step); err != nil {
			return err
		}
	}
	return s.look(ctx, c)
}

func (s *Store) joins(ctx context.Context, w writing, c *call) func(redis.Pipeliner) {
	return func(p redis.Pipeliner) {
		for _, tag := range c.tags {
			s.join.Eval(ctx, p, []string{tag.Writers()}, w.writer, w.ttl.Milliseconds())
		}
	}
}

// drops drops the tokens; while the writer is one of the writers, readers see that at once.
func drops(ctx context.Context, w writing, c *call) func(redis.Pipeliner) {
	return func(p redis.Pipeliner) {
		for _, tag := range c.tags {
			if w.ttl > 0 {
				p.Set(ctx, tag.Token(), store.Writing, w.ttl)
			} else {
				p.Del(ctx, tag.Token())
			}
		}
	}
}

func leaves(ctx context.Context, w writing, c *call) func(redis.Pipeliner) {
	return func(p redis.Pipeliner) {
		for _, tag := range c.tags {
			p.ZRem(ctx, tag.Writers(), w.writer)
		}
	}
}

// look reads what is watched.
func (s *Store) look(ctx context.Context, c *call) error {
	found := make([]*redis.StringCmd, len(c.watch))
	err := s.exec(ctx, func(p redis.Pipeliner) {
		for i, tag := range c.watch {
			found[i] = p.Get(ctx, tag.Token())
		}
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	c.values = make([]any, len(found))
	for i, cmd := range found {
		switch err := cmd.Err(); {
		case err == nil:
			c.values[i] = cmd.Val()
		case !errors.Is(err, redis.Nil):
			return err
		}
	}
	return nil
}
