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
// trailing data, invalid UTF-8, too much depth, too many bytes.
package uma
