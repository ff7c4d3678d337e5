package oauth_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
)

// keyed is a client that authenticates with a key, and the key.
func keyed(t testing.TB) (oauth.Client, oauth.Key) {
	t.Helper()
	key, err := oauth.GenerateKey(rand.Reader, oauth.ES256)
	if err != nil {
		t.Fatal(err)
	}
	jwks, err := oauth.KeySet{key}.Public()
	if err != nil {
		t.Fatal(err)
	}
	c := oauth.Client{ID: "k1", AuthMethod: oauth.AuthKey, JWKS: jwks}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	return c, key
}

var assertedAt = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func assertion(t testing.TB, key oauth.Key, change map[string]any) string {
	t.Helper()
	claims := map[string]any{
		"iss": "k1", "sub": "k1", "aud": "https://as.example", "jti": "one",
		"iat": assertedAt.Unix(), "exp": assertedAt.Add(time.Minute).Unix(),
	}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	token, err := oauth.Sign(key, "JWT", claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Proves SEC-087, SEC-089.
func TestAnAssertionIsOfOneClientForOneServerAndShort(t *testing.T) {
	c, key := keyed(t)
	at := func(d time.Duration) int64 { return assertedAt.Add(d).Unix() }
	for name, good := range map[string]map[string]any{
		"as it should be":                 nil,
		"8 seconds in the future":         {"iat": at(8 * time.Second), "nbf": at(8 * time.Second)},
		"the longest":                     {"exp": at(5 * time.Minute)},
		"without iat":                     {"iat": nil},
		"with claims that nobody expects": {"extra": true},
	} {
		a, err := verify(c, assertion(t, key, good), "https://as.example", assertedAt)
		if err != nil || a.ID != "one" || a.ExpiresAt.IsZero() {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	_, other := keyed(t)
	for name, bad := range map[string]string{
		"the token endpoint as audience": assertion(t, key, map[string]any{"aud": "https://as.example/token"}),
		"an array as audience":           assertion(t, key, map[string]any{"aud": []string{"https://as.example"}}),
		"another server as audience":     assertion(t, key, map[string]any{"aud": "https://as.example.evil"}),
		"no audience":                    assertion(t, key, map[string]any{"aud": nil}),
		"another issuer":                 assertion(t, key, map[string]any{"iss": "k2"}),
		"another subject":                assertion(t, key, map[string]any{"sub": "k2"}),
		"no id":                          assertion(t, key, map[string]any{"jti": nil}),
		"an empty id":                    assertion(t, key, map[string]any{"jti": ""}),
		"an endless id":                  assertion(t, key, map[string]any{"jti": strings.Repeat("x", 300)}),
		"no expiry":                      assertion(t, key, map[string]any{"exp": nil}),
		"expired":                        assertion(t, key, map[string]any{"exp": at(0)}),
		"expires too late":               assertion(t, key, map[string]any{"exp": at(6 * time.Minute)}),
		"61 seconds in the future":       assertion(t, key, map[string]any{"iat": at(61 * time.Second), "exp": at(2 * time.Minute)}),
		"not before a minute":            assertion(t, key, map[string]any{"nbf": at(61 * time.Second), "exp": at(2 * time.Minute)}),
		"another's key":                  assertion(t, other, nil),
		"unsigned":                       unsignedOf(t, assertion(t, key, nil)),
	} {
		if a, err := verify(c, bad, "https://as.example", assertedAt); err == nil {
			t.Errorf("%s: accepted as %+v", name, a)
		}
	}
	if _, err := verify(oauth.Client{ID: "k1", AuthMethod: oauth.AuthKey}, assertion(t, key, nil), "https://as.example", assertedAt); err == nil {
		t.Error("the assertion of a client without keys is accepted")
	}
}

func unsignedOf(t testing.TB, token string) string {
	t.Helper()
	header, err := json.Marshal(map[string]string{"alg": "none"})
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(header) + "." + strings.Split(token, ".")[1] + "."
}

// A key is registered with its public part alone, and there has to be one.
func TestAClientWithAKeyRegistersAPublicKey(t *testing.T) {
	c, key := keyed(t)
	private, err := key.MarshalPrivate()
	if err != nil {
		t.Fatal(err)
	}
	for name, jwks := range map[string]string{
		"none": "", "no set": `{}`, "an empty set": `{"keys":[]}`, "a private key": `{"keys":[` + string(private) + `]}`, "no JSON": "keys",
	} {
		c.JWKS = []byte(jwks)
		if err := c.Validate(); err == nil {
			t.Errorf("%s: registered", name)
		}
	}
}

func FuzzVerifyAssertion(f *testing.F) {
	c, key := keyed(f)
	good := assertion(f, key, nil)
	f.Add(good)
	f.Add(assertion(f, key, map[string]any{"aud": []string{"https://as.example"}}))
	f.Add("e30.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		_, err := verify(c, token, "https://as.example", assertedAt)
		if err == nil && token != good {
			t.Errorf("%q was never signed for this, and is accepted", token)
		}
		if check := oauth.CheckAssertion(c, token, "https://as.example", assertedAt); err == nil && check != nil {
			t.Errorf("%q is accepted, and the keys would not be fetched: %v", token, check)
		}
	})
}

// verify verifies with the keys that the client registered.
func verify(c oauth.Client, token, issuer string, now time.Time) (oauth.Assertion, error) {
	keys, err := c.Keys()
	if err != nil {
		return oauth.Assertion{}, err
	}
	return oauth.VerifyAssertion(c, keys, token, issuer, now)
}
