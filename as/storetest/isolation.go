package storetest

import (
	"errors"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

var isolation = []rule{
	{"nothing of another space or resource server is read", othersAreNotRead},
	{"nothing of another space or resource server is changed", othersAreNotChanged},
	{"no list of a space shows what is in another", othersAreNotListed},
}

func othersAreNotRead(s *scene) {
	s.insertAll(s.thingsOf(fillers["full"]))
	wrong := s.beside()
	s.view(func(r as.Reader) error {
		for what, err := range map[string]error{
			"Resource":                   errOf(r.Resource(wrong.space(), s.server(), s.resource())),
			"Resource at another server": errOf(r.Resource(s.space(), wrong.server(), s.resource())),
			"ResourceInSpace":            errOf(r.ResourceInSpace(wrong.space(), s.resource())),
			"Group":                      errOf(r.Group(wrong.space(), s.group())),
			"Block":                      errOf(r.Block(wrong.space(), s.block())),
			"Member":                     errOf(r.Member(wrong.space(), s.member())),
			"Share":                      errOf(r.Share(wrong.space(), s.share())),
			"Request":                    errOf(r.Request(wrong.space(), s.request())),
			"HistoryHead":                headOf(r, wrong.space()),
		} {
			if !errors.Is(err, as.ErrNotFound) {
				s.Errorf("%s: got %v, want ErrNotFound", what, err)
			}
		}
		return nil
	})
}

func errOf[T any](_ T, err error) error { return err }

func othersAreNotChanged(s *scene) {
	request := as.Request{ID: s.request(), Space: s.space(), Status: as.RequestPending}
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertResource(s.aResource()), tx.InsertShare(s.aShare(1)), tx.InsertRequest(request))
	})
	wrong := s.beside()
	s.update(func(tx as.Tx) error {
		resource, elsewhere, share, decided := s.aResource(), s.aResource(), s.aShare(2), request
		resource.Space, share.Space, decided.Space = wrong.space(), wrong.space(), wrong.space()
		elsewhere.ResourceServer, decided.Status = wrong.server(), as.RequestApproved
		resource.Generation, elsewhere.Generation, share.Generation = 9, 9, 9
		for what, err := range map[string]error{
			"UpdateResource":                   tx.UpdateResource(resource),
			"UpdateResource at another server": tx.UpdateResource(elsewhere),
			"DeleteResource":                   tx.DeleteResource(wrong.space(), s.server(), s.resource(), now),
			"DeleteResource at another server": tx.DeleteResource(s.space(), wrong.server(), s.resource(), now),
			"UpdateShare":                      tx.UpdateShare(share),
			"DeleteShare":                      tx.DeleteShare(wrong.space(), s.share()),
			"DecideRequest":                    tx.DecideRequest(decided),
		} {
			if !errors.Is(err, as.ErrNotFound) {
				s.Errorf("%s: got %v, want ErrNotFound", what, err)
			}
		}
		return nil
	})
	same(s, "the resource", must(s, func(r as.Reader) (as.Resource, error) { return r.Resource(s.space(), s.server(), s.resource()) }), s.aResource())
	same(s, "the share", must(s, func(r as.Reader) (as.Share, error) { return r.Share(s.space(), s.share()) }), s.aShare(1))
	same(s, "the request", must(s, func(r as.Reader) (as.Request, error) { return r.Request(s.space(), s.request()) }), request)
}

func othersAreNotListed(s *scene) {
	f := fillers["full"]
	s.insertAll(s.thingsOf(f))
	s.insertAll(s.tokensOf(f))
	grant := as.Grant{ID: as.GrantID(s.id("oauth grant")), Kind: as.GrantOAuth, Space: s.space()}
	account := as.Account{ID: s.account(), Email: s.id("@")}
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertGrant(grant), tx.InsertSpace(as.Space{ID: s.space()}), tx.InsertAccount(account),
			tx.PutRole(as.Role{Account: s.account(), Space: s.space()}),
			tx.InsertInvitation(as.Invitation{ID: s.invitation(), Space: s.space(), Email: s.id("@"), ExpiresAt: now}))
	})
	everything := as.Page{Limit: 1000}
	wrong := s.beside()
	s.view(func(r as.Reader) error {
		none(s, "ResourceIDs")(r.ResourceIDs(wrong.space(), s.server(), everything))
		none(s, "ResourceIDs of another server")(r.ResourceIDs(s.space(), wrong.server(), everything))
		none(s, "ResourcesInSpace")(r.ResourcesInSpace(wrong.space(), everything))
		none(s, "SharesOn")(r.SharesOn(wrong.space(), s.resource()))
		none(s, "Shares")(r.Shares(wrong.space(), everything))
		none(s, "SharesInForce")(r.SharesInForce(wrong.space(), nil))
		none(s, "ShareVersions")(r.ShareVersions(wrong.space(), as.VersionFilter{}, everything))
		none(s, "ResourcesOf")(r.ResourcesOf(wrong.space(), []uma.ResourceID{s.resource()}))
		none(s, "OutlinesOf")(r.OutlinesOf(wrong.space(), []uma.ResourceID{s.resource()}))
		none(s, "ResourcesByName")(r.ResourcesByName(wrong.space(), "", "", everything))
		none(s, "RequestsOf")(r.RequestsOf(wrong.space(), []as.RequestID{s.request()}))
		none(s, "EventsBefore")(r.EventsBefore(wrong.space(), 0, 1000))
		none(s, "RoleEvents")(r.RoleEvents(wrong.space(), 0, 1000))
		none(s, "Blocks")(r.Blocks(wrong.space(), everything))
		none(s, "Groups")(r.Groups(wrong.space(), everything))
		none(s, "Members")(r.Members(wrong.space(), s.group(), everything))
		none(s, "Members of another group")(r.Members(s.space(), wrong.group(), everything))
		none(s, "SharesWith")(r.SharesWith(wrong.space(), must(s, func(r as.Reader) (as.Share, error) { return r.Share(s.space(), s.share()) }).Group, everything))
		none(s, "SharesNaming")(r.SharesNaming(wrong.space(), s.id("@"), "", "", everything))
		none(s, "MembershipsOf")(r.MembershipsOf(wrong.space(), s.id("@"), everything))
		none(s, "SharesWith no group")(r.SharesWith(s.space(), "", everything))
		none(s, "GrantsIn")(r.GrantsIn(wrong.space(), everything))
		none(s, "Requests")(r.Requests(wrong.space(), "", everything))
		none(s, "Requests with a status")(r.Requests(wrong.space(), as.RequestPending, everything))
		none(s, "PendingFrom")(r.PendingFrom(wrong.space(), "", ""))
		none(s, "Events")(r.Events(wrong.space(), 0, 1000))
		none(s, "RolesIn")(r.RolesIn(wrong.space()))
		none(s, "Invitations")(r.Invitations(wrong.space(), now.Add(-time.Hour), everything))
		none(s, "InvitationsTo")(r.InvitationsTo(wrong.id("@"), now.Add(-time.Hour), everything))
		none(s, "RolesOf")(r.RolesOf(wrong.account()))
		return nil
	})
}

// headOf returns the error of reading the head of a history.
func headOf(r as.Reader, space as.SpaceID) error {
	_, _, err := r.HistoryHead(space)
	return err
}
