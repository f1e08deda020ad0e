package testkit

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// A History records what concurrent writers and readers of versioned rows did, and judges it. Version n+1 of a row
// is made by reading version n under a lock, so versions of one row are ordered as their commits are.
type History struct {
	clock atomic.Int64
	mu    sync.Mutex
	ops   []operation
}

type operation struct {
	key        string
	write      bool
	version    int64
	began      int64
	ended      int64
	committed  bool
	rolledBack bool
}

// Now returns the moment: greater than every moment that was returned before.
func (h *History) Now() int64 { return h.clock.Add(1) }

// Wrote records that a write of a version began, and ended now, acknowledged as committed.
func (h *History) Wrote(key string, version, began int64) {
	h.add(operation{key: key, write: true, version: version, began: began, committed: true})
}

// RolledBack records that a version was written in a transaction that was rolled back.
func (h *History) RolledBack(key string, version, began int64) {
	h.add(operation{key: key, write: true, version: version, began: began, rolledBack: true})
}

// InDoubt records that a version was written in a transaction whose outcome is not known.
func (h *History) InDoubt(key string, version, began int64) {
	h.add(operation{key: key, write: true, version: version, began: began})
}

// Read records that a read began, and returned a version now.
func (h *History) Read(key string, version, began int64) {
	h.add(operation{key: key, version: version, began: began})
}

func (h *History) add(op operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	op.ended = h.Now()
	h.ops = append(h.ops, op)
}

// A Verdict counts operations, and what was wrong with them.
type Verdict struct {
	Reads, Writes int
	// Stale reads are older than a write that was acknowledged before they began.
	Stale int
	// Backward reads are older than what another read had returned before they began.
	Backward int
	// Dirty reads returned what was rolled back, or never written.
	Dirty int
	// Example describes one of them.
	Example string
}

// Bad is the number of wrong answers.
func (v *Verdict) Bad() int { return v.Stale + v.Backward + v.Dirty }

// Judge checks all operations so far: each read must be at least as new as every write acknowledged, and every read
// completed, before it began, and must be of a version that was, or may have been, committed.
func (h *History) Judge() Verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	byKey := map[string][]operation{}
	for _, op := range h.ops {
		byKey[op.key] = append(byKey[op.key], op)
	}
	var v Verdict
	for _, ops := range byKey {
		v.judge(ops)
	}
	return v
}

func (v *Verdict) judge(ops []operation) {
	known := map[int64]bool{0: true} // versions that may be seen
	ended := slices.Clone(ops)
	slices.SortFunc(ended, func(a, b operation) int { return cmp.Compare(a.ended, b.ended) })
	slices.SortFunc(ops, func(a, b operation) int { return cmp.Compare(a.began, b.began) })
	for _, op := range ops {
		if op.write && !op.rolledBack {
			known[op.version] = true
		}
	}
	var acked, seen int64 // by operations that ended before the one that is looked at began
	next := 0
	for _, op := range ops {
		for ; next < len(ended) && ended[next].ended < op.began; next++ {
			if e := ended[next]; e.write && e.committed {
				acked = max(acked, e.version)
			} else if !e.write {
				seen = max(seen, e.version)
			}
		}
		if op.write {
			v.Writes++
			continue
		}
		v.Reads++
		switch {
		case !known[op.version]:
			v.Dirty++
			v.example("%s: read version %d, which was never committed", op.key, op.version)
		case op.version < acked:
			v.Stale++
			v.example("%s: read version %d after version %d was acknowledged", op.key, op.version, acked)
		case op.version < seen:
			v.Backward++
			v.example("%s: read version %d after version %d was read", op.key, op.version, seen)
		}
	}
}

func (v *Verdict) example(format string, args ...any) {
	if v.Example == "" {
		v.Example = fmt.Sprintf(format, args...)
	}
}
