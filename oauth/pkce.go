package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"github.com/licet/licet/uma"
)

// ParseChallenge reads the code_challenge and its method, which is S256 (RFC 7636
// 4.3); "" when neither is there. The error is an [*uma.Error] with the code
// invalid_request.
func ParseChallenge(form uma.Form) (string, error) {
	_, challenged := parameter(form, "code_challenge")
	_, method := parameter(form, "code_challenge_method")
	if !challenged && !method {
		return "", nil
	}
	challenge, refusal := readS256(form)
	if refusal != nil {
		return "", refusal
	}
	return challenge, nil
}

func readS256(form uma.Form) (string, *uma.Error) {
	// Without the parameter the method would be plain (RFC 7636 4.3).
	if method, _ := parameter(form, "code_challenge_method"); method != "S256" {
		return "", uma.NewError(uma.InvalidRequest, "The code_challenge_method has to be S256.")
	}
	challenge, _ := parameter(form, "code_challenge")
	if !isSum(challenge) {
		return "", uma.NewError(uma.InvalidRequest, "The code_challenge is not the base64url form of a SHA-256 sum.")
	}
	return challenge, nil
}

// VerifyS256 reports whether a code_verifier is the one of a code_challenge
// made with S256 (RFC 7636 4.6). It is false when either is missing, so that a
// code that was asked for without a challenge can never be exchanged, and there
// is no "plain".
func VerifyS256(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return isVerifier(verifier) && subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) == 1
}

// isVerifier knows the syntax of RFC 7636 4.1.
func isVerifier(s string) bool {
	notUnreserved := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
			r == '-' || r == '.' || r == '_' || r == '~')
	}
	return len(s) >= 43 && len(s) <= 128 && !containsRune(s, notUnreserved)
}

// isSum reports whether s is the base64url form of a SHA-256 sum.
func isSum(s string) bool {
	sum, err := decodeSegment(s)
	return err == nil && len(sum) == sha256.Size
}
