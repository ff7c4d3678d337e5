package owner

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Access is what a share let its parties do with a thing at an instant, if its
// conditions held.
type Access struct {
	as.ShareVersion
	Thing   ThingName // as it was called then
	Service App
	Who     []Who
	Through App         // the one application that they had to use; zero: any
	Can     []uma.Scope // those of Scopes that the thing offered then
	Ended   time.Time   // zero: it goes on
	How     as.ShareEnd // how it ended
}

// DayQuery narrows what is told of an instant.
type DayQuery struct {
	Thing  uma.ResourceID
	Person string // the Key of a Who
}

// Day is who could do what at an instant.
type Day struct {
	At    time.Time
	Roles []RoleThen // who could act in the space, besides its owner; not on further pages
	List  []Access   // by the names of the things
	Next  string
}

// RoleThen is a role that somebody had at an instant.
type RoleThen struct {
	Account     as.AccountID
	Name, Email string // "" when the account is gone
	Kind        as.RoleKind
	Since       time.Time
	Until       time.Time // as it was meant then; zero: without an end
}

// maxPast is how many versions and descriptions of the past are gone through.
const maxPast = 20_000

var (
	errTooMuch   = uma.NewError(uma.InvalidRequest, "There is too much to tell. Say one thing.")
	errBackwards = uma.NewError(uma.InvalidRequest, "The time has to begin before it ends.")
)

// At tells who could do what at an instant of the past, from what was kept and
// nothing else: the versions of the shares, with their own beginnings and ends,
// the descriptions of the resources, and what the history says of roles. What was kept of before this was kept begins
// with the latest change before it.
//
// That everything was stopped ended what had been granted; it ended no share, so it
// does not show here. History tells of it.
func (v Views) At(ctx context.Context, o as.Owner, at time.Time, q DayQuery, p Page) (Day, error) {
	at = at.UTC().Truncate(time.Millisecond) // what stores keep
	out := Day{At: at}
	err := v.read(ctx, o, func(s *snapshot) error {
		versions, err := s.versionsWithin(as.VersionFilter{Resource: q.Thing, From: at, To: at.Add(time.Millisecond)})
		if err != nil {
			return err
		}
		isFor := func(p policy.Party) bool { return s.partyKey(p) == q.Person }
		versions = slices.DeleteFunc(versions, func(v *as.ShareVersion) bool {
			return !v.InForce(at) || v.Ask || q.Person != "" && !slices.ContainsFunc(partiesOf(v.Share), isFor)
		})
		then, err := s.resourcesAt(at, versions)
		if err != nil {
			return err
		}
		versions = slices.DeleteFunc(versions, func(v *as.ShareVersion) bool {
			res := then[v.Resource]
			return res == nil || len(v.Scopes) > 0 && !slices.ContainsFunc(v.Scopes, res.offers)
		})
		list := "day " + at.UTC().Format(time.RFC3339Nano) + " " + string(q.Thing) + " " + q.Person
		place := func(v *as.ShareVersion) string { return then[v.Resource].NameKey() + "\n" + v.Key() }
		page, next, err := sortedPageOf(v, o, list, versions, place, p)
		if err != nil {
			return err
		}
		out = Day{At: at, Next: next}
		var ids []uma.ResourceID
		for _, version := range page {
			ids = append(ids, version.Resource)
		}
		if err := s.learn(ids); err != nil {
			return err
		}
		for _, version := range page {
			res := then[version.Resource]
			a := Access{ShareVersion: *version, Thing: ThingName{ID: res.ID, Name: res.name}, Service: App{ID: res.ResourceServer}}
			if !res.past {
				a.Thing.Name = s.names[res.ID].Name
			}
			for _, scope := range a.Scopes {
				if res.offers(scope) {
					a.Can = append(a.Can, scope)
				}
			}
			a.Ended, a.How = a.EndedAt(s.now)
			if err := s.fill(&a); err != nil {
				return err
			}
			out.List = append(out.List, a)
		}
		if p.After == "" {
			out.Roles, err = s.rolesAt(at, q)
		}
		return err
	})
	return out, err
}

// rolesAt are the roles at an instant of those whom the query means. A role is of the
// space, and so of every thing.
func (s *snapshot) rolesAt(at time.Time, q DayQuery) ([]RoleThen, error) {
	then := map[as.AccountID]RoleThen{}
	const read = 1000
	for after := int64(0); ; {
		events, err := s.RoleEvents(s.o.Space, after, read)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			var d eventDetail
			if err := json.Unmarshal([]byte(e.Detail), &d); err != nil {
				return nil, err
			}
			switch {
			case e.At.After(at):
			case e.Kind == as.EventRoleEnded:
				delete(then, as.AccountID(e.Subject))
			default:
				role := RoleThen{Account: as.AccountID(e.Subject), Kind: d.Kind, Since: e.At}
				if d.EndsAt != 0 {
					role.Until = time.Unix(d.EndsAt, 0).UTC()
				}
				then[role.Account] = role
			}
		}
		if len(events) < read || events[read-1].At.After(at) {
			break
		}
		if after = events[read-1].Seq; len(then) >= maxPast {
			return nil, errTooMuch
		}
	}
	var out []RoleThen
	for _, role := range then {
		if !role.Until.IsZero() && !at.Before(role.Until) {
			continue
		}
		account, err := s.Account(role.Account)
		if absentIsFine(err) != nil {
			return nil, err
		}
		role.Name, role.Email = account.Name, account.Email
		if q.Person == "" || q.Person == s.partyKey(policy.Party{Kind: policy.PartyEmail, Value: role.Email}) {
			out = append(out, role)
		}
	}
	slices.SortFunc(out, func(a, b RoleThen) int {
		return cmp.Or(compareText(as.SortName(cmp.Or(a.Name, a.Email)), as.SortName(cmp.Or(b.Name, b.Email))), compareText(string(a.Account), string(b.Account)))
	})
	return out, nil
}

func (s *snapshot) fill(a *Access) (err error) {
	if a.Service, err = s.app(a.Service.ID); err != nil {
		return err
	}
	if a.Through, err = s.app(throughOf(a.Share)); err != nil {
		return err
	}
	for _, p := range a.Parties() {
		w, err := s.party(p)
		if err != nil {
			return err
		}
		a.Who = append(a.Who, w)
	}
	return nil
}

// versionsWithin are the versions of the space's shares, or of those on one thing, that
// were there within a time.
func (s *snapshot) versionsWithin(f as.VersionFilter) (out []*as.ShareVersion, err error) {
	list := s.within.list
	switch known := !f.From.Before(s.within.from) && !f.To.After(s.within.to); {
	case known:
	case f.Resource != "":
		list, err = s.versionsOf(f)
	default:
		if list, err = s.allVersions(f.From, f.To); err == nil {
			s.within = versionsRead{f.From, f.To, list}
		}
	}
	for i := range list {
		if f.Resource == "" || list[i].Resource == f.Resource {
			out = append(out, &list[i])
		}
	}
	return out, err
}

// allVersions is versionsWithin for a whole space whose shares are read anyway.
func (s *snapshot) allVersions(from, to time.Time) ([]as.ShareVersion, error) {
	shares, err := s.shares()
	if err != nil {
		return nil, err
	}
	ended, err := s.versionsOf(as.VersionFilter{From: from, To: to, Ended: true})
	out := slices.Grow(ended, len(shares))
	for _, share := range shares {
		if share.UpdatedAt.Before(to) && (share.NotAfter.IsZero() || share.NotAfter.After(from)) {
			out = append(out, as.ShareVersion{Share: *share})
		}
	}
	return out, err
}

func (s *snapshot) versionsOf(f as.VersionFilter) (all []as.ShareVersion, err error) {
	for page := (as.Page{Limit: 1000}); ; page.After = all[len(all)-1].Key() {
		found, err := s.ShareVersions(s.o.Space, f, page)
		all = append(all, found...)
		if err != nil || len(found) < page.Limit {
			return all, err
		}
		if len(all) >= maxPast {
			return nil, errTooMuch
		}
	}
}

// resourceThen is a resource as it was described at an instant.
type resourceThen struct {
	as.ResourceOutline
	past bool   // it has been described anew since, or is gone
	name string // what it was called, if past
}

func (r *resourceThen) offers(scope uma.Scope) bool { return slices.Contains(r.Scopes, scope) }

// resourcesAt are the resources of the versions that were there at an instant.
func (s *snapshot) resourcesAt(at time.Time, versions []*as.ShareVersion) (map[uma.ResourceID]*resourceThen, error) {
	var ids []uma.ResourceID
	for _, v := range versions {
		ids = append(ids, v.Resource)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	now, err := s.OutlinesOf(s.o.Space, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[uma.ResourceID]*resourceThen, len(ids))
	for _, r := range now {
		if !r.UpdatedAt.After(at) {
			out[r.ID] = &resourceThen{ResourceOutline: r}
		}
	}
	for _, id := range ids {
		if out[id] != nil {
			continue
		}
		// The first that ended later is what it was, or it was not there yet.
		past, err := s.PastResources(s.o.Space, id, at, 1)
		if err != nil {
			return nil, err
		}
		if len(past) > 0 && !past[0].UpdatedAt.After(at) {
			out[id] = &resourceThen{past[0].Outline(), true, past[0].Description.Name}
		}
	}
	return out, nil
}

// Lane is when somebody, or an app, could do anything at all.
type Lane struct {
	Who
	Spans []Span // in their order, apart from each other
}

// Span is a time from an instant until before another, within what was asked for.
type Span struct{ From, To time.Time }

// Lanes is a page of lanes, in the order of People.
type Lanes struct {
	List []Lane
	Next string
}

// Lanes tells when whom the space shares with could do anything, from one instant
// until before another.
func (v Views) Lanes(ctx context.Context, o as.Owner, from, to time.Time, p Page) (Lanes, error) {
	var out Lanes
	if !from.Before(to) {
		return out, errBackwards
	}
	err := v.read(ctx, o, func(s *snapshot) error {
		versions, err := s.versionsWithin(as.VersionFilter{From: from, To: to.Add(time.Millisecond)}) // with what At needs of its last instant
		if err != nil {
			return err
		}
		spans := make(map[*as.Share]Span, len(versions))
		shares := make([]*as.Share, 0, len(versions))
		for _, version := range versions {
			if span, ok := spanOf(version, from, to); ok && !version.Ask {
				spans[&version.Share] = span
				shares = append(shares, &version.Share)
			}
		}
		all, err := s.grouped(shares)
		if err != nil {
			return err
		}
		page, next, err := pageOf(v, o, "lanes "+from.UTC().Format(time.RFC3339Nano)+" "+to.UTC().Format(time.RFC3339Nano), all, (*group).standing, p)
		if err != nil {
			return err
		}
		out = Lanes{Next: next}
		for _, g := range page {
			lane := Lane{Who: g.who}
			for _, share := range g.shares {
				lane.Spans = append(lane.Spans, spans[share])
			}
			lane.Spans = together(lane.Spans)
			out.List = append(out.List, lane)
		}
		return nil
	})
	return out, err
}

// spanOf is the time of a version within bounds.
func spanOf(v *as.ShareVersion, from, to time.Time) (Span, bool) {
	begin, end := latest(latest(from, v.UpdatedAt), v.NotBefore), to
	for _, t := range []time.Time{v.NotAfter, v.Ending.At} {
		if !t.IsZero() && t.Before(end) {
			end = t
		}
	}
	return Span{begin, end}, begin.Before(end)
}

// together joins spans that meet.
func together(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	var out []Span
	for _, s := range spans {
		if n := len(out); n > 0 && !s.From.After(out[n-1].To) {
			out[n-1].To = latest(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}
