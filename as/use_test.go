package as_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// used is the use log of a space, newest first, after what was seen is written down.
func (w *world) used(o as.Owner, f as.UseFilter) []as.Use {
	w.t.Helper()
	w.must(w.FlushUses(w.ctx))
	list, err := w.Uses(w.ctx, o, f, 1000)
	w.must(err)
	return list
}

// The owner sees who used what, through which app, how often and when last.
func TestTheOwnerSeesWhatWasUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, diary := w.register(w.alice1, "album", "view", "edit"), w.register(w.alice1, "diary", "view")
	forBob := w.share(w.aliceOwner, toBob(album, "view"))
	w.share(w.aliceOwner, toBob(diary, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	if list := w.used(w.aliceOwner, as.UseFilter{}); len(list) != 0 {
		t.Errorf("a token that nobody has asked about is used: %+v", list)
	}
	for range 3 {
		w.advance(time.Second)
		w.permissions(w.alice1, g.AccessToken)
	}
	_, err := w.IntrospectAsClient(w.ctx, w.rs1, g.AccessToken)
	w.must(err)
	list := w.used(w.aliceOwner, as.UseFilter{})
	if len(list) != 1 {
		t.Fatalf("the log has %d rows: %+v", len(list), list)
	}
	u := list[0]
	if u.N != 4 || !u.LastAt.Equal(w.Now()) || u.Resource != album || u.Share != forBob.ID || u.Client != "c1" ||
		u.Subject != provider+"#bob" || u.ResourceServer != "rs1" || !slices.Equal(u.Scopes, scopes("view")) {
		t.Errorf("the log says %+v", u)
	}
	// What is used later, and by others, is told apart and added up.
	w.advance(as.UseBucket)
	w.permissions(w.alice1, g.AccessToken)
	w.permissions(w.alice1, w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(diary, "view")))).AccessToken)
	if list = w.used(w.aliceOwner, as.UseFilter{}); len(list) != 3 {
		t.Errorf("the log has %d rows, want three: %+v", len(list), list)
	}
	if list = w.used(w.aliceOwner, as.UseFilter{Resource: album}); len(list) != 2 || !list[0].LastAt.Equal(w.Now()) {
		t.Errorf("the log of the album: %+v", list)
	}
	last, err := w.LastUses(w.ctx, w.aliceOwner, as.UseOfResource, string(album), string(diary), "never")
	w.must(err)
	if len(last) != 2 || last[string(album)].N != 1 || !last[string(album)].LastAt.Equal(w.Now()) {
		t.Errorf("the last uses are %+v", last)
	}
	n, err := w.CountUses(w.ctx, w.aliceOwner, as.UseFilter{Share: forBob.ID})
	w.must(err)
	if n != 5 {
		t.Errorf("the share was used %d times, want five", n)
	}
	// And nobody sees another's.
	if list := w.used(w.annaOwner, as.UseFilter{}); len(list) != 0 {
		t.Errorf("Anna sees what was used of Alice's: %+v", list)
	}
}

// What is refused is no use: dead tokens, those of others, and what an ended share
// granted.
func TestWhatIsRefusedIsNoUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, diary := w.register(w.alice1, "album", "view"), w.register(w.alice1, "diary", "view")
	ends := w.share(w.aliceOwner, toBob(album, "view"))
	stays := w.share(w.aliceOwner, toBob(diary, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"), perm(diary, "view"))))
	w.wantDead(w.alice1, "made up")
	w.wantDead(w.anna1, g.AccessToken)
	w.wantDead(w.alice2, g.AccessToken)
	if list := w.used(w.aliceOwner, as.UseFilter{}); len(list) != 0 {
		t.Errorf("the log says %+v", list)
	}
	w.permissions(w.alice1, g.AccessToken)
	w.must(w.WithdrawShare(w.ctx, w.aliceOwner, ends.ID, 0))
	w.permissions(w.alice1, g.AccessToken)
	for _, c := range []struct {
		share as.Share
		want  int64
	}{{ends, 1}, {stays, 2}} {
		w.must(w.FlushUses(w.ctx))
		if n, err := w.CountUses(w.ctx, w.aliceOwner, as.UseFilter{Share: c.share.ID}); err != nil || n != c.want {
			t.Errorf("the share is used %d times, want %d: %v", n, c.want, err)
		}
	}
}

// An RPT that the resource server verifies by itself is used when it is issued.
func TestASignedRPTIsUsedWhenItIsIssued(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.rs1.SignedRPTs, w.c1.CertificateBound = true, true
	for _, c := range []oauth.Client{w.rs1, w.c1} {
		_, _, err := w.RegisterClient(w.ctx, c)
		w.must(err)
	}
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	ctx := as.WithSender(w.ctx, as.Sender{Certificates: []*x509.Certificate{{Raw: []byte("a certificate")}}})
	result, err := w.Redeem(ctx, w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))), "")
	w.must(err)
	g, ok := result.(as.Granted)
	if !ok {
		t.Fatalf("the answer is %T", result)
	}
	if list := w.used(w.aliceOwner, as.UseFilter{}); len(list) != 1 || list[0].N != 1 || list[0].Resource != album {
		t.Errorf("after it was issued the log says %+v", list)
	}
	_, err = w.Refresh(ctx, w.c1, g.RefreshToken, nil)
	w.must(err)
	if n, err := w.CountUses(w.ctx, w.aliceOwner, as.UseFilter{}); err != nil || n != 1 {
		t.Fatalf("%d uses before they are written down, %v", n, err)
	}
	if list := w.used(w.aliceOwner, as.UseFilter{}); len(list) != 1 || list[0].N != 2 {
		t.Errorf("after it was refreshed the log says %+v", list)
	}
}

// What several nodes have seen adds up.
func TestUsesOfSeveralNodesAddUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"))))
	nodes := append(w.beside(2), w.Server)
	const each = 200
	var all sync.WaitGroup
	for _, n := range nodes {
		all.Go(func() {
			for range each {
				if i, err := n.Introspect(w.ctx, w.alice1, g.AccessToken); err != nil || !i.Active {
					t.Errorf("introspection says %+v, %v", i, err)
				}
			}
			if err := n.FlushUses(w.ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list := w.used(w.aliceOwner, as.UseFilter{}); len(list) != 1 || list[0].N != int64(each*len(nodes)) {
		t.Errorf("the log says %+v, want one row of %d uses", list, each*len(nodes))
	}
}

// What cannot be written down is kept until it can.
func TestUsesOutliveAStoreThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	album, diary := w.register(w.alice1, "album", "view"), w.register(w.alice1, "diary", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	w.share(w.aliceOwner, toBob(diary, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view"), perm(diary, "view"))))
	node := w.beside(1, func(c *as.Config) { c.Store = &deaf{Store: w.store} })[0]
	down := node.Store.(*deaf)
	look := func() {
		t.Helper()
		if i, err := node.Introspect(w.ctx, w.alice1, g.AccessToken); err != nil || !i.Active {
			t.Fatalf("introspection says %+v, %v", i, err)
		}
	}
	look()
	down.is = true
	for range 3 {
		if err := node.FlushUses(w.ctx); err == nil {
			t.Fatal("a store that does not answer is no failure")
		}
		look()
	}
	down.is = false
	w.must(node.FlushUses(w.ctx))
	list := w.used(w.aliceOwner, as.UseFilter{})
	if len(list) != 2 || list[0].N != 4 || list[1].N != 4 {
		t.Errorf("the log says %+v, want four uses of each", list)
	}
}

// deaf is a store that takes no Update while it is down.
type deaf struct {
	as.Store
	is bool
}

func (d *deaf) Update(ctx context.Context, f func(as.Tx) error) error {
	if d.is {
		return as.ErrUnavailable
	}
	return d.Store.Update(ctx, f)
}

// A connection says when its token was used last, of a resource server and of an
// owner's app.
func TestConnectionsSayWhenTheyWereUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.token(w.rs1, w.alice, w.aliceSpace, uma.ScopeProtection)
	var pat as.PAT
	for range 3 {
		w.advance(time.Second)
		var err error
		pat, err = w.AuthenticatePAT(w.ctx, token)
		w.must(err)
	}
	unused := w.token(w.rs2, w.alice, w.aliceSpace, uma.ScopeProtection)
	_, err := w.AuthenticateOwner(w.ctx, unused)
	wantCode(t, err, uma.InsufficientScope)
	w.must(w.FlushUses(w.ctx))
	list, err := w.Connections(w.ctx, w.aliceOwner, as.Page{Limit: 100})
	w.must(err)
	found, never := false, false
	for _, c := range list {
		if c.ID == pat.Grant {
			found = c.Use.N == 3 && c.Use.LastAt.Equal(w.Now())
		}
		never = never || c.Client == "rs2" && c.Use == as.GrantUse{}
	}
	if !found || !never {
		t.Errorf("the connections are %+v", list)
	}
}

// What was used is remembered for as long as is configured, and then swept.
func TestUsesAreForgottenInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *as.Config) { c.Lifetimes.Uses = 24 * time.Hour })
	album := w.register(w.alice1, "album", "view")
	w.share(w.aliceOwner, toBob(album, "view"))
	w.permissions(w.alice1, w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(album, "view")))).AccessToken)
	w.must(w.FlushUses(w.ctx))
	sweep := func() {
		t.Helper()
		if _, err := w.Sweep(w.ctx, 1000); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(24 * time.Hour)
	sweep()
	if list := w.used(w.aliceOwner, as.UseFilter{}); len(list) != 1 {
		t.Errorf("after a day the log says %+v", list)
	}
	w.advance(as.UseBucket)
	sweep()
	if list := w.used(w.aliceOwner, as.UseFilter{}); len(list) != 0 {
		t.Errorf("after more than a day the log says %+v", list)
	}
}

// A few uses are added at once. Many had better gather, since what is used again is
// one row, but not so many that something could be lost.
func TestManyUsesGather(t *testing.T) {
	w := newWorld(t)
	waits := func(n int) bool {
		t.Helper()
		for i := range n {
			photo := w.register(w.alice1, fmt.Sprint("photo ", i), "view")
			w.share(w.aliceOwner, toAnyone(photo, "view"))
			rpt := w.granted(w.c1, with(w.ticket(w.alice1, perm(photo, "view")))).AccessToken
			w.wantPermissions(w.alice1, rpt, perm(photo, "view"))
		}
		return w.UsesWait()
	}
	if waits(10) {
		t.Error("ten uses are said to have to wait")
	}
	if !waits(260) {
		t.Error("270 uses are said not to have to wait")
	}
	w.must(w.FlushUses(w.ctx))
	if w.UsesWait() {
		t.Error("there is nothing, and it is said to wait")
	}
}
