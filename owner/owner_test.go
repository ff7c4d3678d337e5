package owner_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

func TestHomeSaysWhoCanSeeSomething(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	home, err := w.views.Home(w.ctx, w.alice, time.Time{})
	w.must(err)
	if home.People+home.Apps+home.Open+home.Shared != 0 {
		t.Errorf("nothing is shared, and home says %+v", home)
	}
	album, notes := w.thing(w.photos, "Album"), w.thing(w.clinic, "Notes")
	w.thing(w.photos, "Attic")
	soon := email(album, "bob@example.org", "view")
	soon.NotAfter = w.Now().Add(3 * 24 * time.Hour)
	w.share(w.alice, soon)
	w.share(w.alice, email(notes, "BOB@example.org", "view"))
	through := email(notes, "carol@example.org", "view")
	through.Client = "frames"
	w.share(w.alice, through)
	w.share(w.alice, policy.Share{Resource: album, Scopes: []uma.Scope{"view"}, Anyone: true, Client: "prints"})
	later := email(album, "dora@example.org", "view")
	later.NotBefore = w.Now().Add(time.Hour)
	w.share(w.alice, later)
	visited := w.Now()
	w.advance(time.Minute)
	w.share(w.alice, email(notes, "*@clinic.example", "view"))
	w.share(w.anna, email(w.thing(w.annasPhotos, "Anna's"), "eve@example.org", "view"))

	home, err = w.views.Home(w.ctx, w.alice, visited)
	w.must(err)
	if home.People != 2 || home.Apps != 2 || home.Open != 1 || home.Things != 3 || home.Shared != 2 || len(home.Lit) != 2 || home.Lit[0].ID != notes {
		t.Errorf("home says %+v", home)
	}
	if len(home.Ending) != 1 || home.Ending[0].Thing.Name != "Album" || home.Ending[0].Who[0].Value != "bob@example.org" {
		t.Errorf("what ends soon: %+v", home.Ending)
	}
	if len(home.Changes) != 1 || home.Changes[0].Kind != as.EventShareCreated || home.Changes[0].Actor.Name != "Alice" || home.Changes[0].Actor.For != "" {
		t.Errorf("since the last visit: %+v", home.Changes)
	}
	// What is over is not counted, though nobody has withdrawn it.
	w.advance(4 * 24 * time.Hour)
	home, err = w.views.Home(w.ctx, w.alice, visited)
	w.must(err)
	if home.People != 3 || len(home.Ending) != 0 {
		t.Errorf("after some days home says %d people, ending %d", home.People, len(home.Ending))
	}
}

// That somebody may ask opens nothing to them.
func TestWhoMayOnlyAskSeesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.thing(w.photos, "Album")
	ask := email(album, "bob@example.org", "view")
	ask.Ask = true
	w.share(w.alice, ask)
	home, err := w.views.Home(w.ctx, w.alice, time.Time{})
	w.must(err)
	people, err := w.views.People(w.ctx, w.alice, owner.PeopleQuery{}, owner.Page{})
	w.must(err)
	thing, err := w.views.Thing(w.ctx, w.alice, album)
	w.must(err)
	if home.People+home.Shared+len(home.Lit) != 0 || len(people.List) != 0 || thing.Lit() {
		t.Errorf("home says %+v, of people there are %d, and the thing is lit: %v", home, len(people.List), thing.Lit())
	}
	lanes, err := w.views.Lanes(w.ctx, w.alice, w.Now().Add(-time.Hour), w.Now().Add(time.Hour), owner.Page{})
	w.must(err)
	then, err := w.views.At(w.ctx, w.alice, w.Now(), owner.DayQuery{}, owner.Page{})
	w.must(err)
	if len(lanes.List)+len(then.List) != 0 {
		t.Errorf("the past tells of %+v and %+v", lanes.List, then.List)
	}
	if len(thing.Sharings) != 1 || !thing.Sharings[0].Ask {
		t.Errorf("the thing tells of %+v", thing.Sharings)
	}
}

func TestThingsAreFoundByNameAndService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"Zebra", "album 2", "Album 1", "Blood pressure"} {
		pat := w.photos
		if name == "Blood pressure" {
			pat = w.clinic
		}
		w.share(w.alice, email(w.thing(pat, name), "bob@example.org", "view"))
	}
	w.thing(w.annasPhotos, "Album of Anna")
	names := func(q owner.ThingsQuery, limit int) (out []string) {
		for page := (owner.Page{Limit: limit}); ; {
			things, err := w.views.Things(w.ctx, w.alice, q, page)
			w.must(err)
			for _, one := range things.List {
				out = append(out, one.Description.Name+" at "+one.Service.Name)
				if !one.Lit() || one.Sharings[0].Who[0].Value != "bob@example.org" {
					t.Errorf("%s: %+v", one.Description.Name, one.Sharings)
				}
			}
			if len(things.Services) != 2 || things.Services[0].Name != "Clinic" || things.Services[0].Things != 1 || things.Services[1].Things != 3 {
				t.Errorf("the services are %v", things.Services)
			}
			if page.After = things.Next; things.Next == "" {
				return out
			}
		}
	}
	all := []string{"Album 1 at Photos", "album 2 at Photos", "Blood pressure at Clinic", "Zebra at Photos"}
	for _, limit := range []int{1, 2, 4, 50} {
		if got := names(owner.ThingsQuery{}, limit); !slices.Equal(got, all) {
			t.Errorf("in pages of %d: %v", limit, got)
		}
	}
	if got := names(owner.ThingsQuery{Search: " ALBUM "}, 1); len(got) != 0 && !slices.Equal(got, all[:2]) {
		t.Errorf("searching: %v", got)
	}
	if got := names(owner.ThingsQuery{Service: "clinic"}, 1); !slices.Equal(got, all[2:3]) {
		t.Errorf("at the clinic: %v", got)
	}
	first, err := w.views.Things(w.ctx, w.alice, owner.ThingsQuery{}, owner.Page{Limit: 1})
	w.must(err)
	if _, err := w.views.Things(w.ctx, w.anna, owner.ThingsQuery{}, owner.Page{After: first.Next}); err == nil {
		t.Error("a cursor of Alice's is good for Anna")
	}
	if _, err := w.views.Thing(w.ctx, w.anna, first.List[0].ID); err == nil {
		t.Error("Anna sees a thing of Alice's")
	}
}

func TestAPersonIsOneAcrossServicesAndHowTheyAreKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, notes := w.thing(w.photos, "Album"), w.thing(w.clinic, "Notes")
	w.share(w.alice, email(album, "bob@example.org", "view"))
	w.share(w.alice, policy.Share{Resource: notes, Scopes: []uma.Scope{"view"}, Anyone: true, Ask: true})
	if _, asked := w.visit(w.clinic, w.app, "Bob", notes, "view").(as.Submitted); !asked {
		t.Fatal("Alice was not asked")
	}
	requests, err := w.views.Requests(w.ctx, w.alice, as.RequestPending, owner.Page{})
	w.must(err)
	q := requests.List[0]
	if q.Who.Value != "bob@example.org" || q.App.Name != "Frames" || q.Things[0].Name != "Notes" {
		t.Errorf("the request: %+v", q)
	}
	_, err = w.as.Approve(w.ctx, w.alice, q.ID, nil, time.Time{})
	w.must(err)

	people, err := w.views.People(w.ctx, w.alice, owner.PeopleQuery{}, owner.Page{})
	w.must(err)
	var list []string
	for _, p := range people.List {
		list = append(list, string(p.Kind)+" "+p.App.Name+p.Value)
	}
	if want := []string{"email bob@example.org", "app Framesframes"}; !slices.Equal(list, want) {
		t.Errorf("the people are %q, want %q", list, want)
	}
	bob := people.List[0]
	if bob.Things != 2 || !bob.Until.IsZero() {
		t.Errorf("Bob's line: %+v", bob)
	}
	if strings.Contains(bob.Key, "bob") || bob.Key != q.Who.Key {
		t.Errorf("Bob's key is %q", bob.Key)
	}
	person, err := w.views.Person(w.ctx, w.alice, bob.Key, owner.Page{})
	w.must(err)
	if len(person.Sharings) != 2 || person.Sharings[0].Thing.Name != "Album" || person.Sharings[1].Through.Name != "Frames" {
		t.Errorf("what Bob can do: %+v", person.Sharings)
	}
	first, err := w.views.Person(w.ctx, w.alice, bob.Key, owner.Page{Limit: 1})
	w.must(err)
	second, err := w.views.Person(w.ctx, w.alice, bob.Key, owner.Page{Limit: 1, After: first.Next})
	w.must(err)
	if got := slices.Concat(first.Sharings, second.Sharings); !reflect.DeepEqual(got, person.Sharings) || second.Next != "" || first.Shares != 2 || first.Things != person.Things {
		t.Errorf("what Bob can do, page by page: %+v, %+v", first, second)
	}
	if _, err := w.views.Person(w.ctx, w.alice, people.List[1].Key, owner.Page{After: first.Next}); err == nil {
		t.Error("what an app can do goes on where Bob's does")
	}
	if !slices.ContainsFunc(person.Checked, func(c owner.Checked) bool { return c.Name == "email" && c.Value == "bob@example.org" }) {
		t.Errorf("how Bob was checked: %+v", person.Checked)
	}
	if _, err := w.views.Person(w.ctx, w.anna, bob.Key, owner.Page{}); err == nil {
		t.Error("Bob's key is good in another space")
	}
	app, err := w.views.App(w.ctx, w.alice, "frames", owner.Page{})
	w.must(err)
	if app.App.Name != "Frames" || len(app.Sharings) != 1 {
		t.Errorf("the app: %+v", app)
	}
	// Once everything is stopped, Bob is still found, with nothing.
	_, err = w.as.WithdrawAll(w.ctx, w.alice, as.Target{Person: bob.Party})
	w.must(err)
	person, err = w.views.Person(w.ctx, w.alice, bob.Key, owner.Page{})
	w.must(err)
	if person.Value != "bob@example.org" || len(person.Sharings) != 0 {
		t.Errorf("Bob, stopped: %+v", person)
	}
}

func TestHistoryTellsWhoDidWhatForWhom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, notes := w.thing(w.photos, "Album"), w.thing(w.clinic, "=Notes")
	carol := as.Owner{Space: w.alice.Space, Account: w.people["Carol"].ID}
	w.must(w.as.Store.Update(w.ctx, func(tx as.Tx) error {
		return tx.PutRole(as.Role{Account: carol.Account, Space: carol.Space, Kind: as.RoleGuardian})
	}))
	w.share(carol, email(album, "bob@example.org", "view"))
	share := w.share(w.alice, email(notes, "dora@example.org", "view"))
	if _, ok := w.visit(w.photos, w.app, "Bob", album, "view").(as.Granted); !ok {
		t.Fatal("Bob was not let in")
	}
	w.must(w.as.WithdrawShare(w.ctx, w.alice, share.ID, 0))
	w.must(w.as.DeregisterResource(w.ctx, w.clinic, notes))
	people, err := w.views.People(w.ctx, w.alice, owner.PeopleQuery{Search: "bob"}, owner.Page{})
	w.must(err)
	bob := people.List[0]

	read := func(f owner.HistoryFilter, limit int) (out []owner.Line) {
		for page := (owner.Page{Limit: limit}); ; {
			h, err := w.views.History(w.ctx, w.alice, f, page)
			w.must(err)
			out = append(out, h.List...)
			if page.After = h.Next; h.Next == "" {
				return out
			}
		}
	}
	kinds := func(lines []owner.Line) (out []string) {
		for _, l := range lines {
			out = append(out, l.Kind)
		}
		return out
	}
	all := read(owner.HistoryFilter{}, 50)
	for _, limit := range []int{1, 2, 3} {
		if got := read(owner.HistoryFilter{}, limit); !slices.Equal(kinds(got), kinds(all)) {
			t.Errorf("in pages of %d: %v", limit, kinds(got))
		}
	}
	if got, want := kinds(read(owner.HistoryFilter{Thing: album}, 2)), []string{as.EventPermissionGranted, as.EventShareCreated, as.EventResourceRegistered}; !slices.Equal(got, want) {
		t.Errorf("of the album: %v", got)
	}
	if got, want := kinds(read(owner.HistoryFilter{Person: bob.Key}, 2)), []string{as.EventPermissionGranted, as.EventShareCreated}; !slices.Equal(got, want) {
		t.Errorf("of Bob: %v", got)
	}
	if got, want := kinds(read(owner.HistoryFilter{App: "frames"}, 2)), []string{as.EventPermissionGranted}; !slices.Equal(got, want) {
		t.Errorf("of the app: %v", got)
	}
	by := read(owner.HistoryFilter{Person: bob.Key}, 9)[1]
	if by.Actor != (owner.Actor{Kind: owner.ActorPerson, ID: string(carol.Account), Name: "Carol", For: "Alice"}) {
		t.Errorf("who shared: %+v", by.Actor)
	}
	gone := read(owner.HistoryFilter{Thing: notes}, 9)
	if got := gone[0].Things[0]; got.Name != "=Notes" || !got.Gone || gone[0].Actor.Kind != owner.ActorApp || gone[0].Actor.Name != "Clinic" {
		t.Errorf("the thing that is gone: %+v by %+v", got, gone[0].Actor)
	}
	if !gone[1].Undo || gone[1].Who[0].Value != "dora@example.org" {
		t.Errorf("the withdrawal: %+v", gone[1])
	}
	var sheet, text bytes.Buffer
	w.must(w.views.Export(w.ctx, w.alice, owner.HistoryFilter{}, owner.ExportCSV, &sheet))
	w.must(w.views.Export(w.ctx, w.alice, owner.HistoryFilter{}, owner.ExportJSON, &text))
	rows, err := csv.NewReader(&sheet).ReadAll()
	w.must(err)
	var lines []owner.Line
	w.must(json.Unmarshal(text.Bytes(), &lines))
	if len(rows) != len(all)+1 || len(lines) != len(all) {
		t.Errorf("%d rows and %d lines of %d events were written", len(rows), len(lines), len(all))
	}
	if !strings.HasPrefix(rows[1][5], "'=") {
		t.Errorf("a name is written as the formula %q", rows[1][5])
	}
	if h, err := w.views.History(w.ctx, w.anna, owner.HistoryFilter{Thing: album}, owner.Page{}); err != nil || len(h.List) != 0 {
		t.Error("Anna reads Alice's history")
	}
}

func TestADayOfThePastIsToldFromWhatWasKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.thing(w.photos, "Album")
	begun := w.Now()
	day := func(n int) time.Time { return begun.Add(time.Duration(n) * 24 * time.Hour) }
	share := w.share(w.alice, email(album, "bob@example.org", "view"))
	w.advance(24 * time.Hour) // day 1: more
	_, err := w.as.ReplaceShare(w.ctx, w.alice, share.ID, 0, email(album, "bob@example.org", "view", "edit"))
	w.must(err)
	w.advance(24 * time.Hour) // day 2: the album is renamed and loses a scope
	_, err = w.as.UpdateResource(w.ctx, w.photos, album, describe(t, "Summer", "view"))
	w.must(err)
	w.advance(24 * time.Hour) // day 3: it is gone
	w.must(w.as.DeregisterResource(w.ctx, w.photos, album))
	w.advance(24 * time.Hour)

	for n, want := range []string{"Album view", "Album view edit", "Summer view", ""} {
		d, err := w.views.At(w.ctx, w.alice, day(n).Add(time.Hour), owner.DayQuery{}, owner.Page{})
		w.must(err)
		got := ""
		for _, a := range d.List {
			got += a.Thing.Name
			for _, s := range a.Can {
				got += " " + string(s)
			}
			if a.Who[0].Value != "bob@example.org" || a.Service.Name != "Photos" {
				t.Errorf("day %d: %+v", n, a)
			}
		}
		if got != want {
			t.Errorf("day %d: %q, want %q", n, got, want)
		}
	}
	if d, err := w.views.At(w.ctx, w.alice, begun.Add(-time.Millisecond), owner.DayQuery{}, owner.Page{}); err != nil || len(d.List) != 0 {
		t.Errorf("before everything: %v, %v", d, err)
	}
	lanes, err := w.views.Lanes(w.ctx, w.alice, begun.Add(-48*time.Hour), w.Now(), owner.Page{})
	w.must(err)
	if len(lanes.List) != 1 || !slices.Equal(lanes.List[0].Spans, []owner.Span{{From: begun, To: day(3)}}) {
		t.Errorf("the lanes are %+v", lanes.List)
	}
}

// An application that somebody has to use is told of beside them, and not among those who
// were let in; whoever asks what happened with the application finds it all the same.
func TestHistoryTellsThroughWhichApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bound := email(w.thing(w.photos, "Album"), "bob@example.org", "view")
	bound.Client = "frames"
	w.share(w.alice, bound)
	h, err := w.views.History(w.ctx, w.alice, owner.HistoryFilter{App: "frames"}, owner.Page{})
	w.must(err)
	if len(h.List) != 1 || len(h.List[0].Who) != 1 || h.List[0].Who[0].Value != "bob@example.org" || !slices.Equal(h.List[0].Through, []owner.App{{ID: "frames", Name: "Frames"}}) {
		t.Errorf("the history of the app: %+v", h.List)
	}
	var sheet bytes.Buffer
	w.must(w.views.Export(w.ctx, w.alice, owner.HistoryFilter{App: "frames"}, owner.ExportCSV, &sheet))
	if !strings.Contains(sheet.String(), ",bob@example.org,Frames,view") {
		t.Errorf("as a table: %s", &sheet)
	}
}

// Who could act in a space on a day is told from what was said of roles: with the end that
// it had then, ended early, lapsed, or given again as another one.
func TestADayOfThePastTellsWhoCouldAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun := w.Now()
	day := func(n int) time.Time { return begun.Add(time.Duration(n) * 24 * time.Hour) }
	bob, carol := w.people["Bob"].ID, w.people["Carol"].ID
	give := func(by as.Owner, to as.AccountID, kind as.RoleKind, until time.Time) {
		t.Helper()
		_, err := w.as.GrantRole(w.ctx, by, to, kind, until)
		w.must(err)
	}
	give(w.alice, carol, as.RoleGuardian, day(30))                                     // day 0
	give(as.Owner{Space: w.alice.Space, Account: carol}, bob, as.RoleDelegate, day(8)) // by Carol
	w.advance(4 * 24 * time.Hour)                                                      // day 4: less
	give(w.alice, bob, as.RoleViewer, day(8))                                          // which lapses by itself
	w.advance(6 * 24 * time.Hour)                                                      // day 10: Carol is out
	w.must(w.as.EndRole(w.ctx, w.alice, carol))
	w.advance(2 * 24 * time.Hour)                   // day 12
	give(w.anna, bob, as.RoleGuardian, time.Time{}) // elsewhere
	w.advance(time.Hour)
	for n, want := range map[int]string{0: "Bob delegate, Carol guardian", 5: "Bob viewer, Carol guardian", 9: "Carol guardian", 11: "", 12: ""} {
		d, err := w.views.At(w.ctx, w.alice, day(n).Add(time.Hour), owner.DayQuery{}, owner.Page{})
		w.must(err)
		var got []string
		for _, r := range d.Roles {
			got = append(got, r.Name+" "+string(r.Kind))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("day %d: %q, want %q", n, got, want)
		}
	}
	d, err := w.views.At(w.ctx, w.alice, day(5), owner.DayQuery{}, owner.Page{})
	w.must(err)
	if r := d.Roles[0]; !r.Since.Equal(day(4)) || !r.Until.Equal(day(8)) || r.Email != "bob@example.org" {
		t.Errorf("what is told of Bob: %+v", r)
	}
	if d, err := w.views.At(w.ctx, w.alice, begun.Add(-time.Hour), owner.DayQuery{}, owner.Page{}); err != nil || len(d.Roles) != 0 {
		t.Errorf("before everything: %+v, %v", d.Roles, err)
	}
	w.share(w.alice, email(w.thing(w.photos, "Album"), "bob@example.org", "view"))
	people, err := w.views.People(w.ctx, w.alice, owner.PeopleQuery{Search: "bob"}, owner.Page{})
	w.must(err)
	if d, err = w.views.At(w.ctx, w.alice, day(5), owner.DayQuery{Person: people.List[0].Key}, owner.Page{}); err != nil || len(d.Roles) != 1 || d.Roles[0].Account != bob {
		t.Errorf("of Bob alone: %+v, %v", d.Roles, err)
	}
}
