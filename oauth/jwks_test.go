package oauth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
)

// verifies reports whether a token of the forger is verified with a key set.
func verifies(t *testing.T, alg string, document []byte) bool {
	t.Helper()
	f := theForger()
	_, _, err := oauth.VerifyJWT(f.sign(alg, `{"alg":"`+alg+`"}`, `{}`), mustKeys(t, document), nil)
	return err == nil
}

func TestKeyThatMayNotVerifyIsLeftOut(t *testing.T) {
	f := theForger()
	ed := edJWK(f.ed.Public().(ed25519.PublicKey))
	if !verifies(t, "EdDSA", jwks(ed)) || !verifies(t, "EdDSA", jwks(with(ed, members{"use": "sig", "alg": "EdDSA", "key_ops": []string{"verify"}}))) {
		t.Fatal("the key is not used at all")
	}
	for name, more := range map[string]members{
		"for encryption":            {"use": "enc"},
		"use of the wrong type":     {"use": []string{"sig"}},
		"not to verify":             {"key_ops": []string{"deriveKey"}},
		"key_ops of the wrong type": {"key_ops": "verify"},
		"for another algorithm":     {"alg": "ES256"},
		"for no algorithm":          {"alg": "none"},
		"alg of the wrong type":     {"alg": 1},
		"kid of the wrong type":     {"kid": 1},
		"unknown type":              {"kty": "AKP"},
		"no type":                   {"kty": ""},
		"unknown curve":             {"crv": "Ed448"},
		"too short":                 {"x": b64(make([]byte, 31))},
		"too long":                  {"x": b64(make([]byte, 33))},
		"not base64":                {"x": "!"},
		"x of the wrong type":       {"x": 1},
	} {
		if verifies(t, "EdDSA", jwks(with(ed, more))) {
			t.Errorf("%s: used", name)
		}
		if !verifies(t, "EdDSA", jwks(with(ed, more), ed)) {
			t.Errorf("%s: the key beside it is not used", name)
		}
	}
}

func TestKeyDecidesTheAlgorithm(t *testing.T) {
	f := theForger()
	r := rsaJWK(&f.rsa.PublicKey)
	for _, tc := range []struct {
		bound, used string
		want        bool
	}{
		{"RS256", "RS256", true}, {"RS256", "PS256", false}, {"PS256", "PS256", true}, {"PS256", "RS256", false}, {"RSA-OAEP", "RS256", false},
	} {
		if got := verifies(t, tc.used, jwks(with(r, members{"alg": tc.bound}))); got != tc.want {
			t.Errorf("a key for %s verifies %s: %v", tc.bound, tc.used, got)
		}
	}
	if !verifies(t, "RS256", jwks(r)) || !verifies(t, "PS256", jwks(r)) {
		t.Error("an RSA key without alg is for neither")
	}
}

func TestPointThatIsNotOnTheCurveIsLeftOut(t *testing.T) {
	ec := ecJWK(&theForger().ec.PublicKey)
	if !verifies(t, "ES256", jwks(ec)) {
		t.Fatal("the key is not used at all")
	}
	for name, more := range map[string]members{
		"zero":            {"x": b64(make([]byte, 32)), "y": b64(make([]byte, 32))},
		"coordinate swap": {"x": ec["y"], "y": ec["x"]},
		"another curve":   {"crv": "P-384"},
		"short":           {"y": b64([]byte{1})},
	} {
		if keys := mustKeys(t, jwks(with(ec, more))); len(keys) != 0 {
			t.Errorf("%s: used", name)
		}
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if keys := mustKeys(t, jwks(ecJWK(&p521.PublicKey))); len(keys) != 0 {
		t.Error("a key on P-521 is used")
	}
}

func TestSetThatGivesItsSecretsAwayIsRefused(t *testing.T) {
	f := theForger()
	ed := edJWK(f.ed.Public().(ed25519.PublicKey))
	r := rsaJWK(&f.rsa.PublicKey)
	for name, key := range map[string]members{
		"symmetric":                   {"kty": "oct", "k": "AAAA"},
		"symmetric without its value": {"kty": "oct"},
		"private Ed25519":             with(ed, members{"d": b64(f.ed.Seed())}),
		"private, for encryption":     with(ed, members{"d": b64(f.ed.Seed()), "use": "enc"}),
		"private of an unknown type":  {"kty": "AKP", "priv": "AAAA"},
		"private RSA":                 with(r, members{"d": b64(f.rsa.D.Bytes())}),
		"a prime of RSA":              with(r, members{"p": b64(f.rsa.Primes[0].Bytes())}),
		"a secret that is null":       with(ed, members{"d": nil}),
	} {
		if _, err := oauth.ParseJWKS(jwks(ed, key)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// rsaOf makes a public key of a size. Nobody has its private part.
func rsaOf(bits uint) members {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	n.SetBit(n, 0, 1)
	return rsaJWK(&rsa.PublicKey{N: n, E: 65537})
}

func TestWeakRSAKeysAreRefusedAndMonstrousOnesLeftOut(t *testing.T) {
	for _, bits := range []uint{512, 1024, 2047} {
		if _, err := oauth.ParseJWKS(jwks(rsaOf(bits))); err == nil {
			t.Errorf("a key of %d bits is accepted", bits)
		}
	}
	for bits, want := range map[uint]int{2048: 1, 4096: 1, 4097: 0, 16384: 0} {
		if keys := mustKeys(t, jwks(rsaOf(bits))); len(keys) != want {
			t.Errorf("of a key of %d bits there are %d", bits, len(keys))
		}
	}
}

func TestSetIsBoundedAndStrict(t *testing.T) {
	ed := edJWK(theForger().ed.Public().(ed25519.PublicKey))
	many := make([]members, 65)
	for i := range many {
		many[i] = ed
	}
	if keys := mustKeys(t, jwks(many[:64]...)); len(keys) != 64 {
		t.Errorf("of 64 keys there are %d", len(keys))
	}
	for name, document := range map[string]string{
		"65 keys":            string(jwks(many...)),
		"too large":          `{"keys":[],"a":"` + strings.Repeat("a", 64<<10) + `"}`,
		"empty":              ``,
		"null":               `null`,
		"an array":           `[]`,
		"no keys":            `{}`,
		"keys in capitals":   `{"KEYS":[]}`,
		"keys is null":       `{"keys":null}`,
		"keys is an object":  `{"keys":{}}`,
		"a key that is text": `{"keys":["x"]}`,
		"a key that is null": `{"keys":[null]}`,
		"keys twice":         `{"keys":[],"keys":[]}`,
		"kty twice":          `{"keys":[{"kty":"oct","kty":"OKP"}]}`,
		"something after":    `{"keys":[]}{}`,
		"deep":               `{"keys":[` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `]}`,
		"HTML":               `<html></html>`,
	} {
		if keys, err := oauth.ParseJWKS([]byte(document)); err == nil {
			t.Errorf("%s: %d keys", name, len(keys))
		}
	}
}

func TestCertificatesOfAKeyAreNotLookedAt(t *testing.T) {
	ed := edJWK(theForger().ed.Public().(ed25519.PublicKey))
	if !verifies(t, "EdDSA", jwks(with(ed, members{"x5c": []string{"rubbish"}, "x5u": "file:///etc/passwd", "x5t": 1}))) {
		t.Error("the key beside a certificate is not used")
	}
}
