// Package sqlite is the embedded store: one file in a directory of its own.
//
// Everything acknowledged is durable: write-ahead log, synchronous=FULL.
// Speed comes from group commit (store/internal/group): one fsync serves all
// Updates that were waiting.
//
//	Update ──► queue ──► committer ──► begin · each in turn · commit ──► answers
//	View ────► a reader's snapshot, beside the committer
//	checkpointer: moves the log into the file, off the committer's path
//
// The package knows no rule; what it must do is the law in as/storetest.
package sqlite
