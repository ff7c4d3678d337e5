package endpoint

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/limit"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// initial makes an initial access token; one without an end is good for a day.
func (w *world) initial(a as.InitialAccess) string {
	w.t.Helper()
	if a.ExpiresAt.IsZero() {
		a.ExpiresAt = w.Clock.Now().Add(24 * time.Hour)
	}
	token, err := as.IssueInitialAccess(w.secrets, a, rand.Reader)
	w.must(err)
	return token
}

// enrols sends metadata to the registration endpoint with a token, "" for none.
func (w *world) enrols(token, metadata string) answer {
	w.t.Helper()
	h := http.Header{"Content-Type": {jsonType}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return w.do(http.MethodPost, pathRegister, h, metadata)
}

// itself lets a client register itself, and returns its id and its registration
// access token.
func (w *world) itself(metadata string) (id, token string) {
	w.t.Helper()
	got := w.joins(as.InitialAccess{}, metadata)
	return got["client_id"].(string), got["registration_access_token"].(string)
}

// joins lets a client register itself with the privileges of an initial access
// token, and returns what it is told.
func (w *world) joins(a as.InitialAccess, metadata string) map[string]any {
	w.t.Helper()
	a.Uses = max(a.Uses, 1)
	got := w.enrols(w.initial(a), metadata)
	wantStatus(w.t, got, http.StatusCreated)
	return got.json(w.t)
}

// appMetadata is what an application says of itself, all that it can.
const appMetadata = `{"client_name":"Pulse","token_endpoint_auth_method":"client_secret_post","grant_types":["authorization_code","refresh_token","urn:ietf:params:oauth:grant-type:uma-ticket"],` +
	`"response_types":["code"],"redirect_uris":["https://pulse.example/cb"],"claims_redirect_uris":["https://pulse.example/claims","https://pulse.example/claims?x=1"],` +
	`"post_logout_redirect_uris":["https://pulse.example/bye"],"backchannel_logout_uri":"https://pulse.example/logout","backchannel_logout_session_required":true,"scope":"openid view",` +
	`"dpop_bound_access_tokens":false,"require_pushed_authorization_requests":true,"tls_client_certificate_bound_access_tokens":false,"require_ticket_binding":true}`

func codeOf(t *testing.T, a answer) uma.Code {
	t.Helper()
	code, _ := a.json(t)["error"].(string)
	return uma.Code(code)
}

// refusedAs fails unless the answer is a refusal with this status and code.
func refusedAs(t *testing.T, what string, a answer, status int, code uma.Code) {
	t.Helper()
	if a.StatusCode != status || codeOf(t, a) != code {
		t.Errorf("%s: %s %s, want %d %s", what, a.Status, a.Body, status, code)
	}
}

// A client says what it is and is told what it is registered as: claims redirection
// URIs and all the rest, and what is the server's to say. It reads that again, with
// the token that it was given.
//
// Proves GRANT-2-09, GRANT-2-10, GRANT-2-07.
func TestAClientRegistersItself(t *testing.T) {
	w := newWorld(t)
	at, _ := w.do(http.MethodGet, pathUMAConfiguration, nil, "").json(t)["registration_endpoint"].(string)
	if at != w.Issuer+pathRegister {
		t.Fatalf("the registration endpoint is %q", at)
	}
	a := w.enrols(w.initial(as.InitialAccess{Uses: 1}), appMetadata)
	wantStatus(t, a, http.StatusCreated)
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("the answer may be kept")
	}
	got := a.json(t)
	id, token, secret := got["client_id"].(string), got["registration_access_token"].(string), got["client_secret"].(string)
	if got["registration_client_uri"] != w.Issuer+pathRegister+"/"+id || got["client_secret_expires_at"] != float64(0) || got["client_id_issued_at"] != float64(w.Clock.Now().Unix()) {
		t.Errorf("the answer is %v", got)
	}
	var said map[string]any
	w.must(json.Unmarshal([]byte(appMetadata), &said))
	for member, value := range said {
		if value != false && mustJSON(t, got[member]) != mustJSON(t, value) {
			t.Errorf("%s was %v and is registered as %v", member, value, got[member])
		}
	}
	read := w.api(http.MethodGet, pathRegister+"/"+id, token, "")
	wantStatus(t, read, http.StatusOK)
	seen := read.json(t)
	if seen["client_secret"] != nil {
		t.Error("the secret is told a second time")
	}
	delete(got, "client_secret")
	if mustJSON(t, seen) != mustJSON(t, got) {
		t.Errorf("read %v after registering %v", seen, got)
	}
	// It is a client like any other: a requesting party comes back to its claims
	// redirection URI, and its secret is good.
	c, err := w.AS.FindClient(t.Context(), oauth.ClientID(id))
	w.must(err)
	if c.PushClaims || c.Space != "" || c.SignedRPTs || len(c.SecretHash) != 32 || strings.Contains(string(c.SecretHash), secret) {
		t.Errorf("the client is %+v", c)
	}
	pat, photo := w.gallery()
	refused := w.postTicket(registered{c, secret}, w.ticketFor(pat, photo, "view")).json(t)
	if refused["error"] == string(uma.InvalidClient) {
		t.Errorf("the secret is not accepted: %v", refused)
	}
}

// What is left out has the defaults of RFC 7591 2.
func TestWhatAClientDoesNotSayHasItsDefault(t *testing.T) {
	w := newWorld(t)
	got := w.joins(as.InitialAccess{}, `{"redirect_uris":["https://a.example/cb"],"client_name":null,"logo_uri":"http://127.0.0.1/x","x":{"y":[1]}}`)
	if got["token_endpoint_auth_method"] != "client_secret_basic" || mustJSON(t, got["grant_types"]) != `["authorization_code"]` ||
		mustJSON(t, got["response_types"]) != `["code"]` || got["client_secret"] == nil || got["scope"] != nil || got["logo_uri"] != nil || got["x"] != nil {
		t.Errorf("it is registered as %v", got)
	}
	public := w.joins(as.InitialAccess{}, `{"grant_types":["urn:ietf:params:oauth:grant-type:uma-ticket"],"token_endpoint_auth_method":"none","claims_redirect_uris":["https://a.example/claims"]}`)
	if public["client_secret"] != nil || public["client_secret_expires_at"] != nil || mustJSON(t, public["response_types"]) != `[]` {
		t.Errorf("a public client is registered as %v", public)
	}
}

// One judge says what a client may be, whether it comes or changes.
//
// Proves SEC-080.
func TestWhatNoClientMayBeIsRefusedWhenItComesAndWhenItChanges(t *testing.T) {
	w := newWorld(t)
	id, token := w.itself(`{"grant_types":[]}`)
	before := mustJSON(t, w.api(http.MethodGet, pathRegister+"/"+id, token, "").json(t))
	initial := w.initial(as.InitialAccess{Uses: 1})
	for metadata, code := range map[string]uma.Code{
		`{}`:                   oauth.InvalidRedirectURI,
		`{"redirect_uris":[]}`: oauth.InvalidRedirectURI,
		`{"redirect_uris":"https://a.example/cb"}`:                                                                oauth.InvalidRedirectURI,
		`{"redirect_uris":["https://a.example/cb#f"]}`:                                                            oauth.InvalidRedirectURI,
		`{"redirect_uris":["javascript:alert(1)"]}`:                                                               oauth.InvalidRedirectURI,
		`{"redirect_uris":["http://a.example/cb"]}`:                                                               oauth.InvalidRedirectURI,
		`{"redirect_uris":["https://*.example/cb"]}`:                                                              oauth.InvalidRedirectURI,
		`{"grant_types":[],"claims_redirect_uris":["https://a.example/cb#f"]}`:                                    oauth.InvalidRedirectURI,
		`{"grant_types":[],"post_logout_redirect_uris":["data:,x"]}`:                                              oauth.InvalidRedirectURI,
		`{"grant_types":[],"claims_redirect_uris":{"a":1}}`:                                                       oauth.InvalidClientMetadata,
		`{"grant_types":["implicit"]}`:                                                                            oauth.InvalidClientMetadata,
		`{"grant_types":["password"]}`:                                                                            oauth.InvalidClientMetadata,
		`{"grant_types":["client_credentials"]}`:                                                                  oauth.InvalidClientMetadata,
		`{"grant_types":[],"response_types":["code"]}`:                                                            oauth.InvalidClientMetadata,
		`{"redirect_uris":["https://a.example/cb"],"response_types":["token"]}`:                                   oauth.InvalidClientMetadata,
		`{"redirect_uris":["https://a.example/cb"],"response_types":[]}`:                                          oauth.InvalidClientMetadata,
		`{"grant_types":[],"token_endpoint_auth_method":"client_secret_jwt"}`:                                     oauth.InvalidClientMetadata,
		`{"grant_types":[],"token_endpoint_auth_method":"private_key_jwt"}`:                                       oauth.InvalidClientMetadata,
		`{"grant_types":[],"token_endpoint_auth_method":7}`:                                                       oauth.InvalidClientMetadata,
		`{"grant_types":[],"token_endpoint_auth_method":"tls_client_auth","tls_client_auth_san_dns":"a.example"}`: oauth.InvalidClientMetadata, // is not offered here
		`{"grant_types":[],"tls_client_auth_san_dns":"a.example","tls_client_auth_san_uri":"b"}`:                  oauth.InvalidClientMetadata,
		`{"grant_types":[],"jwks":{"keys":[{"kty":"oct","k":"AAAA"}]}}`:                                           oauth.InvalidClientMetadata,
		`{"grant_types":[],"jwks":"x"}`:                                                                           oauth.InvalidClientMetadata,
		`{"grant_types":[],"jwks_uri":"https://a.example/jwks"}`:                                                  oauth.InvalidClientMetadata,
		`{"grant_types":[],"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"ftp://a.example/jwks"}`:     oauth.InvalidClientMetadata,
		`{"grant_types":[],"backchannel_logout_uri":"com.example.app:/x"}`:                                        oauth.InvalidClientMetadata,
		`{"grant_types":[],"dpop_bound_access_tokens":"true"}`:                                                    oauth.InvalidClientMetadata,
		`{"grant_types":[],"client_name":"a\u202eb"}`:                                                             oauth.InvalidClientMetadata,
		`{"grant_types":[],"scope":"a \" b"}`:                                                                     oauth.InvalidClientMetadata,
		`{"grant_types":[],"scope":["openid"]}`:                                                                   oauth.InvalidClientMetadata,
		`{"grant_types":[],"scope":"uma_protection"}`:                                                             oauth.InvalidClientMetadata, // these are for the operator to give
		`{"grant_types":[],"scope":"uma_policy"}`:                                                                 oauth.InvalidClientMetadata,
		`{"grant_types":[],"scope":"openid edit"}`:                                                                oauth.InvalidClientMetadata,
		`{"grant_types":[],"software_statement":7}`:                                                               oauth.InvalidSoftwareStatement,
		`{"grant_types":[],"software_statement":"x"}`:                                                             oauth.InvalidSoftwareStatement,
		`{"grant_types":[],"grant_types":[]}`:                                                                     uma.InvalidRequest,
		`[]`:                                                                                                      uma.InvalidRequest,
	} {
		refusedAs(t, "registering "+metadata, w.enrols(initial, metadata), http.StatusBadRequest, code)
		if strings.HasPrefix(metadata, "{") {
			update := strings.TrimSuffix(`{"client_id":"`+id+`",`+metadata[1:], ",}")
			if metadata == "{}" {
				update += "}"
			}
			refusedAs(t, "changing to "+update, w.api(http.MethodPut, pathRegister+"/"+id, token, update), http.StatusBadRequest, code)
		}
	}
	wantStatus(t, w.enrols(initial, strings.Repeat("x", uma.MaxJSON+1)), http.StatusRequestEntityTooLarge)
	if after := mustJSON(t, w.api(http.MethodGet, pathRegister+"/"+id, token, "").json(t)); after != before {
		t.Errorf("what was refused has changed %s into %s", before, after)
	}
	wantStatus(t, w.enrols(initial, `{"grant_types":[]}`), http.StatusCreated) // no refusal has used the token
}

// What is the server's to say, and what the operator's to give, is never taken from
// a client.
//
// Proves SEC-127.
func TestAClientDoesNotSayWhatTheServerAndTheOperatorSay(t *testing.T) {
	w := newWorld(t)
	metadata := `{"client_id":"c1","client_secret":"chosen","client_secret_expires_at":1,"client_id_issued_at":1,"registration_access_token":"chosen","registration_client_uri":"https://evil.example",` +
		`"push_claims":true,"space":"` + string(w.Alice.Space) + `","signed_rpts":true,"disabled":false,"certificate":"x","grant_types":[]}`
	got := w.joins(as.InitialAccess{}, metadata)
	if got["client_id"] == "c1" || got["client_secret"] == "chosen" || got["registration_access_token"] == "chosen" || got["client_id_issued_at"] == float64(1) {
		t.Errorf("it is registered as %v", got)
	}
	id, token := got["client_id"].(string), got["registration_access_token"].(string)
	c, err := w.AS.FindClient(t.Context(), oauth.ClientID(id))
	w.must(err)
	if c.PushClaims || c.Space != "" || c.SignedRPTs || c.Certificate != "" {
		t.Errorf("the client has %+v", c)
	}
	// An update names the client, and nothing else that is the server's (RFC 7592 2.2).
	for _, member := range []string{
		`"client_id":"c1"`, `"x":1`, `"client_id":7`, `"client_id":"` + id + `","client_secret":"wrong"`, `"client_id":"` + id + `","client_secret":7`, `"client_id":"` + id + `","registration_access_token":"` + token + `"`,
		`"client_id":"` + id + `","registration_client_uri":"x"`, `"client_id":"` + id + `","client_secret_expires_at":0`, `"client_id":"` + id + `","client_id_issued_at":0`,
	} {
		refusedAs(t, "an update with "+member, w.api(http.MethodPut, pathRegister+"/"+id, token, `{"grant_types":[],`+member+`}`), http.StatusBadRequest, uma.InvalidRequest)
	}
	a := w.api(http.MethodPut, pathRegister+"/"+id, token, `{"grant_types":[],"client_id":"`+id+`","client_secret":"`+got["client_secret"].(string)+`","push_claims":true,"space":"x"}`)
	wantStatus(t, a, http.StatusOK)
	if a.json(t)["client_secret"] != nil {
		t.Error("the client chose its secret, or was told it again")
	}
	if c, err = w.AS.FindClient(t.Context(), oauth.ClientID(id)); err != nil || c.PushClaims || c.Space != "" {
		t.Errorf("after an update the client has %+v, %v", c, err)
	}
}

// An update replaces everything that the client said, at once, and nothing that the
// operator gave it.
func TestAnUpdateReplacesWhatTheClientSaid(t *testing.T) {
	w := newWorld(t)
	got := w.joins(as.InitialAccess{PushClaims: true, Scopes: []uma.Scope{oauth.ScopePolicy}}, strings.Replace(appMetadata, "openid view", "openid uma_policy", 1))
	id, token, secret := got["client_id"].(string), got["registration_access_token"].(string), got["client_secret"].(string)
	put := func(metadata string) answer {
		return w.api(http.MethodPut, pathRegister+"/"+id, token, strings.Replace(metadata, "{", `{"client_id":"`+id+`",`, 1))
	}
	// The privilege of its initial access token is the client's, and stays.
	a := put(`{"redirect_uris":["https://new.example/cb"],"scope":"uma_policy"}`)
	wantStatus(t, a, http.StatusOK)
	c, err := w.AS.FindClient(t.Context(), oauth.ClientID(id))
	w.must(err)
	if mustJSON(t, c.RedirectURIs) != `["https://new.example/cb"]` || len(c.ClaimsRedirectURIs) != 0 || c.Name != "" || c.RequirePushed || !c.PushClaims || !slices.Equal(c.Scopes, []uma.Scope{oauth.ScopePolicy}) || !c.CheckSecret(secret) {
		t.Errorf("it has become %+v", c)
	}
	for member, value := range a.json(t) {
		if slices.Contains([]string{"claims_redirect_uris", "client_name", "post_logout_redirect_uris", "backchannel_logout_uri"}, member) {
			t.Errorf("%s is still %v", member, value)
		}
	}
	// A client that has no secret any more gets another one when it wants one again.
	wantStatus(t, put(`{"grant_types":[],"token_endpoint_auth_method":"none"}`), http.StatusOK)
	if c, err = w.AS.FindClient(t.Context(), oauth.ClientID(id)); err != nil || len(c.SecretHash) != 0 {
		t.Errorf("a public client has the secret %x, %v", c.SecretHash, err)
	}
	again := put(`{"grant_types":[]}`).json(t)["client_secret"]
	if again == nil || again == secret {
		t.Errorf("the new secret is %v", again)
	}
}

// An initial access token is good for so many clients and for so long, on every
// node, whoever is faster.
//
// Proves SEC-118.
func TestAnInitialAccessTokenIsUsedUp(t *testing.T) {
	w := newWorld(t)
	const metadata = `{"grant_types":[]}`
	for _, uses := range []int64{1, 3} {
		token := w.initial(as.InitialAccess{Uses: uses})
		var mu sync.Mutex
		made := int64(0)
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+pathRegister, strings.NewReader(metadata))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {jsonType}}
				response, err := w.HTTP.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = response.Body.Close()
				mu.Lock()
				defer mu.Unlock()
				if response.StatusCode == http.StatusCreated {
					made++
				} else if response.StatusCode != http.StatusUnauthorized {
					t.Errorf("one more client: %s", response.Status)
				}
			})
		}
		all.Wait()
		if made != uses {
			t.Errorf("a token for %d clients made %d", uses, made)
		}
	}
	token := w.initial(as.InitialAccess{Uses: 5, ExpiresAt: w.Clock.Now().Add(time.Hour)})
	wantStatus(t, w.enrols(token, metadata), http.StatusCreated)
	w.Clock.Advance(time.Hour)
	refusedAs(t, "at its end", w.enrols(token, metadata), http.StatusUnauthorized, uma.InvalidToken)
	// Nothing else is one, and it is nothing else.
	fresh := w.initial(as.InitialAccess{Uses: 1})
	id, own := w.itself(metadata)
	for what, other := range map[string]string{
		"a PAT": w.pat(w.RS1, w.Alice), "a registration access token": own, "a ticket": string(w.photo().ticket(w)), "nonsense": strings.Repeat("x", 99), "one with more behind it": fresh + "A",
		"a token for policies": w.token(w.C1, w.Alice, oauth.ScopePolicy),
	} {
		refusedAs(t, what, w.enrols(other, metadata), http.StatusUnauthorized, uma.InvalidToken)
	}
	refusedAs(t, "nothing", w.enrols("", metadata), http.StatusUnauthorized, uma.InvalidToken)
	for _, path := range []string{pathRegister + "/" + id, pathResources, pathPolicies, pathUserInfo} {
		wantStatus(t, w.api(http.MethodGet, path, fresh, ""), http.StatusUnauthorized)
	}
	a := w.do(http.MethodPost, pathRegister, http.Header{"Authorization": {"DPoP " + fresh}, "Content-Type": {jsonType}}, metadata)
	wantStatus(t, a, http.StatusUnauthorized) // it is bound to nothing
	wantStatus(t, w.enrols(fresh, metadata), http.StatusCreated)
}

// What the operator says with the initial access token is what the client may have
// beyond what every client may.
func TestAnInitialAccessTokenGivesWhatItSays(t *testing.T) {
	w := newWorld(t)
	const server = `{"redirect_uris":["https://rs.example/cb"],"scope":"uma_protection"}`
	plain := w.initial(as.InitialAccess{Uses: 1, Scopes: []uma.Scope{oauth.ScopePolicy}})
	refusedAs(t, "another privilege", w.enrols(plain, server), http.StatusBadRequest, oauth.InvalidClientMetadata)
	wantStatus(t, w.enrols(w.initial(as.InitialAccess{Uses: 1, Scopes: []uma.Scope{uma.ScopeProtection}}), server), http.StatusCreated)

	got := w.joins(as.InitialAccess{Scopes: []uma.Scope{uma.ScopeProtection}, Space: w.Anna.Space}, `{"grant_types":["client_credentials"],"scope":"uma_protection"}`)
	c := registered{oauth.Client{ID: oauth.ClientID(got["client_id"].(string))}, got["client_secret"].(string)}
	granted := w.postToken(c, url.Values{"grant_type": {oauth.GrantClientCredentials}})
	wantStatus(t, granted, http.StatusOK)
	wantStatus(t, w.api(http.MethodGet, pathResources, granted.json(t)["access_token"].(string), ""), http.StatusOK)
}

// Registration is there when the operator has turned it on; open is open by that
// word alone, with as little as there is, and not without end.
func TestRegistrationIsThereWhenTheOperatorSaysSo(t *testing.T) {
	mode := func(m as.RegistrationMode) func(*as.Config) {
		return func(c *as.Config) { c.Registration = as.Registration{Mode: m} }
	}
	off := newWorld(t, mode(as.RegistrationOff))
	if off.do(http.MethodGet, pathUMAConfiguration, nil, "").json(t)["registration_endpoint"] != nil {
		t.Error("a registration endpoint is announced")
	}
	refusedAs(t, "off", off.enrols(off.initial(as.InitialAccess{Uses: 1}), appMetadata), http.StatusNotFound, uma.NotFound)
	refusedAs(t, "off, reading", off.api(http.MethodGet, pathRegister+"/c1", "x", ""), http.StatusNotFound, uma.NotFound)

	open := newWorld(t, mode(as.RegistrationOpen))
	open.bound(Limits{Client: limit.Off, Address: limit.Off, Public: limit.Off, Registration: limit.Rate{Count: 2, Per: time.Hour}})
	post := func(address, authorization string) answer {
		h := http.Header{"Content-Type": {jsonType}}
		if authorization != "" {
			h.Set("Authorization", authorization)
		}
		return open.from(address, http.MethodPost, pathRegister, h, `{"grant_types":[]}`)
	}
	wantStatus(t, post("192.0.2.1:1", ""), http.StatusCreated)
	wantStatus(t, post("192.0.2.1:1", "Bearer nonsense"), http.StatusUnauthorized) // what is shown has to be good
	wantStatus(t, post("192.0.2.1:1", ""), http.StatusCreated)
	third := post("192.0.2.1:1", "")
	wantStatus(t, third, http.StatusTooManyRequests)
	if third.Header.Get("Retry-After") == "" {
		t.Error("it is not said when to come again")
	}
	wantStatus(t, post("192.0.2.2:1", ""), http.StatusCreated) // nobody else waits
	wantStatus(t, post("192.0.2.1:1", "Bearer "+open.initial(as.InitialAccess{Uses: 1})), http.StatusCreated)
	refusedAs(t, "a scope in an open house", open.from("192.0.2.3:1", http.MethodPost, pathRegister, http.Header{"Content-Type": {jsonType}}, `{"grant_types":[],"scope":"openid"}`),
		http.StatusBadRequest, oauth.InvalidClientMetadata)
	if _, err := as.New(t.Context(), as.Config{Issuer: open.Issuer, Store: open.Store, Secrets: open.secrets, Registration: as.Registration{Mode: "everybody"}}); err == nil {
		t.Error("a mode that is not known starts a server")
	}
}

// FAPI 2.0 holds for whoever registers, too.
func TestFAPIHoldsForClientsThatRegister(t *testing.T) {
	w := newWorld(t, func(c *as.Config) { c.FAPI2 = true })
	for _, method := range []string{"client_secret_basic", "client_secret_post", "none"} {
		refusedAs(t, method, w.enrols(w.initial(as.InitialAccess{Uses: 1}), `{"grant_types":[],"token_endpoint_auth_method":"`+method+`"}`), http.StatusBadRequest, oauth.InvalidClientMetadata)
	}
	set, err := oauth.KeySet{w.newKey()}.Public()
	w.must(err)
	keyed := `{"grant_types":[],"token_endpoint_auth_method":"private_key_jwt","jwks":` + string(set) + `}`
	got := w.joins(as.InitialAccess{}, keyed)
	id, token := got["client_id"].(string), got["registration_access_token"].(string)
	weaker := `{"client_id":"` + id + `","grant_types":[],"token_endpoint_auth_method":"none"}`
	refusedAs(t, "weaker", w.api(http.MethodPut, pathRegister+"/"+id, token, weaker), http.StatusBadRequest, oauth.InvalidClientMetadata)
}

// Whoever does not have the client's registration access token is told the same,
// whether the client is there, is somebody else's, was never one that registered
// itself, or is none.
//
// Proves SEC-020.
func TestAClientIsManagedByItselfAlone(t *testing.T) {
	w := newWorld(t)
	id, token := w.itself(`{"grant_types":[]}`)
	_, other := w.itself(`{"grant_types":[]}`)
	for _, path := range []string{id, "c1", "never-was"} {
		for _, shown := range []string{other, "nonsense", w.token(w.C1, w.Alice, oauth.ScopePolicy), w.initial(as.InitialAccess{Uses: 1})} {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
				refusedAs(t, method+" "+path, w.api(method, pathRegister+"/"+path, shown, `{"client_id":"`+path+`","grant_types":[]}`), http.StatusUnauthorized, uma.InvalidToken)
			}
		}
	}
	wantStatus(t, w.do(http.MethodGet, pathRegister+"/"+id, nil, ""), http.StatusUnauthorized)
	wantStatus(t, w.do(http.MethodGet, pathRegister+"/"+id, http.Header{"Authorization": {"DPoP " + token}}, ""), http.StatusUnauthorized)
	wantStatus(t, w.api(http.MethodGet, pathRegister+"/"+id, token, ""), http.StatusOK)
	// The operator has shut it out.
	c, err := w.AS.FindClient(t.Context(), oauth.ClientID(id))
	w.must(err)
	c.Disabled = true
	_, _, err = w.AS.RegisterClient(t.Context(), c)
	w.must(err)
	refusedAs(t, "a disabled client", w.api(http.MethodPut, pathRegister+"/"+id, token, `{"client_id":"`+id+`","grant_types":[]}`), http.StatusUnauthorized, uma.InvalidToken)
}

// A client that deletes itself leaves nothing that is good: neither tokens, codes
// and its own way in, nor, when it was a resource server, what it protected. Its
// owners read of it, and their shares wait for what comes instead.
//
// Proves SEC-027, SEC-031, SEC-092.
func TestADeletedClientLeavesNothingThatIsGood(t *testing.T) {
	w := newWorld(t)
	got := w.joins(as.InitialAccess{Scopes: []uma.Scope{uma.ScopeProtection}}, `{"redirect_uris":["https://rs.example/cb"],"grant_types":["authorization_code","refresh_token"],"scope":"uma_protection openid"}`)
	c, err := w.AS.FindClient(t.Context(), oauth.ClientID(got["client_id"].(string)))
	w.must(err)
	rs := registered{c, got["client_secret"].(string)}
	answer, err := w.AS.IssueToken(t.Context(), rs.ID, w.Alice.ID, w.Alice.Space, uma.ScopeProtection)
	w.must(err)
	pat := answer.AccessToken
	id := w.resource(pat, "photo", "view")
	share := w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Anyone: true})
	rpt := w.postTicket(w.C1, w.ticketFor(pat, id, "view")).json(t)["access_token"].(string)
	if w.ask(pathIntrospect, pat, url.Values{"token": {rpt}}).json(t)["active"] != true {
		t.Fatal("the RPT is not good")
	}
	waiting := w.ticketFor(pat, id, "view")
	code := w.authorize(t, w.Bob, authorizePath(ask(rs, "openid"))).Get("code")
	untouched := w.pat(w.RS1, w.Alice)
	kept := w.resource(untouched, "kept", "view")

	uri, token := pathRegister+"/"+string(rs.ID), got["registration_access_token"].(string)
	a := w.api(http.MethodDelete, uri, token, "")
	wantStatus(t, a, http.StatusNoContent)
	if len(a.Body) != 0 || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer is %v %q", a.Header, a.Body)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		refusedAs(t, method+" afterwards", w.api(method, uri, token, `{"client_id":"`+string(rs.ID)+`","grant_types":[]}`), http.StatusUnauthorized, uma.InvalidToken)
	}
	wantStatus(t, w.api(http.MethodGet, pathResources, pat, ""), http.StatusUnauthorized)
	wantStatus(t, w.ask(pathIntrospect, pat, url.Values{"token": {rpt}}), http.StatusUnauthorized)
	for what, form := range map[string]url.Values{
		"the refresh token": {"grant_type": {oauth.GrantRefreshToken}, "refresh_token": {answer.RefreshToken}},
		"the code":          {"grant_type": {oauth.GrantAuthorizationCode}, "code": {code}, "redirect_uri": {rs.RedirectURIs[0]}, "code_verifier": {codeVerifier}},
	} {
		refusedAs(t, what, w.postToken(rs, form), http.StatusUnauthorized, uma.InvalidClient)
	}
	refusedAs(t, "a ticket of its", w.postTicket(w.C1, waiting), http.StatusBadRequest, uma.InvalidGrant)
	// Alice sees what has become of her things.
	policies := w.token(w.C1, w.Alice, oauth.ScopePolicy)
	owned := listed(t, w.api(http.MethodGet, pathOwnedResources, policies, ""))
	if len(owned) != 1 || owned[0]["_id"] != string(kept) {
		t.Errorf("Alice owns %v", owned)
	}
	for _, connection := range listed(t, w.api(http.MethodGet, pathConnections, policies, "")) {
		if connection["client_id"] == string(rs.ID) {
			t.Error("it is still connected")
		}
	}
	w.must(w.Store.View(t.Context(), func(r as.Reader) error {
		dormant, err := r.Share(w.Alice.Space, share.ID)
		if err != nil || !dormant.DormantSince.Equal(w.Clock.Now()) {
			t.Errorf("the share is %+v, %v", dormant, err)
		}
		events, err := r.Events(w.Alice.Space, 0, 100)
		if last := events[len(events)-1]; err != nil || last.Kind != as.EventClientDeleted || last.Subject != string(rs.ID) {
			t.Errorf("the history ends with %+v, %v", last, err)
		}
		// What was is kept, as it is when a resource is deregistered.
		versions, err := r.ShareVersions(w.Alice.Space, as.VersionFilter{Share: share.ID, EndedBy: events[len(events)-1].Seq}, as.Page{Limit: 10})
		if err != nil || len(versions) != 1 || versions[0].Ending.How != as.EndGone || versions[0].Ending.By != string(rs.ID) {
			t.Errorf("of the share is kept %+v, %v", versions, err)
		}
		if past, err := r.LastOfResource(w.Alice.Space, id); err != nil || past.Description.Name != "photo" || past.ResourceServer != rs.ID {
			t.Errorf("of the resource is kept %+v, %v", past, err)
		}
		return nil
	}))
	w.must(w.AS.VerifyHistory(t.Context(), w.Alice.Space))
	w.must(w.AS.VerifyHistory(context.Background(), "")) // the server's own
}

// statement signs a software statement.
func statement(t *testing.T, key oauth.Key, typ string, claims map[string]any) string {
	t.Helper()
	token, err := oauth.Sign(key, typ, claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// What an issuer whom the operator believes says of a client is so, whatever the
// client says; what anybody else says is not.
func TestASoftwareStatementWins(t *testing.T) {
	key, err := oauth.GenerateKey(rand.Reader, oauth.DefaultAlgorithm)
	if err != nil {
		t.Fatal(err)
	}
	set, err := oauth.KeySet{key}.Public()
	if err != nil {
		t.Fatal(err)
	}
	const publisher = "https://publisher.example"
	w := newWorld(t, func(c *as.Config) { c.Registration.StatementIssuers = []as.ClaimIssuer{{Issuer: publisher, JWKS: set}} })
	said := map[string]any{
		"iss": publisher, "client_name": "Certified", "redirect_uris": []string{"https://certified.example/cb"}, "client_id": "c1", "client_secret": "x", "software_id": "4NRB1",
	}
	with := func(s string) string {
		return `{"client_name":"Bank","redirect_uris":["https://evil.example/cb"],"scope":"view","software_statement":"` + s + `"}`
	}
	good := statement(t, key, "JWT", said)
	got := w.joins(as.InitialAccess{}, with(good))
	if got["client_name"] != "Certified" || mustJSON(t, got["redirect_uris"]) != `["https://certified.example/cb"]` || got["scope"] != "view" || got["software_statement"] != good || got["client_id"] == "c1" || got["client_secret"] == "x" {
		t.Errorf("it is registered as %v", got)
	}
	// The client does not get rid of it.
	id, token := got["client_id"].(string), got["registration_access_token"].(string)
	own := `{"client_id":"` + id + `","client_name":"Bank","redirect_uris":["https://evil.example/cb"]}`
	refusedAs(t, "without it", w.api(http.MethodPut, pathRegister+"/"+id, token, own), http.StatusBadRequest, oauth.InvalidSoftwareStatement)
	said["client_name"] = "Certified again"
	next := statement(t, key, "", said)
	updated := w.api(http.MethodPut, pathRegister+"/"+id, token, strings.Replace(with(next), "{", `{"client_id":"`+id+`",`, 1))
	wantStatus(t, updated, http.StatusOK)
	if read := w.api(http.MethodGet, pathRegister+"/"+id, token, "").json(t); read["client_name"] != "Certified again" || read["software_statement"] != next {
		t.Errorf("it has become %v", read)
	}

	claims := func(more map[string]any) map[string]any {
		out := map[string]any{"iss": publisher, "redirect_uris": []string{"https://certified.example/cb"}}
		for name, value := range more {
			out[name] = value
		}
		return out
	}
	now := w.Clock.Now().Unix()
	for what, bad := range map[string]struct {
		statement string
		code      uma.Code
	}{
		"somebody else's":         {statement(t, w.newKey(), "JWT", claims(map[string]any{"iss": "https://nobody.example"})), oauth.UnapprovedSoftwareStatement},
		"signed by somebody else": {statement(t, w.newKey(), "JWT", claims(nil)), oauth.InvalidSoftwareStatement},
		"of no issuer":            {statement(t, key, "JWT", claims(map[string]any{"iss": 7})), oauth.InvalidSoftwareStatement},
		"over":                    {statement(t, key, "JWT", claims(map[string]any{"exp": now})), oauth.InvalidSoftwareStatement},
		"not yet":                 {statement(t, key, "JWT", claims(map[string]any{"nbf": now + 60})), oauth.InvalidSoftwareStatement},
		"for somebody else":       {statement(t, key, "JWT", claims(map[string]any{"aud": "https://other.example"})), oauth.InvalidSoftwareStatement},
		"an access token":         {statement(t, key, "at+jwt", claims(nil)), oauth.InvalidSoftwareStatement},
		"a logout token":          {statement(t, key, "JWT", claims(map[string]any{"events": map[string]any{}})), oauth.InvalidSoftwareStatement},
		"changed":                 {good[:len(good)-4] + "AAAA", oauth.InvalidSoftwareStatement},
		"no JWT":                  {"a.b.c", oauth.InvalidSoftwareStatement},
		"what no client may be":   {statement(t, key, "JWT", claims(map[string]any{"redirect_uris": []string{"javascript:x"}})), oauth.InvalidRedirectURI},
		"what no client may have": {statement(t, key, "JWT", claims(map[string]any{"scope": "uma_protection"})), oauth.InvalidClientMetadata},
	} {
		refusedAs(t, what, w.enrols(w.initial(as.InitialAccess{Uses: 1}), with(bad.statement)), http.StatusBadRequest, bad.code)
	}
	wantStatus(t, w.enrols(w.initial(as.InitialAccess{Uses: 1}), with(statement(t, key, "JWT", claims(map[string]any{"aud": w.Issuer, "exp": now + 60})))), http.StatusCreated)
}

// The document of the API foresees every answer of registration.
func TestTheDocumentForeseesWhatRegistrationAnswers(t *testing.T) {
	w := newWorld(t)
	law := newContract(t, w.Issuer)
	hold := func(a answer) answer {
		t.Helper()
		if err := law.holds(a); err != nil {
			t.Errorf("%s %s: %s %s\n%v", a.Request.Method, a.Request.URL.Path, a.Status, a.Body, err)
		}
		return a
	}
	got := hold(w.enrols(w.initial(as.InitialAccess{Uses: 1}), appMetadata)).json(t)
	id, token := got["client_id"].(string), got["registration_access_token"].(string)
	uri := pathRegister + "/" + id
	hold(w.enrols("x", appMetadata))
	hold(w.enrols(w.initial(as.InitialAccess{Uses: 1}), `{}`))
	hold(w.api(http.MethodGet, uri, token, ""))
	hold(w.api(http.MethodGet, uri, "x", ""))
	hold(w.api(http.MethodPut, uri, token, fmt.Sprintf(`{"client_id":%q,"grant_types":[]}`, id)))
	hold(w.api(http.MethodPut, uri, token, `{}`))
	hold(w.api(http.MethodDelete, uri, token, ""))
}
