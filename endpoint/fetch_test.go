package endpoint

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/egress"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// canary is a site that counts who connects to it. It publishes the keys of a
// claims provider.
type canary struct {
	*httptest.Server
	connections atomic.Int64
	key         oauth.Key
}

func newCanary(t *testing.T) *canary {
	t.Helper()
	key, err := oauth.GenerateKey(rand.Reader, oauth.ES256)
	if err != nil {
		t.Fatal(err)
	}
	set, err := oauth.KeySet{key}.Public()
	if err != nil {
		t.Fatal(err)
	}
	c := &canary{key: key}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(set)
	}))
	c.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			c.connections.Add(1)
		}
	}
	c.Start()
	t.Cleanup(c.Close)
	return c
}

// lure is a token that an issuer is said to have signed, whose header names places
// to get the key from.
func (c *canary) lure(t *testing.T, issuer, audience string) string {
	t.Helper()
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return part(map[string]any{"alg": "ES256", "typ": "JWT", "jku": c.URL + "/jku", "x5u": c.URL + "/x5u", "kid": c.URL + "/kid"}) + "." + part(map[string]any{
		"iss": issuer, "sub": issuer, "aud": audience, "jti": "1", "iat": 0, "exp": 4000000000, "jwks_uri": c.URL, "_claim_sources": map[string]any{"x": map[string]any{"endpoint": c.URL}},
	}) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64))
}

// Nobody makes the server go to the network who is not a client that was
// authenticated, and nobody at all makes it go to a place that the operator has
// not named.
//
// Proves SEC-112.
func TestNobodySendsTheServerAnywhere(t *testing.T) {
	site, trusted := newCanary(t), newCanary(t)
	w := newWorld(t, func(c *as.Config) {
		c.ClaimIssuers = []as.ClaimIssuer{{Issuer: trusted.URL, JWKSURI: trusted.URL + "/jwks"}}
		c.Fetch = egress.New(egress.Options{AllowLoopback: true}) // an address alone stops nothing here
	})
	pat, id := w.gallery()
	ticket := func() string { return string(w.ticketFor(pat, id, "view")) }
	visited := func(what string) {
		t.Helper()
		if a, b := site.connections.Load(), trusted.connections.Load(); a+b > 0 {
			t.Fatalf("%s: %d connections, and %d to who is trusted", what, a, b)
		}
	}

	fields := url.Values{}
	for _, name := range []string{
		"jwks_uri", "sector_identifier_uri", "request_uri", "logo_uri", "client_uri", "policy_uri", "tos_uri", "icon_uri", "initiate_login_uri", "backchannel_logout_uri",
		"redirect_uri", "claims_redirect_uri", "post_logout_redirect_uri", "iss", "issuer", "resource", "return", "client_id", "scope", "uri", "url", "state", "token", "ticket", "code", "webhook",
	} {
		fields.Set(name, site.URL+"/"+name)
	}
	for _, name := range []string{"request", "claim_token", "client_assertion", "software_statement", "id_token_hint", "subject_token", "rpt", "pct"} {
		fields.Set(name, site.lure(t, site.URL, w.Issuer))
	}
	sweep := func(fields url.Values, header http.Header) {
		document := map[string]any{}
		for name := range fields {
			document[name] = fields.Get(name)
		}
		text := mustJSON(t, document)
		for _, rt := range routes() {
			path := strings.NewReplacer("{id}", "x", "{$}", "").Replace(rt.path)
			for contentType, body := range map[string]string{formType: fields.Encode(), jsonType: text} {
				h := header.Clone()
				h.Set("Content-Type", contentType)
				if a := w.do(rt.method, path, h, body); a.StatusCode >= 500 {
					t.Errorf("%s %s: %s", rt.method, path, a.Status)
				}
			}
			w.do(rt.method, path+"?"+fields.Encode(), header, "")
			for name := range fields {
				w.do(rt.method, path+"?"+url.Values{name: fields[name]}.Encode(), header, "")
			}
		}
	}
	elsewhere := http.Header{"Origin": {site.URL}, "Referer": {site.URL}, "X-Forwarded-Host": {strings.TrimPrefix(site.URL, "http://")}, "X-Original-Url": {site.URL}}
	sweep(fields, elsewhere)
	visited("strangers")
	for _, header := range []http.Header{bearer(site.lure(t, site.URL, w.Issuer)), bearer(trusted.lure(t, trusted.URL, w.Issuer)), {"Authorization": {basic("c1", "wrong")}}} {
		sweep(fields, header)
		visited("with credentials that are none")
	}

	// Even what the operator trusts is not asked before it is known who asks.
	pushed := func(token string) url.Values {
		return url.Values{"grant_type": {uma.GrantType}, "ticket": {ticket()}, "claim_token": {token}, "claim_token_format": {uma.IDTokenFormat}}
	}
	h := http.Header{"Content-Type": {formType}}
	lure := trusted.lure(t, trusted.URL, "c1")
	for name, more := range map[string]struct {
		authorization string
		form          url.Values
	}{
		"nobody":            {"", nil},
		"no secret":         {"", url.Values{"client_id": {"c1"}}},
		"a wrong secret":    {basic("c1", "wrong"), nil},
		"no client":         {basic("nobody", "wrong"), nil},
		"an assertion":      {"", url.Values{"client_assertion_type": {oauth.AssertionType}, "client_assertion": {trusted.lure(t, "c1", w.Issuer)}}},
		"a public client":   {"", url.Values{"client_id": {"public"}}},
		"one that may not":  {basic("rs1", w.RS1.Secret), nil},
		"somebody's ticket": {"Bearer " + pat, nil},
	} {
		form := pushed(lure)
		maps.Copy(form, more.form)
		head := h.Clone()
		if more.authorization != "" {
			head.Set("Authorization", more.authorization)
		}
		w.do(http.MethodPost, pathToken, head, form.Encode())
		visited(name)
	}

	// A client that is let in sends the server nowhere of its own choice.
	for _, token := range []string{site.lure(t, site.URL, "c1"), site.lure(t, trusted.URL+"/", "c1"), site.lure(t, w.Issuer, "c1"), site.lure(t, "", "c1")} {
		w.postToken(w.C1, pushed(token))
		visited("an issuer that nobody named")
	}
	w.register(pat, `{"resource_scopes":["`+site.URL+`/scope"],"icon_uri":"`+site.URL+`/icon.png","type":"`+site.URL+`/type","name":"x","icon_uri#de":"`+site.URL+`/i.png"}`)
	w.owner(w.Alice).create(`{"resource_id":"` + string(id) + `","resource_scopes":["view"],"required_claims":[{"name":"email","value":"a@b.example","issuer":["` + site.URL + `"]}],"terms":"` + site.URL + `/terms"}`)
	w.push(w.C1, ask(w.C1, "openid", "request_uri", site.URL))
	w.push(w.C1, ask(w.C1, "openid", "request", site.lure(t, site.URL, w.Issuer)))
	visited("what is only said")

	// The control: the one way that there is. A client that was authenticated and
	// may push claims pushes those of an issuer whom the operator trusts.
	w.postToken(w.C1, pushed(trusted.lure(t, trusted.URL, "c1")))
	if trusted.connections.Load() == 0 {
		t.Error("the canary does not sing")
	}
	if site.connections.Load() != 0 {
		t.Error("the keys were looked for where the token said")
	}
}
