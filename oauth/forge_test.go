package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
)

// What is here makes tokens and keys with the standard library alone, so that
// they can be wrong in any way, and so that the package is not tested with
// itself.

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// forger is an issuer that can sign anything.
type forger struct {
	ed  ed25519.PrivateKey
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
}

// theForger has the same Ed25519 and P-256 keys in every process, so that what
// a fuzzer keeps stays meaningful.
var theForger = sync.OnceValue(func() *forger {
	seed := sha256.Sum256([]byte("the forger"))
	ec, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		panic(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return &forger{ed: ed25519.NewKeyFromSeed(seed[:]), ec: ec, rsa: r}
})

type members = map[string]any

func edJWK(key ed25519.PublicKey) members {
	return members{"kty": "OKP", "crv": "Ed25519", "x": b64(key)}
}

func ecJWK(key *ecdsa.PublicKey) members {
	point, err := key.Bytes() // 4, then x and y
	if err != nil {
		panic(err)
	}
	half := (len(point) - 1) / 2
	return members{"kty": "EC", "crv": key.Params().Name, "x": b64(point[1 : 1+half]), "y": b64(point[1+half:])}
}

func rsaJWK(key *rsa.PublicKey) members {
	return members{"kty": "RSA", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}
}

func with(m members, more members) members {
	m = maps.Clone(m)
	maps.Copy(m, more)
	return m
}

func mustJSON(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

func jwks(keys ...members) []byte { return mustJSON(members{"keys": keys}) }

// document is the forger's key set, with the ids ed, ec and rsa.
func (f *forger) document() []byte {
	return jwks(
		with(edJWK(f.ed.Public().(ed25519.PublicKey)), members{"kid": "ed", "use": "sig"}),
		with(ecJWK(&f.ec.PublicKey), members{"kid": "ec"}),
		with(rsaJWK(&f.rsa.PublicKey), members{"kid": "rsa"}),
	)
}

func mustKeys(t testing.TB, document []byte) oauth.PublicKeys {
	t.Helper()
	keys, err := oauth.ParseJWKS(document)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// sign signs what the header's alg says. The header and the payload are JSON
// text, so that they can be what no encoder would write.
func (f *forger) sign(alg, header, payload string) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	return input + "." + b64(f.signature(alg, []byte(input)))
}

func (f *forger) signature(alg string, input []byte) []byte {
	sum := sha256.Sum256(input)
	var sig []byte
	var err error
	switch alg {
	case "EdDSA":
		sig = ed25519.Sign(f.ed, input)
	case "ES256":
		var r, s *big.Int
		r, s, err = ecdsa.Sign(rand.Reader, f.ec, sum[:])
		if err == nil {
			sig = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case "RS256":
		sig, err = rsa.SignPKCS1v15(nil, f.rsa, crypto.SHA256, sum[:])
	case "PS256":
		sig, err = rsa.SignPSS(rand.Reader, f.rsa, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case "none":
	default:
		panic("forger: " + alg)
	}
	if err != nil {
		panic(err)
	}
	return sig
}

func hs256(key []byte, header, payload string) string {
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

// The forger's ordinary ID token.
const (
	foreignIssuer = "https://id.example"
	ourClient     = "c1"
	ourIssuer     = "https://as.example"
)

var now = time.Unix(1_800_000_000, 0).UTC()

func at(d time.Duration) int64 { return now.Add(d).Unix() }

func goodClaims() members {
	return members{
		"iss": foreignIssuer, "sub": "bob", "aud": ourClient,
		"iat": at(-time.Minute), "exp": at(5 * time.Minute),
		"email": "bob@mail.example", "email_verified": true, "name": "Bob",
	}
}

// token signs claims with the forger's Ed25519 key.
func (f *forger) token(claims members) string {
	return f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed"}`, string(mustJSON(claims)))
}

func expectation() oauth.IDTokenExpectation {
	return oauth.IDTokenExpectation{Issuer: foreignIssuer, Audiences: []string{ourClient, ourIssuer}, Now: now}
}

func wantFault(t *testing.T, name string, err error, fault oauth.TokenFault) {
	t.Helper()
	e, ok := err.(*oauth.TokenError)
	if !ok {
		t.Errorf("%s: the error is %v, want a TokenError with the fault %s", name, err, fault)
		return
	}
	if e.Fault != fault {
		t.Errorf("%s: the error is %q with the fault %s, want the fault %s", name, fmt.Sprint(err), e.Fault, fault)
	}
}
