// Package sqlite is the embedded store: one file in a directory of its own.
//
// Everything acknowledged is durable: write-ahead log, synchronous=FULL.
// Speed comes from group commit. Concurrent Updates wait in a queue; one
// goroutine takes all that are waiting, runs each in a savepoint of one
// transaction, and commits them together, so that one fsync serves many. An
// Update that fails takes back its own savepoint and nobody else's.
//
//	Update ──► queue ──► committer ──► begin · savepoint each · commit ──► answers
//	View ────► a reader's snapshot, beside the committer
//	checkpointer: moves the log into the file, off the committer's path
//
// The package knows no rule; what it must do is the law in as/storetest.
package sqlite
