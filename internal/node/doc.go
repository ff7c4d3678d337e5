// Package node is a server as it runs: the rooms, connected over a data
// directory or a database that several nodes share, with what is around the endpoints when they are served (health,
// access log, time limits, sweeping). Whoever runs Licet runs this: cmd/licet,
// and the server that bench measures.
//
// It knows nothing of configuration files and command lines, and it has no rule
// of its own.
package node
