package main

// databases are mutants that take one database for another, or MySQL and others for PostgreSQL.
func databases() []mutant {
	return []mutant{
		{
			name: "a database is asked only once what it is",
			file: "callbacks/knowledge.go",
			old:  "if before != nil && from.held {", new: "if before != nil {",
			killers: by("tests", "TestSessionsWhoseRoleGotOtherSettingsDoNotMix"),
		},
		{
			name: "a transaction does not ask whether its plans still hold",
			file: "callbacks/transaction.go",
			old:  "if <-current {\n		return nil\n	}\n	t.d.changed()", new: "<-current\n	if true {\n		return nil\n	}\n	t.d.changed()",
			killers: by("tests", "TestWriteThatWaitsForAMigration$"),
		},
		{
			name: "a statement does not ask whether its plan still holds",
			file: "callbacks/write.go",
			old:  "if <-current {\n		return\n	}", new: "<-current\n	if true {\n		return\n	}",
			killers: by("tests", "TestStatementThatWaitsForAMigration"),
		},
		{
			name: "what is learned in a transaction that defines is kept",
			file: "callbacks/shim.go",
			old:  "return ok && state == txpool.Observed && tx.defines()", new: "return false && ok && state == txpool.Observed && tx.defines()",
			killers: by("tests", "TestWriteThatWaitsForAMigrationThatIsRolledBack"),
		},
		{
			name: "a trigger that changes the key of a row goes unnoticed",
			file: "relations/graph.go",
			old:  "t.Rekeyed = g.rekeyed(t)", new: "t.Rekeyed = false",
			killers: by("tests", "TestTriggerThatChangesTheKeyOfARow"),
		},
		{
			name: "a statement behind a failure waits for a COMMIT",
			file: "callbacks/transaction.go",
			old:  "if err == nil || st.d.lexer == sqltext.Postgres || !s.inTransaction() {", new: "if true {",
			killers: by("tests", "TestStatementsAfterSQLiteHasRolledBackAreAnnounced"),
		},
		{
			name: "what MySQL commits by itself is no COMMIT",
			file: "internal/sqltext/mysql.go",
			old:  "return s.Changes[0].Op == Truncate", new: "return false",
			killers: by("internal/sqltext", "TestMySQLCommitsByItself"),
		},
		{
			name: "two bars are no OR in MySQL",
			file: "internal/sqltext/condition.go",
			old:  `p.at(i).is("|") && p.at(i+1).is("|") && p.dialect == MySQL`, new: "false",
			killers: by("internal/sqltext", "TestMySQLSpellingsOfOr"),
		},
		{
			name: "only the first table of an UPDATE counts",
			file: "internal/sqltext/mysql.go",
			old:  "		p.updated(j + 1)\n", new: "",
			killers: by("tests", "TestMySQLIsCachedAndInvalidated/^plain$"),
		},
		{
			name: "a comment that MySQL carries out is skipped",
			file: "internal/sqltext/lexer.go",
			old:  `if l.at("/*!") || `, new: `if `,
			killers: by("internal/sqltext", "TestMySQLClasses"),
		},
		{
			name: "MySQL's variables do not count",
			file: "internal/sqltext/scan.go",
			old:  `case t.is("@") && p.dialect == MySQL:`, new: "case false:",
			killers: by("internal/sqltext", "TestMySQLVolatileAnswers"),
		},
		{
			name: "tables of engines without transactions are cached",
			file: "internal/catalog/mysql.go",
			old:  "switch strings.ToLower(engine) {", new: `switch "innodb" {`,
			killers: by("internal/catalog", "TestMySQLTellsWhatIsInIt"),
		},
		{
			name: "sessions of MySQL that read what is not committed are served",
			file: "internal/catalog/mysql.go",
			old:  `if settings[name] == "READ-UNCOMMITTED" {`, new: "if false {",
			killers: by("internal/catalog", "TestMySQLSessionsThatGetOtherAnswersAreToldApart"),
		},
		{
			name: "long texts are names of MySQL's integers",
			file: "keying/primarykey.go",
			old:  "text && len(s) > maxLoose || ", new: "text && false || ",
			killers: by("keying", "TestLooseIntegersHaveNamesOnlyWhereTheyAreOneNumber"),
		},
		{
			name: "tables of other databases of a server are cached",
			file: "relations/graph.go",
			old:  `g.own != "" && r.Schema != "" && r.Schema != g.own`, new: "false",
			killers: by("relations", "TestOtherDatabasesOfAServer"),
		},
		{
			name: "unsigned integers become signed ones",
			file: "internal/rowcodec/value.go",
			old:  "case Uint:\n\t\treturn v.Uint()", new: "case Uint:\n\t\treturn v.Int()",
			killers: by("internal/rowcodec", "TestMySQLRowsComeBackAsTheDriverReturnedThem"),
		},
	}
}
