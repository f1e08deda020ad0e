package history

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	// window is how many operations Porcupine gets at a time, or more, if writes leave no gap; beyond maxWindow it gets none
	// of them: its cost grows faster than they do.
	window, maxWindow = 250, 4000
	// patience is how long it may think.
	patience = 20 * time.Second
)

// A value is what a write writes, and a read reads. A count reads no nonce.
type value struct {
	version int32
	nonce   uint64
	kind    Kind
}

// model is a register, as Porcupine wants it.
func model(initial value) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return initial },
		Step: func(state, input, _ any) (bool, any) {
			is, op := state.(value), input.(value)
			switch op.kind {
			case Write:
				return is.version < op.version, op // they are ordered as their commits are
			case Count:
				return is.version == op.version, state
			default:
				return is.version == op.version && is.nonce == op.nonce, state
			}
		},
		Equal: func(a, b any) bool {
			x, y := a.(value), b.(value)
			return x.version == y.version && x.nonce == y.nonce
		},
	}
}

// Linear asks Porcupine about one register, window by window. Windows are cut where no write is under way; a read that goes
// over a cut is left out, which can hide something and makes nothing up.
func Linear(ops []Op, initial State) (confirmed, skipped, unknown int, ok bool) {
	ops = settled(ops, initial)
	state := value{version: initial.Version, nonce: initial.Nonce}
	ok = true
	for len(ops) > 0 {
		n, cut := nextCut(ops)
		var in []porcupine.Operation
		last := state
		for _, o := range ops[:n] {
			if !o.writes() && o.Ended > cut {
				continue
			}
			v := value{o.Version, o.Nonce, o.Kind}
			if o.writes() && o.Version > last.version {
				last = v
			}
			in = append(in, porcupine.Operation{ClientId: len(in), Input: v, Call: o.Began, Return: o.Ended})
		}
		if len(in) > maxWindow {
			skipped++
		} else {
			switch porcupine.CheckOperationsTimeout(model(state), in, patience) {
			case porcupine.Ok:
				confirmed++
			case porcupine.Unknown:
				unknown++
			case porcupine.Illegal:
				ok = false
			}
		}
		state = last
		ops = ops[n:]
	}
	return confirmed, skipped, unknown, ok
}

// settled returns operations in the order in which they began, without the writes that nobody has to have seen: those that
// were rolled back, and those in doubt that were not read. The others in doubt were over when the first read of them was. For
// a version that only counts show, one of the writes in doubt that were not read stands in.
func settled(ops []Op, initial State) []Op {
	first := firstReads(ops)
	var out []Op
	made := map[int32]bool{initial.Version: true}
	for _, o := range ops {
		if o.writes() && o.Outcome != Committed {
			read, seen := first[o.Nonce]
			if o.Outcome == RolledBack || !seen || o.Nonce == initial.Nonce {
				continue
			}
			o.Ended, o.Version = read.Ended, read.Version
		}
		made[o.Version] = made[o.Version] || o.Kind != Count
		out = append(out, o)
	}
	out = append(out, onlyCounted(ops, made)...)
	slices.SortFunc(out, func(a, b Op) int { return cmp.Compare(a.Began, b.Began) })
	return out
}

// firstReads returns, for each write that was read, the read of it that ended first.
func firstReads(ops []Op) map[uint64]Op {
	first := map[uint64]Op{}
	for _, o := range ops {
		if r, ok := first[o.Nonce]; o.Kind == Read && (!ok || o.Ended < r.Ended) {
			first[o.Nonce] = o
		}
	}
	return first
}

// onlyCounted returns a write for each version that only counts show. It began when the first write in doubt that was not read
// did, and was over when the first of the counts was. Without such a write, nobody made that version.
func onlyCounted(ops []Op, made map[int32]bool) []Op {
	began, ok := firstUnread(ops)
	if !ok {
		return nil
	}
	writes := map[int32]Op{}
	for _, o := range ops {
		if w, ok := writes[o.Version]; o.Kind == Count && !made[o.Version] && (!ok || o.Ended < w.Ended) {
			writes[o.Version] = Op{Kind: Write, Outcome: Committed, Key: o.Key, Version: o.Version, Began: began, Ended: o.Ended}
		}
	}
	return slices.Collect(maps.Values(writes))
}

// firstUnread returns when the first of the writes in doubt that were not read began.
func firstUnread(ops []Op) (began int64, ok bool) {
	first := firstReads(ops)
	began = Never
	for _, o := range ops {
		if _, read := first[o.Nonce]; o.writes() && o.Outcome == InDoubt && !read {
			began, ok = min(began, o.Began), true
		}
	}
	return began, ok
}

// nextCut returns how many operations the next window has, and the moment of the cut behind it, at which no write is under
// way.
func nextCut(ops []Op) (n int, cut int64) {
	busy := int64(0) // until when writes are
	for i, o := range ops {
		if i >= window && o.writes() && o.Began > busy {
			return i, o.Began - 1
		}
		if o.writes() {
			busy = max(busy, o.Ended)
		}
	}
	return len(ops), Never
}

// confirm lets Porcupine see the register, too.
func (j *judge) confirm() {
	confirmed, skipped, unknown, ok := Linear(j.ops, j.initial)
	j.v.Confirmed += confirmed
	j.v.Skipped += skipped
	j.v.Unknown += unknown
	if !ok && j.v.Bad() == 0 {
		j.v.Wrong[NotLinear]++
		j.v.Evidence = append(j.v.Evidence, j.all())
	}
}

// NotLinear is what Porcupine alone says.
const NotLinear Wrong = "part of a history for which Porcupine finds no order"
