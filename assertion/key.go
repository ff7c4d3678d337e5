package assertion

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// The algorithms of assertions (RFC 7518 3.4 and 3.5, RFC 8037 3.1).
const (
	eddsa = "EdDSA"
	es256 = "ES256"
	ps256 = "PS256"
)

const (
	// Life is how long an assertion is good.
	Life = time.Minute
	// tokenType is the typ of client assertions, so that they pass as nothing else.
	tokenType = "client-authentication+jwt"
	// Shorter RSA keys are forbidden (RFC 7518 3.5), longer ones cost whoever verifies.
	leastRSABits, mostRSABits = 2048, 4096
)

// Key is a private key that a client is known by. It may be used by any number of
// goroutines.
type Key struct {
	signer crypto.Signer
	alg    string
	jwk    string // the public key, as RFC 7638 3.2 writes it
	id     string // its thumbprint
}

// NewKey makes a key of Ed25519.
func NewKey() (*Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("assertion: making a key: %w", err)
	}
	return KeyOf(private)
}

// KeyOf makes a Key of one that is there, such as one that a security module
// holds: of Ed25519 for EdDSA, of P-256 for ES256, or of RSA with 2048 to 4096 bits
// for PS256.
func KeyOf(signer crypto.Signer) (*Key, error) {
	k := &Key{signer: signer}
	switch public := signer.Public().(type) {
	case ed25519.PublicKey:
		k.alg, k.jwk = eddsa, `{"crv":"Ed25519","kty":"OKP","x":"`+encode(public)+`"}`
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return nil, errors.New("assertion: the key is of a curve other than P-256")
		}
		point, err := public.Bytes()
		if err != nil {
			return nil, fmt.Errorf("assertion: %w", err)
		}
		k.alg, k.jwk = es256, `{"crv":"P-256","kty":"EC","x":"`+encode(point[1:33])+`","y":"`+encode(point[33:])+`"}`
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < leastRSABits || bits > mostRSABits {
			return nil, fmt.Errorf("assertion: the RSA key has %d bits", bits)
		}
		e := big.NewInt(int64(public.E)).Bytes()
		k.alg, k.jwk = ps256, `{"e":"`+encode(e)+`","kty":"RSA","n":"`+encode(public.N.Bytes())+`"}`
	default:
		return nil, errors.New("assertion: the key is neither of Ed25519 nor of P-256 nor of RSA")
	}
	sum := sha256.Sum256([]byte(k.jwk))
	k.id = encode(sum[:])
	return k, nil
}

// JWKS is the set of the one public key, to be registered with the client (RFC
// 7517 5). The id of the key is its thumbprint (RFC 7638).
func (k *Key) JWKS() []byte {
	return []byte(`{"keys":[` + k.jwk[:len(k.jwk)-1] + `,"kid":"` + k.id + `","alg":"` + k.alg + `","use":"sig"}]}`)
}

// String keeps the private part out of logs.
func (k *Key) String() string { return k.alg + " key " + k.id }

// Assertion makes a client assertion for one authorization server, named by its
// issuer identifier, which is the only audience (RFC 7523 3). It is good once, for
// [Life] from now.
func (k *Key) Assertion(clientID, issuer string, now time.Time) (string, error) {
	claims := struct {
		Issuer    string `json:"iss"`
		Subject   string `json:"sub"`
		Audience  string `json:"aud"`
		ID        string `json:"jti"`
		IssuedAt  int64  `json:"iat"`
		ExpiresAt int64  `json:"exp"`
	}{clientID, clientID, issuer, rand.Text(), now.Unix(), now.Add(Life).Unix()}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("assertion: %w", err)
	}
	header := `{"typ":"` + tokenType + `","alg":"` + k.alg + `","kid":"` + k.id + `"}`
	signed := encode([]byte(header)) + "." + encode(payload)
	signature, err := k.sign([]byte(signed))
	if err != nil {
		return "", fmt.Errorf("assertion: signing: %w", err)
	}
	return signed + "." + encode(signature), nil
}

func (k *Key) sign(text []byte) ([]byte, error) {
	if k.alg == eddsa {
		return k.signer.Sign(rand.Reader, text, crypto.Hash(0))
	}
	sum := sha256.Sum256(text)
	if k.alg == ps256 {
		return k.signer.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	}
	der, err := k.signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 || pair.R.BitLen() > 256 || pair.S.BitLen() > 256 {
		return nil, errors.New("the signer's answer is no ECDSA signature")
	}
	return append(pair.R.FillBytes(make([]byte, 32)), pair.S.FillBytes(make([]byte, 32))...), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
