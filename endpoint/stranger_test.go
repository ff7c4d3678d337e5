package endpoint

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// A person's token says what a person allowed, and not which client is asking. It
// is no client authentication, in whatever place it is shown.
//
// Proves SEC-050.
func TestAPersonsTokenIsNoClientAuthentication(t *testing.T) {
	w, written := newTalliedWorld(t)
	pat, id := w.gallery()
	ticket := string(w.ticketFor(pat, id, "view"))
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Alice)
	stolen := map[string]string{
		"an access token of Alice's": w.token(w.C1, w.Alice, oauth.ScopeOpenID, oauth.ScopeProfile, oauth.ScopeEmail),
		"a token for her policies":   w.token(w.C1, w.Alice, oauth.ScopePolicy),
		"a PAT of hers":              pat,
		"an RPT":                     w.postTicket(w.C1, w.ticketFor(pat, id, "view")).json(t)["access_token"].(string),
		"her session":                b.session(),
		"a ticket":                   string(w.ticketFor(pat, id, "view")),
	}
	good := map[string]url.Values{
		pathToken:  {"grant_type": {uma.GrantType}, "ticket": {ticket}},
		pathRevoke: {"token": {stolen["an RPT"]}},
		pathPushed: ask(w.C1, "openid"),
		// Introspection is also for who has a PAT; a client has to be one.
		pathIntrospect: {"token": {stolen["an access token of Alice's"]}},
	}
	for _, rt := range routes() {
		if _, ok := good[rt.path]; (rt.caller == byClient || rt.caller == byPATOrClient) != ok {
			t.Errorf("%s: no good request is known", rt.path)
		}
	}
	before := written.Load()
	for path, form := range good {
		for name, token := range stolen {
			for place, shown := range map[string]struct {
				authorization string
				more          url.Values
			}{
				"as a bearer":                   {"Bearer " + token, nil},
				"as a bearer beside the client": {"Bearer " + token, url.Values{"client_id": {"c1"}}},
				"as the secret":                 {basic("c1", token), nil},
				"as the secret in the form":     {"", url.Values{"client_id": {"c1"}, "client_secret": {token}}},
				"as the client":                 {basic(token, ""), nil},
				"as the assertion":              {"", url.Values{"client_id": {"c1"}, "client_assertion_type": {oauth.AssertionType}, "client_assertion": {token}}},
				"as access_token":               {"", url.Values{"client_id": {"c1"}, "access_token": {token}}},
				"by another scheme":             {"DPoP " + token, nil},
			} {
				if path == pathIntrospect && name == "a PAT of hers" && strings.HasPrefix(place, "as a bearer") {
					continue
				}
				h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
				if shown.authorization != "" {
					h.Set("Authorization", shown.authorization)
				}
				form := maps.Clone(form)
				maps.Copy(form, shown.more)
				a := w.do(http.MethodPost, path, h, form.Encode())
				if !slices.Contains([]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}, a.StatusCode) || path == pathToken && a.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s %s at %s: %s %s", name, place, path, a.Status, a.Body)
				}
				if strings.Contains(string(a.Body), `"active":true`) || strings.Contains(string(a.Body), "access_token") {
					t.Errorf("%s %s at %s learns %s", name, place, path, a.Body)
				}
			}
		}
	}
	if after := written.Load(); after != before {
		t.Errorf("without a client something was written %d times", after-before)
	}
	// Each of them was a good request: the client itself makes it.
	for path, form := range good {
		h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic("c1", w.C1.Secret)}}
		if a := w.do(http.MethodPost, path, h, form.Encode()); a.StatusCode >= 300 {
			t.Errorf("the client at %s: %s %s", path, a.Status, a.Body)
		}
	}
}
