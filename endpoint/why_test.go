package endpoint

import (
	"net/http"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Whoever comes from an application is told where it went, and neither what for nor
// whose that is: nobody knows yet whether they may know.
func TestAVisitTellsWhereTheApplicationWentAndNoMore(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	id := w.resource(pat, "The summer", "comment")
	w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"comment"}, Ask: true, Claims: withEmail(w.Bob.Email)})
	b := w.browser()
	pages := []answer{b.get(knock(w.C1, w.ticketFor(pat, id, "comment")))}
	pages = append(pages, b.signIn(pages[0], w.Carlos))
	for _, page := range pages {
		text := string(page.Body)
		if want := "<b><bdi>Pulse Diary</bdi></b> went to <b><bdi>Photos</bdi></b>"; !strings.Contains(text, want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
		for _, secret := range []string{"The summer", "Alice", w.Alice.Email, "comment", string(id), string(w.Alice.Space)} {
			if strings.Contains(text, secret) {
				t.Errorf("the page says %q", secret)
			}
		}
	}
}

// A person says why, in so many characters and no more; the owner reads it.
func TestAPersonSaysWhyTheyAsk(t *testing.T) {
	w := newWorld(t)
	pat := w.pat(w.RS1, w.Alice)
	id := w.resource(pat, "Photo", "view")
	w.share(w.Alice, policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Ask: true, Claims: withEmail(w.Bob.Email)})
	b := w.browser()
	page := b.signIn(b.get(knock(w.C1, w.ticketFor(pat, id, "view"))), w.Bob)
	long := "<b>" + strings.Repeat("x", as.MaxWhy)
	refused := b.press(page, "allow", "why", long)
	if refused.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(refused.Body), "&lt;b&gt;"+strings.Repeat("x", as.MaxWhy)+"</textarea>") {
		t.Errorf("too long a reason: %s\n%s", refused.Status, refused.Body)
	}
	if field, _ := tagByID(t, refused.Body, "why"); attr(field, "aria-invalid") != "true" || !strings.Contains(attr(field, "aria-describedby"), "problem") {
		t.Errorf("it is not said of the field: %v", field)
	}
	_, query := sentTo(t, b.press(refused, "allow", "why", "I help with the medicine."))
	if a := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))); a.json(t)["error"] != "request_submitted" {
		t.Fatalf("the owner is not asked: %s", a.Body)
	}
	list, err := w.AS.Requests(t.Context(), as.Owner{Space: w.Alice.Space, Account: w.Alice.ID}, as.RequestPending, as.Page{Limit: 10})
	w.must(err)
	if len(list) != 1 || list[0].Why != "I help with the medicine." {
		t.Errorf("the owner reads %+v", list)
	}
}

// Whoever is signed in as somebody else changes that, and the visit goes on.
func TestTheWrongAccountIsLeftWithoutLosingTheVisit(t *testing.T) {
	w := newWorld(t)
	p := w.photo()
	b := w.browser()
	page := b.signIn(b.get(knock(w.C1, p.ticket(w))), w.Carlos)
	again := b.press(page, "switch")
	if !strings.Contains(string(again.Body), "Pulse Diary") {
		t.Fatalf("the visit is lost:\n%s", again.Body)
	}
	_, query := sentTo(t, b.press(b.signIn(again, w.Bob), "allow"))
	if a := w.postTicket(w.C1, uma.Ticket(query.Get("ticket"))); a.StatusCode != http.StatusOK {
		t.Errorf("Bob does not get what is his: %s", a.Body)
	}
}
