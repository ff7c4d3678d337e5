// Package differential holds the authorization server against a second one,
// which is written in its tests straight from the requirements, slowly and
// without a store, a cache or Cedar.
//
// Whole little worlds are generated: owners, resource servers, clients, people,
// groups, shares with every kind of condition, and then a history of asking, redeeming,
// upgrading, refreshing, editing, withdrawing, stopping, deciding and waiting.
// Every step is done by the real server on a real store and predicted by the
// plain model, and both have to say the same: the outcome, the permissions, the
// claims asked for, and what introspection tells before and after. Several
// worlds live in one server at the same time, so that what it remembers is under
// test with everything that could disturb it.
//
// Besides, there are laws that need no model: without a share, or with one more
// rule that forbids, there is never more; and the order of things, their names
// and what is somebody else's make no difference.
//
// A case is one authorization assessment that was predicted and compared.
//
//	go test ./as/differential -cases 50000     what every change has to pass
//	go test ./as/differential -cases 1000000 -timeout 3h   the long run
//	go test ./as/differential -seed 42         one house again
//
// The package has no code besides its tests.
package differential
