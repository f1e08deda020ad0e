package main

// reports are mutants of what the cache reports about itself.
func reports() []mutant {
	const prom = "metrics/prom"
	return []mutant{
		{
			name: "every table has series of its own",
			in:   in(prom, "maxTables"),
			old:  "200", new: "5000",
			killers: by(prom, "TestTablesThatHaveSeriesOfTheirOwnAreBounded"),
		},
		{
			name: "copies of a tag count",
			in:   in(prom, "events.invalidated"),
			old:  "tag == before", new: `tag == before && tag == ""`,
			killers: by(prom, "TestEventsAreCounted"),
		},
		{
			name: "a server that two plugins see counts twice",
			in:   in(prom, "pulled.servers"),
			old:  "!servers[s.ServerName]", new: "true",
			killers: by(prom, "TestPluginsShareTheMetricsOfARegisterer"),
		},
		{
			name: "a scrape waits for Redis",
			in:   in(prom, "probe.end"),
			old:  "<-ctx.Done()", new: "<-over",
			killers: by(prom, "TestScrapeWaitsNoLongerThanTheTimeout"),
		},
		{
			name: "Redis is asked at each scrape",
			in:   in(prom, "serverAge"),
			old:  "30 * time.Second", new: "0",
			killers: by(prom, "TestServerIsNotAskedAtEachScrape"),
		},
		{
			name: "metrics stay when their plugin is closed",
			in:   in(".", "Plugin.stop"),
			old:  "p.unobserve()", new: "",
			killers: by("tests", "TestMetricsGoWithTheirPlugin"),
		},
		{
			name: "errors of Redis are not counted",
			in:   in("internal/breaker", "Store.try"),
			old:  "err != nil", new: "err == nil",
			killers: by("tests", "TestMetricsTellThatRedisIsAwayAndBack"),
		},
		{
			name: "a command that is forbidden fails the sample",
			in:   in("store/redisstore", "Sampler.check"),
			old:  "!isRefusal(err)", new: "true",
			killers: by("store/redisstore", "TestSampleDoesWithoutCommandsThatAreForbidden"),
		},
		{
			name: "keys of others count as the cache's",
			in:   in("store/redisstore", "Sampler.weigh"),
			old:  "!strings.HasPrefix(key.Val(), s.prefix)", new: "false",
			killers: by("store/redisstore", "TestSampleEstimatesWhatIsTheCaches"),
		},
		{
			name: "the log is not sampled",
			in:   in("metrics", "sampler.admit"),
			old:  "s.n == logged", new: "false",
			killers: by("metrics", "TestLogIsSampled"),
		},
		{
			name: "the cause of a cascade is the statement",
			in:   in("callbacks", "effects.add"),
			old:  "e.changed(k.table(name), metrics.CauseDatabase).bulk", new: "e.changed(k.table(name), cause).bulk",
			killers: by("tests", "TestWriteEventsNameTheirCauses"),
		},
	}
}
