// Package owner is what people see of their spaces: the read models behind the
// owner's pages, put together from what package as keeps.
//
// Every view takes the acting [as.Owner] and tells only of that space; a thing,
// person or app that is not there, or is somebody else's, is one answer,
// not_found. A view reads one snapshot of the store with a number of statements
// that does not grow with the length of its page, and writes nothing.
//
//	v := owner.Views{AS: server}
//	home, err := v.Home(ctx, o, lastVisit)
//	things, err := v.Things(ctx, o, owner.ThingsQuery{Search: "album"}, owner.Page{})
//
// What is told is told in codes and values, never in sentences: how a page says it,
// in which language, is not known here. Acts are methods of [as.Server]
// (CreateShare, WithdrawAll, RestoreShare, Undo, Approve, Refuse); Impact and
// Could are there, too.
//
// Whom a share is for is a [Who]. Its Key is good in a path: it tells nobody an
// address, and it is the same for the same party of the same space.
package owner
