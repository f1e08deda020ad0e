package main

// bounds are mutants of what keeps memory from growing with what a program sends.
func bounds() []mutant {
	return []mutant{
		{
			name: "registries are remembered without a bound",
			in:   in("internal/consistency", "registries.store"),
			old:  "r.n.Add(1) <= maxRegistries", new: "r.n.Add(1) > 0",
			killers: by("internal/consistency", "TestMemoryIsBoundedWhateverIsAskedFor"),
		},
		{
			name: "plans of long texts are bounded by their number only",
			in:   in("callbacks", "plans.get"),
			old:  "s.size+len(key.text) > maxPlanned", new: "false",
			killers: by("callbacks", "TestPlansAreBoundedByNumberAndByLength"),
		},
		{
			name: "tables that do not exist are remembered",
			in:   in("callbacks", "snapshot.table"),
			old:  "!known", new: "!known && false",
			killers: by("callbacks", "TestTablesThatDoNotExistAreNotRemembered"),
		},
		{
			name: "a transaction remembers every row that it touches",
			in:   in("callbacks", "effect.addRow"),
			old:  "!known && (inserted || x.isBulk())", new: "!known && x.bulk",
			killers: by("callbacks", "TestRowsOfATransactionAreRememberedUpToABound"),
		},
		{
			name: "Close waits for Redis, whatever its context says",
			in:   in("internal/consistency", "Protocol.Close"),
			old:  "p.keeper.drain(ctx)", new: "p.keeper.drain(context.WithoutCancel(ctx))",
			killers: by("tests/histories", "TestCloseIsBoundedWhileRedisHangs"),
		},
	}
}
