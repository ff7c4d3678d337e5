package as

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Redeem answers a token request of the UMA grant from an authenticated client
// (Grant 3.3). The address is the caller's, for policies that look at it; "" when
// unknown.
//
// An *uma.Error is a refusal of the protocol: unauthorized_client leaves the
// ticket as it was, invalid_grant, invalid_scope and invalid_target have spent it. Any other
// error is the store's.
func (s *Server) Redeem(ctx context.Context, c oauth.Client, req uma.TokenRequest, address string) (Result, error) {
	if !c.Allows(uma.GrantType) {
		return nil, uma.NewError(uma.UnauthorizedClient, "The client is not registered for this grant type.")
	}
	bound, err := s.bind(ctx, c)
	if err != nil {
		return nil, err
	}
	result, err := s.redeem(ctx, &c, bound, req, address)
	if errors.Is(err, errPCTSpent) {
		// Another request rotated the PCT first. Nothing of this one remains, not
		// even the spent ticket, so it runs again without the PCT.
		req.PCT = ""
		result, err = s.redeem(ctx, &c, bound, req, address)
	}
	return result, err
}

func (s *Server) redeem(ctx context.Context, c *oauth.Client, bound oauth.Confirmation, req uma.TokenRequest, address string) (Result, error) {
	brought := s.verifyClaimToken(ctx, *c, req.ClaimToken, req.ClaimTokenFormat)
	shown := s.openTicket(req.Ticket)
	var result Result
	var signed *signing
	attempt := func(knows func(Tx) known) func(Tx) (*uma.Error, error) {
		return func(tx Tx) (refusal *uma.Error, err error) {
			p, err := s.presentTicket(tx, shown, c.ID, req.CodeVerifier)
			if err != nil {
				return s.noteMisuse(tx, p.Process, err, c.ID)
			}
			r := redemption{Server: s, tx: tx, known: knows(tx), client: c, boundTo: bound, request: req, address: address, brought: brought, process: p}
			result, refusal, err = r.run()
			signed = r.signed
			switch {
			case errors.Is(err, errTicketReplayed):
				return s.noteMisuse(tx, r.process.Process, err, c.ID)
			case err == nil && !r.process.kept:
				return nil, errTicketUnspent
			}
			return refusal, err
		}
	}
	knows := s.memory.within
	if shown.process.ID != "" { // what it is about was asked for a moment ago
		knows = s.memory.aside
	}
	err := s.settle(ctx, attempt(knows))
	if errors.Is(err, errForgotten) {
		if err := s.readAhead(ctx, shown.process); err != nil {
			return nil, err
		}
		err = s.settle(ctx, attempt(s.memory.within))
	}
	if err != nil {
		return nil, err // and never what a run made that was not kept
	}
	s.noteIssued(signed)
	if _, asks := result.(Submitted); asks {
		s.posted()
	}
	return result, nil
}

// errTicketUnspent takes a redemption back that would have answered without
// spending the ticket. It cannot happen; if it does, nobody gets anything.
var errTicketUnspent = errors.New("as: a ticket was presented and is not spent")

// readAhead brings what a sealed ticket is about into memory, so that the
// transaction, which others wait for, need not read it.
func (s *Server) readAhead(ctx context.Context, p Process) error {
	return s.memory.recall(ctx, func(k known) error {
		for _, asked := range p.Permissions {
			_, err := k.Resource(p.Space, p.ResourceServer, asked.Resource)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err == nil {
				_, err = k.SharesOn(p.Space, asked.Resource)
			}
			if err == nil {
				_, err = k.Space(p.Space)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// errPCTSpent takes a redemption back whose PCT was spent while it ran.
var errPCTSpent = errors.New("as: the PCT was spent meanwhile")

// redemption is one presented ticket on its way through the assessment, inside
// one transaction.
type redemption struct {
	*Server
	tx      Tx
	known   known // by what is decided; see memory.within
	client  *oauth.Client
	boundTo oauth.Confirmation // what the RPT is bound to
	request uma.TokenRequest
	address string
	brought pushed

	process presented
	facts   []policy.Fact // everything known about the requesting party
	pct     *PCT          // the PCT that counted, if any
	shares  map[uma.ResourceID][]Share
	groups  memberships
	blocked bool     // by the owner, who is not asked then
	signed  *signing // the RPT, if it is signed
}

func (r *redemption) run() (Result, *uma.Error, error) {
	resources, err := ticketResources(r.known, r.process.Process)
	if err != nil {
		return nil, nil, err
	}
	if len(resources) == 0 {
		return nil, uma.NewError(uma.InvalidGrant, "None of the ticket's resources is registered any more."), r.keep(r.tx, &r.process)
	}
	refusal, err := r.checkTargets(r.known, Grant{Kind: GrantUMA, ResourceServer: r.process.ResourceServer}, r.request.Targets)
	if err != nil {
		return nil, nil, err
	}
	if refusal != nil {
		return nil, refusal, r.keep(r.tx, &r.process)
	}
	if r.request.Scopes != nil {
		r.process.Requested = r.request.Scopes
	}
	if err := r.collectClaims(); err != nil {
		return nil, nil, err
	}
	decided, err := r.ownerDecided()
	if err != nil {
		return nil, nil, err
	}
	if r.shares, err = sharesOn(r.known, resources); err != nil {
		return nil, nil, err
	}
	if r.groups, err = membershipsIn(r.tx, r.shares, r.facts); err != nil {
		return nil, nil, err
	}
	if r.blocked, err = blocks(r.tx, r.process.Process, r.client.ID, r.shares); err != nil {
		return nil, nil, err
	}
	d := assess(assessment{
		Resources: resources, RegisteredScopes: r.client.Scopes, RequestedScopes: r.process.Requested,
		StrictScopes: r.StrictScopes, Partial: r.Partial, OwnerDecided: decided || r.blocked,
		Judge: r.judgeWith(r.shares, r.facts, r.groups, r.client.ID, r.address),
	})
	switch d.Conclusion {
	case concludeInvalidScope:
		return nil, uma.NewError(uma.InvalidScope, "A requested scope is offered by none of the ticket's resources, or the client is not registered for it."), r.keep(r.tx, &r.process)
	case concludeGranted:
		result, err := r.grant(d)
		return result, nil, err
	case concludeNeedInfo:
		result, err := r.needInfo(d)
		return result, nil, err
	case concludeAskOwner:
		result, err := r.submit(d)
		return result, nil, err
	default:
		result, err := r.deny(d)
		return result, nil, err
	}
}

// ticketResources finds what is left of the resources of a process.
func ticketResources(k known, p Process) ([]ticketResource, error) {
	var out []ticketResource
	for _, asked := range p.Permissions {
		res, err := k.Resource(p.Space, p.ResourceServer, asked.Resource)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, ticketResource{Resource: res, TicketScopes: asked.Scopes})
	}
	return out, nil
}

// collectClaims brings together the claims of the process, of a PCT and of the
// pushed claim token, the later winning.
func (r *redemption) collectClaims() error {
	facts, err := r.openFacts(r.process.Claims)
	if err != nil {
		return err
	}
	persisted, err := r.persistedClaims()
	if err != nil {
		return err
	}
	merged := mergeFacts(persisted, facts)
	merged = mergeFacts(merged, r.brought.facts)
	r.facts = r.believed(freshFacts(merged, r.now(), r.Lifetimes.Claims))
	if r.pct != nil && subjectOf(r.facts) != r.pct.Subject {
		r.pct = nil // somebody else is here now: the PCT did not count
	}
	if subject := subjectOf(r.facts); r.process.Subject != "" && subject != r.process.Subject {
		// The one who agreed to be remembered, and of whom the owner was asked, is
		// gone, and so is the one who said why.
		r.process.Remember, r.process.Request, r.process.Reason = false, "", nil
		r.process.Subject = subject
	} else if subject != "" {
		r.process.Subject = subject
	}
	r.process.Claims, err = r.sealFacts(r.facts)
	return err
}

// persistedClaims returns the claims behind the request's PCT. A PCT that is
// unknown, expired, rotated or of another client counts for nothing and is no
// error (AMB-17).
func (r *redemption) persistedClaims() ([]policy.Fact, error) {
	if r.request.PCT == "" {
		return nil, nil
	}
	pct, err := r.tx.PCT(r.vault.digest(aPCT, string(r.request.PCT)))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if pct.Client != r.client.ID && !seeded.PCTNotBoundToClient || !pct.SpentAt.IsZero() {
		return nil, r.recordRefusal(r.tx, r.process.Space, EventPCTMisused, string(r.client.ID), string(r.process.ID), nil)
	}
	if !r.now().Before(pct.ExpiresAt) {
		return nil, nil
	}
	facts, err := r.openFacts(pct.Claims)
	if err != nil {
		return nil, err
	}
	r.pct = &pct
	return facts, nil
}

// ownerDecided says whether the owner answered this process's request.
func (r *redemption) ownerDecided() (bool, error) {
	if r.process.Request == "" {
		return false, nil
	}
	q, err := r.tx.Request(r.process.Space, r.process.Request)
	if err != nil {
		return false, err
	}
	return !q.Status.Waits(), nil
}

// sharesOn reads the shares in force on the resources.
func sharesOn(k known, resources []ticketResource) (map[uma.ResourceID][]Share, error) {
	out := map[uma.ResourceID][]Share{}
	for _, t := range resources {
		shares, err := k.SharesOn(t.Resource.Space, t.Resource.ID)
		if err != nil {
			return nil, err
		}
		out[t.Resource.ID] = shares
	}
	return out, nil
}

// judgeWith returns the judge of an assessment: each resource is judged by its
// own shares alone.
func (s *Server) judgeWith(shares map[uma.ResourceID][]Share, facts []policy.Fact, groups memberships, client oauth.ClientID, address string) func(Resource, uma.Scope) policy.Verdict {
	now := s.now()
	return func(res Resource, scope uma.Scope) policy.Verdict {
		wishes := make([]policy.Share, len(shares[res.ID]))
		for i, share := range shares[res.ID] {
			wishes[i] = share.Share
		}
		if seeded.NoPolicyPermits && len(wishes) == 0 || seeded.ZeroScopeGranted && scope == "" {
			return policy.Verdict{Outcome: policy.Permit, Shares: []policy.ShareID{""}}
		}
		q := s.question(res, scope, facts, groups, client, address)
		q.Now = now
		return s.judge.Judge(wishes, q)
	}
}

// question is what the judge is asked about a scope of a resource, now.
func (s *Server) question(res Resource, scope uma.Scope, facts []policy.Fact, groups memberships, client oauth.ClientID, address string) policy.Question {
	return policy.Question{
		Resource: res.ID, ResourceType: res.Description.Type,
		Space: string(res.Space), Server: string(res.ResourceServer), Scope: scope,
		Facts: facts, Groups: slices.Sorted(maps.Keys(groups)), Now: s.now(), Client: string(client), Address: address,
	}
}

// next issues the process's next ticket and keeps the process as it is now.
func (r *redemption) next(lifetime time.Duration) (uma.Ticket, error) {
	if seeded.TicketNotRotated {
		r.process.kept = true
		return r.request.Ticket, nil
	}
	r.process.ExpiresAt = r.now().Add(lifetime)
	if err := r.keep(r.tx, &r.process); err != nil {
		return "", err
	}
	return r.storeTicket(r.tx, r.process.ID, "", r.process.ExpiresAt)
}

func (r *redemption) needInfo(d decision) (Result, error) {
	ticket, err := r.next(r.Lifetimes.Ticket)
	if err != nil {
		return nil, err
	}
	return NeedInfo{Ticket: ticket, RequiredClaims: d.Missing, RedirectUser: r.ClaimsInteractionEndpoint}, nil
}

// maxInterval bounds how far an impatient client can raise its own interval.
const maxInterval = 5 * time.Minute

// submit asks the owner, once, and tells the client when to come again. A
// client that comes too early waits longer (AMB-32).
func (r *redemption) submit(d decision) (Result, error) {
	p, now := &r.process, r.now()
	switch {
	case p.Interval == 0:
		p.Interval = int64(max(r.Lifetimes.Interval/time.Second, 1))
	case now.Before(p.PollAfter):
		// Never longer than the ticket lives, and never shorter than it was.
		longest := min(maxInterval, r.Lifetimes.Poll/2)
		p.Interval = max(p.Interval, min(p.Interval*2, int64(longest/time.Second)))
	}
	p.PollAfter = now.Add(time.Duration(p.Interval) * time.Second)
	ask, err := r.askOwner(d.Ask)
	if err != nil {
		return nil, err
	}
	ticket, err := r.next(r.Lifetimes.Poll)
	if err != nil {
		return nil, err
	}
	return Submitted{Ticket: ticket, Interval: p.Interval}, ask()
}

// askOwner makes the request that the owner will see; the function that it
// returns writes it down. The owner is asked once: where the same party asks for
// nothing new through the same client, the request that waits already serves
// this process, too.
func (r *redemption) askOwner(asked []uma.Permission) (write func() error, err error) {
	asksNothing := func() error { return nil }
	if r.process.Request != "" {
		return asksNothing, nil
	}
	waiting, err := r.tx.PendingFrom(r.process.Space, r.client.ID, r.process.Subject)
	if err != nil {
		return nil, err
	}
	for _, q := range waiting {
		if q.ResourceServer == r.process.ResourceServer && covers(q.Permissions, asked) {
			r.process.Request = q.ID
			return asksNothing, nil
		}
	}
	q := Request{
		ID: RequestID(r.vault.id(r.now())), Space: r.process.Space, ResourceServer: r.process.ResourceServer,
		Process: r.process.ID, Client: r.client.ID, Subject: r.process.Subject, Claims: r.process.Claims, Reason: r.process.Reason,
		Permissions: asked, Status: RequestPending, CreatedAt: r.now(),
	}
	r.process.Request = q.ID
	return func() error {
		if err := r.tx.InsertRequest(q); err != nil {
			return err
		}
		if err := r.tellOfRequest(r.tx, q, *r.client, r.facts); err != nil {
			return err
		}
		return r.record(r.tx, q.Space, EventRequestSubmitted, string(q.Client), string(q.ID), nil)
	}, nil
}

// covers says whether every asked permission is part of one of have.
func covers(have, asked []uma.Permission) bool {
	for _, a := range asked {
		within := slices.ContainsFunc(have, func(h uma.Permission) bool {
			return h.Resource == a.Resource && len(without(a.Scopes, h.Scopes)) == 0 && (len(a.Scopes) > 0) == (len(h.Scopes) > 0)
		})
		if !within {
			return false
		}
	}
	return true
}

func (r *redemption) deny(d decision) (Result, error) {
	if err := r.keep(r.tx, &r.process); err != nil {
		return nil, err
	}
	if r.blocked {
		return Denied{}, nil // the owner wanted to hear no more of them
	}
	err := r.recordRefusal(r.tx, r.process.Space, EventPermissionRefused, string(r.client.ID), string(r.process.ID),
		detail{"reasons": d.Reasons})
	return Denied{}, err
}
