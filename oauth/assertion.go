package oauth

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/uma"
)

// AssertionType is the client_assertion_type of RFC 7523 2.2.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// AssertionAlgorithms are what a client assertion may be signed with.
var AssertionAlgorithms = []string{EdDSA, ES256, PS256}

const (
	// maxAssertionLife is how far ahead an assertion may expire.
	maxAssertionLife = 5 * time.Minute
	// Skew is by how much another's clock may be ahead of ours.
	Skew = 10 * time.Second
	// maxTokenID is the most bytes of a jti: it is remembered.
	maxTokenID = 256
)

// An Assertion is a client assertion that was verified. Its ID may be used once
// until it expires.
type Assertion struct {
	ID        string
	ExpiresAt time.Time
}

// assertedClient reads which client an assertion is about, without believing it:
// the client's own keys will tell.
func assertedClient(token string) (ClientID, error) {
	if len(token) > maxJWT || strings.Count(token, ".") != 2 {
		return "", errors.New("the assertion is not a JWT")
	}
	raw, err := decodeSegment(strings.Split(token, ".")[1])
	if err != nil {
		return "", err
	}
	claims, err := uma.ParseObject(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	sub, _, err := claims.String("sub")
	if err == nil && sub == "" {
		err = errors.New("the assertion has no sub")
	}
	return ClientID(sub), err
}

// Keys are the keys that the client registered itself; none for a client that
// registered where they are.
func (c Client) Keys() (PublicKeys, error) {
	if len(c.JWKS) == 0 {
		return nil, nil
	}
	return ParseJWKS(c.JWKS)
}

// VerifyAssertion verifies a private_key_jwt assertion (RFC 7523 3, and the draft
// that replaces it): signed with one of the client's keys, from and about the
// client, for the issuer and for nobody else, with an id, and not for longer than
// five minutes. The audience is the issuer identifier as a single string: an
// endpoint's URL, or one of several audiences, is a token that somebody else may
// have been shown. Whether the id was used before is for the caller to find out.
// The error is a [*TokenError].
func VerifyAssertion(c Client, keys PublicKeys, token, issuer string, now time.Time) (Assertion, error) {
	claims, header, err := VerifyJWT(token, keys, AssertionAlgorithms)
	if err != nil {
		return Assertion{}, err
	}
	return judgeAssertion(c, claims, header, issuer, now)
}

// CheckAssertion refuses what VerifyAssertion would refuse with whatever keys. It
// believes nothing: it is for the caller who has to go and get the keys, and does
// not go for everything that strangers send.
func CheckAssertion(c Client, token, issuer string, now time.Time) error {
	header, err := parseHeaderOf(token)
	if err != nil {
		return err
	}
	if !slices.Contains(AssertionAlgorithms, header.Algorithm) {
		return refuse(FaultAlgorithm, "the token's algorithm is not accepted")
	}
	raw, err := decodeSegment(strings.Split(token, ".")[1])
	if err != nil {
		return refuse(FaultSyntax, "the token is not base64url").because(err)
	}
	claims, err := uma.ParseObject(bytes.NewReader(raw))
	if err != nil {
		return refuse(FaultSyntax, "the token's claims are not a JSON object").because(err)
	}
	_, err = judgeAssertion(c, claims, header, issuer, now)
	return err
}

func judgeAssertion(c Client, claims uma.Object, header Header, issuer string, now time.Time) (Assertion, error) {
	if !slices.Contains([]string{"", "jwt", "client-authentication+jwt"}, strings.ToLower(header.Type)) {
		return Assertion{}, refuse(FaultType, "the token is not a client assertion")
	}
	text := func(name string) string {
		v, _, err := claims.String(name)
		if err != nil {
			return ""
		}
		return v
	}
	if text("iss") != string(c.ID) || text("sub") != string(c.ID) || c.ID == "" {
		return Assertion{}, refuse(FaultIssuer, "the assertion is not the client's own")
	}
	if text("aud") != issuer || issuer == "" {
		return Assertion{}, refuse(FaultAudience, "the assertion is for somebody else")
	}
	a := Assertion{ID: text("jti")}
	if a.ID == "" || len(a.ID) > maxTokenID {
		return Assertion{}, refuse(FaultClaim, "the assertion has no id that can be remembered")
	}
	exp, found, err := claims.Int64("exp")
	if err != nil || !found {
		return Assertion{}, refuse(FaultClaim, "the assertion does not expire")
	}
	a.ExpiresAt = time.Unix(exp, 0)
	if !now.Before(a.ExpiresAt) || a.ExpiresAt.After(now.Add(maxAssertionLife+Skew)) {
		return Assertion{}, refuse(FaultTime, "the assertion has expired, or does so too late")
	}
	for _, name := range []string{"iat", "nbf"} {
		at, found, err := claims.Int64(name)
		if err != nil || found && time.Unix(at, 0).After(now.Add(Skew)) {
			return Assertion{}, refuse(FaultTime, "the assertion is from the future")
		}
	}
	return a, nil
}
