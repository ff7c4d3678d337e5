package oauth

import (
	"encoding/json"
	"slices"

	"github.com/licet/licet/uma"
)

// ResponseCode is the one response_type that there is.
const ResponseCode = "code"

// ParseClientMetadata reads what a client says about itself when it registers (RFC
// 7591 2, and the documents that add members to it; claims_redirect_uris of Grant
// 2). A member that is left out, or null, has the default of RFC 7591, and beyond
// it the narrowest thing. Members that are not known here are ignored, and so are
// those that are the server's to say: the id, the secret, what the client may do
// beyond its own things. The client is not judged yet: that is for
// [Client.Validate], when it has an id and whatever else the server gives it. The
// error is a [*uma.Error] with the code invalid_client_metadata or
// invalid_redirect_uri.
func ParseClientMetadata(o uma.Object) (Client, error) {
	o = withoutNull(o)
	c := Client{AuthMethod: AuthBasic, GrantTypes: []string{GrantAuthorizationCode}}
	for name, field := range c.texts() {
		if v, found, err := o.String(name); err != nil {
			return Client{}, metadataError("A member that has to be a text is none.", err)
		} else if found {
			*field = v
		}
	}
	for name, field := range c.lists() {
		v, found, err := o.Strings(name)
		switch {
		case err != nil && name == "redirect_uris":
			return Client{}, redirectError("The redirect_uris are no list of texts.", err)
		case err != nil:
			return Client{}, metadataError("A member that has to be a list of texts is none.", err)
		case found:
			*field = v
		}
	}
	for name, field := range c.flags() {
		var err error
		if *field, _, err = o.Bool(name); err != nil {
			return Client{}, metadataError("A member that has to be true or false is neither.", err)
		}
	}
	for _, read := range []func(uma.Object) error{c.readScope, c.readResponseTypes, c.readKeys, c.readCertificate} {
		if err := read(o); err != nil {
			return Client{}, err
		}
	}
	return c, nil
}

// withoutNull leaves out the members that are null: they are asked to be as if
// they had not been sent.
func withoutNull(o uma.Object) uma.Object {
	out := uma.Object{}
	for name, value := range o {
		if string(value) != "null" {
			out[name] = value
		}
	}
	return out
}

// The members that are read and written alike, with where they are kept.

func (c *Client) texts() map[string]*string {
	return map[string]*string{
		"client_name": &c.Name, "token_endpoint_auth_method": (*string)(&c.AuthMethod), "jwks_uri": &c.JWKSURI,
		"backchannel_logout_uri": &c.BackchannelLogoutURI,
	}
}

func (c *Client) lists() map[string]*[]string {
	return map[string]*[]string{
		"grant_types": &c.GrantTypes, "redirect_uris": &c.RedirectURIs, "claims_redirect_uris": &c.ClaimsRedirectURIs,
		"post_logout_redirect_uris": &c.PostLogoutRedirectURIs, "resource_indicators": &c.ResourceIndicators,
	}
}

func (c *Client) flags() map[string]*bool {
	return map[string]*bool{
		"backchannel_logout_session_required":        &c.BackchannelLogoutSessionRequired,
		"tls_client_certificate_bound_access_tokens": &c.CertificateBound, // RFC 8705 3.4
		"dpop_bound_access_tokens":                   &c.DPoPBound,        // RFC 9449 5.2
		"require_pushed_authorization_requests":      &c.RequirePushed,    // RFC 9126 6
		"require_ticket_binding":                     &c.RequireTicketBinding,
	}
}

func (c *Client) readScope(o uma.Object) error {
	value, _, err := o.String("scope")
	if err != nil {
		return metadataError("The scope is no text.", err)
	}
	if value == "" {
		return nil
	}
	if c.Scopes, err = uma.ParseScope(value); err != nil {
		return metadataError("The scope is malformed.", err)
	}
	return nil
}

// readResponseTypes checks that what goes with the grant types is asked for, and
// nothing else (RFC 7591 2.1).
func (c *Client) readResponseTypes(o uma.Object) error {
	types, found, err := o.Strings("response_types")
	if err != nil {
		return metadataError("The response_types are no list of texts.", err)
	}
	if found && !slices.Equal(types, c.responseTypes()) {
		return metadataError("The response_types do not go with the grant_types: it is code with authorization_code, and none without.", nil)
	}
	return nil
}

func (c Client) responseTypes() []string {
	if c.Allows(GrantAuthorizationCode) {
		return []string{ResponseCode}
	}
	return []string{}
}

func (c *Client) readKeys(o uma.Object) error {
	set, found := o["jwks"]
	if !found {
		return nil
	}
	if _, _, err := o.Object("jwks"); err != nil {
		return metadataError("The jwks is no object.", err)
	}
	c.JWKS = set
	return nil
}

// readCertificate reads the one name of the client's certificate (RFC 8705 2.1.2).
func (c *Client) readCertificate(o uma.Object) error {
	for _, name := range CertificateNames {
		value, found, err := o.String(name)
		switch {
		case err != nil:
			return metadataError("The name of a certificate is no text.", err)
		case found && c.Certificate != "":
			return metadataError("The certificate has one name, and not several.", nil)
		case found:
			c.Certificate = NameCertificate(name, value)
		}
	}
	return nil
}

// Metadata is what the client is registered as, in the members that
// [ParseClientMetadata] reads. Its id and its secret are not among them.
func (c Client) Metadata() map[string]any {
	out := map[string]any{"response_types": c.responseTypes()}
	for name, field := range c.texts() {
		if *field != "" {
			out[name] = *field
		}
	}
	for name, field := range c.lists() {
		if len(*field) > 0 {
			out[name] = *field
		}
	}
	for name, field := range c.flags() {
		if *field {
			out[name] = true
		}
	}
	if out["grant_types"] == nil {
		out["grant_types"] = []string{} // left out it would be the default
	}
	if len(c.Scopes) > 0 {
		out["scope"] = uma.JoinScopes(c.Scopes)
	}
	if len(c.JWKS) > 0 {
		out["jwks"] = json.RawMessage(c.JWKS)
	}
	if member, value := c.Certificate.Parts(); member != "" {
		out[member] = value
	}
	return out
}
