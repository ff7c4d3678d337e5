package as_test

import (
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// A visit ends once, with a ticket or without one.
//
// Proves GRANT-3.3.3-01, SEC-006.
func TestAVisitEndsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	begin := func() string {
		handle, err := w.BeginInteraction(w.ctx, w.c1, w.ticket(w.alice1, perm(album, "view")), as.Interaction{RedirectURI: callback, State: "a b&=%", HasState: true})
		w.must(err)
		return handle
	}
	over := func(handle string) {
		t.Helper()
		_, err := w.Visit(w.ctx, handle, w.bob.ID)
		wantCode(t, err, uma.InvalidRequest)
		ticket, _, err := w.FinishInteraction(w.ctx, handle, w.bob.ID, as.Said{})
		wantCode(t, err, uma.InvalidRequest)
		if ticket != "" {
			t.Error("a visit that is over gives a ticket")
		}
		_, err = w.CancelInteraction(w.ctx, handle)
		wantCode(t, err, uma.InvalidRequest)
	}
	handle := begin()
	v, err := w.Visit(w.ctx, handle, "")
	w.must(err)
	if v.Client.ID != "c1" || v.RedirectURI != callback || v.State != "a b&=%" || !v.HasState {
		t.Errorf("the visit is %+v", v)
	}
	for range 8 {
		handle := begin()
		tickets, errs := race(racers, func(i int) (uma.Ticket, error) {
			if i%5 == 4 {
				_, err := w.CancelInteraction(w.ctx, handle)
				return "", err
			}
			ticket, _, err := w.FinishInteraction(w.ctx, handle, w.bob.ID, as.Said{})
			return ticket, err
		})
		if ticket := tickets[oneWinner(t, errs, uma.InvalidRequest)]; ticket != "" {
			w.granted(w.c1, with(ticket))
		}
		over(handle)
	}
	_, done, err := w.FinishInteraction(w.ctx, handle, w.bob.ID, as.Said{})
	w.must(err)
	if done.RedirectURI != callback || done.State != "a b&=%" || !done.HasState || done.Client != "c1" {
		t.Errorf("the way back is %+v", done)
	}
	over(handle)
	cancelled := begin()
	_, err = w.CancelInteraction(w.ctx, cancelled)
	w.must(err)
	over(cancelled)
	over("no handle")

	early, late := begin(), begin()
	w.advance(15*time.Minute - time.Millisecond)
	_, _, err = w.FinishInteraction(w.ctx, early, w.bob.ID, as.Said{})
	w.must(err)
	w.advance(time.Millisecond)
	over(late)
}

// Nobody who is shut out makes claims.
func TestADisabledAccountFinishesNoVisit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	handle, err := w.BeginInteraction(w.ctx, w.c1, w.ticket(w.alice1, perm(album, "view")), as.Interaction{RedirectURI: callback})
	w.must(err)
	w.must(w.DisableAccount(w.ctx, w.bob.ID))
	for _, id := range []as.AccountID{w.bob.ID, "", "nobody"} {
		_, _, err = w.FinishInteraction(w.ctx, handle, id, as.Said{Remember: true})
		wantCode(t, err, uma.InvalidRequest)
	}
}
