package endpoint

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
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
	return w.answered(t, r, body)
}

// answered sends a request to the handler and refuses a 5xx, and a header in which
// another one could be hidden.
func (w *world) answered(t *testing.T, r *http.Request, body string) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	w.Server.ServeHTTP(out, r)
	if out.Code >= 500 {
		t.Fatalf("%s %s %q: %d %s", r.Method, r.RequestURI, body, out.Code, out.Body)
	}
	for name, values := range out.Header() {
		if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
			t.Fatalf("%s %s %q: the header %s is %q", r.Method, r.RequestURI, body, name, values)
		}
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

// welcome sets what lets a request through the door of a route, and returns the
// body with it.
type welcome map[caller]func(r *http.Request, body string) string

func (w *world) welcome(t testing.TB) welcome {
	t.Helper()
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Carlos)
	site, err := url.Parse(w.Issuer)
	w.must(err)
	session := b.client.Jar.Cookies(site)
	initial := w.initial(as.InitialAccess{Uses: 1 << 40})
	privileges, err := w.AS.InitialAccess(initial)
	w.must(err)
	shows := func(authorization string) func(*http.Request, string) string {
		return func(r *http.Request, body string) string {
			r.Header.Set("Authorization", authorization)
			return body
		}
	}
	return welcome{
		anybody: func(_ *http.Request, body string) string { return body },
		byPAT:   shows("Bearer " + w.pat(w.RS1, w.Alice)), byPATOrClient: shows("Bearer " + w.pat(w.RS1, w.Alice)),
		byOwner:  shows("Bearer " + w.token(w.C1, w.Anna, oauth.ScopePolicy)),
		byBearer: shows("Bearer " + w.token(w.C1, w.Bob, oauth.ScopeOpenID)),
		byClient: shows(basic("c1", w.C1.Secret)),
		byNewcomer: func(r *http.Request, body string) string {
			r.Header.Set("Content-Type", jsonType)
			return shows("Bearer "+initial)(r, body)
		},
		byRegistered: func(r *http.Request, body string) string { // which may be deleted, so that each is a new one
			itself, token, err := w.AS.RegisterItself(r.Context(), privileges, as.Metadata{Said: uma.Object{"grant_types": []byte("[]")}, Offered: []string{"client_secret_basic"}})
			if err != nil {
				panic(err)
			}
			r.URL.Path = pathRegister + "/" + string(itself.Client.ID)
			r.RequestURI = r.URL.RequestURI()
			r.Header.Set("Content-Type", jsonType)
			return shows("Bearer "+token)(r, body)
		},
		byBrowser: func(r *http.Request, body string) string {
			for _, c := range session {
				r.AddCookie(c)
			}
			if r.Method == http.MethodGet {
				return body
			}
			c := &call{w: httptest.NewRecorder(), r: r}
			return page.FieldForm + "=" + w.Server.page(c).Form(w.Server.about(c, r.URL.Path)...) + "&" + body
		},
	}
}

// request is one for a route, from a caller who may call it.
func (e welcome) request(rt route, id, query, body string) (*http.Request, string) {
	path := strings.NewReplacer("{id}", url.PathEscape(id), "{$}", "").Replace(rt.path)
	r := httptest.NewRequest(rt.method, "http://x.invalid/", nil)
	u, err := url.ParseRequestURI(path)
	if err != nil {
		panic(err) // it is escaped
	}
	u.RawQuery = query
	r.URL, r.RequestURI = u, u.RequestURI()
	contentType := jsonType
	if rt.caller != byPAT && rt.caller != byOwner {
		contentType = formType
	}
	r.Header.Set("Content-Type", contentType)
	body = e[rt.caller](r, body)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	return r, body
}

// FuzzEveryRoute calls each route of the table, whatever is in it, as somebody who
// may call it: a handler that is added is fuzzed from then on.
func FuzzEveryRoute(f *testing.F) {
	w := newWorld(f)
	e, table := w.welcome(f), routes()
	for i := range table {
		f.Add(uint8(i), "0abc", "limit=1&after=x", "a=b")
		f.Add(uint8(i), "%2f..", "%zz&=&;", `{"resource_scopes":["view"],"name":"x"}`)
	}
	f.Fuzz(func(t *testing.T, which uint8, id, query, body string) {
		rt := table[int(which)%len(table)]
		r, sent := e.request(rt, id, query, body)
		w.answered(t, r, sent)
	})
}

// The control: the door is open to the requests of FuzzEveryRoute, so that what is
// fed comes to the handlers.
func TestEveryRouteIsFuzzedBehindItsDoor(t *testing.T) {
	w := newWorld(t)
	e := w.welcome(t)
	table := routes()
	var came bool
	for i := range table {
		table[i].handle = func(_ *Server, c *call) error {
			came = true
			c.w.WriteHeader(http.StatusNoContent)
			return nil
		}
	}
	w.Server.mux = w.Server.muxOf(table)
	for _, rt := range table {
		came = false
		r, sent := e.request(rt, "x", "a=b", "a=b")
		out := w.answered(t, r, sent)
		if !came {
			t.Errorf("%s %s: no request comes to it: %d %s", rt.method, rt.path, out.Code, out.Body)
		}
	}
}

// Whatever is taken for an issuer has one reading, and is https or of this machine.
func FuzzParseIssuer(f *testing.F) {
	for _, issuer := range []string{
		"https://as.example", "https://as.example/tenant", "http://127.0.0.1:1", "http://localhost", "http://[::1]:8443/x", "http://as.example", "https://user@as.example", "https://as.example?", "https://as.example#",
		"http://127.0.0.1.example", "http://2130706433", "https://", "//as.example", "HTTPS://AS.example", "https://as.example/..", "javascript:x",
	} {
		f.Add(issuer)
	}
	f.Fuzz(func(t *testing.T, issuer string) {
		u, err := ParseIssuer(issuer)
		if err != nil {
			return
		}
		if u.Scheme != "https" && !(u.Scheme == "http" && Loopback(u.Hostname())) || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%q is taken for an issuer: %+v", issuer, u)
		}
	})
}
