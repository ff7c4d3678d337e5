package as_test

import (
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// upgrading presents a ticket, as Bob, together with an RPT.
func (w *world) upgrading(ticket uma.Ticket, rpt string) uma.TokenRequest {
	req := w.asBob(ticket)
	req.RPT = uma.RPT(rpt)
	return req
}

// Proves WE-8, GRANT-3.3.5-07, GRANT-3.3.5.1-04, GRANT-3.3.5.1-05.
func TestAnRPTIsUpgradedToTheUnionAndTheOldOneIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	photo := w.register(w.alice1, "photo", "view", "edit")
	bare := w.register(w.alice1, "bare")
	w.share(w.aliceOwner, toBob(album, "view"))
	w.share(w.aliceOwner, toBob(photo, "view"))
	w.share(w.aliceOwner, toBob(photo, "edit"))
	w.share(w.aliceOwner, toBob(bare))
	first := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	if first.Upgraded {
		t.Error("without an RPT the answer says upgraded")
	}
	second := w.granted(w.c1, w.upgrading(w.ticket(w.alice1, perm(photo, "view")), first.AccessToken))
	if !second.Upgraded || second.AccessToken == first.AccessToken {
		t.Error("the RPT was not upgraded to a new one")
	}
	w.wantPermissions(w.alice1, second.AccessToken, perm(album, "view"), perm(photo, "view"))
	w.wantDead(w.alice1, first.AccessToken)
	_, err := w.Refresh(w.ctx, w.c1, first.RefreshToken, nil)
	wantCode(t, err, uma.InvalidGrant)

	third := w.granted(w.c1, w.upgrading(w.ticket(w.alice1, perm(photo, "edit"), perm(bare)), second.AccessToken))
	w.wantPermissions(w.alice1, third.AccessToken, perm(album, "view"), perm(photo, "view", "edit"), perm(bare))
	refreshed, err := w.Refresh(w.ctx, w.c1, third.RefreshToken, nil)
	w.must(err)
	w.wantPermissions(w.alice1, refreshed.AccessToken, perm(album, "view"), perm(photo, "view", "edit"), perm(bare))
}

// Proves WE-9, GRANT-3.3.5.1-06, GRANT-3.3.5-08, GRANT-1.3-01, SEC-049.
func TestAnRPTOfAnotherKindIsTreatedAsAbsentAndLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toBob(photo, "view"))
	other := w.register(w.alice1, "other", "view")
	w.share(w.aliceOwner, toAnyone(other, "view"))
	record := w.register(w.alice2, "record", "view")
	w.share(w.aliceOwner, toBob(record, "view"))
	annas := w.register(w.anna1, "Anna's", "view")
	w.share(w.annaOwner, toBob(annas, "view"))
	forC2 := w.idToken("bob", members{"aud": "c2"})
	for name, old := range map[string]struct {
		pat    as.PAT
		client oauth.Client
		req    uma.TokenRequest
	}{
		"of another resource server":   {w.alice2, w.c1, w.asBob(w.ticket(w.alice2, perm(record, "view")))},
		"of another owner":             {w.anna1, w.c1, w.asBob(w.ticket(w.anna1, perm(annas, "view")))},
		"of another client":            {w.alice1, w.c2, withToken(w.ticket(w.alice1, perm(other, "view")), forC2)},
		"of another requesting party":  {w.alice1, w.c1, withToken(w.ticket(w.alice1, perm(other, "view")), w.idToken("carlos", nil))},
		"of nobody who is known":       {w.alice1, w.c1, with(w.ticket(w.alice1, perm(other, "view")))},
		"of a namesake somewhere else": {w.alice1, w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(other, "view")), w.bob, false))},
	} {
		rpt := w.granted(old.client, old.req)
		before := w.permissions(old.pat, rpt.AccessToken)
		g := w.granted(w.c1, w.upgrading(w.ticket(w.alice1, perm(photo, "view")), rpt.AccessToken))
		if g.Upgraded {
			t.Errorf("an RPT %s was upgraded", name)
		}
		w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))
		if now := w.permissions(old.pat, rpt.AccessToken); len(before) == 0 || len(now) != len(before) {
			t.Errorf("an RPT %s permitted %v before and %v after", name, before, now)
		}
	}
	for name, rpt := range map[string]string{
		"rubbish": "rubbish", "a PAT": w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection),
		"a refresh token": w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(other, "view")))).RefreshToken,
	} {
		g := w.granted(w.c1, w.upgrading(w.ticket(w.alice1, perm(photo, "view")), rpt))
		if g.Upgraded {
			t.Errorf("%s was upgraded", name)
		}
		w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))
	}
}

// Two requesting parties of whom nothing is known are two.
//
// Proves GRANT-1.3-01.
func TestAnRPTOfAnUnknownPersonIsOfItsProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", "edit")
	w.share(w.aliceOwner, toAnyone(album, "view", "edit"))
	first := w.granted(w.c1, with(w.ticket(w.alice1, perm(album, "view"))))
	req := with(w.ticket(w.alice1, perm(album, "edit")))
	req.RPT = uma.RPT(first.AccessToken)
	g := w.granted(w.c1, req)
	if g.Upgraded {
		t.Error("the RPT of one unknown person was upgraded for another")
	}
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "edit"))
	w.wantPermissions(w.alice1, first.AccessToken, perm(album, "view"))
}

// Only what is still live is carried over.
//
// Proves SEC-049, SEC-051.
func TestAnUpgradeBringsNothingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toBob(photo, "view"))
	for name, end := range map[string]func(id uma.ResourceID, s as.Share, g as.Granted){
		"withdrawn": func(_ uma.ResourceID, s as.Share, _ as.Granted) {
			w.must(w.WithdrawShare(w.ctx, w.aliceOwner, s.ID, 0))
		},
		"deregistered": func(id uma.ResourceID, _ as.Share, _ as.Granted) { w.must(w.DeregisterResource(w.ctx, w.alice1, id)) },
		"without its scope": func(id uma.ResourceID, _ as.Share, _ as.Granted) {
			w.update(w.alice1, id, "album")
			w.update(w.alice1, id, "album", "view")
		},
		"revoked": func(_ uma.ResourceID, _ as.Share, g as.Granted) { w.must(w.Revoke(w.ctx, w.c1, g.AccessToken)) },
		"revoked with its family": func(_ uma.ResourceID, _ as.Share, g as.Granted) {
			w.must(w.Revoke(w.ctx, w.c1, g.RefreshToken))
		},
	} {
		album := w.register(w.alice1, "album", "view")
		s := w.share(w.aliceOwner, toBob(album, "view"))
		old := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
		end(album, s, old)
		g := w.granted(w.c1, w.upgrading(w.ticket(w.alice1, perm(photo, "view")), old.AccessToken))
		if g.Upgraded {
			t.Errorf("%s: the RPT was upgraded", name)
		}
		w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))
	}
	// Of two permissions one is left.
	album, kept := w.register(w.alice1, "album", "view"), w.register(w.alice1, "kept", "view")
	s := w.share(w.aliceOwner, toBob(album, "view"))
	w.share(w.aliceOwner, toBob(kept, "view"))
	old := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"), perm(kept, "view"))))
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, s.ID, 0))
	g := w.granted(w.c1, w.upgrading(w.ticket(w.alice1, perm(photo, "view")), old.AccessToken))
	w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"), perm(kept, "view"))
}

// Proves GRANT-3.3.1-09.
func TestAnExpiredRPTCarriesOverWhatIsStillLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo := w.register(w.alice1, "album", "view"), w.register(w.alice1, "photo", "view")
	short := w.register(w.alice1, "short", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	w.share(w.aliceOwner, toBob(photo, "view"))
	ending := toBob(short, "view")
	ending.NotAfter = w.Now().Add(5 * time.Minute)
	w.share(w.aliceOwner, ending)
	old := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"), perm(short, "view"))))
	w.advance(11 * time.Minute)
	w.wantDead(w.alice1, old.AccessToken)
	g := w.granted(w.c1, w.upgrading(w.ticket(w.alice1, perm(photo, "view")), old.AccessToken))
	if !g.Upgraded {
		t.Error("an expired RPT was not upgraded")
	}
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"), perm(photo, "view"))
}

// A narrowed RPT stays narrow through an upgrade, and through the refresh that
// follows it.
//
// Proves SEC-049.
func TestAnUpgradeDoesNotWidenANarrowedRPT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo := w.register(w.alice1, "album", "view", "edit"), w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toBob(album, "view", "edit"))
	w.share(w.aliceOwner, toBob(photo, "view"))
	old := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view", "edit"))))
	narrow, err := w.Refresh(w.ctx, w.c1, old.RefreshToken, scopes("view"))
	w.must(err)
	g := w.granted(w.c1, w.upgrading(w.ticket(w.alice1, perm(photo, "view")), narrow.AccessToken))
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"), perm(photo, "view"))
	again, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	w.must(err)
	w.wantPermissions(w.alice1, again.AccessToken, perm(album, "view"), perm(photo, "view"))
}

// A failed request leaves the RPT it carried alone.
//
// Proves GRANT-3.3.5.1-06.
func TestARefusedRequestDoesNotTouchItsRPT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, mine := w.register(w.alice1, "album", "view"), w.register(w.alice1, "mine", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	old := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	redeemed[as.Denied](w, w.c1, w.upgrading(w.ticket(w.alice1, perm(mine, "view")), old.AccessToken))
	bad := w.upgrading(w.ticket(w.alice1, perm(album, "view")), old.AccessToken)
	bad.Scopes = scopes("nonexistent")
	w.refused(w.c1, bad, uma.InvalidScope)
	w.wantPermissions(w.alice1, old.AccessToken, perm(album, "view"))
}
