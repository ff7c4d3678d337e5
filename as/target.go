package as

import (
	"errors"
	"slices"

	"github.com/licet/licet/uma"
)

// Every token is good at one place, which what it is made of decides: an RPT at the
// resource server of its ticket, any other access token at this server's own APIs.
// So a resource parameter (RFC 8707) chooses nothing. It says where the client means
// to use the token, and where that is not the place there is none: a client that a
// resource server handed the ticket of another one does not get what it would give
// to the wrong one.

var errOtherTarget = uma.NewError(uma.InvalidTarget, "The token would not be good at this resource.")

// CheckTargets refuses targets at which no OAuth access token is good: all places but
// this server itself, by its issuer identifier.
func (s *Server) CheckTargets(targets []string) error {
	if refusal := goodAt(targets, []string{s.Issuer}); refusal != nil {
		return refusal
	}
	return nil
}

// checkTargets refuses targets at which the tokens of a grant are not good.
func (s *Server) checkTargets(k known, g Grant, targets []string) (refusal *uma.Error, err error) {
	if len(targets) == 0 {
		return nil, nil
	}
	if g.Kind == GrantOAuth {
		return goodAt(targets, []string{s.Issuer}), nil
	}
	server, err := k.Client(g.ResourceServer)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	return goodAt(targets, server.ResourceIndicators), nil // one that is gone has none
}

func goodAt(targets, places []string) *uma.Error {
	for _, t := range targets {
		if !slices.Contains(places, t) {
			return errOtherTarget
		}
	}
	return nil
}
