package as_test

import (
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// What a provider said counts while the operator trusts it, and not after
// that, however a process came to know it.
//
// Proves SEC-092.
func TestWhatAProviderSaidEndsWithTheTrustInIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	zoe := toEmail("zoe@example.org", album, "view")
	zoe.Purpose = "research"
	w.share(w.aliceOwner, zoe)
	told := func() uma.Ticket {
		return redeemed[as.NeedInfo](w, w.c1, withToken(w.ticket(w.alice1, perm(album, "view")), w.idToken("zoe", nil))).Ticket
	}
	before, after := told(), told()
	without := w.beside(1, func(c *as.Config) { c.ClaimIssuers = nil })[0]
	w.share(w.aliceOwner, toEmail("zoe@example.org", album, "view"))
	w.granted(w.c1, with(before)) // the control: while it is trusted, it counts
	if r, err := without.Redeem(w.ctx, w.c1, with(after), ""); err != nil || is[as.Granted](r) {
		t.Errorf("what a provider said of Zoe still counts: %T, %v", r, err)
	}
}

// Somebody whose account is disabled gets nothing by what is remembered of them.
//
// Proves SEC-092, SEC-047.
func TestADisabledPersonIsNotRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	gathered := w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), w.bob, false)
	held := w.granted(w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), w.bob, false)))
	w.must(w.DisableAccount(w.ctx, w.bob.ID))
	for how, req := range map[string]uma.TokenRequest{
		"a PCT": {Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: pct}, "what was said at a visit": with(gathered),
	} {
		if g, ok := w.redeem(w.c1, req).(as.Granted); ok { // a token whose person is gone is born dead
			w.wantDead(w.alice1, g.AccessToken)
			_, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
			wantCode(t, err, uma.InvalidGrant)
			t.Logf("%s leads to a token that is of no use", how)
		}
	}
	if _, err := w.Refresh(w.ctx, w.c1, held.RefreshToken, nil); err == nil {
		t.Error("an RPT of somebody who is disabled was refreshed")
	}
	w.wantDead(w.alice1, held.AccessToken)
}

// A client whose registration has lost a scope or a grant gets nothing of it by
// what it holds from before.
//
// Proves SEC-092.
func TestWhatAClientIsNoLongerRegisteredForIsNotRefreshed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.code(w.app, oauth.ScopeOpenID, oauth.ScopePolicy)
	answer, err := w.ExchangeCode(w.ctx, w.app, code, "", verifier)
	w.must(err)
	narrow := w.app
	narrow.Scopes = []uma.Scope{oauth.ScopeOpenID}
	narrow, _, err = w.RegisterClient(w.ctx, narrow)
	w.must(err)
	next, err := w.Refresh(w.ctx, narrow, answer.RefreshToken, nil)
	w.must(err)
	if next.Scope != string(oauth.ScopeOpenID) {
		t.Errorf("what is refreshed has the scopes %q", next.Scope)
	}
	_, err = w.AuthenticateOwner(w.ctx, next.AccessToken)
	wantCode(t, err, uma.InsufficientScope)
	_, err = w.Refresh(w.ctx, narrow, next.RefreshToken, []uma.Scope{oauth.ScopePolicy})
	wantCode(t, err, uma.InvalidScope)
	for name, change := range map[string]func(*oauth.Client){
		"of no scope of the grant":   func(c *oauth.Client) { c.Scopes = []uma.Scope{oauth.ScopeEmail} },
		"of no refreshing":           func(c *oauth.Client) { c.GrantTypes = []string{oauth.GrantAuthorizationCode} },
		"of nothing, being disabled": func(c *oauth.Client) { c.Disabled = true },
	} {
		c := w.app
		change(&c)
		c, _, err := w.RegisterClient(w.ctx, c)
		w.must(err)
		if _, err := w.Refresh(w.ctx, c, next.RefreshToken, nil); err == nil {
			t.Errorf("with a registration %s the token was refreshed", name)
		}
	}
	w.must(func() error { _, _, err := w.RegisterClient(w.ctx, w.app); return err }())
	_, err = w.Refresh(w.ctx, w.app, next.RefreshToken, nil) // the control: it was good all the time
	w.must(err)
}

// Of two revocations of everything so far, in whichever order, neither brings back
// what the other has ended: each raises a number of its own, and a token dies with
// the first that has moved on.
//
// Proves SEC-095.
func TestOfTwoRevocationsNeitherUndoesTheOther(t *testing.T) {
	t.Parallel()
	revocations := map[string]func(*world){
		"of the space": func(w *world) { w.stopEverything() },
		"of the account": func(w *world) { // out of every browser and app
			w.must(w.store.Update(w.ctx, func(tx as.Tx) error {
				a, err := tx.Account(w.alice.ID)
				if err != nil {
					return err
				}
				a.Generation++
				return tx.UpdateAccount(a)
			}))
		},
	}
	for first, revoke := range revocations {
		for second, revokeAgain := range revocations {
			w := newWorld(t)
			type cohort struct{ pat, app, profile, refresh string }
			issue := func() cohort {
				code, verifier := w.code(w.rs1, uma.ScopeProtection)
				pat, err := w.ExchangeCode(w.ctx, w.rs1, code, "", verifier)
				w.must(err)
				return cohort{pat.AccessToken, w.token(w.app, w.alice, w.aliceSpace, oauth.ScopePolicy), w.token(w.app, w.alice, w.aliceSpace, oauth.ScopeOpenID), pat.RefreshToken}
			}
			holds := func(when string, c cohort, want bool) {
				t.Helper()
				_, errPAT := w.AuthenticatePAT(w.ctx, c.pat)
				_, errOwner := w.AuthenticateOwner(w.ctx, c.app)
				_, _, errInfo := w.UserInfo(w.ctx, c.profile)
				introspected, errIn := w.IntrospectAsClient(w.ctx, w.app, c.app)
				w.must(errIn)
				for what, good := range map[string]bool{
					"the PAT": errPAT == nil, "the token for policies": errOwner == nil, "the token at UserInfo": errInfo == nil, "the introspection": introspected.Active,
				} {
					if good != want {
						t.Errorf("%s, then %s: %s from %s works: %v", first, second, what, when, good)
					}
				}
				if !want {
					_, err := w.Refresh(w.ctx, w.rs1, c.refresh, nil)
					wantCode(t, err, uma.InvalidGrant)
				}
			}
			before := issue()
			holds("before both", before, true)
			revoke(w)
			between := issue()
			holds("before the first", before, false)
			holds("between", between, true)
			revokeAgain(w)
			after := issue()
			holds("before both", before, false)
			holds("between", between, false)
			holds("after both", after, true)
			next, err := w.Refresh(w.ctx, w.rs1, after.refresh, nil)
			w.must(err)
			after.pat, after.refresh = next.AccessToken, next.RefreshToken
			holds("after both, refreshed", after, true)
		}
	}
}
