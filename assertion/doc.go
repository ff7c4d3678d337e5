// Package assertion is how a client proves itself with a key instead of a secret:
// it makes client assertions (private_key_jwt, RFC 7523) for both SDKs. What is
// shown is good once, for a minute, at one authorization server; what it is made
// with never leaves the client.
//
//	signer, err := x509.ParsePKCS8PrivateKey(der)
//	key, err := assertion.KeyOf(signer.(crypto.Signer))
//	fmt.Println(string(key.JWKS())) // to register with the client
//
// It stands on the standard library alone, and verifies nothing: who made an
// assertion is for the authorization server to know.
package assertion
