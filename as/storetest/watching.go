package storetest

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
)

var watching = []rule{
	{"every watcher hears of a change before its Update returns", changesAreTold},
	{"an Update that fails keeps what its neighbours changed told", failuresHideNothing},
	{"a store that nobody cut off is current", storesAreCurrent},
	{"the store's time goes on, and is about that of this machine", timeGoesOn},
}

// watch notes what the store tells from now on.
func (s *scene) watch() (heard func() []as.Change) {
	var mu sync.Mutex
	var list []as.Change
	s.store.Watch(func(changes []as.Change) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, changes...)
	})
	return func() []as.Change {
		mu.Lock()
		defer mu.Unlock()
		out := list
		list = nil
		return out
	}
}

// told fails unless all of these have been heard of.
func (s *scene) told(heard []as.Change, what string, want ...as.Change) {
	s.Helper()
	for _, c := range want {
		if !slices.Contains(heard, c) {
			s.Errorf("%s: heard of %q and not of %q", what, heard, c)
		}
	}
}

func changesAreTold(s *scene) {
	s = s.alone()
	first, second := s.watch(), s.watch()
	digest, other := s.digest("token"), as.GrantID(s.id("other grant"))
	s.update(func(tx as.Tx) error {
		return errors.Join(
			tx.InsertClient(oauth.Client{ID: s.client()}), tx.InsertSpace(as.Space{ID: s.space(), Generation: 1}),
			tx.InsertAccount(as.Account{ID: s.account(), Email: s.id("@")}), tx.InsertResource(s.aResource()),
			tx.InsertGrant(as.Grant{ID: s.grant()}), tx.InsertGrant(as.Grant{ID: other}),
			tx.InsertAccessToken(as.AccessToken{Digest: digest, Grant: s.grant()}))
	})
	share := s.aShare(2)
	for _, step := range []struct {
		what string
		do   func(as.Tx) error
		want []as.Change
	}{
		{"InsertShare", func(tx as.Tx) error { return tx.InsertShare(s.aShare(1)) }, []as.Change{as.ChangedResource(s.resource())}},
		{"UpdateShare", func(tx as.Tx) error { return tx.UpdateShare(share) }, []as.Change{as.ChangedShare(s.share()), as.ChangedResource(s.resource())}},
		{"DeleteShare", func(tx as.Tx) error { return tx.DeleteShare(s.space(), s.share()) }, []as.Change{as.ChangedShare(s.share())}},
		{"DeleteShares", func(tx as.Tx) error { return tx.DeleteShares(s.space(), []policy.ShareID{"a", "b"}) }, []as.Change{as.ChangedShare("a"), as.ChangedShare("b")}},
		{"UpdateResource", func(tx as.Tx) error { return tx.UpdateResource(s.aResource()) }, []as.Change{as.ChangedResource(s.resource())}},
		{"BumpResources", func(tx as.Tx) error { return tx.BumpResources(s.space(), s.server()) }, []as.Change{as.ChangedServer(s.space(), s.server())}},
		{"DeleteResource", func(tx as.Tx) error { return tx.DeleteResource(s.space(), s.server(), s.resource(), now) }, []as.Change{as.ChangedResource(s.resource())}},
		{"DeleteMember", func(tx as.Tx) error {
			return errors.Join(tx.InsertMember(as.Member{ID: s.member(), Space: s.space(), Group: s.group()}), tx.DeleteMember(s.space(), s.group(), s.member()))
		}, []as.Change{as.ChangedGroup(s.group())}},
		{"DeleteGroup", func(tx as.Tx) error {
			return errors.Join(tx.InsertGroup(as.Group{ID: s.group(), Space: s.space()}), tx.DeleteGroup(s.space(), s.group()))
		}, []as.Change{as.ChangedGroup(s.group())}},
		{"BumpSpace", func(tx as.Tx) error { return tx.BumpSpace(s.space()) }, []as.Change{as.ChangedSpace(s.space())}},
		{"UpdateAccount", func(tx as.Tx) error {
			return tx.UpdateAccount(as.Account{ID: s.account(), Email: s.id("@"), Disabled: true})
		}, []as.Change{as.ChangedAccount(s.account())}},
		{"RevokeAccessToken", func(tx as.Tx) error { return tx.RevokeAccessToken(digest, now) }, []as.Change{as.ChangedToken(digest)}},
		{"RevokeGrant", func(tx as.Tx) error { return tx.RevokeGrant(s.grant(), now) }, []as.Change{as.ChangedGrant(s.grant())}},
		{"RevokeGrantsOf", func(tx as.Tx) error {
			held := as.Grant{ID: "held", Kind: as.GrantUMA, Space: s.space(), Client: s.client(), Permissions: []as.Permission{{Share: s.share()}}}
			err := errors.Join(tx.InsertShare(s.aShare(1)), tx.InsertGrant(held))
			_, revoked := tx.RevokeGrantsOf(s.space(), s.client(), []policy.ShareID{s.share()}, []as.GrantID{held.ID}, now)
			return errors.Join(err, revoked)
		}, []as.Change{as.ChangedGrant("held"), as.ChangedResource(s.resource())}},
		{"SupersedeGrant", func(tx as.Tx) error { return tx.SupersedeGrant(other, s.grant(), now) }, []as.Change{as.ChangedGrant(other)}},
		{"UpdateClient", func(tx as.Tx) error { return tx.UpdateClient(oauth.Client{ID: s.client()}) }, []as.Change{as.ChangedClient(s.client())}},
		{"RevokeClient", func(tx as.Tx) error { return tx.RevokeClient(s.client()) }, []as.Change{as.ChangedClient(s.client())}},
		{"DeleteClient", func(tx as.Tx) error { return tx.DeleteClient(s.client(), now) }, []as.Change{as.ChangedClient(s.client())}},
	} {
		first()
		second()
		s.update(step.do)
		s.told(first(), step.what, step.want...)
		s.told(second(), step.what+", the second watcher", step.want...)
	}
}

func failuresHideNothing(s *scene) {
	s = s.alone()
	heard := s.watch()
	s.update(func(tx as.Tx) error { return tx.InsertSpace(as.Space{ID: s.space(), Generation: 1}) })
	const bumps = 20
	var wg sync.WaitGroup
	for range bumps {
		wg.Go(func() { s.update(func(tx as.Tx) error { return tx.BumpSpace(s.space()) }) })
		wg.Go(func() {
			s.refused(errFails, "a failing Update", func(tx as.Tx) error {
				return errors.Join(tx.InsertSpace(as.Space{ID: as.SpaceID(s.id("never"))}), errFails)
			})
		})
	}
	wg.Wait()
	told := 0
	for _, c := range heard() {
		if c == as.ChangedSpace(s.space()) {
			told++
		}
	}
	if told < 1 {
		s.Error("nothing was told")
	}
	space := must(s, func(r as.Reader) (as.Space, error) { return r.Space(s.space()) })
	if space.Generation != 1+bumps {
		s.Errorf("the generation is %d after %d bumps", space.Generation, bumps)
	}
}

var errFails = errors.New("storetest: an Update that fails")

func timeGoesOn(s *scene) {
	first, begun := s.store.Now(), time.Now()
	if off := first.Sub(begun).Abs(); off > time.Minute { // the database of a test is beside it
		s.Errorf("the store's clock is %v off", off)
	}
	for !s.store.Now().After(first) {
		if time.Since(begun) > 10*time.Second {
			s.Fatal("the store's clock stands still")
		}
	}
}

func storesAreCurrent(s *scene) {
	if !s.store.Current() {
		s.Error("the store says that it is not current")
	}
}
