package as_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// boundVisit brings Bob to the claims interaction endpoint and back with a
// challenge, and returns what comes back with what goes with it.
func (w *world) boundVisit(c oauth.Client, ticket uma.Ticket) (next uma.Ticket, verifier string) {
	w.t.Helper()
	verifier = hex.EncodeToString(random(32))
	sum := sha256.Sum256([]byte(verifier))
	handle, err := w.BeginInteraction(w.ctx, c, ticket, as.Interaction{
		RedirectURI: callback, CodeChallenge: base64.RawURLEncoding.EncodeToString(sum[:]),
	})
	w.must(err)
	next, _, err = w.FinishInteraction(w.ctx, handle, w.bob.ID, as.Said{})
	w.must(err)
	w.bearers = append(w.bearers, handle, string(next), verifier)
	return next, verifier
}

func proved(ticket uma.Ticket, verifier string) uma.TokenRequest {
	return uma.TokenRequest{Ticket: ticket, CodeVerifier: verifier}
}

// Proves SEC-083.
func TestABoundTicketIsGoodWithItsVerifierAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	fresh := func() uma.Ticket { return w.ticket(w.alice1, perm(album, "view")) }
	for _, c := range []oauth.Client{w.c1, w.public} {
		bound, verifier := w.boundVisit(c, fresh())
		w.granted(c, proved(bound, verifier)) // the control

		for name, wrong := range map[string]func(string) string{
			"none":           func(string) string { return "" },
			"another":        func(string) string { return hex.EncodeToString(random(32)) },
			"one cut short":  func(v string) string { return v[:43] },
			"of another use": func(string) string { return verifier },
		} {
			before := w.count(w.aliceSpace.ID, as.EventTicketMisused)
			bound, right := w.boundVisit(c, fresh())
			w.refused(c, proved(bound, wrong(right)), uma.InvalidGrant)
			w.refused(c, proved(bound, right), uma.InvalidGrant) // it is spent
			if n := w.count(w.aliceSpace.ID, as.EventTicketMisused) - before; n != 1 {
				t.Errorf("%s, verifier %s: the history tells %d times of it", c.ID, name, n)
			}
		}

		// Nobody has it bound anew to a verifier of their own.
		bound, right := w.boundVisit(c, fresh())
		_, err := w.BeginInteraction(w.ctx, c, bound, as.Interaction{RedirectURI: callback, CodeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"})
		wantCode(t, err, uma.InvalidRequest)
		w.refused(c, proved(bound, right), uma.InvalidGrant)
	}
}

// What takes the challenge away on the way to the endpoint gains nothing by it: the
// client, which knows a verifier, is not served as if there had been none.
func TestAVerifierWithATicketThatIsNotBoundIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	for form, make := range w.forms(w.c1, album) {
		ticket := make()
		w.refused(w.c1, proved(ticket, hex.EncodeToString(random(32))), uma.InvalidGrant)
		w.refused(w.c1, with(ticket), uma.InvalidGrant) // it is spent
		w.granted(w.c1, with(make()))
		if n := w.count(w.aliceSpace.ID, as.EventTicketMisused); n == 0 {
			t.Errorf("%s: the history tells nothing", form)
		}
	}
}

// The tickets after the one that came through the browser come directly.
func TestOnlyTheTicketThatComesBackIsBound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, askMe(album, "view"))
	bound, verifier := w.boundVisit(w.c1, w.ticket(w.alice1, perm(album, "view")))
	next := redeemed[as.Submitted](w, w.c1, proved(bound, verifier)).Ticket
	redeemed[as.Submitted](w, w.c1, with(next))
}

func TestAClientThatHasToBindItsTicketsDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	strict := w.public
	strict.ID, strict.RequireTicketBinding = "strict", true
	strict, _, err := w.RegisterClient(w.ctx, strict)
	w.must(err)
	ticket := w.ticket(w.alice1, perm(album, "view"))
	_, err = w.BeginInteraction(w.ctx, strict, ticket, as.Interaction{RedirectURI: callback})
	wantCode(t, err, uma.InvalidRequest)
	bound, verifier := w.boundVisit(strict, ticket) // it was not touched
	w.granted(strict, proved(bound, verifier))
}
