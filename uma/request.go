package uma

import (
	"encoding/json"
	"io"
)

// MaxPermissions is how many permissions one permission request may have.
const MaxPermissions = 200

var errTooManyScopes = NewError(InvalidRequest, "There are too many scopes.")

// ParsePermissionRequest reads the body of the permission endpoint: one
// permission, or an array of one or more (FedAuthz 4.1). Entries for the same
// resource are merged in the order of the first. Every fault is an *Error with
// the code invalid_request, and then there is no permission at all.
func ParsePermissionRequest(r io.Reader) ([]Permission, error) {
	raw, err := parseDocument(r)
	if err != nil {
		return nil, err
	}
	if raw[0] != '[' {
		p, err := parsePermission(raw)
		if err != nil {
			return nil, err
		}
		return []Permission{p}, nil
	}
	list, err := asArray(raw)
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, NewError(InvalidRequest, "The array of permissions is empty.")
	case len(list) > MaxPermissions:
		return nil, NewError(InvalidRequest, "There are too many permissions in one request.")
	}
	var out []Permission
	at := map[ResourceID]int{}
	for _, item := range list {
		p, err := parsePermission(item)
		if err != nil {
			return nil, err
		}
		i, known := at[p.Resource]
		if !known {
			at[p.Resource] = len(out)
			out = append(out, p)
			continue
		}
		for _, s := range p.Scopes {
			out[i].Scopes = appendScope(out[i].Scopes, s)
		}
		if len(out[i].Scopes) > maxScopes {
			return nil, errTooManyScopes
		}
	}
	return out, nil
}

// parsePermission reads one permission of a document that parseDocument has checked.
func parsePermission(raw json.RawMessage) (Permission, error) {
	if raw[0] != '{' {
		return Permission{}, errNoObject
	}
	var id, scopes json.RawMessage
	for name, value := range members(raw) {
		switch {
		case isNamed(name, "resource_id"):
			id = value
		case isNamed(name, "resource_scopes"):
			scopes = value
		}
	}
	return permissionOf(id, scopes)
}

// ParsePermission reads one permission. Unknown members are ignored.
func ParsePermission(o Object) (Permission, error) {
	return permissionOf(o["resource_id"], o["resource_scopes"])
}

// permissionOf reads the two members of a permission; nil is one that is absent.
func permissionOf(resource, scopes json.RawMessage) (p Permission, err error) {
	id, ok := asString(resource)
	switch {
	case resource != nil && !ok:
		return Permission{}, wrongType("resource_id", "a string")
	case id == "":
		return Permission{}, NewError(InvalidRequest, "The member resource_id is missing.")
	}
	p.Resource = ResourceID(id)
	p.Scopes, err = scopesOf("resource_scopes", scopes)
	return p, err
}

// scopes reads a required member that is an array of scopes, perhaps empty.
func (o Object) scopes(name string) ([]Scope, error) { return scopesOf(name, o[name]) }

// scopesOf reads a required member, nil when it is absent, that is an array of scopes.
func scopesOf(name string, raw json.RawMessage) ([]Scope, error) {
	switch {
	case raw == nil:
		return nil, NewError(InvalidRequest, "The member "+name+" is missing.")
	case raw[0] != '[':
		return nil, wrongType(name, "an array of strings")
	}
	scopes := []Scope{}
	count := 0
	for item := range elements(raw) {
		text, ok := asString(item)
		if !ok {
			return nil, wrongType(name, "an array of strings")
		}
		if count++; count > maxScopes {
			return nil, errTooManyScopes
		}
		if !Scope(text).Valid() {
			return nil, NewError(InvalidRequest, "A scope is empty, too long, or has characters that scopes cannot have.")
		}
		scopes = appendScope(scopes, Scope(text))
	}
	return scopes, nil
}

// ParseTokenRequest reads a token request of the UMA grant (Grant 3.3.1). The
// error is an *Error with the code invalid_request, invalid_scope or invalid_target.
func ParseTokenRequest(f Form) (TokenRequest, error) {
	if f["ticket"] == "" {
		return TokenRequest{}, NewError(InvalidRequest, "The parameter ticket is missing.")
	}
	if (f["claim_token"] == "") != (f["claim_token_format"] == "") {
		return TokenRequest{}, NewError(InvalidRequest, "claim_token and claim_token_format come together or not at all.")
	}
	scopes, err := ParseScope(f["scope"])
	if err != nil {
		return TokenRequest{}, err
	}
	if len(scopes) == 0 {
		scopes = nil // no scope is no wish, not the wish for none
	}
	targets, err := ParseTargets(f)
	if err != nil {
		return TokenRequest{}, err
	}
	return TokenRequest{
		Ticket: Ticket(f["ticket"]), ClaimToken: f["claim_token"], ClaimTokenFormat: f["claim_token_format"],
		PCT: PCT(f["pct"]), RPT: RPT(f["rpt"]), CodeVerifier: f["code_verifier"], Scopes: scopes, Targets: targets,
	}, nil
}

// MarshalJSON writes no scopes as an empty array: the member has to be there
// (FedAuthz 4.1).
func (p Permission) MarshalJSON() ([]byte, error) {
	type plain Permission
	if p.Scopes == nil {
		p.Scopes = []Scope{}
	}
	return json.Marshal(plain(p))
}

// MarshalJSON writes no scopes as an empty array (FedAuthz 5.1.1).
func (p IntrospectedPermission) MarshalJSON() ([]byte, error) {
	type plain IntrospectedPermission
	if p.Scopes == nil {
		p.Scopes = []Scope{}
	}
	return json.Marshal(plain(p))
}
