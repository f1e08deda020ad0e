package consistency

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/store"
)

// A Load reads from the database, in one statement of its own, the entries at the given positions. The results are
// in the order of the positions. If it returns none, it has kept the answer to itself: the answer cannot be shared or
// stored, and it is complete, with the entries that were not asked for.
type Load func(ctx context.Context, missing []int) ([]Result, error)

// A Request says what is to be read.
type Request struct {
	// Table and Kind say, in events, what is read.
	Table   string
	Kind    metrics.Kind
	Entries []Entry
	// Scopes are those that the entries depend on.
	Scopes []Scope
	// Pins are what the caller's knowledge of the entries holds under. Nil: it holds under nothing yet.
	Pins *Pins
	// Refresh reads the database even if the store has the answer, and stores it.
	Refresh bool
	// ReadOnly, if it is set, stores nothing: what the store does not have is a bypass for this reason.
	ReadOnly metrics.Reason
	// MaxAge is how long ago the database may have been read for an entry that is served; 0: as long as it is stored.
	MaxAge time.Duration
	// StaleFor serves an entry whose tags have been written since, if the database was read for it at most so long ago.
	StaleFor time.Duration
	// Detach returns a load for the background, which works when the caller is gone; nil, if there cannot be one. It is asked
	// for with StaleFor only.
	Detach func() Load
}

// A Reading is the answer to [Protocol.Read].
type Reading struct {
	Outcome metrics.Outcome
	// Reason says why a Bypass is one. The caller then reads the database, and nothing is stored.
	Reason metrics.Reason
	// Payloads holds what was found in the store, by entry. Results holds what the database was read for; it is nil
	// if the load kept the answer to itself. Of each entry there is one of the two.
	Payloads []Payload
	Results  []Result
	// Found is the number of entries that were in the store.
	Found int
	// Joined is set if the read of the database by another goroutine, or by another process, was shared.
	Joined bool
	// Stale is set if what was found is served by leave of StaleFor.
	Stale bool
	// Written is the number of entries that were in the store, but had been written since. Ended is the number of those that
	// were not, although what they depend on had not been written: their time to live was over, they were evicted, or nobody
	// had asked for them before.
	Written, Ended int
}

// A Payload is what an entry in the store holds.
type Payload struct {
	Data string
	Hit  bool
	// Read is when the database was read for it, on the clock of the process that did so; TTL, how long it is served from
	// then on.
	Read time.Time
	TTL  time.Duration
}

// loaded is what a flight brings: the results of the entries that were missing, or what another process has stored for the
// only one.
type loaded struct {
	results []Result
	stored  Payload
	read    time.Time // when the database was read, on the clock of who did so
}

// ErrOutdated is returned by [Protocol.Read] if the pins are not current: the caller has to learn anew.
var ErrOutdated = errors.New("what is known of the database is out of date")

// Read answers entries from the store, and from load what the store does not have. The numbers are those of the
// package's documentation.
func (p *Protocol) Read(ctx context.Context, req Request, load Load) (Reading, error) {
	if !p.keeper.settled(ctx) {
		return bypass(metrics.ReasonJournal), nil
	}
	r := read{
		p: p, now: time.Now(), table: req.Table, kind: req.Kind, entries: req.Entries, scopes: req.Scopes, pins: req.Pins,
		refresh: req.Refresh, readOnly: req.ReadOnly != "", maxAge: req.MaxAge,
	}
	if len(r.entries) == 1 {
		r.heat = p.stampedes.reads.Add(string(r.entries[0].Key), r.now)
	}
	reason := r.look(ctx) // R1, R2, R3
	if reason == "" && len(r.missing) == 0 && !r.oneInstant() {
		r.missing, reason = r.confirm(ctx, nil)
		r.confirmed = reason == ""
	}
	if req.StaleFor > 0 {
		if reading, ok := r.relaxed(ctx, req, reason); ok { // Z1, Z2, Z3
			return reading, nil
		}
	}
	switch {
	case reason != "":
		return stopped(reason)
	case len(r.missing) == 0:
		return r.hit(), nil
	case req.ReadOnly != "":
		return bypass(req.ReadOnly), nil
	}
	reason = r.mint(ctx) // R4
	switch {
	case reason == "":
	case reason != outdated && r.early.Hit:
		return r.anyway(), nil
	default:
		return stopped(reason)
	}
	reading, err := r.fromDatabase(ctx, load) // R5, R6
	if err != nil && r.early.Hit {
		return r.anyway(), nil
	}
	return reading, err
}

func (r *read) hit() Reading {
	r.used()
	return Reading{Outcome: metrics.Hit, Payloads: r.payloads, Found: len(r.entries)}
}

func bypass(reason metrics.Reason) Reading {
	return Reading{Outcome: metrics.Bypass, Reason: reason}
}

// outdated is the reason of a step that found that the pins are not current. Like each other reason it ends the read at this
// step: what later steps work with has not been made. It does not leave this package.
const outdated metrics.Reason = "outdated"

// stopped is the reading that a step ended, for a reason.
func stopped(reason metrics.Reason) (Reading, error) {
	if reason == outdated {
		return Reading{}, ErrOutdated
	}
	return bypass(reason), nil
}

// read is one call of Read under way.
type read struct {
	p        *Protocol
	table    string
	kind     metrics.Kind
	entries  []Entry
	scopes   []Scope
	pins     *Pins
	refresh  bool
	readOnly bool
	maxAge   time.Duration
	now      time.Time // when it began
	tokens   tokens
	// found is what was in the store for the entries; looked, the tokens at that moment.
	found    []store.Value
	looked   tokens
	payloads []Payload
	// absent is set if an entry that was found says that there is no such row: not believed before confirm.
	absent, confirmed bool
	atomic            bool
	written, ended    int
	// aged is set if an entry is current, but older than maxAge.
	aged bool
	// missing holds the positions of the entries that the database has to be asked for; stamps, what they will be
	// stored with.
	missing []int
	stamps  [][]stamp
	// carried holds the stamps that the entries which were found carry, where confirm will compare with them. places
	// holds where the tokens of each entry's tags are in looked; room is for stamps that are soon forgotten.
	carried []string
	places  []int
	room    []stamp
	// Of a read of a single entry: how often it was asked for lately, the stamps of the entry that is not current any more and
	// how long the database took for that, and the entry that is read anew before its time is over.
	heat  uint32
	old   string
	cost  time.Duration
	early Payload
}

// look is R1: the entries and the tokens of their tags, in one step.
func (r *read) look(ctx context.Context) metrics.Reason {
	for i := range r.entries {
		if len(r.entries[i].Tags)+len(r.entries[i].AbsentTags) > maxStamps {
			return metrics.ReasonStatement
		}
		for _, tag := range r.entries[i].Tags {
			r.places = append(r.places, r.tokens.place(tag))
		}
	}
	n := len(r.entries)
	keys := make([]string, 0, n+len(r.tokens.tags))
	for i := range r.entries {
		keys = append(keys, string(r.entries[i].Key))
	}
	for _, tag := range r.tokens.tags {
		keys = append(keys, tag.Token())
	}
	snap, err := r.p.cfg.Store.Load(ctx, keys)
	if err != nil {
		return metrics.ReasonStore
	}
	r.atomic, r.tokens.values = snap.Atomic, snap.Values[n:]
	r.tokens.forget(func(tag keying.Tag) { r.p.Corrupt(ctx, tag.Token()) })
	r.found, r.looked = snap.Values[:n], r.tokens
	if r.tokens.writing() { // R2
		return metrics.ReasonWriting
	}
	if reason := r.p.hold(ctx, r.pins, &r.tokens); reason != "" {
		return reason
	}
	r.payloads = make([]Payload, n)
	places := r.places
	for i := range r.entries { // R3
		if r.refresh {
			r.missing = append(r.missing, i)
			continue
		}
		tags := len(r.entries[i].Tags)
		hit, reason := r.serve(ctx, i, snap.Values[i], places[:tags])
		places = places[tags:]
		if reason != "" {
			return reason
		}
		if !hit {
			r.missing = append(r.missing, i)
		}
	}
	return ""
}

// serve takes what was found for an entry, if its stamps are current. The tokens of its tags are at these places.
func (r *read) serve(ctx context.Context, i int, v store.Value, places []int) (hit bool, reason metrics.Reason) {
	e := &r.entries[i]
	stamps, complete, err := r.tokens.stampsAt(r.room[:0], places)
	r.room = stamps
	if err != nil {
		return false, metrics.ReasonStore
	}
	if !v.Found {
		if complete {
			r.ended++
		}
		return false, ""
	}
	sealed, ok := open(v.Data)
	if !ok {
		r.p.Corrupt(ctx, string(e.Key))
		return false, ""
	}
	if !complete || !sealed.carries(0, stamps) {
		r.old, r.cost = sealed.stamps, sealed.span.cost
		r.written++
		return false, "" // an old answer
	}
	if r.tooOld(sealed) {
		return false, ""
	}
	payload, ok := r.p.payload(e, sealed)
	if !ok {
		r.p.Corrupt(ctx, string(e.Key))
		return false, ""
	}
	if sealed.absent && len(e.AbsentTags) > 0 {
		r.absent = true
	}
	found := Payload{Data: payload, Hit: true, Read: sealed.span.read, TTL: sealed.span.ttl}
	if len(r.entries) == 1 && !sealed.absent && !r.readOnly && due(sealed.span, r.now, r.p.cfg.Draw) {
		r.early = found
		return false, ""
	}
	r.payloads[i] = found
	// What confirm compares with is what the entry carries.
	if len(r.entries) > 1 || r.absent {
		r.carry(i, sealed)
	}
	return true, ""
}

// mint is R4: it gives every tag of the missing entries a token, and takes the stamps that they will be stored with.
func (r *read) mint(ctx context.Context) metrics.Reason {
	var wanted tokens
	for _, i := range r.missing {
		wanted.add(r.entries[i].Tags...)
		wanted.add(r.entries[i].AbsentTags...)
	}
	wanted.values = make([]store.Value, len(wanted.tags))
	for i, tag := range wanted.tags {
		if at := r.tokens.find(tag); at >= 0 {
			wanted.values[i] = r.tokens.values[at]
		}
	}
	if reason := r.declare(ctx, &wanted); reason != "" {
		return reason
	}
	if mints, at := wanted.missing(); len(mints) > 0 {
		if r.p.stampedes.vain(mints, r.now) {
			return metrics.ReasonChurn
		}
		snap, err := r.p.cfg.Store.Mint(ctx, mints)
		if err != nil {
			return metrics.ReasonStore
		}
		r.p.stampedes.minted(mints, snap.Values, r.now)
		for i, v := range snap.Values {
			wanted.values[at[i]] = v
		}
		if wanted.writing() {
			return metrics.ReasonWriting
		}
		if reason := r.p.hold(ctx, r.pins, &wanted); reason != "" {
			return reason
		}
	}
	if r.stamps == nil {
		r.stamps = make([][]stamp, len(r.entries))
	}
	for _, i := range r.missing {
		e := &r.entries[i]
		stamps, _, err := wanted.stamps(slices.Concat(e.Tags, e.AbsentTags))
		if err != nil {
			return metrics.ReasonStore
		}
		r.stamps[i] = stamps
	}
	return ""
}
