package main

// connections are mutants of how Redis is reached, and of processes that are frozen between two statements.
func connections() []mutant { return append(reached(), frozen()...) }

func reached() []mutant {
	const pkg = "internal/breaker"
	return []mutant{
		{
			name: "a server that is away is asked again and again",
			in:   in(pkg, "Store.changed"),
			old:  "time.Duration(s.failures) * s.opt.Pause", new: "s.opt.Pause",
			killers: by(pkg, "TestPauseGrowsWithTheFailuresInARow"),
		},
		{
			name: "each step says that it is connected",
			in:   in(pkg, "Store.over"),
			old:  "s.answered.CompareAndSwap(false, true)", new: "true",
			killers: by(pkg, "TestEachChangeIsLoggedOnce"),
		},
		{
			name: "Use dials",
			in:   in("callbacks", "database.introduce"),
			old:  "d.identified(ctx, from)", new: "d.read(ctx, from)",
			killers: by("tests", "TestNewAndUseDialNothing"),
		},
		{
			name: "the first write of a process invalidates everything",
			in:   in("callbacks", "database.knowledge"),
			old:  "!k.unread", new: "true",
			killers: by("tests", "TestFirstWriteOfAProcessInvalidatesNoMoreThanItTouches"),
		},
		{
			name: "the cache's own statements are prepared for the application",
			in:   in("callbacks", "database.borrow"),
			old:  "unprepared(held)", new: "held",
			killers: by("tests", "TestCacheLeavesNothingAmongPreparedStatements"),
		},
		{
			name: "something is asked before SET TRANSACTION",
			in:   in("callbacks", "shim.planned"),
			old:  "s.needsNoReading(p, d)", new: "false && s.needsNoReading(p, d)",
			killers: by("tests", "TestFirstStatementOfAProcessMaySetItsTransaction"),
		},
		{
			name: "a server that does not answer at the start is asked twice",
			in:   in("callbacks", "query.answer"),
			old:  "q.st.k.unasked", new: "false",
			killers: by("tests", "TestColdStartWithoutRedisCostsOneDeadline"),
		},
		{
			name: "a contradiction in the environment is not told",
			in:   in(".", "environment.agree"),
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
			in:   in(pkg, "Protocol.fill"),
			old:  "p.cfg.Foreground", new: "false",
			killers: by(pkg, "TestForegroundStoresBeforeItAnswers"),
		},
		{
			name: "serverless: Redis is told in the background",
			in:   in(pkg, "keeper.add"),
			old:  "k.p.stopped.Err() != nil || k.p.cfg.Foreground", new: "k.p.stopped.Err() != nil",
			killers: by(pkg, "TestForegroundPaysTheJournalWithTheNextStatement"),
		},
		{
			name: "serverless: what was not released stays so",
			in:   in(pkg, "keeper.waiting"),
			old:  "!k.p.cfg.Foreground", new: "true",
			killers: by(pkg, "TestForegroundReleasesWithTheNextRead"),
		},
		{
			name: "serverless: the intent of a write in doubt lapses",
			in:   in(pkg, "keeper.tell"),
			old:  "ttl = max(ttl, left)", new: "_ = left",
			killers: by(pkg, "TestForegroundIntentInDoubtLastsWithoutBeingRenewed"),
		},
		{
			name: "serverless: an instance takes as many connections as it likes",
			in:   in(".", "tune"),
			old:  "cmp.Or(opt.PoolSize, serverlessConns)", new: "64",
			killers: by("tests", "TestManyInstancesDoNotExhaustTheServer"),
		},
		{
			name: "serverless: old connections are used",
			in:   in(".", "tune"),
			old:  "cmp.Or(opt.ConnMaxIdleTime, serverlessIdle)", new: "-1",
			killers: by("tests", "TestConnectionThatDiedWhileFrozen"),
		},
		{
			name: "serverless: go-redis tries to dial on its own",
			in:   in(".", "lookup.DialHook"),
			old:  "unreachable{addr: addr, err: err}, nil", new: "nil, err",
			killers: by("tests", "TestServerlessClientHasNoGoroutines"),
		},
	}
}
