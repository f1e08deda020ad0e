// Package heat remembers, in an amount of memory that never grows, which keys are asked for often and which are made in
// vain. What it says is an estimate: two keys may share a cell. Nothing that has to be right may depend on it.
package heat

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// cells is the number of cells of a table, of 8 bytes each. It is a power of two.
const cells = 1 << 13

// table holds 64 bits for each of many keys.
type table struct {
	seed  maphash.Seed
	cells [cells]atomic.Uint64
}

func newTable() *table { return &table{seed: maphash.MakeSeed()} }

// at returns the cell of a key, and what tells the key from others that share it.
func (t *table) at(key string) (cell *atomic.Uint64, mark uint32) {
	h := maphash.String(t.seed, key)
	return &t.cells[h%cells], uint32(h >> 32)
}

// Reads counts how often keys are asked for. Use [NewReads].
type Reads struct{ t *table }

// NewReads returns a counter of which no key is hot.
func NewReads() Reads { return Reads{newTable()} }

// window is how long reads are counted together. Those of the window before count half.
const window = time.Second

// Add counts a read, and returns how often the key was asked for within the last second or so.
//
// A cell holds the number of its window and the count. Of readers at the same time some may not be counted.
func (r Reads) Add(key string, now time.Time) (count uint32) {
	cell, _ := r.t.at(key)
	old := cell.Load()
	at := uint32(now.UnixNano() / int64(window))
	count = uint32(old)
	switch at - uint32(old>>32) {
	case 0:
	case 1:
		count /= 2
	default:
		count = 0
	}
	count++
	cell.CompareAndSwap(old, uint64(at)<<32|uint64(count))
	return count
}

// Churn counts how often in a row something was made for a key that nobody then used. Use [NewChurn].
type Churn struct{ t *table }

// NewChurn returns a counter of which every key is worth it.
func NewChurn() Churn { return Churn{newTable()} }

// Forgets is how long after the last time a key is given another chance.
const Forgets = 10 * time.Second

// A cell of Churn holds the key's mark, the second of the last time, and how often.

// Used says that what was made for the key is of use.
func (c Churn) Used(key string) {
	cell, mark := c.t.at(key)
	if old := cell.Load(); old != 0 && uint32(old>>32) == mark {
		cell.CompareAndSwap(old, 0)
	}
}

// Made counts that something is made for the key once more.
func (c Churn) Made(key string, now time.Time) {
	cell, mark := c.t.at(key)
	n := min(c.InVain(key, now)+1, 1<<16-1)
	cell.Store(uint64(mark)<<32 | uint64(uint16(now.Unix()))<<16 | uint64(n))
}

// InVain returns how often something was made for the key since it was last of use.
func (c Churn) InVain(key string, now time.Time) int {
	cell, mark := c.t.at(key)
	old := cell.Load()
	age := uint16(now.Unix()) - uint16(old>>16)
	if uint32(old>>32) != mark || time.Duration(age)*time.Second > Forgets {
		return 0
	}
	return int(uint16(old))
}
