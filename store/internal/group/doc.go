// Package group is the group commit that the stores share.
//
// Concurrent Updates wait in a queue. A committer takes all that are waiting,
// runs them one after the other in one transaction, and commits them together,
// so that one durable write serves many. The function of an Update runs in the
// goroutine that called it, when its turn comes, so that a panic is the caller's
// with its own stack, and a test may end there.
//
//	Update ──► queue ──► committer ──► begin · each in turn · commit ──► answers
//
// Hardly any Update fails after it wrote, and a savepoint for each would cost as
// much as its statements. So at first there are none. When an Update fails after
// it has written, the transaction is taken back and the others run again,
// careful: each in a savepoint. A failure is nobody else's. In the same way a
// transaction that the database could not serialize runs again.
//
// From one batch to the next the committer remembers the newest events of
// histories, which nearly every Update needs, as long as nothing went wrong and the
// connection is the same.
//
// The package knows no SQL and no rule: an [Engine] does what it says.
package group
