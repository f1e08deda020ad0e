package history

import (
	"cmp"
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
// were rolled back, and those in doubt that were not read. The others in doubt were over when the first read of them was.
func settled(ops []Op, initial State) []Op {
	read := map[uint64]int64{initial.Nonce: Never}
	for _, o := range ops {
		if at, ok := read[o.Nonce]; o.Kind == Read && (!ok || o.Ended < at) {
			read[o.Nonce] = o.Ended
		}
	}
	versions := map[uint64]int32{}
	for _, o := range ops {
		if o.Kind == Read {
			versions[o.Nonce] = o.Version
		}
	}
	var out []Op
	for _, o := range ops {
		if o.writes() && o.Outcome != Committed {
			at, seen := read[o.Nonce]
			if o.Outcome == RolledBack || !seen {
				continue
			}
			o.Ended, o.Version = at, versions[o.Nonce]
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Op) int { return cmp.Compare(a.Began, b.Began) })
	return out
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
		j.v.Evidence = append(j.v.Evidence, j.ops[0].Key.String()+": "+string(NotLinear))
	}
}

// NotLinear is what Porcupine alone says.
const NotLinear Wrong = "part of a history for which Porcupine finds no order"
