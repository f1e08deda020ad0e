package consistency

import (
	"context"
	"errors"
	"fmt"

	"github.com/gorm-rediscache/rediscache/keying"
)

// Pins are the stamps that some tags had before something was learned. What was learned holds while they are current.
type Pins map[keying.Tag]stamp

// ErrWriting is returned by [Protocol.Pin] while one of the tags is being written: what is learned now may change.
var ErrWriting = errors.New("being written")

// Pin takes the stamps of tags. To be called before what depends on them is learned.
func (p *Protocol) Pin(ctx context.Context, tags []keying.Tag) (Pins, error) {
	var wanted tokens
	wanted.add(tags...)
	keys := make([]string, len(wanted.tags))
	for i, tag := range wanted.tags {
		keys[i] = tag.Token()
	}
	snap, err := p.cfg.Store.Load(ctx, keys) // mostly they are there, and each mint is a script
	if err != nil {
		return nil, fmt.Errorf("consistency: pin: %w", err)
	}
	wanted.values = snap.Values
	wanted.forget(func(tag keying.Tag) { p.Corrupt(ctx, tag.Token()) })
	if mints, at := wanted.missing(); len(mints) > 0 {
		if snap, err = p.cfg.Store.Mint(ctx, mints); err != nil {
			return nil, fmt.Errorf("consistency: pin: %w", err)
		}
		for i, v := range snap.Values {
			wanted.values[at[i]] = v
		}
	}
	if wanted.writing() {
		return nil, fmt.Errorf("consistency: pin: %w", ErrWriting)
	}
	pins := make(Pins, len(tags))
	for i, tag := range wanted.tags {
		if pins[tag], err = stampOf(wanted.values[i]); err != nil {
			return nil, fmt.Errorf("consistency: pin: %w", err)
		}
	}
	return pins, nil
}

// Current reports whether what was learned under pins still holds. A write that was planned by it asks when its statements
// have been carried out: who changed what they mean has announced that before. One of the pinned tags is looked at, as
// such a change is announced on all of them. If the store cannot be asked, the answer is yes: then nobody could have
// announced anything either. Nor could they if nothing was pinned because the store could not be asked, and it still cannot.
func (p *Protocol) Current(ctx context.Context, pins Pins) bool {
	if len(pins) == 0 {
		return p.refuses()
	}
	for tag, pinned := range pins { // any of them: no key is asked for more than others
		ctx, cancel := p.background(ctx)
		defer cancel()
		snap, err := p.cfg.Store.Load(ctx, []string{tag.Token()})
		if err != nil {
			return true
		}
		now, err := stampOf(snap.Values[0])
		return err == nil && snap.Values[0].Found && now == pinned
	}
	return false
}

// outdated reports whether one of the tokens that were found is another than the pinned one. Tags that are not pinned
// do not count, unless nothing is pinned at all. A token that is missing is looked at when it has been minted.
func (pins Pins) outdated(found *tokens) bool {
	if pins == nil {
		return true
	}
	for i, tag := range found.tags {
		pinned, ok := pins[tag]
		if !ok || !found.values[i].Found {
			continue
		}
		if now, err := stampOf(found.values[i]); err != nil || now != pinned {
			return true
		}
	}
	return false
}
