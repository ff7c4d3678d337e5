package as_test

import (
	"testing"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// gallery is the worked examples' world: an album and two photos of Alice's.
type gallery struct {
	*world
	album, photo1, photo2 uma.ResourceID
}

func newGallery(t *testing.T, options ...func(*as.Config)) gallery {
	w := newWorld(t, options...)
	return gallery{
		w, w.register(w.alice1, "album", "view", "edit", "download"),
		w.register(w.alice1, "photo1", "view", "resize", "print", "download"),
		w.register(w.alice1, "photo2", "view", "resize", "print", "download"),
	}
}

// registeredFor is an app that is registered for these scopes and no others.
func (w *world) registeredFor(scopes ...uma.Scope) oauth.Client {
	w.t.Helper()
	c, _, err := w.RegisterClient(w.ctx, oauth.Client{
		AuthMethod: oauth.AuthBasic, GrantTypes: []string{uma.GrantType}, Scopes: scopes, PushClaims: true,
	})
	w.must(err)
	return c
}

func (g gallery) permitAll() {
	for _, wish := range []policy.Share{
		toAnyone(g.album, "view", "edit", "download"), toAnyone(g.photo1, "view", "resize", "print", "download"),
		toAnyone(g.photo2, "view", "resize", "print", "download"),
	} {
		g.share(g.aliceOwner, wish)
	}
}

// we1 is the ticket of the first examples, asked for with some scopes.
func (g gallery) we1(requested ...uma.Scope) uma.TokenRequest {
	g.t.Helper()
	req := with(g.ticket(g.alice1, perm(g.album, "edit"), perm(g.photo1, "view"), perm(g.photo2, "view")))
	req.Scopes = requested
	return req
}

// Proves WE-1, GRANT-3.3.4-01, GRANT-3.3.4-05.
func TestTheFirstWorkedExampleThroughTheServer(t *testing.T) {
	t.Parallel()
	for partial, want := range map[as.Partial]func(as.Result) bool{
		as.PartialLast: is[as.Granted], as.PartialFirst: is[as.Granted], as.PartialNever: is[as.Denied],
	} {
		g := newGallery(t, func(c *as.Config) { c.Partial = partial })
		g.share(g.aliceOwner, toAnyone(g.photo1, "view"))
		r := g.redeem(g.registeredFor("download"), g.we1("download"))
		if !want(r) {
			t.Errorf("partial %q: the answer is %T", partial, r)
		}
		if rpt, ok := r.(as.Granted); ok {
			g.wantPermissions(g.alice1, rpt.AccessToken, perm(g.photo1, "view"))
		}
	}
	// The owner of the rest wants to be asked.
	g := newGallery(t)
	g.share(g.aliceOwner, toAnyone(g.photo1, "view"))
	g.share(g.aliceOwner, askMe(g.album, "edit", "download"))
	redeemed[as.Submitted](g.world, g.c1, withToken(g.we1("download").Ticket, g.idToken("bob", nil)))
}

// Proves WE-2, WE-3, WE-3b, GRANT-3.3.1-11, GRANT-3.3.4-03, GRANT-3.3.4-04, GRANT-3.3.6-05.
func TestTheScopesOfTheClientThroughTheServer(t *testing.T) {
	t.Parallel()
	for _, strict := range []bool{false, true} {
		g := newGallery(t, func(c *as.Config) { c.StrictScopes, c.Partial = strict, as.PartialNever })
		g.permitAll()
		download, nothing := g.registeredFor("download"), g.registeredFor()
		rpt := g.granted(download, g.we1("download"))
		g.wantPermissions(g.alice1, rpt.AccessToken, perm(g.album, "edit", "download"), perm(g.photo1, "view", "download"), perm(g.photo2, "view", "download"))

		g.update(g.alice1, g.album, "album", "view", "edit")
		req := with(g.ticket(g.alice1, perm(g.album, "edit"), perm(g.photo1, "view")))
		req.Scopes = scopes("download")
		g.share(g.aliceOwner, toAnyone(g.album, "view", "edit"))
		g.wantPermissions(g.alice1, g.granted(download, req).AccessToken, perm(g.album, "edit"), perm(g.photo1, "view", "download"))

		own := with(g.ticket(g.alice1, perm(g.photo1, "view")))
		own.Scopes = scopes("view")
		if strict {
			g.refused(nothing, g.we1("download"), uma.InvalidScope)
			g.refused(nothing, own, uma.InvalidScope)
			continue
		}
		g.wantPermissions(g.alice1, g.granted(nothing, g.we1("download")).AccessToken, perm(g.album, "edit"), perm(g.photo1, "view"), perm(g.photo2, "view"))
		g.wantPermissions(g.alice1, g.granted(nothing, own).AccessToken, perm(g.photo1, "view"))
	}
}

// Proves WE-4, WE-5, WE-6a, WE-6b, WE-7, GRANT-3.3.6-04, GRANT-3.3.6-14, GRANT-5.6-01.
func TestTheOtherWorkedExamplesThroughTheServer(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	bare := func(requested ...uma.Scope) uma.TokenRequest {
		req := with(g.ticket(g.alice1, perm(g.album)))
		req.Scopes = requested
		return req
	}
	redeemed[as.Denied](g.world, g.c1, bare()) // 6a
	g.permitAll()
	redeemed[as.Denied](g.world, g.c1, bare()) // the scopes are shared, and not the bare album

	g.refused(g.registeredFor("rotate"), g.we1("rotate"), uma.InvalidScope)
	g.wantPermissions(g.alice1, g.granted(g.registeredFor("view", "edit"), bare("view")).AccessToken, perm(g.album, "view"))
	g.share(g.aliceOwner, toAnyone(g.album))
	g.wantPermissions(g.alice1, g.granted(g.c1, bare()).AccessToken, perm(g.album))

	ticket := g.ticket(g.alice1, perm(g.photo1, "view", "print"))
	g.update(g.alice1, g.photo1, "photo1", "view", "resize", "download")
	g.wantPermissions(g.alice1, g.granted(g.c1, with(ticket)).AccessToken, perm(g.photo1, "view"))
}

// The scopes a client asked for last hold until it asks for others.
//
// Proves GRANT-3.3.1-10.
func TestTheScopesAskedForLastHold(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	for _, id := range []uma.ResourceID{g.album, g.photo1} {
		g.share(g.aliceOwner, toBob(id, "view", "download"))
	}
	g.share(g.aliceOwner, toBob(g.album, "edit"))
	begin := func() uma.Ticket {
		req := with(g.ticket(g.alice1, perm(g.album, "view"), perm(g.photo1, "view")))
		req.Scopes = scopes("download")
		return redeemed[as.NeedInfo](g.world, g.c1, req).Ticket
	}
	kept := g.granted(g.c1, g.asBob(begin()))
	g.wantPermissions(g.alice1, kept.AccessToken, perm(g.album, "view", "download"), perm(g.photo1, "view", "download"))
	visited := g.granted(g.c1, with(g.visit(g.c1, begin(), g.bob, false)))
	g.wantPermissions(g.alice1, visited.AccessToken, perm(g.album, "view", "download"), perm(g.photo1, "view", "download"))
	req := g.asBob(begin())
	req.Scopes = scopes("edit")
	g.wantPermissions(g.alice1, g.granted(g.c1, req).AccessToken, perm(g.album, "view", "edit"), perm(g.photo1, "view"))
	req = g.asBob(begin())
	req.Scopes = []uma.Scope{}
	g.wantPermissions(g.alice1, g.granted(g.c1, req).AccessToken, perm(g.album, "view"), perm(g.photo1, "view"))
	none := g.granted(g.c1, g.asBob(g.ticket(g.alice1, perm(g.album, "view"))))
	g.wantPermissions(g.alice1, none.AccessToken, perm(g.album, "view"))
}

// Two owners of different minds about the same scope name: each resource is
// decided by its own shares alone.
//
// Proves GRANT-3.3.4-02, SEC-054.
func TestEachResourceIsDecidedByItsOwnShares(t *testing.T) {
	t.Parallel()
	g := newGallery(t)
	g.share(g.aliceOwner, toAnyone(g.photo1, "view"))
	g.share(g.aliceOwner, toEmail("carlos@example.org", g.photo2, "view"))
	rpt := g.granted(g.c1, g.asBob(g.ticket(g.alice1, perm(g.photo1, "view"), perm(g.photo2, "view"))))
	g.wantPermissions(g.alice1, rpt.AccessToken, perm(g.photo1, "view"))
}
