package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// asks has Bob ask for things of Alice's through the app, up to where he waits.
func (w *world) asks(scopes []uma.Scope, things ...uma.ResourceID) {
	w.t.Helper()
	ctx := w.t.Context()
	var asked []uma.Permission
	for _, id := range things {
		_, err := w.as.CreateShare(ctx, w.owner(), policy.Share{
			Resource: id, Scopes: scopes, Ask: true, Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{"bob@example.com"}}},
		})
		w.must(err)
		asked = append(asked, uma.Permission{Resource: id, Scopes: scopes})
	}
	ticket, err := w.as.RequestPermissions(ctx, w.photos, asked)
	w.must(err)
	handle, err := w.as.BeginInteraction(ctx, w.app, ticket, as.Interaction{RedirectURI: w.app.ClaimsRedirectURIs[0]})
	w.must(err)
	ticket, _, err = w.as.FinishInteraction(ctx, handle, w.bob.ID, nil, false)
	w.must(err)
	result, err := w.as.Redeem(ctx, w.app, uma.TokenRequest{Ticket: ticket}, "")
	w.must(err)
	if _, waits := result.(as.Submitted); !waits {
		w.t.Fatalf("Bob does not wait: %T", result)
	}

}

// Alice is asked, sees by what it is known who asks, gives less than was asked for,
// and it is in force; nothing is ticked for her.
func TestAliceAnswersWithLessThanWasAsked(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit")
	w.asks([]uma.Scope{"view", "edit"}, album)
	alice := w.at("alice@example.com")
	alice.see("/app/").says(t, "bob@example.com asks you something", "They would like to see and change Album, through Pulse Diary.")
	list := alice.see("/app/requests")
	list.says(t, "bob@example.com", "through Pulse Diary")
	path := strings.Split(strings.Split(list.body, `href="/app/requests/`)[1], `"`)[0]
	page := alice.see("/app/requests/" + path)
	page.says(t, "We know the mail address, not the face.", "Nothing is ticked for you.")
	if _, form := alice.form(page, "allow"); form.Get("do-0-0") != "" || form.Get("do-0-1") != "" {
		t.Errorf("something is ticked: %v", form)
	}
	if a := alice.press(page, "allow"); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text(), "Tick what may be done") {
		t.Errorf("yes to nothing: %s", a.Status)
	}
	before := len(w.shares())
	receipt := alice.press(page, "allow", "do-0-0", "view", "days", "1")
	receipt.says(t, "bob@example.com may see Album until 24 November 2026.")
	shares := w.shares()
	made := shares[slices.IndexFunc(shares, func(s as.Share) bool { return s.Client != "" })]
	if len(shares) != before+1 || len(made.Scopes) != 1 || made.Scopes[0] != "view" || made.Client != "diary" {
		t.Errorf("%+v", made)
	}
	alice.see("/app/requests").says(t, "Nobody waits for an answer.")
	alice.see("/app/requests/"+path).says(t, "You said yes to this.")
	if a := alice.press(page, "no"); a.StatusCode != http.StatusConflict {
		t.Errorf("an answer that comes too late: %s", a.Status)
	}
}

func TestAliceSaysNo(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	w.asks([]uma.Scope{"view"}, album)
	alice := w.at("alice@example.com")
	list := alice.see("/app/requests")
	path := strings.Split(strings.Split(list.body, `href="/app/requests/`)[1], `"`)[0]
	before := len(w.shares())
	alice.press(alice.see("/app/requests/"+path), "no").says(t, "Your answer is given.", "Nobody waits for an answer.")
	if len(w.shares()) != before {
		t.Error("no has shared")
	}
	if a := w.at("bob@example.com").get("/app/requests/" + path); a.StatusCode != http.StatusNotFound {
		t.Errorf("Bob reads Alice's request: %s", a.Status)
	}
}
