package endpoint

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// Whatever is sent to an endpoint, it answers, and never with a fault of its
// own. These targets call the handler itself, with a good caller, so that what
// is fed gets past the door.

// unharmed sends a request to the handler and refuses a 5xx.
func (w *world) unharmed(t *testing.T, method, path, contentType, authorization, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), method, "http://x.invalid/", strings.NewReader(body))
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return httptest.NewRecorder() // no server would see this path
	}
	r.URL, r.RequestURI = u, path
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", authorization)
	out := httptest.NewRecorder()
	w.Server.ServeHTTP(out, r)
	if out.Code >= 500 {
		t.Fatalf("%s %s %q: %d %s", method, path, body, out.Code, out.Body)
	}
	return out
}

const formType, jsonType = "application/x-www-form-urlencoded", "application/json"

func FuzzTokenEndpoint(f *testing.F) {
	w := newWorld(f)
	pat, id := w.gallery()
	ticket := string(w.ticketFor(pat, id, "view"))
	for _, body := range []string{
		"grant_type=" + url.QueryEscape(uma.GrantType) + "&ticket=" + ticket + "&scope=view&pct=x&rpt=y",
		"grant_type=" + url.QueryEscape(uma.GrantType) + "&ticket=" + ticket + "&claim_token=a.b.c&claim_token_format=" + url.QueryEscape(uma.IDTokenFormat),
		"grant_type=authorization_code&code=x&code_verifier=y&redirect_uri=z", "grant_type=refresh_token&refresh_token=x&scope=a", "grant_type=client_credentials&scope=uma_protection",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w.unharmed(t, http.MethodPost, pathToken, formType, basic("c1", w.C1.Secret), body)
		w.unharmed(t, http.MethodPost, pathRevoke, formType, basic("c1", w.C1.Secret), body)
		w.unharmed(t, http.MethodPost, pathIntrospect, formType, "Bearer "+pat, body)
	})
}

func FuzzRegistrationEndpoint(f *testing.F) {
	w := newWorld(f)
	pat := w.pat(w.RS1, w.Alice)
	f.Add(`{"resource_scopes":["view"],"name":"x","name#de":"y"}`, "/x")
	f.Add(`{"resource_scopes":[]}`, "/%2e%2e/token")
	f.Fuzz(func(t *testing.T, body, tail string) {
		w.unharmed(t, http.MethodPost, pathResources, jsonType, "Bearer "+pat, body)
		w.unharmed(t, http.MethodPut, pathResources+tail, jsonType, "Bearer "+pat, body)
	})
}

func FuzzPermissionEndpoint(f *testing.F) {
	w := newWorld(f)
	pat := w.pat(w.RS1, w.Alice)
	id := string(w.resource(pat, "photo", "view"))
	f.Add(`[{"resource_id":"` + id + `","resource_scopes":["view"]}]`)
	f.Fuzz(func(t *testing.T, body string) {
		if out := w.unharmed(t, http.MethodPost, pathPermission, jsonType, "Bearer "+pat, body); out.Code == http.StatusCreated && !strings.Contains(body, id) && !strings.Contains(body, `\u`) {
			t.Fatalf("%q gives a ticket: %s", body, out.Body)
		}
	})
}

func FuzzPolicyEndpoint(f *testing.F) {
	w := newWorld(f)
	token := w.token(w.C1, w.Alice, oauth.ScopePolicy)
	id := w.resource(w.pat(w.RS1, w.Alice), "photo", "view")
	f.Add(withBob(id, `["view"]`), "limit=1&after=x")
	f.Add(`{"permissions":[],"not_after":1}`, "status=all")
	f.Fuzz(func(t *testing.T, body, query string) {
		for _, path := range []string{pathPolicies, pathRequests + "/x/approve"} {
			w.unharmed(t, http.MethodPost, path, jsonType, "Bearer "+token, body)
		}
		for _, path := range []string{pathPolicies, pathOwnedResources, pathRequests, pathConnections} {
			w.unharmed(t, http.MethodGet, path+"?"+url.PathEscape(query), jsonType, "Bearer "+token, "")
		}
	})
}

func FuzzAuthorizationHeader(f *testing.F) {
	w := newWorld(f)
	pat := w.pat(w.RS1, w.Alice)
	f.Add("Bearer "+pat, "grant_type=x")
	f.Add("Basic YTpi", "client_id=a&client_secret=b")
	f.Add("UMA ticket=x", "")
	f.Fuzz(func(t *testing.T, header, body string) {
		for _, path := range []string{pathToken, pathIntrospect, pathRevoke, pathUserInfo} {
			w.unharmed(t, http.MethodPost, path, formType, header, body)
		}
		out := w.unharmed(t, http.MethodGet, pathResources, jsonType, header, "")
		if out.Code == http.StatusOK && !strings.HasSuffix(strings.TrimSpace(header), pat) {
			t.Fatalf("%q is let in", header)
		}
	})
}
