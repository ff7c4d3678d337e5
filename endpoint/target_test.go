package endpoint

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// A client that says where it will use an RPT gets none for another place: the
// resource server of the ticket is what it is registered as.
func TestAnRPTIsForTheResourceServerThatIsMeant(t *testing.T) {
	w := newWorld(t)
	photos := w.RS1.Client
	photos.ResourceIndicators = []string{"https://photos.example", "https://photos.example/api"}
	_, _, err := w.AS.RegisterClient(t.Context(), photos)
	w.must(err)
	pat, id := w.gallery()
	other := w.pat(w.RS2, w.Alice)
	unnamed := w.resource(other, "letter", "view")
	w.share(w.Alice, policy.Share{Resource: unnamed, Scopes: []uma.Scope{"view"}, Anyone: true})

	post := func(ticket uma.Ticket, resources ...string) answer {
		return w.postToken(w.C1, url.Values{"grant_type": {uma.GrantType}, "ticket": {string(ticket)}, "resource": resources})
	}
	for _, wrong := range [][]string{
		{"https://evil.example"}, {"https://photos.example/"}, {"https://photos.example", "https://evil.example"}, {"rs1"}, {w.Issuer}, {"https://photos.example#x"},
	} {
		ticket := w.ticketFor(pat, id, "view")
		refusedAs(t, wrong[0], post(ticket, wrong...), http.StatusBadRequest, uma.InvalidTarget)
	}
	ticket := w.ticketFor(pat, id, "view")
	refusedAs(t, "another place", post(ticket, "https://evil.example"), http.StatusBadRequest, uma.InvalidTarget)
	refusedAs(t, "its ticket again", post(ticket), http.StatusBadRequest, uma.InvalidGrant)
	refusedAs(t, "a server that has no name", post(w.ticketFor(other, unnamed, "view"), "https://rs2.example"), http.StatusBadRequest, uma.InvalidTarget)

	for _, right := range [][]string{nil, {"https://photos.example"}, {"https://photos.example/api", "https://photos.example"}} {
		granted := post(w.ticketFor(pat, id, "view"), right...)
		wantStatus(t, granted, http.StatusOK)
		seen := w.ask(pathIntrospect, pat, url.Values{"token": {granted.json(t)["access_token"].(string)}}).json(t)
		if seen["aud"] != "rs1" || seen["active"] != true {
			t.Errorf("for %q the RPT is %v", right, seen)
		}
	}
	// A refresh goes nowhere else, and what is refused costs nothing.
	refresh := post(w.ticketFor(pat, id, "view")).json(t)["refresh_token"].(string)
	again := func(resources ...string) answer {
		return w.postToken(w.C1, url.Values{"grant_type": {oauth.GrantRefreshToken}, "refresh_token": {refresh}, "resource": resources})
	}
	refusedAs(t, "a refresh for elsewhere", again("https://evil.example"), http.StatusBadRequest, uma.InvalidTarget)
	refusedAs(t, "a refresh for this server", again(w.Issuer), http.StatusBadRequest, uma.InvalidTarget)
	wantStatus(t, again("https://photos.example"), http.StatusOK)
}

// Every other access token is good at this server, whoever asks for it in whatever
// way.
func TestAnOAuthTokenIsForThisServer(t *testing.T) {
	w := newWorld(t)
	org := w.RS2.Client
	org.ID, org.SecretHash, org.Space = "org", nil, string(w.Anna.Space)
	org, secret, err := w.AS.RegisterClient(t.Context(), org)
	w.must(err)
	credentials := func(resource ...string) answer {
		return w.postToken(registered{org, secret}, url.Values{"grant_type": {oauth.GrantClientCredentials}, "resource": resource})
	}
	elsewhere := "https://photos.example"
	refusedAs(t, "client credentials", credentials(elsewhere), http.StatusBadRequest, uma.InvalidTarget)
	wantStatus(t, credentials(w.Issuer), http.StatusOK)

	// At the authorization endpoint the client is told, and when it pushes.
	wrong := ask(w.C1, "openid", "resource", elsewhere, "state", "s")
	b := w.browser()
	_, query := sentTo(t, b.get(authorizePath(wrong)))
	if query.Get("error") != string(uma.InvalidTarget) || query.Get("state") != "s" || query.Get("iss") != w.Issuer {
		t.Errorf("the client is told %v", query)
	}
	h := http.Header{"Authorization": {basic("c1", w.C1.Secret)}, "Content-Type": {formType}}
	refusedAs(t, "a pushed request", w.do(http.MethodPost, pathPushed, h, wrong.Encode()), http.StatusBadRequest, uma.InvalidTarget)
	right := ask(w.C1, "openid", "resource", w.Issuer)
	pushed := w.do(http.MethodPost, pathPushed, h, right.Encode())
	wantStatus(t, pushed, http.StatusCreated)
	code := w.authorize(t, w.Bob, pathAuthorize+"?"+url.Values{"client_id": {"c1"}, "request_uri": {pushed.json(t)["request_uri"].(string)}}.Encode()).Get("code")
	exchange := func(resource ...string) answer {
		return w.postToken(w.C1, url.Values{"grant_type": {oauth.GrantAuthorizationCode}, "code": {code}, "code_verifier": {codeVerifier}, "resource": resource})
	}
	refusedAs(t, "a code for elsewhere", exchange(w.Issuer, elsewhere), http.StatusBadRequest, uma.InvalidTarget)
	got := exchange(w.Issuer)
	wantStatus(t, got, http.StatusOK)
	seen := w.do(http.MethodPost, pathIntrospect, h, url.Values{"token": {got.json(t)["access_token"].(string)}}.Encode())
	if seen.json(t)["aud"] != w.Issuer {
		t.Errorf("the token is %s", seen.Body)
	}
	refresh := got.json(t)["refresh_token"].(string)
	again := func(resource string) answer {
		return w.postToken(w.C1, url.Values{"grant_type": {oauth.GrantRefreshToken}, "refresh_token": {refresh}, "resource": {resource}})
	}
	refusedAs(t, "a refresh for elsewhere", again(elsewhere), http.StatusBadRequest, uma.InvalidTarget)
	wantStatus(t, again(w.Issuer), http.StatusOK)
}

// A resource server says itself by which URIs it is known, and no nonsense.
func TestAResourceServerRegistersItsNames(t *testing.T) {
	w := newWorld(t)
	server := func(indicators string) string {
		return `{"redirect_uris":["https://rs.example/cb"],"scope":"uma_protection","resource_indicators":` + indicators + `}`
	}
	privilege := as.InitialAccess{Uses: 1, Scopes: []uma.Scope{uma.ScopeProtection}}
	if got := w.joins(privilege, server(`["https://rs.example"]`)); mustJSON(t, got["resource_indicators"]) != `["https://rs.example"]` {
		t.Errorf("it is registered as %v", got)
	}
	for _, bad := range []string{`["rs"]`, `["https://rs.example#x"]`, `["https://rs.example","https://rs.example"]`, `"https://rs.example"`, `["a b"]`} {
		refusedAs(t, bad, w.enrols(w.initial(privilege), server(bad)), http.StatusBadRequest, oauth.InvalidClientMetadata)
	}
}
