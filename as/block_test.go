package as_test

import (
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// asking is a world in which Bob asks Alice for a photo and an album.
func newAsking(t *testing.T) (w *world, photo, album uma.ResourceID) {
	t.Helper()
	w = newWorld(t)
	photo, album = w.register(w.alice1, "photo", "view"), w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	w.share(w.aliceOwner, askMe(album, "view"))
	return w, photo, album
}

func (w *world) asks(c oauth.Client, who string, id uma.ResourceID) as.Result {
	w.t.Helper()
	return w.redeem(c, withToken(w.ticket(w.alice1, perm(id, "view")), w.idToken(who, map[string]any{"aud": string(c.ID)})))
}

func (w *world) waiting(status as.RequestStatus) []as.PendingRequest {
	w.t.Helper()
	list, err := w.Requests(w.ctx, w.aliceOwner, status, as.Page{Limit: 100})
	w.must(err)
	return list
}

// Whoever is blocked is answered like after any no; what waits from them is
// refused with the block, and what they ask later is nowhere to be seen.
func TestNeverFromThem(t *testing.T) {
	t.Parallel()
	w, photo, album := newAsking(t)
	first := redeemed[as.Submitted](w, w.c1, w.asBob(w.ticket(w.alice1, perm(photo, "view"))))
	second := redeemed[as.Submitted](w, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	elsewhere := w.asks(w.c2, "bob", album).(as.Submitted)
	carlos := w.asks(w.c1, "carlos", photo).(as.Submitted)
	var id as.RequestID
	for _, q := range w.waiting(as.RequestPending) {
		if q.Client == "c1" && q.Subject == provider+"#bob" {
			id = q.ID
		}
	}
	block, err := w.RefuseAndBlock(w.ctx, w.aliceOwner, id, false)
	w.must(err)
	redeemed[as.Denied](w, w.c1, with(first.Ticket))
	redeemed[as.Denied](w, w.c1, with(second.Ticket))
	redeemed[as.Submitted](w, w.c2, with(elsewhere.Ticket))
	redeemed[as.Submitted](w, w.c1, with(carlos.Ticket))
	if denied := w.waiting(as.RequestDenied); len(denied) != 2 {
		t.Errorf("%d requests were refused, want the two through this app", len(denied))
	}

	events, pending := len(w.events(w.aliceSpace.ID)), len(w.waiting(as.RequestPending))
	for range 30 {
		if r := w.asks(w.c1, "bob", photo); !is[as.Denied](r) {
			t.Fatalf("asking again: %T", r)
		}
	}
	if got := len(w.waiting(as.RequestPending)); got != pending {
		t.Errorf("asking again made %d requests", got-pending)
	}
	if got := len(w.events(w.aliceSpace.ID)); got != events {
		t.Errorf("asking again made %d events", got-events)
	}
	list, err := w.Blocks(w.ctx, w.aliceOwner, as.Page{Limit: 9})
	w.must(err)
	if len(list) != 1 || list[0].ID != block.ID || list[0].ClientName != w.c1.Name || len(list[0].Facts) == 0 {
		t.Errorf("the blocks are %+v", list)
	}
	// What is shared with them stays.
	w.share(w.aliceOwner, toBob(photo, "view"))
	if r := w.asks(w.c1, "bob", photo); !is[as.Granted](r) {
		t.Errorf("what is shared with somebody blocked: %T", r)
	}

	wantCode(t, w.Unblock(w.ctx, w.annaOwner, block.ID), uma.NotFound)
	w.must(w.Unblock(w.ctx, w.aliceOwner, block.ID))
	wantCode(t, w.Unblock(w.ctx, w.aliceOwner, block.ID), uma.NotFound)
	if r := w.asks(w.c1, "bob", album); !is[as.Submitted](r) {
		t.Errorf("after the end of the block: %T", r)
	}
	w.must(w.VerifyHistory(w.ctx, w.aliceSpace.ID))
}

func TestABlockIsForEveryAppIfTheOwnerSaysSo(t *testing.T) {
	t.Parallel()
	w, photo, album := newAsking(t)
	w.asks(w.c2, "bob", album)
	w.asks(w.c1, "bob", photo)
	list := w.waiting(as.RequestPending)
	_, err := w.RefuseAndBlock(w.ctx, w.annaOwner, list[0].ID, true)
	wantCode(t, err, uma.NotFound)
	_, errs := race(6, func(int) (as.Block, error) { return w.RefuseAndBlock(w.ctx, w.aliceOwner, list[0].ID, true) })
	oneWinner(t, errs, as.Conflict)
	if n := len(w.waiting(as.RequestPending)); n != 0 {
		t.Errorf("%d requests wait", n)
	}
	for _, c := range []oauth.Client{w.c1, w.c2} {
		if r := w.asks(c, "bob", album); !is[as.Denied](r) {
			t.Errorf("through %s: %T", c.ID, r)
		}
	}
	// In another space nothing is blocked.
	hers := w.register(w.anna1, "hers", "view")
	w.share(w.annaOwner, askMe(hers, "view"))
	redeemed[as.Submitted](w, w.c1, w.asBob(w.ticket(w.anna1, perm(hers, "view"))))
}

// A block is no oracle: the answer is that of any refusal, and it depends on
// nothing but who asks.
func TestWhoIsBlockedCannotTellItFromANo(t *testing.T) {
	t.Parallel()
	w, photo, _ := newAsking(t)
	w.asks(w.c1, "bob", photo)
	_, err := w.RefuseAndBlock(w.ctx, w.aliceOwner, w.pending().ID, true)
	w.must(err)
	// A part that is shared is granted, as if the rest had been refused.
	w.share(w.aliceOwner, policy.Share{Resource: w.register(w.alice1, "open", "view"), Scopes: scopes("view"), Anyone: true})
	unknown := w.redeem(w.c1, with(w.ticket(w.alice1, perm(photo, "view"))))
	need, ok := unknown.(as.NeedInfo)
	if !ok || len(need.RequiredClaims) != 1 || need.RequiredClaims[0].Name != "sub" {
		t.Errorf("before it is known who asks: %+v", unknown)
	}
	if r := w.asks(w.c1, "bob", photo); r != (as.Denied{}) {
		t.Errorf("the answer is %+v", r)
	}
}

// "Not now" leaves the one who asked where they were.
func TestARequestThatIsSetAsideWaits(t *testing.T) {
	t.Parallel()
	w, photo, _ := newAsking(t)
	s := w.submit(perm(photo, "view"))
	id := w.pending().ID
	for range 2 {
		q, err := w.SetAside(w.ctx, w.aliceOwner, id)
		w.must(err)
		if q.Status != as.RequestAside {
			t.Errorf("the request is %s", q.Status)
		}
	}
	if len(w.waiting(as.RequestPending)) != 0 || len(w.waiting(as.RequestAside)) != 1 {
		t.Error("the request is not among those that were set aside")
	}
	if n := w.count(w.aliceSpace.ID, as.EventRequestAside); n != 1 {
		t.Errorf("the history tells of it %d times", n)
	}
	w.advance(5 * time.Second)
	s = redeemed[as.Submitted](w, w.c1, with(s.Ticket))
	// Asking the same again makes no other request.
	again := w.submit(perm(photo, "view"))
	if len(w.waiting(as.RequestPending)) != 0 {
		t.Error("asking again made another request")
	}
	_, err := w.Approve(w.ctx, w.aliceOwner, id, nil, time.Time{})
	w.must(err)
	for _, ticket := range []uma.Ticket{s.Ticket, again.Ticket} {
		w.wantPermissions(w.alice1, w.granted(w.c1, with(ticket)).AccessToken, perm(photo, "view"))
	}
	_, err = w.SetAside(w.ctx, w.aliceOwner, id)
	wantCode(t, err, as.Conflict)
}

func TestARequestThatWasSetAsideCanBeRefusedAndBlocked(t *testing.T) {
	t.Parallel()
	w, photo, _ := newAsking(t)
	s := w.submit(perm(photo, "view"))
	id := w.pending().ID
	_, err := w.SetAside(w.ctx, w.aliceOwner, id)
	w.must(err)
	_, err = w.RefuseAndBlock(w.ctx, w.aliceOwner, id, false)
	w.must(err)
	redeemed[as.Denied](w, w.c1, with(s.Ticket))
}
