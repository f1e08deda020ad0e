package consistency

import (
	"context"
	"slices"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// carry remembers the stamps that an entry carries.
func (r *read) carry(i int, sealed envelope) {
	if r.carried == nil {
		r.carried = make([]string, len(r.entries))
	}
	r.carried[i] = sealed.stamps
}

// oneInstant reports whether all entries that were found are known to have been current at the same time.
func (r *read) oneInstant() bool {
	return !r.absent && (r.atomic || len(r.entries) == 1)
}

// confirm loads the tokens of the entries that were found once more, with those that only absent rows depend on, and those
// of the entries that a flight has brought which another read had begun: it may have read the database before the first
// look. Those that are what their entries carry were current at one instant: between the first look, or the read of the
// database, and this one. It returns the others: they are misses if the database is still to be read, else the answer is
// torn.
func (r *read) confirm(ctx context.Context, brought []Result) (old []int, reason metrics.Reason) {
	var now tokens
	for n := range brought {
		now.add(r.brought(n, brought)...)
	}
	for i := range r.entries {
		if r.payloads[i].Hit {
			now.add(r.dependencies(i)...)
		}
	}
	keys := make([]string, len(now.tags))
	for i, tag := range now.tags {
		keys[i] = tag.Token()
	}
	snap, err := r.p.cfg.Store.Load(ctx, keys)
	if err != nil {
		return nil, metrics.ReasonStore
	}
	now.values = snap.Values
	if now.writing() {
		return nil, metrics.ReasonWriting
	}
	if reason := r.p.hold(ctx, r.pins, &now); reason != "" {
		return nil, reason
	}
	r.tokens = now // who reads the database from here on joins no flight of before
	for i := range r.entries {
		if !r.payloads[i].Hit {
			continue
		}
		stamps, complete, err := now.stamps(r.dependencies(i))
		if err != nil {
			return nil, metrics.ReasonStore
		}
		if !complete || !(envelope{stamps: r.carried[i]}).are(stamps) {
			r.payloads[i] = Payload{}
			old = append(old, i)
		}
	}
	for n := range brought {
		tags := r.brought(n, brought)
		stamps, complete, err := now.stamps(tags)
		if err != nil {
			return nil, metrics.ReasonStore
		}
		if i := r.missing[n]; !complete || !slices.Equal(stamps, r.stamps[i][:len(tags)]) {
			old = append(old, i)
		}
	}
	return old, ""
}

// together says why the answer is not of one instant, after the database was read.
func (r *read) together(ctx context.Context, brought []Result) metrics.Reason {
	old, reason := r.confirm(ctx, brought)
	if len(old) > 0 {
		return metrics.ReasonTorn
	}
	return reason
}

// brought returns the tags of an entry that a flight has brought.
func (r *read) brought(n int, results []Result) []keying.Tag {
	e := &r.entries[r.missing[n]]
	if results[n].Absent() {
		return slices.Concat(e.Tags, e.AbsentTags)
	}
	return e.Tags
}

// dependencies returns the tags of an entry that was found.
func (r *read) dependencies(i int) []keying.Tag {
	e := &r.entries[i]
	if len(r.carried[i]) == stampSize*len(e.Tags) {
		return e.Tags
	}
	return slices.Concat(e.Tags, e.AbsentTags)
}
