package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Everything that somebody can do is on one page, over all things, and is stopped
// at once from there.
func TestAPersonIsSeenWholeAndStoppedWhole(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"Album", "Diary", "Letters"} {
		w.share(w.thing(name, "view"), "bob@example.com", "view")
	}
	w.share(w.thing("Readings", "view"), "anna@example.com", "view")
	alice := w.at("alice@example.com")
	list := alice.see("/app/people")
	list.says(t, "bob@example.com", "3 things", "anna@example.com", "1 thing")
	list.silent(t, "/app/people/bob")
	alice.see("/app/people?q=ANNA").silent(t, "bob@example.com")
	path := strings.Split(strings.Split(alice.see("/app/people?q=bob").body, `href="/app/people/`)[1], `"`)[0]
	page := alice.see("/app/people/" + path)
	page.says(t, "bob@example.com can get at 3 things of yours.", "Album", "Diary", "Letters")
	page.silent(t, "Readings")
	impact := alice.see("/app/stop?person=" + path)
	impact.says(t, "bob@example.com may see Album", "bob@example.com may see Letters")
	after := alice.press(impact, "do-stop")
	after.says(t, "Stopped.", "bob@example.com can get at nothing of yours.")
	if shares := w.shares(); len(shares) != 1 {
		t.Errorf("%d shares are left", len(shares))
	}
	alice.press(after, "undo").says(t, "It is open again.")
	if shares := w.shares(); len(shares) != 4 {
		t.Errorf("undone, there are %d shares", len(shares))
	}
	if a := w.at("bob@example.com").get("/app/people/" + path); a.StatusCode != http.StatusNotFound {
		t.Errorf("in Bob's own space: %s", a.Status)
	}
}

// What somebody could do is said by the judge that decides, with the reason.
func TestWhatBobCouldDoIsSaidWithTheReason(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit")
	w.thing("Diary", "view")
	w.share(album, "bob@example.com", "view")
	_, err := w.as.CreateShare(t.Context(), w.owner(), policy.Share{
		Resource: w.thing("Letters", "view"), Scopes: []uma.Scope{"view"}, Client: "photos",
		Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{"bob@example.com"}}},
	})
	w.must(err)
	alice := w.at("alice@example.com")
	alice.see("/app/could?email=bob%40example.com").says(t, "YesseeThis is shared. Only through Photo Box.")
	question := alice.see("/app/could?email=bob%40example.com")
	question.silent(t, `name="app"`)
	ask := func(on answer, button, field, value string) answer {
		t.Helper()
		path, form := alice.form(on, button)
		form.Set(field, value)
		return alice.see(path + "?" + form.Encode())
	}
	chosen := ask(alice.see("/app/could"), "through", "email", "bob@example.com") // what was written is not lost
	chosen.says(t, "If bob@example.com asked now:", "Through this app", "Photo Box", "Any other app")
	ask(chosen, "ask", "app", "*").says(t, "NoseeOnly through another app.")
	alice.see("/app/could?email=bob%40example.com&app=*").says(t, "NoseeOnly through another app.")
	page := alice.see("/app/could?email=Bob%40example.com")
	page.says(t, "YesseeThis is shared.", "NochangeThis is shared, but not for that.", "NoseeThis is not shared.")
	alice.see("/app/could?email=anna%40example.com&thing="+string(album)).says(t, "NoseeThis is shared with others only.")
	w.now = w.now.AddDate(0, 0, 31)
	alice.see("/app/could?email=bob%40example.com&thing="+string(album)).says(t, "NoseeThe time for it is over.")
	if a := alice.get("/app/could?email=nobody"); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%s", a.Status)
	}
}

// The past is told from what was kept: on a day, what was open then.
func TestHistoryGoesBackToADay(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	first := w.now
	w.share(album, "bob@example.com", "view")
	w.now = w.now.AddDate(0, 0, 10)
	alice := w.at("alice@example.com")
	if lane := between(alice.see("/app/history").body, `role="img"`, `</svg>`); !strings.Contains(lane, `class="lit" x="80" width="11"`) {
		t.Errorf("what is open since ten days is not lit until today: %s", lane)
	}
	shares := w.shares()
	alice.press(alice.see("/app/stop?share="+string(shares[0].ID)), "do-stop")
	w.now = w.now.AddDate(0, 0, 10)
	history := alice.see("/app/history")
	history.says(t, "You opened Album to bob@example.com", "You stopped sharing Album with bob@example.com")
	if !strings.Contains(history.body, "Open on 1 stretch of the last 90 days") {
		t.Errorf("no lane says when it was open: %s", history.body)
	}
	slid := func(day int) string {
		return between(alice.see(fmt.Sprintf("/app/history?slide=%d", day)).body, `role="img" aria-label="`, `</svg>`)
	}
	for day, want := range map[int]string{69: "Closed on 22 November 2026.", 70: "Open on 23 November 2026.", 79: "Open on 2 December 2026.", 80: "Closed on 3 December 2026.", 90: "Closed on 13 December 2026."} {
		if got := slid(day); !strings.Contains(got, want) || !strings.Contains(got, fmt.Sprintf(`<path class="now" d="M%d.5 `, day)) {
			t.Errorf("the lane at the slider's %d: %s", day, got)
		}
	}
	alice.see("/app/history?day=2020-01-01").silent(t, `class="now"`) // the lanes do not go back so far
	then := alice.see("/app/history?day=" + first.AddDate(0, 0, 3).Format(time.DateOnly))
	then.says(t, "On 26 November 2026", "bob@example.com could see Album.", "stopped")
	alice.see("/app/history?day="+w.now.Format(time.DateOnly)).says(t, "Nobody could see anything.")
	alice.see("/app/history?slide=90").says(t, "Nobody could see anything.")
	alice.see(fmt.Sprintf("/app/history?slide=%d", 90-int(w.now.Sub(first.AddDate(0, 0, 3)).Hours()/24))).says(t, "On 26 November 2026", "bob@example.com could see Album.")
	for _, none := range []string{"91", "-1", "soon"} {
		if a := alice.get("/app/history?slide=" + none); a.StatusCode != http.StatusBadRequest {
			t.Errorf("slide %s: %d", none, a.StatusCode)
		}
	}
	if a := alice.get("/app/history?day=yesterday"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("%s", a.Status)
	}
	csv := alice.see("/app/history/export?format=csv")
	if !strings.HasPrefix(csv.Header.Get("Content-Type"), "text/csv") || !strings.Contains(csv.body, "share_created") {
		t.Errorf("%s %s", csv.Header, csv.body)
	}
	if a := alice.get("/app/history/export?format=exe"); a.StatusCode != http.StatusNotFound {
		t.Errorf("%s", a.Status)
	}
	alice.see("/app/history?thing="+string(album)).says(t, "What happened: Album")
	if a := w.at("bob@example.com").get("/app/history?thing=" + string(uma.ResourceID(album))); a.StatusCode != http.StatusNotFound {
		t.Errorf("Bob reads the history of what is not his: %s", a.Status)
	}
}

// Before anything is shared, the page says what they will be able to do by the judge
// that decides: at once, after something else, and not at all.
func TestThePageBeforeSharingSaysWhatTheyWillSee(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit", "delete")
	w.thing("Secret diary", "view")
	w.share(album, "bob@example.com", "edit")
	alice := w.at("alice@example.com")
	questions := alice.see("/app/share?thing=" + string(album))
	check := alice.press(questions, "check", "email", "bob@example.com")
	check.says(t, "What bob@example.com will see", "Yessee", "Yeschange", "Stays closed: delete", "Nothing else opens by this")
	check.silent(t, "Secret diary")
	alice.press(questions, "check", "email", "carol@example.com").says(t, "Yessee", "Stays closed: change and delete")
	alice.press(questions, "check", "email", "carol@example.com", "ask", "yes").says(t, "Not at onceseeYou are asked first.")
	alice.press(questions, "check", "email", "carol@example.com", "why", "the party").says(t, "Not at onceseeThey have to say more about themselves, or agree to something.")
	// Another promise that asks is no reason of this one.
	alice.press(alice.press(questions, "check", "email", "anna@example.com", "ask", "yes"), "do-share")
	alice.press(questions, "check", "email", "anna@example.com", "why", "the party").says(t, "Not at onceseeThey have to say more about themselves, or agree to something.")
	alice.see("/app/could?email=anna%40example.com&thing="+string(album)).says(t, "Not at onceseeYou are asked first.")
	for _, who := range [][]string{{"who", "link"}, {"who", "provider"}, {"who", "domain", "domain", "clinic.example"}} {
		alice.press(questions, "check", who...).says(t, "Yessee", "Stays closed: change and delete")
	}
	if n := len(w.shares()); n != 2 {
		t.Errorf("looking has made %d shares", n-2)
	}
}

// Whoever asks is looked through the eyes of before they are answered.
func TestARequestSaysWhatTheyWouldSee(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit", "delete")
	w.asks([]uma.Scope{"view", "edit"}, album)
	page, path := w.at("alice@example.com").request()
	page.says(t, "What bob@example.com would see if you allowed all of it", "Yessee", "Yeschange", "Stays closed: delete")
	if status := w.status(path); status != as.RequestPending {
		t.Errorf("looked at, it is %s", status)
	}
}

// An app is told of through itself alone, and not through another that may do more.
func TestAnAppIsSeenThroughItself(t *testing.T) {
	w := newWorld(t)
	letters, album := w.thing("Letters", "view"), w.thing("Album", "view")
	_, _, err := w.as.RegisterClient(t.Context(), oauth.Client{ID: "frames", Name: "Kitchen Frame", AuthMethod: oauth.AuthBasic})
	w.must(err)
	for client, id := range map[string]uma.ResourceID{"photos": letters, "frames": album} {
		_, err := w.as.CreateShare(t.Context(), w.owner(), policy.Share{Resource: id, Scopes: []uma.Scope{"view"}, Client: client, Anyone: true})
		w.must(err)
	}
	alice := w.at("alice@example.com")
	list := alice.see("/app/people").body
	_, rest, found := strings.Cut(list[strings.Index(list, "Photo Box")-200:], `/app/people/`)
	key, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatal("the app is not listed")
	}
	alice.see("/app/could?person="+key+"&thing="+string(letters)).says(t, "YesseeThis is shared.")
	alice.see("/app/could?person="+key+"&thing="+string(album)).says(t, "NoseeOnly through another app.")
}

// A thing is seen as somebody whom it is shared with, whoever they are.
func TestAThingIsSeenAsSomebodyElse(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit")
	w.share(album, "bob@example.com", "view")
	alice := w.at("alice@example.com")
	group := alice.press(alice.see("/app/groups"), "make", "name", "Family")
	alice.press(alice.press(alice.see("/app/share?thing="+string(album)), "check", "who", "group", "group", group.Request.URL.Path[len("/app/groups/"):], "do-0", "", "do-1", "edit"), "do-share")
	page := alice.see("/app/things/" + string(album))
	seen := map[string]bool{}
	for _, part := range strings.Split(page.body, `href="/app/could?`)[1:] {
		query, _, _ := strings.Cut(part, `"`)
		if !strings.Contains(query, "person=") {
			continue
		}
		a := alice.see("/app/could?" + strings.ReplaceAll(query, "&amp;", "&"))
		seen[strings.Join([]string{yesNo(a, "see"), yesNo(a, "change")}, " ")] = true
		a.says(t, "asked now:")
	}
	if !seen["Yes No"] || !seen["Not at once Yes"] || len(seen) != 2 {
		t.Errorf("Bob and the family see %v", seen)
	}
	if a := alice.get("/app/could?thing=" + string(album) + "&person=nobody"); a.StatusCode != http.StatusNotFound {
		t.Errorf("nobody: %s", a.Status)
	}
}

func yesNo(a answer, verb string) string {
	switch {
	case strings.Contains(a.text(), "Yes"+verb):
		return "Yes"
	case strings.Contains(a.text(), "Not at once"+verb):
		return "Not at once"
	case strings.Contains(a.text(), "No"+verb):
		return "No"
	}
	return ""
}

// What is open to somebody through one app alone is open to nobody else by it: the app is
// counted beside the person, and every sentence says who it is, through which app.
func TestAnAppIsBesideThePersonWhoHasToUseIt(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	made, err := w.as.CreateShare(t.Context(), w.owner(), policy.Share{
		Resource: album, Scopes: []uma.Scope{"view"}, Client: "diary", NotAfter: w.now.AddDate(0, 0, 30),
		Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{"bob@example.com"}}},
	})
	w.must(err)
	alice := w.at("alice@example.com")
	alice.see("/app/").says(t, "1 person and 1 app can see something of yours.", "You opened Album to bob@example.com, through Pulse Diary")
	thing := alice.see("/app/things/" + string(album))
	thing.says(t, "bob@example.com through Pulse Diary can get at this.", "Only through Pulse Diary.")
	alice.see("/app/shares/"+string(made.ID)).says(t, "bob@example.com through Pulse Diary may see Album until 23 December 2026.")
	alice.see("/app/people").says(t, "bob@example.com", "Pulse Diary")
	bob := alice.see("/app/people/" + between(thing.body, `href="/app/people/`, `"`))
	bob.says(t, "bob@example.com can get at 1 thing of yours.", "Only through Pulse Diary.")
	app := alice.see("/app/apps/diary")
	app.says(t, "Pulse Diary can get at 1 thing of yours.", "For bob@example.com.", "You opened Album to bob@example.com, through Pulse Diary")
	alice.see("/app/history?day=2026-11-23").says(t, "bob@example.com through Pulse Diary could see Album.")
	alice.press(alice.see("/app/stop?share="+string(made.ID)), "do-stop")
	alice.see("/app/things/"+string(album)).says(t, "You stopped sharing Album with bob@example.com, through Pulse Diary", "bob@example.com through Pulse Diary could see Album.")
}

// Those for whom the question is put each time stand by themselves, as nothing is open to
// them.
func TestWhoMayOnlyAskStandsApart(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	w.asks([]uma.Scope{"view"}, album)
	alice := w.at("alice@example.com")
	thing := alice.see("/app/things/" + string(album))
	thing.says(t, "Only you can see this.", "Nobody but you can do anything with this.", "May ask you Each time they wait for a yes.")
	key := between(thing.body, `href="/app/people/`, `"`)
	alice.see("/app/people/"+key).says(t, "bob@example.com can get at nothing of yours.")

	w.share(album, "carol@example.com", "view")
	thing = alice.see("/app/things/" + string(album))
	can, may, found := strings.Cut(thing.text(), "May ask you")
	if !found || strings.Contains(can, "bob@example.com") || !strings.Contains(can, "carol@example.com can get at this.") || !strings.Contains(may, "bob@example.com") {
		t.Errorf("who can and who may ask are told together:\n%s", thing.text())
	}
	thing.says(t, "Stop all of them")
}

// Whoever is met on several pages has one face on all of them, and so has an app.
func TestOneFaceForEachPersonAndEachApp(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view", "edit")
	_, err := w.as.IssueToken(t.Context(), "diary", w.alice.ID, w.alice.space, "view")
	w.must(err)
	w.asks([]uma.Scope{"view"}, album)
	w.share(album, "bob@example.com", "view")
	if result := w.redeems([]uma.Scope{"view"}, album); !isA[as.Granted](result) {
		t.Fatalf("Bob is not let in: %T", result)
	}
	_, err = w.as.CreateShare(t.Context(), w.owner(), policy.Share{Resource: album, Scopes: []uma.Scope{"edit"}, Client: "diary"})
	w.must(err)
	_, err = w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleViewer, w.now.AddDate(1, 0, 0))
	w.must(err)
	alice := w.at("alice@example.com")
	group := alice.press(alice.press(alice.see("/app/groups"), "make", "name", "Family"), "add", "email", "bob@example.com")
	faces := func(kind, letters string, on ...answer) {
		t.Helper()
		shape := regexp.MustCompile(`<span class="` + kind + ` (tone-\d)" aria-hidden="true">` + letters + `</span>`)
		first := ""
		for _, a := range on {
			found := shape.FindAllStringSubmatch(a.body, -1)
			if len(found) == 0 {
				t.Errorf("%s has no face %s", a.Request.URL.Path, letters)
			}
			for _, one := range found {
				if first == "" {
					first = one[1]
				}
				if one[1] != first {
					t.Errorf("%s: the face %s is %s, and %s elsewhere", a.Request.URL.Path, letters, one[1], first)
				}
			}
		}
	}
	home, thing, people, me := alice.see("/app/"), alice.see("/app/things/"+string(album)), alice.see("/app/people"), alice.see("/app/me")
	faces("face", "B", home, thing, people, me, group, alice.see("/app/roles"), w.at("bob@example.com").see("/app/me"))
	faces("face app", "PD", home, thing, people, me, alice.see("/app/apps/diary"), alice.see("/app/stop?thing="+string(album)))
}

// What has happened is told in whole sentences, in every language: to whoever did it as
// something that they did.
func TestHistoryIsToldInSentences(t *testing.T) {
	w := newWorld(t)
	album := w.thing("Album", "view")
	w.share(album, "carol@example.com", "view")
	_, err := w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleDelegate, w.now.AddDate(1, 0, 0))
	w.must(err)
	bobs := as.Owner{Space: w.alice.space, Account: w.bob.ID}
	w.must(w.as.WithdrawShare(t.Context(), bobs, w.shares()[0].ID, 0))
	alice := w.at("alice@example.com")
	u, err := url.Parse(w.srv.URL)
	w.must(err)
	for language, want := range map[string][]string{
		"en": {"You opened Album to carol@example.com", "Bob for Alice stopped sharing Album with carol@example.com", "Photo Box put Album under protection here", "You let Bob act here"},
		"de": {"Du hast Album für carol@example.com geöffnet", "Bob (für Alice) hat beendet, dass Album mit carol@example.com geteilt wird", "Photo Box hat Album hier unter Schutz gestellt", "Du lässt Bob hier handeln"},
		"fr": {"Tu as ouvert Album à carol@example.com", "Bob (pour Alice) a arrêté le partage de Album avec carol@example.com", "Tu laisses Bob agir ici"},
		"es": {"Abriste Album a carol@example.com", "Bob (en nombre de Alice) dejó de compartir Album con carol@example.com", "Dejas que Bob actúe aquí"},
		"ar": {"فتحت Album أمام carol@example.com", "جرى إيقاف مشاركة Album مع carol@example.com على يد Bob (نيابةً عن Alice)"},
	} {
		alice.client.Jar.SetCookies(u, []*http.Cookie{{Name: "licet-language", Value: language, Path: "/"}})
		alice.see("/app/history").says(t, want...)
	}
}

// A day of the past tells who could act, also where nothing was open.
func TestADayTellsWhoCouldAct(t *testing.T) {
	w := newWorld(t)
	_, err := w.as.GrantRole(t.Context(), w.owner(), w.bob.ID, as.RoleDelegate, w.now.AddDate(0, 0, 5))
	w.must(err)
	w.now = w.now.AddDate(0, 0, 10)
	alice := w.at("alice@example.com")
	alice.see("/app/history?day=2026-11-24").says(t, "Nobody could see anything.", "Who could act here", "Bob could share, answer and stop for the things of Alice.", "Since 23 November 2026. Until 28 November 2026.")
	alice.see("/app/history?day=2026-11-29").silent(t, "Who could act here")
}

// The page of whoever has a link says so; each line leads to its promise.
func TestTheLinesOfAPersonSayHowAndLeadToThePromise(t *testing.T) {
	w := newWorld(t)
	album, letters := w.thing("Album", "view"), w.thing("Letters", "view")
	made, _, err := w.as.ShareByLink(t.Context(), w.owner(), policy.Share{Resource: album, Scopes: []uma.Scope{"view"}, Link: true, NotAfter: w.now.AddDate(0, 0, 7), Purpose: "the holidays"})
	w.must(err)
	bound, err := w.as.CreateShare(t.Context(), w.owner(), policy.Share{
		Resource: letters, Scopes: []uma.Scope{"view"}, Client: "diary", Ask: true,
		Claims: []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{"bob@example.com"}}},
	})
	w.must(err)
	alice := w.at("alice@example.com")
	pageOf := func(id uma.ResourceID) answer {
		return alice.see("/app/people/" + between(alice.see("/app/things/"+string(id)).body, `href="/app/people/`, `"`))
	}
	link := pageOf(album)
	link.says(t, "Whoever has the link can get at 1 thing of yours.", "Nobody is asked who they are", "For this: the holidays.", "The promise: Album")
	link.silent(t, "Only through")
	// Whoever has no address is asked about by themselves when an app is chosen, too.
	path, form := alice.form(alice.see("/app/could?person="+link.Request.URL.Path[len("/app/people/"):]), "through")
	chosen := alice.see(path + "?" + form.Encode())
	path, form = alice.form(chosen, "ask")
	form.Set("app", "*")
	for _, one := range []answer{chosen, alice.see(path + "?" + form.Encode())} {
		one.says(t, "If whoever has the link asked now:", "Any other app")
	}
	form.Set("email", "bob@example.com")
	alice.see(path+"?"+form.Encode()).says(t, "If bob@example.com asked now:")
	bob := pageOf(letters)
	bob.says(t, "Only through Pulse Diary.", "You are asked each time.", "The promise: Letters")
	for page, share := range map[*answer]as.Share{&link: made, &bob: bound} {
		if !strings.Contains(page.body, `href="/app/shares/`+string(share.ID)+`"`) {
			t.Errorf("%s does not lead to the promise", page.Request.URL.Path)
		}
	}
	alice.see("/app/shares/"+string(made.ID)).says(t, "Whoever has the link may see Album until 30 November 2026, for this: the holidays.")
}
