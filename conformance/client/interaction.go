package client

import (
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

// interactionChecks are about the way of a person to the claims interaction
// endpoint and back.
var interactionChecks = []check{
	{"GRANT-C-3.3.2-01", "M", "The person is sent with client_id, ticket and claims_redirect_uri; the endpoint keeps its own query", true, sentParameters},
	{"GRANT-2-06", "d", "redirect_user takes precedence over the static claims interaction endpoint", true, redirectUser},
	{"GRANT-C-3.3.2-03", "S", "state is sent", true, stateSent},
	{"GRANT-C-5.1-03", "M", "state is unguessable", true, stateUnguessable},
	{"GRANT-C-5.1-06", "SN", "state has nothing sensitive in clear text", true, stateInClear},
	{"GRANT-C-5.1-04", "M", "The state that comes back is compared with the one that was sent", true, wrongState},
	{"GRANT-C-5.1-05", "M", "A state that is missing or unknown is an error", true, unknownState},
	{"SEC-064", "M", "A state is good once", true, replayedState},
	{"GRANT-C-5.1-01", "M", "The claims redirection URI is protected against CSRF: a state is good in the browser that it was made for", true, otherBrowser},
	{"SEC-085", "M", "An answer whose iss is missing though announced, or another's, is refused (RFC 9207)", true, wrongIssuer},
	{"GRANT-C-5.5-01/callback", "S", "A ticket that comes back unchanged is not accepted", true, unchangedTicket},
	{"GRANT-C-3.3.3-01", "M", "Unknown parameters of the redirect back are ignored", true, unknownParameters},
	{"GRANT-C-3.3.1-03", "M", "What is kept of one person is not used for another", true, peopleApart},
}

// sent are the requests with which people came to the claims interaction
// endpoint.
func (s *stage) sent() []wire.Message {
	return append(s.log.Since(0, server, pathGather), s.log.Since(0, server, pathInteract)...)
}

// gathers has the authorization server want to see the person, and the person
// ask for a page. It returns the request with which the person came.
func (s *stage) gathers(t *trial.Trial, b browser, page string) wire.Message {
	before := len(s.sent())
	s.set(func() { s.as.steps = []step{needInfo} })
	s.browse(t, b, page)
	list := s.sent()
	if len(list) == before {
		t.Broken(s.all(), "the client does not send the person to the claims interaction endpoint")
	}
	return list[len(list)-1]
}

func sentParameters(s *stage, t *trial.Trial) {
	m := s.gathers(t, newBrowser(), "/a")
	q := m.Query()
	switch {
	case q.Get("client_id") != s.fixture.Client.ID:
		t.Fault([]wire.Message{m}, "client_id is %q", q.Get("client_id"))
	case q.Has("claims_redirect_uri") && q.Get("claims_redirect_uri") != s.fixture.Client.ClaimsRedirectURI:
		t.Fault([]wire.Message{m}, "claims_redirect_uri is %q, and %q is registered", q.Get("claims_redirect_uri"), s.fixture.Client.ClaimsRedirectURI)
	case m.Path() == pathGather && q.Get("own") != "1+1":
		t.Fault([]wire.Message{m}, "the endpoint's own query is lost")
	}
	for name, values := range q {
		if len(values) > 1 {
			t.Fault([]wire.Message{m}, "%s is there %d times", name, len(values))
		}
	}
	s.faulty(t, "GRANT-C-3.3.1-01")
	s.gets(t, "with the ticket that came back", "/a")
}

func redirectUser(s *stage, t *trial.Trial) {
	if m := s.gathers(t, newBrowser(), "/a"); m.Path() != pathGather {
		t.Fault([]wire.Message{m}, "redirect_user names another address")
	}
}

func stateSent(s *stage, t *trial.Trial) {
	if m := s.gathers(t, newBrowser(), "/a"); m.Query().Get("state") == "" {
		t.Fault([]wire.Message{m}, "there is no state")
	}
}

// states collects the states of several processes.
func (s *stage) states(t *trial.Trial) []string {
	var out []string
	for _, page := range []string{"/a", "/b", "/c", "/d"} {
		state := s.gathers(t, newBrowser(), page).Query().Get("state")
		if state == "" {
			t.Broken(s.sent(), "there is no state to look at")
		}
		out = append(out, state)
	}
	return out
}

func stateUnguessable(s *stage, t *trial.Trial) {
	list := s.states(t)
	for i, state := range list {
		// 128 bits take 22 letters of base64url.
		if len(state) < 22 {
			t.Fault(s.sent(), "a state of %d letters can be guessed", len(state))
		}
		for _, other := range list[:i] {
			same := 0
			for k := range min(len(state), len(other)) {
				if state[k] == other[k] {
					same++
				}
			}
			if len(state)-same < 16 {
				t.Fault(s.sent(), "two states differ in %d letters only", len(state)-same)
			}
		}
	}
}

func stateInClear(s *stage, t *trial.Trial) {
	for i, state := range s.states(t) {
		texts := []string{state}
		for _, encoding := range []*base64.Encoding{base64.RawURLEncoding, base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding} {
			for _, part := range append(strings.Split(state, "."), state) {
				if raw, err := encoding.DecodeString(part); err == nil {
					texts = append(texts, string(raw))
				}
			}
		}
		m := s.sent()[i]
		for _, text := range texts {
			if strings.Contains(text, m.Query().Get("ticket")) || strings.Contains(text, "http") && strings.Contains(text, "://") {
				t.Fault([]wire.Message{m}, "the state tells a ticket or an address")
			}
		}
	}
}

// unredeemed checks that a ticket that came back in a wrong way was not used.
func (s *stage) unredeemed(t *trial.Trial, what, ticket string) {
	if ticket == "" {
		t.Broken(s.all(), "%s: nobody came back", what)
	}
	for _, m := range s.asked(s.as) {
		if form, _ := m.Form(); form.Get("ticket") == ticket {
			t.Fault(append(s.sent(), m), "%s: the ticket is used", what)
		}
	}
}

// returns has the person come back with changed parameters, and checks that
// their ticket is not used.
func (s *stage) returns(t *trial.Trial, what, page string, change func(url.Values)) {
	var ticket string
	s.set(func() {
		s.as.script.back = func(back url.Values) {
			change(back)
			ticket = back.Get("ticket")
		}
	})
	s.gathers(t, newBrowser(), page)
	s.unredeemed(t, what, ticket)
}

func wrongState(s *stage, t *trial.Trial) {
	s.returns(t, "a state with a letter more", "/a", func(back url.Values) { back.Set("state", back.Get("state")+"A") })
	s.returns(t, "a state with a letter less", "/b", func(back url.Values) {
		state := back.Get("state")
		back.Set("state", state[:max(0, len(state)-1)])
	})
	var first string
	s.returns(t, "another process's state", "/c", func(back url.Values) { first = back.Get("state"); back.Set("state", rand.Text()) })
	s.returns(t, "another person's state", "/d", func(back url.Values) { back.Set("state", first) })
}

func unknownState(s *stage, t *trial.Trial) {
	s.returns(t, "no state", "/a", func(back url.Values) { back.Del("state") })
	s.returns(t, "an empty state", "/b", func(back url.Values) { back.Set("state", "") })
	s.returns(t, "an unknown state", "/c", func(back url.Values) { back.Set("state", rand.Text()+rand.Text()) })
}

// callback is the address with which a person would come back.
func (s *stage) callback(m wire.Message, page string) (address, ticket string) {
	s.set(func() { ticket = s.as.newTicket(page) })
	u, err := url.Parse(s.fixture.Client.ClaimsRedirectURI)
	if err != nil {
		return "", ticket
	}
	q := u.Query()
	q.Set("ticket", ticket)
	q.Set("state", m.Query().Get("state"))
	q.Set("iss", s.as.issuer)
	u.RawQuery = q.Encode()
	return u.String(), ticket
}

func replayedState(s *stage, t *trial.Trial) {
	b := newBrowser()
	m := s.gathers(t, b, "/a")
	s.gets(t, "with the right state", "/a")
	address, ticket := s.callback(m, "/a")
	b.visit(t, address)
	s.unredeemed(t, "a state that was used before", ticket)
}

// otherBrowser: the attacker begins, and the victim's browser is made to come
// back in the attacker's stead (Grant 5.1).
func otherBrowser(s *stage, t *trial.Trial) {
	s.set(func() { s.as.script.wait = true })
	attacker, victim := newBrowser(), newBrowser()
	m := s.gathers(t, attacker, "/a")
	address, ticket := s.callback(m, "/a")
	victim.visit(t, address)
	s.unredeemed(t, "the state of another browser", ticket)

	// The victim uses the application, too.
	m = s.gathers(t, attacker, "/b")
	s.gathers(t, victim, "/b")
	address, ticket = s.callback(m, "/b")
	victim.visit(t, address)
	s.unredeemed(t, "the state of another browser's process", ticket)
}

func wrongIssuer(s *stage, t *trial.Trial) {
	s.returns(t, "another's iss", "/a", func(back url.Values) { back.Set("iss", s.other.issuer) })
	s.returns(t, "an iss with a slash more", "/b", func(back url.Values) { back.Set("iss", s.as.issuer+"/") })
	s.returns(t, "no iss though it is announced", "/c", func(back url.Values) { back.Del("iss") })
}

func unchangedTicket(s *stage, t *trial.Trial) {
	var sent string
	s.set(func() {
		s.as.script.back = func(back url.Values) {
			sent = s.as.tickets[back.Get("ticket")].before
			s.as.tickets[sent].spent = false
			back.Set("ticket", sent)
		}
	})
	s.gathers(t, newBrowser(), "/a")
	s.unredeemed(t, "the ticket that the person was sent away with", sent)
}

func unknownParameters(s *stage, t *trial.Trial) {
	s.set(func() { s.as.script.extend = true })
	s.gathers(t, newBrowser(), "/a")
	s.gets(t, "with an unknown parameter", "/a")
}

// peopleApart has two people at two browsers.
func peopleApart(s *stage, t *trial.Trial) {
	first, second := newBrowser(), newBrowser()
	s.set(func() { s.as.steps = []step{remembering, remembering} })
	s.browse(t, first, "/a")
	s.gets(t, "for the first person", "/a")
	rpts := s.rpts()
	mark := s.log.Mark()
	s.browse(t, second, "/a")
	s.browse(t, second, "/b")
	for _, m := range s.log.Since(mark, "", "") {
		s.mu.Lock()
		pct := s.pcts[0]
		s.mu.Unlock()
		if m.Asks(pct) {
			t.Fault([]wire.Message{m}, "the PCT of one person is used for another")
		}
		if slices.ContainsFunc(rpts, m.Asks) {
			t.Fault([]wire.Message{m}, "the RPT of one person is used for another")
		}
	}
}
