package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

var past = []rule{
	{"what shares were is kept as it was", versionsAreKept},
	{"versions are found by share, resource, time and the event that ended them", versionsAreFound},
	{"what is dormant, kept already or elsewhere is not kept", keptOnce},
	{"many shares are deleted at once", sharesAreDeletedAtOnce},
	{"what resources were is kept as it was", resourcesAreKept},
	{"resources are listed and found by their names", resourcesHaveNames},
	{"live access is what can be used or refreshed", liveAccessLives},
	{"of much access what lives is told of each", muchAccessLives},
	{"what a client holds in a space is revoked at once", clientsLoseWhatTheyHold},
	{"events are read backwards", eventsAreReadBackwards},
	{"what is said of roles is read forwards", rolesAreReadForwards},
}

func (s *scene) ending(how as.ShareEnd, at time.Time, event int64) as.Ending {
	return as.Ending{At: at, How: how, By: awkward, Event: event}
}

// versions reads versions in pages of a size that does not divide anything.
func (s *scene) versions(f as.VersionFilter) []as.ShareVersion {
	s.Helper()
	var out []as.ShareVersion
	s.view(func(r as.Reader) error {
		out = nil
		for page := (as.Page{Limit: 3}); ; page.After = out[len(out)-1].Key() {
			next, err := r.ShareVersions(s.space(), f, page)
			if err != nil || len(next) == 0 {
				return err
			}
			out = append(out, next...)
		}
	})
	return out
}

func versionsAreKept(s *scene) {
	var want []as.ShareVersion
	f := fillers["full"]
	for version := int64(1); version <= 5; version++ {
		share := as.Share{}
		f.fill(&share)
		share.ID, share.Space, share.Version, share.DormantSince, share.Resource = s.share(), s.space(), version, time.Time{}, s.resource()
		share.CreatedBy, share.CreatedAt, share.LinkDigest = as.AccountID(s.account()), now, s.digest("link")
		end := s.ending(as.EndReplaced, now.Add(time.Duration(version)*time.Hour), version)
		s.update(func(tx as.Tx) error {
			if version == 1 {
				return tx.InsertShare(share)
			}
			return errors.Join(tx.KeepShares(s.space(), []policy.ShareID{share.ID}, want[version-2].Ending), tx.UpdateShare(share))
		})
		want = append(want, as.ShareVersion{Share: stored(share), Ending: end})
	}
	want[4].Ending = as.Ending{}
	same(s, "the versions", s.versions(as.VersionFilter{}), want)
	of := func(ids ...policy.ShareID) []as.ShareVersion {
		return must(s, func(r as.Reader) ([]as.ShareVersion, error) { return r.VersionsOf(s.space(), ids) })
	}
	same(s, "the versions of the share", of("absent", s.share(), s.share()), want)
	none(s, "the versions of no share")(of(), nil)
	none(s, "the versions of another")(of("absent"), nil)
	s.update(func(tx as.Tx) error { return tx.DeleteShare(s.space(), s.share()) })
	same(s, "the versions of the share when it is gone", of(s.share()), want[:4])
	same(s, "the versions of a share that is gone", s.versions(as.VersionFilter{}), want[:4])
}

func versionsAreFound(s *scene) {
	at := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	share := func(id string, resource uma.ResourceID, from int, until time.Time) as.Share {
		return as.Share{Share: policy.Share{ID: policy.ShareID(s.id(id)), Resource: resource, NotAfter: until}, Space: s.space(), Version: 1, UpdatedAt: at(from)}
	}
	a, b, c := share("a", "r1", 0, time.Time{}), share("b", "r2", 2, at(4)), share("c", "r1", 3, time.Time{})
	other := s.beside()
	stranger := a
	stranger.ID, stranger.Space = policy.ShareID(other.id("a")), other.space()
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertShare(a), tx.InsertShare(b), tx.InsertShare(c), tx.InsertShare(stranger),
			tx.KeepShares(s.space(), []policy.ShareID{a.ID}, s.ending(as.EndWithdrawn, at(3), 7)), tx.DeleteShare(s.space(), a.ID),
			tx.KeepShares(other.space(), []policy.ShareID{stranger.ID}, s.ending(as.EndWithdrawn, at(3), 7)))
	})
	for what, c := range map[string]struct {
		f    as.VersionFilter
		want []policy.ShareID
	}{
		"all":                         {as.VersionFilter{}, []policy.ShareID{a.ID, b.ID, c.ID}},
		"a share":                     {as.VersionFilter{Share: b.ID}, []policy.ShareID{b.ID}},
		"a resource":                  {as.VersionFilter{Resource: "r1"}, []policy.ShareID{a.ID, c.ID}},
		"an event":                    {as.VersionFilter{EndedBy: 7}, []policy.ShareID{a.ID}},
		"no event":                    {as.VersionFilter{EndedBy: 8}, nil},
		"ended":                       {as.VersionFilter{Ended: true}, []policy.ShareID{a.ID}},
		"ended by then":               {as.VersionFilter{Ended: true, From: at(3)}, nil},
		"before the first":            {as.VersionFilter{To: at(0)}, nil},
		"the first hours":             {as.VersionFilter{From: at(1), To: at(3)}, []policy.ShareID{a.ID, b.ID}},
		"from the end of one on":      {as.VersionFilter{From: at(3)}, []policy.ShareID{b.ID, c.ID}},
		"after one ended by itself":   {as.VersionFilter{From: at(4)}, []policy.ShareID{c.ID}},
		"a resource at a later time":  {as.VersionFilter{Resource: "r1", From: at(3), To: at(9)}, []policy.ShareID{c.ID}},
		"a share that is not there":   {as.VersionFilter{Share: stranger.ID}, nil},
		"another event of this share": {as.VersionFilter{Share: c.ID, EndedBy: 7}, nil},
	} {
		var got []policy.ShareID
		for _, v := range s.versions(c.f) {
			got = append(got, v.ID)
		}
		same(s, what, got, c.want)
	}
}

func keptOnce(s *scene) {
	dormant := s.aShare(1)
	dormant.ID, dormant.DormantSince = policy.ShareID(s.id("dormant")), now
	elsewhere := s.aShare(1)
	elsewhere.ID, elsewhere.Space = policy.ShareID(s.id("elsewhere")), s.beside().space()
	share := s.aShare(1)
	first := s.ending(as.EndGone, now, 1)
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertShare(share), tx.InsertShare(dormant), tx.InsertShare(elsewhere),
			tx.KeepShares(s.space(), []policy.ShareID{share.ID, dormant.ID, elsewhere.ID, policy.ShareID(s.id("absent"))}, first),
			tx.KeepShares(s.space(), []policy.ShareID{share.ID}, s.ending(as.EndWithdrawn, now.Add(time.Hour), 2)),
			tx.KeepShares(s.space(), nil, first),
			tx.DeleteShare(s.space(), share.ID))
	})
	same(s, "the versions", s.versions(as.VersionFilter{}), []as.ShareVersion{{Share: stored(share), Ending: first}})
}

func sharesAreDeletedAtOnce(s *scene) {
	other := s.beside()
	kept := s.aShare(1)
	kept.Space, kept.ID = other.space(), policy.ShareID(other.id("kept"))
	var ids []policy.ShareID
	s.update(func(tx as.Tx) error {
		ids = []policy.ShareID{policy.ShareID(s.id("absent")), kept.ID}
		for i := range 150 {
			share := s.aShare(1)
			share.ID = policy.ShareID(s.id(fmt.Sprint(i)))
			share.Resource = uma.ResourceID(s.id(fmt.Sprint("r", i%100)))
			ids = append(ids, share.ID)
			if err := tx.InsertShare(share); err != nil {
				return err
			}
		}
		return tx.InsertShare(kept)
	})
	inForce := func(on []uma.ResourceID) int {
		list := must(s, func(r as.Reader) ([]as.Share, error) { return r.SharesInForce(s.space(), on) })
		for i := range list {
			if i > 0 && list[i].ID <= list[i-1].ID {
				s.Error("the shares are not in the order of their ids")
			}
		}
		return len(list)
	}
	var on []uma.ResourceID
	for i := range 75 {
		on = append(on, uma.ResourceID(s.id(fmt.Sprint("r", i%70))))
	}
	same(s, "how many shares are in force, on all, some and no resources", []int{inForce(nil), inForce(on), inForce([]uma.ResourceID{})}, []int{150, 120, 0})
	s.update(func(tx as.Tx) error { return tx.DeleteShares(s.space(), ids[:len(ids)-1]) })
	same(s, "how many are left", inForce(nil), 1)
	same(s, "the share in another space", must(s, func(r as.Reader) (as.Share, error) { return r.Share(other.space(), kept.ID) }), stored(kept))
	s.update(func(tx as.Tx) error { return tx.DeleteShares(s.space(), nil) })
}

func resourcesAreKept(s *scene) {
	f := fillers["full"]
	var want []as.PastResource
	for i := range 3 {
		res := as.Resource{}
		f.fill(&res)
		res.ID, res.Space, res.ResourceServer, res.CreatedAt = s.resource(), s.space(), s.server(), now
		until := now.Add(time.Duration(i) * time.Hour)
		s.update(func(tx as.Tx) error {
			if i == 0 {
				return errors.Join(tx.InsertResource(res), tx.KeepResource(s.space(), res.ID, until))
			}
			return errors.Join(tx.UpdateResource(res), tx.KeepResource(s.space(), res.ID, until), tx.KeepResource(s.beside().space(), res.ID, until))
		})
		want = append(want, as.PastResource{Resource: stored(res), Until: until})
	}
	s.update(func(tx as.Tx) error { return tx.DeleteResource(s.space(), s.server(), s.resource(), now) })
	read := func(id uma.ResourceID, from time.Time, limit int) []as.PastResource {
		return must(s, func(r as.Reader) ([]as.PastResource, error) { return r.PastResources(s.space(), id, from, limit) })
	}
	same(s, "what the resource was", read(s.resource(), time.Time{}, 9), want)
	same(s, "what it was lately", read("", now, 9), want[1:])
	same(s, "the first of it", read("", time.Time{}, 1), want[:1])
	last := must(s, func(r as.Reader) (as.PastResource, error) { return r.LastOfResource(s.space(), s.resource()) })
	same(s, "the last that it was", last, want[2])
	for space, id := range map[as.SpaceID]uma.ResourceID{s.space(): "another", s.beside().space(): s.resource()} {
		s.view(func(r as.Reader) error {
			if _, err := r.LastOfResource(space, id); !errors.Is(err, as.ErrNotFound) {
				s.Errorf("the last that another was: %v", err)
			}
			return nil
		})
	}
	none(s, "what another was")(read("another", time.Time{}, 9), nil)
}

func resourcesHaveNames(s *scene) {
	named := func(id, name string, server oauth.ClientID) as.Resource {
		d, err := uma.ParseResourceDescription(uma.Object{"resource_scopes": []byte("[]"), "name": []byte(fmt.Sprintf("%q", name))})
		if err != nil {
			s.Fatal(err)
		}
		return as.Resource{ID: uma.ResourceID(s.id(id)), Space: s.space(), ResourceServer: server, Description: d}
	}
	// In the order of their names and then their ids.
	all := []as.Resource{
		named("9", "", s.server()), named("3", "100% wool!_", s.server()), named("1", "Album 1", s.server()), named("2", "album 1", "other"),
		named("0", "Bücher", s.server()), named("4", "ÉTÉ", "other"),
	}
	s.update(func(tx as.Tx) error {
		for _, res := range all {
			if err := tx.InsertResource(res); err != nil {
				return err
			}
		}
		elsewhere := all[2]
		elsewhere.ID, elsewhere.Space = uma.ResourceID(s.id("elsewhere")), s.beside().space()
		return tx.InsertResource(elsewhere)
	})
	find := func(server oauth.ClientID, text string) []uma.ResourceID {
		var out []uma.ResourceID
		s.view(func(r as.Reader) error {
			out = nil
			for page := (as.Page{Limit: 2}); ; {
				next, err := r.ResourcesByName(s.space(), server, text, page)
				if err != nil || len(next) == 0 {
					return err
				}
				for _, res := range next {
					out = append(out, res.ID)
				}
				page.After = next[len(next)-1].NameKey()
			}
		})
		return out
	}
	ids := func(list ...int) []uma.ResourceID {
		var out []uma.ResourceID
		for _, i := range list {
			out = append(out, all[i].ID)
		}
		return out
	}
	same(s, "all by name", find("", ""), ids(0, 1, 2, 3, 4, 5))
	same(s, "at one server", find("other", ""), ids(3, 5))
	for text, want := range map[string][]uma.ResourceID{
		"album": ids(2, 3), "um 1": ids(2, 3), "bücher": ids(4), "été": ids(5), "%": ids(1), "_": ids(1), "!": ids(1), "a%1": nil,
	} {
		same(s, fmt.Sprintf("found by %q", text), find("", text), want)
	}
	same(s, "found at one server", find("other", "album"), ids(3))
	counts := must(s, func(r as.Reader) (map[oauth.ClientID]int64, error) { return r.ResourceCounts(s.space()) })
	if want := map[oauth.ClientID]int64{s.server(): 4, "other": 2}; !maps.Equal(counts, want) {
		s.Errorf("the counts are %v, want %v", counts, want)
	}
	renamed := named("9", "Zoo", s.server())
	s.update(func(tx as.Tx) error { return tx.UpdateResource(renamed) })
	same(s, "found by a new name", find("", "zoo"), ids(0))
	wanted := []uma.ResourceID{all[2].ID, all[1].ID, all[2].ID, uma.ResourceID(s.id("elsewhere")), "absent"}
	some := must(s, func(r as.Reader) ([]as.Resource, error) { return r.ResourcesOf(s.space(), wanted) })
	same(s, "some by their ids", some, []as.Resource{all[2], all[1]})
	outlines := must(s, func(r as.Reader) ([]as.ResourceOutline, error) { return r.OutlinesOf(s.space(), wanted) })
	same(s, "their outlines", outlines, []as.ResourceOutline{all[2].Outline(), all[1].Outline()})
	none(s, "none by no id")(must(s, func(r as.Reader) ([]as.Resource, error) { return r.ResourcesOf(s.space(), nil) }), nil)
}

// access makes the scene's permission with all that it needs to live.
func (s *scene) access(renewable bool) (token as.AccessToken, refresh as.RefreshToken) {
	token = as.AccessToken{Digest: s.digest("access"), Grant: s.grant(), ExpiresAt: now.Add(time.Hour)}
	refresh = as.RefreshToken{Digest: s.digest("refresh"), Grant: s.grant(), ExpiresAt: now.Add(2 * time.Hour)}
	s.update(func(tx as.Tx) error {
		g := s.aGrant()
		g.Kind, g.Client, g.SpaceGeneration, g.Renewable = as.GrantUMA, s.client(), 1, renewable
		g.Permissions[0].NotAfter = now.Add(3 * time.Hour)
		return errors.Join(tx.InsertSpace(as.Space{ID: s.space(), Generation: 1}), tx.InsertClient(oauth.Client{ID: s.client()}),
			tx.InsertResource(s.aResource()), tx.InsertShare(s.aShare(1)), tx.Issue(g, token), tx.InsertRefreshToken(refresh))
	})
	return token, refresh
}

func (s *scene) live(at time.Time, lately ...as.GrantID) []as.LiveAccess {
	return must(s, func(r as.Reader) ([]as.LiveAccess, error) {
		return r.LiveAccess(s.space(), []policy.ShareID{"absent", s.share(), s.share()}, lately, at)
	})
}

func liveAccessLives(s *scene) {
	for what, end := range map[string]func(*scene, as.Tx) error{
		"the grant is revoked":   func(s *scene, tx as.Tx) error { return tx.RevokeGrant(s.grant(), now) },
		"the space has stopped":  func(s *scene, tx as.Tx) error { return tx.BumpSpace(s.space()) },
		"the client is revoked":  func(s *scene, tx as.Tx) error { return tx.RevokeClient(s.client()) },
		"the share is deleted":   func(s *scene, tx as.Tx) error { return tx.DeleteShare(s.space(), s.share()) },
		"the resource is bumped": func(s *scene, tx as.Tx) error { return tx.BumpResources(s.space(), s.server()) },
		"the client is disabled": func(s *scene, tx as.Tx) error {
			return tx.UpdateClient(oauth.Client{ID: s.client(), Disabled: true})
		},
		"the share is another": func(s *scene, tx as.Tx) error {
			share := s.aShare(2)
			share.Generation++
			return tx.UpdateShare(share)
		},
		"the tokens are used up": func(s *scene, tx as.Tx) error {
			_, err := tx.SpendRefreshToken(s.digest("refresh"), now)
			return errors.Join(err, tx.RevokeAccessToken(s.digest("access"), now))
		},
	} {
		own := s.beside()
		own.access(true)
		same(s, "live access before "+what, own.live(now), []as.LiveAccess{{Grant: own.grant(), Client: own.client(), Tokens: 1, Renewals: 1}})
		own.update(func(tx as.Tx) error { return end(own, tx) })
		none(s, "live access after "+what)(own.live(now), nil)
	}
	s.access(true)
	same(s, "live access when the token is over", s.live(now.Add(time.Hour)), []as.LiveAccess{{Grant: s.grant(), Client: s.client(), Renewals: 1}})
	none(s, "live access when all is over")(s.live(now.Add(2*time.Hour)), nil)
	none(s, "live access elsewhere")(must(s, func(r as.Reader) ([]as.LiveAccess, error) {
		return r.LiveAccess(s.beside().space(), []policy.ShareID{s.share()}, []as.GrantID{s.grant()}, now)
	}), nil)
	// What cannot be renewed is found among what was granted lately.
	short := s.beside()
	short.access(false)
	none(s, "access that is neither renewable nor of lately")(short.live(now), nil)
	want := []as.LiveAccess{{Grant: short.grant(), Client: short.client(), Tokens: 1, Renewals: 1}}
	same(s, "live access of lately", short.live(now, s.grant(), "absent", short.grant(), short.grant()), want)
	same(s, "live access with another token", func() []as.LiveAccess {
		short.update(func(tx as.Tx) error {
			return tx.InsertAccessToken(as.AccessToken{Digest: short.digest("second"), Grant: short.grant(), ExpiresAt: now.Add(time.Hour)})
		})
		return short.live(now, short.grant())
	}(), []as.LiveAccess{{Grant: short.grant(), Client: short.client(), Tokens: 2, Renewals: 1}})
}

func muchAccessLives(s *scene) {
	s.access(true)
	want := []as.LiveAccess{{Grant: s.grant(), Client: s.client(), Tokens: 1, Renewals: 1}}
	var lately []as.GrantID
	s.update(func(tx as.Tx) error {
		for i := range 300 {
			g := s.aGrant()
			g.ID = as.GrantID(s.id(fmt.Sprintf("grant-%03d", i)))
			g.Kind, g.Client, g.SpaceGeneration = as.GrantUMA, s.client(), 1
			elsewhere, under := s.aPermission(), g.Permissions[0]
			elsewhere.Share = "elsewhere"
			if g.Permissions = []as.Permission{elsewhere, under, under}; i%3 > 0 {
				g.Permissions[1].ShareGeneration, g.Permissions[2].ResourceGeneration = 9, 9
			}
			if i%3 == 2 {
				g.ResourceServer = "elsewhere"
			}
			if lately = append(lately, g.ID); i%3 == 0 {
				want = append(want, as.LiveAccess{Grant: g.ID, Client: g.Client, Tokens: 1})
			}
			if err := tx.Issue(g, as.AccessToken{Digest: s.digest(string(g.ID)), Grant: g.ID, ExpiresAt: now.Add(time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(want, func(a, b as.LiveAccess) int { return cmp.Compare(a.Grant, b.Grant) })
	same(s, "live access", s.live(now, lately...), want)
}

func clientsLoseWhatTheyHold(s *scene) {
	other := s.beside()
	s.access(true)
	other.access(true)
	revoke := func(space as.SpaceID, client oauth.ClientID, want int, lately ...as.GrantID) {
		s.Helper()
		got := -1
		s.update(func(tx as.Tx) (err error) {
			got, err = tx.RevokeGrantsOf(space, client, []policy.ShareID{s.share(), other.share()}, lately, now)
			return err
		})
		if got != want {
			s.Errorf("%d grants were revoked, want %d", got, want)
		}
	}
	revoke(s.space(), other.client(), 0)
	revoke(other.space(), s.client(), 0)
	revoke(s.space(), s.client(), 1)
	revoke(s.space(), s.client(), 0)
	none(s, "live access of the client")(s.live(now), nil)
	if len(other.live(now)) != 1 {
		s.Error("another client has lost what it held")
	}
	short := s.beside()
	short.access(false)
	s = &scene{T: s.T, store: s.store, open: s.open, name: short.name}
	revoke(s.space(), s.client(), 0, other.grant())
	revoke(s.space(), s.client(), 1, other.grant(), s.grant())
	none(s, "live access of the client")(s.live(now, s.grant()), nil)
	if len(other.live(now)) != 1 {
		s.Error("another client has lost what it held")
	}
}

func rolesAreReadForwards(s *scene) {
	kinds := []string{"k", as.EventRoleGranted, "k", as.EventRoleEnded, as.EventRoleGranted}
	var roles []as.Event
	s.update(func(tx as.Tx) error {
		for i, kind := range kinds {
			e := as.Event{Space: s.space(), Seq: int64(i) + 1, At: now, Kind: kind, Hash: []byte{byte(i)}}
			if kind != "k" {
				roles = append(roles, e)
			}
			if err := tx.AppendEvent(e); err != nil {
				return err
			}
		}
		return tx.AppendEvent(as.Event{Space: s.beside().space(), Seq: 9, Kind: as.EventRoleGranted, Hash: []byte{1}})
	})
	read := func(after int64, limit int) []as.Event {
		return must(s, func(r as.Reader) ([]as.Event, error) { return r.RoleEvents(s.space(), after, limit) })
	}
	same(s, "all", read(0, 9), roles)
	same(s, "the oldest", read(0, 2), roles[:2])
	same(s, "those after", read(2, 9), roles[1:])
	none(s, "after the last")(read(5, 9), nil)
}

func eventsAreReadBackwards(s *scene) {
	var all []as.Event
	for i := range int64(7) {
		all = append([]as.Event{{Space: s.space(), Seq: i + 1, At: now, Kind: "k", Hash: []byte{byte(i)}}}, all...)
	}
	s.update(func(tx as.Tx) error {
		for i := range all {
			if err := tx.AppendEvent(all[len(all)-1-i]); err != nil {
				return err
			}
		}
		return tx.AppendEvent(as.Event{Space: s.beside().space(), Seq: 3, Hash: []byte{1}})
	})
	read := func(before int64, limit int) []as.Event {
		return must(s, func(r as.Reader) ([]as.Event, error) { return r.EventsBefore(s.space(), before, limit) })
	}
	same(s, "the newest", read(0, 3), all[:3])
	same(s, "those before", read(5, 3), all[3:6])
	same(s, "the oldest", read(2, 3), all[6:])
	none(s, "before the first")(read(1, 3), nil)
}
