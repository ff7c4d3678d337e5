package authorizationserver

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// idTokenFormat is the claim token format of OpenID Connect ID tokens.
const idTokenFormat = "http://openid.net/specs/openid-connect-core-1_0.html#IDToken"

// claimsOf are what the claims provider says about a person, to a client.
func (s *session) claimsOf(person Person, client string) map[string]any {
	now := time.Now().Unix()
	return map[string]any{
		"iss": s.ClaimsProvider.Issuer, "sub": person.Email, "aud": s.Clients[client].ID, "iat": now, "exp": now + 300,
		"email": person.Email, "email_verified": true,
	}
}

// idToken signs claims as the claims provider.
func (s *session) idToken(claims map[string]any) string {
	signed := part(map[string]any{"alg": "ES256", "typ": "JWT", "kid": s.ClaimsProvider.JWK.KeyID}) + "." + part(claims)
	hash := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, hash[:])
	if err != nil {
		panic("conformance: signing: " + err.Error()) // the key was checked when it was loaded
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// unsigned are claims under the algorithm none.
func unsigned(claims map[string]any) string {
	return part(map[string]any{"alg": "none", "typ": "JWT"}) + "." + part(claims) + "."
}

func part(v any) string {
	raw, _ := json.Marshal(v) // maps of plain values can always be written
	return base64.RawURLEncoding.EncodeToString(raw)
}

// pushed are the parameters that push a claim token.
func pushed(token string) []string {
	return []string{"claim_token", token, "claim_token_format", idTokenFormat}
}
