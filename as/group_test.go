package as_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

func (w *world) group(o as.Owner, emails ...string) (as.Group, []as.Member) {
	w.t.Helper()
	g, err := w.CreateGroup(w.ctx, o, "Family")
	w.must(err)
	members := make([]as.Member, len(emails))
	for i, email := range emails {
		members[i], err = w.AddMember(w.ctx, o, g.ID, email)
		w.must(err)
	}
	return g, members
}

func toGroup(g policy.GroupID, id uma.ResourceID, scopes ...uma.Scope) policy.Share {
	return policy.Share{Resource: id, Scopes: scopes, Group: g}
}

func (w *world) asCarlos(ticket uma.Ticket) uma.TokenRequest {
	return withToken(ticket, w.idToken("carlos", nil))
}

// Whoever is taken out of a group, in whatever way, loses at once what was granted
// to them as its member, over every path by which an RPT is used.
func TestWhoLeavesAGroupLosesWhatTheyHadByIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		leave        func(w *world, g as.Group, bob as.Member, share as.Share)
		othersRemain bool
	}{
		"a member is removed": {func(w *world, g as.Group, bob as.Member, _ as.Share) {
			w.must(w.RemoveMember(w.ctx, w.aliceOwner, bob.ID))
		}, true},
		"a member is removed and put in again": {func(w *world, g as.Group, bob as.Member, _ as.Share) {
			w.must(w.RemoveMember(w.ctx, w.aliceOwner, bob.ID))
			_, err := w.AddMember(w.ctx, w.aliceOwner, g.ID, bob.Email)
			w.must(err)
		}, true},
		"the group is deleted": {func(w *world, g as.Group, _ as.Member, _ as.Share) {
			w.must(w.DeleteGroup(w.ctx, w.aliceOwner, g.ID))
		}, false},
		"the share is withdrawn": {func(w *world, _ as.Group, _ as.Member, share as.Share) {
			w.must(w.WithdrawShare(w.ctx, w.aliceOwner, share.ID, 0))
		}, false},
		"the share is with another group": {func(w *world, _ as.Group, _ as.Member, share as.Share) {
			other, _ := w.group(w.aliceOwner, "bob@example.org", "carlos@example.org")
			_, err := w.ReplaceShare(w.ctx, w.aliceOwner, share.ID, 0, toGroup(other.ID, share.Resource, "view"))
			w.must(err)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			photo := w.register(w.alice1, "photo", "view", "edit")
			g, members := w.group(w.aliceOwner, "Bob@Example.org", "carlos@example.org")
			share := w.share(w.aliceOwner, toGroup(g.ID, photo, "view"))
			own := w.share(w.aliceOwner, toBob(photo, "edit"))
			bobs := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(photo, "view"))))
			mixed := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(photo, "view", "edit"))))
			carlos := w.granted(w.c1, w.asCarlos(w.ticket(w.alice1, perm(photo, "view"))))
			for range 2 { // the second is from memory
				w.wantPermissions(w.alice1, bobs.AccessToken, perm(photo, "view"))
				w.wantPermissions(w.alice1, mixed.AccessToken, perm(photo, "view", "edit"))
				w.wantPermissions(w.alice1, carlos.AccessToken, perm(photo, "view"))
			}

			c.leave(w, g, members[0], share)
			w.wantDead(w.alice1, bobs.AccessToken)
			w.wantPermissions(w.alice1, mixed.AccessToken, perm(photo, "edit"))
			if c.othersRemain {
				w.wantPermissions(w.alice1, carlos.AccessToken, perm(photo, "view"))
			} else {
				w.wantDead(w.alice1, carlos.AccessToken)
			}
			_, err := w.Refresh(w.ctx, w.c1, bobs.RefreshToken, nil)
			wantCode(t, err, uma.InvalidGrant)
			// Nor does an upgrade carry it along.
			up := w.asBob(w.ticket(w.alice1, perm(photo, "edit")))
			up.RPT = uma.RPT(mixed.AccessToken)
			w.wantPermissions(w.alice1, w.granted(w.c1, up).AccessToken, perm(photo, "edit"))
			w.must(w.WithdrawShare(w.ctx, w.aliceOwner, own.ID, 0))
			w.must(w.VerifyHistory(w.ctx, w.aliceSpace.ID))
		})
	}
}

// Membership is judged by a verified address, in the owner's own group, at the
// instant of the decision.
func TestAGroupIsJudgedByVerifiedAddressesAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	g, _ := w.group(w.aliceOwner, "bob@example.org")
	w.share(w.aliceOwner, toGroup(g.ID, photo, "view"))
	present := func(claims map[string]any) as.Result {
		return w.redeem(w.c1, withToken(w.ticket(w.alice1, perm(photo, "view")), w.idToken("somebody", claims)))
	}
	if r := present(map[string]any{"email": "BOB@example.ORG"}); !is[as.Granted](r) {
		t.Errorf("in another spelling: %T", r)
	}
	if r := present(map[string]any{"email": "carlos@example.org"}); !is[as.Denied](r) {
		t.Errorf("somebody else: %T", r)
	}
	for name, claims := range map[string]map[string]any{
		"not verified":         {"email": "bob@example.org", "email_verified": nil},
		"nothing told":         {"email": nil},
		"a name that is alike": {"email": nil, "preferred_email": "bob@example.org"},
	} {
		need, ok := present(claims).(as.NeedInfo)
		if !ok || len(need.RequiredClaims) != 1 || need.RequiredClaims[0].Name != "email" {
			t.Errorf("%s: %+v, want need_info for an address", name, need)
			continue
		}
		if said := fmt.Sprintf("%+v", need.RequiredClaims); strings.Contains(said, string(g.ID)) || strings.Contains(said, "Family") || strings.Contains(said, "bob") {
			t.Errorf("%s: need_info tells %s", name, said)
		}
	}
	// In person, too, with the promise that the share asks for told to members alone.
	w.share(w.aliceOwner, policy.Share{Resource: photo, Scopes: scopes("view"), Group: g.ID, Purpose: "care"})
	for who, want := range map[as.AccountID]int{w.bob.ID: 1, w.carlos.ID: 0} {
		handle, err := w.BeginInteraction(w.ctx, w.c1, w.ticket(w.alice1, perm(photo, "view")), as.Interaction{RedirectURI: callback})
		w.must(err)
		if v, err := w.Visit(w.ctx, handle, who); err != nil || len(v.Promises) != want {
			t.Errorf("the promises asked for are %v, %v, want %d", v.Promises, err, want)
		}
	}
	w.granted(w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(photo, "view")), w.bob, false)))
	redeemed[as.Denied](w, w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(photo, "view")), w.carlos, false)))
}

func TestAGroupIsOfOneSpace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	hers, members := w.group(w.annaOwner, "bob@example.org")
	mine, own := w.group(w.aliceOwner)
	if len(own) != 0 {
		t.Fatal("a group begins with somebody in it")
	}
	for name, err := range map[string]error{
		"sharing":    errOf(w.CreateShare(w.ctx, w.aliceOwner, toGroup(hers.ID, photo, "view"))),
		"nowhere":    errOf(w.CreateShare(w.ctx, w.aliceOwner, toGroup("made up", photo, "view"))),
		"adding":     errOf(w.AddMember(w.ctx, w.aliceOwner, hers.ID, "carlos@example.org")),
		"removing":   w.RemoveMember(w.ctx, w.aliceOwner, members[0].ID),
		"renaming":   w.RenameGroup(w.ctx, w.aliceOwner, hers.ID, "x"),
		"deleting":   w.DeleteGroup(w.ctx, w.aliceOwner, hers.ID),
		"reading":    errOf(w.Group(w.ctx, w.aliceOwner, hers.ID)),
		"members":    errOf(w.Members(w.ctx, w.aliceOwner, hers.ID, as.Page{Limit: 9})),
		"unnamed":    errOf(w.CreateGroup(w.ctx, w.aliceOwner, "  ")),
		"no address": errOf(w.AddMember(w.ctx, w.aliceOwner, mine.ID, "bob")),
	} {
		if err == nil {
			t.Errorf("%s: it is allowed", name)
		}
	}
	list, err := w.Groups(w.ctx, w.aliceOwner, as.Page{Limit: 9})
	w.must(err)
	if len(list) != 1 || list[0].ID != mine.ID {
		t.Errorf("Alice's groups are %+v", list)
	}
	w.must(w.RenameGroup(w.ctx, w.aliceOwner, mine.ID, " Choir "))
	if g, err := w.Group(w.ctx, w.aliceOwner, mine.ID); err != nil || g.Name != "Choir" {
		t.Errorf("the group is %+v, %v", g, err)
	}
	_, errs := race(8, func(int) (as.Member, error) { return w.AddMember(w.ctx, w.aliceOwner, mine.ID, "carlos@example.org") })
	oneWinner(t, errs, as.Conflict)
}

// A deleted group takes its shares along, however many, dormant ones too.
func TestADeletedGroupTakesItsSharesAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, _ := w.group(w.aliceOwner, "bob@example.org")
	photo := w.register(w.alice1, "photo", "view")
	gone := w.register(w.alice1, "gone", "view")
	w.share(w.aliceOwner, toGroup(g.ID, gone, "view"))
	w.must(w.DeregisterResource(w.ctx, w.alice1, gone))
	for range 101 {
		w.share(w.aliceOwner, toGroup(g.ID, photo, "view"))
	}
	kept := w.share(w.aliceOwner, toBob(photo, "view"))
	w.must(w.DeleteGroup(w.ctx, w.aliceOwner, g.ID))
	list, err := w.ListShares(w.ctx, w.aliceOwner, as.Page{Limit: 500})
	w.must(err)
	if len(list) != 1 || list[0].ID != kept.ID {
		t.Errorf("%d shares are left, want one", len(list))
	}
	events := w.events(w.aliceSpace.ID)
	last := events[len(events)-1]
	if last.Kind != as.EventGroupDeleted || last.Subject != string(g.ID) || last.Detail != `{"shares":102}` {
		t.Errorf("the history ends with %+v", last)
	}
	if _, err := w.Undo(w.ctx, w.aliceOwner, last.Seq); err == nil {
		t.Error("shares with a group that is gone were brought back")
	}
	for _, e := range w.events(w.aliceSpace.ID) {
		if strings.Contains(e.Detail+e.Subject, "@") {
			t.Errorf("the history has an address: %+v", e)
		}
	}
}

// While members come and go, nobody has a live RPT by a membership that has ended.
func TestLeavingAGroupRacesWithAsking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	g, _ := w.group(w.aliceOwner)
	w.share(w.aliceOwner, toGroup(g.ID, photo, "view"))
	for range 20 {
		bob, err := w.AddMember(w.ctx, w.aliceOwner, g.ID, "bob@example.org")
		w.must(err)
		requests := make([]uma.TokenRequest, 4)
		for i := range requests {
			requests[i] = w.asBob(w.ticket(w.alice1, perm(photo, "view")))
		}
		results, errs := race(5, func(i int) (as.Result, error) {
			if i == 4 {
				return nil, w.RemoveMember(w.ctx, w.aliceOwner, bob.ID)
			}
			return w.Redeem(w.ctx, w.c1, requests[i], "")
		})
		for _, err := range errs {
			w.must(err)
		}
		for _, r := range results {
			if granted, ok := r.(as.Granted); ok {
				w.wantDead(w.alice1, granted.AccessToken)
			}
		}
	}
}

func TestALargeGroupIsReadInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g, _ := w.group(w.aliceOwner)
	const size = 25
	for i := range size {
		_, err := w.AddMember(w.ctx, w.aliceOwner, g.ID, fmt.Sprintf("member%d@example.org", i))
		w.must(err)
	}
	addresses := map[string]bool{}
	for page := (as.Page{Limit: 10}); ; {
		next, err := w.Members(w.ctx, w.aliceOwner, g.ID, page)
		w.must(err)
		if len(next) == 0 {
			break
		}
		for _, m := range next {
			addresses[m.Email] = true
		}
		page.After = string(next[len(next)-1].ID)
	}
	if len(addresses) != size {
		t.Errorf("the pages have %d members, want %d", len(addresses), size)
	}
}

func errOf[T any](_ T, err error) error { return err }

// What somebody could do is judged with the groups that they are in, and what a
// withdrawal would leave, too.
func TestTheDryRunKnowsGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	g, _ := w.group(w.aliceOwner, "bob@example.org")
	w.share(w.aliceOwner, toGroup(g.ID, photo, "view"))
	own := w.share(w.aliceOwner, toBob(photo, "view"))
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, own.ID, 0))
	for party, want := range map[policy.Party]policy.Outcome{
		{Kind: policy.PartyEmail, Value: "bob@example.org"}:    policy.Permit,
		{Kind: policy.PartyEmail, Value: "carlos@example.org"}: policy.Deny,
		{Kind: policy.PartyGroup, Value: string(g.ID)}:         policy.Permit,
		{Kind: policy.PartyGroup, Value: "another"}:            policy.Need,
		{}: policy.Need,
	} {
		could, err := w.Could(w.ctx, w.aliceOwner, as.Supposed{Party: party}, []uma.ResourceID{photo})
		w.must(err)
		if got := could[0].Scopes[0].Outcome; got != want {
			t.Errorf("%v: %d, want %d", party, got, want)
		}
	}
	own = w.share(w.aliceOwner, toBob(photo, "view"))
	impact, err := w.impact(w.aliceOwner, as.Target{Share: own.ID})
	w.must(err)
	if len(impact.StillOpen) != 1 || impact.StillOpen[0].Party.Value != "bob@example.org" {
		t.Errorf("without his share Bob could still %+v", impact.StillOpen)
	}
	before, err := w.impact(w.aliceOwner, as.Target{Resource: photo})
	w.must(err)
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, own.ID, 0))
	w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(photo, "view"))))
	with, err := w.impact(w.aliceOwner, as.Target{Person: policy.Party{Kind: policy.PartyGroup, Value: string(g.ID)}})
	w.must(err)
	members, err := w.Members(w.ctx, w.aliceOwner, g.ID, as.Page{Limit: 1})
	w.must(err)
	w.must(w.RemoveMember(w.ctx, w.aliceOwner, members[0].ID))
	after, err := w.impact(w.aliceOwner, as.Target{Person: policy.Party{Kind: policy.PartyGroup, Value: string(g.ID)}})
	w.must(err)
	if before.Tokens != 0 || with.Tokens != 1 || after.Tokens != 0 {
		t.Errorf("tokens that would be dead: %d, with the RPT %d, without the member %d", before.Tokens, with.Tokens, after.Tokens)
	}
}
