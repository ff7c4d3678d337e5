// Package demo is a whole world in one process, for whoever wants to see in two
// minutes what Licet is for: the server as it is shipped, two services that keep
// people's things, an app that knows neither of them in advance, and people.
//
//	start page ─┬─ Alice, Anna, Carol: the owner's app, each at a host name of their own
//	            ├─ Bob's app ──────────► Riverside Clinic, Lumen Photos (rs SDK)
//	            │    (client SDK) ─────► Licet
//	            ├─ the letters that Licet has sent
//	            └─ the trace: every message between them, as it is sent
//
// Everybody has a socket on a loopback address, and all that they say to each other is
// said over HTTP; nothing leaves the machine. A browser keeps cookies by the host name,
// so a person who is at a name of their own has, as it were, a browser of their own:
// alice.localhost, anna.localhost and carol.localhost are all the same server. Bob is at
// localhost, where his app sends him: that is the issuer, and the one name for which
// there are passkeys. All the others are at the address.
//
// What has happened before anybody looks was made to happen in the same way, at an
// earlier time: the clock of this world begins weeks ago.
//
// The start page signs people in who are made up, with one press. That is a handler of
// this package, before the server and not in it: no other command has it.
package demo
