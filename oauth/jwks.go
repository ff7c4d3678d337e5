package oauth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/licet/licet/uma"
)

const (
	maxJWKS    = 64 << 10 // bytes
	maxKeys    = 64
	minRSABits = 2048
)

// PublicKeys are the keys that an issuer signs with. Only [ParseJWKS] makes
// any; the zero value verifies nothing.
type PublicKeys []publicKey

type publicKey struct {
	id   string   // "" when the issuer gave it none
	algs []string // what it may be used with; the key decides, and not the token
	key  crypto.PublicKey
}

// ParseJWKS reads an issuer's JWK Set (RFC 7517 5). Keys that this package does
// not understand, or that are not for signatures, are left out. A set with a
// private or a symmetric key is refused as a whole, as its issuer has given
// away what its signatures stand on; and so is one with an RSA key of fewer
// than 2048 bits. RSA keys of more than 4096 bits are left out: they only cost
// time. Certificates are not looked at.
func ParseJWKS(document []byte) (PublicKeys, error) {
	if len(document) > maxJWKS {
		return nil, fmt.Errorf("oauth: a JWK Set of %d bytes is too large", len(document))
	}
	set, err := uma.ParseObject(bytes.NewReader(document))
	if err != nil {
		return nil, fmt.Errorf("oauth: a JWK Set: %v", err) // not %w: nobody's request is at fault
	}
	members, found, err := set.Objects("keys")
	if err != nil || !found {
		return nil, errors.New("oauth: a JWK Set without an array of keys")
	}
	if len(members) > maxKeys {
		return nil, fmt.Errorf("oauth: a JWK Set of %d keys is too large", len(members))
	}
	var keys PublicKeys
	for i, jwk := range members {
		k, err := parseJWK(jwk)
		if err != nil {
			return nil, fmt.Errorf("oauth: key %d of a JWK Set: %w", i, err)
		}
		if len(k.algs) > 0 {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// parseJWK reads one key. It returns a key without algorithms for one that is
// to be left out.
func parseJWK(jwk uma.Object) (publicKey, error) {
	for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, found := jwk[secret]; found {
			return publicKey{}, errors.New("it has a private or a symmetric part")
		}
	}
	if kty, _, _ := jwk.String("kty"); kty == "oct" {
		return publicKey{}, errors.New("it is symmetric")
	}
	if !forSignatures(jwk) {
		return publicKey{}, nil
	}
	key, err := decodeJWK(jwk)
	if err != nil {
		return publicKey{}, nil // not understood: RFC 7517 5 says to ignore it
	}
	algs, err := algorithmsOf(key)
	if err != nil {
		return publicKey{}, err
	}
	if alg, found, err := jwk.String("alg"); err != nil {
		algs = nil
	} else if found {
		algs = slices.DeleteFunc(algs, func(a string) bool { return a != alg })
	}
	id, _, err := jwk.String("kid")
	if err != nil {
		algs = nil
	}
	return publicKey{id: id, algs: algs, key: key}, nil
}

// forSignatures reads "use" and "key_ops" (RFC 7517 4.2, 4.3).
func forSignatures(jwk uma.Object) bool {
	if use, found, err := jwk.String("use"); err != nil || found && use != "sig" {
		return false
	}
	ops, found, err := jwk.Strings("key_ops")
	return err == nil && (!found || slices.Contains(ops, "verify"))
}

// decodeJWK hands the members that make up a public key, and nothing else, to
// the JOSE library: certificates and their URLs do not reach it.
func decodeJWK(jwk uma.Object) (crypto.PublicKey, error) {
	bare := uma.Object{}
	for _, name := range []string{"kty", "crv", "x", "y", "n", "e"} {
		if v, found := jwk[name]; found {
			bare[name] = v
		}
	}
	raw, err := json.Marshal(bare)
	if err != nil {
		return nil, err
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(raw); err != nil {
		return nil, err
	}
	if !key.Valid() || !key.IsPublic() {
		return nil, errors.New("not a valid public key")
	}
	return key.Key, nil
}

// algorithmsOf says what a key may be used with. There is none for a key of a
// curve that nobody here signs on.
func algorithmsOf(key crypto.PublicKey) ([]string, error) {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return []string{EdDSA}, nil
	case *ecdsa.PublicKey:
		if k.Curve.Params().Name == "P-256" {
			return []string{ES256}, nil
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits {
			return nil, fmt.Errorf("it is an RSA key of %d bits", bits)
		}
		return []string{PS256, RS256}, nil
	}
	return nil, nil
}
