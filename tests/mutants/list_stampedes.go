package main

// stampedes are mutants of what keeps many readers from asking the database for the same thing.
func stampedes() []mutant {
	const pkg = "internal/consistency"
	const file = "internal/consistency/stampede.go"
	return []mutant{
		{
			name: "no lease is asked for",
			file: file,
			old:  "r.heat < hotReads && r.cost < hotCost", new: "true",
			killers: by(pkg, "TestOneOfSeveralProcessesReadsTheDatabaseForAHotEntry|TestEntryThatIsSlowToReadIsLeased"),
		},
		{
			name: "what is slow to read is not leased",
			file: file,
			old:  "r.heat < hotReads && r.cost < hotCost", new: "r.heat < hotReads",
			killers: by(pkg, "TestEntryThatIsSlowToReadIsLeased"),
		},
		{
			name: "every miss costs a lease",
			file: file,
			old:  "|| r.heat < hotReads && r.cost < hotCost", new: "",
			killers: by(pkg, "TestColdEntryCostsNoLease"),
		},
		{
			name:    "what another process has stored is taken whatever its stamps",
			file:    file,
			old:     "case !sealed.carries(0, r.stamps[0][:len(e.Tags)]) || sealed.absent && !sealed.carries(0, r.stamps[0]):",
			new:     "case false:",
			killers: by(pkg, "TestLeaseDoesNotServeWhatWasReadBeforeAWrite"),
		},
		{
			name: "nothing is read anew before its end",
			file: file,
			old:  "left <= 0 || left > never*s.cost", new: "true",
			killers: by(pkg, "TestEntryIsReadAnewBeforeItsTimeIsOver"),
		},
		{
			name: "a clock that is ahead sends every reader to the database",
			file: file,
			old:  "left <= 0 || left", new: "left",
			killers: by(pkg, "TestEntryWhoseTimeIsOverByThisClockIsServed"),
		},
		{
			name: "an entry that could not be read anew is an error",
			file: "internal/consistency/read.go",
			old:  "if err != nil && r.early.Hit {", new: "if false {",
			killers: by(pkg, "TestEntryIsServedIfItCannotBeReadAnew"),
		},
		{
			name: "an entry that could not be minted anew is left to the database",
			file: "internal/consistency/read.go",
			old:  "case reason != outdated && r.early.Hit:", new: "case false:",
			killers: by(pkg, "TestEntryIsServedIfItCannotBeMintedAnew"),
		},
		{
			name: "who shares a read of the database makes it no more worth it",
			file: "internal/consistency/database.go",
			old:  "landed()\n\t\tr.used()", new: "landed()",
			killers: by(pkg, "TestWhatIsSharedAfterEachWriteIsStored"),
		},
		{
			name: "what is written faster than read is always stored",
			file: file,
			old:  "if worst < freeMints {", new: "if true {",
			killers: by(pkg, "TestWhatIsWrittenFasterThanReadIsStoredRarely"),
		},
		{
			name: "a hit does not make storing worth it again",
			file: "internal/consistency/read.go",
			old:  "func (r *read) hit() Reading {\n\tr.used()", new: "func (r *read) hit() Reading {",
			killers: by(pkg, "TestWhatIsWrittenFasterThanReadIsStoredRarely"),
		},
		{
			name: "tokens that others have minted count",
			file: file,
			old:  "if made(mints[i], tokens[i]) {", new: "if true {",
			killers: by(pkg, "TestTokenThatManyAskForAtOnceIsMadeOnce"),
		},
		{
			name: "a row that another process has stored takes the first one's place",
			file: file,
			old:  "r.payloads[r.missing[0]] = missing", new: "r.payloads[0] = missing",
			killers: by(pkg, "TestRowsOfWhichOneIsLeasedAreEachTheirOwn"),
		},
		{
			name: "misses do not wait their turn",
			file: file,
			old:  "if cfg.MaxMisses > 0 {", new: "if false {",
			killers: by(pkg, "TestMissesWaitTheirTurn"),
		},
		{
			name: "readers of one process do not share a read of the database",
			file: "internal/consistency/database.go",
			old:  "\tif r.refresh {\n\t\tkey = random", new: "\tif true {\n\t\tkey = random",
			killers: by(pkg, "TestConcurrentMissesReadTheDatabaseOnce"),
		},
	}
}
