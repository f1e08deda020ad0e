package main

// refusals are mutants that answer from the cache what the database has to answer.
func refusals() []mutant {
	return []mutant{
		{
			name: "a panic of the cache reaches the application",
			file: "callbacks/query.go",
			old:  "defer q.rescue(&a, &err)", new: "",
			killers: by("tests", "TestPanicOfTheCacheDoesNotReachTheApplication"),
		},
		{
			name:    "a read goes on when its pins are outdated",
			file:    "internal/consistency/read.go",
			old:     "reason := r.p.hold(ctx, r.pins, &r.tokens); reason != \"\" {\n\t\treturn reason",
			new:     "reason := r.p.hold(ctx, r.pins, &r.tokens); reason != \"\" {\n\t\treturn \"\"",
			killers: by("internal/consistency", "TestReadEndsWellWhateverAStepMeets"),
		},
		{
			name: "a read in a transaction is served from the cache",
			file: "callbacks/query.go",
			old:  "case s.inTransaction():", new: "case false:",
			killers: by("tests", "TestReadInsideTransactionGoesToTheDatabase"),
		},
		{
			name: "what a transaction reads is stored",
			file: "callbacks/query.go",
			old:  "return metrics.ReasonTransaction", new: `st.control.Refresh = true; return ""`,
			killers: by("tests", "TestReadInsideTransactionGoesToTheDatabase"),
		},
		{
			name: "a read on a pinned connection is served from the cache",
			file: "callbacks/query.go",
			old:  "case s.pinned():", new: "case false:",
			killers: by("tests", "TestTransactionOfTextsOnOneConnection"),
		},
		{
			name: "FOR UPDATE is served from the cache",
			file: "callbacks/plan.go",
			old:  "case s.Locks:", new: "case false:",
			killers: by("tests", "TestLockedReadWaitsForTheLock"),
		},
		{
			name: "FOR SHARE is no lock",
			file: "internal/sqltext/scan.go",
			old:  `next.in("update", "share")`, new: `next.in("update")`,
			killers: by("internal/sqltext", "TestLocks"),
		},
		{
			name: "functions of the database that are not pure are cached",
			file: "relations/reads.go",
			old:  "return g.dialect.Pure(call)", new: "return true",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name: "functions of the application are all pure",
			file: "relations/reads.go",
			old:  "return f.pure\n", new: "return true\n",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name: "a function that is written as a column is not seen",
			file: "relations/reads.go",
			old:  "f != nil && f.attribute && !r.pure(name)", new: "f != nil && false",
			killers: by("tests", "TestFunctionsThatDoNotLookLikeCalls"),
		},
		{
			name: "an operator or a cast that is not pure is not seen",
			file: "relations/reads.go",
			old:  "return g.casts ||", new: "return false &&",
			killers: by("tests", "TestFunctionsThatDoNotLookLikeCalls"),
		},
		{
			name: "CURRENT_TIMESTAMP is cached",
			file: "internal/sqltext/scan.go",
			old:  `"current_timestamp", "localtime"`, new: `"localtime"`,
			killers: by("internal/sqltext", "TestWhatMakesAnAnswerVolatile"),
		},
		{
			name: "an argument that means the moment is cached",
			file: "callbacks/point.go",
			old:  "return errMoment", new: "_ = errMoment",
			killers: by("tests", "TestSpellingsOfTheMomentAreNotCached"),
		},
		{
			name: "TABLESAMPLE is cached",
			file: "internal/sqltext/scan.go",
			old:  `case t.is("tablesample"), `, new: "case ",
			killers: by("internal/sqltext", "TestWhatMakesAnAnswerVolatile"),
		},
		{
			name: "temporary tables are cached",
			file: "relations/graph.go",
			old:  "case t.Temporary:", new: "case false:",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name: "tables with row-level security are cached",
			file: "relations/graph.go",
			old:  "case t.RowSecurity:", new: "case false:",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name: "catalogs are cached",
			file: "relations/reads.go",
			old:  "system(rel), !known && ", new: "false && ",
			killers: by("relations", "TestRefusedReads"),
		},
		{
			name: "a setting of the session goes unnoticed",
			file: "callbacks/shim.go",
			old:  "if st.p.session && !st.d.altered.Swap(true)", new: "if false",
			killers: by("tests", "TestSettingOfTheSessionEndsTheCache"),
		},
		{
			name: "Bypass is ignored",
			file: "callbacks/query.go",
			old:  "case st.control.Bypass:", new: "case false:",
			killers: by("tests", "TestRefusalsThatTheApplicationAskedFor"),
		},
		{
			name: "Refresh is ignored",
			file: "callbacks/query.go",
			old:  "q.refresh = q.st.control.Refresh", new: "q.refresh = false",
			killers: by("tests", "TestRefusalsThatTheApplicationAskedFor"),
		},
		{
			name: "rows of a replica are stored",
			file: "callbacks/query.go",
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
			file: "callbacks/point.go",
			old:  "seen[key.Folded()] = key", new: "seen[key.String()] = key",
			killers: by("tests", "TestSpellingsOfAKeyInOneQueryAreOneRow"),
		},
		{
			name: "a lookup loses the condition of soft deletion",
			file: "callbacks/point.go",
			old:  "spans := slices.Clone(q.Rest)", new: "var spans []sqltext.Span",
			killers: resemble,
		},
		{
			name: "a lookup loses its other simple conditions",
			file: "callbacks/point.go",
			old:  "if c := &q.Conditions[i]; !slices.Contains(used, c) {", new: "if c := &q.Conditions[i]; false {",
			killers: by("tests", "TestReadsThatResembleALookup"),
		},
		{
			name: "a lookup loses the arguments of its other conditions",
			file: "callbacks/point.go",
			old:  "pt.rest = append(pt.rest, params...)", new: "_ = params",
			killers: by("tests", "TestLookupsWhoseOtherArgumentsDiffer"),
		},
		{
			name: "a lookup loses the columns that it selects",
			file: "callbacks/point.go",
			old:  "p.src[q.Select.Start:q.Select.End]", new: `""`,
			killers: resemble,
		},
		{
			name: "a lookup loses the columns of its model",
			file: "callbacks/plan.go",
			old:  "fingerprint(key.model),", new: "fingerprint(nil),",
			killers: by("tests", "TestColumnAddedElsewhereIsSeenByTheVersionThatKnowsIt"),
		},
		{
			name: "a lookup loses its LIMIT",
			file: "callbacks/point.go",
			old:  "if pt.limit != nil && !l.within(*pt.limit) {", new: "if false {",
			killers: resemble,
		},
		{
			name: "a lookup loses its OFFSET",
			file: "callbacks/point.go",
			old:  "!q.Plain || q.Offset ||", new: "!q.Plain ||",
			killers: resemble,
		},
		{
			name: "a lookup loses its order",
			file: "callbacks/point.go",
			old:  "pt.descending = q.Order[0].Descending", new: "pt.descending = false",
			killers: resemble,
		},
		{
			name: "conditions joined by OR limit a query as if it were AND",
			file: "internal/sqltext/condition.go",
			old:  "if p.hasOr(i, end) {", new: "if false {",
			killers: by("tests", "TestWritesThatResembleOneByKey"),
		},
		{
			name: "an expression in the select list is taken for a column",
			file: "callbacks/point.go",
			old:  "q == nil || !q.Plain ||", new: "q == nil ||",
			killers: by("tests", "TestReadsThatResembleALookup"),
		},
		{
			name: "a table without a primary key that is unique is looked up by it",
			file: "relations/graph.go",
			old:  "t.Key, t.shared = nil, true", new: "t.shared = true",
			killers: by("relations", "TestKeysOfTables"),
		},
		{
			name: "columns of another type than those of the other rows are joined",
			file: "callbacks/play.go",
			old:  "all.Columns != nil && !all.Columns.Equal(part.Columns)", new: "false",
			killers: by("tests", "TestRowsOfOneAnswerHaveTheSameColumns"),
		},
	}
}
