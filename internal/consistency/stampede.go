package consistency

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/heat"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// stampedes is what a protocol knows against stampedes.
type stampedes struct {
	reads heat.Reads
	churn heat.Churn
	// turns has one element for each read of the database that is under way; nil: there may be any number.
	turns chan struct{}
	draw  func() float64
}

func newStampedes(cfg Config) stampedes {
	s := stampedes{reads: heat.NewReads(), churn: heat.NewChurn(), draw: cfg.Draw}
	if cfg.MaxMisses > 0 {
		s.turns = make(chan struct{}, cfg.MaxMisses)
	}
	return s
}

// An entry is hot if a process asks for it so often within a second, or if the database took so long for it when it was last
// read. Then a lease is worth a step.
const (
	hotReads = 32
	hotCost  = 5 * time.Millisecond
)

// maxPatience bounds how long is waited for another process: twice the time that the database took last, or Config.Timeout
// if that is longer. Who finds the database away does not say so: the others wait in vain.
const maxPatience = 2 * time.Second

// leased leaves it to another process to read the database for a hot entry, if one is about to. It returns what that one
// has stored; nothing, if this process is to read the database.
//
// Only reads of a single entry are leased: what is read together is rarely asked for together elsewhere.
func (r *read) leased(ctx context.Context) (Payload, bool) {
	if len(r.entries) != 1 || r.refresh || r.early.Hit || r.aged || r.heat < hotReads && r.cost < hotCost {
		return Payload{}, false
	}
	patience := min(max(2*r.cost, r.p.cfg.Timeout), maxPatience)
	lease := store.Mint{Tag: r.entries[0].Key.Lease(r.flightKey()), Token: random(stampSize), TTL: patience}
	snap, err := r.p.cfg.Store.Mint(ctx, []store.Mint{lease})
	if err != nil || snap.Values[0].Data == store.Writing || made(lease, snap.Values[0]) {
		return Payload{}, false // this process holds it, or nobody does
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return r.await(ctx)
}

// firstPause and maxPause are how long is waited between two looks at an entry that another process is reading.
const (
	firstPause = time.Millisecond
	maxPause   = 25 * time.Millisecond
)

// await looks at the entry until it is what this read would store, or something newer, or the context is over.
func (r *read) await(ctx context.Context) (Payload, bool) {
	e := &r.entries[0]
	timer := time.NewTimer(firstPause)
	defer timer.Stop()
	for pause := firstPause; ; timer.Reset(pause) {
		select {
		case <-timer.C:
			pause = min(2*pause, maxPause)
		case <-ctx.Done():
			return Payload{}, false
		}
		snap, err := r.p.cfg.Store.Load(ctx, []string{string(e.Key)})
		if err != nil {
			return Payload{}, false
		}
		sealed, ok := open(snap.Values[0].Data)
		switch {
		case !ok || sealed.stamps == r.old:
			continue
		case !sealed.carries(0, r.stamps[0][:len(e.Tags)]) || sealed.absent && !sealed.carries(0, r.stamps[0]):
			return Payload{}, false
		case r.tooOldAt(sealed.span.read):
			return Payload{}, false
		}
		payload, ok := r.p.payload(e, sealed)
		return Payload{Data: payload, Hit: ok, Read: sealed.span.read, TTL: sealed.span.ttl}, ok
	}
}

// stored is the reading whose one missing entry another process has stored meanwhile. If there are others, all of them have
// to be of one instant.
func (r *read) stored(ctx context.Context, missing Payload) (Reading, error) {
	r.payloads[r.missing[0]] = missing
	if len(r.entries) > 1 {
		r.carry(r.missing[0], envelope{stamps: joinStamps(r.stamps[r.missing[0]])}) // it was stored under these
		if reason := r.together(ctx, nil); reason != "" {
			return stopped(reason)
		}
	}
	return Reading{Outcome: metrics.Hit, Payloads: r.payloads, Found: len(r.entries), Joined: true}, nil
}

// turn waits until the database may be read for one more miss.
func (s *stampedes) turn(ctx context.Context) (done func(), err error) {
	if s.turns == nil {
		return func() {}, nil
	}
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// due reports whether an entry is to be read anew although it may still be served: with the probability that grows to one
// towards its end, and the sooner, the longer the database takes for it. Clocks of processes differ; an entry whose time is
// over here is still served, as the store's clock is the one that counts.
func due(s span, now time.Time, draw func() float64) bool {
	const never = 37 // -ln(2^-53): the greatest number that is drawn
	left := s.read.Add(s.ttl).Sub(now)
	if left <= 0 || left > never*s.cost {
		return false
	}
	return float64(left) <= float64(s.cost)*-math.Log(1-draw())
}

// anyway serves the entry that could not be read anew: it was current at R3.
func (r *read) anyway() Reading {
	r.payloads[0] = r.early
	return r.hit()
}

// A tag is minted freely so many times in vain. Then half as often for each further step, down to a share.
const (
	freeMints = 16
	mintStep  = 4
	rareMints = 6 // halvings: one of 64
)

// vain reports whether a token is not worth minting now, because nobody has read what was stored under those before.
func (s *stampedes) vain(mints []store.Mint, now time.Time) bool {
	worst := 0
	for i := range mints {
		worst = max(worst, s.churn.InVain(string(mints[i].Tag), now))
	}
	if worst < freeMints {
		return false
	}
	halvings := min(1+(worst-freeMints)/mintStep, rareMints)
	return int(s.draw()*float64(int(1)<<halvings)) != 0
}

// minted counts the tokens that this process has made.
func (s *stampedes) minted(mints []store.Mint, tokens []store.Value, now time.Time) {
	for i := range mints {
		if made(mints[i], tokens[i]) {
			s.churn.Made(string(mints[i].Tag), now)
		}
	}
}

// made reports whether a token is the one that was asked for, and not one that somebody else had made before.
func made(m store.Mint, token store.Value) bool {
	const own = store.TokenSize / 2 // the rest is the server's
	return strings.HasPrefix(token.Data, m.Token[:own])
}

// used says that reading the database under the tags of the entries was of use to somebody else as well: who found it in the
// store, or shared it.
func (r *read) used() {
	for i := range r.entries {
		for _, tag := range r.entries[i].Tags {
			r.p.stampedes.churn.Used(string(tag))
		}
	}
}
