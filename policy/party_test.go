package policy_test

import (
	"slices"
	"testing"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

func claim(name string, issuers []string, values ...string) policy.Claim {
	return policy.Claim{RequiredClaim: uma.RequiredClaim{Name: name, Issuer: issuers}, Values: values}
}

func TestAShareSaysWhomItIsFor(t *testing.T) {
	for name, c := range map[string]struct {
		share policy.Share
		want  []policy.Party
	}{
		"an address in any spelling": {policy.Share{Claims: []policy.Claim{claim("email", nil, "Bob@Example.org", "bob@example.org")}},
			[]policy.Party{{Kind: policy.PartyEmail, Value: "bob@example.org"}}},
		"a domain": {policy.Share{Claims: []policy.Claim{claim("email", nil, "*@Clinic.example")}},
			[]policy.Party{{Kind: policy.PartyDomain, Value: "clinic.example"}}},
		"a sub of either issuer": {policy.Share{Claims: []policy.Claim{claim("sub", []string{"https://a", "https://b"}, "1")}},
			[]policy.Party{{Kind: policy.PartySubject, Value: "1", Issuer: "https://a"}, {Kind: policy.PartySubject, Value: "1", Issuer: "https://b"}}},
		"the address of several conditions": {policy.Share{Claims: []policy.Claim{claim("role", nil, "gp"), claim("sub", nil, "1"), claim("email", nil, "b@c.de")}},
			[]policy.Party{{Kind: policy.PartyEmail, Value: "b@c.de"}}},
		"any value of a claim": {policy.Share{Claims: []policy.Claim{claim("email", nil)}},
			[]policy.Party{{Kind: policy.PartyClaim, Name: "email"}}},
		"a group, and who else has to hold": {policy.Share{Group: "g1", Claims: []policy.Claim{claim("role", nil, "gp")}},
			[]policy.Party{{Kind: policy.PartyGroup, Value: "g1"}}},
		"a link":             {policy.Share{ID: "s1", Link: true, Client: "c1"}, []policy.Party{{Kind: policy.PartyLink, Value: "s1"}}},
		"an app":             {policy.Share{Anyone: true, Client: "c1"}, []policy.Party{{Kind: policy.PartyApp, Value: "c1"}}},
		"anyone":             {policy.Share{Anyone: true}, []policy.Party{{Kind: policy.PartyAnyone}}},
		"a person in an app": {policy.Share{Client: "c1", Claims: []policy.Claim{claim("sub", nil, "1")}}, []policy.Party{{Kind: policy.PartySubject, Value: "1"}}},
	} {
		if got := c.share.Parties(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestASharesPartyCanBeTakenOutOfIt(t *testing.T) {
	both := policy.Share{Claims: []policy.Claim{claim("role", nil, "gp"), claim("email", nil, "bob@example.org", "Carol@example.org")}}
	rest, ok := both.Without(policy.Party{Kind: policy.PartyEmail, Value: "bob@example.org"})
	if want := []policy.Party{{Kind: policy.PartyEmail, Value: "carol@example.org"}}; !ok || !slices.Equal(rest.Parties(), want) || len(rest.Claims) != 2 {
		t.Errorf("without Bob it is for %v", rest.Parties())
	}
	if _, ok := rest.Without(rest.Parties()[0]); ok {
		t.Error("somebody is left of nobody")
	}
	if len(both.Parties()) != 2 {
		t.Error("the share itself was changed")
	}
	for _, s := range []policy.Share{{Anyone: true}, {Anyone: true, Client: "c1"}, {Claims: []policy.Claim{claim("email", nil)}}, {Group: "g1"},
		{Group: "g1", Claims: []policy.Claim{claim("role", nil, "gp", "nurse")}}} {
		if _, ok := s.Without(s.Parties()[0]); ok {
			t.Errorf("somebody is left of %v", s)
		}
	}
}
