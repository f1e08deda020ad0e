package history_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit/history"
)

const row history.Key = 7

func wrote(version int32, nonce uint64, process uint16, began, ended int64) history.Op {
	return history.Op{
		Kind: history.Write, Outcome: history.Committed, Key: row, Version: version, Nonce: nonce, Process: process,
		Began: began, Ended: ended,
	}
}

func read(version int32, nonce uint64, process uint16, began, ended int64) history.Op {
	return history.Op{Key: row, Version: version, Nonce: nonce, Process: process, Began: began, Ended: ended}
}

func in(o history.Op, change func(*history.Op)) history.Op {
	change(&o)
	return o
}

func undecided(o *history.Op) {
	o.Outcome, o.Ended, o.Version = history.InDoubt, history.Never, history.Unknown
}

func counted(o *history.Op) { o.Kind, o.Nonce = history.Count, 0 }

func TestHistoriesAreJudgedByWhatTheirRowClaims(t *testing.T) {
	t.Parallel()
	strict, linearizable := history.Claims{}, history.Claims{Linearizable: true}
	undone := func(o *history.Op) { o.Outcome = history.RolledBack }
	onList := func(o *history.Op) { o.Key = history.List(7) }
	for name, c := range map[string]struct {
		ops    []history.Op
		claims history.Claims
		want   history.Wrong // none: good
	}{
		"good": {
			ops: []history.Op{
				wrote(1, 11, 0, 10, 20), read(0, 0, 1, 12, 30), read(1, 11, 1, 13, 14), read(1, 11, 2, 31, 32),
				wrote(2, 12, 1, 40, 50),
			},
			claims: linearizable,
		},
		"stale": {
			ops:  []history.Op{wrote(1, 11, 0, 10, 20), read(0, 0, 1, 21, 30)},
			want: history.Stale,
		},
		"backward, which strict does not exclude": {
			ops:    []history.Op{wrote(1, 11, 0, 10, 50), read(1, 11, 1, 12, 20), read(0, 0, 2, 21, 30)},
			claims: strict,
		},
		"backward": {
			ops:    []history.Op{wrote(1, 11, 0, 10, 50), read(1, 11, 1, 12, 20), read(0, 0, 2, 21, 30)},
			claims: linearizable, want: history.Backward,
		},
		"dirty": {
			ops:  []history.Op{in(wrote(1, 11, 0, 10, 20), undone), read(1, 11, 1, 12, 30)},
			want: history.Dirty,
		},
		"of nobody": {
			ops:  []history.Op{read(1, 99, 1, 12, 30)},
			want: history.Dirty,
		},
		"from the future": {
			ops:  []history.Op{read(1, 11, 1, 5, 9), wrote(1, 11, 0, 10, 20)},
			want: history.Future,
		},
		"a lost update": {
			ops:  []history.Op{wrote(1, 11, 0, 10, 20), wrote(1, 12, 1, 15, 25)},
			want: history.Split,
		},
		"in doubt, and seen": {
			ops:    []history.Op{in(wrote(1, 11, 0, 10, 20), undecided), read(0, 0, 1, 21, 30), read(1, 11, 1, 31, 40)},
			claims: linearizable,
		},
		"in doubt, and gone again": {
			ops:    []history.Op{in(wrote(1, 11, 0, 10, 20), undecided), read(1, 11, 1, 21, 30), read(0, 0, 1, 31, 40)},
			claims: linearizable, want: history.Backward,
		},
		"others do not hear of a writer that is cut off": {
			ops:    []history.Op{wrote(1, 11, 0, 10, 20), read(0, 0, 1, 30, 40)},
			claims: history.Claims{Untold: []uint16{0}, TTL: 100},
		},
		"who is cut off sees its own writes": {
			ops:    []history.Op{wrote(1, 11, 0, 10, 20), read(0, 0, 0, 30, 40)},
			claims: history.Claims{Untold: []uint16{0}, TTL: 100}, want: history.Stale,
		},
		"others see them after the time to live": {
			ops:    []history.Op{wrote(1, 11, 0, 10, 20), read(0, 0, 1, 130, 140)},
			claims: history.Claims{Untold: []uint16{0}, TTL: 100}, want: history.Expired,
		},
		"everybody sees those of others": {
			ops:    []history.Op{wrote(1, 11, 1, 10, 20), read(0, 0, 2, 30, 40)},
			claims: history.Claims{Untold: []uint16{0}, TTL: 100}, want: history.Stale,
		},
		"a list in its order": {
			ops: []history.Op{
				in(wrote(1, 11, 0, 10, 20), onList), in(wrote(2, 12, 1, 21, 30), onList),
				in(read(2, 12, 1, 31, 40), func(o *history.Op) {
					o.Key, o.Digest = history.List(7), history.Digest(history.Digest(0, 11), 12)
				}),
			},
			claims: linearizable,
		},
		"a list that lost a row": {
			ops: []history.Op{
				in(wrote(1, 11, 0, 10, 20), onList), in(wrote(2, 12, 1, 21, 30), onList),
				in(read(2, 12, 1, 31, 40), func(o *history.Op) {
					o.Key, o.Digest = history.List(7), history.Digest(history.Digest(0, 13), 12)
				}),
			},
			want: history.Order,
		},
		"rows that no version has": {
			ops:  []history.Op{in(read(1, 0, 1, 31, 40), func(o *history.Op) { o.Key, o.Kind = history.List(7), history.Torn })},
			want: history.Order,
		},
		"a count that is stale": {
			ops:  []history.Op{wrote(1, 11, 0, 10, 20), in(read(0, 0, 1, 31, 40), counted)},
			want: history.Stale,
		},
		"in doubt, and only counted": {
			ops: []history.Op{
				wrote(1, 11, 0, 10, 20), in(wrote(2, 12, 1, 21, 30), undecided), in(read(2, 0, 2, 31, 40), counted),
				wrote(3, 13, 0, 41, 50), read(3, 13, 1, 51, 60),
			},
			claims: linearizable,
		},
		"in doubt, counted, and gone again": {
			ops: []history.Op{
				in(wrote(1, 11, 1, 10, 20), undecided), in(read(1, 0, 2, 31, 40), counted), in(read(0, 0, 2, 41, 50), counted),
			},
			claims: linearizable, want: history.Backward,
		},
		"a count of what nobody wrote": {
			ops:  []history.Op{wrote(1, 11, 0, 10, 20), in(read(2, 0, 1, 31, 40), counted)},
			want: history.Dirty,
		},
		"a count before the write in doubt began": {
			ops:  []history.Op{in(read(1, 0, 1, 5, 9), counted), in(wrote(1, 11, 0, 10, 20), undecided)},
			want: history.Dirty,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := history.Judge(c.ops, nil, c.claims)
			if c.want == "" {
				require.Empty(t, v.Evidence)
				return
			}
			require.Positive(t, v.Wrong[c.want], v.Evidence)
			require.Contains(t, v.Evidence[0], string(c.want))
		})
	}
}

// Of random histories, a third of which are wrong somewhere, the scan and Porcupine say the same.
func TestScanAgreesWithPorcupine(t *testing.T) {
	t.Parallel()
	wrong := 0
	const histories = 3000
	for seed := range uint64(histories) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		ops := random(rnd, 30)
		_, _, unknown, linear := history.Linear(ops, history.State{})
		require.Zero(t, unknown)
		v := history.Judge(ops, nil, history.Claims{Linearizable: true})
		require.Equal(t, linear, v.Bad() == 0, "seed %d: %v", seed, v.Evidence)
		require.Zero(t, v.Wrong[history.NotLinear], "seed %d", seed)
		if !linear {
			wrong++
		}
	}
	t.Logf("%d of %d are not linearizable", wrong, histories)
	require.Greater(t, wrong, histories/10)
	require.Less(t, wrong, histories*9/10)
}

// random returns a history of one register in which each operation takes effect at some moment between its beginning and its
// end, but for a read now and then that shows what was there a little earlier, or later. Of some writes it does not say that
// they ended, and some reads only count.
func random(rnd *rand.Rand, n int) []history.Op {
	type point struct {
		at    int64
		write bool
	}
	points := make([]point, n)
	for i := range points {
		points[i] = point{int64(100*i) + rnd.Int64N(50), rnd.IntN(3) == 0}
	}
	odd := -1
	if rnd.IntN(2) == 0 {
		odd = rnd.IntN(n)
	}
	made := []uint64{0}
	total := 0
	for _, p := range points {
		if p.write {
			total++
		}
	}
	for v := 1; v <= total; v++ {
		made = append(made, uint64(1000+v))
	}
	var ops []history.Op
	version := 0
	for i, p := range points {
		began, ended := p.at-rnd.Int64N(400), p.at+1+rnd.Int64N(400)
		process := uint16(rnd.IntN(3))
		if p.write {
			version++
			o := wrote(int32(version), made[version], process, began, ended)
			if rnd.IntN(6) == 0 { // and its process was killed
				undecided(&o)
			}
			ops = append(ops, o)
			continue
		}
		shows := version
		if i == odd {
			shows = min(max(version+rnd.IntN(7)-3, 0), total)
		}
		o := read(int32(shows), made[shows], process, began, ended)
		if rnd.IntN(3) == 0 {
			counted(&o)
		}
		ops = append(ops, o)
	}
	return ops
}

// What a process recorded is there when it is killed in the middle of a write; what it had half written is not.
func TestRecordsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, err := history.NewRecorder(dir, 3, 1)
	require.NoError(t, err)
	began := history.Now()
	r.Read(history.Read, row, 70000, 5, 6, began, history.Now())
	first := r.Begin(row)
	r.End(row, first, 70001, history.Committed)
	second := r.Begin(history.List(9)) // and never ends
	ops, err := history.Load(dir)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.Len(t, ops, 3)
	require.Equal(t, history.Op{
		Key: row, Version: 70000, Nonce: 5, Digest: 6, Process: 3, Began: began, Ended: ops[0].Ended,
	}, ops[0])
	require.Equal(t, history.Op{
		Kind: history.Write, Outcome: history.Committed, Key: row, Version: 70001, Nonce: first, Process: 3,
		Began: ops[1].Began, Ended: ops[1].Ended,
	}, ops[1])
	require.Equal(t, history.Op{
		Kind: history.Write, Outcome: history.InDoubt, Key: history.List(9), Version: history.Unknown, Nonce: second,
		Process: 3, Began: ops[2].Began, Ended: history.Never,
	}, ops[2])
	require.LessOrEqual(t, ops[0].Ended, ops[1].Began)
	require.Less(t, ops[1].Began, ops[1].Ended)
}

// A million operations are judged in seconds.
func TestLongHistoriesAreJudgedInTime(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var ops []history.Op
	for key := range history.Key(100) {
		version, at := int32(0), int64(1000)
		for range 2000 {
			at += 10 + rnd.Int64N(20)
			o := read(version, uint64(version), 1, at-rnd.Int64N(5), at+rnd.Int64N(5))
			if rnd.IntN(5) == 0 {
				version++
				o = wrote(version, uint64(version), 0, at-rnd.Int64N(5), at+rnd.Int64N(5))
			}
			o.Key = key
			ops = append(ops, o)
		}
	}
	begun := time.Now()
	v := history.Judge(ops, nil, history.Claims{Linearizable: true})
	t.Logf("%d operations, %d windows, %v", v.Reads+v.Writes, v.Confirmed, time.Since(begun))
	require.Zero(t, v.Bad(), v.Evidence)
	require.Zero(t, v.Skipped+v.Unknown)
	require.Greater(t, v.Confirmed, 500)
}
