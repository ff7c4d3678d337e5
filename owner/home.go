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

// Home answers whether the owner is safe, in one look.
type Home struct {
	People  int       // named people who can do something now
	Apps    int       // applications named in what is shared now
	Open    int       // shares that are for more than named people and apps: a domain, a claim, anyone
	Things  int64     // all there are
	Shared  int       // things of which anybody can do anything now
	Lit     []Thing   // of those, the ones shared latest; at most 12
	Ending  []Sharing // that end within 7 days, the soonest first; at most 20
	Changes []Line    // since the last visit, newest first; at most 5
	Pending int       // requests that wait; 100 means at least as many
}

const (
	homeLit     = 12
	homeEnding  = 20
	homeChanges = 5
	homePending = 100
	endsSoon    = 7 * 24 * time.Hour
)

// Home shows a space. since is the last visit; zero: there was none, and Changes
// are the newest.
func (v Views) Home(ctx context.Context, o as.Owner, since time.Time) (Home, error) {
	var h Home
	err := v.read(ctx, o, func(s *snapshot) error {
		h = Home{}
		shares, err := s.shares()
		if err != nil {
			return err
		}
		people, apps, lit, soon := map[policy.Party]bool{}, map[oauth.ClientID]bool{}, map[uma.ResourceID]bool{}, []*as.Share{}
		var order []uma.ResourceID // the latest last
		slices.SortFunc(shares, func(a, b *as.Share) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
		for _, share := range shares {
			if stateOf(*share, s.now) != InForce || share.Ask {
				continue
			}
			for _, p := range partiesOf(*share) {
				if p.Person() {
					people[p] = true
				}
				if p.Kind == policy.PartyApp {
					apps[oauth.ClientID(p.Value)] = true
				}
			}
			if !personal(*share) {
				h.Open++
			}
			if !share.NotAfter.IsZero() && !share.NotAfter.After(s.now.Add(endsSoon)) {
				soon = append(soon, share)
			}
			lit[share.Resource] = true
			order = append(order, share.Resource)
		}
		h.People, h.Apps, h.Shared = len(people), len(apps), len(lit)
		slices.SortFunc(soon, func(a, b *as.Share) int { return a.NotAfter.Compare(b.NotAfter) })
		if h.Ending, err = s.sharings(soon[:min(len(soon), homeEnding)]); err != nil {
			return err
		}
		if h.Lit, err = s.latestOf(order); err != nil {
			return err
		}
		counts, err := s.ResourceCounts(o.Space)
		if err != nil {
			return err
		}
		for _, n := range counts {
			h.Things += n
		}
		if h.Pending, err = s.CountRequests(o.Space, as.RequestPending, homePending); err != nil {
			return err
		}
		lines, _, err := s.history(HistoryFilter{Since: since}, 0, homeChanges)
		h.Changes = lines
		return err
	})
	return h, err
}

// latestOf are the things that come last in the order, the last first.
func (s *snapshot) latestOf(order []uma.ResourceID) ([]Thing, error) {
	var ids []uma.ResourceID
	for _, id := range slices.Backward(order) {
		if len(ids) == homeLit {
			break
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	found, err := s.ResourcesOf(s.o.Space, ids)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b as.Resource) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return s.things(found)
}

// Request is a question to the owner as pages show it.
type Request struct {
	as.PendingRequest
	Who    Who         // as whom a yes would know them
	App    App         // through which they ask
	Things []ThingName // one for each of Permissions
}

// Requests is a page of requests, oldest first.
type Requests struct {
	List []Request
	Next string
}

// Requests lists the requests of the space with a status; "" for all.
func (v Views) Requests(ctx context.Context, o as.Owner, status as.RequestStatus, p Page) (Requests, error) {
	list := "requests " + string(status)
	after, err := v.AS.OpenCursor(o, list, p.After)
	if err != nil {
		return Requests{}, err
	}
	found, err := v.AS.Requests(ctx, o, status, as.Page{After: after, Limit: p.limit() + 1})
	if err != nil {
		return Requests{}, err
	}
	var out Requests
	found, out.Next = cut(v, o, list, found, func(q as.PendingRequest) string { return string(q.ID) }, p)
	out.List, err = v.requests(ctx, o, found)
	return out, err
}

// Request shows one request of the space.
func (v Views) Request(ctx context.Context, o as.Owner, id as.RequestID) (Request, error) {
	q, err := v.AS.ReadRequest(ctx, o, id)
	if err != nil {
		return Request{}, err
	}
	list, err := v.requests(ctx, o, []as.PendingRequest{q})
	if err != nil {
		return Request{}, err
	}
	return list[0], nil
}

func (v Views) requests(ctx context.Context, o as.Owner, found []as.PendingRequest) ([]Request, error) {
	var out []Request
	err := v.read(ctx, o, func(s *snapshot) error {
		out = make([]Request, len(found))
		var ids []uma.ResourceID
		for _, q := range found {
			for _, p := range q.Permissions {
				ids = append(ids, p.Resource)
			}
		}
		if err := s.learn(ids); err != nil {
			return err
		}
		for i, q := range found {
			w, err := s.party(q.Party())
			if err != nil {
				return err
			}
			out[i] = Request{PendingRequest: q, Who: w, App: App{q.Client, q.ClientName}}
			for _, p := range q.Permissions {
				out[i].Things = append(out[i].Things, s.names[p.Resource])
			}
		}
		return nil
	})
	return out, err
}
