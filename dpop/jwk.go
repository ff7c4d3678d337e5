package dpop

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"

	"github.com/licet/licet/uma"
)

// publicKey is a key with the one algorithm that it is for: the key decides, and
// not the token.
type publicKey struct {
	alg string
	key crypto.PublicKey
}

// parseJWK reads the public key that a proof brings along (RFC 7517, RFC 8037).
func parseJWK(jwk uma.Object) (publicKey, error) {
	for _, secret := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, found := jwk[secret]; found {
			return publicKey{}, errors.New("the key has a private part")
		}
	}
	kty, _, errType := jwk.String("kty")
	crv, _, errCurve := jwk.String("crv")
	x, _, errX := jwk.String("x")
	y, _, errY := jwk.String("y")
	if err := errors.Join(errType, errCurve, errX, errY); err != nil {
		return publicKey{}, err
	}
	rawX, errX := decode(x)
	rawY, errY := decode(y)
	if err := errors.Join(errX, errY); err != nil {
		return publicKey{}, err
	}
	switch {
	case kty == "OKP" && crv == "Ed25519" && len(rawX) == ed25519.PublicKeySize:
		return publicKey{EdDSA, ed25519.PublicKey(rawX)}, nil
	case kty == "EC" && crv == "P-256" && len(rawX) == 32 && len(rawY) == 32:
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, rawX...), rawY...))
		return publicKey{ES256, key}, err
	}
	return publicKey{}, errors.New("the key is neither of Ed25519 nor of P-256")
}

// jwk writes the key as RFC 7638 3.2 does: the members it needs, in their order.
func (k publicKey) jwk() string {
	switch key := k.key.(type) {
	case ed25519.PublicKey:
		return `{"crv":"Ed25519","kty":"OKP","x":"` + encode(key) + `"}`
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			panic("dpop: " + err.Error()) // it was parsed, or is of a signer
		}
		return `{"crv":"P-256","kty":"EC","x":"` + encode(point[1:33]) + `","y":"` + encode(point[33:]) + `"}`
	}
	panic("dpop: a key of no kind")
}

func (k publicKey) thumbprint() string {
	sum := sha256.Sum256([]byte(k.jwk()))
	return encode(sum[:])
}

func (k publicKey) verify(text, signature []byte) bool {
	switch key := k.key.(type) {
	case ed25519.PublicKey:
		return ed25519.Verify(key, text, signature)
	case *ecdsa.PublicKey:
		if len(signature) != 64 {
			return false
		}
		sum := sha256.Sum256(text)
		return ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	return false
}

// decode decodes base64url without padding, and lets one value be written in one
// way only.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("base64url with a line break")
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

func decodeObject(s string) (uma.Object, error) {
	raw, err := decode(s)
	if err != nil {
		return nil, err
	}
	return uma.ParseObject(bytes.NewReader(raw))
}
