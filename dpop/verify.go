package dpop

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/licet/licet/uma"
)

const (
	// MaxAge is how long after it was made a proof may be shown.
	MaxAge = 2 * time.Minute
	// Skew is by how much the clock of a proof's maker may be ahead of ours.
	Skew = 10 * time.Second

	maxProof = 8 << 10 // bytes
	maxID    = 256     // bytes of a jti: it is remembered
)

// A Proof is one that was verified. Its ID may be used once until MaxAge and Skew
// have passed.
type Proof struct {
	Thumbprint string // of the key that made it (RFC 7638)
	ID         string
	Nonce      string
}

// Verify verifies a proof as RFC 9449 4.3 demands: signed by the key that it brings
// along, made for this method and this URL (without its query), not long ago, and
// for the access token that it came with, if one did.
//
// The key is whatever the sender chose. It says nothing but that the sender has
// it; what counts is that the token was bound to the same one. The error's text
// has nothing of the proof in it.
func Verify(proof, method, url, accessToken string, now time.Time) (Proof, error) {
	p, err := verify(proof, method, url, accessToken, now)
	if err != nil {
		return Proof{}, fmt.Errorf("dpop: %w", err)
	}
	return p, nil
}

func verify(proof, method, url, accessToken string, now time.Time) (Proof, error) {
	if len(proof) > maxProof || strings.Count(proof, ".") != 2 {
		return Proof{}, errors.New("the proof is not a JWT")
	}
	signed, last := proof[:strings.LastIndexByte(proof, '.')], proof[strings.LastIndexByte(proof, '.')+1:]
	head, body, _ := strings.Cut(signed, ".")
	header, err := decodeObject(head)
	if err != nil {
		return Proof{}, errors.New("the proof's header is not a JSON object")
	}
	key, err := keyIn(header)
	if err != nil {
		return Proof{}, err
	}
	signature, err := decode(last)
	if err != nil || !key.verify([]byte(signed), signature) {
		return Proof{}, errors.New("the proof's signature is wrong")
	}
	claims, err := decodeObject(body)
	if err != nil {
		return Proof{}, errors.New("the proof's claims are not a JSON object")
	}
	p, err := judge(claims, method, url, accessToken, now)
	p.Thumbprint = key.thumbprint()
	return p, err
}

// keyIn reads the header. The members that are refused are places to fetch keys
// from, change what the signature is made over, or ask for an understanding that is
// not there (RFC 7515 4.1.11, RFC 7797).
func keyIn(header uma.Object) (publicKey, error) {
	for _, name := range []string{"jku", "x5u", "x5c", "crit", "b64"} {
		if _, found := header[name]; found {
			return publicKey{}, errors.New("the proof's header has a member that is not accepted")
		}
	}
	if textOf(header, "typ") != proofType {
		return publicKey{}, errors.New("the token is not a DPoP proof")
	}
	jwk, found, err := header.Object("jwk")
	if err != nil || !found {
		return publicKey{}, errors.New("the proof does not bring its key")
	}
	key, err := parseJWK(jwk)
	if err != nil {
		return publicKey{}, err
	}
	if alg := textOf(header, "alg"); alg != key.alg || !slices.Contains(Algorithms, alg) {
		return publicKey{}, errors.New("the proof's algorithm is not that of its key")
	}
	return key, nil
}

func judge(claims uma.Object, method, url, accessToken string, now time.Time) (Proof, error) {
	if textOf(claims, "htm") != method {
		return Proof{}, errors.New("the proof is for another method")
	}
	if !sameEndpoint(textOf(claims, "htu"), url) {
		return Proof{}, errors.New("the proof is for another URL")
	}
	if accessToken != "" && textOf(claims, "ath") != hashOf(accessToken) {
		return Proof{}, errors.New("the proof is for another access token")
	}
	p := Proof{ID: textOf(claims, "jti"), Nonce: textOf(claims, "nonce")}
	if p.ID == "" || len(p.ID) > maxID {
		return Proof{}, errors.New("the proof has no id that can be remembered")
	}
	iat, found, err := claims.Int64("iat")
	made := time.Unix(iat, 0)
	if err != nil || !found || made.After(now.Add(Skew)) || made.Before(now.Add(-MaxAge)) {
		return Proof{}, errors.New("the proof is too old, or from the future")
	}
	for name, passed := range map[string]func(time.Time) bool{
		"exp": func(t time.Time) bool { return now.Before(t) },
		"nbf": func(t time.Time) bool { return !t.After(now.Add(Skew)) },
	} {
		at, found, err := claims.Int64(name)
		if err != nil || found && !passed(time.Unix(at, 0)) {
			return Proof{}, errors.New("the proof has expired, or is not good yet")
		}
	}
	return p, nil
}

// textOf is a member that is a string; "" for one that is missing or is none.
func textOf(o uma.Object, name string) string {
	s, _, err := o.String(name)
	if err != nil {
		return ""
	}
	return s
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
	return a.User == nil && a.Opaque == "" && a.Host != "" && normal(a) == normal(b)
}

func normal(u *url.URL) string {
	scheme, host, path := strings.ToLower(u.Scheme), strings.ToLower(u.Host), u.EscapedPath()
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path
}

func withoutQuery(raw string) string {
	before, _, _ := strings.Cut(raw, "#")
	before, _, _ = strings.Cut(before, "?")
	return before
}
