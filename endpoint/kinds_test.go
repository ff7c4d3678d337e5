package endpoint

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// artefacts makes one good artefact of every kind that the server hands out or
// takes. All of them are of Alice or Bob and of c1, as far as they are of anybody.
func (w *world) artefacts(key oauth.Key) map[string]string {
	w.t.Helper()
	pat, id := w.gallery()
	shared := w.resource(pat, "for Bob", "view")
	w.share(w.Alice, policy.Share{Resource: shared, Scopes: []uma.Scope{"view"}, Claims: withEmail(w.Bob.Email)})
	b := w.browser()
	_, back := sentTo(w.t, b.press(b.signIn(b.get(authorizePath(ask(w.C1, "openid uma_policy"))), w.Alice), "allow"))
	app := w.exchange(w.C1, back).json(w.t)
	_, unused := sentTo(w.t, b.press(b.get(authorizePath(ask(w.C1, "openid"))), "allow"))
	visitor := w.browser()
	_, query := sentTo(w.t, visitor.press(visitor.signIn(visitor.get(knock(w.C1, w.ticketFor(pat, shared, "view"))), w.Bob), "allow", "remember", "yes"))
	remembered := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))).json(w.t)
	visitor.get(knock(w.C1, w.ticketFor(pat, id, "view")))
	keyed, clientKey := w.keyedClient()
	form, _ := findForm(w.t, b.get(pathSignOut).Body, "sign-out")
	text := func(m map[string]any, name string) string { s, _ := m[name].(string); return s }
	return map[string]string{
		"a ticket": string(w.ticketFor(pat, id, "view")), "an RPT": text(remembered, "access_token"), "an RPT's refresh token": text(remembered, "refresh_token"),
		"a PCT": text(remembered, "pct"), "a PAT": pat, "a token for policies": text(app, "access_token"), "a refresh token": text(app, "refresh_token"),
		"a token for a profile": w.token(w.C1, w.Alice, oauth.ScopeOpenID), "an ID token": text(app, "id_token"), "a code": unused.Get("code"),
		"a request_uri": w.push(w.C1, ask(w.C1, "openid")).json(w.t)["request_uri"].(string), "a session": b.session(), "a visit": visitor.cookie(cookieVisit),
		"a client's secret": w.C1.Secret, "a client assertion": w.assertion(keyed, clientKey, "kinds"), "a claim token": w.aboutBob(key, w.C1), "a form's token": form.values.Get("csrf"),
	}
}

// place is where an artefact is taken, and which it takes.
type place struct {
	takes []string
	shown func(artefact string) bool // says whether it was taken for good
}

func (w *world) places(pat string, id uma.ResourceID) map[string]place {
	w.t.Helper()
	cookie := func(path, name string) func(string) answer {
		return func(s string) answer {
			return w.do(http.MethodGet, path, http.Header{"Cookie": {name + "=" + s}}, "")
		}
	}
	ok := func(a answer) bool { return a.StatusCode < 300 }
	bob := func(more ...string) func(string) bool {
		return func(s string) bool {
			p := append(slices.Clone(more), s)
			if more[0] == "claim_token" {
				p = append(p, "claim_token_format", uma.IDTokenFormat)
			}
			return ok(w.postTicket(w.C1, w.ticketFor(pat, id, "view"), p...))
		}
	}
	token := func(grant, name string, more ...string) func(string) bool {
		return func(s string) bool {
			form := url.Values{"grant_type": {grant}, name: {s}}
			for i := 0; i+1 < len(more); i += 2 {
				form.Set(more[i], more[i+1])
			}
			return ok(w.postToken(w.C1, form))
		}
	}
	posted := func(values func(string) url.Values) func(string) bool {
		return func(s string) bool { return ok(w.ask(pathPushed, "", values(s))) }
	}
	return map[string]place{
		"as a ticket at the token endpoint": {[]string{"a ticket"}, token(uma.GrantType, "ticket")},
		"as a ticket at a visit": {[]string{"a ticket"}, func(s string) bool {
			return w.do(http.MethodGet, knock(w.C1, uma.Ticket(s)), nil, "").Header.Get("Location") == pathClaimsVisit
		}},
		"as a code":          {[]string{"a code"}, token(oauth.GrantAuthorizationCode, "code", "redirect_uri", w.C1.RedirectURIs[0], "code_verifier", codeVerifier)},
		"as a refresh token": {[]string{"a refresh token", "an RPT's refresh token"}, token(oauth.GrantRefreshToken, "refresh_token")},
		"as a PCT":           {[]string{"a PCT"}, bob("pct")},
		"as a claim token":   {[]string{"a claim token"}, bob("claim_token")},
		"as a PAT":           {[]string{"a PAT"}, func(s string) bool { return ok(w.api(http.MethodGet, pathResources, s, "")) }},
		"as an owner's token": {[]string{"a token for policies"}, func(s string) bool {
			return ok(w.api(http.MethodGet, pathPolicies, s, ""))
		}},
		"as a token for a profile": {[]string{"a token for a profile", "a token for policies"}, func(s string) bool { return ok(w.api(http.MethodGet, pathUserInfo, s, "")) }},
		"as an RPT": {[]string{"an RPT"}, func(s string) bool {
			return strings.Contains(string(w.ask(pathIntrospect, pat, url.Values{"token": {s}}).Body), `"active":true`)
		}},
		"as a request_uri": {[]string{"a request_uri"}, func(s string) bool {
			return w.do(http.MethodGet, pathAuthorize+"?"+url.Values{"client_id": {"c1"}, "request_uri": {s}}.Encode(), nil, "").StatusCode != http.StatusBadRequest
		}},
		"as a session": {[]string{"a session"}, func(s string) bool {
			return strings.Contains(string(cookie(pathSignIn, "licet-session")(s).Body), w.Alice.Email)
		}},
		"as a visit":           {[]string{"a visit"}, func(s string) bool { return ok(cookie(pathClaimsVisit, cookieVisit)(s)) }},
		"as a client's secret": {[]string{"a client's secret"}, posted(func(s string) url.Values { v := ask(w.C1, "openid"); v.Set("client_secret", s); return v })},
		"as a client assertion": {[]string{"a client assertion"}, func(s string) bool {
			return w.ask(pathToken, "", asserted(url.Values{"grant_type": {uma.GrantType}, "ticket": {"x"}}, s)).StatusCode != http.StatusUnauthorized
		}},
	}
}

// Of all that lets somebody in, each is good for what it was made for and for
// nothing else; and to try it elsewhere neither uses it nor ends it.
//
// Proves SEC-118, SEC-100, SEC-030, SEC-046, SEC-016.
func TestEachArtefactIsGoodForItsOwnUseAlone(t *testing.T) {
	key, trust := trustProvider(t)
	w := newWorld(t, trust)
	pat, id := w.photo().pat, w.photo().id
	all, places := w.artefacts(key), w.places(pat, id)
	tried := 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] == "" {
			t.Fatalf("there is no %s", name)
		}
		for where, p := range places {
			if slices.Contains(p.takes, name) {
				continue
			}
			tried++
			if p.shown(all[name]) {
				t.Errorf("%s is taken %s", name, where)
			}
		}
	}
	t.Logf("%d times something was shown where it does not belong", tried)
	// The control: each is good, still, where it belongs. What is good once is tried
	// at one of two places.
	for _, where := range slices.Sorted(maps.Keys(places)) {
		if where == "as a ticket at a visit" {
			continue
		}
		for _, name := range places[where].takes {
			if !places[where].shown(all[name]) {
				t.Errorf("%s is not taken %s", name, where)
			}
		}
	}
}
