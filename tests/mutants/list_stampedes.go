package main

// stampedes are mutants of what keeps many readers from asking the database for the same thing.
func stampedes() []mutant {
	const pkg = "internal/consistency"
	return []mutant{
		{
			name: "no lease is asked for",
			in:   in(pkg, "read.leased"),
			old:  "r.heat < hotReads && r.cost < hotCost", new: "true",
			killers: by(pkg, "TestOneOfSeveralProcessesReadsTheDatabaseForAHotEntry|TestEntryThatIsSlowToReadIsLeased"),
		},
		{
			name: "what is slow to read is not leased",
			in:   in(pkg, "read.leased"),
			old:  "r.heat < hotReads && r.cost < hotCost", new: "r.heat < hotReads",
			killers: by(pkg, "TestEntryThatIsSlowToReadIsLeased"),
		},
		{
			name: "every miss costs a lease",
			in:   in(pkg, "read.leased"),
			old:  "r.heat < hotReads && r.cost < hotCost", new: "false",
			killers: by(pkg, "TestColdEntryCostsNoLease"),
		},
		{
			name:    "what another process has stored is taken whatever its stamps",
			in:      in(pkg, "read.await"),
			old:     "!sealed.carries(0, r.stamps[0][:len(e.Tags)]) || sealed.absent && !sealed.carries(0, r.stamps[0])",
			new:     "false",
			killers: by(pkg, "TestLeaseDoesNotServeWhatWasReadBeforeAWrite"),
		},
		{
			name: "nothing is read anew before its end",
			in:   in(pkg, "due"),
			old:  "left <= 0 || left > never*s.cost", new: "true",
			killers: by(pkg, "TestEntryIsReadAnewBeforeItsTimeIsOver"),
		},
		{
			name: "a clock that is ahead sends every reader to the database",
			in:   in(pkg, "due"),
			old:  "left <= 0 || left > never*s.cost", new: "left > never*s.cost",
			killers: by(pkg, "TestEntryWhoseTimeIsOverByThisClockIsServed"),
		},
		{
			name: "an entry that could not be read anew is an error",
			in:   in(pkg, "Protocol.Read"),
			old:  "err != nil && r.early.Hit", new: "false",
			killers: by(pkg, "TestEntryIsServedIfItCannotBeReadAnew"),
		},
		{
			name: "an entry that could not be minted anew is left to the database",
			in:   in(pkg, "Protocol.Read"),
			old:  "reason != outdated && r.early.Hit", new: "false",
			killers: by(pkg, "TestEntryIsServedIfItCannotBeMintedAnew"),
		},
		{
			name: "who shares a read of the database makes it no more worth it",
			in:   in(pkg, "read.fromDatabase"),
			old:  "r.used()", new: "",
			killers: by(pkg, "TestWhatIsSharedAfterEachWriteIsStored"),
		},
		{
			name: "what is written faster than read is always stored",
			in:   in(pkg, "stampedes.vain"),
			old:  "worst < freeMints", new: "true",
			killers: by(pkg, "TestWhatIsWrittenFasterThanReadIsStoredRarely"),
		},
		{
			name: "a hit does not make storing worth it again",
			in:   in(pkg, "read.hit"),
			old:  "r.used()", new: "",
			killers: by(pkg, "TestWhatIsWrittenFasterThanReadIsStoredRarely"),
		},
		{
			name: "tokens that others have minted count",
			in:   in(pkg, "stampedes.minted"),
			old:  "made(mints[i], tokens[i])", new: "true",
			killers: by(pkg, "TestTokenThatManyAskForAtOnceIsMadeOnce"),
		},
		{
			name: "a row that another process has stored takes the first one's place",
			in:   in(pkg, "read.stored"),
			old:  "r.payloads[r.missing[0]]", new: "r.payloads[0]",
			killers: by(pkg, "TestRowsOfWhichOneIsLeasedAreEachTheirOwn"),
		},
		{
			name: "misses do not wait their turn",
			in:   in(pkg, "newStampedes"),
			old:  "cfg.MaxMisses > 0", new: "false",
			killers: by(pkg, "TestMissesWaitTheirTurn"),
		},
		{
			name: "readers of one process do not share a read of the database",
			in:   in(pkg, "read.fromDatabase"),
			old:  "r.refresh", new: "true",
			killers: by(pkg, "TestConcurrentMissesReadTheDatabaseOnce"),
		},
	}
}
