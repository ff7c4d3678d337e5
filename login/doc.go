// Package login signs people in and remembers them by a cookie: with a passkey, with
// a code by e-mail, with a password where the operator wants it, and with an account
// at an OpenID provider.
//
// A sign-in passes through like this: the attempt is counted, on the account that it
// names and on the address that it comes from, whatever it is tried with; what is
// shown is checked, with the same work whether there is such an account or not; then
// [as.Server] spends what may be used once and opens a session, in one transaction,
// and the session's secret goes into the cookie. A session is a row in the store:
// signing out ends it everywhere at once, and the cookie alone means nothing.
//
// What takes two steps (a challenge and its answer, a code and its entry, the way to
// a provider and back) is tied to one browser by the handle in a second cookie.
//
// The package does not know what a person signs in for, and shows no pages.
package login
