package main

// bounds are mutants of what keeps memory from growing with what a program sends.
func bounds() []mutant {
	return []mutant{
		{
			name: "registries are remembered without a bound",
			file: "internal/consistency/registry.go",
			old:  "r.n.Add(1) <= maxRegistries", new: "r.n.Add(1) > 0",
			killers: by("internal/consistency", "TestMemoryIsBoundedWhateverIsAskedFor"),
		},
		{
			name: "plans of long texts are bounded by their number only",
			file: "callbacks/plan.go",
			old:  " || s.size+len(key.text) > maxPlanned", new: "",
			killers: by("callbacks", "TestPlansAreBoundedByNumberAndByLength"),
		},
		{
			name: "tables that do not exist are remembered",
			file: "callbacks/knowledge.go",
			old:  "_, known := k.graph.Table(name); !known {", new: "_, known := k.graph.Table(name); !known && false {",
			killers: by("callbacks", "TestTablesThatDoNotExistAreNotRemembered"),
		},
		{
			name: "a transaction remembers every row that it touches",
			file: "callbacks/effects.go",
			old:  "!known && (inserted || x.isBulk())", new: "!known && x.bulk",
			killers: by("callbacks", "TestRowsOfATransactionAreRememberedUpToABound"),
		},
		{
			name: "Close waits for Redis, whatever its context says",
			file: "internal/consistency/protocol.go",
			old:  "err := p.keeper.drain(ctx)", new: "err := p.keeper.drain(context.WithoutCancel(ctx))",
			killers: by("tests/histories", "TestCloseIsBoundedWhileRedisHangs"),
		},
	}
}
