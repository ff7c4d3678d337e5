package endpoint

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/limit"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// linked is a thing of Alice's with a link to it.
func (w *world) linked(name string, change func(*policy.Share)) (pat string, id uma.ResourceID, share as.Share, path string) {
	w.t.Helper()
	pat = w.pat(w.RS1, w.Alice)
	id = w.resource(pat, name, "view", "comment")
	wish := policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, NotAfter: w.Clock.Now().Add(24 * time.Hour)}
	if change != nil {
		change(&wish)
	}
	share, secret, err := w.AS.ShareByLink(w.t.Context(), as.Owner{Space: w.Alice.Space, Account: w.Alice.ID}, wish)
	w.must(err)
	return pat, id, share, "/l/" + secret
}

// Whoever has a link sees who opens what to them, and until when; takes it; and gets
// in with their app, without saying who they are.
func TestALinkIsTakenAndOpensWhatItIsTo(t *testing.T) {
	w := newWorld(t)
	pat, id, _, path := w.linked("The summer", nil)
	b := w.browser()
	page := b.get(path)
	text := string(page.Body)
	if page.StatusCode != http.StatusOK || !strings.Contains(text, "<bdi>Alice</bdi> opens something to you") || !strings.Contains(text, "The summer") || !strings.Contains(text, "5 March 2026") {
		t.Fatalf("the page is %s\n%s", page.Status, text)
	}
	for _, secret := range []string{strings.TrimPrefix(path, "/l/"), "comment", w.Alice.Email, string(id)} {
		if strings.Contains(text, secret) {
			t.Errorf("the page says %q", secret)
		}
	}
	if page.Request.URL.Path != pathOpened || page.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("the address is %s with %s", page.Request.URL, page.Header.Get("Referrer-Policy"))
	}
	// Looking at it is not taking it.
	if page := b.get(knock(w.C1, w.ticketFor(pat, id, "view"))); !strings.Contains(string(page.Body), `id="sign-in"`) {
		t.Error("a link that was only looked at opens something")
	}
	taken := b.press(b.get(pathOpened), "take")
	if _, found := tagByID(t, taken.Body, "held"); !found {
		t.Fatalf("it is not taken:\n%s", taken.Body)
	}
	visit := b.get(knock(w.C1, w.ticketFor(pat, id, "view")))
	if text := string(visit.Body); !strings.Contains(text, "You have a link to this") || strings.Contains(text, `id="why"`) || strings.Contains(text, `id="remember"`) {
		t.Errorf("the visit says %s", text)
	}
	_, query := sentTo(t, b.press(visit, "allow"))
	granted := w.postTicket(w.C1, uma.Ticket(query.Get("ticket")))
	if granted.StatusCode != http.StatusOK || granted.json(t)["pct"] != nil {
		t.Errorf("the link does not open it: %s", granted.Body)
	}
	// It opens that thing, and no other.
	other := w.resource(pat, "Another", "view")
	if page := b.get(knock(w.C1, w.ticketFor(pat, other, "view"))); strings.Contains(string(page.Body), "You have a link") {
		t.Error("a link to one thing is told for another")
	}
	// What is forgotten opens nothing.
	b.press(b.get(pathOpened), "drop")
	if page := b.get(knock(w.C1, w.ticketFor(pat, id, "view"))); strings.Contains(string(page.Body), "You have a link") {
		t.Error("a link that was forgotten opens something")
	}
}

// Whoever would rather say who they are does, and has the link all the same.
func TestWhoHasALinkMaySayWhoTheyAre(t *testing.T) {
	w := newWorld(t)
	pat, id, _, path := w.linked("The summer", func(s *policy.Share) { s.Purpose = "planning the party" })
	b := w.browser()
	b.press(b.get(path), "take")
	visit := b.get(knock(w.C1, w.ticketFor(pat, id, "view")))
	if refused := b.press(visit, "allow"); refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without the promise that the link asks for: %s", refused.Status)
	}
	in := b.signIn(b.press(visit, "who"), w.Bob)
	if !strings.Contains(string(in.Body), "that you have a link to it") {
		t.Fatalf("signed in, Bob is told:\n%s", in.Body)
	}
	promise, _ := tagByID(t, in.Body, "promise-0")
	_, query := sentTo(t, b.press(in, "allow", "promise-0", attr(promise, "value")))
	if granted := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))); granted.StatusCode != http.StatusOK {
		t.Errorf("the link does not open it: %s", granted.Body)
	}
}

// A page about one link does not take or forget another that the browser came by
// meanwhile.
func TestThePageOfALinkIsAboutThatLink(t *testing.T) {
	w := newWorld(t)
	_, _, _, first := w.linked("The summer", nil)
	_, _, _, second := w.linked("The winter", nil)
	b := w.browser()
	page := b.get(first)
	b.get(second)
	if a := b.press(page, "take"); a.StatusCode != http.StatusForbidden {
		t.Errorf("the page about the first takes the second: %s", a.Status)
	}
	if _, held := tagByID(t, b.get(pathOpened).Body, "held"); held {
		t.Error("the second is held")
	}
}

// A link that never was, has ended, was withdrawn, or whose thing is gone is one
// answer; also where it was taken before.
func TestALinkThatIsDeadNeverWas(t *testing.T) {
	w := newWorld(t)
	owner := as.Owner{Space: w.Alice.Space, Account: w.Alice.ID}
	dead := map[string]string{"never was": "/l/" + strings.Repeat("A", 43), "nothing": "/l/x", "too long": "/l/" + strings.Repeat("A", 4000), "not a text": "/l/%ff%00"}
	for name, end := range map[string]func(share as.Share){
		"withdrawn": func(share as.Share) { w.must(w.AS.WithdrawShare(t.Context(), owner, share.ID, 0)) },
		"ended":     func(as.Share) { w.Clock.Advance(25 * time.Hour) },
	} {
		_, _, share, path := w.linked(name, nil)
		b := w.browser()
		page := b.press(b.get(path), "take")
		end(share)
		dead[name] = path
		for what, a := range map[string]answer{"looked at again": b.get(pathOpened), "forgotten": b.press(page, "drop")} {
			if isErrorPage(t, a); a.StatusCode != http.StatusNotFound {
				t.Errorf("%s, %s: %s", name, what, a.Status)
			}
		}
	}
	first := ""
	for name, path := range dead {
		a := w.browser().get(path)
		if isErrorPage(t, a); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", name, a.Status)
		}
		message := string(a.Body)[strings.Index(string(a.Body), `id="message"`):]
		message = message[:strings.Index(message, "</p>")]
		if first == "" {
			first = message
		}
		if message != first {
			t.Errorf("%s is told %q, and another %q", name, message, first)
		}
	}
	if a := w.browser().get(pathOpened); a.StatusCode != http.StatusNotFound {
		t.Errorf("without a link: %s", a.Status)
	}
}

// A link is taken by the form of its page, and by nothing else.
func TestALinkIsNotTakenByLooking(t *testing.T) {
	w := newWorld(t)
	pat, id, _, path := w.linked("The summer", nil)
	b := w.browser()
	form, _ := findForm(t, b.get(path).Body, "take")
	for name, a := range map[string]answer{
		"from another site": b.postFrom("cross-site", pathOpened, form.values), "without a token": b.post(pathOpened, url.Values{"action": {"take"}}),
		"by an address": b.get(pathOpened + "?action=take"), "by a made-up answer": b.post(pathOpened, url.Values{"action": {"give"}, "csrf": form.values["csrf"]}),
	} {
		if name != "by an address" && a.StatusCode < 400 {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	if page := b.get(knock(w.C1, w.ticketFor(pat, id, "view"))); strings.Contains(string(page.Body), "You have a link") {
		t.Error("it was taken")
	}
}

// Whoever tries many links is refused before the next is looked at.
func TestLinksAreNotGuessed(t *testing.T) {
	w := newWorld(t)
	_, _, _, path := w.linked("The summer", nil)
	w.Server.budgets = newBudgets(Limits{Address: limit.Rate{Count: 3, Per: time.Minute}, Public: limit.Off, Client: limit.Off, Registration: limit.Off})
	b := w.browser()
	for range 3 {
		if a := b.get("/l/guess"); a.StatusCode != http.StatusNotFound {
			t.Errorf("a guess: %s", a.Status)
		}
	}
	for _, path := range []string{"/l/guess", path} {
		if a := b.get(path); a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
			t.Errorf("after too many guesses: %s", a.Status)
		}
	}
}
