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
			file: "internal/consistency/write.go",
			old:  "if err != nil && strict {", new: "if false {",
			killers: by(pkg, moves),
		},
		{
			name: "model: W4 comes after W5, in the background",
			file: "internal/consistency/write.go",
			old:  "if err := w.release(ctx, &owed); err != nil {", new: "if err := error(errToken); err != nil {",
			killers: by(pkg, moves),
		},
		{
			name: "model: W2 is left out",
			file: "internal/consistency/write.go",
			old:  "err := w.announce(ctx)", new: "var err error",
			killers: by(pkg, moves),
		},
		{
			name: "model: flights are of an entry, whatever the stamps",
			file: "internal/consistency/database.go",
			old:  "b = append(b, r.stamps[i][j][:]...)", new: "_ = j",
			killers: by(pkg, moves),
		},
		{
			name: "model: what was found is not looked at after the database",
			file: "internal/consistency/database.go",
			old:  "if reading.Found > 0 {", new: "if false {",
			killers: by(pkg, moves),
		},
		{
			name: "model: an absence is not looked at once more",
			file: "internal/consistency/instant.go",
			old:  "return !r.absent && (r.atomic", new: "return (r.atomic",
			killers: by(pkg, moves),
		},
		{
			name: "model: a reader does not heed the journal",
			file: "internal/consistency/read.go",
			old:  "if !p.keeper.settled(ctx) {", new: "if p.keeper.settled(ctx); false {",
			killers: by(pkg, moves),
		},
		{
			name: "model: intend.lua has a slot for one writer",
			file: "store/internal/script/intend.lua",
			old:  "call('ZADD', writers,", new: "redis.call('DEL', writers)\n  call('ZADD', writers,",
			killers: by(pkg, takes),
		},
		{
			name: "model: mint.lua does not heed writers",
			file: "store/internal/script/mint.lua",
			old:  "redis.call('EXISTS', writers) == 1", new: "redis.call('EXISTS', writers) == 2",
			killers: by(pkg, takes),
		},
		{
			name:    "model: release.lua leaves the token",
			file:    "store/internal/script/release.lua",
			old:     "  redis.call('DEL', KEYS[i])\n",
			new:     "  if redis.call('GET', KEYS[i]) == '!' then redis.call('DEL', KEYS[i]) end\n",
			killers: by(pkg, takes),
		},
		{
			name:    "model: declare.lua adds names to a token",
			file:    "store/internal/script/declare.lua",
			old:     "value = string.sub(ARGV[1], 1, SIZE / 2) .. clock ..",
			new:     "value = (value and string.sub(value, 1, SIZE) or string.sub(ARGV[1], 1, SIZE / 2) .. clock) ..",
			killers: by(pkg, takes),
		},
		{
			name: "model: the model's tokens are made while somebody writes",
			file: "internal/consistency/model/store_test.go",
			old:  "case t.writers != 0 && !r.open:", new: "case false:",
			killers: by(pkg, takes),
		},
	}
}
