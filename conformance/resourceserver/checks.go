package resourceserver

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

// check is one named check.
type check struct {
	id, level, requirement string
	run                    func(*session, *trial.Trial)
}

// checks are all checks in their order. The levels are those of
// docs/spec/requirements.tsv.
var checks = []check{
	{"GRANT-3.2-01", "M", "A request without an RPT makes the resource server get a permission ticket and put it into its answer", firstTicket},
	{"GRANT-3.2.1-01", "d", "The answer is 401 with a WWW-Authenticate challenge of the scheme UMA", umaScheme},
	{"GRANT-3.2.1-02", "d", "as_uri is the issuer of the authorization server", asURI},
	{"GRANT-3.2.1-03", "d", "ticket is the ticket that the authorization server handed out", sameTicket},
	{"GRANT-3.2.1-05", "S", "The ticket is not in the body", noTicketInBody},
	{"GRANT-3.2-02", "S", "The permission request asks for the scopes that the operation takes", reasonableScopes},
	{"GRANT-3.2-03", "d", "Owner, PAT and resource are derived from the request", ownersApart},
	{"FED-RS-1.3-01", "M", "The PAT is used as a bearer token in the Authorization header", patInHeader},
	{"FED-RS-4.1-01", "M", "Resource ids and scopes of a permission request were registered before", registeredBefore},
	{"FED-3.1-01", "M", "A resource description has resource_scopes, an array of strings", descriptions},
	{"FED-RS-4-04", "d", "Every refusal has a permission request and a ticket of its own", ownTickets},
	{"GRANT-3.2.2-01", "d", "When no ticket can be got the answer is 403 with the Warning header, without a UMA challenge", unreachable},
	{"GRANT-3.4-01", "d", "An RPT is accepted as a bearer token", bearerAccepted},
	{"GRANT-3.5-01", "d", "A request whose RPT is not good for it is answered as one without a token: 401 and a fresh ticket", refusedWithTicket},
	{"GRANT-3.5-02", "MN", "No access with an invalid or insufficient RPT", noAccess},
	{"FED-5.1.1-07", "d", "Of the token's and the permission's times the stricter count", stricterTimes},
	{"FED-RS-5-01", "O", "A remembered introspection serves no longer than documented, and never past the end of a permission", remembered},
	{"FED-RS-5-02", "d", "Introspection is asked for at the declared endpoint, with the PAT of the resource's owner", introspected},
	{"GEN-1.1-03", "S", "Members that nobody knows are ignored", unknownMembers},
	{"GRANT-2-04", "M", "A discovery document of another issuer is refused", otherIssuer},
	{"FED-1.3-01", "M", "The protection API is spoken to over TLS", plainEndpoints},
	{"FED-1.3-02", "M", "A PAT goes to the declared endpoints and nowhere else: redirects are not followed with it", redirectedPAT},
	{"SEC-032", "M", "What an answer to anybody says tells neither credentials nor the owner", nothingTold},
	{"SEC-057", "M", "A path in another spelling is decided as the plain one or refused", otherSpellings},
	{"SEC-059", "M", "A remembered answer about an RPT is compared with every request anew", comparedAnew},
	{"GRANT-3.5-02/credentials", "M", "Broken credentials are refused and cause no fault of the server", brokenCredentials},
}

func firstTicket(s *session, t *trial.Trial) {
	learned := s.learn(t, s.Read)
	v := s.call(t, s.Read, "")
	if len(v.tickets) == 0 || !v.answer.Tells(v.tickets[len(v.tickets)-1].value) {
		t.Fault(v.messages(), "the answer does not carry the ticket of this request")
	}
	if v.tickets[0].value == learned.value {
		t.Broken(v.messages(), "the double repeats itself")
	}
}

func umaScheme(s *session, t *trial.Trial) {
	v := s.call(t, s.Read, "")
	if v.answer.Status != http.StatusUnauthorized || len(wire.UMA(v.answer.Answer)) != 1 {
		t.Fault(v.messages(), "the answer is %d with %d UMA challenges", v.answer.Status, len(wire.UMA(v.answer.Answer)))
	}
}

// theChallenge returns the one challenge of a request without a token.
func (s *session) theChallenge(t *trial.Trial) (wire.Challenge, visit) {
	v := s.call(t, s.Read, "")
	list := wire.UMA(v.answer.Answer)
	if len(list) != 1 {
		t.Broken(v.messages(), "there is no UMA challenge to look at")
	}
	return list[0], v
}

func asURI(s *session, t *trial.Trial) {
	c, v := s.theChallenge(t)
	if got := c.Parameters["as_uri"]; got != s.double.issuer {
		t.Fault(v.messages(), "as_uri is %q, and the issuer to the letter is %q", got, s.double.issuer)
	}
}

func sameTicket(s *session, t *trial.Trial) {
	c, v := s.theChallenge(t)
	if len(v.tickets) == 0 || c.Parameters["ticket"] != v.tickets[len(v.tickets)-1].value || c.Twice != "" {
		t.Fault(v.messages(), "the ticket %q of the challenge is not the one that was handed out for this request", c.Parameters["ticket"])
	}
}

func noTicketInBody(s *session, t *trial.Trial) {
	v := s.call(t, s.Read, "")
	for _, ticket := range v.tickets {
		if strings.Contains(v.answer.AnswerBody, ticket.value) {
			t.Fault(v.messages(), "the ticket is in the body, too")
		}
	}
}

func reasonableScopes(s *session, t *trial.Trial) {
	compared := false
	for _, r := range []*Request{s.Read, s.Write, s.Other, s.Foreign} {
		if r == nil || len(r.Scopes) == 0 {
			continue
		}
		compared = true
		var got []string
		for _, a := range s.learn(t, r).asked {
			got = append(got, a.Scopes...)
		}
		slices.Sort(got)
		want := slices.Sorted(slices.Values(r.Scopes))
		if got = slices.Compact(got); !slices.Equal(got, want) {
			requests := s.double.log.Since(0, server, pathPermission)
			t.Fault(requests[len(requests)-1:], "%s %s asks for %s, and its documentation says %s", r.Method, r.Path, quote(got), quote(want))
		}
	}
	if !compared {
		t.Skip("the fixture does not say which scopes the requests take")
	}
}

func ownersApart(s *session, t *trial.Trial) {
	foreign := need(t, s.Foreign, "foreign")
	mine, theirs := s.learn(t, s.Read), s.learn(t, foreign)
	if mine.owner != s.Read.Owner || theirs.owner != foreign.Owner {
		t.Fault(s.double.log.Since(0, server, pathPermission), "permission for %s was asked for with the PAT of %q, and for %s with that of %q",
			s.Read.Path, mine.owner, foreign.Path, theirs.owner)
	}
	for _, a := range mine.asked {
		if slices.ContainsFunc(theirs.asked, func(b asked) bool { return a.Resource == b.Resource }) {
			t.Fault(nil, "%s and %s are the same resource", s.Read.Path, foreign.Path)
		}
	}
}

// unfaulted walks through the ordinary ways and looks whether the double noticed
// a fault of a requirement, now or at the start.
func (s *session) unfaulted(t *trial.Trial, id string) {
	all := slices.DeleteFunc([]*Request{s.Read, s.Write, s.Other, s.Foreign}, func(r *Request) bool { return r == nil })
	for _, r := range all {
		s.call(t, r, "")
		s.call(t, r, "rpt-"+rand.Text())
	}
	if sentence, messages, found := s.double.faulty(id, 0); found {
		t.Fault(messages, "%s", sentence)
	}
	for _, r := range all {
		s.admit(t, r)
	}
}

func patInHeader(s *session, t *trial.Trial) {
	s.unfaulted(t, "FED-RS-1.3-01")
	for _, m := range s.double.log.Since(0, server, "") {
		if pat := m.Bearer(); pat != "" && (strings.Contains(m.Target, pat) || strings.Contains(m.Body, pat)) {
			t.Fault([]wire.Message{m}, "the PAT is in the URL or in the body")
		}
	}
}

func registeredBefore(s *session, t *trial.Trial) { s.unfaulted(t, "FED-RS-4.1-01") }

func descriptions(s *session, t *trial.Trial) { s.unfaulted(t, "FED-3.1-01") }

// ownTickets asks in a row and at once: a ticket is for one client alone, and a
// resource server that hands one out twice makes two clients fight over it.
func ownTickets(s *session, t *trial.Trial) {
	s.learn(t, s.Read)
	seen := map[string]bool{}
	for range 3 {
		v := s.call(t, s.Read, "")
		got := s.challenged(t, v, "one request after the other")
		if seen[got] {
			t.Fault(v.messages(), "two answers have the same ticket")
		}
		seen[got] = true
	}
	const parallel = 12
	answers := make([]wire.Message, parallel)
	failures := make([]error, parallel)
	var all sync.WaitGroup
	for i := range parallel {
		all.Go(func() {
			answers[i], failures[i] = wire.Call{Method: s.Read.Method, Base: s.API, Target: s.Read.Path, Body: s.Read.Body}.Do(t.Context, client, api)
		})
	}
	all.Wait()
	for i, m := range answers {
		list := wire.UMA(m.Answer)
		if failures[i] != nil || len(list) != 1 {
			t.Fault([]wire.Message{m}, "one of %d requests at once has no challenge", parallel)
		}
		got := list[0].Parameters["ticket"]
		if seen[got] {
			t.Fault([]wire.Message{m}, "two of %d requests at once have the same ticket", parallel)
		}
		seen[got] = true
	}
}

func bearerAccepted(s *session, t *trial.Trial) {
	rpt, _, v := s.admit(t, s.Read)
	if !slices.ContainsFunc(v.heard, func(m wire.Message) bool { return m.Path() == pathIntrospect && m.Asks(rpt) }) {
		t.Fault(v.messages(), "the RPT is accepted and the authorization server was not asked about it")
	}
	if again := s.send(t, s.Read, s.Read.Path, http.Header{"Authorization": {"bearer " + rpt}}); !again.granted() {
		t.Fault(again.messages(), "the name of the scheme is case-insensitive (RFC 9110 11.1)")
	}
}

// introspected looks at how the double is asked about an RPT.
func introspected(s *session, t *trial.Trial) {
	_, before := s.double.counts()
	for _, r := range []*Request{s.Read, s.Foreign} {
		if r == nil {
			continue
		}
		rpt, learned, v := s.admit(t, r)
		for _, m := range v.heard {
			if m.Path() != pathIntrospect {
				continue
			}
			if got := posted(m).Get("token"); got != rpt {
				t.Fault([]wire.Message{m}, "the token %q is asked about and %q was shown", got, rpt)
			}
			s.double.mu.Lock()
			owner := s.double.pats[m.Bearer()]
			s.double.mu.Unlock()
			if owner != learned.owner {
				t.Fault([]wire.Message{m}, "an RPT for a resource of %q is asked about with the PAT of %q", learned.owner, owner)
			}
		}
	}
	if sentence, messages, found := s.double.faulty("FED-RS-5-02", before); found {
		t.Fault(messages, "%s", sentence)
	}
}
