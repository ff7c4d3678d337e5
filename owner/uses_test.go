package owner_test

import (
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// used adds up what a walk through the pages tells.
func (w *world) used(o as.Owner, q owner.UsesQuery) (times int64, lines int) {
	w.t.Helper()
	var last time.Time
	for p := (owner.Page{Limit: 7}); ; {
		page, err := w.views.Uses(w.ctx, o, q, p)
		w.must(err)
		for i, one := range page.List {
			if i > 0 && one.LastAt.After(last.Add(24*time.Hour)) {
				w.t.Errorf("%v comes after %v", one.LastAt, last)
			}
			last = one.LastAt
			times += one.N
		}
		lines += len(page.List)
		if page.Next == "" {
			return times, lines
		}
		p.After = page.Next
	}
}

// Every use is told once over the pages, whatever narrows them, and in no other space.
func TestEveryUseIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.fill(20, 30)
	w.fillUses(500)
	if n, lines := w.used(w.alice, owner.UsesQuery{}); n != 1500 || lines == 0 || lines > 200 {
		t.Errorf("%d uses are told in %d lines, want 1500", n, lines)
	}
	var byThing, byPerson int64
	things, err := w.views.Things(w.ctx, w.alice, owner.ThingsQuery{}, owner.Page{})
	w.must(err)
	for _, one := range things.List {
		n, _ := w.used(w.alice, owner.UsesQuery{Thing: one.ID})
		byThing += n
	}
	people, err := w.views.People(w.ctx, w.alice, owner.PeopleQuery{Kind: policy.PartyEmail}, owner.Page{Limit: 200})
	w.must(err)
	for _, one := range people.List {
		n, _ := w.used(w.alice, owner.UsesQuery{Person: one.Key})
		byPerson += n
	}
	if byApp, _ := w.used(w.alice, owner.UsesQuery{App: w.app.ID}); byThing != 1500 || byPerson != 1500 || byApp != 1500 {
		t.Errorf("over all things %d, all people %d, and the app %d uses are told, want 1500", byThing, byPerson, byApp)
	}
	if n, _ := w.used(w.anna, owner.UsesQuery{}); n != 0 {
		t.Errorf("Anna is told of %d uses", n)
	}
	if _, err := w.views.Uses(w.ctx, w.anna, owner.UsesQuery{}, owner.Page{After: "forged"}); err == nil {
		t.Error("a forged place in the list is taken")
	}
}

// Whose day it is begins where the reader is.
func TestADayOfUsesBeginsWhereTheReaderIs(t *testing.T) {
	w := newWorld(t)
	album := w.thing(w.photos, "Album")
	share := w.share(w.alice, email(album, "bob@example.org", "view"))
	night := time.Date(2026, 5, 3, 22, 0, 0, 0, time.UTC)
	w.must(w.as.Store.Update(w.ctx, func(tx as.Tx) error {
		for i, at := range []time.Time{night, night.Add(3 * time.Hour)} {
			if err := tx.AddUse(as.Use{
				ID: as.UsesSince(at) + as.UseID(rune('a'+i)), Space: w.alice.Space, At: at, ResourceServer: "photos", Resource: album,
				Share: share.ID, Client: w.app.ID, Scopes: []uma.Scope{"view"}, N: 1, LastAt: at,
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	for zone, want := range map[*time.Location]int{nil: 2, time.FixedZone("east", 3*3600): 1} {
		if _, lines := w.used(w.alice, owner.UsesQuery{Zone: zone}); lines != want {
			t.Errorf("in %v the uses of a night are told in %d lines, want %d", zone, lines, want)
		}
	}
}

// What was open and is over is found, the newest first and each once; what is open is
// not past, and what another owner had open is not there.
func TestWhatWasOpenIsFound(t *testing.T) {
	w := newWorld(t)
	album := w.thing(w.photos, "Album")
	past := func() []owner.Past {
		thing, err := w.views.Thing(w.ctx, w.alice, album)
		w.must(err)
		list, err := w.views.Past(w.ctx, w.alice, thing, 10)
		w.must(err)
		return list
	}
	short := email(album, "carol@example.org", "view")
	short.NotAfter = w.Now().Add(time.Hour)
	w.share(w.alice, short)
	for range 2 {
		w.must(w.as.WithdrawShare(w.ctx, w.alice, w.share(w.alice, email(album, "bob@example.org", "view")).ID, 0))
	}
	if list := past(); len(list) != 1 || list[0].How != as.EndWithdrawn || list[0].Who[0].Value != "bob@example.org" || list[0].Over(w.Now()) {
		t.Errorf("%+v", list)
	}
	w.advance(2 * time.Hour)
	if list := past(); len(list) != 2 || list[0].How != as.EndExpired || list[0].Who[0].Value != "carol@example.org" || !list[0].Over(w.Now()) {
		t.Errorf("%+v", list)
	}
	ref := as.VersionRef{Share: past()[1].ID, Version: past()[1].Version}
	if _, _, err := w.views.Version(w.ctx, w.anna, ref); err == nil {
		t.Error("Anna sees what Alice had open")
	}
	_, err := w.as.RestoreShare(w.ctx, w.alice, ref)
	w.must(err)
	if list := past(); len(list) != 1 {
		t.Errorf("open again, it is past all the same: %+v", list)
	}
	w.advance(91 * 24 * time.Hour)
	if list := past(); len(list) != 0 {
		t.Errorf("91 days later: %+v", list)
	}
}
