package main

// transactions are mutants that misjudge when a transaction ends, and how.
func transactions() []mutant {
	return []mutant{
		{
			name: "a transaction is invalidated at its statements, not at its commit",
			file: "callbacks/write.go",
			old:  "case txpool.Observed:",
			new: `case txpool.Observed:
		var now effects
		s.effects(st, &now, false)
		return s.intend(st, id, &now)`,
			killers: by("tests", "TestReadInsideTransactionGoesToTheDatabase"),
		},
		{
			name: "what a transaction wrote is never announced",
			file: "callbacks/transaction.go",
			old:  "if t.effects.empty() && !t.calls {", new: "if true {",
			killers: by("tests", "TestReadInsideTransactionGoesToTheDatabase"),
		},
		{
			name: "a transaction is announced after its COMMIT",
			file: "internal/txpool/txpool.go",
			old: `if err := o.BeforeCommit(on); err != nil {
		_ = tx.Rollback() // the error that counts is the observer's
		o.RolledBack()
		return err
	}
	err := tx.Commit()`,
			new:     "err := tx.Commit()\n\t_ = o.BeforeCommit(on)",
			killers: by("tests", "TestReadsBetweenTheStepsOfAWrite/before_intend,_by_key"),
		},
		{
			name: "a transaction is over before its COMMIT is sent",
			file: "internal/txpool/txpool.go",
			old:  "err := tx.Commit()\n\to.Committed(err)", new: "o.Committed(nil)\n\terr := tx.Commit()",
			killers: by("tests", "TestSlowCommit"),
		},
		{
			name: "a transaction that was refused is committed",
			file: "internal/txpool/txpool.go",
			old:  "if err := o.BeforeCommit(on); err != nil {", new: "if err := o.BeforeCommit(on); err != nil && false {",
			killers: by("internal/txpool", "TestEndOfATransactionIsTold"),
		},
		{
			name: "what a transaction defines is learned before it commits",
			file: "callbacks/shim.go",
			old:  "return ok && state == txpool.Observed && tx.defines()", new: "return ok && state == txpool.Observed && tx.defines() && false",
			killers: by("tests", "TestDefinitionThatWasRolledBackIsForgotten"),
		},
		{
			name: "a function is taken for what it was when the catalog was read",
			file: "callbacks/plan.go",
			old:  "p.calls = p.script.Calls(", new: "p.calls = false && p.script.Calls(",
			killers: by("tests", "TestFunctionOfAMigrationElsewhereWrites"),
		},
		{
			name: "a COMMIT as text makes nothing permanent",
			file: "callbacks/writeplan.go",
			old:  "w.commits = true\n\t\t\tw.anything(metrics.CauseUnknown, ", new: "_ = w.explain\n\t\t\t_ = string(",
			killers: by("tests", "TestTransactionsEndedBySQL"),
		},
		{
			name: "a COMMIT as text counts when GORM commits",
			file: "callbacks/writeplan.go",
			old:  "w.commits = true\n\t\t\tw.anything(", new: "w.anything(",
			killers: by("tests", "TestTransactionThatEndsByAText"),
		},
		{
			name: "a transaction of an unknown type is over when its statement is",
			file: "callbacks/write.go",
			old:  "w.unseen = true", new: "",
			killers: by("tests", "TestTransactionsOfUnknownTypesAreNeverStale"),
		},
		{
			name: "transactions with prepared statements are not found",
			file: "internal/txpool/txpool.go",
			old:  "pool = p.Tx", new: "return nil",
			killers: by("internal/txpool", "TestTransactionIsFoundInWhatHoldsIt"),
		},
		{
			name: "a COMMIT without an answer was rolled back",
			file: "callbacks/transaction.go",
			old:  "default:\n\t\treturn metrics.InDoubt", new: "default:\n\t\treturn metrics.RolledBack",
			killers: by("tests", "TestCommitInDoubtIsNeverStale"),
		},
		{
			name: "a COMMIT in doubt is released at once",
			file: "internal/consistency/write.go",
			old:  "if outcome == metrics.InDoubt || outcome == metrics.Unseen {", new: "if outcome == metrics.Unseen {",
			killers: by("internal/consistency", "TestCommitInDoubtKeepsReadersFromCachingUntilItIsSettled"),
		},
		{
			name: "a handle whose plugin is closed goes on as if it were not",
			file: "callbacks/hooks.go",
			old:  "if h.closed.Load() {\n\t\th.exit()", new: "if false {\n\t\th.exit()",
			killers: by("tests", "TestHandleOfAClosedPluginGoesToTheDatabase"),
		},
		{
			name: "Close ends rows that are being read",
			file: "callbacks/hooks.go",
			old:  "if h.active.Load() > 0 {", new: "if false {",
			killers: by("tests", "TestCloseWhileTheHandleIsUsed"),
		},
		{
			name: "the catalog is asked on a second connection inside a transaction",
			file: "callbacks/shim.go",
			old:  "if s.inTransaction() || s.pinned() {", new: "if false {",
			killers: by("tests", "TestPoolOfOneConnectionDoesNotHang/plain"),
		},
	}
}
