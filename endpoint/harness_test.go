package endpoint

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/limit"
	"github.com/licet/licet/internal/page"
	"github.com/licet/licet/internal/teststore"
	"github.com/licet/licet/login"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// world is a whole authorization server with people and applications: the real
// handler behind a real listener on loopback, the real store, a clock that
// stands still until it is advanced.
type world struct {
	t      testing.TB
	Issuer string
	AS     *as.Server
	Server *Server
	Store  as.Store
	Clock  *testClock
	HTTP   *http.Client // follows no redirect and keeps no cookie

	// Alice and Anna own things, Bob and Carlos would like to see some. All four
	// have a space of their own and the password testPassword.
	Alice, Anna, Bob, Carlos resident

	RS1, RS2 registered // resource servers
	C1, C2   registered // confidential clients with two, and with one claims redirection URI
	Public   registered // a client that can keep no secret

	lastTicket uma.Ticket // of the newest pendingRequest
	secrets    as.Secrets // of the server

	letters *letters // that were sent
}

// resident is a person with an account and a space.
type resident struct {
	as.Account
	Space as.SpaceID
}

// registered is a client with its secret, "" for a public one.
type registered struct {
	oauth.Client
	Secret string
}

const testPassword = "correct horse battery staple"

var testPasswordHash = sync.OnceValues(func() (string, error) { return login.HashPassword(testPassword, rand.Reader) })

// testClock is a clock that a test advances.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newWorld makes a world over plain http. Options change how the authorization
// server is configured.
func newWorld(t testing.TB, options ...func(*as.Config)) *world {
	t.Helper()
	return makeWorld(t, httptest.NewServer, options...)
}

// newSecureWorld makes a world over https.
func newSecureWorld(t testing.TB, options ...func(*as.Config)) *world {
	t.Helper()
	return makeWorld(t, httptest.NewTLSServer, options...)
}

// pagesOf are the pages of an issuer, at a clock.
func pagesOf(t testing.TB, issuer string, now func() time.Time) *page.Pages {
	t.Helper()
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := page.New(page.Config{Issuer: u, FormKey: bytes.Repeat([]byte{3}, 32), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func makeWorld(t testing.TB, listen func(http.Handler) *httptest.Server, options ...func(*as.Config)) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, Clock: &testClock{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}}
	var err error
	store := teststore.Open(t)
	srv := listen(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.Server.ServeHTTP(rw, r) }))
	t.Cleanup(func() {
		srv.Close()
	})
	w.HTTP = srv.Client()
	w.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	c := as.Config{
		Issuer: srv.URL, Store: store, Now: w.Clock.Now,
		Secrets: as.Secrets{Digest: bytes.Repeat([]byte{1}, 32), Seal: [][]byte{bytes.Repeat([]byte{2}, 32)}},
	}
	c.Attempts = as.Attempts{Account: limit.Off, Address: limit.Off, Mail: limit.Off}
	w.letters = &letters{}
	c.Mail = w.letters.send
	c.Registration = as.Registration{Mode: as.RegistrationToken, Scopes: []uma.Scope{oauth.ScopeOpenID, "view"}}
	for _, change := range options {
		change(&c)
	}
	c.ClaimsInteractionEndpoint = c.Issuer + pathClaims
	w.Issuer, w.Store, w.secrets = c.Issuer, c.Store, c.Secrets
	w.AS, err = as.New(ctx, c)
	w.must(err)
	in, err := login.New(login.Config{AS: w.AS, Secure: srv.TLS != nil, Methods: login.Methods{Passwords: true, Guests: true}})
	w.must(err)
	w.Server, err = New(Config{AS: w.AS, SignIn: in, Pages: pagesOf(t, c.Issuer, w.Clock.Now), Limits: unlimited, Log: c.Log})
	w.must(err)

	w.Alice, w.Anna = w.person("alice@example.com", "Alice"), w.person("anna@example.com", "Anna")
	w.Bob, w.Carlos = w.person("bob@example.com", "Bob"), w.person("carlos@example.com", "Carlos")
	all := []uma.Scope{oauth.ScopeOpenID, oauth.ScopeEmail, oauth.ScopeProfile, oauth.ScopeOfflineAccess, oauth.ScopePolicy}
	server := oauth.Client{
		AuthMethod: oauth.AuthBasic, Scopes: []uma.Scope{uma.ScopeProtection},
		GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantClientCredentials},
	}
	app := oauth.Client{
		AuthMethod: oauth.AuthBasic, Scopes: append(all, "view", "comment"), PushClaims: true,
		GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, uma.GrantType},
	}
	w.RS1 = w.client(server, "rs1", "Photos", "https://rs1.example/cb")
	w.RS2 = w.client(server, "rs2", "Clinic", "https://rs2.example/cb")
	w.C1 = w.client(app, "c1", "Pulse Diary", "https://c1.example/cb", "https://c1.example/claims", "https://c1.example/claims?from=licet")
	w.C2 = w.client(app, "c2", "Second App", "https://c2.example/cb", "https://c2.example/claims")
	app.AuthMethod, app.PushClaims = oauth.AuthNone, false
	w.Public = w.client(app, "public", "Pocket App", "http://127.0.0.1/cb", "https://public.example/claims")
	return w
}

// unlimited is for tests that are not about limits: they get a lot wrong while
// their clock stands still.
var unlimited = Limits{Client: limit.Off, Address: limit.Off, Public: limit.Off, Registration: limit.Off, Refusals: limit.Off}

// letters are what the server has sent by mail.
type letters struct {
	mu  sync.Mutex
	all []as.Letter
}

func (l *letters) send(_ context.Context, one as.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, one)
	return nil
}

// lastLetter is the newest letter to an address.
func (w *world) lastLetter(email string) as.Letter {
	w.t.Helper()
	for more := 1; more > 0; {
		n, err := w.AS.Deliver(context.Background(), 100)
		w.must(err)
		more = n
	}
	w.letters.mu.Lock()
	defer w.letters.mu.Unlock()
	for i := len(w.letters.all) - 1; i >= 0; i-- {
		if w.letters.all[i].To == email {
			return w.letters.all[i]
		}
	}
	w.t.Fatalf("nothing was sent to %s", email)
	return as.Letter{}
}

// codeFor is the code that was sent last to an address.
func (w *world) codeFor(email string) string {
	w.t.Helper()
	return w.lastLetter(email).Code
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(email, name string) resident {
	w.t.Helper()
	hash, err := testPasswordHash()
	w.must(err)
	a, space, err := w.AS.CreateAccount(context.Background(), as.Account{
		Email: email, EmailVerified: true, Name: name, PasswordHash: hash,
	}, name)
	w.must(err)
	return resident{a, space.ID}
}

// client registers a copy of c under an id, with its redirect URI and its claims
// redirection URIs.
func (w *world) client(c oauth.Client, id oauth.ClientID, name, redirect string, claims ...string) registered {
	w.t.Helper()
	c.ID, c.Name, c.RedirectURIs, c.ClaimsRedirectURIs = id, name, []string{redirect}, claims
	c, secret, err := w.AS.RegisterClient(context.Background(), c)
	w.must(err)
	return registered{c, secret}
}

// token gives a client an access token in the person's space.
func (w *world) token(c registered, who resident, scopes ...uma.Scope) string {
	w.t.Helper()
	answer, err := w.AS.IssueToken(context.Background(), c.ID, who.ID, who.Space, scopes...)
	w.must(err)
	return answer.AccessToken
}

// pat gives a resource server a PAT of the person.
func (w *world) pat(rs registered, who resident) string {
	w.t.Helper()
	return w.token(rs, who, uma.ScopeProtection)
}

// resource registers a resource at a resource server.
func (w *world) resource(pat, name string, scopes ...uma.Scope) uma.ResourceID {
	w.t.Helper()
	p, err := w.AS.AuthenticatePAT(context.Background(), pat)
	w.must(err)
	members := uma.Object{}
	for member, value := range map[string]any{"name": name, "resource_scopes": scopes} {
		members[member], err = json.Marshal(value)
		w.must(err)
	}
	res, err := w.AS.RegisterResource(context.Background(), p, uma.ResourceDescription{Name: name, Scopes: scopes, Members: members})
	w.must(err)
	return res.ID
}

// ticket has a resource server ask for permissions.
func (w *world) ticket(pat string, asked ...uma.Permission) uma.Ticket {
	w.t.Helper()
	p, err := w.AS.AuthenticatePAT(context.Background(), pat)
	w.must(err)
	ticket, err := w.AS.RequestPermissions(context.Background(), p, asked)
	w.must(err)
	return ticket
}

// ticketFor has a resource server ask for one resource with some scopes.
func (w *world) ticketFor(pat string, id uma.ResourceID, scopes ...uma.Scope) uma.Ticket {
	w.t.Helper()
	return w.ticket(pat, uma.Permission{Resource: id, Scopes: scopes})
}

// share lets a person share.
func (w *world) share(who resident, wish policy.Share) as.Share {
	w.t.Helper()
	share, err := w.AS.CreateShare(context.Background(), as.Owner{Space: who.Space, Account: who.ID}, wish)
	w.must(err)
	return share
}

// family makes a group of a person's, and returns its id.
func (w *world) family(who resident) string {
	w.t.Helper()
	g, err := w.AS.CreateGroup(context.Background(), as.Owner{Space: who.Space, Account: who.ID}, "family")
	w.must(err)
	return string(g.ID)
}

// withEmail is the condition of a share that is for these e-mail addresses.
func withEmail(addresses ...string) []policy.Claim {
	return []policy.Claim{{RequiredClaim: uma.RequiredClaim{Name: "email"}, Values: addresses}}
}

// answer is an HTTP answer with its body.
type answer struct {
	*http.Response
	Body []byte
}

// json reads the body as a JSON object.
func (a answer) json(t testing.TB) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(a.Body, &out); err != nil {
		t.Fatalf("%s is no JSON object: %v", a.Body, err)
	}
	return out
}

// do sends a request without cookies. The path is below the issuer.
func (w *world) do(method, path string, header http.Header, body string) answer {
	w.t.Helper()
	return w.send(w.HTTP, method, w.Issuer+path, header, body)
}

func (w *world) send(client *http.Client, method, uri string, header http.Header, body string) answer {
	w.t.Helper()
	r, err := http.NewRequest(method, uri, bytes.NewBufferString(body))
	w.must(err)
	for name, values := range header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	response, err := client.Do(r)
	w.must(err)
	defer func() { _ = response.Body.Close() }()
	return w.read(response)
}

// read reads an answer to its end. The nonce of a page is another each time and
// tells nothing: it is blanked, so that pages can be compared.
func (w *world) read(response *http.Response) answer {
	w.t.Helper()
	read, err := io.ReadAll(response.Body)
	w.must(err)
	if csp := response.Header.Get("Content-Security-Policy"); csp != "" {
		response.Header.Set("Content-Security-Policy", nonces.ReplaceAllString(csp, "'nonce-NONCE'"))
		read = nonceAttributes.ReplaceAll(read, []byte(`nonce="NONCE"`))
	}
	return answer{response, read}
}

var (
	nonces          = regexp.MustCompile(`'nonce-[A-Z2-7]{26}'`)
	nonceAttributes = regexp.MustCompile(`nonce="[A-Z2-7]{26}"`)
)

// postToken posts to the token endpoint as a client, with the way it is
// registered to authenticate.
func (w *world) postToken(c registered, form url.Values) answer {
	w.t.Helper()
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if c.Secret == "" {
		form.Set("client_id", string(c.ID))
	} else {
		header.Set("Authorization", basic(string(c.ID), c.Secret))
	}
	return w.do(http.MethodPost, pathToken, header, form.Encode())
}

// postTicket presents a permission ticket; more are name and value pairs.
func (w *world) postTicket(c registered, ticket uma.Ticket, more ...string) answer {
	w.t.Helper()
	form := url.Values{"grant_type": {uma.GrantType}, "ticket": {string(ticket)}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return w.postToken(c, form)
}

func basic(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(url.QueryEscape(user), url.QueryEscape(password))
	return r.Header.Get("Authorization")
}
