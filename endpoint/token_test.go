package endpoint

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// gallery is a resource of Alice's at rs1 that anybody may view.
func (w *world) gallery(scopes ...uma.Scope) (pat string, id uma.ResourceID) {
	w.t.Helper()
	pat = w.pat(w.RS1, w.Alice)
	id = w.resource(pat, "gallery", append([]uma.Scope{"view", "edit"}, scopes...)...)
	w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Anyone: true})
	return pat, id
}

// Proves GRANT-3.3-01, GRANT-3.3-02, GRANT-3.3.1-03, GRANT-3.3.1-10, GRANT-3.3.5-01,
// GRANT-3.3.5-02, GRANT-3.3.5-08, GRANT-3.3.5-09, GRANT-3.3.5-10.
func TestConfidentialAndPublicClientsGetAnRPT(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	for _, c := range []registered{w.C1, w.Public} {
		a := w.postTicket(c, w.ticketFor(pat, id, "view"))
		wantStatus(t, a, http.StatusOK)
		m := a.json(t)
		if m["access_token"] == "" || m["token_type"] != "Bearer" || m["expires_in"] == nil || m["refresh_token"] == "" {
			t.Errorf("%s: %s", c.ID, a.Body)
		}
		if m["scope"] != nil || m["upgraded"] != nil || m["ticket"] != nil || m["pct"] != nil {
			t.Errorf("%s: %s", c.ID, a.Body)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: headers %v", c.ID, a.Header)
		}
	}
}

// Proves GRANT-3.3-02, GRANT-3.3.1-01, GRANT-3.3.1-02, GRANT-3.3.1-04,
// GRANT-3.3.1-05, GRANT-3.3.1-11, GRANT-3.3.6-01, GRANT-3.3.6-04, GRANT-3.3.6-19,
// GEN-1.1-01, SEC-050, SEC-096. What fails before the ticket is looked at leaves
// it as it was (AMB-09): each of these uses the same ticket, which is good at the
// end.
func TestWhatIsMalformedIsRefusedAndSpendsNothing(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	ticket := string(w.ticketFor(pat, id, "view"))
	ours := basic("c1", w.C1.Secret)
	grant := "grant_type=" + url.QueryEscape(uma.GrantType)
	for name, c := range map[string]struct {
		authorization, body string
		status              int
		code                uma.Code
	}{
		"no secret":                  {"", grant + "&client_id=c1&ticket=" + ticket, 401, uma.InvalidClient},
		"a wrong secret":             {basic("c1", "wrong"), grant + "&ticket=" + ticket, 401, uma.InvalidClient},
		"an unknown client":          {basic("c9", "wrong"), grant + "&ticket=" + ticket, 401, uma.InvalidClient},
		"no client at all":           {"", grant + "&ticket=" + ticket, 401, uma.InvalidClient},
		"a user's token":             {"Bearer " + w.token(w.C1, w.Alice, "openid"), grant + "&ticket=" + ticket, 401, uma.InvalidClient},
		"two ways at once":           {ours, grant + "&client_id=c1&client_secret=" + w.C1.Secret + "&ticket=" + ticket, 400, uma.InvalidRequest},
		"no grant type":              {ours, "ticket=" + ticket, 400, uma.InvalidRequest},
		"grant type in capitals":     {ours, "GRANT_TYPE=" + url.QueryEscape(uma.GrantType) + "&ticket=" + ticket, 400, uma.InvalidRequest},
		"an unknown grant type":      {ours, "grant_type=password&ticket=" + ticket, 400, uma.UnsupportedGrantType},
		"no ticket":                  {ours, grant, 400, uma.InvalidRequest},
		"a ticket in another case":   {ours, grant + "&Ticket=" + ticket, 400, uma.InvalidRequest},
		"the ticket twice":           {ours, grant + "&ticket=" + ticket + "&ticket=" + ticket, 400, uma.InvalidRequest},
		"a claim token alone":        {ours, grant + "&claim_token=x&ticket=" + ticket, 400, uma.InvalidRequest},
		"a claim token format alone": {ours, grant + "&claim_token_format=x&ticket=" + ticket, 400, uma.InvalidRequest},
		"a scope with quotes":        {ours, grant + "&scope=%22&ticket=" + ticket, 400, uma.InvalidScope},
		"a random ticket":            {ours, grant + "&ticket=" + strings.Repeat("A", 43), 400, uma.InvalidGrant},
		"a short ticket":             {ours, grant + "&ticket=x", 400, uma.InvalidGrant},
		"a bad escape":               {ours, grant + "&ticket=%zz", 400, uma.InvalidRequest},
	} {
		h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
		if c.authorization != "" {
			h.Set("Authorization", c.authorization)
		}
		a := w.do(http.MethodPost, pathToken, h, c.body)
		if a.StatusCode != c.status || a.json(t)["error"] != string(c.code) {
			t.Errorf("%s: %s %s, want %d %s", name, a.Status, a.Body, c.status, c.code)
		}
		if a.json(t)["ticket"] != nil {
			t.Errorf("%s: the refusal has a ticket", name)
		}
		if c.status == 401 && strings.HasPrefix(c.authorization, "Basic ") && !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%s: WWW-Authenticate is %q", name, a.Header.Get("WWW-Authenticate"))
		}
	}
	wantStatus(t, w.do(http.MethodPost, pathToken, http.Header{"Content-Type": {"application/json"}, "Authorization": {ours}}, `{}`), http.StatusBadRequest)
	wantStatus(t, w.do(http.MethodPost, pathToken, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {ours}}, "x="+strings.Repeat("a", uma.MaxForm)), http.StatusRequestEntityTooLarge)
	wantStatus(t, w.postTicket(w.C1, uma.Ticket(ticket)), http.StatusOK)
	wantError(t, w.postTicket(w.C1, uma.Ticket(ticket)), http.StatusBadRequest, uma.InvalidGrant)
}

// Proves GRANT-3.3.1-11, GRANT-3.3.6-04, SEC-084.
func TestAScopeThatTheClientIsNotRegisteredForDoesNotCount(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery("print")
	w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"print"}, Anyone: true})
	a := w.postTicket(w.C1, w.ticketFor(pat, id, "view"), "scope", "print")
	wantStatus(t, a, http.StatusOK)
	in := w.ask(pathIntrospect, pat, url.Values{"token": {a.json(t)["access_token"].(string)}})
	if strings.Contains(string(in.Body), "print") {
		t.Errorf("the permission has the scope: %s", in.Body)
	}
	wantError(t, w.postTicket(w.C1, w.ticketFor(pat, id, "view"), "scope", "nonexistent"), http.StatusBadRequest, uma.InvalidScope)
	strict := newWorld(t, func(c *as.Config) { c.StrictScopes = true })
	pat, id = strict.gallery("print")
	wantError(t, strict.postTicket(strict.C1, strict.ticketFor(pat, id, "view"), "scope", "print"), http.StatusBadRequest, uma.InvalidScope)
}

// Proves GRANT-3.3.6-06, GRANT-3.3.6-07, GRANT-3.3.6-08, GRANT-3.3.6-09,
// GRANT-3.3.6-11, GRANT-3.3.6-12, GRANT-3.3.6-13, GRANT-3.3.6-14, GRANT-3.3.6-19.
func TestNeedInfoHasATicketAndSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	id := w.resource(pat, "diary", "view")
	w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Claims: []policy.Claim{{
		RequiredClaim: uma.RequiredClaim{Name: "email", FriendlyName: "Your e-mail address", ClaimType: "t", Issuer: []string{w.Issuer}, ClaimTokenFormat: []string{uma.IDTokenFormat}},
		Values:        []string{"bob@example.com"},
	}}})
	ticket := w.ticketFor(pat, id, "view")
	for _, more := range [][]string{nil, {"claim_token", "a.b.c", "claim_token_format", uma.IDTokenFormat}, {"claim_token", "x", "claim_token_format", "urn:unknown"}} {
		a := w.postTicket(w.C1, ticket, more...)
		wantError(t, a, http.StatusForbidden, uma.NeedInfoCode)
		m, err := uma.ParseErrorResponse(strings.NewReader(string(a.Body)))
		w.must(err)
		if m.Ticket == "" || m.Ticket == ticket {
			t.Fatalf("the next ticket is %v", m.Ticket)
		}
		if len(m.RequiredClaims) != 1 || m.RequiredClaims[0].Name != "email" || m.RequiredClaims[0].Issuer[0] != w.Issuer || m.RedirectUser != w.Issuer+pathClaims {
			t.Errorf("need_info is %s", a.Body)
		}
		if strings.Contains(string(a.Body), "bob@example.com") {
			t.Errorf("need_info tells who may: %s", a.Body)
		}
		ticket = m.Ticket
	}
	denied := w.postTicket(w.C1, w.ticketFor(pat, w.resource(pat, "unshared", "view"), "view"))
	wantError(t, denied, http.StatusForbidden, uma.RequestDenied)
	if denied.json(t)["ticket"] != nil || denied.json(t)["redirect_user"] != nil {
		t.Errorf("request_denied is %s", denied.Body)
	}
}

// Proves GRANT-5.5-02, SEC-005. Fifty at once, over real HTTP: one is processed,
// the others are invalid_grant, and none is a fault of the server.
func TestOfFiftyWhoPresentATicketOneIsServed(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	for round := range 4 {
		ticket := w.ticketFor(pat, id, "view")
		var wait sync.WaitGroup
		results := make([]string, 50)
		for i := range results {
			wait.Go(func() {
				a := w.postTicket(w.C1, ticket)
				results[i] = fmt.Sprint(a.StatusCode, " ", a.json(t)["error"])
			})
		}
		wait.Wait()
		count := map[string]int{}
		for _, r := range results {
			count[r]++
		}
		if count["200 <nil>"] != 1 || count["400 invalid_grant"] != 49 {
			t.Fatalf("round %d: %v", round, count)
		}
	}
}

// Proves GRANT-3.7-01, GRANT-3.7-02, GRANT-3.7-03, SEC-094.
func TestATokenIsRevokedWhateverTheHintAndByItsClientAlone(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	revoke := func(c registered, token, hint string) {
		t.Helper()
		form := url.Values{"token": {token}}
		if hint != "" {
			form.Set("token_type_hint", hint)
		}
		h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic(string(c.ID), c.Secret)}}
		a := w.do(http.MethodPost, pathRevoke, h, form.Encode())
		wantStatus(t, a, http.StatusOK)
	}
	active := func(rpt string) bool {
		return w.ask(pathIntrospect, pat, url.Values{"token": {rpt}}).json(t)["active"] == true
	}
	for _, hint := range []string{"", "access_token", "refresh_token", uma.HintPCT, "nonsense"} {
		m := w.postTicket(w.C1, w.ticketFor(pat, id, "view")).json(t)
		rpt, refresh := m["access_token"].(string), m["refresh_token"].(string)
		revoke(w.C2, rpt, hint)
		revoke(w.C2, refresh, hint)
		revoke(w.C1, "nothing", hint)
		if !active(rpt) {
			t.Fatalf("hint %q: another client revoked the RPT", hint)
		}
		revoke(w.C1, rpt, hint)
		if active(rpt) {
			t.Errorf("hint %q: the RPT is still active", hint)
		}
		m = w.postToken(w.C1, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}).json(t)
		rpt, refresh = m["access_token"].(string), m["refresh_token"].(string)
		revoke(w.C1, refresh, hint)
		if active(rpt) {
			t.Errorf("hint %q: the refresh token's RPT is still active", hint)
		}
		wantError(t, w.postToken(w.C1, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}), http.StatusBadRequest, uma.InvalidGrant)
	}
}

// Proves SEC-070, SEC-071. No route changes anything on GET besides the two that
// the specifications want so, and none lets another origin in with credentials.
func TestNoOriginIsLetInAndNoGETChangesAnything(t *testing.T) {
	w := newWorld(t)
	for _, rt := range routes() {
		path := strings.NewReplacer("{id}", "x", "{$}", "").Replace(rt.path)
		h := http.Header{"Origin": {"https://evil.example"}, "Cookie": {"licet-session=x"}}
		a := w.do(rt.method, path, h, "")
		if a.StatusCode >= 500 {
			t.Errorf("%s %s: %s", rt.method, path, a.Status)
		}
		if a.Header.Get("Access-Control-Allow-Credentials") != "" || a.Header.Get("Access-Control-Allow-Origin") == "https://evil.example" {
			t.Errorf("%s %s lets another origin in", rt.method, path)
		}
		if rt.method == http.MethodGet && (rt.caller == byClient || strings.HasSuffix(path, "/approve") || path == pathStop) {
			t.Errorf("GET %s changes something", path)
		}
	}
}

// Proves PEER-48987, SEC-026. What is switched off for a client is off at every
// door, and not only where it is shown.
func TestWhatIsSwitchedOffIsOffAtEveryDoor(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery()
	bare := w.client(oauth.Client{AuthMethod: oauth.AuthBasic, Scopes: []uma.Scope{"view"}}, "bare", "Bare", "https://bare.example/cb", "https://bare.example/claims")
	m := w.postTicket(w.C1, w.ticketFor(pat, id, "view")).json(t)
	for grant, form := range map[string]url.Values{
		uma.GrantType:        {"ticket": {string(w.ticketFor(pat, id, "view"))}},
		"authorization_code": {"code": {"x"}, "redirect_uri": {"https://bare.example/cb"}, "code_verifier": {strings.Repeat("v", 43)}},
		"refresh_token":      {"refresh_token": {m["refresh_token"].(string)}},
		"client_credentials": {},
	} {
		form.Set("grant_type", grant)
		wantError(t, w.postToken(bare, form), http.StatusBadRequest, uma.UnauthorizedClient)
	}
	// A client that may not push claims cannot do it with any ticket, and the
	// claims of somebody else's token do not help it either.
	diary := w.resource(pat, "diary", "view")
	w.share(w.Alice, policy.Share{Resource: diary, Scopes: []uma.Scope{"view"}, Claims: withEmail("bob@example.com")})
	pushed := []string{"claim_token", "a.b.c", "claim_token_format", uma.IDTokenFormat}
	wantError(t, w.postTicket(w.Public, w.ticketFor(pat, diary, "view"), pushed...), http.StatusForbidden, uma.NeedInfoCode)
	// A client that is disabled is nobody, wherever it comes.
	off := w.C1.Client
	off.Disabled = true
	if _, _, err := w.AS.RegisterClient(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	wantError(t, w.postTicket(w.C1, w.ticketFor(pat, id, "view")), http.StatusUnauthorized, uma.InvalidClient)
	if in := w.ask(pathIntrospect, pat, url.Values{"token": {m["access_token"].(string)}}); string(in.Body) != `{"active":false}` {
		t.Errorf("the RPT of a disabled client: %s", in.Body)
	}
	for _, path := range []string{pathClaims + "?client_id=c1&ticket=x", pathAuthorize + "?client_id=c1&response_type=code"} {
		if a := w.do(http.MethodGet, path, nil, ""); a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("%s: %s", path, a.Status)
		}
	}
}
