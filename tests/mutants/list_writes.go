package main

// writes are mutants that do not see what a statement changes.
func writes() []mutant {
	return []mutant{
		{
			name: "raw Exec is ignored",
			file: "callbacks/shim.go",
			old:  "if !st.writes() && !st.calls() {\n\t\ts.tell", new: "if s.db.Statement.Schema == nil || !st.writes() {\n\t\ts.tell",
			killers: by("tests", "TestSeveralStatementsInOneText"),
		},
		{
			name: "raw Exec is announced after it was carried out",
			file: "callbacks/hooks.go",
			old:  `{"gorm:raw", cb.Raw().Get, cb.Raw().Replace, (*Hooks).aroundRaw},`, new: "",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_intend,_in_bulk"),
		},
		{
			name: "RETURNING on the read chain is ignored",
			file: "callbacks/shim.go",
			old:  "\tif st.writes() {\n", new: "\tif st.writes() && s.use >= written {\n",
			killers: by("tests", "TestQueriesThatWriteAreCarriedOut"),
		},
		{
			name: "RETURNING into a Row is ignored",
			file: "callbacks/shim.go",
			old:  "\tif !st.writes() {\n\t\ts.record", new: "\tif s.use == handedOut || !st.writes() {\n\t\ts.record",
			killers: by("tests", "TestEveryWayOfWritingOnEverySetUp/.*/row_returning"),
		},
		{
			name:    "a write that returns rows is over before they are read",
			file:    "callbacks/write.go",
			old:     "return s.h.player.Rows(rowcodec.Playback{Tail: rows, Closed: func() {\n\t\tif rows.Err() == nil {\n\t\t\ts.leaveAfter(st, w.write)\n\t\t}\n\t\tw.end(st, outcome(rows.Err(), st.d.dialect))\n\t}})",
			new:     "w.end(st, metrics.Committed)\n\treturn s.h.player.Rows(rowcodec.Playback{Tail: rows})",
			killers: by("tests", "TestWriteCommitsWhenItsRowsHaveBeenRead"),
		},
		{
			name: "a handler that somebody replaced is not guarded",
			file: "callbacks/guard.go",
			old:  "if h.closed.Load() || h.idle(db)", new: "if true || h.idle(db)",
			killers: by("tests", "TestReplacedHandlersAreNeverStale"),
		},
		{
			name: "a text is its first statement",
			file: "callbacks/writeplan.go",
			old:  "for i := range p.script.Parts {", new: "for i := range p.script.Parts[:1] {",
			killers: by("tests", "TestSeveralStatementsInOneText"),
		},
		{
			name: "a text that is not understood changes nothing",
			file: "callbacks/writeplan.go",
			old:  `w.anything(metrics.CauseUnknown, "it is not understood")`, new: "",
			killers: by("tests", "TestSeveralStatementsInOneText"),
		},
		{
			name: "definitions invalidate nothing",
			file: "callbacks/writeplan.go",
			old:  `w.anything(metrics.CauseSchema, "it changes the schema")`, new: "",
			killers: by("tests", "TestTableChangesWhileItIsCached"),
		},
		{
			name: "a write within WITH is a query",
			file: "internal/sqltext/sqltext.go",
			old:  "p.out.Class = Change\n", new: "p.out.Lookup = nil\n",
			killers: by("tests", "TestQueriesThatWriteAreCarriedOut"),
		},
		{
			name: "a query that calls a function that writes is a query",
			file: "callbacks/writeplan.go",
			old:  "w.reach(k.graph.Call(call))", new: "_ = call",
			killers: by("tests", "TestQueriesThatWriteAreCarriedOut"),
		},
		{
			name: "a write of unknown rows reaches only the lists",
			file: "callbacks/effects.go",
			old:  "return x.bulk || changed > maxAnnounced", new: "return changed > maxAnnounced",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_release,_in_bulk"),
		},
		{
			name: "a write by key does not reach the lists",
			file: "callbacks/effects.go",
			old:  "tags = append(tags, t.List())\n", new: "",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_release,_by_key"),
		},
		{
			name: "a write by key does not reach the row",
			file: "callbacks/effects.go",
			old:  "tags = append(tags, t.Row(key))", new: "_ = key",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_release,_by_key"),
		},
		{
			name: "an update of the key invalidates the old row alone",
			file: "callbacks/writeplan.go",
			old:  "(assignsKey(c, t) ||", new: "(false ||",
			killers: by("tests", "TestWritesThatChangeAnotherRowThanTheyName"),
		},
		{
			name: "the conflict target of an upsert is ignored",
			file: "callbacks/writeplan.go",
			old:  "isKey(c.Target, t) && !assignsKey(c, t)", new: "!assignsKey(c, t)",
			killers: by("tests", "TestWritesThatChangeAnotherRowThanTheyName"),
		},
		{
			name: "an upsert that assigns the key changes one row",
			file: "callbacks/writeplan.go",
			old:  "isKey(c.Target, t) && !assignsKey(c, t)", new: "isKey(c.Target, t)",
			killers: by("tests", "TestWritesThatChangeAnotherRowThanTheyName"),
		},
		{
			name: "an upsert is an insert",
			file: "internal/sqltext/write.go",
			old:  "\tw.Replaces = true\n", new: "",
			killers: by("internal/sqltext", "TestInserts"),
		},
		{
			name: "the key that the database made is not learned from the model",
			file: "callbacks/create.go",
			old:  "x.addRow(key, !tw.upserts)", new: "_ = key",
			killers: by("tests", "TestRowThatIsNotThereIsCachedToo"),
		},
		{
			name: "rows of unknown keys leave who found them absent alone",
			file: "callbacks/effects.go",
			old:  "\t\tdefault:\n\t\t\tx.absent = true", new: "\t\tdefault:",
			killers: by("tests", "TestRowsThatComeAndGo"),
		},
		{
			name: "Touches is ignored",
			file: "callbacks/write.go",
			old:  "st.k.touched(&w, bare(name))", new: "_ = name",
			killers: by("tests", "TestWhatAStatementTouchesIsReadAnew"),
		},
		{
			name: "Invalidate of a row is ignored",
			file: "callbacks/invalidate.go",
			old:  "x.addRow(key, false)\n\t\tx.unscoped", new: "_ = key\n\t\tx.unscoped",
			killers: by("tests", "TestWhatIsInvalidatedIsReadAnew"),
		},
		{
			name: "Invalidate of a table is ignored",
			file: "callbacks/invalidate.go",
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
			file: "callbacks/dependency.go",
			old:  "\treturn all\n}\n\n// narrow", new: "\treturn all[:1]\n}\n\n// narrow",
			killers: by("tests", "TestEveryTableOfAQueryCounts"),
		},
		{
			name: "the tables of subqueries are lost",
			file: "internal/sqltext/scan.go",
			old:  "p.name(t.text)\n\t\t\ti = p.word(l, i)", new: "if t.depth == 0 {\n\t\t\t\tp.name(t.text)\n\t\t\t}\n\t\t\ti = p.word(l, i)",
			killers: reads,
		},
		{
			name: "the tables that a view reads are lost",
			file: "relations/reads.go",
			old:  "if t.view == nil {", new: "if true {",
			killers: reads,
		},
		{
			name: "a write through a view does not reach its tables",
			file: "relations/writes.go",
			old:  "if t.view != nil {", new: "if false {",
			killers: reach,
		},
		{
			name: "cascades are ignored",
			file: "relations/writes.go",
			old:  "w.references(name, c)\n", new: "",
			killers: reach,
		},
		{
			name: "cascades end after the first table",
			file: "relations/writes.go",
			old:  "w.table(child, Change{Op: sqltext.Delete}, false)", new: "w.mark(child, sqltext.Delete)",
			killers: reach,
		},
		{
			name: "SET NULL is ignored",
			file: "relations/writes.go",
			old:  `case "n", "d", "set null", "set default":`, new: `case "d", "set default":`,
			killers: reach,
		},
		{
			name: "ON UPDATE is ignored",
			file: "relations/writes.go",
			old:  "c.Op == sqltext.Update && c.touches(k.References)", new: "false",
			killers: reach,
		},
		{
			name: "TRUNCATE CASCADE is ignored",
			file: "relations/writes.go",
			old:  "if c.Cascade {", new: "if false {",
			killers: reach,
		},
		{
			name: "triggers are ignored",
			file: "relations/writes.go",
			old:  "w.fire(name, c.Op)", new: "",
			killers: reach,
		},
		{
			name: "rules are ignored",
			file: "relations/writes.go",
			old:  "if t.rules {", new: "if false {",
			killers: reach,
		},
		{
			name: "a write to a partition does not reach the table",
			file: "relations/writes.go",
			old:  "w.inherit(name, c, w.g.parents)", new: "",
			killers: reach,
		},
		{
			name: "a function that runs a text which is not there changes nothing",
			file: "internal/sqltext/body.go",
			old:  `.in("execute", "call",`, new: `.in("call",`,
			killers: by("relations", "TestCallsReachWhatFunctionsWrite"),
		},
		{
			name: "a function that calls another one does what its own text says",
			file: "relations/writes.go",
			old:  "for _, call := range b.Calls {", new: "for _, call := range b.Calls[:0] {",
			killers: reach,
		},
		{
			name: "the foreign keys of the database are not read",
			file: "internal/catalog/postgres.sql",
			old:  "WHERE f.contype = 'f'", new: "WHERE f.contype = 'x'",
			killers: by("internal/catalog", "TestPostgresTellsWhatIsInIt"),
		},
		{
			name: "what changed in the catalog is not learned",
			file: "internal/consistency/read.go",
			old:  "if reason := r.p.hold(ctx, r.pins, &r.tokens); reason != \"\" {", new: "if reason := r.p.hold(ctx, r.pins, &r.tokens); false {",
			killers: by("internal/consistency", "TestWhatWasLearnedIsLookedAtWhenNothingIsMinted"),
		},
		{
			name: "whatever drops the tag of all entries outdates the schema",
			file: "internal/consistency/pin.go",
			old:  "if !pinned.is(snap.Values[i]) {", new: "if pinned.is(snap.Values[i]) || true {",
			killers: by("internal/consistency", "TestSchemaIsReadOnceHoweverOftenEverythingIsWritten"),
		},
		{
			name: "the schema's tag is not looked at",
			file: "internal/consistency/pin.go",
			old:  "if !pinned.is(snap.Values[i]) {", new: "if !pinned.is(snap.Values[i]) && false {",
			killers: by("internal/consistency", "TestNoReadGoesByASchemaThatWasChangedBeforeItBegan"),
		},
		{
			name: "a write that was planned by an old schema drops the schema's tag",
			file: "callbacks/transaction.go",
			old:  "return calls || k == nil || k.opaque", new: "return true || calls || k == nil || k.opaque",
			killers: by("tests", "TestWritesPlannedBeforeTheSchemaChanged"),
		},
		{
			name: "a write that was planned by an old schema never drops the schema's tag",
			file: "callbacks/transaction.go",
			old:  "return calls || k == nil || k.opaque", new: "return false && (calls || k == nil || k.opaque)",
			killers: by("tests", "TestWritesPlannedBeforeTheSchemaChanged"),
		},
		{
			name: "a transaction waits for who waits for its connection",
			file: "callbacks/learn.go",
			old:  "from, err := d.borrow(waiting, held)", new: "from, err := d.borrow(waiting, nil)",
			killers: by("tests", "TestTransactionsThatHoldAllConnectionsGoOn/postgres,_1_connections,_prepared:_false,_after_a_migration_here"),
		},
		{
			name: "a statement waits for the schema as long as it is read",
			file: "callbacks/learn.go",
			old:  "a.wait(waiting, d.h.opt.LearnTimeout)", new: "<-a.over",
			killers: by("tests", "TestStatementsGoOnWhileTheSchemaIsReadSlowly"),
		},
	}
}
