package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/licet/licet/uma"
)

const callbackURI = "https://printer.example/cb?x=1"

func interactive(c *Config) { c.ClaimsRedirectURI = callbackURI }

// need makes a process that wants the person, for Bob.
func need(t *testing.T, s *stage, c *Transport) (context.Context, *NeedInfoError) {
	t.Helper()
	bob := WithUser(t.Context(), "bob")
	_, err := s.do(c, bob, "GET", "/album")
	return bob, fails[*NeedInfoError](t, err)
}

func begin(t *testing.T, c *Transport, ctx context.Context, need *NeedInfoError, session string) url.Values {
	t.Helper()
	address, err := c.Begin(ctx, need, session)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// Proves GRANT-C-3.3.2-01, GRANT-C-3.3.2-02, GRANT-C-3.3.2-03, GRANT-C-5.2-01.
func TestAPersonIsSentToTheClaimsInteractionEndpoint(t *testing.T) {
	s := newStage(t, rpt("rpt-secret"), needInfo(`,"redirect_user":"https://as.example/x?id=7&a=b%20c"`))
	s.good["GET /"] = "rpt-secret"
	c := s.transport(interactive)
	s.gets(c, WithUser(t.Context(), "bob"), "/")
	bob, need := need(t, s, c)
	address, err := c.Begin(bob, need, "session")
	if err != nil {
		t.Fatal(err)
	}
	want := "https://as.example/x?id=7&a=b%20c&client_id=printer&ticket=" + string(need.Ticket) + "&claims_redirect_uri=https%3A%2F%2Fprinter.example%2Fcb%3Fx%3D1&state="
	state, ok := strings.CutPrefix(address, want)
	if !ok || len(state) < 22 {
		t.Errorf("the URL is %s", address)
	}
	if strings.Contains(address, "rpt-secret") {
		t.Error("the browser is shown the RPT")
	}
}

// Proves GRANT-2-06.
func TestTheEndpointOfTheProcessTakesPrecedenceOverTheStaticOne(t *testing.T) {
	s := newStage(t, needInfo(`,"redirect_user":"https://as.example/process"`), needInfo(wantEmail))
	s.metadata = `,"claims_interaction_endpoint":"https://as.example/static"`
	c := s.transport(interactive)
	for _, want := range []string{"https://as.example/process?client_id=", "https://as.example/static?client_id="} {
		bob, need := need(t, s, c)
		if address, err := c.Begin(bob, need, "session"); err != nil || !strings.HasPrefix(address, want) {
			t.Errorf("sent to %s, %v", address, err)
		}
	}
}

func TestNobodyIsSentToAnEndpointThatIsNone(t *testing.T) {
	for _, endpoint := range []string{
		"javascript:alert(1)", "http://as.example/x", "/relative", "https://as.example/#f", "https://u:p@as.example/",
		"https://as.example/?state=fixed", "https://as.example/?client_id=other", "https://as.example/?%zz",
	} {
		s := newStage(t, needInfo(`,"redirect_user":"`+endpoint+`"`))
		c := s.transport(interactive)
		bob, need := need(t, s, c)
		if address, err := c.Begin(bob, need, "session"); err == nil {
			t.Errorf("%s leads to %s", endpoint, address)
		}
	}
	s := newStage(t, needInfo(wantEmail)) // and no endpoint at all
	c := s.transport(interactive)
	bob, need := need(t, s, c)
	_, err := c.Begin(bob, need, "session")
	fails[*NeedInfoError](t, err)
}

// Proves GRANT-C-5.1-03, GRANT-C-5.1-06.
func TestAStateIs256RandomBitsAndNothingElse(t *testing.T) {
	s := newStage(t, needInfo(`,"redirect_user":"https://as.example/x"`))
	var drawn bytes.Buffer
	c := s.transport(interactive, func(c *Config) { c.Rand = teeReader{&drawn} })
	bob, need := need(t, s, c)
	seen := map[string]bool{}
	for range 100 {
		drawn.Reset()
		state := begin(t, c, bob, need, "session").Get("state")
		raw, err := base64.RawURLEncoding.DecodeString(state)
		if err != nil || len(raw) != 32 || !bytes.Equal(raw, drawn.Bytes()) || seen[state] {
			t.Fatalf("the state is %s", state)
		}
		seen[state] = true
	}
}

// teeReader shows what randomness was drawn.
type teeReader struct{ drawn *bytes.Buffer }

func (r teeReader) Read(p []byte) (int, error) {
	n, err := rand.Read(p)
	r.drawn.Write(p[:n])
	return n, err
}

// Proves GRANT-C-3.3.3-01, GRANT-C-5.1-02.
func TestACallbackContinuesTheProcess(t *testing.T) {
	s := newStage(t, needInfo(`,"redirect_user":"https://as.example/x"`), rpt("rpt-1", `,"pct":"pct-1"`))
	s.good["GET /album"] = "rpt-1"
	c := s.transport(interactive)
	bob, need := need(t, s, c)
	state := begin(t, c, bob, need, "session").Get("state")
	err := c.Callback(bob, "session", url.Values{"state": {state}, "ticket": {"back"}, "foo": {"bar", "baz"}, "x": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	s.gets(c, bob, "/album")
	if s.column("ticket") != "rs-1 back" {
		t.Errorf("the tickets were %s", s.column("ticket"))
	}
}

// Proves GRANT-C-5.1-01, GRANT-C-5.1-04, GRANT-C-5.1-05, SEC-064.
func TestACallbackWithoutItsStateIsRefused(t *testing.T) {
	s := newStage(t, needInfo(`,"redirect_user":"https://as.example/x"`), refused("invalid_request"))
	c := s.transport(interactive)
	bob, need := need(t, s, c)
	state := begin(t, c, bob, need, "session").Get("state")
	other := begin(t, c, bob, need, "other session").Get("state")
	for name, call := range map[string]struct {
		session string
		state   []string
	}{
		"no session": {"", []string{state}}, "another session": {"other session", []string{state}}, "another session's state": {"session", []string{other}},
		"no state": {"session", nil}, "empty state": {"session", []string{""}}, "wrong state": {"session", []string{state[:42] + "_"}},
		"a part of it": {"session", []string{state[:42]}}, "moved border": {"session" + state[:1], []string{state[1:]}},
	} {
		values := url.Values{"ticket": {"back"}}
		if call.state != nil {
			values["state"] = call.state
		}
		if err := c.Callback(bob, call.session, values); err == nil || len(s.forms) != 1 {
			t.Fatalf("%s: %v", name, err)
		} else {
			is(t, err, ErrState)
		}
	}
	if err := c.Callback(bob, "session", url.Values{"ticket": {"back"}, "state": {state, state}}); err == nil {
		t.Error("two states are accepted")
	}
	// None of these burned the right one; using it does.
	e := fails[*ASError](t, c.Callback(bob, "session", url.Values{"ticket": {"back"}, "state": {state}}))
	if e.Code != uma.InvalidRequest || len(s.forms) != 2 {
		t.Errorf("the right state: %v", e)
	}
	is(t, c.Callback(bob, "session", url.Values{"ticket": {"back-2"}, "state": {state}}), ErrState)
	// It does not stay good for ever.
	s.seconds += int64(interactionLife.Seconds())
	is(t, c.Callback(bob, "other session", url.Values{"ticket": {"back"}, "state": {other}}), ErrState)
}

// Proves GRANT-C-3.3.1-03, GRANT-C-5.1-01.
func TestACallbackOfAnotherUserIsRefused(t *testing.T) {
	s := newStage(t, needInfo(`,"redirect_user":"https://as.example/x"`))
	c := s.transport(interactive)
	bob, need := need(t, s, c)
	for name, ctx := range map[string]context.Context{"another": WithUser(t.Context(), "carlos"), "nobody": t.Context()} {
		if _, err := c.Begin(ctx, need, "session"); err == nil {
			t.Errorf("%s may begin Bob's", name)
		}
		state := begin(t, c, bob, need, "session").Get("state")
		is(t, c.Callback(ctx, "session", url.Values{"ticket": {"back"}, "state": {state}}), ErrUser)
	}
	if _, err := c.Begin(bob, need, ""); err == nil {
		t.Error("it begins without a session")
	}
	need.At.User = ""
	if _, err := c.Begin(t.Context(), need, "session"); err == nil {
		t.Error("it begins without a user, and the RPT would be everybody's")
	}
	if len(s.forms) != 1 {
		t.Error("a ticket was presented")
	}
}

// Proves SEC-085.
func TestACallbackOfAnotherIssuerIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, metadata string
		iss            []string
		good           bool
	}{
		{"right", ``, []string{"AS"}, true},
		{"absent, and not announced", ``, nil, true},
		{"right, and announced", `,"authorization_response_iss_parameter_supported":true`, []string{"AS"}, true},
		{"absent, though announced", `,"authorization_response_iss_parameter_supported":true`, nil, false},
		{"wrong", ``, []string{"https://evil.example"}, false},
		{"a slash more", ``, []string{"AS/"}, false},
		{"empty", ``, []string{""}, false},
		{"two", ``, []string{"AS", "AS"}, false},
	} {
		for _, result := range []url.Values{{"ticket": {"back"}}, {"error": {"access_denied"}}} {
			s := newStage(t, needInfo(`,"redirect_user":"https://as.example/x"`), rpt("rpt-1"))
			s.metadata = c.metadata
			transport := s.transport(interactive)
			bob, need := need(t, s, transport)
			result = url.Values{"ticket": result["ticket"], "error": result["error"], "state": begin(t, transport, bob, need, "session")["state"]}
			for _, iss := range c.iss {
				result.Add("iss", strings.Replace(iss, "AS", s.as.URL, 1))
			}
			err := transport.Callback(bob, "session", result)
			if denied, is := err.(*ASError); c.good && (err != nil && !(is && denied.Code == uma.AccessDenied)) || !c.good && (err == nil || is || len(s.forms) != 1) {
				t.Errorf("%s, %v: %v", c.name, result, err)
			}
		}
	}
}

func TestACallbackThatBringsAnErrorOrNoTicketIsAnError(t *testing.T) {
	s := newStage(t, needInfo(`,"redirect_user":"https://as.example/x"`))
	c := s.transport(interactive)
	bob, need := need(t, s, c)
	back := func(values url.Values) error {
		values.Set("state", begin(t, c, bob, need, "session").Get("state"))
		return c.Callback(bob, "session", values)
	}
	e := fails[*ASError](t, back(url.Values{"error": {"access_denied"}, "error_description": {"No, thanks"}, "ticket": {"back"}}))
	if e.Code != uma.AccessDenied || e.Description != "No, thanks" || e.Issuer != s.as.URL {
		t.Errorf("the error is %+v", e)
	}
	if back(url.Values{}) == nil || back(url.Values{"ticket": {"a", "b"}}) == nil {
		t.Error("no ticket, or two, are accepted")
	}
	// Proves GRANT-C-5.5-01.
	is(t, back(url.Values{"ticket": {string(need.Ticket)}}), ErrTicketRepeated)
	if len(s.forms) != 1 {
		t.Error("a ticket was presented")
	}
}

func TestAProgramMayBringThePersonThereItself(t *testing.T) {
	s := newStage(t, needInfo(wantEmail), needInfo(`,"redirect_user":"https://as.example/x"`), rpt("rpt-1"))
	s.good["GET /album"] = "rpt-1"
	var sent []Redirect
	tamper := func(url.Values) {}
	c := s.transport(interactive, withClaims("jwt"), func(c *Config) {
		c.Redirect = func(_ context.Context, to Redirect) (url.Values, error) {
			sent = append(sent, to)
			u, err := url.Parse(to.URL)
			back := url.Values{"ticket": {"back"}, "state": u.Query()["state"]}
			tamper(back)
			return back, err
		}
	})
	s.gets(c, t.Context(), "/album")
	if s.column("ticket") != "rs-1 as-2 back" || len(sent) != 1 || sent[0].Issuer != s.as.URL {
		t.Errorf("the tickets were %s, the person was sent to %v", s.column("ticket"), sent)
	}

	for name, f := range map[string]func(url.Values){
		"wrong state":      func(v url.Values) { v.Set("state", "x") },
		"the first ticket": func(v url.Values) { v.Set("ticket", s.forms[len(s.forms)-1].Get("ticket")) },
	} {
		tamper = f
		s.script = []answer{needInfo(`,"redirect_user":"https://as.example/x"`), rpt("rpt-2")}
		if _, err := s.do(c, t.Context(), "GET", "/"+url.PathEscape(name)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// Where the authorization server binds tickets, the challenge goes with the browser
// and the verifier does not; it goes with the ticket that comes back, and with no
// other.
func TestATicketThatComesBackIsBoundWhereTheServerBindsTickets(t *testing.T) {
	const announced = `,"uma_profiles_supported":["urn:x:other","` + uma.ProfileTicketBinding + `"]`
	for _, c := range []struct {
		name, metadata string
		bound          bool
	}{{"announced", announced, true}, {"another", `,"uma_profiles_supported":["urn:x:other"]`, false}, {"none", ``, false}} {
		s := newStage(t, needInfo(`,"redirect_user":"https://as.example/x"`), needInfo(`,"redirect_user":"https://as.example/x"`))
		s.metadata = c.metadata
		app := s.transport(interactive)
		bob, need := need(t, s, app)
		query := begin(t, app, bob, need, "session")
		again := fails[*NeedInfoError](t, app.Callback(bob, "session", url.Values{"state": {query.Get("state")}, "ticket": {"back"}}))
		if again.Verifier != "" {
			t.Errorf("%s: the ticket that came directly has a verifier", c.name)
		}
		if s.forms[0].Has("code_verifier") || s.forms[1].Has("code_verifier") != c.bound || query.Has("code_challenge") != c.bound || query.Has("code_challenge_method") != c.bound {
			t.Fatalf("%s: sent there with %v, then asked with %v", c.name, query, s.forms)
		}
		if !c.bound {
			continue
		}
		verifier := s.forms[1].Get("code_verifier")
		sum := sha256.Sum256([]byte(verifier))
		if query.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) || query.Get("code_challenge_method") != "S256" || len(verifier) != 43 {
			t.Errorf("the challenge is %v of %s", query, verifier)
		}
	}
}
