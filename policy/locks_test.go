package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/licet/licet/uma"
	"pgregory.net/rapid"
)

// fitting changes a question so that the share speaks of it and everything it
// asks for is told, in the form that it accepts.
func fitting(t *rapid.T, s Share, q Question) Question {
	q.Resource, q.Scope = s.Resource, ""
	if len(s.Scopes) > 0 {
		q.Scope = rapid.SampledFrom(s.Scopes).Draw(t, "its scope")
	}
	if s.Client != "" {
		q.Client = s.Client
	}
	if !s.NotBefore.IsZero() {
		q.Now = s.NotBefore
	}
	if s.Group != "" {
		q.Groups = []GroupID{s.Group}
	}
	for _, c := range s.conditions() {
		f := Fact{Name: c.Name, Value: "x", Issuer: here}
		if len(c.Values) > 0 {
			f.Value = strings.Replace(rapid.SampledFrom(c.Values).Draw(t, "its value"), "*", "a", 1)
		}
		if len(c.Issuer) > 0 {
			f.Issuer = rapid.SampledFrom(c.Issuer).Draw(t, "its issuer")
		}
		if len(c.ClaimTokenFormat) > 0 {
			f.Format = rapid.SampledFrom(c.ClaimTokenFormat).Draw(t, "its format")
		}
		q.Facts = append(q.Facts, f)
	}
	return q
}

// Between two milliseconds the locks differ: Cedar has no smaller unit, so what
// ends within this millisecond has ended for it. That shows from outside that
// both are asked: without Cedar each of these would permit.
func TestTheStricterLockCounts(t *testing.T) {
	idle := engine(t, `forbid (principal, action, resource) when { context.server.client == "nobody" };`)
	ends := func(s *Share) { s.NotAfter = noon.Add(900 * time.Microsecond) }
	facts := append(bob(), Fact{Name: "role", Value: "nurse", Issuer: here}, Fact{Name: ClaimPurpose, Value: "care", Issuer: here}, Fact{Name: ClaimLink, Value: "s1", Issuer: here},
		Fact{Name: ClaimTerms, Value: "https://t.example", Issuer: here})
	for name, c := range map[string]struct {
		engine *Engine
		share  Share
	}{
		"two claims": {engine(t, ""), withBob(func(s *Share) { s.Claims = append(s.Claims, claim("role", "nurse")) })},
		"a group":    {engine(t, ""), withFamily()},
		"a link": {engine(t, ""), withBob(func(s *Share) {
			s.Claims, s.Link = nil, true
		})},
		"a purpose":               {engine(t, ""), withBob(func(s *Share) { s.Purpose = "care" })},
		"terms":                   {engine(t, ""), withBob(func(s *Share) { s.Terms = "https://t.example" })},
		"an operator who forbids": {idle, withBob()},
	} {
		q := question(facts)
		q.Now, q.Groups = noon.Add(700*time.Microsecond), []GroupID{"family"}
		if v := c.engine.Judge([]Share{c.share}, q); v.Outcome != Permit {
			t.Errorf("%s: without an end: %+v, so nothing is shown", name, v)
		}
		ends(&c.share)
		if !c.share.speaksOf(q) {
			t.Errorf("%s: the first lock is shut, so nothing is shown", name)
		}
		if v := c.engine.Judge([]Share{c.share}, q); v.Outcome != Deny {
			t.Errorf("%s: Cedar was not asked: %+v", name, v)
		}
	}
}

// Proves SEC-041. What a document does not say in so many words, it does not say:
// whatever could be read in two ways is refused when it is written.
func TestADocumentThatCouldBeMisreadIsRefused(t *testing.T) {
	// put is a document that is right in every other respect.
	put := func(members string) string {
		if !strings.Contains(members, `"anyone"`) && !strings.Contains(members, `"required_claims"`) && !strings.Contains(members, `"group_id"`) && !strings.Contains(members, `"link"`) {
			members += `,"anyone":true`
		}
		return `{"resource_id":"r","resource_scopes":["view"],` + members + `}`
	}
	claims := func(members string) string { return put(`"required_claims":[{` + members + `}]`) }
	long := strings.Repeat("x", maxText+1)
	for text, right := range map[string]string{
		// Who.
		`{"resource_id":"r","resource_scopes":["view"]}`:      put(`"anyone":true`),
		put(`"anyone":false`):                                 put(`"anyone":true`),
		put(`"anyone":"true"`):                                put(`"anyone":true`),
		put(`"link":true`):                                    put(`"link":true,"not_after":1`),
		put(`"link":false,"not_after":1`):                     put(`"link":true,"not_after":1`),
		put(`"link":"x","not_after":1`):                       put(`"link":true,"not_after":1`),
		put(`"link":true,"anyone":true,"not_after":1`):        put(`"link":true,"not_after":1`),
		claims(`"name":"link","value":"s1"`):                  put(`"link":true,"not_after":1`),
		put(`"group_id":""`):                                  put(`"group_id":"g1"`),
		put(`"group_id":["g1"]`):                              put(`"group_id":"g1"`),
		put(`"anyone":true,"group_id":"g1"`):                  put(`"group_id":"g1"`),
		put(`"required_claims":[]`):                           claims(`"name":"role"`),
		put(`"required_claims":{}`):                           claims(`"name":"role"`),
		put(`"anyone":true,"required_claims":[{"name":"a"}]`): claims(`"name":"a"`),
		put(`"required_claims":[` + strings.TrimSuffix(strings.Repeat(`{"name":"a"},`, maxClaims+1), ",") + `]`): put(
			`"required_claims":[` + strings.TrimSuffix(strings.Repeat(`{"name":"a"},`, maxClaims), ",") + `]`),
		// A claim.
		claims(`"value":"nurse"`):                                claims(`"name":"role","value":"nurse"`),
		claims(`"name":"","value":"nurse"`):                      claims(`"name":"role","value":"nurse"`),
		claims(`"name":"role","vlaue":"nurse"`):                  claims(`"name":"role","value":"nurse"`),
		claims(`"name":"role","value":""`):                       claims(`"name":"role","value":"nurse"`),
		claims(`"name":"role","value":["nurse"]`):                claims(`"name":"role","values":["nurse"]`),
		claims(`"name":"role","values":[]`):                      claims(`"name":"role","values":["nurse"]`),
		claims(`"name":"role","values":[""]`):                    claims(`"name":"role","values":["nurse"]`),
		claims(`"name":"role","value":"a","values":["a"]`):       claims(`"name":"role","value":"a"`),
		claims(`"name":"role","issuer":[]`):                      claims(`"name":"role","issuer":["https://i.example"]`),
		claims(`"name":"role","issuer":"https://i.example"`):     claims(`"name":"role","issuer":["https://i.example"]`),
		claims(`"name":"role","claim_token_format":[""]`):        claims(`"name":"role","claim_token_format":["f"]`),
		claims(`"name":"` + long + `"`):                          claims(`"name":"` + long[1:] + `"`),
		claims(`"name":"role","value":"` + long + `"`):           claims(`"name":"role","value":"` + long[1:] + `"`),
		claims(`"name":"email","value":"bob"`):                   claims(`"name":"email","value":"bob@example.com"`),
		claims(`"name":"email","value":"*@"`):                    claims(`"name":"email","value":"*@clinic.example"`),
		claims(`"name":"email","value":"*"`):                     claims(`"name":"email","value":"*@clinic.example"`),
		claims(`"name":"email","value":"*@clinic.example@x"`):    claims(`"name":"email","value":"*@clinic.example"`),
		claims(`"name":"email","values":["b\u043eb@x.example"]`): claims(`"name":"email","values":["bob@x.example"]`),
		// When.
		put(`"not_after":0`):                put(`"not_after":1`),
		put(`"not_before":-1`):              put(`"not_before":1`),
		put(`"not_after":1.5`):              put(`"not_after":1`),
		put(`"not_after":"1"`):              put(`"not_after":1`),
		put(`"not_after":253402300800`):     put(`"not_after":253402300799`),
		put(`"not_before":5,"not_after":5`): put(`"not_before":5,"not_after":6`),
		put(`"not_before":9,"not_after":5`): put(`"not_before":5,"not_after":9`),
		put(`"not_after":1777636800000`):    put(`"not_after":1777636800`),
		// What else.
		put(`"client_id":""`):                                   put(`"client_id":"c1"`),
		put(`"client_id":null`):                                 put(`"client_id":"c1"`),
		put(`"purpose":""`):                                     put(`"purpose":"care"`),
		put(`"approval":"maybe"`):                               put(`"approval":"ask"`),
		put(`"approval":""`):                                    put(`"approval":"none"`),
		put(`"approval":true`):                                  put(`"approval":"ask"`),
		put(`"terms":"t"`):                                      put(`"terms":"https://t.example"`),
		put(`"terms":"javascript:alert(1)"`):                    put(`"terms":"https://t.example"`),
		put(`"terms":"https://u:p@t.example"`):                  put(`"terms":"https://t.example"`),
		put(`"terms":"https:///x"`):                             put(`"terms":"https://t.example/x"`),
		put(`"claims":[{"name":"role"}]`):                       claims(`"name":"role"`),
		put(`"Anyone":true,"anyone":true`):                      put(`"anyone":true`),
		put(`"space":"s"`):                                      put(`"anyone":true`),
		`{"resource_scopes":[],"anyone":true}`:                  `{"resource_id":"r","resource_scopes":[],"anyone":true}`,
		`{"resource_id":"r","anyone":true}`:                     `{"resource_id":"r","resource_scopes":[],"anyone":true}`,
		`{"resource_id":"","resource_scopes":[],"anyone":true}`: `{"resource_id":"r","resource_scopes":[],"anyone":true}`,
	} {
		var refusal *uma.Error
		if s, err := parse(text); err == nil {
			t.Errorf("%.200s is read as %+v", text, s)
		} else if refusal, _ = err.(*uma.Error); refusal == nil {
			t.Errorf("%.200s: %v is no refusal", text, err)
		}
		if _, err := parse(right); err != nil {
			t.Errorf("%.200s is right and refused: %v", right, err)
		}
	}
	if _, err := parse(put(fmt.Sprintf(`"purpose":%q`, long))); err == nil {
		t.Error("a purpose without a bound is accepted")
	}
}

// A rule of the operator that cannot be evaluated shuts the second lock by
// itself, whatever the first way of noticing it says.
func TestARuleThatFailsShutsTheSecondLock(t *testing.T) {
	failing := engine(t, `forbid (principal, action, resource) when { context.claims.nothing.contains("x") };`)
	if failing.cedarAllows(withBob(), question(bob())) {
		t.Error("Cedar passes over a rule that fails, and so did we")
	}
	told := append(bob(), Fact{Name: "nothing", Value: "y", Issuer: here})
	if !failing.cedarAllows(withBob(), question(told)) {
		t.Error("the rule does not fail now, and the lock is shut: nothing is shown")
	}
}
