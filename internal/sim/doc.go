// Package sim plays the protocol of package consistency, the code that runs, through interleavings and faults that are drawn
// from a seed. The processes, the store, the database and the clock live in one bubble of testing/synctest; whatever a
// process does outside itself waits at a gate until the scheduler lets it go on. So one seed is one run, step by step, on
// any machine and under any load.
//
//	sim_test.go         the promises hold in every run
//	broken_test.go      broken protocols are found out
//	simulation_test.go  one run, from its beginning to its end
//	scheduler_test.go   who goes on, what breaks, and what is drawn
//	gate_test.go        where everything waits that happens outside of a process
//	actors_test.go      what applications do: reads, writes, changes of the schema
//	process_test.go     a process: its protocol, and its way to the store
//	dataset_test.go     a server of the store
//	judge_test.go       what the database has held, and whether answers keep the promises
//
// The promises are those of package consistency, as far as its documentation says that they hold: S and L for each read, one
// instant for the rows of one read, the schema of an answer, and Q when all is over.
package sim
