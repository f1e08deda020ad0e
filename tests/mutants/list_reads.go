package main

// refusals are mutants that answer from the cache what the database has to answer.
func refusals() []mutant {
	return []mutant{
		{
			name: "a panic of the cache reaches the application",
			in:   in("callbacks", "query.answer"),
			old:  "defer q.rescue(&a, &err)", new: "",
			killers: by("tests", "TestPanicOfTheCacheDoesNotReachTheApplication"),
		},
		{
			name:    "a read goes on when its pins are outdated",
			in:      in("internal/consistency", "read.look"),
			old:     `if reason := r.p.hold(ctx, r.pins, &r.tokens); reason != "" { return reason }`,
			new:     `if reason := r.p.hold(ctx, r.pins, &r.tokens); reason != "" { return "" }`,
			killers: by("internal/consistency", "TestReadEndsWellWhateverAStepMeets"),
		},
		{
			name: "a read in a transaction is served from the cache",
			in:   in("callbacks", "shim.refuse"),
			old:  "s.inTransaction()", new: "false",
			killers: by("tests", "TestReadInsideTransactionGoesToTheDatabase"),
		},
		{
			name: "what a transaction reads is stored",
			in:   in("callbacks", "shim.refuse"),
			old:  "return metrics.ReasonTransaction", new: `st.control.Refresh = true; return ""`,
			killers: by("tests", "TestReadInsideTransactionGoesToTheDatabase"),
		},
		{
			name: "a read on a pinned connection is served from the cache",
			in:   in("callbacks", "shim.refuse"),
			old:  "s.pinned()", new: "false",
			killers: by("tests", "TestTransactionOfTextsOnOneConnection"),
		},
		{
			name: "FOR UPDATE is served from the cache",
			in:   in("callbacks", "snapshot.refuses"),
			old:  "s.Locks", new: "false",
			killers: by("tests", "TestLockedReadWaitsForTheLock"),
		},
		{
			name: "FOR SHARE is no lock",
			in:   in("internal/sqltext", "parser.locks"),
			old:  `next.in("update", "share")`, new: `next.in("update")`,
			killers: by("internal/sqltext", "TestLocks"),
		},
		{
			name: "functions of the database that are not pure are cached",
			in:   in("relations", "Graph.pure"),
			old:  "return g.dialect.Pure(call)", new: "return true",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name: "functions of the application are all pure",
			in:   in("relations", "Graph.pure"),
			old:  "f.pure", new: "true",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name: "a function that is written as a column is not seen",
			in:   in("relations", "reader.statement"),
			old:  "f != nil && f.attribute && !r.pure(name)", new: "f != nil && false",
			killers: by("tests", "TestFunctionsThatDoNotLookLikeCalls"),
		},
		{
			name:    "an operator or a cast that is not pure is not seen",
			in:      in("relations", "Graph.Hides"),
			old:     "g.casts || slices.ContainsFunc(g.operators, func(o string) bool { return strings.Contains(text, o) })",
			new:     "false && slices.Contains(g.operators, text)",
			killers: by("tests", "TestFunctionsThatDoNotLookLikeCalls"),
		},
		{
			name: "CURRENT_TIMESTAMP is cached",
			in:   in("internal/sqltext", "volatileWord"),
			old:  `"current_timestamp", "localtime"`, new: `"localtime"`,
			killers: by("internal/sqltext", "TestWhatMakesAnAnswerVolatile"),
		},
		{
			name: "an argument that means the moment is cached",
			in:   in("callbacks", "addArg"),
			old:  "return errMoment", new: "_ = errMoment",
			killers: by("tests", "TestSpellingsOfTheMomentAreNotCached"),
		},
		{
			name: "TABLESAMPLE is cached",
			in:   in("internal/sqltext", "parser.word"),
			old:  `t.is("tablesample")`, new: "false",
			killers: by("internal/sqltext", "TestWhatMakesAnAnswerVolatile"),
		},
		{
			name: "temporary tables are cached",
			in:   in("relations", "Graph.addTable"),
			old:  "t.Temporary", new: "false",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name: "tables with row-level security are cached",
			in:   in("relations", "Graph.addTable"),
			old:  "t.RowSecurity", new: "false",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name:    "catalogs are cached",
			in:      in("relations", "reader.relation"),
			old:     "inSystemSchema(rel), !known && System(rel)",
			new:     "known && false",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name: "an alias with columns is a function",
			in:   in("internal/sqltext", "parser.isAlias"),
			old:  "l.from && l.alias > 0 && l.alias == i", new: "false",
			killers: by("tests", "TestReadsOfNothingButTablesAreCached"),
		},
		{
			name: "whatever stands behind a parenthesis is an alias",
			in:   in("internal/sqltext", "parser.isAlias"),
			old:  "l.from && l.alias > 0 && l.alias == i", new: `p.at(i-1).is(")")`,
			killers: by("internal/sqltext", "TestCalls"),
		},
		{
			name: "a setting is taken for its transaction's whatever it says",
			in:   in("internal/sqltext", "parser.configures"),
			old:  "!local && !harmlessSetting(name)", new: "false && local && harmlessSetting(name)",
			killers: by("tests", "TestSettingOfTheSessionIsNoticedHoweverItIsSent"),
		},
		{
			name: "a setting that the database refuses counts",
			in:   in("callbacks", "sessions.end"),
			old:  "s.altered.Add(-1)", new: "_ = 0",
			killers: by("tests", "TestSettingThatDoesNotOutliveItsStatementLeavesTheCacheAlone"),
		},
		{
			name: "a setting of the session goes unnoticed",
			in:   in("callbacks", "sessions.begin"),
			old:  "s.altered.Add(1)", new: "_ = 0",
			killers: by("tests", "TestReadsAreAnsweredByWhatTheirConnectionIsSetTo"),
		},
		{
			name: "a read that a setting overtakes is stored",
			in:   in("callbacks", "query.settled"),
			old:  "q.st.d.sessions.altered.Load() == 0", new: "true",
			killers: by("tests", "TestReadThatASettingOvertakesIsNotStored"),
		},
		{
			name: "what a connection was set to is believed for ever",
			in:   in("callbacks", "sessions.get"),
			old:  "now.Sub(a.at) < maxAge", new: "true",
			killers: by("callbacks", "TestConnectionIsNotTakenForWhatItWasWhileASettingChanges"),
		},
		{
			name: "what a connection was set to is remembered when it has changed",
			in:   in("callbacks", "sessions.end"),
			old:  "clear(s.of)", new: "_ = 0",
			killers: by("callbacks", "TestConnectionIsNotTakenForWhatItWasWhileASettingChanges"),
		},
		{
			name: "all connections are taken for one",
			in:   in("callbacks", "database.session"),
			old:  "own = c", new: "own = 1",
			killers: by("tests", "TestConnectionsOfOnePoolMayBeSetToDifferentThings"),
		},
		{
			name: "a connection that is being set to something is taken for what it was",
			in:   in("callbacks", "sessions.get"),
			old:  "s.altering.Load() == 0", new: "true",
			killers: by("callbacks", "TestConnectionIsNotTakenForWhatItWasWhileASettingChanges"),
		},
		{
			name: "a connection that a read took is not given back",
			in:   in("callbacks", "shim.answerOnOne"),
			old:  "a.play.Closed = release", new: "_ = 0",
			killers: by("tests", "TestConnectionThatAReadTookIsGivenBack"),
		},
		{
			name: "a setting that is set back goes unnoticed",
			in:   in("callbacks", "statement.alters"),
			old:  "len(st.p.settings) == 0 || st.d.sessions.altered.Load() == 0", new: "true",
			killers: by("tests", "TestSettingThatIsSetBackIsNoticed"),
		},
		{
			name: "a setting that no identity tells is one that it tells",
			in:   in("callbacks", "sessions.end"),
			old:  "s.lost || !told", new: "s.lost",
			killers: by("tests", "TestSettingThatIsNotToldEndsTheCache"),
		},
		{
			name: "Bypass is ignored",
			in:   in("callbacks", "shim.refuse"),
			old:  "st.control.Bypass", new: "false",
			killers: by("tests", "TestRefusalsThatTheApplicationAskedFor"),
		},
		{
			name: "Refresh is ignored",
			in:   in("callbacks", "query.answer"),
			old:  "q.st.control.Refresh", new: "false",
			killers: by("tests", "TestRefusalsThatTheApplicationAskedFor"),
		},
		{
			name: "rows of a replica are stored",
			in:   in("callbacks", "shim.source"),
			old:  "resolve(s.db)", new: "_ = resolve",
			killers: by("tests", "TestNothingIsStoredFromAReplica"),
		},
	}
}

// lookups are mutants of what is answered row by row.
func lookups() []mutant {
	resemble := by("tests", "TestQueriesThatOnlyLookLikePointLookupsAreNot")
	return []mutant{
		{
			name: "spellings of one key in a query are as many rows",
			in:   in("callbacks", "lookup.bindKeys"),
			old:  "seen[key.Folded()] = key", new: "seen[key.String()] = key",
			killers: by("tests", "TestSpellingsOfAKeyInOneQueryAreOneRow"),
		},
		{
			name: "a lookup loses the condition of soft deletion",
			in:   in("callbacks", "pointPlan.shapeOf"),
			old:  "spans := slices.Clone(q.Rest)", new: "var spans []sqltext.Span",
			killers: resemble,
		},
		{
			name: "a lookup loses its other simple conditions",
			in:   in("callbacks", "pointPlan.shapeOf"),
			old:  "!slices.Contains(used, c)", new: "false",
			killers: by("tests", "TestReadsThatResembleALookup"),
		},
		{
			name: "a lookup loses the arguments of its other conditions",
			in:   in("callbacks", "pointPlan.shapeOf"),
			old:  "pt.rest = append(pt.rest, params...)", new: "_ = params",
			killers: by("tests", "TestLookupsWhoseOtherArgumentsDiffer"),
		},
		{
			name: "a lookup loses the columns that it selects",
			in:   in("callbacks", "pointPlan.shapeOf"),
			old:  "p.src[q.Select.Start:q.Select.End]", new: `""`,
			killers: resemble,
		},
		{
			name: "a lookup loses the columns of its model",
			in:   in("callbacks", "snapshot.reads"),
			old:  "fingerprint(key.model)", new: "fingerprint(nil)",
			killers: by("tests", "TestColumnAddedElsewhereIsSeenByTheVersionThatKnowsIt"),
		},
		{
			name: "a lookup loses its LIMIT",
			in:   in("callbacks", "pointPlan.bind"),
			old:  "pt.limit != nil && !l.within(*pt.limit)", new: "false",
			killers: resemble,
		},
		{
			name: "a lookup loses its OFFSET",
			in:   in("callbacks", "snapshot.point"),
			old:  "q.Offset", new: "false",
			killers: resemble,
		},
		{
			name: "a lookup loses its order",
			in:   in("callbacks", "pointPlan.orders"),
			old:  "q.Order[0].Descending", new: "false",
			killers: resemble,
		},
		{
			name: "conditions joined by OR limit a query as if it were AND",
			in:   in("internal/sqltext", "parser.conditions"),
			old:  "p.hasOr(i, end)", new: "false",
			killers: by("tests", "TestWritesThatResembleOneByKey"),
		},
		{
			name: "an expression in the select list is taken for a column",
			in:   in("callbacks", "snapshot.point"),
			old:  "!q.Plain", new: "false",
			killers: by("tests", "TestReadsThatResembleALookup"),
		},
		{
			name: "a table without a primary key that is unique is looked up by it",
			in:   in("relations", "New"),
			old:  "t.Key, t.shared = nil, true", new: "t.shared = true",
			killers: by("relations", "TestKeysOfTables"),
		},
		{
			name: "columns of another type than those of the other rows are joined",
			in:   in("callbacks", "query.part"),
			old:  "all.Columns != nil && !all.Columns.Equal(part.Columns)", new: "false",
			killers: by("tests", "TestRowsOfOneAnswerHaveTheSameColumns"),
		},
	}
}
