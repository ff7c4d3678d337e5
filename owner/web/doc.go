// Package web is the control point: the pages on which a person sees who and what
// can get at their things, wherever those are, and decides it.
//
// A request passes through like this: the route says whether it only looks or
// changes something; the session says who is there, and as.Server.ActIn whether
// that person may act in the space that this browser has chosen, now; a form is
// believed when it is of this browser, this person and this space. Then the handler
// asks room owner for what the page shows, or as for what is to be done, and shows
// one template. Every act is a form and every place is an address; a script saves a
// press of a button and is never needed.
//
//	web.go       the routes and their gate; one file for each tab below
//	home.go      am I safe?
//	received.go  what others have opened to me, and what I have asked for
//	icons.go     pictures of things, which come from here and from nowhere else
//
// The package knows no rule: what a person may do, as says. It does not know how
// people sign in, and declares the little it needs of that.
package web
