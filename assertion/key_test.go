package assertion_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/assertion"
	"github.com/licet/licet/oauth"
)

const (
	issuer = "https://as.example"
	me     = oauth.ClientID("photos&prints")
)

var now = time.Unix(1_800_000_000, 0)

// keys are one for each algorithm.
func keys(t testing.TB) map[string]*assertion.Key {
	t.Helper()
	made, err := assertion.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*assertion.Key{"EdDSA": made}
	for alg, signer := range map[string]crypto.Signer{"ES256": p256, "PS256": long} {
		if out[alg], err = assertion.KeyOf(signer); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// The server's own verification is the judge: it shares no code with what makes
// assertions.
//
// Proves SEC-087.
func TestAnAuthorizationServerAcceptsWhatIsMade(t *testing.T) {
	seen := map[string]bool{}
	for alg, key := range keys(t) {
		c := oauth.Client{ID: me, AuthMethod: oauth.AuthKey, JWKS: key.JWKS()}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %s cannot be registered: %v", alg, key.JWKS(), err)
		}
		for range 20 {
			token, err := key.Assertion(string(me), issuer, now)
			if err != nil {
				t.Fatal(err)
			}
			a, err := verify(c, token, issuer, now)
			if err != nil || seen[a.ID] || !a.ExpiresAt.Equal(now.Add(time.Minute)) {
				t.Fatalf("%s: %+v, %v", alg, a, err)
			}
			seen[a.ID] = true
			if _, err := verify(c, token, issuer+"/", now); err == nil {
				t.Errorf("%s: it is good at another issuer", alg)
			}
			if _, err := verify(c, token, issuer, now.Add(assertion.Life)); err == nil {
				t.Errorf("%s: it is good for longer than a minute", alg)
			}
			if header := part(t, token, 0); header["alg"] != alg || header["typ"] != "client-authentication+jwt" || header["kid"] == "" {
				t.Errorf("the header is %v", header)
			}
			if claims := part(t, token, 1); claims["aud"] != issuer || claims["iss"] != string(me) || claims["sub"] != string(me) || len(claims) != 6 {
				t.Errorf("the claims are %v", claims)
			}
		}
		for other, stranger := range keys(t) {
			token, err := stranger.Assertion(string(me), issuer, now)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := verify(c, token, issuer, now); err == nil {
				t.Errorf("%s: what another key of %s signed is accepted", alg, other)
			}
		}
		if s := fmt.Sprintf("%v %+v %s", key, key, key); !strings.HasPrefix(s, alg+" key ") || len(s) > 200 {
			t.Errorf("a key prints as %s", s)
		}
		if strings.Contains(string(key.JWKS()), `"d"`) {
			t.Errorf("%s: the private part is told", alg)
		}
	}
}

func part(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestKeysThatNobodyAcceptsAreRefused(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	long, err := rsa.GenerateKey(rand.Reader, 4104)
	if err != nil {
		t.Fatal(err)
	}
	for name, signer := range map[string]crypto.Signer{"P-384": p384, "RSA of 4104 bits": long} {
		if _, err := assertion.KeyOf(signer); err == nil {
			t.Errorf("a key of %s is taken", name)
		}
	}
}

// A request that has to be sent again does not bring a proof that is spent.
func TestARequestThatIsSentAgainHasANewAssertion(t *testing.T) {
	for alg, key := range keys(t) {
		form := url.Values{"grant_type": {"x y"}, "scope": {"a"}}
		req, err := key.Request(t.Context(), issuer+"/token", form, string(me), issuer, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		read := func(r io.Reader) {
			raw, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			sent, err := url.ParseQuery(string(raw))
			if err != nil || sent.Get("grant_type") != "x y" || sent.Get("scope") != "a" || sent.Get("client_assertion_type") != oauth.AssertionType || len(sent) != 4 {
				t.Errorf("%s: the form is %v, %v", alg, sent, err)
			}
			if int64(len(raw)) != req.ContentLength {
				t.Errorf("%s: %d bytes, %d were announced", alg, len(raw), req.ContentLength)
			}
			if a := sent.Get("client_assertion"); a == "" || seen[a] {
				t.Errorf("%s: the assertion %q comes again", alg, a)
			} else {
				seen[a] = true
			}
		}
		read(req.Body)
		for range 50 {
			body, err := req.GetBody()
			if err != nil {
				t.Fatal(err)
			}
			read(body)
		}
		if form.Has("client_assertion") {
			t.Error("the caller's form was changed")
		}
	}
}

// verify verifies with the keys that the client registered.
func verify(c oauth.Client, token, issuer string, now time.Time) (oauth.Assertion, error) {
	keys, err := c.Keys()
	if err != nil {
		return oauth.Assertion{}, err
	}
	return oauth.VerifyAssertion(c, keys, token, issuer, now)
}
