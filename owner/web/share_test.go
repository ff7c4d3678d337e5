package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

// Sharing takes at most five acts: a press, an address, a look, a press; stopping
// takes two, and shows before what it does.
func TestAliceSharesInFiveActsAndStopsInTwo(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Summer in Brittany", "view", "download", "delete")
	alice := w.at("alice@example.com")
	home := alice.see("/app/")
	home.says(t, "Nobody can see anything of yours.", "1 thing is known here")
	page := alice.see("/app/things/" + string(album))
	page.says(t, "Only you can see this.", "Kept at Photo Box")

	alice.pages = 0
	questions := alice.see("/app/share?thing=" + string(album))
	typing := 1
	check := alice.press(questions, "check", "email", " BOB@example.com")
	check.says(t, "bob@example.com may see Summer in Brittany until 23 December 2026.", "Stays closed", "E-mail address checked")
	check.silent(t, "More people than you know")
	if len(w.shares()) != 0 {
		t.Fatal("looking at the sentence has shared already")
	}
	receipt := alice.press(check, "do-share")
	receipt.says(t, "bob@example.com may see Summer in Brittany until 23 December 2026.", "In force")
	if acts := alice.pages + typing; acts > 5 {
		t.Errorf("sharing takes %d acts", acts)
	}
	shares := w.shares()
	if len(shares) != 1 || len(shares[0].Scopes) != 1 || shares[0].Scopes[0] != "view" || !shares[0].NotAfter.Equal(w.now.AddDate(0, 0, 30)) {
		t.Fatalf("shared is %+v", shares)
	}
	alice.see("/app/").says(t, "1 person can see something of yours.", "1 of your things is open.", "You opened Summer in Brittany to bob@example.com")

	alice.pages = 0
	impact := alice.see("/app/stop?share=" + string(shares[0].ID))
	impact.says(t, "bob@example.com may see Summer in Brittany", "Nobody is in at the moment.")
	stopped := alice.press(impact, "do-stop")
	if alice.pages > 2 {
		t.Errorf("stopping takes %d acts", alice.pages)
	}
	if len(w.shares()) != 0 {
		t.Error("it is not stopped")
	}
	stopped.says(t, "Stopped.")
	back := alice.press(stopped, "undo")
	back.says(t, "It is open again.")
	if shares := w.shares(); len(shares) != 1 || shares[0].Scopes[0] != "view" {
		t.Errorf("undone, it is %+v", shares)
	}
}

// Whoever presses twice shares once.
func TestAPressTooManySharesOnce(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	alice := w.at("alice@example.com")
	check := alice.press(alice.see("/app/share?thing="+string(album)), "check", "email", "bob@example.com")
	alice.press(check, "do-share")
	alice.press(check, "do-share")
	if n := len(w.shares()); n != 1 {
		t.Errorf("%d shares", n)
	}
}

// What is left to say is said, and what was said is kept.
func TestSharingSaysWhatIsLeftToDo(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit")
	alice := w.at("alice@example.com")
	questions := alice.see("/app/share?thing=" + string(album))
	for name, c := range map[string]struct {
		fill []string
		want string
	}{
		"nobody":       {nil, "Write the e-mail address of the person"},
		"no address":   {[]string{"email", "bob"}, "Write the e-mail address of the person"},
		"nothing":      {[]string{"email", "bob@example.com", "do-0", ""}, "Tick what may be done."},
		"no time":      {[]string{"email", "bob@example.com", "days", "9"}, "Say until when."},
		"long-winded":  {[]string{"email", "bob@example.com", "why", strings.Repeat("x", 501)}, "Say why in fewer words."},
		"no domain":    {[]string{"who", "domain", "domain", "not a domain"}, "Write how the addresses end"},
		"nobody known": {[]string{"who", "stranger"}, "Say who it is for."},
	} {
		page := alice.press(questions, "check", append(c.fill, "why", firstOf(c.fill, "why", "for the party"))...)
		if page.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page.text(), c.want) {
			t.Errorf("%s: %s %s", name, page.Status, page.text())
		}
		if name != "long-winded" && !strings.Contains(page.body, "for the party") {
			t.Errorf("%s: what was said is lost", name)
		}
	}
	foreign := alice.press(questions, "check", "email", "bob@example.com", "do-0", "delete")
	if foreign.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("what the thing does not have is taken: %s", foreign.Status)
	}
	if len(w.shares()) != 0 {
		t.Error("something was shared")
	}
}

func firstOf(fill []string, name, otherwise string) string {
	for i := 0; i+1 < len(fill); i += 2 {
		if fill[i] == name {
			return fill[i+1]
		}
	}
	return otherwise
}

// "Anyone whose e-mail ends in @clinic.example" is a wish of its own.
func TestASentenceIsForAnyoneAtADomain(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Readings", "view")
	alice := w.at("alice@example.com")
	check := alice.press(alice.see("/app/share?thing="+string(album)), "check", "who", "domain", "domain", "Clinic.example", "days", "x", "why", "to look after me")
	check.says(t, "More people than you know can come by this.", "Anyone whose e-mail ends in @clinic.example may see Readings until you stop it, for this: to look after me.")
	alice.press(check, "do-share")
	shares := w.shares()
	if len(shares) != 1 || shares[0].Claims[0].Values[0] != "*@clinic.example" || !shares[0].NotAfter.IsZero() || shares[0].Purpose != "to look after me" {
		t.Errorf("%+v", shares)
	}
}

// Nobody sees, shares or stops what is not theirs; absent and not theirs are alike.
func TestWhatIsNotTheirsIsNotThere(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Secret album", "view")
	share := w.share(album, "anna@example.com", "view")
	bob := w.at("bob@example.com")
	for _, path := range []string{
		"/app/things/%s", "/app/share?thing=%s", "/app/stop?thing=%s",
	} {
		theirs, none := bob.get(strings.Replace(path, "%s", string(album), 1)), bob.get(strings.Replace(path, "%s", "nothing", 1))
		if theirs.StatusCode != none.StatusCode || theirs.text() != none.text() || theirs.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s %s, and of nothing %s %s", path, theirs.Status, theirs.text(), none.Status, none.text())
		}
		theirs.silent(t, "Secret album")
	}
	for _, path := range []string{"/app/shares/%s", "/app/stop?share=%s"} {
		theirs, none := bob.get(strings.Replace(path, "%s", string(share.ID), 1)), bob.get(strings.Replace(path, "%s", "nothing", 1))
		if theirs.StatusCode != none.StatusCode || theirs.text() != none.text() || theirs.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s %s, and of nothing %s %s", path, theirs.Status, theirs.text(), none.Status, none.text())
		}
	}
	photos := w.photos
	w.photos.Space = w.bob.space
	own := w.thing("Bob's album", "view")
	w.photos = photos
	form := url.Values{"csrf": {csrf(t, bob.see("/app/share?thing="+string(own)))}, "share": {string(share.ID)}}
	if a := bob.post("/app/stop", form, "same-origin"); a.StatusCode != http.StatusNotFound {
		t.Errorf("Bob stops it: %s", a.Status)
	}
	if len(w.shares()) != 1 {
		t.Error("it is stopped")
	}
}

var regexpNext = regexp.MustCompile(`rel="next" href="([^"]*)"`)

// csrf is the token of the forms on a page.
func csrf(t *testing.T, a answer) string {
	t.Helper()
	for e := range elements(t, a.body) {
		name, value := "", ""
		for _, one := range e.Attr {
			switch one.Name.Local {
			case "name":
				name = one.Value
			case "value":
				value = one.Value
			}
		}
		if name == "csrf" {
			return value
		}
	}
	return ""
}

// A form of another page, person or browser does nothing.
//
// Proves SEC-062.
func TestAForgedFormChangesNothing(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	share := w.share(album, "bob@example.com", "view")
	alice := w.at("alice@example.com")
	path, form := alice.form(alice.see("/app/stop?share="+string(share.ID)), "do-stop")
	for name, try := range map[string]func() answer{
		"another site's page": func() answer { return alice.post(path, form, "cross-site") },
		"another origin":      func() answer { return alice.post(path, form, "same-site") },
		"no token": func() answer {
			return alice.post(path, url.Values{"share": form["share"]}, "same-origin")
		},
		"another browser of hers": func() answer { return w.at("alice@example.com").post(path, form, "same-origin") },
		"another person":          func() answer { return w.at("bob@example.com").post(path, form, "same-origin") },
	} {
		if a := try(); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	if len(w.shares()) != 1 {
		t.Fatal("it is stopped")
	}
	if a := alice.post(path, form, "same-origin"); a.StatusCode != http.StatusSeeOther || len(w.shares()) != 0 {
		t.Errorf("the control: %s", a.Status)
	}
}

// Looking changes nothing, and whoever is not signed in is sent to do that and comes
// back.
func TestWhoIsNotSignedInIsSentThereAndBack(t *testing.T) {
	w := newWorld(t)
	a := w.at("").get("/app/things?q=album")
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/sign-in?return=%2Fapp%2Fthings%3Fq%3Dalbum" {
		t.Errorf("%s %s", a.Status, a.Header.Get("Location"))
	}
	a = w.at("").post("/app/stop", url.Values{"share": {"x"}}, "same-origin")
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/sign-in?return=%2Fapp%2F" {
		t.Errorf("%s %s", a.Status, a.Header.Get("Location"))
	}
}

// A thing is found by a part of its name, and lists go on page by page.
func TestThingsAreFound(t *testing.T) {
	w := newWorld(t)
	for i := range 60 {
		w.thing("Album "+strings.Repeat("i", i+1), "view")
	}
	w.thing("Blood pressure", "view")
	alice := w.at("alice@example.com")
	found := alice.see("/app/things?q=BLOOD")
	found.says(t, "Blood pressure")
	found.silent(t, "Album i")
	first := alice.see("/app/things")
	next := regexpNext.FindStringSubmatch(first.body)
	if next == nil {
		t.Fatal("there is no next page")
	}
	second := alice.see(strings.ReplaceAll(next[1], "&amp;", "&"))
	if strings.Count(first.body, `<li><div class="who">`)+strings.Count(second.body, `<li><div class="who">`) != 61 {
		t.Error("things are lost between the pages")
	}
	if a := alice.get("/app/things?after=forged"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("a forged place in the list: %s", a.Status)
	}
}

// Whoever looks is told when something has happened, and by nothing else.
func TestThePageIsToldWhenItIsOutOfDate(t *testing.T) {
	w := newWorld(t)
	alice := w.at("alice@example.com")
	r, err := http.NewRequest(http.MethodGet, w.srv.URL+"/app/live", nil)
	w.must(err)
	response, err := alice.client.Do(r)
	w.must(err)
	defer func() { _ = response.Body.Close() }()
	if response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s", response.Header)
	}
	said := make(chan string, 16)
	go func() {
		defer close(said)
		buffer := make([]byte, 1024)
		for {
			n, err := response.Body.Read(buffer)
			if n > 0 {
				said <- string(buffer[:n])
			}
			if err != nil {
				return
			}
		}
	}()
	if first := <-said; !strings.HasPrefix(first, "retry:") {
		t.Fatalf("it begins with %q", first)
	}
	w.thing("Album", "view")
	select {
	case text := <-said:
		if !strings.Contains(text, "event: changed") || strings.Contains(text, "Album") {
			t.Errorf("it says %q", text)
		}
	case <-time.After(30 * time.Second):
		t.Error("nothing is said")
	}
}

// A scope that nobody has put in words is not shown as it is, but for experts.
func TestWhatHasNoWordsIsNotShownRaw(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "urn:x:weird-thing")
	w.share(album, "bob@example.com", uma.Scope("urn:x:weird-thing"))
	alice := w.at("alice@example.com")
	alice.see("/app/").silent(t, "weird-thing")
	page := alice.see("/app/things/" + string(album))
	page.says(t, "do something that the service has not put in words")
	if strings.Count(page.body, "weird-thing") != 1 {
		t.Errorf("it is shown elsewhere than to experts: %s", page.text())
	}
}
