// Package faults_test breaks Redis and PostgreSQL in every way there is, while two processes read and write, and judges what
// they saw by the row of docs/guarantees.md.
//
//	main_test.go      which process this is
//	party_test.go     a process, as the test sees it
//	ways_test.go      how it writes
//	traffic_test.go   what a process does: it reads, writes, and in the end looks at what it is served
//	record_test.go    what it notes down
//	judge_test.go     what of it is wrong
//	scene_test.go     a server, a network before it and the processes
//	*_faults_test.go  the faults
//
// One process refuses writes that it cannot announce (FailWrite), the other remembers them (Journal). A row is written by one
// goroutine of one process, with a version that no other write has: they are ordered as the commits are. Everybody reads
// all of them.
package faults_test
