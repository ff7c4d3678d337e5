package as

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The requesting party's side: what an account can use of others', and what it has
// asked for. Here an account sees things of many spaces. It is told of a share when
// that names it, by an address that it has verified or by its subject, or is with a
// group that it is in, and lets it in now; so nobody learns of a thing here who could
// not have it.

// Received is a share that lets an account in.
type Received struct {
	Share
	Thing     string // the name of the resource; "" when it has none
	SpaceName string // whose it is
	Service   string // where it lives: the name of the resource server; "" when it has none
	Through   AppOf  // the one application that it is good through; zero: any
	Scopes    []uma.Scope
}

// AppOf is an application as whoever uses it knows it.
type AppOf struct {
	ID   oauth.ClientID
	Name string // "" when it has none, or is gone
	// Site is where it is in the web: the origin of a redirection URI that it has
	// registered. "" for one that is on a device, or that is gone.
	Site string
}

// ReceivedFrom is what one owner shares with an account: a page of it.
type ReceivedFrom struct {
	Space     SpaceID
	SpaceName string
	List      []Received     // by the names of the things
	Next      policy.ShareID // after which there is more of this owner's; "" for nothing
}

// However much somebody shares, others are not crowded out by it: a page has so many
// owners, and of each so many shares. Looked through are some more of both, because
// what names somebody need not let them in.
const (
	ownersAtOnce, ownersLooked = 20, 60
	sharesAtOnce, sharesLooked = 20, 200 // of each
	ofOneAtOnce                = 50      // on a page of one owner alone
	maxGroups                  = 100     // in so many groups of one owner an account is looked up
)

var errNotReceived = uma.NewError(uma.NotFound, "There is no such page, or it is not yours to see.")

// Received lists what others share with an account, a page of owners after one. The
// first has what the links open that the browser holds, too. next is after whom there
// are more, "" for nobody; a page may have none and still a next.
func (s *Server) Received(ctx context.Context, id AccountID, after SpaceID, links ...string) (list []ReceivedFrom, next SpaceID, err error) {
	err = s.Store.View(ctx, func(r Reader) error {
		list, next = nil, ""
		facts, err := s.accountFacts(r, id)
		if err != nil {
			return err
		}
		if after == "" {
			if list, err = s.heldLinks(r, links); err != nil {
				return err
			}
		}
		spaces, err := r.SpacesNaming(addressOf(facts), s.Issuer, string(id), after, ownersLooked+1)
		if err != nil {
			return err
		}
		for i, space := range spaces {
			if i == ownersLooked || len(list) >= ownersAtOnce {
				next = spaces[i-1]
				return nil
			}
			one, err := s.receivedFrom(r, id, facts, space, "", sharesAtOnce)
			if err != nil {
				return err
			}
			list = joined(list, one)
		}
		return nil
	})
	for _, from := range list {
		slices.SortStableFunc(from.List, byThing)
	}
	return list, next, absent(err, errNotReceived)
}

// ReceivedFrom lists what one owner shares with an account, a page after a share.
func (s *Server) ReceivedFrom(ctx context.Context, id AccountID, space SpaceID, after policy.ShareID) (from ReceivedFrom, err error) {
	err = s.Store.View(ctx, func(r Reader) error {
		facts, err := s.accountFacts(r, id)
		if err != nil {
			return err
		}
		from, err = s.receivedFrom(r, id, facts, space, after, ofOneAtOnce)
		return err
	})
	slices.SortStableFunc(from.List, byThing)
	return from, absent(err, errNotReceived)
}

func byThing(a, b Received) int {
	return cmp.Or(strings.Compare(SortName(a.Thing), SortName(b.Thing)), strings.Compare(string(a.ID), string(b.ID)))
}

// joined adds what an owner shares, if it is anything.
func joined(list []ReceivedFrom, one ReceivedFrom) []ReceivedFrom {
	if len(one.List) == 0 {
		return list
	}
	if i := slices.IndexFunc(list, func(from ReceivedFrom) bool { return from.Space == one.Space }); i >= 0 {
		list[i].List, list[i].Next = append(list[i].List, one.List...), one.Next
		return list
	}
	one.SpaceName = one.List[0].SpaceName
	return append(list, one)
}

// heldLinks is what links open.
func (s *Server) heldLinks(r Reader, links []string) ([]ReceivedFrom, error) {
	var list []ReceivedFrom
	for _, secret := range links[:min(len(links), maxHeld)] {
		share, err := s.linked(r, secret)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		one, opens, err := s.receive(r, share, []policy.Fact{s.linkFact(share)})
		if err != nil {
			return nil, err
		}
		if opens {
			list = joined(list, ReceivedFrom{Space: share.Space, List: []Received{one}})
		}
	}
	return list, nil
}

// receivedFrom reads what one owner shares, most of it at most.
func (s *Server) receivedFrom(r Reader, id AccountID, facts []policy.Fact, space SpaceID, after policy.ShareID, most int) (ReceivedFrom, error) {
	from := ReceivedFrom{Space: space}
	shares, err := s.sharesFor(r, id, facts, space, Page{After: string(after), Limit: sharesLooked + 1})
	if err != nil {
		return from, err
	}
	for i, share := range shares {
		if i == sharesLooked || len(from.List) == most {
			from.Next = shares[i-1].ID
			break
		}
		one, opens, err := s.receive(r, share, facts)
		if err != nil {
			return from, err
		}
		if opens {
			from.List, from.SpaceName = append(from.List, one), one.SpaceName
		}
	}
	return from, nil
}

// sharesFor lists the shares of a space that name an account or are with a group that
// it is in.
func (s *Server) sharesFor(r Reader, id AccountID, facts []policy.Fact, space SpaceID, p Page) ([]Share, error) {
	address := addressOf(facts)
	shares, err := r.SharesNaming(space, address, s.Issuer, string(id), p)
	if err != nil || address == "" {
		return shares, err
	}
	members, err := r.MembershipsOf(space, address, Page{Limit: maxGroups})
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		with, err := r.SharesWith(space, m.Group, p)
		if err != nil {
			return nil, err
		}
		shares = append(shares, with...)
	}
	slices.SortFunc(shares, func(a, b Share) int { return cmp.Compare(a.ID, b.ID) })
	shares = slices.CompactFunc(shares, func(a, b Share) bool { return a.ID == b.ID })
	return shares[:min(len(shares), p.Limit)], nil
}

// receive says whether a share lets in whom the facts are about, through the
// application that it names, once they have promised what it asks for; and shows it.
func (s *Server) receive(r Reader, share Share, facts []policy.Fact) (Received, bool, error) {
	none := func(err error) (Received, bool, error) {
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return Received{}, false, err
	}
	if share.Ask || !share.DormantSince.IsZero() {
		return none(nil)
	}
	res, err := r.ResourceInSpace(share.Space, share.Resource)
	if err != nil {
		return none(err)
	}
	groups, err := membershipsIn(r, map[uma.ResourceID][]Share{"": {share}}, facts)
	if err != nil {
		return none(err)
	}
	bare := share
	bare.Purpose, bare.Terms = "", ""
	if !s.opensFor(bare, ticketResource{Resource: res}, oauth.ClientID(share.Client), facts, groups) {
		return none(nil)
	}
	out, err := show(r, share, res)
	if err != nil {
		return none(err)
	}
	return out, true, nil
}

// show shows a share to whom it lets in.
func show(r Reader, share Share, res Resource) (Received, error) {
	out := Received{Share: share, Thing: res.Description.Name, Scopes: intersect(share.Scopes, res.Description.Scopes)}
	space, err := r.Space(share.Space)
	if err != nil {
		return out, err
	}
	out.SpaceName = space.Name
	service, err := appOf(r, res.ResourceServer)
	if err != nil {
		return out, err
	}
	if out.Service = service.Name; share.Client != "" {
		out.Through, err = appOf(r, oauth.ClientID(share.Client))
	}
	return out, err
}

func appOf(r Reader, id oauth.ClientID) (AppOf, error) {
	c, err := r.Client(id)
	if errors.Is(err, ErrNotFound) {
		return AppOf{ID: id}, nil
	}
	out := AppOf{ID: id, Name: c.Name}
	for _, uri := range slices.Concat(c.ClaimsRedirectURIs, c.RedirectURIs) {
		if u, err := url.Parse(uri); err == nil && u.Scheme == "https" && !c.Disabled {
			out.Site = u.Scheme + "://" + u.Host
			break
		}
	}
	return out, err
}

// GiveBack ends for an account what a share of a space gives it, at once, as a
// withdrawal would. A share with others goes on for them; from a group the account
// goes, with all that is shared with it. Whose thing it is reads of it in the history.
// A share that does not let the account in is not_found, whether it is there or not.
func (s *Server) GiveBack(ctx context.Context, account AccountID, space SpaceID, id policy.ShareID) error {
	by := Owner{Space: space, Account: account}
	var seen Share
	err := s.Store.View(ctx, func(r Reader) error { // whoever may not keeps nobody from writing
		facts, err := s.accountFacts(r, account)
		if err != nil {
			return err
		}
		if seen, err = r.Share(space, id); err != nil {
			return err
		}
		_, opens, err := s.receive(r, seen, facts)
		if err != nil {
			return err
		}
		if _, named := partyIn(seen, account, addressOf(facts)); !opens || seen.Group == "" && !named {
			return ErrNotFound
		}
		return nil
	})
	if err != nil {
		return absent(err, errNotReceived)
	}
	err = s.Store.Update(ctx, func(tx Tx) error {
		facts, err := s.accountFacts(tx, account)
		if err != nil {
			return err
		}
		share, err := tx.Share(space, id)
		if err != nil {
			return err
		}
		if share.Version != seen.Version {
			return errShareChanged // and may be for somebody else
		}
		if share.Group != "" {
			return s.leave(tx, by, share, facts)
		}
		party, named := partyIn(share, account, addressOf(facts))
		if !named {
			return errNotReceived
		}
		seq, err := s.recorded(tx, share.Space, EventShareGivenBack, by.actor(), string(id), shareDetail(share))
		if err != nil {
			return err
		}
		if wish, left := share.Without(party); left {
			return s.putInPlace(tx, s.revised(by, share, wish), s.ending(by, EndReplaced, seq))
		}
		if err := tx.KeepShares(share.Space, []policy.ShareID{id}, s.ending(by, EndGivenBack, seq)); err != nil {
			return err
		}
		return tx.DeleteShare(share.Space, id)
	})
	return absent(err, errNotReceived)
}

// partyIn is the party by which a share names an account, if it is by one that tells
// who that is.
func partyIn(share Share, account AccountID, address string) (policy.Party, bool) {
	for _, p := range share.Share.Parties() {
		if p.Kind == policy.PartyEmail && p.Value == address || p.Kind == policy.PartySubject && p.Value == string(account) {
			return p, true
		}
	}
	return policy.Party{}, false
}

// leave takes an account out of the group that a share is with.
func (s *Server) leave(tx Tx, by Owner, share Share, facts []policy.Fact) error {
	m, err := memberOf(tx, share.Space, share.Group, facts)
	if err != nil {
		return err
	}
	if err := tx.DeleteMember(m.Space, m.Group, m.ID); err != nil {
		return err
	}
	return s.record(tx, share.Space, EventMemberLeft, by.actor(), string(m.Group), detail{"member": m.ID})
}

// Asked is a request as whoever made it may see it: what they said and what came of
// it. What is it about, and whose, they are told when they may have it.
type Asked struct {
	ID        RequestID
	App       AppOf  // through which they asked
	Service   string // where the application went; "" when it has no name
	Why       string
	CreatedAt time.Time
	// Status is RequestPending also while the owner has set the request aside.
	Status    RequestStatus
	DecidedAt time.Time
	Open      []Received // of what the answer opened: what is open still
}

// Asked lists what an account has asked for in all spaces, newest first.
func (s *Server) Asked(ctx context.Context, id AccountID, limit int) ([]Asked, error) {
	var out []Asked
	err := s.Store.View(ctx, func(r Reader) error {
		found, err := r.RequestsBy(s.subject(id), limit)
		if err != nil {
			return err
		}
		out = make([]Asked, len(found))
		for i, q := range found {
			if out[i], err = s.asAsked(r, q, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// ReadAsked returns one request that an account has made. Another's is not_found.
func (s *Server) ReadAsked(ctx context.Context, account AccountID, id RequestID) (Asked, error) {
	var out Asked
	err := s.Store.View(ctx, func(r Reader) error {
		q, err := r.RequestBy(s.subject(account), id)
		if err != nil {
			return err
		}
		facts, err := s.accountFacts(r, account)
		if err != nil {
			return err
		}
		out, err = s.asAsked(r, q, facts)
		return err
	})
	return out, absent(err, errNotReceived)
}

// subject is the Subject of a process in which an account says who it is.
func (s *Server) subject(id AccountID) string { return s.Issuer + "#" + string(id) }

// asAsked shows a request; with facts also what is open by it.
func (s *Server) asAsked(r Reader, q Request, facts []policy.Fact) (Asked, error) {
	out := Asked{ID: q.ID, CreatedAt: q.CreatedAt, Status: q.Status, DecidedAt: q.DecidedAt}
	if q.Status.Waits() {
		out.Status, out.DecidedAt = RequestPending, time.Time{}
	}
	var err error
	if out.App, err = appOf(r, q.Client); err != nil {
		return out, err
	}
	service, err := appOf(r, q.ResourceServer)
	if err != nil {
		return out, err
	}
	out.Service = service.Name
	if out.Why, err = s.openReason(q.Reason); err != nil || facts == nil {
		return out, err
	}
	for _, id := range q.Shares {
		share, err := r.Share(q.Space, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return out, err
		}
		one, opens, err := s.receive(r, share, facts)
		if err != nil {
			return out, err
		}
		if opens {
			out.Open = append(out.Open, one)
		}
	}
	return out, nil
}
