package main

// writes are mutants that do not see what a statement changes.
func writes() []mutant {
	return []mutant{
		{
			name: "raw Exec is ignored",
			in:   in("callbacks", "shim.run"),
			old:  "!st.writes() && !st.calls()", new: "s.db.Statement.Schema == nil || !st.writes()",
			killers: by("tests", "TestSeveralStatementsInOneText"),
		},
		{
			name: "raw Exec is announced after it was carried out",
			in:   in("callbacks", "handlers"),
			old:  "(*Hooks).aroundRaw", new: "func(_ *Hooks, inner func(*gorm.DB)) func(*gorm.DB) { return inner }",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_intend,_in_bulk"),
		},
		{
			name: "RETURNING on the read chain is ignored",
			in:   in("callbacks", "shim.answers"),
			old:  "st.writes()", new: "st.writes() && s.use >= written",
			killers: by("tests", "TestQueriesThatWriteAreCarriedOut"),
		},
		{
			name: "RETURNING into a Row is ignored",
			in:   in("callbacks", "shim.QueryRowContext"),
			old:  "!st.writes() && !st.calls()", new: "s.use == handedOut || !st.writes() && !st.calls()",
			killers: by("tests", "TestEveryWayOfWritingOnEverySetUp/.*/row_returning"),
		},
		{
			name: "RETURNING into a Row is reported as a read",
			in:   in("callbacks", "shim.QueryRowContext"),
			old:  "if !st.writes()", new: "if s.use == handedOut || !st.writes()",
			killers: by("tests", "TestWriteThatReturnsRowsIsReportedAsAWriteAlone"),
		},
		{
			name: "a write that returns rows is over before they are read",
			in:   in("callbacks", "shim.queryWrite"),
			old: `return s.h.player.Rows(rowcodec.Playback{Tail: rows, Closed: func() {
				if rows.Err() == nil {
					s.leaveAfter(st, w.write)
				}
				w.end(st, outcome(rows.Err(), st.d.dialect))
			}})`,
			new:     "w.end(st, metrics.Committed); return s.h.player.Rows(rowcodec.Playback{Tail: rows})",
			killers: by("tests", "TestWriteCommitsWhenItsRowsHaveBeenRead"),
		},
		{
			name: "a handler that somebody replaced is not guarded",
			in:   in("callbacks", "Hooks.guard"),
			old:  "h.closed.Load()", new: "true",
			killers: by("tests", "TestReplacedHandlersAreNeverStale"),
		},
		{
			name: "a text is its first statement",
			in:   in("callbacks", "snapshot.writes"),
			old:  "for i := range p.script.Parts", new: "for i := range p.script.Parts[:1]",
			killers: by("tests", "TestSeveralStatementsInOneText"),
		},
		{
			name: "a text that is not understood changes nothing",
			in:   in("callbacks", "snapshot.statement"),
			old:  `w.anything(metrics.CauseUnknown, "it is not understood")`, new: "",
			killers: by("tests", "TestSeveralStatementsInOneText"),
		},
		{
			name: "definitions invalidate nothing",
			in:   in("callbacks", "snapshot.statement"),
			old:  `w.anything(metrics.CauseSchema, "it changes the schema")`, new: "",
			killers: by("tests", "TestTableChangesWhileItIsCached"),
		},
		{
			name: "a write within WITH is a query",
			in:   in("internal/sqltext", "parser.statement"),
			old:  "p.out.Class = Change", new: "p.out.Lookup = nil",
			killers: by("tests", "TestQueriesThatWriteAreCarriedOut"),
		},
		{
			name: "a query that calls a function that writes is a query",
			in:   in("callbacks", "snapshot.writes"),
			old:  "w.reach(k.graph.Call(call))", new: "_ = call",
			killers: by("tests", "TestQueriesThatWriteAreCarriedOut"),
		},
		{
			name: "a write of unknown rows reaches only the lists",
			in:   in("callbacks", "effect.isBulk"),
			old:  "x.bulk || changed > maxAnnounced", new: "changed > maxAnnounced",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_release,_in_bulk"),
		},
		{
			name: "a write by key does not reach the lists",
			in:   in("callbacks", "effects.tags"),
			old:  "tags = append(tags, t.List())", new: "",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_release,_by_key"),
		},
		{
			name: "a write by key does not reach the row",
			in:   in("callbacks", "effect.tags"),
			old:  "tags = append(tags, t.Row(key))", new: "_ = key",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_release,_by_key"),
		},
		{
			name: "an update of the key invalidates the old row alone",
			in:   in("callbacks", "tableWrite.limits"),
			old:  "assignsKey(c, t)", new: "false",
			killers: by("tests", "TestWritesThatChangeAnotherRowThanTheyName"),
		},
		{
			name: "the conflict target of an upsert is ignored",
			in:   in("callbacks", "tableWrite.replaces"),
			old:  "isKey(c.Target, t) && !assignsKey(c, t)", new: "!assignsKey(c, t)",
			killers: by("tests", "TestWritesThatChangeAnotherRowThanTheyName"),
		},
		{
			name: "an upsert that assigns the key changes one row",
			in:   in("callbacks", "tableWrite.replaces"),
			old:  "isKey(c.Target, t) && !assignsKey(c, t)", new: "isKey(c.Target, t)",
			killers: by("tests", "TestWritesThatChangeAnotherRowThanTheyName"),
		},
		{
			name: "an upsert is an insert",
			in:   in("internal/sqltext", "parser.conflict"),
			old:  "w.Replaces = true", new: "",
			killers: by("internal/sqltext", "TestInserts"),
		},
		{
			name: "the key that the database made is not learned from the model",
			in:   in("callbacks", "shim.learnKeys"),
			old:  "x.addRow(key, !tw.upserts)", new: "_ = key",
			killers: by("tests", "TestRowThatIsNotThereIsCachedToo"),
		},
		{
			name: "rows of unknown keys leave who found them absent alone",
			in:   in("callbacks", "effects.add"),
			old:  "x.absent = true", new: "",
			killers: by("tests", "TestRowsThatComeAndGo"),
		},
		{
			name: "Touches is ignored",
			in:   in("callbacks", "shim.effects"),
			old:  "st.k.touched(&w, bare(name))", new: "_ = name",
			killers: by("tests", "TestWhatAStatementTouchesIsReadAnew"),
		},
		{
			name: "Invalidate of a row is ignored",
			in:   in("callbacks", "knowledge.target"),
			old:  "x.addRow(key, false)", new: "_ = key",
			killers: by("tests", "TestWhatIsInvalidatedIsReadAnew"),
		},
		{
			name: "Invalidate of a table is ignored",
			in:   in("callbacks", "knowledge.target"),
			old:  "k.touched(&w, name)", new: "",
			killers: by("tests", "TestWhatIsInvalidatedIsReadAnew"),
		},
	}
}

// reaches are mutants that do not know what a query reads, or a write changes, besides the tables that its text names.
func reaches() []mutant {
	reach := by("relations", "TestWritesReachWhatTheDatabaseChangesByItself")
	reads := by("relations", "TestReads")
	return []mutant{
		{
			name: "of the tables of a join the first alone counts",
			in:   in("callbacks", "snapshot.dependencies"),
			old:  "return all", new: "return all[:1]",
			killers: by("tests", "TestEveryTableOfAQueryCounts"),
		},
		{
			name: "the tables of subqueries are lost",
			in:   in("internal/sqltext", "parser.scan"),
			old:  "p.name(t.text); i = p.word(l, i)", new: "if t.depth == 0 { p.name(t.text) }; i = p.word(l, i)",
			killers: reads,
		},
		{
			name: "the tables that a view reads are lost",
			in:   in("relations", "reader.name"),
			old:  "t.view == nil", new: "true",
			killers: reads,
		},
		{
			name: "a write through a view does not reach its tables",
			in:   in("relations", "walk.table"),
			old:  "t.view != nil", new: "false",
			killers: reach,
		},
		{
			name: "cascades are ignored",
			in:   in("relations", "walk.table"),
			old:  "w.references(name, c)", new: "",
			killers: reach,
		},
		{
			name: "cascades end after the first table",
			in:   in("relations", "walk.act"),
			old:  "w.table(child, Change{Op: sqltext.Delete}, false)", new: "w.mark(child, sqltext.Delete)",
			killers: reach,
		},
		{
			name: "SET NULL is ignored",
			in:   in("relations", "walk.act"),
			old:  `"n", "d", "set null", "set default"`, new: `"d", "set default"`,
			killers: reach,
		},
		{
			name: "ON UPDATE is ignored",
			in:   in("relations", "walk.references"),
			old:  "c.Op == sqltext.Update && c.touches(k.References)", new: "false",
			killers: reach,
		},
		{
			name: "TRUNCATE CASCADE is ignored",
			in:   in("relations", "walk.references"),
			old:  "c.Cascade", new: "false",
			killers: reach,
		},
		{
			name: "triggers are ignored",
			in:   in("relations", "walk.table"),
			old:  "w.fire(name, c.Op)", new: "",
			killers: reach,
		},
		{
			name: "rules are ignored",
			in:   in("relations", "walk.table"),
			old:  "t.rules", new: "false",
			killers: reach,
		},
		{
			name: "a write to a partition does not reach the table",
			in:   in("relations", "walk.table"),
			old:  "w.inherit(name, c, w.g.parents)", new: "",
			killers: reach,
		},
		{
			name: "a function that runs a text which is not there changes nothing",
			in:   in("internal/sqltext", "parser.runs"),
			old:  `"execute", "call"`, new: `"call"`,
			killers: by("relations", "TestCallsReachWhatFunctionsWrite"),
		},
		{
			name: "a function that calls another one does what its own text says",
			in:   in("relations", "walk.run"),
			old:  "b.Calls", new: "b.Calls[:0]",
			killers: reach,
		},
		{
			name: "the foreign keys of the database are not read",
			in:   inText("internal/catalog/postgres.sql"),
			old:  "WHERE f.contype = 'f'", new: "WHERE f.contype = 'x'",
			killers: by("internal/catalog", "TestPostgresTellsWhatIsInIt"),
		},
		{
			name:    "what changed in the catalog is not learned",
			in:      in("internal/consistency", "read.look"),
			old:     `if reason := r.p.hold(ctx, r.pins, &r.tokens); reason != ""`,
			new:     "if reason := r.p.hold(ctx, r.pins, &r.tokens); false",
			killers: by("internal/consistency", "TestWhatWasLearnedIsLookedAtWhenNothingIsMinted"),
		},
		{
			name: "whatever drops the tag of all entries outdates the schema",
			in:   in("internal/consistency", "Protocol.hold"),
			old:  "!pinned.is(snap.Values[i])", new: "pinned.is(snap.Values[i]) || true",
			killers: by("internal/consistency", "TestSchemaIsReadOnceHoweverOftenEverythingIsWritten"),
		},
		{
			name: "the schema's tag is not looked at",
			in:   in("internal/consistency", "Protocol.hold"),
			old:  "!pinned.is(snap.Values[i])", new: "!pinned.is(snap.Values[i]) && false",
			killers: by("internal/consistency", "TestNoReadGoesByASchemaThatWasChangedBeforeItBegan"),
		},
		{
			name: "a write that was planned by an old schema drops the schema's tag",
			in:   in("callbacks", "database.mayDefine"),
			old:  "calls || k == nil || k.opaque", new: "true || k == nil",
			killers: by("tests", "TestWritesPlannedBeforeTheSchemaChanged"),
		},
		{
			name: "a write that was planned by an old schema never drops the schema's tag",
			in:   in("callbacks", "database.mayDefine"),
			old:  "calls || k == nil || k.opaque", new: "false && k == nil",
			killers: by("tests", "TestWritesPlannedBeforeTheSchemaChanged"),
		},
		{
			name: "a transaction waits for who waits for its connection",
			in:   in("callbacks", "database.learnAfter"),
			old:  "d.borrow(waiting, held)", new: "d.borrow(waiting, nil)",
			killers: by("tests", "TestTransactionsThatHoldAllConnectionsGoOn/postgres,_1_connections,_prepared:_false,_after_a_migration_here"),
		},
		{
			name: "a statement waits for the schema as long as it is read",
			in:   in("callbacks", "database.learnAfter"),
			old:  "a.wait(waiting, d.h.opt.LearnTimeout)", new: "<-a.over",
			killers: by("tests", "TestStatementsGoOnWhileTheSchemaIsReadSlowly"),
		},
		{
			name: "what the cache asks for may end a transaction that a text has begun",
			in:   in("callbacks", "lender.lend"),
			old:  "!l.tx", new: "true",
			killers: by("tests", "TestCacheEndsNoTransactionThatATextHasBegun"),
		},
		{
			name: "the schema is learned from a snapshot that a text has begun",
			in:   in("callbacks", "database.borrow"),
			old:  "from.seesSnapshot(ctx)", new: "false",
			killers: by("tests", "TestSchemaIsNotLearnedFromASnapshotThatATextHasBegun"),
		},
		{
			name: "the schema is learned from a snapshot of SQLite's",
			in:   in("callbacks", "database.borrow"),
			old:  "!from.tx || from.seesSnapshot(ctx)", new: "from.tx && from.seesSnapshot(ctx)",
			killers: by("tests", "TestSchemaIsNotLearnedFromASnapshot$|TestFirstWriteWaitsForAnotherWriter"),
		},
		{
			name: "the schema is not learned before GORM begins a transaction",
			in:   in("callbacks", "Hooks.learnBefore"),
			old:  "s.held() != nil", new: "true",
			killers: by("tests", "TestOutboxTellsOthersWhenTheWriterIsGone"),
		},
	}
}
