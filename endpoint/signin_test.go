package endpoint

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/login"
)

// A password must not be sent on by a redirect that repeats the POST.
//
// Proves SEC-068.
func TestSignInIsAnsweredWith303(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range []string{pathSignIn, pathSignIn + "?return=" + url.QueryEscape(authorizePath(ask(w.C1, "openid")))} {
		uri, _ := sentTo(t, b.signIn(b.get(path), w.Bob)) // fails unless 303
		if !strings.HasPrefix(uri, "/") {
			t.Errorf("sent to %s", uri)
		}
		b = w.browser()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
}

func TestSignInLeadsBackToOurOwnQuestionAlone(t *testing.T) {
	w := newWorld(t)
	for _, to := range []string{
		"https://evil.example/", "//evil.example/authorize?", "/\\evil.example", "/authorize", "/authorizeX?x", "/authorize/../x?y", "/sign-out", "/uma/claims?ticket=x",
		"authorize?x", "https://evil.example/authorize?x", "/authorize?x\r\nLocation: https://evil.example", "/authorize?x\ty", "/authorize?x#y", "\\authorize?x",
		"javascript:alert(1)", "/authorize?x\\y", w.Issuer + "/authorize?x",
	} {
		b := w.browser()
		b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		page := b.get(pathSignIn + "?return=" + url.QueryEscape(to))
		for _, fill := range [][]string{nil, {"return", to}} {
			a := b.press(page, "sign-in", append(fill, "email", w.Bob.Email, "password", testPassword)...)
			if a.Header.Get("Location") != pathSignIn {
				t.Errorf("%q led to %q", to, a.Header.Get("Location"))
			}
			page = w.freshSignIn(b)
		}
	}
}

// freshSignIn forgets the browser's cookies and opens the sign-in page.
func (w *world) freshSignIn(b *browser) answer {
	b.client.Jar = w.browser().client.Jar
	return b.get(pathSignIn)
}

// What a stranger learns by trying is the same for everybody. (A part of
// SEC-098; the work is the same in package login.)
func TestRefusedSignInDoesNotTellWhoHasAnAccount(t *testing.T) {
	w := newWorld(t)
	attempt := func(email string) string {
		b := w.browser()
		a := b.press(b.get(pathSignIn), "sign-in", "email", email, "password", "not the password")
		if a.StatusCode != http.StatusUnprocessableEntity || b.session() != "" {
			t.Errorf("%s: status %d", email, a.StatusCode)
		}
		form, _ := findForm(t, a.Body, "sign-in")
		return strings.NewReplacer(email, "EMAIL", form.values.Get("csrf"), "TOKEN").Replace(string(a.Body))
	}
	if known, unknown := attempt("bob@example.com"), attempt("nobody@example.com"); known != unknown {
		t.Errorf("known:\n%s\nunknown:\n%s", known, unknown)
	}
}

func TestForgedSignInIsRefused(t *testing.T) {
	w := newWorld(t)
	b, attacker := w.browser(), w.browser()
	foreign, _ := findForm(t, attacker.get(pathSignIn).Body, "sign-in")
	own, _ := findForm(t, b.get(pathSignIn).Body, "sign-in")
	for name, a := range map[string]answer{
		"another browser's token": b.post(pathSignIn, url.Values{"csrf": foreign.values["csrf"], "email": {w.Carlos.Email}, "password": {testPassword}}),
		"another site's page":     b.postFrom("cross-site", pathSignIn, url.Values{"csrf": own.values["csrf"], "email": {w.Carlos.Email}, "password": {testPassword}}),
	} {
		if a.StatusCode != http.StatusForbidden || b.session() != "" {
			t.Errorf("%s: status %d", name, a.StatusCode)
		}
	}
}

// Proves SEC-074.
func TestSignOutAsksAndLeadsNowhereElse(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Bob)
	page := b.get(pathSignOut + "?post_logout_redirect_uri=https%3A%2F%2Fevil.example&id_token_hint=e30.e30.x")
	if _, found := tagByID(t, page.Body, "sign-out"); !found || strings.Contains(string(page.Body), "evil.example") {
		t.Errorf("no question, or a way elsewhere: %s", page.Body)
	}
	if a := b.get(pathSignIn); !strings.Contains(string(a.Body), "You are signed in") {
		t.Error("looking at the question has signed out")
	}
	if a := b.post(pathSignOut, url.Values{}); a.StatusCode != http.StatusForbidden {
		t.Errorf("without a token: %d", a.StatusCode)
	}
	consent, _ := findForm(t, b.get(authorizePath(ask(w.C1, "openid"))).Body, "allow")
	if a := b.post(pathSignOut, consent.values); a.StatusCode != http.StatusForbidden {
		t.Errorf("with the token of another form: %d", a.StatusCode)
	}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if uri, _ := sentTo(t, b.press(page, "sign-out", "post_logout_redirect_uri", "https://evil.example")); uri != pathSignOut {
		t.Errorf("sent to %s", uri)
	}
	if a := b.get(pathSignOut); !strings.Contains(string(a.Body), "You are signed out") {
		t.Errorf("still signed in: %s", a.Body)
	}
}

// Proves SEC-066.
func TestCookiesAreForThisHostAlone(t *testing.T) {
	w := newSecureWorld(t)
	b := w.browser()
	seen := map[string]bool{}
	check := func(a answer) answer {
		t.Helper()
		for _, c := range a.Cookies() {
			seen[c.Name] = true
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Raw) > 4096 {
				t.Errorf("%s", c.Raw)
			}
		}
		return a
	}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	check(b.get(knock(w.C1, w.photo().ticket(w))))
	page := check(b.get(pathClaimsVisit))
	check(b.signIn(page, w.Bob))
	first := b.cookie("licet-session")
	check(b.press(check(b.get(pathClaimsVisit)), "switch"))
	check(b.signIn(check(b.get(pathClaimsVisit)), w.Bob))
	second := b.cookie("licet-session")
	if first == "" || second == "" || first == second {
		t.Error("the session is not new at each sign-in")
	}
	if len(seen) != 3 {
		t.Errorf("there are %v", seen)
	}

	// Another node over the same store knows the second and not the first.
	node := w.anotherNode()
	for session, want := range map[string]bool{first: false, second: true} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: "__Host-licet-session", Value: session})
		if _, _, in := node.Person(r); in != want {
			t.Errorf("signed in at another node: %v, want %v", in, want)
		}
	}
}

// anotherNode is the sign-in of a second process over the same store.
func (w *world) anotherNode() *login.Login {
	w.t.Helper()
	server, err := as.New(w.t.Context(), as.Config{Issuer: w.Issuer, Store: w.Store, Now: w.Clock.Now, Secrets: w.AS.Secrets})
	w.must(err)
	in, err := login.New(login.Config{AS: server, Secure: true})
	w.must(err)
	return in
}

func TestFormOfLongAgoSaysSo(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.signIn(b.get(authorizePath(ask(w.C1, "openid"))), w.Bob)
	w.Clock.Advance(12 * time.Hour)
	a := b.press(page, "allow")
	if isErrorPage(t, a); !strings.Contains(string(a.Body), "out of date") {
		t.Errorf("%s", a.Body)
	}
}

// Whoever chooses a language at the foot of a page is written to in it from now on; a
// stranger's choice, or a language that nobody speaks here, is noted for nobody.
func TestTheLanguageThatIsChosenIsThatOfLetters(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.post(pathLanguage, url.Values{"language": {"ar"}, "return": {pathSignIn}})
	b.signIn(b.get(pathSignIn), w.Bob)
	for language, want := range map[string]string{"fr": "fr", "tlh": "fr"} {
		b.post(pathLanguage, url.Values{"language": {"fr"}, "return": {pathSignIn}})
		b.post(pathLanguage, url.Values{"language": {language}, "return": {pathSignIn}})
		if bob, err := w.AS.AccountByEmail(t.Context(), w.Bob.Email); err != nil || bob.Language != want {
			t.Errorf("after %q it is %q, %v", language, bob.Language, err)
		}
	}
}

// Whatever name a caller says this server has, it knows its own.
//
// Proves SEC-075.
func TestTheServerKnowsItsOwnName(t *testing.T) {
	w := newWorld(t)
	c := w.Server.Config
	c.Home = "/app/"
	var err error
	w.Server, err = New(c)
	w.must(err)
	pat := w.pat(w.RS1, w.Alice)
	const evil = "evil.example"
	send := func(method, path, body string, header http.Header) string {
		t.Helper()
		r, err := http.NewRequest(method, w.Issuer+path, strings.NewReader(body))
		w.must(err)
		r.Header = header.Clone()
		r.Host = evil
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "X-Original-Host", "X-Original-Url"} {
			r.Header.Set(name, evil)
		}
		r.Header.Set("Forwarded", "host="+evil)
		client := &http.Client{Transport: w.browser().client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := client.Do(r)
		w.must(err)
		defer func() { w.must(answer.Body.Close()) }()
		var text strings.Builder
		w.must(answer.Header.Write(&text))
		if _, err := io.Copy(&text, answer.Body); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode >= 500 || strings.Contains(text.String(), evil) {
			t.Errorf("%s %s: %s\n%s", method, path, answer.Status, text.String())
		}
		return text.String()
	}
	bearer := http.Header{"Authorization": {"Bearer " + pat}, "Content-Type": {"application/json"}}
	if made := send(http.MethodPost, pathResources, photoDescription, bearer); !strings.Contains(made, w.Issuer+"/app/things/") {
		t.Errorf("the control: %s", made)
	}
	for _, path := range []string{
		pathUMAConfiguration, pathOAuthConfiguration, pathOpenIDConfiguration, pathOpenAPI, pathSignIn, pathWays, pathClaims + "?client_id=x", authorizePath(ask(w.C1, "openid")),
	} {
		send(http.MethodGet, path, "", http.Header{})
	}
	send(http.MethodPost, pathToken, "grant_type=x", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	send(http.MethodPost, pathResources, "{", http.Header{})
	b := w.browser()
	b.press(b.get(pathSignIn), "code", "email", w.Bob.Email)
	if l := w.lastLetter(w.Bob.Email); strings.Contains(l.Path, "//") {
		t.Errorf("a letter leads to %q: it has to be a path below the issuer", l.Path)
	}
}
