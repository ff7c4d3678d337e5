package oauth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/licet/licet/uma"
)

const (
	maxJWT = 16 << 10 // bytes
	// maxTries bounds the signatures that are computed for one token: an
	// attacker must not choose how much work a token makes.
	maxTries = 4
)

// supportedAlgorithms are all that are ever accepted. There is no "none" and
// there are no HMACs, so that no public key can be taken for a shared secret.
var supportedAlgorithms = []string{EdDSA, ES256, PS256, RS256}

// TokenFault says what is wrong with a token.
type TokenFault string

const (
	FaultSyntax     TokenFault = "syntax"      // not a JWT, or too large a one
	FaultHeader     TokenFault = "header"      // a header member that must not be there
	FaultAlgorithm  TokenFault = "algorithm"   // an algorithm that is not accepted
	FaultUnknownKey TokenFault = "unknown_key" // signed with none of the keys
	FaultSignature  TokenFault = "signature"   // the key is there, and did not sign this
	FaultType       TokenFault = "type"        // a JWT, but not an ID token
	FaultClaim      TokenFault = "claim"       // a claim is missing or of the wrong type
	FaultIssuer     TokenFault = "issuer"      // from somebody else
	FaultAudience   TokenFault = "audience"    // for somebody else
	FaultTime       TokenFault = "time"        // expired, or from the future
)

// TokenError says why a token was refused. The sentence is fixed text and has
// nothing of the token in it. It does not unwrap: what is wrong inside a token
// must not be taken for what is wrong with the request that carried it.
type TokenError struct {
	Fault    TokenFault
	Sentence string
	Cause    error // for the log; may be nil
}

func (e *TokenError) Error() string {
	if e.Cause != nil {
		return "oauth: " + e.Sentence + ": " + e.Cause.Error()
	}
	return "oauth: " + e.Sentence
}

// Is makes errors of one fault equal, so that [ErrUnknownKey] can be asked for.
func (e *TokenError) Is(target error) bool {
	t, ok := target.(*TokenError)
	return ok && t.Fault == e.Fault
}

// ErrUnknownKey is, by [errors.Is], the error for a token that none of the keys
// signed: the issuer may have changed its keys, and it is worth fetching them
// anew, once.
var ErrUnknownKey error = refuse(FaultUnknownKey, "the token is signed with none of the issuer's keys")

func refuse(fault TokenFault, sentence string) *TokenError {
	return &TokenError{Fault: fault, Sentence: sentence}
}

func (e *TokenError) because(cause error) *TokenError {
	return &TokenError{Fault: e.Fault, Sentence: e.Sentence, Cause: cause}
}

// Header is what the header of a verified JWT says (RFC 7515 4.1).
type Header struct {
	Algorithm string
	KeyID     string
	Type      string
}

// VerifyJWT verifies the signature of a JWT and returns its claims. It says
// nothing about them: whose they are, for whom and until when is for the
// caller to judge, as [VerifyIDToken] does. The error is a [*TokenError].
//
// algs are the algorithms to accept; nil means EdDSA, ES256, PS256 and RS256,
// and no others are ever accepted. A token is at most 16 KiB, in the compact
// form, and signed. Nothing is ever fetched, and nothing in the token chooses
// the key but its kid, which is compared with the ids of the keys given.
func VerifyJWT(token string, keys PublicKeys, algs []string) (uma.Object, Header, error) {
	header, err := parseHeaderOf(token)
	if err != nil {
		return nil, Header{}, err
	}
	if !slices.Contains(supportedAlgorithms, header.Algorithm) || algs != nil && !slices.Contains(algs, header.Algorithm) {
		return nil, Header{}, refuse(FaultAlgorithm, "the token's algorithm is not accepted")
	}
	payload, err := keys.verify(token, header)
	if err != nil {
		return nil, Header{}, err
	}
	claims, err := uma.ParseObject(bytes.NewReader(payload))
	if err != nil {
		return nil, Header{}, refuse(FaultSyntax, "the token's claims are not a JSON object").because(err)
	}
	return claims, header, nil
}

// parseHeaderOf reads the header of a token that nobody has verified yet. The
// number of parts is counted before anything is cut or decoded.
func parseHeaderOf(token string) (Header, error) {
	if len(token) > maxJWT {
		return Header{}, refuse(FaultSyntax, "the token is too large")
	}
	if strings.Count(token, ".") != 2 {
		return Header{}, refuse(FaultSyntax, "the token does not have three parts")
	}
	var parts [][]byte
	for part := range strings.SplitSeq(token, ".") {
		raw, err := decodeSegment(part)
		if err != nil {
			return Header{}, refuse(FaultSyntax, "the token is not base64url").because(err)
		}
		parts = append(parts, raw)
	}
	members, err := uma.ParseObject(bytes.NewReader(parts[0]))
	if err != nil {
		return Header{}, refuse(FaultSyntax, "the token's header is not a JSON object").because(err)
	}
	// The first four are keys, or places to fetch keys from, that the sender
	// chose. The others change what the signature is made over, or ask for an
	// understanding that is not there (RFC 7515 4.1.11, RFC 7797).
	for _, name := range []string{"jwk", "jku", "x5u", "x5c", "crit", "b64"} {
		if _, found := members[name]; found {
			return Header{}, refuse(FaultHeader, "the token's header has a member that is not accepted")
		}
	}
	alg, hasAlg, errAlg := members.String("alg")
	kid, hasKid, errKid := members.String("kid")
	typ, _, errTyp := members.String("typ")
	if err := errors.Join(errAlg, errKid, errTyp); err != nil || !hasAlg || hasKid && kid == "" {
		return Header{}, refuse(FaultHeader, "a member of the token's header has the wrong type").because(err)
	}
	return Header{Algorithm: alg, KeyID: kid, Type: typ}, nil
}

// verify returns the payload of a token when one of the keys that its header
// admits has signed it.
func (k PublicKeys) verify(token string, header Header) ([]byte, error) {
	var candidates []publicKey
	for _, key := range k {
		if slices.Contains(key.algs, header.Algorithm) && (header.KeyID == "" || header.KeyID == key.id) {
			candidates = append(candidates, key)
		}
	}
	if len(candidates) == 0 {
		return nil, ErrUnknownKey
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(header.Algorithm)})
	if err != nil {
		return nil, refuse(FaultSyntax, "the token is not a signed JWT").because(err)
	}
	for _, key := range candidates[:min(len(candidates), maxTries)] {
		if payload, err := jws.Verify(key.key); err == nil {
			return payload, nil
		}
	}
	if header.KeyID == "" {
		return nil, ErrUnknownKey
	}
	return nil, refuse(FaultSignature, "the token's signature is wrong")
}

// decodeSegment decodes base64url without padding. Unlike the decoder alone, it
// lets one value be written in one way only: no line breaks, and no bits that
// nobody reads.
func decodeSegment(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("base64url with a line break")
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}
