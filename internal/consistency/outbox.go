package consistency

import (
	"context"
	"slices"

	"github.com/gorm-rediscache/rediscache/keying"
)

// maxRelayed is how many tags are released in one step.
const maxRelayed = 500

// Untold returns what has to be left in the outbox, in the same transaction, before the write is committed; nothing, if
// the store was told of it, or the outage policy is another one. The caller says by Left that it is there.
func (w *Write) Untold() []keying.Tag {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.p.cfg.Outage != Outbox || w.announced {
		return nil
	}
	return slices.Concat(w.tags, watch(w.guards)) // nobody looks when it is released
}

// Left says that what was untold is in the transaction, and becomes visible with it.
func (w *Write) Left() { w.left = true }

// Relay is O2: it releases what was found in the outbox. The caller deletes it there afterwards, if there is no error.
func (p *Protocol) Relay(ctx context.Context, tags []keying.Tag) error {
	writer := writerID()
	for some := range slices.Chunk(tags, maxRelayed) {
		if err := p.relay(ctx, writer, some); err != nil {
			return err
		}
	}
	return nil
}

func (p *Protocol) relay(ctx context.Context, writer string, tags []keying.Tag) error {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	_, err := p.cfg.Store.Release(ctx, writer, tags, nil)
	return err
}
