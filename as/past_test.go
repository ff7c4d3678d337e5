package as_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

func (w *world) versions(f as.VersionFilter) []as.ShareVersion {
	w.t.Helper()
	list, err := w.ShareVersions(w.ctx, w.aliceOwner, f, as.Page{Limit: 100})
	w.must(err)
	return list
}

// endings are how the versions ended, by now.
func (w *world) endings(f as.VersionFilter) []as.ShareEnd {
	var out []as.ShareEnd
	for _, v := range w.versions(f) {
		_, how := v.EndedAt(w.Now())
		out = append(out, how)
	}
	return out
}

func (w *world) lastEvent() as.Event {
	list := w.events(w.aliceSpace.ID)
	return list[len(list)-1]
}

func TestEveryVersionOfAShareIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", "edit")
	begun := w.Now()
	share := w.share(w.aliceOwner, toBob(album, "view"))
	w.advance(time.Hour)
	wider := toBob(album, "view", "edit")
	wider.NotAfter = w.Now().Add(2 * time.Hour)
	_, err := w.ReplaceShare(w.ctx, w.aliceOwner, share.ID, 0, wider)
	w.must(err)
	// The same again is no version.
	_, err = w.ReplaceShare(w.ctx, w.aliceOwner, share.ID, 0, wider)
	w.must(err)
	w.advance(time.Hour)
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, share.ID, 0))

	list := w.versions(as.VersionFilter{Share: share.ID})
	if len(list) != 2 {
		t.Fatalf("%d versions, want 2", len(list))
	}
	first, second := list[0], list[1]
	if !first.UpdatedAt.Equal(begun) || !first.Ending.At.Equal(begun.Add(time.Hour)) || first.Ending.How != as.EndReplaced ||
		first.Ending.By != string(w.alice.ID) || first.UpdatedBy != string(w.alice.ID) || !slices.Equal(first.Scopes, scopes("view")) {
		t.Errorf("the first version is %+v", first)
	}
	if second.Ending.How != as.EndWithdrawn || second.Ending.Event != w.lastEvent().Seq || !slices.Equal(second.Scopes, scopes("view", "edit")) {
		t.Errorf("the second version is %+v", second)
	}
	for at, want := range map[time.Duration][]bool{-1: {false, false}, 0: {true, false}, time.Hour - 1: {true, false}, time.Hour: {false, true}, 2 * time.Hour: {false, false}} {
		if got := []bool{first.InForce(begun.Add(at)), second.InForce(begun.Add(at))}; !slices.Equal(got, want) {
			t.Errorf("after %s in force: %v, want %v", at, got, want)
		}
	}
	if others := w.versionsOf(w.annaOwner, share.ID); len(others) != 0 {
		t.Error("another owner reads what a share was")
	}
}

func (w *world) versionsOf(o as.Owner, id policy.ShareID) []as.ShareVersion {
	list, err := w.ShareVersions(w.ctx, o, as.VersionFilter{Share: id}, as.Page{Limit: 9})
	w.must(err)
	return list
}

func TestAVersionEndsByItselfOrWithItsResource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo := w.register(w.alice1, "album", "view"), w.register(w.alice1, "photo", "view")
	short := toBob(album, "view")
	short.NotAfter = w.Now().Add(time.Hour)
	w.share(w.aliceOwner, short)
	w.share(w.aliceOwner, toBob(photo, "view"))
	w.advance(2 * time.Hour)
	w.must(w.DeregisterResource(w.ctx, w.alice1, photo))
	for id, want := range map[uma.ResourceID]as.ShareEnd{album: as.EndExpired, photo: as.EndGone} {
		if got := w.endings(as.VersionFilter{Resource: id}); !slices.Equal(got, []as.ShareEnd{want}) {
			t.Errorf("the version ended: %v, want %v", got, want)
		}
	}
	// What was over before anybody withdrew it has ended by itself.
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, w.versions(as.VersionFilter{Resource: album})[0].ID, 0))
	if got := w.endings(as.VersionFilter{Resource: album}); !slices.Equal(got, []as.ShareEnd{as.EndExpired}) {
		t.Errorf("the version that was over ended: %v", got)
	}
	list := w.must2(w.PastResources(photo))
	if len(list) != 1 || list[0].Description.Name != "photo" || !list[0].Until.Equal(w.Now()) {
		t.Errorf("what the photo was: %+v", list)
	}
}

func (w *world) PastResources(id uma.ResourceID) (list []as.PastResource, err error) {
	return list, w.store.View(w.ctx, func(r as.Reader) error {
		list, err = r.PastResources(w.aliceSpace.ID, id, time.Time{}, 10)
		return err
	})
}

func (w *world) must2(list []as.PastResource, err error) []as.PastResource {
	w.t.Helper()
	w.must(err)
	return list
}

// What is brought back is a new wish: whoever was let in by the old one asks anew.
func TestRestoringAShareRevivesNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	share := w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, share.ID, 0))
	ref := as.VersionRef{Share: share.ID, Version: share.Version}

	_, err := w.RestoreShare(w.ctx, w.annaOwner, ref)
	wantCode(t, err, uma.NotFound)
	_, err = w.RestoreShare(w.ctx, w.aliceOwner, as.VersionRef{Share: share.ID, Version: 2})
	wantCode(t, err, uma.NotFound)
	back, err := w.RestoreShare(w.ctx, w.aliceOwner, ref)
	w.must(err)
	if e := w.lastEvent(); e.Kind != as.EventShareRestored || e.Subject != string(back.ID) || back.ID == share.ID {
		t.Errorf("the share came back as %q, with the event %s about %q", back.ID, e.Kind, e.Subject)
	}
	w.wantDead(w.alice1, g.AccessToken)
	_, err = w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	wantCode(t, err, uma.InvalidGrant)
	anew := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	// Asking twice makes one share.
	again, err := w.RestoreShare(w.ctx, w.aliceOwner, ref)
	w.must(err)
	if again.ID != back.ID {
		t.Error("bringing it back twice made two shares")
	}
	w.wantPermissions(w.alice1, anew.AccessToken, perm(album, "view"))
}

func TestAnEarlierVersionComesBackAsALaterOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", "edit")
	share := w.share(w.aliceOwner, toBob(album, "view"))
	_, err := w.ReplaceShare(w.ctx, w.aliceOwner, share.ID, 0, toBob(album, "view", "edit"))
	w.must(err)
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view", "edit"))))
	back, err := w.RestoreShare(w.ctx, w.aliceOwner, as.VersionRef{Share: share.ID, Version: 1})
	w.must(err)
	if back.ID != share.ID || back.Version != 3 || !slices.Equal(back.Scopes, scopes("view")) {
		t.Errorf("it came back as version %d with %v", back.Version, back.Scopes)
	}
	w.wantDead(w.alice1, g.AccessToken)
	if n := len(w.versions(as.VersionFilter{Share: share.ID})); n != 3 {
		t.Errorf("%d versions are known, want 3", n)
	}
}

func TestWhatIsOverOrGoneDoesNotComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo := w.register(w.alice1, "album", "view", "edit"), w.register(w.alice1, "photo", "view")
	wish := toBob(album, "view")
	wish.NotAfter = w.Now().Add(time.Hour)
	over, narrow, gone := w.share(w.aliceOwner, wish), w.share(w.aliceOwner, toBob(album, "edit")), w.share(w.aliceOwner, toBob(photo, "view"))
	for _, share := range []as.Share{over, narrow} {
		w.must(w.WithdrawShare(w.ctx, w.aliceOwner, share.ID, 0))
	}
	w.must(w.DeregisterResource(w.ctx, w.alice1, photo))
	event := w.lastEvent().Seq
	w.update(w.alice1, album, "album", "view")
	w.advance(time.Hour)
	for _, c := range []struct {
		share as.Share
		code  uma.Code
	}{{over, uma.InvalidRequest}, {narrow, uma.InvalidScope}, {gone, uma.InvalidResourceID}} {
		_, err := w.RestoreShare(w.ctx, w.aliceOwner, as.VersionRef{Share: c.share.ID, Version: 1})
		wantCode(t, err, c.code)
	}
	for _, nothing := range []int64{event, 0, -1, 99} {
		_, err := w.Undo(w.ctx, w.aliceOwner, nothing)
		wantCode(t, err, as.Conflict)
	}
}

func TestEverythingOfAPersonIsWithdrawnAtOnceAndBroughtBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo, diary := w.register(w.alice1, "album", "view"), w.register(w.alice2, "photo", "view"), w.register(w.alice1, "diary", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	both := toBob(photo, "view")
	both.Claims[0].Values = append(both.Claims[0].Values, "carlos@example.org")
	shared := w.share(w.aliceOwner, both)
	// Alice said yes to Bob when he asked; she knows him by his address.
	w.share(w.aliceOwner, askMe(diary, "view"))
	sub := redeemed[as.Submitted](w, w.c1, w.asBob(w.ticket(w.alice1, perm(diary, "view"))))
	asked, err := w.Requests(w.ctx, w.aliceOwner, as.RequestPending, as.Page{Limit: 1})
	w.must(err)
	_, err = w.Approve(w.ctx, w.aliceOwner, asked[0].ID, nil, time.Time{})
	w.must(err)
	w.advance(time.Minute)
	bobs := []as.Granted{
		w.granted(w.c1, with(sub.Ticket)), w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view")))),
		w.granted(w.c1, w.asBob(w.ticket(w.alice2, perm(photo, "view")))),
	}
	bob := policy.Party{Kind: policy.PartyEmail, Value: "bob@example.org"}
	impact, err := w.impact(w.aliceOwner, as.Target{Person: bob})
	w.must(err)
	if impact.Shares != 3 || impact.Tokens != 3 || len(impact.Apps) != 1 || impact.Apps[0].Name != "The first app" || impact.Apps[0].Tokens != 3 || len(impact.StillOpen) != 0 {
		t.Errorf("the impact is %+v", impact)
	}
	done, err := w.WithdrawAll(w.ctx, w.aliceOwner, as.Target{Person: bob})
	w.must(err)
	if e := w.lastEvent(); done.Shares != 3 || done.Event != e.Seq || e.Kind != as.EventSharesWithdrawn || e.Actor != string(w.alice.ID) {
		t.Errorf("what was done: %+v; the event: %+v", done, e)
	}
	for i, g := range bobs {
		pat := []as.PAT{w.alice1, w.alice1, w.alice2}[i]
		w.wantDead(pat, g.AccessToken)
	}
	w.granted(w.c1, withToken(w.ticket(w.alice2, perm(photo, "view")), w.idToken("carlos", nil)))
	// Another owner cannot bring it back, and Alice can, once.
	_, err = w.Undo(w.ctx, w.annaOwner, done.Event)
	wantCode(t, err, as.Conflict)
	for range 2 {
		back, err := w.Undo(w.ctx, w.aliceOwner, done.Event)
		if len(back) > 3 || err != nil && len(back) > 0 {
			t.Errorf("%d shares came back with %v", len(back), err)
		}
	}
	list, err := w.ListShares(w.ctx, w.aliceOwner, as.Page{Limit: 99})
	w.must(err)
	if len(list) != 4 {
		t.Errorf("there are %d shares after it was undone twice, want 4", len(list))
	}
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(diary, "view"))))
	now, err := w.ReadShare(w.ctx, w.aliceOwner, shared.ID)
	w.must(err)
	if len(now.Parties()) != 2 {
		t.Error("the share for two is not for two again")
	}
	w.must(w.VerifyHistory(w.ctx, w.aliceSpace.ID))
}

// Nothing keeps an owner from stopping somebody.
func TestAPersonIsStoppedAlsoWhereAScopeIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", "edit")
	wish := toBob(album, "view", "edit")
	wish.Claims[0].Values = append(wish.Claims[0].Values, "carlos@example.org")
	w.share(w.aliceOwner, wish)
	w.update(w.alice1, album, "album", "view")
	_, err := w.WithdrawAll(w.ctx, w.aliceOwner, as.Target{Person: policy.Party{Kind: policy.PartyEmail, Value: "bob@example.org"}})
	w.must(err)
	redeemed[as.NeedInfo](w, w.c1, with(w.ticket(w.alice1, perm(album, "view"))))
	if r := w.redeem(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view")))); is[as.Granted](r) {
		t.Error("Bob was stopped and is let in")
	}
	w.granted(w.c1, withToken(w.ticket(w.alice1, perm(album, "view")), w.idToken("carlos", nil)))
}

// Undoing an act of some time ago does not undo what was wished since.
func TestUndoingLeavesLaterWishesAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", "edit")
	wish := toBob(album, "view")
	wish.Claims[0].Values = append(wish.Claims[0].Values, "carlos@example.org")
	share := w.share(w.aliceOwner, wish)
	done, err := w.WithdrawAll(w.ctx, w.aliceOwner, as.Target{Person: policy.Party{Kind: policy.PartyEmail, Value: "bob@example.org"}})
	w.must(err)
	_, err = w.ReplaceShare(w.ctx, w.aliceOwner, share.ID, 0, toEmail("dora@example.org", album, "edit"))
	w.must(err)
	_, err = w.Undo(w.ctx, w.aliceOwner, done.Event)
	wantCode(t, err, as.Conflict)
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, share.ID, 0))
	_, err = w.Undo(w.ctx, w.aliceOwner, done.Event)
	wantCode(t, err, as.Conflict)
}

func TestEverythingOfAnAppAndOnAThingIsWithdrawnAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo := w.register(w.alice1, "album", "view"), w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	toApp := toAnyone(photo, "view")
	toApp.Client = "c1"
	w.share(w.aliceOwner, toApp)
	first := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	apps := w.granted(w.c1, with(w.ticket(w.alice1, perm(photo, "view"))))
	second := w.granted(w.c2, with(w.visit(w.c2, w.ticket(w.alice1, perm(album, "view")), w.bob, false)))

	impact, err := w.impact(w.aliceOwner, as.Target{App: "c1"})
	w.must(err)
	if impact.Shares != 1 || impact.Tokens != 2 || len(impact.Apps) != 1 {
		t.Errorf("the impact is %+v", impact)
	}
	_, err = w.WithdrawAll(w.ctx, w.aliceOwner, as.Target{App: "c1"})
	w.must(err)
	w.wantDead(w.alice1, first.AccessToken)
	w.wantDead(w.alice1, apps.AccessToken)
	w.wantPermissions(w.alice1, second.AccessToken, perm(album, "view"))
	nothing, err := w.WithdrawAll(w.ctx, w.aliceOwner, as.Target{App: "c1"})
	w.must(err)
	if nothing != (as.Withdrawn{}) {
		t.Errorf("withdrawing nothing did %+v", nothing)
	}

	w.share(w.annaOwner, toAnyone(w.register(w.anna1, "Anna's", "view"), "view"))
	done, err := w.WithdrawAll(w.ctx, w.aliceOwner, as.Target{Resource: album})
	w.must(err)
	if done.Shares != 1 {
		t.Errorf("%d shares were withdrawn from a thing", done.Shares)
	}
	w.wantDead(w.alice1, second.AccessToken)
	for _, bad := range []as.Target{{}, {App: "c1", Resource: album}} {
		_, err := w.WithdrawAll(w.ctx, w.aliceOwner, bad)
		wantCode(t, err, uma.InvalidRequest)
	}
}

func TestImpactTellsWhatElseLetsTheSamePeopleIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", "edit", "download")
	share := w.share(w.aliceOwner, toBob(album, "view", "edit", "download"))
	domain := w.share(w.aliceOwner, toEmail("*@example.org", album, "view"))
	w.share(w.aliceOwner, askMe(album, "edit"))
	w.share(w.aliceOwner, toEmail("carlos@example.org", album, "download"))
	impact, err := w.impact(w.aliceOwner, as.Target{Share: share.ID})
	w.must(err)
	var open []string
	for _, o := range impact.StillOpen {
		open = append(open, string(o.Scope))
	}
	if len(open) == 0 || open[0] != "view" || !slices.Equal(impact.StillOpen[0].Shares, []policy.ShareID{domain.ID}) || slices.Contains(open, "download") {
		t.Errorf("still open: %+v", impact.StillOpen)
	}
	_, err = w.impact(w.annaOwner, as.Target{Share: share.ID})
	wantCode(t, err, uma.NotFound)
}

// The dry run says what a client would be told.
func TestWhatSomebodyCouldDoIsWhatTheyWouldGet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", "edit", "download", "print")
	w.share(w.aliceOwner, toBob(album, "view"))
	w.share(w.aliceOwner, toEmail("carlos@example.org", album, "edit"))
	promised := toBob(album, "download")
	promised.Purpose = "research"
	w.share(w.aliceOwner, promised)
	other := toBob(album, "print")
	other.Client = "c2"
	w.share(w.aliceOwner, other)
	before := len(w.events(w.aliceSpace.ID))

	bob := policy.Party{Kind: policy.PartyEmail, Value: "bob@example.org"}
	could, err := w.Could(w.ctx, w.aliceOwner, as.Supposed{Party: bob, App: "c1"}, []uma.ResourceID{album, "absent", w.register(w.anna1, "Anna's", "view")})
	w.must(err)
	if len(could) != 1 {
		t.Fatalf("%d resources, want 1", len(could))
	}
	want := map[uma.Scope]policy.Outcome{"view": policy.Permit, "edit": policy.Deny, "download": policy.Need, "print": policy.Deny}
	why := map[uma.Scope]policy.Obstacle{"view": policy.NoObstacle, "edit": policy.ObstacleOther, "download": policy.ObstacleNeeds, "print": policy.ObstacleApp}
	for _, s := range could[0].Scopes {
		if s.Outcome != want[s.Scope] {
			t.Errorf("%s: %v, want %v", s.Scope, s.Outcome, want[s.Scope])
		}
		if !slices.ContainsFunc(s.Shares, func(x policy.Weighing) bool { return x.Obstacle == why[s.Scope] }) {
			t.Errorf("%s: the reasons are %v", s.Scope, s.Shares)
		}
		result, err := w.Redeem(w.ctx, w.c1, w.asBob(w.ticket(w.alice1, perm(album, s.Scope))), "")
		var refusal *uma.Error
		if err != nil && !errors.As(err, &refusal) {
			t.Fatal(err)
		}
		if _, granted := result.(as.Granted); granted != (s.Outcome == policy.Permit) {
			t.Errorf("%s: the answer to the client is %T", s.Scope, result)
		}
	}
	if before == 0 {
		t.Error("there is no history")
	}
}

// A wish is supposed to be in force, judged like one that is, and opens nothing.
func TestASupposedWishOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) {
		c.Forbids = `forbid (principal, action == Action::"delete", resource);`
	})
	album := w.register(w.alice1, "album", "view", "edit", "delete")
	w.share(w.aliceOwner, toBob(album, "edit"))
	bob := policy.Party{Kind: policy.PartyEmail, Value: "bob@example.org"}
	wish := toBob(album, "view", "delete")
	wish.ID = "wish"
	outcomes := func(wishes ...policy.Share) map[uma.Scope]policy.Outcome {
		could, err := w.Could(w.ctx, w.aliceOwner, as.Supposed{Party: bob, Wishes: wishes}, []uma.ResourceID{album})
		w.must(err)
		out := map[uma.Scope]policy.Outcome{}
		for _, s := range could[0].Scopes {
			out[s.Scope] = s.Outcome
		}
		return out
	}
	want := map[uma.Scope]policy.Outcome{"view": policy.Permit, "edit": policy.Permit, "delete": policy.Deny}
	if got := outcomes(wish); !maps.Equal(got, want) {
		t.Errorf("supposed, he could %v, want %v", got, want)
	}
	if got := outcomes(); got["view"] != policy.Deny {
		t.Errorf("nothing is supposed, and he could %v", got)
	}
	result, err := w.Redeem(w.ctx, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))), "")
	w.must(err)
	if _, denied := result.(as.Denied); !denied {
		t.Errorf("supposing has opened it: %T", result)
	}
}

func (w *world) impact(o as.Owner, t as.Target) (i as.Impact, err error) {
	err = w.Store.View(w.ctx, func(r as.Reader) error {
		i, err = w.Impact(r, o.Space, t)
		return err
	})
	return i, err
}
