package main

// scopes are mutants of what tells the rows of one parent from those of another.
func scopes() []mutant {
	own, moved := by("tests", "TestWriteUnsettlesItsOwnScopeOnly"), by("tests", "TestMovedRowUnsettlesTheOldAndTheNewScope")
	limits := by("internal/sqltext", "TestLimitsThatDoNotHold")
	return []mutant{
		{
			name: "rows that cannot be put in order are found out each time",
			in:   in("callbacks", "query.answer"),
			old:  "q.st.p.read.unordered.Store(true)", new: "_ = 0",
			killers: by("tests", "TestScopesWhoseRowsCannotBePutInOrderAreOneAnswer"),
		},
		{
			name: "scopes: a new row leaves its scope alone",
			in:   in("callbacks", "effect.addScopes"),
			old:  "x.addInserted(tw, sc, row, args)", new: "_ = row",
			killers: own,
		},
		{
			name: "scopes: the database is not asked what a write touched",
			in:   in("callbacks", "answered.touched"),
			old:  "a.addScopesOf(row)", new: "",
			killers: own,
		},
		{
			name: "scopes: the scope that a row leaves is forgotten",
			in:   in("callbacks", "shim.ask"),
			old:  "a.addScopesOf(row)", new: "",
			killers: moved,
		},
		{
			name: "scopes: an expression does not move a row",
			in:   in("callbacks", "shim.newQuestion"),
			old:  "(sc.retouched || assigns(tw.change, columns))", new: "sc.retouched",
			killers: moved,
		},
		{
			name: "scopes: a writer does not look at the registry",
			in:   in("internal/consistency", "Protocol.unguarded"),
			old:  "!slices.Contains(guards[i].Names, name)", new: `name == ""`,
			killers: by("tests", "TestWriterHearsOfScopesThatItDidNotKnow"),
		},
		{
			name: "scopes: a write by another column that names no rows leaves scopes alone",
			in:   in("keying", "Table.ScopeEntry"),
			old:  "c.bulk", new: "c.all",
			killers: by("tests", "TestWriteOfUnknownRowsUnsettlesAllScopes"),
		},
		{
			name: "scopes: one that is invalidated goes on being served",
			in:   in("callbacks", "knowledge.scopeTarget"),
			old:  "x.addScope(k.table(table).Scope(name, value))", new: "_ = value",
			killers: by("tests", "TestScopeThatIsInvalidatedIsReadAnew"),
		},
		{
			name: "scopes: what Touches reaches has no reason",
			in:   in("callbacks", "statement.whyAnything"),
			old:  "st.p.write == nil", new: "false",
			killers: by("tests", "TestExplainSaysWhyTouchesMayReachAnything"),
		},
		{
			name:    "scopes: rows that are added unseen leave scopes alone",
			in:      in("callbacks", "effect.addScopes"),
			old:     "if !tw.inserts || !bound || len(tw.change.Rows) == 0 { x.unscoped = true; return }",
			new:     "if !tw.inserts || !bound || len(tw.change.Rows) == 0 { return }",
			killers: by("tests", "TestWriteOfUnknownRowsUnsettlesAllScopes"),
		},
		{
			name: "scopes: a table that is read twice is limited by one of its conditions",
			in:   in("internal/sqltext", "parser.limits"),
			old:  "!p.once(main, item, items)", new: `main < 0 || item.table.Name == ""`,
			killers: limits,
		},
		{
			name: "scopes: the kept side of a left join is limited by its ON",
			in:   in("internal/sqltext", "parser.limits"),
			old:  "joined.left && i == j", new: "joined.left",
			killers: limits,
		},
		{
			name: "scopes: an unqualified column is any table's",
			in:   in("internal/sqltext", "parser.conditionsOn"),
			old:  "items > 1", new: "false",
			killers: limits,
		},
	}
}
