package consistency

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// A debt is something that the store still has to be told of a write.
type debt struct {
	writer string
	tags   []keying.Tag
	// strict: this process must serve nothing before the store was told.
	strict bool
	// left: it is in the outbox, too, so this process may end before the store was told.
	left bool
	// since is when the store was to be told.
	since time.Time
	// until: the write is in doubt; its intent is kept up until then, and only then released.
	until time.Time
}

const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 2 * time.Second
	// maxOwed bounds the tags of all debts. Beyond it they are replaced by the tags of everything.
	maxOwed = 10_000
)

// A keeper pays debts: in the background, and before a read if one of them is strict. If nothing may be done in the
// background, it pays all of them before the next read or write. Its strict debts are the journal.
type keeper struct {
	p      *Protocol
	strict atomic.Int64 // number of strict debts

	paying chan struct{} // has one element while the store is being told

	mu      sync.Mutex
	debts   []*debt
	running bool
	wake    chan struct{}
}

// add takes a debt over, to be paid as soon as can be, after the intent was kept up for so long.
func (k *keeper) add(d debt, hold time.Duration) {
	d.since = time.Now()
	if hold > 0 {
		d.until = d.since.Add(hold)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.debts = append(k.debts, &d)
	if d.strict {
		k.count(1)
	}
	k.bound()
	if k.p.stopped.Err() != nil || k.p.cfg.Foreground {
		return
	}
	if !k.running {
		k.wake = make(chan struct{}, 1)
		k.running = k.p.spawn(k.run)
		return
	}
	k.nudge()
}

// hurry has what is left paid in the background now.
func (k *keeper) hurry() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running {
		k.nudge()
	}
}

// nudge ends a pause of run. The caller holds mu.
func (k *keeper) nudge() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// count keeps the number of strict debts, and tells when the journal opens and closes.
func (k *keeper) count(n int64) {
	switch now := k.strict.Add(n); {
	case n > 0 && now == n:
		k.p.cfg.Logger.Warn("rediscache: Redis was not told of a write; serving nothing from it before it was")
		k.p.cfg.Recorder.State(metrics.StateEvent{State: metrics.JournalOpen, On: true})
	case n < 0 && now == 0:
		k.p.cfg.Logger.Info("rediscache: Redis has been told of all writes")
		k.p.cfg.Recorder.State(metrics.StateEvent{State: metrics.JournalOpen})
	}
}

// bound replaces very many debts by one for everything. The caller holds mu.
func (k *keeper) bound() {
	owed := 0
	for _, d := range k.debts {
		owed += len(d.tags)
	}
	if owed <= maxOwed {
		return
	}
	all := &debt{writer: writerID(), since: k.oldest(), left: true}
	seen := map[keying.Tag]bool{}
	for _, d := range k.debts {
		for _, tag := range d.tags {
			if everything := tag.Everything(); !seen[everything[0]] {
				seen[everything[0]] = true
				all.tags = append(all.tags, everything...)
			}
		}
		all.strict, all.left = all.strict || d.strict, all.left && d.left
		if d.until.After(all.until) {
			all.until = d.until
		}
	}
	if all.strict {
		k.count(1)
	}
	for _, d := range k.debts {
		k.clear(d)
	}
	k.debts = []*debt{all}
}

// clear ends a debt's being strict. The caller holds mu.
func (k *keeper) clear(d *debt) {
	if d.strict {
		d.strict = false
		k.count(-1)
	}
}

// settled reports whether entries may be served: there are no strict debts, or they have been paid now.
func (k *keeper) settled(ctx context.Context) bool {
	if k.strict.Load() == 0 && !k.waiting() {
		return true
	}
	select {
	case k.paying <- struct{}{}:
	default:
		return k.strict.Load() == 0 // somebody is at it; if it matters, this read goes to the database
	}
	defer func() { <-k.paying }()
	ctx, cancel := context.WithTimeout(ctx, k.p.cfg.Timeout)
	defer cancel()
	if k.pay(ctx) != nil && ctx.Err() != nil {
		k.hurry() // there is more than one read may be made to wait for
	}
	return k.strict.Load() == 0
}

// waiting reports whether there are debts that nobody pays in the background.
func (k *keeper) waiting() bool {
	if !k.p.cfg.Foreground {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.debts) > 0
}

// run pays until there are no debts.
func (k *keeper) run() {
	retry := firstRetry
	timer := time.NewTimer(retry)
	defer timer.Stop()
	for {
		select {
		case <-k.p.stopped.Done():
			return
		case <-k.wake:
		case <-timer.C:
		}
		k.paying <- struct{}{} // for a while at most: who drains it, or reads, has a deadline
		err := k.pay(k.p.stopped)
		<-k.paying
		wait, done := k.next()
		if done {
			return
		}
		if err != nil {
			wait, retry = retry, min(2*retry, lastRetry)
		} else {
			retry = firstRetry
		}
		timer.Reset(wait)
	}
}

// next returns when there is something to do again. done: there are no debts, and run has to end.
func (k *keeper) next() (wait time.Duration, done bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.debts) == 0 {
		k.running = false
		return 0, true
	}
	wait = k.p.cfg.IntentTTL / 3
	for _, d := range k.debts {
		wait = min(wait, max(time.Until(d.until), time.Millisecond))
	}
	return wait, false
}

// pay tells the store what can be told now, strict debts first. It stops at the first error, and when the context is over.
func (k *keeper) pay(ctx context.Context) error {
	k.mu.Lock()
	slices.SortStableFunc(k.debts, func(a, b *debt) int { return rank(b) - rank(a) })
	debts := slices.Clone(k.debts)
	k.mu.Unlock()
	for _, d := range debts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := k.tell(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func rank(d *debt) int {
	if d.strict {
		return 1
	}
	return 0
}

// tell renews the intent of a write in doubt, and releases any other. If nobody will renew it, it is made to last.
func (k *keeper) tell(ctx context.Context, d *debt) error {
	ctx, cancel := k.p.background(ctx)
	defer cancel()
	if left := time.Until(d.until); left > 0 {
		ttl := k.p.cfg.IntentTTL
		if k.p.cfg.Foreground {
			ttl = max(ttl, left)
		}
		if _, err := k.p.cfg.Store.Intend(ctx, d.writer, ttl, d.tags, nil); err != nil {
			return err
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		k.clear(d) // from now on the intent protects it
		if k.p.cfg.Foreground {
			k.forget(d) // to the end
		}
		return nil
	}
	if _, err := k.p.cfg.Store.Release(ctx, d.writer, d.tags, nil); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget(d)
	k.clear(d)
	return nil
}

// forget removes a debt. The caller holds mu.
func (k *keeper) forget(d *debt) {
	k.debts = slices.DeleteFunc(k.debts, func(x *debt) bool { return x == d })
}

// drain pays what can be paid until the context is over. A write in doubt is left to its intent, which lapses.
// The error says what the store answered last, and not only that time is up.
func (k *keeper) drain(ctx context.Context) error {
	retry := time.NewTicker(firstRetry)
	defer retry.Stop()
	var refusal error
	for {
		k.mu.Lock()
		k.debts = slices.DeleteFunc(k.debts, func(d *debt) bool { return !d.strict && time.Now().Before(d.until) })
		left := len(k.debts)
		k.mu.Unlock()
		if left == 0 {
			return nil
		}
		err := k.payAlone(ctx)
		if err == nil {
			continue
		}
		if k.leave() == 0 {
			return nil
		}
		if ctx.Err() == nil {
			refusal = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d writes remain untold: %w", left, errors.Join(ctx.Err(), refusal))
		case <-retry.C:
		}
	}
}

// payAlone is pay when nobody else is at it any more.
func (k *keeper) payAlone(ctx context.Context) error {
	select {
	case k.paying <- struct{}{}:
		defer func() { <-k.paying }()
		return k.pay(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives up what is in the outbox, too, and returns how many debts are left.
func (k *keeper) leave() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.debts = slices.DeleteFunc(k.debts, func(d *debt) bool { return d.left })
	return len(k.debts)
}

// writerID returns a name that no other writer has.
func writerID() string { return hex.EncodeToString([]byte(random(8))) }
