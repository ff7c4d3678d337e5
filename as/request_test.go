package as_test

import (
	"slices"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// pending is the one request that waits for Alice.
func (w *world) pending() as.PendingRequest {
	w.t.Helper()
	list, err := w.Requests(w.ctx, w.aliceOwner, as.RequestPending, as.Page{Limit: 10})
	w.must(err)
	if len(list) != 1 {
		w.t.Fatalf("%d requests wait, want one", len(list))
	}
	return list[0]
}

// submit asks the owner for permissions, as Bob.
func (w *world) submit(asked ...uma.Permission) as.Submitted {
	w.t.Helper()
	return redeemed[as.Submitted](w, w.c1, w.asBob(w.ticket(w.alice1, asked...)))
}

// Proves GRANT-3.3.6-15, GRANT-3.3.6-18, GRANT-3.3.6-20.
func TestPollingEndsWithWhatTheOwnerSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view", "edit")
	w.share(w.aliceOwner, askMe(photo, "view", "edit"))

	s := w.submit(perm(photo, "view", "edit"))
	if s.Interval != 5 {
		t.Errorf("the interval is %d s, want 5", s.Interval)
	}
	w.advance(5 * time.Second)
	s = redeemed[as.Submitted](w, w.c1, with(s.Ticket))
	q := w.pending()
	if q.ClientName != w.c1.Name || !slices.ContainsFunc(q.Facts, func(f policy.Fact) bool { return f.Name == "email" && f.Value == "bob@example.org" }) {
		t.Errorf("the owner sees %q and %v, want the app and Bob", q.ClientName, q.Facts)
	}
	_, err := w.Approve(w.ctx, w.aliceOwner, q.ID, nil, time.Time{})
	w.must(err)
	g := w.granted(w.c1, with(s.Ticket))
	w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view", "edit"))

	s = redeemed[as.Submitted](w, w.c1, withToken(w.ticket(w.alice1, perm(photo, "view")), w.idToken("carlos", nil)))
	_, err = w.Refuse(w.ctx, w.aliceOwner, w.pending().ID)
	w.must(err)
	redeemed[as.Denied](w, w.c1, with(s.Ticket))
}

// A request is asked about once, however often the client polls.
func TestTheOwnerSeesOneRequestForAProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	s := w.submit(perm(photo, "view"))
	for range 5 {
		s = redeemed[as.Submitted](w, w.c1, with(s.Ticket))
	}
	w.pending()
	if n := w.count(w.aliceSpace.ID, as.EventRequestSubmitted); n != 1 {
		t.Errorf("the history tells %d requests, want one", n)
	}
}

// Proves GRANT-5.5-05.
func TestPollingTooFastRaisesTheIntervalAndTheTicketOutlivesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	s := w.submit(perm(photo, "view"))
	last := s.Interval
	for range 12 {
		s = redeemed[as.Submitted](w, w.c1, with(s.Ticket))
		if s.Interval < last || s.Interval == last && last < 300 {
			t.Errorf("after polling too fast the interval goes from %d s to %d s", last, s.Interval)
		}
		last = s.Interval
	}
	for range 3 {
		w.advance(time.Duration(s.Interval) * time.Second)
		s = redeemed[as.Submitted](w, w.c1, with(s.Ticket))
		if s.Interval != last {
			t.Errorf("a client that waits is slowed down from %d s to %d s", last, s.Interval)
		}
	}
	w.advance(24*time.Hour - time.Millisecond)
	s = redeemed[as.Submitted](w, w.c1, with(s.Ticket))
	w.advance(24 * time.Hour)
	w.refused(w.c1, with(s.Ticket), uma.InvalidGrant)
}

// Proves GRANT-5.5-05.
func TestAPollingTicketThatDoesNotOutliveTheIntervalIsRefusedAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		poll, interval time.Duration
		ok             bool
	}{{time.Minute, time.Minute, false}, {time.Minute, 2 * time.Minute, false}, {4 * time.Second, 0, false}, {time.Hour, time.Minute, true}} {
		config := w.Config
		config.Lifetimes = as.Lifetimes{Poll: c.poll, Interval: c.interval}
		if _, err := as.New(w.ctx, config); (err == nil) != c.ok {
			t.Errorf("polls of %v with tickets of %v: %v", c.interval, c.poll, err)
		}
	}
}

// An approval is for a part, for the very person and through the very app.
//
// Proves GRANT-3.3.6-20.
func TestApprovalIsForThePartThePersonAndTheApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view", "edit")
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, askMe(photo, "view", "edit"))
	w.share(w.aliceOwner, askMe(album, "view"))
	s := w.submit(perm(photo, "view", "edit"), perm(album, "view"))
	q, err := w.Approve(w.ctx, w.aliceOwner, w.pending().ID, []uma.Permission{perm(photo, "view")}, w.Now().Add(time.Hour))
	w.must(err)
	g := w.granted(w.c1, with(s.Ticket))
	w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))

	if len(q.Shares) != 1 {
		t.Fatalf("the approval made %d shares, want one", len(q.Shares))
	}
	made, err := w.ReadShare(w.ctx, w.aliceOwner, q.Shares[0])
	w.must(err)
	if made.Anyone || made.Ask || made.Client != "c1" || made.Resource != photo || !slices.Equal(made.Scopes, scopes("view")) {
		t.Errorf("the approval made %+v", made.Share)
	}
	// Bob may come again for it, through the same app only.
	again := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(photo, "view"))))
	w.wantPermissions(w.alice1, again.AccessToken, perm(photo, "view"))
	for name, other := range map[string]struct {
		client oauth.Client
		token  string
	}{
		"another app":    {w.c2, w.idToken("bob", map[string]any{"aud": "c2"})},
		"another person": {w.c1, w.idToken("carlos", nil)},
		// The same name and address, but another subject.
		"a namesake": {w.c1, w.idToken("bob2", map[string]any{"email": "bob@example.org"})},
	} {
		if r := w.redeem(other.client, withToken(w.ticket(w.alice1, perm(photo, "view")), other.token)); !is[as.Submitted](r) {
			t.Errorf("%s: the answer is %T, want request_submitted", name, r)
		}
	}
	// It ends when the owner said, and when the owner withdraws it.
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, made.ID, 0))
	w.wantDead(w.alice1, g.AccessToken)
	w.wantDead(w.alice1, again.AccessToken)
}

// The subject of one issuer is not the subject of another.
func TestApprovalIsForTheSubjectOfItsIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	// Bob's account here, and somebody of the claims provider with the same id.
	s := redeemed[as.Submitted](w, w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(photo, "view")), w.bob, false)))
	_, err := w.Approve(w.ctx, w.aliceOwner, w.pending().ID, nil, time.Time{})
	w.must(err)
	w.granted(w.c1, with(s.Ticket))
	twin := w.idToken(string(w.bob.ID), nil)
	if r := w.redeem(w.c1, withToken(w.ticket(w.alice1, perm(photo, "view")), twin)); is[as.Granted](r) {
		t.Error("the claims provider's namesake of Bob's account got what Bob was given")
	}
}

func TestApprovalEndsWhenTheOwnerSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	s := w.submit(perm(photo, "view"))
	_, err := w.Approve(w.ctx, w.aliceOwner, w.pending().ID, nil, w.Now().Add(time.Minute))
	w.must(err)
	g := w.granted(w.c1, with(s.Ticket))
	if g.ExpiresIn > 60 {
		t.Errorf("the RPT lives %d s, and the permission 60 s", g.ExpiresIn)
	}
	w.advance(time.Minute - time.Millisecond)
	w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))
	w.advance(time.Millisecond)
	w.wantDead(w.alice1, g.AccessToken)
	_, err = w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	wantCode(t, err, uma.InvalidGrant)
}

func TestOnlyWhatWasAskedForCanBeApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view", "edit")
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, askMe(photo, "view", "edit"))
	s := w.submit(perm(photo, "view"))
	id := w.pending().ID
	for _, granted := range [][]uma.Permission{
		{}, {perm(photo, "edit")}, {perm(photo, "view", "edit")}, {perm(album, "view")}, {perm(photo, "view"), perm(album, "view")},
		{perm(photo)}, {perm(photo, "view"), perm(photo, "view")},
	} {
		_, err := w.Approve(w.ctx, w.aliceOwner, id, granted, time.Time{})
		wantCode(t, err, uma.InvalidRequest)
	}
	_, err := w.Approve(w.ctx, w.aliceOwner, id, nil, w.Now())
	wantCode(t, err, uma.InvalidRequest)
	redeemed[as.Submitted](w, w.c1, with(s.Ticket))
}

// What was taken back meanwhile is not approved, though the owner says yes to
// all of it.
func TestApprovalIsOfWhatIsStillRegistered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view", "edit")
	gone := w.register(w.alice1, "gone", "view")
	w.share(w.aliceOwner, askMe(photo, "view", "edit"))
	w.share(w.aliceOwner, askMe(gone, "view"))
	s := w.submit(perm(photo, "view", "edit"), perm(gone, "view"))
	w.update(w.alice1, photo, "photo", "view")
	w.must(w.DeregisterResource(w.ctx, w.alice1, gone))
	_, err := w.Approve(w.ctx, w.aliceOwner, w.pending().ID, nil, time.Time{})
	w.must(err)
	w.wantPermissions(w.alice1, w.granted(w.c1, with(s.Ticket)).AccessToken, perm(photo, "view"))
}

func TestARequestIsDecidedOnceAndInItsOwnSpaceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	w.submit(perm(photo, "view"))
	id := w.pending().ID

	_, err := w.Approve(w.ctx, w.annaOwner, id, nil, time.Time{})
	wantCode(t, err, uma.NotFound)
	_, err = w.Refuse(w.ctx, w.annaOwner, id)
	wantCode(t, err, uma.NotFound)
	_, err = w.ReadRequest(w.ctx, w.annaOwner, id)
	wantCode(t, err, uma.NotFound)
	list, err := w.Requests(w.ctx, w.annaOwner, "", as.Page{Limit: 10})
	w.must(err)
	if len(list) != 0 {
		t.Errorf("Anna sees %d requests of Alice's", len(list))
	}

	_, errs := race(8, func(i int) (as.PendingRequest, error) {
		if i%2 == 0 {
			return w.Approve(w.ctx, w.aliceOwner, id, nil, time.Time{})
		}
		return w.Refuse(w.ctx, w.aliceOwner, id)
	})
	oneWinner(t, errs, as.Conflict)
	before := w.events(w.aliceSpace.ID)
	_, err = w.Approve(w.ctx, w.aliceOwner, id, nil, time.Time{})
	wantCode(t, err, as.Conflict)
	_, err = w.Refuse(w.ctx, w.aliceOwner, id)
	wantCode(t, err, as.Conflict)
	if len(w.events(w.aliceSpace.ID)) != len(before) {
		t.Error("a decision that came too late is in the history")
	}
}

// An approval is not undone by another request of the same process's person.
func TestADenialIsFinalForItsProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, askMe(photo, "view"))
	s := w.submit(perm(photo, "view"))
	_, err := w.Refuse(w.ctx, w.aliceOwner, w.pending().ID)
	w.must(err)
	redeemed[as.Denied](w, w.c1, with(s.Ticket))
	w.refused(w.c1, with(s.Ticket), uma.InvalidGrant)
}
