package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/assertion"
	"github.com/licet/licet/uma"
)

// Proves GRANT-C-3.3.1-01, GRANT-C-3.3.1-02.
func TestTheNewestTicketGoesWithOneClaimTokenAndItsFormat(t *testing.T) {
	s := newStage(t, needInfo(wantEmail), needInfo(wantEmail), submitted(), rpt("rpt-1"))
	s.good["GET /album"] = "rpt-1"
	s.gets(s.transport(withClaims("one", "two"), waiting(time.Hour)), t.Context(), "/album")
	if got := s.column("ticket"); got != "rs-1 as-2 as-3 as-4" {
		t.Errorf("the tickets were %s", got)
	}
	if tokens, formats := s.column("claim_token"), s.column("claim_token_format"); tokens != " one two " || formats != " format-of-one format-of-two " {
		t.Errorf("pushed were %q as %q", tokens, formats)
	}
}

// Proves GRANT-C-3.3.1-02.
func TestAClaimTokenWithoutFormatIsNotSent(t *testing.T) {
	for _, pair := range [][2]string{{"token", ""}, {"", "format"}} {
		s := newStage(t, needInfo(wantEmail))
		_, err := s.do(s.transport(func(c *Config) {
			c.Claims = func(context.Context, Need) (string, string, error) { return pair[0], pair[1], nil }
		}), t.Context(), "GET", "/album")
		if err == nil || len(s.forms) != 1 {
			t.Errorf("%q: %v, token requests %v", pair, err, s.forms)
		}
	}
}

func TestClaimsAreToldOnlyWhenTheyAreAskedForAndOnlyToWhomAsks(t *testing.T) {
	s := newStage(t, rpt("rpt-1"), needInfo(wantEmail), rpt("rpt-2"))
	s.good["GET /album"], s.good["GET /diary"] = "rpt-1", "rpt-2"
	var needs []Need
	c := s.transport(func(c *Config) {
		c.Claims = func(_ context.Context, need Need) (string, string, error) {
			needs = append(needs, need)
			return "jwt", "format", nil
		}
	})
	s.gets(c, t.Context(), "/album")
	if len(needs) != 0 {
		t.Error("claims were asked for though nobody needed them")
	}
	s.gets(c, t.Context(), "/diary")
	if len(needs) != 1 || needs[0].Issuer != s.as.URL || needs[0].Origin != s.rs.URL || needs[0].RequiredClaims[0].Name != "email" {
		t.Errorf("the needs were %+v", needs)
	}
}

// Proves GRANT-C-3.3.6-02.
func TestAMachineThatCannotTellMoreGetsATypedError(t *testing.T) {
	s := newStage(t, needInfo(wantEmail, `,"redirect_user":"https://as.example/claims?id=7"`))
	_, err := s.do(s.transport(), t.Context(), "GET", "/album")
	need := fails[*NeedInfoError](t, err)
	if need.Issuer != s.as.URL || need.RedirectUser != "https://as.example/claims?id=7" || need.RequiredClaims[0].ClaimTokenFormat[0] != "jwt" || need.Ticket != "as-2" {
		t.Errorf("the error is %+v", need)
	}
	if strings.Contains(err.Error(), "as-2") {
		t.Errorf("the error tells the ticket: %v", err)
	}
}

func TestAServerThatNeverHasEnoughIsGivenUpOn(t *testing.T) {
	s := newStage(t)
	for range 100 {
		s.script = append(s.script, needInfo(wantEmail))
	}
	n := 0
	_, err := s.do(s.transport(func(c *Config) {
		c.Claims = func(context.Context, Need) (string, string, error) {
			n++
			return fmt.Sprint("jwt-", n), "format", nil
		}
	}), t.Context(), "GET", "/album")
	fails[*NeedInfoError](t, err)
	if len(s.forms) != maxRounds+1 {
		t.Errorf("%d token requests", len(s.forms))
	}
	// The same claim token twice does not help either.
	s.forms = nil
	_, err = s.do(s.transport(withClaims("jwt", "jwt", "jwt")), t.Context(), "GET", "/album")
	fails[*NeedInfoError](t, err)
	if s.column("claim_token") != " jwt" {
		t.Errorf("pushed were %q", s.column("claim_token"))
	}
}

// Proves GRANT-C-3.3.1-03, GRANT-C-5.2-02.
func TestAPCTIsKeptForItsUserAndItsServer(t *testing.T) {
	pct := `,"pct":"pct-%d"`
	s := newStage(t, rpt("rpt-1", pct), rpt("rpt-2", pct), rpt("rpt-3", pct), rpt("rpt-4", pct), rpt("rpt-5", pct))
	memory := &Memory{}
	c := s.transport(func(c *Config) { c.PCTs = memory })
	bob, carlos := WithUser(t.Context(), "bob"), WithUser(t.Context(), "carlos")
	for i, step := range []struct {
		ctx  context.Context
		path string
	}{{bob, "/a"}, {carlos, "/a"}, {bob, "/b"}, {t.Context(), "/a"}, {t.Context(), "/b"}} {
		s.good["GET "+step.path] = fmt.Sprintf("rpt-%d", i+1)
		s.gets(c, step.ctx, step.path)
	}
	// Each ticket and PCT takes a number: 1 and 2 are Bob's, 3 and 4 Carlos's …
	if got := s.column("pct"); got != "  pct-2  " {
		t.Errorf("the PCTs shown were %q", got)
	}
	if p, _ := memory.PCT(t.Context(), s.as.URL, "bob"); p != "pct-6" {
		t.Error("Bob's new PCT did not replace the old one")
	}
	if p, _ := memory.PCT(t.Context(), s.as.URL, ""); p != "" {
		t.Error("a PCT of nobody was kept")
	}
	// Not even one that the store has for nobody is shown.
	if err := memory.SavePCT(t.Context(), s.as.URL, "", "pct-of-nobody"); err != nil {
		t.Fatal(err)
	}
	s.script, s.good["GET /c"] = []answer{rpt("rpt-6")}, "rpt-6"
	s.gets(c, t.Context(), "/c")
	if s.forms[5].Has("pct") {
		t.Errorf("nobody's PCT was shown: %v", s.forms[5])
	}
	// Another authorization server, at the same resource server, is shown
	// neither PCT nor RPT of this one.
	other := newStage(t, rpt("rpt-9"))
	s.good["GET /d"] = "rpt-9"
	s.challenge = func(h http.Header, ticket string) int {
		h.Set("WWW-Authenticate", fmt.Sprintf(`UMA as_uri=%q, ticket=%q`, other.as.URL, ticket))
		return 401
	}
	s.gets(c, bob, "/d")
	if other.forms[0].Has("pct") || other.forms[0].Has("rpt") {
		t.Errorf("the other server was shown %v", other.forms[0])
	}
	for _, call := range s.calls {
		if strings.Contains(call, "pct-") {
			t.Errorf("a resource server was shown a PCT: %s", call)
		}
	}
}

func TestOneUsersRPTIsNotUsedForAnother(t *testing.T) {
	s := newStage(t, rpt("rpt-bob"), rpt("rpt-carlos"))
	s.good["GET /album"] = "rpt-bob"
	c := s.transport()
	s.gets(c, WithUser(t.Context(), "bob"), "/album")
	s.good["GET /album"] = "rpt-carlos"
	s.gets(c, WithUser(t.Context(), "carlos"), "/album")
	if got := fmt.Sprint(s.calls); got != "[GET /album GET /album rpt-bob GET /album GET /album rpt-carlos]" || s.column("rpt") != " " {
		t.Errorf("the resource server saw %s, the server was shown %q", got, s.column("rpt"))
	}
}

// Proves GRANT-C-3.3.5-01, GRANT-C-3.3.5.1-02.
func TestARPTThatIsNotUpgradedIsKeptBesideTheOther(t *testing.T) {
	for name, upgraded := range map[string]string{"absent": ``, "false": `,"upgraded":false`} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, rpt("rpt-1"), rpt("rpt-2", upgraded))
			s.good["GET /album"], s.good["PUT /album"] = "rpt-1", "rpt-2"
			memory := &Memory{}
			c := s.transport(func(c *Config) { c.Tokens = memory })
			s.gets(c, t.Context(), "/album")
			for range 2 {
				if body, err := s.do(c, t.Context(), "PUT", "/album"); body != "photos " {
					t.Fatal(body, err)
				}
				s.gets(c, t.Context(), "/album")
			}
			if s.column("rpt") != " rpt-1" {
				t.Errorf("shown for an upgrade were %q", s.column("rpt"))
			}
			if kept, _ := memory.Tokens(t.Context(), Place{Origin: s.rs.URL}); len(kept) != 2 {
				t.Errorf("kept are %v", kept)
			}
		})
	}
}

// Proves GRANT-C-3.3.5.1-01.
func TestAnUpgradedRPTTakesTheOldOnesPlace(t *testing.T) {
	s := newStage(t, rpt("rpt-1"), rpt("rpt-2", `,"upgraded":true`))
	s.good["GET /album"], s.good["PUT /album"] = "rpt-1", "rpt-2"
	memory := &Memory{}
	c := s.transport(func(c *Config) { c.Tokens = memory })
	s.gets(c, t.Context(), "/album")
	if body, err := s.do(c, t.Context(), "PUT", "/album"); body != "photos " {
		t.Fatal(body, err)
	}
	s.good["GET /album"] = "rpt-2"
	s.gets(c, t.Context(), "/album")
	kept, _ := memory.Tokens(t.Context(), Place{Origin: s.rs.URL})
	if len(kept) != 1 || kept[0].RPT != "rpt-2" || len(s.forms) != 2 {
		t.Errorf("kept are %v after %d token requests", kept, len(s.forms))
	}
}

// Proves GRANT-C-3.3.6-01.
func TestTheOwnersAnswerIsWaitedFor(t *testing.T) {
	s := newStage(t, submitted(`,"interval":30`), submitted(), submitted(), submitted(`,"interval":7`), submitted(`,"interval":-5`), rpt("rpt-1"))
	s.good["GET /album"] = "rpt-1"
	s.gets(s.transport(waiting(time.Hour)), t.Context(), "/album")
	if got := fmt.Sprint(s.waits); got != "[30s 5s 10s 7s 20s]" {
		t.Errorf("it waited %s", got)
	}
}

func TestAProcessMayBeLeftAndContinued(t *testing.T) {
	s := newStage(t, submitted(`,"interval":40`), submitted(`,"interval":40`), rpt("rpt-1"))
	s.good["GET /album"] = "rpt-1"
	c := s.transport(waiting(time.Minute))
	bob := WithUser(t.Context(), "bob")
	_, err := s.do(c, bob, "GET", "/album")
	pending := fails[*PendingError](t, err)
	if pending.Interval != 40*time.Second || pending.Ticket != "as-3" || len(s.waits) != 1 {
		t.Fatalf("the error is %+v after %v", pending, s.waits)
	}
	is(t, c.Continue(WithUser(t.Context(), "carlos"), pending.Process), ErrUser)
	is(t, c.Continue(t.Context(), pending.Process), ErrUser)
	if len(s.forms) != 2 {
		t.Fatal("the ticket was presented for another user")
	}
	if err := c.Continue(bob, pending.Process); err != nil {
		t.Fatal(err)
	}
	s.gets(c, bob, "/album")
	if got := s.column("ticket"); got != "rs-1 as-2 as-3" {
		t.Errorf("the tickets were %s", got)
	}
}

func TestHowLongToWaitIsTheProgramsToSay(t *testing.T) {
	for _, interval := range []string{``, `,"interval":9223372036854775807`, `,"interval":3601`} {
		s := newStage(t, submitted(interval))
		_, err := s.do(s.transport(waiting(time.Duration(len(interval))*time.Second)), t.Context(), "GET", "/album")
		if pending := fails[*PendingError](t, err); pending.Interval <= 0 || len(s.waits) != 0 {
			t.Errorf("%s: waited %v, the interval is %s", interval, s.waits, pending.Interval)
		}
	}
	// A program that goes away stops waiting.
	s := newStage(t, submitted())
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.do(s.transport(waiting(time.Hour), func(c *Config) {
		c.Wait = func(ctx context.Context, d time.Duration) error { cancel(); return wait(ctx, d) }
	}), ctx, "GET", "/album")
	is(t, err, context.Canceled)
}

// Proves GRANT-C-5.5-01.
func TestATicketThatComesBackIsAnError(t *testing.T) {
	for _, code := range []string{"need_info", "request_submitted"} {
		for name, script := range map[string][]answer{
			"at once":    {{403, `{"error":"` + code + `","ticket":"rs-1"}`}},
			"later":      {needInfo(wantEmail), {403, `{"error":"` + code + `","ticket":"as-2"}`}},
			"the oldest": {needInfo(wantEmail), {403, `{"error":"` + code + `","ticket":"rs-1"}`}},
		} {
			s := newStage(t, script...)
			_, err := s.do(s.transport(withClaims("one", "two"), waiting(time.Hour)), t.Context(), "GET", "/album")
			if !errors.Is(err, ErrTicketRepeated) || len(s.forms) != len(script) {
				t.Errorf("%s, %s: %v after %d token requests", code, name, err, len(s.forms))
			}
		}
		s := newStage(t, answer{403, `{"error":"` + code + `"}`})
		if _, err := s.do(s.transport(withClaims("one"), waiting(time.Hour)), t.Context(), "GET", "/album"); err == nil || len(s.forms) != 1 {
			t.Errorf("%s without a ticket: %v", code, err)
		}
	}
}

// Proves GRANT-C-GEN-01, AMB-10.
func TestAProcessThatEndedBeginsAnewAtTheResourceServer(t *testing.T) {
	for name, first := range map[string]answer{
		"invalid_grant": refused("invalid_grant"), "invalid_scope": refused("invalid_scope"), "no answer": {502, "bad gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, first, rpt("rpt-1"))
			s.good["GET /album"] = "rpt-1"
			s.gets(s.transport(func(c *Config) { c.Scopes = []uma.Scope{"print"} }), t.Context(), "/album")
			if s.column("ticket") != "rs-1 rs-2" || s.column("scope") != "print " {
				t.Errorf("the tickets were %s, the scopes %q", s.column("ticket"), s.column("scope"))
			}
			// Once, and not for ever.
			s = newStage(t, first, first, rpt("rpt-1"))
			if _, err := s.do(s.transport(), t.Context(), "GET", "/album"); err == nil || len(s.forms) != 2 {
				t.Errorf("%v after %d token requests", err, len(s.forms))
			}
			// The resource server is gone meanwhile.
			s = newStage(t, first)
			requests := 0
			c := s.transport(func(c *Config) {
				c.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
					if requests++; requests > 3 {
						return nil, errGone
					}
					return http.DefaultTransport.RoundTrip(r)
				})
			})
			if _, err := s.do(c, t.Context(), "GET", "/album"); !errors.Is(err, errGone) {
				t.Errorf("the error is %v", err)
			}
			// Not with a body that cannot be sent again.
			s = newStage(t, first, rpt("rpt-1"))
			req, _ := http.NewRequest("POST", s.rs.URL+"/album", io.MultiReader(strings.NewReader("new")))
			if _, err := (&http.Client{Transport: s.transport()}).Do(req); err == nil || len(s.calls) != 1 {
				t.Errorf("%v, the resource server saw %v", err, s.calls)
			}
		})
	}
}

// Proves GRANT-C-GEN-01.
func TestANoIsANo(t *testing.T) {
	s := newStage(t, answer{403, `{"error":"request_denied","error_description":"Not for you.","ticket":"as-9"}`})
	_, err := s.do(s.transport(), t.Context(), "GET", "/album")
	if denied := fails[*DeniedError](t, err); denied.Issuer != s.as.URL || denied.Description != "Not for you." || len(s.forms) != 1 {
		t.Errorf("the error is %+v after %d token requests", denied, len(s.forms))
	}
	for _, code := range []string{"invalid_client", "unauthorized_client", "invalid_request", "server_error", "what_is_this"} {
		s := newStage(t, refused(code))
		_, err := s.do(s.transport(), t.Context(), "GET", "/album")
		if e := fails[*ASError](t, err); string(e.Code) != code || e.Description != "Because." || e.Status != 400 || len(s.forms) != 1 {
			t.Errorf("%s: %+v after %d token requests", code, e, len(s.forms))
		}
	}
}

func TestTheTokenThatFitsBestIsShown(t *testing.T) {
	tokens := []Token{
		{RPT: "alice", Uses: []string{"GET /alice/album"}},
		{RPT: "alice-edit", Uses: []string{"PUT /alice/album"}},
		{RPT: "anna", Uses: []string{"GET /anna/album"}},
	}
	for use, want := range map[string]uma.RPT{
		"GET /alice/album": "alice", "PUT /alice/album": "alice-edit", "GET /alice/album/1": "alice", "PUT /alice/album/1": "alice-edit",
		"DELETE /alice/album": "alice-edit", "GET /anna/diary": "anna", "GET /": "anna",
	} {
		if got := tokens[best(tokens, use)].RPT; got != want {
			t.Errorf("%s is asked with %s, not %s", use, string(got), string(want))
		}
	}
	if best(nil, "GET /") != -1 {
		t.Error("a token out of nothing")
	}
}

func TestWhatIsKeptOfAPlaceIsBounded(t *testing.T) {
	var tokens []Token
	for i := range 3 * maxTokens {
		tokens = keep(tokens, Token{RPT: uma.RPT(fmt.Sprint(i))}, fmt.Sprint("GET /", i), false, "")
	}
	if len(tokens) != maxTokens || tokens[maxTokens-1].RPT != uma.RPT(fmt.Sprint(3*maxTokens-1)) {
		t.Errorf("%d tokens, the last is not the newest", len(tokens))
	}
	for i := range 3 * maxUses {
		tokens = keep(tokens, Token{RPT: "one"}, fmt.Sprint("GET /x", i), true, "one")
	}
	if n := len(tokens[len(tokens)-1].Uses); n != maxUses {
		t.Errorf("%d uses", n)
	}
	var m map[int]int
	for i := range 10 {
		m = put(m, i, i, 3)
	}
	if len(m) != 3 || m[9] != 9 {
		t.Errorf("kept are %v", m)
	}
}

var errGone = errors.New("gone")

func TestAClientAuthenticatesInOneWay(t *testing.T) {
	key, err := assertion.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	both := Config{ClientID: "printer", ClientSecret: "s", AuthKey: key, Trust: Issuers("https://as.example")}
	if _, err := New(both); err == nil {
		t.Error("a client with a secret and a key is made")
	}
	s := newStage(t, rpt("rpt-1"))
	s.good["GET /album"] = "rpt-1"
	s.gets(s.transport(func(c *Config) { c.AuthKey = key }), t.Context(), "/album")
	if s.forms[0].Get("client_assertion") == "" || s.forms[0].Has("client_id") || s.auths[0] != "" {
		t.Errorf("the request was %v %v", s.auths, s.forms)
	}
}
