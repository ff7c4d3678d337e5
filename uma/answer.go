package uma

import (
	"encoding/json"
	"io"
	"slices"
	"time"
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
	if err == nil && ticket == "" {
		err = NewError(InvalidRequest, "The answer of the permission endpoint has no ticket.")
	}
	return TicketResponse{Ticket: Ticket(ticket)}, err
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
	return RegisteredResource{ID: ResourceID(id), UserAccessPolicyURI: uri}, err
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

// ParseIntrospection reads the answer of the introspection endpoint. Permissions
// is nil when the member is absent, as it is for a token that is no RPT.
func ParseIntrospection(r io.Reader) (Introspection, error) {
	o, err := ParseObject(r)
	if err != nil {
		return Introspection{}, err
	}
	var in Introspection
	active, ok, err := o.Bool("active")
	if err != nil {
		return Introspection{}, err
	}
	if !ok {
		return Introspection{}, NewError(InvalidRequest, "The answer of the introspection endpoint does not say whether the token is active.")
	}
	if !active {
		return Introspection{}, nil
	}
	in.Active = true
	for name, field := range map[string]*string{
		"token_type": &in.TokenType, "client_id": &in.ClientID, "sub": &in.Subject, "scope": &in.Scope, "iss": &in.Issuer,
	} {
		if *field, _, err = o.String(name); err != nil {
			return Introspection{}, err
		}
	}
	if err := o.times(&in.ExpiresAt, &in.IssuedAt, &in.NotBefore); err != nil {
		return Introspection{}, err
	}
	permissions, ok, err := o.Objects("permissions")
	if err != nil || !ok {
		return in, err
	}
	in.Permissions = make([]IntrospectedPermission, len(permissions))
	for i, p := range permissions {
		asked, err := ParsePermission(p)
		if err != nil {
			return Introspection{}, err
		}
		got := &in.Permissions[i]
		got.Resource, got.Scopes = asked.Resource, asked.Scopes
		if err := p.times(&got.ExpiresAt, &got.IssuedAt, &got.NotBefore); err != nil {
			return Introspection{}, err
		}
	}
	return in, nil
}

// times reads exp, iat and nbf; 0 when they are absent. An end that is there and
// is 0 is refused: it would turn into no end.
func (o Object) times(exp, iat, nbf *int64) error {
	for name, field := range map[string]*int64{"exp": exp, "iat": iat, "nbf": nbf} {
		var err error
		if *field, _, err = o.Int64(name); err != nil {
			return err
		}
	}
	if _, ok := o["exp"]; ok && *exp <= 0 {
		return wrongType("exp", "a time after 1970")
	}
	return nil
}

// MarshalJSON writes "permissions" for every active RPT, also an empty one, and
// for no other token: a nil list is no RPT.
func (in Introspection) MarshalJSON() ([]byte, error) {
	type plain Introspection
	if !in.Active {
		return []byte(`{"active":false}`), nil
	}
	if in.Permissions == nil {
		return json.Marshal(plain(in))
	}
	return json.Marshal(struct {
		plain
		Permissions []IntrospectedPermission `json:"permissions"`
	}{plain(in), in.Permissions})
}

// Permits says whether the token, as introspected, gives all of these scopes on
// the resource at this time; with no scopes asked for, whether it gives the
// resource at all. Of the times of the token and of the permission the stricter
// one holds (FedAuthz 5.1.1), and a permission that is past its end counts for
// nothing in a token that lives on.
func (in Introspection) Permits(resource ResourceID, scopes []Scope, now time.Time) bool {
	if !in.Active || !within(now.Unix(), in.ExpiresAt, in.IssuedAt, in.NotBefore) {
		return false
	}
	found := false
	var have []Scope
	for _, p := range in.Permissions {
		if p.Resource == resource && within(now.Unix(), p.ExpiresAt, p.IssuedAt, p.NotBefore) {
			found = true
			have = append(have, p.Scopes...)
		}
	}
	for _, s := range scopes {
		if !slices.Contains(have, s) {
			return false
		}
	}
	return found
}

// clockSkew is how far, in seconds, the clock of the authorization server may be
// ahead of ours without a fresh token seeming to be from the future.
const clockSkew = 30

func within(now, exp, iat, nbf int64) bool {
	return (exp == 0 || now < exp) && iat <= now+clockSkew && nbf <= now+clockSkew
}
