package as_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/egress"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// listener is an application that wants to hear of logouts.
type listener struct {
	*httptest.Server
	connections atomic.Int64
	status      atomic.Int64
	to          string // where it redirects

	mu   sync.Mutex
	told []string // logout tokens
}

func newListener(t testing.TB) *listener {
	t.Helper()
	l := &listener{}
	l.status.Store(http.StatusOK)
	l.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.URL.RawQuery != "from=licet" || r.Header.Get("Authorization") != "" {
			t.Errorf("it was told with %s %s %v", r.Method, r.URL, r.Header)
		}
		if err := r.ParseForm(); err != nil || len(r.PostForm) != 1 {
			t.Errorf("it was told %v, %v", r.PostForm, err)
		}
		l.mu.Lock()
		l.told = append(l.told, r.PostForm.Get("logout_token"))
		l.mu.Unlock()
		if l.to != "" {
			w.Header().Set("Location", l.to)
		}
		w.WriteHeader(int(l.status.Load()))
	}))
	l.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			l.connections.Add(1)
		}
	}
	l.Start()
	t.Cleanup(l.Close)
	return l
}

func (l *listener) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.told)
}

// hearing lets the server of a test reach this machine.
func hearing(c *as.Config) { c.Fetch = egress.New(egress.Options{AllowLoopback: true}) }

// relying registers an application that signs people in; logout is the address at
// which it wants to be told, "" for nowhere.
func (w *world) relying(id oauth.ClientID, logout string) oauth.Client {
	w.t.Helper()
	c, _, err := w.RegisterClient(w.ctx, oauth.Client{
		ID: id, AuthMethod: oauth.AuthNone, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}, RedirectURIs: []string{"https://" + string(id) + ".example/cb"},
		Scopes: []uma.Scope{oauth.ScopeOpenID, oauth.ScopeOfflineAccess}, BackchannelLogoutURI: logout,
	})
	w.must(err)
	return c
}

// session is the secret of a session of somebody's in which these applications
// have an ID token, and what they got.
func (w *world) session(who as.Account, clients ...oauth.Client) (secret string, got []uma.TokenResponse) {
	w.t.Helper()
	secret, err := w.NewSession(w.ctx, who.ID)
	w.must(err)
	for _, c := range clients {
		got = append(got, w.signInWith(secret, c))
	}
	return secret, got
}

func (w *world) signInWith(secret string, c oauth.Client) uma.TokenResponse {
	w.t.Helper()
	session, _, err := w.Session(w.ctx, secret)
	w.must(err)
	code, err := w.IssueCode(w.ctx, oauth.AuthorizationRequest{
		Client: c.ID, RedirectURI: c.RedirectURIs[0], Scopes: []uma.Scope{oauth.ScopeOpenID, oauth.ScopeOfflineAccess}, Nonce: "n", CodeChallenge: challengeOf(logoutVerifier),
	}, session.ID, "")
	w.must(err)
	answer, err := w.ExchangeCode(w.ctx, c, code, c.RedirectURIs[0], logoutVerifier)
	w.must(err)
	return answer
}

var logoutVerifier = strings.Repeat("v", 43)

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (w *world) deliver() int {
	w.t.Helper()
	n, err := w.Deliver(w.ctx, 100)
	w.must(err)
	return n
}

// claims reads a token that this server signed.
func (w *world) claims(token string) (uma.Object, oauth.Header) {
	w.t.Helper()
	keys, err := oauth.ParseJWKS(jwksOf(w))
	w.must(err)
	claims, header, err := oauth.VerifyJWT(token, keys, nil)
	w.must(err)
	return claims, header
}

func text(o uma.Object, name string) string {
	s, _, _ := o.String(name)
	return s
}

// Whoever has an ID token of a session, and wants to be told, is told of its end,
// however it ends, and nobody else is.
func TestTheApplicationsOfASessionAreToldOfItsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end   func(w *world, secret string) error
		ended bool
	}{
		"by signing out": {func(w *world, secret string) error { return w.EndSession(w.ctx, secret) }, true},
		"by somebody else at the browser": {func(w *world, secret string) error {
			_, err := w.OpenSession(w.ctx, w.bob.ID, as.Entry{Old: secret})
			return err
		}, true},
		"by the end of the account": {func(w *world, _ string) error { return w.DisableAccount(w.ctx, w.alice.ID) }, true},
		"by the same person once more": {func(w *world, secret string) error {
			_, err := w.OpenSession(w.ctx, w.alice.ID, as.Entry{Old: secret})
			return err
		}, false},
		"another's": {func(w *world, _ string) error {
			other, _ := w.session(w.alice)
			return w.EndSession(w.ctx, other)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, hearing)
			first, second, deaf := newListener(t), newListener(t), newListener(t)
			a, b := w.relying("a", first.URL+"/out?from=licet"), w.relying("b", second.URL+"/out?from=licet")
			quiet := w.relying("quiet", "")
			w.relying("elsewhere", deaf.URL+"/out?from=licet")
			secret, got := w.session(w.alice, a, b, quiet, a)
			w.must(c.end(w, secret))
			if n := w.deliver() + w.deliver(); n > 0 != c.ended {
				t.Errorf("%d messages were due", n)
			}
			if deaf.connections.Load() != 0 {
				t.Error("somebody was told who has no part in it")
			}
			for i, l := range []*listener{first, second} {
				told := l.heard()
				if !c.ended {
					if len(told) != 0 {
						t.Errorf("a session that goes on was said to be over: %d", len(told))
					}
					continue
				}
				if len(told) != 1 {
					t.Fatalf("application %d was told %d times", i, len(told))
				}
				w.isLogoutToken(told[0], []oauth.Client{a, b}[i].ID, w.alice, got[i].IDToken)
			}
		})
	}
}

// isLogoutToken checks a logout token against the ID token of the same session.
func (w *world) isLogoutToken(token string, client oauth.ClientID, who as.Account, idToken string) {
	w.t.Helper()
	claims, header := w.claims(token)
	id, _ := w.claims(idToken)
	issued, _, errIssued := claims.Int64("iat")
	ends, _, errEnds := claims.Int64("exp")
	if errIssued != nil || errEnds != nil || issued != w.Now().Unix() || ends <= issued || ends-issued > 120 {
		w.t.Errorf("it is good from %d to %d", issued, ends)
	}
	if header.Type != "logout+jwt" || text(claims, "iss") != issuer || text(claims, "aud") != string(client) || text(claims, "sub") != string(who.ID) || text(claims, "jti") == "" {
		w.t.Errorf("%+v %s", header, claims)
	}
	if sid := text(claims, "sid"); sid == "" || sid != text(id, "sid") {
		w.t.Errorf("it is about the session %q, and the ID token of %q", sid, text(id, "sid"))
	}
	if string(claims["events"]) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` || len(claims) != 8 {
		w.t.Errorf("its claims are %s", claims)
	}
}

// An application that cannot be reached, or cannot do it, is told again, with a
// token that is good then and under the same id, until a day has passed.
func TestALogoutIsToldAgainUntilItIsHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, hearing)
	l := newListener(t)
	a := w.relying("a", l.URL+"/out?from=licet")
	secret, got := w.session(w.alice, a)
	w.must(w.EndSession(w.ctx, secret))
	l.to = l.URL + "/other"
	wait := 10 * time.Second
	for i, status := range []int{http.StatusInternalServerError, http.StatusBadRequest, http.StatusTemporaryRedirect, http.StatusAccepted} {
		l.status.Store(int64(status))
		if n := w.deliver(); n != 1 || len(l.heard()) != i+1 {
			t.Fatalf("after %d: %d due, told %d times", status, n, len(l.heard()))
		}
		w.advance(wait - time.Millisecond)
		if n := w.deliver(); n != 0 {
			t.Errorf("after %d it is told again too early", status)
		}
		w.advance(time.Millisecond)
		wait *= 2
	}
	l.status.Store(http.StatusNoContent)
	if w.deliver(); len(l.heard()) != 5 {
		t.Fatal("it is not told again")
	}
	ids := map[string]bool{}
	for _, token := range l.heard() {
		claims, _ := w.claims(token)
		ids[text(claims, "jti")] = true
	}
	if len(ids) != 1 {
		t.Errorf("one logout has the ids %v", ids)
	}
	w.isLogoutToken(l.heard()[4], a.ID, w.alice, got[0].IDToken)
	w.advance(25 * time.Hour)
	if n := w.deliver(); n != 0 {
		t.Error("what was heard is told again")
	}

	// Nobody hears of it for more than a day, and then it is not worth anything.
	l.status.Store(http.StatusInternalServerError)
	secret, _ = w.session(w.alice, a)
	w.must(w.EndSession(w.ctx, secret))
	tried := 0
	for range 48 * 60 {
		tried += w.deliver()
		w.advance(time.Minute)
	}
	if tried < 24 || tried > 40 {
		t.Errorf("it was tried %d times", tried)
	}
}

// An application that cannot be told holds up nobody who can.
func TestAnApplicationThatIsDownHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, hearing)
	down, up := newListener(t), newListener(t)
	down.status.Store(http.StatusBadGateway)
	deaf, hears := w.relying("a", down.URL+"/out?from=licet"), w.relying("b", up.URL+"/out?from=licet")
	for range 40 {
		secret, _ := w.session(w.alice, deaf)
		w.must(w.EndSession(w.ctx, secret))
	}
	secret, _ := w.session(w.alice, hears)
	w.must(w.EndSession(w.ctx, secret))
	if n := w.deliver(); n != 41 || len(up.heard()) != 1 || len(down.heard()) > 8 {
		t.Errorf("of %d, %d went to who is up, and %d to who is down", n, len(up.heard()), len(down.heard()))
	}
	down.status.Store(http.StatusOK)
	before := len(down.heard())
	w.advance(10 * time.Second)
	if w.deliver(); len(down.heard())-before != 40 {
		t.Errorf("when it is up again it is told %d times", len(down.heard())-before)
	}
}

// Nodes that look at the same time tell it once, and one that was stopped leaves
// it to the next.
//
// Proves SEC-051.
func TestOneOfManyNodesTellsALogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, hearing)
	l := newListener(t)
	a := w.relying("a", l.URL+"/out?from=licet")
	secret, _ := w.session(w.alice, a)
	w.must(w.EndSession(w.ctx, secret))
	select {
	case <-w.Outgoing():
	default:
		t.Error("nobody is told that there is something to deliver")
	}
	stopped, stop := context.WithCancel(w.ctx)
	stop()
	if n, err := w.Deliver(stopped, 10); n != 0 && err == nil {
		t.Errorf("a node that is stopped delivers %d messages", n)
	}
	w.advance(time.Minute)
	nodes := w.beside(5)
	var all sync.WaitGroup
	for _, n := range nodes {
		all.Go(func() {
			if _, err := n.Deliver(w.ctx, 10); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(l.heard()); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

// A session that does not end tells nobody, and one that ends tells even when the
// server dies at once.
func TestALogoutIsToldExactlyWhenTheSessionHasEnded(t *testing.T) {
	t.Parallel()
	l := newListener(t)
	var broken atomic.Bool
	w := newWorld(t, hearing, func(c *as.Config) { c.Store = torn{c.Store, &broken} })
	a := w.relying("a", l.URL+"/out?from=licet")
	secret, _ := w.session(w.alice, a)
	broken.Store(true)
	if err := w.EndSession(w.ctx, secret); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	broken.Store(false)
	if _, _, err := w.Session(w.ctx, secret); err != nil || w.deliver() != 0 {
		t.Errorf("the session that could not be ended: %v", err)
	}
	w.must(w.EndSession(w.ctx, secret))
	next := w.beside(1)[0]
	if n, err := next.Deliver(w.ctx, 10); n != 1 || err != nil || len(l.heard()) != 1 {
		t.Errorf("another process delivers %d, %v", n, err)
	}
	// A client that does not want to be told any more, or is gone, is not.
	for _, change := range []func(c oauth.Client) error{
		func(c oauth.Client) error {
			c.BackchannelLogoutURI = ""
			_, _, err := w.RegisterClient(w.ctx, c)
			return err
		},
		func(c oauth.Client) error {
			c.Disabled = true
			_, _, err := w.RegisterClient(w.ctx, c)
			return err
		},
		func(c oauth.Client) error {
			return w.store.Update(w.ctx, func(tx as.Tx) error { return tx.DeleteClient(c.ID, w.Now()) })
		},
	} {
		c := w.relying("b", l.URL+"/out?from=licet")
		secret, _ := w.session(w.alice, c)
		w.must(w.EndSession(w.ctx, secret))
		w.must(change(c))
		w.deliver()
		if n := w.deliver(); n != 0 || len(l.heard()) != 1 {
			t.Errorf("there is still %d to tell, and it was told %d times", n, len(l.heard()))
		}
	}
}

// torn is a store whose transactions fail at their end when it is told so.
type torn struct {
	as.Store
	broken *atomic.Bool
}

func (s torn) Update(ctx context.Context, f func(as.Tx) error) error {
	return s.Store.Update(ctx, func(tx as.Tx) error {
		if err := f(tx); err != nil || !s.broken.Load() {
			return err
		}
		return errBroken
	})
}

// lines are what was logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(message string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), message)
}

// A client's address is a client's choice. It leads to no place inside, by its
// address, by a name, or by a redirect.
//
// Proves SEC-110, SEC-112.
func TestALogoutIsToldToNobodyInside(t *testing.T) {
	t.Parallel()
	inside := newListener(t)
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	var log lines
	w := newWorld(t, func(c *as.Config) {
		c.Fetch, c.Log = egress.New(egress.Options{}), slog.New(slog.NewTextHandler(&log, nil))
	})
	addresses := []string{
		inside.URL + "/", "https://127.0.0.1" + port + "/", "https://localhost" + port + "/", "http://localhost" + port + "/", "https://[::1]" + port + "/",
		"https://[::ffff:127.0.0.1]" + port + "/", "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "https://192.168.1.1/", "https://100.100.100.200/",
		"https://[fd00:ec2::254]/", "https://0.0.0.0" + port + "/", "https://2130706433" + port + "/", "https://0x7f000001" + port + "/", "https://[64:ff9b::7f00:1]/",
	}
	var clients []oauth.Client
	for i, uri := range addresses {
		clients = append(clients, w.relying(oauth.ClientID("inside"+string(rune('a'+i))), uri))
	}
	secret, _ := w.session(w.alice, clients...)
	w.must(w.EndSession(w.ctx, secret))
	if n := w.deliver(); n != len(addresses) {
		t.Errorf("%d of %d were tried", n, len(addresses))
	}
	if n := inside.connections.Load(); n != 0 {
		t.Errorf("%d connections to the inside", n)
	}
	if n := log.count("message not delivered"); n != len(addresses) {
		t.Errorf("the log tells of %d failures", n)
	}

	// A redirect is an answer like any other, and followed nowhere. This is the
	// control, too: what stands in the way above is the address.
	free := newWorld(t, hearing)
	open := newListener(t)
	open.to = inside.URL + "/out?from=licet"
	open.status.Store(http.StatusTemporaryRedirect)
	secret, _ = free.session(free.alice, free.relying("a", open.URL+"/out?from=licet"))
	free.must(free.EndSession(free.ctx, secret))
	if free.deliver(); open.connections.Load() != 1 || inside.connections.Load() != 0 {
		t.Errorf("%d connections to the address, %d to where it redirects", open.connections.Load(), inside.connections.Load())
	}
}

// A logout token is nothing but that: it lets nobody in and hints at no session.
//
// Proves SEC-100.
func TestALogoutTokenIsNoOtherToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, hearing)
	l := newListener(t)
	a := w.relying("c1", l.URL+"/out?from=licet")
	a.PushClaims, a.GrantTypes = true, append(a.GrantTypes, uma.GrantType)
	_, _, err := w.RegisterClient(w.ctx, a)
	w.must(err)
	secret, got := w.session(w.alice, a)
	w.must(w.EndSession(w.ctx, secret))
	w.deliver()
	logout := l.heard()[0]
	for name, try := range map[string]func(token string) bool{
		"userinfo": func(token string) bool { _, _, err := w.UserInfo(w.ctx, token); return err == nil },
		"a PAT":    func(token string) bool { _, err := w.AuthenticatePAT(w.ctx, token); return err == nil },
		"introspection": func(token string) bool {
			i, err := w.Introspect(w.ctx, w.alice1, token)
			return err != nil || i.Active
		},
		"a refresh token": func(token string) bool { _, err := w.Refresh(w.ctx, a, token, nil); return err == nil },
		"a session":       func(token string) bool { _, _, err := w.Session(w.ctx, token); return err == nil },
		"an ID token": func(token string) bool {
			keys, err := oauth.ParseJWKS(jwksOf(w))
			w.must(err)
			_, err = oauth.VerifyIDToken(token, keys, oauth.IDTokenExpectation{Issuer: issuer, Audiences: []string{"c1"}, Now: w.Now()})
			return err == nil
		},
		"a hint": func(token string) bool {
			r, err := w.LogoutRequest(w.ctx, "", as.LogoutParameters{IDTokenHint: token})
			w.must(err)
			return r.Hinted
		},
		"an assertion": func(token string) bool {
			_, err := w.AuthenticateClient(w.ctx, oauth.Credentials{ID: "c1", Method: oauth.AuthKey, Assertion: token})
			return err == nil
		},
	} {
		if try(logout) {
			t.Errorf("a logout token passes as %s", name)
		}
		if isIDToken := name == "an ID token" || name == "a hint"; try(got[0].IDToken) != isIDToken {
			t.Errorf("the control: an ID token as %s", name)
		}
	}
	if _, header := w.claims(got[0].IDToken); header.Type == "logout+jwt" {
		t.Error("an ID token has the type of a logout token")
	}
}

// Signing out ends the session and nothing else.
func TestSigningOutTakesNothingElseAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	photo := w.register(w.alice1, "photo", "view")
	w.share(w.aliceOwner, toBob(photo, "view"))
	g := w.granted(w.c1, w.asBob(w.ticket(w.alice1, perm(photo, "view"))))
	app := w.relying("a", "")
	secret, got := w.session(w.alice, app)
	w.must(w.EndSession(w.ctx, secret))
	w.wantPermissions(w.alice1, g.AccessToken, perm(photo, "view"))
	_, err := w.Refresh(w.ctx, app, got[0].RefreshToken, nil)
	w.must(err)
}
