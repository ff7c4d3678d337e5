package client

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

// grantChecks are about tickets, tokens and whom they are shown to.
var grantChecks = []check{
	{"GRANT-C-3.3-01", "d", "The client finds the token endpoint through the challenge's as_uri, and authenticates as it is registered", false, firstGrant},
	{"GRANT-C-3.3.1-01", "M", "The newest ticket is presented, and each one once", false, newestTicket},
	{"GRANT-C-3.3.1-01/lost", "M", "A ticket whose answer was lost is not presented again", false, lostAnswer},
	{"GRANT-C-3.3.1-02", "M", "claim_token and claim_token_format go together, one pair in a request", false, claimPair},
	{"GRANT-C-3.3.5-01", "M", "Without upgraded, a new RPT is not taken to contain the permissions of the old one", false, notUpgraded},
	{"GRANT-C-3.3.5.1-01", "M", "With upgraded and another string, the old RPT is discarded", false, upgraded},
	{"GRANT-C-3.3.6-01", "S", "Between two polls at least interval seconds pass", false, interval},
	{"GRANT-C-3.4-01", "d", "A bearer RPT is presented in the Authorization header", false, bearerHeader},
	{"GRANT-C-3.4-01/type", "M", "An access token of a type that the client does not understand is not used (RFC 6749 7.1)", false, unknownType},
	{"GRANT-C-5.2-01", "M", "An RPT goes to its resource server and its authorization server only", false, rptElsewhere},
	{"GRANT-C-5.2-02", "M", "A PCT goes to its authorization server only", false, pctElsewhere},
	{"GRANT-C-5.5-01", "S", "A ticket that does not differ from the one that was sent is not accepted", false, repeatedTicket},
	{"GRANT-C-GEN-01", "d", "After an error without a ticket the client starts anew at the resource server, or gives up", false, afterRefusal},
	{"GRANT-C-GEN-01/endless", "d", "A client that is asked for ever gives up", false, endless},
	{"GRANT-3.2.1-04", "d", "A challenge is understood as HTTP spells challenges: without realm, beside others, in any case", false, spellings},
	{"GEN-1.1-03", "S", "Members that nobody knows are ignored", false, unknownMembers},
	{"GRANT-5-01/untrusted", "M", "A resource server cannot make the client tell its secret or claims to an authorization server of its choice", false, untrusted},
	{"GRANT-5-01/redirect", "M", "Redirects of the token endpoint are not followed with what is secret", false, redirectedToken},
	{"GRANT-5-01/plain", "M", "Nothing secret goes over plain http that leaves the machine", false, plainEndpoint},
	{"SEC-086", "M", "A discovery document of another issuer is refused", false, otherIssuer},
}

func firstGrant(s *stage, t *trial.Trial) {
	s.fetch(t, "/a")
	s.faulty(t, "GRANT-C-3.3-01")
	s.gets(t, "with one ticket", "/a")
	s.told(t, api, "who is not to know it")
	if n := len(s.asked(s.as)); n != 1 {
		t.Fault(s.asked(s.as), "one ticket led to %d token requests", n)
	}
}

// ask has the authorization server ask back in the way that this client
// understands; ok is false if it understands none.
func (s *stage) ask() (ask step, ok bool) {
	return needInfo, s.web || s.fixture.PushesClaims
}

func newestTicket(s *stage, t *trial.Trial) {
	ask, asks := s.ask()
	if asks {
		s.set(func() { s.as.steps = []step{ask} })
		s.fetch(t, "/a")
		s.faulty(t, "GRANT-C-3.3.1-01")
		s.gets(t, "with the new ticket of need_info", "/a")
	}
	s.set(func() { s.as.steps = []step{submitted(1)} })
	s.fetch(t, "/b")
	s.faulty(t, "GRANT-C-3.3.1-01")
}

// lostAnswer loses answers of the token endpoint in two ways. Whether the ticket
// was spent is unknown to the client; it has to take it for spent.
func lostAnswer(s *stage, t *trial.Trial) {
	ways := []struct {
		page, how string
		lose      http.HandlerFunc
	}{
		{"/closed", "closes the connection", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{"/html", "answers 502 in HTML", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = w.Write([]byte("<html>Come back later.</html>")) // into memory
		}},
	}
	for _, way := range ways {
		lost := false
		s.set(func() {
			s.as.script.token = func(w http.ResponseWriter, r *http.Request) bool {
				if lost || r.ParseForm() != nil || s.as.tickets[r.PostForm.Get("ticket")] == nil {
					return false
				}
				lost = true
				s.as.tickets[r.PostForm.Get("ticket")].spent = true
				way.lose(w, r)
				return true
			}
		})
		s.fetch(t, way.page)
		s.distinct(t, "the token endpoint "+way.how)
	}
}

// distinct checks that no ticket was presented twice.
func (s *stage) distinct(t *trial.Trial, what string) {
	list := tickets(s.asked(s.as))
	for i, ticket := range list {
		if slices.Contains(list[:i], ticket) {
			t.Fault(s.asked(s.as), "%s: a ticket is presented again", what)
		}
	}
}

func claimPair(s *stage, t *trial.Trial) {
	if !s.fixture.PushesClaims {
		t.Skip("the client pushes no claims")
	}
	s.set(func() { s.as.steps = []step{needInfo} })
	s.fetch(t, "/a")
	s.faulty(t, "GRANT-C-3.3.1-02")
	s.gets(t, "with a claim that was asked for", "/a")
	s.told(t, api, "who is not to know it")
	if !slices.ContainsFunc(s.asked(s.as), func(m wire.Message) bool { f, _ := m.Form(); return f.Get("claim_token") != "" }) && !s.web {
		t.Fault(s.asked(s.as), "the claim %q was asked for, and no claim token was pushed", s.fixture.ClaimName)
	}
}

// repeatedTicket gives the presented ticket back instead of a new one.
func repeatedTicket(s *stage, t *trial.Trial) {
	again := func(answer func(ticket string) map[string]any) step {
		return func(d *double, w http.ResponseWriter, _ url.Values, t *ticket) {
			t.spent = false
			d.say(w, http.StatusForbidden, answer(t.value))
		}
	}
	answers := []step{again(func(ticket string) map[string]any {
		return map[string]any{"error": "request_submitted", "ticket": ticket, "interval": 1}
	})}
	if _, asks := s.ask(); asks {
		answers = append(answers, again(s.as.info))
	}
	for i, answer := range answers {
		s.set(func() { s.as.steps = []step{answer} })
		s.fetch(t, fmt.Sprintf("/%d", i))
		s.distinct(t, "the authorization server gives the same ticket back")
		for _, path := range []string{pathGather, pathInteract} {
			for _, m := range s.log.Since(0, server, path) {
				if slices.Contains(tickets(s.asked(s.as)), m.Query().Get("ticket")) {
					t.Fault([]wire.Message{m}, "the person is sent away with a ticket that was presented before")
				}
			}
		}
	}
}

func afterRefusal(s *stage, t *trial.Trial) {
	s.set(func() { s.as.steps = []step{refuse(http.StatusBadRequest, "invalid_grant")} })
	s.fetch(t, "/a")
	s.distinct(t, "after invalid_grant")
	before := len(s.asked(s.as))
	s.set(func() {
		s.as.steps = nil
		for range 20 {
			s.as.steps = append(s.as.steps, refuse(http.StatusForbidden, "request_denied"))
		}
	})
	s.fetch(t, "/b")
	s.distinct(t, "after request_denied")
	s.faulty(t, "GRANT-C-3.3.1-01")
	if n := len(s.asked(s.as)) - before; n > 1 {
		t.Fault(s.asked(s.as)[before:], "request_denied is final, and the client asks %d times", n)
	}
}

// patient is how many rounds are more than any process takes.
const patient = 100

func endless(s *stage, t *trial.Trial) {
	if s.web || !s.fixture.PushesClaims {
		t.Skip("the client is asked for nothing that it could go on with by itself")
	}
	s.set(func() {
		for range 10 * patient {
			s.as.steps = append(s.as.steps, needInfo)
		}
	})
	began := time.Now()
	s.fetch(t, "/a")
	if n := len(s.asked(s.as)); n > patient {
		t.Fault(s.asked(s.as)[:4], "the client goes on after %d rounds", n)
	}
	if limit := time.Duration(s.fixture.TimeoutSeconds) * time.Second; time.Since(began) >= limit {
		t.Fault(nil, "the client does not give up in %s", limit)
	}
}

func spellings(s *stage, t *trial.Trial) {
	for i, challenge := range []func(h http.Header, issuer, ticket string){
		func(h http.Header, issuer, ticket string) {
			h.Add("WWW-Authenticate", fmt.Sprintf(`UMA as_uri="%s", ticket="%s"`, issuer, ticket))
		},
		func(h http.Header, issuer, ticket string) {
			h.Add("WWW-Authenticate", fmt.Sprintf(`uma ticket="%s",as_uri="%s",realm="a \"quoted\" realm, with a comma"`, ticket, issuer))
		},
		func(h http.Header, issuer, ticket string) {
			h.Add("WWW-Authenticate", fmt.Sprintf(`Bearer realm="x", error="invalid_token", UMA realm="y", as_uri="%s", ticket="%s", x_unknown=1`, issuer, ticket))
		},
		func(h http.Header, issuer, ticket string) {
			h.Add("WWW-Authenticate", `Basic realm="x"`)
			h.Add("WWW-Authenticate", fmt.Sprintf(`UMA as_uri="%s", ticket="%s"`, issuer, ticket))
		},
	} {
		s.set(func() {
			s.challenge = func(w http.ResponseWriter, page string) {
				challenge(w.Header(), s.as.issuer, s.as.newTicket(page))
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		page := fmt.Sprintf("/%d", i)
		s.fetch(t, page)
		if !s.delivered(page) {
			t.Fault(s.log.Since(0, api, page), "this challenge is not understood")
		}
	}
}

func unknownMembers(s *stage, t *trial.Trial) {
	s.set(func() {
		s.as.script.extend = true
		if ask, asks := s.ask(); asks {
			s.as.steps = []step{ask}
		}
	})
	s.fetch(t, "/a")
	s.gets(t, "with unknown members in every answer", "/a")
}
