package client

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	if !slices.ContainsFunc(s.asked(s.as), func(m wire.Message) bool { f, _ := m.Form(); return f.Get("claim_token") != "" }) && !s.web {
		t.Fault(s.asked(s.as), "the claim %q was asked for, and no claim token was pushed", s.fixture.ClaimName)
	}
}

func notUpgraded(s *stage, t *trial.Trial) {
	s.fetch(t, "/a", "/b", "/a")
	s.gets(t, "one RPT for each page", "/a", "/b")
	delivered := 0
	for _, m := range s.log.Since(0, api, "/a") {
		if m.Status == http.StatusOK {
			delivered++
		}
	}
	if delivered != 2 {
		t.Fault(s.all(), "a second RPT without upgraded makes the client lose the first: /a was asked for twice and delivered %d times", delivered)
	}
}

func upgraded(s *stage, t *trial.Trial) {
	var old string
	mark := 0
	s.set(func() {
		s.as.steps = []step{success, func(d *double, w http.ResponseWriter, form url.Values, t *ticket) {
			if old = form.Get("rpt"); old == "" {
				success(d, w, form, t)
				return
			}
			o := d.rpt(append(slices.Clone(d.good[old]), t.page)...)
			o["upgraded"] = true
			mark = d.log.Mark()
			d.say(w, http.StatusOK, o)
		}}
	})
	s.fetch(t, "/a", "/b", "/a")
	s.gets(t, "with an upgraded RPT", "/a", "/b")
	if old == "" {
		t.Skip("the client asks for no upgrade")
	}
	for _, m := range s.log.Since(mark, api, "") {
		if m.Asks(old) {
			t.Fault([]wire.Message{m}, "the old RPT is shown after it was upgraded into another string")
		}
	}
}

// interval is measured at the double: from the answer that named it to the next
// request.
func interval(s *stage, t *trial.Trial) {
	const seconds = 2
	s.set(func() { s.as.steps = []step{submitted(seconds)} })
	s.fetch(t, "/a")
	list := s.asked(s.as)
	for i := 1; i < len(list); i++ {
		if pause := list[i].Came.Sub(list[i-1].Left); pause < seconds*time.Second && strings.Contains(list[i-1].AnswerBody, "interval") {
			t.Fault(list[i-1:i+1], "the interval is %d seconds and the client polls after %s", seconds, pause.Round(time.Millisecond))
		}
	}
}

// rpts are all that the doubles gave out.
func (s *stage) rpts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for rpt := range s.good {
		out = append(out, rpt)
	}
	return out
}

func bearerHeader(s *stage, t *trial.Trial) {
	s.fetch(t, "/a")
	s.gets(t, "with a bearer RPT", "/a")
	for _, m := range s.all() {
		for _, rpt := range s.rpts() {
			if strings.Contains(m.Target, rpt) || m.To == api && strings.Contains(m.Body, rpt) {
				t.Fault([]wire.Message{m}, "an RPT is in a URL or in a body")
			}
		}
	}
}

func unknownType(s *stage, t *trial.Trial) {
	s.set(func() {
		s.as.steps = []step{func(d *double, w http.ResponseWriter, _ url.Values, t *ticket) {
			o := d.rpt(t.page)
			o["token_type"] = "x-unknown"
			d.say(w, http.StatusOK, o)
		}}
	})
	s.fetch(t, "/a")
	first := s.asked(s.as)
	if len(first) == 0 {
		t.Broken(s.all(), "the client does not ask for a token")
	}
	for _, m := range s.log.Since(0, api, "") {
		for _, rpt := range s.rpts() {
			if m.Asks(rpt) && strings.Contains(first[0].AnswerBody, rpt) {
				t.Fault([]wire.Message{first[0], m}, "a token of the type x-unknown is used as a bearer token")
			}
		}
	}
}

// rptElsewhere leads the client away with its RPT: by a redirect of the API to
// another origin, and by a challenge that names another authorization server.
func rptElsewhere(s *stage, t *trial.Trial) {
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		s.set(func() {
			s.answer = func(w http.ResponseWriter, page, rpt string) bool {
				if rpt == "" {
					return false
				}
				w.Header().Set("Location", s.other.issuer+page)
				w.WriteHeader(status)
				return true
			}
		})
		s.fetch(t, "/"+fmt.Sprint(status))
		s.told(t, stranger, "by a redirect of the API", s.rpts()...)
	}
	s.set(func() {
		s.answer = nil
		s.challenge = func(w http.ResponseWriter, page string) {
			if page == "/b" {
				challengeFor(w, s.other, page)
				return
			}
			challengeFor(w, s.as, page)
		}
	})
	s.fetch(t, "/a", "/b")
	s.gets(t, "at the trusted authorization server", "/a")
	s.told(t, stranger, "as an RPT to upgrade", s.rptsFrom(s.as)...)
}

// rptsFrom are the RPTs that one double gave out.
func (s *stage) rptsFrom(d *double) []string {
	return slices.DeleteFunc(s.rpts(), func(rpt string) bool {
		return !slices.ContainsFunc(s.asked(d), func(m wire.Message) bool { return strings.Contains(m.AnswerBody, rpt) })
	})
}

// remembering gives a PCT with the RPT.
func remembering(d *double, w http.ResponseWriter, _ url.Values, t *ticket) {
	o := d.rpt(t.page)
	pct := "pct-" + rand.Text()
	d.pcts = append(d.pcts, pct)
	o["pct"] = pct
	d.say(w, http.StatusOK, o)
}

func pctElsewhere(s *stage, t *trial.Trial) {
	s.set(func() {
		s.as.steps = []step{remembering, remembering}
		s.challenge = func(w http.ResponseWriter, page string) {
			if page == "/c" {
				challengeFor(w, s.other, page)
				return
			}
			challengeFor(w, s.as, page)
		}
	})
	s.fetch(t, "/a", "/b", "/c")
	s.gets(t, "with a PCT", "/a", "/b")
	s.mu.Lock()
	pcts := slices.Clone(s.pcts)
	s.mu.Unlock()
	s.told(t, stranger, "as if it was for any authorization server", pcts...)
	s.told(t, api, "who is not to know it", pcts...)
	for _, m := range s.all() {
		for _, pct := range pcts {
			if strings.Contains(m.Target, pct) {
				t.Fault([]wire.Message{m}, "a PCT is in a URL")
			}
		}
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

// untrusted has the API name the stranger.
func untrusted(s *stage, t *trial.Trial) {
	if s.fixture.Client.Secret == "" && !s.fixture.PushesClaims {
		t.Skip("the client has neither a secret nor claims")
	}
	s.set(func() {
		s.other.steps = []step{needInfo, needInfo}
		s.challenge = func(w http.ResponseWriter, page string) { challengeFor(w, s.other, page) }
	})
	s.fetch(t, "/a")
	s.told(t, stranger, "because the API named it")
}

func redirectedToken(s *stage, t *trial.Trial) {
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		s.set(func() {
			s.as.script.token = func(w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Location", s.other.issuer+pathToken)
				w.WriteHeader(status)
				return true
			}
		})
		s.fetch(t, "/"+fmt.Sprint(status))
		s.told(t, stranger, "by a redirect of the token endpoint", tickets(s.asked(s.as))...)
	}
}

// plainEndpoint declares a token endpoint over plain http on an address that is
// not loopback.
func plainEndpoint(s *stage, t *trial.Trial) {
	host, ok := wire.NotLoopback()
	if !ok {
		t.Skip("this machine has no address besides loopback to try it on")
	}
	elsewhere, err := wire.Serve(host+":0", subject, stranger, &s.log, http.NotFoundHandler())
	if err != nil {
		t.Skip("nothing can listen on %s: %s", host, err)
	}
	defer elsewhere.Close()
	s.set(func() {
		s.as.script.metadata = func(o map[string]any) {
			o["token_endpoint"], o["claims_interaction_endpoint"] = elsewhere.URL+pathToken, elsewhere.URL+pathInteract
		}
	})
	s.fetch(t, "/a")
	var all []string
	s.set(func() {
		for value := range s.as.tickets {
			all = append(all, value)
		}
	})
	s.told(t, stranger, "over plain http", all...)
}

func otherIssuer(s *stage, t *trial.Trial) {
	for _, wrong := range []struct {
		name   string
		issuer any
	}{
		{"another", s.other.issuer}, {"one with a slash more", s.as.issuer + "/"}, {"one in another case", strings.ToUpper(s.as.issuer)},
		{"none", nil}, {"an empty one", ""},
	} {
		s.set(func() {
			s.as.script.metadata = func(o map[string]any) {
				if o["issuer"] = wrong.issuer; wrong.issuer == nil {
					delete(o, "issuer")
				}
			}
		})
		s.fetch(t, "/a")
		if list := append(s.asked(s.as), s.asked(s.other)...); len(list) > 0 {
			t.Fault(list, "the issuer of the discovery document is %s, and the client asks for a token", wrong.name)
		}
	}
}
