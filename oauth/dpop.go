package oauth

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/licet/licet/uma"
)

// The error codes of RFC 9449 5 and 8.
const (
	InvalidDPoPProof uma.Code = "invalid_dpop_proof"
	UseDPoPNonce     uma.Code = "use_dpop_nonce"
)

// ProofAlgorithms are what a DPoP proof may be signed with.
var ProofAlgorithms = []string{EdDSA, ES256, PS256}

// MaxProofAge is how long after it was made a proof may be shown.
const MaxProofAge = 2 * time.Minute

// A Proof is a DPoP proof that was verified. Its ID may be used once until
// MaxProofAge has passed; what its nonce has to be is for the caller to know.
type Proof struct {
	Key   Confirmation // who made it
	ID    string
	Nonce string
}

// VerifyProof verifies a DPoP proof as RFC 9449 4.3 demands: signed by the key that
// it brings along, made for this method and this URL (without its query), not long
// ago, and for the access token that it came with, if one did. The error is a
// [*TokenError].
//
// The key is whatever the sender chose. It says nothing but that the sender has
// it; what counts is that a token was bound to the same one.
func VerifyProof(proof, method, url, accessToken string, now time.Time) (Proof, error) {
	members, err := readHeader(proof)
	if err != nil {
		return Proof{}, err
	}
	brought, found, err := members.Object("jwk")
	if err != nil || !found {
		return Proof{}, refuse(FaultHeader, "the proof does not bring its key").because(err)
	}
	header, err := headerOf(members, "jwk")
	if err != nil {
		return Proof{}, err
	}
	if header.Type != "dpop+jwt" {
		return Proof{}, refuse(FaultType, "the token is not a DPoP proof")
	}
	if !slices.Contains(ProofAlgorithms, header.Algorithm) {
		return Proof{}, refuse(FaultAlgorithm, "the proof's algorithm is not accepted")
	}
	key, err := parseJWK(brought)
	if err != nil || len(key.algs) == 0 {
		return Proof{}, refuse(FaultHeader, "the proof's key cannot be used").because(err)
	}
	key.id, header.KeyID = "", ""
	claims, err := PublicKeys{key}.claims(proof, header)
	if err != nil {
		return Proof{}, err
	}
	p, err := claims.proof(method, url, accessToken, now)
	if err != nil {
		return Proof{}, err
	}
	thumbprint, err := (&jose.JSONWebKey{Key: key.key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return Proof{}, refuse(FaultHeader, "the proof's key has no thumbprint").because(err)
	}
	p.Key = KeyConfirmation(base64.RawURLEncoding.EncodeToString(thumbprint))
	return p, nil
}

// proof judges the claims of a DPoP proof.
func (claims verifiedClaims) proof(method, url, accessToken string, now time.Time) (Proof, error) {
	if claims.text("htm") != method {
		return Proof{}, refuse(FaultClaim, "the proof is for another method")
	}
	if !sameEndpoint(claims.text("htu"), url) {
		return Proof{}, refuse(FaultClaim, "the proof is for another URL")
	}
	p := Proof{ID: claims.text("jti"), Nonce: claims.text("nonce")}
	if p.ID == "" || len(p.ID) > maxTokenID {
		return Proof{}, refuse(FaultClaim, "the proof has no id that can be remembered")
	}
	iat, found, err := claims.Int64("iat")
	made := time.Unix(iat, 0)
	if err != nil || !found || made.After(now.Add(Skew)) || made.Before(now.Add(-MaxProofAge)) {
		return Proof{}, refuse(FaultTime, "the proof is too old, or from the future")
	}
	for name, passed := range map[string]func(time.Time) bool{
		"exp": func(t time.Time) bool { return now.Before(t) },
		"nbf": func(t time.Time) bool { return !t.After(now.Add(Skew)) },
	} {
		at, found, err := claims.Int64(name)
		if err != nil || found && !passed(time.Unix(at, 0)) {
			return Proof{}, refuse(FaultTime, "the proof has expired, or is not good yet")
		}
	}
	if accessToken != "" {
		sum := sha256.Sum256([]byte(accessToken))
		if claims.text("ath") != base64.RawURLEncoding.EncodeToString(sum[:]) {
			return Proof{}, refuse(FaultClaim, "the proof is for another access token")
		}
	}
	return p, nil
}

// sameEndpoint compares an htu with the URL of a request after the normalization
// of RFC 3986 6.2.2 and 6.2.3, without query and fragment.
func sameEndpoint(htu, want string) bool {
	a, err := url.Parse(htu)
	if err != nil {
		return false
	}
	b, err := url.Parse(want)
	if err != nil {
		return false
	}
	return a.User == nil && a.Opaque == "" && strings.EqualFold(a.Scheme, b.Scheme) && hostOf(a) == hostOf(b) && slashed(a) == slashed(b)
}

func hostOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch strings.ToLower(u.Scheme) {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return host
}

func slashed(u *url.URL) string {
	if path := u.EscapedPath(); path != "" {
		return path
	}
	return "/"
}
