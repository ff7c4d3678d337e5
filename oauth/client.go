package oauth

import (
	"slices"

	"github.com/licet/licet/uma"
)

// ClientID identifies an OAuth client. A resource server is a client too, and
// its client id is how the authorization server knows it.
type ClientID string

// AuthMethod is a token_endpoint_auth_method of RFC 7591 2.
type AuthMethod string

const (
	AuthNone  AuthMethod = "none"                // a public client
	AuthBasic AuthMethod = "client_secret_basic" // RFC 6749 2.3.1
	AuthPost  AuthMethod = "client_secret_post"  // RFC 6749 2.3.1
	AuthKey   AuthMethod = "private_key_jwt"     // RFC 7523 2.2
	AuthTLS   AuthMethod = "tls_client_auth"     // RFC 8705 2.1

	AuthSelfSigned AuthMethod = "self_signed_tls_client_auth" // RFC 8705 2.2
)

// The grant types a client may be registered for, beside [uma.GrantType].
const (
	GrantAuthorizationCode = "authorization_code"
	GrantClientCredentials = "client_credentials"
	GrantRefreshToken      = "refresh_token"
)

// The scopes that are about accounts and spaces, beside [uma.ScopeProtection].
// All other scopes belong to protected resources.
const (
	ScopeOpenID        uma.Scope = "openid"         // OpenID Connect Core 3.1.2.1
	ScopeEmail         uma.Scope = "email"          // OpenID Connect Core 5.4
	ScopeProfile       uma.Scope = "profile"        // OpenID Connect Core 5.4
	ScopeOfflineAccess uma.Scope = "offline_access" // OpenID Connect Core 11
	ScopePolicy        uma.Scope = "uma_policy"     // the owner's policy API
)

// InvalidDPoPProof is the error code of a proof that proves nothing (RFC 9449 5).
const InvalidDPoPProof uma.Code = "invalid_dpop_proof"

// Client is a registered OAuth client: an application, or a resource server.
// Omitted members mean the narrowest thing: no grant, no scope, no redirect.
// The zero Client may do nothing and can never be authenticated.
type Client struct {
	ID                 ClientID
	Name               string
	AuthMethod         AuthMethod
	SecretHash         []byte // SHA-256 of the server-made secret; nil for a client without one
	JWKS               []byte // the client's public keys, a JWK Set; nil for none
	JWKSURI            string // where they are instead, for AuthKey; "" for nowhere
	GrantTypes         []string
	RedirectURIs       []string // exact; RFC 6749 3.1.2
	ClaimsRedirectURIs []string // exact; Grant 2
	// PostLogoutRedirectURIs are where a browser may go after signing out, exact
	// (OpenID Connect RP-Initiated Logout 3.1).
	PostLogoutRedirectURIs []string
	Scopes                 []uma.Scope     // what the client is pre-registered for (Grant 3.3.1)
	Certificate            CertificateName // for AuthTLS
	CertificateBound       bool            // tokens are bound to its certificate (RFC 8705 3.4)
	DPoPBound              bool            // only tokens bound by DPoP (RFC 9449 5.2)
	RequirePushed          bool            // only pushed authorization requests (RFC 9126 6)
	RequireTicketBinding   bool            // only with a code_challenge at the claims interaction endpoint
	SignedRPTs             bool            // RPTs that are good at it are signed JWTs, where they are bound
	PushClaims             bool            // may push claim tokens (Grant 5.7)
	ResourceIndicators     []string        // the URIs by which clients know it as a resource server (RFC 8707), exact
	Space                  string          // the organisation it acts for with client_credentials; "" for none
	Disabled               bool

	// BackchannelLogoutURI is told when a session ends in which the client got an ID
	// token; "" for no need (OpenID Connect Back-Channel Logout 2.2). What it is told
	// always has the sid, whether or not BackchannelLogoutSessionRequired asks for it.
	BackchannelLogoutURI             string
	BackchannelLogoutSessionRequired bool
}

// Public reports whether the client is registered as one that can keep no
// secret (RFC 6749 2.1). A client whose secret is merely missing is not public:
// it is a client that cannot be authenticated.
func (c Client) Public() bool { return c.AuthMethod == AuthNone }

// Keyed reports whether the client authenticates with a key that never leaves it,
// so that what it was given is of no use to anybody else.
func (c Client) Keyed() bool { return c.AuthMethod == AuthKey || c.Certified() }

// Certified reports whether the client authenticates with a TLS client certificate.
func (c Client) Certified() bool { return c.AuthMethod == AuthTLS || c.AuthMethod == AuthSelfSigned }

// Secret reports whether the client authenticates with a secret.
func (c Client) Secret() bool { return c.AuthMethod == AuthBasic || c.AuthMethod == AuthPost }

// Allows reports whether the client is registered for a grant type.
func (c Client) Allows(grantType string) bool { return slices.Contains(c.GrantTypes, grantType) }
