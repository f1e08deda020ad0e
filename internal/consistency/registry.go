package consistency

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// MaxScopes is the greatest number of scopes of a table. Each costs every write of a row a tag.
const MaxScopes = 16

// A Scope is a dependency on some rows of a table.
type Scope struct {
	// Registry and List are tags of the table. Every write of the table announces the list.
	Registry, List keying.Tag
	// Name stands for the columns that tell the rows apart.
	Name string
}

// A Guard is a table that a write touches, and the scopes that the write's tags have been made for.
type Guard struct {
	Registry keying.Tag
	Names    []string
}

// registries remembers what this process has seen of registries.
type registries struct {
	seen sync.Map // keying.Tag → *registry
	n    atomic.Int64
}

// maxRegistries bounds the tables of which it is remembered: a program may name any number of them, which need not even
// exist. Beyond it all is forgotten, and asked again: W2 and W4 look, whatever was remembered.
const maxRegistries = 4096

// store remembers a registry.
func (r *registries) store(tag keying.Tag, reg *registry) {
	if _, known := r.seen.Swap(tag, reg); known || r.n.Add(1) <= maxRegistries {
		return
	}
	r.n.Store(0)
	r.seen.Clear()
}

// A registry is what one token of it carries.
type registry struct {
	names []string
	// stamp is that of the token under which it was seen that nobody writes the table; zero, if it was not looked.
	stamp stamp
}

// names returns what was seen last; ok is false if nothing was.
func (r *registries) names(tag keying.Tag) (names []string, ok bool) {
	if v, ok := r.seen.Load(tag); ok {
		return v.(*registry).names, true //nolint:forcetypeassert // only registries are stored
	}
	return nil, false
}

// absent remembers that there is none, unless one was seen meanwhile.
func (r *registries) absent(tag keying.Tag) {
	if _, known := r.names(tag); !known {
		r.store(tag, &registry{})
	}
}

// settled reports whether entries with the scope may be stored under a token.
func (r *registries) settled(s Scope, v store.Value) bool {
	known, ok := r.seen.Load(s.Registry)
	if !ok || !v.Found {
		return false
	}
	now, err := stampOf(v)
	reg := known.(*registry) //nolint:forcetypeassert // only registries are stored
	return err == nil && reg.stamp == now && slices.Contains(reg.names, s.Name)
}

// note remembers what a token carries, unless the same is remembered already. A registry that has lost its token has not
// lost its readers: what they will declare again is remembered.
func (r *registries) note(tag keying.Tag, v store.Value) {
	if !v.Found || v.Data == store.Writing {
		return
	}
	names := store.Names(v.Data)
	if known, ok := r.names(tag); ok && slices.Equal(known, names) {
		return
	}
	r.store(tag, &registry{names: names})
}

// ScopesOf returns the names of a table's scopes, as far as they are known: what a write has to announce. It may be out of
// date; the write's [Guard] sees to that. The store is asked for a table that this process has not seen yet.
func (p *Protocol) ScopesOf(ctx context.Context, tag keying.Tag) []string {
	if names, ok := p.registries.names(tag); ok {
		return names
	}
	ctx, cancel := p.background(ctx)
	defer cancel()
	snap, err := p.cfg.Store.Load(ctx, []string{tag.Token()})
	if err != nil {
		return nil
	}
	if v := snap.Values[0]; v.Found {
		p.registries.note(tag, v)
	} else {
		p.registries.absent(tag) // nobody is asked again
	}
	names, _ := p.registries.names(tag)
	return names
}

// declare is the part of R4 that concerns scopes. It replaces the tokens of registries by those that carry the scopes.
func (r *read) declare(ctx context.Context, wanted *tokens) metrics.Reason {
	for _, s := range r.scopes {
		at := wanted.find(s.Registry)
		if at < 0 || r.p.registries.settled(s, wanted.values[at]) {
			continue
		}
		v, reason := r.p.declare(ctx, s)
		if reason != "" {
			return reason
		}
		wanted.values[at] = v
	}
	return ""
}

// declare adds a scope to its registry, and sees that nobody is writing the table who may not have heard of it: such a
// writer has announced the list, and not yet released it.
func (p *Protocol) declare(ctx context.Context, s Scope) (store.Value, metrics.Reason) {
	v, err := p.cfg.Store.Declare(ctx, store.Declaration{
		Tag: s.Registry, Token: random(stampSize), TTL: tableTokenTTL, Names: []string{s.Name}, Max: MaxScopes,
	})
	if err != nil {
		return v, metrics.ReasonStore
	}
	if v.Data == store.Writing {
		return v, metrics.ReasonWriting
	}
	now, err := stampOf(v)
	if err != nil {
		return v, metrics.ReasonStore
	}
	names := store.Names(v.Data)
	if !slices.Contains(names, s.Name) {
		p.registries.note(s.Registry, v)
		return v, metrics.ReasonScopes
	}
	var list tokens
	list.add(s.List)
	list.values = make([]store.Value, 1)
	mints, _ := list.missing()
	snap, err := p.cfg.Store.Mint(ctx, mints)
	if err != nil {
		return v, metrics.ReasonStore
	}
	if snap.Values[0].Data == store.Writing {
		return v, metrics.ReasonWriting
	}
	p.registries.store(s.Registry, &registry{names: names, stamp: now})
	return v, ""
}

// watch returns the registries that a write has to look at.
func watch(guards []Guard) []keying.Tag {
	tags := make([]keying.Tag, len(guards))
	for i, g := range guards {
		tags[i] = g.Registry
	}
	return tags
}

// unguarded returns the registries that carry scopes which a write has made no tags for. One without a token carries none
// that anything depends on; nor does one that is being written.
func (p *Protocol) unguarded(guards []Guard, watched []store.Value) (tags []keying.Tag) {
	for i, v := range watched {
		if i >= len(guards) || v.Data == store.Writing {
			continue
		}
		p.registries.note(guards[i].Registry, v)
		for _, name := range store.Names(v.Data) {
			if !slices.Contains(guards[i].Names, name) {
				tags = append(tags, guards[i].Registry)
				break
			}
		}
	}
	return tags
}
