package endpoint

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/assertion"
	"github.com/licet/licet/client"
	"github.com/licet/licet/dpop"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

// authKeys are a key for each algorithm of assertions.
func (w *world) authKeys() map[string]*assertion.Key {
	w.t.Helper()
	made, err := assertion.NewKey()
	w.must(err)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	w.must(err)
	out := map[string]*assertion.Key{"EdDSA": made}
	for alg, signer := range map[string]crypto.Signer{"ES256": p256, "PS256": long} {
		out[alg], err = assertion.KeyOf(signer)
		w.must(err)
	}
	return out
}

// The whole way with the SDKs on both sides and no secret anywhere: the resource
// server gets its PAT, the app its RPT, refreshes it and revokes it, each time with
// a new assertion. With DPoP on top the server's nonces make requests go twice.
//
// Proves SEC-087.
func TestTheSDKsAuthenticateWithKeys(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	for alg, key := range w.authKeys() {
		for _, bound := range []bool{false, true} {
			var apiKey, appKey *dpop.Key
			name, suffix := alg, alg
			if bound {
				var errs [2]error
				apiKey, errs[0] = dpop.NewKey()
				appKey, errs[1] = dpop.NewKey()
				w.must(errors.Join(errs[:]...))
				name, suffix = alg+" and DPoP", alg+"-dpop"
			}
			server, _, err := w.AS.RegisterClient(ctx, oauth.Client{
				ID: oauth.ClientID("archive-" + suffix), AuthMethod: oauth.AuthKey, JWKS: key.JWKS(), Scopes: []uma.Scope{uma.ScopeProtection},
				GrantTypes: []string{oauth.GrantClientCredentials}, Space: string(w.Alice.Space), DPoPBound: bound,
			})
			w.must(err)
			app, _, err := w.AS.RegisterClient(ctx, oauth.Client{
				ID: oauth.ClientID("viewer-" + suffix), AuthMethod: oauth.AuthKey, JWKS: key.JWKS(), Scopes: []uma.Scope{"view"},
				GrantTypes: []string{uma.GrantType, oauth.GrantRefreshToken}, DPoPBound: bound,
			})
			w.must(err)

			behind := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(rw, "the archive") })
			guard, err := rs.New(rs.Config{
				Issuer: w.Issuer, Key: apiKey, Now: w.Clock.Now,
				PAT: rs.ClientCredentialsPAT(rs.OAuth{Issuer: w.Issuer, ClientID: string(server.ID), AuthKey: key, Key: apiKey, Now: w.Clock.Now}, "alice"),
				Route: func(*http.Request) (rs.Access, error) {
					return rs.Access{Owner: "alice", Needs: []rs.Need{{Resource: "it", Scopes: []uma.Scope{"view"}}}}, nil
				},
			})
			w.must(err)
			w.must(guard.Sync(ctx, "alice", []rs.Resource{{Key: "it", Name: "Archive", Scopes: []uma.Scope{"view"}}}))
			ids, err := w.AS.ListResources(ctx, as.PAT{Space: w.Alice.Space, ResourceServer: server.ID}, as.Page{Limit: 1})
			w.must(err)
			w.share(w.Alice, policy.Share{Resource: ids[0], Scopes: []uma.Scope{"view"}, Anyone: true})
			api := httptest.NewServer(guard.Guard(behind))
			t.Cleanup(api.Close)

			kept := &client.Memory{}
			transport, err := client.New(client.Config{ClientID: string(app.ID), AuthKey: key, Key: appKey, Trust: client.Issuers(w.Issuer), Tokens: kept, Now: w.Clock.Now})
			w.must(err)
			see := func() {
				t.Helper()
				if a := w.send(&http.Client{Transport: transport}, http.MethodGet, api.URL+"/", nil, ""); string(a.Body) != "the archive" {
					t.Fatalf("%s: %s %s", name, a.Status, a.Body)
				}
			}
			see()
			for range 2 { // with a refresh token, which for such a client is not rotated
				w.Clock.Advance(w.AS.Lifetimes.RPT)
				see()
			}
			tokens, err := kept.Tokens(ctx, client.Place{Origin: api.URL})
			if w.must(err); len(tokens) != 1 {
				t.Fatalf("%s: the app has %v", name, tokens)
			}
			active := func() any { return w.introspectAs(string(server.ID), key, string(tokens[0].RPT)).json(t)["active"] }
			if active() != true {
				t.Errorf("%s: the RPT is not active", name)
			}
			w.must(transport.Revoke(ctx, w.Issuer, string(tokens[0].RPT), ""))
			if active() != false {
				t.Errorf("%s: the RPT is active after its revocation", name)
			}
			w.Clock.Advance(w.AS.Lifetimes.PAT)
			see()
		}
	}
}

// introspectAs introspects as a resource server that authenticates with a key.
func (w *world) introspectAs(id string, key *assertion.Key, token string) answer {
	w.t.Helper()
	req, err := key.Request(context.Background(), w.Issuer+pathIntrospect, map[string][]string{"token": {token}}, id, w.Issuer, w.Clock.Now)
	w.must(err)
	response, err := w.HTTP.Do(req)
	w.must(err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	w.must(err)
	return answer{response, body}
}

// The control: a key that is registered for nobody, or for somebody else, opens
// nothing.
func TestTheSDKsAreRefusedWithAnotherKey(t *testing.T) {
	w := newWorld(t)
	keys := w.authKeys()
	app, _, err := w.AS.RegisterClient(context.Background(), oauth.Client{
		ID: "viewer", AuthMethod: oauth.AuthKey, JWKS: keys["ES256"].JWKS(), Scopes: []uma.Scope{"view"}, GrantTypes: []string{uma.GrantType},
	})
	w.must(err)
	api := w.guarded(nil)
	for name, c := range map[string]client.Config{
		"another key":     {ClientID: string(app.ID), AuthKey: keys["EdDSA"]},
		"another client":  {ClientID: string(w.C1.ID), AuthKey: keys["ES256"]},
		"nobody's client": {ClientID: "nobody", AuthKey: keys["ES256"]},
		"no key":          {ClientID: string(app.ID)},
	} {
		c.Now = w.Clock.Now
		transport, err := client.New(c)
		w.must(err)
		_, err = (&http.Client{Transport: transport}).Get(api.URL + "/photo")
		var refused *client.ASError
		if !errors.As(err, &refused) || refused.Code != uma.InvalidClient {
			t.Errorf("%s: %v", name, err)
		}
	}
	pats := rs.ClientCredentialsPAT(rs.OAuth{Issuer: w.Issuer, ClientID: "gallery", AuthKey: keys["ES256"], Now: w.Clock.Now}, "alice")
	if pat, err := pats.PAT(context.Background(), "alice", ""); err == nil {
		t.Errorf("a resource server with another key gets %s", pat)
	}
}
