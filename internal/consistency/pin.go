package consistency

import (
	"context"
	"errors"
	"fmt"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/store"
)

// Pins are the stamps that some tags had before something was learned. What was learned holds while they are current.
type Pins map[keying.Tag]stamp

// ErrWriting is returned by [Protocol.Pin] while one of the tags is being written: what is learned now may change.
var ErrWriting = errors.New("being written")

// Pin takes the stamps of tags. To be called before what depends on them is learned.
func (p *Protocol) Pin(ctx context.Context, tags []keying.Tag) (Pins, error) {
	var wanted tokens
	wanted.add(tags...)
	wanted.values = make([]store.Value, len(wanted.tags))
	mints, _ := wanted.missing()
	snap, err := p.cfg.Store.Mint(ctx, mints)
	if err != nil {
		return nil, fmt.Errorf("consistency: pin: %w", err)
	}
	wanted.values = snap.Values
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
