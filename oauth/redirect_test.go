package oauth_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/uma"
)

// similar are URIs that a looser comparison takes for https://app.example/cb.
var similar = []string{
	"https://app.example/cb/",
	"https://app.example/cb/x",
	"https://app.example/cb/../cb",
	"https://app.example/./cb",
	"https://app.example//cb",
	"https://app.example/CB",
	"https://app.example/c%62",
	"https://app.example/%63b",
	"https://app.example/cb?",
	"https://app.example/cb?x=1",
	"https://app.example/cb&x=1",
	"https://app.example/cb;x",
	"https://app.example/cb#",
	"https://app.example/cb#f",
	"https://app.example:443/cb",
	"https://app.example:8443/cb",
	"https://app.example./cb",
	"https://APP.example/cb",
	"HTTPS://app.example/cb",
	"http://app.example/cb",
	"//app.example/cb",
	"/cb",
	"cb",
	"https://app.example",
	"https://app.example/",
	"https://user@app.example/cb",
	"https://app.example@evil.example/cb",
	"https://evil.example/https://app.example/cb",
	"https://app.example.evil.example/cb",
	"https://evil.example\\@app.example/cb",
	"https://app.example\\.evil.example/cb",
	"https://app.example%00.evil.example/cb",
	"https://app.example/cb\t",
	"https://app.example/cb\r\n",
	" https://app.example/cb",
	"https://app.example/cb ",
	"https://app.example/cb\x00",
	"https://xn--pp-yia.example/cb",
	"https://*/cb",
	"*",
	"javascript:alert(1)//https://app.example/cb",
	"data:text/html,https://app.example/cb",
}

// Proves SEC-080.
func TestRedirectURIIsRegisteredExactlyOrUnknown(t *testing.T) {
	public := native()
	public.RedirectURIs = []string{callback}
	for _, c := range []oauth.Client{confidential(), public} {
		if got, err := c.RedirectURI(callback); err != nil || got != callback {
			t.Errorf("the registered URI: %q, %v", got, err)
		}
		for _, uri := range similar {
			got, err := c.RedirectURI(uri)
			wantCode(t, err, uma.InvalidRequest)
			if got != "" || t.Failed() {
				t.Errorf("%q is taken for %q", uri, got)
			}
		}
	}
}

// Proves GRANT-3.3.2-04, GRANT-3.3.2-06, GRANT-3.3.2-07, GRANT-3.3.2-10, SEC-060.
func TestClaimsRedirectURIIsRegisteredExactlyOrUnknown(t *testing.T) {
	c := confidential()
	c.ClaimsRedirectURIs = []string{callback, "https://app.example/other"}
	if got, err := c.ClaimsRedirectURI(callback); err != nil || got != callback {
		t.Errorf("the registered URI: %q, %v", got, err)
	}
	for _, uri := range similar {
		got, err := c.ClaimsRedirectURI(uri)
		wantCode(t, err, uma.InvalidRequest)
		if got != "" || t.Failed() {
			t.Errorf("%q is taken for %q", uri, got)
		}
	}
}

// Proves GRANT-3.3.2-09.
func TestClaimsAreNeverRedirectedToAnOrdinaryRedirectURI(t *testing.T) {
	c := confidential()
	if _, err := c.ClaimsRedirectURI(callback); err == nil {
		t.Error("a redirect_uri was taken for a claims redirect URI")
	}
	c.ClaimsRedirectURIs = nil
	for _, uri := range []string{callback, ""} {
		if got, err := c.ClaimsRedirectURI(uri); err == nil {
			t.Errorf("without claims redirect URIs, %q became %q", uri, got)
		}
	}
}

// Proves GRANT-3.3.2-08, SEC-061.
func TestPublicClientWithoutClaimsRedirectURIIsRefused(t *testing.T) {
	c := native()
	c.ClaimsRedirectURIs = nil
	for _, uri := range []string{"", "https://app.example/claims", "http://127.0.0.1/claims", c.RedirectURIs[0]} {
		if got, err := c.ClaimsRedirectURI(uri); err == nil {
			t.Errorf("%q became %q", uri, got)
		}
	}
}

// Proves GRANT-3.3.2-03.
func TestRedirectURIMayBeLeftOutWhenThereIsExactlyOne(t *testing.T) {
	c := confidential()
	if got, err := c.ClaimsRedirectURI(""); err != nil || got != c.ClaimsRedirectURIs[0] {
		t.Errorf("claims: %q, %v", got, err)
	}
	if got, err := c.RedirectURI(""); err != nil || got != callback {
		t.Errorf("code: %q, %v", got, err)
	}
	c.ClaimsRedirectURIs = append(c.ClaimsRedirectURIs, "https://app.example/second")
	c.RedirectURIs = append(c.RedirectURIs, "https://app.example/second")
	if got, err := c.ClaimsRedirectURI(""); err == nil {
		t.Errorf("claims, of two: %q", got)
	}
	if got, err := c.RedirectURI(""); err == nil {
		t.Errorf("code, of two: %q", got)
	}
}

// Proves SEC-080.
func TestOnlyThePortOfANativeLoopbackIPIsFree(t *testing.T) {
	c := native() // http://127.0.0.1/cb?a=b and http://[::1]:4000/cb
	for _, uri := range []string{
		"http://127.0.0.1/cb?a=b",
		"http://127.0.0.1:1/cb?a=b",
		"http://127.0.0.1:65535/cb?a=b",
		"http://[::1]:5000/cb",
		"http://[::1]/cb",
	} {
		if got, err := c.RedirectURI(uri); err != nil || got != uri {
			t.Errorf("%s: %q, %v", uri, got, err)
		}
	}
	for _, uri := range []string{
		"http://127.0.0.1:8080/cb",
		"http://127.0.0.1:8080/cb?a=b&c=d",
		"http://127.0.0.1:8080/CB?a=b",
		"http://127.0.0.1:/cb?a=b",
		"http://127.0.0.1:0/cb?a=b",
		"http://127.0.0.1:080/cb?a=b",
		"http://127.0.0.1:65536/cb?a=b",
		"http://127.0.0.1:80@evil.example/cb?a=b",
		"http://127.0.0.1@evil.example/cb?a=b",
		"http://127.0.0.1.evil.example/cb?a=b",
		"http://127.0.0.1:80.evil.example/cb?a=b",
		"http://127.0.0.1:80\\@evil.example/cb?a=b",
		"http://127.0.0.2:8080/cb?a=b",
		"http://localhost:8080/cb?a=b",
		"https://127.0.0.1:8080/cb?a=b",
		"http://[::1]:5000/cb?a=b",
		"http://[::ffff:127.0.0.1]:5000/cb",
		"com.example.app:/cb:80",
	} {
		if got, err := c.RedirectURI(uri); err == nil {
			t.Errorf("%s is taken for %q", uri, got)
		}
	}
	if got, err := c.ClaimsRedirectURI("http://127.0.0.1:8080/claims"); err == nil {
		t.Errorf("the port of a claims redirect URI is free: %q", got)
	}
	c.AuthMethod = oauth.AuthBasic
	if got, err := c.RedirectURI("http://127.0.0.1:8080/cb?a=b"); err == nil {
		t.Errorf("the port is free for a client that is not public: %q", got)
	}
	c = native()
	c.RedirectURIs = []string{"http://localhost:3000/cb"}
	if got, err := c.RedirectURI("http://localhost:3001/cb"); err == nil {
		t.Errorf("the port of a name is free: %q", got)
	}
}

// Proves GRANT-3.3.2-05.
func TestParametersAreAddedToWhatIsThere(t *testing.T) {
	params := [][2]string{{"ticket", "t1"}, {"state", "a b&=%\r\n#ü"}}
	const added = "ticket=t1&state=a+b%26%3D%25%0D%0A%23%C3%BC"
	for uri, want := range map[string]string{
		"https://c/cb":                "https://c/cb?" + added,
		"https://c/cb?":               "https://c/cb?" + added,
		"https://c/cb?x=1":            "https://c/cb?x=1&" + added,
		"https://c/cb?x=1&":           "https://c/cb?x=1&" + added,
		"https://c/cb?x=%7e+&X=~;b&x": "https://c/cb?x=%7e+&X=~;b&x&" + added,
		"com.example.app:/cb":         "com.example.app:/cb?" + added,
	} {
		got := oauth.AddQuery(uri, params)
		if got != want {
			t.Errorf("%s became %s, want %s", uri, got, want)
		}
		u, err := url.Parse(got)
		if err != nil || u.Query().Get("state") != params[1][1] {
			t.Errorf("%s: the state does not come back: %v", got, err)
		}
	}
	if got := oauth.AddQuery(callback, nil); got != callback {
		t.Errorf("without parameters, %s became %s", callback, got)
	}
	if got := oauth.AddQuery(callback, params); strings.ContainsAny(got, "\r\n #") {
		t.Errorf("%q would break out of the header", got)
	}
}
