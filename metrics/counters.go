package metrics

import (
	"sync"
	"sync/atomic"
)

// Counters is a Recorder that counts. The zero Counters is ready.
type Counters struct {
	hits, misses, bypasses    atomic.Int64
	fills, failedFills        atomic.Int64
	writes, unannounced, late atomic.Int64
	inDoubt                   atomic.Int64
	reasons                   sync.Map // Reason → *atomic.Int64
}

var _ Recorder = (*Counters)(nil)

// Totals are the counts at one moment.
type Totals struct {
	Hits, Misses, Bypasses int64
	// Reasons splits Bypasses.
	Reasons map[Reason]int64
	// Fills counts what was stored, FailedFills what could not be.
	Fills, FailedFills int64
	// Writes counts writes that touched cached tables; Unannounced, those that Redis was not told of before their
	// COMMIT; Late, those that it was not told of before they returned; InDoubt, those whose COMMIT had no answer.
	Writes, Unannounced, Late, InDoubt int64
}

// Read implements [Recorder].
func (c *Counters) Read(e ReadEvent) {
	switch e.Outcome {
	case Hit:
		c.hits.Add(1)
	case Miss:
		c.misses.Add(1)
	case Bypass:
		c.bypasses.Add(1)
		n, ok := c.reasons.Load(e.Reason)
		if !ok {
			n, _ = c.reasons.LoadOrStore(e.Reason, new(atomic.Int64))
		}
		n.(*atomic.Int64).Add(1) //nolint:forcetypeassert // only counters are stored
	}
}

// Fill implements [Recorder].
func (c *Counters) Fill(e FillEvent) {
	if e.Result == Stored {
		c.fills.Add(1)
	} else {
		c.failedFills.Add(1)
	}
}

// Write implements [Recorder].
func (c *Counters) Write(e WriteEvent) {
	c.writes.Add(1)
	if !e.Announced {
		c.unannounced.Add(1)
	}
	if !e.Released {
		c.late.Add(1)
	}
	if e.Outcome == InDoubt {
		c.inDoubt.Add(1)
	}
}

// State implements [Recorder].
func (c *Counters) State(StateEvent) {}

// Totals returns the counts so far.
func (c *Counters) Totals() Totals {
	t := Totals{
		Hits: c.hits.Load(), Misses: c.misses.Load(), Bypasses: c.bypasses.Load(),
		Reasons: map[Reason]int64{},
		Fills:   c.fills.Load(), FailedFills: c.failedFills.Load(),
		Writes: c.writes.Load(), Unannounced: c.unannounced.Load(), Late: c.late.Load(), InDoubt: c.inDoubt.Load(),
	}
	c.reasons.Range(func(reason, n any) bool {
		t.Reasons[reason.(Reason)] = n.(*atomic.Int64).Load() //nolint:forcetypeassert // see Read
		return true
	})
	return t
}
