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
	for _, id := range things {
		_, err := w.as.CreateShare(w.t.Context(), w.owner(), policy.Share{
			Resource: id, Scopes: scopes, Ask: true, Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{"bob@example.com"}}},
		})
		w.must(err)
	}
	if result := w.redeems(scopes, things...); !isA[as.Submitted](result) {
		w.t.Fatalf("Bob does not wait: %T", result)
	}
}

// redeems has Bob go for things of Alice's through the app, and returns how far he
// comes.
func (w *world) redeems(scopes []uma.Scope, things ...uma.ResourceID) as.Result {
	w.t.Helper()
	ctx := w.t.Context()
	var asked []uma.Permission
	for _, id := range things {
		asked = append(asked, uma.Permission{Resource: id, Scopes: scopes})
	}
	ticket, err := w.as.RequestPermissions(ctx, w.photos, asked)
	w.must(err)
	handle, err := w.as.BeginInteraction(ctx, w.app, ticket, as.Interaction{RedirectURI: w.app.ClaimsRedirectURIs[0]})
	w.must(err)
	ticket, _, err = w.as.FinishInteraction(ctx, handle, w.bob.ID, as.Said{Why: "I help with the <medicine>."})
	w.must(err)
	result, err := w.as.Redeem(ctx, w.app, uma.TokenRequest{Ticket: ticket}, "")
	w.must(err)
	return result
}

func isA[T any](value any) bool {
	_, is := value.(T)
	return is
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
	list.says(t, "bob@example.com", "through Pulse Diary", "I help with the &lt;medicine&gt;.")
	path := strings.Split(strings.Split(list.body, `href="/app/requests/`)[1], `"`)[0]
	page := alice.see("/app/requests/" + path)
	page.says(t, "I help with the &lt;medicine&gt;.", "Nobody has checked them.", "We know the mail address, not the face.", "Nothing is ticked for you.")
	if _, form := alice.form(page, "allow"); form.Get("do-0-0") != "" || form.Get("do-0-1") != "" {
		t.Errorf("something is ticked: %v", form)
	}
	if a := alice.press(page, "allow"); a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.text(), "Tick what may be done") {
		t.Errorf("yes to nothing: %s", a.Status)
	}
	before := len(w.shares())
	receipt := alice.press(page, "allow", "do-0-0", "view", "days", "1")
	receipt.says(t, "bob@example.com through Pulse Diary may see Album until 24 November 2026.")
	shares := w.shares()
	made := shares[slices.IndexFunc(shares, func(s as.Share) bool { return s.Client != "" })]
	if len(shares) != before+1 || len(made.Scopes) != 1 || made.Scopes[0] != "view" || made.Client != "diary" {
		t.Errorf("%+v", made)
	}
	alice.see("/app/requests").says(t, "Nobody waits for an answer.")
	alice.see("/app/requests/"+path).says(t, "The answer was yes.", "I help with the &lt;medicine&gt;.")
	if a := alice.press(page, "never"); a.StatusCode != http.StatusConflict {
		t.Errorf("an answer that comes too late: %s", a.Status)
	}
}

// request is the page of the one request that waits, and its path.
func (b *browser) request() (answer, string) {
	b.w.t.Helper()
	_, rest, found := strings.Cut(b.see("/app/requests").body, `href="/app/requests/`)
	if !found {
		b.w.t.Fatal("nobody waits")
	}
	id, _, _ := strings.Cut(rest, `"`)
	return b.see("/app/requests/" + id), "/app/requests/" + id
}

// The three answers are of equal weight: buttons of one look, one beside the other,
// and refusing takes no more presses than allowing.
func TestTheThreeAnswersAreEqual(t *testing.T) {
	w := newWorld(t)
	w.asks([]uma.Scope{"view"}, w.thing("Album", "view"))
	page, _ := w.at("alice@example.com").request()
	looks := map[string]string{}
	for e := range elements(t, page.body) {
		id, class := "", ""
		for _, a := range e.Attr {
			switch a.Name.Local {
			case "id":
				id = a.Value
			case "class":
				class = a.Value
			}
		}
		if e.Name.Local == "button" && id != "" {
			looks[id] = class
		}
	}
	for _, id := range []string{"allow", "later", "never"} {
		if class, there := looks[id]; !there || class != looks["allow"] {
			t.Errorf("%s looks like %q, and allowing like %q", id, class, looks["allow"])
		}
	}
}

// Not now is silent: the request waits no longer before Alice's eyes, whoever asked
// sees what they saw before, and it can still be answered.
func TestNotNowIsSilentAndCanStillBeAnswered(t *testing.T) {
	w := newWorld(t)
	w.asks([]uma.Scope{"view"}, w.thing("Album", "view"))
	alice := w.at("alice@example.com")
	page, path := alice.request()
	alice.press(page, "later").says(t, "Not now. They go on waiting", "Nobody waits for an answer.")
	if status := w.status(path); status != as.RequestAside {
		t.Errorf("it is %s", status)
	}
	alice.see("/app/").silent(t, "asks you something")
	alice.see("/app/requests?list=later").says(t, "bob@example.com")
	page = alice.see(path)
	page.says(t, "The answer was “not now”.")
	alice.press(page, "allow", "do-0-0", "view").says(t, "bob@example.com through Pulse Diary may see Album")
	if status := w.status(path); status != as.RequestApproved {
		t.Errorf("answered, it is %s", status)
	}
	alice.see("/app/requests?list=yes").says(t, "bob@example.com")
}

// status is what has become of the request of a path.
func (w *world) status(path string) as.RequestStatus {
	w.t.Helper()
	q, err := w.as.ReadRequest(w.t.Context(), w.owner(), as.RequestID(strings.TrimPrefix(path, "/app/requests/")))
	w.must(err)
	return q.Status
}

// Alice chooses whether they are told.
func TestAliceHasThemTold(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	w.asks([]uma.Scope{"view"}, album)
	alice := w.at("alice@example.com")
	page, path := alice.request()
	before := len(w.shares())
	alice.press(page, "later", "told", "yes").says(t, "You said no, and they are told.", "Nobody waits for an answer.")
	if status := w.status(path); status != as.RequestDenied {
		t.Errorf("it is %s", status)
	}
	if len(w.shares()) != before {
		t.Error("no has shared")
	}
	alice.see("/app/requests?list=no").says(t, "bob@example.com")
	if a := w.at("bob@example.com").get(path); a.StatusCode != http.StatusNotFound {
		t.Errorf("Bob reads Alice's request: %s", a.Status)
	}
	w.asks([]uma.Scope{"view"}, album)
	alice.see("/app/requests").says(t, "bob@example.com")
}

// Never from them: it is a no, they are not heard any more, and Alice finds them in a
// list from where they may ask again. It can be undone at once.
func TestNeverFromThemUntilAliceLetsThem(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	w.asks([]uma.Scope{"view"}, album)
	alice := w.at("alice@example.com")
	page, path := alice.request()
	done := alice.press(page, "never")
	done.says(t, "You are not asked by them any more.")
	if status := w.status(path); status != as.RequestDenied {
		t.Errorf("it is %s", status)
	}
	if result := w.redeems([]uma.Scope{"view"}, album); !isA[as.Denied](result) {
		t.Errorf("Bob, who may not ask, gets %T", result)
	}
	alice.see("/app/people").says(t, "Who may not ask you")
	list := alice.see("/app/blocked")
	list.says(t, "bob@example.com", "Through Pulse Diary.")
	w.at("bob@example.com").see("/app/blocked").says(t, "Everybody may ask you.")
	alice.see("/app/history").says(t, "You said no to what bob@example.com asked", "You closed the door to what bob@example.com asks")
	alice.press(done, "undo").says(t, "They may ask you again.", "Everybody may ask you.")
	w.asks([]uma.Scope{"view"}, album)
	page, _ = alice.request()
	alice.press(page, "never", "apps", "all")
	list = alice.see("/app/blocked")
	list.says(t, "Through any app.")
	id := strings.Split(strings.Split(list.body, `id="unblock-`)[1], `"`)[0]
	path, form := alice.form(list, "unblock-"+id)
	if a := w.at("bob@example.com").post(path, form, "same-origin"); a.StatusCode != http.StatusForbidden {
		t.Errorf("Bob lets himself ask: %s", a.Status)
	}
	alice.press(list, "unblock-"+id).says(t, "Everybody may ask you.")
}
