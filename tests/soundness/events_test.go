package soundness_test

import (
	"sync"
	"time"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// events remembers what a plugin reports, and tells when all answers that it read are stored.
type events struct {
	metrics.Nop
	mu     sync.Mutex
	reads  []metrics.ReadEvent
	writes []metrics.WriteEvent
	// filled counts entries whose fill is over, missed those that were read from the database to be stored.
	filled, missed int
	changed        *sync.Cond
}

func newEvents() *events {
	e := &events{}
	e.changed = sync.NewCond(&e.mu)
	return e
}

// Read implements metrics.Recorder.
func (e *events) Read(r metrics.ReadEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reads = append(e.reads, r)
	if r.Outcome == metrics.Miss && !r.Joined {
		e.missed += r.Entries - r.Found
	}
	e.changed.Broadcast()
}

// Fill implements metrics.Recorder.
func (e *events) Fill(f metrics.FillEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.filled += f.Entries
	e.changed.Broadcast()
}

// Write implements metrics.Recorder.
func (e *events) Write(w metrics.WriteEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writes = append(e.writes, w)
}

// during returns what is reported of the reads and writes of a function.
func (e *events) during(f func()) ([]metrics.ReadEvent, []metrics.WriteEvent) {
	e.mu.Lock()
	e.reads, e.writes = nil, nil
	e.mu.Unlock()
	f()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.reads, e.writes
}

// patience is how long a fill may take.
const patience = 3 * time.Second

// settle waits until what was read is stored. Some answers never are: a row that cannot be attributed to one of several
// keys, say.
func (e *events) settle() {
	late := false
	timer := time.AfterFunc(patience, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		late = true
		e.changed.Broadcast()
	})
	defer timer.Stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.filled < e.missed && !late {
		e.changed.Wait()
	}
	e.filled, e.missed = 0, 0
}

// forgive makes settle not wait for what these reads have missed.
func (e *events) forgive(reads []metrics.ReadEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range reads {
		if r.Outcome == metrics.Miss && !r.Joined {
			e.missed -= r.Entries - r.Found
		}
	}
}

// hit reports whether all that was read came from the store.
func hit(reads []metrics.ReadEvent) bool {
	for _, r := range reads {
		if r.Outcome != metrics.Hit || r.Found < r.Entries || r.Joined {
			return false
		}
	}
	return len(reads) > 0
}
