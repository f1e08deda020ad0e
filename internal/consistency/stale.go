package consistency

import (
	"context"
	"strings"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

const (
	// maxRenewals bounds the reads of the database that go on in the background: each holds a connection of the
	// application's pool.
	maxRenewals = 16
	// renewalTimeout ends one that does not come to an end.
	renewalTimeout = time.Minute
)

// tooOld reports whether an entry that is current is older than the read accepts.
func (r *read) tooOld(sealed envelope) bool {
	old := r.tooOldAt(sealed.span.read)
	r.aged = r.aged || old
	return old
}

// tooOldAt reports whether what the database was read for at a moment is older than the read accepts.
func (r *read) tooOldAt(at time.Time) bool { return r.maxAge > 0 && r.now.Sub(at) > r.maxAge }

// relaxed answers from what the store has, current or not, if the database was read for it lately enough (Z1 to Z3). It
// answers false if the read has to go on as if that had not been asked for.
func (r *read) relaxed(ctx context.Context, req Request, reason metrics.Reason) (Reading, bool) {
	switch reason {
	case "", metrics.ReasonWriting:
	default:
		return Reading{}, false
	}
	if reason == "" && len(r.missing) == 0 || r.refresh {
		return Reading{}, false
	}
	reading := Reading{
		Outcome: metrics.Hit, Payloads: make([]Payload, len(r.entries)), Found: len(r.entries),
		Written: r.written, Ended: r.ended,
	}
	for i := range r.entries { // Z1
		p, ok := r.current(i)
		if !ok {
			reading.Stale = true
			if p, ok = r.lately(ctx, i, req.StaleFor); !ok {
				return Reading{}, false
			}
		}
		reading.Payloads[i] = p
	}
	if reason == "" && req.ReadOnly == "" && !r.p.renew(ctx, req) { // Z3
		return Reading{}, false
	}
	return reading, true // Z2
}

// current returns what a strict reader would be served of an entry, though its time may be nearly over.
func (r *read) current(i int) (Payload, bool) {
	if r.early.Hit { // the only one
		return r.early, true
	}
	if r.payloads == nil || r.absent && !r.confirmed {
		return Payload{}, false
	}
	return r.payloads[i], r.payloads[i].Hit
}

// lately returns what there is of an entry, current or not, if the database was read for it within that time.
func (r *read) lately(ctx context.Context, i int, within time.Duration) (Payload, bool) {
	e := &r.entries[i]
	if !r.found[i].Found {
		return Payload{}, false
	}
	sealed, ok := open(r.found[i].Data)
	if !ok || !r.pinned(e.Tags, sealed) {
		return Payload{}, false
	}
	age := time.Since(sealed.span.read)
	if age < 0 || age > within {
		return Payload{}, false
	}
	payload, ok := r.p.payload(e, sealed)
	if !ok {
		r.p.Corrupt(ctx, string(e.Key))
	}
	return Payload{Data: payload, Hit: true, Read: sealed.span.read, TTL: sealed.span.ttl}, ok
}

// pinned reports whether what is known of the database, under which the entry would be read, is what it was made under.
func (r *read) pinned(tags []keying.Tag, sealed envelope) bool {
	if r.pins == nil {
		return false
	}
	known := false
	for j, tag := range tags {
		pinned, ok := r.pins.schema[tag]
		if !ok {
			continue
		}
		v := r.looked.value(tag)
		if !v.Found || v.Data == store.Writing {
			return false
		}
		all := *pinned.all.Load()
		if now, err := stampOf(v); err != nil || now != all || !sealed.carries(j, []stamp{all}) {
			return false
		}
		known = true
	}
	return known || len(r.pins.schema) == 0
}

// renew is Z3: a read of its own that begins now, in the background. It answers false if the caller has to read itself.
func (p *Protocol) renew(ctx context.Context, req Request) bool {
	if p.cfg.Foreground {
		return false // the process may be stopped as soon as it has answered
	}
	keys := make([]string, len(req.Entries))
	for i := range req.Entries {
		keys[i] = string(req.Entries[i].Key)
	}
	key := strings.Join(keys, "\x00")
	if _, underWay := p.renewing.LoadOrStore(key, true); underWay {
		return true
	}
	ended := func() { p.renewing.Delete(key) }
	select {
	case p.renewals <- struct{}{}:
	default:
		ended()
		return false
	}
	load := req.Detach()
	if load == nil {
		<-p.renewals
		ended()
		return false
	}
	req.StaleFor, req.Detach = 0, nil
	begun := p.spawn(func() {
		defer func() { <-p.renewals }()
		defer ended()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewalTimeout)
		defer cancel()
		defer context.AfterFunc(p.stopped, cancel)()
		_, _ = p.Read(ctx, req, load)
	})
	if !begun {
		<-p.renewals
		ended()
	}
	return begun
}
