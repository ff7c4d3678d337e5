package endpoint

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

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
