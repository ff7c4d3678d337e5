package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// Whoever looks after somebody chooses for whom they act, sees it on every page, and
// what they do is written down with their name; whoever may only look changes nothing.
func TestBobActsForAliceUnderHisOwnName(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	_, err := w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleDelegate, w.now.AddDate(1, 0, 0))
	w.must(err)
	bob := w.at("bob@example.com")
	bob.see("/app/").silent(t, "You act for")
	me := bob.see("/app/me")
	me.says(t, "For whom I act", "Alice", "you act for them")
	home := bob.press(me, "act-"+string(w.alice.space))
	home.says(t, "You act for Alice. Everything you do here is written down with your name.", "1 thing is known here")
	check := bob.press(bob.see("/app/share?thing="+string(album)), "check", "email", "carol@example.com")
	bob.press(check, "do-share")
	w.at("alice@example.com").see("/app/history").says(t, "Bob for Alice opened Album to carol@example.com")

	_, err = w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleViewer, time.Time{})
	w.must(err)
	page := bob.see("/app/things/" + string(album))
	page.says(t, "You look at the things of Alice.")
	page.silent(t, `id="share"`)
	if a := bob.get("/app/share?thing=" + string(album)); a.StatusCode != http.StatusForbidden {
		t.Errorf("who may only look shares: %s", a.Status)
	}
	w.must(w.as.EndRole(t.Context(), w.owner(), w.bob.ID))
	if a := bob.get("/app/things/" + string(album)); a.StatusCode != http.StatusNotFound {
		t.Errorf("a role that was ended still looks: %s", a.Status)
	}
}

// A service that is connected is seen, and is disconnected with one press.
func TestAServiceIsDisconnected(t *testing.T) {
	w := newWorld(t)
	token, err := w.as.IssueToken(t.Context(), "photos", w.alice.ID, w.alice.space, uma.ScopeProtection)
	w.must(err)
	alice := w.at("alice@example.com")
	me := alice.see("/app/me")
	me.says(t, "Photo Box", "keeps things of yours")
	id := strings.Split(strings.Split(me.body, `id="end-`)[1], `"`)[0]
	alice.press(me, "end-"+id).says(t, "Nothing is connected.")
	if _, err := w.as.AuthenticatePAT(t.Context(), token.AccessToken); err == nil {
		t.Error("the service still has its key")
	}
	if a := w.at("bob@example.com").post("/app/connections/"+id+"/end", nil, "same-origin"); a.StatusCode != http.StatusForbidden {
		t.Errorf("without a form: %s", a.Status)
	}
}

// Whoever has nothing here is at home on the page about themselves.
func TestAGuestIsAtHomeWithThemselves(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.as.CreateAccount(t.Context(), as.Account{Email: "guest@example.com", EmailVerified: true}, "")
	w.must(err)
	guest := w.at("guest@example.com")
	if a := guest.get("/app/"); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/app/me" {
		t.Errorf("%s %s", a.Status, a.Header.Get("Location"))
	}
	guest.see("/app/me").says(t, "guest@example.com", "Nothing is connected.")
	if a := guest.get("/app/things"); a.StatusCode != http.StatusNotFound {
		t.Errorf("things of nobody: %s", a.Status)
	}
}
