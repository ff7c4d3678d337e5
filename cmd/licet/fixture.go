package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/licet/licet/as"
	"github.com/licet/licet/endpoint"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

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

	InitialAccessToken string `json:"initial_access_token"`
}

// clientFixture is a client as a test uses it.
type clientFixture struct {
	ID                 oauth.ClientID `json:"client_id"`
	Secret             string         `json:"client_secret,omitempty"`
	RedirectURIs       []string       `json:"redirect_uris,omitempty"`
	ClaimsRedirectURIs []string       `json:"claims_redirect_uris,omitempty"`
	Scope              string         `json:"scope,omitempty"`
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
	c1.GrantTypes = append(c1.GrantTypes, oauth.GrantAuthorizationCode)
	c1.RedirectURIs = []string{"https://c1.example/callback"}
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
	return clientFixture{
		ID: made.ID, Secret: secret, RedirectURIs: made.RedirectURIs, ClaimsRedirectURIs: made.ClaimsRedirectURIs,
		Scope: uma.JoinScopes(made.Scopes),
	}, nil
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

// table is the fixture for people.
func (f fixture) table(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(w, strings.TrimRight("  "+strings.Join(cells, "\t"), "\t")) }
	fmt.Fprintln(w, "People")
	for _, name := range slices.Sorted(maps.Keys(f.Owners)) {
		p := f.Owners[name]
		row(name, "owns things", p.Email, "password "+p.Password, "space "+string(p.Space))
	}
	for _, name := range slices.Sorted(maps.Keys(f.RequestingParties)) {
		p := f.RequestingParties[name]
		row(name, "asks", p.Email, "password "+p.Password)
	}
	fmt.Fprintln(w, "\nPrograms")
	for _, name := range slices.Sorted(maps.Keys(f.ResourceServers)) {
		c := f.ResourceServers[name]
		row(string(c.ID), "resource server", "secret "+c.Secret, "scope "+c.Scope)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Clients)) {
		c := f.Clients[name]
		secret := "no secret"
		if c.Secret != "" {
			secret = "secret " + c.Secret
		}
		row(string(c.ID), "client", secret, "scope "+c.Scope, "claims to "+strings.Join(c.ClaimsRedirectURIs, " "))
	}
	fmt.Fprintln(w, "\nTokens")
	for _, name := range slices.Sorted(maps.Keys(f.PATs)) {
		row(name, "PAT", f.PATs[name])
	}
	for _, name := range slices.Sorted(maps.Keys(f.PolicyTokens)) {
		row(name, "policy API", f.PolicyTokens[name])
	}
	fmt.Fprintln(w, "\nPlaces")
	row("discovery", f.Issuer+"/.well-known/uma2-configuration")
	row("policies", f.PolicyEndpoint)
	row("requests", f.RequestsEndpoint)
	fmt.Fprintf(w, "\nID tokens of %s are believed. Its key, to sign them with:\n  %s\n", f.ClaimsProvider.Issuer, f.ClaimsProvider.JWK)
	return w.Flush()
}
