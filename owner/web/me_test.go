package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
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
	bob.press(home, "stop-acting").silent(t, "You act for")
	bob.press(bob.see("/app/me"), "act-"+string(w.alice.space))
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

// What has changed since somebody looked last is told for each home by itself: a look
// at Alice's is none at one's own, and one person's look is none of another's.
func TestALookAtOneHomeIsNoneAtAnother(t *testing.T) {
	w := newWorld(t)
	w.thing("Album", "view")
	_, err := w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleDelegate, w.now.AddDate(1, 0, 0))
	w.must(err)
	bob := w.at("bob@example.com")
	bob.see("/app/").says(t, "Lately")
	w.now = w.now.Add(time.Hour)
	alices := bob.press(bob.see("/app/me"), "act-"+string(w.alice.space))
	alices.says(t, "You act for Alice", "Lately")
	w.now = w.now.Add(time.Hour)
	bob.press(bob.see("/app/me"), "stop-acting").says(t, "Since 2 hours ago")
	w.now = w.now.Add(time.Minute)
	bob.see("/app/").says(t, "Since 2 hours ago") // the same look
	w.now = w.now.Add(time.Hour)
	bob.press(bob.see("/app/me"), "act-"+string(w.alice.space)).says(t, "Since 2 hours ago")

	u, err := url.Parse(w.srv.URL)
	w.must(err)
	bob.client.Jar.SetCookies(u, []*http.Cookie{{Name: "who", Value: "alice@example.com", Path: "/"}})
	bob.see("/app/").says(t, "Nobody can see anything of yours.", "Lately")
}

// A service that is connected is seen, and is disconnected with one press.
func TestAServiceIsDisconnected(t *testing.T) {
	w := newWorld(t)
	token, err := w.as.IssueToken(t.Context(), "photos", w.alice.ID, w.alice.space, uma.ScopeProtection)
	w.must(err)
	alice := w.at("alice@example.com")
	me := alice.see("/app/me")
	me.says(t, "PBPhoto Box", "keeps things of yours") // with the letters of its face
	id := strings.Split(strings.Split(me.body, `id="end-`)[1], `"`)[0]
	alice.press(me, "end-"+id).says(t, "Nothing is connected.")
	if _, err := w.as.AuthenticatePAT(t.Context(), token.AccessToken); err == nil {
		t.Error("the service still has its key")
	}
	if a := w.at("bob@example.com").post("/app/connections/"+id+"/end", nil, "same-origin"); a.StatusCode != http.StatusForbidden {
		t.Errorf("without a form: %s", a.Status)
	}
}

// Whoever has nothing here has the page about themselves, and none of a space.
func TestAGuestHasAPageAboutThemselves(t *testing.T) {
	w := newWorld(t)
	_, _, err := w.as.CreateAccount(t.Context(), as.Account{Email: "guest@example.com", EmailVerified: true}, "")
	w.must(err)
	guest := w.at("guest@example.com")
	guest.see("/app/me").says(t, "guest@example.com", "Nothing is connected.")
	if a := guest.get("/app/things"); a.StatusCode != http.StatusNotFound {
		t.Errorf("things of nobody: %s", a.Status)
	}
}

// Alice asks Bob to act for her until a day: she looks at the sentence first, he is
// told and says yes by himself, and either of them ends it with one press. What the
// mail leads to changes nothing by being looked at.
func TestARoleIsOfferedTakenOnAndEnded(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.at("alice@example.com"), w.at("bob@example.com")
	alice.see("/app/me").says(t, "Nobody but you. You can ask somebody to help you")
	form := alice.see("/app/roles")
	check := alice.press(form, "check", "email", " Bob@Example.com", "kind", "delegate", "days", "day", "day", "2027-03-01")
	check.says(t, "Bob@Example.com may share, answer and stop for the things of Alice until 2 March 2027.")
	if list, err := w.as.Invitations(t.Context(), w.owner(), as.Page{Limit: 9}); err != nil || len(list) != 0 {
		t.Errorf("looking at it has asked: %v, %v", list, err)
	}
	alice.press(check, "offer").says(t, "Who is asked", "bob@example.com", "They have a mail now.")

	if a := w.at("carol@example.com").get("/app/me"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("who is not signed in sees it: %s", a.Status)
	}
	me := bob.see("/app/me")
	me.says(t, "Alice asks you to help", "Shares, answers requests and stops.")
	if spaces, err := w.as.SpacesOf(t.Context(), w.bob.ID); err != nil || len(spaces) != 1 {
		t.Fatalf("looking at it has taken it on: %v, %v", spaces, err)
	}
	id := between(me.body, `id="accept-`, `"`)
	bob.press(me, "accept-"+id).says(t, "You may act there now.", "For whom I act", "Alice")
	alice.see("/app/me").says(t, "Bob", "Who looks after my things")
	alice.see("/app/history").says(t, "You asked somebody to help", "Bob began to act here")

	page := alice.see("/app/roles")
	alice.press(page, "end-"+string(w.bob.ID)).says(t, "It has ended, at once.")
	if _, _, err := w.as.ActIn(t.Context(), w.bob.ID, w.alice.space); err == nil {
		t.Error("a role that was ended acts")
	}
	alice.see("/app/history").says(t, "You ended what Bob may do here")
}

func between(text, before, after string) string {
	_, text, _ = strings.Cut(text, before)
	text, _, _ = strings.Cut(text, after)
	return text
}

// Who has a role gives it up; the owner cannot, and who only looks chooses nobody.
func TestARoleIsGivenUp(t *testing.T) {
	w := newWorld(t)
	_, err := w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleViewer, time.Time{})
	w.must(err)
	bob := w.at("bob@example.com")
	me := bob.see("/app/me")
	me.silent(t, `id="leave-`+string(w.bob.space))
	looking := bob.press(me, "act-"+string(w.alice.space))
	looking.says(t, "You look at the things of Alice.")
	roles := bob.see("/app/roles")
	roles.says(t, "Who looks after the things of Alice", "(you)")
	roles.silent(t, `id="role-form"`, `id="end-`)
	bob.press(bob.see("/app/me"), "leave-"+string(w.alice.space)).says(t, "It has ended, at once.")
	if spaces, err := w.as.SpacesOf(t.Context(), w.bob.ID); err != nil || len(spaces) != 1 {
		t.Errorf("he still has %v, %v", spaces, err)
	}
	w.at("alice@example.com").see("/app/history").says(t, "Bob gave up what they may do here")
}

// A guardian chooses helpers for no longer than they are one, and no other guardian; an
// answer that is left out is asked for, and what was filled in stays.
func TestAGuardianChoosesHelpers(t *testing.T) {
	w := newWorld(t)
	carol := w.person("carol@example.com", "Carol")
	_, err := w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleGuardian, w.now.AddDate(0, 2, 0))
	w.must(err)
	bob := w.at("bob@example.com")
	bob.press(bob.see("/app/me"), "act-"+string(w.alice.space))
	form := bob.see("/app/roles")
	form.silent(t, `value="guardian"`)
	for problem, fill := range map[string][]string{
		"Write the e-mail address of the person": {"email", "nobody"},
		"You are here already.":                  {"email", "bob@example.com"},
		"Say what they may do.":                  {"email", "carol@example.com", "kind", "guardian"},
		"Say until when.":                        {"email", "carol@example.com", "days", "day", "day", "2020-01-01"},
		"You may act here no longer than that":   {"email", "carol@example.com", "days", "90"},
	} {
		a := bob.press(form, "check", fill...)
		a.says(t, problem)
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, `value="`+fill[1]+`"`) {
			t.Errorf("%s: %s, and what was filled in is lost", problem, a.Status)
		}
	}
	bob.press(bob.press(form, "check", "email", "carol@example.com", "kind", "viewer", "days", "30"), "offer").says(t, "carol@example.com")
	carols := w.at("carol@example.com")
	me := carols.see("/app/me")
	me.says(t, "Bob asks you to help", "It is about the things of Alice.")
	carols.press(me, "decline-"+between(me.body, `id="decline-`, `"`)).silent(t, "asks you to help")
	w.at("alice@example.com").see("/app/history").says(t, "Bob for Alice asked somebody to help", "Carol said no to helping")
	if _, _, err := w.as.ActIn(t.Context(), carol.ID, w.alice.space); err == nil {
		t.Error("who said no acts")
	}
}

// Whoever signed in long ago shows once more that it is them before they give a role,
// open what the operator has marked, or take the history along; and comes back to what
// they had filled in, which nobody else can. Stopping is never asked for that.
//
// Proves SEC-073.
func TestWhatMattersMostAsksOnceMoreWhoItIs(t *testing.T) {
	w := newWorld(t)
	diagnosis, album := w.thingOf("diagnosis", "Diagnosis", "view"), w.thing("Album", "view")
	share := w.share(album, "carol@example.com", "view")
	alice, bob := w.at("alice@example.com"), w.at("bob@example.com")
	w.in = w.now.Add(-time.Hour)
	sent := func(a answer, back string) string {
		t.Helper()
		to, err := url.Parse(a.Header.Get("Location"))
		w.must(err)
		if a.StatusCode != http.StatusSeeOther || to.Path != "/sign-in" || to.Query().Get("again") != "yes" || !strings.HasPrefix(to.Query().Get("return"), back) {
			t.Fatalf("%s, sent to %s", a.Status, to)
		}
		return to.Query().Get("return")
	}
	ask := func(on answer, button string, fill ...string) string {
		t.Helper()
		path, form := alice.form(on, button)
		for i := 0; i+1 < len(fill); i += 2 {
			form.Set(fill[i], fill[i+1])
		}
		return sent(alice.post(path, form, "same-origin"), "/app/again?kept=")
	}
	back := ask(alice.see("/app/roles"), "check", "email", "bob@example.com")
	if strings.Contains(back, "bob") {
		t.Errorf("the address has it: %s", back)
	}
	sent(alice.get(back), "/app/again?kept=")
	if a := bob.get(back); a.StatusCode != http.StatusNotFound {
		t.Errorf("somebody else's form: %s", a.Status)
	}
	w.in = w.now
	check := alice.press(alice.see(back), "go-on")
	check.says(t, "bob@example.com may share, answer and stop for the things of Alice")
	alice.press(check, "offer").says(t, "Who is asked")
	if a := alice.get(back + "x"); a.StatusCode != http.StatusNotFound {
		t.Errorf("a form that nobody kept: %s", a.Status)
	}

	w.in = w.now.Add(-time.Hour)
	back = ask(alice.see("/app/share?thing="+string(diagnosis)), "check", "email", "carol@example.com")
	w.in = w.now
	check = alice.press(alice.see(back), "go-on")
	check.says(t, "carol@example.com may see Diagnosis")
	if n := len(w.shares()); n != 1 {
		t.Errorf("coming back has shared: there are %d", n)
	}
	w.in = w.now.Add(-time.Hour)
	sent(alice.get("/app/history/export?format=csv"), "/app/history/export?format=csv")
	alice.press(alice.see("/app/share?thing="+string(album)), "check", "email", "dan@example.com").says(t, "dan@example.com may see Album")
	alice.press(alice.see("/app/stop?share="+string(share.ID)), "do-stop")
	if n := len(w.shares()); n != 0 {
		t.Errorf("stopping was asked for more: %d are left", n)
	}
}

// How somebody wants to be written to is theirs to say, and is in their language.
func TestHowOneIsWrittenTo(t *testing.T) {
	w := newWorld(t)
	alice := w.at("alice@example.com")
	alice.press(alice.see("/app/me"), "save-letters", "letters", "daily").says(t, "It is noted.")
	a, err := w.as.AccountByEmail(t.Context(), "alice@example.com")
	w.must(err)
	if a.Letters != as.LettersDaily || a.Language != "en" {
		t.Errorf("it is %q, in %q", a.Letters, a.Language)
	}
	if a := alice.press(alice.see("/app/me"), "save-letters", "letters", "hourly"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("what is no choice: %s", a.Status)
	}
}

// A service sends people to the page of one thing: to whoever has a role there it
// opens, after a press where they act for somebody else just then; to everybody else it
// is as if there were no such thing.
func TestTheAddressOfAThingOpensItForWhoeverMaySeeIt(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	_, err := w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleDelegate, time.Time{})
	w.must(err)
	w.person("carol@example.com", "Carol")
	path := "/app/things/" + string(album)
	bob := w.at("bob@example.com")
	first := bob.see(path)
	first.says(t, "This is for Alice", "Just now you are at your own things.")
	if home := bob.see("/app/"); strings.Contains(home.body, "You act for") {
		t.Error("a link has changed for whom he acts")
	}
	opened := bob.press(first, "open-it")
	opened.says(t, "You act for Alice.", "Kept at Photo Box")
	if opened.Request.URL.Path != path {
		t.Errorf("it leads to %s", opened.Request.URL)
	}
	to, form := bob.form(first, "open-it")
	form.Set("to", "https://evil.example/")
	if a := bob.post(to, form, "same-origin"); a.StatusCode == http.StatusSeeOther && a.Header.Get("Location") != "/app/" {
		t.Errorf("it leads to %s", a.Header.Get("Location"))
	}
	w.at("alice@example.com").see(path).says(t, "Kept at Photo Box")

	said := map[string]string{}
	for _, who := range []string{"carol@example.com", "nobody@example.com"} {
		stranger := w.at(who)
		for _, path := range []string{path, "/app/things/made-up"} {
			a := stranger.get(path)
			said[who] += a.Status + strings.ReplaceAll(a.text(), "made-up", string(album))
		}
		if half := len(said[who]) / 2; said[who][:half] != said[who][half:] {
			t.Errorf("%s can tell what is there: %s", who, said[who])
		}
	}
	if a := w.at("").get(path); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/sign-in?return="+url.QueryEscape(path) {
		t.Errorf("who is not signed in: %s %s", a.Status, a.Header.Get("Location"))
	}
}

// What a thing is stands where somebody decides about it: of what kind in the operator's
// words, in the reader's language, and what its service says of it, as the service's
// words. A type that nobody has put in words is told to experts alone.
func TestWhatAThingIsStandsWhereItIsDecided(t *testing.T) {
	w := newWorld(t)
	id := string(w.described(map[string]any{
		"name": "Summer", "type": "urn:kind:album", "resource_scopes": []string{"view"},
		"description": "Taken <b>by</b> the sea.", "description#de": "Am Meer aufgenommen.",
	}))
	alice := w.at("alice@example.com")
	thing, share := alice.see("/app/things/"+id), alice.see("/app/share?thing="+id)
	check := alice.press(share, "check", "email", "bob@example.com")
	for _, page := range []answer{thing, share, check, alice.see("/app/things")} {
		page.says(t, "Album of photos, kept at Photo Box")
	}
	thing.says(t, "The service says: “Taken &lt;b&gt;by&lt;/b&gt; the sea.”")
	check.says(t, "The service says: “Taken &lt;b&gt;by&lt;/b&gt; the sea.”")
	before, _, _ := strings.Cut(thing.text(), "Details for experts")
	if strings.Contains(before, "urn:kind:album") {
		t.Errorf("the page of the thing says its type: %s", before)
	}

	u, err := url.Parse(w.srv.URL)
	w.must(err)
	alice.client.Jar.SetCookies(u, []*http.Cookie{{Name: "licet-language", Value: "de", Path: "/"}})
	alice.see("/app/things/"+id).says(t, "Fotoalbum, aufbewahrt bei Photo Box", "Der Dienst sagt: „Am Meer aufgenommen.“")
	alice.client.Jar.SetCookies(u, []*http.Cookie{{Name: "licet-language", Value: "fr", Path: "/"}})
	alice.see("/app/things/"+id).says(t, "Album of photos, chez Photo Box", "Taken &lt;b&gt;by&lt;/b&gt; the sea.")
	alice.client.Jar.SetCookies(u, []*http.Cookie{{Name: "licet-language", Value: "en", Path: "/"}})

	other := string(w.described(map[string]any{
		"name": "Winter", "type": "urn:kind:unknown", "resource_scopes": []string{"view"}, "description": strings.Repeat("snow ", 200) + "and ice",
	}))
	thing = alice.see("/app/things/" + other)
	thing.says(t, "Kept at Photo Box", "snow and ice", "Kind, in the words of the serviceurn:kind:unknown")
	check = alice.press(alice.see("/app/share?thing="+other), "check", "email", "bob@example.com")
	check.says(t, "Kept at Photo Box", "snow …")
	check.silent(t, "urn:kind:unknown")
	check.silent(t, "and ice")
}

// What a scope lets somebody do is said in the operator's words, in the language of the
// page or in English; never as it is.
func TestAScopeIsSaidInTheOperatorsWords(t *testing.T) {
	w := newWorld(t)
	id := w.thing("Chart", "urn:dx:1", "urn:dx:2")
	alice := w.at("alice@example.com")
	for accept, want := range map[string]string{"de": "die Diagnose nachschlagen", "fr": "look up the diagnosis"} {
		r, err := http.NewRequest(http.MethodGet, w.srv.URL+"/app/share?thing="+string(id), nil)
		w.must(err)
		r.Header.Set("Accept-Language", accept)
		page := alice.do(r)
		page.says(t, want)
		if strings.Contains(page.text(), "urn:dx") {
			t.Errorf("in %s a scope is shown as it is:\n%s", accept, page.text())
		}
	}
}

// Neither is a link made, nor a request for what the operator has marked answered with
// yes, in a session of long ago; saying no and not now are never held up.
//
// Proves SEC-073.
func TestALinkAndAMarkedYesAskOnceMoreWhoItIs(t *testing.T) {
	w := newWorld(t)
	diagnosis, album := w.thingOf("diagnosis", "Diagnosis", "view"), w.thing("Album", "view")
	alice := w.at("alice@example.com")
	w.in = w.now.Add(-time.Hour)
	path, form := alice.form(alice.see("/app/share?thing="+string(album)), "check")
	form.Set("who", "link")
	a := alice.post(path, form, "same-origin")
	to, err := url.Parse(a.Header.Get("Location"))
	w.must(err)
	if a.StatusCode != http.StatusSeeOther || to.Path != "/sign-in" || len(w.shares()) != 0 {
		t.Fatalf("a link is made: %s, %s", a.Status, to)
	}
	w.asks([]uma.Scope{"view"}, diagnosis)
	request := "/app/requests/" + between(alice.see("/app/requests").body, `href="/app/requests/`, `"`)
	page := alice.see(request)
	path, form = alice.form(page, "allow")
	form.Set("do-0-0", "view")
	if to, err = url.Parse(alice.post(path, form, "same-origin").Header.Get("Location")); err != nil || to.Path != "/sign-in" {
		t.Fatalf("yes is sent to %s, %v", to, err)
	}
	if w.status(request) != as.RequestPending {
		t.Error("it is answered")
	}
	back := to.Query().Get("return")
	w.in = w.now
	page = alice.see(back)
	path, form = alice.form(page, "go-on")
	page = alice.see(path + "?" + form.Encode())
	if _, form = alice.form(page, "allow"); form.Get("do-0-0") != "view" {
		t.Errorf("what was ticked is lost: %v", form)
	}
	w.in = w.now.Add(-time.Hour)
	alice.press(alice.see(request), "later")
	if w.status(request) != as.RequestAside {
		t.Error("not now is held up")
	}
}

// What is marked, and a link, are opened by no way around that: not by a later end, by
// bringing back what was stopped, or by one more in a group that has it.
//
// Proves SEC-073.
func TestNoWayAroundShowingOnceMoreWhoItIs(t *testing.T) {
	w := newWorld(t)
	diagnosis, album := w.thingOf("diagnosis", "Diagnosis", "view"), w.thing("Album", "view")
	group, err := w.as.CreateGroup(t.Context(), w.owner(), "Family")
	w.must(err)
	_, err = w.as.CreateShare(t.Context(), w.owner(), policy.Share{Resource: diagnosis, Scopes: []uma.Scope{"view"}, Group: group.ID})
	w.must(err)
	link, _, err := w.as.ShareByLink(t.Context(), w.owner(), policy.Share{Resource: album, Scopes: []uma.Scope{"view"}, NotAfter: w.now.AddDate(0, 0, 1)})
	w.must(err)
	marked, plain := w.share(diagnosis, "carol@example.com", "view"), w.share(album, "carol@example.com", "view")
	alice := w.at("alice@example.com")
	w.in = w.now.Add(-time.Hour)
	token := url.Values{"csrf": {csrf(t, alice.see("/app/me"))}}
	try := func(path string, fill ...string) string {
		t.Helper()
		form := url.Values{"csrf": token["csrf"]}
		for i := 0; i+1 < len(fill); i += 2 {
			form.Set(fill[i], fill[i+1])
		}
		before := w.events()
		a := alice.post(path, form, "same-origin")
		to, err := url.Parse(a.Header.Get("Location"))
		w.must(err)
		if a.StatusCode != http.StatusSeeOther || to.Path != "/sign-in" || to.Query().Get("again") != "yes" || w.events() != before {
			t.Errorf("%s: %s, sent to %s, with %d events more", path, a.Status, to, w.events()-before)
		}
		return to.Query().Get("return")
	}
	done := func(path string, fill ...string) {
		t.Helper()
		form := url.Values{"csrf": token["csrf"]}
		for i := 0; i+1 < len(fill); i += 2 {
			form.Set(fill[i], fill[i+1])
		}
		if a := alice.post(path, form, "same-origin"); a.StatusCode != http.StatusSeeOther || strings.HasPrefix(a.Header.Get("Location"), "/sign-in") {
			t.Errorf("%s: %s, sent to %s", path, a.Status, a.Header.Get("Location"))
		}
	}
	try("/app/shares/"+string(marked.ID)+"/keep", "days", "90")
	try("/app/shares/"+string(link.ID)+"/keep", "days", "90")
	done("/app/shares/"+string(plain.ID)+"/keep", "days", "90")
	back := try("/app/groups/"+string(group.ID)+"/members", "email", "dan@example.com")
	ended := func(target as.Target) string {
		t.Helper()
		impact, err := w.as.WithdrawAll(t.Context(), w.owner(), target)
		w.must(err)
		return strconv.FormatInt(impact.Event, 10)
	}
	try("/app/undo", "event", ended(as.Target{Share: marked.ID}))
	try("/app/undo", "event", ended(as.Target{Share: link.ID}))
	done("/app/undo", "event", ended(as.Target{Share: plain.ID}))

	w.in = w.now
	page := alice.see(back)
	path, form := alice.form(page, "go-on")
	alice.press(alice.see(path+"?"+form.Encode()), "add").says(t, "dan@example.com")
}

// ownWords are what is said of the reader's own things, in each language; not the banner,
// which says whose name is written down.
var ownWords = map[string]*regexp.Regexp{
	"en": regexp.MustCompile(`(?i)\b(yours|(your|my) (things|groups?)|mine|nobody but you|only you|waits for you|asks you|may not ask you|you are asked|until you stop|you have (not )?shared)\b`),
	"de": regexp.MustCompile(`(?i)\b(von dir|dein(e[nmrs]?)? (Dinge?n?|Gruppen?)|nur du|niemand außer dir|wartet auf dich|fragt dich)\b`),
	"fr": regexp.MustCompile(`(?i)\b(à toi|tes (choses|groupes)|par toi|te demande)\b`),
	"es": regexp.MustCompile(`(?i)\b(tuy[oa]s?|tus (cosas|grupos)|solo tú|te pide)\b`),
	"ar": regexp.MustCompile(`مما لديك|أشيائك|مجموعاتك|سواك`),
}

// Who acts for somebody reads on every page whose things they are: never that they are
// their own.
func TestWhoeverActsForSomebodyReadsWhoseThingsTheyAre(t *testing.T) {
	w := newWorld(t)
	album, letters := w.thing("Album", "view", "edit"), w.thing("Letters", "view")
	_, err := w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleGuardian, w.now.AddDate(5, 0, 0))
	w.must(err)
	_, err = w.as.IssueToken(t.Context(), "photos", w.alice.ID, w.alice.space, uma.ScopeProtection)
	w.must(err)
	bob := w.at("bob@example.com")
	bob.press(bob.see("/app/me"), "act-"+string(w.alice.space))
	look := func(paths ...string) {
		t.Helper()
		for language, own := range ownWords {
			u, err := url.Parse(w.srv.URL)
			w.must(err)
			bob.client.Jar.SetCookies(u, []*http.Cookie{{Name: "licet-language", Value: language, Path: "/"}})
			for _, path := range paths {
				if said := own.FindString(bob.see(path).text()); said != "" {
					t.Errorf("%s in %s says %q", path, language, said)
				}
			}
		}
		u, err := url.Parse(w.srv.URL)
		w.must(err)
		bob.client.Jar.SetCookies(u, []*http.Cookie{{Name: "licet-language", Value: "en", Path: "/"}})
	}
	pages := []string{"/app/", "/app/things", "/app/things/" + string(album), "/app/people", "/app/groups", "/app/requests", "/app/requests?list=yes",
		"/app/blocked", "/app/history", "/app/stop", "/app/could?email=anna%40example.com", "/app/roles", "/app/share?thing=" + string(album),
		"/app/share?who=app&thing=" + string(album), "/app/me"}
	look(pages...)
	bob.see("/app/").says(t, "Nobody can see anything of Alice's.", "2 things are known here, and only Alice can see them.", "Nobody waits for an answer from Alice")
	bob.see("/app/things/"+string(album)).says(t, "Only Alice can see this.", "Nobody but Alice can do anything with this.")

	questions := bob.see("/app/share?thing=" + string(album))
	for _, fill := range [][]string{{"days", "x"}, {"ask", "yes"}, {"who", "domain", "domain", "clinic.example"}, {"why", "the holidays"}, {"days", "x", "why", "the holidays"}} {
		check := bob.press(questions, "check", append([]string{"email", "carol@example.com"}, fill...)...)
		if said := ownWords["en"].FindString(check.text()); said != "" {
			t.Errorf("the page before sharing says %q", said)
		}
	}
	check := bob.press(questions, "check", "email", "carol@example.com", "days", "x")
	check.says(t, "carol@example.com may see Alice's Album until it is stopped.")
	receipt := bob.press(check, "do-share")
	w.asks([]uma.Scope{"view"}, letters)
	waiting, err := w.as.Requests(t.Context(), w.owner(), as.RequestPending, as.Page{Limit: 1})
	w.must(err)
	group := bob.press(bob.see("/app/groups"), "make", "name", "Family").Request.URL.Path
	key := between(bob.see("/app/things/"+string(album)).body, `href="/app/people/`, `"`)
	look(append(pages, receipt.Request.URL.Path, group, group+"/end", "/app/people/"+key, "/app/requests/"+string(waiting[0].ID), "/app/stop?thing="+string(album),
		"/app/stop?person="+key, "/app/things/"+string(letters), "/app/could?person="+key, "/app/history?day=2026-11-23")...)
	bob.see("/app/").says(t, "1 person can see something of Alice's.", "1 of Alice's things is open.", "bob@example.com asks Alice something")
	bob.see("/app/people/"+key).says(t, "carol@example.com can get at 1 thing of Alice's.")
	bob.see("/app/could?email=bob%40example.com&thing="+string(letters)).says(t, "Whoever acts for Alice is asked first.")
	bob.press(bob.see("/app/stop"), "do-stop").says(t, "Services that kept Alice's things have to be connected again.")

	w.at("alice@example.com").see("/app/").says(t, "Nobody can see anything of yours.") // who is at home reads so
}
