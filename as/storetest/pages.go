package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

var pages = []rule{
	{"pages are complete, in order and without repetition", pagesAreComplete},
	{"requests are listed by status", requestsAreListedByStatus},
	{"pending requests are found by who asks through what", pendingRequestsAreFoundByParty},
	{"requests are found by who asked, the newest first", requestsAreFoundByWhoAsked},
	{"many requests are read at once", requestsAreReadAtOnce},
	{"requests, memberships and shares of all spaces are found by whom they are of", partiesAreFoundInAllSpaces},
	{"the grants of a space are those of OAuth that are not revoked", grantsAreListed},
	{"events are read from any point on", eventsAreReadFromAnyPoint},
}

// keys are more keys than a small page has, in an order of their own. Their
// ascending order is that of their bytes.
func (s *scene) keys() []string {
	var out []string
	for i := range 25 {
		out = append(out, s.id(fmt.Sprintf("%c%d-_%c", "aZzA09mM"[i%8], i*7%25, "bBéÉ"[i%3])))
	}
	return out
}

// listing reads one page and returns its keys.
type listing func(r as.Reader, p as.Page) ([]string, error)

// keysOf reads the keys out of a page.
func keysOf[T any, K ~string](key func(T) K, list []T, err error) ([]string, error) {
	var out []string
	for _, v := range list {
		out = append(out, string(key(v)))
	}
	return out, err
}

func pagesAreComplete(s *scene) {
	s = s.alone() // Clients lists all there are
	s.update(func(tx as.Tx) error {
		for _, k := range s.keys() {
			err := errors.Join(
				tx.InsertClient(oauth.Client{ID: oauth.ClientID(k)}),
				tx.InsertResource(as.Resource{ID: uma.ResourceID(k), Space: s.space(), ResourceServer: s.server(), Description: new(filler).description()}),
				tx.InsertShare(as.Share{Share: policy.Share{ID: policy.ShareID(k), Group: s.group()}, Space: s.space()}),
				tx.InsertGrant(as.Grant{ID: as.GrantID(k), Kind: as.GrantOAuth, Space: s.space()}),
				tx.InsertBlock(as.Block{ID: as.BlockID(k), Space: s.space(), Subject: k}),
				tx.InsertGroup(as.Group{ID: policy.GroupID(k), Space: s.space()}),
				tx.InsertMember(as.Member{ID: as.MemberID(k), Space: s.space(), Group: s.group(), Email: k}),
				tx.InsertInvitation(as.Invitation{ID: as.InvitationID(k), Space: s.space(), Email: s.id("@"), ExpiresAt: now.Add(time.Hour)}),
				tx.InsertRequest(as.Request{ID: as.RequestID(k), Space: s.space(), Status: as.RequestPending}),
			)
			if err != nil {
				return err
			}
		}
		return nil
	})
	for what, list := range map[string]listing{
		"Clients": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.Clients(p)
			return keysOf(func(c oauth.Client) oauth.ClientID { return c.ID }, l, err)
		},
		"ResourceIDs": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.ResourceIDs(s.space(), s.server(), p)
			return keysOf(func(id uma.ResourceID) uma.ResourceID { return id }, l, err)
		},
		"ResourcesInSpace": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.ResourcesInSpace(s.space(), p)
			return keysOf(func(v as.Resource) uma.ResourceID { return v.ID }, l, err)
		},
		"Shares": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.Shares(s.space(), p)
			return keysOf(func(v as.Share) policy.ShareID { return v.ID }, l, err)
		},
		"GrantsIn": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.GrantsIn(s.space(), p)
			return keysOf(func(v as.Grant) as.GrantID { return v.ID }, l, err)
		},
		"Requests": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.Requests(s.space(), "", p)
			return keysOf(func(v as.Request) as.RequestID { return v.ID }, l, err)
		},
		"SharesWith": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.SharesWith(s.space(), s.group(), p)
			return keysOf(func(v as.Share) policy.ShareID { return v.ID }, l, err)
		},
		"Blocks": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.Blocks(s.space(), p)
			return keysOf(func(v as.Block) as.BlockID { return v.ID }, l, err)
		},
		"Groups": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.Groups(s.space(), p)
			return keysOf(func(v as.Group) policy.GroupID { return v.ID }, l, err)
		},
		"Members": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.Members(s.space(), s.group(), p)
			return keysOf(func(v as.Member) as.MemberID { return v.ID }, l, err)
		},
		"Invitations": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.Invitations(s.space(), now, p)
			return keysOf(func(v as.Invitation) as.InvitationID { return v.ID }, l, err)
		},
		"InvitationsTo": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.InvitationsTo(s.id("@"), now, p)
			return keysOf(func(v as.Invitation) as.InvitationID { return v.ID }, l, err)
		},
		"Requests with a status": func(r as.Reader, p as.Page) ([]string, error) {
			l, err := r.Requests(s.space(), as.RequestPending, p)
			return keysOf(func(v as.Request) as.RequestID { return v.ID }, l, err)
		},
	} {
		for _, size := range []int{1, 7, 25, 1000} {
			s.readsPages(what, list, size)
		}
	}
}

// readsPages walks through a listing page by page.
func (s *scene) readsPages(what string, list listing, size int) {
	want := s.keys()
	slices.SortFunc(want, cmp.Compare)
	var got []string
	s.view(func(r as.Reader) error {
		for page := (as.Page{Limit: size}); ; page.After = got[len(got)-1] {
			next, err := list(r, page)
			if err != nil || len(next) == 0 || len(got) > len(want) {
				return err
			}
			if len(next) > size {
				s.Errorf("%s: a page of at most %d has %d", what, size, len(next))
			}
			got = append(got, next...)
		}
	})
	same(s, fmt.Sprintf("%s in pages of %d", what, size), got, want)
}

func requestsAreListedByStatus(s *scene) {
	statuses := []as.RequestStatus{as.RequestPending, as.RequestApproved, as.RequestDenied, as.RequestPending}
	byStatus := map[as.RequestStatus][]string{}
	s.update(func(tx as.Tx) error {
		for i, status := range statuses {
			id := s.id(fmt.Sprint(i))
			byStatus[status], byStatus[""] = append(byStatus[status], id), append(byStatus[""], id)
			if err := tx.InsertRequest(as.Request{ID: as.RequestID(id), Space: s.space(), Status: status}); err != nil {
				return err
			}
		}
		return nil
	})
	for status, want := range byStatus {
		got := must(s, func(r as.Reader) ([]string, error) {
			l, err := r.Requests(s.space(), status, as.Page{Limit: 10})
			return keysOf(func(v as.Request) as.RequestID { return v.ID }, l, err)
		})
		same(s, fmt.Sprintf("the requests with status %q", status), got, want)
		for _, most := range []int{1, len(want), 100} {
			n := must(s, func(r as.Reader) (int, error) { return r.CountRequests(s.space(), status, most) })
			if status != "" && n != min(most, len(want)) {
				s.Errorf("%d requests with status %q are counted, of %d, up to %d", n, status, len(want), most)
			}
		}
	}
	if n := must(s, func(r as.Reader) (int, error) { return r.CountRequests(s.beside().space(), as.RequestPending, 9) }); n != 0 {
		s.Errorf("%d requests of another space are counted", n)
	}
}

func pendingRequestsAreFoundByParty(s *scene) {
	request := func(what, client, subject string, status as.RequestStatus) as.Request {
		return as.Request{ID: as.RequestID(s.id(what)), Space: s.space(), Client: oauth.ClientID(client), Subject: subject, Status: status}
	}
	wanted := []as.Request{request("1", "c", "bob", as.RequestPending), request("2", "c", "bob", as.RequestPending)}
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertRequest(wanted[1]), tx.InsertRequest(wanted[0]), tx.InsertRequest(request("3", "c", "bob", as.RequestDenied)),
			tx.InsertRequest(request("4", "d", "bob", as.RequestPending)), tx.InsertRequest(request("5", "c", "carlos", as.RequestPending)))
	})
	aside := request("1a", "c", "bob", as.RequestAside)
	wanted = []as.Request{wanted[0], aside, wanted[1]}
	s.update(func(tx as.Tx) error { return tx.InsertRequest(aside) })
	same(s, "the pending requests", must(s, func(r as.Reader) ([]as.Request, error) { return r.PendingFrom(s.space(), "c", "bob") }), wanted)
	same(s, "those through any client", must(s, func(r as.Reader) ([]as.Request, error) { return r.PendingFrom(s.space(), "", "bob") }),
		append(wanted, request("4", "d", "bob", as.RequestPending)))
}

func requestsAreFoundByWhoAsked(s *scene) {
	var want []as.Request
	s.update(func(tx as.Tx) error {
		want = nil
		for i, status := range []as.RequestStatus{as.RequestDenied, as.RequestPending, as.RequestApproved} {
			q := as.Request{ID: as.RequestID(s.id(fmt.Sprint(i))), Space: s.space(), Client: oauth.ClientID(fmt.Sprint(i)), Subject: "bob", Status: status}
			other, elsewhere := q, q
			other.ID, other.Subject = q.ID+"x", "carlos"
			elsewhere.ID, elsewhere.Space = q.ID+"y", s.beside().space()
			if err := errors.Join(tx.InsertRequest(q), tx.InsertRequest(other), tx.InsertRequest(elsewhere)); err != nil {
				return err
			}
			want = append([]as.Request{q}, want...)
		}
		return nil
	})
	from := func(limit int) []as.Request {
		return must(s, func(r as.Reader) ([]as.Request, error) { return r.RequestsFrom(s.space(), "bob", limit) })
	}
	same(s, "what Bob asked", from(9), want)
	same(s, "what Bob asked last", from(1), want[:1])
}

func requestsAreReadAtOnce(s *scene) {
	var want []as.Request
	ids := []as.RequestID{"absent"}
	s.update(func(tx as.Tx) error {
		for i := range 150 {
			q := as.Request{ID: as.RequestID(s.id(fmt.Sprintf("%03d", i))), Space: s.space(), Subject: fmt.Sprint(i), Status: as.RequestPending}
			if i%3 == 0 {
				q.Space = s.beside().space()
			} else {
				want = append(want, q)
			}
			ids = append([]as.RequestID{q.ID, q.ID}, ids...)
			if err := tx.InsertRequest(q); err != nil {
				return err
			}
		}
		return nil
	})
	of := func(ids ...as.RequestID) []as.Request {
		return must(s, func(r as.Reader) ([]as.Request, error) { return r.RequestsOf(s.space(), ids) })
	}
	same(s, "the requests", of(ids...), want)
	same(s, "one of them", of(want[7].ID), want[7:8])
	none(s, "no requests")(of(), nil)
}

func partiesAreFoundInAllSpaces(s *scene) {
	email, subject, there := s.id("bob")+"@example.com", s.id("bob"), s.beside()
	named := func(what string, of *scene, claims ...policy.Claim) as.Share {
		return as.Share{Share: policy.Share{ID: policy.ShareID(s.id(what)), Claims: claims}, Space: of.space(), Version: 1}
	}
	claim := func(name string, values ...string) policy.Claim {
		return policy.Claim{RequiredClaim: uma.RequiredClaim{Name: name}, Values: values}
	}
	by := func(issuer string) policy.Claim {
		c := claim("sub", subject)
		c.Issuer = []string{issuer}
		return c
	}
	changed := named("5 changed", s, claim("email", "carlos@example.com"))
	want := []as.Share{
		named("1 by address", s, claim("email", email)), named("2 by subject", there, by("https://us.example")),
		named("3 by subject of anybody", s, by("https://us.example")), named("4 among others", there, claim("email", "carlos@example.com", email)),
		named("4 by two conditions", s, claim("email", "*@example.com"), claim("email", "eve@example.com", email)),
	}
	dormant := named("6 dormant", s, claim("email", email))
	dormant.DormantSince = now
	others := []as.Share{
		dormant, named("7 another", s, claim("email", "not."+email)), named("8 a domain", s, claim("email", "*@example.com")),
		named("9 another's subject", s, by("https://them.example")), named("a nobody", s),
	}
	asked := as.Request{ID: s.request(), Space: s.space(), Subject: subject}
	later := as.Request{ID: s.request() + "later", Space: there.space(), Subject: subject}
	stranger := as.Request{ID: s.request() + "of another", Space: s.space(), Subject: subject + "#"}
	members := []as.Member{
		{ID: s.member(), Space: s.space(), Group: s.group(), Email: email}, {ID: s.member() + "there", Space: there.space(), Group: there.group(), Email: email},
	}
	s.update(func(tx as.Tx) error {
		for _, share := range append(append(want, others...), changed) {
			if err := tx.InsertShare(share); err != nil {
				return err
			}
		}
		return errors.Join(tx.InsertRequest(asked), tx.InsertRequest(later), tx.InsertRequest(stranger),
			tx.InsertMember(members[0]), tx.InsertMember(members[1]),
			tx.InsertMember(as.Member{ID: s.member() + "alone", Space: there.space(), Group: there.group(), Email: s.id("member@")}), tx.InsertMember(as.Member{ID: s.member() + "of another", Space: s.space(), Group: s.group(), Email: "not." + email}))
	})
	changed.Claims, changed.Version = []policy.Claim{claim("email", email)}, 2
	s.update(func(tx as.Tx) error { return tx.UpdateShare(changed) })
	want = append(want, changed)
	naming := func(of *scene, email string, p as.Page) []as.Share {
		return must(s, func(r as.Reader) ([]as.Share, error) {
			return r.SharesNaming(of.space(), email, "https://us.example", subject, p)
		})
	}
	everything := as.Page{Limit: 100}
	same(s, "the shares that name Bob", naming(s, email, everything), []as.Share{want[0], want[2], want[4], want[5]})
	same(s, "those elsewhere", naming(there, email, everything), []as.Share{want[1], want[3]})
	same(s, "a page of them", naming(s, email, as.Page{After: string(want[0].ID), Limit: 2}), []as.Share{want[2], want[4]})
	same(s, "those without an address", naming(s, "", everything), []as.Share{want[2]})
	none(s, "those of another space")(naming(s.beside().beside(), email, everything), nil)
	spaces := func(email, subject string, after as.SpaceID, limit int) []as.SpaceID {
		return must(s, func(r as.Reader) ([]as.SpaceID, error) {
			return r.SpacesNaming(email, "https://us.example", subject, after, limit)
		})
	}
	both := []as.SpaceID{s.space(), there.space()}
	slices.Sort(both)
	same(s, "where Bob is named", spaces(email, subject, "", 9), both)
	same(s, "the first of them", spaces(email, subject, "", 1), both[:1])
	same(s, "the next", spaces(email, subject, both[0], 9), both[1:])
	same(s, "where he is named without an address", spaces("", subject, "", 9), both)
	same(s, "where one is a member alone", spaces(s.id("member@"), "nobody", "", 9), []as.SpaceID{there.space()})
	none(s, "where nobody is named")(spaces(s.id("no@"), "nobody", "", 9), nil)
	s.update(func(tx as.Tx) error { return tx.DeleteShares(there.space(), []policy.ShareID{want[1].ID, want[3].ID}) })
	none(s, "what was withdrawn")(naming(there, email, everything), nil)
	same(s, "where he is a member yet", spaces(email, subject, "", 9), both)
	same(s, "where he was named", spaces("", subject, "", 9), []as.SpaceID{s.space()})
	asks := func(limit int) []as.Request {
		return must(s, func(r as.Reader) ([]as.Request, error) { return r.RequestsBy(subject, limit) })
	}
	same(s, "what Bob asked", asks(9), []as.Request{later, asked})
	same(s, "what Bob asked last", asks(1), []as.Request{later})
	same(s, "one of it", must(s, func(r as.Reader) (as.Request, error) { return r.RequestBy(subject, later.ID) }), later)
	s.view(func(r as.Reader) error {
		if _, err := r.RequestBy(subject, stranger.ID); !errors.Is(err, as.ErrNotFound) {
			s.Errorf("what another asked: %v", err)
		}
		return nil
	})
	for i, of := range []*scene{s, there} {
		same(s, "where Bob is a member", must(s, func(r as.Reader) ([]as.Member, error) {
			return r.MembershipsOf(of.space(), email, as.Page{Limit: 9})
		}), members[i:i+1])
	}
}

func grantsAreListed(s *scene) {
	grant := func(what string, kind as.GrantKind) as.Grant {
		return as.Grant{ID: as.GrantID(s.id(what)), Kind: kind, Space: s.space(), CreatedAt: now}
	}
	listed, revoked := grant("listed", as.GrantOAuth), grant("revoked", as.GrantOAuth)
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertGrant(listed), tx.InsertGrant(revoked), tx.InsertGrant(grant("uma", as.GrantUMA)), tx.RevokeGrant(revoked.ID, now))
	})
	same(s, "the list", must(s, func(r as.Reader) ([]as.Grant, error) { return r.GrantsIn(s.space(), as.Page{Limit: 10}) }), []as.Grant{listed})
}

func eventsAreReadFromAnyPoint(s *scene) {
	var all []as.Event
	for i := range int64(12) {
		all = append(all, as.Event{Space: s.space(), Seq: i + 1, At: now, Kind: "k", Hash: []byte{byte(i)}})
	}
	s.update(func(tx as.Tx) error {
		for _, e := range all {
			if err := tx.AppendEvent(e); err != nil {
				return err
			}
		}
		return tx.AppendEvent(as.Event{Space: s.beside().space(), Seq: 99, Hash: []byte{1}})
	})
	for _, from := range []int{0, 1, 5, 11} {
		for _, limit := range []int{1, 3, 100} {
			want := all[from:min(from+limit, len(all))]
			got := must(s, func(r as.Reader) ([]as.Event, error) { return r.Events(s.space(), int64(from), limit) })
			same(s, fmt.Sprintf("%d events after %d", limit, from), got, want)
		}
	}
	none(s, "events after the last")(must(s, func(r as.Reader) ([]as.Event, error) { return r.Events(s.space(), 12, 10) }), nil)
	head := must(s, func(r as.Reader) (as.Event, error) {
		seq, hash, err := r.HistoryHead(s.space())
		return as.Event{Seq: seq, Hash: hash}, err
	})
	same(s, "the head of the history", head, as.Event{Seq: all[11].Seq, Hash: all[11].Hash})
}
