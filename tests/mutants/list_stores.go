package main

// stores are mutants of the steps that Redis takes.
func stores() []mutant {
	const pkg = "store/redisstore"
	suite := by(pkg, "TestSingleServerPassesTheSuite")
	return []mutant{
		{
			name: "the set of writers has one slot",
			file: "store/internal/script/intend.lua",
			old:  "call('ZADD', writers,", new: "redis.call('DEL', writers)\n  call('ZADD', writers,",
			killers: suite,
		},
		{
			name: "a release ends the intents of others",
			file: "store/internal/script/release.lua",
			old:  "call('ZREM', writers, ARGV[1])", new: "call('DEL', writers)",
			killers: suite,
		},
		{
			name: "a release leaves its own intent",
			file: "store/internal/script/release.lua",
			old:  "call('ZREM', writers, ARGV[1])", new: "",
			killers: suite,
		},
		{
			name: "a writer that sleeps: a release leaves the token that was minted meanwhile",
			file: "store/internal/script/release.lua",
			old:  "redis.call('DEL', KEYS[i])", new: "",
			killers: suite,
		},
		{
			name: "tokens are minted while somebody writes",
			file: "store/internal/script/mint.lua",
			old:  "if redis.call('EXISTS', writers) == 1 then", new: "if false then",
			killers: suite,
		},
		{
			name: "a token that is there is replaced by another one",
			file: "store/internal/script/mint.lua",
			old:  "if not value or #value < 16 then", new: "if true then",
			killers: suite,
		},
		{
			name: "a writer that died keeps readers from caching for ever",
			file: "store/internal/script/mint.lua",
			old:  "call('ZREMRANGEBYSCORE', writers, '-inf', now)", new: "",
			killers: by(pkg, "TestIntentLapsesWhileOthersWrite"),
		},
		{
			name: "a write at maxmemory leaves what is old to be served",
			file: "store/internal/script/intend.lua",
			old:  "  redis.call('DEL', KEYS[i])\n", new: "",
			killers: by("tests", "TestFullRedis"),
		},
		{
			name: "the history of a server is asked for once",
			file: "store/redisstore/node.go",
			old:  "time.Since(known.read) < known.age", new: "true",
			killers: by(pkg, "TestHistoryChangesWhenAReplicaIsPromotedBehindAnOpenConnection"),
		},
		{
			name:    "a new connection is taken for one to the same server",
			file:    "store/redisstore/node.go",
			old:     "n.rdb.Process(ctx, cmds[0])\n\t\tif n.dials.Load() == known.dials {",
			new:     "n.rdb.Process(ctx, cmds[0])\n\t\tif true {",
			killers: by(pkg, "TestHistoryIsThatOfTheServerBehindANewConnection"),
		},
		{
			name: "in a slot that is moved, a writer is not heard",
			file: "store/redisstore/call.go",
			old:  "err = s.apart(ctx, w, c)", new: "err = nil",
			killers: by(pkg, "TestWriterIsHeardWhileItsSlotIsMoved"),
		},
		{
			name: "in a slot that is moved, a writer drops the token and does not join",
			file: "store/redisstore/call.go",
			old:  "[]func(redis.Pipeliner){s.joins(ctx, w, c), drops(ctx, w, c)}", new: "[]func(redis.Pipeliner){drops(ctx, w, c)}",
			killers: by(pkg, "TestWriterIsHeardWhileItsSlotIsMoved"),
		},
		{
			name: "one server of a Cluster that does not answer is waited for each time",
			file: "store/redisstore/health.go",
			old:  "if failures < maxFailures {\n\t\treturn true", new: "if true {\n\t\treturn true",
			killers: by(pkg, "TestServerOfAClusterThatDoesNotAnswerKeepsNobodyFromTheOthers"),
		},
		{
			name: "one server of a Cluster that does not answer stands for all",
			file: "store/redisstore/read.go",
			old:  "failed != nil && s.servers.others()", new: "failed != nil && false",
			killers: by(pkg, "TestServerOfAClusterThatDoesNotAnswerKeepsNobodyFromTheOthers"),
		},
		{
			name: "a part of the store that fails counts as all of it",
			file: "internal/breaker/breaker.go",
			old:  "errors.Is(err, store.ErrShared) || errors.Is(err, store.ErrInPart)", new: "errors.Is(err, store.ErrShared)",
			killers: by("internal/breaker", "TestFailureOfAPartIsNotCounted"),
		},
		{
			name: "a primary that takes no writes is believed",
			file: "store/redisstore/node.go",
			old:  `name == "min_slaves_good_slaves" && value == "0"`, new: `name == "" && value == "0"`,
			killers: by(pkg, "TestPrimaryThatHasLostItsReplicasIsNotBelieved"),
		},
		{
			name: "a batch ends with the context of the reader that sends it",
			file: "store/redisstore/batch.go",
			old:  "context.WithoutCancel(ctx)", new: "ctx",
			killers: by(pkg, "TestExchangeOfABatchOutlivesTheContextOfItsReader"),
		},
		{
			name: "a connection that fails counts for each reader of a batch",
			file: "internal/breaker/breaker.go",
			old:  "errors.Is(err, store.ErrShared) || errors.Is(err, store.ErrInPart)", new: "errors.Is(err, store.ErrInPart)",
			killers: by("internal/breaker", "TestFailureOfAnExchangeCountsOnce"),
		},
		{
			name: "a reader that leaves takes the right to send along",
			file: "store/redisstore/batch.go",
			old:  "case <-own.lead: // the right was given, and nobody had taken it\n\t\tb.ended()", new: "case <-own.lead:",
			killers: by(pkg, "TestRightToSendThatNobodyTookIsGivenBack"),
		},
		{
			name: "a server that lost its scripts stays without them",
			file: "store/redisstore/call.go",
			old:  "return redis.HasErrorPrefix(c.cmd.Err(), \"NOSCRIPT\")", new: "return false",
			killers: by(pkg, "TestScriptsAreSentAgainAfterTheServerLostThem"),
		},
		{
			name: "a client that reads from replicas of Redis is taken",
			file: "store/redisstore/redisstore.go",
			old:  "o.ReadOnly || o.RouteByLatency || o.RouteRandomly", new: "false && o.ReadOnly",
			killers: by(pkg, "TestClientsThatCannotKeepThePromiseAreRefused"),
		},
	}
}
