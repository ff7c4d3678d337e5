package policy

import (
	"cmp"
	"slices"
)

// PartyKind says by what a share names somebody.
type PartyKind string

const (
	PartyEmail   PartyKind = "email"  // the bearer of a verified address; Value is its canonical form
	PartyDomain  PartyKind = "domain" // whoever has a verified address at a domain; Value is the domain
	PartySubject PartyKind = "sub"    // whom an issuer calls by a name; Value is the "sub"
	PartyClaim   PartyKind = "claim"  // whoever has another claim; Name and, if it is said, Value
	PartyApp     PartyKind = "app"    // whoever uses one application; Value is its client id
	PartyGroup   PartyKind = "group"  // whoever is in a group of the owner's; Value is its id
	PartyLink    PartyKind = "link"   // whoever holds a link; Value is the id of its share
	PartyAnyone  PartyKind = "anyone"
)

// A Party is one of those whom a share is for. It says whom a share names and
// is no judgement: what else the share asks for may keep them out. Parties are
// compared by ==.
type Party struct {
	Kind   PartyKind
	Name   string // of the claim, for PartyClaim
	Value  string
	Issuer string // whose word is wanted for it; "" for any issuer that is believed
}

// Person says whether the party is one person, as far as their issuer tells
// people apart.
func (p Party) Person() bool { return p.Kind == PartyEmail || p.Kind == PartySubject }

// Parties lists whom the share is for, in the order in which it names them, at
// least one. Of several conditions the one that tells most about who it is
// counts: a group, a link, an address, a "sub", any other.
func (s Share) Parties() []Party {
	if s.Group != "" {
		return []Party{{Kind: PartyGroup, Value: string(s.Group)}}
	}
	if s.Link {
		return []Party{{Kind: PartyLink, Value: string(s.ID)}}
	}
	if c, ok := s.naming(); ok {
		return c.parties()
	}
	if s.Client != "" {
		return []Party{{Kind: PartyApp, Value: s.Client}}
	}
	return []Party{{Kind: PartyAnyone}}
}

// naming is the condition that says whom the share is for.
func (s Share) naming() (Claim, bool) {
	if len(s.Claims) == 0 {
		return Claim{}, false
	}
	return slices.MinFunc(s.Claims, func(a, b Claim) int { return cmp.Compare(a.vagueness(), b.vagueness()) }), true
}

func (c Claim) vagueness() int {
	switch {
	case len(c.Values) == 0:
		return 3
	case c.Name == claimEmail:
		return 0
	case c.Name == claimSubject:
		return 1
	}
	return 2
}

func (c Claim) parties() []Party {
	if len(c.Values) == 0 {
		return c.from(Party{Kind: PartyClaim, Name: c.Name})
	}
	var out []Party
	for _, v := range c.Values {
		v = canonicalValue(c.Name, v)
		p := Party{Kind: PartyClaim, Name: c.Name, Value: v}
		switch c.Name {
		case claimEmail:
			p = Party{Kind: PartyEmail, Value: v}
			if domain, ok := cutAnybody(v); ok {
				p = Party{Kind: PartyDomain, Value: domain}
			}
		case claimSubject:
			p = Party{Kind: PartySubject, Value: v}
		}
		for _, from := range c.from(p) {
			if !slices.Contains(out, from) {
				out = append(out, from)
			}
		}
	}
	return out
}

// from is the party once for each issuer whose word is taken. An address is the
// same address whoever has verified it.
func (c Claim) from(p Party) []Party {
	if len(c.Issuer) == 0 || p.Kind == PartyEmail || p.Kind == PartyDomain {
		return []Party{p}
	}
	out := make([]Party, len(c.Issuer))
	for i, issuer := range c.Issuer {
		out[i] = p
		out[i].Issuer = issuer
	}
	return out
}

// Without returns the share for everybody it names but one, and whether
// anybody is left. Where the condition names issuers and values of which only
// together one is the party, the value goes with all its issuers: whoever is to
// be kept out is out.
func (s Share) Without(p Party) (Share, bool) {
	named, ok := s.naming()
	if !ok || s.Group != "" || s.Link {
		return s, false
	}
	i := slices.IndexFunc(s.Claims, func(c Claim) bool { return c.Name == named.Name && slices.Equal(c.Values, named.Values) })
	rest := slices.DeleteFunc(slices.Clone(named.Values), func(v string) bool {
		one := named
		one.Values = []string{v}
		return slices.Contains(one.parties(), p)
	})
	if len(rest) == 0 {
		return s, false
	}
	named.Values = rest
	s.Claims = slices.Clone(s.Claims)
	s.Claims[i] = named
	return s, true
}
