package as_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Proves SEC-082, SEC-083.
func TestACodeIsOfItsClientRequestAndMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, exchange := range map[string]func(code, verifier string) error{
		"by another client":        func(code, verifier string) error { return w.exchange(w.rs2, code, "", verifier) },
		"with another redirection": func(code, verifier string) error { return w.exchange(w.rs1, code, "https://rs.example/cb/", verifier) },
		"without a verifier":       func(code, _ string) error { return w.exchange(w.rs1, code, "", "") },
		"with another verifier":    func(code, verifier string) error { return w.exchange(w.rs1, code, "", verifier+"x") },
		"cut":                      func(code, verifier string) error { return w.exchange(w.rs1, code[1:], "", verifier) },
		"with a line":              func(code, verifier string) error { return w.exchange(w.rs1, code+"\n", "", verifier) },
		"when its minute is over": func(code, verifier string) error {
			w.advance(time.Minute)
			return w.exchange(w.rs1, code, "", verifier)
		},
	} {
		code, verifier := w.code(w.rs1, uma.ScopeProtection)
		err := exchange(code, verifier)
		if err == nil {
			t.Errorf("a code was exchanged %s", name)
			continue
		}
		wantCode(t, err, uma.InvalidGrant)
	}
	code, verifier := w.code(w.rs1, uma.ScopeProtection)
	wantCode(t, w.exchange(w.c1, code, "", verifier), uma.UnauthorizedClient)
	w.advance(time.Minute - time.Millisecond)
	w.must(w.exchange(w.rs1, code, "https://rs.example/cb", verifier))
}

func (w *world) exchange(c oauth.Client, code, redirect, verifier string) error {
	_, err := w.ExchangeCode(w.ctx, c, code, redirect, verifier)
	return err
}

// A code that was shown wrongly once is gone.
func TestACodeIsSpentByBeingShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.code(w.rs1, uma.ScopeProtection)
	wantCode(t, w.exchange(w.rs1, code, "", "a wrong verifier that is long enough to be one"), uma.InvalidGrant)
	wantCode(t, w.exchange(w.rs1, code, "", verifier), uma.InvalidGrant)
}

// Proves SEC-081.
func TestACodeShownAgainRevokesWhatItLedTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.code(w.rs1, uma.ScopeProtection)
	answer, err := w.ExchangeCode(w.ctx, w.rs1, code, "", verifier)
	w.must(err)
	next, err := w.Refresh(w.ctx, w.rs1, answer.RefreshToken, nil)
	w.must(err)
	wantCode(t, w.exchange(w.rs2, code, "", "whoever shows it"), uma.InvalidGrant)
	for _, token := range []string{answer.AccessToken, next.AccessToken} {
		_, err := w.AuthenticatePAT(w.ctx, token)
		wantCode(t, err, uma.InvalidToken)
	}
}

// Proves FED-1.3-05.
func TestOnlyWhoManagesASpaceGivesAccessToIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ask := func(who as.Account, space as.SpaceID, scopes ...uma.Scope) error {
		_, err := w.IssueCode(w.ctx, oauth.AuthorizationRequest{Client: w.rs1.ID, Scopes: scopes}, w.signIn(who).ID, space)
		return err
	}
	role := func(kind as.RoleKind, ends time.Time) {
		w.must(w.store.Update(w.ctx, func(tx as.Tx) error {
			return tx.PutRole(as.Role{Account: w.bob.ID, Space: w.aliceSpace.ID, Kind: kind, EndsAt: ends})
		}))
	}
	for _, scope := range []uma.Scope{uma.ScopeProtection, oauth.ScopePolicy} {
		w.must(ask(w.alice, w.aliceSpace.ID, scope))
		wantCode(t, ask(w.alice, w.annaSpace.ID, scope), uma.AccessDenied)
		wantCode(t, ask(w.bob, w.annaSpace.ID, scope), uma.AccessDenied)
		wantCode(t, ask(w.alice, "", scope), uma.AccessDenied)
		role(as.RoleViewer, time.Time{})
		wantCode(t, ask(w.bob, w.aliceSpace.ID, scope), uma.AccessDenied)
		role(as.RoleDelegate, w.Now())
		wantCode(t, ask(w.bob, w.aliceSpace.ID, scope), uma.AccessDenied)
		role(as.RoleDelegate, w.Now().Add(time.Millisecond))
		w.must(ask(w.bob, w.aliceSpace.ID, scope))
	}
	wantCode(t, ask(w.alice, w.aliceSpace.ID, "view"), uma.InvalidScope)
	wantCode(t, ask(w.alice, w.aliceSpace.ID, oauth.ScopeOpenID, "view"), uma.InvalidScope)

	spaces, err := w.SpacesOf(w.ctx, w.bob.ID)
	w.must(err)
	if len(spaces) != 1 || spaces[0].ID != w.aliceSpace.ID || spaces[0].Role.Kind != as.RoleDelegate {
		t.Errorf("Bob, a delegate of Alice's, has roles in %v", spaces)
	}
	// The owner's token of a delegate ends with the role.
	owner := w.token(w.app, w.bob, w.aliceSpace, oauth.ScopePolicy)
	w.advance(time.Millisecond)
	_, err = w.AuthenticateOwner(w.ctx, owner)
	wantCode(t, err, uma.InvalidToken)
	if spaces, err = w.SpacesOf(w.ctx, w.bob.ID); err != nil || len(spaces) != 0 {
		t.Errorf("Bob, no delegate any more, has roles in %v, %v", spaces, err)
	}
}

// Proves FED-1.3-06.
func TestAPATAndAnIDTokenComeTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.code(w.rs1, uma.ScopeProtection, oauth.ScopeOpenID, oauth.ScopeEmail)
	answer, err := w.ExchangeCode(w.ctx, w.rs1, code, "", verifier)
	w.must(err)
	pat, err := w.AuthenticatePAT(w.ctx, answer.AccessToken)
	w.must(err)
	if pat.Space != w.aliceSpace.ID || pat.ResourceServer != w.rs1.ID {
		t.Errorf("the PAT is for %+v", pat)
	}
	id := w.verify(answer.IDToken, "rs1")
	if id.Subject != string(w.alice.ID) || id.Email != "alice@example.org" || !id.EmailVerified {
		t.Errorf("the ID token is about %+v", id)
	}
	account, got, err := w.UserInfo(w.ctx, answer.AccessToken)
	w.must(err)
	if account.ID != w.alice.ID || !slices.Contains(got, oauth.ScopeEmail) {
		t.Errorf("userinfo is about %s with %v", account.ID, got)
	}
	_, _, err = w.UserInfo(w.ctx, w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection))
	wantCode(t, err, uma.InsufficientScope)
}

// verify checks an ID token of this server with the keys it publishes now.
func (w *world) verify(token string, audience string) oauth.IDToken {
	w.t.Helper()
	raw, err := w.JWKS(w.ctx)
	w.must(err)
	keys, err := oauth.ParseJWKS(raw)
	w.must(err)
	id, err := oauth.VerifyIDToken(token, keys, oauth.IDTokenExpectation{Issuer: issuer, Audiences: []string{audience}, Now: w.Now()})
	w.must(err)
	return id
}

// A new key is published before it signs, and an old one stays published until
// what it signed has expired.
//
// Proves SEC-124.
func TestAKeyIsPublishedAsLongAsItIsNeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	idToken := func() string {
		code, verifier := w.code(w.app, oauth.ScopeOpenID)
		answer, err := w.ExchangeCode(w.ctx, w.app, code, "", verifier)
		w.must(err)
		return answer.IDToken
	}
	published := func() int {
		raw, err := w.JWKS(w.ctx)
		w.must(err)
		keys, err := oauth.ParseJWKS(raw)
		w.must(err)
		return len(keys)
	}
	w.must(w.RotateKeysAfter(w.ctx, time.Hour))
	if n := published(); n != 1 {
		t.Errorf("a young key was rotated: %d keys are published", n)
	}
	raw, err := w.JWKS(w.ctx)
	w.must(err)
	before, err := oauth.ParseJWKS(raw)
	w.must(err)
	w.must(w.RotateKeys(w.ctx))
	// Who fetched the keys before the rotation verifies what is signed within
	// the overlap.
	w.advance(time.Hour - time.Millisecond)
	late := idToken()
	want := oauth.IDTokenExpectation{Issuer: issuer, Audiences: []string{"app"}, Now: w.Now()}
	if _, err := oauth.VerifyIDToken(late, before, want); err != nil {
		t.Errorf("just before the overlap is over, the old key does not sign: %v", err)
	}
	w.advance(time.Millisecond)
	if _, err := oauth.VerifyIDToken(idToken(), before, want); !errors.Is(err, oauth.ErrUnknownKey) {
		t.Errorf("after the overlap the new key does not sign: %v", err)
	}
	w.advance(10*time.Minute - 2*time.Second)
	w.verify(late, "app")
	w.verify(idToken(), "app")
	w.advance(2 * time.Hour)
	if n := published(); n != 1 {
		t.Errorf("long after a rotation %d keys are published, want one", n)
	}
}

// A sweep takes what ended long ago and nothing that still counts.
func TestASweepTakesOnlyWhatHasEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, gone := w.register(w.alice1, "album", "view"), w.register(w.alice1, "gone", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	dormant := w.share(w.aliceOwner, toBob(gone, "view"))
	w.must(w.DeregisterResource(w.ctx, w.alice1, gone))
	kept := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	events := len(w.events(w.aliceSpace.ID))
	sweepAll := func() (total int) {
		for {
			n, err := w.Sweep(w.ctx, 2)
			w.must(err)
			if n > 2 {
				t.Fatalf("a sweep of two took %d", n)
			}
			if total += n; n == 0 {
				return total
			}
		}
	}
	w.advance(30 * 24 * time.Hour)
	if n := sweepAll(); n != 0 {
		t.Errorf("%d records were swept on the last day they are kept", n)
	}
	_, err := w.ReadShare(w.ctx, w.aliceOwner, dormant.ID)
	w.must(err)
	w.advance(24 * time.Hour)
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	if sweepAll() == 0 {
		t.Error("nothing was swept")
	}
	_, err = w.ReadShare(w.ctx, w.aliceOwner, dormant.ID)
	wantCode(t, err, uma.NotFound)
	refreshed, err := w.Refresh(w.ctx, w.c1, kept.RefreshToken, nil)
	w.must(err)
	w.wantPermissions(w.alice1, refreshed.AccessToken, perm(album, "view"))
	w.granted(w.c1, uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: pct})
	if n := len(w.events(w.aliceSpace.ID)); n < events {
		t.Error("a sweep took events")
	}
	w.must(w.VerifyHistory(w.ctx, w.aliceSpace.ID))
}

// An address is one person's, in whatever spelling.
//
// Proves SEC-128.
func TestAnAddressIsOneAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, email := range []string{"alice@example.org", " ALICE@example.org ", "Alice@EXAMPLE.ORG"} {
		_, _, err := w.CreateAccount(w.ctx, as.Account{Email: email}, "A space")
		wantCode(t, err, as.Conflict)
		a, err := w.AccountByEmail(w.ctx, email)
		w.must(err)
		if a.ID != w.alice.ID {
			t.Errorf("%q is %s's", email, a.Name)
		}
	}
	for _, email := range []string{"аlice@example.org", "alice\u200b@example.org", "alice@example.org\u202e", "alice", "", "Alice <alice@example.org>"} {
		_, _, err := w.CreateAccount(w.ctx, as.Account{Email: email}, "")
		wantCode(t, err, uma.InvalidRequest)
		if _, err := w.AccountByEmail(w.ctx, email); !errors.Is(err, as.ErrNotFound) {
			t.Errorf("looking for %q gives %v", email, err)
		}
	}
	// A share for an address in another spelling is for the same person.
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, policy.Share{Resource: album, Scopes: scopes("view"), Claims: toEmail("BOB@Example.org", album).Claims})
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
}

// A session ends by itself, by signing out, and is nobody else's.
func TestASessionEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, err := w.NewSession(w.ctx, w.alice.ID)
	w.must(err)
	second, err := w.NewSession(w.ctx, w.alice.ID)
	w.must(err)
	signedIn := func(secret string) bool {
		a, at, err := w.SessionAccount(w.ctx, secret)
		if err != nil && (!errors.Is(err, as.ErrNotFound) || a.ID != "" || !at.IsZero()) {
			t.Errorf("of a session that is over there is %q, %v, %v", a.ID, at, err)
		}
		return err == nil && a.ID == w.alice.ID
	}
	if !signedIn(first) || !signedIn(second) || signedIn(first+"x") || signedIn("") {
		t.Error("the sessions are not those that were opened")
	}
	w.must(w.EndSession(w.ctx, first))
	w.must(w.EndSession(w.ctx, first))
	if signedIn(first) || !signedIn(second) {
		t.Error("signing out ended the wrong session")
	}
	w.advance(12*time.Hour - time.Millisecond)
	if !signedIn(second) {
		t.Error("a session ended too early")
	}
	w.advance(time.Millisecond)
	if signedIn(second) {
		t.Error("a session does not end")
	}
}
