package faults_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// stale returns how many reads are older than a write that was acknowledged before they began, and one of them.
func stale(ops []operation) (n int, example string) {
	byKey := map[string][]operation{}
	for _, op := range ops {
		byKey[op.Key] = append(byKey[op.Key], op)
	}
	for key, ops := range byKey {
		var writes, reads []operation
		for _, op := range ops {
			switch {
			case !op.Write:
				reads = append(reads, op)
			case !op.Doubt:
				writes = append(writes, op)
			}
		}
		slices.SortFunc(writes, func(a, b operation) int { return cmp.Compare(a.Ended, b.Ended) })
		slices.SortFunc(reads, func(a, b operation) int { return cmp.Compare(a.Began, b.Began) })
		var acknowledged int64
		for _, r := range reads {
			for len(writes) > 0 && writes[0].Ended < r.Began {
				acknowledged = max(acknowledged, writes[0].Version)
				writes = writes[1:]
			}
			if r.Version < acknowledged {
				n++
				example = fmt.Sprintf("%s: read version %d after version %d was acknowledged", key, r.Version, acknowledged)
			}
		}
	}
	return n, example
}

// dirty returns how many reads show a version that nobody has committed or which was
// rolled back, and one of them.
func dirty(ops []operation) (n int, example string) {
	type version struct {
		key string
		n   int64
	}
	made := map[version]bool{}
	for _, op := range ops {
		if op.Write {
			made[version{op.Key, op.Version}] = true
		}
	}
	for _, op := range ops {
		if !op.Write && op.Version != 0 && !made[version{op.Key, op.Version}] {
			n++
			example = fmt.Sprintf("%s: read version %d, which nobody wrote", op.Key, op.Version)
		}
	}
	return n, example
}

// of returns the operations on a row.
func of(ops []operation, row int) []operation {
	var some []operation
	for _, op := range ops {
		if op.Row == row {
			some = append(some, op)
		}
	}
	return some
}

// by returns the operations of a handle.
func by(handle int, ops []operation) []operation {
	var some []operation
	for _, op := range ops {
		if op.Handle == handle {
			some = append(some, op)
		}
	}
	return some
}

func TestJudgeFindsWhatIsStaleOrWasNeverWritten(t *testing.T) {
	t.Parallel()
	write := operation{Key: "k", Row: 1, Version: 1, Write: true, Began: 10, Ended: 20}
	read := func(version, began int64) operation {
		return operation{Key: "k", Row: 1, Version: version, Began: began, Ended: began + 5}
	}
	for _, c := range []struct {
		read         operation
		stale, dirty int
	}{
		{read(0, 5), 0, 0},
		{read(0, 15), 0, 0},
		{read(0, 21), 1, 0},
		{read(1, 15), 0, 0},
		{read(1, 21), 0, 0},
		{read(2, 21), 0, 1},
	} {
		doubt := write
		doubt.Key, doubt.Version, doubt.Doubt = "doubt", 3, true
		ops := []operation{c.read, write, doubt}
		n, _ := stale(ops)
		require.Equal(t, c.stale, n, "%+v", c.read)
		n, _ = dirty(ops)
		require.Equal(t, c.dirty, n, "%+v", c.read)
		require.Empty(t, of(ops, 2))
		require.Empty(t, by(1, ops))
	}
}
