package as_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Who comes with nothing learns nothing about those whom the owner approved.
func TestNeedInfoDoesNotTellWhoWasApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	s := w.submit(perm(photo, "view"))
	_, err := w.Approve(w.ctx, w.aliceOwner, w.pending().ID, nil, time.Time{})
	w.must(err)
	w.granted(w.c1, with(s.Ticket))
	n := redeemed[as.NeedInfo](w, w.c1, with(w.ticket(w.alice1, perm(photo, "view"))))
	for _, c := range n.RequiredClaims {
		if strings.Contains(c.FriendlyName, "bob") || strings.Contains(strings.Join(c.Issuer, " "), "bob") {
			t.Errorf("need_info asks a stranger for %+v", c)
		}
	}
}

// That one was approved does not keep another from asking the owner.
func TestAnApprovalDoesNotCloseTheWayToTheOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	s := w.submit(perm(photo, "view")) // Bob, by the claims provider
	_, err := w.Approve(w.ctx, w.aliceOwner, w.pending().ID, nil, time.Time{})
	w.must(err)
	w.granted(w.c1, with(s.Ticket))
	// Carlos, by his account here, can never bring a "sub" of the provider.
	redeemed[as.Submitted](w, w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(photo, "view")), w.carlos, false)))
}

func TestTheIntervalStaysWithinTheTicketsLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Lifetimes.Poll = time.Minute })
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	s := w.submit(perm(photo, "view"))
	for range 8 {
		s = redeemed[as.Submitted](w, w.c1, with(s.Ticket))
	}
	w.advance(time.Duration(s.Interval) * time.Second)
	redeemed[as.Submitted](w, w.c1, with(s.Ticket))
}

func TestImpatienceNeverShortensTheInterval(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Lifetimes.Interval = 10 * time.Minute })
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	s := w.submit(perm(photo, "view"))
	if next := redeemed[as.Submitted](w, w.c1, with(s.Ticket)); next.Interval < s.Interval {
		t.Errorf("polling too fast shortens the interval from %d s to %d s", s.Interval, next.Interval)
	}
}

// What a replayed process led to is revoked also where an upgrade carried it.
func TestReplayRevokesWhatAnUpgradeCarriedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.RevokeOnReplay = true })
	album, photo := w.register(w.alice1, "album", "view"), w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	w.share(w.aliceOwner, toBob(photo, "view"))
	first := w.ticket(w.alice1, perm(album, "view"))
	g := w.granted(w.c1, w.asBob(first))
	up := w.granted(w.c1, w.upgrading(w.ticket(w.alice1, perm(photo, "view")), g.AccessToken))
	w.refused(w.c2, with(first), uma.InvalidGrant)
	for _, p := range w.permissions(w.alice1, up.AccessToken) {
		if p == string(album)+":view" {
			t.Error("the replayed process's permission lives on in the upgraded RPT")
		}
	}
}

// A replay after a sweep is invalid_grant, like any.
func TestAReplayIsRefusedAlsoWhenWhatItLedToIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.RevokeOnReplay, c.Lifetimes.Dormant = true, time.Hour })
	c := w.registeredFor("view")
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, askMe(album, "view"))
	s := redeemed[as.Submitted](w, c, withToken(w.ticket(w.alice1, perm(album, "view")), w.idToken("bob", members{"aud": string(c.ID)})))
	_, err := w.Approve(w.ctx, w.aliceOwner, w.pending().ID, nil, time.Time{})
	w.must(err)
	w.granted(c, with(s.Ticket))
	w.advance(2 * time.Hour)
	_, err = w.Sweep(w.ctx, 1000)
	w.must(err)
	w.refused(c, with(s.Ticket), uma.InvalidGrant)
}

// Protection does not lapse when the person who connected a resource server has
// no role any more: the PAT is the space's. What acts for the person ends.
func TestAPATOutlivesTheRoleItWasMadeUnderAndAPolicyTokenDoesNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.store.Update(w.ctx, func(tx as.Tx) error {
		return tx.PutRole(as.Role{Account: w.bob.ID, Space: w.aliceSpace.ID, Kind: as.RoleDelegate, EndsAt: w.Now().Add(time.Minute)})
	}))
	pat := w.token(w.rs1, w.bob, w.aliceSpace, uma.ScopeProtection)
	policies := w.token(w.rs1, w.bob, w.aliceSpace, oauth.ScopePolicy)
	_, err := w.AuthenticateOwner(w.ctx, policies)
	w.must(err)
	w.advance(time.Minute)
	got, err := w.AuthenticatePAT(w.ctx, pat)
	w.must(err)
	_, err = w.AuthenticateOwner(w.ctx, policies)
	wantCode(t, err, uma.InvalidToken)
	// Whoever manages the space ends it.
	w.must(w.Disconnect(w.ctx, w.aliceOwner, got.Grant))
	_, err = w.AuthenticatePAT(w.ctx, pat)
	wantCode(t, err, uma.InvalidToken)
}

// A resource server that the owner disconnected sees no RPT as active, however
// it authenticates.
func TestADisconnectedResourceServersRPTsAreInactive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	w.must(w.Disconnect(w.ctx, w.aliceOwner, w.alice1.Grant))
	i, err := w.IntrospectAsClient(w.ctx, w.rs1, g.AccessToken)
	w.must(err)
	if i.Active {
		t.Error("an RPT of a disconnected resource server is active")
	}
}

// A fetch that fails, because of a junk kid or a hiccup, does not make good
// keys bad.
func TestAFailedRefetchKeepsTheKeysThatAreFresh(t *testing.T) {
	t.Parallel()
	w, site, album := newSiteWorld(t)
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	w.advance(time.Minute)
	good, set := w.key, site.set.Load()
	var err error
	w.key, err = oauth.GenerateKey(rand.Reader, oauth.ES256)
	w.must(err)
	site.set.Store(nil)
	redeemed[as.NeedInfo](w, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	w.key = good
	site.set.Store(set)
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
}

// The same text in another spelling of time or of nothing is no change.
func TestWritingTheSameShareAgainEndsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	wish := toBob(album, "view")
	wish.NotAfter = w.Now().Add(time.Hour).In(time.FixedZone("", 3600))
	s := w.share(w.aliceOwner, wish)
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	wish.Claims = []policy.Claim{wish.Claims[0]}
	_, err := w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, 0, wish)
	w.must(err)
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"))
}

// An organisation that does not exist is a refusal and no failure.
func TestClientCredentialsForASpaceThatIsGoneAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _, err := w.RegisterClient(w.ctx, oauth.Client{
		AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantClientCredentials}, Scopes: []uma.Scope{uma.ScopeProtection}, Space: "nowhere",
	})
	if err != nil {
		return // refused at registration is as good
	}
	_, err = w.ClientCredentials(w.ctx, c, nil)
	wantCode(t, err, uma.UnauthorizedClient)
}

// What fails gives nothing away: no token comes with an error.
func TestNoResultComesWithAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	config := w.Config
	config.Store = failsAfterwards{w.store}
	s := w.Server
	broken, err := as.New(w.ctx, config)
	w.must(err)
	g := w.granted(w.c1, with(w.ticket(w.alice1, perm(album, "view"))))
	ticket := w.ticket(w.alice1, perm(album, "view"))
	code, verifier := w.code(w.rs1, uma.ScopeProtection)
	w.Server = broken
	if r, err := w.Redeem(w.ctx, w.c1, with(ticket), ""); err == nil || r != nil {
		t.Errorf("Redeem gives %T with %v", r, err)
	}
	if a, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil); err == nil || a != (uma.TokenResponse{}) {
		t.Errorf("Refresh gives a token with %v", err)
	}
	if a, err := w.ExchangeCode(w.ctx, w.rs1, code, "", verifier); err == nil || a != (uma.TokenResponse{}) {
		t.Errorf("ExchangeCode gives a token with %v", err)
	}
	w.Server = s
}

// failsAfterwards commits, and says that it cannot tell.
type failsAfterwards struct{ as.Store }

func (s failsAfterwards) Update(ctx context.Context, f func(as.Tx) error) error {
	if err := s.Store.Update(ctx, f); err != nil {
		return err
	}
	return errBroken
}

// When another person goes on with a process, that person's wish is what the
// owner sees and decides.
func TestTheOwnerIsAskedAboutWhoIsThereNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	s := w.submit(perm(photo, "view")) // Bob
	redeemed[as.Submitted](w, w.c1, with(w.visit(w.c1, s.Ticket, w.carlos, false)))
	list, err := w.Requests(w.ctx, w.aliceOwner, as.RequestPending, as.Page{Limit: 10})
	w.must(err)
	for _, q := range list {
		if q.Subject == issuer+"#"+string(w.carlos.ID) {
			return
		}
	}
	t.Errorf("Carlos waits for a request that is about %s", list[0].Subject)
}
