// Package pgtest gives tests a real PostgreSQL.
//
// The server of LICET_TEST_POSTGRES (a URL whose user may create databases) is
// used if that is set. Otherwise one is made in a temporary directory and started,
// once for each test binary, from the programs on PATH or in Debian's directory;
// it listens on a socket in that directory only, and goes away with the process
// that started it, however that ends. Every call of [Database] makes a database
// of its own.
//
// Where there is no PostgreSQL the test is skipped and says so; with LICET_CI set
// it fails.
package pgtest
