package rs

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

// challenged checks a complete UMA challenge and returns its ticket.
func challenged(t *testing.T, p *photos, res *http.Response) string {
	t.Helper()
	if res.StatusCode != http.StatusUnauthorized {
		t.Fatalf("the answer is %s and not 401", res.Status)
	}
	header := res.Header.Get("WWW-Authenticate")
	ticket := strings.TrimSuffix(header[strings.LastIndex(header, "ticket-"):], `"`)
	if want := fmt.Sprintf(`UMA realm="photos", as_uri=%q, ticket=%q`, p.as.URL, ticket); header != want {
		t.Fatalf("the challenge is\n%s and not\n%s", header, want)
	}
	if res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Warning") != "" {
		t.Errorf("the challenge has the header %v", res.Header)
	}
	if body := text(res); strings.Contains(body, ticket) || strings.Contains(body, "photos of") {
		t.Errorf("the body of the challenge is %s", body)
	}
	return ticket
}

// unreachable checks the answer of Grant 3.2.2.
func unreachable(t *testing.T, res *http.Response) {
	t.Helper()
	if res.StatusCode != http.StatusForbidden || res.Header.Get("Warning") != `199 - "UMA Authorization Server Unreachable"` {
		t.Fatalf("the answer is %s with the warning %q", res.Status, res.Header.Get("Warning"))
	}
	if res.Header.Get("WWW-Authenticate") != "" || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("the answer has the header %v", res.Header)
	}
	if body := text(res); strings.Contains(body, "ticket") || strings.Contains(body, "photos of") || !strings.Contains(body, `"status":403`) {
		t.Errorf("the body is %s", body)
	}
}

// Proves GRANT-3.2-01, GRANT-3.2.1-01, GRANT-3.2.1-02, GRANT-3.2.1-03, GRANT-3.2.1-05.
func TestARequestWithoutATokenIsAnsweredWithATicket(t *testing.T) {
	p := newPhotos(t)
	ticket := challenged(t, p, p.call("GET", "/alice/album", ""))
	asked := p.as.asked("/permission")
	if len(asked) != 1 || ticket != fmt.Sprintf("ticket-%d", p.as.next) {
		t.Errorf("the ticket is %s, the authorization server was asked %v", ticket, asked)
	}
	if p.handled.Load() != 0 {
		t.Error("the handler was called")
	}
	if len(p.as.asked("/introspect")) != 0 {
		t.Error("nothing was introspected")
	}
}

// Proves GRANT-3.2-02, FED-RS-4-01, FED-RS-4-02.
func TestTheTicketIsForWhatTheOperationTakes(t *testing.T) {
	p := newPhotos(t)
	album, diary := p.as.idOf("alice", "album"), p.as.idOf("alice", "diary")
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/alice/album", fmt.Sprintf(`{"resource_id":%q,"resource_scopes":["view"]}`, album)},
		{"PUT", "/alice/album", fmt.Sprintf(`{"resource_id":%q,"resource_scopes":["edit"]}`, album)},
		{"GET", "/alice/both", fmt.Sprintf(`[{"resource_id":%q,"resource_scopes":["view","edit"]},{"resource_id":%q,"resource_scopes":[]}]`, album, diary)},
	} {
		p.as.forget()
		challenged(t, p, p.call(c.method, c.path, ""))
		if asked := p.as.asked("/permission"); len(asked) != 1 || asked[0].body != c.want || asked[0].kind != "application/json" {
			t.Errorf("%s %s asked for %v, not for %s", c.method, c.path, asked, c.want)
		}
	}
}

// Proves GRANT-3.2-03, FED-RS-1.3-01, FED-RS-5-02.
func TestEachURLLeadsToThePATOfItsOwner(t *testing.T) {
	p := newPhotos(t)
	for _, owner := range []string{"alice", "anna"} {
		p.as.forget()
		challenged(t, p, p.call("GET", "/"+owner+"/album", "some-token"))
		for _, path := range []string{"/introspect", "/permission"} {
			if asked := p.as.asked(path); len(asked) != 1 || asked[0].pat != "pat-"+owner {
				t.Errorf("for %s, %s was asked %v", owner, path, asked)
			}
		}
		if id := p.as.idOf(Owner(owner), "album"); !strings.Contains(p.as.asked("/permission")[0].body, id) {
			t.Errorf("for %s another's resource was asked for", owner)
		}
	}
	// What is good at Alice's is not at Anna's, though both call it "album".
	p.as.issue("rpt", permission(p.as.idOf("alice", "album"), `"view"`))
	if res := p.call("GET", "/alice/album", "rpt"); res.StatusCode != 200 {
		t.Errorf("Alice's album: %s", res.Status)
	}
	challenged(t, p, p.call("GET", "/anna/album", "rpt"))
	unreachable(t, p.call("GET", "/nobody/album", "rpt"))
}

// An owner may choose what is protected; the rest knows nothing of UMA
// (FT-unprotected-resource).
// Proves FED-RS-3-01.
func TestAnUnprotectedResourceIsAnsweredAsIfThereWereNoUMA(t *testing.T) {
	p := newPhotos(t)
	p.as.Close()
	for _, token := range []string{"", "rpt"} {
		res := p.call("GET", "/public/logo.png", token)
		if body := text(res); res.StatusCode != 200 || body != "the photos of /public/logo.png" {
			t.Errorf("%s: %s", res.Status, body)
		}
		if res.Header.Get("WWW-Authenticate") != "" || res.Header.Get("Warning") != "" || len(p.grants) != 0 {
			t.Errorf("the answer has the header %v, the handler saw %v", res.Header, p.grants)
		}
	}
	if len(p.as.asked("/")) != 0 {
		t.Error("the authorization server was asked")
	}
}

// Proves GRANT-3.2.2-01, AMB-35.
func TestWithoutAnAnswerOfTheAuthorizationServerTheAnswerIsNo(t *testing.T) {
	answer := func(path string, status int, body string) func(p *photos) {
		return func(p *photos) {
			p.as.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != path {
					return false
				}
				w.Header().Set("Location", p.as.URL+"/elsewhere")
				w.WriteHeader(status)
				fmt.Fprint(w, body)
				return true
			}
		}
	}
	for name, spoil := range map[string]func(p *photos){
		"down":                             func(p *photos) { p.as.Close() },
		"PAT refused":                      func(p *photos) { p.as.pats = nil },
		"permission: 500":                  answer("/permission", 500, `{"error":"server_error"}`),
		"permission: 403":                  answer("/permission", 403, `{"error":"insufficient_scope"}`),
		"permission: redirect":             answer("/permission", 307, `{"ticket":"t"}`),
		"permission: not JSON":             answer("/permission", 201, `ticket`),
		"permission: no ticket":            answer("/permission", 201, `{}`),
		"permission: empty ticket":         answer("/permission", 201, `{"ticket":""}`),
		"permission: ticket is a number":   answer("/permission", 201, `{"ticket":1}`),
		"permission: two tickets":          answer("/permission", 201, `{"ticket":"a","ticket":"b"}`),
		"permission: invalid scope":        answer("/permission", 400, `{"error":"invalid_scope"}`),
		"introspection: 500":               answer("/introspect", 500, `{"active":true}`),
		"introspection: 404":               answer("/introspect", 404, ``),
		"introspection: redirect":          answer("/introspect", 302, ``),
		"introspection: not JSON":          answer("/introspect", 200, `active`),
		"introspection: active is text":    answer("/introspect", 200, `{"active":"true"}`),
		"introspection: says nothing":      answer("/introspect", 200, `{}`),
		"introspection: permission broken": answer("/introspect", 200, `{"active":true,"permissions":[{}]}`),
		"introspection: breaks off":        answer("/introspect", 200, `{"active":true`),
		"introspection: endless":           answer("/introspect", 200, `{"active":true,"x":"`+strings.Repeat("x", 1<<20)+`"}`),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPhotos(t)
			p.as.issue("rpt", permission(p.as.idOf("alice", "album"), `"view"`))
			p.as.locked(func() { spoil(p) })
			token := ""
			if strings.HasPrefix(name, "introspection") {
				token = "rpt"
			}
			unreachable(t, p.call("GET", "/alice/album", token))
			if p.handled.Load() != 0 {
				t.Error("the handler was called")
			}
			if len(p.alarms) != 1 {
				t.Errorf("the alarm heard %v", p.alarms)
			}
			if len(p.as.asked("/elsewhere")) != 0 {
				t.Error("a redirect was followed")
			}
		})
	}
}

// Proves GRANT-3.5-01, GRANT-3.5-02, FED-RS-4-04, SEC-056.
func TestAnInsufficientRPTIsAnsweredAsNone(t *testing.T) {
	p := newPhotos(t)
	album, diary := p.as.idOf("alice", "album"), p.as.idOf("alice", "diary")
	now := p.clock.now().Unix()
	at := func(name string, seconds int64) string { return fmt.Sprintf(`,%q:%d`, name, now+seconds) }
	tickets := map[string]bool{}
	for name, answer := range map[string]string{
		"inactive":                      `{"active":false}`,
		"inactive, yet with permission": `{"active":false,"permissions":[` + permission(album, `"edit"`) + `]}`,
		"no permissions":                `{"active":true}`,
		"an OAuth token":                `{"active":true,"scope":"edit view"}`,
		"empty":                         `{"active":true,"permissions":[]}`,
		"another scope":                 `{"active":true,"permissions":[` + permission(album, `"view","EDIT","edits"`) + `]}`,
		"no scope":                      `{"active":true,"permissions":[` + permission(album, ``) + `]}`,
		"another resource":              `{"active":true,"permissions":[` + permission(diary, `"edit"`) + `,` + permission("album", `"edit"`) + `]}`,
		"token expired":                 `{"active":true,"permissions":[` + permission(album, `"edit"`) + `]` + at("exp", 0) + `}`,
		"permission expired":            `{"active":true,"permissions":[` + permission(album, `"edit"`, at("exp", -1)) + `]` + at("exp", 100) + `}`,
		"permission not yet":            `{"active":true,"permissions":[` + permission(album, `"edit"`, at("nbf", 100)) + `]}`,
		"token not yet":                 `{"active":true,"permissions":[` + permission(album, `"edit"`) + `]` + at("nbf", 100) + `}`,
		"another issuer":                `{"active":true,"iss":"https://evil.example","permissions":[` + permission(album, `"edit"`) + `]}`,
		"needs a proof":                 `{"active":true,"token_type":"DPoP","permissions":[` + permission(album, `"edit"`) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			p.as.locked(func() { p.as.tokens["rpt"] = answer })
			ticket := challenged(t, p, p.call("PUT", "/alice/album", "rpt"))
			if tickets[ticket] {
				t.Error("the ticket is not fresh")
			}
			tickets[ticket] = true
		})
	}
	challenged(t, p, p.call("PUT", "/alice/album", "unknown"))
	if p.handled.Load() != 0 {
		t.Error("the handler was called")
	}
}

// Every answer of the double has members that nobody knows.
// Proves GRANT-3.4-01, GEN-1.1-03.
func TestAnRPTThatPermitsTheRequestOpensTheDoor(t *testing.T) {
	p := newPhotos(t)
	p.as.issue("rpt", permission(p.as.idOf("alice", "album"), `"view","edit"`), `,"client_id":"printer","sub":"bob","token_type":"bearer","iss":"`+p.as.URL+`"`)
	for _, scheme := range []string{"Bearer", "bearer", "BEARER"} {
		r := httptest.NewRequest("GET", "/alice/album", nil)
		r.Header.Set("Authorization", scheme+" rpt")
		if res := p.do(r); res.StatusCode != 200 || text(res) != "the photos of /alice/album" {
			t.Errorf("%s: %s", scheme, res.Status)
		}
	}
	g := p.grants[0]
	if g.Owner != "alice" || len(g.Needs) != 1 || g.Needs[0].Resource != "album" || g.Introspection.ClientID != "printer" || g.Introspection.Subject != "bob" {
		t.Errorf("the handler was told %+v", g)
	}
	if asked := p.as.asked("/introspect"); asked[0].body != "token=rpt&token_type_hint=access_token" || asked[0].method != "POST" {
		t.Errorf("the introspection was %v", asked[0])
	}
}

// Proves PEER-Gatekeeper.
func TestAllThatIsNeededHasToBePermitted(t *testing.T) {
	p := newPhotos(t)
	album, diary := p.as.idOf("alice", "album"), p.as.idOf("alice", "diary")
	for _, c := range []struct {
		permissions string
		open        bool
	}{
		{permission(album, `"view","edit"`), false},
		{permission(diary, `"view","edit"`), false},
		{permission(album, `"view"`) + "," + permission(diary, ``), false},
		{permission(album, `"edit"`) + "," + permission(diary, `"view"`), false},
		{permission(diary, ``) + "," + permission(album, `"edit","view"`), true},
		{permission(album, `"edit"`) + "," + permission(diary, ``) + "," + permission(album, `"view"`), true},
	} {
		p.as.issue("rpt", c.permissions)
		res := p.call("GET", "/alice/both", "rpt")
		if (res.StatusCode == 200) != c.open {
			t.Errorf("with %s the answer is %s", c.permissions, res.Status)
		}
		if !c.open {
			challenged(t, p, res)
		}
	}
}

// Proves GRANT-3.5-03, FED-RS-1.4-01.
func TestTheResourceServerMayBeStricter(t *testing.T) {
	p := newPhotos(t)
	res := p.call("GET", "/closed/shop", "rpt")
	if res.StatusCode != 403 || res.Header.Get("WWW-Authenticate") != "" || res.Header.Get("Warning") != "" || p.handled.Load() != 0 {
		t.Errorf("the answer is %s %v", res.Status, res.Header)
	}
	if strings.Contains(text(res), "Sundays") {
		t.Error("the reason is told")
	}
}

func TestARouteThatSaysNothingLetsNobodyThrough(t *testing.T) {
	p := newPhotos(t)
	if res := p.call("GET", "/nothing", "rpt"); res.StatusCode != 403 || res.Header.Get("Warning") != "" || p.handled.Load() != 0 || len(p.alarms) != 1 {
		t.Errorf("the answer is %s, the alarm heard %v", res.Status, p.alarms)
	}
	if asked := p.as.asked("/"); len(asked) != 0 {
		t.Errorf("the authorization server was asked %v", asked)
	}
}

func TestAnRPTCountsInTheAuthorizationHeaderOnly(t *testing.T) {
	p := newPhotos(t)
	p.as.issue("rpt", permission(p.as.idOf("alice", "album"), `"view"`))
	challenged(t, p, p.call("GET", "/alice/album?access_token=rpt", ""))
	body := httptest.NewRequest("GET", "/alice/album", strings.NewReader("access_token=rpt"))
	body.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	challenged(t, p, p.do(body))
	for _, value := range []string{"rpt", "Basic rpt", "UMA rpt", "Bearer", "Bearer ", "Bearer rpt, Bearer rpt", "Bearer rpt x", "Bearer rpt\x7f", "Bearer " + strings.Repeat("r", 9000)} {
		r := httptest.NewRequest("GET", "/alice/album", nil)
		r.Header.Set("Authorization", value)
		challenged(t, p, p.do(r))
	}
	if n := len(p.as.asked("/introspect")); n != 0 {
		t.Errorf("%d of these were introspected", n)
	}
	two := httptest.NewRequest("GET", "/alice/album", nil)
	two.Header["Authorization"] = []string{"Bearer rpt", "Bearer rpt"}
	if res := p.do(two); res.StatusCode != 400 || p.handled.Load() != 0 {
		t.Errorf("two headers: %s", res.Status)
	}
}

// Proves FED-RS-4.1-01.
func TestOnlyRegisteredResourcesAndScopesAreAskedFor(t *testing.T) {
	p := newPhotos(t)
	unreachable(t, p.call("GET", "/alice/unregistered", ""))
	unreachable(t, p.call("GET", "/alice/print", ""))
	if asked := p.as.asked("/"); len(asked) != 0 || len(p.alarms) != 2 {
		t.Errorf("the authorization server was asked %v, the alarm heard %v", asked, p.alarms)
	}
}

func TestAConfigurationIsRefusedWithAllItsFaults(t *testing.T) {
	_, err := New(Config{Issuer: "http://as.example", CacheTTL: time.Hour, CacheSize: -1})
	for _, want := range []string{"https", "PAT", "Route", "CacheTTL", "CacheSize"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell of %s", err, want)
		}
	}
	for _, issuer := range []string{"", "as.example", "ftp://as.example", "https://u:p@as.example", "https://as.example/#x", "http://10.0.0.1", "http://localhost.evil.example"} {
		if _, err := New(Config{Issuer: issuer, PAT: StaticPAT{}, Route: routePhotos}); err == nil {
			t.Errorf("the issuer %q is accepted", issuer)
		}
	}
}

// Proves SEC-086.
func TestADiscoveryDocumentOfAnotherIssuerIsRefused(t *testing.T) {
	for name, document := range map[string]string{
		"another issuer": `{"issuer":"https://evil.example","token_endpoint":"%[1]s/t","permission_endpoint":"%[1]s/permission","introspection_endpoint":"%[1]s/introspect","resource_registration_endpoint":"%[1]s/rreg/"}`,
		"a slash more":   `{"issuer":"%[1]s/","token_endpoint":"%[1]s/t","permission_endpoint":"%[1]s/permission","introspection_endpoint":"%[1]s/introspect","resource_registration_endpoint":"%[1]s/rreg/"}`,
		"no https":       `{"issuer":"%[1]s","token_endpoint":"%[1]s/t","permission_endpoint":"http://evil.example/permission","introspection_endpoint":"%[1]s/introspect","resource_registration_endpoint":"%[1]s/rreg/"}`,
		"no endpoint":    `{"issuer":"%[1]s","token_endpoint":"%[1]s/t","introspection_endpoint":"%[1]s/introspect","resource_registration_endpoint":"%[1]s/rreg/"}`,
	} {
		posts := 0
		p := newPhotos(t, func(c *Config) {
			c.HTTP = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/permission") || r.URL.Path == "" {
					posts++
				}
				return http.DefaultTransport.RoundTrip(r)
			})}
		})
		p.as.locked(func() {
			p.as.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.Contains(r.URL.Path, ".well-known") {
					return false
				}
				fmt.Fprintf(w, document, p.as.URL)
				return true
			}
		})
		p.clock.advance(metadataLife)
		unreachable(t, p.call("GET", "/alice/album", ""))
		if posts != 0 {
			t.Errorf("%s: the PAT was sent", name)
		}
	}
}

// roundTripper is a function as an http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Proves AMB-01.
func TestDiscoveryTriesBothPlacesAndAsksOnce(t *testing.T) {
	p := newPhotos(t)
	issuer := p.as.URL + "/t/acme"
	p.as.locked(func() {
		p.as.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/t/acme/.well-known/uma2-configuration" {
				w.WriteHeader(404)
				return true
			}
			if r.URL.Path != "/.well-known/uma2-configuration/t/acme" {
				return false
			}
			fmt.Fprintf(w, `{"issuer":%q,"token_endpoint":"%[2]s/token","permission_endpoint":"%[2]s/permission",
				"introspection_endpoint":"%[2]s/introspect","resource_registration_endpoint":"%[2]s/rreg/"}`, issuer, p.as.URL)
			return true
		}
	})
	s, err := New(Config{Issuer: issuer, PAT: StaticPAT{"alice": "pat-alice"}, Route: routePhotos})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.Sync(t.Context(), "alice", []Resource{{Key: "album", Scopes: []uma.Scope{"view"}}}); err != nil {
			t.Fatal(err)
		}
	}
	if first, second := p.as.asked("/t/acme/"), p.as.asked("/.well-known/uma2-configuration/t/acme"); len(first) != 1 || len(second) != 1 {
		t.Errorf("discovery was asked for %d and %d times", len(first), len(second))
	}
}
