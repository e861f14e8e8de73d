// Package tests holds the tests that cross packages. It has no code of its own.
//
//	subjects_test.go     what a coroutine can be: backends and kinds of storage
//	inside_test.go       suspending inside other people's calls
//	hazards_*_test.go    one test for each hazard row, named after it
//	observers_*_test.go  the runtime's observers, each on a task
//	stress_*_test.go     all at once, at length
//	cancel_matrix_*.go   every row of the cancel matrix, on every kind of storage
//	handles_test.go      stale and contended handles, by the million
//	storm_test.go        cancels from everywhere, -storm.rounds
//	memory_test.go       heap goal and resident memory, printed
//	deps_test.go         what an import brings along
//
// Settings that hold for a whole process (GOMAXPROCS, GODEBUG), and tests
// whose subject may end the process, run as children of the test binary.
package tests
