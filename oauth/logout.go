package oauth

import (
	"fmt"
	"slices"
	"time"

	"github.com/licet/licet/uma"
)

// IDTokenHint is what an ID token that this server issued says about a session
// (OpenID Connect RP-Initiated Logout 1.0, 2).
type IDTokenHint struct {
	Subject   string
	Client    ClientID
	SessionID string // the sid
}

// VerifyIDTokenHint verifies that a token is an ID token of the issuer for one
// client that says in which session it was issued. It may have expired: it lets
// nobody in, it only tells what to end, and sessions outlive ID tokens. The
// error is a [*TokenError].
func VerifyIDTokenHint(token string, keys PublicKeys, issuer string, now time.Time) (IDTokenHint, error) {
	claims, header, err := VerifyJWT(token, keys, nil)
	if err != nil {
		return IDTokenHint{}, err
	}
	if err := checkType(header, claims); err != nil {
		return IDTokenHint{}, err
	}
	id, err := readIDToken(claims)
	if err != nil {
		return IDTokenHint{}, err
	}
	if issuer == "" || id.Issuer != issuer {
		return IDTokenHint{}, refuse(FaultIssuer, "the token is from another issuer")
	}
	issued, found, err := seconds(claims, "iat")
	if err != nil {
		return IDTokenHint{}, err
	}
	if !found || issued.After(now.Add(defaultLeeway)) {
		return IDTokenHint{}, refuse(FaultTime, "the token is from the future, or from no time at all")
	}
	client, _, errAudience := claims.String("aud")
	sid, _, errSession := claims.String("sid")
	if errAudience != nil || errSession != nil || client == "" || sid == "" {
		return IDTokenHint{}, refuse(FaultClaim, "the token does not say for which client and in which session it is")
	}
	return IDTokenHint{Subject: id.Subject, Client: ClientID(client), SessionID: sid}, nil
}

// PostLogoutRedirectURI checks where a client wants a browser to go after the
// person signed out: one of its registered URIs, byte for byte, and nowhere when
// it names none. The error is a [*uma.Error], and means that the browser must not
// be sent anywhere.
func (c Client) PostLogoutRedirectURI(requested string) error {
	if requested == "" || slices.Contains(c.PostLogoutRedirectURIs, requested) {
		return nil
	}
	return uma.NewError(uma.InvalidRequest, "The post_logout_redirect_uri is not registered for the client.").
		Because(fmt.Errorf("post_logout_redirect_uri %q", requested))
}

// LogoutTokenClaims are the claims of a logout token beside its event (OpenID
// Connect Back-Channel Logout 1.0, 2.4). Times are seconds since the epoch.
type LogoutTokenClaims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	ID        string `json:"jti"`
	SessionID string `json:"sid"`
}

// logoutEvent is the member of events that makes a token a logout token.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// SignLogoutToken makes a logout token. Its type and its events keep it from being
// taken for an ID token, and it never has a nonce.
func SignLogoutToken(key Key, claims LogoutTokenClaims) (string, error) {
	return Sign(key, "logout+jwt", struct {
		LogoutTokenClaims
		Events map[string]struct{} `json:"events"`
	}{claims, map[string]struct{}{logoutEvent: {}}})
}
