package consistency

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// Pins are the stamps that the tags of a database's schema had before the schema was read. What was read holds while they
// are current. They may be used by several goroutines.
type Pins struct {
	schema map[keying.Tag]pin // by the tag of all entries in the same slot
}

// A pin is one of the pins: what the schema's tag in a slot had for a stamp, and the last stamp of the tag of all entries in
// that slot of which this process has seen that the schema's was still the pinned one, later. A change of the schema drops
// both. So nobody has to look at the schema's tag before the other one has changed, which entries depend on, and readers
// look at anyway.
type pin struct {
	tag    keying.Tag
	schema stamp
	all    *atomic.Pointer[stamp]
}

// ErrWriting is returned by [Protocol.Pin] while the schema is being written: what is read now may change.
var ErrWriting = errors.New("being written")

// Pin takes the stamps of a database's schema. To be called before the schema is read.
func (p *Protocol) Pin(ctx context.Context, names keying.Space) (*Pins, error) {
	schema, all := tokens{tags: names.Schema()}, tokens{tags: names.All()}
	n := len(schema.tags)
	keys := make([]string, 0, 2*n)
	for _, tag := range slices.Concat(schema.tags, all.tags) {
		keys = append(keys, tag.Token())
	}
	snap, err := p.cfg.Store.Load(ctx, keys) // mostly they are there, and each mint is a script
	if err != nil {
		return nil, fmt.Errorf("consistency: pin: %w", err)
	}
	schema.values, all.values = snap.Values[:n:n], snap.Values[n:]
	schema.forget(func(tag keying.Tag) { p.Corrupt(ctx, tag.Token()) })
	if mints, at := schema.missing(); len(mints) > 0 {
		if snap, err = p.cfg.Store.Mint(ctx, mints); err != nil {
			return nil, fmt.Errorf("consistency: pin: %w", err)
		}
		for i, v := range snap.Values {
			schema.values[at[i]] = v
		}
	}
	if schema.writing() {
		return nil, fmt.Errorf("consistency: pin: %w", ErrWriting)
	}
	pins := &Pins{schema: make(map[keying.Tag]pin, n)}
	for i, tag := range schema.tags {
		pinned := pin{tag: tag, all: new(atomic.Pointer[stamp])}
		if pinned.schema, err = stampOf(schema.values[i]); err != nil {
			return nil, fmt.Errorf("consistency: pin: %w", err)
		}
		var seen stamp // none: a tag of all entries without a token is looked at by who finds one
		if v := all.values[i]; v.Found && v.Data != store.Writing {
			seen, _ = stampOf(v)
		}
		pinned.all.Store(&seen)
		pins.schema[all.tags[i]] = pinned
	}
	return pins, nil
}

// Current reports whether what was read of the schema under pins still holds. A write that was planned by it asks when its
// statements have been carried out: who changed what they mean has announced that before. One of the schema's tags is looked
// at, as such a change is announced on all of them. If the store cannot be asked, the answer is yes: then nobody could have
// announced anything either. Nor could they if nothing was pinned because the store could not be asked, and it still cannot.
func (p *Protocol) Current(ctx context.Context, pins *Pins) bool {
	if pins == nil || len(pins.schema) == 0 {
		return p.refuses()
	}
	for _, pinned := range pins.schema { // any of them: no key is asked for more than others
		ctx, cancel := p.background(ctx)
		defer cancel()
		snap, err := p.cfg.Store.Load(ctx, []string{pinned.tag.Token()})
		return err != nil || pinned.is(snap.Values[0])
	}
	return false
}

// is reports whether the schema's tag still has the token that was pinned.
func (p pin) is(v store.Value) bool {
	now, err := stampOf(v)
	return err == nil && v.Found && now == p.schema
}

// hold says whether what was read under the pins holds at the moment at which these tokens were found: if the tag of all
// entries still has the stamp with which that was seen last, or if, loaded after it, the schema's tag has the pinned one.
// Otherwise the reason is outdated. A token that is missing is looked at when it has been minted.
func (p *Protocol) hold(ctx context.Context, pins *Pins, found *tokens) metrics.Reason {
	if pins == nil {
		return outdated
	}
	var keys []string
	var again []pin
	var now []stamp
	for i, tag := range found.tags {
		pinned, ok := pins.schema[tag]
		if !ok || !found.values[i].Found {
			continue
		}
		at, err := stampOf(found.values[i])
		if err != nil {
			return outdated
		}
		if at != *pinned.all.Load() {
			keys, again, now = append(keys, pinned.tag.Token()), append(again, pinned), append(now, at)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	snap, err := p.cfg.Store.Load(ctx, keys)
	if err != nil {
		return metrics.ReasonStore
	}
	for i, pinned := range again {
		if !pinned.is(snap.Values[i]) {
			return outdated
		}
		pinned.all.Store(&now[i])
	}
	return ""
}
