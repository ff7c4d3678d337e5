package as_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

type members = map[string]any

// forge writes a JWT by hand, so that it can be wrong in any way.
func forge(t *testing.T, header, claims members, sign func([]byte) []byte) string {
	t.Helper()
	var parts []string
	for _, part := range []members{header, claims} {
		raw, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(raw))
	}
	signed := strings.Join(parts, ".")
	return signed + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(signed)))
}

func unsigned([]byte) []byte { return nil }

func hs256(key []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(b)
		return mac.Sum(nil)
	}
}

// strangerKey is a P-256 key that nobody trusts, as a signer and as a JWK.
func strangerKey(t *testing.T) (sign func([]byte) []byte, jwk members) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	jwk = members{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:]), "alg": "ES256"}
	return func(b []byte) []byte {
		sum := sha256.Sum256(b)
		r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}, jwk
}

// noNetwork fails the test when anybody goes out.
type noNetwork struct{ t *testing.T }

func (n noNetwork) RoundTrip(req *http.Request) (*http.Response, error) {
	n.t.Errorf("a claim token made the server ask %s", req.URL)
	return nil, errors.New("there is no network")
}

// Proves GRANT-3.3.6-10, GRANT-3.3.1-03, GRANT-3.3.1-07, GRANT-3.3.1-06.
func TestAGoodIDTokenIsBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	for name, token := range map[string]string{
		"for the client":                 w.idToken("bob", nil),
		"for this server":                w.idToken("bob", members{"aud": issuer}),
		"for both, asked by the client":  w.idToken("bob", members{"aud": []string{"c1", issuer, "other"}, "azp": "c1"}),
		"in another layer of base64url":  base64.RawURLEncoding.EncodeToString([]byte(w.idToken("bob", nil))),
		"in padded base64url":            base64.URLEncoding.EncodeToString([]byte(w.idToken("bob", members{"x": "~~~???"}))),
		"in another layer of base64":     base64.StdEncoding.EncodeToString([]byte(w.idToken("bob", members{"x": "~~~???"}))),
		"with the address spelled aloud": w.idToken("bob", members{"email": "BOB@Example.ORG"}),
	} {
		if r := w.redeem(w.c1, withToken(w.ticket(w.alice1, perm(album, "view")), token)); !is[as.Granted](r) {
			t.Errorf("%s: the answer is %T, want an RPT", name, r)
		}
		// and on a later request of the process, too
		n := redeemed[as.NeedInfo](w, w.c1, with(w.ticket(w.alice1, perm(album, "view"))))
		w.granted(w.c1, withToken(n.Ticket, token))
	}
}

// Proves WE-10, GRANT-3.3.6-06, GRANT-5.7-03, SEC-045, SEC-046, PEER-unverified-claim-tokens, PEER-46717, PEER-52985.
func TestAnUnusableIDTokenLeadsToNeedInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Fetch = &http.Client{Transport: noNetwork{t}} })
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	open := w.register(w.alice1, "open", "view")
	w.share(w.aliceOwner, toAnyone(open, "view"))
	now := w.Now().Unix()
	good := w.idClaims("bob", nil)
	stranger, jwk := strangerKey(t)
	es256 := members{"alg": "ES256", "typ": "JWT", "kid": w.key.ID}
	head := func(more members) members {
		h := members{"alg": "ES256", "typ": "JWT", "kid": w.key.ID}
		for k, v := range more {
			h[k] = v
		}
		return h
	}
	typed := func(typ string) string {
		token, err := oauth.Sign(w.key, typ, good)
		w.must(err)
		return token
	}
	jwks, err := oauth.KeySet{w.key}.Public()
	w.must(err)
	signed := w.idToken("bob", nil)
	other := w.granted(w.c1, with(w.ticket(w.alice1, perm(open, "view"))))

	for name, token := range map[string]string{
		"expired":                       w.idToken("bob", members{"exp": now - 1}),
		"expiring now":                  w.idToken("bob", members{"exp": now}),
		"without an end":                w.idToken("bob", members{"exp": nil}),
		"without a beginning":           w.idToken("bob", members{"iat": nil}),
		"issued in the future":          w.idToken("bob", members{"iat": now + 61}),
		"not yet valid":                 w.idToken("bob", members{"nbf": now + 61}),
		"of an issuer nobody trusts":    w.idToken("bob", members{"iss": "https://evil.example"}),
		"of a longer issuer":            w.idToken("bob", members{"iss": provider + "/"}),
		"of this server, by another":    w.idToken("bob", members{"iss": issuer}),
		"without an issuer":             w.idToken("bob", members{"iss": nil}),
		"for another client":            w.idToken("bob", members{"aud": "c2"}),
		"for nobody":                    w.idToken("bob", members{"aud": nil}),
		"for an empty list":             w.idToken("bob", members{"aud": []string{}}),
		"for many, asked by nobody":     w.idToken("bob", members{"aud": []string{"c1", "c2"}}),
		"for many, asked by another":    w.idToken("bob", members{"aud": []string{"c1", "c2"}, "azp": "c2"}),
		"for the client, by another":    w.idToken("bob", members{"azp": "c2"}),
		"about nobody":                  w.idToken("bob", members{"sub": nil}),
		"unsigned":                      forge(t, members{"alg": "none"}, good, unsigned),
		"unsigned, spelled otherwise":   forge(t, members{"alg": "nOnE", "kid": w.key.ID}, good, unsigned),
		"signed with nothing":           forge(t, es256, good, unsigned),
		"keyed with the public key":     forge(t, members{"alg": "HS256", "kid": w.key.ID}, good, hs256(jwks)),
		"keyed with nothing":            forge(t, members{"alg": "HS256", "kid": w.key.ID}, good, hs256(nil)),
		"signed by a stranger":          forge(t, es256, good, stranger),
		"signed by a stranger, no kid":  forge(t, members{"alg": "ES256"}, good, stranger),
		"with a key of its own":         forge(t, head(members{"jwk": jwk}), good, stranger),
		"with a place for keys":         forge(t, head(members{"jku": "https://evil.example/jwks"}), good, stranger),
		"with a certificate's place":    forge(t, head(members{"x5u": "https://evil.example/x5"}), good, stranger),
		"with a path for a kid":         forge(t, head(members{"kid": "../../dev/null"}), good, stranger),
		"with SQL for a kid":            forge(t, head(members{"kid": "' OR '1'='1"}), good, stranger),
		"an access token":               typed("at+jwt"),
		"a logout token":                typed("logout+jwt"),
		"an access token by its claims": w.idToken("bob", members{"typ": "Bearer"}),
		"a logout token by its claims":  w.idToken("bob", members{"events": members{"http://schemas.openid.net/event/backchannel-logout": members{}}}),
		"with its signature cut":        signed[:len(signed)-4],
		"with a part too many":          signed + ".x",
		"wrapped twice":                 base64.RawURLEncoding.EncodeToString([]byte(base64.RawURLEncoding.EncodeToString([]byte(signed)))),
		"no token at all":               "rubbish",
		"three dots":                    "...",
		"an RPT":                        other.AccessToken,
		"a refresh token":               other.RefreshToken,
		"too large":                     w.idToken("bob", members{"x": strings.Repeat("x", 20_000)}),
	} {
		r, err := w.Redeem(w.ctx, w.c1, withToken(w.ticket(w.alice1, perm(album, "view")), token), "")
		if err != nil {
			t.Errorf("%s: the error %v, want need_info", name, err)
			continue
		}
		n, ok := r.(as.NeedInfo)
		if !ok {
			t.Errorf("%s: the answer is %T, want need_info", name, r)
			continue
		}
		w.granted(w.c1, w.asBob(n.Ticket))
	}
}

// Proves GRANT-3.3.6-06, PEER-SolidLab.
func TestAnUnsupportedFormatLeadsToNeedInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	for _, format := range []string{
		"", "urn:oasis:names:tc:SAML:2.0:assertion", "jwt", "urn:solidlab:uma:claims:formats:webid",
		uma.IDTokenFormat + " ", strings.ToUpper(uma.IDTokenFormat), "urn:ietf:params:oauth:token-type:access_token",
	} {
		for _, token := range []string{w.idToken("bob", nil), "https%3A%2F%2Fbob.example%2Fprofile%23me", "bob@example.org"} {
			req := withToken(w.ticket(w.alice1, perm(album, "view")), token)
			req.ClaimTokenFormat = format
			redeemed[as.NeedInfo](w, w.c1, req)
		}
	}
}

// Proves GRANT-5.7-02, PEER-46717.
func TestAClientThatMayNotPushClaimsIsNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	c := w.c1
	c.PushClaims = false
	c, _, err := w.RegisterClient(w.ctx, c)
	w.must(err)
	redeemed[as.NeedInfo](w, c, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
}

func TestAnAddressCountsOnlyWhenItIsVerified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	for _, verified := range []any{nil, false, "true", 1, "false", []bool{true}} {
		token := w.idToken("bob", members{"email_verified": verified})
		redeemed[as.NeedInfo](w, w.c1, withToken(w.ticket(w.alice1, perm(album, "view")), token))
	}
	eve, _, err := w.CreateAccount(w.ctx, as.Account{Name: "Eve", Email: "eve@example.org"}, "")
	w.must(err)
	w.share(w.aliceOwner, toEmail("eve@example.org", album, "view"))
	redeemed[as.NeedInfo](w, w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), eve, false)))
}

// What the server knows itself, no claim can say.
//
// Proves SEC-044, PEER-CVE-2026-18572.
func TestClaimsCannotSayWhatTheServerKnowsItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) {
		c.Forbids = `forbid (principal, action == Action::"edit", resource) unless { context.server has address && context.server.address == "10.0.0.1" };`
	})
	album := w.register(w.alice1, "album", "view", "edit", "download")
	later := toBob(album, "view")
	later.NotBefore = w.Now().Add(time.Hour)
	w.share(w.aliceOwner, later)
	byC2 := toBob(album, "download")
	byC2.Client = "c2"
	w.share(w.aliceOwner, byC2)
	w.share(w.aliceOwner, toBob(album, "edit"))
	future := w.Now().Add(2 * time.Hour)
	lies := members{
		"time": future.Format(time.RFC3339), "now": future.Unix(), "client": "c2", "client_id": "c2", "address": "10.0.0.1",
		"ip": "10.0.0.1", "server": members{"address": "10.0.0.1", "time": future.Unix(), "client": "c2"}, "space": string(w.aliceSpace.ID),
	}
	for _, scope := range scopes("view", "edit", "download") {
		req := withToken(w.ticket(w.alice1, perm(album, scope)), w.idToken("bob", lies))
		if r := w.redeem(w.c1, req); !is[as.Denied](r) {
			t.Errorf("%s: the answer is %T, want request_denied", scope, r)
		}
	}
	// The control: where it is true, the same is granted.
	r, err := w.Redeem(w.ctx, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "edit"))), "10.0.0.1")
	w.must(err)
	if !is[as.Granted](r) {
		t.Errorf("from the right address the answer is %T, want an RPT", r)
	}
	w.advance(time.Hour)
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
}

// A promise counts for what it names and nothing else.
func TestAPromiseIsKeptWordForWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	wish := toBob(album, "view")
	wish.Purpose, wish.Terms = "research", "https://terms.example/1"
	w.share(w.aliceOwner, wish)
	purpose := as.Promise{Name: policy.ClaimPurpose, Value: "research"}
	terms := as.Promise{Name: policy.ClaimTerms, Value: "https://terms.example/1"}
	ticket := func() uma.Ticket { return w.ticket(w.alice1, perm(album, "view")) }
	for _, promised := range [][]as.Promise{
		nil, {purpose}, {terms}, {purpose, {Name: policy.ClaimTerms, Value: "https://terms.example/2"}},
		{terms, {Name: policy.ClaimPurpose, Value: "Research"}},
	} {
		redeemed[as.NeedInfo](w, w.c1, with(w.visit(w.c1, ticket(), w.bob, false, promised...)))
	}
	w.granted(w.c1, with(w.visit(w.c1, ticket(), w.bob, false, purpose, terms)))

	// Bob is told what to promise; Carlos, for whom the share is not, is not.
	for who, want := range map[as.AccountID]int{w.bob.ID: 2, w.carlos.ID: 0, "": 0} {
		handle, err := w.BeginInteraction(w.ctx, w.c1, ticket(), as.Interaction{RedirectURI: callback})
		w.must(err)
		v, err := w.Visit(w.ctx, handle, who)
		w.must(err)
		if len(v.Promises) != want {
			t.Errorf("%q is asked for %v, want %d promises", who, v.Promises, want)
		}
	}
}
