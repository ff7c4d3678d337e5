package oauth_test

import (
	"testing"

	"github.com/licet/licet/oauth"
)

func TestAClientSaysItsKeysOrWhereTheyAre(t *testing.T) {
	c, _ := keyed(t)
	both := c
	both.JWKSURI = "https://k1.example/jwks"
	where := both
	where.JWKS = nil
	if err := where.Validate(); err != nil {
		t.Errorf("a jwks_uri alone: %v", err)
	}
	if err := both.Validate(); err == nil {
		t.Error("jwks and jwks_uri together are registered")
	}
	for _, uri := range []string{
		"http://k1.example/jwks", "ftp://k1.example/jwks", "file:///etc/passwd", "com.example:/jwks", "https://k1.example/jwks#1", "/jwks", "https://user@k1.example/", "https://",
	} {
		bad := where
		if bad.JWKSURI = uri; bad.Validate() == nil {
			t.Errorf("%s is registered", uri)
		}
	}
	for _, method := range []oauth.AuthMethod{oauth.AuthNone, oauth.AuthBasic, oauth.AuthSelfSigned, oauth.AuthTLS} {
		other := oauth.Client{ID: "k1", AuthMethod: method, JWKSURI: where.JWKSURI, SecretHash: nil}
		if method == oauth.AuthBasic {
			other.SecretHash = make([]byte, 32)
		}
		if other.Validate() == nil {
			t.Errorf("a client with %s has a jwks_uri", method)
		}
	}
}
