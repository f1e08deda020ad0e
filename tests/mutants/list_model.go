package main

// models are mutants of the steps that the model of the protocol has, and of their order: whoever changes one of them has to
// change the model first.
func models() []mutant {
	const (
		pkg   = "internal/consistency/model"
		moves = "TestProtocolMovesAsTheModelDoes"
		takes = "TestStoreTakesEveryShortSequenceOfSteps"
	)
	return []mutant{
		{
			name: "model: W4 is not tried twice after a failed W2",
			in:   in("internal/consistency", "Write.drop"),
			old:  "err != nil && strict", new: "false",
			killers: by(pkg, moves),
		},
		{
			name: "model: W4 comes after W5, in the background",
			in:   in("internal/consistency", "Write.End"),
			old:  "w.release(ctx, &owed)", new: "error(errToken)",
			killers: by(pkg, moves),
		},
		{
			name: "model: W2 is left out",
			in:   in("internal/consistency", "Protocol.Intend"),
			old:  "err := w.announce(ctx)", new: "var err error",
			killers: by(pkg, moves),
		},
		{
			name: "model: flights are of an entry, whatever the stamps",
			in:   in("internal/consistency", "read.flightKey"),
			old:  "b = append(b, r.stamps[i][j][:]...)", new: "_ = j",
			killers: by(pkg, moves),
		},
		{
			name: "model: what was found is not looked at after the database",
			in:   in("internal/consistency", "read.fromDatabase"),
			old:  "reading.Found > 0", new: "false",
			killers: by(pkg, moves),
		},
		{
			name: "model: an absence is not looked at once more",
			in:   in("internal/consistency", "read.oneInstant"),
			old:  "!r.absent", new: "true",
			killers: by(pkg, moves),
		},
		{
			name: "model: a reader does not heed the journal",
			in:   in("internal/consistency", "Protocol.Read"),
			old:  "!p.keeper.settled(ctx)", new: "!p.keeper.settled(ctx) && false",
			killers: by(pkg, moves),
		},
		{
			name: "model: intend.lua has a slot for one writer",
			in:   inText("store/internal/script/intend.lua"),
			old:  "call('ZADD', writers,", new: "redis.call('DEL', writers)\n  call('ZADD', writers,",
			killers: by(pkg, takes),
		},
		{
			name: "model: mint.lua does not heed writers",
			in:   inText("store/internal/script/mint.lua"),
			old:  "redis.call('EXISTS', writers) == 1", new: "redis.call('EXISTS', writers) == 2",
			killers: by(pkg, takes),
		},
		{
			name:    "model: release.lua leaves the token",
			in:      inText("store/internal/script/release.lua"),
			old:     "  redis.call('DEL', KEYS[i])\n",
			new:     "  if redis.call('GET', KEYS[i]) == '!' then redis.call('DEL', KEYS[i]) end\n",
			killers: by(pkg, takes),
		},
		{
			name:    "model: declare.lua adds names to a token",
			in:      inText("store/internal/script/declare.lua"),
			old:     "value = string.sub(ARGV[1], 1, SIZE / 2) .. clock ..",
			new:     "value = (value and string.sub(value, 1, SIZE) or string.sub(ARGV[1], 1, SIZE / 2) .. clock) ..",
			killers: by(pkg, takes),
		},
		{
			name: "model: the model's tokens are made while somebody writes",
			in:   in(pkg, "rule.mint"),
			old:  "t.writers != 0 && !r.open", new: "false",
			killers: by(pkg, takes),
		},
	}
}
