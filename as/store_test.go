package as_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

var errBroken = errors.New("the store is broken")

// retrying runs every transaction twice, as a store may: the first time is
// taken back.
type retrying struct{ as.Store }

func (s retrying) Update(ctx context.Context, f func(as.Tx) error) error {
	err := s.Store.Update(ctx, func(tx as.Tx) error {
		if err := f(tx); err != nil {
			return err
		}
		return errBroken
	})
	if !errors.Is(err, errBroken) {
		return err
	}
	return s.Store.Update(ctx, f)
}

// What happens does not depend on how often a transaction runs.
func TestATransactionMayRunTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Store = retrying{c.Store} })
	before := len(w.events(w.aliceSpace.ID))
	w.story(func(kind string) {
		t.Helper()
		events := w.events(w.aliceSpace.ID)
		if fresh := events[before:]; kind == "" && len(fresh) != 0 || kind != "" && (len(fresh) != 1 || fresh[0].Kind != kind) {
			t.Errorf("there is %v, want one %s", fresh, kind)
		}
		before = len(events)
	})
	w.must(w.VerifyHistory(w.ctx, w.aliceSpace.ID))
	owner, pat := w.owner(w.alice, w.aliceSpace), w.pat(w.rs1, w.alice, w.aliceSpace)
	album, photo := w.register(pat, "album", "view"), w.register(pat, "photo", "view")
	w.share(owner, askMe(album, "view"))
	w.share(owner, toBob(photo, "view"))
	s := redeemed[as.Submitted](w, w.c1, w.asBob(w.ticket(pat, perm(album, "view"), perm(photo, "view"))))
	list, err := w.Requests(w.ctx, owner, as.RequestPending, as.Page{Limit: 10})
	w.must(err)
	q, err := w.Approve(w.ctx, owner, list[0].ID, nil, w.Now().AddDate(0, 0, 1))
	w.must(err)
	if len(q.Shares) != 1 || len(q.Granted) != 1 {
		t.Errorf("the approval made %v for %v, want one share", q.Shares, q.Granted)
	}
	g := w.granted(w.c1, with(s.Ticket))
	w.wantPermissions(pat, g.AccessToken, perm(album, "view"), perm(photo, "view"))
	up := w.granted(w.c1, w.upgrading(w.ticket(pat, perm(photo, "view")), g.AccessToken))
	w.wantPermissions(pat, up.AccessToken, perm(album, "view"), perm(photo, "view"))
}

// breaking fails its transactions, when it is told to: before they begin, or
// after they were committed, when nobody can tell.
type breaking struct {
	as.Store
	before, after *atomic.Bool
}

func (s breaking) Update(ctx context.Context, f func(as.Tx) error) error {
	if s.before.Load() {
		return errBroken
	}
	err := s.Store.Update(ctx, f)
	if err == nil && s.after.Load() {
		return errBroken
	}
	return err
}

// A store that fails is an error and never a yes; and a ticket of which nobody
// can tell whether it was spent is not accepted again.
//
// Proves SEC-043, SEC-093.
func TestAStoreThatFailsIsNeverAYes(t *testing.T) {
	t.Parallel()
	var before, after atomic.Bool
	w := newWorld(t, func(c *as.Config) { c.Store = breaking{c.Store, &before, &after} })
	album := w.register(w.alice1, "album", "view")
	s := w.share(w.aliceOwner, toAnyone(album, "view"))
	g := w.granted(w.c1, with(w.ticket(w.alice1, perm(album, "view"))))
	for name, broken := range map[string]*atomic.Bool{"before": &before, "after": &after} {
		for form, make := range w.forms(w.c1, album) {
			ticket := make()
			broken.Store(true)
			r, err := w.Redeem(w.ctx, w.c1, with(ticket), "")
			if !errors.Is(err, errBroken) {
				t.Errorf("broken %s: a %s ticket was answered with %T, %v", name, form, r, err)
			}
			broken.Store(false)
			if broken == &after {
				w.refused(w.c1, with(ticket), uma.InvalidGrant)
			} else {
				w.granted(w.c1, with(ticket))
			}
		}
	}
	before.Store(true)
	for name, err := range map[string]error{
		"revoking a token":     w.Revoke(w.ctx, w.c1, g.AccessToken),
		"withdrawing a share":  w.WithdrawShare(w.ctx, w.aliceOwner, s.ID, 0),
		"stopping everything":  func() error { _, err := w.StopEverything(w.ctx, w.aliceOwner); return err }(),
		"disabling an account": w.DisableAccount(w.ctx, w.bob.ID),
		"deregistering":        w.DeregisterResource(w.ctx, w.alice1, album),
		"refreshing":           w.refresh(w.c1, g.RefreshToken),
	} {
		if !errors.Is(err, errBroken) {
			t.Errorf("%s with a broken store: %v", name, err)
		}
	}
	before.Store(false)
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"))
}

func (w *world) refresh(c oauth.Client, token string) error {
	_, err := w.Refresh(w.ctx, c, token, nil)
	return err
}
