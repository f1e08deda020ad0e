package main

// protocol are mutants of the steps of reads and writes. Their names are those of the races in the documentation of
// internal/consistency.
func protocol() []mutant {
	const pkg = "internal/consistency"
	return []mutant{
		{
			name: "a release does not wait for the renewal that is under way",
			in:   in("internal/consistency", "Write.renewed"),
			old:  "renewing != nil", new: "false && renewing != nil",
			killers: by("internal/consistency", "TestReleaseWaitsForTheRenewalThatIsUnderWay"),
		},
		{
			name: "late fill: stamps are not compared",
			in:   in(pkg, "read.serve"),
			old:  "!complete || !sealed.carries(0, stamps)", new: "!complete || len(stamps) == 0",
			killers: by(pkg, "TestLateFillIsNeverServed"),
		},
		{
			name: "a tag without a token is taken for one that has not changed",
			in:   in(pkg, "read.serve"),
			old:  "if !complete || !sealed.carries(0, stamps)",
			new: `if complete && !sealed.carries(0, stamps) {
				return false, ""
			}
			if complete = true; false`,
			killers: by(pkg, "TestEvictedTokensAreMisses"),
		},
		{
			name: "crash after COMMIT: nothing is announced beforehand",
			in:   in(pkg, "Protocol.Intend"),
			old:  "err := w.announce(ctx)", new: "var err error",
			killers: by(pkg, "TestWriterThatDiesAfterCommitLeavesNothingOld|TestNothingOldIsServedBetweenCommitAndRelease"),
		},
		{
			name: "a writer that sleeps: the intent is not renewed",
			in:   in(pkg, "Protocol.Intend"),
			old:  "p.cfg.IntentTTL / 3", new: "time.Hour",
			killers: by(pkg, "TestIntentIsRenewedWhileCommitIsUnderWay"),
		},
		{
			name: "a joined flight: readers of other stamps share one read of the database",
			in:   in(pkg, "read.flightKey"),
			old:  "b = append(b, r.stamps[i][j][:]...)", new: "_ = j",
			killers: by("tests", "TestReadDoesNotJoinOneFromBeforeAWrite"),
		},
		{
			name: "a store that goes back in time: the history is not in the stamp",
			in:   in(pkg, "stampOf"),
			old:  "v.Data[i] ^ v.History[i]", new: "v.Data[i]",
			killers: by(pkg, "TestEntriesOfAnotherHistoryAreNotServed"),
		},
		{
			name: "a torn answer: rows of the store and of the database are not of one instant",
			in:   in(pkg, "read.fromDatabase"),
			old:  "reading.Found > 0", new: "false",
			killers: by(pkg, "TestRowsReadTogetherAreOfOneInstant"),
		},
		{
			name: "what a joined flight has brought is not looked at again",
			in:   in(pkg, "read.fromDatabase"),
			old:  "joined && !r.atomic", new: "false",
			killers: by("internal/consistency", "TestRowsOfAJoinedFlightAreOfTheInstantOfTheOthers"),
		},
		{
			name: "a torn answer: rows of several servers are not of one instant",
			in:   in(pkg, "read.oneInstant"),
			old:  "!r.absent && (r.atomic || len(r.entries) == 1)", new: "!r.absent",
			killers: by(pkg, "TestRowsFoundOnSeveralServersAreOfOneInstant"),
		},
		{
			name: "an absent row is believed without asking for rows of unknown keys",
			in:   in(pkg, "read.oneInstant"),
			old:  "!r.absent", new: "true",
			killers: by(pkg, "TestAbsentRowIsCachedUntilARowOfUnknownKeyIsCreated"),
		},
		{
			name: "an absent row does not depend on rows of unknown keys",
			in:   in("callbacks", "lookup.entries"),
			old:  "absent, t.policy.Jittered(t.absent)", new: "absent[:0], t.policy.Jittered(t.absent)",
			killers: by("tests", "TestRowsThatComeAndGo"),
		},
		{
			name: "a canceled request: the steps of a write end with its context",
			in:   in(pkg, "Protocol.background"),
			old:  "context.WithoutCancel(ctx)", new: "ctx",
			killers: by(pkg, "TestStepsOfAWriteGoOnWhenItsContextIsOver"),
		},
		{
			name: "time to live begins when the answer is stored",
			in:   in(pkg, "Protocol.prepare"),
			old:  "time.Since(at.read)", new: "0",
			killers: by(pkg, "TestEntryLivesFromTheReadOfTheDatabaseOn"),
		},
		{
			name:    "an entry whose bytes have changed is served",
			in:      in(pkg, "envelope.intact"),
			old:     "checksum(key, bytesOf(e.head), bytesOf(payload)) == sum",
			new:     "checksum(key, bytesOf(e.head), bytesOf(payload)) == sum || true",
			killers: by(pkg, "TestEntriesThatDoNotDecodeAreMisses"),
		},
		{
			name: "an answer is shared however old it is",
			in:   in(pkg, "read.fromDatabase"),
			old:  "r.tooOldAt(brought.read)", new: "false",
			killers: by(pkg, "TestSharedAnswerThatIsOlderThanAskedForIsNotTaken"),
		},
		{
			name: "a read pays the whole journal",
			in:   in(pkg, "keeper.pay"),
			old:  "if err := ctx.Err(); err != nil", new: "if err := ctx.Err(); err != nil && false",
			killers: by(pkg, "TestNobodyPaysALongJournalForLongerThanItHasTime"),
		},
		{
			name: "a step that was not answered in its time is its caller's affair",
			in:   in("internal/breaker", "Store.do"),
			old:  "ctx.Err() == nil || silent", new: "ctx.Err() == nil || silent && false",
			killers: by("internal/breaker", "TestStepThatTookAllItsTimeCounts"),
		},
		{
			name: "what a server refuses is no error of the server",
			in:   in("store/redisstore", "refusalOf"),
			old:  "'-'", new: "'-' - 1",
			killers: by("store/redisstore", "TestReadsThatAreRefusedAreErrorsOfTheServer"),
		},
		{
			name: "what cannot be shared is stored",
			in:   in(pkg, "read.fromDatabase"),
			old:  "results != nil", new: "true",
			killers: by(pkg, "TestLoadThatKeepsItsAnswerIsNeitherSharedNorStored"),
		},
		{
			name: "readers get the error of the one who read for them",
			in:   in("internal/flight", "Group.Do"),
			old:  "if f.shared", new: "if true",
			killers: by("internal/flight", "TestFollowersOfALeaderWithoutAResultDoTheWorkThemselves"),
		},
		{
			name: "what a replica answered is stored where it must not be",
			in:   in(pkg, "Protocol.Read"),
			old:  "return bypass(req.ReadOnly), nil", new: "",
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
			in:   in("callbacks", "query.answer"),
			old:  "if reading.Outcome == metrics.Bypass",
			new: `if reading.Reason == metrics.ReasonStore {
				return a, errors.New("redis is away")
			}
			if reading.Outcome == metrics.Bypass`,
			killers: by("tests", "TestRedisThatStopsAnsweringIsAskedNoMore"),
		},
		{
			name: "the journal is forgotten after an outage",
			in:   in(pkg, "Write.End"),
			old:  "outcome == metrics.Committed && (!announced || event.Lapsed)", new: "false",
			killers: by(pkg, "TestJournalIsPaidBeforeAnythingIsServed"),
		},
		{
			name: "a write is never released",
			in:   in(pkg, "Write.End"),
			old:  "w.release(ctx, &owed)", new: "error(nil)",
			killers: by(pkg, "TestWriteThatWasAnnouncedIsReleasedInTheBackground"),
		},
		{
			name: "hits are served while the journal is open",
			in:   in(pkg, "Protocol.Read"),
			old:  "!p.keeper.settled(ctx)", new: "false",
			killers: by(pkg, "TestJournalIsPaidBeforeAnythingIsServed"),
		},
		{
			name: "a write that could not be released stays unreleased",
			in:   in(pkg, "keeper.add"),
			old:  "k.running = k.p.spawn(k.run)", new: "",
			killers: by(pkg, "TestWriteThatWasAnnouncedIsReleasedInTheBackground|TestJournalIsPaidInTheBackground"),
		},
		{
			name: "a journal that is too long is thrown away",
			in:   in(pkg, "keeper.bound"),
			old:  "all.tags = append(all.tags, everything...)", new: "",
			killers: by(pkg, "TestJournalThatIsTooLongForgetsNothing"),
		},
		{
			name: "a write in doubt that was not announced is trusted",
			in:   in(pkg, "Write.End"),
			old:  "owed.strict = !announced", new: "",
			killers: by(pkg, "TestCommitInDoubtThatCouldNotBeAnnouncedOpensTheJournal"),
		},
		{
			name: "FailWrite lets writes pass",
			in:   in(pkg, "Protocol.Intend"),
			old:  "p.cfg.Outage == FailWrite", new: "false",
			killers: by(pkg, "TestFailWriteRefusesWhatCannotBeAnnounced"),
		},
		{
			name: "a stall that is over when the COMMIT is counts as an outage",
			in:   in(pkg, "Write.drop"),
			old:  "err != nil && strict", new: "false",
			killers: by(pkg, "TestReleaseThatOthersDependOnIsTriedTwice"),
		},
		{
			name: "Close does not tell Redis what it still has to be told",
			in:   in(pkg, "Protocol.Close"),
			old:  "err := p.keeper.drain(ctx)", new: "var err error",
			killers: by(pkg, "TestCloseTellsRedisWhatItStillHasToBeTold"),
		},
		{
			name: "the breaker never opens",
			in:   in("internal/breaker", "Wrap"),
			old:  "c.ConsecutiveFailures >= opt.Failures", new: "false",
			killers: by("internal/breaker", "TestStoreIsNotAskedAfterFailuresInARow"),
		},
		{
			name: "writes are not tried after the store was given up",
			in:   in("internal/breaker", "Store.tell"),
			old:  "if err = s.try(ctx, step); err == nil", new: "if false",
			killers: by("internal/breaker", "TestWritesAreTriedForAWhileAfterTheStoreWasGivenUp"),
		},
	}
}
