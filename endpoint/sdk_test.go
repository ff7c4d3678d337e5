package endpoint

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/client"
	"github.com/licet/licet/dpop"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/rs"
	"github.com/licet/licet/uma"
)

// guarded is an API behind the SDK for resource servers, at this authorization
// server. It has one photo of Alice's, which everybody may see.
type guarded struct {
	*httptest.Server
	w     *world
	share as.Share      // of the photo
	asks  []http.Header // of the requests that reached the API
}

func (w *world) guarded(key *dpop.Key) *guarded {
	w.t.Helper()
	server := oauth.Client{
		ID: "gallery", AuthMethod: oauth.AuthBasic, Scopes: []uma.Scope{uma.ScopeProtection}, GrantTypes: []string{oauth.GrantClientCredentials},
		Space: string(w.Alice.Space), DPoPBound: key != nil,
	}
	_, secret, err := w.AS.RegisterClient(context.Background(), server)
	w.must(err)
	api, err := rs.New(rs.Config{
		Issuer: w.Issuer, Key: key, Now: w.Clock.Now,
		PAT: rs.ClientCredentialsPAT(rs.OAuth{
			Issuer: w.Issuer, ClientID: string(server.ID), ClientSecret: rs.Secret(secret), Key: key, Now: w.Clock.Now,
		}, "alice"),
		Route: func(r *http.Request) (rs.Access, error) {
			return rs.Access{Owner: "alice", Needs: []rs.Need{{Resource: "photo", Scopes: []uma.Scope{"view"}}}}, nil
		},
	})
	w.must(err)
	w.must(api.Sync(context.Background(), "alice", []rs.Resource{{Key: "photo", Name: "A photo", Scopes: []uma.Scope{"view"}}}))
	ids, err := w.AS.ListResources(context.Background(), as.PAT{Space: w.Alice.Space, ResourceServer: server.ID}, as.Page{Limit: 2})
	if w.must(err); len(ids) != 1 {
		w.t.Fatalf("%d resources are registered", len(ids))
	}
	shared := w.share(w.Alice, policy.Share{Resource: ids[0], Scopes: []uma.Scope{"view"}, Anyone: true})
	g := &guarded{w: w, share: shared}
	behind := api.Guard(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(rw, "the photo") }))
	g.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		g.asks = append(g.asks, r.Header.Clone())
		behind.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(g.Close)
	return g
}

// app is c1 as a program that uses the SDK for clients.
func (w *world) app(key *dpop.Key) (*http.Client, *client.Memory) {
	w.t.Helper()
	kept := &client.Memory{}
	transport, err := client.New(client.Config{
		ClientID: string(w.C1.ID), ClientSecret: client.Secret(w.C1.Secret), Trust: client.Issuers(w.Issuer), Key: key, Tokens: kept, Now: w.Clock.Now,
	})
	w.must(err)
	return &http.Client{Transport: transport}, kept
}

// With a key on both sides no token is a bearer token, and none is good for
// anybody else: the SDKs bind the PAT and the RPT, prove their keys for each
// request, and follow the server's nonces.
//
// Proves SEC-088, SEC-056.
func TestTheSDKsBindTheirTokens(t *testing.T) {
	w := newWorld(t)
	keys := make([]*dpop.Key, 3)
	for i := range keys {
		var err error
		keys[i], err = dpop.NewKey()
		w.must(err)
	}
	api := w.guarded(keys[0])
	bob, kept := w.app(keys[1])
	see := func() {
		t.Helper()
		if a := w.send(bob, http.MethodGet, api.URL+"/photo?size=big", nil, ""); a.StatusCode != http.StatusOK || string(a.Body) != "the photo" {
			t.Fatalf("Bob's app gets %s %s", a.Status, a.Body)
		}
	}
	see()
	place, err := url.Parse(api.URL)
	w.must(err)
	tokens, err := kept.Tokens(context.Background(), client.Place{Origin: place.Scheme + "://" + place.Host})
	if w.must(err); len(tokens) != 1 || !tokens[0].Bound {
		t.Fatalf("the app has %v", tokens)
	}
	rpt := string(tokens[0].RPT)
	last := api.asks[len(api.asks)-1]
	if got := last.Get("Authorization"); got != "DPoP "+rpt {
		t.Errorf("the RPT was shown as %q", got)
	}

	proof := func(key *dpop.Key) string {
		p, err := key.Proof(http.MethodGet, api.URL+"/photo", rpt, "", w.Clock.Now())
		w.must(err)
		return p
	}
	mine := proof(keys[1])
	for _, c := range []struct {
		name, scheme string
		proofs       []string
		status       int
	}{
		{"in the right hands", "DPoP", []string{mine}, http.StatusOK},
		{"with a proof that was seen", "DPoP", []string{mine}, http.StatusUnauthorized},
		{"with the very proof of the app", "DPoP", last.Values("DPoP"), http.StatusUnauthorized},
		{"with another's key", "DPoP", []string{proof(keys[2])}, http.StatusUnauthorized},
		{"without a proof", "DPoP", nil, http.StatusUnauthorized},
		{"as a bearer token", "Bearer", []string{proof(keys[1])}, http.StatusUnauthorized},
		{"with two proofs", "DPoP", []string{proof(keys[1]), proof(keys[1])}, http.StatusBadRequest},
	} {
		a := w.send(w.HTTP, http.MethodGet, api.URL+"/photo", http.Header{"Authorization": {c.scheme + " " + rpt}, "Dpop": c.proofs}, "")
		if a.StatusCode != c.status {
			t.Errorf("%s: %s %s", c.name, a.Status, a.Body)
		}
		if challenge := a.Header.Get("WWW-Authenticate"); c.status == http.StatusUnauthorized && challenge != `DPoP algs="EdDSA ES256", error="invalid_token"` {
			t.Errorf("%s: the challenge is %q", c.name, challenge)
		}
	}

	// Nonces change, tokens end; the app does not notice.
	for range 3 {
		w.Clock.Advance(w.AS.Lifetimes.RPT)
		see()
	}
	w.Clock.Advance(w.AS.Lifetimes.PAT)
	see()
}

// The control: an app without a key, at an API with one.
func TestAnAppWithoutAKeyHasBearerTokens(t *testing.T) {
	w := newWorld(t)
	key, err := dpop.NewKey()
	w.must(err)
	api := w.guarded(key)
	bob, _ := w.app(nil)
	if a := w.send(bob, http.MethodGet, api.URL+"/photo", nil, ""); a.StatusCode != http.StatusOK {
		t.Fatalf("Bob's app gets %s %s", a.Status, a.Body)
	}
	if got := api.asks[len(api.asks)-1]; got.Get("DPoP") != "" || got.Get("Authorization")[:7] != "Bearer " {
		t.Errorf("the request was %v", got)
	}
	// A proof does not make a bearer token better.
	bearer := api.asks[len(api.asks)-1].Get("Authorization")[7:]
	p, err := key.Proof(http.MethodGet, api.URL+"/photo", bearer, "", w.Clock.Now())
	w.must(err)
	a := w.send(w.HTTP, http.MethodGet, api.URL+"/photo", http.Header{"Authorization": {"DPoP " + bearer}, "Dpop": {p}}, "")
	wantStatus(t, a, http.StatusUnauthorized)
}
