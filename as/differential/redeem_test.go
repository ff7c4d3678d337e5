package differential

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// presentation is one token request of the UMA grant.
type presentation struct {
	ticket *ticket
	client string
	scopes []string // nil: not given
	pushed []fact
	pct    *pct
	rpt    *access
	// refreshes says whether the client is registered for refresh tokens.
	refreshes bool
}

// prediction is everything that the answer has to be.
type prediction struct {
	outcome  string // "granted", "need_info", "request_submitted", "request_denied" or an error code
	assessed bool
	missing  set
	interval int64
	upgraded bool
	pct      bool
	expires  int64
	refresh  bool
	// The things that come with the answer, of which the server makes the values.
	next    *ticket
	access  *access
	renewal *refresh
	newPCT  *pct
}

// String is what can be compared.
func (p prediction) String() string {
	return fmt.Sprintf("%s missing=%v interval=%d upgraded=%v pct=%v expires=%d refresh=%v",
		p.outcome, list(p.missing), p.interval, p.upgraded, p.pct, p.expires, p.refresh)
}

// redeem is the pseudo-code of the requirements, part 2.2, step by step.
func (m *model) redeem(r presentation) prediction {
	t, p := r.ticket, r.ticket.process
	// P0
	switch {
	case t.sealed && !m.now.Before(t.expires):
		return prediction{outcome: "invalid_grant"}
	case t.spent:
		if m.revokeOnReplay && p.grant != nil {
			p.grant.revoked = true
		}
		return prediction{outcome: "invalid_grant"}
	case !m.now.Before(t.expires):
		return prediction{outcome: "invalid_grant"}
	}
	t.spent = m.fault != "tickets are used again"
	if p.client != "" && p.client != r.client {
		return prediction{outcome: "invalid_grant"}
	}
	p.client = r.client

	// P1
	var resources []asked
	available := set{}
	for _, a := range p.asked {
		if a.resource.gone {
			continue
		}
		resources = append(resources, a)
		maps.Copy(available, a.resource.scopes)
	}
	if len(resources) == 0 {
		return prediction{outcome: "invalid_grant"}
	}
	if r.scopes != nil {
		p.requested = r.scopes
	}
	// P2 comes before the rest of P1: what was told is kept in any case.
	counted := m.collect(p, r)
	registered := m.registered[r.client]
	for _, s := range p.requested {
		if !available[s] || m.strict && !registered[s] {
			return prediction{outcome: "invalid_scope", assessed: true}
		}
	}
	decided := p.request != nil && p.request.decided || m.blocked(p, r.client)

	// P3
	granted := map[*resource]map[string]verdict{}
	asking := map[*resource]set{}
	missing := set{}
	full, some, barred := true, false, false
	for _, a := range resources {
		q := set{}
		for s := range a.resource.scopes {
			wanted := slices.Contains(p.requested, s) && (registered[s] || m.fault == "registered scopes are overlooked")
			if a.scopes[s] || wanted {
				q[s] = true
			}
		}
		if len(q) == 0 && len(a.scopes) > 0 {
			full, barred = false, true
			continue
		}
		if len(q) == 0 {
			q[""] = true
		}
		for s := range q {
			v := m.judge(a.resource, s, p.facts, r.client)
			if v.outcome == permit {
				if granted[a.resource] == nil {
					granted[a.resource] = map[string]verdict{}
				}
				granted[a.resource][s] = v
				some = true
				continue
			}
			full = false
			switch {
			case v.outcome == need:
				maps.Copy(missing, v.missing)
			case v.outcome == ask && !decided:
				if asking[a.resource] == nil {
					asking[a.resource] = set{}
				}
				if s != "" {
					asking[a.resource][s] = true
				}
			default:
				barred = true
			}
		}
	}

	// P4
	switch {
	case full && some:
		return m.grant(p, r, granted, counted)
	case m.partial == "never" && barred:
		return prediction{outcome: "request_denied", assessed: true}
	case m.partial == "first" && some:
		return m.grant(p, r, granted, counted)
	case len(missing) > 0:
		return prediction{outcome: "need_info", assessed: true, missing: missing, next: m.nextTicket(p, ticketLife)}
	case len(asking) > 0:
		return m.submit(p, asking)
	case m.partial == "" && some:
		return m.grant(p, r, granted, counted)
	}
	return prediction{outcome: "request_denied", assessed: true}
}

// collect brings the claims together, and returns the PCT that counted.
func (m *model) collect(p *process, r presentation) *pct {
	var persisted []fact
	counted := r.pct
	if counted != nil && (counted.client != r.client && m.fault != "a PCT is for everybody" || counted.spent || !m.now.Before(counted.expires)) {
		counted = nil
	}
	if counted != nil {
		persisted = counted.facts
	}
	var fresh []fact
	for _, f := range join(join(persisted, p.facts), r.pushed) {
		if m.now.Sub(f.at) < claimsLife {
			fresh = append(fresh, f)
		}
	}
	p.facts = fresh
	subject := subjectOf(fresh)
	if counted != nil && counted.subject != subject {
		counted = nil
	}
	if p.subject != "" && p.subject != subject {
		p.remember, p.request = false, nil
	}
	p.subject = subject
	return counted
}

func (m *model) nextTicket(p *process, life time.Duration) *ticket {
	return &ticket{process: p, expires: m.now.Add(life)}
}

func (m *model) submit(p *process, asking map[*resource]set) prediction {
	switch {
	case p.interval == 0:
		p.interval = 5
	case m.now.Before(p.pollAfter):
		p.interval = max(p.interval, min(2*p.interval, 300))
	}
	p.pollAfter = m.now.Add(time.Duration(p.interval) * time.Second)
	if p.request == nil {
		for _, q := range m.requests {
			if !q.decided && q.space == p.space && q.client == p.client && q.subject == p.subject && q.server == p.server && within(asking, q.permissions) {
				p.request = q
				break
			}
		}
	}
	if p.request == nil {
		q := &request{process: p, space: p.space, client: p.client, subject: p.subject, server: p.server, permissions: asking}
		q.issuer, q.sub, _ = strings.Cut(p.subject, "#")
		m.requests = append(m.requests, q)
		p.request = q
	}
	return prediction{outcome: "request_submitted", assessed: true, interval: p.interval, next: m.nextTicket(p, pollLife)}
}

func within(asking, have map[*resource]set) bool {
	for r, scopes := range asking {
		known, ok := have[r]
		if !ok || (len(scopes) == 0) != (len(known) == 0) {
			return false
		}
		for s := range scopes {
			if !known[s] {
				return false
			}
		}
	}
	return true
}

func (m *model) grant(p *process, r presentation, granted map[*resource]map[string]verdict, counted *pct) prediction {
	g := &grant{client: r.client, server: p.server, space: p.space, generation: p.space.generation, subject: p.subject}
	if g.subject == "" {
		g.subject = p.name // nobody else is this one
	}
	m.grants = append(m.grants, g)
	p.grant = g
	bound := m.now.Add(refreshLife)
	var ends time.Time
	for res, verdicts := range granted {
		for _, s := range m.shares {
			given, any := set{}, false
			for scope, v := range verdicts {
				if v.share == s {
					any = true
					if scope != "" {
						given[scope] = true
					}
				}
			}
			if !any {
				continue
			}
			made := permission{res, given, s, s.edition, res.edition, s.wish.notAfter, nil}
			if s.wish.group != nil {
				made.member = s.wish.group.has(p.facts)
			}
			g.permissions = append(g.permissions, made)
			ends = latest(ends, s.wish.notAfter, bound)
		}
	}
	out := prediction{outcome: "granted", assessed: true, refresh: r.refreshes}
	if r.rpt != nil {
		out.upgraded = m.upgrade(g, r.rpt)
	}
	if out.upgraded {
		ends = bound
	}
	out.access = &access{grant: g, expires: first(m.now.Add(rptLife), ends)}
	out.expires = int64(out.access.expires.Sub(m.now) / time.Second)
	if r.refreshes {
		out.renewal = &refresh{grant: g, expires: first(bound, ends)}
	}
	if (counted != nil || p.remember) && p.subject != "" {
		if counted != nil {
			counted.spent = true
		}
		out.pct = true
		out.newPCT = &pct{client: r.client, subject: p.subject, facts: p.facts, expires: m.now.Add(pctLife)}
	}
	return out
}

// upgrade carries over what is left of the RPT that was brought, if it is of the
// same client, owner, resource server and requesting party.
func (m *model) upgrade(g *grant, rpt *access) bool {
	old := rpt.grant
	if rpt.revoked || !old.alive() || old.client != g.client || old.space != g.space || old.server != g.server || old.subject != g.subject {
		return false
	}
	carried := m.left(old, rpt.narrowed)
	if len(carried) == 0 {
		return false
	}
	g.permissions = append(g.permissions, carried...)
	old.revoked = true
	for _, p := range m.processes {
		if p.grant == old {
			p.grant = g
		}
	}
	return true
}

// refresh predicts an answer to a refresh token.
func (m *model) refresh(t *refresh, client string, scopes []string) prediction {
	g := t.grant
	switch {
	case g.client != client:
		return prediction{outcome: "invalid_grant"}
	case t.spent:
		g.revoked = true
		return prediction{outcome: "invalid_grant"}
	case !g.alive() || !m.now.Before(t.expires):
		return prediction{outcome: "invalid_grant"}
	}
	have := set{}
	var ends time.Time
	live := m.left(g, nil)
	for _, p := range live {
		maps.Copy(have, p.scopes)
		ends = latest(ends, p.notAfter, t.expires)
	}
	if len(live) == 0 {
		return prediction{outcome: "invalid_grant"}
	}
	for _, s := range scopes {
		if !have[s] {
			return prediction{outcome: "invalid_scope"}
		}
	}
	t.spent = true
	a := &access{grant: g, narrowed: scopes, expires: first(m.now.Add(rptLife), ends)}
	return prediction{
		outcome: "granted", refresh: true, expires: int64(a.expires.Sub(m.now) / time.Second),
		access: a, renewal: &refresh{grant: g, expires: first(m.now.Add(refreshLife), ends)},
	}
}

func first(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// latest is the later of a and of b, where b ends at bound at the latest and a
// zero b is without an end.
func latest(a, b, bound time.Time) time.Time {
	if b.IsZero() || b.After(bound) {
		b = bound
	}
	if b.After(a) {
		return b
	}
	return a
}
