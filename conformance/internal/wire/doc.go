// Package wire is what the doubles of the conformance suite stand on: servers
// that write down every message before its answer leaves, a client that sends a
// path as it is spelled, a reader of UMA challenges, and the programs under test
// as processes. It has its own bytes, so that no misreading of ours agrees with
// itself. It knows no rule of the protocol: the checks do.
package wire
