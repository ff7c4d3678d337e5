package endpoint

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// tally is a store that counts the transactions that have written.
type tally struct {
	as.Store
	written *atomic.Int64
}

func (s tally) Update(ctx context.Context, f func(as.Tx) error) error {
	err := s.Store.Update(ctx, f)
	if err == nil {
		s.written.Add(1)
	}
	return err
}

// newTalliedWorld is a world that counts what is written into its store.
func newTalliedWorld(t *testing.T) (*world, *atomic.Int64) {
	t.Helper()
	var written atomic.Int64
	return newWorld(t, func(c *as.Config) { c.Store = tally{c.Store, &written} }), &written
}

// filing is a request with a body that the server does what it asks for.
type filing struct {
	path    string
	header  http.Header
	form    url.Values // a form, or
	json    string     // a JSON object
	browser *browser   // who sends it; nil for an application
	reads   bool       // it writes nothing when it is granted
}

// contentType and body are how the filing is meant to be sent.
func (f filing) contentType() string {
	if f.form != nil {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

func (f filing) body() string {
	if f.form != nil {
		return f.form.Encode()
	}
	return f.json
}

func (w *world) file(f filing, method, path, contentType string, body io.Reader) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, w.Issuer+path, body)
	w.must(err)
	maps.Copy(r.Header, f.header)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	client := w.HTTP
	if f.browser != nil {
		client = &http.Client{Jar: f.browser.client.Jar, CheckRedirect: w.HTTP.CheckRedirect, Transport: w.HTTP.Transport}
	}
	response, err := client.Do(r)
	w.must(err)
	defer func() { _ = response.Body.Close() }()
	return w.read(response)
}

// filings has a good request, or several, for every route with a body. A new
// route without one fails the tests that go over them.
func (w *world) filings() map[string]map[string]filing {
	w.t.Helper()
	ctx := context.Background()
	pat, id := w.gallery("read")
	c1, rs1 := http.Header{"Authorization": {basic("c1", w.C1.Secret)}}, http.Header{"Authorization": {basic("rs1", w.RS1.Secret)}}
	byPAT, byOwner := bearer(pat), bearer(w.token(w.C1, w.Alice, oauth.ScopePolicy))
	org := w.RS2.Client
	org.ID, org.SecretHash, org.Space = "org", nil, string(w.Anna.Space)
	org, orgSecret, err := w.AS.RegisterClient(ctx, org)
	w.must(err)
	granted := w.postTicket(w.C1, w.ticketFor(pat, id, "view")).json(w.t)
	rpt, refresh := granted["access_token"].(string), granted["refresh_token"].(string)
	request := w.pendingRequest(w.t, pat, id)
	wish := `{"resource_id":"` + string(w.resource(pat, "diary", "view")) + `","resource_scopes":["view"],"required_claims":[{"name":"email","value":"bob@example.com"}],"purpose":"to see"}`
	policyID, _ := w.owner(w.Alice).create(wish)
	family := w.family(w.Alice)

	app, appToken := w.itself(`{"grant_types":[]}`)
	speaking, consenting, visiting, coming, leaving, going := w.browser(), w.browser(), w.browser(), w.browser(), w.browser(), w.browser()
	formOn := func(b *browser, page answer, button string, fill ...string) url.Values {
		f, ok := findForm(w.t, page.Body, button)
		if !ok {
			w.t.Fatalf("there is no button %q on the page:\n%s", button, page.Body)
		}
		for i := 0; i+1 < len(fill); i += 2 {
			f.values.Set(fill[i], fill[i+1])
		}
		return f.values
	}
	consent := consenting.signIn(consenting.get(authorizePath(ask(w.C1, "openid"))), w.Bob)
	_, code := sentTo(w.t, consenting.press(consent, "allow"))
	consent = consenting.get(authorizePath(ask(w.C1, "openid")))
	visit := visiting.signIn(visiting.get(knock(w.C1, w.ticketFor(pat, id, "view"))), w.Bob)
	coming.get(pathSignIn)
	leaving.signIn(leaving.get(pathSignIn), w.Bob)
	going.signIn(going.get(pathSignIn), w.Bob)
	same := http.Header{"Sec-Fetch-Site": {"same-origin"}}
	coding, ordering := w.browser(), w.browser()
	_, err = w.AS.NewSession(ctx, w.Anna.ID) // elsewhere, to be ended
	w.must(err)
	codePage := coding.press(coding.get(pathSignIn), "code", "email", w.Bob.Email)
	ordering.signIn(ordering.get(pathSignIn), w.Anna)

	taking := w.browser()
	_, secret, err := w.AS.ShareByLink(ctx, as.Owner{Space: w.Alice.Space, Account: w.Alice.ID}, policy.Share{
		Resource: id, Scopes: []uma.Scope{"view"}, NotAfter: w.Clock.Now().Add(24 * time.Hour),
	})
	w.must(err)

	return map[string]map[string]filing{
		"POST " + pathOpened: {"": {path: pathOpened, header: same, browser: taking, form: formOn(taking, taking.get("/l/"+secret), "take"), reads: true}},
		"POST " + pathPushed: {"": {path: pathPushed, header: c1, form: ask(w.C1, "openid")}},
		"POST " + pathToken: {
			"a ticket": {path: pathToken, header: c1, form: url.Values{
				"grant_type": {uma.GrantType}, "ticket": {string(w.ticketFor(pat, id, "view"))}, "scope": {"view"}, "rpt": {rpt},
			}},
			"a code": {path: pathToken, header: c1, form: url.Values{
				"grant_type": {oauth.GrantAuthorizationCode}, "code": {code.Get("code")}, "redirect_uri": {w.C1.RedirectURIs[0]}, "code_verifier": {codeVerifier},
			}},
			"a refresh token":    {path: pathToken, header: c1, form: url.Values{"grant_type": {oauth.GrantRefreshToken}, "refresh_token": {refresh}}},
			"client credentials": {path: pathToken, header: http.Header{"Authorization": {basic("org", orgSecret)}}, form: url.Values{"grant_type": {oauth.GrantClientCredentials}, "scope": {string(uma.ScopeProtection)}}},
		},
		"POST " + pathRevoke: {"": {path: pathRevoke, header: rs1, form: url.Values{"token": {w.pat(w.RS1, w.Alice)}, "token_type_hint": {"access_token"}}}},
		"POST " + pathIntrospect: {
			"by a PAT":    {path: pathIntrospect, header: byPAT, form: url.Values{"token": {rpt}}, reads: true},
			"by a client": {path: pathIntrospect, header: c1, form: url.Values{"token": {w.token(w.C1, w.Bob, oauth.ScopeOpenID)}}, reads: true},
		},
		"POST " + pathAuthorize:   {"": {path: pathAuthorize, header: same, browser: consenting, form: formOn(consenting, consent, "allow")}},
		"POST " + pathClaimsVisit: {"": {path: pathClaimsVisit, header: same, browser: visiting, form: formOn(visiting, visit, "allow")}},
		"POST " + pathSignIn:      {"": {path: pathSignIn, header: same, browser: coming, form: formOn(coming, coming.get(pathSignIn), "sign-in", "email", w.Bob.Email, "password", testPassword)}},
		"POST " + pathSignInCode:  {"": {path: pathSignInCode, header: same, browser: coding, form: formOn(coding, codePage, "enter", "code", w.codeFor(w.Bob.Email))}},
		"POST " + pathWays:        {"": {path: pathWays, header: same, browser: ordering, form: formOn(ordering, ordering.get(pathWays), "end-others")}},
		"POST " + pathLanguage:    {"": {path: pathLanguage, header: same, browser: speaking, form: url.Values{"language": {"de"}, "return": {pathSignIn}}, reads: true}},
		"POST " + pathSignOut:     {"": {path: pathSignOut, header: same, browser: leaving, form: formOn(leaving, leaving.get(pathSignOut), "sign-out")}},
		"POST " + pathEndSession:  {"": {path: pathEndSession, header: same, browser: going, form: formOn(going, going.get(endSessionPath("client_id", "c1", "state", "s")), "sign-out")}},

		"POST " + pathRegister:          {"": {path: pathRegister, header: bearer(w.initial(as.InitialAccess{Uses: 1000})), json: appMetadata}},
		"PUT " + pathRegister + "/{id}": {"": {path: pathRegister + "/" + app, header: bearer(appToken), json: strings.Replace(appMetadata, "{", `{"client_id":"`+app+`",`, 1)}},

		"POST " + pathResources:          {"": {path: pathResources, header: byPAT, json: photoDescription}},
		"POST " + pathResources + "/{$}": {"": {path: pathResources + "/", header: byPAT, json: photoDescription}},
		"PUT " + pathResources + "/{id}": {"": {path: pathResources + "/" + string(id), header: byPAT, json: `{"resource_scopes":["view","edit","read"],"name":"Bild"}`}},
		// What is asked for is sealed into the ticket and not written.
		"POST " + pathPermission:                 {"": {path: pathPermission, header: byPAT, json: `{"resource_id":"` + string(id) + `","resource_scopes":["view"]}`, reads: true}},
		"POST " + pathPolicies:                   {"": {path: pathPolicies, header: byOwner, json: wish}},
		"PUT " + pathPolicies + "/{id}":          {"": {path: pathPolicies + "/" + policyID, header: byOwner, json: strings.Replace(wish, "to see", "to have seen", 1)}},
		"POST " + pathRequests + "/{id}/approve": {"": {path: pathRequests + "/" + request + "/approve", header: byOwner, json: `{"not_after":1900000000}`}},
		"POST " + pathRequests + "/{id}/block":   {"": {path: pathRequests + "/" + w.pendingRequest(w.t, pat, w.resource(pat, "to be refused", "read")) + "/block", header: byOwner, json: `{"every_client":true}`}},
		"POST " + pathGroups:                     {"": {path: pathGroups, header: byOwner, json: `{"name":"family"}`}},
		"PUT " + pathGroups + "/{id}":            {"": {path: pathGroups + "/" + family, header: byOwner, json: `{"name":"choir"}`}},
		"POST " + pathGroups + "/{id}/members":   {"": {path: pathGroups + "/" + family + "/members", header: byOwner, json: `{"email":"carlos@example.com"}`}},

		// There is no first account where there are others, and no provider: tried in
		// their own tests.
		"POST " + pathFirst: nil,
		"POST " + pathLink:  nil,

		// These take no body, and look at none.
		"POST " + pathUserInfo:                nil,
		"POST " + pathRequests + "/{id}/deny": nil, "POST " + pathRequests + "/{id}/aside": nil,
		"POST " + pathStop: nil,
	}
}

// eachFiling calls visit with every good request of the route table.
func (w *world) eachFiling(visit func(name string, rt route, f filing)) {
	w.t.Helper()
	w.eachOf(w.filings(), visit)
}

func (w *world) eachOf(all map[string]map[string]filing, visit func(name string, rt route, f filing)) {
	w.t.Helper()
	for _, rt := range routes() {
		if rt.method == http.MethodGet || rt.method == http.MethodDelete {
			continue
		}
		here, ok := all[rt.method+" "+rt.path]
		if !ok {
			w.t.Errorf("%s %s: there is no good request to make bad ones of", rt.method, rt.path)
		}
		for _, name := range slices.Sorted(maps.Keys(here)) {
			visit(rt.method+" "+rt.path+" "+name, rt, here[name])
		}
	}
}
