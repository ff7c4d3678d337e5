package owner

import (
	"context"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Thing is a resource as pages show it.
type Thing struct {
	as.Resource
	Service  App       // where it lives
	Sharings []Sharing // in force, or to be: who can do what
	LastUsed time.Time // zero: not within the time that uses are kept
}

// Lit says whether anybody can do anything with it now.
func (t Thing) Lit() bool {
	return slices.ContainsFunc(t.Sharings, Sharing.Opens)
}

// ThingsQuery narrows the list of things.
type ThingsQuery struct {
	Search  string         // is in the name, in whichever case
	Service oauth.ClientID // lives there
}

// Service is where things live, and how many.
type Service struct {
	App
	Things int64
}

// Things is a page of things, by name.
type Things struct {
	List     []Thing
	Services []Service // all there are, whatever was asked for, by name
	Next     string    // for Page.After; "" when this is the last
}

// Things lists the things of the space by name.
func (v Views) Things(ctx context.Context, o as.Owner, q ThingsQuery, p Page) (Things, error) {
	text := as.SortName(q.Search)
	list := "things " + string(q.Service) + " " + text
	after, err := v.AS.OpenCursor(o, list, p.After)
	if err != nil {
		return Things{}, err
	}
	var out Things
	err = v.read(ctx, o, func(s *snapshot) error {
		out = Things{}
		found, err := s.ResourcesByName(o.Space, q.Service, text, as.Page{After: after, Limit: p.limit() + 1})
		if err != nil {
			return err
		}
		found, out.Next = cut(v, o, list, found, as.Resource.NameKey, p)
		if out.List, err = s.things(found); err != nil {
			return err
		}
		out.Services, err = s.services()
		return err
	})
	return out, err
}

func (s *snapshot) services() ([]Service, error) {
	counts, err := s.ResourceCounts(s.o.Space)
	if err != nil {
		return nil, err
	}
	var out []Service
	for id, n := range counts {
		app, err := s.app(id)
		if err != nil {
			return nil, err
		}
		out = append(out, Service{app, n})
	}
	slices.SortFunc(out, func(a, b Service) int { return compareApps(a.App, b.App) })
	return out, nil
}

// things shows resources with the shares on them.
func (s *snapshot) things(found []as.Resource) ([]Thing, error) {
	s.name(found...)
	ids, used := []uma.ResourceID{}, []string{}
	for _, r := range found {
		ids, used = append(ids, r.ID), append(used, string(r.ID))
	}
	last, err := s.lastUsed(as.UseOfResource, used)
	if err != nil {
		return nil, err
	}
	shares, err := s.SharesInForce(s.o.Space, ids)
	if err != nil {
		return nil, err
	}
	shown, err := s.sharings(live(placesOf(shares), s.now))
	if err != nil {
		return nil, err
	}
	on := map[uma.ResourceID][]Sharing{}
	for _, one := range shown {
		on[one.Resource] = append(on[one.Resource], one)
	}
	out := make([]Thing, len(found))
	for i, r := range found {
		out[i] = Thing{Resource: r, Sharings: on[r.ID], LastUsed: last[string(r.ID)]}
		if out[i].Service, err = s.app(r.ResourceServer); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Thing shows one thing of the space.
func (v Views) Thing(ctx context.Context, o as.Owner, id uma.ResourceID) (Thing, error) {
	var out Thing
	err := v.read(ctx, o, func(s *snapshot) error {
		r, err := s.ResourceInSpace(o.Space, id)
		if err != nil {
			return err
		}
		list, err := s.things([]as.Resource{r})
		if err == nil {
			out = list[0]
		}
		return err
	})
	return out, absent(err, errNoThing)
}

// Past is a promise about a thing that is over, and can be made again.
type Past struct {
	as.ShareVersion
	Who     []Who
	Through App // the one application that they had to use; zero: any
	Ended   time.Time
	How     as.ShareEnd // EndWithdrawn or EndExpired
}

// How far back, and of how many versions, it is looked for what was open.
const (
	pastDays     = 90
	pastVersions = 1000
)

// Over says whether the promise cannot be made again as it was: its end has come.
func (p Past) Over(now time.Time) bool { return stateOf(p.Share, now) == Over }

// Past lists what was open of a thing in the last 90 days and is not any more, by
// its being stopped or by itself; of those who were told the same several times, the
// last.
func (v Views) Past(ctx context.Context, o as.Owner, t Thing, limit int) ([]Past, error) {
	var out []Past
	err := v.read(ctx, o, func(s *snapshot) error {
		out = nil
		found, err := s.ShareVersions(o.Space, as.VersionFilter{Resource: t.ID, From: s.now.AddDate(0, 0, -pastDays)}, as.Page{Limit: pastVersions})
		if err != nil {
			return err
		}
		for _, version := range found {
			at, how := version.EndedAt(s.now)
			if how == as.EndWithdrawn || how == as.EndExpired {
				out = append(out, Past{ShareVersion: version, Ended: at, How: how})
			}
		}
		slices.SortStableFunc(out, func(a, b Past) int { return b.Ended.Compare(a.Ended) })
		var said []as.Share
		for _, one := range t.Sharings {
			said = append(said, one.Share)
		}
		out = slices.DeleteFunc(out, func(one Past) bool {
			again := slices.ContainsFunc(said, func(other as.Share) bool {
				return slices.Equal(one.Parties(), other.Parties()) && slices.Equal(one.Scopes, other.Scopes) && one.Client == other.Client
			})
			said = append(said, one.Share)
			return again
		})
		out = out[:min(len(out), limit)]
		for i := range out {
			if out[i].Through, err = s.app(throughOf(out[i].Share)); err != nil {
				return err
			}
			for _, p := range out[i].Parties() {
				w, err := s.party(p)
				if err != nil {
					return err
				}
				out[i].Who = append(out[i].Who, w)
			}
		}
		return nil
	})
	return out, err
}

// Version shows one version of a share of the space as if it were in force, and its
// thing. One that is not there, or whose thing is gone, is not_found.
func (v Views) Version(ctx context.Context, o as.Owner, ref as.VersionRef) (Thing, Sharing, error) {
	var one Sharing
	found, err := v.AS.ShareVersions(ctx, o, as.VersionFilter{Share: ref.Share}, as.Page{After: as.VersionKey(ref.Share, ref.Version-1), Limit: 1})
	if err != nil {
		return Thing{}, Sharing{}, err
	}
	if len(found) == 0 || found[0].Version != ref.Version {
		return Thing{}, Sharing{}, errNoPast
	}
	t, err := v.Thing(ctx, o, found[0].Resource)
	if err != nil {
		return Thing{}, Sharing{}, err
	}
	err = v.read(ctx, o, func(s *snapshot) error {
		s.name(t.Resource)
		list, err := s.sharings([]*as.Share{&found[0].Share})
		if err == nil {
			one = list[0]
		}
		return err
	})
	return t, one, err
}

// CouldPage is a page of what somebody could do, by the names of the things.
type CouldPage struct {
	List []as.Could
	Next string
}

// Could asks what somebody could do with the things of a page; see
// as.Server.Could. A person's party is that of their Who.
func (v Views) Could(ctx context.Context, o as.Owner, who as.Supposed, q ThingsQuery, p Page) (CouldPage, error) {
	text := as.SortName(q.Search)
	list := "could " + string(q.Service) + " " + text
	after, err := v.AS.OpenCursor(o, list, p.After)
	if err != nil {
		return CouldPage{}, err
	}
	var ids []uma.ResourceID
	var next string
	err = v.read(ctx, o, func(s *snapshot) error {
		ids = nil
		found, err := s.ResourcesByName(o.Space, q.Service, text, as.Page{After: after, Limit: p.limit() + 1})
		found, next = cut(v, o, list, found, as.Resource.NameKey, p)
		for _, r := range found {
			ids = append(ids, r.ID)
		}
		return err
	})
	if err != nil {
		return CouldPage{}, err
	}
	could, err := v.AS.Could(ctx, o, who, ids)
	slices.SortFunc(could, func(a, b as.Could) int { return compareText(a.Resource.NameKey(), b.Resource.NameKey()) })
	return CouldPage{could, next}, err
}

// personal says whether a share is for named people or apps alone.
func personal(s as.Share) bool {
	return !slices.ContainsFunc(s.Parties(), func(p policy.Party) bool {
		return !p.Person() && p.Kind != policy.PartyApp && p.Kind != policy.PartyGroup
	})
}
