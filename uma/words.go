package uma

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
)

// GrantType is the value of grant_type with which a client presents a
// permission ticket at the token endpoint (Grant 3.3.1).
const GrantType = "urn:ietf:params:oauth:grant-type:uma-ticket"

// ScopeProtection is the OAuth scope that makes an access token a protection
// API access token, a PAT (FedAuthz 1.2).
const ScopeProtection = "uma_protection"

// ProfileTicketBinding is the URI of an extension (Grant 4): a client that brings
// a requesting party to the claims interaction endpoint may add a code_challenge
// with the code_challenge_method S256 (RFC 7636 4.3). The ticket that comes back is
// then good with its code_verifier alone, a parameter of the token request.
const ProfileTicketBinding = "https://github.com/licet/licet/profiles/ticket-binding/1"

// IDTokenFormat is the claim_token_format of an OpenID Connect ID token
// (Grant 3.3.1).
const IDTokenFormat = "http://openid.net/specs/openid-connect-core-1_0.html#IDToken"

// HintPCT is the token_type_hint of a persisted claims token at the
// revocation endpoint (Grant 3.7).
const HintPCT = "pct"

// WarningUnreachable is the value of the Warning header with which a resource
// server says that it could not get a permission ticket (Grant 3.2.2).
const WarningUnreachable = `199 - "UMA Authorization Server Unreachable"`

// Scope is one scope of a protected resource: a plain string or a URI
// (FedAuthz 3.1). Scopes are compared byte for byte.
type Scope string

// ResourceID is the "_id" that the authorization server gave a resource when
// it was registered (FedAuthz 3.2). It is the only name by which a resource is
// ever found.
type ResourceID string

// A Permission is access to one resource with some scopes, as a resource
// server asks for it at the permission endpoint (FedAuthz 4.1). Zero scopes are
// legal and mean the resource without any scope.
type Permission struct {
	Resource ResourceID `json:"resource_id"`
	Scopes   []Scope    `json:"resource_scopes"`
}

// Ticket is a permission ticket (Grant 3.2.1). It is a secret of one use: it
// prints as a fingerprint, and string(t) is the value for the wire.
type Ticket string

// RPT is a requesting party token (Grant 1.3). It is a bearer secret and prints
// as a fingerprint.
type RPT string

// PCT is a persisted claims token (Grant 3.3.5). It is a bearer secret, prints
// as a fingerprint, and is shared with nobody but the client it was issued to.
type PCT string

// PAT is a protection API access token (FedAuthz 1.2). It is a bearer secret
// and prints as a fingerprint.
type PAT string

// Fingerprint is the printable stand-in of a secret: enough to tell two
// secrets apart in a log, too little to find one.
func Fingerprint(secret string) string {
	if secret == "" {
		return "(none)"
	}
	sum := sha256.Sum256([]byte(secret))
	return "#" + hex.EncodeToString(sum[:4])
}

func (t Ticket) String() string { return Fingerprint(string(t)) }
func (t RPT) String() string    { return Fingerprint(string(t)) }
func (t PCT) String() string    { return Fingerprint(string(t)) }
func (t PAT) String() string    { return Fingerprint(string(t)) }

func (t Ticket) GoString() string { return t.String() }
func (t RPT) GoString() string    { return t.String() }
func (t PCT) GoString() string    { return t.String() }
func (t PAT) GoString() string    { return t.String() }

func (t Ticket) LogValue() slog.Value { return slog.StringValue(t.String()) }
func (t RPT) LogValue() slog.Value    { return slog.StringValue(t.String()) }
func (t PCT) LogValue() slog.Value    { return slog.StringValue(t.String()) }
func (t PAT) LogValue() slog.Value    { return slog.StringValue(t.String()) }
