// Package login signs people in with an e-mail address and a password, and
// remembers them by a cookie.
//
// A sign-in passes through like this: the account is looked up by its address, and
// the attempt is counted; the password is checked against the account's argon2id hash, or, when there
// is no such account, against a hash that nothing fits, so that both take the
// same work; then [as.Server] opens a session, whose secret goes into the
// cookie. A session is a row in the store: signing out ends it everywhere at
// once, and the cookie alone means nothing.
//
// The package does not know what a person signs in for, and shows no pages.
package login
