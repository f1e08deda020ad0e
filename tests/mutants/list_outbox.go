package main

// outboxes break what is left in the database when Redis cannot be told, and what a read costs then.
func outboxes() []mutant {
	const pkg, out = "internal/consistency", "internal/outbox"
	return []mutant{
		{
			name: "a write that Redis was not told of leaves no row",
			in:   in("callbacks", "database.leave"),
			old:  "len(tags) == 0", new: "true",
			killers: by("tests", "TestOutboxTellsOthersWhenTheWriterIsGone/postgres"),
		},
		{
			name: "a row of the outbox is written although Redis was told",
			in:   in(pkg, "Write.Untold"),
			old:  "w.p.cfg.Outage != Outbox || w.announced", new: "w.p.cfg.Outage != Outbox",
			killers: by(pkg, "TestNothingIsLeftOfAWriteThatWasAnnounced"),
		},
		{
			name: "a row of the outbox does not name the registries",
			in:   in(pkg, "Write.Untold"),
			old:  "slices.Concat(w.tags, watch(w.guards))", new: "slices.Clone(w.tags)",
			killers: by(pkg, "TestWhatWasLeftIsToldByAnybody"),
		},
		{
			name: "Close waits for what is in the outbox",
			in:   in(pkg, "keeper.leave"),
			old:  "d.left", new: "d.left && false",
			killers: by(pkg, "TestWhatWasLeftIsToldByAnybody"),
		},
		{
			name:    "a writer with an outbox serves what it could not tell of",
			in:      in(pkg, "Write.End"),
			old:     "outcome == metrics.Committed && (!announced || event.Lapsed)",
			new:     "outcome == metrics.Committed && !w.left && (!announced || event.Lapsed)",
			killers: by(pkg, "TestWhatWasLeftIsToldByAnybody"),
		},
		{
			name: "a row of the outbox is deleted although Redis was not told",
			in:   in(out, "Relay.tell"),
			old:  "err == nil", new: "err == nil || len(rows) > 0",
			killers: by(out, "TestRowsAreTakenOutWhenTheCacheWasTold"),
		},
		{
			name: "a row of another namespace is relayed",
			in:   in(out, "Relay.take"),
			old:  `" WHERE space = "`, new: `" WHERE '' <> "`,
			killers: by(out, "TestRowsAreTakenOutWhenTheCacheWasTold"),
		},
		{
			name: "whoever relays waits for the others",
			in:   in(out, "Relay.take"),
			old:  "t.lock", new: `strings.TrimSuffix(t.lock, " SKIP LOCKED")`,
			killers: by(out, "TestRelaysAndWritersDoNotWaitForOneAnother"),
		},
		{
			name: "MySQL locks gaps while rows are relayed",
			in:   in(out, "Relay.relay"),
			old:  "sql.LevelReadCommitted", new: "sql.LevelRepeatableRead",
			killers: by(out, "TestRelaysAndWritersDoNotWaitForOneAnother/mysql"),
		},
		{
			name: "a row that cannot be read is thrown away",
			in:   in(out, "read"),
			old:  `keying.Tag(space).Everything()`, new: "nil",
			killers: by(out, "TestRowThatCannotBeReadStandsForEverything"),
		},
		{
			name: "one row that Redis cannot be told of keeps all others back",
			in:   in(out, "Relay.tell"),
			old:  "len(rows) > 1", new: "false",
			killers: by(out, "TestRowThatCannotBeToldKeepsNoOtherBack"),
		},
		{
			name: "a locked outbox is waited for",
			in:   in(out, "Table.Leave"),
			old:  `t.free != ""`, new: `t.free == "never"`,
			killers: by(out, "TestLockedOutboxIsNotWaitedFor"),
		},
		{
			name: "an outbox that is gone ends the transaction",
			in:   in(out, "Table.Leave"),
			old:  `"ROLLBACK TO " + point`, new: `"RELEASE " + point`,
			killers: by(out, "TestTransactionGoesOnWithoutItsRow/postgres"),
		},
		{
			name: "a transaction that was lost with its row is committed",
			in:   in(out, "Table.Leave"),
			old:  `fmt.Errorf("%w: %w", ErrLost, err)`, new: "err",
			killers: by(out, "TestTransactionThatIsLostWithItsRowIsNotCommitted"),
		},
		{
			name: "a statement in autocommit leaves no row",
			in:   in("callbacks", "shim.leaveAfter"),
			old:  "w == nil || s.pinned()", new: "true",
			killers: by("tests", "TestInvalidateLeavesItsRow"),
		},
		{
			name: "the outbox is cached",
			in:   in("callbacks", "New"),
			old:  "h.models.configure(outbox.Name, outbox.Name, ttlconfig.Never)", new: "outbox.Name",
			killers: by("tests", "TestOutboxIsNotCached"),
		},
		{
			name: "a handle without an outbox is used",
			in:   in("callbacks", "Hooks.Register"),
			old:  "if err := d.locateOutbox(ctx); err != nil", new: "if err := d.locateOutbox(ctx); false",
			killers: by("tests", "TestOutboxIsWantedBeforeTheHandleIsUsed/postgres"),
		},
		{
			name: "a process without a background relays nothing",
			in:   in("callbacks", "shim.statement"),
			old:  "s.h.opt.Foreground && st.d.relay != nil && s.held() == nil", new: "false",
			killers: by("tests", "TestServerlessRelaysWithItsStatements"),
		},
		{
			name: "all statements wait for the one that tries Redis again",
			in:   in("internal/breaker", "Store.Refuses"),
			old:  "s.trials.Load() > 0 || time.Now().Before(*again)", new: "time.Now().Before(*again)",
			killers: by("internal/breaker", "TestStoreThatWasGivenUpRefusesButForATrial"),
		},
		{
			name:    "entries are named although Redis is not asked",
			in:      in("callbacks", "query.answer"),
			old:     `if reason := q.s.h.opt.Protocol.Unusable(); reason != ""`,
			new:     "if reason := q.s.h.opt.Protocol.Unusable(); false",
			killers: by("tests", "TestReadWhileRedisIsAwayIsAReadOfTheDatabase"),
		},
		{
			name: "what observes a transaction is given no connection",
			in:   in("internal/txpool", "observed.Commit"),
			old:  "o.conn != nil", new: "false",
			killers: by("internal/txpool", "TestObserverWritesInTheTransaction/postgres"),
		},
	}
}
