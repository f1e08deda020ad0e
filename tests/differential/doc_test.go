// Package differential_test runs random GORM programs three times: without the plugin, with a cold cache, and with a warm
// one. Whatever a program can notice must be the same: values with their Go types, RowsAffected, errors, the calls of hooks
// in their order, and the rows that are left in the database. A program that differs is shrunk and printed as Go code.
//
//	model_test.go, column_test.go, schema_test.go
//	                                what the programs are about
//	program_test.go                 programs: what is run is what is printed
//	condition_test.go, read_test.go, table_test.go, generics_test.go, write_test.go
//	                                what programs consist of
//	observe_test.go                 what a program can notice
//	world_test.go                   the three runs
//	differential_test.go            the tests
//	found_test.go                   programs that differed once
//
// REDISCACHE_SOAK=10m makes it run for so long.
package differential_test
