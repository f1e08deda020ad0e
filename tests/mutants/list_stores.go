package main

// stores are mutants of the steps that Redis takes.
func stores() []mutant {
	const pkg = "store/redisstore"
	suite := by(pkg, "TestSingleServerPassesTheSuite")
	return []mutant{
		{
			name: "the set of writers has one slot",
			in:   inText("store/internal/script/intend.lua"),
			old:  "call('ZADD', writers,", new: "redis.call('DEL', writers)\n  call('ZADD', writers,",
			killers: suite,
		},
		{
			name: "a release ends the intents of others",
			in:   inText("store/internal/script/release.lua"),
			old:  "call('ZREM', writers, ARGV[1])", new: "call('DEL', writers)",
			killers: suite,
		},
		{
			name: "a release leaves its own intent",
			in:   inText("store/internal/script/release.lua"),
			old:  "call('ZREM', writers, ARGV[1])", new: "",
			killers: suite,
		},
		{
			name: "a writer that sleeps: a release leaves the token that was minted meanwhile",
			in:   inText("store/internal/script/release.lua"),
			old:  "redis.call('DEL', KEYS[i])", new: "",
			killers: suite,
		},
		{
			name: "tokens are minted while somebody writes",
			in:   inText("store/internal/script/mint.lua"),
			old:  "if redis.call('EXISTS', writers) == 1 then", new: "if false then",
			killers: suite,
		},
		{
			name: "a token that is there is replaced by another one",
			in:   inText("store/internal/script/mint.lua"),
			old:  "if not value or #value < 16 then", new: "if true then",
			killers: suite,
		},
		{
			name: "a writer that died keeps readers from caching for ever",
			in:   inText("store/internal/script/mint.lua"),
			old:  "call('ZREMRANGEBYSCORE', writers, '-inf', now)", new: "",
			killers: by(pkg, "TestIntentLapsesWhileOthersWrite"),
		},
		{
			name: "a write at maxmemory leaves what is old to be served",
			in:   inText("store/internal/script/intend.lua"),
			old:  "  redis.call('DEL', KEYS[i])\n", new: "",
			killers: by("tests", "TestFullRedis"),
		},
		{
			name: "the history of a server is asked for once",
			in:   in(pkg, "node.current"),
			old:  "time.Since(known.read) < known.age", new: "true",
			killers: by(pkg, "TestHistoryChangesWhenAReplicaIsPromotedBehindAnOpenConnection"),
		},
		{
			name: "a new connection is taken for one to the same server",
			in:   in(pkg, "node.exchange"),
			old:  "n.dials.Load() == known.dials", new: "true",
			killers: by(pkg, "TestHistoryIsThatOfTheServerBehindANewConnection"),
		},
		{
			name: "in a slot that is moved, a writer is not heard",
			in:   in(pkg, "Store.redirected"),
			old:  "s.apart(ctx, w, c)", new: "nil",
			killers: by(pkg, "TestWriterIsHeardWhileItsSlotIsMoved"),
		},
		{
			name: "in a slot that is moved, a writer drops the token and does not join",
			in:   in(pkg, "Store.apart"),
			old:  "s.joins(ctx, w, c), drops(ctx, w, c)", new: "drops(ctx, w, c)",
			killers: by(pkg, "TestWriterIsHeardWhileItsSlotIsMoved"),
		},
		{
			name: "one server of a Cluster that does not answer is waited for each time",
			in:   in(pkg, "health.ask"),
			old:  "failures < maxFailures", new: "true",
			killers: by(pkg, "TestServerOfAClusterThatDoesNotAnswerKeepsNobodyFromTheOthers"),
		},
		{
			name: "one server of a Cluster that does not answer stands for all",
			in:   in(pkg, "Store.onNodes"),
			old:  "s.servers.others()", new: "false",
			killers: by(pkg, "TestServerOfAClusterThatDoesNotAnswerKeepsNobodyFromTheOthers"),
		},
		{
			name: "a part of the store that fails counts as all of it",
			in:   in("internal/breaker", "Store.do"),
			old:  "errors.Is(err, store.ErrShared) || errors.Is(err, store.ErrInPart)", new: "errors.Is(err, store.ErrShared)",
			killers: by("internal/breaker", "TestFailureOfAPartIsNotCounted"),
		},
		{
			name: "a primary that takes no writes is believed",
			in:   in(pkg, "parseInfo"),
			old:  `name == "min_slaves_good_slaves"`, new: `name == ""`,
			killers: by(pkg, "TestPrimaryThatHasLostItsReplicasIsNotBelieved"),
		},
		{
			name: "a batch ends with the context of the reader that sends it",
			in:   in(pkg, "batcher.run"),
			old:  "context.WithoutCancel(ctx)", new: "ctx",
			killers: by(pkg, "TestExchangeOfABatchOutlivesTheContextOfItsReader"),
		},
		{
			name: "a connection that fails counts for each reader of a batch",
			in:   in("internal/breaker", "Store.do"),
			old:  "errors.Is(err, store.ErrShared) || errors.Is(err, store.ErrInPart)", new: "errors.Is(err, store.ErrInPart)",
			killers: by("internal/breaker", "TestFailureOfAnExchangeCountsOnce"),
		},
		{
			name: "a reader that leaves takes the right to send along",
			in:   in(pkg, "batcher.leave"),
			old:  "b.ended()", new: "",
			killers: by(pkg, "TestRightToSendThatNobodyTookIsGivenBack"),
		},
		{
			name: "a server that lost its scripts stays without them",
			in:   in(pkg, "Store.run"),
			old:  `redis.HasErrorPrefix(c.cmd.Err(), "NOSCRIPT")`, new: "false",
			killers: by(pkg, "TestScriptsAreSentAgainAfterTheServerLostThem"),
		},
		{
			name:    "a server of a Cluster hears of one slot of a write",
			in:      in("store/redisstore", "Store.write"),
			old:     "calls := make([]*call, len(groups))",
			new:     "if !s.servers.oneNode() && len(watch) == 0 { groups = groups[:1] }; calls := make([]*call, len(groups))",
			killers: by("tests", "TestMatrixOnACluster"),
		},
		{
			name:    "a server of a Cluster hears of one slot of an intent",
			in:      in("store/redisstore", "Store.write"),
			old:     "calls := make([]*call, len(groups))",
			new:     "if !s.servers.oneNode() && w.ttl > 0 { groups = groups[:1] }; calls := make([]*call, len(groups))",
			killers: by("tests", "TestPromiseOnACluster"),
		},
		{
			name: "a client of one server takes a server of a Cluster",
			in:   in(pkg, "node.suits"),
			old:  "return errClustered", new: "_ = errClustered",
			killers: by(pkg, "TestServerOfAClusterRefusesOtherClientsAtEachStep"),
		},
		{
			name: "a client that reads from replicas of Redis is taken",
			in:   in(pkg, "New"),
			old:  "o.ReadOnly || o.RouteByLatency || o.RouteRandomly", new: "false && o.ReadOnly",
			killers: by(pkg, "TestClientsThatCannotKeepThePromiseAreRefused"),
		},
	}
}
