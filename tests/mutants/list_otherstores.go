package main

// otherStores are mutants of stores in memory, and over HTTP.
func otherStores() []mutant { return append(memories(), upstashes()...) }

func memories() []mutant {
	const pkg = "store/memstore"
	suite := by(pkg, "TestMemoryPassesTheSuite")
	return []mutant{
		{
			name: "memory: tokens are minted while somebody writes",
			in:   in(pkg, "Store.get"),
			old:  "s.writing(key)", new: "false",
			killers: suite,
		},
		{
			name: "memory: a release ends the intents of others",
			in:   in(pkg, "Store.leave"),
			old:  "s.forget(w, writer)", new: "clear(w)",
			killers: suite,
		},
		{
			name: "memory: a writer that sleeps leaves what was minted",
			in:   in(pkg, "Store.Release"),
			old:  "s.drop(tag.Token())", new: "",
			killers: suite,
		},
		{
			name: "memory: a writer that died writes for ever",
			in:   in(pkg, "Store.writing"),
			old:  "until > now", new: "until > now || now > 0",
			killers: suite,
		},
		{
			name: "memory: a token comes back",
			in:   in(pkg, "Store.newToken"),
			old:  "s.minted++", new: "",
			killers: by(pkg, "TestMemoryPassesTheSuite|TestTokenThatWasEvictedDoesNotComeBack"),
		},
		{
			name:    "memory: writers are evicted",
			in:      in(pkg, "Store.shrink"),
			old:     "for s.bytes > s.max && s.used.Len() > 0",
			new:     "if s.bytes > s.max { clear(s.writers) }; for s.bytes > s.max && s.used.Len() > 0",
			killers: by(pkg, "TestWritersAreNeverEvicted"),
		},
		{
			name: "memory: writers that died are kept",
			in:   in(pkg, "Store.sweep"),
			old:  "s.unswept < s.nextSweep", new: "true",
			killers: by(pkg, "TestWritersThatDiedAreForgotten"),
		},
		{
			name: "memory: what was used last goes first",
			in:   in(pkg, "Store.shrink"),
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
			in:   inText("store/internal/script/load.lua"),
			old:  "redis.call('DEL', KEYS[1])", new: "",
			killers: by(pkg, "TestReplicaThatIsTakenForThePrimaryRefuses"),
		},
		{
			name: "Upstash: bytes are sent as they are",
			in:   in(pkg, "call.command"),
			old:  "latin1(s)", new: "s",
			killers: suite,
		},
		{
			name: "Upstash: a server that lost its scripts stays without",
			in:   in(pkg, "client.eval"),
			old:  "isNoScript(err)", new: "false",
			killers: by(pkg, "TestScriptsAreSentAgainAfterTheServerLostThem"),
		},
		{
			name: "Upstash: errors in a pipeline are not seen",
			in:   in(pkg, "client.pipeline"),
			old:  "if _, err := a.value(); err != nil", new: "if _, err := a.value(); err != nil && false",
			killers: by(pkg, "TestErrorInAPipelineIsFound"),
		},
		{
			name: "Upstash: nothing is tried again",
			in:   in(pkg, "client.send"),
			old:  "left == 0", new: "left >= 0",
			killers: by(pkg, "TestStepsAreTriedAgain"),
		},
		{
			name: "Upstash: what was refused is asked for again",
			in:   in(pkg, "client.send"),
			old:  "!mayPass(err)", new: "false",
			killers: by(pkg, "TestRefusalsSayWhatToDo"),
		},
		{
			name: "Upstash: a redirect gets the token",
			in:   in(pkg, "newClient"),
			old:  "http.ErrUseLastResponse", new: "nil",
			killers: by(pkg, "TestRedirectsAreNotFollowed"),
		},
		{
			name: "Upstash: the token is printed",
			in:   in(pkg, "Options.Format"),
			old:  "o.text()", new: "o.text() + o.Token",
			killers: by(pkg, "TestTokenIsNeverPrinted"),
		},
	}
}
