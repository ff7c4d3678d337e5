package as_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/uma"
)

// says ends a visit of Bob's with a reason.
func (w *world) says(ticket uma.Ticket, why string) (handle string, next uma.Ticket, err error) {
	w.t.Helper()
	handle, err = w.BeginInteraction(w.ctx, w.c1, ticket, as.Interaction{RedirectURI: callback})
	w.must(err)
	next, _, err = w.FinishInteraction(w.ctx, handle, w.bob.ID, as.Said{Why: why})
	return handle, next, err
}

// What somebody writes at the claims interaction endpoint is read by the owner, in
// the letter and in the request, as one line, and kept where nobody else reads it.
func TestTheOwnerReadsWhySomebodyAsks(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	const why = "I help with the medicine, so I should see it."
	_, next, err := w.says(w.ticket(w.alice1, perm(photo, "view")), " I help with the medicine,\r\n\tso I should\u202e see it.\n")
	w.must(err)
	w.bearers = append(w.bearers, why)
	redeemed[as.Submitted](w, w.c1, with(next))
	if q := w.pending(); q.Why != why {
		t.Errorf("the owner reads %q", q.Why)
	}
	if l := b.only(w, as.LetterRequest, aliceAddress); l.Why != why {
		t.Errorf("the letter says %q", l.Why)
	}
	for _, e := range w.events(w.aliceSpace.ID) {
		if strings.Contains(e.Detail, "medicine") {
			t.Errorf("the history tells it: %s", e.Detail)
		}
	}
}

// Too long a reason is refused, and the visit goes on as if nothing had been said.
func TestAReasonIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	handle, _, err := w.says(w.ticket(w.alice1, perm(photo, "view")), strings.Repeat("é", as.MaxWhy+1))
	if !errors.Is(err, as.ErrLongWhy) {
		t.Fatalf("too long a reason: %v", err)
	}
	longest := strings.Repeat("é", as.MaxWhy)
	next, _, err := w.FinishInteraction(w.ctx, handle, w.bob.ID, as.Said{Why: longest})
	w.must(err)
	redeemed[as.Submitted](w, w.c1, with(next))
	if q := w.pending(); q.Why != longest {
		t.Errorf("the owner reads %d characters", len([]rune(q.Why)))
	}
}

// What one person wrote is not told as the words of the next who uses the same
// application (Grant 5.2).
func TestAReasonIsOfThePersonWhoWroteIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	_, next, err := w.says(w.ticket(w.alice1, perm(photo, "view")), "I am Bob.")
	w.must(err)
	redeemed[as.Submitted](w, w.c1, withToken(next, w.idToken("carlos", nil)))
	if q := w.pending(); q.Why != "" {
		t.Errorf("Carlos is said to have written %q", q.Why)
	}
}
