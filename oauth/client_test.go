package oauth_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

const callback = "https://app.example/cb"

// confidential is a client that may do everything that a client may do.
func confidential() oauth.Client {
	hash := sha256.Sum256([]byte(secretOfConfidential))
	return oauth.Client{
		ID: "c1", Name: "Photos — für alle", AuthMethod: oauth.AuthBasic, SecretHash: hash[:],
		GrantTypes: []string{
			oauth.GrantAuthorizationCode, oauth.GrantClientCredentials, oauth.GrantRefreshToken, uma.GrantType,
		},
		RedirectURIs:       []string{callback},
		ClaimsRedirectURIs: []string{"https://app.example/claims?x=1"},
		Scopes:             []uma.Scope{oauth.ScopeOpenID, oauth.ScopePolicy, "https://scopes.example/read"},
	}
}

const secretOfConfidential = "the-secret-of-c1"

// native is a public client on somebody's computer.
func native() oauth.Client {
	return oauth.Client{
		ID: "n1", AuthMethod: oauth.AuthNone,
		GrantTypes:         []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, uma.GrantType},
		RedirectURIs:       []string{"http://127.0.0.1/cb?a=b", "http://[::1]:4000/cb", "com.example.app:/cb"},
		ClaimsRedirectURIs: []string{"http://127.0.0.1/claims"},
		Scopes:             []uma.Scope{oauth.ScopeOpenID},
	}
}

func wantCode(t *testing.T, err error, code uma.Code) {
	t.Helper()
	var e *uma.Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v, want a uma.Error with the code %s", err, code)
	}
	if e.Code != code {
		t.Errorf("the error is %v, want the code %s", err, code)
	}
}

func TestProperRegistrationsAreValid(t *testing.T) {
	for _, c := range []oauth.Client{
		confidential(),
		native(),
		{ID: "https://client.example/id.json", AuthMethod: oauth.AuthNone},
	} {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", c.ID, err)
		}
	}
}

func TestZeroClientMayDoNothing(t *testing.T) {
	var c oauth.Client
	wantCode(t, c.Validate(), oauth.InvalidClientMetadata)
	if c.Public() || c.Allows(oauth.GrantAuthorizationCode) || c.Allows("") {
		t.Error("the zero client may do something")
	}
	if _, err := c.RedirectURI(""); err == nil {
		t.Error("the zero client has a redirect URI")
	}
	if _, err := c.ClaimsRedirectURI(""); err == nil {
		t.Error("the zero client has a claims redirect URI")
	}
}

func TestRegistrationThatBreaksARuleIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*oauth.Client){
		"no id":                         func(c *oauth.Client) { c.ID = "" },
		"id with a space":               func(c *oauth.Client) { c.ID = "c 1" },
		"id with a line break":          func(c *oauth.Client) { c.ID = "c\r\n1" },
		"id beyond ASCII":               func(c *oauth.Client) { c.ID = "clién" },
		"endless id":                    func(c *oauth.Client) { c.ID = oauth.ClientID(strings.Repeat("a", 257)) },
		"name with a line break":        func(c *oauth.Client) { c.Name = "Bank\nof" },
		"name that turns direction":     func(c *oauth.Client) { c.Name = "Bank \u202egnihsihp" },
		"name that isolates direction":  func(c *oauth.Client) { c.Name = "\u2066Bank\u2069" },
		"name that is no text":          func(c *oauth.Client) { c.Name = "\xff\xfe" },
		"endless name":                  func(c *oauth.Client) { c.Name = strings.Repeat("a", 257) },
		"no authentication method":      func(c *oauth.Client) { c.AuthMethod = "" },
		"unknown authentication method": func(c *oauth.Client) { c.AuthMethod = "tls_client_auth" },
		"confidential without a secret": func(c *oauth.Client) { c.SecretHash = nil },
		"secret hash of another size":   func(c *oauth.Client) { c.SecretHash = c.SecretHash[:16] },
		"public with a secret":          func(c *oauth.Client) { c.AuthMethod, c.GrantTypes = oauth.AuthNone, nil },
		"public with client_credentials": func(c *oauth.Client) {
			c.AuthMethod, c.SecretHash = oauth.AuthNone, nil
		},
		"password grant":              func(c *oauth.Client) { c.GrantTypes = []string{"password"} },
		"implicit grant":              func(c *oauth.Client) { c.GrantTypes = []string{"implicit"} },
		"empty grant type":            func(c *oauth.Client) { c.GrantTypes = []string{""} },
		"grant type twice":            func(c *oauth.Client) { c.GrantTypes = []string{uma.GrantType, uma.GrantType} },
		"scope that is two":           func(c *oauth.Client) { c.Scopes = []uma.Scope{"a b"} },
		"empty scope":                 func(c *oauth.Client) { c.Scopes = []uma.Scope{""} },
		"scope with a quotation":      func(c *oauth.Client) { c.Scopes = []uma.Scope{`a"b`} },
		"scope with a backslash":      func(c *oauth.Client) { c.Scopes = []uma.Scope{`a\b`} },
		"scope twice":                 func(c *oauth.Client) { c.Scopes = []uma.Scope{"a", "a"} },
		"scopes without end":          func(c *oauth.Client) { c.Scopes = make([]uma.Scope, 257) },
		"code without a redirect":     func(c *oauth.Client) { c.RedirectURIs = nil },
		"redirect URI twice":          func(c *oauth.Client) { c.RedirectURIs = []string{callback, callback} },
		"redirect URIs without end":   func(c *oauth.Client) { c.RedirectURIs = make([]string, 33) },
		"claims redirect URIs no end": func(c *oauth.Client) { c.ClaimsRedirectURIs = make([]string, 33) },
	} {
		c := confidential()
		spoil(&c)
		var e *uma.Error
		if err := c.Validate(); !errors.As(err, &e) {
			t.Errorf("%s: valid", name)
		} else if e.Code != oauth.InvalidClientMetadata && e.Code != oauth.InvalidRedirectURI {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The hostile URIs of both kinds. None of them may be registered.
var unregistrable = map[string]string{
	"empty":                     "",
	"relative":                  "/cb",
	"relative to the scheme":    "//app.example/cb",
	"no host":                   "https:///cb",
	"no authority":              "https:/cb",
	"opaque":                    "https:app.example/cb",
	"empty port":                "https://app.example:/cb",
	"port zero":                 "https://app.example:0/cb",
	"port with leading zero":    "https://app.example:0443/cb",
	"port out of range":         "https://app.example:65536/cb",
	"port that is no number":    "https://app.example:https/cb",
	"fragment":                  "https://app.example/cb#f",
	"empty fragment":            "https://app.example/cb#",
	"user":                      "https://user@app.example/cb",
	"user and password":         "https://user:pw@app.example/cb",
	"host that looks like user": "https://app.example@evil.example/cb",
	"encoded at sign":           "https://app.example%40evil.example/cb",
	"encoded slash in the host": "https://app.example%2fevil.example/cb",
	"backslash":                 `https://app.example\@evil.example/cb`,
	"backslashes for slashes":   `https:\\app.example\cb`,
	"wildcard host":             "https://*.example/cb",
	"wildcard path":             "https://app.example/*",
	"tab":                       "https://app.example/c\tb",
	"line break":                "https://app.example/cb\r\nSet-Cookie: a=b",
	"null byte":                 "https://app.example/cb\x00",
	"leading space":             " https://app.example/cb",
	"space":                     "https://app.example/c b",
	"delete":                    "https://app.example/\x7f",
	"quotation mark":            `https://app.example/"><script>`,
	"letters beyond ASCII":      "https://àpp.example/cb",
	"full-width dot":            "https://app\uff0eexample/cb",
	"broken encoding":           "https://app.example/%zz",
	"broken encoding in query":  "https://app.example/cb?a=%",
	"scheme in capitals":        "HTTPS://app.example/cb",
	"http":                      "http://app.example/cb",
	"http on a look-alike":      "http://localhost.evil.example/cb",
	"http on 127.0.0.1 mapped":  "http://[::ffff:127.0.0.1]/cb",
	"http on a decimal address": "http://2130706433/cb",
	"http on a short address":   "http://127.1/cb",
	"http on an octal address":  "http://0177.0.0.1/cb",
	"http on the network":       "http://192.168.1.1/cb",
	"http on every address":     "http://0.0.0.0/cb",
	"IPv6 with a zone":          "http://[::1%25lo]/cb",
	"IPv6 without an end":       "http://[::1/cb",
	"IPv6 with a tail":          "http://[::1]evil.example/cb",
	"IPv4 in brackets":          "http://[127.0.0.1]/cb",
	"javascript":                "javascript:alert(1)",
	"javascript with slashes":   "javascript://app.example/%0aalert(1)",
	"data":                      "data:text/html,hi",
	"file":                      "file:///etc/passwd",
	"vbscript":                  "vbscript:x",
	"blob":                      "blob:https://app.example/1",
	"about":                     "about:blank",
	"ftp":                       "ftp://app.example/cb",
	"websocket":                 "wss://app.example/cb",
	"private scheme, no dot":    "myapp:/cb",
	"private scheme, capitals":  "COM.example.app:/cb",
	"private scheme, no path":   "com.example.app:cb",
	"private scheme, user":      "com.example.app://user@host/cb",
	"private scheme, bare":      "com.example.app:",
	"view-source":               "view-source:https://app.example/cb",
	"too long":                  "https://app.example/" + strings.Repeat("a", 2048),
}

// Proves SEC-060, SEC-080, GRANT-3.3.2-04, GRANT-3.3.2-06.
func TestHostileRedirectURIsCannotBeRegistered(t *testing.T) {
	for name, uri := range unregistrable {
		c := confidential()
		c.RedirectURIs = []string{uri}
		wantCode(t, c.Validate(), oauth.InvalidRedirectURI)
		c = confidential()
		c.ClaimsRedirectURIs = []string{uri}
		wantCode(t, c.Validate(), oauth.InvalidRedirectURI)
		if t.Failed() {
			t.Fatalf("%s: %q", name, uri)
		}
	}
}

func TestOrdinaryRedirectURIsCanBeRegistered(t *testing.T) {
	for _, uri := range []string{
		callback,
		"https://app.example",
		"https://app.example?x=1&y=%20",
		"https://app.example:8443/a/b-c_d~e/?x=1&x=2",
		"https://192.0.2.1/cb",
		"https://[2001:db8::1]:8443/cb",
		"https://app.example/cb?next=https://other.example/@x",
		"http://127.0.0.1/cb",
		"http://127.0.0.1:1/cb",
		"http://127.1.2.3:65535/cb",
		"http://[::1]:3000/cb",
		"http://localhost:3000/cb",
		"com.example.app:/cb",
		"com.example.app://cb/done?x=1",
	} {
		c := confidential()
		c.RedirectURIs, c.ClaimsRedirectURIs = []string{uri}, []string{uri}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
