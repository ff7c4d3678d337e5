package client

import (
	"crypto/rand"
	"net/url"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

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
