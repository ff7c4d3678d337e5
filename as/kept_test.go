package as_test

import (
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// sweepAll sweeps until nothing is left to sweep.
func (w *world) sweepAll() {
	for n := 1; n > 0; {
		var err error
		n, err = w.Sweep(w.ctx, 1000)
		w.must(err)
	}
}

// A family ends long after its first tokens if it is renewed.
func TestAFamilyIsKeptForAsLongAsItIsRenewed(t *testing.T) {
	w := newWorld(t)
	code, verifier := w.code(w.app, oauth.ScopePolicy)
	answer, err := w.ExchangeCode(w.ctx, w.app, code, "", verifier)
	w.must(err)
	for range 4 {
		w.advance(80 * 24 * time.Hour)
		w.sweepAll()
		if answer, err = w.Refresh(w.ctx, w.app, answer.RefreshToken, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// The grant that a sealed ticket led to at once is what tells that it was used.
func TestATicketStaysSpentWhenItsRPTIsSweptBeforeItEnds(t *testing.T) {
	w := newWorld(t, func(c *as.Config) {
		c.Lifetimes = as.Lifetimes{Ticket: 10 * time.Minute, RPT: time.Second, Dormant: time.Second}
	})
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toAnyone(photo, "view"))
	ticket := w.ticket(w.alice1, perm(photo, "view"))
	once := w.c1
	once.GrantTypes = []string{uma.GrantType}
	w.granted(once, with(ticket))
	w.advance(9 * time.Minute)
	w.sweepAll()
	w.refused(once, with(ticket), uma.InvalidGrant)
}
