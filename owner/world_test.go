package owner_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/teststore"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/owner"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// clock stands still until it is advanced.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a server on a real store, with Alice, who owns a space at two services,
// and Anna, who owns another.
type world struct {
	*clock
	t     testing.TB
	ctx   context.Context
	as    *as.Server
	views owner.Views

	alice, anna    as.Owner
	people         map[string]as.Account
	photos, clinic as.PAT // of Alice
	annasPhotos    as.PAT
	app, other     oauth.Client
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, ctx: context.Background(), clock: &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}, people: map[string]as.Account{}}
	server, err := as.New(w.ctx, as.Config{
		Issuer: "https://as.example", Store: teststore.Open(t), Now: w.clock.Now, ClaimsInteractionEndpoint: "https://as.example/claims",
		Secrets: as.Secrets{Digest: random(32), Seal: [][]byte{random(32)}},
	})
	w.must(err)
	w.as, w.views = server, owner.Views{AS: server}
	client := func(c oauth.Client) oauth.Client {
		c.AuthMethod = oauth.AuthBasic
		made, _, err := server.RegisterClient(w.ctx, c)
		w.must(err)
		return made
	}
	service := func(id, name string) oauth.Client {
		return client(oauth.Client{ID: oauth.ClientID(id), Name: name, RedirectURIs: []string{"https://rs.example/cb"},
			GrantTypes: []string{oauth.GrantAuthorizationCode}, Scopes: []uma.Scope{uma.ScopeProtection}})
	}
	app := func(id, name string) oauth.Client {
		return client(oauth.Client{ID: oauth.ClientID(id), Name: name, GrantTypes: []string{uma.GrantType, oauth.GrantRefreshToken},
			ClaimsRedirectURIs: []string{"https://app.example/claims"}, Scopes: []uma.Scope{"view", "edit"}})
	}
	rs1, rs2 := service("photos", "Photos"), service("clinic", "Clinic")
	w.app, w.other = app("frames", "Frames"), app("prints", "Prints")
	person := func(name, space string) as.Owner {
		a, s, err := server.CreateAccount(w.ctx, as.Account{Name: name, Email: name + "@example.org", EmailVerified: true}, space)
		w.must(err)
		w.people[name] = a
		return as.Owner{Space: s.ID, Account: a.ID}
	}
	w.alice, w.anna = person("Alice", "Alice's"), person("Anna", "Anna's")
	person("Bob", "")
	person("Carol", "")
	pat := func(c oauth.Client, o as.Owner) as.PAT {
		answer, err := server.IssueToken(w.ctx, c.ID, o.Account, o.Space, uma.ScopeProtection)
		w.must(err)
		p, err := server.AuthenticatePAT(w.ctx, answer.AccessToken)
		w.must(err)
		return p
	}
	w.photos, w.clinic, w.annasPhotos = pat(rs1, w.alice), pat(rs2, w.alice), pat(rs1, w.anna)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func describe(t testing.TB, name string, scopes ...uma.Scope) uma.ResourceDescription {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"name": name, "resource_scopes": scopes})
	if err != nil {
		t.Fatal(err)
	}
	var d uma.ResourceDescription
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) thing(pat as.PAT, name string, scopes ...uma.Scope) uma.ResourceID {
	w.t.Helper()
	if scopes == nil {
		scopes = []uma.Scope{"view", "edit"}
	}
	r, err := w.as.RegisterResource(w.ctx, pat, describe(w.t, name, scopes...))
	w.must(err)
	return r.ID
}

func email(id uma.ResourceID, address string, scopes ...uma.Scope) policy.Share {
	return policy.Share{Resource: id, Scopes: scopes, Claims: []policy.Claim{
		{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{address}},
	}}
}

func (w *world) share(o as.Owner, wish policy.Share) as.Share {
	w.t.Helper()
	s, err := w.as.CreateShare(w.ctx, o, wish)
	w.must(err)
	return s
}

// visit lets somebody ask for a thing through an app, as far as the server lets them.
func (w *world) visit(pat as.PAT, c oauth.Client, who string, id uma.ResourceID, scopes ...uma.Scope) as.Result {
	w.t.Helper()
	ticket, err := w.as.RequestPermissions(w.ctx, pat, []uma.Permission{{Resource: id, Scopes: scopes}})
	w.must(err)
	handle, err := w.as.BeginInteraction(w.ctx, c, ticket, as.Interaction{RedirectURI: c.ClaimsRedirectURIs[0]})
	w.must(err)
	next, _, err := w.as.FinishInteraction(w.ctx, handle, w.people[who].ID, as.Said{})
	w.must(err)
	result, err := w.as.Redeem(w.ctx, c, uma.TokenRequest{Ticket: next}, "")
	w.must(err)
	return result
}

// fill gives Alice many things and shares.
func (w *world) fill(things, shares int) {
	w.t.Helper()
	var ids []uma.ResourceID
	for i := range things {
		ids = append(ids, w.thing([]as.PAT{w.photos, w.clinic}[i%2], fmt.Sprintf("Thing %d of many", i)))
	}
	for i := range shares {
		wish := email(ids[i*7%things], fmt.Sprintf("person%d@example.org", i%300), "view")
		if i%5 == 0 {
			wish.Client = string(w.app.ID)
		}
		if i%3 == 0 {
			wish.NotAfter = w.Now().Add(time.Duration(i%30+1) * 24 * time.Hour)
		}
		w.share(w.alice, wish)
	}
}
