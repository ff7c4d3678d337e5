package endpoint

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// handsOut are the routes whose answers let somebody in, and what they hand out.
// No other route does.
var handsOut = map[string]string{
	"POST " + pathToken:       "tokens",
	"POST " + pathPermission:  "a permission ticket",
	"POST " + pathPushed:      "a request_uri",
	"POST " + pathRegister:    "a client's secret and its registration access token",
	"POST " + pathAuthorize:   "an authorization code, to the client's redirect URI",
	"GET " + pathAuthorize:    "nothing yet, in a question that repeats its request_uri",
	"GET " + pathClaims:       "the handle of a visit, in a cookie",
	"POST " + pathClaimsVisit: "a permission ticket, to the client's redirect URI",
	"POST " + pathSignIn:      "a session, in a cookie; and the handle of a browser that waits for a code",
	"POST " + pathSignInCode:  "a session, in a cookie",
}

// inForce says what a text is good for, of all that the server hands out.
func (w *world) inForce(text string, pats []string) (uses []string) {
	w.t.Helper()
	for _, pat := range pats {
		if a := w.ask(pathIntrospect, pat, url.Values{"token": {text}}); strings.Contains(string(a.Body), `"active":true`) {
			uses = append(uses, "an RPT")
		}
	}
	for _, path := range []string{pathUserInfo, pathResources, pathPolicies} {
		if a := w.api(http.MethodGet, path, text, ""); a.StatusCode != http.StatusUnauthorized && a.StatusCode != http.StatusBadRequest {
			uses = append(uses, "a token at "+path)
		}
	}
	for _, c := range []registered{w.C1, w.C2, w.Public} {
		for _, form := range []url.Values{
			{"grant_type": {uma.GrantType}, "ticket": {text}},
			{"grant_type": {oauth.GrantRefreshToken}, "refresh_token": {text}},
			{"grant_type": {oauth.GrantAuthorizationCode}, "code": {text}, "redirect_uri": {c.RedirectURIs[0]}, "code_verifier": {codeVerifier}},
		} {
			a := w.postToken(c, form)
			// A ticket of another client's, too, is told to be unknown.
			if code := a.json(w.t)["error"]; code != string(uma.InvalidGrant) {
				uses = append(uses, fmt.Sprintf("%s (%s %s)", form.Get("grant_type"), a.Status, a.Body))
			}
		}
		if a := w.ask(pathToken, "", url.Values{"grant_type": {uma.GrantType}, "ticket": {"x"}, "client_id": {string(c.ID)}, "client_secret": {text}}); c.Secret != "" && a.StatusCode != http.StatusUnauthorized {
			uses = append(uses, "the secret of "+string(c.ID))
		}
	}
	return uses
}

var wordOfAToken = regexp.MustCompile(`[A-Za-z0-9_~+/=.:-]{16,}`)

// The owner's own API tells what is shared with whom and what would come of it. It
// gives nobody a token with which to try: each word of every answer is tried as
// each thing that the server hands out.
//
// Proves SEC-055.
func TestTheOwnersAPIAnswersWithNoTokenThatIsOfUse(t *testing.T) {
	w := newWorld(t)
	o := w.owner(w.Alice)
	pat, id := w.gallery("read")
	request := w.pendingRequest(t, pat, id)
	bobs := w.postTicket(w.C1, w.ticketFor(pat, id, "view")).json(t)
	pats := []string{pat, w.pat(w.RS2, w.Alice)}
	if len(w.inForce(bobs["access_token"].(string), pats)) == 0 || len(w.inForce(bobs["refresh_token"].(string), pats)) == 0 || len(w.inForce(string(w.ticketFor(pat, id, "view")), pats)) == 0 {
		t.Fatal("what is in force is not recognised")
	}
	policyID, _ := o.create(withBob(id, `["view"]`))
	connection := listed(t, o.call(http.MethodGet, pathConnections, ""))[0]["_id"].(string)
	var said []answer
	tried := map[string]bool{}
	for _, rt := range routes() {
		takes := rt.path == pathStop || rt.method == http.MethodDelete && strings.HasPrefix(rt.path, pathConnections)
		if rt.caller != byOwner || takes { // what was said is to be tried while it could be good
			continue
		}
		tried[rt.path] = true
		ids := map[string]string{pathOwnedResources: string(id), pathPolicies: policyID, pathRequests: request, pathConnections: connection}
		path := rt.path
		for prefix, one := range ids {
			if strings.HasPrefix(path, prefix+"/") {
				path = strings.Replace(path, "{id}", one, 1)
			}
		}
		body := ""
		if rt.method == http.MethodPut || rt.method == http.MethodPost && rt.path == pathPolicies {
			body = withBob(id, `["view"]`)
		}
		for _, token := range []string{bobs["access_token"].(string), pat, "", o.token} {
			said = append(said, w.api(rt.method, path, token, body))
		}
	}
	if len(tried) < 8 {
		t.Errorf("only %d paths of the owner's API were tried", len(tried))
	}
	words := map[string]bool{}
	for _, a := range said {
		text := string(a.Body)
		for name, values := range a.Header {
			if name != "Date" {
				text += "\n" + strings.Join(values, "\n")
			}
		}
		for _, word := range wordOfAToken.FindAllString(text, -1) {
			words[strings.Trim(word, ".:/=")] = true
		}
	}
	for word := range words {
		if uses := w.inForce(word, pats); len(uses) > 0 {
			t.Errorf("the owner's API says %q, which is %v", word, uses)
		}
	}
	t.Logf("%d answers, %d words", len(said), len(words))
	if len(words) < 10 {
		t.Error("there was little to try")
	}
}

// No route hands out what lets somebody in but those that are there for it.
//
// Proves SEC-055.
func TestOnlyTheRoutesThatAreThereForItHandOutTokens(t *testing.T) {
	w, tap := newTappedWorld(t)
	e := &estate{world: w}
	for _, who := range []resident{w.Alice, w.Anna} {
		e.holdings = append(e.holdings, e.furnish(who, w.RS1))
	}
	w.eachFiling(func(_ string, rt route, f filing) {
		w.file(f, rt.method, f.path, f.contentType(), strings.NewReader(f.body()))
	})
	e.visitors = e.everybody()
	how := howToName()
	for _, rt := range routes() {
		for _, v := range e.visitors {
			e.visit(v, how[rt.path], rt.method, *e.holdings[0])
		}
	}
	handed := map[string]int{}
	for _, s := range tap.secrets {
		if s.given < 0 || s.kind == "cookie "+page.CookieForm {
			continue // every page with a form sets that one; it signs nobody in
		}
		x := tap.exchanges[s.given]
		if x.String() == "GET /l/"+s.value {
			continue // the browser has brought it itself
		}
		handed[x.String()]++
		if _, ok := handsOut[x.String()]; !ok {
			t.Errorf("%s hands out the %s %q", x, s.kind, s.value)
		}
	}
	for route := range maps.Keys(handsOut) {
		if handed[route] == 0 && route != "GET "+pathAuthorize {
			t.Errorf("%s was not seen to hand out anything", route)
		}
	}
}

// Who somebody is, is told to themselves and, of who asks an owner, to that owner.
// Naming somebody else in a request shows nobody their name or address.
//
// Proves SEC-055.
func TestNobodyReadsAProfileByNamingSomebody(t *testing.T) {
	w := newWorld(t)
	pat, id := w.gallery("read")
	w.pendingRequest(t, pat, id) // Bob asks Alice
	carlos := w.Carlos
	tokens := map[string]string{
		"Alice's policies": w.token(w.C1, w.Alice, oauth.ScopePolicy), "Alice's profile": w.token(w.C1, w.Alice, oauth.ScopeOpenID, oauth.ScopeEmail, oauth.ScopeProfile),
		"Alice's PAT": pat, "nobody's": "",
	}
	w.must(w.Store.Update(t.Context(), func(tx as.Tx) error { // Alice manages nothing of Carlos's, whatever she was once
		return tx.PutRole(as.Role{Account: w.Alice.ID, Space: carlos.Space, Kind: as.RoleGuardian, EndsAt: w.Clock.Now()})
	}))
	w.share(carlos, policy.Share{Resource: w.resource(w.pat(w.RS1, carlos), "His letters", "view"), Scopes: []uma.Scope{"view"}, Claims: withEmail(w.Bob.Email)})
	private := []string{carlos.Email, `"Carlos"`, "His letters"}
	for _, rt := range routes() {
		if rt.face == facePage {
			continue
		}
		for who, token := range tokens {
			for _, name := range []string{"", "sub", "subject", "account", "user", "username", "email", "login_hint", "space", "owner", "on_behalf_of", "act_as", "evaluate_as", "requesting_party"} {
				for _, value := range []string{string(carlos.ID), carlos.Email, string(carlos.Space)} {
					path := strings.NewReplacer("{id}", value, "{$}", "").Replace(rt.path)
					query := ""
					if name != "" {
						query = "?" + url.Values{name: {value}}.Encode()
					}
					document, err := json.Marshal(map[string]string{name: value})
					w.must(err)
					h := http.Header{"Content-Type": {jsonType}}
					if token != "" {
						h.Set("Authorization", "Bearer "+token)
					}
					for _, a := range []answer{w.do(rt.method, path+query, h, ""), w.do(rt.method, path, h, string(document))} {
						for _, told := range private {
							if strings.Contains(string(a.Body), told) {
								t.Errorf("%s %s%s with %s tells %s: %s", rt.method, path, query, who, told, a.Body)
							}
						}
					}
					if name == "" {
						break
					}
				}
			}
		}
	}
}
