package endpoint

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/limit"
)

// fewAttempts lets an account be tried three times.
func fewAttempts(c *as.Config) {
	c.Attempts = as.Attempts{Account: limit.Rate{Count: 3, Per: 15 * time.Minute}, Address: limit.Off}
}

// lockOut uses up what may be tried on an account, from another browser.
func (w *world) lockOut(email string) answer {
	w.t.Helper()
	b := w.browser()
	for range 3 {
		wantStatus(w.t, b.press(b.get(pathSignIn), "sign-in", "email", email, "password", "not the password"), http.StatusUnprocessableEntity)
	}
	return b.press(b.get(pathSignIn), "sign-in", "email", email, "password", "not the password")
}

// One attempt too many has the same answer, whether there is such an account or
// not, and whether the password would be right or not.
//
// Proves SEC-098.
func TestOneAttemptTooManyTellsNothing(t *testing.T) {
	w := newWorld(t, fewAttempts)
	known, unknown := w.lockOut(w.Bob.Email), w.lockOut("nobody@example.com")
	right := w.browser()
	page := right.signIn(right.get(pathSignIn), w.Bob)
	for _, a := range []answer{known, unknown, page} {
		if wait := wantLater(t, a); wait != 15*time.Minute {
			t.Errorf("wait %v", wait)
		}
		if string(a.Body) != string(known.Body) || !strings.Contains(string(a.Body), "Try again in 15 minutes.") {
			t.Errorf("the page is\n%s\nwant\n%s", a.Body, known.Body)
		}
	}
	if right.session() != "" {
		t.Error("it signed in all the same")
	}
	w.Clock.Advance(15 * time.Minute)
	if right.signIn(right.get(pathSignIn), w.Bob); right.session() == "" {
		t.Error("after the time the right password is refused")
	}
}

// The lockout is reached while somebody is on their way: the step that proves who
// they are refuses, and nothing comes of what was begun. Afterwards it goes on
// from there.
//
// Proves SEC-099, PEER-CVE-2026-16103.
func TestALockoutOnTheWayIsALockoutAtTheEnd(t *testing.T) {
	t.Run("claims gathering", func(t *testing.T) {
		w := newWorld(t, fewAttempts, func(c *as.Config) { c.Lifetimes.Interaction = time.Hour })
		p := w.photo()
		b := w.browser()
		page := b.get(knock(w.C1, p.ticket(w)))
		w.lockOut(w.Bob.Email)
		wantLater(t, b.signIn(page, w.Bob))
		if again := b.get(pathClaimsVisit); !strings.Contains(string(again.Body), `id="sign-in"`) {
			t.Errorf("the visit goes on without anybody:\n%s", again.Body)
		}
		w.Clock.Advance(15 * time.Minute)
		to, query := sentTo(t, b.press(b.signIn(b.get(pathClaimsVisit), w.Bob), "allow"))
		if query.Get("ticket") == "" {
			t.Errorf("sent to %s with %v", to, query)
		}
	})
	t.Run("authorization", func(t *testing.T) {
		w := newWorld(t, fewAttempts)
		b := w.browser()
		page := b.get(authorizePath(ask(w.C1, "openid")))
		w.lockOut(w.Bob.Email)
		wantLater(t, b.signIn(page, w.Bob))
		if b.session() != "" {
			t.Error("it signed in all the same")
		}
	})
	t.Run("a new sign-in that the application asks for", func(t *testing.T) {
		w := newWorld(t, fewAttempts)
		b, others := w.browser(), w.browser()
		b.signIn(b.get(pathSignIn), w.Bob)
		w.lockOut(w.Bob.Email)
		// Where Bob is signed in he stays so, and signs in anew.
		asked := ask(w.C1, "openid")
		asked.Set("prompt", "login")
		_, query := sentTo(t, b.press(b.signIn(b.get(authorizePath(asked)), w.Bob), "allow"))
		if query.Get("code") == "" {
			t.Errorf("sent back with %v", query)
		}
		wantLater(t, others.signIn(others.get(authorizePath(asked)), w.Bob))
	})
}
