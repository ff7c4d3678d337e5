package endpoint

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// lookingSpends are the routes that the specifications let a GET change something
// at: a ticket is used by being presented.
var lookingSpends = []string{pathClaims}

// Looking changes nothing: every GET and HEAD of the route table, by somebody who
// may come, about what is there, with parameters that would do something if they
// were posted.
//
// Proves SEC-071.
func TestLookingChangesNothing(t *testing.T) {
	w, written := newTalliedWorld(t)
	e := &estate{world: w}
	for _, rs := range []registered{w.RS1, w.RS2} {
		e.holdings = append(e.holdings, e.furnish(w.Alice, rs))
	}
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Alice)
	b.get(authorizePath(ask(w.C1, "openid")))
	h := *e.holdings[0]
	pat, owner := w.pat(h.rs, w.Alice), w.token(w.C1, w.Alice, oauth.ScopePolicy)
	good := map[caller]http.Header{
		byPAT: bearer(pat), byPATOrClient: bearer(pat), byOwner: bearer(owner), byBearer: bearer(w.token(w.C1, w.Alice, oauth.ScopeOpenID)),
		byClient: {"Authorization": {basic("c1", w.C1.Secret)}}, anybody: {}, byBrowser: {},
		byNewcomer: bearer(w.initial(as.InitialAccess{Uses: 1})), byRegistered: bearer(h.appToken),
	}
	how, looked := howToName(), 0
	before := written.Load()
	for _, rt := range routes() {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			for _, query := range []url.Values{nil, {"action": {"allow"}, "_method": {"DELETE"}}, {"method": {"POST"}, "csrf": {"x"}, "allow": {"yes"}, "status": {"approved"}}} {
				header := good[rt.caller].Clone()
				header.Set("X-Http-Method-Override", http.MethodDelete)
				client := w.HTTP
				if rt.caller == byBrowser {
					client = &http.Client{Jar: b.client.Jar, CheckRedirect: w.HTTP.CheckRedirect, Transport: w.HTTP.Transport}
				}
				a := w.send(client, method, w.Issuer+how[rt.path].path(h)+"?"+query.Encode(), header, "")
				looked++
				if a.StatusCode >= 500 {
					t.Errorf("%s %s: %s", method, rt.path, a.Status)
				}
				if after := written.Load(); after != before {
					if !slices.Contains(lookingSpends, rt.path) {
						t.Errorf("%s %s has written", method, rt.path)
					}
					before = after
				}
			}
		}
	}
	t.Logf("%d looks", looked)
	// The control: what looking does at the endpoint where it does something.
	w.browser().get(knock(w.C1, w.photo().ticket(w)))
	if written.Load() == before {
		t.Error("what is written is not counted")
	}
}

// No page of another origin is let in, and none is told that it might be: not where
// tokens are, and nowhere with credentials.
//
// Proves SEC-070.
func TestAnotherOriginIsLetInNowhere(t *testing.T) {
	w := newWorld(t)
	how := howToName()
	for _, rt := range routes() {
		for _, origin := range []string{"https://evil.example", "null", w.Issuer + ".evil.example", "http://localhost:3000"} {
			for _, method := range []string{rt.method, http.MethodOptions} {
				a := w.do(method, how[rt.path].path(nothing()), http.Header{
					"Origin": {origin}, "Cookie": {"licet-session=x"}, "Access-Control-Request-Method": {rt.method}, "Access-Control-Request-Headers": {"authorization"},
				}, "")
				if a.Header.Get("Access-Control-Allow-Credentials") != "" || a.Header.Get("Access-Control-Allow-Origin") != "" && rt.caller != anybody {
					t.Errorf("%s %s lets %s in: %v", method, rt.path, origin, a.Header)
				}
				if strings.Contains(strings.Join(a.Header.Values("Access-Control-Allow-Origin"), ","), origin) {
					t.Errorf("%s %s says %s back", method, rt.path, origin)
				}
			}
		}
	}
}

// Nobody who is not signed in learns from this server who has anything here.
//
// Proves SEC-032.
func TestAStrangerReadsNobodysName(t *testing.T) {
	w := newWorld(t)
	e := &estate{world: w}
	e.holdings = append(e.holdings, e.furnish(w.Alice, w.RS1))
	h := *e.holdings[0]
	ticket := w.ticketFor(w.pat(h.rs, w.Alice), uma.ResourceID(h.resource), "view")
	private := []string{string(w.Alice.ID), string(w.Alice.Space), w.Alice.Email, "Alice", h.resource, h.policy, h.connection, h.request}
	how := howToName()
	for _, rt := range routes() {
		for _, a := range []answer{
			w.do(rt.method, how[rt.path].path(nothing()), nil, ""),
			w.do(http.MethodGet, how[rt.path].path(nothing())+"?"+url.Values{"client_id": {"c1"}, "ticket": {string(ticket)}}.Encode(), nil, ""),
		} {
			var head strings.Builder
			w.must(a.Header.Write(&head))
			for _, name := range private {
				if strings.Contains(string(a.Body)+head.String(), name) {
					t.Errorf("%s %s tells a stranger %q: %s", rt.method, rt.path, name, a.Body)
				}
			}
		}
	}
	// Nor does the client that is on the way to the owner's things.
	for _, a := range []answer{
		w.postTicket(w.C2, w.ticketFor(w.pat(h.rs, w.Alice), uma.ResourceID(h.resource), "edit")),
		w.postTicket(w.C2, w.ticketFor(w.pat(h.rs, w.Alice), uma.ResourceID(h.resource), "view")),
		w.browser().get(knock(w.C2, ticket)),
	} {
		for _, name := range private[:5] {
			if strings.Contains(string(a.Body), name) {
				t.Errorf("a client, or its person, is told %q: %s", name, a.Body)
			}
		}
	}
}

// serversOwn are members that only the server says, of something of its own.
var serversOwn = []string{
	"_id", "id", "owner", "space", "space_id", "resource_server", "resources", "status", "version", "generation", "created_at", "created_by", "decided_at", "account", "sub", "granted",
	"policies", "disabled", "admin", "role", "grant", "client", "scopes", "permissions", "user_access_policy_uri",
}

// Nobody says about a thing what only the server says: what is sent besides is
// refused, or has no meaning.
//
// Proves SEC-127, SEC-021.
func TestWhatTheServerSaysIsNotForOthersToSay(t *testing.T) {
	w := newWorld(t)
	refused, ignored := 0, 0
	w.eachFiling(func(name string, rt route, f filing) {
		if f.form != nil {
			return // the parameters that are not known are ignored, as RFC 6749 3.1 wants; see below
		}
		for _, member := range serversOwn {
			for _, value := range []string{`"` + string(w.Anna.Space) + `"`, `"` + string(w.Anna.ID) + `"`, `true`, `7`, `["x"]`} {
				if strings.Contains(f.json, `"`+member+`"`) || rt.path == pathRequests+"/{id}/approve" && member == "permissions" {
					continue
				}
				body := strings.TrimSuffix(f.json, "}") + `,"` + member + `":` + value + "}"
				a := w.file(f, rt.method, f.path, f.contentType(), strings.NewReader(body))
				switch {
				case a.StatusCode == http.StatusBadRequest:
					refused++
				case a.StatusCode >= 300:
					t.Errorf("%s with %s %s: %s %s", name, member, value, a.Status, a.Body)
				default:
					ignored++
					w.unmoved(name+" with "+member, rt, a)
				}
			}
		}
	})
	if refused < 100 || ignored < 100 {
		t.Errorf("%d were refused and %d ignored", refused, ignored)
	}
	if list := listed(t, w.api(http.MethodGet, pathOwnedResources, w.token(w.C1, w.Anna, oauth.ScopePolicy), "")); len(list) != 0 {
		t.Errorf("Anna has come to own %v", list)
	}
	// A form: what is not known there is ignored, and what is known elsewhere.
	pat, id := w.gallery()
	plain := w.postTicket(w.C1, w.ticketFor(pat, id, "view")).json(t)
	more := []string{}
	for _, member := range serversOwn {
		more = append(more, member, string(w.Anna.Space))
	}
	loaded := w.postTicket(w.C1, w.ticketFor(pat, id, "view"), more...).json(t)
	if !maps.EqualFunc(plain, loaded, func(a, b any) bool { return true }) || loaded["access_token"] == nil {
		t.Errorf("with more parameters the answer is %v instead of %v", loaded, plain)
	}
	seen := func(rpt any) map[string]any {
		in := w.ask(pathIntrospect, pat, url.Values{"token": {rpt.(string)}}).json(t)
		maps.DeleteFunc(in, func(name string, _ any) bool { return name == "iat" || name == "exp" || name == "jti" })
		return in
	}
	if a, b := mustJSON(t, seen(plain["access_token"])), mustJSON(t, seen(loaded["access_token"])); a != b {
		t.Errorf("with more parameters the RPT is %s instead of %s", b, a)
	}
}

// unmoved fails when what was made or changed by an answer is not Alice's, at the
// server that asked for it, with an id of the server's.
func (w *world) unmoved(name string, rt route, a answer) {
	w.t.Helper()
	if rt.face != faceProtection || rt.path == pathPermission {
		return
	}
	var made struct {
		ID string `json:"_id"`
	}
	w.must(json.Unmarshal(a.Body, &made))
	if len(made.ID) < 20 || made.ID == string(w.Anna.Space) || made.ID == string(w.Anna.ID) {
		w.t.Errorf("%s: the id is %q", name, made.ID)
	}
	owned := w.api(http.MethodGet, pathOwnedResources+"/"+made.ID, w.token(w.C1, w.Alice, oauth.ScopePolicy), "")
	if owned.StatusCode != http.StatusOK || owned.json(w.t)["resource_server"] != "rs1" || owned.json(w.t)["_id"] != made.ID {
		w.t.Errorf("%s: the owner sees %s", name, owned.Body)
	}
}
