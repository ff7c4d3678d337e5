package dpop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// The algorithms of proofs (RFC 7518 3.4, RFC 8037 3.1).
const (
	EdDSA = "EdDSA"
	ES256 = "ES256"
)

// Algorithms are all that are made and accepted.
var Algorithms = []string{EdDSA, ES256}

// proofType is the typ of every proof (RFC 9449 4.2).
const proofType = "dpop+jwt"

// Key is a private key that its holder makes proofs with.
type Key struct {
	signer crypto.Signer
	public publicKey
}

// NewKey makes a key of Ed25519.
func NewKey() (*Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("dpop: making a key: %w", err)
	}
	return KeyOf(private)
}

// KeyOf makes a Key of one that is there, such as one that a security module
// holds: of Ed25519 or P-256.
func KeyOf(signer crypto.Signer) (*Key, error) {
	switch public := signer.Public().(type) {
	case ed25519.PublicKey:
		return &Key{signer, publicKey{EdDSA, public}}, nil
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			return &Key{signer, publicKey{ES256, public}}, nil
		}
	}
	return nil, errors.New("dpop: the key is neither of Ed25519 nor of P-256")
}

// Thumbprint is the key's JWK thumbprint (RFC 7638), as cnf and dpop_jkt have it.
func (k *Key) Thumbprint() string { return k.public.thumbprint() }

// String keeps the private part out of logs.
func (k *Key) String() string { return k.public.alg + " key " + k.Thumbprint() }

// Proof makes a proof for one request. The URL's query and fragment do not count;
// accessToken and nonce are "" where there is none.
func (k *Key) Proof(method, url, accessToken, nonce string, now time.Time) (string, error) {
	claims := struct {
		ID       string `json:"jti"`
		Method   string `json:"htm"`
		URL      string `json:"htu"`
		IssuedAt int64  `json:"iat"`
		Token    string `json:"ath,omitempty"`
		Nonce    string `json:"nonce,omitempty"`
	}{rand.Text(), method, withoutQuery(url), now.Unix(), hashOf(accessToken), nonce}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("dpop: %w", err)
	}
	header := `{"typ":"` + proofType + `","alg":"` + k.public.alg + `","jwk":` + k.public.jwk() + `}`
	signed := encode([]byte(header)) + "." + encode(payload)
	signature, err := k.sign([]byte(signed))
	if err != nil {
		return "", fmt.Errorf("dpop: signing: %w", err)
	}
	return signed + "." + encode(signature), nil
}

func (k *Key) sign(text []byte) ([]byte, error) {
	if k.public.alg == EdDSA {
		return k.signer.Sign(rand.Reader, text, crypto.Hash(0))
	}
	sum := sha256.Sum256(text)
	der, err := k.signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 {
		return nil, errors.New("the signer's answer is no ECDSA signature")
	}
	return append(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))...), nil
}

// hashOf is the ath of an access token (RFC 9449 4.2).
func hashOf(accessToken string) string {
	if accessToken == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(accessToken))
	return encode(sum[:])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
