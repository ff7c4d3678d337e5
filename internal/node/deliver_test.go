package node

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
	"go.uber.org/goleak"
)

// A node tells of logouts while it serves, tells when it starts what was left when
// it was stopped, and leaves nothing running behind.
func TestANodeDeliversWhatIsInTheOutbox(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	told := make(chan string, 10)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.PostFormValue("logout_token") }))
	defer app.Close()
	hears := func(what string) {
		t.Helper()
		select {
		case token := <-told:
			if strings.Count(token, ".") != 2 {
				t.Errorf("%s: it is told %q", what, token)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s: nobody is told", what)
		}
	}
	place := Place{Data: t.TempDir()}
	open := func() *Node {
		t.Helper()
		n, err := Open(t.Context(), place, as.Config{Issuer: "http://localhost:1"}, Surface{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	serve := func(n *Node) (stop func()) {
		t.Helper()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- n.Serve(ctx, Door{l, n.Face}) }()
		return func() {
			t.Helper()
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	n := open()
	account, _, err := n.AS.CreateAccount(t.Context(), as.Account{Email: "a@example.org"}, "")
	if err != nil {
		t.Fatal(err)
	}
	client, _, err := n.AS.RegisterClient(t.Context(), oauth.Client{
		ID: "app", AuthMethod: oauth.AuthNone, GrantTypes: []string{oauth.GrantAuthorizationCode}, Scopes: []uma.Scope{oauth.ScopeOpenID},
		RedirectURIs: []string{"https://app.example/cb"}, BackchannelLogoutURI: app.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := serve(n)
	first, second := signIn(t, n, account.ID, client), signIn(t, n, account.ID, client)
	if err := n.AS.EndSession(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	hears("while it serves")
	stop()

	n = open()
	if err := n.AS.EndSession(t.Context(), second); err != nil { // and nobody serves
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	stop = serve(open())
	hears("after it was started again")
	stop()
	if len(told) != 0 {
		t.Errorf("it is told %d times too often", len(told))
	}
}

// signIn opens a session in which the client has an ID token.
func signIn(t *testing.T, n *Node, who as.AccountID, c oauth.Client) (secret string) {
	t.Helper()
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	secret, err := n.AS.NewSession(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := n.AS.Session(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	code, err := n.AS.IssueCode(t.Context(), oauth.AuthorizationRequest{
		Client: c.ID, RedirectURI: c.RedirectURIs[0], Scopes: c.Scopes, CodeChallenge: base64.RawURLEncoding.EncodeToString(sum[:]),
	}, session.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.AS.ExchangeCode(t.Context(), c, code, "", verifier); err != nil {
		t.Fatal(err)
	}
	return secret
}
