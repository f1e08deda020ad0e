package world

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// Events remembers what a plugin reports, until it is taken. The zero Events is ready.
type Events struct {
	metrics.Nop
	mu     sync.Mutex
	reads  []metrics.ReadEvent
	writes []metrics.WriteEvent
	// due is how many entries are still to be stored, or reported as not stored.
	due int
	// stored is how many entries were stored.
	stored int
}

var _ metrics.Recorder = (*Events)(nil)

// Read implements metrics.Recorder.
func (e *Events) Read(r metrics.ReadEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reads = append(e.reads, r)
	if r.Outcome == metrics.Miss {
		e.due += r.Entries - r.Found
	}
}

// Fill implements metrics.Recorder.
func (e *Events) Fill(f metrics.FillEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.due -= f.Entries
	if f.Result == metrics.Stored {
		e.stored += f.Entries
	}
}

// Write implements metrics.Recorder.
func (e *Events) Write(w metrics.WriteEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writes = append(e.writes, w)
}

// Take returns what was reported since the last time.
func (e *Events) Take() ([]metrics.ReadEvent, []metrics.WriteEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	reads, writes := e.reads, e.writes
	e.reads, e.writes = nil, nil
	return reads, writes
}

// Stored returns how many entries were stored.
func (e *Events) Stored() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stored
}

// Settle waits until everything that was missing is stored: plugins store in the background. It is for programs of one
// goroutine.
func (e *Events) Settle(ctx context.Context) error {
	const patience = 10 * time.Second
	for began := time.Now(); ; {
		e.mu.Lock()
		due := e.due
		e.mu.Unlock()
		switch {
		case due <= 0:
			return ctx.Err()
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Since(began) > patience:
			return fmt.Errorf("%d entries were not stored in %v", due, patience)
		}
		pause(50 * time.Microsecond)
	}
}
