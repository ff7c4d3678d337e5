// Package sqlite is the embedded store: one file in a directory of its own.
//
// Everything acknowledged is durable: write-ahead log, synchronous=FULL.
// Speed comes from group commit. Concurrent Updates wait in a queue; one
// goroutine takes all that are waiting, runs them one after the other in one
// transaction, and commits them together, so that one fsync serves many. When an
// Update fails after it has written, the transaction is taken back and the
// others run again, now each in a savepoint: a failure is nobody else's.
//
//	Update ──► queue ──► committer ──► begin · each in turn · commit ──► answers
//	View ────► a reader's snapshot, beside the committer
//	checkpointer: moves the log into the file, off the committer's path
//
// The package knows no rule; what it must do is the law in as/storetest.
package sqlite
