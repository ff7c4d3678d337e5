package authorizationserver

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/licet/licet/conformance/internal/trial"
	"github.com/licet/licet/conformance/internal/wire"
)

var grantChecks = []check{
	{"GRANT-3.3.5-01", "d", "Success is a token response without a ticket", grantsAnRPT},
	{"GRANT-3.3.1-11", "M", "A client-requested scope only counts when the client is pre-registered for it", scopesOfTheClient},
	{"GRANT-3.3.4-01", "M", "AS decides by a calculation equivalent to the one given (per resource: ticket scopes ∪ (registered ∩ requested))", calculates},
	{"GRANT-3.3.4-01/part", "M", "What nobody granted is in no RPT", grantsNoMore},
	{"GRANT-3.3.5-07", "M", "if the request carried an `rpt` and its permissions were included, `upgraded` = JSON `true`", upgrades},
	{"GRANT-3.3.5-07/else", "M", "`upgraded` is not true where nothing was upgraded", upgradesNothing},
	{"GRANT-5.5-03", "M", "a ticket dies at first presentation at the token endpoint or the claims endpoint", diesAtEither},
	{"SEC-005", "M", "Of many presentations of one ticket at the same time one is accepted", race},
	{"SEC-001", "M", "Tickets are not guessable: long, and no two alike", tickets},
	{"GRANT-5.4-01", "M", "tickets and PCTs not guessable (RFC 6749 §10.10: ≤2⁻¹²⁸ required, ≤2⁻¹⁶⁰ advised)", tickets},
	{"SEC-008", "M", "A ticket that was rotated for one client is of no use to another", rotatedForAnother},
	{"SEC-009", "M", "A ticket is taken as a whole and in one spelling", spellings},
	{"SEC-040", "M", "A resource without any policy is permitted to nobody", noPolicy},
	{"SEC-040/zero", "M", "A permission without scopes needs a policy like any other", noPolicyZero},
	{"GRANT-3.6-04", "MN", "no assessment on refresh", refreshes},
	{"SEC-051", "M", "What was withdrawn does not come back by refreshing", refreshesNothing},
	{"SEC-028", "M", "What was withdrawn is gone from introspection at once", withdrawn},
	{"SEC-024", "M", "The same name at two owners is two resources", sameName},
	{"SEC-025", "M", "A ticket is good for its resource and for no other of the kind", noPattern},
	{"SEC-049", "M", "An RPT of another client upgrades nothing", upgradesNobodyElses},
	{"FED-5.1.1-02", "MN", "active RPT: no `scope` member", func(s *session, t *trial.Trial) {
		_, m := introspected(s, t)
		if _, there := object(t, m)["scope"]; there {
			t.Fault(one(m), "there is a scope")
		}
	}},
	{"FED-5.1.1-03", "M", "active RPT: `permissions` array of objects", func(s *session, t *trial.Trial) {
		_, m := introspected(s, t)
		if list, ok := object(t, m)["permissions"].([]any); !ok || len(list) == 0 {
			t.Fault(one(m), "there are no permissions")
		}
	}},
	{"FED-5.1.1-04", "M", "each has `resource_id` of a registered resource", func(s *session, t *trial.Trial) {
		id, m := introspected(s, t)
		if p := firstPermission(object(t, m)); text(p, "resource_id") != id {
			t.Fault(one(m), "the resource_id is %q, want %q", text(p, "resource_id"), id)
		}
	}},
	{"FED-5.1.1-05", "M", "each has `resource_scopes` (array, may be empty) whose values are registered for it", func(s *session, t *trial.Trial) {
		_, m := introspected(s, t)
		scopes, ok := firstPermission(object(t, m))["resource_scopes"].([]any)
		if !ok || !slices.Equal(scopes, []any{"view"}) {
			t.Fault(one(m), "the resource_scopes are %v", scopes)
		}
	}},
	{"FED-5-01", "M", "supporting AS declares the endpoint and gives the extended answer", func(s *session, t *trial.Trial) {
		_, m := introspected(s, t)
		o := object(t, m)
		if o["active"] != true || o["permissions"] == nil {
			t.Fault(one(m), "the answer has no permissions")
		}
	}},
}

func introspected(s *session, t *trial.Trial) (string, wire.Message) {
	id := s.shared(t, "view")
	m := s.introspect(t, "alice@rs1", text(s.rpt(t, "c1", id, "view"), "access_token"))
	if object(t, m)["active"] != true {
		t.Broken(one(m), "a fresh RPT is not active")
	}
	return id, m
}

func firstPermission(o map[string]any) map[string]any {
	list, _ := o["permissions"].([]any)
	if len(list) == 0 {
		return nil
	}
	p, _ := list[0].(map[string]any)
	return p
}

func grantsAnRPT(s *session, t *trial.Trial) {
	id := s.shared(t, "view")
	m := s.redeem(t, "c1", s.ticketFor(t, id, "view"))
	o := granted(t, m)
	if _, there := o["ticket"]; there || text(o, "token_type") == "" {
		t.Fault(one(m), "it has a ticket or no token_type")
	}
	if !strings.Contains(m.Answer.Get("Cache-Control"), "no-store") {
		t.Fault(one(m), "Cache-Control is %q", m.Answer.Get("Cache-Control"))
	}
}

// scopesOf lists the scopes a client is registered for.
func (s *session) scopesOf(client string) []string { return strings.Fields(s.Clients[client].Scope) }

func scopesOfTheClient(s *session, t *trial.Trial) {
	mine := s.scopesOf("c1")
	if len(mine) < 2 {
		t.Skip("c1 is not registered for two scopes")
	}
	id := s.register(t, "alice@rs1", mine[0], mine[1], "launch")
	s.share(t, id, []string{mine[0], mine[1], "launch"}, anyone)
	// For launch nobody is registered, so that asking for it adds nothing.
	m := s.redeem(t, "c1", s.ticketFor(t, id, mine[0]), "scope", mine[1]+" launch")
	if m.Status >= 400 {
		refused(t, m, "invalid_scope")
		return
	}
	permits, shown := s.permits(t, "alice@rs1", text(granted(t, m), "access_token"))
	if slices.Contains(permits[id], "launch") {
		t.Fault([]wire.Message{m, shown}, "a scope was granted for which the client is not registered")
	}
}

func calculates(s *session, t *trial.Trial) {
	mine := s.scopesOf("c1")
	if len(mine) < 2 {
		t.Skip("c1 is not registered for two scopes")
	}
	id := s.register(t, "alice@rs1", mine[0], mine[1], "print")
	s.share(t, id, []string{mine[0], mine[1], "print"}, anyone)
	m := s.redeem(t, "c1", s.ticketFor(t, id, mine[0]), "scope", mine[1])
	permits, shown := s.permits(t, "alice@rs1", text(granted(t, m), "access_token"))
	got := slices.Sorted(slices.Values(permits[id]))
	want := slices.Sorted(slices.Values([]string{mine[0], mine[1]}))
	if !slices.Equal(got, want) {
		t.Fault([]wire.Message{m, shown}, "the RPT permits %v, want %v", got, want)
	}
}

func grantsNoMore(s *session, t *trial.Trial) {
	id := s.register(t, "alice@rs1", "view", "edit")
	s.share(t, id, []string{"view"}, anyone)
	m := s.redeem(t, "c1", s.ticketFor(t, id, "view", "edit"))
	if m.Status >= 400 {
		return // all or nothing is a policy of its own
	}
	permits, shown := s.permits(t, "alice@rs1", text(granted(t, m), "access_token"))
	if slices.Contains(permits[id], "edit") {
		t.Fault([]wire.Message{m, shown}, "a scope was granted that no policy grants")
	}
}

func upgrades(s *session, t *trial.Trial) {
	a, b := s.shared(t, "view"), s.shared(t, "view")
	first := s.rpt(t, "c1", a, "view")
	m := s.redeem(t, "c1", s.ticketFor(t, b, "view"), "rpt", text(first, "access_token"))
	o := granted(t, m)
	permits, shown := s.permits(t, "alice@rs1", text(o, "access_token"))
	_, both := permits[a]
	if both && o["upgraded"] != true {
		t.Fault([]wire.Message{m, shown}, "the permissions of the RPT are included, and upgraded is %v", o["upgraded"])
	}
	if !both && o["upgraded"] == true {
		t.Fault([]wire.Message{m, shown}, "upgraded is true, and the permissions of the RPT are not included")
	}
}

func upgradesNothing(s *session, t *trial.Trial) {
	if o := s.rpt(t, "c1", s.shared(t, "view"), "view"); o["upgraded"] == true {
		t.Fault(nil, "there was no rpt, and upgraded is true")
	}
}

func upgradesNobodyElses(s *session, t *trial.Trial) {
	a, b := s.shared(t, "view"), s.shared(t, "view")
	theirs := s.rpt(t, "c2", a, "view")
	m := s.redeem(t, "c1", s.ticketFor(t, b, "view"), "rpt", text(theirs, "access_token"))
	o := granted(t, m)
	if permits, shown := s.permits(t, "alice@rs1", text(o, "access_token")); o["upgraded"] == true || len(permits[a]) > 0 {
		t.Fault([]wire.Message{m, shown}, "the permissions of another client's RPT were added")
	}
}

func diesAtEither(s *session, t *trial.Trial) {
	id, c := s.shared(t, "view"), s.Clients["c1"]
	ticket := s.ticketFor(t, id, "view")
	b := s.browser()
	b.get(t, s.interaction(t, "client_id", c.ID, "ticket", ticket, "claims_redirect_uri", c.ClaimsRedirectURIs[0]))
	refused(t, s.redeem(t, "c1", ticket), "invalid_grant")
}

func race(s *session, t *trial.Trial) {
	id := s.shared(t, "view")
	for range 5 {
		ticket := s.ticketFor(t, id, "view")
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {basic(s.Clients["c1"])}}
		uri := s.at(t, "token_endpoint")
		body := "grant_type=" + strings.ReplaceAll(umaGrant, ":", "%3A") + "&ticket=" + ticket
		answers := make([]wire.Message, 12)
		errs := make([]error, len(answers))
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i], errs[i] = s.send(t.Context, "c1", http.MethodPost, uri, header, body) })
		}
		all.Wait()
		accepted := 0
		for i, m := range answers {
			if errs[i] != nil || m.Status >= 500 {
				t.Fault(one(m), "the server is at fault: %d %v", m.Status, errs[i])
			}
			if m.Status == http.StatusOK {
				accepted++
			}
		}
		if accepted != 1 {
			t.Fault(answers[:1], "%d of %d presentations were accepted", accepted, len(answers))
		}
	}
}

func tickets(s *session, t *trial.Trial) {
	id := s.shared(t, "view")
	seen := map[string]bool{}
	for range 50 {
		ticket := s.ticketFor(t, id, "view")
		if seen[ticket] || len(ticket) < 22 {
			t.Fault(nil, "a ticket of %d characters, or one that was there before", len(ticket))
		}
		seen[ticket] = true
		if strings.Contains(ticket, id) {
			t.Fault(nil, "the ticket shows the resource")
		}
	}
}

// rotated gets a ticket that was handed out in answer to one that was presented.
func (s *session) rotated(t *trial.Trial, client string) (presented, next string, m wire.Message) {
	id := s.register(t, "alice@rs1", "view")
	s.share(t, id, []string{"view"}, toBob(s.Fixture))
	presented = s.ticketFor(t, id, "view")
	m = s.redeem(t, client, presented)
	o := refused(t, m, "need_info", "request_submitted")
	if next = text(o, "ticket"); next == "" {
		t.Fault(one(m), "there is no ticket to go on with")
	}
	return presented, next, m
}

func rotatedForAnother(s *session, t *trial.Trial) {
	_, next, _ := s.rotated(t, "c1")
	refused(t, s.redeem(t, "c2", next), "invalid_grant")
}

func spellings(s *session, t *trial.Trial) {
	id := s.shared(t, "view")
	for what, spell := range map[string]func(string) string{
		"cut short":  func(x string) string { return x[:len(x)-1] },
		"with more":  func(x string) string { return x + "A" },
		"with space": func(x string) string { return x + " " },
		"padded":     func(x string) string { return x + "=" },
	} {
		m := s.redeem(t, "c1", spell(s.ticketFor(t, id, "view")))
		if m.Status == http.StatusOK {
			t.Fault(one(m), "a ticket %s was accepted", what)
		}
	}
}

func noPolicy(s *session, t *trial.Trial) {
	id := s.register(t, "alice@rs1", "view")
	m := s.redeem(t, "c1", s.ticketFor(t, id, "view"))
	refused(t, m, "request_denied", "need_info", "request_submitted", "access_denied")
}

func noPolicyZero(s *session, t *trial.Trial) {
	id := s.register(t, "alice@rs1")
	m := s.redeem(t, "c1", s.ticketFor(t, id))
	refused(t, m, "request_denied", "need_info", "request_submitted", "access_denied")
}

func (s *session) refresh(t *trial.Trial, client, token string) wire.Message {
	return s.token(t, client, "grant_type", "refresh_token", "refresh_token", token)
}

func refreshes(s *session, t *trial.Trial) {
	id := s.register(t, "alice@rs1", "view")
	s.share(t, id, []string{"view"}, toBob(s.Fixture))
	bob := s.idToken(s.claimsOf(s.RequestingParties["bob"], "c1"))
	first := granted(t, s.redeem(t, "c1", s.ticketFor(t, id, "view"), pushed(bob)...))
	if text(first, "refresh_token") == "" {
		t.Skip("there is no refresh token")
	}
	// Refreshing brings no claims, and needs none.
	m := s.refresh(t, "c1", text(first, "refresh_token"))
	if permits, shown := s.permits(t, "alice@rs1", text(granted(t, m), "access_token")); !slices.Contains(permits[id], "view") {
		t.Fault([]wire.Message{m, shown}, "the refreshed RPT permits %v", permits)
	}
}

func refreshesNothing(s *session, t *trial.Trial) {
	kept, gone := s.shared(t, "view"), s.register(t, "alice@rs1", "view")
	policy := s.share(t, gone, []string{"view"}, anyone)
	ticket := s.ticket(t, "alice@rs1", permission{kept, []string{"view"}}, permission{gone, []string{"view"}})
	first := granted(t, s.redeem(t, "c1", ticket))
	if text(first, "refresh_token") == "" {
		t.Skip("there is no refresh token")
	}
	s.withdraw(t, policy)
	m := s.refresh(t, "c1", text(first, "refresh_token"))
	if m.Status >= 400 {
		refused(t, m, "invalid_grant")
		return
	}
	if permits, shown := s.permits(t, "alice@rs1", text(granted(t, m), "access_token")); len(permits[gone]) > 0 {
		t.Fault([]wire.Message{m, shown}, "refreshing brought back what was withdrawn")
	}
}

func withdrawn(s *session, t *trial.Trial) {
	id := s.register(t, "alice@rs1", "view")
	policy := s.share(t, id, []string{"view"}, anyone)
	rpt := text(s.rpt(t, "c1", id, "view"), "access_token")
	if permits, m := s.permits(t, "alice@rs1", rpt); len(permits[id]) == 0 {
		t.Broken(one(m), "a fresh RPT permits nothing")
	}
	s.withdraw(t, policy)
	if permits, m := s.permits(t, "alice@rs1", rpt); len(permits[id]) > 0 {
		t.Fault(one(m), "it is still permitted")
	}
}

func sameName(s *session, t *trial.Trial) {
	body := `{"name":"the same","resource_scopes":["view"]}`
	mine := text(object(t, s.api(t, s.PATs["alice@rs1"], http.MethodPost, s.registration(t), body)), "_id")
	hers := text(object(t, s.api(t, s.PATs["anna@rs1"], http.MethodPost, s.registration(t), body)), "_id")
	s.share(t, mine, []string{"view"}, anyone)
	refused(t, s.redeem(t, "c1", s.ticket(t, "anna@rs1", permission{hers, []string{"view"}})), "request_denied", "need_info", "request_submitted", "access_denied")
}

func noPattern(s *session, t *trial.Trial) {
	id, other := s.shared(t, "view"), s.shared(t, "view")
	for _, pattern := range []string{"*", id[:len(id)-1], id + "*", ".*"} {
		m := s.ask(t, "alice@rs1", permission{pattern, []string{"view"}})
		refused(t, m, "invalid_resource_id")
	}
	if permits, m := s.permits(t, "alice@rs1", text(s.rpt(t, "c1", id, "view"), "access_token")); len(permits) != 1 || permits[other] != nil {
		t.Fault(one(m), "the RPT is for more than was asked")
	}
}
