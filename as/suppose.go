package as

import (
	"cmp"
	"context"
	"slices"

	"github.com/licet/licet/oauth"
	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Supposed is somebody of whom the owner wants to know what they can do.
type Supposed struct {
	Party policy.Party   // zero: of whom nothing is known
	App   oauth.ClientID // "": through no application in particular; what is for one only is then shut
	// Whichever supposes, for each scope, the application through which they can do most,
	// and not App. A party that is an application comes through itself.
	Whichever bool
	// Wishes are supposed to be in force, beside what is: what would they be able to do
	// then? Each has an ID that no share has, and no other of them.
	Wishes []policy.Share
}

// Could is what somebody could do with one resource.
type Could struct {
	Resource Resource
	Scopes   []CouldScope // every registered scope; one with "" if there is none
}

// CouldScope is the judgement of one scope. Its shares are all on the resource.
type CouldScope struct {
	Scope uma.Scope
	policy.Explanation
	Through oauth.ClientID // for Whichever: the only application for which it is so, or one of several; "": it is so for any
}

// Could asks the judge that answers clients, at this moment and without any
// effect: what could somebody do with these resources of the space? Resources that
// are not there are left out. Nobody is told of it, and nothing is written.
func (s *Server) Could(ctx context.Context, o Owner, who Supposed, ids []uma.ResourceID) ([]Could, error) {
	var out []Could
	err := s.Store.View(ctx, func(r Reader) error {
		out = nil
		found, err := r.ResourcesOf(o.Space, ids)
		if err != nil {
			return err
		}
		all, err := r.SharesInForce(o.Space, nil)
		if err != nil {
			return err
		}
		for _, wish := range who.Wishes {
			all = append(all, Share{Share: wish, Space: o.Space})
		}
		out, err = s.could(r, who, found, all)
		return err
	})
	return out, err
}

func (s *Server) could(r Reader, who Supposed, resources []Resource, shares []Share) ([]Could, error) {
	facts := s.factsOf(who.Party, shares)
	groups, err := supposedIn(r, who.Party, shares, facts)
	if err != nil {
		return nil, err
	}
	on := map[uma.ResourceID][]policy.Share{}
	for _, share := range shares {
		on[share.Resource] = append(on[share.Resource], share.Share)
	}
	out := make([]Could, len(resources))
	for i, res := range resources {
		through := []oauth.ClientID{who.App}
		switch {
		case who.Party.Kind == policy.PartyApp:
			through = []oauth.ClientID{oauth.ClientID(who.Party.Value)}
		case who.Whichever:
			through = append([]oauth.ClientID{""}, appsOf(on[res.ID])...)
		}
		out[i].Resource = res
		for _, scope := range orBare(res.Description.Scopes) {
			one := CouldScope{Scope: scope}
			for n, app := range through {
				e := s.judge.Explain(on[res.ID], s.question(res, scope, facts, groups, app, ""))
				if n == 0 {
					one.Explanation = e
				} else if e.Outcome > one.Outcome {
					one.Explanation, one.Through = e, app
				}
			}
			out[i].Scopes = append(out[i].Scopes, one)
		}
	}
	return out, nil
}

// appsOf are the applications for which alone some of the shares are, each once.
func appsOf(shares []policy.Share) (apps []oauth.ClientID) {
	for _, share := range shares {
		if app := oauth.ClientID(share.Client); app != "" && !slices.Contains(apps, app) {
			apps = append(apps, app)
		}
	}
	return apps
}

// factsOf is what would be known about a party: what it is named by, and for an
// address also whom the owner has met under it.
func (s *Server) factsOf(p policy.Party, shares []Share) []policy.Fact {
	fact := func(name, value, issuer string) policy.Fact {
		if issuer == "" {
			issuer = s.Issuer
		}
		return policy.Fact{Name: name, Value: value, Issuer: issuer, At: s.now()}
	}
	switch p.Kind {
	case policy.PartyEmail:
		facts := []policy.Fact{fact("email", p.Value, p.Issuer)}
		for _, share := range shares {
			if share.KnownAs != p.Value {
				continue
			}
			for _, met := range share.Share.Parties() {
				if met.Kind == policy.PartySubject {
					facts = mergeFacts(facts, []policy.Fact{fact("sub", met.Value, met.Issuer)})
				}
			}
		}
		return facts
	case policy.PartySubject:
		return []policy.Fact{fact("sub", p.Value, p.Issuer)}
	case policy.PartyDomain:
		return []policy.Fact{fact("email", "somebody@"+p.Value, p.Issuer)}
	case policy.PartyLink:
		return []policy.Fact{fact(policy.ClaimLink, p.Value, "")}
	case policy.PartyClaim:
		return []policy.Fact{fact(p.Name, cmp.Or(p.Value, "somebody"), p.Issuer)}
	}
	return nil
}
