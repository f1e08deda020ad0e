package main

// connections are mutants of how Redis is reached, and of processes that are frozen between two statements.
func connections() []mutant { return append(reached(), frozen()...) }

func reached() []mutant {
	const pkg = "internal/breaker"
	return []mutant{
		{
			name: "a server that is away is asked again and again",
			file: "internal/breaker/breaker.go",
			old:  "time.Duration(s.failures)*s.opt.Pause", new: "s.opt.Pause",
			killers: by(pkg, "TestPauseGrowsWithTheFailuresInARow"),
		},
		{
			name: "each step says that it is connected",
			file: "internal/breaker/breaker.go",
			old:  "&& s.answered.CompareAndSwap(false, true)", new: "",
			killers: by(pkg, "TestEachChangeIsLoggedOnce"),
		},
		{
			name: "Use dials",
			file: "callbacks/learn.go",
			old:  "d.read(ctx, from, introduction)", new: "d.read(ctx, from, pinned)",
			killers: by("tests", "TestNewAndUseDialNothing"),
		},
		{
			name: "the first write of a process invalidates everything",
			file: "callbacks/learn.go",
			old:  " && !k.introduced {", new: " {",
			killers: by("tests", "TestFirstWriteOfAProcessInvalidatesNoMoreThanItTouches"),
		},
		{
			name: "the cache's own statements are prepared for the application",
			file: "callbacks/learn.go",
			old:  "unprepared(held), true", new: "held, true",
			killers: by("tests", "TestCacheLeavesNothingAmongPreparedStatements"),
		},
		{
			name: "something is asked before SET TRANSACTION",
			file: "callbacks/shim.go",
			old:  "|| p.needsNoCatalog()", new: "",
			killers: by("tests", "TestFirstStatementOfAProcessMaySetItsTransaction"),
		},
		{
			name: "a server that does not answer at the start is asked twice",
			file: "callbacks/query.go",
			old:  "if q.st.k.unasked", new: "if false",
			killers: by("tests", "TestColdStartWithoutRedisCostsOneDeadline"),
		},
		{
			name: "a contradiction in the environment is not told",
			file: "environment.go",
			old:  "e.get(part.name) != part.want", new: "false",
			killers: by(".", "TestEveryErrorOfTheEnvironmentNamesItsVariable"),
		},
	}
}

func frozen() []mutant {
	const pkg = "internal/consistency"
	return []mutant{
		{
			name: "serverless: answers are stored when nobody waits any more",
			file: "internal/consistency/fill.go",
			old:  "if p.cfg.Foreground {", new: "if false {",
			killers: by(pkg, "TestForegroundStoresBeforeItAnswers"),
		},
		{
			name: "serverless: Redis is told in the background",
			file: "internal/consistency/keeper.go",
			old:  "k.p.stopped.Err() != nil || k.p.cfg.Foreground", new: "k.p.stopped.Err() != nil",
			killers: by(pkg, "TestForegroundPaysTheJournalWithTheNextStatement"),
		},
		{
			name: "serverless: what was not released stays so",
			file: "internal/consistency/keeper.go",
			old:  "if !k.p.cfg.Foreground {", new: "if true {",
			killers: by(pkg, "TestForegroundReleasesWithTheNextRead"),
		},
		{
			name: "serverless: the intent of a write in doubt lapses",
			file: "internal/consistency/keeper.go",
			old:  "ttl = max(ttl, left)", new: "_ = left",
			killers: by(pkg, "TestForegroundIntentInDoubtLastsWithoutBeingRenewed"),
		},
		{
			name: "serverless: an instance takes as many connections as it likes",
			file: "client.go",
			old:  "opt.PoolSize = cmp.Or(opt.PoolSize, serverlessConns)", new: "opt.PoolSize = 64",
			killers: by("tests", "TestManyInstancesDoNotExhaustTheServer"),
		},
		{
			name: "serverless: old connections are used",
			file: "client.go",
			old:  "opt.ConnMaxIdleTime = cmp.Or(opt.ConnMaxIdleTime, serverlessIdle)", new: "opt.ConnMaxIdleTime = -1",
			killers: by("tests", "TestConnectionThatDiedWhileFrozen"),
		},
		{
			name: "serverless: go-redis tries to dial on its own",
			file: "client.go",
			old:  "return unreachable{addr: addr, err: err}, nil", new: "return nil, err",
			killers: by("tests", "TestServerlessClientHasNoGoroutines"),
		},
	}
}
