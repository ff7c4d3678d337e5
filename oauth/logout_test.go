package oauth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// A hint is an ID token of ours for one client, whether or not it has expired.
//
// Proves SEC-100, SEC-074.
func TestAHintIsAnIDTokenOfOurs(t *testing.T) {
	f := theForger()
	keys := mustKeys(t, f.document())
	good := with(goodClaims(), members{"sid": "s"})
	for name, more := range map[string]members{
		"fresh": {}, "expired": {"exp": at(-1000 * time.Hour), "iat": at(-1001 * time.Hour)}, "with a nonce": {"nonce": "n"},
	} {
		hint, err := oauth.VerifyIDTokenHint(f.token(with(good, more)), keys, foreignIssuer, now)
		if err != nil || hint != (oauth.IDTokenHint{Subject: "bob", Client: ourClient, SessionID: "s"}) {
			t.Errorf("%s: %+v, %v", name, hint, err)
		}
	}
	for name, c := range map[string]struct {
		more  members
		fault oauth.TokenFault
	}{
		"another issuer":      {members{"iss": ourIssuer}, oauth.FaultIssuer},
		"no issuer":           {members{"iss": ""}, oauth.FaultIssuer},
		"several audiences":   {members{"aud": []string{ourClient, "other"}}, oauth.FaultClaim},
		"no audience":         {members{"aud": ""}, oauth.FaultClaim},
		"no session":          {members{"sid": ""}, oauth.FaultClaim},
		"a session of a type": {members{"sid": 7}, oauth.FaultClaim},
		"no subject":          {members{"sub": ""}, oauth.FaultClaim},
		"of the future":       {members{"iat": at(time.Hour)}, oauth.FaultTime},
		"of no time":          {members{"iat": "now"}, oauth.FaultClaim},
		"a logout token":      {members{"events": members{}}, oauth.FaultType},
		"another type":        {members{"typ": "Logout"}, oauth.FaultType},
	} {
		_, err := oauth.VerifyIDTokenHint(f.token(with(good, c.more)), keys, foreignIssuer, now)
		wantFault(t, name, err, c.fault)
	}
	for _, typ := range []string{"logout+jwt", "rpt+jwt", "at+jwt", "dpop+jwt"} {
		_, err := oauth.VerifyIDTokenHint(f.sign("EdDSA", `{"alg":"EdDSA","kid":"ed","typ":"`+typ+`"}`, string(mustJSON(good))), keys, foreignIssuer, now)
		wantFault(t, "the type "+typ, err, oauth.FaultType)
	}
	_, err := oauth.VerifyIDTokenHint(f.token(good), keys, "", now)
	wantFault(t, "an issuer that is nobody", err, oauth.FaultIssuer)
	_, err = oauth.VerifyIDTokenHint(f.token(good), mustKeys(t, jwks(ecJWK(&f.ec.PublicKey))), foreignIssuer, now)
	wantFault(t, "a key that is not there", err, oauth.FaultUnknownKey)
}

// Proves SEC-100.
func TestALogoutTokenSaysWhatItIs(t *testing.T) {
	key, err := oauth.GenerateKey(strings.NewReader(strings.Repeat("k", 64)), oauth.EdDSA)
	if err != nil {
		t.Fatal(err)
	}
	token, err := oauth.SignLogoutToken(key, oauth.LogoutTokenClaims{
		Issuer: ourIssuer, Subject: "bob", Audience: ourClient, IssuedAt: at(0), ExpiresAt: at(2 * time.Minute), ID: "j", SessionID: "s",
	})
	if err != nil {
		t.Fatal(err)
	}
	set, err := oauth.KeySet{key}.Public()
	if err != nil {
		t.Fatal(err)
	}
	claims, header, err := oauth.VerifyJWT(token, mustKeys(t, set), nil)
	if err != nil || header.Type != "logout+jwt" || string(claims["events"]) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` || claims["nonce"] != nil {
		t.Errorf("%+v %s %v", header, claims, err)
	}
	want := expectation()
	want.Issuer = ourIssuer
	_, err = oauth.VerifyIDToken(token, mustKeys(t, set), want)
	wantFault(t, "as an ID token", err, oauth.FaultType)
	_, err = oauth.VerifyIDTokenHint(token, mustKeys(t, set), ourIssuer, now)
	wantFault(t, "as a hint", err, oauth.FaultType)
}

// Proves SEC-080.
func TestWhereALogoutLeadsIsRegisteredStrictly(t *testing.T) {
	valid := oauth.Client{ID: "c", AuthMethod: oauth.AuthNone}
	for _, uri := range []string{"https://c.example/bye", "https://c.example/bye?x=1", "http://127.0.0.1:8080/bye", "http://localhost/bye"} {
		c := valid
		c.PostLogoutRedirectURIs, c.BackchannelLogoutURI = []string{uri}, uri
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
	native := valid
	native.PostLogoutRedirectURIs = []string{"com.example.app:/bye"}
	if err := native.Validate(); err != nil {
		t.Error(err)
	}
	for _, uri := range []string{
		"http://c.example/", "https://c.example/#f", "https://u@c.example/", "javascript:alert(1)", "file:///etc/passwd", "gopher://c.example/", "//c.example/", "/bye",
		"https://", "https://c.example/*", "https://c.example/\n", "https://[::ffff:127.0.0.1%25x]/", "http://10.0.0.1/", "http://[::ffff:127.0.0.1]/", "https://c.example:0/", "com.example.app:/bye",
		"https://c.example/" + strings.Repeat("x", 2048),
	} {
		c := valid
		c.BackchannelLogoutURI = uri
		wantClientError(t, c, oauth.InvalidClientMetadata)
		if strings.HasPrefix(uri, "com.") {
			continue
		}
		c.BackchannelLogoutURI, c.PostLogoutRedirectURIs = "", []string{uri}
		wantClientError(t, c, oauth.InvalidRedirectURI)
	}
	twice := valid
	twice.PostLogoutRedirectURIs = []string{"https://c.example/", "https://c.example/"}
	wantClientError(t, twice, oauth.InvalidRedirectURI)
}

func wantClientError(t *testing.T, c oauth.Client, code uma.Code) {
	t.Helper()
	var e *uma.Error
	if err := c.Validate(); !errors.As(err, &e) || e.Code != code {
		t.Errorf("%q %q: %v, want %s", c.BackchannelLogoutURI, c.PostLogoutRedirectURIs, err, code)
	}
}
