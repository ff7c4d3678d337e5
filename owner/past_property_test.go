package owner_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
	"pgregory.net/rapid"
)

// The plain model of a space: what there is, and a copy of all of it after every
// act. A day of the past is the last copy from before it, and nothing else.
type plainThing struct {
	name   string
	scopes []uma.Scope
}

type plainShare struct {
	thing  uma.ResourceID
	emails []string
	scopes []uma.Scope
	from   time.Time
	until  time.Time
}

type plain struct {
	things map[uma.ResourceID]plainThing
	shares map[policy.ShareID]plainShare
}

func (p plain) copy() plain { return plain{maps.Clone(p.things), maps.Clone(p.shares)} }

// says is who could do what at an instant.
func (p plain) says(at time.Time) []string {
	out := []string{}
	for id, s := range p.shares {
		thing, there := p.things[s.thing]
		if !there || at.Before(s.from) || !s.until.IsZero() && !at.Before(s.until) {
			continue
		}
		var can []uma.Scope
		for _, scope := range s.scopes {
			if slices.Contains(thing.scopes, scope) {
				can = append(can, scope)
			}
		}
		if len(can) > 0 {
			out = append(out, fmt.Sprintln(id, thing.name, s.emails, can))
		}
	}
	slices.Sort(out)
	return out
}

// past is the world with the model beside it, for one run.
type past struct {
	*rapid.T
	w     *world
	alice as.Owner
	pat   as.PAT
	now   plain
	when  []time.Time
	then  []plain
	ended []as.VersionRef
	was   map[as.VersionRef]plainShare
}

func (p *past) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *past) note() { p.when, p.then = append(p.when, p.w.Now()), append(p.then, p.now.copy()) }

func someKey[K ~string, V any](p *past, m map[K]V, what string) K {
	if len(m) == 0 {
		p.Skip("there is no " + what)
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(m))).Draw(p.T, what)
}

func (p *past) scopes(what string) []uma.Scope {
	return rapid.SampledFrom([][]uma.Scope{{"view"}, {"edit"}, {"view", "edit"}}).Draw(p.T, what)
}

func (p *past) wish(thing uma.ResourceID) (policy.Share, plainShare) {
	s := plainShare{thing: thing, emails: rapid.SampledFrom([][]string{{"bob@x.org"}, {"eve@x.org"}, {"bob@x.org", "eve@x.org"}}).Draw(p.T, "emails")}
	for _, scope := range p.scopes("share") {
		if slices.Contains(p.now.things[thing].scopes, scope) {
			s.scopes = append(s.scopes, scope)
		}
	}
	if len(s.scopes) == 0 {
		s.scopes = p.now.things[thing].scopes
	}
	if n := rapid.IntRange(-1, 5).Draw(p.T, "begins"); n > 0 {
		s.from = p.w.Now().Add(time.Duration(n) * time.Hour)
	}
	if n := rapid.IntRange(-2, 8).Draw(p.T, "ends"); n > 5 {
		s.until = p.w.Now().Add(time.Duration(n) * time.Hour)
	}
	wish := email(thing, s.emails[0], s.scopes...)
	wish.Claims[0].Values, wish.NotBefore, wish.NotAfter = s.emails, s.from, s.until
	return wish, s
}

// gone notes that a share, as it is now, has come to an end.
func (p *past) gone(id policy.ShareID) {
	list, err := p.w.as.ShareVersions(p.w.ctx, p.alice, as.VersionFilter{Share: id}, as.Page{Limit: 100})
	p.must(err)
	ref := as.VersionRef{Share: id, Version: list[len(list)-1].Version}
	p.ended, p.was[ref] = append(p.ended, ref), p.now.shares[id]
}

func (p *past) acts() map[string]func(*rapid.T) {
	w := p.w
	return map[string]func(*rapid.T){
		"register": func(*rapid.T) {
			t := plainThing{fmt.Sprint("thing ", len(p.now.things)), p.scopes("offers")}
			r, err := w.as.RegisterResource(w.ctx, p.pat, describe(w.t, t.name, t.scopes...))
			p.must(err)
			p.now.things[r.ID] = t
		},
		"describe": func(*rapid.T) {
			id := someKey(p, p.now.things, "thing")
			t := plainThing{p.now.things[id].name + "'", p.scopes("offers now")}
			_, err := w.as.UpdateResource(w.ctx, p.pat, id, describe(w.t, t.name, t.scopes...))
			p.must(err)
			p.now.things[id] = t
		},
		"deregister": func(*rapid.T) {
			id := someKey(p, p.now.things, "thing")
			p.must(w.as.DeregisterResource(w.ctx, p.pat, id))
			delete(p.now.things, id)
			maps.DeleteFunc(p.now.shares, func(_ policy.ShareID, s plainShare) bool { return s.thing == id })
		},
		"share": func(*rapid.T) {
			wish, s := p.wish(someKey(p, p.now.things, "thing"))
			share, err := w.as.CreateShare(w.ctx, p.alice, wish)
			p.must(err)
			p.now.shares[share.ID] = s
		},
		"replace": func(*rapid.T) {
			id := someKey(p, p.now.shares, "share")
			wish, s := p.wish(p.now.shares[id].thing)
			p.gone(id)
			_, err := w.as.ReplaceShare(w.ctx, p.alice, id, 0, wish)
			p.must(err)
			p.now.shares[id] = s
		},
		"withdraw": func(*rapid.T) {
			id := someKey(p, p.now.shares, "share")
			p.gone(id)
			p.must(w.as.WithdrawShare(w.ctx, p.alice, id, 0))
			delete(p.now.shares, id)
		},
		"withdraw all of Bob": func(*rapid.T) {
			_, err := w.as.WithdrawAll(w.ctx, p.alice, as.Target{Person: policy.Party{Kind: policy.PartyEmail, Value: "bob@x.org"}})
			p.must(err)
			for id, s := range p.now.shares {
				s.emails = slices.DeleteFunc(slices.Clone(s.emails), func(e string) bool { return e == "bob@x.org" })
				if p.now.shares[id] = s; len(s.emails) == 0 {
					delete(p.now.shares, id)
				}
			}
		},
		"restore": func(*rapid.T) {
			if len(p.ended) == 0 {
				p.Skip("nothing has ended")
			}
			ref := rapid.SampledFrom(p.ended).Draw(p.T, "ended")
			share, err := w.as.RestoreShare(w.ctx, p.alice, ref)
			var cannot *uma.Error
			if errors.As(err, &cannot) {
				return // its thing, scope or time is gone; nothing has changed, and that is checked
			}
			p.must(err)
			p.now.shares[share.ID] = p.was[ref]
		},
		"wait": func(*rapid.T) {
			w.advance(time.Duration(rapid.SampledFrom([]int64{1, 1000, 3_600_000, 7_200_000}).Draw(p.T, "ms")) * time.Millisecond)
		},
	}
}

// What is told of any instant of the past is what was true then, for whatever
// happened before and since; and no differently to a page that has read the lanes of
// the time around it before.
func TestEveryInstantOfThePastIsToldAsItWas(t *testing.T) {
	w := newWorld(t)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		name := fmt.Sprint("Alice", runs)
		a, s, err := w.as.CreateAccount(w.ctx, as.Account{Name: name, Email: strings.ToLower(name) + "@past.example", EmailVerified: true}, name)
		w.must(err)
		p := &past{
			T: rt, w: w, alice: as.Owner{Space: s.ID, Account: a.ID}, pat: as.PAT{Space: s.ID, ResourceServer: "photos"},
			now: plain{map[uma.ResourceID]plainThing{}, map[policy.ShareID]plainShare{}}, was: map[as.VersionRef]plainShare{},
		}
		acts := p.acts()
		acts[""] = func(*rapid.T) { p.note() }
		rt.Repeat(acts)
		p.note()
		for i, at := range p.when {
			// Of what happened within one millisecond the last counts.
			if i+1 < len(p.when) && p.when[i+1].Equal(at) {
				continue
			}
			for _, later := range []time.Duration{0, time.Millisecond, 30 * time.Minute} {
				if i+1 < len(p.when) && !at.Add(later).Before(p.when[i+1]) {
					continue
				}
				at := at.Add(later)
				lanes, err := w.views.Lanes(w.ctx, p.alice, at.Add(-time.Hour), at.Add(time.Hour), owner.Page{})
				p.must(err)
				page := w.views.OfOnePage()
				if again, err := page.Lanes(w.ctx, p.alice, at.Add(-time.Hour), at.Add(time.Hour), owner.Page{}); err != nil || !reflect.DeepEqual(again, lanes) {
					rt.Fatalf("around %s (step %d) the lanes of one page are %v, %v; want %v", at, i, again, err, lanes)
				}
				for _, views := range []owner.Views{w.views, page} {
					if got, want := p.told(views, at), p.then[i].says(at); !slices.Equal(got, want) {
						rt.Fatalf("at %s (step %d) it is told %q; it was %q", at, i, got, want)
					}
				}
			}
		}
	})
}

// told is what the view tells, as plain.says says it.
func (p *past) told(views owner.Views, at time.Time) []string {
	out := []string{}
	for page := (owner.Page{Limit: 3}); ; {
		day, err := views.At(p.w.ctx, p.alice, at, owner.DayQuery{}, page)
		p.must(err)
		for _, a := range day.List {
			var emails []string
			for _, who := range a.Who {
				emails = append(emails, who.Value)
			}
			out = append(out, fmt.Sprintln(a.ID, a.Thing.Name, emails, a.Can))
		}
		if page.After = day.Next; day.Next == "" {
			slices.Sort(out)
			return out
		}
	}
}
