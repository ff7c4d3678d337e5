package as

import (
	"slices"
	"testing"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
	"pgregory.net/rapid"
)

// The assessment once more, slowly, as sets of pairs and straight from the
// pseudo-code, to be compared with the real one.

type pair struct {
	resource uma.ResourceID
	scope    uma.Scope // "" is the resource without a scope
}

type referenceResult struct {
	conclusion conclusion
	granted    map[pair]bool
	asked      map[pair]bool
	requested  map[pair]bool
}

func referenceAssess(a assessment) referenceResult {
	res := referenceResult{granted: map[pair]bool{}, asked: map[pair]bool{}, requested: map[pair]bool{}}

	// P1: Req \ ∪ Avail must be empty, and in strict mode Req \ Reg.
	offeredAnywhere := map[uma.Scope]bool{}
	for _, r := range a.Resources {
		for _, s := range r.Resource.Description.Scopes {
			offeredAnywhere[s] = true
		}
	}
	registered := map[uma.Scope]bool{}
	for _, s := range a.RegisteredScopes {
		registered[s] = true
	}
	for _, s := range a.RequestedScopes {
		if !offeredAnywhere[s] || a.StrictScopes && !registered[s] {
			res.conclusion = concludeInvalidScope
			return res
		}
	}

	// Q(r) = T(r) ∪ (Eff ∩ Avail(r)).
	lost := false // a resource of which every scope that was asked for is gone
	for _, r := range a.Resources {
		here := 0
		for _, s := range r.Resource.Description.Scopes {
			inTicket := slices.Contains(r.TicketScopes, s)
			effective := slices.Contains(a.RequestedScopes, s) && registered[s]
			if inTicket || effective {
				res.requested[pair{r.Resource.ID, s}] = true
				here++
			}
		}
		switch {
		case here > 0:
		case len(r.TicketScopes) == 0:
			res.requested[pair{r.Resource.ID, ""}] = true
		default:
			lost = true
		}
	}

	// P3 and P4.
	need, ask, denied, permitted := false, false, lost, 0
	for _, r := range a.Resources {
		for q := range res.requested {
			if q.resource != r.Resource.ID {
				continue
			}
			switch v := a.Judge(r.Resource, q.scope).Outcome; {
			case v == policy.Permit:
				res.granted[q] = true
				permitted++
			case v == policy.Need:
				need = true
			case v == policy.AskOwner && !a.OwnerDecided:
				ask, res.asked[q] = true, true
			default:
				denied = true
			}
		}
	}
	full := permitted == len(res.requested) && permitted > 0 && !lost
	some := permitted > 0
	var order []conclusion
	if full {
		order = append(order, concludeGranted)
	}
	if a.Partial == PartialNever && denied {
		order = append(order, concludeDenied)
	}
	if a.Partial == PartialFirst && some {
		order = append(order, concludeGranted)
	}
	if need {
		order = append(order, concludeNeedInfo)
	}
	if ask {
		order = append(order, concludeAskOwner)
	}
	if a.Partial == PartialLast && some {
		order = append(order, concludeGranted)
	}
	res.conclusion = append(order, concludeDenied)[0]
	return res
}

// drawAssessment draws up to four resources over few scopes, so that sets meet.
func drawAssessment(t *rapid.T) assessment {
	some := rapid.SliceOfN(rapid.SampledFrom(scopes("view", "edit", "print", "download", "rotate")), 0, 5)
	var resources []ticketResource
	verdicts := map[pair]policy.Outcome{}
	outcome := rapid.SampledFrom([]policy.Outcome{policy.Permit, policy.Permit, policy.Permit, policy.Deny, policy.Need, policy.AskOwner})
	for _, id := range []uma.ResourceID{"album", "photo1", "photo2", "photo3"}[:rapid.IntRange(1, 4).Draw(t, "resources")] {
		r := resourceWith(id, union(some.Draw(t, "available"), nil)...)
		resources = append(resources, asks(r, some.Draw(t, "ticket")...))
		for _, s := range append(r.Description.Scopes, "") {
			verdicts[pair{id, s}] = outcome.Draw(t, "verdict")
		}
	}
	return assessment{
		Resources: resources, RegisteredScopes: some.Draw(t, "registered"), RequestedScopes: some.Draw(t, "requested"),
		StrictScopes: rapid.Bool().Draw(t, "strict"), OwnerDecided: rapid.Bool().Draw(t, "decided"),
		Partial: rapid.SampledFrom([]Partial{PartialLast, PartialFirst, PartialNever}).Draw(t, "partial"),
		Judge: func(r Resource, s uma.Scope) policy.Verdict {
			o, ok := verdicts[pair{r.ID, s}]
			if !ok {
				t.Fatalf("policy is asked about %s:%s, which is not offered", r.ID, s)
			}
			v := policy.Verdict{Outcome: o}
			if o == policy.Need {
				v.Missing = []uma.RequiredClaim{{Name: "claim for " + string(s)}}
			}
			return v
		},
	}
}

// Proves GRANT-3.3.4-01, GRANT-3.3.4-02, GRANT-3.3.4-03, GRANT-3.3.4-04, GRANT-3.3.4-05.
func TestTheAssessmentIsTheOneOfTheSpecification(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAssessment(t)
		got, want := assess(a), referenceAssess(a)
		if got.Conclusion != want.conclusion {
			t.Fatalf("concluded %d, the reference %d", got.Conclusion, want.conclusion)
		}
		switch want.conclusion {
		case concludeInvalidScope:
			return
		case concludeNeedInfo:
			if len(got.Missing) == 0 {
				t.Fatal("need_info without a claim to ask for")
			}
		case concludeAskOwner:
			asked := map[pair]bool{}
			for _, p := range got.Ask {
				for _, s := range p.Scopes {
					asked[pair{p.Resource, s}] = true
				}
				if len(p.Scopes) == 0 {
					asked[pair{p.Resource, ""}] = true
				}
			}
			wantSamePairs(t, "asked", asked, want.asked)
		}
		candidates := map[pair]bool{}
		for _, c := range got.Candidates {
			for _, s := range c.Scopes {
				p := pair{c.Resource.ID, s.Scope}
				if candidates[p] {
					t.Fatalf("%v is granted twice", p)
				}
				candidates[p] = true
			}
			if len(c.Scopes) == 0 {
				t.Fatalf("%s is a candidate of which nothing is granted", c.Resource.ID)
			}
		}
		wantSamePairs(t, "granted", candidates, want.granted)
	})
}

func wantSamePairs(t *rapid.T, what string, got, want map[pair]bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s %v, the reference %v", what, got, want)
	}
	for p := range want {
		if !got[p] {
			t.Fatalf("%s %v, the reference %v", what, got, want)
		}
	}
}

// What is granted is never more than the upper bound, however the sets and the
// policies fall.
//
// Proves SEC-042, FED-4-02, GRANT-3.3.1-11.
func TestNothingIsGrantedBeyondTheUpperBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAssessment(t)
		for _, c := range assess(a).Candidates {
			i := slices.IndexFunc(a.Resources, func(r ticketResource) bool { return r.Resource.ID == c.Resource.ID })
			if i < 0 {
				t.Fatalf("%s is granted and is not in the ticket", c.Resource.ID)
			}
			asked := a.Resources[i]
			for _, s := range c.Scopes {
				bare := s.Scope == "" && len(asked.TicketScopes) == 0
				inTicket := slices.Contains(asked.TicketScopes, s.Scope)
				byClient := slices.Contains(a.RequestedScopes, s.Scope) && slices.Contains(a.RegisteredScopes, s.Scope)
				offered := slices.Contains(asked.Resource.Description.Scopes, s.Scope)
				permitted := a.Judge(asked.Resource, s.Scope).Outcome == policy.Permit
				if !permitted || !bare && (!offered || !inTicket && !byClient) {
					t.Fatalf("%s:%q is granted beyond the bound", c.Resource.ID, s.Scope)
				}
			}
		}
	})
}
