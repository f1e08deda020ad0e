package main

// policies are mutants that keep answers for another time than was said.
func policies() []mutant {
	return []mutant{
		{
			name: "a count is taken for a list",
			file: "callbacks/times.go",
			old:  "if s.Aggregate {", new: "if false {",
			killers: by("tests", "TestEachKindOfAnswerHasItsOwnTimeToLive"),
		},
		{
			name: "groups are taken for a count",
			file: "internal/sqltext/aggregate.go",
			old:  "if p.at(i + 1).is(\"by\") {", new: "if false {",
			killers: by("internal/sqltext", "TestAggregatesAreToldFromLists"),
		},
		{
			name: "a statement turns on what its policy turns off",
			file: "callbacks/times.go",
			old:  "asked > 0 && t.ttl != ttlconfig.Off {", new: "asked > 0 {",
			killers: by("tests", "TestKindThatIsOffIsNotCached"),
		},
		{
			name: "absent rows are stored though that is off",
			file: "internal/consistency/fill.go",
			old:  "if f.ttl > 0 {", new: "if true {",
			killers: by("internal/consistency", "TestAbsentRowsAreNotStoredIfThatIsOff"),
		},
		{
			name: "a policy of Config.Models hides what the model says besides",
			file: "ttlconfig/tables.go",
			old:  "p.WithDefaults(t.of(name))", new: "p.WithDefaults(t.fallback)",
			killers: by("ttlconfig", "TestTablesTakeWhatOnePolicyLeavesOpenFromTheNext"),
		},
		{
			name: "several tables are kept as long as the first",
			file: "ttlconfig/tables.go",
			old:  "p = p.Stricter(t.of(name))", new: "_ = name",
			killers: by("ttlconfig", "TestTablesUseTheStrictestPolicy"),
		},
		{
			name: "a model that panics takes the application down",
			file: "callbacks/policies.go",
			old:  "r := recover(); r != nil", new: "r := any(nil); r != nil",
			killers: by("tests", "TestPolicyThatCannotBeUsedIsAnErrorOfUse"),
		},
	}
}

// relaxations are mutants of what a statement may ask for.
func relaxations() []mutant {
	const pkg = "internal/consistency"
	return []mutant{
		{
			name: "StaleOK has no bound",
			file: "internal/consistency/stale.go",
			old:  "age < 0 || age > within", new: "age < 0",
			killers: by(pkg, "TestStaleAnswerThatIsTooOldIsNotServed"),
		},
		{
			name: "StaleOK believes an answer from the future",
			file: "internal/consistency/stale.go",
			old:  "age < 0 || age > within", new: "age > within",
			killers: by(pkg, "TestAnswerFromTheFutureIsNotServedStale"),
		},
		{
			name: "StaleOK serves what was stored under another schema",
			file: "internal/consistency/stale.go",
			old:  "!ok || !r.pinned(e.Tags, sealed)", new: "!ok",
			killers: by(pkg, "TestNothingIsServedStaleFromBeforeTheSchemaChanged"),
		},
		{
			name: "StaleOK takes an absence that is not confirmed for current",
			file: "internal/consistency/stale.go",
			old:  "r.payloads == nil || r.absent && !r.confirmed", new: "r.payloads == nil",
			killers: by(pkg, "TestAbsenceThatIsNotConfirmedCountsAsStale"),
		},
		{
			name: "reads in the background have no bound",
			file: "internal/consistency/protocol.go",
			old:  "make(chan struct{}, maxRenewals)", new: "make(chan struct{}, maxFills)",
			killers: by(pkg, "TestReaderThatCannotHaveItReadAnewWaits"),
		},
		{
			name: "a read in the background outlives the plugin",
			file: "internal/consistency/stale.go",
			old:  "defer context.AfterFunc(p.stopped, cancel)()", new: "",
			killers: by(pkg, "TestCloseEndsRenewals"),
		},
		{
			name: "a read in the background uses arguments that may change",
			file: "callbacks/detach.go",
			old:  "if !plain(reflect.TypeOf(arg)) {", new: "if false {",
			killers: by("callbacks", "TestArgumentsThatNobodyCanChangeAreFrozen"),
		},
		{
			name: "TTL accepts any age",
			file: "internal/consistency/read.go",
			old:  "if r.tooOld(sealed) {", new: "if false {",
			killers: by(pkg, "TestAnswerThatIsOlderThanAskedForIsAMiss"),
		},
		{
			name: "TTL is served together with what is older",
			file: "internal/consistency/database.go",
			old:  "string(append(b, r.aged...))", new: "string(b)",
			killers: by(pkg, "TestAnswerThatIsOlderThanAskedForIsAMiss"),
		},
		{
			name: "ReadOnly is ignored",
			file: "callbacks/query.go",
			old:  "case q.st.control.ReadOnly:", new: "case false:",
			killers: by("tests", "TestReadOnlyIsServedAndStoresNothing"),
		},
		{
			name: "a control that is wrong is ignored",
			file: "callbacks/hooks.go",
			old:  "if s.control.Wrong != nil {", new: "if false {",
			killers: by("tests", "TestControlThatIsWrongIsAnErrorOfTheStatement"),
		},
	}
}
