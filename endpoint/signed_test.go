package endpoint

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// claimsOf verifies an RPT as a stranger would, with the published keys, and
// returns its header and claims.
func (w *world) claimsOf(token string) (header map[string]any, claims map[string]any) {
	w.t.Helper()
	keys, err := oauth.ParseJWKS(w.do(http.MethodGet, pathJWKS, nil, "").Body)
	w.must(err)
	if _, _, err := oauth.VerifyJWT(token, keys, nil); err != nil {
		w.t.Fatalf("%s: %v", token, err)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		w.must(err)
		w.must(json.Unmarshal(raw, into))
	}
	return header, claims
}

// A resource server that wants signed RPTs gets them where they are bound, saying
// what introspection says and no more, for a short while; and introspection and
// revocation know them like all others.
func TestARPTCanBeASignedJWT(t *testing.T) {
	w := newWorld(t)
	server := w.RS1.Client
	server.SignedRPTs = true
	_, _, err := w.AS.RegisterClient(context.Background(), server)
	w.must(err)
	if said := w.do(http.MethodGet, pathUMAConfiguration, nil, "").json(t)["uma_profiles_supported"].([]any); !slices.Contains(said, any(as.ProfileSignedRPT)) {
		t.Errorf("the profiles are %v", said)
	}
	pat, id := w.gallery()
	soon := w.resource(pat, "soon over", "view")
	end := w.Clock.Now().Add(2 * time.Minute)
	w.share(w.Alice, policy.Share{Resource: soon, Scopes: []uma.Scope{"view"}, Anyone: true, NotAfter: end})
	h := w.holder()
	get := func(asked ...uma.Permission) map[string]any {
		t.Helper()
		a := w.withProof(w.C1, ticketForm(w.ticket(pat, asked...)), h.proof(http.MethodPost, pathToken, ""))
		wantStatus(t, a, http.StatusOK)
		return a.json(t)
	}
	view := []uma.Scope{"view"}
	answer := get(uma.Permission{Resource: id, Scopes: view}, uma.Permission{Resource: soon, Scopes: view})
	rpt := answer["access_token"].(string)
	header, claims := w.claimsOf(rpt)
	now := w.Clock.Now().Unix()
	want := map[string]any{
		"iss": w.Issuer, "aud": "rs1", "client_id": "c1", "jti": claims["jti"], "iat": float64(now), "exp": float64(now + 300),
		"cnf": map[string]any{"jkt": h.thumbprint()}, "permissions": claims["permissions"],
	}
	if got, _ := json.Marshal(claims); string(got) != string(mustJSON(t, want)) || header["typ"] != "rpt+jwt" {
		t.Errorf("header %v, claims %s", header, got)
	}
	if answer["expires_in"] != float64(300) || answer["token_type"] != "DPoP" {
		t.Errorf("the answer is %v", answer)
	}
	introspect := func(token string) map[string]any {
		return w.ask(pathIntrospect, pat, url.Values{"token": {token}}).json(t)
	}
	told := introspect(rpt)
	if mustJSON(t, told["permissions"]) != mustJSON(t, claims["permissions"]) || told["exp"] != claims["exp"] || mustJSON(t, told["cnf"]) != mustJSON(t, claims["cnf"]) {
		t.Errorf("introspection says %v, the RPT %v", told, claims)
	}
	for _, p := range claims["permissions"].([]any) {
		if p := p.(map[string]any); (p["exp"] == float64(end.Unix())) != (p["resource_id"] == string(soon)) {
			t.Errorf("a permission is %v", p)
		}
	}

	// Narrowed by a refresh, it says less.
	a := w.withProof(w.C1, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {answer["refresh_token"].(string)}}, h.proof(http.MethodPost, pathToken, ""))
	wantStatus(t, a, http.StatusOK)
	if _, claims := w.claimsOf(a.json(t)["access_token"].(string)); len(claims["permissions"].([]any)) != 2 {
		t.Errorf("after the refresh the permissions are %v", claims["permissions"])
	}

	// It is never another kind of token, and can be revoked.
	for _, path := range []string{pathResources, pathPolicies, pathUserInfo} {
		got := w.do(http.MethodGet, path, http.Header{"Authorization": {"DPoP " + rpt}, "Dpop": {h.proof(http.MethodGet, path, rpt)}}, "")
		if got.StatusCode != http.StatusUnauthorized && got.StatusCode != http.StatusForbidden {
			t.Errorf("%s takes an RPT: %s", path, got.Status)
		}
	}
	pushed := w.withProof(w.C1, url.Values{
		"grant_type": {uma.GrantType}, "ticket": {string(w.ticketFor(pat, id, "edit"))}, "claim_token": {rpt}, "claim_token_format": {uma.IDTokenFormat},
	}, h.proof(http.MethodPost, pathToken, ""))
	wantError(t, pushed, http.StatusForbidden, uma.RequestDenied)
	wantStatus(t, w.do(http.MethodPost, pathRevoke, http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic("c1", w.C1.Secret)},
	}, url.Values{"token": {rpt}}.Encode()), http.StatusOK)
	if told := introspect(rpt); told["active"] != false {
		t.Errorf("after it was revoked introspection says %v", told)
	}
	tampered := rpt[:len(rpt)-3] + "AAA"
	if told := introspect(tampered); told["active"] != false {
		t.Errorf("of one that was changed introspection says %v", told)
	}

	// What is not bound is opaque, and so is what another resource server gets.
	for name, answer := range map[string]interface {
		json(testing.TB) map[string]any
	}{
		"a bearer token":                     w.postTicket(w.C1, w.ticketFor(pat, id, "view")),
		"a token for who did not ask for it": w.other(h),
	} {
		if token := answer.json(t)["access_token"].(string); strings.Contains(token, ".") {
			t.Errorf("%s is %s", name, token)
		}
	}
}

// other gets an RPT that is bound, at a resource server that does not want signed
// ones.
func (w *world) other(h holder) answer {
	pat := w.pat(w.RS2, w.Alice)
	id := w.resource(pat, "chart", "view")
	w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Anyone: true})
	return w.withProof(w.C1, ticketForm(w.ticketFor(pat, id, "view")), h.proof(http.MethodPost, pathToken, ""))
}
