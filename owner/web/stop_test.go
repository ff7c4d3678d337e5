package web_test

import (
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// Who has stopped everything is told so by every page: nobody can get at anything, and
// nothing is connected. What was promised comes back by one press; who kept things
// stays out until they are connected anew.
func TestAfterStoppingEverythingNothingIsOpen(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	w.share(album, "bob@example.com", "view")
	w.share(w.thing("Diary", "view"), "anna@example.com", "view")
	token, err := w.as.IssueToken(t.Context(), "photos", w.alice.ID, w.alice.space, uma.ScopeProtection)
	w.must(err)
	alice := w.at("alice@example.com")
	alice.see("/app/me").says(t, "Photo Box")
	after := alice.press(alice.see("/app/stop"), "do-stop")
	after.says(t, "Everything is stopped.", "Nobody can see anything.")
	after.silent(t, "bob@example.com can")
	alice.see("/app/me").says(t, "Nothing is connected.")
	alice.see("/app/could?email=bob%40example.com&thing="+string(album)).says(t, "NoseeThis is not shared.")
	if n := len(w.shares()); n != 0 {
		t.Errorf("%d shares are left", n)
	}
	alice.press(after, "undo").says(t, "It is open again.")
	if n := len(w.shares()); n != 2 {
		t.Errorf("undone, there are %d shares", n)
	}
	if _, err := w.as.AuthenticatePAT(t.Context(), token.AccessToken); err == nil {
		t.Error("the service is in again")
	}
	if list, err := w.as.Connections(t.Context(), w.owner(), as.Page{Limit: 9}); err != nil || len(list) != 0 {
		t.Errorf("connected are %v, %v", list, err)
	}
}
