package as_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Proves FED-5.1.1-02, FED-5.1.1-03, FED-5.1.1-04, FED-5.1.1-05, FED-5.1.1-06, GRANT-3.3.5-10.
func TestIntrospectionTellsThePermissionsAndNoScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, bare := w.register(w.alice1, "album", "view", "edit"), w.register(w.alice1, "bare")
	w.share(w.aliceOwner, toBob(album, "view", "edit"))
	w.share(w.aliceOwner, toBob(bare))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view", "edit"), perm(bare))))
	if g.Scope != "" || g.TokenType != "Bearer" || g.ExpiresIn != 600 {
		t.Errorf("the RPT comes with scope %q, type %q and life %d s", g.Scope, g.TokenType, g.ExpiresIn)
	}
	i, err := w.Introspect(w.ctx, w.alice1, g.AccessToken)
	w.must(err)
	if i.Scope != "" || !i.Active || i.ClientID != "c1" || i.ExpiresAt != w.Now().Unix()+600 || i.IssuedAt != w.Now().Unix() {
		t.Errorf("introspection says %+v", i)
	}
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view", "edit"), perm(bare))
	raw, err := json.Marshal(i)
	w.must(err)
	var wire struct {
		Permissions []map[string]any `json:"permissions"`
	}
	w.must(json.Unmarshal(raw, &wire))
	for _, p := range wire.Permissions {
		if _, ok := p["resource_scopes"].([]any); !ok || p["resource_id"] == "" {
			t.Errorf("on the wire a permission is %v", p)
		}
	}
	w.update(w.alice1, album, "album", "edit")
	w.share(w.aliceOwner, toBob(album, "edit"))
	again := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "edit"))))
	w.wantPermissions(w.alice1, again.AccessToken, perm(album, "edit"))
}

// Where two shares end at different times, the entry ends with the first of
// them, and then tells what is left.
//
// Proves FED-5.1.1-06, FED-5.1.1-07.
func TestAPermissionEndsWithItsShareInsideALiveRPT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", "edit")
	end := w.Now().Add(2 * time.Minute)
	ending := toBob(album, "view")
	ending.NotAfter = end
	w.share(w.aliceOwner, ending)
	w.share(w.aliceOwner, toBob(album, "edit"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view", "edit"))))
	i, err := w.Introspect(w.ctx, w.alice1, g.AccessToken)
	w.must(err)
	if len(i.Permissions) != 1 || i.Permissions[0].ExpiresAt != end.Unix() {
		t.Errorf("introspection says %+v, want one permission until %d", i.Permissions, end.Unix())
	}
	w.advance(2*time.Minute - time.Millisecond)
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view", "edit"))
	w.advance(time.Millisecond)
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "edit"))
	w.advance(8*time.Minute - time.Millisecond)
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "edit"))
	w.advance(time.Millisecond)
	w.wantDead(w.alice1, g.AccessToken)
}

// Proves FED-5.1.1-08, FED-1.3-04, SEC-029, GRANT-1.3-01.
func TestOnlyItsResourceServerWithItsOwnersPATSeesAnRPT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	for name, pat := range map[string]as.PAT{"another server": w.alice2, "another owner": w.anna1, "neither": w.pat(w.rs2, w.anna, w.annaSpace), "nobody": {}} {
		i, err := w.Introspect(w.ctx, pat, g.AccessToken)
		w.must(err)
		if !reflect.DeepEqual(i, uma.Introspection{}) {
			t.Errorf("%s sees %+v", name, i)
		}
	}
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"))
	// With client authentication the rule is the same, for every owner.
	for _, c := range []struct {
		name string
		got  func() (uma.Introspection, error)
		sees bool
	}{
		{"rs1", func() (uma.Introspection, error) { return w.IntrospectAsClient(w.ctx, w.rs1, g.AccessToken) }, true},
		{"rs2", func() (uma.Introspection, error) { return w.IntrospectAsClient(w.ctx, w.rs2, g.AccessToken) }, false},
		{"c1", func() (uma.Introspection, error) { return w.IntrospectAsClient(w.ctx, w.c1, g.AccessToken) }, false},
	} {
		i, err := c.got()
		w.must(err)
		if i.Active != c.sees {
			t.Errorf("%s sees %+v", c.name, i)
		}
	}
}

// Proves SEC-030, FED-5.1.1-01.
func TestNothingButAnRPTIsIntrospectedWithAPAT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, with(w.visit(w.c1, w.ticket(w.alice1, perm(album, "view")), w.bob, true)))
	code, _ := w.code(w.rs1, uma.ScopeProtection)
	for _, s := range append(w.bearers, code, w.idToken("bob", nil), "", "rubbish", g.AccessToken+"\n", g.AccessToken[:len(g.AccessToken)-1]) {
		if s == g.AccessToken {
			continue
		}
		i, err := w.Introspect(w.ctx, w.alice1, s)
		w.must(err)
		if !reflect.DeepEqual(i, uma.Introspection{}) {
			t.Errorf("introspecting what is no RPT gives %+v", i)
		}
	}
	// A client sees its own OAuth token in the plain form (RFC 7662), and no
	// other client does.
	pat := w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection)
	own, err := w.IntrospectAsClient(w.ctx, w.rs1, pat)
	w.must(err)
	if !own.Active || own.Scope != string(uma.ScopeProtection) || own.Permissions != nil {
		t.Errorf("a client's own token is introspected as %+v", own)
	}
	foreign, err := w.IntrospectAsClient(w.ctx, w.rs2, pat)
	w.must(err)
	if !reflect.DeepEqual(foreign, uma.Introspection{}) {
		t.Errorf("another client's token is introspected as %+v", foreign)
	}
}

// Proves GRANT-3.6-01, GRANT-3.6-02, GRANT-3.6-04.
func TestRefreshDoesNotAssess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Lifetimes.Claims = time.Minute })
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	w.advance(time.Hour) // the RPT has expired, and every claim is too old
	w.wantDead(w.alice1, g.AccessToken)
	// A server on the same store by whose rules nothing would be granted.
	config := w.Config
	config.Forbids = `forbid (principal, action, resource);`
	strict, err := as.New(w.ctx, config)
	w.must(err)
	denied, err := strict.Redeem(w.ctx, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))), "")
	w.must(err)
	if !is[as.Denied](denied) {
		t.Fatalf("the control is %T", denied)
	}
	answer, err := strict.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	w.must(err)
	w.wantPermissions(w.alice1, answer.AccessToken, perm(album, "view"))
	if answer.Scope != "" {
		t.Errorf("a refreshed RPT comes with the scope %q", answer.Scope)
	}
}

// Proves GRANT-3.6-03.
func TestRefreshNarrowsAcrossAllResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, photo := w.register(w.alice1, "album", "view", "edit"), w.register(w.alice1, "photo", "edit")
	bare := w.register(w.alice1, "bare")
	for _, wish := range []policy.Share{toBob(album, "view", "edit"), toBob(photo, "edit"), toBob(bare)} {
		w.share(w.aliceOwner, wish)
	}
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view", "edit"), perm(photo, "edit"), perm(bare))))
	for _, bad := range [][]uma.Scope{scopes("download"), scopes("view", "download"), scopes("")} {
		_, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, bad)
		wantCode(t, err, uma.InvalidScope)
	}
	narrow, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, scopes("view"))
	w.must(err)
	w.wantPermissions(w.alice1, narrow.AccessToken, perm(album, "view"), perm(bare))
	wide, err := w.Refresh(w.ctx, w.c1, narrow.RefreshToken, nil)
	w.must(err)
	w.wantPermissions(w.alice1, wide.AccessToken, perm(album, "view", "edit"), perm(photo, "edit"), perm(bare))
}

// Proves SEC-091.
func TestASecondUseOfARefreshTokenRevokesTheFamily(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	second, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	w.must(err)
	third, err := w.Refresh(w.ctx, w.c1, second.RefreshToken, nil)
	w.must(err)
	// Somebody else's client does no harm with it.
	_, err = w.Refresh(w.ctx, w.c2, g.RefreshToken, nil)
	wantCode(t, err, uma.InvalidGrant)
	_, err = w.Refresh(w.ctx, w.c2, third.RefreshToken, nil)
	wantCode(t, err, uma.InvalidGrant)
	w.wantPermissions(w.alice1, third.AccessToken, perm(album, "view"))

	_, err = w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	wantCode(t, err, uma.InvalidGrant)
	for _, token := range []string{g.AccessToken, second.AccessToken, third.AccessToken} {
		w.wantDead(w.alice1, token)
	}
	_, err = w.Refresh(w.ctx, w.c1, third.RefreshToken, nil)
	wantCode(t, err, uma.InvalidGrant)
	if w.count(w.aliceSpace.ID, as.EventRefreshReplayed) == 0 {
		t.Error("the history does not tell the replay")
	}
}

// Proves GRANT-3.7-01, GRANT-3.7-03, SEC-094.
func TestRevocationIsTheClientsOwnAndAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	fresh := func() as.Granted { return w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view")))) }

	g := fresh()
	for _, token := range []string{g.AccessToken, g.RefreshToken} {
		w.must(w.Revoke(w.ctx, w.c2, token))
		w.must(w.Revoke(w.ctx, w.public, token))
		w.must(w.Revoke(w.ctx, w.rs1, token))
	}
	w.must(w.Revoke(w.ctx, w.c1, "rubbish"))
	w.must(w.Revoke(w.ctx, w.c1, ""))
	w.must(w.Revoke(w.ctx, w.c1, g.AccessToken+"\n"))
	w.wantPermissions(w.alice1, g.AccessToken, perm(album, "view"))

	// An access token alone: its grant goes on.
	w.must(w.Revoke(w.ctx, w.c1, g.AccessToken))
	w.wantDead(w.alice1, g.AccessToken)
	next, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	w.must(err)
	w.wantPermissions(w.alice1, next.AccessToken, perm(album, "view"))

	// A refresh token with everything that came from its grant.
	w.must(w.Revoke(w.ctx, w.c1, next.RefreshToken))
	w.wantDead(w.alice1, next.AccessToken)
	_, err = w.Refresh(w.ctx, w.c1, next.RefreshToken, nil)
	wantCode(t, err, uma.InvalidGrant)

	// Twice is as good as once, and a PAT can be revoked as well.
	w.must(w.Revoke(w.ctx, w.c1, next.RefreshToken))
	pat := w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection)
	w.must(w.Revoke(w.ctx, w.rs2, pat))
	_, err = w.AuthenticatePAT(w.ctx, pat)
	w.must(err)
	w.must(w.Revoke(w.ctx, w.rs1, pat))
	_, err = w.AuthenticatePAT(w.ctx, pat)
	wantCode(t, err, uma.InvalidToken)
}

// A spent refresh token that is revoked takes its family along, too: a client
// that signs out late must not fail to.
func TestRevokingASpentRefreshTokenRevokesItsFamily(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	next, err := w.Refresh(w.ctx, w.c1, g.RefreshToken, nil)
	w.must(err)
	w.must(w.Revoke(w.ctx, w.c1, g.RefreshToken))
	w.wantDead(w.alice1, next.AccessToken)
}

// The answer carries as many distinct resources as were granted, and no more.
//
// Proves PEER-go-uma, FED-4.2-01, FED-4-02.
func TestATicketForManyPermissionsGivesThemAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, n := range []int{2, 8, 9, 40} {
		var asked []uma.Permission
		for range n {
			id := w.register(w.alice1, "photo", "view", "edit")
			w.share(w.aliceOwner, toBob(id, "view", "edit"))
			asked = append(asked, perm(id, "view"))
		}
		g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, asked...)))
		w.wantPermissions(w.alice1, g.AccessToken, asked...)
		slices.Reverse(asked)
	}
}

// Whichever share comes first, the entry of a resource ends with the first end.
//
// Proves FED-5.1.1-07.
func TestAnEntryEndsWithTheFirstOfItsPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, minutes := range [][2]time.Duration{{2, 5}, {5, 2}, {0, 2}, {2, 0}} {
		album := w.register(w.alice1, "album", "view", "edit")
		for i, scope := range scopes("view", "edit") {
			wish := toBob(album, scope)
			if minutes[i] > 0 {
				wish.NotAfter = w.Now().Add(minutes[i] * time.Minute)
			}
			w.share(w.aliceOwner, wish)
		}
		g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view", "edit"))))
		i, err := w.Introspect(w.ctx, w.alice1, g.AccessToken)
		w.must(err)
		if len(i.Permissions) != 1 || i.Permissions[0].ExpiresAt != w.Now().Add(2*time.Minute).Unix() || len(i.Permissions[0].Scopes) != 2 {
			t.Errorf("of shares that end after %v minutes there is %+v", minutes, i.Permissions)
		}
	}
}
