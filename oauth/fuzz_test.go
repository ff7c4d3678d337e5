package oauth_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

func FuzzVerifyJWT(f *testing.F) {
	issuer := theForger()
	keys, err := oauth.ParseJWKS(issuer.document())
	if err != nil {
		f.Fatal(err)
	}
	good := issuer.token(goodClaims())
	f.Add(good)
	for _, forgery := range forgeries(issuer) {
		if len(forgery.token) < 4096 {
			f.Add(forgery.token)
		}
	}
	f.Fuzz(func(t *testing.T, token string) {
		claims, _, err := oauth.VerifyJWT(token, keys, nil)
		if err == nil && token != good {
			t.Errorf("%q was never signed, and verifies", token)
		}
		if err != nil && claims != nil {
			t.Errorf("%q is refused, and has claims", token)
		}
		// The same parts under a true signature reach the claims.
		if parts := strings.Split(token, "."); len(parts) == 3 {
			payload, err := base64.RawURLEncoding.DecodeString(parts[1])
			if err != nil {
				return
			}
			id, err := oauth.VerifyIDToken(issuer.sign("EdDSA", `{"alg":"EdDSA"}`, string(payload)), keys, expectation())
			if err == nil && (id.Subject == "" || id.Issuer != foreignIssuer) {
				t.Errorf("%s is read as %+v", payload, id)
			}
		}
	})
}

func FuzzParseJWKS(f *testing.F) {
	issuer := theForger()
	f.Add(issuer.document())
	f.Add(jwks(with(edJWK(issuer.ed.Public().(ed25519.PublicKey)), members{"d": "AAAA", "x5c": []string{"AAAA"}})))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AA"},{"kty":"EC","crv":"P-256","x":"","y":""},{"kty":"oct"}]}`))
	none := issuer.sign("none", `{"alg":"none"}`, `{}`)
	f.Fuzz(func(t *testing.T, document []byte) {
		keys, err := oauth.ParseJWKS(document)
		if err != nil && keys != nil {
			t.Error("the set is refused, and has keys")
		}
		if _, _, err := oauth.VerifyJWT(none, keys, nil); err == nil {
			t.Error("a token without a signature verifies")
		}
		for _, alg := range []string{"EdDSA", "ES256", "PS256", "RS256"} {
			forged := b64([]byte(`{"alg":"`+alg+`"}`)) + ".e30." + b64(make([]byte, 64))
			_, _, _ = oauth.VerifyJWT(forged, keys, nil) // any key, however odd, must not panic
		}
	})
}

func FuzzParseCredentials(f *testing.F) {
	f.Add(basic("c1:s"), "client_id=c1")
	f.Add("Bearer x", "client_id=c1&client_secret=s")
	f.Add("", "client_id=n1")
	f.Add(basic("%zz:"), "client_assertion=a")
	f.Fuzz(func(t *testing.T, header, query string) {
		form, err := uma.ParseQuery(query)
		if err != nil {
			return
		}
		var headers []string
		if header != "" {
			headers = []string{header}
		}
		cred, err := oauth.ParseCredentials(headers, form)
		var e *uma.Error
		switch {
		case err != nil && (!errors.As(err, &e) || e.Code != uma.InvalidClient && e.Code != uma.InvalidRequest):
			t.Errorf("the error is %v", err)
		case err != nil && (cred.ID != "" || cred.Secret != ""):
			t.Errorf("refused, and still %+v", cred)
		case err == nil && (cred.ID == "" || cred.Method == ""):
			t.Errorf("accepted, but %+v", cred)
		case err == nil && header != "" && (cred.Method != oauth.AuthBasic || form["client_secret"] != ""):
			t.Errorf("the header was not what counted: %+v", cred)
		}
		if oauth.Authenticate(oauth.Client{}, cred) == nil {
			t.Errorf("%+v is the unknown client", cred)
		}
	})
}

func FuzzRedirectURI(f *testing.F) {
	for _, uri := range slices.Concat(similar, native().RedirectURIs) {
		f.Add(uri)
	}
	for _, uri := range unregistrable {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		c := native()
		if got, err := c.RedirectURI(uri); err == nil {
			u, err := url.Parse(got)
			if err != nil || got != uri || u.User != nil || u.Fragment != "" ||
				u.Scheme != "com.example.app" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
				t.Errorf("%q became %q (%v)", uri, got, err)
			}
		}
		if got, err := c.ClaimsRedirectURI(uri); err == nil && got != c.ClaimsRedirectURIs[0] {
			t.Errorf("claims: %q became %q", uri, got)
		}
		c.RedirectURIs = []string{uri}
		if c.Validate() != nil {
			return
		}
		u, err := url.Parse(uri)
		if err != nil || u.User != nil || u.Fragment != "" || u.Opaque != "" || strings.ContainsAny(uri, "\\#@ \t\r\n") && strings.Contains(u.Host, "@") {
			t.Errorf("%q is registered (%v)", uri, err)
		}
		if u.Scheme != "https" && u.Scheme != "http" && !strings.Contains(u.Scheme, ".") {
			t.Errorf("%q is registered, with the scheme %q", uri, u.Scheme)
		}
		added := oauth.AddQuery(uri, [][2]string{{"state", uri}})
		back, err := url.Parse(added)
		if err != nil || !strings.HasPrefix(added, uri) || back.Host != u.Host || back.Path != u.Path {
			t.Errorf("%q became %q (%v)", uri, added, err)
		}
	})
}

func FuzzParseAuthorizationRequest(f *testing.F) {
	query := url.Values{}
	for name, value := range goodRequest() {
		query.Set(name, value)
	}
	f.Add(query.Encode())
	for _, refusal := range refusals {
		query := url.Values{}
		for name, value := range refusal.form {
			query.Set(name, value)
		}
		f.Add(query.Encode())
	}
	f.Fuzz(func(t *testing.T, query string) {
		form, err := uma.ParseQuery(query)
		if err != nil {
			return
		}
		c := confidential()
		got, err := oauth.ParseAuthorizationRequest(form, c)
		var redirect *oauth.RedirectError
		switch {
		case errors.As(err, &redirect):
			if redirect.URI != callback || redirect.State != form["state"] || redirect.Err == nil {
				t.Errorf("%s: redirected with %+v", query, redirect)
			}
		case err != nil:
			if got.RedirectURI != "" {
				t.Errorf("%s: refused, and still %+v", query, got)
			}
		default:
			if got.Client != c.ID || got.RedirectURI != callback || len(got.Scopes) == 0 || !strings.Contains(query, "S256") ||
				!slices.ContainsFunc([]string{got.CodeChallenge}, func(s string) bool { return len(s) == 43 }) {
				t.Errorf("%s: read as %+v", query, got)
			}
			for _, s := range got.Scopes {
				if !slices.Contains(c.Scopes, s) {
					t.Errorf("%s: the scope %s", query, s)
				}
			}
		}
	})
}
