package main

// databases are mutants that take one database for another, or MySQL and others for PostgreSQL.
func databases() []mutant {
	return []mutant{
		{
			name: "a table that is made anew is the table of before",
			in:   in("relations", "identity.read"),
			old:  "t == nil", new: "t == nil || true",
			killers: by("tests", "TestTableThatSomebodyElseMakesAnewIsSeenWithinAMinute"),
		},
		{
			name: "a function that is replaced is the function of before",
			in:   in("relations", "Graph.Identity"),
			old:  "r.identity.calls || g.callsUnnamed(text)", new: "false && g.callsUnnamed(text)",
			killers: by("relations", "TestIdentityOfWhatAQueryReads"),
		},
		{
			name: "what was planned outlives a change of the schema",
			in:   in("callbacks", "database.learned"),
			old:  "before.digest == digest", new: "before.digest != \"\"",
			killers: by("tests", "TestTableThatSomebodyElseMakesAnewIsSeenWithinAMinute"),
		},
		{
			name: "what was planned is thrown away at each reading of the catalog",
			in:   in("callbacks", "database.learned"),
			old:  "before.digest == digest", new: "before.digest == digest && false",
			killers: by("callbacks", "TestPlansAreKeptWhileTheCatalogSaysTheSame"),
		},
		{
			name: "the schema is read again only when a statement needs it",
			in:   in("callbacks", "database.know"),
			old:  "k.quiet < maxQuiet", new: "false && k.quiet < maxQuiet",
			killers: by("tests", "TestSchemaIsLookedAtBehindTheStatements"),
		},
		{
			name: "the schema is read again for ever",
			in:   in("callbacks", "database.know"),
			old:  "k.quiet < maxQuiet", new: "k.quiet < 1000*maxQuiet",
			killers: by("tests", "TestSchemaIsLookedAtBehindTheStatements"),
		},
		{
			name: "a database is asked only once what it is",
			in:   in("callbacks", "database.identify"),
			old:  "before != nil && from.held", new: "before != nil",
			killers: by("tests", "TestSessionsWhoseRoleGotOtherSettingsDoNotMix"),
		},
		{
			name: "a migration has the schema read for each of its statements",
			in:   in("callbacks", "shim.needsNoReading"),
			old:  "p.needsNoSchema(), p.readsCatalog(d.lexer)", new: "false && p.needsNoSchema()",
			killers: by("tests", "TestMigrationReadsTheCatalogForItselfOnly"),
		},
		{
			name: "a table that is new is taken for one of the database's own",
			in:   in("callbacks", "plan.readsCatalog"),
			old:  "!relations.System(r)", new: "false && !relations.System(r)",
			killers: by("tests", "TestTablesMadeElsewhereAreCachedSoon"),
		},
		{
			name: "a transaction does not ask whether its plans still hold",
			in:   in("callbacks", "transaction.announce"),
			old:  "<-current", new: "<-current || true",
			killers: by("tests", "TestWriteThatWaitsForAMigration$"),
		},
		{
			name: "a statement does not ask whether its plan still holds",
			in:   in("callbacks", "autocommit.end"),
			old:  "<-current", new: "<-current || true",
			killers: by("tests", "TestStatementThatWaitsForAMigration"),
		},
		{
			name: "what is learned in a transaction that defines is kept",
			in:   in("callbacks", "shim.defines"),
			old:  "tx.defines()", new: "false && tx.defines()",
			killers: by("tests", "TestWriteThatWaitsForAMigrationThatIsRolledBack"),
		},
		{
			name: "a trigger that changes the key of a row goes unnoticed",
			in:   in("relations", "New"),
			old:  "g.rekeyed(t)", new: "false",
			killers: by("tests", "TestTriggerThatChangesTheKeyOfARow"),
		},
		{
			name: "a statement behind a failure waits for a COMMIT",
			in:   in("callbacks", "shim.failed"),
			old:  "err == nil || st.d.lexer == sqltext.Postgres || !s.inTransaction()", new: "true",
			killers: by("tests", "TestStatementsAfterSQLiteHasRolledBackAreAnnounced"),
		},
		{
			name: "what MySQL commits by itself is no COMMIT",
			in:   in("internal/sqltext", "Statement.Commits"),
			old:  "s.Changes[0].Op == Truncate", new: "false",
			killers: by("internal/sqltext", "TestMySQLCommitsByItself"),
		},
		{
			name: "two bars are no OR in MySQL",
			in:   in("internal/sqltext", "parser.hasOr"),
			old:  `p.at(i).is("|") && p.at(i+1).is("|") && p.dialect == MySQL`, new: "false",
			killers: by("internal/sqltext", "TestMySQLSpellingsOfOr"),
		},
		{
			name: "only the first table of an UPDATE counts",
			in:   in("internal/sqltext", "parser.several"),
			old:  "p.updated(j + 1)", new: "",
			killers: by("tests", "TestMySQLIsCachedAndInvalidated/^plain$"),
		},
		{
			name: "a comment that MySQL carries out is skipped",
			in:   in("internal/sqltext", "lexer.blockComment"),
			old:  `l.at("/*!")`, new: "false",
			killers: by("internal/sqltext", "TestMySQLClasses"),
		},
		{
			name: "MySQL's variables do not count",
			in:   in("internal/sqltext", "parser.punct"),
			old:  `t.is("@") && p.dialect == MySQL`, new: "false",
			killers: by("internal/sqltext", "TestMySQLVolatileAnswers"),
		},
		{
			name: "tables of engines without transactions are cached",
			in:   in("internal/catalog", "mysqlKind"),
			old:  "strings.ToLower(engine)", new: `"innodb"`,
			killers: by("internal/catalog", "TestMySQLTellsWhatIsInIt"),
		},
		{
			name: "sessions of MySQL that read what is not committed are served",
			in:   in("internal/catalog", "mysqlRefuses"),
			old:  `settings[name] == "READ-UNCOMMITTED"`, new: "false",
			killers: by("internal/catalog", "TestMySQLSessionsThatGetOtherAnswersAreToldApart"),
		},
		{
			name: "long texts are names of MySQL's integers",
			in:   in("keying", "primaryKeyPart"),
			old:  "len(s) > maxLoose", new: "false",
			killers: by("keying", "TestLooseIntegersHaveNamesOnlyWhereTheyAreOneNumber"),
		},
		{
			name: "tables of other databases of a server are cached",
			in:   in("relations", "Graph.Elsewhere"),
			old:  `g.own != "" && r.Schema != "" && r.Schema != g.own`, new: "false",
			killers: by("relations", "TestOtherDatabasesOfAServer"),
		},
		{
			name: "unsigned integers become signed ones",
			in:   in("internal/rowcodec", "Value.Driver"),
			old:  "v.Uint()", new: "v.Int()",
			killers: by("internal/rowcodec", "TestMySQLRowsComeBackAsTheDriverReturnedThem"),
		},
	}
}
