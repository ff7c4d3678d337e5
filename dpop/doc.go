// Package dpop makes and verifies DPoP proofs (RFC 9449): how somebody who has a
// key shows that a request, and the access token in it, is theirs.
//
// A client makes a [Key] and adds a [Key.Proof] to each request; whoever receives
// one asks [Verify]. Both are pure: which nonce a proof has to have, and whether its
// id was used before, is for the receiver to know.
//
// Keys are of Ed25519 or P-256, as they are made for this one use. The package
// stands on the standard library alone, like the SDKs that use it. Its functions
// may be called at the same time.
package dpop
