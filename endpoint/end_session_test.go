package endpoint

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/internal/egress"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/oauth"
)

const afterLogout = "https://c1.example/bye?from=licet"

// leaver is a browser in which Bob is signed in with c1, which has registered
// where to go afterwards, and with c2, which has not.
type leaver struct {
	*world
	*browser
	hint, hintOfC2 string
}

func newLeaver(t *testing.T) *leaver {
	t.Helper()
	w := newWorld(t)
	c := w.C1.Client
	c.PostLogoutRedirectURIs = []string{afterLogout, "https://c1.example/bye"}
	_, _, err := w.AS.RegisterClient(context.Background(), c)
	w.must(err)
	l := &leaver{world: w, browser: w.browser()}
	l.hint = l.idToken(l.browser, w.C1)
	l.hintOfC2 = l.idToken(l.browser, w.C2)
	return l
}

// idToken signs Bob in with an application, and at this server when he is not.
func (w *world) idToken(b *browser, c registered, more ...string) string {
	w.t.Helper()
	page := b.get(authorizePath(ask(c, "openid", more...)))
	if _, asked := findForm(w.t, page.Body, "sign-in"); asked {
		page = b.signIn(page, w.Bob)
	}
	_, query := sentTo(w.t, b.press(page, "allow"))
	token, _ := w.exchange(c, query).json(w.t)["id_token"].(string)
	if token == "" {
		w.t.Fatal("there is no ID token")
	}
	return token
}

// sid is what an ID token calls its session.
func (w *world) sid(token string) string {
	w.t.Helper()
	set, err := w.AS.JWKS(context.Background())
	w.must(err)
	keys, err := oauth.ParseJWKS(set)
	w.must(err)
	claims, _, err := oauth.VerifyJWT(token, keys, nil)
	w.must(err)
	sid, _, err := claims.String("sid")
	w.must(err)
	return sid
}

func (b *browser) in() bool {
	return strings.Contains(string(b.get(pathSignOut).Body), `id="sign-out"`)
}

func endSessionPath(more ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return pathEndSession + "?" + query.Encode()
}

// An application that shows an ID token of this very session signs out and has
// the browser back, whatever the age of the token and of the key that signed it.
//
// Proves SEC-074, SEC-068.
func TestTheSessionThatAnIDTokenWasIssuedInEndsAtOnce(t *testing.T) {
	for name, meanwhile := range map[string]func(l *leaver){
		"at once":                       func(*leaver) {},
		"when the ID token has expired": func(l *leaver) { l.Clock.Advance(2 * time.Hour) },
		"when the key is not published any more": func(l *leaver) {
			l.must(l.AS.RotateKeys(context.Background()))
			l.Clock.Advance(2 * time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLeaver(t)
			meanwhile(l)
			uri, query := sentTo(t, l.get(endSessionPath("id_token_hint", l.hint, "post_logout_redirect_uri", afterLogout, "state", "s t&1", "ui_locales", "de")))
			if uri != "https://c1.example/bye" || query.Get("state") != "s t&1" || query.Get("from") != "licet" || len(query) != 2 {
				t.Errorf("sent to %s with %v", uri, query)
			}
			if l.in() || l.session() != "" {
				t.Error("Bob is still signed in")
			}
			// Once more, when nobody is in: there is nothing to ask.
			if uri, query := sentTo(t, l.get(endSessionPath("id_token_hint", l.hint, "client_id", "c1", "post_logout_redirect_uri", afterLogout))); uri != "https://c1.example/bye" || query.Has("state") {
				t.Errorf("sent to %s with %v", uri, query)
			}
		})
	}
	l := newLeaver(t)
	if page := l.get(endSessionPath("id_token_hint", l.hint)); page.StatusCode != http.StatusOK || !strings.Contains(string(page.Body), "You are signed out") || l.in() {
		t.Errorf("without an address: %d\n%s", page.StatusCode, page.Body)
	}
}

// Proves SEC-074, SEC-071, SEC-100.
func TestALinkAloneSignsNobodyOut(t *testing.T) {
	l := newLeaver(t)
	strange, err := oauth.GenerateKey(rand.Reader, oauth.DefaultAlgorithm)
	l.must(err)
	sid := l.sid(l.hint)
	forge := func(typ string, change func(*oauth.IDTokenClaims)) string {
		claims := oauth.IDTokenClaims{Issuer: l.Issuer, Subject: string(l.Bob.ID), Audience: "c1", IssuedAt: l.Clock.Now().Unix(), ExpiresAt: l.Clock.Now().Add(time.Minute).Unix(), SessionID: sid}
		change(&claims)
		token, err := oauth.Sign(strange, typ, claims)
		l.must(err)
		return token
	}
	elsewhere := l.world.browser()
	other := l.idToken(elsewhere, l.C1)
	parts := strings.Split(l.hint, ".")
	for name, params := range map[string][]string{
		"nothing":                     nil,
		"only the client":             {"client_id", "c1"},
		"the client and an address":   {"client_id", "c1", "post_logout_redirect_uri", afterLogout},
		"a client that is not":        {"client_id", "nobody", "post_logout_redirect_uri", "https://evil.example/"},
		"an address alone":            {"post_logout_redirect_uri", afterLogout},
		"a forged hint":               {"id_token_hint", forge("JWT", func(*oauth.IDTokenClaims) {}), "post_logout_redirect_uri", afterLogout},
		"a forged hint, named":        {"id_token_hint", forge("JWT", func(*oauth.IDTokenClaims) {}), "client_id", "c1", "post_logout_redirect_uri", afterLogout},
		"an unsigned hint":            {"id_token_hint", "eyJhbGciOiJub25lIn0." + parts[1] + ".", "client_id", "c1"},
		"a hint with another payload": {"id_token_hint", parts[0] + "." + strings.Split(l.hintOfC2, ".")[1] + "." + parts[2]},
		"a hint of another session":   {"id_token_hint", other, "post_logout_redirect_uri", afterLogout},
		"a hint of another client":    {"id_token_hint", l.hintOfC2, "client_id", "c1", "post_logout_redirect_uri", afterLogout},
		"an access token":             {"id_token_hint", l.token(l.C1, l.Bob, oauth.ScopeOpenID)},
		"no token at all":             {"id_token_hint", strings.Repeat("x.", 100)},
	} {
		page := l.get(endSessionPath(params...))
		if page.StatusCode != http.StatusOK || page.Header.Get("Location") != "" {
			t.Errorf("%s: %d, Location %q", name, page.StatusCode, page.Header.Get("Location"))
			continue
		}
		if _, asked := findForm(t, page.Body, "sign-out"); !asked || !l.in() || !elsewhere.in() {
			t.Errorf("%s: nobody was asked, or somebody is signed out", name)
		}
	}
}

// Who says yes goes where the application is registered for, if it is known which
// one it is.
//
// Proves SEC-074, SEC-060.
func TestWhoIsAskedAndSignsOutGoesBackToAKnownApplication(t *testing.T) {
	for name, c := range map[string]struct {
		params func(l *leaver) []string
		back   bool
	}{
		"named":             {func(*leaver) []string { return []string{"client_id", "c1"} }, true},
		"nobody":            {func(*leaver) []string { return nil }, false},
		"forged":            {func(l *leaver) []string { return []string{"id_token_hint", l.hint + "A", "client_id", "c1"} }, false},
		"another session's": {func(l *leaver) []string { return []string{"id_token_hint", l.idToken(l.world.browser(), l.C1)} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLeaver(t)
			params := append(c.params(l), "post_logout_redirect_uri", afterLogout, "state", "x")
			a := l.press(l.get(endSessionPath(params...)), "sign-out")
			if l.in() {
				t.Error("Bob is still signed in")
			}
			if !c.back {
				if a.StatusCode != http.StatusOK || !strings.Contains(string(a.Body), "You are signed out") || strings.Contains(string(a.Body), "c1.example") {
					t.Errorf("%d\n%s", a.StatusCode, a.Body)
				}
				return
			}
			if uri, query := sentTo(t, a); uri != "https://c1.example/bye" || query.Get("state") != "x" {
				t.Errorf("sent to %s with %v", uri, query)
			}
		})
	}
}

// Proves SEC-074, SEC-060, SEC-080.
func TestALogoutLeadsToNoAddressThatIsNotRegistered(t *testing.T) {
	l := newLeaver(t)
	for _, uri := range []string{
		"https://evil.example/", "https://c1.example/cb", "https://c1.example/bye/", "https://c1.example/bye?from=licet&x=1", "https://C1.example/bye",
		"https://c1.example/bye#", "https://c1.example:443/bye", "https://c1.example@evil.example/bye", "//evil.example", "/sign-in", "javascript:alert(1)",
		"data:text/html,x", `https://c1.example\@evil.example/bye`, "https://c1.example/claims", "https://c2.example/cb", "https://c1.example/bye\t",
	} {
		for _, who := range [][]string{{"id_token_hint", l.hint}, {"client_id", "c1"}, {"id_token_hint", l.hint, "client_id", "c1"}, {"id_token_hint", l.hintOfC2}} {
			a := l.get(endSessionPath(append(who, "post_logout_redirect_uri", uri)...))
			if isErrorPage(t, a); t.Failed() || !l.in() {
				t.Fatalf("%q with %s: signed in is %v", uri, who[0], l.in())
			}
		}
	}
	page := l.get(endSessionPath("client_id", "c1", "post_logout_redirect_uri", afterLogout))
	f, _ := findForm(t, page.Body, "sign-out")
	asked, err := url.ParseQuery(f.values.Get("asked"))
	l.must(err)
	asked.Set("post_logout_redirect_uri", "https://evil.example/")
	f.values.Set("asked", asked.Encode())
	if isErrorPage(t, l.post(pathEndSession, f.values)); !l.in() {
		t.Error("a page that was tampered with signed Bob out")
	}
}

// Proves SEC-062, SEC-068, SEC-074.
func TestALogoutRequestMayBeAForm(t *testing.T) {
	l := newLeaver(t)
	l.browser.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	sent := url.Values{"id_token_hint": {l.hint}, "post_logout_redirect_uri": {afterLogout}, "state": {"x"}}
	uri, query := sentTo(t, l.postFrom("cross-site", pathEndSession, sent))
	if uri != pathEndSession || query.Encode() != sent.Encode() || !l.in() {
		t.Errorf("sent to %s with %v, signed in is %v", uri, query, l.in())
	}
	if uri, _ := sentTo(t, l.get(uri+"?"+query.Encode())); uri != "https://c1.example/bye" || l.in() {
		t.Errorf("sent to %s", uri)
	}
	again := newLeaver(t)
	shown := again.get(endSessionPath("client_id", "c1"))
	f, _ := findForm(t, shown.Body, "sign-out")
	for name, site := range map[string]string{"a foreign shown": "cross-site", "another origin": "same-site"} {
		if a := again.postFrom(site, pathEndSession, f.values); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
	f.values.Set(page.FieldForm, "x")
	if a := again.post(pathEndSession, f.values); a.StatusCode != http.StatusForbidden || !again.in() {
		t.Errorf("with a wrong token: %d", a.StatusCode)
	}
	long := again.postFrom("cross-site", pathEndSession, url.Values{"state": {strings.Repeat("x", maxLogoutRequest)}})
	wantStatus(t, long, http.StatusRequestEntityTooLarge)
}

// Proves SEC-074.
func TestWhoIsNotSignedInIsSentNowhereByAName(t *testing.T) {
	l := newLeaver(t)
	b := l.world.browser()
	page := b.get(endSessionPath("client_id", "c1", "post_logout_redirect_uri", afterLogout, "state", "s"))
	link, ok := tagByID(t, page.Body, "back")
	if page.StatusCode != http.StatusOK || !ok || attr(link, "href") != afterLogout+"&state=s" {
		t.Errorf("%d, the link is %v\n%s", page.StatusCode, link, page.Body)
	}
	r := http.Header{"Sec-Purpose": {"prefetch"}}
	if isErrorPage(t, l.send(l.browser.client, http.MethodGet, l.Issuer+endSessionPath("id_token_hint", l.hint), r, "")); !l.in() {
		t.Error("a browser that looked ahead signed Bob out")
	}
}

// The sid is of one session at one client: it stays when the person proves again
// who they are, it ends with the session, and two clients have nothing to compare.
func TestTheSessionIDsOfTwoClientsTellNothing(t *testing.T) {
	l := newLeaver(t)
	mine, theirs := l.sid(l.hint), l.sid(l.hintOfC2)
	if mine == theirs || len(mine) != 43 || len(theirs) != 43 {
		t.Errorf("the session is %q at one client and %q at another", mine, theirs)
	}
	before := l.session()
	again := l.sid(l.idToken(l.browser, l.C1, "prompt", "login"))
	if again != mine || l.session() == before {
		t.Errorf("after another sign-in of the same person it is %q, was %q", again, mine)
	}
	if other := l.sid(l.idToken(l.world.browser(), l.C1)); other == mine {
		t.Error("another browser is the same session")
	}
	l.press(l.get(pathSignOut), "sign-out")
	if next := l.sid(l.idToken(l.browser, l.C1)); next == mine {
		t.Error("the session goes on after signing out")
	}
}

// A code that was issued in a session which has ended signs nobody in.
func TestWhoSignsOutIsNotSignedInByACodeOfBefore(t *testing.T) {
	l := newLeaver(t)
	_, query := sentTo(t, l.press(l.get(authorizePath(ask(l.C1, "openid"))), "allow"))
	l.press(l.get(pathSignOut), "sign-out")
	a := l.exchange(l.C1, query)
	if a.StatusCode != http.StatusBadRequest || a.json(t)["error"] != "invalid_grant" {
		t.Errorf("%d %s", a.StatusCode, a.Body)
	}
}

// What the discovery document says of telling applications is true of every way in
// which a person signs out: the application is told which of its sessions it was.
//
// Proves SEC-103.
func TestApplicationsAreToldOfEverySignOut(t *testing.T) {
	for name, leave := range map[string]func(l *leaver){
		"by the sign-out page":    func(l *leaver) { l.press(l.get(pathSignOut), "sign-out") },
		"by an application":       func(l *leaver) { l.get(endSessionPath("id_token_hint", l.hintOfC2)) },
		"by an application's ask": func(l *leaver) { l.press(l.get(endSessionPath("client_id", "c2")), "sign-out") },
		"by another account": func(l *leaver) {
			l.press(l.get(authorizePath(ask(l.C1, "openid"))), "switch")
		},
		"by somebody else's sign-in": func(l *leaver) {
			page := l.get(authorizePath(ask(l.C1, "openid", "prompt", "login")))
			l.browser.signIn(page, l.Alice)
		},
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan string, 10)
			app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.PostFormValue("logout_token") }))
			t.Cleanup(app.Close)
			l := newLeaver(t)
			c := l.C1.Client
			c.BackchannelLogoutURI, c.BackchannelLogoutSessionRequired = app.URL+"/logout", true
			_, _, err := l.AS.RegisterClient(context.Background(), c)
			l.must(err)
			l.AS.Fetch = egress.New(egress.Options{AllowLoopback: true})
			leave(l)
			_, err = l.AS.Deliver(context.Background(), 10)
			l.must(err)
			if len(told) != 1 {
				t.Fatalf("it was told %d times", len(told))
			}
			if sid := l.sid(<-told); sid != l.sid(l.hint) {
				t.Errorf("it was told of the session %q", sid)
			}
		})
	}
}
