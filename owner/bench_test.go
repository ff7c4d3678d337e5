package owner_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The views of a space with 10 000 things and 1 000 shares. A page has 20 ms of
// the server's time.
func BenchmarkViews(b *testing.B) {
	w := newWorld(b)
	w.fill(10_000, 1_000)
	w.fillUses(5_000)
	w.advance(time.Hour)
	things, err := w.views.Things(w.ctx, w.alice, owner.ThingsQuery{}, owner.Page{Limit: 1})
	w.must(err)
	bob := policy.Party{Kind: policy.PartyEmail, Value: "person7@example.org"}
	key := w.as.PartyKey(w.alice, bob)
	for _, view := range []struct {
		name string
		read func() error
	}{
		{"home", func() error { _, err := w.views.Home(w.ctx, w.alice, w.Now().Add(-24*time.Hour)); return err }},
		{"things", func() error {
			_, err := w.views.Things(w.ctx, w.alice, owner.ThingsQuery{}, owner.Page{})
			return err
		}},
		{"things searched", func() error {
			_, err := w.views.Things(w.ctx, w.alice, owner.ThingsQuery{Search: "9876"}, owner.Page{})
			return err
		}},
		{"people", func() error {
			_, err := w.views.People(w.ctx, w.alice, owner.PeopleQuery{}, owner.Page{})
			return err
		}},
		{"person", func() error { _, err := w.views.Person(w.ctx, w.alice, key, owner.Page{}); return err }},
		{"app", func() error { _, err := w.views.App(w.ctx, w.alice, "frames", owner.Page{}); return err }},
		{"could", func() error {
			_, err := w.views.Could(w.ctx, w.alice, as.Supposed{Party: bob}, owner.ThingsQuery{}, owner.Page{})
			return err
		}},
		{"impact", func() error { _, err := w.views.Impact(w.ctx, w.alice, as.Target{Person: bob}); return err }},
		{"history", func() error {
			_, err := w.views.History(w.ctx, w.alice, owner.HistoryFilter{}, owner.Page{})
			return err
		}},
		{"history of a thing", func() error {
			_, err := w.views.History(w.ctx, w.alice, owner.HistoryFilter{Thing: uma.ResourceID("none")}, owner.Page{})
			return err
		}},
		{"history of a person", func() error {
			_, err := w.views.History(w.ctx, w.alice, owner.HistoryFilter{Person: key}, owner.Page{})
			return err
		}},
		{"uses", func() error {
			_, err := w.views.Uses(w.ctx, w.alice, owner.UsesQuery{}, owner.Page{Limit: 12})
			return err
		}},
		{"uses of a person", func() error {
			_, err := w.views.Uses(w.ctx, w.alice, owner.UsesQuery{Person: key}, owner.Page{Limit: 8})
			return err
		}},
		{"past of a thing", func() error {
			_, err := w.views.Past(w.ctx, w.alice, things.List[0], 6)
			return err
		}},
		{"apps", func() error { _, err := w.views.Apps(w.ctx, w.alice); return err }},
		{"day", func() error {
			_, err := w.views.At(w.ctx, w.alice, w.Now(), owner.DayQuery{}, owner.Page{})
			return err
		}},
		{"lanes", func() error {
			_, err := w.views.Lanes(w.ctx, w.alice, w.Now().Add(-90*24*time.Hour), w.Now(), owner.Page{})
			return err
		}},
	} {
		b.Run(view.name, func(b *testing.B) {
			for b.Loop() {
				if err := view.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fillUses lets what is shared be used by many, over a week.
func (w *world) fillUses(n int) {
	w.t.Helper()
	shares, err := w.as.ListShares(w.ctx, w.alice, as.Page{Limit: 1000})
	w.must(err)
	w.must(w.as.Store.Update(w.ctx, func(tx as.Tx) error {
		for i := range n {
			at := w.Now().Add(-time.Duration(i) * as.UseBucket / 2).Truncate(as.UseBucket)
			share := shares[i*13%len(shares)]
			if err := tx.AddUse(as.Use{
				ID: as.UsesSince(at) + as.UseID(strconv.Itoa(i)), Space: w.alice.Space, At: at, ResourceServer: share.ResourceServer, Resource: share.Resource,
				Share: share.ID, Client: w.app.ID, Subject: "https://as.example#somebody", Scopes: []uma.Scope{"view"}, N: 3, LastAt: at,
			}); err != nil {
				return err
			}
		}
		return nil
	}))
}
