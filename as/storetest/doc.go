// Package storetest is the law that every [as.Store] obeys. There are no
// opt-outs: a store that cannot keep a rule is not a store.
//
// A store's own test calls [Run] with a function that opens it on a directory.
// Each rule is a subtest whose name is the rule. Rules share one store, in
// spaces of their own, except those that look at everything there is.
//
// Records are filled by reflection (see filler), so that a field that is added
// to the model is under the law at once.
//
// The package knows nothing of SQL, and nothing of what the records are for.
package storetest
