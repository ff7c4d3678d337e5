package endpoint

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// api calls the protection API, or the owner's API, with a bearer token.
func (w *world) api(method, path, token, body string) answer {
	w.t.Helper()
	h := http.Header{"Content-Type": {"application/json"}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return w.do(method, path, h, body)
}

// ask posts a form with a bearer token.
func (w *world) ask(path, token string, form url.Values) answer {
	w.t.Helper()
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return w.do(http.MethodPost, path, h, form.Encode())
}

func wantStatus(t testing.TB, a answer, status int) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: %s %s, want %d", a.Request.Method, a.Request.URL.Path, a.Status, a.Body, status)
	}
}

// wantError checks the status and the error code of a refusal in JSON.
func wantError(t testing.TB, a answer, status int, code uma.Code) {
	t.Helper()
	wantStatus(t, a, status)
	if got := a.json(t)["error"]; got != string(code) {
		t.Fatalf("%s %s: error %v, want %s", a.Request.Method, a.Request.URL.Path, got, code)
	}
}

const photoDescription = `{"resource_scopes":["view","edit"],"name":"Photo","name#de":"Foto","x_foo":{"a":[1]},"type":"photo","icon_uri":"https://rs1.example/i.png","description":"d"}`

func (w *world) register(token, description string) string {
	w.t.Helper()
	a := w.api(http.MethodPost, pathResources, token, description)
	wantStatus(w.t, a, http.StatusCreated)
	return a.json(w.t)["_id"].(string)
}

// Proves FED-3.2-01, FED-3.2-03, FED-3.2.1-01, FED-3.2.2-01, FED-3.2.3-01,
// FED-3.2.3-02, FED-3.2.4-01, FED-3.2.5-01, FED-3.1-02, FED-3.1-03, FED-3.1-05,
// GEN-1.1-02, FED-1.3-03, FED-3-01.
func TestAResourceIsRegisteredReadReplacedListedAndDeregistered(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	for _, base := range []string{pathResources, pathResources + "/"} {
		empty := w.api(http.MethodGet, base, pat, "")
		if string(empty.Body) != "[]" || empty.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("an empty list is %s", empty.Body)
		}
		a := w.api(http.MethodPost, base, pat, photoDescription)
		wantStatus(t, a, http.StatusCreated)
		id := a.json(t)["_id"].(string)
		if location := a.Header.Get("Location"); location != w.Issuer+pathResources+"/"+id {
			t.Fatalf("Location is %q", location)
		}
		one := pathResources + "/" + id

		read := w.api(http.MethodGet, one, pat, "")
		wantStatus(t, read, http.StatusOK)
		want := map[string]any{}
		if err := json.Unmarshal([]byte(photoDescription), &want); err != nil {
			t.Fatal(err)
		}
		want["_id"] = id
		got, wanted := mustJSON(t, read.json(t)), mustJSON(t, want)
		if got != wanted {
			t.Fatalf("read back %s, registered %s", got, wanted)
		}

		put := w.api(http.MethodPut, one, pat, `{"resource_scopes":["view","https://rs1.example/scope/x"]}`)
		wantStatus(t, put, http.StatusOK)
		if put.json(t)["_id"] != id {
			t.Fatal("the answer to an update does not name the resource")
		}
		if m := w.api(http.MethodGet, one, pat, "").json(t); m["name"] != nil || len(m) != 2 {
			t.Fatalf("an update does not replace everything: %v", m)
		}

		var ids []string
		if err := json.Unmarshal(w.api(http.MethodGet, base, pat, "").Body, &ids); err != nil || !slices.Equal(ids, []string{id}) {
			t.Fatalf("the list is %v (%v), want %s", ids, err, id)
		}
		wantStatus(t, w.api(http.MethodDelete, one, pat, ""), http.StatusNoContent)
		wantError(t, w.api(http.MethodDelete, one, pat, ""), http.StatusNotFound, uma.NotFound)
		wantError(t, w.api(http.MethodPost, pathPermission, pat, `{"resource_id":"`+id+`","resource_scopes":["view"]}`), http.StatusBadRequest, uma.InvalidResourceID)
	}
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Proves FED-3.2.5-01.
func TestTheListIsWholeHoweverLong(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	want := 0
	for range listPage + 2 {
		w.resource(pat, "r", "view")
		want++
	}
	var ids []string
	if err := json.Unmarshal(w.api(http.MethodGet, pathResources, pat, "").Body, &ids); err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	if got := len(slices.Compact(ids)); got != want {
		t.Fatalf("%d different ids in the list, want %d", got, want)
	}
}

// Proves FED-3.1-01, FED-3.1-04, FED-3.2-09, FED-3.2-10, FED-6-01, FED-6-02, GEN-1.1-01.
func TestAMalformedDescriptionIsRefusedWithoutATrace(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	for name, body := range map[string]string{
		"no body": "", "no JSON": "scopes", "an array": `[{"resource_scopes":[]}]`, "no scopes": `{"name":"x"}`,
		"null scopes": `{"resource_scopes":null}`, "a string": `{"resource_scopes":"view"}`, "a number": `{"resource_scopes":["view",1]}`,
		"member twice": `{"resource_scopes":["a"],"resource_scopes":["b"]}`, "deep member twice": `{"resource_scopes":["a"],"x":{"b":1,"b":2}}`,
		"another case": `{"Resource_scopes":["a"]}`, "name of a wrong type": `{"resource_scopes":[],"name":1}`,
		"language of a wrong type": `{"resource_scopes":[],"name#de":{}}`, "icon": `{"resource_scopes":[],"icon_uri":"javascript:alert(1)"}`,
		"something after": `{"resource_scopes":[]}{}`, "a scope with a space": `{"resource_scopes":["a b"]}`,
		"too deep": `{"resource_scopes":[],"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
	} {
		for method, path := range map[string]string{http.MethodPost: pathResources, http.MethodPut: pathResources + "/" + w.register(pat, photoDescription)} {
			a := w.api(method, path, pat, body)
			wantError(t, a, http.StatusBadRequest, uma.InvalidRequest)
			if d, ok := a.json(t)["error_description"].(string); !ok || d == "" {
				t.Errorf("%s: no description", name)
			}
		}
	}
	wantStatus(t, w.api(http.MethodPost, pathResources, pat, `{"resource_scopes":[],"x":"`+strings.Repeat("a", uma.MaxJSON)+`"}`), http.StatusRequestEntityTooLarge)
	form := http.Header{"Authorization": {"Bearer " + pat}, "Content-Type": {"text/plain"}}
	wantError(t, w.do(http.MethodPost, pathResources, form, photoDescription), http.StatusBadRequest, uma.InvalidRequest)
	var ids []string
	if err := json.Unmarshal(w.api(http.MethodGet, pathResources, pat, "").Body, &ids); err != nil || len(ids) != 16 {
		t.Fatalf("%d resources are registered, want the 16 good ones", len(ids))
	}
}

// Proves SEC-021.
func TestADescriptionCannotSayWhoseItIs(t *testing.T) {
	w := newWorld(t)
	alice, anna := w.pat(w.RS1, w.Alice), w.pat(w.RS1, w.Anna)
	hers := w.register(anna, photoDescription)
	evil := `{"_id":"` + hers + `","owner":"anna","resource_server":"rs2","user_access_policy_uri":"https://evil.example","resource_scopes":["x"]}`
	mine := w.register(alice, evil)
	if mine == hers {
		t.Fatal("the body chose the id")
	}
	wantStatus(t, w.api(http.MethodPut, pathResources+"/"+mine, alice, evil), http.StatusOK)
	read := w.api(http.MethodGet, pathResources+"/"+mine, alice, "").json(t)
	if read["_id"] != mine || read["user_access_policy_uri"] != nil {
		t.Fatalf("read back %v", read)
	}
	if mustJSON(t, w.api(http.MethodGet, pathResources+"/"+hers, anna, "").json(t)["resource_scopes"]) != `["view","edit"]` {
		t.Fatal("Anna's resource was changed")
	}
}

// Proves FED-3.2-05, FED-3.2-06, FED-1.3-04, PEER-CVE-2026-4630.
func TestSomebodyElsesResourceIsLikeOneThatNeverWas(t *testing.T) {
	w := newWorld(t)
	mine := w.pat(w.RS1, w.Alice)
	id := w.register(mine, photoDescription)
	gone := w.register(mine, photoDescription)
	wantStatus(t, w.api(http.MethodDelete, pathResources+"/"+gone, mine, ""), http.StatusNoContent)
	for name, pat := range map[string]string{
		"another owner": w.pat(w.RS1, w.Anna), "another resource server": w.pat(w.RS2, w.Alice), "both": w.pat(w.RS2, w.Anna),
	} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			theirs, never, was := w.api(method, pathResources+"/"+id, pat, photoDescription), w.api(method, pathResources+"/nothing", pat, photoDescription), w.api(method, pathResources+"/"+gone, pat, photoDescription)
			wantError(t, theirs, http.StatusNotFound, uma.NotFound)
			if string(theirs.Body) != string(never.Body) || string(theirs.Body) != string(was.Body) || len(theirs.Header) != len(never.Header) {
				t.Errorf("%s can tell a resource of somebody else from none", name)
			}
		}
		wantError(t, w.api(http.MethodPost, pathPermission, pat, `{"resource_id":"`+id+`","resource_scopes":["view"]}`), http.StatusBadRequest, uma.InvalidResourceID)
		if list := w.api(http.MethodGet, pathResources, pat, ""); strings.Contains(string(list.Body), id) {
			t.Errorf("%s sees it in the list", name)
		}
	}
	wantStatus(t, w.api(http.MethodGet, pathResources+"/"+id, mine, ""), http.StatusOK)
}

// Proves FED-3.2-07, FED-3.2-08, FED-5.1-01, SEC-026.
func TestAnUnknownMethodIs405InTheEndpointsOwnForm(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	id := w.register(pat, photoDescription)
	for path, methods := range map[string][]string{
		pathResources:            {http.MethodPut, http.MethodPatch, http.MethodDelete},
		pathResources + "/" + id: {http.MethodPost, http.MethodPatch},
		pathPermission:           {http.MethodGet, http.MethodPut},
		pathIntrospect:           {http.MethodGet, http.MethodPut},
	} {
		for _, method := range methods {
			a := w.api(method, path, pat, photoDescription)
			wantError(t, a, http.StatusMethodNotAllowed, uma.UnsupportedMethod)
			if a.Header.Get("Allow") == "" {
				t.Errorf("%s %s: no Allow header", method, path)
			}
		}
	}
	for _, path := range []string{pathToken, pathRevoke} {
		wantStatus(t, w.api(http.MethodGet, path, "", ""), http.StatusMethodNotAllowed)
	}
}

// protectionCalls are one request to every protection endpoint.
func protectionCalls(id string) [][3]string {
	return [][3]string{
		{http.MethodPost, pathResources, photoDescription}, {http.MethodGet, pathResources, ""}, {http.MethodGet, pathResources + "/" + id, ""},
		{http.MethodPut, pathResources + "/" + id, photoDescription}, {http.MethodDelete, pathResources + "/" + id, ""},
		{http.MethodPost, pathPermission, `{"resource_id":"` + id + `","resource_scopes":[]}`}, {http.MethodPost, pathIntrospect, "token=x"},
	}
}

// Proves FED-1.3-02, FED-3.2-02, FED-1.2-01, SEC-016, SEC-031, PEER-CVE-2026-3190.
func TestEveryProtectionEndpointWantsALivePAT(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	id := w.register(pat, photoDescription)
	w.share(w.Alice, policy.Share{Resource: uma.ResourceID(id), Scopes: []uma.Scope{"view"}, Anyone: true})
	rpt := w.postTicket(w.C1, w.ticketFor(pat, uma.ResourceID(id), "view")).json(t)["access_token"].(string)
	expired := w.pat(w.RS1, w.Alice)
	w.Clock.Advance(2 * time.Hour)
	pat = w.pat(w.RS1, w.Alice)
	revoked := w.pat(w.RS1, w.Alice)
	wantStatus(t, w.do(http.MethodPost, pathRevoke, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic("rs1", w.RS1.Secret)}}, "token="+revoked), http.StatusOK)
	rpt2 := w.postTicket(w.C1, w.ticketFor(pat, uma.ResourceID(id), "view")).json(t)["access_token"].(string)
	for name, c := range map[string]struct {
		token  string
		status int
		code   string
	}{
		"none": {"", 401, ""}, "made up": {"abc", 401, "invalid_token"}, "expired": {expired, 401, "invalid_token"},
		"revoked": {revoked, 401, "invalid_token"}, "an expired RPT": {rpt, 401, "invalid_token"}, "an RPT": {rpt2, 403, "insufficient_scope"},
		"a policy token": {w.token(w.C1, w.Alice, oauth.ScopePolicy), 403, "insufficient_scope"},
		"a user's token": {w.token(w.C1, w.Alice, oauth.ScopeOpenID), 403, "insufficient_scope"},
	} {
		for _, call := range protectionCalls(id) {
			h := http.Header{"Content-Type": {"application/json"}}
			if call[1] == pathIntrospect {
				h.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			if c.token != "" {
				h.Set("Authorization", "Bearer "+c.token)
			}
			a := w.do(call[0], call[1], h, call[2])
			wantStatus(t, a, c.status)
			challenge := a.Header.Get("WWW-Authenticate")
			if !strings.HasPrefix(challenge, "Bearer ") || c.code != "" && !strings.Contains(challenge, `error="`+c.code+`"`) || c.code == "" && strings.Contains(challenge, "error=") {
				t.Errorf("%s at %s %s: WWW-Authenticate is %q", name, call[0], call[1], challenge)
			}
			if strings.Contains(string(a.Body), id) {
				t.Errorf("%s at %s %s tells something", name, call[0], call[1])
			}
		}
	}
	two := http.Header{"Authorization": {"Bearer " + pat, "Bearer " + pat}}
	wantStatus(t, w.do(http.MethodGet, pathResources, two, ""), http.StatusBadRequest)
	wantStatus(t, w.do(http.MethodGet, pathResources+"?access_token="+pat, nil, ""), http.StatusUnauthorized)
	wantStatus(t, w.api(http.MethodGet, pathResources, pat, ""), http.StatusOK)
}

// Proves FED-4.1-01, FED-4.1-02, FED-4.1-03, FED-4.1-04, FED-4.2-01, FED-4.3-01,
// FED-4.3-02, FED-4-01, SEC-012, SEC-013, SEC-014, SEC-015, PEER-CVE-2025-14778.
func TestThePermissionEndpointTakesAllOrNothing(t *testing.T) {
	w := newWorld(t)
	pat, anna := w.pat(w.RS1, w.Alice), w.pat(w.RS1, w.Anna)
	a, b, hers := w.register(pat, photoDescription), w.register(pat, photoDescription), w.register(anna, photoDescription)
	p := func(id, scopes string) string { return `{"resource_id":"` + id + `","resource_scopes":` + scopes + `}` }
	for _, body := range []string{p(a, `["view"]`), p(a, `[]`), "[" + p(a, `["view"]`) + "]", "[" + p(a, `["view"]`) + "," + p(b, `["edit"]`) + "]", `{"resource_id":"` + a + `","resource_scopes":["view"],"x_foo":1}`} {
		answer := w.api(http.MethodPost, pathPermission, pat, body)
		wantStatus(t, answer, http.StatusCreated)
		if ticket, ok := answer.json(t)["ticket"].(string); !ok || len(ticket) < 22 {
			t.Fatalf("%s: the ticket is %v", body, answer.json(t))
		}
		if answer.Header.Get("Cache-Control") != "no-store" {
			t.Error("a ticket may be cached")
		}
	}
	many := make([]string, 10_000)
	for i := range many {
		many[i] = p(a, `["view"]`)
	}
	for body, code := range map[string]uma.Code{
		p("nothing", `["view"]`): uma.InvalidResourceID, p(hers, `["view"]`): uma.InvalidResourceID,
		"[" + p(a, `["view"]`) + "," + p(hers, `["view"]`) + "]": uma.InvalidResourceID,
		"[" + p(hers, `["view"]`) + "," + p(a, `["view"]`) + "]": uma.InvalidResourceID,
		"[" + p(a, `["no"]`) + "," + p(hers, `["view"]`) + "]":   uma.InvalidResourceID,
		p(a, `["print"]`): uma.InvalidScope, "[" + p(a, `["view"]`) + "," + p(b, `["print"]`) + "]": uma.InvalidScope,
		"[]": uma.InvalidRequest, `{"resource_scopes":["view"]}`: uma.InvalidRequest, `{"resource_id":"` + a + `"}`: uma.InvalidRequest,
		p(a, `null`): uma.InvalidRequest, p(a, `"view"`): uma.InvalidRequest, `"x"`: uma.InvalidRequest, "": uma.InvalidRequest,
		`{"Resource_id":"` + a + `","resource_scopes":[]}`:                            uma.InvalidRequest,
		`{"resource_id":"` + a + `","resource_scopes":[],"resource_scopes":["view"]}`: uma.InvalidRequest,
	} {
		answer := w.api(http.MethodPost, pathPermission, pat, body)
		wantError(t, answer, http.StatusBadRequest, code)
		if answer.json(t)["ticket"] != nil {
			t.Errorf("%s: a refusal has a ticket", body)
		}
	}
	tooMany := w.api(http.MethodPost, pathPermission, pat, "["+strings.Join(many, ",")+"]")
	if tooMany.StatusCode != http.StatusBadRequest && tooMany.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("ten thousand permissions: %s", tooMany.Status)
	}
}

// Proves PEER-go-uma, FED-4-02.
func TestATicketStandsForEveryEntryOfTheArray(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	for _, n := range []int{3, 12} { // sealed and stored
		var asked []string
		want := map[string]bool{}
		for range n {
			id := w.register(pat, photoDescription)
			w.share(w.Alice, policy.Share{Resource: uma.ResourceID(id), Scopes: []uma.Scope{"view"}, Anyone: true})
			asked = append(asked, `{"resource_id":"`+id+`","resource_scopes":["view"]}`)
			want[id] = true
		}
		ticket := w.api(http.MethodPost, pathPermission, pat, "["+strings.Join(asked, ",")+"]").json(t)["ticket"].(string)
		granted := w.postTicket(w.C1, uma.Ticket(ticket))
		wantStatus(t, granted, http.StatusOK)
		in := w.ask(pathIntrospect, pat, url.Values{"token": {granted.json(t)["access_token"].(string)}}).json(t)
		for _, p := range in["permissions"].([]any) {
			delete(want, p.(map[string]any)["resource_id"].(string))
		}
		if len(want) != 0 {
			t.Errorf("of %d permissions %d are missing", n, len(want))
		}
	}
}

// Proves FED-5-01, FED-5.1-01, FED-5.1.1-01, FED-5.1.1-02, FED-5.1.1-03,
// FED-5.1.1-04, FED-5.1.1-05, FED-5.1.1-06, FED-5.1.1-08, FED-5.1.1-09, SEC-029,
// SEC-030, GRANT-5.2-02.
func TestIntrospectionTellsAnRPTsPermissionsToItsResourceServerAlone(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	id := w.register(pat, photoDescription)
	ends := w.Clock.Now().Add(5 * time.Minute)
	w.share(w.Alice, policy.Share{Resource: uma.ResourceID(id), Scopes: []uma.Scope{"view", "edit"}, Anyone: true, NotAfter: ends})
	granted := w.postTicket(w.C1, w.ticketFor(pat, uma.ResourceID(id), "view", "edit")).json(t)
	rpt := granted["access_token"].(string)

	answer := w.ask(pathIntrospect, pat, url.Values{"token": {rpt}, "token_type_hint": {"access_token"}})
	wantStatus(t, answer, http.StatusOK)
	in := answer.json(t)
	if in["active"] != true || in["scope"] != nil || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("introspection: %s", answer.Body)
	}
	permission := in["permissions"].([]any)[0].(map[string]any)
	if permission["resource_id"] != id || mustJSON(t, permission["resource_scopes"]) != `["view","edit"]` || permission["exp"] != float64(ends.Unix()) {
		t.Fatalf("the permission is %v", permission)
	}
	if !strings.Contains(string(answer.Body), `"exp":`+mustJSON(t, ends.Unix())) {
		t.Errorf("a time is no integer: %s", answer.Body)
	}

	const inactive = `{"active":false}`
	refresh := granted["refresh_token"].(string)
	for name, c := range map[string][2]string{
		"another owner": {w.pat(w.RS1, w.Anna), rpt}, "another resource server": {w.pat(w.RS2, w.Alice), rpt},
		"an unknown token": {pat, "nothing"}, "a refresh token": {pat, refresh}, "a PAT": {pat, pat},
		"an ordinary access token": {pat, w.token(w.C1, w.Alice, oauth.ScopeOpenID)},
	} {
		if a := w.ask(pathIntrospect, c[0], url.Values{"token": {c[1]}}); a.StatusCode != http.StatusOK || string(a.Body) != inactive {
			t.Errorf("%s: %s %s", name, a.Status, a.Body)
		}
	}

	// A scope that is taken back from the resource is gone from the RPT.
	wantStatus(t, w.api(http.MethodPut, pathResources+"/"+id, pat, `{"resource_scopes":["view","print"]}`), http.StatusOK)
	if a := w.ask(pathIntrospect, pat, url.Values{"token": {rpt}}); strings.Contains(string(a.Body), "edit") {
		t.Errorf("a scope that is not registered any more: %s", a.Body)
	}
	wantError(t, w.ask(pathIntrospect, pat, url.Values{}), http.StatusBadRequest, uma.InvalidRequest)
	wantError(t, w.api(http.MethodPost, pathIntrospect, pat, `{"token":"x"}`), http.StatusBadRequest, uma.InvalidRequest)
}

// Proves FED-5-02.
func TestAClientIntrospectsItsOwnOrdinaryTokens(t *testing.T) {
	w := newWorld(t)
	token := w.token(w.C1, w.Alice, oauth.ScopeOpenID, oauth.ScopeEmail)
	as := func(c registered) map[string]any {
		h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic(string(c.ID), c.Secret)}}
		return w.do(http.MethodPost, pathIntrospect, h, "token="+token).json(t)
	}
	if in := as(w.C1); in["active"] != true || in["scope"] != "openid email" || in["permissions"] != nil {
		t.Errorf("its own client sees %v", in)
	}
	if in := as(w.C2); mustJSON(t, in) != `{"active":false}` {
		t.Errorf("another client sees %v", in)
	}
}

// Proves FED-3.1.1-02.
func TestAScopeThatIsAnURIIsNotFetched(t *testing.T) {
	w := newWorld(t)
	// The server of this test has no egress client at all, and the name does not
	// resolve: an attempt to fetch could not go unnoticed.
	w.register(w.pat(w.RS1, w.Alice), `{"resource_scopes":["https://scopes.invalid/view"]}`)
}

// Where people have pages here, a service is told on which of them the owner decides
// about a resource.
//
// Proves FED-3.2-04.
func TestAServiceLearnsWhereTheOwnerDecides(t *testing.T) {
	w := newWorld(t)
	c := w.Server.Config
	c.Home = "/app/"
	var err error
	w.Server, err = New(c)
	w.must(err)
	pat := w.pat(w.RS1, w.Alice)
	made := w.api(http.MethodPost, pathResources, pat, photoDescription)
	wantStatus(t, made, http.StatusCreated)
	id := made.json(t)["_id"].(string)
	changed := w.api(http.MethodPut, pathResources+"/"+id, pat, photoDescription)
	for what, a := range map[string]answer{"registered": made, "changed": changed} {
		if got := a.json(t)["user_access_policy_uri"]; got != w.Issuer+"/app/things/"+id {
			t.Errorf("%s: it is %v", what, got)
		}
	}
}
