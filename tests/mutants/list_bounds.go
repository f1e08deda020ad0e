package main

// bounds are mutants of what keeps memory from growing with what a program sends.
func bounds() []mutant {
	return []mutant{
		{
			name: "a plan weighs what its text does",
			in:   in("callbacks", "plan.weight"),
			old:  "250*p.script.Values", new: "0*p.script.Values",
			killers: by("callbacks", "TestMemoryOfPlansIsBounded"),
		},
		{
			name: "servers that have left a Cluster are remembered",
			in:   in("store/redisstore", "cluster.sweep"),
			old:  "!m.(*member).used.Swap(false)", new: "false && !m.(*member).used.Swap(false)",
			killers: by("store/redisstore", "TestServersThatHaveLeftTheClusterAreForgotten"),
		},
		{
			name: "registries are remembered without a bound",
			in:   in("internal/consistency", "registries.store"),
			old:  "r.n.Add(1) <= maxRegistries", new: "r.n.Add(1) > 0",
			killers: by("internal/consistency", "TestMemoryIsBoundedWhateverIsAskedFor"),
		},
		{
			name: "plans of long texts are bounded by their number only",
			in:   in("callbacks", "plans.get"),
			old:  "s.weight+weight > maxPlanned", new: "false",
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
