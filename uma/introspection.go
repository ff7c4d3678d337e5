package uma

import (
	"encoding/json"
	"io"
	"slices"
	"time"
)

// ParseIntrospection reads the answer of the introspection endpoint. Permissions
// is nil when the member is absent, as it is for a token that is no RPT. Of an
// answer that is not active nothing else is believed.
func ParseIntrospection(r io.Reader) (Introspection, error) {
	o, err := ParseObject(r)
	if err != nil {
		return Introspection{}, err
	}
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
	in := Introspection{Active: true}
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
	if in.Permissions, err = o.introspectedPermissions(); err != nil {
		return Introspection{}, err
	}
	if in.Bound, err = o.confirmation(); err != nil {
		return Introspection{}, err
	}
	return in, nil
}

// confirmation reads the member cnf; nil when it is absent. One that says nothing
// that is known here is refused: the token must not pass as a bearer token.
func (o Object) confirmation() (*Confirmation, error) {
	cnf, ok, err := o.Object("cnf")
	if err != nil || !ok {
		return nil, err
	}
	c := new(Confirmation)
	for name, field := range map[string]*string{"jkt": &c.Key, "x5t#S256": &c.Certificate} {
		if *field, _, err = cnf.String(name); err != nil {
			return nil, err
		}
	}
	if *c == (Confirmation{}) {
		return nil, wrongType("cnf", "a confirmation by jkt or x5t#S256")
	}
	return c, nil
}

// introspectedPermissions reads the member permissions; nil when it is absent.
func (o Object) introspectedPermissions() ([]IntrospectedPermission, error) {
	list, ok, err := o.Objects("permissions")
	if err != nil || !ok {
		return nil, err
	}
	permissions := make([]IntrospectedPermission, len(list))
	for i, item := range list {
		asked, err := ParsePermission(item)
		if err != nil {
			return nil, err
		}
		p := &permissions[i]
		p.Resource, p.Scopes = asked.Resource, asked.Scopes
		if err := item.times(&p.ExpiresAt, &p.IssuedAt, &p.NotBefore); err != nil {
			return nil, err
		}
	}
	return permissions, nil
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
// for no other token: a nil list is no RPT. Of an RPT it writes no scope, which
// would say nothing of any resource (FedAuthz 5.1.1).
func (in Introspection) MarshalJSON() ([]byte, error) {
	type plain Introspection
	if !in.Active {
		return []byte(`{"active":false}`), nil
	}
	if in.Permissions == nil {
		return json.Marshal(plain(in))
	}
	in.Scope = ""
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
