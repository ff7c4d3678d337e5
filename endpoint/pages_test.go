package endpoint

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// tour opens every page there is and hands each to look, by a name.
func tour(t *testing.T, w *world, look func(name string, a answer)) {
	t.Helper()
	pat := w.pat(w.RS1, w.Alice)
	id := w.resource(pat, "Photo", "view")
	w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Claims: withEmail(w.Bob.Email), Purpose: "planning the party", Terms: "https://rs1.example/terms"})
	b := w.browser()
	look("sign-in", b.get(pathSignIn))
	look("sign-in refused", b.press(b.get(pathSignIn), "sign-in", "email", "bob@example.com", "password", "wrong"))
	look("sign-in to go on", b.get(authorizePath(ask(w.C1, "openid", "login_hint", "bob@example.com"))))
	look("signed out", b.get(pathSignOut))
	look("signed out, of an application", b.get(endSessionPath("client_id", "c1")))
	look("visit, nobody", b.get(knock(w.C1, w.ticketFor(pat, id, "view"))))
	visit := b.signIn(b.get(pathClaimsVisit), w.Bob)
	look("visit", visit)
	look("visit, unticked", b.press(visit, "allow"))
	look("welcome", b.get(pathSignIn))
	look("sign out", b.get(pathSignOut))
	look("sign out, asked by an application", b.get(endSessionPath("client_id", "c1")))
	look("consent", b.get(authorizePath(ask(w.C1, "openid email profile offline_access uma_policy"))))
	look("no such application", b.get(pathAuthorize))
	_, _, _, link := w.linked("Album", nil)
	look("link", b.get(link))
	look("link, taken", b.press(b.get(pathOpened), "take"))
	look("no such link", b.get("/l/x"))
	look("no visit", w.browser().get(pathClaimsVisit))
	look("forged", b.post(pathSignIn, url.Values{}))
	look("wrong method", w.send(b.client, http.MethodPut, w.Issuer+pathSignIn, nil, ""))
	look("twice", b.get(pathSignIn+"?return=a&return=b"))
}

// Proves SEC-065.
func TestEveryPageHasItsHeaders(t *testing.T) {
	w := newSecureWorld(t)
	tour(t, w, func(name string, a answer) {
		for header, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store", "Strict-Transport-Security": "max-age=63072000",
		} {
			if got := a.Header.Values(header); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
		leadsTo := ""
		if strings.HasPrefix(name, "visit") || name == "consent" {
			leadsTo = " https://c1.example"
		}
		want := "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; script-src 'nonce-NONCE'; " +
			"require-trusted-types-for 'script'; trusted-types licet; form-action 'self'" + leadsTo + "; frame-ancestors 'none'; base-uri 'none'"
		if got := a.Header.Get("Content-Security-Policy"); got != want {
			t.Errorf("%s: %s", name, got)
		}
	})
	plain := newWorld(t).browser().get(pathSignIn)
	if plain.Header.Get("Strict-Transport-Security") != "" {
		t.Error("a browser on plain loopback http is told to use https")
	}
}

// On screen nobody has to know the words of the specifications.
func TestPagesSpeakPlainly(t *testing.T) {
	jargon := regexp.MustCompile(`(?i)\b(scopes?|tokens?|tickets?|clients?|polic(y|ies)|resources?|servers?|claims?|requesting part(y|ies)|authoriz\w*|authenticat\w*|credentials?|redirect\w*|uri|please|successfully)\b`)
	markup := regexp.MustCompile(`<[^>]*>`)
	tour(t, newWorld(t), func(name string, a answer) {
		text := markup.ReplaceAllString(string(a.Body), " ")
		if name == "wrong method" || name == "twice" {
			return // of use to people who build applications only
		}
		if found := jargon.FindString(text); found != "" {
			t.Errorf("%s says %q: %s", name, found, text)
		}
	})
}

// pathsBelow is where everything is that a page refers to.
const pathsBelow = page.AssetsPath

// The pages work under their own Content-Security-Policy, without scripts, and
// for a keyboard and a screen reader.
func TestPagesAreWellMade(t *testing.T) {
	tour(t, newWorld(t), func(name string, a answer) {
		ids, fors := map[string]bool{}, []string{}
		headings, main := 0, 0
		for tag := range tags(t, a.Body) {
			switch tag.Name.Local {
			case "style", "iframe", "base", "img":
				t.Errorf("%s: has a %s", name, tag.Name.Local)
			case "script":
				nonce := "'nonce-" + attr(tag, "nonce") + "'"
				if !strings.HasPrefix(attr(tag, "src"), pathsBelow) || !strings.Contains(a.Header.Get("Content-Security-Policy"), nonce) {
					t.Errorf("%s: %v", name, tag)
				}
			case "h1":
				headings++
			case "main":
				main++
			case "form":
				if attr(tag, "method") != "post" || !strings.HasPrefix(attr(tag, "action"), "/") {
					t.Errorf("%s: %v", name, tag)
				}
			case "html":
				if attr(tag, "lang") == "" {
					t.Errorf("%s: no language", name)
				}
			case "label":
				if attr(tag, "for") != "" {
					fors = append(fors, attr(tag, "for"))
				}
			}
			if slices.ContainsFunc(tag.Attr, func(a xml.Attr) bool { return a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") }) {
				t.Errorf("%s: inline style or script: %v", name, tag)
			}
			if id := attr(tag, "id"); id != "" {
				if ids[id] {
					t.Errorf("%s: two elements have the id %s", name, id)
				}
				ids[id] = true
			}
		}
		for _, id := range fors {
			if !ids[id] {
				t.Errorf("%s: a label is for %s, which is not there", name, id)
			}
		}
		if headings != 1 || main != 1 {
			t.Errorf("%s: %d h1, %d main", name, headings, main)
		}
	})
}

func TestPagesWorkBelowAPath(t *testing.T) {
	w := newWorld(t, func(c *as.Config) { c.Issuer += "/tenant/one" })
	b := w.browser()
	_, query := sentTo(t, b.press(b.signIn(b.get(knock(w.C1, w.photo().ticket(w))), w.Bob), "allow"))
	if query.Get("ticket") == "" || query.Get("iss") != w.Issuer {
		t.Errorf("the visit ends with %v", query)
	}
	b = w.browser()
	_, query = sentTo(t, b.press(b.signIn(b.get(authorizePath(ask(w.C1, "openid"))), w.Bob), "allow"))
	if query.Get("code") == "" {
		t.Errorf("the question ends with %v", query)
	}
	out := b.press(b.get(pathSignOut), "sign-out")
	if !strings.Contains(string(out.Body), `href="/tenant/one/assets/licet.css?`) {
		t.Errorf("the style sheet is elsewhere: %s", out.Body)
	}
	isErrorPage(t, w.browser().get(pathSignIn+"?return=a&return=b"))
}

// Proves SEC-069.
func TestWhatOthersWroteIsShownAsText(t *testing.T) {
	corpus := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `</title><script>alert(1)</script>`,
		`</textarea><svg onload=alert(1)>`, `{{.Form}}`, `javascript:alert(1)`, `<!--`, `&lt;script&gt;`, `<a href="https://evil.example">click</a>`,
	}
	names := func(page []byte) (out []string) {
		for tag := range tags(t, page) {
			out = append(out, tag.Name.Local)
			for _, a := range tag.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "evil.example") && a.Name.Local == "href" || strings.HasPrefix(strings.ToLower(a.Value), "javascript:") && a.Name.Local != "value" {
					t.Errorf("%v", tag)
				}
			}
		}
		return out
	}
	show := func(w *world, text string) [][]string {
		c := w.client(w.C1.Client, "hostile", text, "https://hostile.example/cb", "https://hostile.example/claims")
		owner := w.person("owner@example.com", text)
		pat := w.pat(w.RS1, owner)
		id := w.resource(pat, text, "view")
		w.share(owner, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Claims: withEmail(owner.Email), Purpose: text, Terms: text})
		b := w.browser()
		return [][]string{
			names(b.get(pathSignIn + "?return=" + url.QueryEscape(authorizePath(ask(c, "openid", "login_hint", text)))).Body),
			names(b.press(b.get(pathSignIn), "sign-in", "email", text, "password", text).Body),
			names(b.get(knock(c, w.ticketFor(pat, id, "view"))).Body),
			names(b.signIn(b.get(pathClaimsVisit), owner).Body),
			names(b.get(authorizePath(ask(c, "openid uma_policy"))).Body),
			names(b.get(pathSignIn).Body),
			names(b.get(pathAuthorize + "?" + url.Values{"client_id": {text}, "redirect_uri": {text}}.Encode()).Body),
			names(b.get(pathAuthorize + "?" + url.QueryEscape(text) + "=1&" + url.QueryEscape(text) + "=2").Body),
		}
	}
	want := show(newWorld(t), "harmless")
	for _, text := range corpus {
		got := show(newWorld(t), text)
		for i := range want {
			if !slices.Equal(got[i], want[i]) {
				t.Errorf("%q changes page %d:\n%v\n%v", text, i, got[i], want[i])
			}
		}
	}
}

func TestStyleSheetIsKeptUntilItChanges(t *testing.T) {
	w := newWorld(t)
	a := w.do(http.MethodGet, page.AssetsPath+"licet.css", nil, "")
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/css; charset=utf-8" || len(a.Body) == 0 {
		t.Fatalf("%d %s", a.StatusCode, a.Header)
	}
	again := w.do(http.MethodGet, page.AssetsPath+"licet.css", http.Header{"If-None-Match": {a.Header.Get("ETag")}}, "")
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("status %d", again.StatusCode)
	}
	if strings.Contains(string(a.Body), "url(") || strings.Contains(string(a.Body), "@import") {
		t.Error("the style sheet loads something")
	}
}
