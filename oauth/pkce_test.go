package oauth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
)

// The example of RFC 7636 Appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// s256 makes a challenge without asking whether the verifier has the right
// syntax.
func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestVerifierOfTheChallengeIsAccepted(t *testing.T) {
	for _, v := range []string{verifier, strings.Repeat("a", 43), strings.Repeat("-._~", 32)} {
		if !oauth.VerifyS256(v, s256(v)) {
			t.Errorf("%s is refused", v)
		}
	}
	if !oauth.VerifyS256(verifier, challenge) {
		t.Error("the example of RFC 7636 is refused")
	}
}

// Proves SEC-083.
func TestAnyOtherVerifierIsRefused(t *testing.T) {
	long, short := strings.Repeat("a", 129), strings.Repeat("a", 42)
	for name, pair := range map[string][2]string{
		"missing verifier":             {"", challenge},
		"missing challenge":            {verifier, ""},
		"both missing":                 {"", ""},
		"verifier of the empty string": {"", s256("")},
		"another verifier":             {strings.Repeat("b", 43), challenge},
		"plain":                        {verifier, verifier},
		"plain, of a challenge":        {challenge, challenge},
		"short verifier":               {short, s256(short)},
		"long verifier":                {long, s256(long)},
		"verifier with a space":        {strings.Repeat("a b", 15), s256(strings.Repeat("a b", 15))},
		"verifier with a plus":         {strings.Repeat("a+b", 15), s256(strings.Repeat("a+b", 15))},
		"verifier beyond ASCII":        {strings.Repeat("ü", 43), s256(strings.Repeat("ü", 43))},
		"padded challenge":             {verifier, challenge + "="},
		"challenge cut short":          {verifier, challenge[:42]},
		"challenge in another case":    {verifier, strings.ToLower(challenge)},
		"challenge with a line break":  {verifier, challenge + "\n"},
	} {
		if oauth.VerifyS256(pair[0], pair[1]) {
			t.Errorf("%s: accepted", name)
		}
	}
}
