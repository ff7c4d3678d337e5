package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/licet/licet/as"
	"github.com/licet/licet/login"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// The cast: the people and programs of demonstrations and tests.

// castMember is a person with a password.
type castMember struct {
	Email    string     `json:"email"`
	Password string     `json:"password"`
	Space    as.SpaceID `json:"space,omitempty"`

	account as.AccountID
}

// enter makes the account of a person, with a space of their own if they own
// things.
func enter(ctx context.Context, server *as.Server, name string, owner bool) (castMember, error) {
	password := rand.Text()
	hash, err := login.HashPassword(password, rand.Reader)
	if err != nil {
		return castMember{}, err
	}
	space := ""
	if owner {
		space = name
	}
	account := as.Account{Email: strings.ToLower(name) + "@example.com", EmailVerified: true, Name: name, PasswordHash: hash}
	made, home, err := server.CreateAccount(ctx, account, space)
	if err != nil {
		return castMember{}, fmt.Errorf("%s: %w", name, err)
	}
	return castMember{Email: made.Email, Password: password, Space: home.ID, account: made.ID}, nil
}

// enterAll makes several people.
func enterAll(ctx context.Context, server *as.Server, owner bool, names ...string) (map[string]castMember, error) {
	out := map[string]castMember{}
	for _, name := range names {
		member, err := enter(ctx, server, name, owner)
		if err != nil {
			return nil, err
		}
		out[strings.ToLower(name)] = member
	}
	return out, nil
}

// newResourceServer is the registration of a resource server.
func newResourceServer(id, name, redirectURI string) oauth.Client {
	return oauth.Client{
		ID: oauth.ClientID(id), Name: name, AuthMethod: oauth.AuthBasic,
		GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}, RedirectURIs: []string{redirectURI},
		Scopes: []uma.Scope{uma.ScopeProtection, oauth.ScopeOpenID},
	}
}

// newOwnersApp is the registration of an app with which owners manage what is
// theirs.
func newOwnersApp(redirectURI string) oauth.Client {
	return oauth.Client{
		ID: "owners-app", Name: "Owners' app", AuthMethod: oauth.AuthBasic,
		GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}, RedirectURIs: []string{redirectURI},
		Scopes: []uma.Scope{oauth.ScopePolicy},
	}
}

// newApp is the registration of an app for requesting parties.
func newApp(id, name string, method oauth.AuthMethod, scopes []uma.Scope, claimsRedirectURIs ...string) oauth.Client {
	return oauth.Client{
		ID: oauth.ClientID(id), Name: name, AuthMethod: method, Scopes: scopes, PushClaims: true,
		GrantTypes: []string{uma.GrantType, oauth.GrantRefreshToken}, ClaimsRedirectURIs: claimsRedirectURIs,
	}
}

// claimsProvider is a made-up issuer of ID tokens with its key.
type claimsProvider struct {
	Issuer string          `json:"issuer"`
	JWK    json.RawMessage `json:"jwk"` // private

	public json.RawMessage
}

func newClaimsProvider(issuer string) (claimsProvider, error) {
	key, err := oauth.GenerateKey(rand.Reader, oauth.ES256)
	if err != nil {
		return claimsProvider{}, err
	}
	private, err := key.MarshalPrivate()
	if err != nil {
		return claimsProvider{}, err
	}
	public, err := oauth.KeySet{key}.Public()
	return claimsProvider{Issuer: issuer, JWK: private, public: public}, err
}
