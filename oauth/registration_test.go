package oauth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

func metadata(t testing.TB, text string) uma.Object {
	t.Helper()
	o, err := uma.ParseObject(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// What a client says of itself is read and written in the same members, and the
// name of its certificate is one of five.
func TestMetadataIsWrittenAsItIsRead(t *testing.T) {
	for _, name := range oauth.CertificateNames {
		text := `{"grant_types":[],"token_endpoint_auth_method":"tls_client_auth","` + name + `":"a b","jwks":{"keys":[]},"jwks_uri":"https://a.example"}`
		c, err := oauth.ParseClientMetadata(metadata(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if c.Certificate != oauth.NameCertificate(name, "a b") || string(c.JWKS) != `{"keys":[]}` {
			t.Errorf("%s is read as %+v", text, c)
		}
		if written := c.Metadata(); written[name] != "a b" || written["jwks_uri"] != "https://a.example" {
			t.Errorf("%s is written as %v", text, written)
		}
	}
}

// What the operator and the server say is in no member that a client can send.
func TestNoMemberSaysWhatIsNotTheClients(t *testing.T) {
	for _, name := range []string{
		"client_id", "id", "ID", "secret_hash", "client_secret", "push_claims", "PushClaims", "space", "Space", "disabled", "Disabled", "signed_rpts", "SignedRPTs", "certificate",
	} {
		for _, value := range []string{`"x"`, "true", "7", `["x"]`} {
			c, err := oauth.ParseClientMetadata(metadata(t, `{"`+name+`":`+value+`}`))
			if err != nil || c.ID != "" || c.SecretHash != nil || c.PushClaims || c.Space != "" || c.Disabled || c.SignedRPTs || c.Certificate != "" {
				t.Errorf("%s %s: %+v, %v", name, value, c, err)
			}
		}
	}
}

// The parser never panics, refuses in the words of RFC 7591, and what it has read
// is read again from what is written of it.
func FuzzParseClientMetadata(f *testing.F) {
	for _, text := range []string{
		`{"client_name":"Pulse","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"redirect_uris":["https://a.example/cb"],"scope":"openid view"}`,
		`{"grant_types":[],"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}`,
		`{"grant_types":["urn:ietf:params:oauth:grant-type:uma-ticket"],"claims_redirect_uris":["https://a.example/c?x=<&>"],"token_endpoint_auth_method":"none","require_ticket_binding":true}`,
		`{"tls_client_auth_san_dns":"a.example","token_endpoint_auth_method":"tls_client_auth","dpop_bound_access_tokens":null,"tls_client_certificate_bound_access_tokens":true}`,
		`{"grant_types":null,"jwks_uri":"","scope":" ","response_types":[]}`,
		`{"post_logout_redirect_uris":["com.example.app:/bye"],"backchannel_logout_uri":"https://a.example/x","backchannel_logout_session_required":true,"require_pushed_authorization_requests":true}`,
		`{"redirect_uris":"x"}`, `{"scope":["a"]}`, `{"jwks":[]}`, `{}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := uma.ParseObject(bytes.NewReader(text))
		if err != nil {
			return
		}
		c, err := oauth.ParseClientMetadata(o)
		if err != nil {
			var e *uma.Error
			if !errors.As(err, &e) || !slices.Contains([]uma.Code{oauth.InvalidClientMetadata, oauth.InvalidRedirectURI}, e.Code) {
				t.Fatalf("%s is refused with %v", text, err)
			}
			return
		}
		if c.ID != "" || c.SecretHash != nil || c.PushClaims || c.Space != "" || c.SignedRPTs || c.Disabled {
			t.Fatalf("%s gives itself %+v", text, c)
		}
		c.ID = "c"
		_ = c.Validate() // whatever it is, it is judged
		written, err := json.Marshal(c.Metadata())
		if err != nil {
			t.Fatalf("%s cannot be written: %v", text, err)
		}
		again, err := oauth.ParseClientMetadata(metadata(t, string(written)))
		if err != nil {
			t.Fatalf("%s is written as %s, which is refused: %v", text, written, err)
		}
		twice, err := json.Marshal(again.Metadata())
		if err != nil || !bytes.Equal(twice, written) {
			t.Fatalf("%s is written as %s and then as %s, %v", text, written, twice, err)
		}
	})
}

// Nothing that the issuer did not sign is a statement, and what it signed is one only
// for this server, now, and of its type.
func FuzzVerifySoftwareStatement(f *testing.F) {
	issuer := theForger()
	keys, err := oauth.ParseJWKS(issuer.document())
	if err != nil {
		f.Fatal(err)
	}
	now := expectation().Now
	for _, claims := range []string{
		`{"iss":"` + foreignIssuer + `","client_name":"Certified"}`, `{"iss":"` + foreignIssuer + `","aud":["https://as.example"],"exp":1e11,"iat":1}`,
		`{"iss":"` + foreignIssuer + `","aud":"c1"}`, `{"iss":7,"exp":"x"}`, `{"iss":"` + foreignIssuer + `","exp":1}`, `{"iss":"` + foreignIssuer + `","events":{}}`, `[]`,
	} {
		f.Add("JWT", claims)
	}
	f.Add("at+jwt", `{"iss":"`+foreignIssuer+`"}`)
	f.Fuzz(func(t *testing.T, typ, claims string) {
		if _, err := oauth.VerifySoftwareStatement(claims, keys, foreignIssuer, "https://as.example", now); err == nil {
			t.Errorf("%q was never signed", claims)
		}
		header, err := json.Marshal(map[string]string{"alg": "EdDSA", "typ": typ})
		if err != nil {
			t.Fatal(err)
		}
		said, err := oauth.VerifySoftwareStatement(issuer.sign("EdDSA", string(header), claims), keys, foreignIssuer, "https://as.example", now)
		if err != nil {
			if said != nil {
				t.Errorf("%s is refused, and says %v", claims, said)
			}
			return
		}
		if iss, _, err := said.String("iss"); err != nil || iss != foreignIssuer || typ != "" && !strings.EqualFold(typ, "JWT") {
			t.Errorf("%s of the type %q is a statement", claims, typ)
		}
		if raw, found := said["aud"]; found && !strings.Contains(string(raw), "as.example") && !strings.Contains(string(raw), `\`) {
			t.Errorf("%s is for somebody else", claims)
		}
	})
}
