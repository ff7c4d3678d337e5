package as_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// counting counts how often the store is asked, and can be cut off from the
// changes of others.
type counting struct {
	as.Store
	views  atomic.Int64
	cutOff atomic.Bool
}

func (s *counting) View(ctx context.Context, f func(as.Reader) error) error {
	s.views.Add(1)
	return s.Store.View(ctx, f)
}

func (s *counting) Watch(f func([]as.Change)) {
	s.Store.Watch(func(changes []as.Change) {
		if !s.cutOff.Load() {
			f(changes)
		}
	})
}

func (s *counting) Current() bool { return !s.cutOff.Load() }

// remembering makes a world whose store is counted, with an RPT for Alice's
// album.
func remembering(t *testing.T) (*world, *counting, uma.ResourceID, as.Share, string) {
	t.Helper()
	store := new(counting)
	w := newWorld(t, func(c *as.Config) {
		store.Store = c.Store
		c.Store = store
	})
	album := w.register(w.alice1, "album", "view", "edit")
	share := w.share(w.aliceOwner, toAnyone(album, "view"))
	return w, store, album, share, w.granted(w.c1, with(w.ticket(w.alice1, perm(album, "view")))).AccessToken
}

func TestWhatWasReadOnceIsRemembered(t *testing.T) {
	t.Parallel()
	w, store, album, _, rpt := remembering(t)
	pat := w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection)
	use := func() {
		t.Helper()
		_, err := w.AuthenticatePAT(w.ctx, pat)
		w.must(err)
		w.wantPermissions(w.alice1, rpt, perm(album, "view"))
		w.ticket(w.alice1, perm(album, "view"))
	}
	use()
	before := store.views.Load()
	use()
	if n := store.views.Load() - before; n != 0 {
		t.Errorf("the store was asked %d times for what it had just told", n)
	}
}

// What a redemption needs is read with what its ticket needs, at once.
func TestARedemptionReadsNothingAfterItsTicket(t *testing.T) {
	t.Parallel()
	w, store, album, _, _ := remembering(t)
	fresh, err := as.New(w.ctx, w.Config)
	w.must(err)
	before := store.views.Load()
	ticket, err := fresh.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(album, "view")})
	w.must(err)
	if n := store.views.Load() - before; n != 1 {
		t.Errorf("for a ticket the store was asked %d times", n)
	}
	before = store.views.Load()
	result, err := fresh.Redeem(w.ctx, w.c1, with(ticket), "")
	w.must(err)
	if _, granted := result.(as.Granted); !granted {
		t.Errorf("the answer is %T", result)
	}
	if n := store.views.Load() - before; n != 0 {
		t.Errorf("for its redemption the store was asked %d times more", n)
	}
}

// Several servers on one store remember apart, and each hears what the others
// changed.
//
// Proves SEC-031.
func TestWhatAnotherServerChangedIsForgotten(t *testing.T) {
	t.Parallel()
	w, _, album, share, rpt := remembering(t)
	other, err := as.New(w.ctx, w.Config)
	w.must(err)
	pat := w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection)
	connected, err := w.AuthenticatePAT(w.ctx, pat)
	w.must(err)
	w.wantPermissions(w.alice1, rpt, perm(album, "view"))
	w.must(other.WithdrawShare(w.ctx, w.aliceOwner, share.ID, 0))
	w.wantDead(w.alice1, rpt)
	w.must(other.Disconnect(w.ctx, w.aliceOwner, connected.Grant))
	_, err = w.AuthenticatePAT(w.ctx, pat)
	wantCode(t, err, uma.InvalidToken)
	if _, err := w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(album, "view")}); err != nil {
		t.Errorf("a resource that is still registered: %v", err)
	}
	w.must(other.DeregisterResource(w.ctx, w.alice1, album))
	_, err = w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(album, "view")})
	wantCode(t, err, uma.InvalidResourceID)
}

func TestNothingIsTakenFromMemoryWhileTheStoreIsNotCurrent(t *testing.T) {
	t.Parallel()
	w, store, album, share, rpt := remembering(t)
	pat := w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection)
	connected, err := w.AuthenticatePAT(w.ctx, pat)
	w.must(err)
	w.wantPermissions(w.alice1, rpt, perm(album, "view"))
	store.cutOff.Store(true)
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, share.ID, 0))
	w.must(w.Disconnect(w.ctx, w.aliceOwner, connected.Grant))
	w.wantDead(w.alice1, rpt)
	_, err = w.AuthenticatePAT(w.ctx, pat)
	wantCode(t, err, uma.InvalidToken)
	if result := w.redeem(w.c1, with(w.ticket(w.alice1, perm(album, "view")))); result != (as.Denied{}) {
		t.Errorf("under a share that was withdrawn the answer is %T", result)
	}
}

func TestARememberedAnswerEndsWithTheFirstThatEndsInIt(t *testing.T) {
	t.Parallel()
	w, _, album, _, _ := remembering(t)
	short := toAnyone(album, "edit")
	short.NotAfter = w.Now().Add(time.Minute)
	w.share(w.aliceOwner, short)
	rpt := w.granted(w.c1, with(w.ticket(w.alice1, perm(album, "view", "edit")))).AccessToken
	w.wantPermissions(w.alice1, rpt, perm(album, "view", "edit"))
	w.advance(time.Minute - time.Millisecond)
	w.wantPermissions(w.alice1, rpt, perm(album, "view", "edit"))
	w.advance(time.Millisecond)
	w.wantPermissions(w.alice1, rpt, perm(album, "view"))
	w.advance(w.Lifetimes.RPT)
	w.wantDead(w.alice1, rpt)
}

// What one resource server is told another is not, although both ask about the
// same token, one after the other.
func TestARememberedAnswerIsForWhoAsked(t *testing.T) {
	t.Parallel()
	w, _, album, _, rpt := remembering(t)
	for range 2 {
		w.wantPermissions(w.alice1, rpt, perm(album, "view"))
		w.wantDead(w.alice2, rpt)
		w.wantDead(w.anna1, rpt)
	}
}
