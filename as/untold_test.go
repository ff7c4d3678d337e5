package as_test

import (
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// Somebody with one used ticket can show it for ever. The owner's history tells it
// so often, then that more is not told, and after an hour again. What is refused is
// refused all the same, and what others do is told.
//
// Proves SEC-125.
func TestNobodyFloodsAnOwnersHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Lifetimes.Ticket = 3 * time.Hour })
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	used := w.ticket(w.alice1, perm(album, "view"))
	redeemed[as.NeedInfo](w, w.c1, with(used))
	nodes := append(w.beside(1), w.Server)
	replayed := func() int { return w.count(w.aliceSpace.ID, as.EventTicketReplayed) }
	untold := func() int { return w.count(w.aliceSpace.ID, as.EventUntold) }
	flood := func() {
		t.Helper()
		before := len(w.events(w.aliceSpace.ID))
		for n := range 100 {
			_, err := nodes[n%2].Redeem(w.ctx, w.c1, with(used), "")
			wantCode(t, err, uma.InvalidGrant)
		}
		if n := len(w.events(w.aliceSpace.ID)) - before; n != 20 {
			t.Errorf("a hundred replays leave %d events, want 20", n)
		}
	}
	flood()
	if replayed() != 19 || untold() != 1 {
		t.Errorf("%d replays are told and %d times that more are not", replayed(), untold())
	}
	events := w.events(w.aliceSpace.ID)
	last := events[len(events)-1]
	if last.Kind != as.EventUntold || last.Actor != string(w.c1.ID) || !strings.Contains(last.Detail, `"kind":"ticket_replayed"`) {
		t.Errorf("the last of them is %+v", last)
	}

	w.refused(w.c2, with(used), uma.InvalidGrant) // another client
	if replayed() != 20 {
		t.Error("what another client does is not told")
	}
	fresh := redeemed[as.NeedInfo](w, w.c2, with(w.ticket(w.alice1, perm(album, "view")))).Ticket
	w.refused(w.c1, with(fresh), uma.InvalidGrant) // another kind
	if w.count(w.aliceSpace.ID, as.EventTicketMisused) != 1 {
		t.Error("another kind of misuse is not told")
	}
	annas := w.register(w.anna1, "album", "view")
	w.share(w.annaOwner, toBob(annas, "view"))
	hers := w.ticket(w.anna1, perm(annas, "view"))
	redeemed[as.NeedInfo](w, w.c1, with(hers))
	w.refused(w.c1, with(hers), uma.InvalidGrant) // another space
	if w.count(w.annaSpace.ID, as.EventTicketReplayed) != 1 {
		t.Error("what happens in another space is not told")
	}

	w.advance(time.Hour)
	flood()
	for _, space := range []as.SpaceID{w.aliceSpace.ID, w.annaSpace.ID} {
		w.must(w.VerifyHistory(w.ctx, space))
	}
}

// Of a flood of what changes nothing, what does change something is told.
func TestWhatARefusalRevokesIsAlwaysTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.RevokeOnReplay = true })
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	family := func() (first uma.Ticket, refresh string) {
		first = w.ticket(w.alice1, perm(album, "view"))
		g := w.granted(w.c1, w.asBob(redeemed[as.NeedInfo](w, w.c1, with(first)).Ticket))
		next, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
		w.must(err)
		w.note(next)
		return first, g.RefreshToken
	}
	ticket, refresh := family()
	otherTicket, _ := family()
	_, otherRefresh := family()
	for range 30 {
		w.refused(w.c1, with(ticket), uma.InvalidGrant)
		_, err := w.Refresh(w.ctx, w.c1, refresh, nil)
		wantCode(t, err, uma.InvalidGrant)
	}
	tickets, refreshes := w.count(w.aliceSpace.ID, as.EventTicketReplayed), w.count(w.aliceSpace.ID, as.EventRefreshReplayed)
	w.refused(w.c1, with(otherTicket), uma.InvalidGrant)
	_, err := w.Refresh(w.ctx, w.c1, otherRefresh, nil)
	wantCode(t, err, uma.InvalidGrant)
	if w.count(w.aliceSpace.ID, as.EventTicketReplayed) != tickets+1 || w.count(w.aliceSpace.ID, as.EventRefreshReplayed) != refreshes+1 {
		t.Error("that a family was revoked is not told")
	}
}
