package main

// outboxes break what is left in the database when Redis cannot be told, and what a read costs then.
func outboxes() []mutant {
	const pkg, out = "internal/consistency", "internal/outbox"
	return []mutant{
		{
			name: "a write that Redis was not told of leaves no row",
			file: "callbacks/outbox.go",
			old:  `if len(tags) == 0 {`, new: `if true {`,
			killers: by("tests", "TestOutboxTellsOthersWhenTheWriterIsGone/postgres"),
		},
		{
			name: "a row of the outbox is written although Redis was told",
			file: "internal/consistency/outbox.go",
			old:  `if w.p.cfg.Outage != Outbox || w.announced {`, new: `if w.p.cfg.Outage != Outbox {`,
			killers: by(pkg, "TestNothingIsLeftOfAWriteThatWasAnnounced"),
		},
		{
			name: "a row of the outbox does not name the registries",
			file: "internal/consistency/outbox.go",
			old:  `return slices.Concat(w.tags, watch(w.guards))`, new: `return slices.Clone(w.tags)`,
			killers: by(pkg, "TestWhatWasLeftIsToldByAnybody"),
		},
		{
			name: "Close waits for what is in the outbox",
			file: "internal/consistency/keeper.go",
			old:  `func(d *debt) bool { return d.left })`, new: `func(d *debt) bool { return d.left && false })`,
			killers: by(pkg, "TestWhatWasLeftIsToldByAnybody"),
		},
		{
			name: "a writer with an outbox serves what it could not tell of",
			file: "internal/consistency/write.go",
			old:  `owed.strict = outcome == metrics.Committed && (!announced || event.Lapsed)`, new: `owed.strict = outcome == metrics.Committed && !w.left && (!announced || event.Lapsed)`,
			killers: by(pkg, "TestWhatWasLeftIsToldByAnybody"),
		},
		{
			name: "a row of the outbox is deleted although Redis was not told",
			file: "internal/outbox/relay.go",
			old:  "if err == nil || len(rows) > 1", new: "if err == nil || len(rows) > 0 || len(rows) > 1",
			killers: by(out, "TestRowsAreTakenOutWhenTheCacheWasTold"),
		},
		{
			name: "a row of another namespace is relayed",
			file: "internal/outbox/relay.go",
			old:  `" WHERE space = "+t.first+" AND id > "+`, new: `" WHERE (space <> '' OR space = "+t.first+") AND id > "+`,
			killers: by(out, "TestRowsAreTakenOutWhenTheCacheWasTold"),
		},
		{
			name: "whoever relays waits for the others",
			file: "internal/outbox/relay.go",
			old:  `strconv.Itoa(batch)+t.lock, space)`, new: `strconv.Itoa(batch)+strings.TrimSuffix(t.lock, " SKIP LOCKED"), space)`,
			killers: by(out, "TestRelaysAndWritersDoNotWaitForOneAnother"),
		},
		{
			name: "MySQL locks gaps while rows are relayed",
			file: "internal/outbox/relay.go",
			old:  `sql.LevelReadCommitted`, new: `sql.LevelRepeatableRead`,
			killers: by(out, "TestRelaysAndWritersDoNotWaitForOneAnother/mysql"),
		},
		{
			name: "a row that cannot be read is thrown away",
			file: "internal/outbox/relay.go",
			old:  `r.tags = keying.Tag(space + "{").Everything()`, new: `r.tags = nil`,
			killers: by(out, "TestRowThatCannotBeReadStandsForEverything"),
		},
		{
			name: "one row that Redis cannot be told of keeps all others back",
			file: "internal/outbox/relay.go",
			old:  "if err == nil || len(rows) > 1", new: "if err == nil || len(rows) > 1 && false",
			killers: by(out, "TestRowThatCannotBeToldKeepsNoOtherBack"),
		},
		{
			name: "a locked outbox is waited for",
			file: "internal/outbox/table.go",
			old:  `if t.free != "" {`, new: `if t.free == "never" {`,
			killers: by(out, "TestLockedOutboxIsNotWaitedFor"),
		},
		{
			name: "an outbox that is gone ends the transaction",
			file: "internal/outbox/table.go",
			old:  `"ROLLBACK TO "+point`, new: `"RELEASE "+point`,
			killers: by(out, "TestTransactionGoesOnWithoutItsRow/postgres"),
		},
		{
			name: "a transaction that was lost with its row is committed",
			file: "internal/outbox/table.go",
			old:  `return fmt.Errorf("%w: %w", ErrLost, err)`, new: `return err`,
			killers: by(out, "TestTransactionThatIsLostWithItsRowIsNotCommitted"),
		},
		{
			name: "a statement in autocommit leaves no row",
			file: "callbacks/outbox.go",
			old:  `	case w == nil || s.pinned():`, new: `	case true:`,
			killers: by("tests", "TestInvalidateLeavesItsRow"),
		},
		{
			name: "the outbox is cached",
			file: "callbacks/hooks.go",
			old:  `_ = h.models.configure(outbox.Name, outbox.Name, ttlconfig.Never)`, new: `_ = outbox.Name`,
			killers: by("tests", "TestOutboxIsNotCached"),
		},
		{
			name: "a handle without an outbox is used",
			file: "callbacks/hooks.go",
			old:  `if err := d.locateOutbox(ctx); err != nil {`, new: `if err := d.locateOutbox(ctx); false {`,
			killers: by("tests", "TestOutboxIsWantedBeforeTheHandleIsUsed/postgres"),
		},
		{
			name: "a process without a background relays nothing",
			file: "callbacks/shim.go",
			old:  `if s.h.opt.Foreground && st.d.relay != nil && s.held() == nil {`, new: `if false {`,
			killers: by("tests", "TestServerlessRelaysWithItsStatements"),
		},
		{
			name: "all statements wait for the one that tries Redis again",
			file: "internal/breaker/breaker.go",
			old:  `s.trials.Load() > 0 || time.Now().Before(*again)`, new: `time.Now().Before(*again)`,
			killers: by("internal/breaker", "TestStoreThatWasGivenUpRefusesButForATrial"),
		},
		{
			name: "entries are named although Redis is not asked",
			file: "callbacks/query.go",
			old:  `if reason := q.s.h.opt.Protocol.Unusable(); reason != "" {`, new: `if reason := q.s.h.opt.Protocol.Unusable(); false {`,
			killers: by("tests", "TestReadWhileRedisIsAwayIsAReadOfTheDatabase"),
		},
		{
			name: "what observes a transaction is given no connection",
			file: "internal/txpool/txpool.go",
			old:  `if o.conn != nil {`, new: `if false {`,
			killers: by("internal/txpool", "TestObserverWritesInTheTransaction/postgres"),
		},
	}
}
