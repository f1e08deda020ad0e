package model_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// An actor is somebody who takes steps in the real protocol.
type actor struct {
	role byte // 'r'eader, 'w'riter, 'f'ill, 'k'eeper
	n    int
}

// An event is that an actor is about to take a step, and waits to be told to, or that it has come to an end.
type event struct {
	actor
	kind    stepKind // nothing: the end
	on      mask     // tags, and behind them entries
	verdict chan error
	taken   chan struct{} // closed when the step has been taken
	answer  answer
	err     error
}

var errCut = errors.New("cut off")

// A gate is a store that lets nobody take a step before the test says so.
type gate struct {
	store.Store
	names  [nTags]keying.Tag
	keys   [nEntries]keying.Key
	events chan event
	closed chan struct{}
}

type actorKey struct{}

// as returns the context in which an actor takes its steps.
func (a actor) as(ctx context.Context) context.Context { return context.WithValue(ctx, actorKey{}, a) }

func actorOf(ctx context.Context) actor {
	if a, ok := ctx.Value(actorKey{}).(actor); ok {
		return a
	}
	return actor{role: 'k'} // what goes on by itself
}

// pass waits until the step may be taken, and takes it, unless it is told not to.
func (g *gate) pass(a actor, kind stepKind, on mask, take func() error) error {
	e := event{actor: a, kind: kind, on: on, verdict: make(chan error, 1), taken: make(chan struct{})}
	defer close(e.taken)
	if !g.tell(e) {
		return errCut
	}
	select {
	case err := <-e.verdict:
		if err != nil {
			return err
		}
		return take()
	case <-g.closed:
		return errCut
	}
}

// allow lets a step be taken, or fail, and waits until it has been.
func (e event) allow(err error) {
	e.verdict <- err
	<-e.taken
}

func (g *gate) tell(e event) bool {
	select {
	case g.events <- e:
		return true
	case <-g.closed:
		return false
	}
}

func (g *gate) on(tags []keying.Tag) (on mask) {
	for i, name := range g.names {
		if slices.Contains(tags, name) {
			on |= 1 << i
		}
	}
	return on
}

func (g *gate) Load(ctx context.Context, keys []string) (snap store.Snapshot, err error) {
	var on mask
	kind := confirms
	for i, name := range g.names {
		if slices.Contains(keys, name.Token()) {
			on |= 1 << i
		}
	}
	for e, key := range g.keys {
		if slices.Contains(keys, string(key)) {
			on, kind = on|1<<(nTags+e), loads
		}
	}
	err = g.pass(actorOf(ctx), kind, on, func() error {
		snap, err = g.Store.Load(ctx, keys)
		return err
	})
	return snap, err
}

func (g *gate) Mint(ctx context.Context, wanted []store.Mint) (snap store.Snapshot, err error) {
	tags := make([]keying.Tag, len(wanted))
	for i := range wanted {
		tags[i] = wanted[i].Tag
	}
	on := g.on(tags)
	if on == 0 {
		return g.Store.Mint(ctx, wanted) // a lease, which nobody else wants here
	}
	err = g.pass(actorOf(ctx), mints, on, func() error {
		snap, err = g.Store.Mint(ctx, wanted)
		return err
	})
	return snap, err
}

func (g *gate) Put(ctx context.Context, entries []store.Entry) error {
	a := actor{'f', actorOf(ctx).n}
	var on mask
	for e, key := range g.keys {
		if slices.ContainsFunc(entries, func(is store.Entry) bool { return is.Key == key }) {
			on |= 1 << (nTags + e)
		}
	}
	return g.pass(a, puts, on, func() error { return g.Store.Put(ctx, entries) })
}

func (g *gate) Intend(
	ctx context.Context, writer string, ttl time.Duration, tags, watch []keying.Tag,
) (watched []store.Value, err error) {
	err = g.pass(actorOf(ctx), intends, g.on(tags), func() error {
		watched, err = g.Store.Intend(ctx, writer, ttl, tags, watch)
		return err
	})
	return watched, err
}

func (g *gate) Release(
	ctx context.Context, writer string, tags, watch []keying.Tag,
) (watched []store.Value, err error) {
	err = g.pass(actorOf(ctx), releases, g.on(tags), func() error {
		watched, err = g.Store.Release(ctx, writer, tags, watch)
		return err
	})
	return watched, err
}
