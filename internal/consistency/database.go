package consistency

import (
	"context"
	"time"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// fromDatabase is R5 and R6.
func (r *read) fromDatabase(ctx context.Context, load Load) (Reading, error) {
	var at span
	work := func() (loaded, bool, error) {
		if stored, ok := r.leased(ctx); ok {
			return loaded{stored: stored, read: stored.Read}, true, nil
		}
		done, err := r.p.stampedes.turn(ctx)
		if err != nil {
			return loaded{}, false, err
		}
		defer done()
		at.read = time.Now()
		results, err := load(ctx, r.missing)
		at.cost = time.Since(at.read)
		return loaded{results: results, read: at.read}, results != nil, err
	}
	key := r.flightKey()
	if r.refresh {
		key = random(stampSize) // who asks for the database is not given another's answer
	}
	brought, joined, landed, err := r.p.flights.Do(ctx, key, work)
	if err == nil && joined && r.tooOldAt(brought.read) { // perhaps the flight that stored what this read found too old
		landed()
		brought, joined, landed, err = r.p.flights.Do(ctx, random(stampSize), work)
	}
	if err != nil {
		landed()
		return Reading{}, err
	}
	if brought.stored.Hit {
		landed()
		return r.stored(ctx, brought.stored)
	}
	results := brought.results
	reading := Reading{
		Outcome: metrics.Miss, Payloads: r.payloads, Found: len(r.entries) - len(r.missing), Joined: joined,
		Written: r.written, Ended: r.ended,
	}
	if joined {
		reading.Outcome = metrics.Hit
	}
	if results == nil {
		return reading, nil
	}
	if joined {
		landed()
		r.used()
	} else {
		r.p.fill(ctx, r.fills(results), at, landed) // R6
	}
	if reading.Found > 0 {
		var brought []Result
		if joined && !r.atomic {
			brought = results
		}
		if reason := r.together(ctx, brought); reason != "" {
			return stopped(reason)
		}
	}
	reading.Results = make([]Result, len(r.entries))
	for n, i := range r.missing {
		reading.Results[i] = results[n]
	}
	return reading, nil
}

// flightKey names what the database is read for: two readers share a read only if both the missing entries and their
// stamps are the same.
func (r *read) flightKey() string {
	n := 0
	for _, i := range r.missing {
		n += len(r.entries[i].Key) + 1 + stampSize*len(r.stamps[i])
	}
	b := make([]byte, 0, n)
	for _, i := range r.missing {
		b = append(append(b, r.entries[i].Key...), 0)
		for j := range r.stamps[i] {
			b = append(b, r.stamps[i][j][:]...)
		}
	}
	return string(b)
}
