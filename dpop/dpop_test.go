package dpop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/dpop"
)

var now = time.Unix(1_800_000_000, 0)

const resource = "https://api.example/photos"

// The example of RFC 9449 4.1, whose key RFC 9449 6.1 names by its thumbprint.
func TestTheProofOfTheRFCIsVerified(t *testing.T) {
	const proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19" +
		".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ" +
		".2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	p, err := dpop.Verify(proof, "POST", "https://server.example.com/token", "", time.Unix(1562262617, 0))
	if err != nil || p.Thumbprint != "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" || p.ID != "-BwC3ESc6acc2lTc" {
		t.Errorf("got %+v, %v", p, err)
	}
}

// keys are one of each kind.
func keys(t testing.TB) map[string]*dpop.Key {
	t.Helper()
	made, err := dpop.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	brought, err := dpop.KeyOf(signer)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*dpop.Key{dpop.EdDSA: made, dpop.ES256: brought}
}

func TestWhatIsMadeIsVerified(t *testing.T) {
	for alg, key := range keys(t) {
		proof, err := key.Proof("GET", resource+"?page=2#top", "token", "nonce", now)
		if err != nil {
			t.Fatal(err)
		}
		p, err := dpop.Verify(proof, "GET", "HTTPS://API.example:443/photos", "token", now.Add(time.Minute))
		if err != nil || p.Thumbprint != key.Thumbprint() || p.Nonce != "nonce" || p.ID == "" {
			t.Errorf("%s: %+v, %v", alg, p, err)
		}
		again, err := key.Proof("GET", resource, "token", "nonce", now)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := dpop.Verify(again, "GET", resource, "token", now); err != nil || q.ID == p.ID {
			t.Errorf("%s: a second proof has the id of the first: %v", alg, err)
		}
		for name, verify := range map[string]func() (dpop.Proof, error){
			"another method": func() (dpop.Proof, error) { return dpop.Verify(proof, "POST", resource, "token", now) },
			"another path":   func() (dpop.Proof, error) { return dpop.Verify(proof, "GET", resource+"/1", "token", now) },
			"another host":   func() (dpop.Proof, error) { return dpop.Verify(proof, "GET", "https://b.example/photos", "token", now) },
			"another scheme": func() (dpop.Proof, error) {
				return dpop.Verify(proof, "GET", "http://api.example/photos", "token", now)
			},
			"another token": func() (dpop.Proof, error) { return dpop.Verify(proof, "GET", resource, "other", now) },
			"too late": func() (dpop.Proof, error) {
				return dpop.Verify(proof, "GET", resource, "token", now.Add(dpop.MaxAge+time.Second))
			},
			"too early": func() (dpop.Proof, error) {
				return dpop.Verify(proof, "GET", resource, "token", now.Add(-dpop.Skew-time.Second))
			},
			"changed": func() (dpop.Proof, error) { return dpop.Verify(changed(proof), "GET", resource, "token", now) },
		} {
			if p, err := verify(); err == nil || p != (dpop.Proof{}) {
				t.Errorf("%s, %s: %+v, %v", alg, name, p, err)
			}
		}
		if s := fmt.Sprintf("%v %+v %s", key, key, key); !strings.Contains(s, key.Thumbprint()) {
			t.Errorf("a key prints as %s", s)
		}
	}
}

// changed turns one bit of the signature.
func changed(proof string) string {
	i := strings.LastIndexByte(proof, '.') + 1
	signature, _ := base64.RawURLEncoding.DecodeString(proof[i:])
	signature[10] ^= 1
	return proof[:i] + base64.RawURLEncoding.EncodeToString(signature)
}

func TestKeysOfOtherKindsAreRefused(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dpop.KeyOf(rsaKey); err == nil {
		t.Error("an RSA key is taken")
	}
	if _, err := dpop.KeyOf(p384); err == nil {
		t.Error("a key of P-384 is taken")
	}
}

func FuzzVerify(f *testing.F) {
	// The example of RFC 9449 4.1 keeps what a fuzzer finds meaningful.
	const header = `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}}`
	for _, proof := range []string{
		"..", "a.b.c", base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.AAAA",
		base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"dpop+jwt","alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":"AAAA"}}`)) + ".e30.",
	} {
		f.Add(proof, "GET", resource, "token")
	}
	key := keys(f)[dpop.EdDSA]
	f.Fuzz(func(t *testing.T, proof, method, url, token string) {
		if p, err := dpop.Verify(proof, method, url, token, now); err == nil || p != (dpop.Proof{}) {
			t.Errorf("%q was never made, and is verified: %+v, %v", proof, p, err)
		}
		// Whatever the request is, the proof made for it fits, or there is no such
		// URL.
		made, err := key.Proof(method, url, token, "", now)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := dpop.Verify(made, method, url, token, now); err == nil && p.Thumbprint != key.Thumbprint() {
			t.Errorf("%q %q: %+v", method, url, p)
		}
	})
}
