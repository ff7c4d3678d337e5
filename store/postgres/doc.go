// Package postgres is the store that several nodes share: one PostgreSQL
// database, the same SQL and the same migrations as the embedded store.
//
//	Update ──► queue ──► committer ──► begin · each in turn · commit ──► answers
//	View ────► a snapshot on a connection of the pool
//	follower ◄── what other nodes changed: NOTIFY, and a poll four times a second
//
// Updates are serializable transactions, and those that were waiting share one
// (store/internal/group). A node writes on one connection, so that its own Updates
// never meet; those of several nodes may, and then one of two runs again, this time
// alone: it waits until the others have committed, and they wait for it. So an
// Update runs twice at most because of others, and nodes that write about different
// things do not wait for each other.
//
// What costs most is the way to the server and back. So beginnings and savepoints
// are not waited for one by one: they travel with the next statement that has an
// answer, or with the commit. So do insertions whose key is random, of which there
// are many: all those of a batch into one table are one statement. Should one fail
// after all, the transaction runs again step by step, and whose statement it was is told.
//
// A transaction that changed something others may remember writes down what, and
// notifies. Notifications may be lost; the poll finds what they missed. A node
// whose last poll is more than a second old is not [Store.Current], and until the
// next one succeeds nothing is answered from memory: it is read here, and when
// the database cannot be reached it is not answered at all.
//
// The time is the database's. Each poll asks for it, and between polls a node counts
// on: however wrong the clocks of the nodes' machines are, what is over at one of
// them is over at all.
//
// What was told is durable: synchronous_commit is on, whatever the server's
// default. A commit of which nobody knows whether it took effect is an error, and
// what it would have spent counts as spent.
//
// The package knows no rule; what it must do is the law in as/storetest.
package postgres
