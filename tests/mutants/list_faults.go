package main

// faults are mutants that processes notice which read and write while Redis or PostgreSQL is broken.
func faults() []mutant {
	const pkg = "tests/faults"
	return []mutant{
		{
			name: "under traffic: no history of a server is looked at",
			in:   in("store/redisstore", "parseInfo"),
			old:  "if _, err := hex.Decode(id[:], []byte(value[:2*len(id)])); err != nil", new: "if _ = hex.Decode; true",
			killers: by(pkg, "TestServerIsBrokenUnderTraffic/restarted_from_an_old_snapshot"),
		},
		{
			name: "under traffic: a transaction is over before its COMMIT is sent",
			in:   in("internal/txpool", "commit"),
			old:  "defer func() { o.Committed(err) }()", new: "o.Committed(nil)",
			killers: by(pkg, "TestDatabaseIsBrokenUnderTraffic/a_synchronous_standby"),
		},
	}
}
