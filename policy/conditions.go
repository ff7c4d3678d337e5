package policy

import (
	"reflect"
	"slices"

	"github.com/licet/licet/uma"
)

// Obstacle is what keeps a share from permitting. In a page it is a word to be
// translated, and it is for the owner alone.
type Obstacle string

const (
	NoObstacle    Obstacle = ""              // the share permits
	ObstacleAsk   Obstacle = "asks"          // the owner wants to be asked first
	ObstacleNeeds Obstacle = "needs"         // more has to be known or promised
	ObstacleOther Obstacle = "other_party"   // it is for somebody else
	ObstacleApp   Obstacle = "other_app"     // it is for another application
	ObstacleEarly Obstacle = "not_yet"       // it begins later
	ObstacleEnded Obstacle = "ended"         // its time is over
	ObstacleScope Obstacle = "not_scope"     // it does not speak of this scope
	ObstacleThing Obstacle = "not_resource"  // it does not speak of this resource
	ObstacleBroke Obstacle = "no_conditions" // it has neither a condition nor the word "anyone", or both
)

// silent says why the share is not about this question at all, as far as the
// server alone can tell: resource, scope, client and time. Everything is
// compared as a whole; no prefix, pattern or type widens a share.
func (s Share) silent(q Question) Obstacle {
	switch {
	case s.Resource == "" || s.Resource != q.Resource:
		return ObstacleThing
	case s.Anyone == s.named():
		return ObstacleBroke
	case q.Scope == "" && len(s.Scopes) > 0, q.Scope != "" && !slices.Contains(s.Scopes, q.Scope):
		return ObstacleScope
	case s.Client != "" && s.Client != q.Client:
		return ObstacleApp
	case q.Now.Before(s.NotBefore):
		return ObstacleEarly
	case !s.NotAfter.IsZero() && !q.Now.Before(s.NotAfter):
		return ObstacleEnded
	}
	return NoObstacle
}

// named says whether the share says in some way whom it is for.
func (s Share) named() bool { return len(s.Claims) > 0 || s.Group != "" || s.Link }

func (s Share) speaksOf(q Question) bool { return s.silent(q) == NoObstacle }

// conditions are the claims that have to hold, promises included.
func (s Share) conditions() []Claim {
	out := slices.Clone(s.Claims)
	if s.Link {
		out = append(out, Claim{uma.RequiredClaim{Name: ClaimLink, FriendlyName: "The link that you were given"}, []string{string(s.ID)}})
	}
	if s.Purpose != "" {
		out = append(out, Claim{uma.RequiredClaim{Name: ClaimPurpose, FriendlyName: "What you will use it for"}, []string{s.Purpose}})
	}
	if s.Terms != "" {
		out = append(out, Claim{uma.RequiredClaim{Name: ClaimTerms, FriendlyName: "Your agreement to the terms"}, []string{s.Terms}})
	}
	return out
}

// plain says whether the share is for anyone, or for whom one claim names, and
// nothing else has to hold.
func (s Share) plain() bool {
	return len(s.Claims) <= 1 && s.Group == "" && !s.Link && s.Purpose == "" && s.Terms == ""
}

// missing lists the claims that are absent. possible is false when a claim is
// there with another value: then the share is for somebody else, and asking for
// more would only tell that it exists. Promises can always still be made, and links opened.
//
// Of a group nothing is told: who is in none is asked for an e-mail address, as
// for a share with one.
func (s Share) missing(q Question) (missing []uma.RequiredClaim, possible bool) {
	facts := q.Facts
	if s.Group != "" && !slices.Contains(q.Groups, s.Group) {
		address := Claim{RequiredClaim: uma.RequiredClaim{Name: claimEmail}}
		if address.answered(facts) {
			return nil, false
		}
		missing = append(missing, address.RequiredClaim)
	}
	for _, c := range s.conditions() {
		if c.holds(facts) {
			continue
		}
		// A promise can still be made, and a link still be opened.
		later := c.Name == ClaimPurpose || c.Name == ClaimTerms || c.Name == ClaimLink
		if !later && c.answered(facts) {
			return nil, false
		}
		missing = append(missing, c.RequiredClaim)
	}
	return missing, true
}

// acceptable says whether the fact is of the claim's name, and from an issuer
// and in a format that the claim accepts.
func (c Claim) acceptable(f Fact) bool {
	return f.Name == c.Name &&
		(len(c.Issuer) == 0 || slices.Contains(c.Issuer, f.Issuer)) &&
		(len(c.ClaimTokenFormat) == 0 || slices.Contains(c.ClaimTokenFormat, f.Format))
}

// answered says whether the claim is there, with whatever value. A person who
// is known by one issuer cannot become another issuer's by telling more, so
// that any "sub" answers the question for one.
func (c Claim) answered(facts []Fact) bool {
	if c.Name == claimSubject {
		return named(facts)
	}
	return slices.ContainsFunc(facts, c.acceptable)
}

func (c Claim) holds(facts []Fact) bool {
	return c.Name != "" && slices.ContainsFunc(facts, func(f Fact) bool {
		if !c.acceptable(f) {
			return false
		}
		if len(c.Values) == 0 {
			return true
		}
		said := spellings(f)
		return slices.ContainsFunc(c.Values, func(v string) bool {
			return slices.Contains(said, canonicalValue(c.Name, v))
		})
	})
}

// spellings are the values that a fact satisfies: its own, and for an e-mail
// address also "anybody at this domain".
func spellings(f Fact) []string {
	v := canonicalValue(f.Name, f.Value)
	if f.Name != claimEmail {
		return []string{v}
	}
	// What is no address that can be compared is at no domain, whatever stands
	// behind its last @.
	if _, err := CanonicalEmail(v); err != nil {
		return []string{v}
	}
	domain, _ := domainOf(v)
	return []string{v, "*@" + domain}
}

// named says whether anybody knows who this is.
func named(facts []Fact) bool {
	return slices.ContainsFunc(facts, func(f Fact) bool { return f.Name == claimSubject && f.Value != "" })
}

// claimSubject is the name of the claim that says who somebody is.
const claimSubject = "sub"

func addMissing(have, more []uma.RequiredClaim) []uma.RequiredClaim {
	for _, m := range more {
		if !slices.ContainsFunc(have, func(h uma.RequiredClaim) bool { return reflect.DeepEqual(h, m) }) {
			have = append(have, m)
		}
	}
	return have
}
