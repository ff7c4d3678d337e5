package as_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// mine are the names of what an account is told that it can use.
func (w *world) mine(who as.Account) []string {
	w.t.Helper()
	names := []string{}
	for _, one := range w.received(who) {
		names = append(names, one.Thing)
	}
	slices.Sort(names)
	return names
}

// received is what an account is told of, whosever it is.
func (w *world) received(who as.Account) (out []as.Received) {
	w.t.Helper()
	list, next, err := w.Received(w.ctx, who.ID, "")
	if w.must(err); next != "" {
		w.t.Error("there is more")
	}
	for _, from := range list {
		out = append(out, from.List...)
	}
	return out
}

func (w *world) has(who as.Account, when string, want ...string) {
	w.t.Helper()
	if got := w.mine(who); !slices.Equal(got, want) {
		w.t.Errorf("%s: %s is told of %q, want %q", when, who.Name, got, want)
	}
}

// named is a condition on an e-mail address.
func named(addresses ...string) []policy.Claim {
	return []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: addresses}}
}

// An account is told of what lets it in, of all spaces and services, and of nothing
// that does not, or not now.
func TestAnAccountIsToldOfWhatItCanUseAndOfNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	thing := func(pat as.PAT, o as.Owner, name string, change func(*policy.Share)) as.Share {
		wish := policy.Share{Resource: w.register(pat, name, "view", "edit"), Scopes: []uma.Scope{"view"}, Claims: named(bobAddress)}
		if change != nil {
			change(&wish)
		}
		return w.share(o, wish)
	}
	thing(w.alice1, w.aliceOwner, "a by address", nil)
	thing(w.alice2, w.aliceOwner, "b elsewhere", nil)
	thing(w.anna1, w.annaOwner, "c of another", nil)
	group, _ := w.group(w.annaOwner, bobAddress)
	thing(w.anna1, w.annaOwner, "d by a group", func(s *policy.Share) { s.Claims, s.Group = nil, group.ID })
	thing(w.alice1, w.aliceOwner, "e among others", func(s *policy.Share) { s.Claims = named("dora@example.org", "Bob@Example.org") })
	thing(w.alice1, w.aliceOwner, "f through one app, for a purpose", func(s *policy.Share) { s.Client, s.Purpose = string(w.c1.ID), "care" })

	thing(w.alice1, w.aliceOwner, "x another's", func(s *policy.Share) { s.Claims = named("dora@example.org") })
	thing(w.alice1, w.aliceOwner, "x has the address in it", func(s *policy.Share) { s.Claims = named("not." + bobAddress) })
	thing(w.alice1, w.aliceOwner, "x asks each time", func(s *policy.Share) { s.Ask = true })
	thing(w.alice1, w.aliceOwner, "x later", func(s *policy.Share) { s.NotBefore = w.Now().Add(time.Hour) })
	thing(w.alice1, w.aliceOwner, "x needs more", func(s *policy.Share) {
		s.Claims = append(s.Claims, policy.Claim{RequiredClaim: uma.RequiredClaim{Name: "clearance"}, Values: []string{"top"}})
	})
	thing(w.alice1, w.aliceOwner, "x is for anybody", func(s *policy.Share) { s.Claims, s.Anyone = nil, true })
	other, _ := w.group(w.annaOwner, "dora@example.org")
	thing(w.anna1, w.annaOwner, "x by another group", func(s *policy.Share) { s.Claims, s.Group = nil, other.ID })
	ends := thing(w.alice1, w.aliceOwner, "g ends", func(s *policy.Share) { s.NotAfter = w.Now().Add(time.Minute) })

	w.has(w.bob, "at first", "a by address", "b elsewhere", "c of another", "d by a group", "e among others", "f through one app, for a purpose", "g ends")
	w.has(w.carlos, "at first")
	w.advance(time.Minute)
	w.must(w.WithdrawShare(w.ctx, w.annaOwner, w.pick(w.bob, "c of another").ID, 0))
	w.has(w.bob, "after an end and a withdrawal", "a by address", "b elsewhere", "d by a group", "e among others", "f through one app, for a purpose")
	one := w.pick(w.bob, "f through one app, for a purpose")
	if one.SpaceName != "Alice's things" || one.Through.Name != w.c1.Name || one.Through.Site != "https://c1.example" || one.Purpose != "care" || !slices.Equal(one.Scopes, []uma.Scope{"view"}) {
		t.Errorf("it is told %+v", one)
	}
	if err := w.GiveBack(w.ctx, w.bob.ID, ends.Space, ends.ID); err == nil {
		t.Error("what has ended is given back")
	}
	// An address that is not verified is nobody's.
	w.must(w.store.Update(w.ctx, func(tx as.Tx) error {
		bob, err := tx.Account(w.bob.ID)
		if err != nil {
			return err
		}
		bob.EmailVerified = false
		return tx.UpdateAccount(bob)
	}))
	w.has(w.bob, "without a verified address")
}

func (w *world) pick(who as.Account, name string) as.Received {
	w.t.Helper()
	list := w.received(who)
	i := slices.IndexFunc(list, func(one as.Received) bool { return one.Thing == name })
	if i < 0 {
		w.t.Fatalf("%s is not told of %q", who.Name, name)
	}
	return list[i]
}

// What is given back is closed at once, once, and told in the owner's history.
func TestWhatIsGivenBackIsClosedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	share := w.share(w.aliceOwner, policy.Share{Resource: photo, Scopes: []uma.Scope{"view"}, Claims: named(bobAddress)})
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(photo, "view"))))
	w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))

	for who, id := range map[as.AccountID]policy.ShareID{w.carlos.ID: share.ID, w.alice.ID: share.ID, w.bob.ID: "made up"} {
		err := w.GiveBack(w.ctx, who, w.aliceSpace.ID, id)
		wantCode(t, err, uma.NotFound)
	}
	w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))

	w.must(w.GiveBack(w.ctx, w.bob.ID, w.aliceSpace.ID, share.ID))
	w.wantDead(w.alice1, g.AccessToken)
	w.has(w.bob, "after giving back")
	wantCode(t, w.GiveBack(w.ctx, w.bob.ID, w.aliceSpace.ID, share.ID), uma.NotFound)
	if e := w.lastEvent(); e.Kind != as.EventShareGivenBack || e.Actor != string(w.bob.ID) || e.Subject != string(share.ID) || strings.Contains(e.Detail, "bob") {
		t.Errorf("the history tells %+v", e)
	}
	if ends := w.endings(as.VersionFilter{Share: share.ID}); !slices.Equal(ends, []as.ShareEnd{as.EndGivenBack}) {
		t.Errorf("the share ended as %q", ends)
	}
	w.must(w.VerifyHistory(w.ctx, w.aliceSpace.ID))
}

// A share with several goes on for the others.
func TestGivingBackIsForOneself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	share := w.share(w.aliceOwner, policy.Share{Resource: photo, Scopes: []uma.Scope{"view"}, Claims: named(bobAddress, "carlos@example.org")})
	w.has(w.bob, "at first", "photo")
	w.must(w.GiveBack(w.ctx, w.bob.ID, w.aliceSpace.ID, share.ID))
	w.has(w.bob, "after giving back")
	w.has(w.carlos, "after Bob gave back", "photo")

	group, _ := w.group(w.aliceOwner, bobAddress, "carlos@example.org")
	album := w.register(w.alice1, "album", "view")
	with := w.share(w.aliceOwner, policy.Share{Resource: album, Scopes: []uma.Scope{"view"}, Group: group.ID})
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	w.must(w.GiveBack(w.ctx, w.bob.ID, w.aliceSpace.ID, with.ID))
	w.wantDead(w.alice1, g.AccessToken)
	w.has(w.bob, "after leaving the group")
	w.has(w.carlos, "after Bob left the group", "album", "photo")
	if e := w.lastEvent(); e.Kind != as.EventMemberLeft || e.Actor != string(w.bob.ID) {
		t.Errorf("the history tells %+v", e)
	}
	wantCode(t, w.GiveBack(w.ctx, w.bob.ID, w.aliceSpace.ID, with.ID), uma.NotFound)
}

// Whoever asked is told what they said and what came of it: nothing of the thing
// before they may have it, and never that it was set aside.
func TestWhoeverAskedIsToldWhatCameOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view", "edit")
	w.share(w.aliceOwner, askMe(photo, "view", "edit"))
	_, next, err := w.says(w.ticket(w.alice1, perm(photo, "view", "edit")), "May I?")
	w.must(err)
	redeemed[as.Submitted](w, w.c1, with(next))
	list, err := w.Asked(w.ctx, w.bob.ID, 10)
	w.must(err)
	if len(list) != 1 || list[0].Status != as.RequestPending || list[0].Why != "May I?" || list[0].App.Name != w.c1.Name || list[0].Open != nil {
		t.Fatalf("Bob asked %+v", list)
	}
	id := list[0].ID
	for _, who := range []as.Account{w.carlos, w.alice} {
		_, err := w.ReadAsked(w.ctx, who.ID, id)
		wantCode(t, err, uma.NotFound)
		list, err := w.Asked(w.ctx, who.ID, 10)
		if w.must(err); len(list) != 0 {
			t.Errorf("%s is told what Bob asked", who.Name)
		}
	}
	_, err = w.SetAside(w.ctx, w.aliceOwner, id)
	w.must(err)
	if q, err := w.ReadAsked(w.ctx, w.bob.ID, id); err != nil || q.Status != as.RequestPending || !q.DecidedAt.IsZero() || q.Open != nil {
		t.Errorf("after it was set aside Bob is told %+v, %v", q, err)
	}
	_, err = w.Approve(w.ctx, w.aliceOwner, id, []uma.Permission{perm(photo, "view")}, w.Now().Add(time.Hour))
	w.must(err)
	q, err := w.ReadAsked(w.ctx, w.bob.ID, id)
	w.must(err)
	if q.Status != as.RequestApproved || len(q.Open) != 1 || q.Open[0].Thing != "photo" || !slices.Equal(q.Open[0].Scopes, []uma.Scope{"view"}) {
		t.Errorf("after the yes Bob is told %+v", q)
	}
	w.has(w.bob, "after the yes", "photo")
	w.must(w.GiveBack(w.ctx, w.bob.ID, w.aliceSpace.ID, q.Open[0].ID))
	if q, err := w.ReadAsked(w.ctx, w.bob.ID, id); err != nil || len(q.Open) != 0 {
		t.Errorf("after giving back %+v is open, %v", q.Open, err)
	}
}

// What a link opens is told to whoever holds it, while it lives, and is nobody's to
// give back for the others who hold it.
func TestALinkThatIsHeldIsAmongWhatCanBeUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view", "edit")
	share, secret := w.link(photo, time.Hour, "view")
	told := func(links ...string) int {
		t.Helper()
		list, _, err := w.Received(w.ctx, w.bob.ID, "", links...)
		w.must(err)
		return len(list)
	}
	if told() != 0 || told("made up", secret) != 1 || told(strings.ToUpper(secret)) != 0 {
		t.Error("it is told to who does not hold it, or not to who does")
	}
	wantCode(t, w.GiveBack(w.ctx, w.bob.ID, w.aliceSpace.ID, share.ID), uma.NotFound)
	w.advance(time.Hour)
	if told(secret) != 0 {
		t.Error("it is told after its end")
	}
}

// Whoever has an account here is written to with the way to the answer.
func TestTheLetterLeadsToTheAnswer(t *testing.T) {
	t.Parallel()
	w, b, photo := mailWorld(t)
	for kind, answer := range map[as.LetterKind]func(as.RequestID) (as.PendingRequest, error){
		as.LetterAllowed: func(id as.RequestID) (as.PendingRequest, error) {
			return w.Approve(w.ctx, w.aliceOwner, id, nil, time.Time{})
		},
		as.LetterRefused: func(id as.RequestID) (as.PendingRequest, error) { return w.Refuse(w.ctx, w.aliceOwner, id) },
	} {
		who := map[as.LetterKind]as.Account{as.LetterAllowed: w.bob, as.LetterRefused: w.carlos}[kind]
		redeemed[as.Submitted](w, w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(photo, "view")), who, false)))
		b.only(w, as.LetterRequest, aliceAddress)
		id := w.pending().ID
		_, err := answer(id)
		w.must(err)
		if l := b.only(w, kind, who.Email); l.Path != "/app/asked/"+string(id) {
			t.Errorf("%s leads to %q", kind, l.Path)
		}
	}
}

// An account that is shut out is told of nothing, and gives nothing back.
func TestWhoeverIsShutOutIsToldOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	share := w.share(w.aliceOwner, toBob(w.register(w.alice1, "photo", "view"), "view"))
	w.must(w.DisableAccount(w.ctx, w.bob.ID))
	_, _, err := w.Received(w.ctx, w.bob.ID, "")
	wantCode(t, err, uma.NotFound)
	wantCode(t, w.GiveBack(w.ctx, w.bob.ID, w.aliceSpace.ID, share.ID), uma.NotFound)
}

// Whoever gives back what they do not have keeps nobody from writing, however much
// they do have.
func TestGivingBackNothingHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	writing, written := make(chan struct{}), make(chan struct{})
	told := make(chan error, 1)
	go func() {
		told <- w.Store.Update(w.ctx, func(as.Tx) error {
			close(writing)
			<-written
			return nil
		})
	}()
	<-writing
	ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
	defer cancel()
	err := w.GiveBack(ctx, w.bob.ID, w.aliceSpace.ID, "nothing")
	close(written)
	w.must(<-told)
	wantCode(t, err, uma.NotFound)
}

// What names somebody only as one of a domain is not theirs to give back: others have
// it by the same words.
func TestNobodyGivesBackWhatOthersHaveByTheSameWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, domain, _ := strings.Cut(bobAddress, "@")
	wish := policy.Share{Resource: w.register(w.alice1, "a thing", "view"), Scopes: []uma.Scope{"view"}}
	wish.Claims = append(named("*@"+domain, "dora@elsewhere.example"), named(bobAddress, "eve@"+domain)...)
	share := w.share(w.aliceOwner, wish)
	wantCode(t, w.GiveBack(w.ctx, w.bob.ID, w.aliceSpace.ID, share.ID), uma.NotFound)
	if now, err := w.ReadShare(w.ctx, w.aliceOwner, share.ID); err != nil || now.Version != share.Version {
		t.Errorf("it is changed: %v %v", now.Claims, err)
	}
}

// Whoever shares very much with somebody, or names them where nothing is open, crowds
// nobody else out: each owner has a place of their own, and the rest of it is a page
// further.
func TestNobodyIsCrowdedOutOfWhatSomebodyCanUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	many := w.register(w.alice1, "many", "view")
	w.must(w.store.Update(w.ctx, func(tx as.Tx) error {
		for i := range 450 {
			share := as.Share{Share: policy.Share{Resource: many, Scopes: []uma.Scope{"view"}, Claims: named(bobAddress)}, Space: w.aliceSpace.ID, Version: 1, Generation: 1}
			share.ID, share.ResourceServer = policy.ShareID(fmt.Sprintf("many-%03d", i)), w.rs1.ID
			share.Ask = i >= 100 // names him, and does not let him in
			if err := tx.InsertShare(share); err != nil {
				return err
			}
		}
		return nil
	}))
	last := w.share(w.annaOwner, policy.Share{Resource: w.register(w.anna1, "Anna's", "view"), Scopes: []uma.Scope{"view"}, Claims: named(bobAddress)})
	list, next, err := w.Received(w.ctx, w.bob.ID, "")
	w.must(err)
	if next != "" || len(list) != 2 {
		t.Fatalf("there are %d owners, and more after %q", len(list), next)
	}
	for _, from := range list {
		switch from.Space {
		case last.Space:
			if len(from.List) != 1 || from.List[0].ID != last.ID || from.Next != "" {
				t.Errorf("of Anna's he is told %+v", from)
			}
		case w.aliceSpace.ID:
			all := map[policy.ShareID]bool{}
			for pages := 0; ; pages++ {
				for _, one := range from.List {
					all[one.ID] = true
				}
				if from.Next == "" {
					break
				}
				if pages > 9 {
					t.Fatal("there is no end")
				}
				from, err = w.ReceivedFrom(w.ctx, w.bob.ID, from.Space, from.Next)
				w.must(err)
			}
			if len(all) != 100 {
				t.Errorf("of Alice's he is told %d things, page by page", len(all))
			}
		}
	}
	if from, err := w.ReceivedFrom(w.ctx, w.carlos.ID, w.aliceSpace.ID, ""); err != nil || len(from.List) != 0 || from.SpaceName != "" {
		t.Errorf("another is told %+v, %v", from, err)
	}
}
