package as_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

const racers = 50

// race runs f for every racer at once and returns what each came to.
func race[T any](n int, f func(i int) (T, error)) ([]T, []error) {
	values, errs := make([]T, n), make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			values[i], errs[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return values, errs
}

// oneWinner wants all but one racer to fail with the code, and returns the
// winner.
func oneWinner(t *testing.T, errs []error, code uma.Code) int {
	t.Helper()
	winner, winners := -1, 0
	for i, err := range errs {
		if err == nil {
			winner = i
			winners++
			continue
		}
		var e *uma.Error
		if !errors.As(err, &e) || e.Code != code {
			t.Fatalf("a loser got %v, want %s", err, code)
		}
	}
	if winners != 1 {
		t.Fatalf("%d winners, want exactly one", winners)
	}
	return winner
}

// Proves GRANT-5.5-02, SEC-005, PEER-ticket-replay.
func TestOfFiftyPresentationsOfOneTicketOneIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	for range 12 {
		for name, ticket := range map[string]uma.Ticket{
			"sealed": w.ticket(w.alice1, perm(album, "view")),
			"stored": w.storedTicket(w.alice1, perm(album, "view")),
		} {
			results, errs := race(racers, func(int) (as.Result, error) {
				return w.Redeem(w.ctx, w.c1, with(ticket), "")
			})
			i := oneWinner(t, errs, uma.InvalidGrant)
			g, ok := results[i].(as.Granted)
			if !ok {
				t.Fatalf("%s: the winner got %T", name, results[i])
			}
			w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"))
		}
	}
}

// Both endpoints and two clients race for one ticket.
//
// Proves GRANT-5.5-03, SEC-005.
func TestOfTwoEndpointsOnePresentsTheTicket(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	for range 12 {
		for _, ticket := range []uma.Ticket{
			w.ticket(w.alice1, perm(album, "view")), w.storedTicket(w.alice1, perm(album, "view")),
		} {
			_, errs := race(racers, func(i int) (any, error) {
				client := []oauth.Client{w.c1, w.c2}[i/2%2]
				if i%2 == 0 {
					return w.Redeem(w.ctx, client, with(ticket), "")
				}
				handle, err := w.BeginInteraction(w.ctx, client, ticket, as.Interaction{RedirectURI: callback})
				var e *uma.Error
				if errors.As(err, &e) && e.Code == uma.InvalidRequest {
					err = uma.NewError(uma.InvalidGrant, "")
				}
				return handle, err
			})
			oneWinner(t, errs, uma.InvalidGrant)
		}
	}
}

// Proves SEC-081.
func TestOfFiftyExchangesOfOneCodeOneSucceedsAndIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 8 {
		code, verifier := w.code(w.rs1, uma.ScopeProtection)
		answers, errs := race(racers, func(int) (uma.TokenResponse, error) {
			return w.ExchangeCode(w.ctx, w.rs1, code, "", verifier)
		})
		won := answers[oneWinner(t, errs, uma.InvalidGrant)]
		_, err := w.AuthenticatePAT(w.ctx, won.AccessToken)
		wantCode(t, err, uma.InvalidToken)
		_, err = w.Refresh(w.ctx, w.rs1, won.RefreshToken, nil)
		wantCode(t, err, uma.InvalidGrant)
	}
}

// Proves SEC-091.
func TestOfFiftyRefreshesOneSucceedsAndTheFamilyIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	for range 8 {
		g := w.granted(w.c1, with(w.ticket(w.alice1, perm(album, "view"))))
		answers, errs := race(racers, func(int) (uma.TokenResponse, error) {
			return w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
		})
		won := answers[oneWinner(t, errs, uma.InvalidGrant)]
		for _, token := range []string{g.AccessToken, won.AccessToken} {
			w.wantDead(w.alice1, token)
		}
		_, err := w.Refresh(w.ctx, w.c1, won.RefreshToken, nil)
		wantCode(t, err, uma.InvalidGrant)
	}
}

// Fifty tickets with one PCT: its claims count once, and then the next PCT's.
//
// Proves SEC-005.
func TestOfFiftyUsesOfOnePCTOneRotatesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	for range 6 {
		var tickets [racers]uma.Ticket
		for i := range tickets {
			tickets[i] = w.ticket(w.alice1, perm(album, "view"))
		}
		results, errs := race(racers, func(i int) (as.Result, error) {
			return w.Redeem(w.ctx, w.c1, uma.TokenRequest{Ticket: tickets[i], PCT: pct}, "")
		})
		winners := 0
		for i, r := range results {
			w.must(errs[i])
			switch r := r.(type) {
			case as.Granted:
				winners++
				if r.PCT == "" || r.PCT == pct {
					t.Fatal("the winner got no next PCT")
				}
				pct = r.PCT
			case as.NeedInfo:
			default:
				t.Fatalf("a loser got %T, want need_info", r)
			}
		}
		if winners != 1 {
			t.Fatalf("the PCT counted %d times, want once", winners)
		}
	}
}

// Two upgrades of one RPT do not make two RPTs of what it permitted.
//
// Proves GRANT-3.3.5.1-05.
func TestOfTwentyUpgradesOfOneRPTOneCarriesItOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo := w.register(w.alice1, "album", "view"), w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	w.share(w.aliceOwner, toBob(photo, "view"))
	for range 5 {
		old := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
		var requests [20]uma.TokenRequest
		for i := range requests {
			requests[i] = w.upgrading(w.ticket(w.alice1, perm(photo, "view")), old.AccessToken)
		}
		results, errs := race(len(requests), func(i int) (as.Result, error) { return w.Redeem(w.ctx, w.c1, requests[i], "") })
		upgraded := 0
		for i, r := range results {
			w.must(errs[i])
			g := r.(as.Granted)
			if g.Upgraded {
				upgraded++
				w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"), perm(photo, "view"))
			} else {
				w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))
			}
		}
		if upgraded != 1 {
			t.Errorf("the RPT was upgraded %d times, want once", upgraded)
		}
		w.wantDead(w.alice1, old.AccessToken)
	}
}
