package endpoint

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzClaimsInteraction sends what it likes to the claims interaction endpoint:
// never a fault of ours, and never a redirect to where no client registered.
func FuzzClaimsInteraction(f *testing.F) {
	w := newWorld(f)
	ticket := w.photo().ticket(w)
	for _, path := range []string{knock(w.C1, ticket, "state", "a b"), knock(w.C2, "x"), knock(w.C1, "x", "client_id", ""), pathClaims + "?%zz&=&;"} {
		_, query, _ := strings.Cut(path, "?")
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w.harmless(t, pathClaims, query, "/uma/claims/visit", "https://c1.example/claims", "https://c2.example/claims", "https://public.example/claims")
	})
}

// FuzzAuthorize does the same with the authorization endpoint.
func FuzzAuthorize(f *testing.F) {
	w := newWorld(f)
	for _, query := range []url.Values{
		ask(w.C1, "openid"), ask(w.RS1, "uma_protection", "prompt", "none"), ask(w.Public, "openid", "redirect_uri", "http://127.0.0.1:1/cb", "max_age", "x"),
		ask(w.C1, "view", "response_type", "token"),
	} {
		f.Add(query.Encode())
	}
	f.Fuzz(func(t *testing.T, query string) {
		w.harmless(t, pathAuthorize, query, "/sign-in?return=", "https://c1.example/cb", "https://c2.example/cb", "https://rs1.example/cb", "https://rs2.example/cb", "http://127.0.0.1")
	})
}

// FuzzEndSession does the same with the end session endpoint.
func FuzzEndSession(f *testing.F) {
	w := newWorld(f)
	c := w.C1.Client
	c.PostLogoutRedirectURIs = []string{afterLogout}
	_, _, err := w.AS.RegisterClient(f.Context(), c)
	w.must(err)
	hint := w.idToken(w.browser(), w.C1)
	for _, path := range []string{
		endSessionPath("id_token_hint", hint, "post_logout_redirect_uri", afterLogout, "state", "s"), endSessionPath("client_id", "c1", "post_logout_redirect_uri", afterLogout),
		endSessionPath("id_token_hint", hint, "client_id", "c2"), endSessionPath("ui_locales", "de fr", "logout_hint", "x"),
	} {
		_, query, _ := strings.Cut(path, "?")
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w.harmless(t, pathEndSession, query, afterLogout, "/sign-out")
	})
}

func (w *world) harmless(t *testing.T, path, query string, places ...string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.URL.RawQuery = query
	got := httptest.NewRecorder()
	w.Server.ServeHTTP(got, r)
	to := got.Header().Get("Location")
	switch {
	case got.Code >= 500:
		t.Errorf("%q: status %d", query, got.Code)
	case got.Code == http.StatusSeeOther:
		for _, place := range places {
			if strings.HasPrefix(to, place) {
				return
			}
		}
		t.Errorf("%q: sent to %s", query, to)
	case to != "":
		t.Errorf("%q: status %d with a Location", query, got.Code)
	}
}
