package consistency

import "time"

// A Backlog is what a protocol still has to do.
type Backlog struct {
	// Fills is how many fills are under way.
	Fills int
	// Journal is how many writes the store has to be told of before this process serves anything, and Since, when the oldest
	// of them was to be told; zero, if there are none.
	Journal int
	Since   time.Time
	// InDoubt is how many writes are held back because their outcome is not known.
	InDoubt int
}

// Backlog returns what is still to be done.
func (p *Protocol) Backlog() Backlog {
	b := Backlog{Fills: len(p.fills)}
	k := &p.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	b.Journal, b.Since = int(k.strict.Load()), k.oldest()
	for _, d := range k.debts {
		if !d.until.IsZero() {
			b.InDoubt++
		}
	}
	return b
}

// oldest returns since when the oldest strict debt is owed; zero, if there is none. The caller holds mu.
func (k *keeper) oldest() (since time.Time) {
	for _, d := range k.debts {
		if d.strict && (since.IsZero() || d.since.Before(since)) {
			since = d.since
		}
	}
	return since
}
