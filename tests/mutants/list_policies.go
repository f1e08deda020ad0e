package main

// policies are mutants that keep answers for another time than was said.
func policies() []mutant {
	return []mutant{
		{
			name: "a model that does not tell what it reads is cached",
			in:   in("callbacks", "modelWalk.depends"),
			old:  "w.policies.never(table, s.ModelType.String())", new: "_ = 0",
			killers: by("tests", "TestModelThatPanicsWhenAskedWhatItReadsIsNotCached"),
		},
		{
			name: "a count is taken for a list",
			in:   in("callbacks", "kindOfAnswer"),
			old:  "s.Aggregate", new: "false",
			killers: by("tests", "TestEachKindOfAnswerHasItsOwnTimeToLive"),
		},
		{
			name: "groups are taken for a count",
			in:   in("internal/sqltext", "parser.aggregates"),
			old:  `p.at(i + 1).is("by")`, new: "false",
			killers: by("internal/sqltext", "TestAggregatesAreToldFromLists"),
		},
		{
			name: "a statement turns on what its policy turns off",
			in:   in("callbacks", "query.times"),
			old:  "asked > 0 && t.ttl != ttlconfig.Off", new: "asked > 0",
			killers: by("tests", "TestKindThatIsOffIsNotCached"),
		},
		{
			name: "absent rows are stored though that is off",
			in:   in("internal/consistency", "read.fills"),
			old:  "f.ttl > 0", new: "true",
			killers: by("internal/consistency", "TestAbsentRowsAreNotStoredIfThatIsOff"),
		},
		{
			name: "a policy of Config.Models hides what the model says besides",
			in:   in("ttlconfig", "NewTables"),
			old:  "t.of(name)", new: "t.fallback",
			killers: by("ttlconfig", "TestTablesTakeWhatOnePolicyLeavesOpenFromTheNext"),
		},
		{
			name: "several tables are kept as long as the first",
			in:   in("ttlconfig", "Tables.For"),
			old:  "p = p.Stricter(t.of(name))", new: "_ = name",
			killers: by("ttlconfig", "TestTablesUseTheStrictestPolicy"),
		},
		{
			name: "a model that panics takes the application down",
			in:   in("callbacks", "carried"),
			old:  "recover()", new: "any(nil)",
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
			in:   in(pkg, "read.lately"),
			old:  "age < 0 || age > within", new: "age < 0",
			killers: by(pkg, "TestStaleAnswerThatIsTooOldIsNotServed"),
		},
		{
			name: "StaleOK believes an answer from the future",
			in:   in(pkg, "read.lately"),
			old:  "age < 0 || age > within", new: "age > within",
			killers: by(pkg, "TestAnswerFromTheFutureIsNotServedStale"),
		},
		{
			name: "StaleOK serves what was stored under another schema",
			in:   in(pkg, "read.lately"),
			old:  "!ok || !r.pinned(e.Tags, sealed)", new: "!ok",
			killers: by(pkg, "TestNothingIsServedStaleFromBeforeTheSchemaChanged"),
		},
		{
			name: "StaleOK takes an absence that is not confirmed for current",
			in:   in(pkg, "read.current"),
			old:  "r.payloads == nil || r.absent && !r.confirmed", new: "r.payloads == nil",
			killers: by(pkg, "TestAbsenceThatIsNotConfirmedCountsAsStale"),
		},
		{
			name: "reads in the background have no bound",
			in:   in(pkg, "New"),
			old:  "make(chan struct{}, maxRenewals)", new: "make(chan struct{}, maxFills)",
			killers: by(pkg, "TestReaderThatCannotHaveItReadAnewWaits"),
		},
		{
			name: "a read in the background outlives the plugin",
			in:   in(pkg, "Protocol.renew"),
			old:  "defer context.AfterFunc(p.stopped, cancel)()", new: "",
			killers: by(pkg, "TestCloseEndsRenewals"),
		},
		{
			name: "a read in the background uses arguments that may change",
			in:   in("callbacks", "frozen"),
			old:  "!plain(reflect.TypeOf(arg))", new: "false",
			killers: by("callbacks", "TestArgumentsThatNobodyCanChangeAreFrozen"),
		},
		{
			name: "TTL accepts any age",
			in:   in(pkg, "read.serve"),
			old:  "r.tooOld(sealed)", new: "false",
			killers: by(pkg, "TestAnswerThatIsOlderThanAskedForIsAMiss"),
		},
		{
			name: "ReadOnly is ignored",
			in:   in("callbacks", "query.readOnly"),
			old:  "q.st.control.ReadOnly", new: "false",
			killers: by("tests", "TestReadOnlyIsServedAndStoresNothing"),
		},
		{
			name: "a control that is wrong is ignored",
			in:   in("callbacks", "Hooks.aroundWith"),
			old:  "s.control.Wrong != nil", new: "false",
			killers: by("tests", "TestControlThatIsWrongIsAnErrorOfTheStatement"),
		},
	}
}
