package oauth

import (
	"strings"

	"github.com/licet/licet/uma"
)

// Confirmation says which key the holder of a token has to have (RFC 7800 3): the
// member of cnf, and its value. The zero value is a bearer token's: whoever has
// the token may use it.
type Confirmation string

const (
	keyMember         = "jkt"      // RFC 9449 6.1
	certificateMember = "x5t#S256" // RFC 8705 3.1
)

// KeyConfirmation binds to the key with a JWK thumbprint (RFC 7638).
func KeyConfirmation(thumbprint string) Confirmation {
	return Confirmation(keyMember + " " + thumbprint)
}

// CertificateConfirmation binds to a client certificate by the SHA-256 sum of it,
// in base64url.
func CertificateConfirmation(sum string) Confirmation {
	return Confirmation(certificateMember + " " + sum)
}

// Members is the cnf that is told to resource servers; nil for a bearer token.
func (c Confirmation) Members() *uma.Confirmation {
	switch member, value, _ := strings.Cut(string(c), " "); member {
	case keyMember:
		return &uma.Confirmation{Key: value}
	case certificateMember:
		return &uma.Confirmation{Certificate: value}
	}
	return nil
}

// ByKey reports whether a token with this confirmation is shown with a DPoP proof.
func (c Confirmation) ByKey() bool { return strings.HasPrefix(string(c), keyMember+" ") }
