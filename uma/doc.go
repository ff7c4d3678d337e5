// Package uma holds the words of the two User-Managed Access 2.0
// specifications: the messages on the wire, their strict parsers, the error
// codes and the discovery document.
//
// It knows no server, no store and no clock, and it imports nothing but the
// standard library, so that a resource server or a client can use it without
// carrying an authorization server along.
//
// "Grant" in comments is the Kantara Recommendation "User-Managed Access (UMA)
// 2.0 Grant for OAuth 2.0 Authorization", "FedAuthz" is "Federated
// Authorization for User-Managed Access (UMA) 2.0", both of 2018-01-07.
//
// Everything that arrives from outside goes through one of two doors:
// [ParseForm] for application/x-www-form-urlencoded bodies and [ParseObject]
// (or [ParseArray]) for JSON. Both refuse what the field's parsers usually let
// pass: parameters or members given twice, member names in another case,
// trailing data, invalid UTF-8, too much depth, too many bytes. Behind the door
// the parser of the message ([ParseTokenRequest], [ParsePermissionRequest],
// [ParseResourceDescription] and so on) makes a value of it or an [Error], and
// nobody looks at the raw form again. Servers are strict with what they are
// sent; clients are with everything but the challenge, which resource servers
// write in many ways, and ignore the members that they do not know.
package uma
