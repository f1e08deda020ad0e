// Package rediscache is a GORM plugin that answers reads from Redis and keeps them true to the database.
//
//	db, err := gorm.Open(postgres.Open(dsn))
//	…
//	err = db.Use(rediscache.New(rediscache.Config{}))
//
// No other line of the application changes. Point lookups, lists, counts, plucks, Scan, joins and preloads are
// answered from Redis when they were asked before; every write through GORM makes what it touched unservable before
// its commit returns.
//
// # Promise
//
// A read that starts after a write's Commit returned never sees data older than that write, with Redis healthy and
// processes free to die at any instruction. No time to live is part of that. The same program gets the same rows, the
// same Go values of the same types, the same RowsAffected, errors and hook calls with the plugin and without it. A
// problem of the cache is never a problem of the application: its queries are answered by the database.
//
// What holds when something breaks, and what the plugin cannot see, is in docs/guarantees.md.
//
// # Per statement
//
//	db.Clauses(rediscache.Bypass).First(&u, 1)                        neither read from the cache nor store
//	db.Clauses(rediscache.Refresh).Find(&us)                          read the database, and store
//	db.Clauses(rediscache.ReadOnly).Find(&us)                         read from the cache, but do not store
//	db.Clauses(rediscache.TTL(time.Minute)).Find(&us)                 keep it for so long, and accept nothing older
//	db.Clauses(rediscache.StaleOK(time.Second)).Find(&us)             served at once if it was true so long ago
//	db.Clauses(rediscache.DependsOn("orders")).Find(&us, "spent(id) > 9")  say what a function in the text reads
//	db.Clauses(rediscache.Touches("orders")).Exec("CALL close(?)", m) say what a text does not show
//	db.Clauses(rediscache.Explain(&info)).Find(&us)                   say what the cache does, and why
//	rediscache.Invalidate(tx, rediscache.Row[User](5))                say that somebody else changed it
//
// Each can also be given by a context (WithBypass, WithTTL …), by a session, and to gorm.G.
package rediscache
