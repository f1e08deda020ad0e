package main

// otherStores are mutants of stores in memory, and over HTTP.
func otherStores() []mutant { return append(memories(), upstashes()...) }

func memories() []mutant {
	const pkg = "store/memstore"
	suite := by(pkg, "TestMemoryPassesTheSuite")
	return []mutant{
		{
			name: "memory: tokens are minted while somebody writes",
			file: "store/memstore/items.go",
			old:  "if s.writing(key) {", new: "if false {",
			killers: suite,
		},
		{
			name: "memory: a release ends the intents of others",
			file: "store/memstore/writers.go",
			old:  "\ts.forget(w, writer)\n\ts.tidy(key, w)\n}\n\n// writing", new: "\tclear(w)\n\ts.tidy(key, w)\n}\n\n// writing",
			killers: suite,
		},
		{
			name: "memory: a writer that sleeps leaves what was minted",
			file: "store/memstore/memstore.go",
			old:  "s.drop(tag.Token()) // of a writer", new: "// of a writer",
			killers: suite,
		},
		{
			name: "memory: a writer that died writes for ever",
			file: "store/memstore/writers.go",
			old:  "if until > now {", new: "if until > now || now > 0 {",
			killers: suite,
		},
		{
			name: "memory: a token comes back",
			file: "store/memstore/items.go",
			old:  "s.minted++", new: "",
			killers: by(pkg, "TestMemoryPassesTheSuite|TestTokenThatWasEvictedDoesNotComeBack"),
		},
		{
			name: "memory: writers are evicted",
			file: "store/memstore/items.go",
			old:  "\tfor s.bytes > s.max &&", new: "\tif s.bytes > s.max {\n\t\tclear(s.writers)\n\t}\n\tfor s.bytes > s.max &&",
			killers: by(pkg, "TestWritersAreNeverEvicted"),
		},
		{
			name: "memory: writers that died are kept",
			file: "store/memstore/writers.go",
			old:  "s.unswept < s.nextSweep", new: "true",
			killers: by(pkg, "TestWritersThatDiedAreForgotten"),
		},
		{
			name: "memory: what was used last goes first",
			file: "store/memstore/items.go",
			old:  "s.used.Back()", new: "s.used.Front()",
			killers: by(pkg, "TestWhatHasNotBeenUsedForLongestGoesFirst"),
		},
	}
}

func upstashes() []mutant {
	const pkg = "store/upstashstore"
	suite := by(pkg, "TestUpstashPassesTheSuite")
	return []mutant{
		{
			name: "Upstash: a replica may answer",
			file: "store/internal/script/load.lua",
			old:  "redis.call('DEL', KEYS[1])", new: "",
			killers: by(pkg, "TestReplicaThatIsTakenForThePrimaryRefuses"),
		},
		{
			name: "Upstash: bytes are sent as they are",
			file: "store/upstashstore/wire.go",
			old:  "arg = latin1(s)", new: "arg = s",
			killers: suite,
		},
		{
			name: "Upstash: a server that lost its scripts stays without",
			file: "store/upstashstore/client.go",
			old:  "if isNoScript(err) {\n\t\treturn run", new: "if false {\n\t\treturn run",
			killers: by(pkg, "TestScriptsAreSentAgainAfterTheServerLostThem"),
		},
		{
			name: "Upstash: errors in a pipeline are not seen",
			file: "store/upstashstore/client.go",
			old:  "if _, err := a.value(); err != nil {", new: "if _, err := a.value(); err != nil && false {",
			killers: by(pkg, "TestErrorInAPipelineIsFound"),
		},
		{
			name: "Upstash: nothing is tried again",
			file: "store/upstashstore/client.go",
			old:  "left == 0 ||", new: "left >= 0 ||",
			killers: by(pkg, "TestStepsAreTriedAgain"),
		},
		{
			name: "Upstash: what was refused is asked for again",
			file: "store/upstashstore/client.go",
			old:  "|| !mayPass(err)", new: "",
			killers: by(pkg, "TestRefusalsSayWhatToDo"),
		},
		{
			name: "Upstash: a redirect gets the token",
			file: "store/upstashstore/client.go",
			old:  "return http.ErrUseLastResponse", new: "return nil",
			killers: by(pkg, "TestRedirectsAreNotFollowed"),
		},
		{
			name: "Upstash: the token is printed",
			file: "store/upstashstore/options.go",
			old:  "io.WriteString(f, o.text())", new: "io.WriteString(f, o.text()+o.Token)",
			killers: by(pkg, "TestTokenIsNeverPrinted"),
		},
	}
}
