package oauth_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/licet/licet/oauth"
)

var signingAlgorithms = []string{oauth.EdDSA, oauth.ES256}

func newKey(t testing.TB, alg string) oauth.Key {
	t.Helper()
	key, err := oauth.GenerateKey(rand.Reader, alg)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ownClaims() oauth.IDTokenClaims {
	return oauth.IDTokenClaims{
		Issuer: ourIssuer, Subject: "account-1", Audience: ourClient, AuthorizedParty: ourClient,
		IssuedAt: at(0), ExpiresAt: at(time.Minute), AuthTime: at(-time.Hour),
		Nonce: "n-1", Email: "alice@mail.example", EmailVerified: true, Name: "Alice",
	}
}

func TestIndependentLibraryAcceptsOurIDTokens(t *testing.T) {
	set := oauth.KeySet{newKey(t, oauth.EdDSA), newKey(t, oauth.ES256)}
	document, err := set.Public()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(document)
	}))
	defer server.Close()
	verifier := oidc.NewVerifier(ourIssuer, oidc.NewRemoteKeySet(context.Background(), server.URL), &oidc.Config{
		ClientID: ourClient, SupportedSigningAlgs: signingAlgorithms, Now: func() time.Time { return now },
	})
	for _, key := range set {
		token, err := oauth.Sign(key, "JWT", ownClaims())
		if err != nil {
			t.Fatal(err)
		}
		id, err := verifier.Verify(context.Background(), token)
		if err != nil {
			t.Errorf("%v: %v", key, err)
			continue
		}
		var more struct {
			Email         string `json:"email"`
			EmailVerified bool   `json:"email_verified"`
			Name          string `json:"name"`
			AuthTime      int64  `json:"auth_time"`
			AZP           string `json:"azp"`
		}
		if err := id.Claims(&more); err != nil {
			t.Fatal(err)
		}
		if id.Subject != "account-1" || id.Nonce != "n-1" || !slices.Equal(id.Audience, []string{ourClient}) ||
			!id.Expiry.Equal(now.Add(time.Minute)) || !id.IssuedAt.Equal(now) ||
			more.Email != "alice@mail.example" || !more.EmailVerified || more.Name != "Alice" ||
			more.AuthTime != at(-time.Hour) || more.AZP != ourClient {
			t.Errorf("%v: read as %+v %+v", key, id, more)
		}
	}
}

func TestStandardLibraryVerifiesOurSignatures(t *testing.T) {
	for _, alg := range signingAlgorithms {
		key := newKey(t, alg)
		token, err := oauth.Sign(key, "at+jwt", map[string]string{"a": "b"})
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(token, ".")
		input, sig := parts[0]+"."+parts[1], unb64(t, parts[2])

		var header map[string]string
		if err := json.Unmarshal(unb64(t, parts[0]), &header); err != nil {
			t.Fatal(err)
		}
		if want := (map[string]string{"alg": alg, "kid": key.ID, "typ": "at+jwt"}); fmt.Sprint(header) != fmt.Sprint(want) {
			t.Errorf("%s: the header is %v", alg, header)
		}
		if got := string(unb64(t, parts[1])); got != `{"a":"b"}` {
			t.Errorf("%s: the payload is %s", alg, got)
		}
		jwk := publicJWK(t, key)
		switch alg {
		case oauth.EdDSA:
			if !ed25519.Verify(unb64(t, jwk["x"]), []byte(input), sig) {
				t.Error("the EdDSA signature is wrong")
			}
		case oauth.ES256:
			point := slices.Concat([]byte{4}, unb64(t, jwk["x"]), unb64(t, jwk["y"]))
			public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256([]byte(input))
			if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
				t.Error("the ES256 signature is wrong")
			}
		}
	}
}

func unb64(t *testing.T, s string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// publicJWK is the key as others see it; all its members are text.
func publicJWK(t *testing.T, key oauth.Key) map[string]string {
	t.Helper()
	document, err := oauth.KeySet{key}.Public()
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(document, &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%s: %v", document, err)
	}
	return set.Keys[0]
}

func TestPublishedKeyHasNothingPrivate(t *testing.T) {
	for alg, want := range map[string][]string{
		oauth.EdDSA: {"alg", "crv", "kid", "kty", "use", "x"},
		oauth.ES256: {"alg", "crv", "kid", "kty", "use", "x", "y"},
	} {
		jwk := publicJWK(t, newKey(t, alg))
		var names []string
		for name := range jwk {
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) || jwk["alg"] != alg || jwk["use"] != "sig" {
			t.Errorf("%s is published as %v", alg, jwk)
		}
	}
	if document, err := (oauth.KeySet{}).Public(); err != nil || string(document) != `{"keys":[]}` {
		t.Errorf("no keys are published as %s, %v", document, err)
	}
}

func TestKeyIsNamedByItsThumbprint(t *testing.T) {
	// The example of RFC 8037 Appendix A.
	stored := `{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
		"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	if _, err := oauth.ParsePrivate([]byte(stored)); err != nil {
		t.Errorf("the key of RFC 8037, with its thumbprint: %v", err)
	}
	for _, alg := range signingAlgorithms {
		key := newKey(t, alg)
		jwk := publicJWK(t, key)
		canonical := fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":%q}`, jwk["x"])
		if alg == oauth.ES256 {
			canonical = fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":%q,"y":%q}`, jwk["x"], jwk["y"])
		}
		sum := sha256.Sum256([]byte(canonical))
		if want := b64(sum[:]); key.ID != want || jwk["kid"] != want {
			t.Errorf("%s: the id is %s, published as %s, want %s", alg, key.ID, jwk["kid"], want)
		}
	}
}

func TestKeyIsMadeFromTheGivenRandomness(t *testing.T) {
	for _, alg := range signingAlgorithms {
		drawn := bytes.Repeat([]byte{7}, 32)
		one, err1 := oauth.GenerateKey(bytes.NewReader(drawn), alg)
		two, err2 := oauth.GenerateKey(bytes.NewReader(drawn), alg)
		if err1 != nil || err2 != nil || one.ID != two.ID {
			t.Errorf("%s: %v, %v, %v, %v", alg, one, two, err1, err2)
		}
		if _, err := oauth.GenerateKey(bytes.NewReader(drawn[:31]), alg); err == nil {
			t.Errorf("%s: a key was made of too little randomness", alg)
		}
	}
	// Scalars beyond the order of the curve are drawn again, and not for ever.
	beyond := bytes.Repeat([]byte{0xff}, 32)
	if _, err := oauth.GenerateKey(bytes.NewReader(append(beyond, bytes.Repeat([]byte{7}, 32)...)), oauth.ES256); err != nil {
		t.Errorf("after one scalar that is too large: %v", err)
	}
	if _, err := oauth.GenerateKey(bytes.NewReader(bytes.Repeat(beyond, 100)), oauth.ES256); err == nil {
		t.Error("a key was made of scalars that are too large")
	}
	for _, alg := range []string{"", "none", "HS256", "RS256", "ES384"} {
		if _, err := oauth.GenerateKey(rand.Reader, alg); err == nil {
			t.Errorf("a key was made for %q", alg)
		}
	}
}

func TestKeyComesBackFromStorage(t *testing.T) {
	for _, alg := range signingAlgorithms {
		key := newKey(t, alg)
		jwk, err := key.MarshalPrivate()
		if err != nil {
			t.Fatal(err)
		}
		back, err := oauth.ParsePrivate(jwk)
		if err != nil || back.ID != key.ID || back.Algorithm != alg {
			t.Fatalf("%v came back as %v, %v", key, back, err)
		}
		token, err := oauth.Sign(back, "JWT", ownClaims())
		if err != nil {
			t.Fatal(err)
		}
		document, err := oauth.KeySet{key}.Public()
		if err != nil {
			t.Fatal(err)
		}
		want := oauth.IDTokenExpectation{Issuer: ourIssuer, Audiences: []string{ourClient}, Now: now}
		if _, err := oauth.VerifyIDToken(token, mustKeys(t, document), want); err != nil {
			t.Errorf("%s: what the stored key signs: %v", alg, err)
		}
	}
}

func TestDamagedKeyDoesNotComeBack(t *testing.T) {
	jwk, err := newKey(t, oauth.EdDSA).MarshalPrivate()
	if err != nil {
		t.Fatal(err)
	}
	var stored members
	if err := json.Unmarshal(jwk, &stored); err != nil {
		t.Fatal(err)
	}
	public := with(stored, nil)
	delete(public, "d")
	rsa := with(rsaJWK(&theForger().rsa.PublicKey), members{"d": b64(theForger().rsa.D.Bytes()),
		"p": b64(theForger().rsa.Primes[0].Bytes()), "q": b64(theForger().rsa.Primes[1].Bytes()), "kid": "rsa", "alg": "RS256"})
	for name, damaged := range map[string][]byte{
		"empty":             nil,
		"no JSON":           jwk[:len(jwk)-1],
		"public":            mustJSON(public),
		"another kid":       mustJSON(with(stored, members{"kid": "x"})),
		"another alg":       mustJSON(with(stored, members{"alg": "ES256"})),
		"another x":         mustJSON(with(stored, members{"x": b64(make([]byte, 32))})),
		"symmetric":         mustJSON(members{"kty": "oct", "k": b64(make([]byte, 32)), "kid": "x", "alg": "HS256"}),
		"RSA":               mustJSON(rsa),
		"on another curve":  p384JWK(t),
		"without a d":       mustJSON(with(stored, members{"d": ""})),
		"with a long d":     mustJSON(with(stored, members{"d": b64(make([]byte, 64))})),
		"an array of a key": slices.Concat([]byte("["), jwk, []byte("]")),
	} {
		if key, err := oauth.ParsePrivate(damaged); err == nil {
			t.Errorf("%s: came back as %v", name, key)
		} else if strings.Contains(err.Error(), stored["d"].(string)) {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

func p384JWK(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return mustJSON(with(ecJWK(&key.PublicKey), members{"d": b64(d), "alg": "ES384"}))
}

func TestZeroKeyDoesNothing(t *testing.T) {
	var key oauth.Key
	if _, err := oauth.Sign(key, "JWT", members{}); err == nil {
		t.Error("it signs")
	}
	if _, err := key.MarshalPrivate(); err == nil {
		t.Error("it is marshalled")
	}
	if _, err := (oauth.KeySet{key}).Public(); err == nil {
		t.Error("it is published")
	}
}

func TestWhatIsNoJSONIsNotSigned(t *testing.T) {
	if token, err := oauth.Sign(newKey(t, oauth.EdDSA), "JWT", func() {}); err == nil {
		t.Errorf("signed: %s", token)
	}
}

func TestKeyPrintsWithoutThePrivatePart(t *testing.T) {
	for _, alg := range signingAlgorithms {
		key := newKey(t, alg)
		jwk, err := key.MarshalPrivate()
		if err != nil {
			t.Fatal(err)
		}
		var stored struct{ D string }
		if err := json.Unmarshal(jwk, &stored); err != nil || stored.D == "" {
			t.Fatalf("%v %v", stored, err)
		}
		d := unb64(t, stored.D)

		hidden := struct{ inner oauth.Key }{key} // fmt calls no methods on what it cannot export
		var printed strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&printed, verb, key)
			fmt.Fprintf(&printed, verb, &key)
			fmt.Fprintf(&printed, verb, hidden)
			fmt.Fprintf(&printed, verb, oauth.KeySet{key})
		}
		slog.New(slog.NewTextHandler(&printed, nil)).Info("signing", "key", key, "in", hidden)
		slog.New(slog.NewJSONHandler(&printed, nil)).Info("signing", "key", key, "in", hidden)
		encoded, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(encoded)

		decimal := strings.Trim(fmt.Sprint(d), "[]")
		for _, shape := range []string{stored.D, fmt.Sprintf("%x", d), decimal, new(big.Int).SetBytes(d).String()} {
			if strings.Contains(strings.ToLower(printed.String()), strings.ToLower(shape)) {
				t.Errorf("%s: the private part was printed", alg)
			}
		}
		if !strings.Contains(printed.String(), key.ID) {
			t.Errorf("%s: the id was not printed", alg)
		}
	}
}
