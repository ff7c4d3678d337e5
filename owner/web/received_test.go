package web_test

import (
	"bufio"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// guest is somebody with an account and nothing else.
func (w *world) guest(email, name string) as.Account {
	w.t.Helper()
	a, _, err := w.as.CreateAccount(w.t.Context(), as.Account{Email: email, EmailVerified: true, Name: name}, "")
	w.must(err)
	return a
}

// Whoever has nothing here finds at home what others have opened to them, without
// tabs that lead nowhere.
func TestAGuestIsAtHomeWithWhatOthersOpened(t *testing.T) {
	w := newWorld(t)
	w.guest("carla@example.com", "Carla")
	w.share(w.thing("Album", "view", "edit"), "carla@example.com", "view")
	carla := w.at("carla@example.com")
	home := carla.get("/app/")
	if home.StatusCode != http.StatusSeeOther || home.Header.Get("Location") != "/app/received" {
		t.Fatalf("at home she is sent to %s", home.Header.Get("Location"))
	}
	page := carla.see("/app/received")
	page.says(t, "Album", "from Alice, at Photo Box", "see", "Until 23 December 2026")
	page.silent(t, "/app/things", "edit", "change")
	for _, path := range []string{"/app/received", "/app/asked", "/app/me"} {
		for e := range elements(t, carla.see(path).body) {
			for _, a := range e.Attr {
				if a.Name.Local == "href" && strings.HasPrefix(a.Value, "/app/") {
					if got := carla.get(a.Value); got.StatusCode != http.StatusOK {
						t.Errorf("%s leads to %s: %s", path, a.Value, got.Status)
					}
				}
			}
		}
	}
	w.at("bob@example.com").see("/app/received").says(t, "Nobody has opened anything to you.")
}

// What is given back is given back once, by whom it is open to, and its owner reads
// of it.
func TestBobGivesBackWhatIsHisToUse(t *testing.T) {
	w := newWorld(t)
	album, diary := w.thing("Album", "view"), w.thing("Diary", "view")
	share, others := w.share(album, "bob@example.com", "view"), w.share(diary, "carla@example.com", "view")
	bob := w.at("bob@example.com")
	page := bob.see("/app/received")
	page.silent(t, "Diary")
	path, form := bob.form(page, "give-"+string(share.ID))
	for name, refused := range map[string]answer{
		"by GET": bob.get(path), "from elsewhere": bob.post(path, form, "cross-site"),
		"by Alice with his form": w.at("alice@example.com").post(path, form, "same-origin"),
		"without a token":        bob.post(path, url.Values{}, "same-origin"),
	} {
		if refused.StatusCode < 400 {
			t.Errorf("%s: %s", name, refused.Status)
		}
	}
	for name, id := range map[string]string{"another's": string(others.ID), "made up": "made-up"} {
		if a := bob.post("/app/received/"+id+"/give-back", form, "same-origin"); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	if len(w.shares()) != 2 {
		t.Fatal("something was given back")
	}
	bob.press(page, "give-"+string(share.ID)).says(t, "Given back.", "Nobody has opened anything to you.")
	if left := w.shares(); len(left) != 1 || left[0].ID != others.ID {
		t.Errorf("left is %+v", left)
	}
	if again := bob.post(path, form, "same-origin"); again.StatusCode != http.StatusNotFound {
		t.Errorf("twice: %s", again.Status)
	}
	alice := w.at("alice@example.com")
	alice.see("/app/history").says(t, "bob@example.com gave Album back")
	alice.see("/app/things/"+string(album)).silent(t, "bob@example.com may")
}

// question asks as Bob, and returns the path of his page.
func (w *world) question(name string, scopes ...uma.Scope) (path string, id as.RequestID) {
	w.t.Helper()
	w.asks(scopes, w.thing(name, scopes...))
	list, err := w.as.Asked(w.t.Context(), w.bob.ID, 1)
	w.must(err)
	return "/app/asked/" + string(list[0].ID), list[0].ID
}

// Whoever waits is told what they asked and what came of it, and until then nothing
// of what it is about. Nobody else is told anything.
func TestAPageWaitsForTheAnswer(t *testing.T) {
	w := newWorld(t)
	path, id := w.question("The summer album", "view")
	bob := w.at("bob@example.com")
	waits := bob.see(path)
	waits.says(t, "Your question is on its way", "bob@example.com", "what Pulse Diary went for, at Photo Box", "I help with the &lt;medicine&gt;.")
	waits.silent(t, "summer album", "Alice", "alice@example.com")
	for _, want := range []string{path + "?look=often", "data-waits", `data-live="` + path + `/live"`} {
		if !strings.Contains(waits.body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if waits.Header.Get("Refresh") != "" || bob.see(path+"?look=often").Header.Get("Refresh") != "10" {
		t.Error("the page is loaded again when nobody has said so, or not when somebody has")
	}
	bob.see("/app/asked").says(t, "Something at Photo Box", "through Pulse Diary", "Waiting")
	for _, who := range []string{"alice@example.com", w.guest("carla@example.com", "Carla").Email} {
		if a := w.at(who).get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", who, a.Status)
		}
		if a := w.at(who).get(path + "/live"); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s hears of it: %s", who, a.Status)
		}
		w.at(who).see("/app/asked").says(t, "You have asked for nothing.")
	}
	if a := w.at("").get(path); a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/sign-in?return="+url.QueryEscape(path) {
		t.Errorf("nobody: %s %s", a.Status, a.Header.Get("Location"))
	}
	_, err := w.as.SetAside(t.Context(), w.owner(), id)
	w.must(err)
	bob.see(path).says(t, "Your question is on its way")

	_, err = w.as.Approve(t.Context(), w.owner(), id, nil, w.now.AddDate(0, 0, 2))
	w.must(err)
	yes := bob.see(path)
	yes.says(t, "The answer is yes", "The summer album", "from Alice, at Photo Box", "Until 25 November 2026", "Go to Pulse Diary")
	if !strings.Contains(yes.body, `href="https://diary.example"`) || strings.Contains(bob.see(path+"?look=often").Header.Get("Refresh"), "10") {
		t.Errorf("the page does not lead on:\n%s", yes.body)
	}
	q, err := w.as.ReadAsked(t.Context(), w.bob.ID, id)
	w.must(err)
	w.must(w.as.WithdrawShare(t.Context(), w.owner(), q.Open[0].ID, 0))
	ended := bob.see(path)
	ended.says(t, "Since then it has ended")
	ended.silent(t, "summer album")
}

func TestANoIsTold(t *testing.T) {
	w := newWorld(t)
	path, id := w.question("The summer album", "view")
	_, err := w.as.Refuse(t.Context(), w.owner(), id)
	w.must(err)
	no := w.at("bob@example.com").see(path)
	no.says(t, "The answer is no")
	no.silent(t, "summer album", "Alice")
	w.at("bob@example.com").see("/app/asked").says(t, "Something at Photo Box")
}

// The page that waits hears of the answer by itself.
func TestAWaitingPageHearsOfTheAnswer(t *testing.T) {
	w := newWorld(t)
	path, id := w.question("The summer album", "view")
	bob := w.at("bob@example.com")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.srv.URL+path+"/live", nil)
	w.must(err)
	response, err := bob.client.Do(r)
	w.must(err)
	defer func() { _ = response.Body.Close() }()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(response.Body); in.Scan(); {
			lines <- in.Text()
		}
	}()
	wait := func(want string) {
		t.Helper()
		for {
			select {
			case line, more := <-lines:
				if line == want {
					return
				}
				if !more {
					t.Fatalf("the stream has ended before %q", want)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%q is not heard", want)
			}
		}
	}
	wait("retry: 3000")
	_, err = w.as.Refuse(t.Context(), w.owner(), id)
	w.must(err)
	wait("event: changed")
}

// A link that this browser holds is among what its person can use, until it is
// forgotten here; another browser knows nothing of it.
func TestALinkIsKeptByTheBrowserThatTookIt(t *testing.T) {
	w := newWorld(t)
	share, secret, err := w.as.ShareByLink(t.Context(), w.owner(), policy.Share{
		Resource: w.thing("Album", "view"), Scopes: []uma.Scope{"view"}, NotAfter: w.now.AddDate(0, 0, 2),
	})
	w.must(err)
	bob, elsewhere := w.at("bob@example.com"), w.at("bob@example.com")
	u, err := url.Parse(w.srv.URL)
	w.must(err)
	bob.client.Jar.SetCookies(u, []*http.Cookie{{Name: "licet-links", Value: "made-up." + secret, Path: "/"}})
	page := bob.see("/app/received")
	page.says(t, "Album", "from Alice, at Photo Box", "You have this by a link that this browser keeps.")
	page.silent(t, secret)
	elsewhere.see("/app/received").silent(t, "Album")
	path, form := bob.form(page, "give-"+string(share.ID))
	if a := elsewhere.post(path, form, "same-origin"); a.StatusCode < 400 {
		t.Errorf("a browser that does not hold it: %s", a.Status)
	}
	bob.press(page, "give-"+string(share.ID)).silent(t, "Album")
	if len(w.shares()) != 1 {
		t.Error("the link has ended for everybody")
	}
}

// Much is shown a page at a time, and all of it.
func TestManyThingsToUseAreShownInPages(t *testing.T) {
	w := newWorld(t)
	for i := range 120 {
		w.share(w.thing(fmt.Sprintf("Thing %03d", i), "view"), "bob@example.com", "view")
	}
	bob := w.at("bob@example.com")
	var seen []string
	for path, pages := "/app/received", 1; path != ""; pages++ {
		body := bob.see(path).body
		here := regexp.MustCompile(`Thing \d{3}</bdi></p>`).FindAllString(body, -1)
		if !slices.IsSorted(here) {
			t.Errorf("page %d is in no order: %q", pages, here)
		}
		seen = append(seen, here...)
		if path = ""; strings.Contains(body, `rel="next"`) {
			path = html.UnescapeString(strings.Split(strings.Split(body, `rel="next" href="`)[1], `"`)[0])
		}
		if pages > 3 {
			t.Fatal("there is no end")
		}
	}
	slices.Sort(seen)
	if len(slices.Compact(seen)) != 120 {
		t.Errorf("%d were seen: %q", len(seen), seen)
	}
}
