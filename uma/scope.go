package uma

import (
	"slices"
	"strings"
)

// maxScopes is the most scopes that a request may name, or a resource have.
const maxScopes = 256

// ParseScope reads a space-separated list of scopes (RFC 6749 3.3); a scope
// that is named twice counts once. Every fault is an *Error with the code
// invalid_scope.
func ParseScope(s string) ([]Scope, error) {
	scopes := []Scope{}
	for _, part := range strings.Split(s, " ") {
		if part == "" {
			continue
		}
		if !Scope(part).Valid() {
			return nil, NewError(InvalidScope, "A scope has characters that scopes cannot have.")
		}
		if scopes = appendScope(scopes, Scope(part)); len(scopes) > maxScopes {
			return nil, NewError(InvalidScope, "There are too many scopes.")
		}
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

// maxScope is the most bytes of one scope.
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
	if slices.Contains(scopes, s) {
		return scopes
	}
	return append(scopes, s)
}
