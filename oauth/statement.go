package oauth

import (
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/uma"
)

// The error codes of software statements (RFC 7591 3.2.2).
const (
	InvalidSoftwareStatement    uma.Code = "invalid_software_statement"
	UnapprovedSoftwareStatement uma.Code = "unapproved_software_statement"
)

// VerifySoftwareStatement verifies a software statement (RFC 7591 2.3) of an issuer
// with its keys, and returns what it says. It may have no end, and no audience; an
// end that has passed, and an audience that does not name the server, are no good.
// Whoever signs statements may sign other tokens with the same key: those have a
// type of their own, or an audience, which is not this server's issuer identifier.
// The error is a [*TokenError].
func VerifySoftwareStatement(token string, keys PublicKeys, issuer, server string, now time.Time) (uma.Object, error) {
	claims, header, err := VerifyJWT(token, keys, nil)
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"", "jwt"}, strings.ToLower(header.Type)) {
		return nil, refuse(FaultType, "the token is not a software statement")
	}
	if _, isEvent := claims["events"]; isEvent {
		return nil, refuse(FaultType, "the token is not a software statement")
	}
	if said, _, err := claims.String("iss"); err != nil || said != issuer || issuer == "" {
		return nil, refuse(FaultIssuer, "the token is from another issuer")
	}
	if _, found := claims["aud"]; found {
		audience, _, err := claims.Strings("aud")
		if err != nil {
			var one string
			one, _, err = claims.String("aud")
			audience = []string{one}
		}
		if err != nil || server == "" || !slices.Contains(audience, server) {
			return nil, refuse(FaultAudience, "the token is for another audience")
		}
	}
	if end, found, err := seconds(claims, "exp"); err != nil {
		return nil, err
	} else if found && !now.Before(end) {
		return nil, refuse(FaultTime, "the token has expired")
	}
	for _, name := range []string{"iat", "nbf"} {
		if at, found, err := seconds(claims, name); err != nil {
			return nil, err
		} else if found && at.After(now.Add(Skew)) {
			return nil, refuse(FaultTime, "the token is from the future")
		}
	}
	return claims, nil
}
