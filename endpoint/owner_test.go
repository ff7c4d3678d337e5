package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
	"pgregory.net/rapid"
)

// contract is the OpenAPI document as a judge of what the owner's API answers.
type contract struct{ router routers.Router }

func newContract(t testing.TB, issuer string) contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPIDocument)
	if err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Fatalf("the document is OpenAPI %s", doc.OpenAPI)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: issuer}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return contract{router}
}

// holds says what in an answer the document does not foresee.
func (c contract) holds(a answer) error {
	route, params, err := c.router.FindRoute(a.Request)
	if err != nil {
		return fmt.Errorf("%s %s is not in the document: %w", a.Request.Method, a.Request.URL.Path, err)
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: a.Request, PathParams: params, Route: route},
		Status:                 a.StatusCode, Header: a.Header, Body: io.NopCloser(bytes.NewReader(a.Body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
}

// owner is a test's view of the owner's API, each answer held against the
// contract.
type owner struct {
	*world
	token string
	law   contract
}

func (w *world) owner(who resident) owner {
	w.t.Helper()
	return owner{w, w.token(w.C1, who, oauth.ScopePolicy), newContract(w.t, w.Issuer)}
}

func (o owner) call(method, path, body string, header ...string) answer {
	o.t.Helper()
	h := http.Header{"Authorization": {"Bearer " + o.token}}
	if body != "" {
		h.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	a := o.do(method, path, h, body)
	if err := o.law.holds(a); err != nil {
		o.t.Fatalf("%s %s %s: %s %s\n%v", method, path, body, a.Status, a.Body, err)
	}
	return a
}

func (o owner) create(document string) (id, etag string) {
	o.t.Helper()
	a := o.call(http.MethodPost, pathPolicies, document)
	wantStatus(o.t, a, http.StatusCreated)
	id = a.json(o.t)["_id"].(string)
	if a.Header.Get("Location") != o.Issuer+pathPolicies+"/"+id {
		o.t.Fatalf("Location is %q", a.Header.Get("Location"))
	}
	return id, a.Header.Get("ETag")
}

func withBob(id uma.ResourceID, scopes string) string {
	return `{"resource_id":"` + string(id) + `","resource_scopes":` + scopes + `,"required_claims":[{"name":"email","value":"Bob@Example.com"}]}`
}

func TestAPolicyIsCreatedReadReplacedListedAndDeleted(t *testing.T) {
	w := newWorld(t)
	o := w.owner(w.Alice)
	pat, photo := w.pat(w.RS1, w.Alice), uma.ResourceID("")
	photo = w.resource(pat, "photo", "view", "edit")
	other := w.resource(w.pat(w.RS2, w.Alice), "reading", "read")

	resources := o.call(http.MethodGet, pathOwnedResources, "")
	if s := string(resources.Body); !strings.Contains(s, string(photo)) || !strings.Contains(s, string(other)) || !strings.Contains(s, `"resource_server":"rs2"`) {
		t.Errorf("the resources are %s", s)
	}
	wantStatus(t, o.call(http.MethodGet, pathOwnedResources+"/"+string(photo), ""), http.StatusOK)

	id, tag := o.create(withBob(photo, `["view"]`))
	one := pathPolicies + "/" + id
	read := o.call(http.MethodGet, one, "")
	if m := read.json(t); m["approval"] != "none" || m["status"] != "in_force" || m["resource_server"] != "rs1" || read.Header.Get("ETag") != tag {
		t.Errorf("the policy is %s", read.Body)
	}
	wantStatus(t, o.call(http.MethodGet, one, "", "If-None-Match", tag), http.StatusNotModified)
	replaced := o.call(http.MethodPut, one, withBob(photo, `["view","edit"]`), "If-Match", tag)
	wantStatus(t, replaced, http.StatusOK)
	if replaced.Header.Get("ETag") == tag {
		t.Error("the ETag has not changed")
	}
	wantStatus(t, o.call(http.MethodPut, one, withBob(photo, `["view"]`), "If-Match", tag), http.StatusPreconditionFailed)
	wantStatus(t, o.call(http.MethodDelete, one, "", "If-Match", tag), http.StatusPreconditionFailed)
	wantStatus(t, o.call(http.MethodDelete, one, "", "If-Match", "nonsense"), http.StatusBadRequest)
	for i := range 5 {
		o.create(fmt.Sprintf(`{"resource_id":%q,"resource_scopes":["view"],"anyone":true,"not_after":%d}`, photo, 4000000000+i))
	}
	seen := map[string]bool{}
	for next := pathPolicies + "?limit=2"; next != ""; {
		page := o.call(http.MethodGet, next, "")
		var list []map[string]any
		w.must(json.Unmarshal(page.Body, &list))
		for _, p := range list {
			seen[p["_id"].(string)] = true
		}
		next, _, _ = strings.Cut(strings.TrimPrefix(page.Header.Get("Link"), "<"+w.Issuer), ">")
	}
	if len(seen) != 6 {
		t.Errorf("the pages have %d policies, want 6", len(seen))
	}
	wantStatus(t, o.call(http.MethodDelete, one, "", "If-Match", "*"), http.StatusNoContent)
	wantStatus(t, o.call(http.MethodGet, one, ""), http.StatusNotFound)
	wantStatus(t, o.call(http.MethodDelete, one, ""), http.StatusNotFound)
}

// Proves SEC-021, SEC-023, SEC-025, SEC-041, SEC-127, GRANT-5.6-01,
// PEER-CVE-2026-4636, PEER-CVE-2026-9799.
func TestAPolicyThatIsNotExactlyUnderstoodIsRefused(t *testing.T) {
	w := newWorld(t)
	o := w.owner(w.Alice)
	id := string(w.resource(w.pat(w.RS1, w.Alice), "photo", "view"))
	base := `"resource_id":"` + id + `","resource_scopes":["view"]`
	bob := `"required_claims":[{"name":"email","value":"bob@example.com"}]`
	for name, document := range map[string]string{
		"no claims": `{` + base + `}`, "empty claims": `{` + base + `,"required_claims":[]}`, "null claims": `{` + base + `,"required_claims":null}`,
		"anyone is false": `{` + base + `,"anyone":false}`, "anyone as a text": `{` + base + `,"anyone":"true"}`, "anyone and somebody": `{` + base + `,"anyone":true,` + bob + `}`,
		"an unknown member": `{` + base + `,` + bob + `,"owner":"anna"}`, "its own id": `{` + base + `,` + bob + `,"_id":"x"}`, "resources": `{` + base + `,` + bob + `,"resources":["x"]}`,
		"a misspelt condition": `{` + base + `,` + bob + `,"not_affter":4000000000}`, "a claim without a name": `{` + base + `,"required_claims":[{"value":"x"}]}`,
		"an unknown member of a claim": `{` + base + `,"required_claims":[{"name":"email","values":["bob@example.com"],"x":1}]}`,
		"no values":                    `{` + base + `,"required_claims":[{"name":"email","values":[]}]}`, "no address": `{` + base + `,"required_claims":[{"name":"email","value":"bob"}]}`,
		"both value and values": `{` + base + `,"required_claims":[{"name":"a","value":"x","values":["y"]}]}`,
		"no resource":           `{"resource_scopes":["view"],` + bob + `}`, "an empty resource": `{"resource_id":"","resource_scopes":["view"],` + bob + `}`,
		"no scopes": `{"resource_id":"` + id + `",` + bob + `}`, "a type": `{` + base + `,` + bob + `,"resource_type":"photo"}`,
		"an unregistered scope": `{"resource_id":"` + id + `","resource_scopes":["*"],` + bob + `}`, "a wildcard": `{"resource_id":"*","resource_scopes":["view"],` + bob + `}`,
		"a prefix": `{"resource_id":"` + id[:10] + `","resource_scopes":["view"],` + bob + `}`, "a time as text": `{` + base + `,` + bob + `,"not_after":"2030"}`,
		"ends before it begins": `{` + base + `,` + bob + `,"not_before":4000000000,"not_after":3000000000}`, "approval": `{` + base + `,` + bob + `,"approval":"maybe"}`,
		"terms": `{` + base + `,` + bob + `,"terms":"javascript:alert(1)"}`, "a member twice": `{` + base + `,` + bob + `,` + bob + `}`, "no object": `[]`, "nothing": ``,
	} {
		a := w.do(http.MethodPost, pathPolicies, http.Header{"Authorization": {"Bearer " + o.token}, "Content-Type": {"application/json"}}, document)
		if a.StatusCode != http.StatusBadRequest || a.Header.Get("Content-Type") != "application/problem+json" || a.json(t)["detail"] == "" {
			t.Errorf("%s: %s %s", name, a.Status, a.Body)
		}
	}
	if list := o.call(http.MethodGet, pathPolicies, ""); string(list.Body) != "[]" {
		t.Errorf("something was created: %s", list.Body)
	}
}

// Proves SEC-020, SEC-022, PEER-CVE-2025-14778, PEER-CVE-2026-94217, SEC-024,
// PEER-CVE-2026-37981.
func TestAnotherOwnersThingsAreLikeThingsThatNeverWere(t *testing.T) {
	w := newWorld(t)
	alice, anna := w.owner(w.Alice), w.owner(w.Anna)
	pat := w.pat(w.RS1, w.Alice)
	photo := w.resource(pat, "photo", "view") // of the same name as Anna's
	hers := w.resource(w.pat(w.RS1, w.Anna), "photo", "view")
	id, _ := alice.create(withBob(photo, `["view"]`))
	request := w.pendingRequest(t, pat, w.resource(pat, "diary", "read"))
	calls := func(policy, resource, request string) [][3]string {
		return [][3]string{
			{http.MethodGet, pathPolicies + "/" + policy, ""}, {http.MethodDelete, pathPolicies + "/" + policy, ""},
			{http.MethodPut, pathPolicies + "/" + policy, withBob(hers, `["view"]`)}, {http.MethodGet, pathOwnedResources + "/" + resource, ""},
			{http.MethodPost, pathPolicies, withBob(uma.ResourceID(resource), `["view"]`)},
			{http.MethodGet, pathRequests + "/" + request, ""}, {http.MethodPost, pathRequests + "/" + request + "/approve", ""}, {http.MethodPost, pathRequests + "/" + request + "/deny", ""},
		}
	}
	theirs, never := calls(id, string(photo), request), calls("nothing", "nothing", "nothing")
	for i := range theirs {
		a, b := anna.call(theirs[i][0], theirs[i][1], theirs[i][2]), anna.call(never[i][0], never[i][1], never[i][2])
		if a.StatusCode < 400 || a.StatusCode != b.StatusCode || string(a.Body) != string(b.Body) {
			t.Errorf("%s %s: %s %s, for nothing at all %s %s", theirs[i][0], theirs[i][1], a.Status, a.Body, b.Status, b.Body)
		}
	}
	own, _ := anna.create(withBob(hers, `["view"]`))
	moved := anna.call(http.MethodPut, pathPolicies+"/"+own, withBob(photo, `["view"]`))
	wantStatus(t, moved, http.StatusBadRequest)
	for _, list := range []string{pathPolicies, pathOwnedResources, pathRequests + "?status=all"} {
		if a := anna.call(http.MethodGet, list, ""); strings.Contains(string(a.Body), string(photo)) || strings.Contains(string(a.Body), id) || strings.Contains(string(a.Body), request) {
			t.Errorf("Anna sees Alice's in %s: %s", list, a.Body)
		}
	}
	wantStatus(t, alice.call(http.MethodGet, pathPolicies+"/"+id, ""), http.StatusOK)
	for name, token := range map[string]string{"a PAT": pat, "a user's token": w.token(w.C1, w.Alice, oauth.ScopeOpenID)} {
		for _, call := range theirs {
			if a := w.api(call[0], call[1], token, call[2]); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s at %s %s: %s", name, call[0], call[1], a.Status)
			}
			if a := w.api(call[0], call[1], "", call[2]); a.StatusCode != http.StatusUnauthorized {
				t.Errorf("no token at %s %s: %s", call[0], call[1], a.Status)
			}
		}
	}
}

// pendingRequest has Bob ask for a resource of Alice's on which he may ask.
func (w *world) pendingRequest(t testing.TB, pat string, id uma.ResourceID, more ...uma.ResourceID) string {
	t.Helper()
	var asked []uma.Permission
	for _, id := range append([]uma.ResourceID{id}, more...) {
		w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"read"}, Claims: withEmail(), Ask: true})
		asked = append(asked, uma.Permission{Resource: id, Scopes: []uma.Scope{"read"}})
	}
	known := w.requestIDs()
	ticket, _ := w.visited(t, w.Bob, w.C2, w.ticket(pat, asked...))
	answer := w.postTicket(w.C2, ticket)
	wantError(t, answer, http.StatusForbidden, uma.RequestSubmittedCode)
	w.lastTicket = uma.Ticket(answer.json(t)["ticket"].(string))
	for _, id := range w.requestIDs() {
		if !slices.Contains(known, id) { // those of one instant are in no order
			return id
		}
	}
	t.Fatal("there is no new request")
	return ""
}

// requestIDs are the requests that Alice has.
func (w *world) requestIDs() []string {
	w.t.Helper()
	var all []map[string]any
	w.must(json.Unmarshal(w.owner(w.Alice).call(http.MethodGet, pathRequests, "").Body, &all))
	ids := make([]string, len(all))
	for i, one := range all {
		ids[i] = one["_id"].(string)
	}
	return ids
}

// visited sends a person to the claims interaction endpoint with a ticket, and
// returns the ticket with which the client gets them back.
func (w *world) visited(t testing.TB, who resident, c registered, ticket uma.Ticket) (uma.Ticket, url.Values) {
	t.Helper()
	b := w.browser()
	page := b.get(pathClaims + "?" + url.Values{"client_id": {string(c.ID)}, "ticket": {string(ticket)}, "claims_redirect_uri": {c.ClaimsRedirectURIs[0]}}.Encode())
	back, err := url.Parse(b.press(b.signIn(page, who), "allow").Header.Get("Location"))
	w.must(err)
	return uma.Ticket(back.Query().Get("ticket")), back.Query()
}

// Proves GRANT-3.3.6-15, GRANT-3.3.6-16, GRANT-3.3.6-18, GRANT-3.3.6-20, GRANT-6.1-02.
func TestTheOwnerApprovesAPartAndTakesItBack(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	diary, notes := w.resource(pat, "diary", "read"), w.resource(pat, "notes", "read")
	id := w.pendingRequest(t, pat, diary, notes)
	alice := w.owner(w.Alice)
	seen := alice.call(http.MethodGet, pathRequests+"/"+id, "").json(t)
	if seen["client_name"] != "Second App" || !strings.Contains(mustJSON(t, seen["requesting_party"]), "bob@example.com") {
		t.Errorf("the owner sees %v", seen)
	}
	for body, status := range map[string]int{
		`{"permissions":[]}`: 400, `{"permissions":[{"resource_id":"` + string(diary) + `","resource_scopes":["write"]}]}`: 400,
		`{"permissions":[{"resource_id":"nothing","resource_scopes":["read"]}]}`: 400, `{"not_after":1}`: 400, `{"x":1}`: 400, `[]`: 400,
		`{"permissions":[{"resource_id":"` + string(diary) + `","resource_scopes":[]}]}`: 400,
	} {
		wantStatus(t, alice.call(http.MethodPost, pathRequests+"/"+id+"/approve", body), status)
	}
	until := w.Clock.Now().Add(time.Hour).Unix()
	approved := alice.call(http.MethodPost, pathRequests+"/"+id+"/approve",
		fmt.Sprintf(`{"permissions":[{"resource_id":%q,"resource_scopes":["read"]}],"not_after":%d}`, diary, until))
	wantStatus(t, approved, http.StatusOK)
	policies := approved.json(t)["policies"].([]any)
	if approved.json(t)["status"] != "approved" || len(policies) != 1 {
		t.Fatalf("the decision is %s", approved.Body)
	}
	wantStatus(t, alice.call(http.MethodPost, pathRequests+"/"+id+"/deny", ""), http.StatusConflict)

	w.Clock.Advance(10 * time.Second)
	granted := w.postTicket(w.C2, w.lastTicket)
	wantStatus(t, granted, http.StatusOK)
	rpt := granted.json(t)["access_token"].(string)
	introspect := func() answer { return w.ask(pathIntrospect, pat, url.Values{"token": {rpt}}) }
	in := introspect()
	if !strings.Contains(string(in.Body), string(diary)) || strings.Contains(string(in.Body), string(notes)) {
		t.Fatalf("the permissions are %s", in.Body)
	}
	wantStatus(t, alice.call(http.MethodDelete, pathPolicies+"/"+policies[0].(string), ""), http.StatusNoContent)
	if in := introspect(); string(in.Body) != `{"active":false}` {
		t.Errorf("after the withdrawal: %s", in.Body)
	}
	wantError(t, w.postToken(w.C2, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {granted.json(t)["refresh_token"].(string)}}), http.StatusBadRequest, uma.InvalidGrant)

	// Another request, denied: the next poll is final.
	w.pendingRequest(t, pat, w.resource(pat, "letters", "read"))
	list := alice.call(http.MethodGet, pathRequests, "")
	var waiting []map[string]any
	w.must(json.Unmarshal(list.Body, &waiting))
	wantStatus(t, alice.call(http.MethodPost, pathRequests+"/"+waiting[0]["_id"].(string)+"/deny", ""), http.StatusOK)
	w.Clock.Advance(10 * time.Second)
	final := w.postTicket(w.C2, w.lastTicket)
	wantError(t, final, http.StatusForbidden, uma.RequestDenied)
	if final.json(t)["ticket"] != nil {
		t.Error("a final no has a ticket")
	}
}

func TestOfFiftyDecisionsOneCounts(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	id := w.pendingRequest(t, pat, w.resource(pat, "diary", "read"))
	token := w.token(w.C1, w.Alice, oauth.ScopePolicy)
	results := make([]int, 50)
	var wait sync.WaitGroup
	for i := range results {
		wait.Go(func() {
			act := []string{"/approve", "/deny"}[i%2]
			results[i] = w.api(http.MethodPost, pathRequests+"/"+id+act, token, "").StatusCode
		})
	}
	wait.Wait()
	count := map[int]int{}
	for _, r := range results {
		count[r]++
	}
	if count[200] != 1 || count[409] != 49 {
		t.Errorf("the answers are %v", count)
	}
}

// Proves FED-8-02.
func TestAConnectionIsListedAndEnded(t *testing.T) {
	w := newWorld(t)
	alice := w.owner(w.Alice)
	pat := w.pat(w.RS1, w.Alice)
	var list []map[string]any
	w.must(json.Unmarshal(alice.call(http.MethodGet, pathConnections, "").Body, &list))
	for _, c := range list {
		if c["client_id"] == "rs1" {
			wantStatus(t, w.owner(w.Anna).call(http.MethodDelete, pathConnections+"/"+c["_id"].(string), ""), http.StatusNotFound)
			wantStatus(t, w.api(http.MethodGet, pathResources, pat, ""), http.StatusOK)
			wantStatus(t, alice.call(http.MethodDelete, pathConnections+"/"+c["_id"].(string), ""), http.StatusNoContent)
		}
	}
	wantStatus(t, w.api(http.MethodGet, pathResources, pat, ""), http.StatusUnauthorized)
	wantStatus(t, alice.call(http.MethodPost, pathStop, ""), http.StatusNoContent)
	wantStatus(t, alice.call(http.MethodGet, pathPolicies, ""), http.StatusUnauthorized)
}

// One act stops everything: the policies end with the permissions and the tokens.
func TestStoppingEverythingEndsThePoliciesToo(t *testing.T) {
	w := newWorld(t)
	alice := w.owner(w.Alice)
	alice.create(withBob(w.resource(w.pat(w.RS1, w.Alice), "photo", "view"), `["view"]`))
	policies := func(o owner) (list []map[string]any) {
		w.must(json.Unmarshal(o.call(http.MethodGet, pathPolicies, "").Body, &list))
		return list
	}
	if n := len(policies(alice)); n != 1 {
		t.Fatalf("there are %d policies", n)
	}
	wantStatus(t, alice.call(http.MethodPost, pathStop, ""), http.StatusNoContent)
	if left := policies(w.owner(w.Alice)); len(left) != 0 {
		t.Errorf("everything is stopped, and %d policies are left", len(left))
	}
}

// Whatever is sent to the owner's API, it answers as its document foresees, and
// never with a fault of its own.
func TestTheOwnersAPIAnswersAsItsDocumentSays(t *testing.T) {
	w := newWorld(t)
	o := w.owner(w.Alice)
	id := string(w.resource(w.pat(w.RS1, w.Alice), "photo", "view", "edit"))
	policyID, _ := o.create(withBob(uma.ResourceID(id), `["view"]`))
	family := w.family(w.Alice)
	rapid.Check(t, func(rt *rapid.T) {
		pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(rt, label) }
		path := pick("path", pathPolicies, pathPolicies+"/"+policyID, pathPolicies+"/x", pathOwnedResources, pathOwnedResources+"/"+id,
			pathRequests, pathRequests+"/x", pathRequests+"/x/approve", pathRequests+"/x/deny", pathRequests+"/x/aside", pathRequests+"/x/block", pathBlocks, pathBlocks+"/x", pathConnections, pathConnections+"/x",
			pathGroups, pathGroups+"/x", pathGroups+"/"+family, pathGroups+"/"+family+"/members", pathMembers+"/x")
		method := pick("method", http.MethodGet, http.MethodPost, http.MethodPut)
		query := pick("query", "", "?limit=1", "?limit=0", "?limit=x", "?status=all", "?status=x", "?after=%00", "?after=zz&after=y", "?x=1")
		members := map[string]string{
			"resource_id": pick("resource", `"`+id+`"`, `"x"`, `1`, `""`), "resource_scopes": pick("scopes", `["view"]`, `[]`, `["x"]`, `[1]`, `null`),
			"required_claims": pick("claims", `[{"name":"email","value":"bob@example.com"}]`, `[]`, `[{}]`, `[{"name":"a","values":["b","c"]}]`, `{}`),
			"not_after":       pick("end", `4000000000`, `-1`, `1e3`, `9223372036854775807`, `1.5`, `"x"`), "approval": pick("approval", `"ask"`, `"none"`, `"x"`, `true`),
			"anyone": pick("anyone", `true`, `false`, `1`), "group_id": pick("group", `"x"`, `"`+family+`"`, `1`, `""`),
			"every_client": pick("every client", `true`, `"yes"`), "name": pick("name", `"choir"`, `""`, `"`+strings.Repeat("x", 201)+`"`, `1`), "email": pick("email", `"dave@example.com"`, `"dave"`, `1`),
		}
		var parts []string
		for name, value := range members {
			if rapid.Bool().Draw(rt, name) {
				parts = append(parts, `"`+name+`":`+value)
			}
		}
		header := []string{}
		if rapid.Bool().Draw(rt, "if-match") {
			header = append(header, "If-Match", pick("tag", `"1"`, `"99"`, `*`, `x`, `W/"1"`))
		}
		h := http.Header{"Authorization": {"Bearer " + o.token}}
		h.Set("Content-Type", pick("type", "application/json", "application/json; charset=utf-8", "text/plain"))
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		body := ""
		if method != http.MethodGet {
			body = "{" + strings.Join(parts, ",") + "}"
		}
		a := w.do(method, path+query, h, body)
		if a.StatusCode >= 500 {
			rt.Fatalf("%s %s %s: %s %s", method, path+query, body, a.Status, a.Body)
		}
		route, _, err := o.law.router.FindRoute(a.Request)
		if err != nil || route == nil { // a method that the path does not have
			if a.StatusCode != http.StatusMethodNotAllowed {
				rt.Fatalf("%s %s: %s, and it is not in the document", method, path, a.Status)
			}
			return
		}
		if err := o.law.holds(a); err != nil {
			rt.Fatalf("%s %s %s: %s %s\n%v", method, path+query, body, a.Status, a.Body, err)
		}
	})
}

// The control of the contract: an answer that is not as the document says is
// noticed.
func TestAnAnswerThatBreaksTheContractIsNoticed(t *testing.T) {
	w := newWorld(t)
	o := w.owner(w.Alice)
	a := o.call(http.MethodGet, pathPolicies, "")
	for name, change := range map[string]func(*answer){
		"a status that is not foreseen": func(a *answer) { r := *a.Response; r.StatusCode = 418; a.Response = &r },
		"a body of another form":        func(a *answer) { a.Body = []byte(`[{"_id":1}]`) },
		"a member that is not foreseen": func(a *answer) {
			a.Body = []byte(`[{"_id":"a","resource_id":"b","resource_scopes":[],"resource_server":"c","approval":"none","status":"in_force","secret":"s"}]`)
		},
	} {
		broken := a
		change(&broken)
		if o.law.holds(broken) == nil {
			t.Errorf("%s is not noticed", name)
		}
	}
}

// A client that starts anew, as it must after a lost answer, does not ask the
// owner again; her one answer serves both.
func TestTheOwnerIsAskedOnce(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	diary, notes := w.resource(pat, "diary", "read"), w.resource(pat, "notes", "read")
	for _, id := range []uma.ResourceID{diary, notes} {
		w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"read"}, Claims: withEmail(), Ask: true})
	}
	begin := func(who resident, c registered, id uma.ResourceID) uma.Ticket {
		ticket, _ := w.visited(t, who, c, w.ticketFor(pat, id, "read"))
		a := w.postTicket(c, ticket)
		wantError(t, a, http.StatusForbidden, uma.RequestSubmittedCode)
		return uma.Ticket(a.json(t)["ticket"].(string))
	}
	alice := w.owner(w.Alice)
	waiting := func() []map[string]any {
		var list []map[string]any
		w.must(json.Unmarshal(alice.call(http.MethodGet, pathRequests, "").Body, &list))
		return list
	}
	first, second := begin(w.Bob, w.C2, diary), begin(w.Bob, w.C2, diary)
	both := waiting()
	if len(both) != 1 {
		t.Fatalf("the owner is asked %d times", len(both))
	}
	begin(w.Carlos, w.C2, diary)
	begin(w.Bob, w.C1, diary)
	begin(w.Bob, w.C2, notes)
	if n := len(waiting()); n != 4 {
		t.Fatalf("another person, another app and another thing make %d requests", n)
	}
	wantStatus(t, alice.call(http.MethodPost, pathRequests+"/"+both[0]["_id"].(string)+"/approve", ""), http.StatusOK)
	w.Clock.Advance(10 * time.Second)
	for _, ticket := range []uma.Ticket{first, second} {
		wantStatus(t, w.postTicket(w.C2, ticket), http.StatusOK)
	}
}
