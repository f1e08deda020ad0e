// Package hitrate finds out how often an answer is in the cache, beside an oracle and beside plain GORM.
//
// One goroutine carries out one sequence of reads and writes. The oracle hears of the same reads and writes: it is a cache
// in memory that keeps every answer until a write changes that very answer, so that nothing sound can do better without
// updating answers in place. Each read is carried out by plain GORM, too, and must give the same.
//
// A statement that is answered from the cache asks PostgreSQL nothing. An *answer* is the smallest thing that an
// application asks for: a row by its key, a user's list. One statement may ask for several: that of a preload asks for the
// orders of twenty users.
package hitrate
