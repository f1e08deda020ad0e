package main

// protocol are mutants of the steps of reads and writes. Their names are those of the races in the documentation of
// internal/consistency.
func protocol() []mutant {
	const pkg = "internal/consistency"
	return []mutant{
		{
			name: "late fill: stamps are not compared",
			file: "internal/consistency/read.go",
			old:  "if !complete || !sealed.carries(0, stamps) {", new: "if !complete || len(stamps) == 0 {",
			killers: by(pkg, "TestLateFillIsNeverServed"),
		},
		{
			name:    "a tag without a token is taken for one that has not changed",
			file:    "internal/consistency/read.go",
			old:     "if !complete || !sealed.carries(0, stamps) {",
			new:     "if complete && !sealed.carries(0, stamps) {\n\t\treturn false, \"\"\n\t}\n\tif complete = true; false {",
			killers: by(pkg, "TestEvictedTokensAreMisses"),
		},
		{
			name: "crash after COMMIT: nothing is announced beforehand",
			file: "internal/consistency/write.go",
			old:  "err := w.announce(ctx)", new: "var err error",
			killers: by(pkg, "TestWriterThatDiesAfterCommitLeavesNothingOld|TestNothingOldIsServedBetweenCommitAndRelease"),
		},
		{
			name: "a writer that sleeps: the intent is not renewed",
			file: "internal/consistency/write.go",
			old:  "w.renewal = time.AfterFunc(p.cfg.IntentTTL/3, w.renew)", new: "w.renewal = time.AfterFunc(time.Hour, w.renew)",
			killers: by(pkg, "TestIntentIsRenewedWhileCommitIsUnderWay"),
		},
		{
			name: "a joined flight: readers of other stamps share one read of the database",
			file: "internal/consistency/database.go",
			old:  "b = append(b, r.stamps[i][j][:]...)", new: "_ = j",
			killers: by("tests", "TestReadDoesNotJoinOneFromBeforeAWrite"),
		},
		{
			name: "a store that goes back in time: the history is not in the stamp",
			file: "internal/consistency/entry.go",
			old:  "s[i] = v.Data[i] ^ v.History[i]", new: "s[i] = v.Data[i]",
			killers: by(pkg, "TestEntriesOfAnotherHistoryAreNotServed"),
		},
		{
			name: "a torn answer: rows of the store and of the database are not of one instant",
			file: "internal/consistency/database.go",
			old:  "if reading.Found > 0 {", new: "if false {",
			killers: by(pkg, "TestRowsReadTogetherAreOfOneInstant"),
		},
		{
			name: "what a joined flight has brought is not looked at again",
			file: "internal/consistency/database.go",
			old:  "if joined && !r.atomic {", new: "if false {",
			killers: by("internal/consistency", "TestRowsOfAJoinedFlightAreOfTheInstantOfTheOthers"),
		},
		{
			name: "a torn answer: rows of several servers are not of one instant",
			file: "internal/consistency/instant.go",
			old:  "return !r.absent && (r.atomic || len(r.entries) == 1)", new: "return !r.absent",
			killers: by(pkg, "TestRowsFoundOnSeveralServersAreOfOneInstant"),
		},
		{
			name: "an absent row is believed without asking for rows of unknown keys",
			file: "internal/consistency/instant.go",
			old:  "return !r.absent && (r.atomic", new: "return (r.atomic",
			killers: by(pkg, "TestAbsentRowIsCachedUntilARowOfUnknownKeyIsCreated"),
		},
		{
			name: "an absent row does not depend on rows of unknown keys",
			file: "callbacks/query.go",
			old:  "e.AbsentTags, e.AbsentTTL = absent,", new: "e.AbsentTags, e.AbsentTTL = absent[:0],",
			killers: by("tests", "TestRowsThatComeAndGo"),
		},
		{
			name: "a canceled request: the steps of a write end with its context",
			file: "internal/consistency/protocol.go",
			old:  "context.WithTimeout(context.WithoutCancel(ctx), p.cfg.Timeout)", new: "context.WithTimeout(ctx, p.cfg.Timeout)",
			killers: by(pkg, "TestStepsOfAWriteGoOnWhenItsContextIsOver"),
		},
		{
			name: "time to live begins when the answer is stored",
			file: "internal/consistency/fill.go",
			old:  "if e.TTL -= time.Since(at.read); e.TTL", new: "if e.TTL",
			killers: by(pkg, "TestEntryLivesFromTheReadOfTheDatabaseOn"),
		},
		{
			name: "an entry whose bytes have changed is served",
			file: "internal/consistency/entry.go",
			old:  "bytesOf(e.head), bytesOf(payload)) == sum", new: "bytesOf(e.head), bytesOf(payload)) == sum || true",
			killers: by(pkg, "TestEntriesThatDoNotDecodeAreMisses"),
		},
		{
			name: "an answer is shared however old it is",
			file: "internal/consistency/database.go",
			old:  "joined && r.tooOldAt(brought.read)", new: "joined && false",
			killers: by(pkg, "TestSharedAnswerThatIsOlderThanAskedForIsNotTaken"),
		},
		{
			name: "a read pays the whole journal",
			file: "internal/consistency/keeper.go",
			old:  "if err := ctx.Err(); err != nil {\n\t\t\treturn err", new: "if err := ctx.Err(); err != nil && false {\n\t\t\treturn err",
			killers: by(pkg, "TestNobodyPaysALongJournalForLongerThanItHasTime"),
		},
		{
			name: "a step that was not answered in its time is its caller's affair",
			file: "internal/breaker/breaker.go",
			old:  "(ctx.Err() == nil || silent) && !another", new: "(ctx.Err() == nil || silent && false) && !another",
			killers: by("internal/breaker", "TestStepThatTookAllItsTimeCounts"),
		},
		{
			name: "what a server refuses is no error of the server",
			file: "store/redisstore/reply.go",
			old:  "case '-':", new: "case '-' - 1:",
			killers: by("store/redisstore", "TestReadsThatAreRefusedAreErrorsOfTheServer"),
		},
		{
			name: "what cannot be shared is stored",
			file: "internal/consistency/database.go",
			old:  "read: at.read}, results != nil, err", new: "read: at.read}, true, err",
			killers: by(pkg, "TestLoadThatKeepsItsAnswerIsNeitherSharedNorStored"),
		},
		{
			name: "readers get the error of the one who read for them",
			file: "internal/flight/flight.go",
			old:  "\t\tif f.shared {\n\t\t\treturn", new: "\t\tif true {\n\t\t\treturn",
			killers: by("internal/flight", "TestFollowersOfALeaderWithoutAResultDoTheWorkThemselves"),
		},
		{
			name: "what a replica answered is stored where it must not be",
			file: "internal/consistency/read.go",
			old:  "case req.ReadOnly != \"\":", new: "case false:",
			killers: by(pkg, "TestReadOnlyStoresNothing"),
		},
	}
}

// outages are mutants of what happens while Redis is away.
func outages() []mutant {
	const pkg = "internal/consistency"
	return []mutant{
		{
			name: "an error of Redis reaches the application",
			file: "callbacks/query.go",
			old:  "if reading.Outcome == metrics.Bypass {",
			new: `if reading.Reason == metrics.ReasonStore {
			return nil, errors.New("redis is away")
		}
		if reading.Outcome == metrics.Bypass {`,
			killers: by("tests", "TestRedisThatAnswersNonsense"),
		},
		{
			name: "the journal is forgotten after an outage",
			file: "internal/consistency/write.go",
			old:  "owed.strict = outcome == metrics.Committed && (!announced || event.Lapsed)", new: "owed.strict = false",
			killers: by(pkg, "TestJournalIsPaidBeforeAnythingIsServed"),
		},
		{
			name: "hits are served while the journal is open",
			file: "internal/consistency/read.go",
			old:  "if !p.keeper.settled(ctx) {", new: "if false {",
			killers: by(pkg, "TestJournalIsPaidBeforeAnythingIsServed"),
		},
		{
			name: "a write that could not be released stays unreleased",
			file: "internal/consistency/keeper.go",
			old:  "k.running = k.p.spawn(k.run)", new: "",
			killers: by(pkg, "TestWriteThatWasAnnouncedIsReleasedInTheBackground|TestJournalIsPaidInTheBackground"),
		},
		{
			name: "a journal that is too long is thrown away",
			file: "internal/consistency/keeper.go",
			old:  "all.tags = append(all.tags, everything...)", new: "",
			killers: by(pkg, "TestJournalThatIsTooLongForgetsNothing"),
		},
		{
			name: "a write in doubt that was not announced is trusted",
			file: "internal/consistency/write.go",
			old:  "owed.strict = !announced\n", new: "",
			killers: by(pkg, "TestCommitInDoubtThatCouldNotBeAnnouncedOpensTheJournal"),
		},
		{
			name: "FailWrite lets writes pass",
			file: "internal/consistency/write.go",
			old:  "if p.cfg.Outage == FailWrite {\n\t\tp.keeper", new: "if false {\n\t\tp.keeper",
			killers: by(pkg, "TestFailWriteRefusesWhatCannotBeAnnounced"),
		},
		{
			name: "a stall that is over when the COMMIT is counts as an outage",
			file: "internal/consistency/write.go",
			old:  "if err != nil && strict {", new: "if false {",
			killers: by(pkg, "TestReleaseThatOthersDependOnIsTriedTwice"),
		},
		{
			name: "Close does not tell Redis what it still has to be told",
			file: "internal/consistency/protocol.go",
			old:  "err := p.keeper.drain(ctx)", new: "var err error",
			killers: by(pkg, "TestCloseTellsRedisWhatItStillHasToBeTold"),
		},
		{
			name: "the breaker never opens",
			file: "internal/breaker/breaker.go",
			old:  "return c.ConsecutiveFailures >= opt.Failures", new: "return false",
			killers: by("internal/breaker", "TestStoreIsNotAskedAfterFailuresInARow"),
		},
		{
			name: "writes are not tried after the store was given up",
			file: "internal/breaker/breaker.go",
			old:  "if err = s.try(ctx, step); err == nil {", new: "if false {",
			killers: by("internal/breaker", "TestWritesAreTriedForAWhileAfterTheStoreWasGivenUp"),
		},
	}
}
