package client

import (
	"encoding/base64"
	"net/http"
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
	{"GRANT-5-01/redirect_user", "M", "A person is not sent over plain http that leaves the machine, ticket in hand", true, plainRedirectUser},
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

func plainRedirectUser(s *stage, t *trial.Trial) {
	elsewhere := s.outside(t)
	defer elsewhere.Close()
	var sent string
	s.set(func() {
		s.as.steps = []step{func(d *double, w http.ResponseWriter, _ url.Values, t *ticket) {
			sent = d.newTicket(t.page)
			o := d.info(sent)
			o["redirect_user"] = elsewhere.URL + pathGather
			d.say(w, http.StatusForbidden, o)
		}}
	})
	s.browse(t, newBrowser(), "/a")
	if sent == "" {
		t.Broken(s.all(), "the client does not ask for a token")
	}
	s.told(t, stranger, "over plain http", sent)
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
