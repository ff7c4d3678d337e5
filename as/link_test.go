package as_test

import (
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

func (w *world) link(id uma.ResourceID, life time.Duration, scopes ...uma.Scope) (as.Share, string) {
	w.t.Helper()
	share, secret, err := w.ShareByLink(w.ctx, w.aliceOwner, policy.Share{Resource: id, Scopes: scopes, NotAfter: w.Now().Add(life)})
	w.must(err)
	w.bearers = append(w.bearers, secret)
	return share, secret
}

// visitWith goes to the claims interaction endpoint with links, signed in or not.
func (w *world) visitWith(c oauth.Client, ticket uma.Ticket, who as.AccountID, links ...string) (uma.Ticket, error) {
	w.t.Helper()
	handle, err := w.BeginInteraction(w.ctx, c, ticket, as.Interaction{RedirectURI: callback})
	w.must(err)
	next, _, err := w.FinishInteraction(w.ctx, handle, who, as.Said{Links: links})
	return next, err
}

// Whoever opened the link has what it is to, without saying who they are; nobody
// else has.
func TestALinkIsForWhoeverHoldsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view", "edit")
	share, secret := w.link(photo, 24*time.Hour, "view")
	asked := func() uma.Ticket { return w.ticket(w.alice1, perm(photo, "view")) }

	need := redeemed[as.NeedInfo](w, w.c1, with(asked()))
	if len(need.RequiredClaims) != 1 || need.RequiredClaims[0].Name != policy.ClaimLink || len(need.RequiredClaims[0].Issuer) != 0 {
		t.Errorf("need_info asks for %+v", need.RequiredClaims)
	}
	for name, who := range map[string]as.AccountID{"a stranger": "", "Bob, who is signed in": w.bob.ID} {
		next, err := w.visitWith(w.c1, asked(), who, secret)
		w.must(err)
		g := w.granted(w.c1, with(next))
		w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))
		if g.PCT != "" {
			t.Errorf("%s is remembered", name)
		}
	}
	// Without it, or with one to something else, the owner is told nothing and the
	// visit does not end well for who is not signed in.
	other, _ := w.link(w.register(w.alice1, "other", "view"), time.Hour, "view")
	_, elsewhere := w.link(other.Resource, time.Hour, "view")
	for _, links := range [][]string{nil, {"made up"}, {elsewhere}, {strings.ToUpper(secret)}, {secret + "="}} {
		_, err := w.visitWith(w.c1, asked(), "", links...)
		wantCode(t, err, uma.InvalidRequest)
		next, err := w.visitWith(w.c1, asked(), w.bob.ID, links...)
		w.must(err)
		redeemed[as.NeedInfo](w, w.c1, with(next))
	}
	// One who pushes who they are keeps what they hold.
	next, err := w.visitWith(w.c1, asked(), "", elsewhere, secret)
	w.must(err)
	w.granted(w.c1, w.asBob(next))
	// Nobody else can say that somebody holds a link.
	token := w.idToken("eve", map[string]any{"link": string(share.ID), "links": []string{string(share.ID)}})
	redeemed[as.NeedInfo](w, w.c1, withToken(asked(), token))
}

// With its share goes the link, and everything that was granted by it.
func TestALinkEndsWithItsShare(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, share as.Share){
		"withdrawn": func(w *world, share as.Share) { w.must(w.WithdrawShare(w.ctx, w.aliceOwner, share.ID, 0)) },
		"stopped with all of a thing": func(w *world, share as.Share) {
			_, err := w.WithdrawAll(w.ctx, w.aliceOwner, as.Target{Resource: share.Resource})
			w.must(err)
		},
		"stopped for whoever holds it": func(w *world, share as.Share) {
			_, err := w.WithdrawAll(w.ctx, w.aliceOwner, as.Target{Person: policy.Party{Kind: policy.PartyLink, Value: string(share.ID)}})
			w.must(err)
		},
		"at its end": func(w *world, _ as.Share) { w.advance(5 * time.Minute) },
		"with its thing": func(w *world, share as.Share) {
			w.must(w.DeregisterResource(w.ctx, w.alice1, share.Resource))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			photo := w.register(w.alice1, "photo", "view")
			share, secret := w.link(photo, 5*time.Minute, "view")
			l, err := w.OpenLink(w.ctx, secret)
			w.must(err)
			if l.Share.ID != share.ID || l.Thing != "photo" || l.SpaceName != w.aliceSpace.Name {
				t.Errorf("it opens %+v", l)
			}
			next, err := w.visitWith(w.c1, w.ticket(w.alice1, perm(photo, "view")), "", secret)
			w.must(err)
			g := w.granted(w.c1, with(next))
			w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))
			late, err := w.visitWith(w.c1, w.ticket(w.alice1, perm(photo, "view")), "", secret)
			w.must(err)
			end(w, share)
			w.wantDead(w.alice1, g.AccessToken)
			_, err = w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
			wantCode(t, err, uma.InvalidGrant)
			_, ended := w.OpenLink(w.ctx, secret)
			_, unknown := w.OpenLink(w.ctx, "never was")
			if ended == nil || unknown == nil || ended.Error() != unknown.Error() {
				t.Errorf("a link that has ended: %v; one that never was: %v", ended, unknown)
			}
			if r, err := w.Redeem(w.ctx, w.c1, with(late), ""); err == nil && is[as.Granted](r) {
				t.Error("a process that began before gets what ended")
			}
		})
	}
}

// A link that is withdrawn by mistake and brought back is the same link.
func TestALinkComesBackWithItsShare(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	_, secret := w.link(photo, time.Hour, "view")
	next, err := w.visitWith(w.c1, w.ticket(w.alice1, perm(photo, "view")), "", secret)
	w.must(err)
	g := w.granted(w.c1, with(next))
	done, err := w.WithdrawAll(w.ctx, w.aliceOwner, as.Target{Resource: photo})
	w.must(err)
	back, err := w.Undo(w.ctx, w.aliceOwner, done.Event)
	w.must(err)
	w.wantDead(w.alice1, g.AccessToken)
	l, err := w.OpenLink(w.ctx, secret)
	w.must(err)
	if len(back) != 1 || l.Share.ID != back[0].ID {
		t.Errorf("back came %+v, and the link opens %+v", back, l)
	}
}

func TestALinkIsMadeOnPurposeAndHasAnEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view", "edit")
	for name, ends := range map[string]time.Time{"without an end": {}, "in a long time": w.Now().AddDate(1, 1, 0)} {
		if _, _, err := w.ShareByLink(w.ctx, w.aliceOwner, policy.Share{Resource: photo, Scopes: scopes("view"), NotAfter: ends}); err == nil {
			t.Errorf("%s: it is made", name)
		}
	}
	_, err := w.CreateShare(w.ctx, w.aliceOwner, policy.Share{Resource: photo, Scopes: scopes("view"), Link: true, NotAfter: w.Now().Add(time.Hour)})
	wantCode(t, err, uma.InvalidRequest)
	_, _, err = w.ShareByLink(w.ctx, w.annaOwner, policy.Share{Resource: photo, Scopes: scopes("view"), NotAfter: w.Now().Add(time.Hour)})
	wantCode(t, err, uma.InvalidResourceID)

	share, secret := w.link(photo, time.Hour, "view")
	wish := share.Share
	wish.Link, wish.Anyone = false, true
	_, err = w.ReplaceShare(w.ctx, w.aliceOwner, share.ID, 0, wish)
	wantCode(t, err, uma.InvalidRequest)
	plain := w.share(w.aliceOwner, toBob(photo, "view"))
	wish = plain.Share
	wish.Link, wish.NotAfter = true, w.Now().Add(time.Hour)
	_, err = w.ReplaceShare(w.ctx, w.aliceOwner, plain.ID, 0, wish)
	wantCode(t, err, uma.InvalidRequest)
	// Another end, or more, is the same link.
	wish = share.Share
	wish.Scopes, wish.NotAfter = scopes("view", "edit"), w.Now().Add(2*time.Hour)
	_, err = w.ReplaceShare(w.ctx, w.aliceOwner, share.ID, 0, wish)
	w.must(err)
	next, err := w.visitWith(w.c1, w.ticket(w.alice1, perm(photo, "edit")), "", secret)
	w.must(err)
	w.granted(w.c1, with(next))
	for _, e := range w.events(w.aliceSpace.ID) {
		if strings.Contains(e.Detail, secret) {
			t.Errorf("the history has the secret: %+v", e)
		}
	}
}

// A link may ask for more than being held.
func TestALinkWithAPurposeOrAQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo, album := w.register(w.alice1, "photo", "view"), w.register(w.alice1, "album", "view")
	_, secret, err := w.ShareByLink(w.ctx, w.aliceOwner, policy.Share{Resource: photo, Scopes: scopes("view"), Purpose: "care", NotAfter: w.Now().Add(time.Hour)})
	w.must(err)
	handle, err := w.BeginInteraction(w.ctx, w.c1, w.ticket(w.alice1, perm(photo, "view")), as.Interaction{RedirectURI: callback})
	w.must(err)
	if v, err := w.Visit(w.ctx, handle, ""); err != nil || v.Linked || len(v.Promises) != 0 {
		t.Errorf("without the link the visit is %+v, %v", v, err)
	}
	v, err := w.Visit(w.ctx, handle, "", secret)
	w.must(err)
	if !v.Linked || len(v.Promises) != 1 {
		t.Fatalf("with the link the visit is %+v", v)
	}
	next, _, err := w.FinishInteraction(w.ctx, handle, "", as.Said{Promised: v.Promises, Links: []string{secret}})
	w.must(err)
	w.granted(w.c1, with(next))

	_, secret, err = w.ShareByLink(w.ctx, w.aliceOwner, policy.Share{Resource: album, Scopes: scopes("view"), Ask: true, NotAfter: w.Now().Add(time.Hour)})
	w.must(err)
	next, err = w.visitWith(w.c1, w.ticket(w.alice1, perm(album, "view")), "", secret)
	w.must(err)
	need := redeemed[as.NeedInfo](w, w.c1, with(next))
	if len(need.RequiredClaims) != 1 || need.RequiredClaims[0].Name != "sub" {
		t.Errorf("a link that asks the owner wants to know %+v", need.RequiredClaims)
	}
	next, err = w.visitWith(w.c1, need.Ticket, w.bob.ID, secret)
	w.must(err)
	redeemed[as.Submitted](w, w.c1, with(next))
}
