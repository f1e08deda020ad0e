package metrics

import "time"

// Gauges are what a plugin is doing at a moment.
type Gauges struct {
	// StoreOpen is set while Redis has stopped answering and is not asked.
	StoreOpen bool
	// Fills is how many fills are under way, and Plans how many texts of statements have a plan.
	Fills, Plans int
	// Journal is how many writes Redis has to be told of before anything is served, and JournalAge, for how long the oldest of
	// them has waited.
	Journal    int
	JournalAge time.Duration
	// Outbox is how many rows were in the outboxes of the plugin's databases when they were last looked at, of any process,
	// and OutboxAge, how long ago the oldest of them was written, by the database's clock. Of an outbox, 10 000 rows are
	// counted.
	Outbox    int
	OutboxAge time.Duration
	// InDoubt is how many writes are held back because the database did not tell whether they committed.
	InDoubt int
}

// A Pool is the state of a client's connections. Those that the application uses besides count, too.
type Pool struct {
	// Total is how many connections there are, and Idle, how many of them nobody uses.
	Total, Idle int
	// Hits counts the uses of a connection that was there, Misses those for which there was none, Timeouts those that got
	// none in time, and Stale the connections that were given up.
	Hits, Misses, Timeouts, Stale uint64
}

// A Server is what the Redis servers tell of themselves, together. What one of them does not tell is NaN.
type Server struct {
	// Used is the memory in use, in bytes, and Max the greatest that may be; 0: there is no limit.
	Used, Max float64
	// Evicted counts the keys that were evicted since the servers started.
	Evicted float64
	// Keys is how many keys there are in the client's database.
	Keys float64
	// OwnKeys and OwnBytes estimate how many of them are in the cache's namespace, and what memory these take.
	OwnKeys, OwnBytes float64
}
