// Package client checks a UMA 2.0 client from outside. The suite plays a small
// protected API, its authorization server and a stranger, who is a second
// authorization server and everything else to which nothing may be sent. In most
// checks one of them is hostile: it repeats tickets, speaks for another issuer,
// redirects, asks for ever, sends people back with somebody else's state.
//
//	             ┌──────────── fetch {url} ───────────┐
//	fixture ─► check ─► client under test ──────► API (double)
//	             │          │        └──────────► stranger: nothing secret
//	             │          └── ticket, claims ─► authorization server (double)
//	             └── browser, for clients that are web applications
//
// The client is a command that is given URLs to fetch, or a web application
// with a URL that makes it fetch one. It is started anew for each check, so that
// it brings nothing along.
//
// What counts is what arrives at the doubles, who write every message down. The
// package has its own bytes: it shares no parser with any server or SDK of this
// module, so that a misreading cannot agree with itself.
package client
