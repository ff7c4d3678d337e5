// Package teststore opens a real store for a test: the embedded one, or with
// LICET_TEST_STORE=postgres a database of its own in PostgreSQL. So the same tests
// run on both engines.
package teststore
