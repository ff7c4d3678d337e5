package endpoint

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/teststore"
	"github.com/licet/licet/login"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
	"golang.org/x/oauth2"
)

// Proves GRANT-2-01, GRANT-2-02, GRANT-2-03, GRANT-2-04, GRANT-2-05, GRANT-2-07,
// GRANT-2-08, GRANT-2-11, GRANT-3.3.1-12, GRANT-4-02, FED-1.5-01, FED-2-01,
// FED-2-02, FED-2-03, FED-2-04.
func TestTheDiscoveryDocumentTellsWhatThereIs(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{pathUMAConfiguration, pathOAuthConfiguration, pathOpenIDConfiguration} {
		a := w.do(http.MethodGet, path, nil, "")
		wantStatus(t, a, http.StatusOK)
		if a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s is %s", path, a.Header.Get("Content-Type"))
		}
		m, err := uma.ParseMetadata(bytes.NewReader(a.Body), w.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		for name, endpoint := range map[string]string{
			"authorization": m.AuthorizationEndpoint, "token": m.TokenEndpoint, "jwks": m.JWKSURI, "introspection": m.IntrospectionEndpoint,
			"revocation": m.RevocationEndpoint, "userinfo": m.UserInfoEndpoint, "end session": m.EndSessionEndpoint, "claims interaction": m.ClaimsInteractionEndpoint,
			"permission": m.PermissionEndpoint, "registration": m.ResourceRegistrationEndpoint, "policy": m.PolicyEndpoint,
			"owned resources": m.RegisteredResourcesEndpoint, "requests": m.PermissionRequestsEndpoint,
		} {
			u, err := url.Parse(endpoint)
			if err != nil || !u.IsAbs() || u.RawQuery != "" {
				t.Errorf("the %s endpoint is %q", name, endpoint)
			}
			if answer := w.send(w.HTTP, http.MethodGet, endpoint, nil, ""); answer.StatusCode == http.StatusNotFound {
				t.Errorf("the %s endpoint is not there", name)
			}
		}
		if strings.Join(m.ResponseTypesSupported, " ") != "code" || !contains(m.GrantTypesSupported, uma.GrantType) || !contains(m.ScopesSupported, uma.ScopeProtection) {
			t.Errorf("%+v", m)
		}
		if !m.BackchannelLogoutSupported || !m.BackchannelLogoutSessionSupported { // what is said is tried in end_session_test.go
			t.Error("it is not said that applications are told of logouts")
		}
		for _, profile := range m.UMAProfilesSupported {
			if u, err := url.Parse(profile); err != nil || !u.IsAbs() {
				t.Errorf("the profile %q is no URI", profile)
			}
		}
	}
}

func contains[T comparable](list []T, x T) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

// Proves GRANT-2-10. Whatever way a client is registered, it has claims redirection
// URIs: one, several or none.
func TestClaimsRedirectionURIsArePartOfAClientsRegistration(t *testing.T) {
	w := newWorld(t)
	for _, uris := range [][]string{nil, {"https://c.example/a"}, {"https://c.example/a", "https://c.example/b?x=1"}} {
		made, _, err := w.AS.RegisterClient(context.Background(), oauth.Client{
			Name: "c", AuthMethod: oauth.AuthBasic, GrantTypes: []string{uma.GrantType}, ClaimsRedirectURIs: uris,
		})
		w.must(err)
		read, err := w.AS.FindClient(context.Background(), made.ID)
		w.must(err)
		if strings.Join(read.ClaimsRedirectURIs, " ") != strings.Join(uris, " ") {
			t.Errorf("registered %v, read %v", uris, read.ClaimsRedirectURIs)
		}
	}
	if _, _, err := w.AS.RegisterClient(context.Background(), oauth.Client{AuthMethod: oauth.AuthBasic, ClaimsRedirectURIs: []string{"https://c.example/cb#f"}}); err == nil {
		t.Error("a claims redirection URI with a fragment was registered")
	}
}

// Proves GRANT-2-03. The append form and the insert form of the URL both lead to
// the document of an issuer with a path (AMB-01).
func TestAnIssuerWithAPathIsFoundInBothWays(t *testing.T) {
	ctx := context.Background()
	store := teststore.Open(t)
	var face http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { face.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	issuer := srv.URL + "/t/acme"
	server, err := as.New(ctx, as.Config{Issuer: issuer, Store: store, Secrets: as.Secrets{Digest: bytes.Repeat([]byte{1}, 32), Seal: [][]byte{bytes.Repeat([]byte{2}, 32)}}})
	if err != nil {
		t.Fatal(err)
	}
	in, err := login.New(login.Config{AS: server})
	if err != nil {
		t.Fatal(err)
	}
	if face, err = New(Config{AS: server, SignIn: in, Pages: pagesOf(t, issuer, nil)}); err != nil {
		t.Fatal(err)
	}
	urls := uma.MetadataURLs(issuer)
	if len(urls) != 2 {
		t.Fatalf("the places to look are %v", urls)
	}
	for _, u := range urls {
		resp, err := http.Get(u)
		if err != nil {
			t.Fatal(err)
		}
		m, err := uma.ParseMetadata(resp.Body, issuer)
		_ = resp.Body.Close()
		if err != nil || !strings.HasPrefix(m.TokenEndpoint, issuer+"/") {
			t.Errorf("%s: %v %+v", u, err, m)
		}
	}
}

// Proves FED-1.3-06, FED-1.3-05, FED-1.4-02. Independent clients (go-oidc and
// x/oauth2) are the judges of our OpenID Connect: discovery, code with PKCE,
// refresh, ID token and userinfo.
func TestAnIndependentClientUnderstandsUs(t *testing.T) {
	w := newWorld(t)
	rs := w.client(oauth.Client{
		AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
		Scopes: []uma.Scope{uma.ScopeProtection, oauth.ScopeOpenID, oauth.ScopeEmail},
	}, "calendar", "Calendar", "https://calendar.example/cb")
	ctx := oidc.ClientContext(context.Background(), w.HTTP)
	provider, err := oidc.NewProvider(ctx, w.Issuer)
	w.must(err)
	config := oauth2.Config{
		ClientID: "calendar", ClientSecret: rs.Secret, Endpoint: provider.Endpoint(), RedirectURL: "https://calendar.example/cb",
		Scopes: []string{oidc.ScopeOpenID, "email", string(uma.ScopeProtection)},
	}
	verifier := oauth2.GenerateVerifier()
	uri := config.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier), oidc.Nonce("n-1"))
	back := w.authorize(t, w.Alice, strings.TrimPrefix(uri, w.Issuer))
	if back.Get("state") != "a state" || back.Get("iss") != w.Issuer {
		t.Fatalf("sent back with %v", back)
	}
	token, err := config.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(verifier))
	w.must(err)
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: "calendar", Now: w.Clock.Now}).Verify(ctx, raw)
	w.must(err)
	if id.Subject != string(w.Alice.ID) || id.Nonce != "n-1" {
		t.Errorf("the ID token is %+v", id)
	}
	// The access token is a PAT for Alice's space, and a fresh one can be had while
	// she is away.
	for range 2 {
		wantStatus(t, w.api(http.MethodGet, pathResources, token.AccessToken, ""), http.StatusOK)
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		w.must(err)
		if info.Subject != string(w.Alice.ID) || info.Email != w.Alice.Email || !info.EmailVerified {
			t.Errorf("userinfo is %+v", info)
		}
		answer := w.postToken(rs, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}}).json(t)
		token = &oauth2.Token{AccessToken: answer["access_token"].(string), RefreshToken: answer["refresh_token"].(string)}
	}
}

// authorize lets a person sign in and agree, and returns the parameters with
// which the browser is sent back.
func (w *world) authorize(t *testing.T, who resident, path string) url.Values {
	t.Helper()
	b := w.browser()
	back := b.press(b.signIn(b.get(path), who), "allow")
	to, err := url.Parse(back.Header.Get("Location"))
	if err != nil || to.Query().Get("code") == "" {
		t.Fatalf("sent back to %q: %s", back.Header.Get("Location"), back.Body)
	}
	return to.Query()
}
