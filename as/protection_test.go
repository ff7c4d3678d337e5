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

// foreign is what is not Alice's at rs1, beside an id of nobody.
func (w *world) foreign() map[string]uma.ResourceID {
	return map[string]uma.ResourceID{
		"of another owner":           w.register(w.anna1, "album", "view"),
		"of another resource server": w.register(w.alice2, "album", "view"),
		"of nobody":                  "06ev5n0a01mc6vgegegs0vqkgfg0e2a5vks0",
		"without a name":             "",
	}
}

// Proves FED-1.3-04, FED-3.2-05, FED-3.2.3-02, FED-3.2.5-01, SEC-012, SEC-024, PEER-CVE-2026-4630, PEER-49910.
func TestAPATReachesItsOwnResourcesAndNoOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := w.register(w.alice1, "album", "view")
	for name, id := range w.foreign() {
		_, err := w.ReadResource(w.ctx, w.alice1, id)
		wantCode(t, err, uma.NotFound)
		_, err = w.UpdateResource(w.ctx, w.alice1, id, describe(t, "mine now", "view", "edit"))
		wantCode(t, err, uma.NotFound)
		wantCode(t, w.DeregisterResource(w.ctx, w.alice1, id), uma.NotFound)
		_, err = w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(id, "view")})
		wantCode(t, err, uma.InvalidResourceID)
		ids, err := w.ListResources(w.ctx, w.alice1, as.Page{Limit: 100})
		w.must(err)
		if !slices.Equal(ids, []uma.ResourceID{own}) {
			t.Errorf("with one %s, the list is %v, want %s alone", name, ids, own)
		}
	}
	for _, pat := range []as.PAT{w.anna1, w.alice2} {
		ids, err := w.ListResources(w.ctx, pat, as.Page{Limit: 100})
		w.must(err)
		for _, id := range ids {
			res, err := w.ReadResource(w.ctx, pat, id)
			w.must(err)
			if res.Description.Name != "album" || res.Space != pat.Space {
				t.Errorf("a foreign resource was changed to %+v", res)
			}
		}
	}
	// Its own it reads, updates, asks for and deregisters.
	w.update(w.alice1, own, "renamed", "edit")
	res, err := w.ReadResource(w.ctx, w.alice1, own)
	w.must(err)
	if res.Description.Name != "renamed" || !slices.Equal(res.Description.Scopes, scopes("edit")) {
		t.Errorf("after an update the resource is %+v", res.Description)
	}
	w.ticket(w.alice1, perm(own, "edit"))
	bare, err := uma.ParseResourceDescription(uma.Object{"resource_scopes": []byte(`[]`)})
	w.must(err)
	_, err = w.UpdateResource(w.ctx, w.alice1, own, bare)
	w.must(err)
	if res, err = w.ReadResource(w.ctx, w.alice1, own); err != nil || res.Description.Name != "" || len(res.Description.Members) != 1 {
		t.Errorf("an update without a name leaves %+v, %v", res.Description, err)
	}
	w.must(w.DeregisterResource(w.ctx, w.alice1, own))
	if ids, err := w.ListResources(w.ctx, w.alice1, as.Page{Limit: 100}); err != nil || len(ids) != 0 {
		t.Errorf("after deregistration the list is %v, %v", ids, err)
	}
	wantCode(t, w.DeregisterResource(w.ctx, w.alice1, own), uma.NotFound)
	_, err = w.ReadResource(w.ctx, w.alice1, own)
	wantCode(t, err, uma.NotFound)
}

// What is absent and what is somebody else's are told in the same words.
//
// Proves SEC-012.
func TestAnAbsentAndAForeignResourceAnswerAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	said := map[string]bool{}
	for _, id := range w.foreign() {
		_, read := w.ReadResource(w.ctx, w.alice1, id)
		_, asked := w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(id, "view")})
		_, bad := w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(id, "nonexistent")})
		said[read.Error()+"; "+asked.Error()+"; "+bad.Error()] = true
	}
	if len(said) != 1 {
		t.Errorf("there are %d different answers: %v", len(said), said)
	}
}

// A resource server that an owner runs by a token of the owner's own (without
// any browser) has the same rights as any, and the same bounds.
//
// Proves PEER-49910, FED-1.3-05.
func TestAnAccountsOwnResourceServerWorks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, foreign := w.register(w.alice1, "album", "view"), w.register(w.anna1, "album", "view")
	w.share(w.aliceOwner, toBob(own, "view"))
	pat := w.pat(w.rs1, w.alice, w.aliceSpace)
	g := w.granted(w.c1, w.asBob(w.ticket(pat, perm(own, "view"))))
	w.wantPermissions(pat, g.AccessToken, perm(own, "view"))
	_, err := w.ReadResource(w.ctx, pat, foreign)
	wantCode(t, err, uma.NotFound)
	// Nobody gets a token in a space that is not theirs.
	_, err = w.IssueToken(w.ctx, w.rs1.ID, w.alice.ID, w.annaSpace.ID, uma.ScopeProtection)
	wantCode(t, err, uma.InvalidToken)
	_, err = w.IssueToken(w.ctx, w.rs1.ID, w.bob.ID, w.annaSpace.ID, uma.ScopeProtection)
	wantCode(t, err, uma.InvalidToken)
}

// An organisation's resource server gets its PAT with its own credentials, for
// the organisation's space alone.
func TestClientCredentialsReachTheClientsOwnSpaceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	register := func(space as.SpaceID) oauth.Client {
		c, _, err := w.RegisterClient(w.ctx, oauth.Client{
			AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantClientCredentials},
			Scopes: []uma.Scope{uma.ScopeProtection, "view"}, Space: string(space),
		})
		w.must(err)
		return c
	}
	org := register(w.annaSpace.ID)
	answer, err := w.ClientCredentials(w.ctx, org, nil)
	w.must(err)
	if answer.RefreshToken != "" || answer.Scope != string(uma.ScopeProtection) {
		t.Errorf("client credentials gave scope %q, refresh token %t", answer.Scope, answer.RefreshToken != "")
	}
	pat, err := w.AuthenticatePAT(w.ctx, answer.AccessToken)
	w.must(err)
	if pat.Space != w.annaSpace.ID || pat.ResourceServer != org.ID {
		t.Errorf("the PAT is for %+v", pat)
	}
	for _, bad := range [][]uma.Scope{scopes("view"), scopes(oauth.ScopePolicy), scopes(uma.ScopeProtection, oauth.ScopePolicy), scopes(oauth.ScopeOpenID), {}} {
		_, err = w.ClientCredentials(w.ctx, org, bad)
		wantCode(t, err, uma.InvalidScope)
	}
	_, err = w.ClientCredentials(w.ctx, register(""), scopes(uma.ScopeProtection))
	wantCode(t, err, uma.InvalidScope)
	_, err = w.ClientCredentials(w.ctx, w.rs1, nil)
	wantCode(t, err, uma.UnauthorizedClient)
	_, err = w.ClientCredentials(w.ctx, w.public, nil)
	wantCode(t, err, uma.UnauthorizedClient)
}

// Proves FED-1.2-01, FED-1.3-02, SEC-016.
func TestOnlyALivePATIsAPAT(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view", uma.ScopeProtection, oauth.ScopePolicy)
	// Scopes of a resource that are spelled like those of the server change nothing.
	w.share(w.aliceOwner, toBob(album, "view", uma.ScopeProtection, oauth.ScopePolicy))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view", uma.ScopeProtection, oauth.ScopePolicy))))
	ticket := w.ticket(w.alice1, perm(album, "view"))
	pat, app := w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection), w.token(w.app, w.alice, w.aliceSpace, oauth.ScopePolicy)
	session, err := w.NewSession(w.ctx, w.alice.ID)
	w.must(err)
	for name, c := range map[string]struct {
		token       string
		pat, policy uma.Code // "" is accepted
	}{
		"a PAT":              {pat, "", uma.InsufficientScope},
		"a policy token":     {app, uma.InsufficientScope, ""},
		"an OpenID token":    {w.token(w.app, w.alice, w.aliceSpace, oauth.ScopeOpenID), uma.InsufficientScope, uma.InsufficientScope},
		"an RPT":             {g.AccessToken, "any", "any"},
		"a refresh token":    {g.RefreshToken, uma.InvalidToken, uma.InvalidToken},
		"a ticket":           {string(ticket), uma.InvalidToken, uma.InvalidToken},
		"a session":          {session, uma.InvalidToken, uma.InvalidToken},
		"an ID token":        {w.idToken("bob", nil), uma.InvalidToken, uma.InvalidToken},
		"nothing":            {"", uma.InvalidToken, uma.InvalidToken},
		"a PAT, cut":         {pat[:len(pat)-1], uma.InvalidToken, uma.InvalidToken},
		"a PAT, with a line": {pat + "\n", uma.InvalidToken, uma.InvalidToken},
	} {
		_, errPAT := w.AuthenticatePAT(w.ctx, c.token)
		_, errOwner := w.AuthenticateOwner(w.ctx, c.token)
		for _, r := range []struct {
			err  error
			want uma.Code
		}{{errPAT, c.pat}, {errOwner, c.policy}} {
			switch {
			case r.want == "any" && r.err == nil, r.want == "" && r.err != nil:
				t.Errorf("%s: %v", name, r.err)
			case r.want != "" && r.want != "any":
				wantCode(t, r.err, r.want)
			}
		}
	}
	w.advance(time.Hour - time.Millisecond)
	_, err = w.AuthenticatePAT(w.ctx, pat)
	w.must(err)
	w.advance(time.Millisecond)
	_, err = w.AuthenticatePAT(w.ctx, pat)
	wantCode(t, err, uma.InvalidToken)
}

// Proves FED-4-01, FED-4.1-02, FED-4.1-04, FED-4.3-01, FED-4.3-02, SEC-013, SEC-014.
func TestAPermissionRequestIsGoodAsAWholeOrRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, second := w.register(w.alice1, "album", "view"), w.register(w.alice1, "photo", "edit")
	for name, id := range w.foreign() {
		good, bad := perm(own, "view"), perm(id, "view")
		many := []uma.Permission{good, good, good, good, good, good, good, good, good, bad}
		for _, asked := range [][]uma.Permission{{good, bad}, {bad, good}, {bad}, {perm(own, "rotate"), bad}, {bad, perm(own, "rotate")}, many} {
			ticket, err := w.RequestPermissions(w.ctx, w.alice1, asked)
			wantCode(t, err, uma.InvalidResourceID)
			if ticket != "" {
				t.Errorf("with one %s there is a ticket all the same", name)
			}
		}
	}
	for _, asked := range [][]uma.Permission{
		{perm(own, "edit")}, {perm(own, "view", "edit")}, {perm(own, "view"), perm(second, "view")}, {perm(second, "view"), perm(own, "view")},
		{perm(own, "View")}, {perm(own, "")}, {perm(own, "vie")}, {perm(own, "view ")}, {perm(own, "*")},
	} {
		ticket, err := w.RequestPermissions(w.ctx, w.alice1, asked)
		wantCode(t, err, uma.InvalidScope)
		if ticket != "" {
			t.Error("with a scope that is not registered there is a ticket all the same")
		}
	}
}

// Proves FED-4.1-03.
func TestAPermissionMayHaveNoScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album))))
	w.wantPermissions(w.alice1, g.AccessToken, perm(album))
	// A share of the bare resource is not one of its scopes, nor the other way.
	redeemed[as.Denied](w, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	scoped := w.register(w.alice1, "scoped", "view")
	w.share(w.aliceOwner, toBob(scoped, "view"))
	redeemed[as.Denied](w, w.c1, w.asBob(w.ticket(w.alice1, perm(scoped))))
}

// Proves GRANT-5.6-01, SEC-040, SEC-041, PEER-Gravitee.
func TestWithoutAConditionTheAnswerIsNo(t *testing.T) {
	t.Parallel()
	for _, partial := range []as.Partial{as.PartialLast, as.PartialFirst, as.PartialNever} {
		w := newWorld(t, func(c *as.Config) { c.Partial = partial })
		for name, wishes := range map[string]func(uma.ResourceID) []policy.Share{
			"no share":              func(uma.ResourceID) []policy.Share { return nil },
			"no claims, not anyone": func(id uma.ResourceID) []policy.Share { return []policy.Share{{Resource: id, Scopes: scopes("view")}} },
			"an empty list of claims": func(id uma.ResourceID) []policy.Share {
				return []policy.Share{{Resource: id, Scopes: scopes("view"), Claims: []policy.Claim{}}}
			},
			"asking, of nobody": func(id uma.ResourceID) []policy.Share {
				return []policy.Share{{Resource: id, Scopes: scopes("view"), Ask: true}}
			},
			"anyone, with conditions": func(id uma.ResourceID) []policy.Share {
				s := toBob(id, "view")
				s.Anyone = true
				return []policy.Share{s}
			},
			"no scopes, not anyone": func(id uma.ResourceID) []policy.Share { return []policy.Share{{Resource: id}} },
		} {
			album := w.register(w.alice1, "album", "view")
			for _, wish := range wishes(album) {
				if _, err := w.CreateShare(w.ctx, w.aliceOwner, wish); err != nil {
					continue // refused at once is as good
				}
			}
			for _, asked := range []uma.Permission{perm(album), perm(album, "view")} {
				for _, req := range []uma.TokenRequest{with(w.ticket(w.alice1, asked)), w.asBob(w.ticket(w.alice1, asked))} {
					req.Scopes = scopes("view")
					if r := w.redeem(w.c1, req); !is[as.Denied](r) {
						t.Errorf("%s: for %v the answer is %T, want request_denied", name, asked.Scopes, r)
					}
				}
			}
		}
	}
}

// An empty claim is no claim: a condition without a name holds for nobody.
//
// Proves SEC-041.
func TestAConditionWithoutANameHoldsForNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	if _, err := w.CreateShare(w.ctx, w.aliceOwner, policy.Share{Resource: album, Scopes: scopes("view"), Claims: []policy.Claim{{}}}); err == nil {
		if r := w.redeem(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view")))); is[as.Granted](r) {
			t.Error("an empty condition was met")
		}
	}
}

// Two owners name their resources alike; what one shares opens nothing of the
// other's.
//
// Proves SEC-024, SEC-025, PEER-CVE-2026-94217, PEER-CVE-2026-9799.
func TestEqualNamesAndTypesOpenNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alices, annas := w.register(w.alice1, "album", "view"), w.register(w.anna1, "album", "view")
	second, prefix := w.register(w.alice1, "album", "view"), w.register(w.alice1, "alb", "view")
	w.share(w.aliceOwner, toBob(alices, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(alices, "view"))))
	w.wantPermissions(w.alice1, g.AccessToken, perm(alices, "view"))
	redeemed[as.Denied](w, w.c1, w.asBob(w.ticket(w.anna1, perm(annas, "view"))))
	for _, id := range []uma.ResourceID{second, prefix} {
		redeemed[as.Denied](w, w.c1, w.asBob(w.ticket(w.alice1, perm(id, "view"))))
	}
	for _, id := range []uma.ResourceID{"album", "*", alices[:10], alices + "*", "%", alices + " ", "", "_", alices[:len(alices)-1] + "_"} {
		_, err := w.RequestPermissions(w.ctx, w.alice1, []uma.Permission{perm(id, "view")})
		wantCode(t, err, uma.InvalidResourceID)
		_, err = w.CreateShare(w.ctx, w.aliceOwner, toBob(id, "view"))
		wantCode(t, err, uma.InvalidResourceID)
	}
}

// Proves SEC-021, SEC-022, SEC-023.
func TestAShareIsOfOnesOwnSpace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	annas, alices := w.register(w.anna1, "album", "view"), w.register(w.alice1, "album", "view")
	_, err := w.CreateShare(w.ctx, w.aliceOwner, toAnyone(annas, "view"))
	wantCode(t, err, uma.InvalidResourceID)
	_, err = w.CreateShare(w.ctx, w.aliceOwner, toAnyone(alices, "edit"))
	wantCode(t, err, uma.InvalidScope)
	s := w.share(w.aliceOwner, toBob(alices, "view"))
	if s.Space != w.aliceSpace.ID || s.ResourceServer != "rs1" || s.CreatedBy != w.alice.ID {
		t.Errorf("the share is %+v", s)
	}
	_, err = w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, 0, toAnyone(annas, "view"))
	wantCode(t, err, uma.InvalidResourceID)
	_, err = w.ReplaceShare(w.ctx, w.aliceOwner, s.ID, 0, toAnyone(alices, "view", "edit"))
	wantCode(t, err, uma.InvalidScope)
	// An id that the document names counts for nothing.
	wish := toBob(alices, "view")
	wish.ID = s.ID
	if made := w.share(w.aliceOwner, wish); made.ID == s.ID {
		t.Error("a document chose its share's id")
	}

	_, err = w.ReadShare(w.ctx, w.annaOwner, s.ID)
	wantCode(t, err, uma.NotFound)
	_, err = w.ReplaceShare(w.ctx, w.annaOwner, s.ID, 0, toAnyone(annas, "view"))
	wantCode(t, err, uma.NotFound)
	wantCode(t, w.WithdrawShare(w.ctx, w.annaOwner, s.ID, 0), uma.NotFound)
	_, err = w.RegisteredResource(w.ctx, w.annaOwner, alices)
	wantCode(t, err, uma.NotFound)
	shares, err := w.ListShares(w.ctx, w.annaOwner, as.Page{Limit: 10})
	w.must(err)
	resources, err := w.RegisteredResources(w.ctx, w.annaOwner, as.Page{Limit: 10})
	w.must(err)
	connections, err := w.Connections(w.ctx, w.annaOwner, as.Page{Limit: 10})
	w.must(err)
	if len(shares) != 0 || len(resources) != 1 || len(connections) != 2 {
		t.Errorf("Anna sees %d shares, %d resources and %d connections, want 0, 1 and 2", len(shares), len(resources), len(connections))
	}
	kept, err := w.ReadShare(w.ctx, w.aliceOwner, s.ID)
	w.must(err)
	if kept.Version != 1 || kept.Resource != alices || kept.Space != w.aliceSpace.ID {
		t.Errorf("the share is now %+v", kept)
	}
}
