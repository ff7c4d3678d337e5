package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/endpoint"
	"github.com/licet/licet/internal/mail"
	"github.com/licet/licet/internal/node"
	"github.com/licet/licet/login"
	"github.com/licet/licet/uma"
)

type devCommand struct {
	Listen string `help:"Where to listen; a loopback address." default:"127.0.0.1:0" placeholder:"ADDRESS"`
	JSON   bool   `name:"json" help:"Print the fixture as one line of JSON."`
}

// devLifetimes let a fixture serve for a day of tests; a poll may come every
// second.
var devLifetimes = as.Lifetimes{PAT: 24 * time.Hour, Interval: time.Second}

// Run serves a throw-away server until the context ends.
func (cmd devCommand) Run(s surroundings) error {
	dir, err := os.MkdirTemp("", "licet-dev-")
	if err != nil {
		return err
	}
	err = cmd.run(s, dir)
	return errors.Join(err, os.RemoveAll(dir))
}

func (cmd devCommand) run(s surroundings, dir string) error {
	listener, issuer, err := listenLoopback(cmd.Listen)
	if err != nil {
		return err
	}
	provider, err := newClaimsProvider("https://idp.example")
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	log := slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	place := node.Place{Data: dir}
	n, err := node.Open(s.ctx, place, as.Config{
		Issuer: issuer, Lifetimes: devLifetimes,
		ClaimIssuers: []as.ClaimIssuer{{Issuer: provider.Issuer, JWKS: provider.public}},
		Registration: as.Registration{Mode: as.RegistrationToken, Scopes: []uma.Scope{"view", "download"}},
	}, everyWayIn(s.stderr), log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	f, err := furnish(s.ctx, n.AS, provider)
	if err == nil {
		f.InitialAccessToken, err = node.InitialAccessToken(place, as.InitialAccess{Uses: 1000, ExpiresAt: time.Now().Add(devLifetimes.PAT)})
	}
	if err == nil {
		err = cmd.announce(s, f)
	}
	if err != nil {
		return errors.Join(err, listener.Close(), n.Close())
	}
	return errors.Join(n.Serve(s.ctx, node.Door{Listener: listener, Handler: n.WithHealth(n.Face)}), n.Close())
}

// everyWayIn is how people come in where it is about trying things out: their mail is
// written to w.
func everyWayIn(w io.Writer) node.Surface {
	return node.Surface{SignIn: login.Methods{Passwords: true, Guests: true}, Mail: mail.Config{From: "Licet <licet@example.com>", Console: w}}
}

// listenLoopback opens a socket on a loopback address and tells its issuer.
func listenLoopback(address string) (net.Listener, string, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", fmt.Errorf("listen: %w", err)
	}
	if !endpoint.Loopback(host) {
		return nil, "", errors.New("listen: this server is for this machine alone; give a loopback address")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, "", fmt.Errorf("listen: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, "", errors.Join(err, listener.Close())
	}
	return listener, "http://" + net.JoinHostPort(host, port), nil // at a name there can be passkeys
}

// announce tells the fixture: a machine one line, a person a table.
func (cmd devCommand) announce(s surroundings, f fixture) error {
	if cmd.JSON {
		return json.NewEncoder(s.stdout).Encode(f)
	}
	fmt.Fprintf(s.stdout, "A throw-away authorization server is up at %s\n\n", f.Issuer)
	if err := f.table(s.stdout); err != nil {
		return err
	}
	_, err := fmt.Fprint(s.stdout, "\nEverything is gone when it stops. Stop it with Ctrl-C.\n")
	return err
}
