package owner

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// PeopleQuery narrows the list of people and apps.
type PeopleQuery struct {
	Search string           // is in the address, name or other value, in whichever case
	Kind   policy.PartyKind // "": all
}

// Party is one line of the list of people and apps: one of those for whom there is
// a share that is in force or to be.
type Party struct {
	Who
	Things   int       // that they can do something with, now or later
	Scopes   int       // of all these
	Until    time.Time // when the last of it ends; zero: without an end
	LastUsed time.Time // of what was shared with them
}

// People is a page of people and apps.
type People struct {
	List []Party
	Next string
}

// People lists those for whom the owner shares anything: people first, then apps,
// then whoever has something, then anyone; each by name. An application through
// which a person is let in is listed, too.
func (v Views) People(ctx context.Context, o as.Owner, q PeopleQuery, p Page) (People, error) {
	var out People
	text := as.SortName(q.Search)
	err := v.read(ctx, o, func(s *snapshot) error {
		all, err := s.people()
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(one *group) bool {
			return q.Kind != "" && one.who.Kind != q.Kind || text != "" && !strings.Contains(one.text(), text)
		})
		page, next, err := pageOf(v, o, "people "+string(q.Kind)+" "+text, all, (*group).standing, p)
		if err != nil {
			return err
		}
		out = People{Next: next}
		var ids []string
		for _, one := range page {
			ids = append(ids, one.shareIDs()...)
		}
		used, err := s.lastUsed(as.UseOfShare, ids)
		if err != nil {
			return err
		}
		for _, one := range page {
			line := one.line()
			for _, id := range one.shareIDs() {
				line.LastUsed = latest(line.LastUsed, used[id])
			}
			out.List = append(out.List, line)
		}
		return nil
	})
	return out, err
}

// group is a party with the shares for them.
type group struct {
	who    Who
	key    string // where it stands in the list
	shares []*as.Share
}

func (g *group) standing() string { return g.key }

// people groups the live shares of the space by whom they are for. Of those who may
// only ask, nobody is let in.
func (s *snapshot) people() ([]*group, error) {
	shares, err := s.shares()
	if err != nil {
		return nil, err
	}
	return s.grouped(slices.DeleteFunc(live(shares, s.now), func(one *as.Share) bool { return one.Ask }))
}

func (s *snapshot) grouped(shares []*as.Share) ([]*group, error) {
	by := map[policy.Party]*group{}
	var all []*group
	for _, share := range shares {
		for _, p := range partiesOf(*share) {
			g := by[p]
			if g == nil {
				w, err := s.party(p)
				if err != nil {
					return nil, err
				}
				g = &group{who: w}
				by[p], all = g, append(all, g)
			}
			g.shares = append(g.shares, share)
		}
	}
	for _, g := range all {
		g.key = g.place()
	}
	slices.SortFunc(all, func(a, b *group) int { return strings.Compare(a.key, b.key) })
	return all, nil
}

// partiesOf are those whom the share is for, and the application that it is good
// through.
func partiesOf(share as.Share) []policy.Party {
	out := share.Parties()
	if app := through(share, out); app != "" {
		out = append(out, policy.Party{Kind: policy.PartyApp, Value: string(app)})
	}
	return out
}

// throughOf is the one application that a share for others is good through; "" for any,
// and where the share is for the application itself.
func throughOf(share as.Share) oauth.ClientID { return through(share, share.Parties()) }

func through(share as.Share, parties []policy.Party) oauth.ClientID {
	if slices.ContainsFunc(parties, func(p policy.Party) bool { return p.Kind == policy.PartyApp }) {
		return ""
	}
	return oauth.ClientID(share.Client)
}

// order is how the kinds are listed.
var order = []policy.PartyKind{policy.PartyEmail, policy.PartySubject, policy.PartyGroup, policy.PartyApp, policy.PartyDomain, policy.PartyClaim, policy.PartyLink, policy.PartyAnyone}

// place is where a group stands in the list.
func (g *group) place() string {
	kind := min(slices.Index(order, g.who.Kind)+1, len(order))
	if g.who.Kind == policy.PartySubject {
		kind = 1 // people are people
	}
	return string(rune('a'+kind)) + g.text() + "\n" + g.who.Key
}

// text is what a group is found by.
func (g *group) text() string {
	return as.SortName(cmp.Or(g.who.App.Name, g.who.Group, g.who.Name+" "+g.who.Value))
}

func (g *group) shareIDs() []string {
	out := make([]string, len(g.shares))
	for i, share := range g.shares {
		out[i] = string(share.ID)
	}
	return out
}

func (g *group) line() Party {
	things, scopes := map[uma.ResourceID]bool{}, map[string]bool{}
	line := Party{Who: g.who}
	endless := false
	for _, share := range g.shares {
		things[share.Resource] = true
		for _, scope := range share.Scopes {
			scopes[string(share.Resource)+" "+string(scope)] = true
		}
		endless = endless || share.NotAfter.IsZero()
		line.Until = latest(line.Until, share.NotAfter)
	}
	if endless {
		line.Until = time.Time{}
	}
	line.Things, line.Scopes = len(things), len(scopes)
	return line
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Person is somebody, or an app, with everything that is shared with them.
type Person struct {
	Who
	Sharings []Sharing // a page of them, at every service, by the names of the things
	Shares   int       // how many there are
	Things   int       // how many they open
	Next     string    // for the Page.After of more Sharings
	Checked  []Checked // what was proven when they asked; the newest first
	LastUsed time.Time
}

// Checked is a claim about somebody that an issuer has vouched for in a request to
// this owner.
type Checked struct {
	policy.Fact
	Request as.RequestID
}

// Person shows whom a Who.Key names, with a page of what is shared with them. Somebody
// for whom there is no share any more, but was, is found too, with nothing.
func (v Views) Person(ctx context.Context, o as.Owner, key string, p Page) (Person, error) {
	var out Person
	var subjects []string
	err := v.read(ctx, o, func(s *snapshot) error {
		out, subjects = Person{}, nil
		g, err := s.find(key)
		if err != nil {
			return err
		}
		subjects = g.subjects()
		return v.show(s, g, p, &out)
	})
	if err != nil {
		return Person{}, err
	}
	out.Checked, err = v.checked(ctx, o, subjects)
	return out, err
}

// Who is whom a Who.Key names, of those whom Person finds.
func (v Views) Who(ctx context.Context, o as.Owner, key string) (Who, error) {
	var out Who
	err := v.read(ctx, o, func(s *snapshot) error {
		g, err := s.find(key)
		if err == nil {
			out = g.who
		}
		return err
	})
	return out, err
}

// show fills in a page of what is shared with a group.
func (v Views) show(s *snapshot, g *group, p Page, out *Person) error {
	out.Who, out.Shares = g.who, len(g.shares)
	things, ids := map[uma.ResourceID]bool{}, make([]uma.ResourceID, len(g.shares))
	for i, share := range g.shares {
		ids[i] = share.Resource
		if stateOf(*share, s.now) == InForce && !share.Ask {
			things[share.Resource] = true
		}
	}
	out.Things = len(things)
	names, err := s.nameKeys(ids, p.limit())
	if err != nil {
		return err
	}
	place := func(share *as.Share) string { return names[share.Resource] + "\n" + string(share.ID) }
	page, next, err := sortedPageOf(v, s.o, "shared with "+g.who.Key, g.shares, place, p)
	if err != nil {
		return err
	}
	used, err := s.lastUsed(as.UseOfShare, g.shareIDs())
	if err != nil {
		return err
	}
	for _, at := range used {
		out.LastUsed = latest(out.LastUsed, at)
	}
	out.Next = next
	out.Sharings, err = s.sharings(page)
	return err
}

// nameKeys are where things stand in the order of their names, of which a page shows so
// many: what they are called is read of no more.
func (s *snapshot) nameKeys(ids []uma.ResourceID, shown int) (map[uma.ResourceID]string, error) {
	out := map[uma.ResourceID]string{}
	if len(ids) > shown {
		outlines, err := s.OutlinesOf(s.o.Space, ids)
		for _, res := range outlines {
			out[res.ID] = res.NameKey()
		}
		return out, err
	}
	err := s.learn(ids)
	for _, id := range ids {
		if thing := s.names[id]; !thing.Gone {
			out[id] = as.ResourceOutline{ID: id, SortName: as.SortName(thing.Name)}.NameKey()
		}
	}
	return out, err
}

// groupOf is whom the party is, with those of the shares that are for them.
func (s *snapshot) groupOf(w Who, shares []*as.Share) *group {
	return &group{who: w, shares: slices.DeleteFunc(live(shares, s.now), func(share *as.Share) bool { return !slices.Contains(partiesOf(*share), w.Party) })}
}

// find finds the group of a key among those whom anything is, or was, shared with.
func (s *snapshot) find(key string) (*group, error) {
	shares, err := s.shares()
	if err != nil {
		return nil, err
	}
	for _, share := range shares {
		for _, p := range partiesOf(*share) {
			w, err := s.party(p)
			if err != nil {
				return nil, err
			}
			if w.Key != key {
				continue
			}
			return s.groupOf(w, shares), nil
		}
	}
	var page as.Page
	for page.Limit = 500; ; {
		versions, err := s.ShareVersions(s.o.Space, as.VersionFilter{}, page)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			for _, p := range partiesOf(v.Share) {
				w, err := s.party(p)
				if err != nil {
					return nil, err
				}
				if w.Key == key {
					return &group{who: w}, nil
				}
			}
		}
		if len(versions) < page.Limit {
			return nil, errNoPerson
		}
		page.After = versions[len(versions)-1].Key()
	}
}

// subjects are the names under which a group has asked.
func (g *group) subjects() []string {
	var out []string
	for _, share := range g.shares {
		if !slices.Contains(share.Parties(), g.who.Party) {
			continue // an app through which others come
		}
		for _, p := range share.Share.Parties() {
			if name := p.Issuer + "#" + p.Value; p.Kind == policy.PartySubject && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// maxChecked is of how many subjects it is looked up what they have proven.
const maxChecked = 8

func (v Views) checked(ctx context.Context, o as.Owner, subjects []string) ([]Checked, error) {
	var out []Checked
	for _, subject := range subjects[:min(len(subjects), maxChecked)] {
		asked, err := v.AS.RequestsFrom(ctx, o, subject, 1)
		if err != nil {
			return nil, err
		}
		for _, q := range asked {
			for _, f := range q.Facts {
				out = append(out, Checked{f, q.ID})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Checked) int { return b.At.Compare(a.At) })
	return out, nil
}

// AppView is an application with everything it can do in the space.
type AppView struct{ Person }

// App shows an application that shares name, now or once, or that holds something
// in the space under shares that any application may use. The error is not_found
// for any other.
func (v Views) App(ctx context.Context, o as.Owner, id oauth.ClientID, p Page) (AppView, error) {
	var out AppView
	party := policy.Party{Kind: policy.PartyApp, Value: string(id)}
	err := v.read(ctx, o, func(s *snapshot) error {
		out = AppView{}
		w, err := s.party(party)
		if err != nil {
			return err
		}
		shares, err := s.shares()
		if err != nil {
			return err
		}
		if g := s.groupOf(w, shares); len(g.shares) > 0 {
			return v.show(s, g, p, &out.Person)
		}
		if holds, err := s.holds(id, shares); err != nil || holds {
			out.Who = w
			return err
		}
		g, err := s.find(w.Key)
		if err == nil {
			out.Who = g.who
		}
		return err
	})
	return out, err
}

// appsLately is how much of what was used is looked through for applications.
const appsLately = 500

// Apps lists the applications that are known in the space, by name: those that shares
// name, those through which something was used lately, and those that are connected,
// but not the services that keep things.
func (v Views) Apps(ctx context.Context, o as.Owner) ([]App, error) {
	var out []App
	err := v.read(ctx, o, func(s *snapshot) error {
		known := map[oauth.ClientID]bool{}
		shares, err := s.shares()
		if err != nil {
			return err
		}
		for _, share := range live(shares, s.now) {
			known[oauth.ClientID(share.Client)] = true
		}
		uses, err := s.Uses(o.Space, as.UseFilter{}, appsLately)
		if err != nil {
			return err
		}
		for _, u := range uses {
			known[u.Client] = true
		}
		grants, err := s.GrantsIn(o.Space, as.Page{Limit: appsLately})
		if err != nil {
			return err
		}
		for _, g := range grants {
			if !slices.Contains(g.Scopes, uma.ScopeProtection) {
				known[g.Client] = true
			}
		}
		delete(known, "")
		out = nil
		for id := range known {
			app, err := s.app(id)
			if err != nil {
				return err
			}
			out = append(out, app)
		}
		slices.SortFunc(out, compareApps)
		return nil
	})
	return out, err
}

// holds says whether an application has a token under any of the shares.
func (s *snapshot) holds(id oauth.ClientID, shares []*as.Share) (bool, error) {
	ids := make([]policy.ShareID, len(shares))
	for i, share := range shares {
		ids[i] = share.ID
	}
	lately, err := s.AS.GrantedLately(s, s.o.Space)
	if err != nil {
		return false, err
	}
	access, err := s.LiveAccess(s.o.Space, ids, lately, s.now)
	return slices.ContainsFunc(access, func(l as.LiveAccess) bool { return l.Client == id }), err
}

func compareApps(a, b App) int {
	return cmp.Or(compareText(as.SortName(a.Name), as.SortName(b.Name)), compareText(string(a.ID), string(b.ID)))
}

func compareText(a, b string) int { return strings.Compare(a, b) }
