// Package endpoint is the HTTP face of the authorization server: one file for
// each endpoint of the specifications.
//
// A request finds its route in the one table in routes.go, which says who may
// call it. The caller is authenticated from the table's word, before the
// handler runs; a route that says nothing about its caller cannot be built.
// The handler turns the body into a message (package uma), calls [as.Server],
// and returns the answer or an error; errors.go is the only place that turns an
// error into a status and a body.
//
// The package judges nothing and stores nothing. Who is signed in with a
// browser is told by the [SignIn] that it is given.
package endpoint
