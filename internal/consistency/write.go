package consistency

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// A Write is one transaction, or one statement in autocommit, that is about to change what tags stand for. It ends
// with one call of End.
type Write struct {
	p      *Protocol
	id     string
	guards []Guard
	causes map[string]metrics.Cause

	before    time.Duration
	announced bool
	left      bool // in the outbox

	mu       sync.Mutex
	tags     []keying.Tag
	intended time.Time // when the last intent that succeeded was begun
	renewal  *time.Timer
	renewing chan struct{} // closed when the renewal that is under way is over; nil if there is none
	ended    bool
}

// Intend is W2: it announces a write, to be called right before its COMMIT. From then on nothing that depends on the
// tags is served or stored by anybody. The steps go on when the context is over; only its values count.
//
// An error means that the write must not take place: it is [ErrUnannounced], under [FailWrite] alone. Else a write that
// could not be announced goes on, and its end sees to it; under [Outbox], what is [Write.Untold] does, too.
//
// The tags have to hold the list of each table, and the rows and scopes that the write touches; a guard for each table
// says of which scopes the caller knew.
func (p *Protocol) Intend(ctx context.Context, tags []keying.Tag, guards ...Guard) (*Write, error) {
	if p.cfg.Foreground {
		p.keeper.settled(ctx)
	}
	w := &Write{p: p, id: writerID(), tags: tags, guards: guards}
	start := time.Now()
	err := w.announce(ctx)
	w.before = time.Since(start)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.renewal = time.AfterFunc(p.cfg.IntentTTL/3, w.renew)
		return w, nil
	}
	if p.cfg.Outage == FailWrite {
		p.keeper.add(debt{writer: w.id, tags: w.tags}, 0) // some of it may have been done
		w.report(metrics.WriteEvent{Outcome: metrics.Refused}, tags)
		return nil, fmt.Errorf("%w: %w", ErrUnannounced, err)
	}
	return w, nil
}

// Because says, for the event, why tables are written: see [metrics.WriteEvent]. To be called before End.
func (w *Write) Because(causes map[string]metrics.Cause) { w.causes = causes }

// Unannounceable is told of a write whose tags cannot be named. It returns [ErrUnannounced] under [FailWrite]: then the
// write must not take place.
func (p *Protocol) Unannounceable() error {
	if p.cfg.Outage == FailWrite {
		p.cfg.Recorder.Write(metrics.WriteEvent{Outcome: metrics.Refused})
		return ErrUnannounced
	}
	p.cfg.Recorder.Write(metrics.WriteEvent{Outcome: metrics.Unseen})
	return nil
}

// announce does W2 once; twice, if that took so long that the intent might lapse before the COMMIT is on its way.
func (w *Write) announce(ctx context.Context) error {
	for range 2 {
		start := time.Now()
		if err := w.intend(ctx); err != nil {
			return err
		}
		w.mu.Lock()
		w.announced, w.intended = true, start
		w.mu.Unlock()
		if time.Since(start) < w.p.cfg.IntentTTL/3 {
			break
		}
	}
	return nil
}

// intend is one W2: on the tags, then on the registries with scopes that the caller did not know of.
func (w *Write) intend(ctx context.Context) error {
	w.mu.Lock()
	tags := w.tags
	w.mu.Unlock()
	step := func(tags, watch []keying.Tag) ([]store.Value, error) {
		ctx, cancel := w.p.background(ctx)
		defer cancel()
		return w.p.cfg.Store.Intend(ctx, w.id, w.p.cfg.IntentTTL, tags, watch)
	}
	watched, err := step(tags, watch(w.guards))
	if err != nil {
		return err
	}
	more := w.p.unguarded(w.guards, watched)
	if len(more) == 0 {
		return nil
	}
	w.mu.Lock()
	w.tags = append(slices.Clip(w.tags), more...)
	w.mu.Unlock()
	_, err = step(more, nil)
	return err
}

// renew puts the end of the intent off while the COMMIT is under way.
func (w *Write) renew() {
	over := make(chan struct{})
	w.mu.Lock()
	if w.ended || w.p.stopped.Err() != nil {
		w.mu.Unlock()
		return
	}
	w.renewing = over
	w.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			w.p.Panicked(w.p.stopped, r)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		close(over)
		w.renewing = nil
		if !w.ended {
			w.renewal.Reset(w.p.cfg.IntentTTL / 3)
		}
	}()
	_ = w.announce(w.p.stopped) // if it fails, the next one may not
}

// renewed ends the renewals. It waits for the one that is under way, which takes no longer than a step may: an intent that
// came after the release would keep its tags from being served until it lapses.
func (w *Write) renewed() {
	w.mu.Lock()
	w.ended = true
	if w.renewal != nil {
		w.renewal.Stop()
	}
	renewing := w.renewing
	w.mu.Unlock()
	if renewing != nil {
		<-renewing
	}
}

// End says what became of the write. Unless that is [metrics.InDoubt] or [metrics.Unseen] it is W4, the release: when
// it returns, a read that starts afterwards does not see what was there before the write. In doubt, and if the end of
// the transaction could not be observed, the intent is kept up for Config.InDoubtHold, then released.
func (w *Write) End(ctx context.Context, outcome metrics.WriteOutcome) {
	w.renewed()
	w.mu.Lock()
	announced := w.announced
	event := metrics.WriteEvent{
		Outcome: outcome, Announced: announced, Lapsed: announced && time.Since(w.intended) > w.p.cfg.IntentTTL,
	}
	owed := debt{writer: w.id, tags: w.tags, left: w.left}
	event.Outboxed = w.left && outcome != metrics.RolledBack
	w.mu.Unlock()

	start := time.Now()
	if outcome == metrics.InDoubt || outcome == metrics.Unseen {
		owed.strict = !announced
		event.Journaled = owed.strict
		owed.tags = slices.Concat(owed.tags, watch(w.guards)) // nobody looks when it is released
		w.p.keeper.add(owed, w.p.cfg.InDoubtHold)
		if w.p.cfg.Foreground {
			w.p.keeper.settled(ctx)
		}
	} else {
		// Whoever was told before the COMMIT, and was not left alone with a lapsed intent, is safe without the release.
		owed.strict = outcome == metrics.Committed && (!announced || event.Lapsed)
		if err := w.release(ctx, &owed); err != nil {
			w.p.keeper.add(owed, 0)
			event.Journaled = owed.strict
		} else {
			event.Released = true
		}
	}
	event.After = time.Since(start)
	w.report(event, owed.tags)
}

// release does W4: on the tags, then on the registries with scopes that the caller did not know of, even now. If it fails,
// the debt is what is left to be done.
func (w *Write) release(ctx context.Context, owed *debt) error {
	watched, err := w.drop(ctx, owed.tags, watch(w.guards), owed.strict)
	if err != nil {
		owed.tags = slices.Concat(owed.tags, watch(w.guards)) // nobody has looked
		return err
	}
	more := w.p.unguarded(w.guards, watched)
	if len(more) == 0 {
		return nil
	}
	owed.tags, owed.strict = slices.Concat(owed.tags, more), true // somebody may be serving what was there before
	_, err = w.drop(ctx, more, nil, owed.strict)
	return err
}

// drop does W4 once. If others would go on serving what was there before, it tries once more.
func (w *Write) drop(ctx context.Context, tags, watch []keying.Tag, strict bool) (watched []store.Value, err error) {
	try := func() ([]store.Value, error) {
		ctx, cancel := w.p.background(ctx)
		defer cancel()
		return w.p.cfg.Store.Release(ctx, w.id, tags, watch)
	}
	watched, err = try()
	if err != nil && strict {
		watched, err = try()
	}
	return watched, err
}

func (w *Write) report(event metrics.WriteEvent, tags []keying.Tag) {
	event.Before, event.Causes = w.before, w.causes
	if _, forgets := w.p.cfg.Recorder.(metrics.Nop); !forgets {
		event.Tags = make([]string, len(tags))
		for i, tag := range tags {
			event.Tags[i] = tag.String()
		}
	}
	w.p.cfg.Recorder.Write(event)
}
