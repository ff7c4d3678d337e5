// Package oauth holds the OAuth 2.0 and OpenID Connect rules that UMA stands
// on, as values in and values out.
//
// An authorization request passes through in this order: the caller finds the
// [Client] that the request names, [ParseAuthorizationRequest] turns the
// parameters into a message that may be shown to the person, and [AddQuery]
// carries the answer back to the one place it may go to. At the token endpoint
// [ParseCredentials] says who the caller claims to be, [Authenticate] says
// whether that is true, and [VerifyS256] ties the code to the one who asked for
// it. [Client.Validate] decides beforehand what a client may be, and [ParseClientMetadata]
// reads what one says of itself when it registers.
//
// For tokens that can be verified without asking there are two halves. A [Key]
// signs, with [Sign], and a [KeySet] publishes what others need to verify. The
// other way round, [ParseJWKS] reads the keys of an issuer, [VerifyJWT] proves
// that one of them signed a token, and [VerifyIDToken] proves that the token is
// an ID token, for us, now.
//
// The rules are those of today and not those of 2012: RFC 9700 throughout. The
// code flow is the only flow, PKCE is for everybody, redirect URIs are equal or
// unknown, the answer is in the query. Of signatures there are four kinds, the
// key decides which, and a token can neither bring its own key nor name a place
// to fetch one from.
//
// The package has no store, no HTTP server, no network and no clock: records
// are arguments, time is an argument, randomness is an argument. It does not
// know what a permission ticket is. All its functions may be called at the same
// time.
package oauth
