package authorizationserver

import (
	"net/http"
	"slices"
	"strings"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

var claimChecks = []check{
	{"GRANT-3.3.6-07", "M", "need_info has `ticket`", func(s *session, t *trial.Trial) { s.rotated(t, "c1") }},
	{"GRANT-3.3.6-08", "M", "… and `required_claims` or `redirect_user` or both", needInfo},
	{"GRANT-3.3.6-09", "MN", "its ticket differs from the presented one", func(s *session, t *trial.Trial) {
		if presented, next, m := s.rotated(t, "c1"); presented == next {
			t.Fault(one(m), "the ticket of need_info is the one that was presented")
		}
	}},
	{"GRANT-3.3.6-10", "d", "need_info is 403", func(s *session, t *trial.Trial) {
		if _, _, m := s.rotated(t, "c1"); m.Status != http.StatusForbidden {
			t.Fault(one(m), "the status is %d", m.Status)
		}
	}},
	{"GRANT-3.3.6-16", "M", "request_submitted has `ticket`", func(s *session, t *trial.Trial) { s.submitted(t) }},
	{"GRANT-3.3.6-17", "MN", "… different from the presented one", func(s *session, t *trial.Trial) {
		if presented, next, m := s.submitted(t); presented == next {
			t.Fault(one(m), "the ticket of request_submitted is the one that was presented")
		}
	}},
	{"GRANT-3.3.1-06", "M", "`claim_token` is base64url unless its format says otherwise; an ID token is believed", believed},
	{"SEC-045", "M", "A claim token of the algorithm none is not believed", disbelieved("without a signature", func(s *session) string {
		return unsigned(s.claimsOf(s.RequestingParties["bob"], "c1"))
	})},
	{"SEC-045/signature", "M", "A claim token with a broken signature is not believed", disbelieved("with a broken signature", func(s *session) string {
		token := s.idToken(s.claimsOf(s.RequestingParties["bob"], "c1"))
		broken := []byte(token)
		i := strings.LastIndexByte(token, '.') + 10
		broken[i] ^= 1
		return string(broken)
	})},
	{"SEC-046", "M", "A claim token for somebody else is not believed", disbelieved("for another audience", with("aud", "https://elsewhere.example"))},
	{"SEC-046/client", "M", "A claim token for another client is not believed", disbelieved("for another client", func(s *session) string {
		return s.idToken(s.claimsOf(s.RequestingParties["bob"], "c2"))
	})},
	{"SEC-045/issuer", "M", "A claim token of an issuer that nobody trusts is not believed", disbelieved("of another issuer", with("iss", "https://elsewhere.example"))},
	{"SEC-045/expired", "M", "A claim token that has expired is not believed", disbelieved("that has expired", with("exp", 1_000_000_000))},
	{"SEC-045/no-audience", "M", "A claim token without an audience is not believed", disbelieved("without an audience", with("aud", nil))},
	{"SEC-044", "M", "An address that is not verified is nobody's", disbelieved("with an unverified address", with("email_verified", false))},
	{"GRANT-5.2-03", "M", "PCT is bound to the client", pctIsBound},
	{"GRANT-3.3.5-05", "MN", "PCT does not show claims to its holder", pctIsOpaque},
	{"GRANT-3.3.5-04", "M", "PCT unguessable", func(s *session, t *trial.Trial) {
		if pct, m := s.pct(t); len(pct) < 22 {
			t.Fault(one(m), "the PCT has %d characters", len(pct))
		}
	}},
}

// forBob is a resource of Alice's that is for Bob.
func (s *session) forBob(t *trial.Trial) string {
	id := s.register(t, "alice@rs1", "view")
	s.share(t, id, []string{"view"}, toBob(s.Fixture))
	return id
}

func needInfo(s *session, t *trial.Trial) {
	_, _, m := s.rotated(t, "c1")
	o := object(t, m)
	if text(o, "error") != "need_info" {
		t.Skip("the server submits the request instead of asking for claims")
	}
	list, _ := o["required_claims"].([]any)
	if len(list) == 0 && text(o, "redirect_user") == "" {
		t.Fault(one(m), "it says neither which claims nor where to bring the requesting party")
	}
}

// submitted has the owner asked.
func (s *session) submitted(t *trial.Trial) (presented, next string, m wire.Message) {
	id := s.register(t, "alice@rs1", "view")
	conditions := toBob(s.Fixture)
	conditions["approval"] = "ask"
	s.share(t, id, []string{"view"}, conditions)
	presented = s.ticketFor(t, id, "view")
	bob := s.idToken(s.claimsOf(s.RequestingParties["bob"], "c1"))
	m = s.redeem(t, "c1", presented, pushed(bob)...)
	next = text(refused(t, m, "request_submitted"), "ticket")
	if next == "" {
		t.Fault(one(m), "there is no ticket to come again with")
	}
	return presented, next, m
}

func believed(s *session, t *trial.Trial) {
	id := s.forBob(t)
	bob := s.idToken(s.claimsOf(s.RequestingParties["bob"], "c1"))
	m := s.redeem(t, "c1", s.ticketFor(t, id, "view"), pushed(bob)...)
	if permits, shown := s.permits(t, "alice@rs1", text(granted(t, m), "access_token")); !slices.Contains(permits[id], "view") {
		t.Fault([]wire.Message{m, shown}, "the RPT permits %v", permits)
	}
	carlos := s.idToken(s.claimsOf(s.RequestingParties["carlos"], "c1"))
	refused(t, s.redeem(t, "c1", s.ticketFor(t, id, "view"), pushed(carlos)...), "need_info", "request_denied", "request_submitted")
}

// with changes one claim of a good token about Bob; nil removes it.
func with(name string, value any) func(s *session) string {
	return func(s *session) string {
		claims := s.claimsOf(s.RequestingParties["bob"], "c1")
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
		return s.idToken(claims)
	}
}

// disbelieved wants a claim token to have no effect.
func disbelieved(what string, token func(s *session) string) func(*session, *trial.Trial) {
	return func(s *session, t *trial.Trial) {
		m := s.redeem(t, "c1", s.ticketFor(t, s.forBob(t), "view"), pushed(token(s))...)
		if m.Status == http.StatusOK {
			t.Fault(one(m), "a claim token %s was believed", what)
		}
		refused(t, m, "need_info", "request_denied", "request_submitted", "invalid_request", "invalid_grant")
	}
}

// pct lets Bob agree to be remembered by c1.
func (s *session) pct(t *trial.Trial) (string, wire.Message) {
	id, c := s.forBob(t), s.Clients["c1"]
	b := s.browser()
	_, away := b.walk(t, s.RequestingParties["bob"], true, nil, s.interaction(t, "client_id", c.ID, "ticket", s.ticketFor(t, id, "view"), "claims_redirect_uri", c.ClaimsRedirectURIs[0]))
	ticket := parameter(away, "ticket")
	if ticket == "" {
		t.Broken(b.visited, "the claims interaction ends without a ticket")
	}
	m := s.redeem(t, "c1", ticket)
	pct := text(granted(t, m), "pct")
	if pct == "" {
		t.Skip("the server issues no PCT")
	}
	return pct, m
}

func pctIsBound(s *session, t *trial.Trial) {
	pct, _ := s.pct(t)
	id := s.forBob(t)
	m := s.redeem(t, "c2", s.ticketFor(t, id, "view"), "pct", pct)
	if m.Status == http.StatusOK {
		t.Fault(one(m), "another client's PCT was believed")
	}
	granted(t, s.redeem(t, "c1", s.ticketFor(t, id, "view"), "pct", pct))
}

func pctIsOpaque(s *session, t *trial.Trial) {
	pct, m := s.pct(t)
	for _, part := range strings.Split(pct, ".") {
		if plain := decoded(part); strings.Contains(plain, "email") || strings.Contains(plain, s.RequestingParties["bob"].Email) {
			t.Fault(one(m), "the PCT shows claims")
		}
	}
}
