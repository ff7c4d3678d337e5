package node

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/internal/mail"
)

// reader hears of each mail.
type reader chan string

func (r reader) Write(p []byte) (int, error) {
	r <- string(p)
	return len(p), nil
}

// What was to be told when a node was stopped is told by the one that is started
// after it.
func TestMailOutlivesTheNode(t *testing.T) {
	mails := make(reader, 10)
	place, surface := Place{Data: t.TempDir()}, Surface{Mail: mail.Config{From: "licet@access.example", Console: mails}}
	open := func() *Node {
		t.Helper()
		n, err := Open(t.Context(), place, as.Config{Issuer: "http://localhost:1"}, surface, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := open()
	alice, space, err := n.AS.CreateAccount(t.Context(), as.Account{Email: "alice@example.org", EmailVerified: true}, "Alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.AS.StopEverything(t.Context(), as.Owner{Space: space.ID, Account: alice.ID}); err != nil { // and nobody serves
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- n.Serve(ctx, Door{l, n.Face}) }()
	select {
	case m := <-mails:
		if !strings.Contains(m, "alice@example.org: Everything was stopped") || !strings.Contains(m, "http://localhost:1/app/") {
			t.Errorf("the mail says\n%s", m)
		}
	case <-time.After(time.Minute):
		t.Error("nobody is told")
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if len(mails) != 0 {
		t.Errorf("it is told %d times too often", len(mails))
	}
}
