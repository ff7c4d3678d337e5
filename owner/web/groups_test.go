package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Alice makes a group, shares with it, and whoever is in it gets in: until they are
// taken out, or the group is taken away with all that was open to it.
func TestAliceSharesWithAGroup(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit")
	alice := w.at("alice@example.com")
	empty := alice.see("/app/groups")
	empty.says(t, "There is no group yet.")
	group := alice.press(empty, "make", "name", " Family ")
	group.says(t, "Family", "Nobody is in it yet.", "There is nothing they can do.")
	group = alice.press(group, "add", "email", " BOB@example.com")
	group.says(t, "bob@example.com")
	if a := alice.press(group, "add", "email", "bob"); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, `value="bob"`) {
		t.Errorf("an address that is none: %s", a.Status)
	}
	if a := alice.press(group, "add", "email", "bob@example.com"); a.StatusCode != http.StatusConflict {
		t.Errorf("put in twice: %s", a.Status)
	}

	id := group.Request.URL.Path[len("/app/groups/"):]
	list := alice.see("/app/things?group=" + id)
	list.says(t, "What would you like to share with Family?")
	_, path, _ := strings.Cut(list.body, `<a href="/app/share?`)
	path, _, _ = strings.Cut(path, `"`)
	alice.press(alice.see("/app/share?"+strings.ReplaceAll(path, "&amp;", "&")), "check").says(t, "Family may see Album")
	alice.pages = 0
	check := alice.press(alice.see("/app/share?thing="+string(album)), "check", "who", "group", "group", id)
	check.says(t, "Family may see Album until 23 December 2026.", "A group of yours")
	alice.press(check, "do-share").says(t, "Family may see Album", "In force")
	if chosen := 2; alice.pages+chosen > 5 {
		t.Errorf("sharing with a group takes %d acts", alice.pages+chosen)
	}
	shares := w.shares()
	if len(shares) != 1 || shares[0].Group != policy.GroupID(id) {
		t.Fatalf("%+v", shares)
	}
	if result := w.redeems([]uma.Scope{"view"}, album); !isA[as.Granted](result) {
		t.Errorf("Bob, who is in it, gets %T", result)
	}
	alice.see("/app/things/"+string(album)).says(t, "Family can get at this.", "A group of yours")
	alice.see("/app/groups").says(t, "Family", "1 thing")
	alice.press(group, "rename", "name", "The family").says(t, "The family can get at 1 thing of yours.", "Album")

	alice.see("/app/history").says(t, "You made the group The family", "You put somebody into the group The family")
	group = alice.see("/app/groups/" + id)
	out := strings.Split(strings.Split(group.body, `id="out-`)[1], `"`)[0]
	alice.press(group, "out-"+out).says(t, "They are out", "Nobody is in it yet.")
	if result := w.redeems([]uma.Scope{"view"}, album); isA[as.Granted](result) {
		t.Error("Bob, who is out, gets in")
	}

	end := alice.see("/app/groups/" + id + "/end")
	end.says(t, "The family may see Album")
	alice.press(end, "do-end").says(t, "The group is gone", "There is no group yet.")
	if n := len(w.shares()); n != 0 {
		t.Errorf("%d shares are left", n)
	}
	alice.see("/app/history").says(t, "You made the group a group that is gone", "You put somebody into the group", "You took a group away")
}

// A group of somebody else is not there, and cannot be shared with.
func TestAForeignGroupIsNotThere(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	theirs, err := w.as.CreateGroup(t.Context(), as.Owner{Space: w.bob.space, Account: w.bob.ID}, "Bob's friends")
	w.must(err)
	alice := w.at("alice@example.com")
	for _, path := range []string{"/app/groups/%s", "/app/groups/%s/end", "/app/things?group=%s", "/app/share?thing=" + string(album) + "&group=%s"} {
		foreign, none := alice.get(strings.Replace(path, "%s", string(theirs.ID), 1)), alice.get(strings.Replace(path, "%s", "nothing", 1))
		if foreign.StatusCode != http.StatusNotFound || foreign.text() != none.text() {
			t.Errorf("%s: %s %s", path, foreign.Status, foreign.text())
		}
	}
	questions := alice.see("/app/share?thing=" + string(album))
	questions.silent(t, "Bob's friends")
	for _, id := range []string{string(theirs.ID), "nothing"} {
		if a := alice.press(questions, "check", "who", "group", "group", id); a.StatusCode != http.StatusNotFound || strings.Contains(a.body, "friends") {
			t.Errorf("%s: %s", id, a.Status)
		}
		path, form := alice.form(questions, "check")
		form.Set("who", "group")
		form.Set("group", id)
		if a := alice.post(strings.TrimSuffix(path, "/check"), form, "same-origin"); a.StatusCode/100 != 4 {
			t.Errorf("shared with %s: %s", id, a.Status)
		}
	}
	if len(w.shares()) != 0 {
		t.Error("something was shared")
	}
	group := alice.press(alice.see("/app/groups"), "make", "name", "Mine")
	_, form := alice.form(group, "add")
	form.Set("email", "carol@example.com")
	for _, act := range []string{"/name", "/members", "/end"} {
		if a := alice.post("/app/groups/"+string(theirs.ID)+act, url.Values{"csrf": form["csrf"], "email": form["email"], "name": {"Stolen"}}, "same-origin"); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", act, a.Status)
		}
	}
}

// A link is shown once, on its receipt; whoever presses twice has one; it has an end;
// and stopping it stops it.
func TestALinkIsShownOnce(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	alice := w.at("alice@example.com")
	questions := alice.see("/app/share?thing=" + string(album))
	if a := alice.press(questions, "check", "who", "link", "days", "x"); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text(), "A link has an end.") {
		t.Errorf("a link without an end: %s", a.Status)
	}
	alice.pages = 0
	check := alice.press(alice.see("/app/share?thing="+string(album)), "check", "who", "link", "days", "7")
	check.says(t, "Whoever has the link may see Album until 30 November 2026.", "Nobody is asked who they are")
	receipt := alice.press(check, "do-share")
	if chosen := 2; alice.pages+chosen > 5 {
		t.Errorf("a link takes %d acts", alice.pages+chosen)
	}
	link := valueOf(t, receipt, "link")
	secret, found := strings.CutPrefix(link, w.srv.URL+"/l/")
	if !found {
		t.Fatalf("the link is %q", link)
	}
	opened, err := w.as.OpenLink(t.Context(), secret)
	if err != nil || opened.Share.Resource != album {
		t.Errorf("it opens %+v, %v", opened, err)
	}
	path := receipt.Request.URL.Path
	if strings.Contains(receipt.Request.URL.String(), secret) {
		t.Error("the address of the receipt has the secret")
	}
	again := alice.see(path)
	again.says(t, "The link was shown once")
	again.silent(t, secret)
	alice.press(check, "do-share")
	if n := len(w.shares()); n != 1 {
		t.Errorf("pressed twice there are %d links", n)
	}
	alice.see("/app/people").says(t, "Whoever has the link", "Nobody is asked who they are")
	alice.press(alice.see("/app/stop?share="+path[len("/app/shares/"):]), "do-stop")
	if _, err := w.as.OpenLink(t.Context(), secret); err == nil {
		t.Error("stopped, it opens")
	}
}

// valueOf is what stands in a field.
func valueOf(t *testing.T, a answer, id string) string {
	t.Helper()
	for e := range elements(t, a.body) {
		is, value := false, ""
		for _, one := range e.Attr {
			is = is || one.Name.Local == "id" && one.Value == id
			if one.Name.Local == "value" {
				value = one.Value
			}
		}
		if is {
			return value
		}
	}
	t.Fatalf("there is no %s in %s", id, a.text())
	return ""
}

// Anyone who signs in at a place that the operator trusts is a wish of its own; at any
// other place it is none.
func TestASentenceIsForAnyoneWhoSignsInSomewhere(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	alice := w.at("alice@example.com")
	questions := alice.see("/app/share?thing=" + string(album))
	if a := alice.press(questions, "check", "who", "provider", "provider", "https://elsewhere.example"); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a place that nobody trusts: %s", a.Status)
	}
	check := alice.press(questions, "check", "who", "provider")
	check.says(t, "Anyone who signs in at this place may see Album")
	alice.press(check, "do-share")
	if result := w.redeems([]uma.Scope{"view"}, album); !isA[as.Granted](result) {
		t.Errorf("Bob, who signed in here, gets %T", result)
	}
	shares := w.shares()
	if len(shares) != 1 || !slices.Equal(shares[0].Claims[0].Issuer, []string{w.srv.URL}) || len(shares[0].Claims[0].Values) != 0 {
		t.Errorf("%+v", shares)
	}
}

// The apps to choose from are those that are known here, and are looked for only when
// somebody wants one.
func TestAnAppIsChosen(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	w.share(album, "bob@example.com", "view")
	if result := w.redeems([]uma.Scope{"view"}, album); !isA[as.Granted](result) {
		t.Fatalf("Bob gets %T", result)
	}
	alice := w.at("alice@example.com")
	alice.see("/app/share?thing="+string(album)).silent(t, "Pulse Diary")
	questions := alice.see("/app/share?thing=" + string(album) + "&who=app")
	if a := alice.press(questions, "check"); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text(), "Choose the app.") {
		t.Errorf("no app: %s", a.Status)
	}
	check := alice.press(questions, "check", "app", "diary")
	check.says(t, "Pulse Diary may see Album until 23 December 2026.")
	alice.press(check, "do-share").says(t, "Pulse Diary may see Album")
	if result := w.redeems([]uma.Scope{"view"}, album); !isA[as.Granted](result) {
		t.Errorf("the app gets %T", result)
	}
	alice.see("/app/share?thing="+string(album)+"&who=app").says(t, "Pulse Diary")
}

// What is said to programs is said to nobody: each refusal is in words that people know,
// in their language.
func TestARefusalIsInWordsThatPeopleKnow(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	w.asks([]uma.Scope{"view"}, album)
	alice := w.at("alice@example.com")
	request, path := alice.request()
	alice.press(request, "never")
	for name, c := range map[string]struct {
		answer answer
		status int
	}{
		"a share that is none":  {alice.get("/app/shares/none"), http.StatusNotFound},
		"a thing that is none":  {alice.get("/app/things/none"), http.StatusNotFound},
		"a group that is none":  {alice.get("/app/groups/none"), http.StatusNotFound},
		"a request, late":       {alice.press(request, "never"), http.StatusConflict},
		"another request":       {alice.get("/app/requests/none"), http.StatusNotFound},
		"a day that is none":    {alice.get("/app/history?day=soon"), http.StatusBadRequest},
		"a place that is none":  {alice.get("/app/things?after=forged"), http.StatusBadRequest},
		"a page that is none":   {alice.get("/app/none"), http.StatusNotFound},
		"nothing to bring back": {alice.get("/app/reopen?share=none&version=x"), http.StatusNotFound},
	} {
		if c.answer.StatusCode != c.status {
			t.Errorf("%s: %s", name, c.answer.Status)
		}
		for _, word := range []string{"policy", "resource", "scope", "version", "registered", "cursor", "not_after"} {
			if strings.Contains(strings.ToLower(c.answer.text()), word) {
				t.Errorf("%s: %s", name, c.answer.text())
			}
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.srv.URL+path+"x", nil)
	w.must(err)
	r.Header.Set("Accept-Language", "de")
	alice.do(r).says(t, "Diese Seite gibt es nicht, oder sie ist nicht für dich bestimmt.")
}

// What is confirmed of somebody by a place that the operator trusts can be said, in words,
// and is looked at in one sentence before it is in force. What nobody confirms cannot.
func TestASentenceIsForAnyoneOfWhomSomethingIsConfirmed(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit")
	alice := w.at("alice@example.com")
	questions := alice.see("/app/share?thing=" + string(album))
	questions.says(t, "Anyone of whom something is confirmed", "Their role", "clinic.example")
	for _, c := range []struct {
		quality, called, worth string
		says, name             string
	}{
		{"roles", "", "nurse", "Anyone whose role is nurse, as clinic.example confirms", "roles"},
		{"groups", "ignored", " ward 4 ", "Anyone who is in the group ward 4, as clinic.example confirms", "groups"},
		{"phone_number", "", "+49 30 1", "Anyone whose telephone number is +49 30 1, as clinic.example confirms", "phone_number"},
		{"else", "urn:clinic:badge", "<blue>", "Anyone whose “urn:clinic:badge” is &lt;blue&gt;, as clinic.example confirms", "urn:clinic:badge"},
	} {
		check := alice.press(questions, "check", "who", "claim", "quality", c.quality, "called", c.called, "worth", c.worth)
		check.says(t, c.says+" may see Album until 23 December 2026.", "Yessee Stays closed: change", "More people than you know can come by this.")
		alice.press(check, "do-share").says(t, c.says)
		if !slices.ContainsFunc(w.shares(), func(one as.Share) bool {
			return len(one.Claims) == 1 && one.Claims[0].Name == c.name && slices.Equal(one.Claims[0].Issuer, []string{"https://clinic.example"}) &&
				slices.Equal(one.Claims[0].Values, []string{strings.TrimSpace(c.worth)})
		}) {
			t.Errorf("%s: %+v", c.says, w.shares())
		}
	}
	for problem, fill := range map[string][]string{
		"Say what is confirmed of them":   {"quality", "else", "called", "email", "worth", "bob@example.com"},
		"Say which one it has to be":      {"quality", "roles", "worth", " "},
		"Choose who confirms it.":         {"quality", "roles", "worth", "nurse", "confirmer", w.srv.URL},
		"Say what is confirmed of them, ": {"quality", "else", "called", "two words", "worth", "x"},
	} {
		a := alice.press(questions, "check", append([]string{"who", "claim"}, fill...)...)
		if a.says(t, problem); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %s", problem, a.Status)
		}
	}
	key := between(alice.see("/app/things/"+string(album)).body, `href="/app/people/`, `"`)
	again := alice.see("/app/share?thing=" + string(album) + "&with=" + key)
	if alice.press(again, "check").says(t, " confirms may see Album"); !strings.Contains(again.body, `value="claim" id="who-claim" checked`) {
		t.Error("what is shared with them is not shared with the same again")
	}
}
