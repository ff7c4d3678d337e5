package endpoint

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// With the switch on, the whole way of a PAT and of an RPT goes by the FAPI 2.0
// Security Profile: keys, pushed requests, bound tokens. Whatever is weaker is
// refused at each step.
func TestFAPI2HoldsEverybodyToTheProfile(t *testing.T) {
	w := newWorld(t, func(c *as.Config) { c.FAPI2 = true })
	c, key := w.keyedClient()
	c.GrantTypes = append(c.GrantTypes, oauth.GrantAuthorizationCode)
	c.RedirectURIs, c.Scopes = []string{"https://keyed.example/cb"}, append(c.Scopes, uma.ScopeProtection)
	_, _, err := w.AS.RegisterClient(context.Background(), c)
	w.must(err)
	h := w.holder()
	post := func(path string, form url.Values, proofs ...string) answer {
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Dpop": proofs}
		return w.do(http.MethodPost, path, header, asserted(form, w.assertion(c, key, rand.Text())).Encode())
	}
	request := ask(registered{Client: c}, "uma_protection")

	// Requests are pushed, by clients with keys.
	b := w.browser()
	if a := b.get(authorizePath(request)); a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
		t.Errorf("a request that was not pushed: %s", a.Status)
	}
	nowhere, placed := ask(registered{Client: c}, "uma_protection", "redirect_uri", ""), url.Values{}
	for name, values := range request {
		placed[name] = slices.Clone(values)
	}
	wantError(t, post(pathPushed, nowhere), http.StatusBadRequest, uma.InvalidRequest)
	wantError(t, w.push(w.RS1, ask(w.RS1, "uma_protection")), http.StatusUnauthorized, uma.InvalidClient)
	pushed := post(pathPushed, placed, h.proof(http.MethodPost, pathPushed, ""))
	wantStatus(t, pushed, http.StatusCreated)
	if life := pushed.json(t)["expires_in"].(float64); life >= 600 {
		t.Errorf("a pushed request lives for %v seconds", life)
	}
	back := w.authorize(t, w.Alice, authorizePath(url.Values{"client_id": {string(c.ID)}, "request_uri": {pushed.json(t)["request_uri"].(string)}}))
	if back.Get("iss") != w.Issuer {
		t.Errorf("iss is %q", back.Get("iss"))
	}

	// Tokens are bound.
	code := url.Values{"grant_type": {oauth.GrantAuthorizationCode}, "code": {back.Get("code")}, "code_verifier": {codeVerifier}}
	wantError(t, post(pathToken, code), http.StatusBadRequest, uma.InvalidRequest)
	issued := post(pathToken, code, h.proof(http.MethodPost, pathToken, ""))
	wantStatus(t, issued, http.StatusOK)
	pat := issued.json(t)["access_token"].(string)
	protected := func(method, path, kind, body string) answer {
		return w.do(method, path, http.Header{"Authorization": {"DPoP " + pat}, "Content-Type": {kind}, "Dpop": {h.proof(method, path, pat)}}, body)
	}
	made := protected(http.MethodPost, pathResources, "application/json", `{"resource_scopes":["view"]}`)
	wantStatus(t, made, http.StatusCreated)
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {issued.json(t)["refresh_token"].(string)}}
	for range 2 {
		a := post(pathToken, refresh, h.proof(http.MethodPost, pathToken, ""))
		if wantStatus(t, a, http.StatusOK); a.json(t)["refresh_token"] != nil {
			t.Error("the refresh token is rotated")
		}
	}
	ticket := func() uma.Ticket {
		a := protected(http.MethodPost, pathPermission, "application/json", `{"resource_id":"`+made.json(t)["_id"].(string)+`","resource_scopes":["view"]}`)
		wantStatus(t, a, http.StatusCreated)
		return uma.Ticket(a.json(t)["ticket"].(string))
	}
	wantError(t, w.postTicket(w.C1, ticket()), http.StatusUnauthorized, uma.InvalidClient)
	wantError(t, w.postTicket(w.Public, ticket()), http.StatusUnauthorized, uma.InvalidClient)
	wantError(t, post(pathToken, ticketForm(ticket())), http.StatusBadRequest, uma.InvalidRequest)
	wantError(t, post(pathToken, ticketForm(ticket()), h.proof(http.MethodPost, pathToken, "")), http.StatusForbidden, uma.RequestDenied) // asked, as it should be

	// A bearer token of the time before the switch is good no more.
	open := w.AS.Config
	open.FAPI2 = false
	before, err := as.New(context.Background(), open)
	w.must(err)
	old, err := before.IssueToken(context.Background(), w.RS1.ID, w.Alice.ID, w.Alice.Space, uma.ScopeProtection)
	w.must(err)
	wantError(t, w.do(http.MethodGet, pathResources, http.Header{"Authorization": {"Bearer " + old.AccessToken}}, ""), http.StatusUnauthorized, uma.InvalidToken)
	_, err = before.AuthenticatePAT(context.Background(), old.AccessToken)
	w.must(err) // the control

	// And the metadata says so.
	said := w.do(http.MethodGet, pathUMAConfiguration, nil, "").json(t)
	for _, name := range []string{"token_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported"} {
		if methods := said[name].([]any); len(methods) != 1 || methods[0] != "private_key_jwt" {
			t.Errorf("%s is %v", name, methods)
		}
	}
	if said["require_pushed_authorization_requests"] != true {
		t.Error("it is not said that requests have to be pushed")
	}
	for _, wrong := range []as.Lifetimes{{Code: 2 * time.Minute}, {Pushed: 10 * time.Minute}} {
		open.FAPI2, open.Lifetimes = true, wrong
		if _, err := as.New(context.Background(), open); err == nil || !strings.Contains(err.Error(), "FAPI") {
			t.Errorf("lifetimes %+v: %v", wrong, err)
		}
	}
}
