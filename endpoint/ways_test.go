package endpoint

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/egress"
	"github.com/licet/licet/internal/limit"
	"github.com/licet/licet/internal/teststore"
	"github.com/licet/licet/login"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// atName gives a server a name: at an address there are no passkeys.
func atName(c *as.Config) { c.Issuer = strings.Replace(c.Issuer, "127.0.0.1", "localhost", 1) }

// openedBy makes the world's server anew, with other ways in.
func (w *world) openedBy(m login.Methods) {
	w.t.Helper()
	in, err := login.New(login.Config{AS: w.AS, Secure: w.Server.issuer.Scheme == "https", Methods: m})
	w.must(err)
	c := w.Server.Config
	c.SignIn = in
	w.Server, err = New(c)
	w.must(err)
}

// gadget is an authenticator with a person before it.
type gadget struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

// newKey is a key whose coordinates have 32 octets each (RFC 9053 7.1.1): the library
// leaves out leading zeros, and one key in 128 is refused for that.
func newKey() virtualwebauthn.Credential {
	const whole = 77 // octets of a COSE key on P-256
	for {
		key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		if len(key.Key.AttestationData()) == whole {
			return key
		}
	}
}

// newDevice is one that has a key for nobody yet.
func (w *world) newDevice() *gadget {
	u := w.Server.issuer
	return &gadget{
		rp:  virtualwebauthn.RelyingParty{ID: u.Hostname(), Name: "Licet", Origin: u.Scheme + "://" + u.Host},
		key: newKey(),
	}
}

// asked are the options in the passkey form of a page.
func asked(t *testing.T, page answer) string {
	t.Helper()
	tag, ok := tagByID(t, page.Body, "passkey-form")
	if !ok {
		t.Fatalf("there is no form for a passkey:\n%s", page.Body)
	}
	return attr(tag, "data-options")
}

// makes makes a passkey, as the page of the ways in asks, for an account.
func (d *gadget) makes(t *testing.T, page answer, who as.AccountID) string {
	t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(asked(t, page))
	if err != nil {
		t.Fatal(err)
	}
	d.auth = virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(who)})
	return virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *options)
}

// answers signs what the page asks.
func (d *gadget) answers(t *testing.T, page answer) string {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(asked(t, page))
	if err != nil {
		t.Fatal(err)
	}
	d.key.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *options)
}

// givePasskey lets a person add a passkey.
func (w *world) givePasskey(who resident) *gadget {
	w.t.Helper()
	b, d := w.browser(), w.newDevice()
	page := b.signIn(b.get(pathSignIn+"?return="+pathWays), who)
	t := w.t.(*testing.T)
	wantStatus(t, b.press(page, "add", "response", d.makes(t, page, who.ID), "name", "My phone"), http.StatusOK)
	if all, err := w.AS.Passkeys(t.Context(), who.ID); err != nil || len(all) != 1 || all[0].Name != "My phone" {
		t.Fatalf("the passkeys are %+v, %v", all, err)
	}
	if got := w.lastLetter(who.Email); got.Kind != as.LetterPasskeyAdded {
		t.Errorf("the person is told %+v", got)
	}
	return d
}

// A passkey comes in without a name or a password; its challenge is used once, in
// the browser that was asked.
func TestAPasskeySignsIn(t *testing.T) {
	w := newWorld(t, atName)
	d := w.givePasskey(w.Alice)
	b, other := w.browser(), w.browser()
	page := b.get(pathSignIn + "?return=" + pathWays)
	signed := d.answers(t, page)
	form, _ := findForm(t, page.Body, "passkey")
	foreign, _ := findForm(t, other.get(pathSignIn).Body, "passkey")
	stolen := url.Values{"csrf": {foreign.values.Get("csrf")}, "ceremony": form.values["ceremony"], "action": {"passkey"}, "response": {signed}}
	wantStatus(t, other.post(pathSignIn, stolen), http.StatusUnprocessableEntity)
	if other.session() != "" {
		t.Error("another browser is in")
	}
	a := b.press(page, "passkey", "response", signed)
	if wantStatus(t, a, http.StatusOK); b.session() == "" || !strings.Contains(string(a.Body), "How you sign in") {
		t.Fatalf("she is not in:\n%s", a.Body)
	}
	again := w.browser()
	fresh, _ := findForm(t, again.get(pathSignIn).Body, "passkey")
	fresh.values.Set("ceremony", form.values.Get("ceremony"))
	fresh.values.Set("response", signed)
	again.setCookie("licet-browser", b.cookie("licet-browser"))
	wantStatus(t, again.post(pathSignIn, fresh.values), http.StatusUnprocessableEntity)
	if again.session() != "" {
		t.Error("a challenge is good twice")
	}
}

// What is not signed by the right key, for this origin, with the person there, is
// refused, always with the same words.
func TestAPasskeyThatIsNotRightIsRefused(t *testing.T) {
	w := newWorld(t, atName)
	d := w.givePasskey(w.Alice)
	refuse := func(what string, change func(*gadget), after func(string) string) {
		t.Helper()
		b, bad := w.browser(), *d
		change(&bad)
		page := b.get(pathSignIn)
		a := b.press(page, "passkey", "response", after(bad.answers(t, page)))
		wantStatus(t, a, http.StatusUnprocessableEntity)
		if b.session() != "" || !strings.Contains(string(a.Body), "This passkey did not work here.") {
			t.Errorf("%s: %s", what, a.Body)
		}
	}
	same := func(s string) string { return s }
	refuse("another key", func(d *gadget) { d.key.Key = newKey().Key }, same)
	refuse("an unknown key", func(d *gadget) { d.key = newKey() }, same)
	refuse("another origin", func(d *gadget) { d.rp.Origin = "https://evil.example" }, same)
	refuse("another relying party", func(d *gadget) { d.rp.ID = "evil.example" }, same)
	refuse("nobody at the device", func(d *gadget) { d.auth.Options.UserNotVerified = true }, same)
	refuse("somebody else's handle", func(d *gadget) { d.auth.Options.UserHandle = []byte(w.Bob.ID) }, same)
	refuse("backed up, which it was not", func(d *gadget) { d.auth.Options.BackupEligible, d.auth.Options.BackupState = true, true }, same)
	for _, text := range []string{"", "{}", "null", "[]", `{"id":1}`, strings.Repeat("[", 9000)} {
		refuse("no answer at all", func(*gadget) {}, func(string) string { return text })
	}
	b := w.browser()
	page := b.get(pathSignIn)
	d.key.Counter = 5
	b.press(page, "passkey", "response", d.answers(t, page))
	if b.session() == "" {
		t.Fatal("the right one is refused")
	}
	refuse("a copy, whose count is behind", func(d *gadget) { d.key.Counter = 2 }, same)
	if got := w.lastLetter(w.Alice.Email); got.Kind != as.LetterPasskeyCloned {
		t.Errorf("she is told %+v", got)
	}
}

// The count of attempts is one for all methods, and the last step of a sign-in looks
// at it.
//
// Proves SEC-098, SEC-099.
func TestAShutAccountIsShutForEveryMethod(t *testing.T) {
	few := limit.Rate{Count: 3, Per: 15 * time.Minute}
	w := newWorld(t, atName, func(c *as.Config) { c.Attempts.Account = few })
	d := w.givePasskey(w.Alice)
	withKey, withCode := w.browser(), w.browser()
	begun := withKey.get(pathSignIn)
	codePage := withCode.press(withCode.get(pathSignIn), "code", "email", w.Alice.Email)
	code := w.codeFor(w.Alice.Email)
	for range 3 {
		w.browser().wrongPassword(w.Alice)
	}
	wantStatus(t, withKey.press(begun, "passkey", "response", d.answers(t, begun)), http.StatusTooManyRequests)
	wantStatus(t, withCode.press(codePage, "enter", "code", code), http.StatusTooManyRequests)
	w.Clock.Advance(15 * time.Minute)
	page := withKey.get(pathSignIn)
	wantStatus(t, withKey.press(page, "passkey", "response", d.answers(t, page)), http.StatusOK)
}

func (b *browser) wrongPassword(who resident) answer {
	return b.press(b.get(pathSignIn), "sign-in", "email", who.Email, "password", "not it")
}

// Bob comes in by his mailbox alone. Whether an address has an account is told by
// nothing that a stranger sees.
//
// Proves SEC-098.
func TestACodeByMailLetsBobIn(t *testing.T) {
	w := newWorld(t)
	pages := map[string]string{}
	for _, email := range []string{w.Alice.Email, "new@example.net"} {
		b := w.browser()
		a := b.press(b.get(pathSignIn), "code", "email", email)
		wantStatus(t, a, http.StatusOK)
		form, _ := findForm(t, a.Body, "enter")
		pages[email] = strings.ReplaceAll(string(a.Body), form.values.Get("csrf"), "")
		wantStatus(t, b.press(a, "enter", "code", "12"), http.StatusUnprocessableEntity)
		wantStatus(t, b.press(a, "enter", "code", w.codeFor(email)), http.StatusOK)
		if b.session() == "" {
			t.Errorf("%s is not in", email)
		}
	}
	nonce := func(s string) string {
		before, after, _ := strings.Cut(s, `nonce="`)
		_, after, _ = strings.Cut(after, `"`)
		return before + after
	}
	if a, b := nonce(pages[w.Alice.Email]), nonce(pages["new@example.net"]); a != b {
		t.Errorf("the pages are told apart:\n%s\n%s", a, b)
	}
	if w.lastLetter("new@example.net").Kind != as.LetterFirstCode || w.lastLetter(w.Alice.Email).Kind != as.LetterCode {
		t.Error("the letters do not say which it is")
	}
	b := w.browser()
	wantStatus(t, b.press(b.get(pathSignIn), "code", "email", "no address"), http.StatusUnprocessableEntity)
	wantStatus(t, b.press(b.get(pathSignIn), "code", "email", ""), http.StatusUnprocessableEntity)
}

// A code is entered in the middle of a visit, and the visit goes on.
func TestAVisitGoesOnAfterACode(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	id := w.resource(pat, "photo", "view")
	w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Claims: withEmail("dora@example.com")})
	b := w.browser()
	page := b.get(knock(w.C1, w.ticketFor(pat, id, "view")))
	page = b.press(page, "code", "email", "dora@example.com")
	page = b.press(page, "enter", "code", w.codeFor("dora@example.com"))
	_, query := sentTo(t, b.press(page, "allow"))
	if a := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))); a.json(t)["access_token"] == nil {
		t.Errorf("she does not get it: %s", a.Body)
	}
}

// Where the operator wants no passwords, the form has none, and one that is sent is
// not looked at.
func TestPasswordsAreTheOperatorsChoice(t *testing.T) {
	w := newWorld(t)
	w.openedBy(login.Methods{})
	b := w.browser()
	page := b.get(pathSignIn)
	if _, found := tagByID(t, page.Body, "password"); found {
		t.Error("there is a field for a password")
	}
	form, _ := findForm(t, page.Body, "code")
	form.values.Set("action", "sign-in")
	form.values.Set("email", w.Bob.Email)
	form.values.Set("password", testPassword)
	wantStatus(t, b.post(pathSignIn, form.values), http.StatusUnprocessableEntity)
	b.press(b.get(pathSignIn), "code", "email", "guest@example.com")
	if got := w.lastLetter("guest@example.com"); got.Kind != as.LetterNoAccount || b.session() != "" {
		t.Errorf("a guest where none may come in is sent %+v", got)
	}
}

// What changes how somebody signs in needs a fresh proof of who they are; to end a
// session it is enough to be in.
//
// Proves SEC-073.
func TestChangingHowOneSignsInNeedsAFreshProof(t *testing.T) {
	w := newWorld(t, atName)
	d := w.givePasskey(w.Alice)
	b, elsewhere := w.browser(), w.browser()
	page := b.signIn(b.get(pathSignIn+"?return="+pathWays), w.Alice)
	elsewhere.signIn(elsewhere.get(pathSignIn), w.Alice)
	w.Clock.Advance(provedFor + time.Second)
	all, err := w.AS.Passkeys(t.Context(), w.Alice.ID)
	w.must(err)
	form, _ := findForm(t, page.Body, "add")
	form.values.Set("action", "remove")
	form.values.Set("passkey", base64.RawURLEncoding.EncodeToString(all[0].ID))
	stepUp := b.post(pathWays, form.values)
	if wantStatus(t, stepUp, http.StatusOK); !strings.Contains(string(stepUp.Body), "Is it still you?") {
		t.Fatalf("she is not asked:\n%s", stepUp.Body)
	}
	if left, err := w.AS.Passkeys(t.Context(), w.Alice.ID); err != nil || len(left) != 1 {
		t.Fatalf("the passkeys are %v, %v", left, err)
	}
	if page = b.get(pathWays); strings.Contains(string(page.Body), `value="remove"`) {
		t.Error("the page offers it")
	}
	b.press(page, "end-others")
	if elsewhere.get(pathWays); strings.Contains(string(elsewhere.get(pathWays).Body), "Where you are signed in") {
		t.Error("elsewhere she is still in")
	}
	page = b.press(stepUp, "passkey", "response", d.answers(t, stepUp))
	form, _ = findForm(t, page.Body, "add")
	form.values.Set("action", "remove")
	form.values.Set("passkey", base64.RawURLEncoding.EncodeToString(all[0].ID))
	wantStatus(t, b.post(pathWays, form.values), http.StatusOK)
	if left, err := w.AS.Passkeys(t.Context(), w.Alice.ID); err != nil || len(left) != 0 {
		t.Errorf("the passkeys are %v, %v", left, err)
	}
}

// The link that the server prints makes the first account, once; after that, and
// without it, there is nothing to see.
func TestTheFirstAccountIsMadeWithTheLink(t *testing.T) {
	w := newWorld(t)
	secret := w.emptied()
	b := w.browser()
	isErrorPage(t, b.get(pathFirst))
	isErrorPage(t, b.get(pathFirst+"?secret=x"))
	path := strings.TrimPrefix(FirstRunURL(w.Issuer, secret), w.Issuer)
	page := b.get(path)
	wantStatus(t, b.press(page, "make", "email", "no address", "name", "Olga"), http.StatusUnprocessableEntity)
	wantStatus(t, b.press(page, "make", "email", "olga@example.com", "name", "Olga"), http.StatusOK)
	if b.session() == "" {
		t.Error("she is not in")
	}
	other := w.browser()
	isErrorPage(t, other.get(path))
	isErrorPage(t, b.press(page, "make", "email", "thief@example.com", "name", "T"))
}

// emptied puts a server without accounts in the world's place.
func (w *world) emptied() (secret string) {
	w.t.Helper()
	c := w.AS.Config
	c.Store = teststore.Open(w.t)
	var err error
	w.AS, err = as.New(w.t.Context(), c)
	w.must(err)
	w.Server.AS = w.AS
	w.openedBy(login.Methods{})
	secret, err = w.AS.FirstRun(w.t.Context())
	w.must(err)
	return secret
}

// tandem are two servers: people have accounts at the one, and sign in to the other
// with them.
func tandem(t *testing.T, trusted bool) (here, there *world) {
	t.Helper()
	there = newWorld(t)
	here = newWorld(t, atName, func(c *as.Config) { c.Fetch = egress.New(egress.Options{AllowLoopback: true}) })
	c, secret, err := there.AS.RegisterClient(t.Context(), oauth.Client{
		ID: "here", Name: "Here", AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantAuthorizationCode},
		Scopes: []uma.Scope{oauth.ScopeOpenID, oauth.ScopeEmail, oauth.ScopeProfile}, RedirectURIs: []string{login.Callback(here.Issuer, "work")},
	})
	there.must(err)
	here.openedBy(login.Methods{Passwords: true, Guests: true, Providers: []login.Provider{
		{ID: "work", Name: "Work", Issuer: there.Issuer, ClientID: string(c.ID), ClientSecret: secret, TrustEmail: trusted},
		{ID: "away", Issuer: "https://away.invalid", ClientID: "x"},
	}})
	return here, there
}

// goes lets a browser at the one server go to the other, sign in there as somebody,
// and come back to where it is sent.
func (w *world) goes(b *browser, there *world, who resident, to string) (back string) {
	w.t.Helper()
	other := there.browser()
	page := other.signIn(other.get(strings.TrimPrefix(to, there.Issuer)), who)
	uri, query := sentTo(w.t, other.press(page, "allow"))
	return strings.TrimPrefix(uri, w.Issuer) + "?" + query.Encode()
}

// start begins at the sign-in page, and says where the browser is sent.
func (b *browser) start(w *world, path string) string {
	w.t.Helper()
	uri, query := sentTo(w.t, b.get(path))
	return uri + "?" + query.Encode()
}

// An account at a provider opens the account here: with a trusted address at once,
// otherwise only after its person has added it here.
func TestAnAccountElsewhereSignsIn(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		here, there := tandem(t, trusted)
		b := here.browser()
		in := "/sign-in/to/work?return=" + pathWays
		a := b.get(here.goes(b, there, there.Alice, b.start(here, in)))
		if got := b.session() != ""; got != trusted {
			t.Fatalf("trusted %v: in: %v\n%s", trusted, got, a.Body)
		}
		if trusted {
			if !strings.Contains(string(a.Body), "Where you are signed in") || here.lastLetter(here.Alice.Email).Kind != as.LetterIdentityLinked {
				t.Errorf("she comes to %s", a.Body)
			}
			continue
		}
		wantStatus(t, a, http.StatusUnprocessableEntity)
		page := b.signIn(b.get(pathSignIn+"?return="+pathWays), here.Bob) // another address than there
		form, ok := formTo(t, page.Body, pathLink)
		if !ok {
			t.Fatalf("there is no way to add it:\n%s", page.Body)
		}
		form.Set("provider", "work")
		page = b.post(pathLink, form)
		link, _ := tagByID(t, page.Body, "go")
		b.get(here.goes(b, there, there.Alice, attr(link, "href")))
		fresh := here.browser()
		fresh.get(here.goes(fresh, there, there.Alice, fresh.start(here, in)))
		page = fresh.get(pathWays)
		if !strings.Contains(string(page.Body), here.Bob.Email) {
			t.Errorf("after it was added, it opens:\n%s", page.Body)
		}
	}
}

// What comes back from a provider is good once, in the browser that went there, for
// that provider, and from it.
//
// Proves SEC-063.
func TestWhatComesFromAProviderIsTiedToTheBrowserThatWent(t *testing.T) {
	here, there := tandem(t, true)
	b, victim := here.browser(), here.browser()
	victim.get(pathSignIn)
	back := here.goes(b, there, there.Alice, b.start(here, "/sign-in/to/work"))
	isErrorPage(t, victim.get(back))
	isErrorPage(t, b.get(strings.Replace(back, "/from/work", "/from/away", 1)))
	isErrorPage(t, b.get("/sign-in/from/work?code=x&state=y"))
	isErrorPage(t, b.get("/sign-in/from/nobody?code=x&state=y"))
	if b.session()+victim.session() != "" {
		t.Fatal("somebody is in")
	}
	forged := strings.Replace(back, "iss="+url.QueryEscape(there.Issuer), "iss="+url.QueryEscape("https://evil.example"), 1)
	if forged == back {
		t.Fatalf("the answer names no issuer: %s", back)
	}
	wantStatus(t, b.get(forged), http.StatusUnprocessableEntity)
	isErrorPage(t, b.get(back)) // it was used
	back = here.goes(b, there, there.Alice, b.start(here, "/sign-in/to/work"))
	b.get(back)
	if b.session() == "" {
		t.Error("the right one is refused")
	}
	isErrorPage(t, b.get(back))
	wantStatus(t, b.get("/sign-in/to/away"), http.StatusServiceUnavailable)
	cross := here.send(b.client, http.MethodGet, here.Issuer+"/sign-in/to/work", http.Header{"Sec-Fetch-Site": {"cross-site"}}, "")
	if wantStatus(t, cross, http.StatusOK); cross.Request.URL.Path != pathSignIn {
		t.Errorf("a link elsewhere leads to %s", cross.Request.URL)
	}
}

// A fresh proof is one that the provider was shown just now, and says so. The browser
// may take away on the way what asks for it (OpenID Connect Core 3.1.2.1 and 2).
//
// Proves SEC-073.
func TestAnOldSessionAtAProviderIsNoFreshProof(t *testing.T) {
	here, there := tandem(t, true)
	b, other := here.browser(), there.browser()
	other.signIn(other.get(pathSignIn), there.Alice)
	there.Clock.Advance(time.Hour)
	here.Clock.Advance(time.Hour)
	comes := func(uri string) answer { // by who is signed in there already
		_, query := sentTo(t, other.press(other.get(strings.TrimPrefix(uri, there.Issuer)), "allow"))
		return b.get("/sign-in/from/work?" + query.Encode())
	}
	page := comes(b.start(here, "/sign-in/to/work?return="+pathWays))
	if again, found := tagByID(t, page.Body, "again"); !found {
		t.Fatalf("who signed in there an hour ago may change how they sign in:\n%s", page.Body)
	} else {
		page = b.get(attr(again, "href"))
	}
	var to string
	for tag := range tags(t, page.Body) {
		if strings.HasPrefix(attr(tag, "href"), "/sign-in/to/work") {
			to = attr(tag, "href")
		}
	}
	asked := b.start(here, to)
	u, err := url.Parse(asked)
	here.must(err)
	query := u.Query()
	if query.Get("max_age") != "0" || query.Get("prompt") != "login" {
		t.Fatalf("the provider is asked %s", asked)
	}
	query.Del("max_age")
	query.Del("prompt")
	u.RawQuery = query.Encode()
	page = comes(u.String())
	if wantStatus(t, page, http.StatusUnprocessableEntity); !strings.Contains(string(page.Body), "Is it still you?") {
		t.Errorf("the old session counts:\n%s", page.Body)
	}
	if _, found := tagByID(t, b.get(pathWays).Body, "again"); !found {
		t.Error("the old session counts")
	}
	b.get(here.goes(b, there, there.Alice, b.start(here, to)))
	if page = b.get(pathWays); !strings.Contains(string(page.Body), `value="unlink"`) {
		t.Errorf("the fresh proof does not count:\n%s", page.Body)
	}
}

// formTo finds the values of the form that is posted to a path.
func formTo(t *testing.T, page []byte, path string) (url.Values, bool) {
	t.Helper()
	values, inside := url.Values{}, false
	for tag := range tags(t, page) {
		switch tag.Name.Local {
		case "form":
			inside = strings.HasSuffix(attr(tag, "action"), path)
		case "input":
			if inside {
				values.Set(attr(tag, "name"), attr(tag, "value"))
			}
		}
	}
	return values, len(values) > 0
}

// What a browser calls itself is put into words, whatever it is.
func TestADeviceIsPutIntoWords(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0":                                                                  "Firefox, Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0":           "Edge, Windows",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":                         "Chrome, Android",
		"": "", "curl/8.5.0": "", "\x00": "",
	} {
		if got := device(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}

// The options are what a browser's script takes: a passkey that is found by itself,
// and unlocked by its person.
func TestAPasskeyIsAskedToBeEnoughByItself(t *testing.T) {
	w := newWorld(t, atName)
	b := w.browser()
	page := b.signIn(b.get(pathSignIn+"?return="+pathWays), w.Alice)
	var made struct {
		RP        struct{ ID string }
		User      struct{ ID string }
		Selection struct{ ResidentKey, UserVerification string } `json:"authenticatorSelection"`
	}
	w.must(json.Unmarshal([]byte(asked(t, page)), &made))
	handle, err := base64.RawURLEncoding.DecodeString(made.User.ID)
	w.must(err)
	if made.RP.ID != "localhost" || made.Selection.ResidentKey != "required" || made.Selection.UserVerification != "required" || !bytes.Equal(handle, []byte(w.Alice.ID)) {
		t.Errorf("it is asked for %+v", made)
	}
	var used struct{ RPID, UserVerification string }
	w.must(json.Unmarshal([]byte(asked(t, w.browser().get(pathSignIn))), &used))
	if used.UserVerification != "required" {
		t.Errorf("it is asked for %+v", used)
	}
	if field, _ := tagByID(t, w.browser().get(pathSignIn).Body, "email"); attr(field, "autocomplete") != "username webauthn" {
		t.Error("the field for the address does not offer passkeys")
	}
	if _, found := tagByID(t, newWorld(t).browser().get(pathSignIn).Body, "passkey-form"); found {
		t.Error("at an address that is no name there is a form for passkeys")
	}
}
