package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/endpoint"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

type demoCommand struct {
	Script bool   `help:"Play the story and stop; the exit status tells whether every step came out as it must."`
	Listen string `help:"Where the authorization server listens; a loopback address." default:"127.0.0.1:0" placeholder:"ADDRESS"`
}

// stage is everything on it: four parties with a socket each.
type stage struct {
	trace *trace
	node  *node.Node
	bob   castMember
	alice castMember

	issuer, albumURL, viewerURL, deskURL string

	album   *album
	viewer  *viewer
	desk    *desk
	browser *browser // Bob's
	shown   page     // what it shows between two steps
}

// Run plays the story, and then stays up until the context ends.
func (cmd demoCommand) Run(s surroundings) error {
	dir, err := os.MkdirTemp("", "licet-demo-")
	if err != nil {
		return err
	}
	return errors.Join(cmd.run(s, dir), os.RemoveAll(dir))
}

func (cmd demoCommand) run(s surroundings, dir string) error {
	ctx, stop := context.WithCancel(s.ctx)
	var servers sync.WaitGroup
	defer servers.Wait()
	defer stop()
	st, err := cmd.set(ctx, s, dir, &servers)
	if err == nil {
		err = st.play(ctx, st.story())
	}
	switch {
	case s.ctx.Err() != nil: // what fails from then on fails for this reason
		return errors.New("the story was interrupted")
	case err != nil:
		return fmt.Errorf("the story went wrong: %w", err)
	}
	st.trace.heading("The story is over, and every step came out as it must.")
	if cmd.Script {
		return nil
	}
	if err := st.invite(ctx, s); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// set builds the stage: sockets first, so that everybody knows where the others
// are.
func (cmd demoCommand) set(ctx context.Context, s surroundings, dir string, servers *sync.WaitGroup) (*stage, error) {
	listener, issuer, err := listenLoopback(cmd.Listen)
	if err != nil {
		return nil, err
	}
	st := &stage{trace: newTrace(s.stdout), issuer: issuer}
	log := slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if st.node, err = node.Open(ctx, node.Place{Data: dir}, as.Config{Issuer: issuer, Lifetimes: devLifetimes}, everyWayIn(io.Discard), log); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	servers.Go(func() {
		err := errors.Join(st.node.Serve(ctx, node.Door{Listener: listener, Handler: st.node.Face}), st.node.Close())
		if err != nil {
			log.Error("the authorization server stopped", "error", err)
		}
	})
	st.trace.name(listener.Addr().String(), "Licet")
	open := func(party string) (string, func(http.Handler), error) {
		l, url, err := listenLoopback("127.0.0.1:0")
		if err != nil {
			return "", nil, err
		}
		st.trace.name(l.Addr().String(), party)
		return url, func(h http.Handler) { servers.Go(func() { serveParty(ctx, l, h) }) }, nil
	}
	albumURL, startAlbum, err := open("Album")
	if err != nil {
		return nil, err
	}
	viewerURL, startViewer, err := open("Bob's app")
	if err != nil {
		return nil, err
	}
	deskURL, startDesk, err := open("Alice's app")
	if err != nil {
		return nil, err
	}
	st.albumURL, st.viewerURL, st.deskURL = albumURL, viewerURL, deskURL
	if err := st.furnish(ctx); err != nil {
		return nil, err
	}
	startAlbum(st.album)
	startViewer(st.viewer)
	startDesk(st.desk)
	return st, nil
}

// serveParty answers on a listener until ctx ends.
func serveParty(ctx context.Context, l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: node.HeaderTimeout}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	_ = server.Serve(l) // ends with ErrServerClosed, when ctx does
}

// furnish makes the people and programs and gives each what it starts with.
func (st *stage) furnish(ctx context.Context) error {
	server := st.node.AS
	var err error
	if st.alice, err = enter(ctx, server, "Alice", true); err != nil {
		return err
	}
	if st.bob, err = enter(ctx, server, "Bob", false); err != nil {
		return err
	}
	album, err := register(ctx, server, newResourceServer("album", "Photo album", st.albumURL+"/callback"))
	if err != nil {
		return err
	}
	callback := st.viewerURL + "/claims-callback"
	viewer, err := register(ctx, server, newApp("viewer", "Bob's pictures", oauth.AuthBasic, []uma.Scope{"view"}, callback))
	if err != nil {
		return err
	}
	if _, err := register(ctx, server, newOwnersApp(st.deskURL+"/callback")); err != nil {
		return err
	}
	pat, err := server.IssueToken(ctx, album.ID, st.alice.account, st.alice.Space, uma.ScopeProtection)
	if err != nil {
		return err
	}
	owns, err := server.IssueToken(ctx, "owners-app", st.alice.account, st.alice.Space, oauth.ScopePolicy)
	if err != nil {
		return err
	}
	if st.album, err = newAlbum(st.issuer, uma.PAT(pat.AccessToken), st.trace.as("Album")); err != nil {
		return err
	}
	policies, requests := endpoint.OwnerURLs(st.issuer)
	if st.browser, err = newBrowser(st.trace.as("Bob")); err != nil {
		return err
	}
	st.desk = newDesk(policies, requests, owns.AccessToken, st.trace.as("Alice's app"))
	st.viewer, err = newViewer(st.albumURL, callback, string(viewer.ID), viewer.Secret, st.issuer, st.trace.as("Bob's app"))
	return err
}

// invite tells a person how to go on by hand.
func (st *stage) invite(ctx context.Context, s surroundings) error {
	pending, err := st.desk.pending(ctx)
	if err != nil {
		return err
	}
	if len(pending) == 0 {
		return errors.New("nothing waits for Alice's answer")
	}
	policies, requests := endpoint.OwnerURLs(st.issuer)
	fmt.Fprintf(s.stdout, `
Now it is your turn. Everything stays up until Ctrl-C.

  Be Bob     %s     (sign in with %s, password %s)
  Be Alice   %s     (her requests, and what she allows)
             At Licet itself she signs in with %s, password %s
  The album  %s/photos/sunrise
             %s/photos/harbour
  Licet      %s
             %s/.well-known/uma2-configuration

With curl, as Alice: what waits for her answer, allowing what was asked for first, and taking it back

  ALICE='Authorization: Bearer %s'
  curl -s -H "$ALICE" %s
  POLICY=$(curl -s -H "$ALICE" -H 'Content-Type: application/json' -d '{}' %s/%s/approve | sed 's/.*"policies":\["\([^"]*\)".*/\1/')
  curl -s -H "$ALICE" %s
  curl -s -H "$ALICE" -X DELETE %s/$POLICY

and as Bob, in the browser of the story, asking again

  curl -s -b '%s' -o %s.png -w '%%{http_code} %%{content_type}\n' %s

`, st.viewerURL, st.bob.Email, st.bob.Password, st.deskURL, st.alice.Email, st.alice.Password,
		st.albumURL, st.albumURL, st.issuer, st.issuer,
		st.desk.token, requests, requests, pending[0].ID, policies, policies,
		st.browser.cookie(st.viewerURL, viewerCookie), photoNames[1], st.photoAt(photoNames[1]))
	return nil
}

// pollPause is a little longer than the interval that the demonstration's
// server asks for.
const pollPause = 1100 * time.Millisecond
