package main

// faults are mutants that processes notice which read and write while Redis or PostgreSQL is broken.
func faults() []mutant {
	const pkg = "tests/faults"
	return []mutant{
		{
			name: "under traffic: a write is never released",
			file: "internal/consistency/write.go",
			old:  "if err := w.release(ctx, &owed); err != nil {", new: "if err := error(nil); err != nil {",
			killers: by(pkg, "TestServerIsBrokenUnderTraffic/killed,_and_restarted_empty"),
		},
		{
			name: "under traffic: no history of a server is looked at",
			file: "store/redisstore/node.go",
			old:  "if _, err := hex.Decode(id[:], []byte(value[:2*len(id)])); err != nil {", new: "if _ = hex.Decode; true {",
			killers: by(pkg, "TestServerIsBrokenUnderTraffic/restarted_from_an_old_snapshot"),
		},
		{
			name: "under traffic: hits are served while the journal is open",
			file: "internal/consistency/read.go",
			old:  "if !p.keeper.settled(ctx) {", new: "if false {",
			killers: by(pkg, "TestServerIsBrokenUnderTraffic/stopped"),
		},
		{
			name: "under traffic: a transaction is over before its COMMIT is sent",
			file: "internal/txpool/txpool.go",
			old:  "err := tx.Commit()\n\to.Committed(err)", new: "o.Committed(nil)\n\terr := tx.Commit()",
			killers: by(pkg, "TestDatabaseIsBrokenUnderTraffic/a_synchronous_standby"),
		},
	}
}
