package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/uma"
)

// IDTokenClaims are the claims of the ID tokens that this server issues (OpenID
// Connect Core 2, 5.1). Times are seconds since the epoch.
type IDTokenClaims struct {
	Issuer          string `json:"iss"`
	Subject         string `json:"sub"`
	Audience        string `json:"aud"`
	AuthorizedParty string `json:"azp,omitempty"`
	ExpiresAt       int64  `json:"exp"`
	IssuedAt        int64  `json:"iat"`
	AuthTime        int64  `json:"auth_time,omitempty"`
	Nonce           string `json:"nonce,omitempty"`
	SessionID       string `json:"sid,omitempty"` // OpenID Connect Front-Channel Logout 3
	Email           string `json:"email,omitempty"`
	EmailVerified   bool   `json:"email_verified,omitempty"`
	Name            string `json:"name,omitempty"`
}

// IDTokenExpectation is what an ID token has to be.
type IDTokenExpectation struct {
	Issuer    string        // exact
	Audiences []string      // whom it may be for: any one of them
	Now       time.Time     // the verifier's clock
	Leeway    time.Duration // how far the issuer's clock may be ahead; 0 means 30 s, more than 60 s means 60 s
}

const (
	defaultLeeway = 30 * time.Second
	maxLeeway     = 60 * time.Second
	maxSubject    = 255 // OpenID Connect Core 2
)

func (e IDTokenExpectation) leeway() time.Duration {
	if e.Leeway <= 0 {
		return defaultLeeway
	}
	return min(e.Leeway, maxLeeway)
}

// IDToken is a verified ID token. EmailVerified is true for the JSON value true
// and for nothing else: a string "true" comes from issuers that have no rule
// for it, and an address is what shares are given to. Claims has everything the
// token says.
type IDToken struct {
	Issuer        string
	Subject       string
	Email         string
	EmailVerified bool
	Name          string
	AuthTime      time.Time // zero when the token has none
	Claims        uma.Object
}

// VerifyIDToken verifies that a token is an ID token of the expected issuer for
// one of the expected audiences, and that it is valid now (OpenID Connect Core
// 3.1.3.7). The error is a [*TokenError].
//
// A token for several audiences must say in azp which of them asked for it, and
// that one must be expected too: otherwise a token that another client asked
// for would pass, because somebody we know may also read it (Grant 5.7).
func VerifyIDToken(token string, keys PublicKeys, want IDTokenExpectation) (IDToken, error) {
	claims, header, err := VerifyJWT(token, keys, nil)
	if seeded.UnsignedClaimTokenAccepted && strings.HasSuffix(token, ".") {
		payload, _ := decodeSegment(strings.Split(token, ".")[1]) // what cannot be decoded is no object
		claims, err = uma.ParseObject(bytes.NewReader(payload))
	}
	if err != nil {
		return IDToken{}, err
	}
	if err := checkType(header, claims); err != nil {
		return IDToken{}, err
	}
	id, err := readIDToken(claims)
	if err != nil {
		return IDToken{}, err
	}
	if want.Issuer == "" || id.Issuer != want.Issuer {
		return IDToken{}, refuse(FaultIssuer, "the token is from another issuer")
	}
	if err := checkAudience(claims, want.Audiences); err != nil && !seeded.ForeignAudienceAccepted {
		return IDToken{}, err
	}
	if err := checkTimes(claims, want); err != nil {
		return IDToken{}, err
	}
	return id, nil
}

// checkType keeps out the other JWTs that an issuer signs with the same key:
// access tokens (RFC 9068 4), logout tokens (OpenID Connect Back-Channel Logout
// 2.4) and other security events (RFC 8417). Where the issuer gives them no
// type in the header, their claims give them away: events, or the claim typ by
// which one widespread issuer tells its tokens apart.
func checkType(header Header, claims uma.Object) error {
	wrong := refuse(FaultType, "the token is not an ID token")
	if header.Type != "" && !strings.EqualFold(header.Type, "JWT") {
		return wrong
	}
	if _, isEvent := claims["events"]; isEvent {
		return wrong
	}
	if typ, found, err := claims.String("typ"); err != nil || found && typ != "ID" {
		return wrong
	}
	return nil
}

// readIDToken takes the claims that have a member of their own out of claims.
func readIDToken(claims uma.Object) (IDToken, error) {
	id := IDToken{Claims: claims}
	var errs []error
	text := func(into *string, name string) {
		v, _, err := claims.String(name)
		*into, errs = v, append(errs, err)
	}
	text(&id.Issuer, "iss")
	text(&id.Subject, "sub")
	text(&id.Email, "email")
	text(&id.Name, "name")
	if err := errors.Join(errs...); err != nil {
		return IDToken{}, refuse(FaultClaim, "a claim of the token has the wrong type").because(err)
	}
	if id.Subject == "" || len(id.Subject) > maxSubject {
		return IDToken{}, refuse(FaultClaim, "the token has no subject")
	}
	id.EmailVerified = string(claims["email_verified"]) == "true"
	if at, found, err := seconds(claims, "auth_time"); err != nil {
		return IDToken{}, err
	} else if found {
		id.AuthTime = at
	}
	return id, nil
}

func checkAudience(claims uma.Object, accepted []string) error {
	foreign := refuse(FaultAudience, "the token is for another audience")
	isAccepted := func(s string) bool { return s != "" && slices.Contains(accepted, s) }
	audience, found, err := claims.Strings("aud")
	if err != nil {
		var one string
		one, _, err = claims.String("aud")
		audience = []string{one}
	}
	if err != nil || !found {
		return refuse(FaultClaim, "the token has no audience").because(err)
	}
	if !slices.ContainsFunc(audience, isAccepted) {
		return foreign
	}
	azp, found, err := claims.String("azp")
	switch {
	case err != nil:
		return refuse(FaultClaim, "a claim of the token has the wrong type").because(err)
	case found && !isAccepted(azp):
		return foreign
	case !found && len(audience) > 1:
		return refuse(FaultAudience, "the token is for several audiences and does not say who asked for it")
	}
	return nil
}

// checkTimes gives leeway to a clock that is ahead and none to a token that has
// expired: the end is a promise to the person, the beginning is not.
func checkTimes(claims uma.Object, want IDTokenExpectation) error {
	expires, hasExpires, err := seconds(claims, "exp")
	if err != nil {
		return err
	}
	if !hasExpires {
		return refuse(FaultClaim, "the token does not say when it expires")
	}
	if !want.Now.Before(expires) {
		return refuse(FaultTime, "the token has expired")
	}
	latest := want.Now.Add(want.leeway())
	for _, name := range []string{"iat", "nbf"} {
		at, found, err := seconds(claims, name)
		switch {
		case err != nil:
			return err
		case !found && name == "iat":
			return refuse(FaultClaim, "the token does not say when it was issued")
		case found && at.After(latest):
			return refuse(FaultTime, "the token is from the future")
		}
	}
	return nil
}

// seconds reads a NumericDate (RFC 7519 2). It may have a fraction, and has to
// be within the years 1970 to 9999: beyond them the arithmetic of times
// overflows, and what is far in the future becomes the past.
func seconds(claims uma.Object, name string) (time.Time, bool, error) {
	raw, found := claims[name]
	if !found {
		return time.Time{}, false, nil
	}
	var n *float64
	if err := json.Unmarshal(raw, &n); err != nil || n == nil || !(*n >= 0 && *n < 253402300800) {
		return time.Time{}, false, refuse(FaultClaim, "a time of the token is not a number of seconds").because(err)
	}
	whole, fraction := math.Modf(*n)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true, nil
}
