package uma

import (
	"net/url"
	"strings"
)

// InvalidTarget is the error code of a resource parameter that names no place where
// the token could be good (RFC 8707 2).
const InvalidTarget Code = "invalid_target"

// targetParameter is the one parameter that may be given more than once.
const targetParameter = "resource"

const (
	maxTargets = 8
	maxTarget  = 2 << 10 // bytes
)

var errBadTarget = NewError(InvalidTarget, "A resource is not an absolute URI without a fragment, or there are too many.")

// ParseTargets reads the parameter resource (RFC 8707 2): the places where a client
// wants to use the token that it asks for; nil when it does not say. Every fault is
// an *Error with the code invalid_target.
func ParseTargets(f Form) ([]string, error) {
	if f[targetParameter] == "" {
		return nil, nil
	}
	targets := strings.Split(f[targetParameter], " ")
	if len(targets) > maxTargets {
		return nil, errBadTarget
	}
	for _, t := range targets {
		if !ValidTarget(t) {
			return nil, errBadTarget
		}
	}
	return targets, nil
}

// ValidTarget says whether a text can name a place where tokens are good: it is an
// absolute URI without a fragment (RFC 8707 2).
func ValidTarget(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x21 || c > 0x7e {
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxTarget && u.IsAbs() && !strings.Contains(s, "#")
}
