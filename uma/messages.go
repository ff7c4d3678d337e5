package uma

// RequiredClaim tells a client which claim the authorization server still
// needs (Grant 3.3.6). Every member is optional; of an array any one element
// suffices.
type RequiredClaim struct {
	ClaimTokenFormat []string `json:"claim_token_format,omitempty"`
	ClaimType        string   `json:"claim_type,omitempty"`
	FriendlyName     string   `json:"friendly_name,omitempty"`
	Issuer           []string `json:"issuer,omitempty"`
	Name             string   `json:"name,omitempty"`
}

// TokenRequest is a token request of the UMA grant (Grant 3.3.1).
type TokenRequest struct {
	Ticket           Ticket
	ClaimToken       string // raw, as sent; never logged
	ClaimTokenFormat string
	PCT              PCT
	RPT              RPT
	CodeVerifier     string   // of a ticket that is bound (see ProfileTicketBinding); a secret
	Scopes           []Scope  // nil when the parameter was absent
	Targets          []string // nil when the parameter resource was absent (RFC 8707 2)
}

// TokenResponse is the success answer of the token endpoint, in the form of
// RFC 6749 5.1 with the members of Grant 3.3.5. Scope and IDToken are set by
// the OAuth grants only.
type TokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in,omitempty"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	PCT          PCT    `json:"pct,omitempty"`
	Upgraded     bool   `json:"upgraded,omitempty"`
}

// ErrorResponse is the error answer of RFC 6749 5.2 with the members that
// need_info and request_submitted add (Grant 3.3.6).
type ErrorResponse struct {
	Error            Code            `json:"error"`
	ErrorDescription string          `json:"error_description,omitempty"`
	ErrorURI         string          `json:"error_uri,omitempty"`
	Ticket           Ticket          `json:"ticket,omitempty"`
	RequiredClaims   []RequiredClaim `json:"required_claims,omitempty"`
	RedirectUser     string          `json:"redirect_user,omitempty"`
	Interval         int64           `json:"interval,omitempty"` // seconds
}

// Introspection is the answer of the introspection endpoint (RFC 7662 2.2,
// FedAuthz 5.1.1). An inactive answer has no member but active. An active RPT
// has permissions, perhaps none, and never a scope; any other active token has a
// scope and no permissions.
type Introspection struct {
	Active      bool                     `json:"active"`
	TokenType   string                   `json:"token_type,omitempty"`
	ClientID    string                   `json:"client_id,omitempty"`
	Subject     string                   `json:"sub,omitempty"`
	Scope       string                   `json:"scope,omitempty"`
	Issuer      string                   `json:"iss,omitempty"`
	Audience    string                   `json:"aud,omitempty"`         // where it is good
	ExpiresAt   int64                    `json:"exp,omitempty"`         // seconds since the epoch
	IssuedAt    int64                    `json:"iat,omitempty"`         // seconds since the epoch
	NotBefore   int64                    `json:"nbf,omitempty"`         // seconds since the epoch
	Bound       *Confirmation            `json:"cnf,omitempty"`         // nil: a bearer token
	Permissions []IntrospectedPermission `json:"permissions,omitempty"` // nil: no RPT
}

// Confirmation says what the holder of a token has to prove to have (RFC 7800
// 3.1): the key of a DPoP proof, by its thumbprint (RFC 9449 6), or a TLS client
// certificate, by its SHA-256 sum (RFC 8705 3.1).
type Confirmation struct {
	Key         string `json:"jkt,omitempty"`
	Certificate string `json:"x5t#S256,omitempty"`
}

// IntrospectedPermission is one permission of an active RPT (FedAuthz 5.1.1).
// Where both the permission and the token carry a time, the stricter one holds.
type IntrospectedPermission struct {
	Resource  ResourceID `json:"resource_id"`
	Scopes    []Scope    `json:"resource_scopes"`
	ExpiresAt int64      `json:"exp,omitempty"`
	IssuedAt  int64      `json:"iat,omitempty"`
	NotBefore int64      `json:"nbf,omitempty"`
}

// RegisteredResource is the success body of the registration endpoint's
// create, read and update (FedAuthz 3.2); read adds the description's members.
type RegisteredResource struct {
	ID                  ResourceID `json:"_id"`
	UserAccessPolicyURI string     `json:"user_access_policy_uri,omitempty"`
}

// TicketResponse is the success body of the permission endpoint (FedAuthz 4.2).
type TicketResponse struct {
	Ticket Ticket `json:"ticket"`
}
