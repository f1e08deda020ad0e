package sim_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/consistency"
	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// A process has a protocol, and has read a version of the schema.
type process struct {
	*consistency.Protocol
	s       *simulation
	name    string
	crashed bool // gate.mu is held
	// returned holds, of each row, the last commit of this process that has returned: see judge.
	returned [nRows + 1]int

	mu    sync.Mutex
	known *schema // nil: none
	last  metrics.WriteEvent
}

// A schema is what a process has read of it.
type schema struct {
	pins *consistency.Pins
	at   int // the commit that made it
}

// Deadlines, in the bubble's time.
const (
	stepTimeout = 100 * time.Millisecond
	intentTTL   = 3 * time.Second
	inDoubtHold = 6 * time.Second
)

func (s *simulation) newProcess() *process {
	s.processes++
	p := &process{s: s, name: fmt.Sprint("p", s.processes)}
	p.Protocol = consistency.New(consistency.Config{
		Store: &road{p}, Outage: s.opt.Outage, Timeout: stepTimeout, IntentTTL: intentTTL, InDoubtHold: inDoubtHold, Recorder: &recorder{p: p},
		Draw: s.draw,
	})
	return p
}

// recorder remembers the last write of a process, which has one writer.
type recorder struct {
	metrics.Nop
	p *process
}

func (r *recorder) Write(e metrics.WriteEvent) {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	r.p.last = e
}

// A road is the way of a process to the store. Each server is asked for its part by a call of its own.
type road struct{ p *process }

func (r *road) pass(ctx context.Context, what string, do func()) error {
	return r.p.s.gate.pass(ctx, &call{p: r.p, kind: steps, what: what, do: do})
}

// each calls a function for each server that has some of the keys, with their positions.
func (r *road) each(n int, key func(int) string, ask func(server int, at []int) error) error {
	parts := make([][]int, len(r.p.s.servers))
	for i := range n {
		server := r.p.s.serverOf(key(i))
		parts[server] = append(parts[server], i)
	}
	for server, at := range parts {
		if len(at) == 0 {
			continue
		}
		if err := ask(server, at); err != nil {
			return err
		}
	}
	return nil
}

// snapshot puts together what the servers answer for their parts.
func (r *road) snapshot(
	n int, key func(int) string, ask func(server int, at []int) (store.Snapshot, error),
) (store.Snapshot, error) {
	all := store.Snapshot{Values: make([]store.Value, n), Atomic: len(r.p.s.servers) == 1}
	err := r.each(n, key, func(server int, at []int) error {
		part, err := ask(server, at)
		if err != nil {
			return err
		}
		for n, i := range at {
			all.Values[i] = part.Values[n]
		}
		return nil
	})
	return all, err
}

// Load implements [store.Store].
func (r *road) Load(ctx context.Context, keys []string) (store.Snapshot, error) {
	key := func(i int) string { return keys[i] }
	return r.snapshot(len(keys), key, func(server int, at []int) (part store.Snapshot, err error) {
		err = r.pass(ctx, "load "+shownKeys(pick(keys, at)), func() {
			part, _ = r.p.s.servers[server].Load(context.WithoutCancel(ctx), pick(keys, at))
		})
		return part, err
	})
}

// Mint implements [store.Store].
func (r *road) Mint(ctx context.Context, mints []store.Mint) (store.Snapshot, error) {
	key := func(i int) string { return mints[i].Tag.Token() }
	return r.snapshot(len(mints), key, func(server int, at []int) (part store.Snapshot, err error) {
		var tags []keying.Tag
		for _, i := range at {
			tags = append(tags, mints[i].Tag)
		}
		err = r.pass(ctx, "mint "+shownTags(tags), func() {
			part, _ = r.p.s.servers[server].Mint(context.WithoutCancel(ctx), pick(mints, at))
		})
		return part, err
	})
}

// Put implements [store.Store].
func (r *road) Put(ctx context.Context, entries []store.Entry) error {
	kept := make([]store.Entry, len(entries)) // what is in them is used again when Put has returned
	for i, e := range entries {
		e.Data = []byte(string(e.Data))
		kept[i] = e
	}
	return r.each(len(kept), func(i int) string { return string(kept[i].Key) }, func(server int, at []int) error {
		var keys []string
		for _, i := range at {
			keys = append(keys, string(kept[i].Key))
		}
		return r.pass(ctx, "put "+shownKeys(keys), func() {
			_ = r.p.s.servers[server].Put(context.WithoutCancel(ctx), pick(kept, at))
		})
	})
}

// Declare implements [store.Store]. No entry has a scope.
func (r *road) Declare(context.Context, store.Declaration) (store.Value, error) {
	return store.Value{}, errFault
}

// Intend implements [store.Store].
func (r *road) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, _ []keying.Tag,
) ([]store.Value, error) {
	r.p.s.judge.writes(ctx, writer)
	return nil, r.each(len(tags), func(i int) string { return tags[i].Token() }, func(server int, at []int) error {
		tags := pick(tags, at)
		return r.pass(ctx, "intend "+shownTags(tags), func() {
			_, _ = r.p.s.servers[server].Intend(context.WithoutCancel(ctx), writer, ttl, tags, nil)
			_, _ = r.p.s.shadows[server].Intend(context.WithoutCancel(ctx), writer, ttl, tags, nil)
			r.p.s.judge.dropped(tags)
		})
	})
}

// Release implements [store.Store].
func (r *road) Release(ctx context.Context, writer string, tags, _ []keying.Tag) ([]store.Value, error) {
	return nil, r.each(len(tags), func(i int) string { return tags[i].Token() }, func(server int, at []int) error {
		tags := pick(tags, at)
		return r.pass(ctx, "release "+shownTags(tags), func() {
			_, _ = r.p.s.servers[server].Release(context.WithoutCancel(ctx), writer, tags, nil)
			_, _ = r.p.s.shadows[server].Release(context.WithoutCancel(ctx), writer, tags, nil)
			r.p.s.judge.dropped(tags)
		})
	})
}

// Close implements [store.Store].
func (r *road) Close() error { return nil }

func (r *road) Layout() keying.Layout { return keying.ManySlots }

func pick[T any](all []T, at []int) []T {
	some := make([]T, len(at))
	for n, i := range at {
		some[n] = all[i]
	}
	return some
}

// shownTags names tags in a trace: copies, of which there are many, once.
func shownTags(tags []keying.Tag) string {
	var names []string
	for _, tag := range tags {
		s := tag.String()
		if strings.HasPrefix(s, "lease:") {
			s = "lease" // its name is made of random stamps
		}
		if len(names) == 0 || names[len(names)-1] != s && len(names) < 4 {
			names = append(names, s)
		}
	}
	return strings.Join(names, " ")
}

func shownKeys(keys []string) string {
	tags := make([]keying.Tag, len(keys))
	for i, key := range keys {
		tags[i] = keying.Tag(key)
	}
	return shownTags(tags)
}
