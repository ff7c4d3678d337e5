package endpoint

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// photo is a resource of Alice that she shares with Bob.
type photo struct {
	pat string
	id  uma.ResourceID
}

func (w *world) photo() photo {
	w.t.Helper()
	p := photo{pat: w.pat(w.RS1, w.Alice)}
	p.id = w.resource(p.pat, "Photo", "view", "comment")
	w.share(w.Alice, policy.Share{Resource: p.id, Scopes: []uma.Scope{"view"}, Claims: withEmail(w.Bob.Email)})
	return p
}

func (p photo) ticket(w *world) uma.Ticket { return w.ticketFor(p.pat, p.id, "view") }

// knock is the path to the claims interaction endpoint for a client and a
// ticket; more are name and value pairs. C1's URI is named, as it has two.
func knock(c registered, ticket uma.Ticket, more ...string) string {
	query := url.Values{"client_id": {string(c.ID)}, "ticket": {string(ticket)}}
	if len(c.ClaimsRedirectURIs) > 1 {
		query.Set("claims_redirect_uri", c.ClaimsRedirectURIs[0])
	}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
		if more[i+1] == "" {
			query.Del(more[i])
		}
	}
	return pathClaims + "?" + query.Encode()
}

// isErrorPage fails unless an answer tells the person, and leads nowhere.
func isErrorPage(t *testing.T, a answer) {
	t.Helper()
	if a.StatusCode < 400 || a.StatusCode > 499 {
		t.Errorf("status %d, want 4xx", a.StatusCode)
	}
	if _, found := tagByID(t, a.Body, "error"); !found || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("no error page: %s", a.Body)
	}
	for _, name := range []string{"Location", "Refresh", "WWW-Authenticate"} {
		if a.Header.Get(name) != "" {
			t.Errorf("%s: %s", name, a.Header.Get(name))
		}
	}
	for tag := range tags(t, a.Body) {
		if tag.Name.Local == "script" || has(tag, "http-equiv") || tag.Name.Local == "form" || attr(tag, "href") != "" && strings.Contains(attr(tag, "href"), "://") {
			t.Errorf("the page leads on: %v", tag)
		}
	}
}

// isSentBackWith fails unless an answer sends the browser back to a URI with an
// error and without a ticket.
func isSentBackWith(t *testing.T, a answer, uri string, code uma.Code, issuer string) url.Values {
	t.Helper()
	to, query := sentTo(t, a)
	if to != uri || query.Get("error") != string(code) || query.Get("iss") != issuer || query.Has("ticket") || query.Has("code") {
		t.Errorf("sent to %s with %v, want %s with %s", to, query, uri, code)
	}
	return query
}

// Proves GRANT-3.3.2-02, GRANT-3.3.2-05, GRANT-3.3.3-01, GRANT-3.3.3-02, GRANT-3.3.3-03, GRANT-3.3.3-08.
func TestVisitEndsWithANewTicketAndNoClaims(t *testing.T) {
	w := newWorld(t)
	const state = "a b&=%+/;\u00fc\n\"<>"
	first := w.photo().ticket(w)
	need := w.postTicket(w.C1, first).json(t)
	if need["error"] != "need_info" || need["redirect_user"] != w.Issuer+pathClaims {
		t.Fatalf("the client was not told where to send the person: %v", need)
	}
	presented := uma.Ticket(need["ticket"].(string))
	b := w.browser()
	page := b.signIn(b.get(knock(w.C1, presented, "claims_redirect_uri", "https://c1.example/claims?from=licet", "state", state)), w.Bob)
	done := b.press(page, "allow")

	uri, query := sentTo(t, done)
	if uri != "https://c1.example/claims" || !strings.HasPrefix(done.Header.Get("Location"), "https://c1.example/claims?from=licet&") {
		t.Errorf("sent to %s", done.Header.Get("Location"))
	}
	if query.Get("state") != state {
		t.Errorf("state is %q", query.Get("state"))
	}
	if query.Get("iss") != w.Issuer { // AMB-34
		t.Errorf("iss is %q", query.Get("iss"))
	}
	ticket := uma.Ticket(query.Get("ticket"))
	if ticket == "" || ticket == presented || ticket == first {
		t.Errorf("the ticket is not a new one")
	}
	for name, values := range query {
		switch name {
		case "from", "state", "iss", "ticket":
		default:
			t.Errorf("also sent back: %s=%s", name, values)
		}
	}
	if location := strings.ToLower(done.Header.Get("Location")); strings.Contains(location, "bob") || strings.Contains(location, string(w.Bob.ID)) {
		t.Errorf("a claim is in %s", location)
	}
	if b.cookie(cookieVisit) != "" {
		t.Error("the handle stays in the browser")
	}
	granted := w.postTicket(w.C1, ticket)
	if granted.StatusCode != http.StatusOK || granted.json(t)["access_token"] == nil {
		t.Errorf("the new ticket leads to %d %s", granted.StatusCode, granted.Body)
	}
}

// Proves GRANT-3.3.2-11, GRANT-3.3.3-03.
func TestStateIsNotMadeUp(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	for _, button := range []string{"allow", "cancel"} {
		b := w.browser()
		done := b.press(b.signIn(b.get(knock(w.C1, p.ticket(w))), w.Bob), button)
		if _, query := sentTo(t, done); query.Has("state") {
			t.Errorf("%s: state %q", button, query.Get("state"))
		}
	}
	isErrorless(t, w.browser().get(knock(w.C2, p.ticket(w), "state", "x")))
}

func isErrorless(t *testing.T, a answer) {
	t.Helper()
	if a.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", a.StatusCode, a.Body)
	}
}

// Proves GRANT-3.3.2-01, GRANT-3.3.3-05, GRANT-3.3.3-06.
func TestUnknownClientIsToldToThePersonAlone(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	off := w.C2
	off.Disabled = true
	if _, _, err := w.AS.RegisterClient(context.Background(), off.Client); err != nil {
		t.Fatal(err)
	}
	ticket := p.ticket(w)
	for _, id := range []string{"", "nobody", "C1", "c1 ", "c2"} {
		isErrorPage(t, w.browser().get(knock(w.C1, ticket, "client_id", id, "claims_redirect_uri", "https://c1.example/claims")))
	}
	isErrorless(t, w.browser().get(knock(w.C1, ticket))) // the ticket was not touched
}

// Proves GRANT-3.3.2-04, GRANT-3.3.2-06, GRANT-3.3.2-07, GRANT-3.3.2-08, GRANT-3.3.2-09, GRANT-3.3.2-10,
// GRANT-3.3.3-05, GRANT-3.3.3-06, SEC-060, SEC-061.
func TestBrowserIsSentOnlyWhereTheClientRegistered(t *testing.T) {
	w := newWorld(t)
	ticket := w.photo().ticket(w)
	without := w.client(w.Public.Client, "public-without", "Without", "http://127.0.0.1/cb")
	foreign := func(c registered, uris ...string) {
		t.Helper()
		for _, uri := range uris {
			a := w.browser().get(knock(c, ticket, "claims_redirect_uri", uri, "state", "x"))
			if isErrorPage(t, a); t.Failed() {
				t.Fatalf("%s was sent to %q", c.ID, uri)
			}
		}
	}
	foreign(w.C1,
		"https://evil.example/claims", "https://c1.example/cb", // the second is for authorization codes
		"https://C1.example/claims", "HTTPS://c1.example/claims", "https://c1.example/claims/", "https://c1.example:443/claims",
		"https://c1.example/%63laims", "https://c1.example/claims?x=1", "https://c1.example/claims?from=licet&x=1", "https://c1.example/claims?",
		"https://c1.example/claims#f", "https://c1.example/claims#", "https://c1.example/Claims", "https://c1.example/claims/sub",
		"https://c1.example/../claims", "https://c1.example//claims", "http://c1.example/claims", "//c1.example/claims", "/claims", "claims",
		"https://c1.example@evil.example/claims", "https://evil.example\\@c1.example/claims", "https://c1.example\t/claims", " https://c1.example/claims",
		"https://c1.example/claims ", "https://c1.example/claims\n", "https://c1.example.evil.example/claims", "javascript:alert(1)", "data:text/html,x",
		"https://c2.example/claims")
	foreign(w.Public, "https://evil.example/claims", "http://127.0.0.1/cb", "http://127.0.0.1:8080/cb")
	foreign(without, "", "https://evil.example/claims", "http://127.0.0.1/cb")

	bad := w.C1.Client
	bad.ClaimsRedirectURIs = []string{"https://c1.example/claims#f"}
	if _, _, err := w.AS.RegisterClient(context.Background(), bad); err == nil {
		t.Error("a redirection URI with a fragment was registered")
	}
	isErrorless(t, w.browser().get(knock(w.C1, ticket))) // the ticket was not touched
}

// Proves GRANT-3.3.2-03.
func TestRedirectURIMayBeLeftOutWhenThereIsOne(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	b := w.browser()
	done := b.press(b.get(knock(w.C2, p.ticket(w))), "cancel")
	isSentBackWith(t, done, "https://c2.example/claims", uma.AccessDenied, w.Issuer)
	isErrorPage(t, w.browser().get(knock(w.C1, p.ticket(w), "claims_redirect_uri", ""))) // it has two
}

// Proves GRANT-3.3.2-02, GRANT-3.3.3-07, SEC-004, SEC-006.
func TestBadTicketGoesBackAsInvalidRequest(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	const uri = "https://c1.example/claims"
	refused := func(ticket uma.Ticket) {
		t.Helper()
		a := w.browser().get(knock(w.C1, ticket, "state", "s&1"))
		if query := isSentBackWith(t, a, uri, uma.InvalidRequest, w.Issuer); query.Get("state") != "s&1" {
			t.Errorf("state %q", query.Get("state"))
		}
	}
	refused("")
	refused("AAAA")
	refused("no ticket")

	atToken := p.ticket(w)
	next := uma.Ticket(w.postTicket(w.C1, atToken).json(t)["ticket"].(string))
	if next == atToken {
		t.Error("need_info returned the ticket that was presented")
	}
	refused(atToken) // presented at the token endpoint before
	isErrorless(t, w.browser().get(knock(w.C1, next)))
	refused(next) // presented here before
	if answer := w.postTicket(w.C1, next); answer.json(t)["error"] != "invalid_grant" {
		t.Errorf("a ticket that was presented here leads to %s", answer.Body)
	}

	foreign := uma.Ticket(w.postTicket(w.C2, p.ticket(w)).json(t)["ticket"].(string))
	refused(foreign) // bound to C2

	late := p.ticket(w)
	w.Clock.Advance(10 * time.Minute)
	refused(late)
}

// Proves GRANT-3.3.3-07.
func TestCancelledVisitIsAccessDenied(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	for _, signIn := range []bool{false, true} {
		b := w.browser()
		page := b.get(knock(w.C1, p.ticket(w), "state", "s"))
		if signIn {
			page = b.signIn(page, w.Bob)
		}
		handle := b.cookie(cookieVisit)
		query := isSentBackWith(t, b.press(page, "cancel"), "https://c1.example/claims", uma.AccessDenied, w.Issuer)
		if query.Get("state") != "s" {
			t.Errorf("state %q", query.Get("state"))
		}
		if b.cookie(cookieVisit) != "" {
			t.Error("the handle stays in the browser")
		}
		b.setCookie(cookieVisit, handle)
		isErrorPage(t, b.get(pathClaimsVisit)) // AMB-15: it is over, and there is no next ticket
	}
}

// failing is a store that fails to write when it is told to.
type failing struct {
	as.Store
	now atomic.Bool
}

func (f *failing) Update(ctx context.Context, do func(as.Tx) error) error {
	if f.now.Load() {
		return errors.New("the disk is full")
	}
	return f.Store.Update(ctx, do)
}

// Proves GRANT-3.3.3-07.
func TestFaultOfOursGoesBackAsServerError(t *testing.T) {
	var store failing
	w := newWorld(t, func(c *as.Config) {
		store.Store = c.Store
		c.Store = &store
	})
	p := w.photo()
	b := w.browser()
	page, second := b.signIn(b.get(knock(w.C1, p.ticket(w), "state", "s")), w.Bob), p.ticket(w)
	store.now.Store(true)
	for name, a := range map[string]answer{
		"begin": w.browser().get(knock(w.C1, second, "state", "s")), "allow": b.press(page, "allow"),
	} {
		query := isSentBackWith(t, a, "https://c1.example/claims", uma.ServerError, w.Issuer)
		if query.Get("state") != "s" || strings.Contains(a.Header.Get("Location"), "disk") {
			t.Errorf("%s: sent to %s", name, a.Header.Get("Location"))
		}
	}
}

// Somebody else's link must not make a signed-in person known to an
// application without a word.
//
// Proves GRANT-5.1-02, GRANT-6.2-02.
func TestSignedInPersonIsAskedAllTheSame(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	b := w.browser()
	b.signIn(b.get(pathSignIn), w.Bob)
	page := b.get(knock(w.C1, p.ticket(w), "prompt", "none"))
	text := string(page.Body)
	for _, want := range []string{"Pulse Diary", "your e-mail address", "bob@example.com", "(confirmed)", "your name", "that you are this account here", "c1.example"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, id := range []string{"allow", "cancel", "switch", "remember"} {
		tag, found := tagByID(t, page.Body, id)
		if !found || has(tag, "checked") {
			t.Errorf("%s: found %v, %v", id, found, tag)
		}
	}
	if remember, _ := tagByID(t, page.Body, "remember"); attr(remember, "type") != "checkbox" {
		t.Errorf("remembering is not asked: %v", remember)
	}
	if !strings.Contains(text, "Remember these details for <b><bdi>Pulse Diary</bdi></b>") {
		t.Error("it is not said for whom the details are remembered")
	}
}

func TestWhatIsNotConfirmedIsNotPassedOn(t *testing.T) {
	w := newWorld(t)
	ticket := w.photo().ticket(w)
	w.must(w.Store.Update(context.Background(), func(tx as.Tx) error {
		bob, err := tx.Account(w.Bob.ID)
		if err != nil {
			return err
		}
		bob.EmailVerified, bob.Name = false, ""
		return tx.UpdateAccount(bob)
	}))
	b := w.browser()
	page := b.signIn(b.get(knock(w.C1, ticket)), w.Bob)
	if text := string(page.Body); strings.Contains(text, "your e-mail address <b>") || strings.Contains(text, "your name") {
		t.Error("the page promises to pass on what is not passed on")
	}
	_, query := sentTo(t, b.press(page, "allow"))
	if a := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))); a.StatusCode == http.StatusOK {
		t.Error("an address that is not confirmed opened what is shared with it")
	}
}

// Proves GRANT-3.3.3-04, GRANT-6.2-02.
func TestDetailsAreRememberedOnlyForWhoSaysSo(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	for _, remember := range []string{"", "yes"} {
		b := w.browser()
		_, query := sentTo(t, b.press(b.signIn(b.get(knock(w.C1, p.ticket(w))), w.Bob), "allow", "remember", remember))
		granted := w.postTicket(w.C1, uma.Ticket(query.Get("ticket")))
		if granted.StatusCode != http.StatusOK {
			t.Fatalf("not granted: %s", granted.Body)
		}
		if pct, _ := granted.json(t)["pct"].(string); (pct != "") != (remember == "yes") {
			t.Errorf("remember=%q: pct %q", remember, pct)
		}
	}
}

// Proves GRANT-5.1-01, SEC-062.
func TestForgedAnswerChangesNothing(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	b, stranger := w.browser(), w.browser()
	earlier := b.signIn(b.get(knock(w.C2, p.ticket(w))), w.Bob)
	page := b.get(knock(w.C1, p.ticket(w)))
	foreign := stranger.signIn(stranger.get(knock(w.C1, p.ticket(w))), w.Bob)
	good, _ := findForm(t, page.Body, "allow")
	signOut, _ := findForm(t, b.get(pathSignOut).Body, "sign-out")
	tokenOf := func(a answer) string {
		f, _ := findForm(t, a.Body, "allow")
		return f.values.Get("csrf")
	}
	token := good.values.Get("csrf")
	refused := func(name string, a answer) {
		t.Helper()
		if isErrorPage(t, a); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", name, a.StatusCode)
		}
	}
	for name, forged := range map[string]string{
		"no token": "", "a made-up token": "AAAA", "a token cut short": token[:len(token)-1],
		"the token of another browser": tokenOf(foreign), "the token of another form": signOut.values.Get("csrf"),
		"the token of the visit before": tokenOf(earlier),
	} {
		for _, action := range []string{"allow", "cancel", "switch", "sign-in"} {
			refused(name, b.post(good.action, url.Values{"csrf": {forged}, "action": {action}}))
		}
	}
	for _, site := range []string{"cross-site", "same-site"} {
		refused(site, b.postFrom(site, good.action, good.values))
	}
	for _, header := range []string{"frame-ancestors 'none'", "form-action 'self' https://c1.example;"} {
		if !strings.Contains(page.Header.Get("Content-Security-Policy"), header) {
			t.Errorf("the page has %s", page.Header.Get("Content-Security-Policy"))
		}
	}
	if page.Header.Get("X-Frame-Options") != "DENY" {
		t.Error("the page can be framed")
	}
	if uri, query := sentTo(t, b.press(page, "allow")); uri != "https://c1.example/claims" || query.Get("ticket") == "" {
		t.Errorf("after all that, the true answer leads to %s %v", uri, query)
	}
}

// Proves SEC-062.
func TestFormOfOneSessionDoesNotAnswerForAnother(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	asBob := b.signIn(b.get(knock(w.C1, w.photo().ticket(w))), w.Bob)
	asCarlos := b.signIn(b.press(asBob, "switch"), w.Carlos)
	if !strings.Contains(string(asCarlos.Body), "carlos@example.com") {
		t.Fatalf("Carlos is not asked: %s", asCarlos.Body)
	}
	if a := b.press(asBob, "allow"); a.StatusCode != http.StatusForbidden {
		t.Errorf("the page that was shown to Bob answers for Carlos: %d", a.StatusCode)
	}
	_, query := sentTo(t, b.press(asCarlos, "allow"))
	if a := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))); a.StatusCode == http.StatusOK {
		t.Error("Carlos got what is shared with Bob")
	}
}

// Proves SEC-063.
func TestVisitBelongsToTheBrowserThatBeganIt(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	attacker, victim := w.browser(), w.browser()
	page := attacker.signIn(attacker.get(knock(w.C1, p.ticket(w))), w.Carlos)
	handle := attacker.cookie(cookieVisit)
	if handle == "" || strings.Contains(page.Request.URL.String(), handle) || strings.Contains(string(page.Body), handle) {
		t.Error("the handle is elsewhere than in the cookie alone")
	}
	victim.signIn(victim.get(pathSignIn), w.Bob)
	for _, path := range []string{"", "?handle=" + handle, "?licet-claims=" + handle, "?visit=" + handle} {
		isErrorPage(t, victim.get(pathClaimsVisit+path))
	}
	form, _ := findForm(t, page.Body, "allow")
	isErrorPage(t, victim.post(form.action, form.values))

	// A session that the attacker planted ends at the victim's sign-in.
	planted := attacker.session()
	victim = w.browser()
	victim.setCookie("licet-session", planted)
	victim.signIn(victim.get(pathSignIn+"?return="+url.QueryEscape(pathAuthorize+"?x=1")), w.Bob)
	if now := victim.session(); now == "" || now == planted {
		t.Error("signing in keeps the session that was there")
	}
	if a := attacker.get(pathSignIn); strings.Contains(string(a.Body), "You are signed in") {
		t.Error("the planted session lives on")
	}
}

func (b *browser) session() string { return b.cookie("licet-session") }

func (b *browser) setCookie(name, value string) {
	u, err := url.Parse(b.w.Issuer)
	b.w.must(err)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func TestVisitEndsByItself(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.signIn(b.get(knock(w.C1, w.photo().ticket(w))), w.Bob)
	w.Clock.Advance(15 * time.Minute)
	isErrorPage(t, b.get(pathClaimsVisit))
	isErrorPage(t, b.press(page, "allow"))
}

func TestSecondAnswerChangesNothing(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.signIn(b.get(knock(w.C1, w.photo().ticket(w))), w.Bob)
	handle := b.cookie(cookieVisit)
	_, query := sentTo(t, b.press(page, "allow"))
	isErrorPage(t, b.press(page, "allow"))
	b.setCookie(cookieVisit, handle) // as the second of two clicks would have sent it
	isErrorPage(t, b.press(page, "allow"))
	isErrorPage(t, b.press(page, "cancel"))
	if a := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))); a.StatusCode != http.StatusOK {
		t.Errorf("the first answer does not hold: %s", a.Body)
	}
}

func TestWrongPasswordStaysInTheVisit(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.get(knock(w.C1, w.photo().ticket(w)))
	again := b.press(page, "sign-in", "email", w.Bob.Email, "password", "not this one")
	if email, _ := tagByID(t, again.Body, "email"); again.StatusCode != http.StatusUnprocessableEntity || attr(email, "value") != w.Bob.Email {
		t.Errorf("%d, %v", again.StatusCode, email)
	}
	if _, found := tagByID(t, b.signIn(again, w.Bob).Body, "allow"); !found {
		t.Error("the second attempt does not lead on")
	}
}

func TestParameterGivenTwiceIsAPage(t *testing.T) {
	w := newWorld(t)
	ticket := w.photo().ticket(w)
	for _, name := range []string{"client_id", "ticket", "claims_redirect_uri", "state"} {
		isErrorPage(t, w.browser().get(knock(w.C1, ticket, "state", "x")+"&"+name+"=x"))
	}
}

func TestPromisesAreMadeOneByOne(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	id := w.resource(pat, "Photo", "view")
	wish := policy.Share{
		Resource: id, Scopes: []uma.Scope{"view"}, Claims: withEmail(w.Bob.Email), Purpose: "planning the party", Terms: "https://rs1.example/terms",
	}
	share := w.share(w.Alice, wish)
	visit := func(who resident) (*browser, answer) {
		b := w.browser()
		return b, b.signIn(b.get(knock(w.C1, w.ticketFor(pat, id, "view"))), who)
	}

	t.Run("all are needed", func(t *testing.T) {
		b, page := visit(w.Bob)
		for _, want := range []string{"planning the party", "https://rs1.example/terms"} {
			if !strings.Contains(string(page.Body), want) {
				t.Errorf("the page does not say %q", want)
			}
		}
		boxes := map[string]string{}
		for tag := range tags(t, page.Body) {
			if strings.HasPrefix(attr(tag, "name"), "promise-") {
				boxes[attr(tag, "name")] = attr(tag, "value")
				if attr(tag, "type") != "checkbox" || !has(tag, "required") || has(tag, "checked") {
					t.Errorf("%v", tag)
				}
			}
		}
		if len(boxes) != 2 {
			t.Fatalf("the boxes are %v", boxes)
		}
		for _, ticked := range [][]string{{}, {"promise-0"}, {"promise-1"}} {
			var fill []string
			for _, name := range ticked {
				fill = append(fill, name, boxes[name])
			}
			if a := b.press(page, "allow", fill...); a.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("with %v: %d", ticked, a.StatusCode)
			}
		}
		_, query := sentTo(t, b.press(page, "allow", "promise-0", boxes["promise-0"], "promise-1", boxes["promise-1"]))
		if a := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))); a.StatusCode != http.StatusOK {
			t.Errorf("the promises do not open it: %s", a.Body)
		}
	})
	t.Run("and are told to nobody else", func(t *testing.T) {
		_, page := visit(w.Carlos)
		if strings.Contains(string(page.Body), "party") || strings.Contains(string(page.Body), "/terms") {
			t.Error("a stranger reads what the owner wants of others")
		}
	})
	t.Run("and cannot be changed under the hand", func(t *testing.T) {
		b, page := visit(w.Bob)
		before, _ := tagByID(t, page.Body, "promise-0")
		terms, _ := tagByID(t, page.Body, "promise-1")
		wish.Purpose = "whatever the owner likes"
		owner := as.Owner{Space: w.Alice.Space, Account: w.Alice.ID}
		if _, err := w.AS.ReplaceShare(context.Background(), owner, share.ID, 0, wish); err != nil {
			t.Fatal(err)
		}
		a := b.press(page, "allow", "promise-0", attr(before, "value"), "promise-1", attr(terms, "value"))
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(a.Body), wish.Purpose) {
			t.Errorf("%d %s", a.StatusCode, a.Body)
		}
	})
}

// A client that lost its registration while the person was reading gets nothing.
func TestDisabledClientDoesNotFinish(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := b.signIn(b.get(knock(w.C1, w.photo().ticket(w))), w.Bob)
	off := w.C1.Client
	off.Disabled = true
	if _, _, err := w.AS.RegisterClient(context.Background(), off); err != nil {
		t.Fatal(err)
	}
	isErrorPage(t, b.press(page, "allow"))
	isErrorPage(t, b.press(page, "cancel"))
}
