package main

// transactions are mutants that misjudge when a transaction ends, and how.
func transactions() []mutant {
	return []mutant{
		{
			name: "what a server refuses without a state of its own is in doubt",
			in:   in("callbacks", "verdict.outcome"),
			old:  "!v.general()", new: "true",
			killers: by("tests", "TestStatementThatTheServerRefusesIsNotInDoubt"),
		},
		{
			name: "a statement that failed has left nothing, whatever it was",
			in:   in("callbacks", "statement.atomic"),
			old:  "st.p == nil || len(st.p.script.Parts) != 1", new: "st.p == nil",
			killers: by("tests", "TestTextThatFailsHalfWay"),
		},
		{
			name: "a COMMIT whose driver panics keeps its intent alive",
			in:   in("internal/txpool", "commit"),
			old:  "defer func() { o.Committed(err) }()", new: "defer func() { if err != ErrPanic { o.Committed(err) } }()",
			killers: by("internal/txpool", "TestPanicOfTheDriverInCommitIsTold"),
		},
		{
			name: "a transaction is invalidated at its statements, not at its commit",
			in:   in("callbacks", "shim.announceInTransaction"),
			old:  "tx := observer.(*transaction)",
			new: `var now effects
			s.effects(st, &now, false)
			return s.intend(st, id, &now)
			tx := observer.(*transaction)`,
			killers: by("tests", "TestReadInsideTransactionGoesToTheDatabase"),
		},
		{
			name: "what follows in a transaction that has failed waits for its end",
			in:   in("callbacks", "shim.failed"),
			old:  "tx.over(true)", new: "_ = tx",
			killers: by("tests", "TestMySQLTransactionEndedByADeadlock"),
		},
		{
			name: "what a transaction wrote is never announced",
			in:   in("callbacks", "transaction.announce"),
			old:  "t.effects.empty() && !t.calls", new: "true",
			killers: by("tests", "TestReadInsideTransactionGoesToTheDatabase"),
		},
		{
			name: "a transaction is announced after its COMMIT",
			in:   in("internal/txpool", "commit"),
			old: `if err := o.BeforeCommit(on); err != nil {
				_ = tx.Rollback()
				o.RolledBack()
				return err
			}
			err := ErrPanic`,
			new:     "err := ErrPanic; defer func() { _ = o.BeforeCommit(on) }()",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_intend,_by_key"),
		},
		{
			name: "a transaction is over before its COMMIT is sent",
			in:   in("internal/txpool", "commit"),
			old:  "defer func() { o.Committed(err) }()", new: "o.Committed(nil)",
			killers: by("tests", "TestSlowCommit"),
		},
		{
			name: "a transaction that was refused is committed",
			in:   in("internal/txpool", "commit"),
			old:  "err != nil", new: "err != nil && false",
			killers: by("internal/txpool", "TestEndOfATransactionIsTold"),
		},
		{
			name: "what a transaction defines is learned before it commits",
			in:   in("callbacks", "shim.defines"),
			old:  "tx.defines()", new: "false && tx.defines()",
			killers: by("tests", "TestDefinitionThatWasRolledBackIsForgotten"),
		},
		{
			name: "a function is taken for what it was when the catalog was read",
			in:   in("callbacks", "snapshot.build"),
			old:  "!k.graph.KeepsTables(call)", new: "false",
			killers: by("tests", "TestFunctionOfAMigrationElsewhereWrites"),
		},
		{
			name: "a COMMIT as text makes nothing permanent",
			in:   in("callbacks", "snapshot.writes"),
			old:  "s.Commits(k.graph.Dialect())", new: "false",
			killers: by("tests", "TestTransactionsEndedBySQL"),
		},
		{
			name: "a COMMIT as text counts when GORM commits",
			in:   in("callbacks", "snapshot.writes"),
			old:  "w.commits = true", new: "",
			killers: by("tests", "TestTransactionThatEndsByAText"),
		},
		{
			name: "a transaction of an unknown type is over when its statement is",
			in:   in("callbacks", "shim.announceInTransaction"),
			old:  "w.unseen = true", new: "",
			killers: by("tests", "TestTransactionsOfUnknownTypesAreNeverStale"),
		},
		{
			name: "transactions with prepared statements are not found",
			in:   in("internal/txpool", "find"),
			old:  "pool = p.Tx", new: "return nil",
			killers: by("internal/txpool", "TestTransactionIsFoundInWhatHoldsIt"),
		},
		{
			name: "a COMMIT without an answer was rolled back",
			in:   in("callbacks", "outcome"),
			old:  "metrics.InDoubt", new: "metrics.RolledBack",
			killers: by("tests", "TestCommitInDoubtIsNeverStale"),
		},
		{
			name: "a COMMIT in doubt is released at once",
			in:   in("internal/consistency", "Write.End"),
			old:  "outcome == metrics.InDoubt || outcome == metrics.Unseen", new: "outcome == metrics.Unseen",
			killers: by("internal/consistency", "TestCommitInDoubtKeepsReadersFromCachingUntilItIsSettled"),
		},
		{
			name: "a handle whose plugin is closed goes on as if it were not",
			in:   in("callbacks", "Hooks.enter"),
			old:  "h.closed.Load()", new: "false",
			killers: by("tests", "TestHandleOfAClosedPluginGoesToTheDatabase"),
		},
		{
			name: "Close ends rows that are being read",
			in:   in("callbacks", "Hooks.Close"),
			old:  "h.active.Load() > 0", new: "false",
			killers: by("tests", "TestCloseWhileTheHandleIsUsed"),
		},
		{
			name: "the catalog is asked on a second connection inside a transaction",
			in:   in("callbacks", "shim.held"),
			old:  "s.inTransaction() || s.pinned()", new: "false",
			killers: by("tests", "TestPoolOfOneConnectionDoesNotHang/plain"),
		},
	}
}
