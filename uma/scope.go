package uma

import "strings"

// ParseScope reads a space-separated list of scopes (RFC 6749 3.3); a scope
// that is named twice counts once.
func ParseScope(s string) ([]Scope, error) {
	scopes := []Scope{}
	for _, part := range strings.Split(s, " ") {
		if part == "" {
			continue
		}
		if !Scope(part).Valid() {
			return nil, NewError(InvalidScope, "A scope has characters that scopes cannot have.")
		}
		scopes = appendScope(scopes, Scope(part))
	}
	return scopes, nil
}

// JoinScopes writes a list of scopes as ParseScope reads it.
func JoinScopes(scopes []Scope) string {
	parts := make([]string, len(scopes))
	for i, s := range scopes {
		parts[i] = string(s)
	}
	return strings.Join(parts, " ")
}

const maxScope = 1 << 10

// Valid says whether the scope could be requested at all: it is a scope-token of
// RFC 6749 3.3, which a URI is, too.
func (s Scope) Valid() bool {
	if s == "" || len(s) > maxScope {
		return false
	}
	for _, c := range []byte(s) {
		if c < 0x21 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendScope(scopes []Scope, s Scope) []Scope {
	for _, have := range scopes {
		if have == s {
			return scopes
		}
	}
	return append(scopes, s)
}
