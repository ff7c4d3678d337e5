package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

var generations = []rule{
	{"a grant is read with what has become of its client", grantsKnowTheirClient},
	{"what a revoked client was given has ended, and what it is given then has not", revocationsEndWhatWas},
	{"to revoke all is to revoke every client and to end every session", everythingIsRevoked},
	{"a grant is read with what has become of its account", grantsKnowTheirAccount},
	{"a grant is read with the generation of its space", grantsKnowTheirSpace},
	{"a permission is read with what has become of its share", permissionsKnowTheirShare},
	{"a permission is read with what has become of its member", permissionsKnowTheirMember},
	{"a permission is read with what has become of its resource", permissionsKnowTheirResource},
	{"many permissions of a grant are read in their order", permissionsAreInOrder},
	{"a permission does not see the share or resource of another", permissionsSeeTheirOwn},
}

func (s *scene) state() as.GrantState {
	s.Helper()
	return must(s, func(r as.Reader) (as.GrantState, error) { return r.GrantState(s.grant()) })
}

func grantsKnowTheirClient(s *scene) {
	s.update(func(tx as.Tx) error { return tx.InsertGrant(as.Grant{ID: s.grant(), Client: s.client()}) })
	disabled := func(when string, want bool) {
		s.Helper()
		if got := s.state().ClientDisabled; got != want {
			s.Errorf("ClientDisabled is %v when the client is %s", got, when)
		}
	}
	disabled("not there", true)
	s.update(func(tx as.Tx) error { return tx.InsertClient(oauth.Client{ID: s.client()}) })
	disabled("there", false)
	s.update(func(tx as.Tx) error { return tx.UpdateClient(oauth.Client{ID: s.client(), Disabled: true}) })
	disabled("disabled", true)
	s.update(func(tx as.Tx) error { return tx.UpdateClient(oauth.Client{ID: s.client()}) })
	disabled("enabled again", false)
}

// give gives the scene's client a grant, a code and a PCT.
func (s *scene) give(name string) {
	s.Helper()
	s.update(func(tx as.Tx) error {
		return errors.Join(
			tx.InsertGrant(as.Grant{ID: as.GrantID(s.id("grant " + name)), Client: s.client()}),
			tx.InsertCode(as.Code{Digest: s.digest("code " + name), Client: s.client(), Account: s.account(), ExpiresAt: now}),
			tx.InsertPCT(as.PCT{Digest: s.digest("pct " + name), Client: s.client(), ExpiresAt: now}))
	})
}

// given checks whether what was given is good.
func (s *scene) given(name, when string, want bool) {
	s.Helper()
	g := must(s, func(r as.Reader) (as.GrantState, error) { return r.GrantState(as.GrantID(s.id("grant " + name))) })
	wrong := errors.New("no")
	before := now.Add(-time.Hour)
	var code, pct, spent error
	s.refused(wrong, "looking", func(tx as.Tx) error {
		_, code = tx.SpendCode(s.digest("code "+name), before)
		_, pct = tx.PCT(s.digest("pct " + name))
		_, spent = tx.SpendPCT(s.digest("pct "+name), before)
		return wrong
	})
	for what, got := range map[string]bool{"grant": !g.ClientDisabled, "code": code == nil, "PCT": pct == nil, "PCT, to spend,": spent == nil} {
		if got != want {
			s.Errorf("%s: the %s is good: %v", when, what, got)
		}
	}
	for _, err := range []error{code, pct, spent} {
		if err != nil && !errors.Is(err, as.ErrNotFound) {
			s.Errorf("%s: %v", when, err)
		}
	}
}

func revocationsEndWhatWas(s *scene) {
	s.refused(as.ErrNotFound, "revoking a client that is not there", func(tx as.Tx) error { return tx.RevokeClient(s.client()) })
	other := s.beside()
	for _, of := range []*scene{s, other} {
		of.update(func(tx as.Tx) error { return tx.InsertClient(oauth.Client{ID: of.client()}) })
		of.give("first")
	}
	s.update(func(tx as.Tx) error { return tx.RevokeClient(s.client()) })
	s.give("second")
	s.given("first", "after the client was revoked", false)
	s.given("second", "what came after", true)
	other.given("first", "another client's", true)
	// Another registration of the same client does not bring it back.
	s.update(func(tx as.Tx) error { return tx.UpdateClient(oauth.Client{ID: s.client(), Name: "new"}) })
	s.given("first", "after an update of the client", false)
	s.given("second", "after an update of the client", true)
	s.update(func(tx as.Tx) error { return tx.RevokeClient(s.client()) })
	s.given("first", "after two revocations", false)
	s.given("second", "after two revocations", false)
}

func everythingIsRevoked(s *scene) {
	s = s.alone() // or else every other scene hears of it
	other := s.beside()
	for _, of := range []*scene{s, other} {
		of.update(func(tx as.Tx) error {
			return errors.Join(tx.InsertClient(oauth.Client{ID: of.client()}),
				tx.InsertSession(as.Session{Digest: of.digest("session"), ID: of.session(), Account: of.account(), ExpiresAt: now}))
		})
		of.give("first")
	}
	heard := s.watch()
	s.update(func(tx as.Tx) error { return tx.RevokeAll() })
	s.told(heard(), "RevokeAll", as.ChangedEverything)
	for _, of := range []*scene{s, other} {
		of.given("first", "after all was revoked", false)
		of.view(func(r as.Reader) error {
			_, byDigest := r.Session(of.digest("session"))
			_, byID := r.SessionByID(of.session())
			list, err := r.SessionsOf(of.account(), now.Add(-time.Hour))
			if !errors.Is(byDigest, as.ErrNotFound) || !errors.Is(byID, as.ErrNotFound) || err != nil || len(list) != 0 {
				s.Errorf("the session is still there: %v, %v, %v %v", byDigest, byID, list, err)
			}
			return nil
		})
		of.give("second")
		of.given("second", "what came after", true)
		of.update(func(tx as.Tx) error {
			return tx.InsertSession(as.Session{Digest: of.digest("new session"), ID: as.SessionID(of.id("new")), ExpiresAt: now})
		})
		must(of, func(r as.Reader) (as.Session, error) { return r.Session(of.digest("new session")) })
	}
}

func grantsKnowTheirAccount(s *scene) {
	account := as.Account{ID: s.account(), Email: s.id("@"), Generation: 3}
	s.update(func(tx as.Tx) error {
		return tx.InsertGrant(as.Grant{ID: s.grant(), Account: s.account(), AccountGeneration: 3})
	})
	if !s.state().AccountDisabled {
		s.Error("AccountDisabled is false when the account is gone")
	}
	s.update(func(tx as.Tx) error { return tx.InsertAccount(account) })
	if got := s.state(); got.AccountDisabled || got.CurrentAccountGeneration != 3 || got.AccountGeneration != 3 {
		s.Errorf("the state with the account there is %+v", got)
	}
	account.Disabled, account.Generation = true, 4
	s.update(func(tx as.Tx) error { return tx.UpdateAccount(account) })
	if got := s.state(); !got.AccountDisabled || got.CurrentAccountGeneration != 4 || got.AccountGeneration != 3 {
		s.Errorf("the state with the account disabled is %+v", got)
	}
}

func grantsKnowTheirSpace(s *scene) {
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertSpace(as.Space{ID: s.space(), Generation: 1}), tx.InsertGrant(as.Grant{ID: s.grant(), Space: s.space(), SpaceGeneration: 1}))
	})
	if got := s.state(); got.CurrentSpaceGeneration != 1 || got.SpaceGeneration != 1 {
		s.Errorf("the state before the space was bumped is %+v", got)
	}
	s.update(func(tx as.Tx) error { return tx.BumpSpace(s.space()) })
	if got := s.state(); got.CurrentSpaceGeneration != 2 || got.SpaceGeneration != 1 {
		s.Errorf("the state after the space was bumped is %+v", got)
	}
}

// grantPermission writes the scene's resource and share, and a permission made
// under them that a grant names.
func (s *scene) grantPermission() {
	s.Helper()
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertResource(s.aResource()), tx.InsertShare(s.aShare(1)), tx.InsertGrant(s.aGrant()))
	})
}

// aGrant is good in the scene's space and at its resource server, and has aPermission.
func (s *scene) aGrant() as.Grant {
	return as.Grant{ID: s.grant(), Space: s.space(), ResourceServer: s.server(), Permissions: []as.Permission{s.aPermission()}}
}

// permissions are those of the scene's grant.
func (s *scene) permissions() []as.PermissionState {
	s.Helper()
	return must(s, func(r as.Reader) ([]as.PermissionState, error) {
		g, err := r.GrantState(s.grant())
		if err != nil {
			return nil, err
		}
		return r.PermissionsOf(g.Grant)
	})
}

// aPermission is made under the first generation of aShare and aResource.
func (s *scene) aPermission() as.Permission {
	return as.Permission{
		Resource: s.resource(),
		Share:    s.share(), ShareVersion: 1, ShareGeneration: 1, ResourceGeneration: 1,
	}
}

// permissionIs checks what has become of the scene's permission.
func (s *scene) permissionIs(when string, shareLive bool, shareGeneration int64, resourceLive bool, resourceGeneration int64, scopes []uma.Scope) {
	s.Helper()
	list := s.permissions()
	if len(list) != 1 {
		s.Fatalf("%s the grant has %d permissions", when, len(list))
	}
	got, want := list[0], list[0]
	want.ShareLive, want.ResourceLive, want.ResourceScopes = shareLive, resourceLive, scopes
	if shareLive { // of what is not live no generation is promised
		want.CurrentShareGeneration = shareGeneration
	}
	if resourceLive {
		want.CurrentResourceGeneration = resourceGeneration
	}
	if got.ShareGeneration != 1 || got.ResourceGeneration != 1 {
		s.Errorf("%s the generations it was made under have changed", when)
	}
	same(s, "the permission "+when, got, want)
}

func permissionsKnowTheirShare(s *scene) {
	scopes := s.aResource().Description.Scopes
	s.grantPermission()
	s.permissionIs("at first", true, 1, true, 1, scopes)
	bumped := s.aShare(2)
	bumped.Generation = 2
	s.update(func(tx as.Tx) error { return tx.UpdateShare(bumped) })
	s.permissionIs("after the share was replaced", true, 2, true, 1, scopes)
	bumped.Version, bumped.DormantSince = 3, now
	s.update(func(tx as.Tx) error { return tx.UpdateShare(bumped) })
	s.permissionIs("while the share is dormant", false, 0, true, 1, scopes)
	s.update(func(tx as.Tx) error { return tx.DeleteShare(s.space(), s.share()) })
	s.permissionIs("after the share was deleted", false, 0, true, 1, scopes)
}

func permissionsKnowTheirMember(s *scene) {
	other := s.beside()
	bob := as.Member{ID: s.member(), Space: s.space(), Group: s.group(), Email: "bob"}
	g := s.aGrant()
	p := &g.Permissions[0]
	p.Group, p.Member = s.group(), s.member()
	s.update(func(tx as.Tx) error {
		return errors.Join(tx.InsertResource(s.aResource()), tx.InsertShare(s.aShare(1)), tx.InsertGrant(g))
	})
	live := func(when string, want bool) {
		s.Helper()
		list := s.permissions()
		if len(list) != 1 || list[0].MemberLive != want || list[0].Group != p.Group || list[0].Member != p.Member {
			s.Errorf("%s the permission is %+v", when, list)
		}
	}
	live("without the member", false)
	for what, stray := range map[string]as.Member{
		"another space": {ID: s.member(), Space: other.space(), Group: s.group()},
		"another group": {ID: s.member(), Space: s.space(), Group: other.group()},
		"another id":    {ID: other.member(), Space: s.space(), Group: s.group()},
	} {
		s.update(func(tx as.Tx) error { return tx.InsertMember(stray) })
		live("with a member of "+what, false)
		s.update(func(tx as.Tx) error { return tx.DeleteMember(stray.Space, stray.Group, stray.ID) })
	}
	s.update(func(tx as.Tx) error { return tx.InsertMember(bob) })
	live("with the member", true)
	s.update(func(tx as.Tx) error { return tx.DeleteMember(s.space(), s.group(), s.member()) })
	live("after the member was taken out", false)
	other.grantPermission()
	other.permissionIs("of no group", true, 1, true, 1, other.aResource().Description.Scopes)
	if list := other.permissions(); !list[0].MemberLive {
		s.Error("a permission of no group misses its member")
	}
}

func permissionsKnowTheirResource(s *scene) {
	s.grantPermission()
	changed := s.aResource()
	changed.Generation, changed.Description = 2, (&filler{empty: true}).description()
	s.update(func(tx as.Tx) error { return tx.UpdateResource(changed) })
	s.permissionIs("after the resource lost its scopes", true, 1, true, 2, []uma.Scope{})
	s.update(func(tx as.Tx) error { return tx.DeleteResource(s.space(), s.server(), s.resource(), now) })
	s.permissionIs("after the resource was deregistered", false, 0, false, 0, nil)
}

func permissionsAreInOrder(s *scene) {
	g := s.aGrant()
	g.Permissions = nil
	s.update(func(tx as.Tx) error {
		if err := tx.InsertResource(s.aResource()); err != nil {
			return err
		}
		for i := range 150 {
			p, share := s.aPermission(), s.aShare(1)
			share.ID = policy.ShareID(s.id(fmt.Sprint(i * 37 % 150)))
			p.Share, share.Generation = share.ID, int64(i+1)
			if g.Permissions = append(g.Permissions, p); i%2 == 0 {
				if err := tx.InsertShare(share); err != nil {
					return err
				}
			}
		}
		return tx.InsertGrant(g)
	})
	list := s.permissions()
	if len(list) != len(g.Permissions) {
		s.Fatalf("of %d permissions %d are read", len(g.Permissions), len(list))
	}
	for i, p := range list {
		if p.Share != g.Permissions[i].Share || p.ShareLive != (i%2 == 0) || p.ShareLive && p.CurrentShareGeneration != int64(i+1) || !p.ResourceLive {
			s.Fatalf("permission %d is %+v", i, p)
		}
	}
}

// A record of the same id that belongs elsewhere keeps no permission alive.
func permissionsSeeTheirOwn(s *scene) {
	for _, stray := range []func(*as.Resource, *as.Share, *scene){
		func(r *as.Resource, share *as.Share, other *scene) {
			r.ResourceServer, share.Space = other.server(), other.space()
		},
		func(r *as.Resource, share *as.Share, other *scene) {
			r.Space, share.Space = other.space(), other.space()
		},
	} {
		own := s.beside()
		resource, share := own.aResource(), own.aShare(1)
		stray(&resource, &share, own.beside())
		own.update(func(tx as.Tx) error {
			return errors.Join(tx.InsertResource(resource), tx.InsertShare(share), tx.InsertGrant(own.aGrant()))
		})
		own.permissionIs("made elsewhere", false, 0, false, 0, nil)
	}
}
