package authorizationserver

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

var interactionChecks = []check{
	{"GRANT-3.3.3-01", "M", "after success, redirect back with `ticket`", func(s *session, t *trial.Trial) {
		w := s.walked(t, "")
		if parameter(w.away, "ticket") == "" {
			t.Fault(w.messages, "the redirect is to %s", w.away)
		}
	}},
	{"GRANT-3.3.3-02", "MN", "returned ticket differs from the presented one", func(s *session, t *trial.Trial) {
		if w := s.walked(t, ""); parameter(w.away, "ticket") == w.presented {
			t.Fault(w.messages, "it is the same ticket")
		}
	}},
	{"GRANT-3.3.3-03", "M", "`state` returned iff it was sent, unchanged", func(s *session, t *trial.Trial) {
		const state = "a b&c=d/ü%25"
		if w := s.walked(t, state); parameter(w.away, "state") != state {
			t.Fault(w.messages, "the state came back as %q", parameter(w.away, "state"))
		}
		if w := s.walked(t, ""); strings.Contains(w.away, "state=") {
			t.Fault(w.messages, "there is a state, and none was sent")
		}
	}},
	{"GRANT-3.3.2-10", "M", "exact string match with a registered one (RFC 3986 §6.2.1)", exactRedirects},
	{"GRANT-3.3.2-08", "M", "… and must demand it from public clients", func(s *session, t *trial.Trial) {
		s.notSentAway(t, "public", "https://elsewhere.example/claims")
	}},
	{"GRANT-3.3.2-06", "MN", "no fragment", func(s *session, t *trial.Trial) {
		s.notSentAway(t, "c1", s.Clients["c1"].ClaimsRedirectURIs[0]+"#f")
	}},
	{"GRANT-3.3.2-04", "M", "absolute URI", func(s *session, t *trial.Trial) { s.notSentAway(t, "c1", "/claims") }},
	{"GRANT-3.3.2-09", "MN", "never redirect a requesting party to an ordinary `redirect_uris` entry unless it is also registered as a claims redirection URI", func(s *session, t *trial.Trial) {
		c := s.Clients["c1"]
		i := slices.IndexFunc(c.RedirectURIs, func(uri string) bool { return !slices.Contains(c.ClaimsRedirectURIs, uri) })
		if i < 0 {
			t.Skip("c1 has no redirect_uris besides its claims redirection URIs")
		}
		s.notSentAway(t, "c1", c.RedirectURIs[i])
	}},
	{"GRANT-3.3.3-06", "MN", "with a wrong client or redirection URI the requesting party is never redirected", func(s *session, t *trial.Trial) {
		b := s.browser()
		_, away := b.get(t, s.interaction(t, "client_id", "nobody", "ticket", s.ticketFor(t, s.forBob(t), "view"), "claims_redirect_uri", "https://elsewhere.example/claims"))
		if away != "" {
			t.Fault(b.visited, "the requesting party is sent to %s", away)
		}
	}},
	{"GRANT-3.3.2-01", "M", "`client_id` in the query", func(s *session, t *trial.Trial) {
		b := s.browser()
		page, away := b.get(t, s.interaction(t, "ticket", s.ticketFor(t, s.forBob(t), "view"), "claims_redirect_uri", s.Clients["c1"].ClaimsRedirectURIs[0]))
		if away != "" || page.Status < 400 {
			t.Fault(b.visited, "without client_id the answer is %d", page.Status)
		}
	}},
	{"GRANT-3.3.2-02", "M", "`ticket`: newest of the process", func(s *session, t *trial.Trial) {
		id, c := s.forBob(t), s.Clients["c1"]
		spent := s.ticketFor(t, id, "view")
		refused(t, s.redeem(t, "c1", spent), "need_info", "request_submitted")
		b := s.browser()
		_, away := b.walk(t, s.RequestingParties["bob"], false, nil, s.interaction(t, "client_id", c.ID, "ticket", spent, "claims_redirect_uri", c.ClaimsRedirectURIs[0]))
		if parameter(away, "ticket") != "" {
			t.Fault(b.visited, "a spent ticket was taken")
		}
	}},
	{"GRANT-5.1-01", "M", "CSRF protection at the claims interaction endpoint", forged},
	{"GRANT-5.1-02", "M", "a malicious client cannot obtain authorization without the requesting party knowing", func(s *session, t *trial.Trial) {
		c := s.Clients["c1"]
		b := s.browser()
		s.enter(t, b)
		_, away := b.get(t, s.interaction(t, "client_id", c.ID, "ticket", s.ticketFor(t, s.forBob(t), "view"), "claims_redirect_uri", c.ClaimsRedirectURIs[0]))
		if away != "" {
			t.Fault(b.visited, "a person who is signed in is sent back without having been asked")
		}
	}},
	{"GRANT-5.5-03/claims", "M", "a ticket dies at first presentation at the claims endpoint, too", func(s *session, t *trial.Trial) {
		w := s.walked(t, "")
		granted(t, s.redeem(t, "c1", parameter(w.away, "ticket")))
		refused(t, s.redeem(t, "c1", w.presented), "invalid_grant")
		refused(t, s.redeem(t, "c1", parameter(w.away, "ticket")), "invalid_grant")
	}},
	{"SEC-065", "M", "Pages are not to be framed, sniffed or kept", func(s *session, t *trial.Trial) {
		b := s.browser()
		c := s.Clients["c1"]
		page, _ := b.get(t, s.interaction(t, "client_id", c.ID, "ticket", s.ticketFor(t, s.forBob(t), "view"), "claims_redirect_uri", c.ClaimsRedirectURIs[0]))
		for name, part := range map[string]string{"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
			if !strings.Contains(page.Answer.Get(name), part) {
				t.Fault(one(page), "%s is %q", name, page.Answer.Get(name))
			}
		}
	}},
}

// walk is a whole claims interaction of Bob's through c1.
type walked struct {
	presented string
	away      string
	messages  []wire.Message
}

func (s *session) walked(t *trial.Trial, state string) walked {
	id, c := s.forBob(t), s.Clients["c1"]
	w := walked{presented: s.ticketFor(t, id, "view")}
	parameters := []string{"client_id", c.ID, "ticket", w.presented, "claims_redirect_uri", c.ClaimsRedirectURIs[0]}
	if state != "" {
		parameters = append(parameters, "state", state)
	}
	b := s.browser()
	_, w.away = b.walk(t, s.RequestingParties["bob"], false, nil, s.interaction(t, parameters...))
	w.messages = b.visited
	if !strings.HasPrefix(w.away, c.ClaimsRedirectURIs[0]) {
		t.Fault(b.visited, "the claims interaction ends at %q", w.away)
	}
	return w
}

// enter signs Bob in, by a claims interaction.
func (s *session) enter(t *trial.Trial, b *browser) {
	c := s.Clients["c1"]
	_, away := b.walk(t, s.RequestingParties["bob"], false, nil, s.interaction(t, "client_id", c.ID, "ticket", s.ticketFor(t, s.forBob(t), "view"), "claims_redirect_uri", c.ClaimsRedirectURIs[0]))
	if away == "" {
		t.Broken(b.visited, "the claims interaction does not end")
	}
}

func parameter(uri, name string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}

// notSentAway wants a page instead of a redirect to an unregistered URI.
func (s *session) notSentAway(t *trial.Trial, client, uri string) {
	b := s.browser()
	ticket := s.ticketFor(t, s.forBob(t), "view")
	_, away := b.walk(t, s.RequestingParties["bob"], false, nil, s.interaction(t, "client_id", s.Clients[client].ID, "ticket", ticket, "claims_redirect_uri", uri))
	if away != "" {
		t.Fault(b.visited, "the requesting party is sent to %s", away)
	}
}

func exactRedirects(s *session, t *trial.Trial) {
	registered := s.Clients["c1"].ClaimsRedirectURIs[0]
	u, err := url.Parse(registered)
	if err != nil {
		t.Broken(nil, "the fixture's claims redirection URI: %v", err)
	}
	for _, other := range []string{
		registered + "/", registered + "/more", registered + "?x=1", registered + "more", strings.ToUpper(registered), strings.Replace(registered, "https://", "http://", 1),
		"https://" + u.Host + ".elsewhere.example" + u.Path, "https://" + u.Host + "@elsewhere.example" + u.Path, "https://" + u.Host + ":8443" + u.Path,
		"javascript:alert(1)", "data:text/html,x",
	} {
		if !slices.Contains(s.Clients["c1"].ClaimsRedirectURIs, other) {
			s.notSentAway(t, "c1", other)
		}
	}
}

// forged sends the form in which the requesting party agrees as a page of another
// site would: without what the page holds, and saying where it comes from.
func forged(s *session, t *trial.Trial) {
	c := s.Clients["c1"]
	b := s.browser()
	tried := false
	b.walk(t, s.RequestingParties["bob"], false, func(page wire.Message, at string, f form) bool {
		tried = true
		base, err := url.Parse(at)
		if err != nil {
			t.Broken(one(page), "the page is at no URI: %v", err)
		}
		to, err := base.Parse(f.action)
		if err != nil {
			t.Fault(one(page), "the form goes to %q", f.action)
		}
		for what, send := range map[string]func(url.Values, http.Header){
			"without the page's hidden values": func(v url.Values, _ http.Header) {
				for _, name := range f.hidden {
					v.Del(name)
				}
			},
			"from another site": func(v url.Values, h http.Header) {
				for _, name := range f.hidden {
					v.Set(name, "guessed")
				}
				h.Set("Origin", "https://elsewhere.example")
				h.Set("Sec-Fetch-Site", "cross-site")
			},
		} {
			values, header := url.Values{}, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
			for name, list := range f.values {
				values[name] = slices.Clone(list)
			}
			send(values, header)
			m := b.request(t, http.MethodPost, to.String(), header, values.Encode())
			if strings.Contains(m.Answer.Get("Location"), "ticket=") || m.Status < 400 && m.Status >= 300 {
				t.Fault(one(m), "a form that was sent %s was believed", what)
			}
		}
		return true
	}, s.interaction(t, "client_id", c.ID, "ticket", s.ticketFor(t, s.forBob(t), "view"), "claims_redirect_uri", c.ClaimsRedirectURIs[0]))
	if !tried {
		t.Skip("the requesting party is asked nothing in a form")
	}
}

// decoded is what is behind a text in base64url, or nothing.
func decoded(part string) string {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return ""
	}
	return string(raw)
}
