package as_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/teststore"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

const (
	issuer      = "https://as.example"
	provider    = "https://claims.example" // a trusted claims provider
	interaction = issuer + "/claims"
	callback    = "https://c1.example/claims"
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

// world is a whole server on a real store, with people and clients. Alice and
// Anna have spaces; Bob and Carlos are requesting parties.
type world struct {
	*as.Server
	*clock
	t   testing.TB
	ctx context.Context

	store teststore.Store

	alice, anna, bob, carlos as.Account
	aliceSpace, annaSpace    as.Space

	rs1, rs2, c1, c2, public, app oauth.Client
	secrets                       map[oauth.ClientID]string

	alice1, alice2, anna1 as.PAT // (Alice, rs1), (Alice, rs2), (Anna, rs1)
	aliceOwner, annaOwner as.Owner
	bearers               []string // every bearer value that was handed out

	key oauth.Key // of the claims provider
}

func newWorld(t testing.TB, options ...func(*as.Config)) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{
		t: t, ctx: ctx, store: teststore.Open(t), secrets: map[oauth.ClientID]string{},
		clock: &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)},
	}
	var err error
	w.key, err = oauth.GenerateKey(rand.Reader, oauth.ES256)
	w.must(err)
	jwks, err := oauth.KeySet{w.key}.Public()
	w.must(err)
	config := as.Config{
		Issuer: issuer, Store: w.store, Now: w.clock.Now, ClaimsInteractionEndpoint: interaction,
		Secrets:      as.Secrets{Digest: random(32), Seal: [][]byte{random(32)}},
		ClaimIssuers: []as.ClaimIssuer{{Issuer: provider, JWKS: jwks}},
	}
	for _, o := range options {
		o(&config)
	}
	w.Server, err = as.New(ctx, config)
	w.must(err)
	w.people()
	w.clients()
	w.alice1 = w.pat(w.rs1, w.alice, w.aliceSpace)
	w.alice2 = w.pat(w.rs2, w.alice, w.aliceSpace)
	w.anna1 = w.pat(w.rs1, w.anna, w.annaSpace)
	w.aliceOwner = w.owner(w.alice, w.aliceSpace)
	w.annaOwner = w.owner(w.anna, w.annaSpace)
	return w
}

func (w *world) people() {
	make := func(name, space string) (as.Account, as.Space) {
		a, s, err := w.CreateAccount(w.ctx, as.Account{Name: name, Email: strings.ToLower(name) + "@example.org", EmailVerified: true}, space)
		w.must(err)
		return a, s
	}
	w.alice, w.aliceSpace = make("Alice", "Alice's things")
	w.anna, w.annaSpace = make("Anna", "Anna's things")
	w.bob, _ = make("Bob", "")
	w.carlos, _ = make("Carlos", "")
}

func (w *world) clients() {
	register := func(c oauth.Client) oauth.Client {
		made, secret, err := w.RegisterClient(w.ctx, c)
		w.must(err)
		w.secrets[made.ID] = secret
		return made
	}
	rs := oauth.Client{
		AuthMethod: oauth.AuthBasic, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
		RedirectURIs: []string{"https://rs.example/cb"}, Scopes: []uma.Scope{uma.ScopeProtection},
	}
	rs.ID = "rs1"
	w.rs1 = register(rs)
	rs.ID = "rs2"
	w.rs2 = register(rs)
	c := oauth.Client{
		AuthMethod: oauth.AuthBasic, GrantTypes: []string{uma.GrantType, oauth.GrantRefreshToken},
		ClaimsRedirectURIs: []string{callback}, Scopes: []uma.Scope{"view", "edit", "download"}, PushClaims: true,
	}
	c.ID, c.Name = "c1", "The first app"
	w.c1 = register(c)
	c.ID, c.Name = "c2", "The second app"
	w.c2 = register(c)
	c.ID, c.AuthMethod = "public", oauth.AuthNone
	w.public = register(c)
	w.app = register(oauth.Client{
		ID: "app", AuthMethod: oauth.AuthBasic, RedirectURIs: []string{"https://app.example/cb"},
		GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
		Scopes:     []uma.Scope{oauth.ScopePolicy, oauth.ScopeOpenID},
	})
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

// token issues an OAuth access token and notes it.
func (w *world) token(c oauth.Client, a as.Account, s as.Space, scopes ...uma.Scope) string {
	w.t.Helper()
	answer, err := w.IssueToken(w.ctx, c.ID, a.ID, s.ID, scopes...)
	w.must(err)
	w.note(answer)
	return answer.AccessToken
}

func (w *world) note(answer uma.TokenResponse) {
	for _, s := range []string{answer.AccessToken, answer.RefreshToken, string(answer.PCT)} {
		if s != "" {
			w.bearers = append(w.bearers, s)
		}
	}
}

func (w *world) pat(rs oauth.Client, a as.Account, s as.Space) as.PAT {
	w.t.Helper()
	pat, err := w.AuthenticatePAT(w.ctx, w.token(rs, a, s, uma.ScopeProtection))
	w.must(err)
	return pat
}

func (w *world) owner(a as.Account, s as.Space) as.Owner {
	w.t.Helper()
	o, err := w.AuthenticateOwner(w.ctx, w.token(w.app, a, s, oauth.ScopePolicy))
	w.must(err)
	return o
}

// describe makes a resource description with a name and scopes.
func describe(t testing.TB, name string, scopes ...uma.Scope) uma.ResourceDescription {
	t.Helper()
	if scopes == nil {
		scopes = []uma.Scope{}
	}
	raw, err := json.Marshal(map[string]any{"name": name, "resource_scopes": scopes})
	if err != nil {
		t.Fatal(err)
	}
	var d uma.ResourceDescription
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) register(pat as.PAT, name string, scopes ...uma.Scope) uma.ResourceID {
	w.t.Helper()
	res, err := w.RegisterResource(w.ctx, pat, describe(w.t, name, scopes...))
	w.must(err)
	return res.ID
}

func (w *world) update(pat as.PAT, id uma.ResourceID, name string, scopes ...uma.Scope) {
	w.t.Helper()
	_, err := w.UpdateResource(w.ctx, pat, id, describe(w.t, name, scopes...))
	w.must(err)
}

func perm(id uma.ResourceID, scopes ...uma.Scope) uma.Permission {
	if scopes == nil {
		scopes = []uma.Scope{}
	}
	return uma.Permission{Resource: id, Scopes: scopes}
}

func scopes(s ...uma.Scope) []uma.Scope { return s }

// toEmail is a wish to share with the bearer of a verified address.
func toEmail(email string, id uma.ResourceID, scopes ...uma.Scope) policy.Share {
	return policy.Share{Resource: id, Scopes: scopes, Claims: []policy.Claim{
		{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: []string{email}},
	}}
}

func toBob(id uma.ResourceID, scopes ...uma.Scope) policy.Share {
	return toEmail("bob@example.org", id, scopes...)
}

func toAnyone(id uma.ResourceID, scopes ...uma.Scope) policy.Share {
	return policy.Share{Resource: id, Scopes: scopes, Anyone: true}
}

// askMe is for anyone whom the owner approves.
func askMe(id uma.ResourceID, scopes ...uma.Scope) policy.Share {
	return policy.Share{Resource: id, Scopes: scopes, Anyone: true, Ask: true}
}

func (w *world) share(o as.Owner, wish policy.Share) as.Share {
	w.t.Helper()
	s, err := w.CreateShare(w.ctx, o, wish)
	w.must(err)
	return s
}

func (w *world) ticket(pat as.PAT, asked ...uma.Permission) uma.Ticket {
	w.t.Helper()
	ticket, err := w.RequestPermissions(w.ctx, pat, asked)
	w.must(err)
	w.bearers = append(w.bearers, string(ticket))
	return ticket
}

// pad adds to a list of permissions until it is too long for a sealed ticket.
func (w *world) storedTicket(pat as.PAT, asked ...uma.Permission) uma.Ticket {
	w.t.Helper()
	for len(asked) <= 8 {
		asked = append(asked, perm(w.register(pat, "filler", "filler"), "filler"))
	}
	return w.ticket(pat, asked...)
}

// idToken makes an ID token of the claims provider about a person, for c1 and
// good for five minutes; more changes and adds claims, and nil removes one.
func (w *world) idToken(sub string, more map[string]any) string {
	w.t.Helper()
	token, err := oauth.Sign(w.key, "JWT", w.idClaims(sub, more))
	w.must(err)
	return token
}

func (w *world) idClaims(sub string, more map[string]any) map[string]any {
	now := w.Now().Unix()
	claims := map[string]any{
		"iss": provider, "sub": sub, "aud": "c1", "iat": now, "exp": now + 300,
		"email": sub + "@example.org", "email_verified": true,
	}
	maps.Copy(claims, more)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

func withToken(ticket uma.Ticket, token string) uma.TokenRequest {
	return uma.TokenRequest{Ticket: ticket, ClaimToken: token, ClaimTokenFormat: uma.IDTokenFormat}
}

func with(ticket uma.Ticket) uma.TokenRequest { return uma.TokenRequest{Ticket: ticket} }

// asBob presents a ticket with a pushed ID token about Bob.
func (w *world) asBob(ticket uma.Ticket) uma.TokenRequest {
	return withToken(ticket, w.idToken("bob", nil))
}

func (w *world) redeem(c oauth.Client, req uma.TokenRequest) as.Result {
	w.t.Helper()
	result, err := w.Redeem(w.ctx, c, req, "")
	w.must(err)
	switch r := result.(type) {
	case as.Granted:
		w.note(r.TokenResponse)
	case as.NeedInfo:
		w.bearers = append(w.bearers, string(r.Ticket))
	case as.Submitted:
		w.bearers = append(w.bearers, string(r.Ticket))
	}
	return result
}

func redeemed[R as.Result](w *world, c oauth.Client, req uma.TokenRequest) R {
	w.t.Helper()
	result := w.redeem(c, req)
	r, ok := result.(R)
	if !ok {
		w.t.Fatalf("the answer is %T, want %T", result, r)
	}
	return r
}

func (w *world) granted(c oauth.Client, req uma.TokenRequest) as.Granted {
	w.t.Helper()
	return redeemed[as.Granted](w, c, req)
}

// refused wants a token request to fail with a code.
func (w *world) refused(c oauth.Client, req uma.TokenRequest, code uma.Code) {
	w.t.Helper()
	result, err := w.Redeem(w.ctx, c, req, "")
	if result != nil {
		w.t.Errorf("the answer is %T, want %s", result, code)
	}
	wantCode(w.t, err, code)
}

func wantCode(t testing.TB, err error, code uma.Code) {
	t.Helper()
	var e *uma.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, want %s", err, code)
	}
	if e.Code != code {
		t.Errorf("the error is %s, want %s", e.Code, code)
	}
}

// visit goes to the claims interaction endpoint and back.
func (w *world) visit(c oauth.Client, ticket uma.Ticket, who as.Account, remember bool, promised ...as.Promise) uma.Ticket {
	w.t.Helper()
	handle, err := w.BeginInteraction(w.ctx, c, ticket, as.Interaction{RedirectURI: callback})
	w.must(err)
	next, _, err := w.FinishInteraction(w.ctx, handle, who.ID, as.Said{Promised: promised, Remember: remember})
	w.must(err)
	w.bearers = append(w.bearers, handle, string(next))
	return next
}

// permissions are what a token permits at a resource server, as sorted
// "resource:scope"; nil when the token is not active.
func (w *world) permissions(pat as.PAT, token string) []string {
	w.t.Helper()
	answer, err := w.Introspect(w.ctx, pat, token)
	w.must(err)
	if !answer.Active {
		return nil
	}
	out := []string{}
	for _, p := range answer.Permissions {
		for _, s := range p.Scopes {
			out = append(out, string(p.Resource)+":"+string(s))
		}
		if len(p.Scopes) == 0 {
			out = append(out, string(p.Resource)+":")
		}
	}
	slices.Sort(out)
	return out
}

// wantPermissions wants a token to permit exactly this; nothing at all means
// that it is not active.
func (w *world) wantPermissions(pat as.PAT, token string, want ...uma.Permission) {
	w.t.Helper()
	var list []string
	for _, p := range want {
		for _, s := range p.Scopes {
			list = append(list, string(p.Resource)+":"+string(s))
		}
		if len(p.Scopes) == 0 {
			list = append(list, string(p.Resource)+":")
		}
	}
	slices.Sort(list)
	if got := w.permissions(pat, token); !slices.Equal(got, list) || (got == nil) != (list == nil) {
		w.t.Errorf("the token permits %v, want %v", got, list)
	}
}

func (w *world) wantDead(pat as.PAT, token string) {
	w.t.Helper()
	w.wantPermissions(pat, token)
}

// events are the kinds of a space's events in order.
func (w *world) events(space as.SpaceID) []as.Event {
	w.t.Helper()
	var list []as.Event
	w.must(w.store.View(w.ctx, func(r as.Reader) (err error) {
		list, err = r.Events(space, 0, 1_000_000)
		return err
	}))
	return list
}

func (w *world) count(space as.SpaceID, kind string) int {
	w.t.Helper()
	n := 0
	for _, e := range w.events(space) {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// code is an authorization code of Alice for her space, and its verifier.
func (w *world) code(c oauth.Client, scopes ...uma.Scope) (code, verifier string) {
	w.t.Helper()
	verifier = hex.EncodeToString(random(32))
	sum := sha256.Sum256([]byte(verifier))
	code, err := w.IssueCode(w.ctx, oauth.AuthorizationRequest{
		Client: c.ID, RedirectURI: c.RedirectURIs[0], Scopes: scopes,
		CodeChallenge: base64.RawURLEncoding.EncodeToString(sum[:]),
	}, w.signIn(w.alice).ID, w.aliceSpace.ID)
	w.must(err)
	w.bearers = append(w.bearers, code)
	return code, verifier
}

// signIn opens a session of somebody's.
func (w *world) signIn(who as.Account) as.Session {
	w.t.Helper()
	secret, err := w.NewSession(w.ctx, who.ID)
	w.must(err)
	w.bearers = append(w.bearers, secret)
	session, _, err := w.Session(w.ctx, secret)
	w.must(err)
	return session
}

// pct lets somebody agree to be remembered by a client.
func (w *world) pct(c oauth.Client, who as.Account, ticket uma.Ticket) uma.PCT {
	w.t.Helper()
	g := w.granted(c, with(w.visit(c, ticket, who, true)))
	if g.PCT == "" {
		w.t.Fatal("there is no PCT although the requesting party agreed to one")
	}
	return g.PCT
}
