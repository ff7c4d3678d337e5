package storetest

import (
	"errors"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

var generations = []rule{
	{"a grant is read with what has become of its client", grantsKnowTheirClient},
	{"a grant is read with what has become of its account", grantsKnowTheirAccount},
	{"a grant is read with the generation of its space", grantsKnowTheirSpace},
	{"a permission is read with what has become of its share", permissionsKnowTheirShare},
	{"a permission is read with what has become of its resource", permissionsKnowTheirResource},
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
		return errors.Join(tx.InsertResource(s.aResource()), tx.InsertShare(s.aShare(1)), tx.InsertGrant(s.aGrant()),
			tx.InsertPermission(s.aPermission()))
	})
}

// aGrant is good in the scene's space and at its resource server.
func (s *scene) aGrant() as.Grant {
	return as.Grant{ID: s.grant(), Space: s.space(), ResourceServer: s.server()}
}

// aPermission is made under the first generation of aShare and aResource.
func (s *scene) aPermission() as.Permission {
	return as.Permission{
		ID: s.permission(), Grant: s.grant(), Resource: s.resource(),
		Share: s.share(), ShareVersion: 1, ShareGeneration: 1, ResourceGeneration: 1,
	}
}

// permissionIs checks what has become of the scene's permission.
func (s *scene) permissionIs(when string, shareLive bool, shareGeneration int64, resourceLive bool, resourceGeneration int64, scopes []uma.Scope) {
	s.Helper()
	list := must(s, func(r as.Reader) ([]as.PermissionState, error) { return r.PermissionsOf(s.grant()) })
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

func permissionsKnowTheirResource(s *scene) {
	s.grantPermission()
	changed := s.aResource()
	changed.Generation, changed.Description = 2, (&filler{empty: true}).description()
	s.update(func(tx as.Tx) error { return tx.UpdateResource(changed) })
	s.permissionIs("after the resource lost its scopes", true, 1, true, 2, []uma.Scope{})
	s.update(func(tx as.Tx) error { return tx.DeleteResource(s.space(), s.server(), s.resource(), now) })
	s.permissionIs("after the resource was deregistered", false, 0, false, 0, nil)
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
			return errors.Join(tx.InsertResource(resource), tx.InsertShare(share), tx.InsertGrant(own.aGrant()), tx.InsertPermission(own.aPermission()))
		})
		own.permissionIs("made elsewhere", false, 0, false, 0, nil)
	}
}
