package oauth

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/licet/licet/uma"
)

// The error codes of client registration (RFC 7591 3.2.2).
const (
	InvalidRedirectURI    uma.Code = "invalid_redirect_uri"
	InvalidClientMetadata uma.Code = "invalid_client_metadata"
)

const (
	maxClientID     = 256 // bytes
	maxClientName   = 256 // bytes
	maxClientURIs   = 32  // of each kind
	maxClientScopes = 256
)

// Validate is the one judge of a client's registration. Whoever creates a
// client and whoever changes one asks it, whatever door the change came
// through. The error is a [*uma.Error] with the code invalid_redirect_uri or
// invalid_client_metadata, whose cause quotes the offending value.
func (c Client) Validate() error {
	for _, check := range []func() error{
		c.validateName, c.validateAuthentication, c.validateGrantTypes, c.validateRedirects, c.validateLogout, c.validateScopes, c.validateIndicators,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Client) validateName() error {
	if c.ID == "" || len(c.ID) > maxClientID || !isVisibleASCII(string(c.ID)) {
		return metadataError("The client id must be 1 to 256 visible ASCII characters.", fmt.Errorf("client_id %q", c.ID))
	}
	// The name is shown to people who decide by it. Control characters and
	// characters that turn the writing direction can make it read as another.
	bad := func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	}
	if len(c.Name) > maxClientName || !utf8.ValidString(c.Name) || containsRune(c.Name, bad) {
		return metadataError("The client name must be at most 256 bytes of plain text.", fmt.Errorf("client_name %q", c.Name))
	}
	return nil
}

func (c Client) validateAuthentication() error {
	if len(c.JWKS) > 0 {
		if _, err := ParseJWKS(c.JWKS); err != nil {
			return metadataError("The client's keys are not a set of public keys.", err)
		}
	}
	if err := c.validateJWKSURI(); err != nil {
		return err
	}
	if c.Certified() && len(c.SecretHash) != 0 {
		return metadataError("A client that authenticates with a certificate has no secret.", nil)
	}
	if c.Certificate != "" && c.AuthMethod != AuthTLS {
		return metadataError("The name of a certificate is for tls_client_auth alone.", nil)
	}
	switch c.AuthMethod {
	case AuthNone:
		if len(c.SecretHash) != 0 {
			return metadataError("A public client has no secret.", nil)
		}
		// There would be nothing to tell the client from everybody else.
		if c.Allows(GrantClientCredentials) {
			return metadataError("A public client cannot use the client_credentials grant.", nil)
		}
	case AuthBasic, AuthPost:
		if len(c.SecretHash) != sha256.Size {
			return metadataError("A confidential client needs a secret that the server made.", nil)
		}
	case AuthTLS:
		if err := c.Certificate.validate(); err != nil {
			return metadataError("A client that authenticates with tls_client_auth needs one name of its certificate.", err)
		}
	case AuthSelfSigned:
		if registered, err := certificatesIn(c.JWKS); err != nil || len(registered) == 0 {
			return metadataError("A client that authenticates with self_signed_tls_client_auth has to register its certificate as x5c.", err)
		}
	case AuthKey:
		if len(c.SecretHash) != 0 {
			return metadataError("A client that authenticates with a key has no secret.", nil)
		}
		if keys, err := c.Keys(); c.JWKSURI == "" && (err != nil || len(keys) == 0) {
			return metadataError("A client that authenticates with a key has to register a public key.", err)
		}
	default:
		return metadataError("The client authentication method is not supported.", fmt.Errorf("token_endpoint_auth_method %q", c.AuthMethod))
	}
	return nil
}

// validateJWKSURI judges the address alone. Where it leads is judged at the moment
// of going there.
func (c Client) validateJWKSURI() error {
	switch {
	case c.JWKSURI == "":
		return nil
	case len(c.JWKS) > 0:
		return metadataError("The client has jwks and jwks_uri; one of them would not count.", nil)
	case c.AuthMethod != AuthKey:
		return metadataError("A jwks_uri is for clients that authenticate with private_key_jwt.", nil)
	}
	if err := checkFetched(c.JWKSURI); err != nil {
		return metadataError("The jwks_uri is not acceptable.", err)
	}
	return nil
}

// checkFetched judges the form of an address that this server is to go to.
func checkFetched(uri string) error {
	if err := checkRedirectURI(uri); err != nil {
		return err
	}
	if !strings.HasPrefix(uri, "https:") && !strings.HasPrefix(uri, "http:") {
		return fmt.Errorf("%q is neither https nor http", uri)
	}
	return nil
}

func (c Client) validateGrantTypes() error {
	seen := map[string]bool{}
	for _, g := range c.GrantTypes {
		switch g {
		case GrantAuthorizationCode, GrantClientCredentials, GrantRefreshToken, uma.GrantType:
		default:
			return metadataError("A grant type is not supported.", fmt.Errorf("grant type %q", g))
		}
		if seen[g] {
			return metadataError("A grant type is given twice.", fmt.Errorf("grant type %q", g))
		}
		seen[g] = true
	}
	if seen[GrantAuthorizationCode] && len(c.RedirectURIs) == 0 {
		return redirectError("The authorization_code grant needs a redirect URI.", nil)
	}
	return nil
}

func (c Client) validateRedirects() error {
	for _, list := range []struct {
		name string
		uris []string
	}{{"redirect_uris", c.RedirectURIs}, {"claims_redirect_uris", c.ClaimsRedirectURIs}, {"post_logout_redirect_uris", c.PostLogoutRedirectURIs}} {
		if len(list.uris) > maxClientURIs {
			return redirectError("There are too many redirect URIs.", fmt.Errorf("%d %s", len(list.uris), list.name))
		}
		seen := map[string]bool{}
		for _, uri := range list.uris {
			if err := checkRedirectURI(uri); err != nil {
				return redirectError("A redirect URI is not acceptable.", fmt.Errorf("%s: %w", list.name, err))
			}
			if seen[uri] {
				return redirectError("A redirect URI is given twice.", fmt.Errorf("%s: %q", list.name, uri))
			}
			seen[uri] = true
		}
	}
	return nil
}

func (c Client) validateLogout() error {
	if c.BackchannelLogoutURI == "" {
		return nil
	}
	if err := checkFetched(c.BackchannelLogoutURI); err != nil {
		return metadataError("The backchannel logout URI is not acceptable.", err)
	}
	return nil
}

func (c Client) validateScopes() error {
	if len(c.Scopes) > maxClientScopes {
		return metadataError("There are too many scopes.", fmt.Errorf("%d scopes", len(c.Scopes)))
	}
	seen := map[uma.Scope]bool{}
	for _, s := range c.Scopes {
		if !s.Valid() {
			return metadataError("A scope is not a scope token.", fmt.Errorf("scope %q", s))
		}
		if seen[s] {
			return metadataError("A scope is given twice.", fmt.Errorf("scope %q", s))
		}
		seen[s] = true
	}
	return nil
}

func (c Client) validateIndicators() error {
	if len(c.ResourceIndicators) > maxClientURIs {
		return metadataError("There are too many resource indicators.", fmt.Errorf("%d resource indicators", len(c.ResourceIndicators)))
	}
	for i, uri := range c.ResourceIndicators {
		if !uma.ValidTarget(uri) || slices.Contains(c.ResourceIndicators[:i], uri) {
			return metadataError("A resource indicator is no absolute URI without a fragment, or is given twice.", fmt.Errorf("resource indicator %q", uri))
		}
	}
	return nil
}

func metadataError(sentence string, cause error) error {
	return uma.NewError(InvalidClientMetadata, sentence).Because(cause)
}

func redirectError(sentence string, cause error) error {
	return uma.NewError(InvalidRedirectURI, sentence).Because(cause)
}

// isVisibleASCII reports whether s is one or more of the characters ! to ~.
func isVisibleASCII(s string) bool {
	return s != "" && !containsRune(s, func(r rune) bool { return r < '!' || r > '~' })
}

func containsRune(s string, is func(rune) bool) bool {
	for _, r := range s {
		if is(r) {
			return true
		}
	}
	return false
}
