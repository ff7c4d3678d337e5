// Package as is the authorization server: every rule of the two UMA 2.0
// specifications, and of the OAuth flows under them, as a method of [Server].
//
// A token request of the UMA grant passes through like this:
//
//	endpoint ── parsed request, authenticated client ──► Server.Redeem
//	  claims.go     the pushed claim token is verified (may use the network)
//	  ── one Store.Update from here ──
//	  ticket.go     the ticket is spent by being presented
//	  assess.go     the scope sets of Grant 3.3.4; policy judges each scope
//	  result.go     Granted | NeedInfo | Submitted | Denied
//	  grant.go      the grant with its permissions and the RPT, refresh token, PCT, event
//	  ── commit ──
//	endpoint ◄── a Result (a value), or an *uma.Error
//
// A refusal is a value and not an error where the specification gives the
// client a way on, because an error would roll the transaction back and
// un-spend the ticket. What depends on the network happens before the
// transaction; what must be true together is written in one.
//
// The package knows no HTTP, no HTML and no SQL. It declares the [Store] it
// needs; the law of a store is in storetest. Time and randomness are fields of
// [Config].
//
// Nothing that lets somebody in is kept as it is: bearer artefacts are stored
// as keyed hashes ([Digest]), claims and private keys sealed.
package as
