package main

// scopes are mutants of what tells the rows of one parent from those of another.
func scopes() []mutant {
	own, moved := by("tests", "TestWriteUnsettlesItsOwnScopeOnly"), by("tests", "TestMovedRowUnsettlesTheOldAndTheNewScope")
	limits := by("internal/sqltext", "TestLimitsThatDoNotHold")
	return []mutant{
		{
			name: "scopes: a new row leaves its scope alone",
			file: "callbacks/scopes.go",
			old:  "x.addInserted(tw, sc, row, args)", new: "_ = row",
			killers: own,
		},
		{
			name: "scopes: the database is not asked what a write touched",
			file: "callbacks/touched.go",
			old:  "a.addRow(key, false)\n\ta.addScopesOf(row)", new: "a.addRow(key, false)",
			killers: own,
		},
		{
			name: "scopes: the scope that a row leaves is forgotten",
			file: "callbacks/touched.go",
			old:  "a.old[key.String()] = row\n\t\t\ta.addScopesOf(row)", new: "a.old[key.String()] = row",
			killers: moved,
		},
		{
			name: "scopes: an expression does not move a row",
			file: "callbacks/touched.go",
			old:  "(sc.retouched || assigns(tw.change, columns))", new: "sc.retouched",
			killers: moved,
		},
		{
			name: "scopes: a writer does not look at the registry",
			file: "internal/consistency/registry.go",
			old:  "if !slices.Contains(guards[i].Names, name) {", new: "if name == \"\" {",
			killers: by("tests", "TestWriterHearsOfScopesThatItDidNotKnow"),
		},
		{
			name:    "scopes: a write by another column that names no rows leaves scopes alone",
			file:    "keying/scheme.go",
			old:     "[4]Tag{Tag(both[at:]), t.registry, c.bulk, c.all}",
			new:     "[4]Tag{Tag(both[at:]), t.registry, c.all, c.all}",
			killers: by("tests", "TestWriteOfUnknownRowsUnsettlesAllScopes"),
		},
		{
			name: "scopes: one that is invalidated goes on being served",
			file: "callbacks/invalidate.go",
			old:  "x.addScope(k.table(table).Scope(name, value))", new: "_ = value",
			killers: by("tests", "TestScopeThatIsInvalidatedIsReadAnew"),
		},
		{
			name: "scopes: what Touches reaches has no reason",
			file: "callbacks/explainwrite.go",
			old:  "case st.p.write == nil:", new: "case false:",
			killers: by("tests", "TestExplainSaysWhyTouchesMayReachAnything"),
		},
		{
			name: "scopes: rows that are added unseen leave scopes alone",
			file: "callbacks/scopes.go",
			old:  "if !tw.inserts || !bound || len(tw.change.Rows) == 0 {\n\t\tx.unscoped = true", new: "if !tw.inserts || !bound || len(tw.change.Rows) == 0 {",
			killers: by("tests", "TestWriteOfUnknownRowsUnsettlesAllScopes"),
		},
		{
			name: "scopes: a table that is read twice is limited by one of its conditions",
			file: "internal/sqltext/limits.go",
			old:  "if !p.once(main, item, items) {", new: "if main < 0 || item.table.Name == \"\" {",
			killers: limits,
		},
		{
			name: "scopes: the kept side of a left join is limited by its ON",
			file: "internal/sqltext/limits.go",
			old:  "joined.inner || joined.left && i == j", new: "joined.inner || joined.left",
			killers: limits,
		},
		{
			name: "scopes: an unqualified column is any table's",
			file: "internal/sqltext/limits.go",
			old:  "p.qualified = items > 1", new: "p.qualified = false",
			killers: limits,
		},
	}
}
