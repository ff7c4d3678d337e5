package uma

import (
	"encoding/json"
	"io"
	"unicode/utf8"
)

// The parsers of this file read what an authorization server answers. Members
// that are not known are ignored; members that are have to be of their type.

// ParseTokenResponse reads the success answer of the token endpoint.
func ParseTokenResponse(r io.Reader) (TokenResponse, error) {
	o, err := ParseObject(r)
	if err != nil {
		return TokenResponse{}, err
	}
	var t TokenResponse
	var pct string
	for name, field := range map[string]*string{
		"access_token": &t.AccessToken, "token_type": &t.TokenType, "refresh_token": &t.RefreshToken,
		"scope": &t.Scope, "id_token": &t.IDToken, "pct": &pct,
	} {
		if *field, _, err = o.String(name); err != nil {
			return TokenResponse{}, err
		}
	}
	t.PCT = PCT(pct)
	if t.ExpiresIn, _, err = o.Int64("expires_in"); err != nil {
		return TokenResponse{}, err
	}
	if t.Upgraded, _, err = o.Bool("upgraded"); err != nil {
		return TokenResponse{}, err
	}
	if t.AccessToken == "" || t.TokenType == "" {
		return TokenResponse{}, NewError(InvalidRequest, "The token response has no access_token or no token_type.")
	}
	return t, nil
}

// ParseErrorResponse reads the error answer of the token endpoint or of the
// protection API.
func ParseErrorResponse(r io.Reader) (ErrorResponse, error) {
	o, err := ParseObject(r)
	if err != nil {
		return ErrorResponse{}, err
	}
	var e ErrorResponse
	var code, ticket string
	for name, field := range map[string]*string{
		"error": &code, "error_description": &e.ErrorDescription, "error_uri": &e.ErrorURI,
		"ticket": &ticket, "redirect_user": &e.RedirectUser,
	} {
		if *field, _, err = o.String(name); err != nil {
			return ErrorResponse{}, err
		}
	}
	e.Error, e.Ticket = Code(code), Ticket(ticket)
	if e.Interval, _, err = o.Int64("interval"); err != nil {
		return ErrorResponse{}, err
	}
	claims, _, err := o.Objects("required_claims")
	if err != nil {
		return ErrorResponse{}, err
	}
	for _, c := range claims {
		claim, err := ParseRequiredClaim(c)
		if err != nil {
			return ErrorResponse{}, err
		}
		e.RequiredClaims = append(e.RequiredClaims, claim)
	}
	if e.Error == "" {
		return ErrorResponse{}, NewError(InvalidRequest, "The error answer has no error.")
	}
	return e, nil
}

// ParseRequiredClaim reads one element of required_claims (Grant 3.3.6).
func ParseRequiredClaim(o Object) (RequiredClaim, error) {
	var c RequiredClaim
	var err error
	for name, field := range map[string]*string{"claim_type": &c.ClaimType, "friendly_name": &c.FriendlyName, "name": &c.Name} {
		if *field, _, err = o.String(name); err != nil {
			return RequiredClaim{}, err
		}
	}
	for name, field := range map[string]*[]string{"claim_token_format": &c.ClaimTokenFormat, "issuer": &c.Issuer} {
		if *field, _, err = o.Strings(name); err != nil {
			return RequiredClaim{}, err
		}
	}
	return c, nil
}

// ParseTicketResponse reads the success answer of the permission endpoint.
func ParseTicketResponse(r io.Reader) (TicketResponse, error) {
	o, err := ParseObject(r)
	if err != nil {
		return TicketResponse{}, err
	}
	ticket, _, err := o.String("ticket")
	if err != nil {
		return TicketResponse{}, err
	}
	if ticket == "" {
		return TicketResponse{}, NewError(InvalidRequest, "The answer of the permission endpoint has no ticket.")
	}
	return TicketResponse{Ticket: Ticket(ticket)}, nil
}

// ParseRegisteredResource reads the success answer of create and update.
func ParseRegisteredResource(r io.Reader) (RegisteredResource, error) {
	o, err := ParseObject(r)
	if err != nil {
		return RegisteredResource{}, err
	}
	id, _, err := o.String("_id")
	if err != nil {
		return RegisteredResource{}, err
	}
	if id == "" {
		return RegisteredResource{}, NewError(InvalidRequest, "The answer of the registration endpoint has no _id.")
	}
	uri, _, err := o.String("user_access_policy_uri")
	if err != nil {
		return RegisteredResource{}, err
	}
	return RegisteredResource{ID: ResourceID(id), UserAccessPolicyURI: uri}, nil
}

// ParseResourceIDs reads the list of registered resources (FedAuthz 3.2.5). It
// may be far longer than MaxJSON and is read as it comes, up to limit elements.
func ParseResourceIDs(r io.Reader, limit int) ([]ResourceID, error) {
	d := json.NewDecoder(io.LimitReader(r, int64(limit+1)*maxText))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, NewError(InvalidRequest, "The list of resources is no array.").Because(err)
	}
	ids := []ResourceID{}
	for d.More() {
		var raw json.RawMessage
		err := d.Decode(&raw)
		id, ok := asString(raw)
		if err != nil || !ok || id == "" || len(id) > maxText || !utf8.Valid(raw) || !realEscapes(raw) {
			return nil, NewError(InvalidRequest, "The list of resources has an element that cannot be an _id.").Because(err)
		}
		if len(ids) == limit {
			return nil, NewError(InvalidRequest, "The list of resources is too long.").Because(ErrTooLarge)
		}
		ids = append(ids, ResourceID(id))
	}
	if _, err := d.Token(); err != nil {
		return nil, NewError(InvalidRequest, "The list of resources breaks off.").Because(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, NewError(InvalidRequest, "There is something after the list of resources.")
	}
	return ids, nil
}
