// Package history records what concurrent processes wrote and read, and judges it against a row of docs/guarantees.md.
//
//	record.go     recorders, one for each goroutine, whose files outlive a process that is killed
//	judge.go      what a row claims, and the scan that finds what contradicts it
//	linear.go     the same claim, as Porcupine sees it
//	evidence.go   the operations that show a finding
//
// Everything is a register: a version that grows by one with every write, and the nonce of the write that made it. A list to
// which rows are appended is one, too: its version is its length, and a digest stands for all of its rows in their order.
package history

import (
	"fmt"
	"math"
)

// A Key names a register.
type Key uint32

// list is the bit that tells lists from rows.
const list Key = 1 << 31

// List returns the key of a list.
func List(n int64) Key { return Key(n)&^list | list }

// IsList reports whether the register is a list.
func (k Key) IsList() bool { return k&list != 0 }

// String implements [fmt.Stringer].
func (k Key) String() string {
	if k.IsList() {
		return fmt.Sprintf("list %d", uint32(k&^list))
	}
	return fmt.Sprintf("row %d", uint32(k))
}

// A Kind says what an operation is.
type Kind uint8

// The kinds. Began and Ended are the halves of a write as they are recorded; they are judged as one Write.
const (
	Read  Kind = iota // of the version, and of the write that made it
	Count             // of the version alone
	Torn              // of rows that no version of the list has
	Began
	Ended
	Write
)

// An Outcome says what became of a write.
type Outcome uint8

// The outcomes. InDoubt may have been committed.
const (
	InDoubt Outcome = iota
	Committed
	RolledBack
)

// Never is the end of an operation that has none.
const Never = math.MaxInt64

// Unknown is the version of a write that did not tell.
const Unknown = -1

// An Op is an operation.
type Op struct {
	// Began and Ended are moments of the machine's monotonic clock, in nanoseconds.
	Began, Ended int64
	// Nonce is the write, or, of a read, the write that made what was read; 0 is what was there in the beginning.
	Nonce uint64
	// Digest stands for all rows of a list that was read, in their order.
	Digest  uint64
	Key     Key
	Version int32
	Process uint16
	Kind    Kind
	Outcome Outcome
}

// writes reports whether it is a write.
func (o *Op) writes() bool { return o.Kind == Write }

// Digest returns the digest of a list that a row was appended to. That of the empty list is 0.
func Digest(before, nonce uint64) uint64 {
	const prime = 0x9E3779B97F4A7C15
	x := (before ^ nonce) * prime
	return x ^ x>>29 + 1
}
