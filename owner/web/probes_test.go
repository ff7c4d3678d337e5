package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/owner/web"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// What somebody tries at the owner's app who means no good: docs/security/probes.md.

var parameter = regexp.MustCompile(`\{[a-z]+\}`)

// events is how much the history of Alice has.
func (w *world) events() int {
	w.t.Helper()
	n := 0
	w.must(w.as.Store.View(w.t.Context(), func(r as.Reader) error {
		list, err := r.Events(w.alice.space, 0, 1000)
		n = len(list)
		return err
	}))
	return n
}

// Every form of the app does nothing without its token, or when another site sends it;
// and none of them is sent by a link.
//
// Proves SEC-062, SEC-071.
func TestNoFormOfTheAppIsSentByAnybodyElse(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	share := w.share(album, "bob@example.com", "view")
	alice := w.at("alice@example.com")
	home := alice.see("/app/")
	token := between(home.body, `name="csrf" value="`, `"`)
	if token == "" {
		token = between(alice.see("/app/me").body, `name="csrf" value="`, `"`)
	}
	before, posts := w.events(), 0
	fields := url.Values{"thing": {string(album)}, "share": {string(share.ID)}, "space": {string(w.alice.space)}, "email": {"eve@example.com"}, "kind": {"guardian"}, "days": {"30"}, "answer": {"allow"}, "do-0": {"view"}}
	for _, rt := range web.Routes() {
		if rt.Method != http.MethodPost {
			continue
		}
		posts++
		path := parameter.ReplaceAllString(rt.Path, string(share.ID))
		withToken := url.Values{"csrf": {token}}
		for name, values := range fields {
			withToken[name] = values
		}
		for what, a := range map[string]answer{
			"without a token": alice.post(path, fields, "same-origin"), "from another site": alice.post(path, withToken, "cross-site"),
		} {
			if a.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s: %s", path, what, a.Status)
			}
		}
		alice.get(path + "?" + withToken.Encode())
	}
	if after := w.events(); posts < 15 || after != before || len(w.shares()) != 1 {
		t.Errorf("%d forms were sent, and the history has %d events more", posts, after-before)
	}
	w.at("bob@example.com").silentAbout(t, "Alice")
}

// silentAbout is nothing that this browser's home says.
func (b *browser) silentAbout(t *testing.T, name string) {
	t.Helper()
	b.see("/app/").silent(t, name)
}

// pagesOfAlice are the pages of the app, with something on them.
func (w *world) pagesOfAlice(b *browser, name string) map[string]answer {
	w.t.Helper()
	album := w.thingOf(name, name, "view", uma.Scope("urn:x:"+url.QueryEscape(name)))
	share, err := w.as.CreateShare(w.t.Context(), w.owner(), policy.Share{
		Resource: album, Scopes: []uma.Scope{"view"}, NotAfter: w.now.AddDate(0, 0, 3), Purpose: name,
		Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{"carol@example.com"}}},
	})
	w.must(err)
	_, err = w.as.GrantRole(w.t.Context(), w.owner(), w.bob.ID, as.RoleViewer, w.now.AddDate(0, 1, 0))
	w.must(err)
	thing := string(album)
	out := map[string]answer{}
	for page, path := range map[string]string{
		"home": "", "me": "me", "roles": "roles", "things": "things", "thing": "things/" + thing, "share": "share?thing=" + thing, "promise": "shares/" + string(share.ID),
		"stop": "stop?share=" + string(share.ID), "stop everything": "stop", "requests": "requests", "people": "people", "could": "could?thing=" + thing,
		"history": "history", "found": "things?q=" + url.QueryEscape(name),
	} {
		out[page] = b.see("/app/" + path)
	}
	out["check"] = b.press(out["share"], "check", "email", "dan@example.com", "why", name)
	out["problem"] = b.press(out["share"], "check", "email", name, "why", name)
	out["role"] = b.press(out["roles"], "check", "email", name)
	out["nothing"] = b.get("/app/" + url.PathEscape(name))
	out["stale"] = b.post("/app/stop", url.Values{"share": {name}}, "same-origin")
	return out
}

// Proves SEC-065.
func TestEveryPageOfTheAppHasItsHeaders(t *testing.T) {
	w := newWorld(t)
	for path, a := range w.pagesOfAlice(w.at("alice@example.com"), "Album") {
		for header, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store",
		} {
			if got := a.Header.Values(header); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q", path, header, got)
			}
		}
		policy := a.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'", "form-action 'self'"} {
			if !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: the policy is %q", path, policy)
			}
		}
	}
}

// Proves SEC-069.
func TestTheAppShowsWhatOthersWroteAsText(t *testing.T) {
	tags := func(text string) map[string][]string {
		w := newWorld(t)
		w.must(w.as.Store.Update(t.Context(), func(tx as.Tx) error {
			for _, who := range []as.AccountID{w.alice.ID, w.bob.ID} {
				a, err := tx.Account(who)
				if err != nil {
					return err
				}
				a.Name = text
				if err := tx.UpdateAccount(a); err != nil {
					return err
				}
			}
			c, err := tx.Client("photos")
			if err != nil {
				return err
			}
			c.Name = text
			return tx.UpdateClient(c)
		}))
		_, err := w.as.IssueToken(t.Context(), "photos", w.alice.ID, w.alice.space, uma.ScopeProtection)
		w.must(err)
		out := map[string][]string{}
		for path, a := range w.pagesOfAlice(w.at("alice@example.com"), text) {
			for e := range elements(t, a.body) {
				out[path] = append(out[path], e.Name.Local)
				for _, at := range e.Attr {
					if strings.HasPrefix(at.Name.Local, "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(at.Value)), "javascript:") && at.Name.Local != "value" {
						t.Errorf("%s: %v", path, e)
					}
				}
			}
			slices.Sort(out[path])
		}
		return out
	}
	want := tags("harmless")
	for _, text := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><script>alert(1)</script>`, `{{.Form}}`, `javascript:alert(1)`, `<!--`,
	} {
		for path, got := range tags(text) {
			if !slices.Equal(got, want[path]) {
				t.Errorf("with %q, %s has other elements: %v, want %v", text, path, got, want[path])
			}
		}
	}
}

// Whoever presses twice, at once or after going back, has shared once; a page that was
// used, or is of another sign-in, says so and does nothing.
//
// Proves SEC-072.
func TestAFormIsUsedOnce(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	alice := w.at("alice@example.com")
	check := alice.press(alice.see("/app/share?thing="+string(album)), "check", "email", "carol@example.com")
	path, form := alice.form(check, "do-share")
	var all sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		all.Go(func() { answers[i] = alice.post(path, form, "same-origin") })
	}
	all.Wait()
	shares := w.shares()
	if len(shares) != 1 {
		t.Fatalf("pressing %d times has shared %d times", len(answers), len(shares))
	}
	receipt := "/app/shares/" + string(shares[0].ID)
	if a := alice.post(path, form, "same-origin"); a.Header.Get("Location") != receipt {
		t.Errorf("going back leads to %s %q, and not to the receipt", a.Status, a.Header.Get("Location"))
	}
	alice.press(alice.see("/app/stop?share="+string(shares[0].ID)), "do-stop")
	again := alice.post(path, form, "same-origin")
	if again.says(t, "This page was used already"); again.StatusCode != http.StatusConflict || len(w.shares()) != 0 {
		t.Errorf("what was stopped is shared again by a page of before: %s", again.Status)
	}

	check = alice.press(alice.see("/app/share?thing="+string(album)), "check", "email", "dan@example.com")
	w.in = w.now.Add(-time.Second) // she signs in again in another tab
	path, form = alice.form(check, "do-share")
	stale := alice.post(path, form, "same-origin")
	if stale.says(t, "out of date"); stale.StatusCode != http.StatusForbidden || len(w.shares()) != 0 {
		t.Errorf("a page of before she signed in again: %s", stale.Status)
	}
}
