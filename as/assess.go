package as

import (
	"github.com/licet/licet/internal/seeded"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// The authorization assessment of Grant 3.3.4, with the specification's own
// names for the sets. It is pure: it reads nothing and writes nothing.

// assessment is everything that is weighed.
type assessment struct {
	// Resources are the resources of the ticket that are registered now.
	Resources []ticketResource
	// RegisteredScopes are those the client is pre-registered for.
	RegisteredScopes []uma.Scope
	// RequestedScopes are those the client most recently asked for at the token
	// endpoint.
	RequestedScopes []uma.Scope
	// StrictScopes and Partial are as in Config.
	StrictScopes bool
	Partial      Partial
	// OwnerDecided is set once the owner answered this process's request. What
	// the owner wants to be asked about is then not granted: it was asked.
	OwnerDecided bool
	// Judge judges one scope of one resource, or with "" the resource without a
	// scope.
	Judge func(Resource, uma.Scope) policy.Verdict
}

// ticketResource is one resource of the ticket.
type ticketResource struct {
	Resource     Resource
	TicketScopes []uma.Scope // as the resource server asked
}

// available are the scopes registered for the resource now.
func (t ticketResource) available() []uma.Scope { return t.Resource.Description.Scopes }

// conclusion is what an assessment comes to.
type conclusion int

const (
	concludeDenied       conclusion = iota // request_denied
	concludeInvalidScope                   // invalid_scope
	concludeNeedInfo                       // need_info
	concludeAskOwner                       // request_submitted
	concludeGranted                        // 200, fully or in part
)

// decision is the outcome with what it is made of.
type decision struct {
	Conclusion conclusion
	// Candidates are CandidateGrantedScopes, one entry for each resource of which
	// anything is granted.
	Candidates []candidate
	// Missing are the claims that could change the outcome.
	Missing []uma.RequiredClaim
	// Ask is what the owner wants to be asked about.
	Ask []uma.Permission
	// Reasons are sentences for the history, never for the client.
	Reasons []string
}

// candidate is the granted part of one resource. A zero-scope permission has
// one entry with the empty scope.
type candidate struct {
	Resource Resource
	Scopes   []grantedScope
}

type grantedScope struct {
	Scope   uma.Scope
	Verdict policy.Verdict
}

func assess(a assessment) decision {
	notOffered := a.RequestedScopes
	for _, t := range a.Resources {
		notOffered = without(notOffered, t.available())
	}
	if len(notOffered) > 0 ||
		a.StrictScopes && len(without(a.RequestedScopes, a.RegisteredScopes)) > 0 {
		return decision{Conclusion: concludeInvalidScope}
	}
	effective := intersect(a.RequestedScopes, a.RegisteredScopes)

	var d decision
	full, barred := true, false
	for _, t := range a.Resources {
		// RequestedScopes(resource) = TicketScopes(resource) ∪ (RegisteredScopes ∩
		// RequestedScopes), both through what the resource offers (AMB-04).
		requested := union(intersect(t.TicketScopes, t.available()), intersect(effective, t.available()))
		if seeded.ScopeFilterMissing {
			requested = union(t.TicketScopes, a.RequestedScopes)
		}
		if len(requested) == 0 {
			if len(t.TicketScopes) > 0 {
				// Every scope that was asked for is gone. This is no request for the
				// resource without a scope, and nothing is left to grant.
				full, barred = false, true
				continue
			}
			requested = []uma.Scope{""}
		}
		granted := candidate{Resource: t.Resource}
		ask := uma.Permission{Resource: t.Resource.ID, Scopes: []uma.Scope{}}
		asking := false
		for _, scope := range requested {
			v := a.Judge(t.Resource, scope)
			outcome := v.Outcome
			if outcome == policy.AskOwner && a.OwnerDecided {
				outcome = policy.Deny
			}
			if v.Reason != "" {
				d.Reasons = append(d.Reasons, v.Reason)
			}
			if outcome != policy.Permit {
				full = false
			}
			switch outcome {
			case policy.Permit:
				granted.Scopes = append(granted.Scopes, grantedScope{scope, v})
			case policy.Need:
				d.Missing = appendMissing(d.Missing, v.Missing)
			case policy.AskOwner:
				asking = true
				if scope != "" {
					ask.Scopes = append(ask.Scopes, scope)
				}
			default:
				barred = true
			}
		}
		if len(granted.Scopes) > 0 {
			d.Candidates = append(d.Candidates, granted)
		}
		if asking {
			d.Ask = append(d.Ask, ask)
		}
	}
	d.Conclusion = a.conclude(d, full, barred)
	return d
}

// conclude orders the possible answers. The specification leaves the order
// open; ours is need_info, request_submitted, a part, request_denied.
func (a assessment) conclude(d decision, full, barred bool) conclusion {
	switch {
	case full && len(d.Candidates) > 0:
		return concludeGranted
	case a.Partial == PartialNever && barred:
		// Neither claims nor the owner can help any more: do not collect claims in
		// vain.
		return concludeDenied
	case a.Partial == PartialFirst && len(d.Candidates) > 0:
		return concludeGranted
	case len(d.Missing) > 0:
		return concludeNeedInfo
	case len(d.Ask) > 0:
		return concludeAskOwner
	case a.Partial != PartialNever && len(d.Candidates) > 0:
		return concludeGranted
	default:
		return concludeDenied
	}
}

func appendMissing(have, more []uma.RequiredClaim) []uma.RequiredClaim {
next:
	for _, m := range more {
		for _, h := range have {
			if sameClaim(h, m) {
				continue next
			}
		}
		have = append(have, m)
	}
	return have
}

func sameClaim(a, b uma.RequiredClaim) bool {
	return a.Name == b.Name && a.ClaimType == b.ClaimType && a.FriendlyName == b.FriendlyName &&
		len(without(a.Issuer, b.Issuer)) == 0 && len(without(b.Issuer, a.Issuer)) == 0 &&
		len(without(a.ClaimTokenFormat, b.ClaimTokenFormat)) == 0 && len(without(b.ClaimTokenFormat, a.ClaimTokenFormat)) == 0
}
