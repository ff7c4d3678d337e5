package client

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

// Proves GRANT-C-3.3-01, GRANT-C-3.4-01, GEN-1.1-03.
func TestAChallengeIsMetAndTheNextRequestGoesStraightThrough(t *testing.T) {
	s := newStage(t, rpt("rpt-1", `,"expires_in":300`))
	s.good["GET /album"] = "rpt-1"
	c := s.transport()
	s.gets(c, t.Context(), "/album")
	s.gets(c, t.Context(), "/album")
	if got, want := fmt.Sprint(s.calls), "[GET /album GET /album rpt-1 GET /album rpt-1]"; got != want {
		t.Errorf("the resource server saw %s, not %s", got, want)
	}
	want := "client_id=printer&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Auma-ticket&ticket=rs-1"
	if len(s.forms) != 1 || s.forms[0].Encode() != want || s.auths[0] != "" {
		t.Errorf("the token request was %v with %q", s.forms, s.auths)
	}
}

func TestAConfidentialClientAuthenticatesWithItsHeader(t *testing.T) {
	s := newStage(t, rpt("rpt-1"))
	s.good["GET /album"] = "rpt-1"
	s.gets(s.transport(func(c *Config) {
		c.ClientID, c.ClientSecret, c.Trust = "photo:printer", "pa ss", Issuers(s.as.URL)
	}), t.Context(), "/album")
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte("photo%3Aprinter:pa+ss"))
	if s.auths[0] != want || s.forms[0].Has("client_id") || s.forms[0].Has("client_secret") {
		t.Errorf("the client authenticated with %q and %v", s.auths[0], s.forms[0])
	}
}

// Proves GRANT-C-3.3-01, GRANT-3.2.1-04, AMB-02, AMB-03.
func TestAChallengeIsFoundInWhateverShape(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		headers []string
	}{
		"as the specification shows it": {401, []string{`UMA realm="example", as_uri="{AS}", ticket="{T}"`}},
		"403":                           {403, []string{`UMA as_uri="{AS}", ticket="{T}"`}},
		"no realm, another order":       {401, []string{`UMA ticket="{T}",as_uri="{AS}"`}},
		"names in another case":         {401, []string{`uma Ticket="{T}", AS_URI="{AS}"`}},
		"not quoted, the whole URL":     {401, []string{`UMA host_id=rs.example, as_uri={AS}/.well-known/uma2-configuration, ticket={T}`}},
		"among others in one header":    {401, []string{`Basic realm="a, ticket=\"no\"", Bearer realm="UMA as_uri=no", UMA as_uri="{AS}", ticket="{T}", Digest realm="x", nonce="y"`}},
		"among other headers":           {401, []string{`Bearer error="invalid_token"`, `UMA as_uri="{AS}", ticket="{T}"`}},
		"of another server first":       {401, []string{`UMA as_uri="https://other.example", ticket="other"`, `UMA as_uri="{AS}", ticket="{T}"`}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, rpt("rpt-1"))
			s.good["GET /album"] = "rpt-1"
			s.challenge = func(h http.Header, ticket string) int {
				for _, value := range c.headers {
					h.Add("WWW-Authenticate", strings.NewReplacer("{AS}", s.as.URL, "{T}", ticket).Replace(value))
				}
				return c.status
			}
			s.gets(s.transport(func(c *Config) { c.Trust = Issuers(s.as.URL) }), t.Context(), "/album")
			if s.column("ticket") != "rs-1" {
				t.Errorf("presented was %s", s.column("ticket"))
			}
		})
	}
}

func TestWhatIsNoChallengeIsReturnedAsItIs(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header string
	}{
		"public information": {200, `UMA as_uri="{AS}", ticket="{T}"`},
		"another scheme":     {401, `Bearer realm="x"`},
		"no ticket":          {401, `UMA as_uri="{AS}"`},
		"no server":          {401, `UMA ticket="{T}"`},
		"a fault":            {503, `UMA as_uri="{AS}", ticket="{T}"`},
		"unreachable":        {403, ``},
	} {
		s := newStage(t)
		s.challenge = func(h http.Header, ticket string) int {
			h.Set("WWW-Authenticate", strings.NewReplacer("{AS}", s.as.URL, "{T}", ticket).Replace(c.header))
			return c.status
		}
		res, err := (&http.Client{Transport: s.transport()}).Get(s.rs.URL + "/album")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if body, _ := io.ReadAll(res.Body); res.StatusCode != c.status || string(body) != "no" || len(s.forms) != 0 {
			t.Errorf("%s: %s %s, token requests %v", name, res.Status, body, s.forms)
		}
		res.Body.Close()
	}
}

func TestAChallengeToTheNewRPTIsReturnedAsItIs(t *testing.T) {
	s := newStage(t, rpt("rpt-of-a-part"))
	if status, err := s.do(s.transport(), t.Context(), "GET", "/album"); status != "401 Unauthorized" || len(s.forms) != 1 {
		t.Errorf("%s %v after %d token requests", status, err, len(s.forms))
	}
}

func TestARequestWithItsOwnAuthorizationIsNotTouched(t *testing.T) {
	s := newStage(t)
	req, _ := http.NewRequest("GET", s.rs.URL+"/album", nil)
	req.Header.Set("Authorization", "Bearer mine")
	res, err := s.transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if fmt.Sprint(s.calls) != "[GET /album mine]" || len(s.forms) != 0 {
		t.Errorf("the resource server saw %v", s.calls)
	}
}

func TestABodyIsSentAgainWherePossible(t *testing.T) {
	s := newStage(t, rpt("rpt-1"))
	s.good["POST /album"] = "rpt-1"
	res, err := (&http.Client{Transport: s.transport()}).Post(s.rs.URL+"/album", "text/plain", strings.NewReader("new"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "photos new" {
		t.Errorf("%s %s", res.Status, body)
	}

	s = newStage(t, rpt("rpt-1"))
	s.good["POST /album"] = "rpt-1"
	c := &http.Client{Transport: s.transport()}
	_, err = c.Post(s.rs.URL+"/album", "text/plain", io.MultiReader(strings.NewReader("new")))
	is(t, err, ErrSendAgain)
	res, err = c.Post(s.rs.URL+"/album", "text/plain", io.MultiReader(strings.NewReader("again")))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); string(body) != "photos again" {
		t.Errorf("%s %s", res.Status, body)
	}
}

// The evil twin of a resource server gets neither an RPT by a redirect, nor one
// for a ticket that it brings along.
// Proves GRANT-C-5.2-01.
func TestAnRPTGoesToItsResourceServerOnly(t *testing.T) {
	s := newStage(t, rpt("rpt-1"), rpt("rpt-2"))
	s.good["GET /album"], s.good["GET /hop"] = "rpt-1", "rpt-1"
	var shown []string
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization"))
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`UMA as_uri=%q, ticket="stolen"`, s.as.URL))
		w.WriteHeader(401)
	}))
	t.Cleanup(evil.Close)
	c := s.transport()
	s.gets(c, t.Context(), "/album")
	s.rs.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hop" {
			http.Redirect(w, r, "/leave", http.StatusFound)
			return
		}
		http.Redirect(w, r, evil.URL+"/album", http.StatusFound)
	})
	res, err := (&http.Client{Transport: c}).Get(s.rs.URL + "/hop")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if fmt.Sprint(shown) != "[]" || res.StatusCode != 401 || len(s.forms) != 1 {
		t.Errorf("the twin was shown %q, the answer is %s, token requests %v", shown, res.Status, s.forms)
	}
	for r := res.Request; r != nil && r.Response != nil; r = r.Response.Request {
		if r.Header.Get("Authorization") != "" {
			t.Error("the RPT is in what the program sees of its requests")
		}
	}
}

func TestASecretIsForServersThatAreNamed(t *testing.T) {
	if _, err := New(Config{ClientID: "printer", ClientSecret: "hush"}); err == nil {
		t.Error("a secret was accepted that any server could ask for")
	}
	s := newStage(t, rpt("rpt-1"))
	_, err := s.do(s.transport(func(c *Config) { c.Trust = Issuers("https://as.example") }), t.Context(), "GET", "/album")
	is(t, err, ErrUntrusted)
	for _, uri := range []string{"http://as.example", "ftp://as.example", "as.example", "https://u:p@as.example", "https:///x"} {
		s.challenge = func(h http.Header, ticket string) int {
			h.Set("WWW-Authenticate", fmt.Sprintf(`UMA as_uri=%q, ticket=%q`, uri, ticket))
			return 401
		}
		_, err := s.do(s.transport(), t.Context(), "GET", "/album")
		is(t, err, ErrUntrusted)
	}
	if len(s.forms) != 0 {
		t.Errorf("it was asked %v", s.forms)
	}
}

// Proves SEC-086, SEC-085.
func TestADiscoveryDocumentOfAnotherIssuerIsRefused(t *testing.T) {
	other := newStage(t)
	for _, document := range []string{
		`{"issuer":"OTHER","token_endpoint":"AS/token"}`,
		`{"issuer":"AS/","token_endpoint":"AS/token"}`,
		`{"token_endpoint":"AS/token"}`,
		`{"issuer":"AS","issuer":"AS","token_endpoint":"AS/token"}`,
		`{"issuer":"AS","token_endpoint":"http://evil.example/token"}`,
		`{"issuer":"AS"}`,
		`issuer`,
	} {
		s := newStage(t, rpt("rpt-1"))
		s.as.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, ".well-known") {
				io.WriteString(w, strings.NewReplacer("AS", s.as.URL, "OTHER", other.as.URL).Replace(document))
				return
			}
			s.serveAS(w, r)
		})
		posts := 0
		watch := func(c *Config) {
			c.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
				if r.Method == "POST" {
					posts++
				}
				return http.DefaultTransport.RoundTrip(r)
			})
		}
		if _, err := s.do(s.transport(watch), t.Context(), "GET", "/album"); err == nil || posts != 0 {
			t.Errorf("with %s: %v, %d token requests", document, err, posts)
		}
	}
}

// Proves AMB-01.
func TestDiscoveryTriesBothPlaces(t *testing.T) {
	s := newStage(t, rpt("rpt-1"))
	s.good["GET /album"] = "rpt-1"
	var tried []string
	s.as.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.Contains(r.URL.Path, ".well-known"):
			s.serveAS(w, r)
		case r.URL.Path == "/.well-known/uma2-configuration/acme":
			fmt.Fprintf(w, `{"issuer":"%[1]s/acme","token_endpoint":"%[1]s/token"}`, s.as.URL)
			fallthrough
		default:
			tried = append(tried, r.URL.Path)
		}
	})
	s.challenge = func(h http.Header, ticket string) int {
		h.Set("WWW-Authenticate", fmt.Sprintf(`UMA as_uri="%s/acme", ticket=%q`, s.as.URL, ticket))
		return 401
	}
	s.gets(s.transport(), t.Context(), "/album")
	if got := strings.Join(tried, " "); got != "/acme/.well-known/uma2-configuration /.well-known/uma2-configuration/acme" {
		t.Errorf("tried were %s", got)
	}
}

func TestManyRequestsForOneThingSeekPermissionOnce(t *testing.T) {
	s := newStage(t, rpt("rpt-1"))
	s.good["GET /album"] = "rpt-1"
	c := s.transport()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if body, err := s.do(c, t.Context(), "GET", "/album"); body != "photos " || err != nil {
				t.Error(body, err)
			}
		})
	}
	all.Wait()
	if len(s.forms) != 1 {
		t.Errorf("%d token requests", len(s.forms))
	}
}

// Proves GRANT-C-3.6-01.
func TestAnEndedRPTIsRefreshedOnceForAll(t *testing.T) {
	s := newStage(t, rpt("rpt-1", `,"expires_in":60,"refresh_token":"refresh-1"`), rpt("rpt-2", `,"expires_in":60,"refresh_token":"refresh-2"`), rpt("rpt-3", `,"expires_in":60`), rpt("rpt-4"))
	s.good["GET /album"] = "rpt-1"
	c := s.transport()
	s.gets(c, t.Context(), "/album")
	for i := range 3 {
		s.seconds += 60
		s.good["GET /album"] = fmt.Sprintf("rpt-%d", i+2)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if body, err := s.do(c, t.Context(), "GET", "/album"); body != "photos " || err != nil {
					t.Error(body, err)
				}
			})
		}
		all.Wait()
	}
	if got := s.column("grant_type"); got != uma.GrantType+" refresh_token refresh_token refresh_token" || s.column("refresh_token") != " refresh-1 refresh-2 refresh-2" {
		t.Errorf("asked was %s with %s", got, s.column("refresh_token"))
	}
	// Who comes late with a token that was refreshed meanwhile does not do it again.
	late := Token{RPT: "rpt-1", Issuer: s.as.URL, Refresh: "refresh-1"}
	if err := c.refresh(t.Context(), Place{Origin: s.rs.URL}, late); err != nil || len(s.forms) != 4 {
		t.Errorf("a late refresh: %v, %d token requests", err, len(s.forms))
	}
}

func TestARefusedRefreshTokenIsForgotten(t *testing.T) {
	s := newStage(t, rpt("rpt-1", `,"expires_in":60,"refresh_token":"refresh-1"`), refused("invalid_grant"), rpt("rpt-2"))
	s.good["GET /album"] = "rpt-1"
	c := s.transport()
	s.gets(c, t.Context(), "/album")
	s.seconds += 60
	s.good["GET /album"] = "rpt-2"
	s.gets(c, t.Context(), "/album")
	s.gets(c, t.Context(), "/album")
	if got := s.column("refresh_token"); got != " refresh-1 " || s.forms[2].Get("rpt") != "rpt-1" {
		t.Errorf("the refresh tokens were %q, the token requests %v", got, s.forms)
	}
}

// Proves GRANT-C-3.7-01.
func TestATokenCanBeRevoked(t *testing.T) {
	s := newStage(t, answer{200, ""}, refused("unsupported_token_type"))
	c := s.transport()
	if err := c.Revoke(t.Context(), s.as.URL, "pct-1", uma.HintPCT); err != nil {
		t.Fatal(err)
	}
	if got := s.forms[0].Encode(); got != "client_id=printer&token=pct-1&token_type_hint=pct" {
		t.Errorf("asked was %s", got)
	}
	if e := fails[*ASError](t, c.Revoke(t.Context(), s.as.URL, "rpt-1", "")); e.Code != uma.UnsupportedTokenType {
		t.Errorf("the code is %s", e.Code)
	}
	is(t, s.transport(func(c *Config) { c.Trust = Issuers() }).Revoke(t.Context(), s.as.URL, "rpt-1", ""), ErrUntrusted)
}

func TestATokenEndpointThatRedirectsIsNotFollowed(t *testing.T) {
	elsewhere := newStage(t, rpt("rpt-1"), rpt("rpt-1"))
	s := newStage(t, answer{307, elsewhere.as.URL + "/token"}, answer{302, elsewhere.as.URL + "/token"})
	if _, err := s.do(s.transport(), t.Context(), "GET", "/album"); err == nil || len(elsewhere.forms) != 0 {
		t.Errorf("%v, and the ticket went elsewhere: %v", err, elsewhere.forms)
	}
}

func TestATokenThatIsNoBearerTokenIsNotUsed(t *testing.T) {
	for _, body := range []string{
		`{"access_token":"rpt-1","token_type":"DPoP"}`, `{"access_token":"rpt 1","token_type":"Bearer"}`, `{"access_token":"rpt\r\nX: y","token_type":"Bearer"}`,
		`{"access_token":"rpt-1"}`, `{"token_type":"Bearer"}`, `{"access_token":"rpt-1","access_token":"rpt-2","token_type":"Bearer"}`, `rpt-1`,
	} {
		s := newStage(t, answer{200, body})
		if _, err := s.do(s.transport(), t.Context(), "GET", "/album"); err == nil || len(s.calls) != 1 {
			t.Errorf("%s: %v, calls %v", body, err, s.calls)
		}
	}
}

func TestTheScopesAreAskedForEveryTime(t *testing.T) {
	s := newStage(t, needInfo(wantEmail), rpt("rpt-1"))
	s.good["GET /album"] = "rpt-1"
	s.gets(s.transport(withClaims("jwt"), func(c *Config) { c.Scopes = []uma.Scope{"print", "https://x.example/s"} }), t.Context(), "/album")
	if got := s.column("scope"); got != "print https://x.example/s print https://x.example/s" {
		t.Errorf("asked for was %s", got)
	}
}

func TestAConfigurationIsRefusedWithAllItsFaults(t *testing.T) {
	_, err := New(Config{ClientSecret: "x", ClaimsRedirectURI: "/cb#x"})
	for _, want := range []string{"ClientID", "Trust", "ClaimsRedirectURI"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell of %s", err, want)
		}
	}
}

func TestSecretsPrintAsFingerprints(t *testing.T) {
	c := Config{ClientID: "printer", ClientSecret: "hush"}
	token := Token{RPT: "hush", Refresh: "hush"}
	need := &NeedInfoError{Process: Process{Ticket: "hush"}}
	if s := fmt.Sprintf("%v %+v %#v %v %+v %#v %v %#v", c, c, c, token, token, token, need, need.Process); strings.Contains(s, "hush") {
		t.Error(s)
	}
}

// roundTripper is a function as an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// withClaims pushes claim tokens one after the other, and then none.
func withClaims(tokens ...string) func(*Config) {
	return func(c *Config) {
		c.Claims = func(_ context.Context, need Need) (string, string, error) {
			if len(tokens) == 0 {
				return "", "", nil
			}
			next := tokens[0]
			tokens = tokens[1:]
			return next, "format-of-" + next, nil
		}
	}
}

func waiting(d time.Duration) func(*Config) { return func(c *Config) { c.MaxWait = d } }
