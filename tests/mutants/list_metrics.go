package main

// reports are mutants of what the cache reports about itself.
func reports() []mutant {
	const prom = "metrics/prom"
	return []mutant{
		{
			name: "every table has series of its own",
			file: "metrics/prom/series.go",
			old:  "const maxTables = 200", new: "const maxTables = 5000",
			killers: by(prom, "TestTablesThatHaveSeriesOfTheirOwnAreBounded"),
		},
		{
			name: "copies of a tag count",
			file: "metrics/prom/events.go",
			old:  "if tag == before {", new: "if tag == before && tag == \"\" {",
			killers: by(prom, "TestEventsAreCounted"),
		},
		{
			name: "a server that two plugins see counts twice",
			file: "metrics/prom/scrape.go",
			old:  "if !servers[s.ServerName] {", new: "if true {",
			killers: by(prom, "TestPluginsShareTheMetricsOfARegisterer"),
		},
		{
			name: "a scrape waits for Redis",
			file: "metrics/prom/probe.go",
			old:  "case <-ctx.Done():\n\t\t}", new: "}",
			killers: by(prom, "TestScrapeWaitsNoLongerThanTheTimeout"),
		},
		{
			name: "Redis is asked at each scrape",
			file: "metrics/prom/probe.go",
			old:  "serverAge = 30 * time.Second", new: "serverAge = 0",
			killers: by(prom, "TestServerIsNotAskedAtEachScrape"),
		},
		{
			name: "metrics stay when their plugin is closed",
			file: "plugin.go",
			old:  "\tp.unobserve()\n\terrs", new: "\terrs",
			killers: by("tests", "TestMetricsGoWithTheirPlugin"),
		},
		{
			name: "errors of Redis are not counted",
			file: "internal/breaker/breaker.go",
			old:  "told := err != nil &&", new: "told := err == nil &&",
			killers: by("tests", "TestMetricsTellThatRedisIsAwayAndBack"),
		},
		{
			name: "a command that is forbidden fails the sample",
			file: "store/redisstore/sample.go",
			old:  "case !isRefusal(err):", new: "default:",
			killers: by("store/redisstore", "TestSampleDoesWithoutCommandsThatAreForbidden"),
		},
		{
			name: "keys of others count as the cache's",
			file: "store/redisstore/sample.go",
			old:  "if !strings.HasPrefix(key.Val(), s.prefix) {", new: "if false {",
			killers: by("store/redisstore", "TestSampleEstimatesWhatIsTheCaches"),
		},
		{
			name: "the log is not sampled",
			file: "metrics/log.go",
			old:  "if s.n == logged {", new: "if false {",
			killers: by("metrics", "TestLogIsSampled"),
		},
		{
			name: "the cause of a cascade is the statement",
			file: "callbacks/effects.go",
			old:  "e.changed(k.table(name), metrics.CauseDatabase).bulk", new: "e.changed(k.table(name), cause).bulk",
			killers: by("tests", "TestWriteEventsNameTheirCauses"),
		},
	}
}
