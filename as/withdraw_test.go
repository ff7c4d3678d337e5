package as_test

import (
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// Whatever ends a permission ends it for introspection and for refresh at once.
//
// Proves GRANT-6.1-02, FED-3-01, SEC-028, SEC-051, SEC-092.
func TestWhatIsWithdrawnIsGoneFromIntrospectionAndRefreshAtOnce(t *testing.T) {
	for name, end := range map[string]func(w *world, id uma.ResourceID, s as.Share){
		"the share is withdrawn": func(w *world, _ uma.ResourceID, s as.Share) {
			w.must(w.WithdrawShare(w.ctx, w.aliceOwner, s.ID, s.Version))
		},
		"the share is for somebody else now": func(w *world, id uma.ResourceID, s as.Share) {
			_, err := w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, s.Version, toEmail("carlos@example.org", id, "view", "edit"))
			w.must(err)
		},
		"the share has more conditions": func(w *world, id uma.ResourceID, s as.Share) {
			wish := toBob(id, "view", "edit")
			wish.Purpose = "research"
			_, err := w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, 0, wish)
			w.must(err)
		},
		"the share wants the owner asked": func(w *world, id uma.ResourceID, s as.Share) {
			wish := toBob(id, "view", "edit")
			wish.Ask = true
			_, err := w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, 0, wish)
			w.must(err)
		},
		"the share is of another resource": func(w *world, _ uma.ResourceID, s as.Share) {
			other := w.register(w.alice1, "other", "view", "edit")
			_, err := w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, 0, toBob(other, "view", "edit"))
			w.must(err)
		},
		"the resource is deregistered": func(w *world, id uma.ResourceID, _ as.Share) {
			w.must(w.DeregisterResource(w.ctx, w.alice1, id))
		},
		"the scopes are no longer registered": func(w *world, id uma.ResourceID, _ as.Share) {
			w.update(w.alice1, id, "album", "download")
		},
		"everything is stopped": func(w *world, _ uma.ResourceID, _ as.Share) {
			w.stopEverything()
		},
		"the client is disabled": func(w *world, _ uma.ResourceID, _ as.Share) {
			c := w.c1
			c.Disabled = true
			_, _, err := w.RegisterClient(w.ctx, c)
			w.must(err)
		},
		"the requesting party's account is disabled": func(w *world, _ uma.ResourceID, _ as.Share) {
			w.must(w.DisableAccount(w.ctx, w.bob.ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			album := w.register(w.alice1, "album", "view", "edit", "download")
			s := w.share(w.aliceOwner, toBob(album, "view", "edit"))
			g := w.granted(w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(album, "view", "edit")), w.bob, false)))
			// The control: somebody and something that is not concerned.
			kept := w.register(w.anna1, "Anna's", "view")
			w.share(w.annaOwner, toAnyone(kept, "view"))
			annas := w.granted(w.c2, with(w.ticket(w.anna1, perm(kept, "view"))))
			narrow, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, scopes("view"))
			w.must(err)

			w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view", "edit"))
			end(w, album, s)
			w.wantDead(w.alice1, g.AccessToken)
			w.wantDead(w.alice1, narrow.AccessToken)
			i, err := w.IntrospectAsClient(w.ctx, w.rs1, g.AccessToken)
			w.must(err)
			if i.Active {
				t.Error("a resource server that authenticates as a client still sees the RPT as active")
			}
			_, err = w.Refresh(w.ctx, w.c1, narrow.RefreshToken, nil)
			wantCode(t, err, uma.InvalidGrant)
			w.wantPermissions(w.anna1, annas.AccessToken, perm(kept, "view"))
			_, err = w.Refresh(w.ctx, w.c2, annas.RefreshToken, nil)
			w.must(err)
		})
	}
}

// Proves FED-5.1.1-05, SEC-028, SEC-051.
func TestALostScopeIsGoneAndTheOthersGoWithTheOldDescription(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, other := w.register(w.alice1, "album", "view", "edit"), w.register(w.alice1, "other", "view")
	w.share(w.aliceOwner, toBob(album, "view", "edit"))
	w.share(w.aliceOwner, toBob(other, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view", "edit"), perm(other, "view"))))
	// One that is added takes nothing away.
	w.update(w.alice1, album, "album", "view", "edit", "download")
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view", "edit"), perm(other, "view"))
	// One that is taken away is gone everywhere, and what else was granted on
	// the resource is never more than before.
	w.update(w.alice1, album, "album", "view")
	for _, p := range w.permissions(w.alice1, g.AccessToken) {
		if p == string(album)+":edit" {
			t.Error("a scope that is not registered is introspected")
		}
	}
	answer, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	w.must(err)
	_, err = w.Refresh(w.ctx, w.c1, answer.RefreshToken, scopes("edit"))
	wantCode(t, err, uma.InvalidScope)
	// One that returns brings nothing back.
	w.update(w.alice1, album, "album", "view", "edit")
	for _, token := range []string{g.AccessToken, answer.AccessToken} {
		for _, p := range w.permissions(w.alice1, token) {
			if p == string(album)+":edit" {
				t.Error("a scope that left and returned brought a permission back")
			}
		}
	}
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "edit"))))
}

// Proves SEC-027, SEC-028, FED-3-01, WE-7.
func TestATicketIsReadThroughWhatIsRegisteredNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo := w.register(w.alice1, "album", "view", "print"), w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toBob(album, "view", "print"))
	w.share(w.aliceOwner, toBob(photo, "view"))
	w.share(w.aliceOwner, toAnyone(album))
	both := w.ticket(w.alice1, perm(album, "view", "print"), perm(photo, "view"))
	one, onlyPrint := w.ticket(w.alice1, perm(photo, "view")), w.ticket(w.alice1, perm(album, "print"))
	stored := w.storedTicket(w.alice1, perm(photo, "view"))
	w.update(w.alice1, album, "album", "view")
	w.must(w.DeregisterResource(w.ctx, w.alice1, photo))
	// Registered anew with the same name, it is another resource.
	reborn := w.register(w.alice1, "photo", "view")

	w.wantPermissions(w.alice1, w.granted(w.c1, w.asBob(both)).AccessToken, perm(album, "view"))
	w.refused(w.c1, w.asBob(one), uma.InvalidGrant)
	if r := w.redeem(w.c1, w.asBob(stored)); is[as.Granted](r) {
		t.Error("a ticket for a resource that is gone was granted")
	}
	redeemed[as.Denied](w, w.c1, w.asBob(onlyPrint))
	redeemed[as.Denied](w, w.c1, w.asBob(w.ticket(w.alice1, perm(reborn, "view"))))
	_, err := w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(photo, "view")})
	wantCode(t, err, uma.InvalidResourceID)
}

// "Stop everything" ends the shares, too, in the same act. What is brought back are the
// shares, for whoever comes anew; what was ended by it stays ended.
//
// Proves SEC-031, FED-8-02.
func TestStopEverythingEndsPATsAndOwnersTokensToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	pat, app := w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection), w.token(w.app, w.alice, w.aliceSpace, oauth.ScopePolicy)
	annas := w.token(w.rs1, w.anna, w.annaSpace, uma.ScopeProtection)
	ticket := w.ticket(w.alice1, perm(album, "view"))
	done := w.stopEverything()
	_, err := w.AuthenticatePAT(w.ctx, pat)
	wantCode(t, err, uma.InvalidToken)
	_, err = w.AuthenticateOwner(w.ctx, app)
	wantCode(t, err, uma.InvalidToken)
	_, err = w.AuthenticatePAT(w.ctx, annas)
	w.must(err)
	if events := w.events(w.aliceSpace.ID); done.Shares != 1 || done.Event != events[len(events)-1].Seq || events[len(events)-1].Kind != as.EventEverythingStopped {
		t.Errorf("it is not one act: %+v", done)
	}
	redeemed[as.Denied](w, w.c1, w.asBob(ticket))
	back, err := w.Undo(w.ctx, w.aliceOwner, done.Event)
	w.must(err)
	if len(back) != 1 {
		t.Errorf("undone, %d shares are back", len(back))
	}
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	_, err = w.AuthenticatePAT(w.ctx, pat)
	wantCode(t, err, uma.InvalidToken)
}

// Proves FED-8-02, SEC-031, SEC-092.
func TestADisconnectedResourceServerIsOutAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.code(w.rs1, uma.ScopeProtection)
	answer, err := w.ExchangeCode(w.ctx, w.rs1, code, "", verifier)
	w.must(err)
	pat, err := w.AuthenticatePAT(w.ctx, answer.AccessToken)
	w.must(err)
	wantCode(t, w.Disconnect(w.ctx, w.annaOwner, pat.Grant), uma.NotFound)
	wantCode(t, w.Disconnect(w.ctx, w.aliceOwner, "no such grant"), uma.NotFound)
	// An RPT's grant is no connection; withdrawing the share is what ends it.
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	g := w.granted(w.c1, with(w.ticket(w.alice1, perm(album, "view"))))
	events := w.events(w.aliceSpace.ID)
	wantCode(t, w.Disconnect(w.ctx, w.aliceOwner, as.GrantID(events[len(events)-1].Subject)), uma.NotFound)
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"))
	_, err = w.AuthenticatePAT(w.ctx, answer.AccessToken)
	w.must(err)
	w.must(w.Disconnect(w.ctx, w.aliceOwner, pat.Grant))
	_, err = w.AuthenticatePAT(w.ctx, answer.AccessToken)
	wantCode(t, err, uma.InvalidToken)
	_, err = w.Refresh(w.ctx, w.rs1, answer.RefreshToken, nil)
	wantCode(t, err, uma.InvalidGrant)
}

// Proves SEC-031, SEC-092.
func TestADisabledAccountOrClientHasNothingThatWorks(t *testing.T) {
	t.Parallel()
	for name, disable := range map[string]func(*world){
		"account": func(w *world) { w.must(w.DisableAccount(w.ctx, w.alice.ID)) },
		"client": func(w *world) {
			for _, c := range []oauth.Client{w.rs1, w.app} {
				c.Disabled = true
				_, _, err := w.RegisterClient(w.ctx, c)
				w.must(err)
			}
		},
	} {
		w := newWorld(t)
		code, verifier := w.code(w.rs1, uma.ScopeProtection)
		answer, err := w.ExchangeCode(w.ctx, w.rs1, code, "", verifier)
		w.must(err)
		app := w.token(w.app, w.alice, w.aliceSpace, oauth.ScopePolicy)
		session, err := w.NewSession(w.ctx, w.alice.ID)
		w.must(err)
		unused, verifier := w.code(w.rs1, uma.ScopeProtection)
		disable(w)
		_, err = w.AuthenticatePAT(w.ctx, answer.AccessToken)
		wantCode(t, err, uma.InvalidToken)
		_, err = w.AuthenticateOwner(w.ctx, app)
		wantCode(t, err, uma.InvalidToken)
		_, err = w.Refresh(w.ctx, w.rs1, answer.RefreshToken, nil)
		wantCode(t, err, uma.InvalidGrant)
		if name == "client" {
			_, err = w.AuthenticateClient(w.ctx, oauth.Credentials{ID: "rs1", Secret: w.secrets["rs1"], Method: oauth.AuthBasic})
			wantCode(t, err, uma.InvalidClient)
			continue
		}
		_, err = w.ExchangeCode(w.ctx, w.rs1, unused, "", verifier)
		wantCode(t, err, uma.InvalidGrant)
		if _, _, err := w.SessionAccount(w.ctx, session); err == nil {
			t.Error("a disabled account is signed in")
		}
	}
}

var pairs = flag.Int("pairs", 200, "how many refreshes meet a withdrawal")

// Of a refresh and a withdrawal at the same time, either may come first; but
// nothing that exists once the withdrawal is acknowledged permits anything.
//
// Proves SEC-052, GRANT-6.1-02.
func TestNoRefreshOutrunsAWithdrawal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	both := [2]int{}
	for i := range *pairs {
		s := w.share(w.aliceOwner, toBob(album, "view"))
		g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
		ticket := w.asBob(w.ticket(w.alice1, perm(album, "view")))
		var refreshed uma.TokenResponse
		var result as.Result
		var errRefresh, errRedeem error
		var wg sync.WaitGroup
		begun := make(chan struct{}, 2)
		wg.Go(func() {
			begun <- struct{}{}
			refreshed, errRefresh = w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
		})
		if i%4 == 0 {
			wg.Go(func() { result, errRedeem = w.Redeem(w.ctx, w.c1, ticket, "") })
		}
		if i%2 == 0 {
			<-begun // or the withdrawal comes first nearly always
		}
		w.must(w.WithdrawShare(w.ctx, w.aliceOwner, s.ID, 0))
		// Acknowledged. What comes after gets nothing.
		w.wantDead(w.alice1, g.AccessToken)
		wg.Wait()
		w.must(errRedeem)
		minted := []string{g.AccessToken}
		if granted, ok := result.(as.Granted); ok {
			minted = append(minted, granted.AccessToken)
		}
		if errRefresh == nil {
			both[0]++
			minted = append(minted, refreshed.AccessToken)
			_, err := w.Refresh(w.ctx, w.c1, refreshed.RefreshToken, nil)
			wantCode(t, err, uma.InvalidGrant)
		} else {
			both[1]++
			wantCode(t, errRefresh, uma.InvalidGrant)
		}
		for _, token := range minted {
			w.wantDead(w.alice1, token)
		}
	}
	t.Logf("the refresh came first %d times, the withdrawal %d times", both[0], both[1])
}

// A replaced share is judged anew for who comes anew, by its new text alone.
func TestANarrowedShareGivesTheNarrowedScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", "edit")
	s := w.share(w.aliceOwner, toBob(album, "view", "edit"))
	_, err := w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, s.Version+1, toBob(album, "view"))
	wantCode(t, err, as.PreconditionFailed)
	_, err = w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, s.Version, toBob(album, "view"))
	w.must(err)
	wantCode(t, w.WithdrawShare(w.ctx, w.aliceOwner, s.ID, s.Version), as.PreconditionFailed)
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view", "edit"))))
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"))
	// The same text once more is no change, and ends nothing.
	same, err := w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, 0, toBob(album, "view"))
	w.must(err)
	if same.Version != s.Version+1 {
		t.Errorf("writing the same text makes version %d of %d", same.Version, s.Version+1)
	}
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"))
}

// A share that was dormant and comes to life with a new text brings back
// nothing.
//
// Proves SEC-027.
func TestADormantShareBringsNothingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, reborn := w.register(w.alice1, "album", "view"), w.register(w.alice1, "album", "view")
	s := w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	w.must(w.DeregisterResource(w.ctx, w.alice1, album))
	w.advance(time.Minute)
	_, err := w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, 0, toBob(album, "view"))
	wantCode(t, err, uma.InvalidResourceID)
	_, err = w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, 0, toBob(reborn, "view"))
	w.must(err)
	w.wantDead(w.alice1, g.AccessToken)
	w.wantPermissions(w.alice1, w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(reborn, "view")))).AccessToken, perm(reborn, "view"))
}

// stopEverything stops all that is Alice's.
func (w *world) stopEverything() as.Withdrawn {
	w.t.Helper()
	done, err := w.StopEverything(w.ctx, w.aliceOwner)
	w.must(err)
	return done
}
