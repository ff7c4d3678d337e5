package oauth_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

func basic(pair string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)) }

func TestSecretIsMadeFromTheGivenRandomness(t *testing.T) {
	secret, hash, err := oauth.NewSecret(bytes.NewReader(bytes.Repeat([]byte{0xfb}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(secret); err != nil || !bytes.Equal(raw, bytes.Repeat([]byte{0xfb}, 32)) {
		t.Errorf("the secret %q is not the 256 bits that were drawn: %v", secret, err)
	}
	if sum := sha256.Sum256([]byte(secret)); !bytes.Equal(hash, sum[:]) {
		t.Error("the hash is not the SHA-256 of the secret")
	}
	if c := (oauth.Client{SecretHash: hash}); !c.CheckSecret(secret) || c.CheckSecret(secret+"x") || c.CheckSecret("") {
		t.Error("the client does not know its secret")
	}
	if _, _, err := oauth.NewSecret(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("a secret was made of too little randomness")
	}
}

func TestClientWithoutAHashHasNoSecret(t *testing.T) {
	zero := make([]byte, sha256.Size)
	empty := sha256.Sum256(nil)
	for _, hash := range [][]byte{nil, {}, zero[:31], empty[:31], append(empty[:], 0)} {
		if (oauth.Client{SecretHash: hash}).CheckSecret("") {
			t.Errorf("with the hash %x the empty secret is right", hash)
		}
	}
}

func TestCredentialsAreReadFromHeaderOrBody(t *testing.T) {
	for name, tc := range map[string]struct {
		header []string
		form   uma.Form
		want   oauth.Credentials
	}{
		"basic":                       {[]string{basic("c1:s")}, nil, oauth.Credentials{ID: "c1", Secret: "s", Method: oauth.AuthBasic}},
		"basic in another case":       {[]string{strings.Replace(basic("c1:s"), "Basic", "bAsIc", 1)}, nil, oauth.Credentials{ID: "c1", Secret: "s", Method: oauth.AuthBasic}},
		"basic, both parts encoded":   {[]string{basic("a%3Ab+c:s%25%2B")}, nil, oauth.Credentials{ID: "a:b c", Secret: "s%+", Method: oauth.AuthBasic}},
		"basic, secret with a colon":  {[]string{basic("c1:a:b")}, nil, oauth.Credentials{ID: "c1", Secret: "a:b", Method: oauth.AuthBasic}},
		"basic and the same id":       {[]string{basic("c1:s")}, uma.Form{"client_id": "c1"}, oauth.Credentials{ID: "c1", Secret: "s", Method: oauth.AuthBasic}},
		"basic and an empty secret":   {[]string{basic("c1:s")}, uma.Form{"client_secret": ""}, oauth.Credentials{ID: "c1", Secret: "s", Method: oauth.AuthBasic}},
		"body":                        {nil, uma.Form{"client_id": "c1", "client_secret": "s"}, oauth.Credentials{ID: "c1", Secret: "s", Method: oauth.AuthPost}},
		"id alone":                    {nil, uma.Form{"client_id": "n1"}, oauth.Credentials{ID: "n1", Method: oauth.AuthNone}},
		"assertion":                   {nil, uma.Form{"client_assertion": "e30.eyJzdWIiOiJjMSJ9.", "client_assertion_type": oauth.AssertionType}, oauth.Credentials{ID: "c1", Assertion: "e30.eyJzdWIiOiJjMSJ9.", Method: oauth.AuthKey}},
		"id alone and an empty value": {nil, uma.Form{"client_id": "n1", "client_secret": ""}, oauth.Credentials{ID: "n1", Method: oauth.AuthNone}},
	} {
		got, err := oauth.ParseCredentials(tc.header, tc.form)
		if err != nil || got != tc.want {
			t.Errorf("%s: %#v, %v", name, got, err)
		}
	}
}

func TestUnclearCredentialsAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		header []string
		form   uma.Form
		code   uma.Code
		method oauth.AuthMethod
	}{
		"header and body":        {[]string{basic("c1:s")}, uma.Form{"client_id": "c1", "client_secret": "s"}, uma.InvalidRequest, oauth.AuthBasic},
		"header and only secret": {[]string{basic("c1:s")}, uma.Form{"client_secret": "s"}, uma.InvalidRequest, oauth.AuthBasic},
		"header and another id":  {[]string{basic("c1:s")}, uma.Form{"client_id": "c2"}, uma.InvalidRequest, oauth.AuthBasic},
		"two headers":            {[]string{basic("c1:s"), basic("c1:s")}, nil, uma.InvalidClient, oauth.AuthBasic},
		"bearer":                 {[]string{"Bearer abc"}, uma.Form{"client_id": "n1"}, uma.InvalidClient, oauth.AuthBasic},
		"bearer of a pair":       {[]string{strings.Replace(basic("c1:s"), "Basic", "Bearer", 1)}, nil, uma.InvalidClient, oauth.AuthBasic},
		"no scheme":              {[]string{""}, uma.Form{"client_id": "n1"}, uma.InvalidClient, oauth.AuthBasic},
		"nothing after basic":    {[]string{"Basic"}, nil, uma.InvalidClient, oauth.AuthBasic},
		"not base64":             {[]string{"Basic c1:s"}, nil, uma.InvalidClient, oauth.AuthBasic},
		"base64 with a break":    {[]string{basic("c1:s")[:8] + "\n" + basic("c1:s")[8:]}, nil, uma.InvalidClient, oauth.AuthBasic},
		"base64 of two spaces":   {[]string{strings.Replace(basic("c1:s"), " ", "  ", 1)}, nil, uma.InvalidClient, oauth.AuthBasic},
		"no colon":               {[]string{basic("c1")}, nil, uma.InvalidClient, oauth.AuthBasic},
		"no id":                  {[]string{basic(":s")}, nil, uma.InvalidClient, oauth.AuthBasic},
		"not form-encoded":       {[]string{basic("c1:%zz")}, nil, uma.InvalidClient, oauth.AuthBasic},
		"nothing":                {nil, nil, uma.InvalidClient, oauth.AuthNone},
		"secret alone":           {nil, uma.Form{"client_secret": "s"}, uma.InvalidClient, oauth.AuthPost},
		"assertion and no type":  {nil, uma.Form{"client_assertion": "e30.eyJzdWIiOiJjMSJ9."}, uma.InvalidClient, oauth.AuthKey},
		"assertion of no client": {nil, uma.Form{"client_assertion": "e30.e30.", "client_assertion_type": oauth.AssertionType}, uma.InvalidClient, oauth.AuthKey},
		"assertion and another":  {nil, uma.Form{"client_id": "c2", "client_assertion": "e30.eyJzdWIiOiJjMSJ9.", "client_assertion_type": oauth.AssertionType}, uma.InvalidRequest, oauth.AuthKey},
		"assertion and secret":   {nil, uma.Form{"client_secret": "s", "client_assertion": "e30.eyJzdWIiOiJjMSJ9.", "client_assertion_type": oauth.AssertionType}, uma.InvalidRequest, oauth.AuthKey},
		"assertion and header":   {[]string{basic("c1:s")}, uma.Form{"client_assertion": "e30.eyJzdWIiOiJjMSJ9."}, uma.InvalidRequest, oauth.AuthBasic},
	} {
		got, err := oauth.ParseCredentials(tc.header, tc.form)
		wantCode(t, err, tc.code)
		if got.Method != tc.method || got.ID != "" || got.Secret != "" || t.Failed() {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestClientIsAuthenticatedByItsSecretAlone(t *testing.T) {
	posting := confidential()
	posting.AuthMethod = oauth.AuthPost
	for _, c := range []oauth.Client{confidential(), posting} {
		for _, method := range []oauth.AuthMethod{oauth.AuthBasic, oauth.AuthPost} {
			if err := oauth.Authenticate(c, oauth.Credentials{ID: "c1", Secret: secretOfConfidential, Method: method}); err != nil {
				t.Errorf("registered for %s, sent by %s: %v", c.AuthMethod, method, err)
			}
		}
	}
	if err := oauth.Authenticate(native(), oauth.Credentials{ID: "n1", Method: oauth.AuthNone}); err != nil {
		t.Errorf("a public client by its id: %v", err)
	}
}

func TestWrongCredentialsAreAllTheSame(t *testing.T) {
	disabled, disabledPublic, broken := confidential(), native(), confidential()
	disabled.Disabled, disabledPublic.Disabled, broken.SecretHash = true, true, nil
	noMethod := confidential()
	noMethod.AuthMethod = ""
	nameless := native()
	nameless.ID = ""
	right := oauth.Credentials{ID: "c1", Secret: secretOfConfidential, Method: oauth.AuthBasic}
	sentences := map[string]bool{}
	for name, tc := range map[string]struct {
		c    oauth.Client
		cred oauth.Credentials
	}{
		"wrong secret":                    {confidential(), oauth.Credentials{ID: "c1", Secret: "x", Method: oauth.AuthBasic}},
		"secret in another case":          {confidential(), oauth.Credentials{ID: "c1", Secret: strings.ToUpper(secretOfConfidential), Method: oauth.AuthPost}},
		"empty secret":                    {confidential(), oauth.Credentials{ID: "c1", Method: oauth.AuthBasic}},
		"no authentication":               {confidential(), oauth.Credentials{ID: "c1", Method: oauth.AuthNone}},
		"secret, but by no method":        {confidential(), oauth.Credentials{ID: "c1", Secret: secretOfConfidential, Method: oauth.AuthNone}},
		"secret, but by an unknown one":   {confidential(), oauth.Credentials{ID: "c1", Secret: secretOfConfidential, Method: "tls_client_auth"}},
		"the right secret of another":     {confidential(), oauth.Credentials{ID: "c2", Secret: secretOfConfidential, Method: oauth.AuthBasic}},
		"disabled":                        {disabled, right},
		"disabled, public":                {disabledPublic, oauth.Credentials{ID: "n1", Method: oauth.AuthNone}},
		"a secret of a public client":     {native(), oauth.Credentials{ID: "n1", Secret: "x", Method: oauth.AuthPost}},
		"an empty one of a public client": {native(), oauth.Credentials{ID: "n1", Method: oauth.AuthBasic}},
		"unknown client":                  {oauth.Client{}, right},
		"unknown client without an id":    {oauth.Client{}, oauth.Credentials{Method: oauth.AuthNone}},
		"the zero credentials":            {oauth.Client{}, oauth.Credentials{}},
		"a public client without an id":   {nameless, oauth.Credentials{Method: oauth.AuthNone}},
		"registered with no method":       {noMethod, right},
		"hash lost":                       {broken, oauth.Credentials{ID: "c1", Method: oauth.AuthBasic}},
	} {
		err := oauth.Authenticate(tc.c, tc.cred)
		wantCode(t, err, uma.InvalidClient)
		var e *uma.Error
		if errors.As(err, &e) {
			sentences[e.Description] = true
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
	if len(sentences) != 1 {
		t.Errorf("the answers tell the cases apart: %v", sentences)
	}
}

func TestCredentialsPrintWithoutTheSecret(t *testing.T) {
	const canary = "canary-of-a-secret"
	cred := oauth.Credentials{ID: "c1", Secret: canary, Method: oauth.AuthPost}
	var printed strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&printed, verb, cred)
		fmt.Fprintf(&printed, verb, &cred)
		fmt.Fprintf(&printed, verb, []oauth.Credentials{cred})
	}
	slog.New(slog.NewTextHandler(&printed, nil)).Info("request", "cred", cred)
	slog.New(slog.NewJSONHandler(&printed, nil)).Info("request", "cred", cred)
	encoded, err := json.Marshal(cred)
	if err != nil {
		t.Fatal(err)
	}
	printed.Write(encoded)
	for _, shape := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprint([]byte(canary))} {
		if strings.Contains(printed.String(), shape) {
			t.Errorf("the secret was printed: %s", printed.String())
		}
	}
}
