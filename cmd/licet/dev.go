package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/licet/licet/as"
	"github.com/licet/licet/endpoint"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

type devCommand struct {
	Listen string `help:"Where to listen; a loopback address." default:"127.0.0.1:0" placeholder:"ADDRESS"`
	JSON   bool   `name:"json" help:"Print the fixture as one line of JSON."`
}

// fixture is what a test has to know of a server to drive it: the fixture
// format, docs/reference/fixture-format.md.
type fixture struct {
	Issuer            string                   `json:"issuer"`
	Owners            map[string]castMember    `json:"owners"`
	RequestingParties map[string]castMember    `json:"requesting_parties"`
	ResourceServers   map[string]clientFixture `json:"resource_servers"`
	PATs              map[string]string        `json:"pats"`
	Clients           map[string]clientFixture `json:"clients"`
	ClaimsProvider    claimsProvider           `json:"claims_provider"`
	PolicyEndpoint    string                   `json:"policy_endpoint"`
	RequestsEndpoint  string                   `json:"requests_endpoint"`
	PolicyTokens      map[string]string        `json:"policy_tokens"`
}

// clientFixture is a client as a test uses it.
type clientFixture struct {
	ID                 oauth.ClientID `json:"client_id"`
	Secret             string         `json:"client_secret,omitempty"`
	ClaimsRedirectURIs []string       `json:"claims_redirect_uris,omitempty"`
	Scope              string         `json:"scope,omitempty"`
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
	n, err := build(s.ctx, dir, as.Config{
		Issuer: issuer, Lifetimes: devLifetimes,
		ClaimIssuers: []as.ClaimIssuer{{Issuer: provider.Issuer, JWKS: provider.public}},
	}, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	f, err := furnish(s.ctx, n.as, provider)
	if err == nil {
		err = cmd.announce(s, f)
	}
	if err != nil {
		return errors.Join(err, listener.Close(), n.Close())
	}
	return errors.Join(serve(s.ctx, listener, withHealth(n), n), n.Close())
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
	return listener, "http://" + listener.Addr().String(), nil
}

// furnish makes the people, programs and tokens of the fixture.
func furnish(ctx context.Context, server *as.Server, provider claimsProvider) (fixture, error) {
	f := fixture{
		Issuer: server.Issuer, ClaimsProvider: provider, PATs: map[string]string{}, PolicyTokens: map[string]string{},
		ResourceServers: map[string]clientFixture{}, Clients: map[string]clientFixture{},
	}
	f.PolicyEndpoint, f.RequestsEndpoint = endpoint.OwnerURLs(server.Issuer)
	var err error
	if f.Owners, err = enterAll(ctx, server, true, "Alice", "Anna"); err != nil {
		return f, err
	}
	if f.RequestingParties, err = enterAll(ctx, server, false, "Bob", "Carlos"); err != nil {
		return f, err
	}
	for _, id := range []string{"rs1", "rs2"} {
		c := newResourceServer(id, "Resource server "+id, "https://"+id+".example/callback")
		if f.ResourceServers[id], err = register(ctx, server, c); err != nil {
			return f, err
		}
	}
	c1 := newApp("c1", "Client one", oauth.AuthBasic, []uma.Scope{"view", "download"}, "https://c1.example/claims")
	c2 := newApp("c2", "Client two", oauth.AuthBasic, []uma.Scope{"view"}, "https://c2.example/claims", "https://c2.example/other?x=1")
	public := newApp("public", "Public client", oauth.AuthNone, []uma.Scope{"view"}, "https://public.example/claims")
	for id, c := range map[string]oauth.Client{"c1": c1, "c2": c2, "public": public} {
		if f.Clients[id], err = register(ctx, server, c); err != nil {
			return f, err
		}
	}
	if _, err := register(ctx, server, newOwnersApp("https://owners.example/callback")); err != nil {
		return f, err
	}
	return f, f.issueTokens(ctx, server)
}

func register(ctx context.Context, server *as.Server, c oauth.Client) (clientFixture, error) {
	made, secret, err := server.RegisterClient(ctx, c)
	if err != nil {
		return clientFixture{}, fmt.Errorf("client %s: %w", c.ID, err)
	}
	return clientFixture{ID: made.ID, Secret: secret, ClaimsRedirectURIs: made.ClaimsRedirectURIs, Scope: uma.JoinScopes(made.Scopes)}, nil
}

func (f fixture) issueTokens(ctx context.Context, server *as.Server) error {
	issue := func(into map[string]string, key, client, owner string, scope uma.Scope) error {
		who := f.Owners[owner]
		answer, err := server.IssueToken(ctx, oauth.ClientID(client), who.account, who.Space, scope)
		into[key] = answer.AccessToken
		return err
	}
	var errs []error
	for _, key := range []string{"alice@rs1", "anna@rs1", "alice@rs2"} {
		owner, rs, _ := strings.Cut(key, "@")
		errs = append(errs, issue(f.PATs, key, rs, owner, uma.ScopeProtection))
	}
	for owner := range f.Owners {
		errs = append(errs, issue(f.PolicyTokens, owner, "owners-app", owner, oauth.ScopePolicy))
	}
	return errors.Join(errs...)
}

// announce tells the fixture: a machine one line, a person something to read.
func (cmd devCommand) announce(s surroundings, f fixture) error {
	if cmd.JSON {
		return json.NewEncoder(s.stdout).Encode(f)
	}
	pretty, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.stdout, "A throw-away authorization server is up at %s\n\n%s\n\nEverything is gone when it stops. Stop it with Ctrl-C.\n", f.Issuer, pretty)
	return err
}
