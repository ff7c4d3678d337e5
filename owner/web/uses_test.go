package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// uses has Bob use a thing so often through the app, as the service that keeps it sees.
func (w *world) uses(times int, scopes []uma.Scope, thing uma.ResourceID) {
	w.t.Helper()
	result := w.redeems(scopes, thing)
	granted, in := result.(as.Granted)
	if !in {
		w.t.Fatalf("Bob gets %T", result)
	}
	for range times {
		_, err := w.as.Introspect(w.t.Context(), w.photos, granted.AccessToken)
		w.must(err)
	}
	w.must(w.as.FlushUses(w.t.Context()))
}

// What was really used is told where somebody looks for it: who, through which app, how
// often, on which day; and to nobody else.
func TestWhatWasReallyUsedIsTold(t *testing.T) {
	w := newWorld(t)
	album, diary := w.thing("Album", "view"), w.thing("Diary", "view")
	w.share(album, "bob@example.com", "view")
	w.share(diary, "bob@example.com", "view")
	alice := w.at("alice@example.com")
	alice.see("/app/things/"+string(album)).says(t, "Nobody has used it lately.")
	w.uses(3, []uma.Scope{"view"}, album)
	w.now = w.now.Add(time.Hour)
	w.uses(2, []uma.Scope{"view"}, album)
	w.now = w.now.AddDate(0, 0, 1)
	w.uses(1, []uma.Scope{"view"}, album)
	w.uses(7, []uma.Scope{"view"}, diary)

	page := alice.see("/app/things/" + string(album))
	page.says(t, "bob@example.com used Album through Pulse Diary, 5 times", "bob@example.com used Album through Pulse Diary, once")
	page.silent(t, "used <b>Diary")
	alice.see("/app/history").says(t, "bob@example.com used Diary through Pulse Diary, 7 times", "used Album through Pulse Diary, 5 times")
	narrowed := alice.see("/app/history?thing=" + string(diary))
	narrowed.says(t, "used Diary through Pulse Diary, 7 times")
	if strings.Contains(narrowed.text(), "used Album") {
		t.Error("narrowed to the diary, it tells of the album")
	}
	path := strings.Split(strings.Split(alice.see("/app/people?q=bob").body, `href="/app/people/`)[1], `"`)[0]
	alice.see("/app/people/"+path).says(t, "used Diary through Pulse Diary, 7 times")
	alice.see("/app/apps/diary").says(t, "used Album through Pulse Diary, once")
	if bob := w.at("bob@example.com").see("/app/history"); strings.Contains(bob.text(), "Pulse Diary") {
		t.Error("Bob reads Alice's history")
	}
}

// Who came by the word of a group or a domain is told by the address that was checked,
// and who came by a link without saying who they are is nobody.
func TestWhoeverUsesSomethingIsNamedAsFarAsIsKnown(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	alice := w.at("alice@example.com")
	alice.press(alice.press(alice.see("/app/share?thing="+string(album)), "check", "who", "domain", "domain", "example.com"), "do-share")
	w.uses(2, []uma.Scope{"view"}, album)
	alice.see("/app/things/"+string(album)).says(t, "bob@example.com used Album through Pulse Diary, 2 times")
}

// What was open before is opened again by way of the page that says what it would be.
func TestWhatWasOpenIsOpenedAgain(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit")
	share := w.share(album, "bob@example.com", "view")
	alice := w.at("alice@example.com")
	page := alice.see("/app/things/" + string(album))
	if strings.Contains(page.text(), "What was open before") {
		t.Error("what is open is told as past")
	}
	alice.press(alice.see("/app/stop?share="+string(share.ID)), "do-stop")
	page = alice.see("/app/things/" + string(album))
	page.says(t, "What was open before", "bob@example.com could see Album.", "stopped")
	href := strings.ReplaceAll(strings.Split(strings.Split(page.body, `href="/app/reopen?`)[1], `"`)[0], "&amp;", "&")
	again := alice.see("/app/reopen?" + href)
	again.says(t, "bob@example.com may see Album until 23 December 2026.", "What bob@example.com will see", "Stays closed: change")
	if len(w.shares()) != 0 {
		t.Fatal("looking has opened it")
	}
	alice.press(again, "do-reopen").says(t, "bob@example.com may see Album", "In force")
	alice.press(again, "do-reopen")
	if n := len(w.shares()); n != 1 {
		t.Errorf("pressed twice there are %d shares", n)
	}
	if strings.Contains(alice.see("/app/things/"+string(album)).text(), "What was open before") {
		t.Error("what is open again is told as past")
	}
	bob := w.at("bob@example.com")
	if theirs, none := bob.get("/app/reopen?"+href), bob.get("/app/reopen?share=none&version=1"); theirs.StatusCode != http.StatusNotFound || theirs.text() != none.text() {
		t.Errorf("Bob sees Alice's past: %s", theirs.Status)
	}

	w.now = w.now.AddDate(0, 0, 31)
	page = alice.see("/app/things/" + string(album))
	page.says(t, "bob@example.com could see Album.", "ended by itself")
	_, rest, _ := strings.Cut(page.body, `<a class="btn slim" href="`)
	anew, _, _ := strings.Cut(rest, `"`)
	questions := alice.see(strings.ReplaceAll(anew, "&amp;", "&"))
	if email := valueOf(t, questions, "email"); email != "bob@example.com" {
		t.Errorf("asked anew, it is for %q", email)
	}
}

// Something is shared with somebody from their own page.
func TestSomethingIsSharedFromAPersonsPage(t *testing.T) {
	w := newWorld(t)
	w.share(w.thing("Album", "view"), "bob@example.com", "view")
	diary := w.thing("Diary", "view")
	alice := w.at("alice@example.com")
	path := strings.Split(strings.Split(alice.see("/app/people?q=bob").body, `href="/app/people/`)[1], `"`)[0]
	alice.see("/app/people/"+path).says(t, "Share something with them")
	alice.pages = 0
	list := alice.see("/app/things?" + url.Values{"with": {path}}.Encode())
	list.says(t, "What would you like to share with bob@example.com?")
	if !strings.Contains(list.body, "/app/share?thing="+string(diary)+"&amp;with="+path) {
		t.Errorf("the list leads elsewhere: %s", list.body)
	}
	questions := alice.see("/app/share?thing=" + string(diary) + "&with=" + path)
	alice.press(alice.press(questions, "check"), "do-share").says(t, "bob@example.com may see Diary")
	if alice.pages+1 > 5 {
		t.Errorf("it takes %d acts", alice.pages+1)
	}
	for _, path := range []string{"/app/things?with=nobody", "/app/share?thing=" + string(diary) + "&with=nobody"} {
		if a := alice.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, a.Status)
		}
	}
}
