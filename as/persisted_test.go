package as_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// toBobTheMember needs a claim of Bob's account and one of the claims provider.
func toBobTheMember(id uma.ResourceID) policy.Share {
	wish := toBob(id, "view")
	wish.Claims = append(wish.Claims, policy.Claim{
		RequiredClaim: uma.RequiredClaim{Name: "member", Issuer: []string{provider}}, Values: []string{"gold"},
	})
	return wish
}

// Claims about two persons never come together, in whichever order and by
// whichever way they come.
//
// Proves SEC-048.
func TestClaimsAboutTwoPersonsNeverMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBobTheMember(album))
	ticket := func() uma.Ticket { return w.ticket(w.alice1, perm(album, "view")) }
	carlosGold := func() string { return w.idToken("carlos", members{"member": "gold"}) }

	// The control: one person with both.
	w.granted(w.c1, withToken(ticket(), w.idToken("bob", members{"member": "gold"})))

	// Bob visits, Carlos's token is pushed.
	visited := w.visit(w.c1, ticket(), w.bob, false)
	if r := w.redeem(w.c1, withToken(visited, carlosGold())); is[as.Granted](r) {
		t.Error("Bob's visit and Carlos's token came together")
	}
	// Carlos's token is pushed, then Bob visits.
	if n, ok := w.redeem(w.c1, withToken(ticket(), carlosGold())).(as.NeedInfo); ok {
		if r := w.redeem(w.c1, with(w.visit(w.c1, n.Ticket, w.bob, false))); is[as.Granted](r) {
			t.Error("Carlos's token and Bob's visit came together")
		}
	}
	// The provider's Bob and the provider's somebody else.
	n := redeemed[as.NeedInfo](w, w.c1, w.asBob(ticket()))
	if r := w.redeem(w.c1, withToken(n.Ticket, w.idToken("x", members{"email": nil, "member": "gold"}))); is[as.Granted](r) {
		t.Error("two tokens about two persons came together")
	}
	// Two rounds about one person do come together.
	n = redeemed[as.NeedInfo](w, w.c1, withToken(ticket(), w.idToken("bob", members{"email": nil, "member": "gold"})))
	w.granted(w.c1, w.asBob(n.Ticket))
}

// Proves SEC-048.
func TestAPCTDoesNotCountForAnotherPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	open := w.register(w.alice1, "open", "view")
	w.share(w.aliceOwner, toAnyone(open, "view"))
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))

	switched := w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), w.carlos, false)
	if r := w.redeem(w.c1, uma.TokenRequest{Ticket: switched, PCT: pct}); is[as.Granted](r) {
		t.Error("Carlos got what is Bob's, by Bob's PCT")
	}
	// Where Carlos is granted something of his own, Bob's PCT is not spent, and
	// Carlos gets none.
	switched = w.visit(w.c1, w.ticket(w.alice1, perm(open, "view")), w.carlos, false)
	if g := w.granted(w.c1, uma.TokenRequest{Ticket: switched, PCT: pct}); g.PCT != "" {
		t.Error("Carlos got a PCT that nobody agreed to")
	}
	w.granted(w.c1, uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: pct})
}

// Proves GRANT-3.3.1-08.
func TestAPCTCountsForOtherResourcesServersAndOwners(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	record := w.register(w.alice2, "record", "view")
	w.share(w.aliceOwner, toBob(record, "view"))
	annas := w.register(w.anna1, "Anna's", "view")
	w.share(w.annaOwner, toBob(annas, "view"))
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	for _, ticket := range []uma.Ticket{w.ticket(w.alice2, perm(record, "view")), w.ticket(w.anna1, perm(annas, "view")), w.ticket(w.alice1, perm(album, "view"))} {
		g := w.granted(w.c1, uma.TokenRequest{Ticket: ticket, PCT: pct})
		if g.PCT == "" || g.PCT == pct {
			t.Fatal("the PCT was not rotated")
		}
		pct = g.PCT
	}
}

// Proves GRANT-5.2-03, SEC-047.
func TestAPCTIsOfItsClientAloneAndOfOneUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	use := func(c oauth.Client, pct uma.PCT) as.Result {
		t.Helper()
		return w.redeem(c, uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: pct})
	}
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	for _, thief := range []oauth.Client{w.c2, w.public} {
		before := w.count(w.aliceSpace.ID, as.EventPCTMisused)
		if r := use(thief, pct); !is[as.NeedInfo](r) {
			t.Errorf("with c1's PCT %s got %T, want need_info", thief.ID, r)
		}
		if w.count(w.aliceSpace.ID, as.EventPCTMisused) != before+1 {
			t.Errorf("the history does not tell that %s used c1's PCT", thief.ID)
		}
	}
	next := use(w.c1, pct).(as.Granted).PCT
	if r := use(w.c1, pct); !is[as.NeedInfo](r) {
		t.Errorf("with a rotated PCT the answer is %T, want need_info", r)
	}
	for _, v := range []uma.PCT{"rubbish", next + "\n", next + "=", next[:len(next)-1], uma.PCT(strings.ToUpper(string(next)))} {
		if r := use(w.c1, v); !is[as.NeedInfo](r) {
			t.Errorf("with a variant of a PCT the answer is %T, want need_info", r)
		}
	}
	use(w.c1, next)
}

// What a rotated PCT says does not stay in the process, either, to count later.
//
// Proves SEC-047.
func TestARotatedPCTLeavesNothingInTheProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Lifetimes.PCT = time.Hour })
	album, photo := w.register(w.alice1, "album", "view"), w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	wish := toBob(photo, "view")
	wish.Purpose = "research"
	w.share(w.aliceOwner, wish)
	rotated := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	expired := w.granted(w.c1, uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: rotated}).PCT
	before := w.count(w.aliceSpace.ID, as.EventPCTMisused)
	names := func(pct uma.PCT) []string {
		t.Helper()
		n := redeemed[as.NeedInfo](w, w.c1, uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(photo, "view")), PCT: pct})
		n = redeemed[as.NeedInfo](w, w.c1, with(n.Ticket))
		var out []string
		for _, c := range n.RequiredClaims {
			out = append(out, c.Name)
		}
		slices.Sort(out)
		return out
	}
	if got := names(expired); !slices.Equal(got, []string{"purpose"}) {
		t.Errorf("with a good PCT %v is asked for, want the purpose alone", got)
	}
	if got := names(rotated); !slices.Equal(got, []string{"email", "purpose"}) {
		t.Errorf("with a rotated PCT %v is asked for, want the address, too", got)
	}
	if n := w.count(w.aliceSpace.ID, as.EventPCTMisused) - before; n != 1 {
		t.Errorf("the history tells %d misuses, want one", n)
	}
	w.advance(time.Hour)
	if got := names(expired); !slices.Equal(got, []string{"email", "purpose"}) {
		t.Errorf("with an expired PCT %v is asked for, want the address, too", got)
	}
}

// Proves SEC-047, SEC-094, GRANT-3.7-01.
func TestAPCTEndsWhenItIsRevokedAndWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Lifetimes.PCT, c.Lifetimes.Claims = time.Hour, 2*time.Hour })
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	use := func(pct uma.PCT) as.Result {
		t.Helper()
		return w.redeem(w.c1, uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: pct})
	}
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	w.must(w.Revoke(w.ctx, w.c2, string(pct)))
	pct = use(pct).(as.Granted).PCT
	w.must(w.Revoke(w.ctx, w.c1, string(pct)))
	if r := use(pct); !is[as.NeedInfo](r) {
		t.Errorf("with a revoked PCT the answer is %T, want need_info", r)
	}

	early := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	late := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	w.advance(time.Hour - time.Millisecond)
	if r := use(early); !is[as.Granted](r) {
		t.Errorf("just before its end a PCT gives %T, want an RPT", r)
	}
	w.advance(time.Millisecond)
	if r := use(late); !is[as.NeedInfo](r) {
		t.Errorf("at its end a PCT gives %T, want need_info", r)
	}
}

// A claim ages from when it was acquired: rotating the PCT does not make it
// young.
//
// Proves GRANT-3.3.4-06.
func TestAPersistedClaimAgesThroughEveryPCT(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Lifetimes.Claims = time.Hour })
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	pct := w.pct(w.c1, w.bob, w.ticket(w.alice1, perm(album, "view")))
	use := func() as.Result {
		t.Helper()
		return w.redeem(w.c1, uma.TokenRequest{Ticket: w.ticket(w.alice1, perm(album, "view")), PCT: pct})
	}
	for range 3 {
		w.advance(20*time.Minute - time.Millisecond)
		pct = use().(as.Granted).PCT
	}
	w.advance(3 * time.Millisecond)
	if r := use(); !is[as.NeedInfo](r) {
		t.Errorf("an hour after it was acquired a claim gives %T, want need_info", r)
	}
}

// Proves GRANT-3.3.4-06.
func TestAClaimOfTheProcessAgesToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Lifetimes.Claims, c.Lifetimes.Ticket = time.Minute, time.Hour })
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	early, late := w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), w.bob, false), w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), w.bob, false)
	w.advance(time.Minute - time.Millisecond)
	w.granted(w.c1, with(early))
	w.advance(time.Millisecond)
	redeemed[as.NeedInfo](w, w.c1, with(late))
}

// Proves GRANT-3.3.3-04.
func TestThereIsNoPCTWithoutTheConsentOfWhomItIsAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toAnyone(album, "view"))
	w.share(w.aliceOwner, toBob(album, "view"))
	ticket := func() uma.Ticket { return w.ticket(w.alice1, perm(album, "view")) }
	none := func(name string, g as.Granted) {
		t.Helper()
		if g.PCT != "" {
			t.Errorf("%s: there is a PCT", name)
		}
	}
	none("nobody is known", w.granted(w.c1, with(ticket())))
	none("claims were pushed", w.granted(w.c1, w.asBob(ticket())))
	none("Bob did not agree", w.granted(w.c1, with(w.visit(w.c1, ticket(), w.bob, false))))
	agreed := func() uma.Ticket { return w.visit(w.c1, ticket(), w.bob, true) }
	if w.granted(w.c1, with(agreed())).PCT == "" {
		t.Error("Bob agreed, and there is no PCT")
	}
	none("Bob agreed, and Carlos came", w.granted(w.c1, with(w.visit(w.c1, agreed(), w.carlos, false))))
	none("Bob agreed, and Carlos was pushed", w.granted(w.c1, withToken(agreed(), w.idToken("carlos", nil))))
	none("Bob agreed, and then did not", w.granted(w.c1, with(w.visit(w.c1, agreed(), w.bob, false))))
}

// The PCT goes to its client and to nobody else.
//
// Proves GRANT-5.2-02.
func TestThePCTIsNotShownToAnybodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), w.bob, true)))
	i, err := w.Introspect(w.ctx, w.alice1, g.AccessToken)
	w.must(err)
	var told []string
	told = append(told, i.Subject, i.Scope, i.ClientID)
	for _, e := range w.events(w.aliceSpace.ID) {
		told = append(told, e.Actor, e.Subject, e.Detail)
	}
	if slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, string(g.PCT)) }) {
		t.Error("introspection or the history shows the PCT")
	}
}
