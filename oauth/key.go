package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-jose/go-jose/v4"
)

// The algorithms of signatures (RFC 7518 3.1, RFC 8037 3.1). This server signs
// with the first two; the two of RSA are for the tokens of others.
const (
	EdDSA = "EdDSA"
	ES256 = "ES256"
	PS256 = "PS256"
	RS256 = "RS256"

	DefaultAlgorithm = EdDSA
)

// Key is a private signing key. It prints, and is encoded, as its id and
// algorithm; only [Key.MarshalPrivate] shows the rest.
type Key struct {
	ID        string // the thumbprint of RFC 7638
	Algorithm string
	// A function, as the only thing that fmt cannot look into. It looks into
	// fields and pointers, without asking Format, once a Key is inside of
	// something that is not exported.
	private func() *jose.JSONWebKey // nil in the zero Key
}

// Format keeps the private part out of logs, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "%s key %s", k.Algorithm, k.ID) }

// GenerateKey makes a key for EdDSA (on Ed25519) or ES256. The same random
// bytes make the same key.
func GenerateKey(rand io.Reader, alg string) (Key, error) {
	var private crypto.Signer
	var err error
	switch alg {
	case EdDSA:
		private, err = generateEd25519(rand)
	case ES256:
		private, err = generateP256(rand)
	default:
		return Key{}, fmt.Errorf("oauth: no keys are made for the algorithm %q", alg)
	}
	if err != nil {
		return Key{}, fmt.Errorf("oauth: making a key: %w", err)
	}
	return newKey(private)
}

func generateEd25519(rand io.Reader) (crypto.Signer, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// generateP256 draws scalars until one is in range, which the first one is but
// for one time in four thousand million. (ecdsa.GenerateKey takes no notice of
// the reader it is given.)
func generateP256(rand io.Reader) (crypto.Signer, error) {
	scalar := make([]byte, 32)
	for range 8 {
		if _, err := io.ReadFull(rand, scalar); err != nil {
			return nil, err
		}
		if private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar); err == nil {
			return private, nil
		}
	}
	return nil, errors.New("the source of randomness gives no usable scalar")
}

// newKey names a private key, and says what it signs with.
func newKey(private crypto.Signer) (Key, error) {
	var alg string
	switch p := private.(type) {
	case ed25519.PrivateKey:
		alg = EdDSA
	case *ecdsa.PrivateKey:
		if p.Curve != elliptic.P256() {
			return Key{}, errors.New("oauth: a signing key is on another curve than P-256")
		}
		alg = ES256
	default:
		return Key{}, fmt.Errorf("oauth: a signing key has the unknown type %T", private)
	}
	jwk := &jose.JSONWebKey{Key: private, Algorithm: alg, Use: "sig"}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, fmt.Errorf("oauth: the thumbprint of a key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	return Key{ID: jwk.KeyID, Algorithm: alg, private: func() *jose.JSONWebKey { return jwk }}, nil
}

var errNoKey = errors.New("oauth: this key is the zero Key")

// MarshalPrivate returns the whole key as a JWK (RFC 7517). What it returns is
// a secret: seal it before it is stored.
func (k Key) MarshalPrivate() ([]byte, error) {
	if k.private == nil {
		return nil, errNoKey
	}
	return json.Marshal(k.private())
}

// ParsePrivate reads what [Key.MarshalPrivate] wrote. The id and the algorithm
// are computed anew and must be those that were written.
func ParsePrivate(jwk []byte) (Key, error) {
	var stored jose.JSONWebKey
	if err := json.Unmarshal(jwk, &stored); err != nil {
		return Key{}, errors.New("oauth: a stored signing key is not a JWK") // without the cause, which may quote it
	}
	private, ok := stored.Key.(crypto.Signer)
	if !ok || !stored.Valid() {
		return Key{}, errors.New("oauth: a stored signing key is not a private key")
	}
	k, err := newKey(private)
	if err != nil {
		return Key{}, err
	}
	if k.ID != stored.KeyID || k.Algorithm != stored.Algorithm {
		return Key{}, errors.New("oauth: a stored signing key does not have the id or algorithm it is stored with")
	}
	return k, nil
}

// KeySet is the set of keys of one issuer.
type KeySet []Key

// Public returns the JWK Set document that a jwks_uri serves (RFC 7517 5). It
// has nothing of the private parts.
func (s KeySet) Public() (json.RawMessage, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range s {
		if k.private == nil {
			return nil, errNoKey
		}
		set.Keys = append(set.Keys, k.private().Public())
	}
	return json.Marshal(set)
}

// Sign makes a JWT of claims (RFC 7519): a JWS in compact form, with the key's
// id and with typ in its header.
func Sign(key Key, typ string, claims any) (string, error) {
	if key.private == nil {
		return "", errNoKey
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("oauth: the claims of a %s: %w", typ, err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key.private()},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)),
	)
	if err != nil {
		return "", fmt.Errorf("oauth: signing a %s: %w", typ, err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("oauth: signing a %s: %w", typ, err)
	}
	return jws.CompactSerialize()
}
