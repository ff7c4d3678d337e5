// Command bench measures what Licet costs: `go run ./bench`.
//
// It builds the server that it measures (bench/server, the product's own node),
// starts it as a process of its own for every store and every population, and
// drives it over keep-alive connections. What counts is the CPU time that the
// server spends on an operation; on a machine with neighbours the wall clock
// tells little. Samples of all workloads and all populations are interleaved,
// so that a noisy minute falls on everybody, and each is compared with a sample
// of the yardstick `bare` that was taken just before it.
//
//	population.go  who owns what, from a fixed seed
//	target.go      one server process with one population; postgres.go is its store
//	workload.go    what one operation is; one file for each kind
//	sample.go      one workload for a while, and what it cost
//	report.go      the table
//	growth.go      how cost grows with the population
//	fact.go        what no table of operations tells: visibility, withdrawal of a
//	               whole share; hostile.go and cold.go find out more
//	gates.go       what must hold
//	pages.go       what the pages of the owner's app cost, with -pages
//
// The meaning of answers is checked: a fast wrong answer fails the run.
package main
