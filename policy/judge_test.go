package policy

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/licet/licet/uma"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const (
	here    = "https://as.example"
	abroad  = "https://idp.example"
	idToken = uma.IDTokenFormat
)

// bob are the facts about Bob, as our own server states them.
func bob() []Fact {
	return []Fact{{Name: "email", Value: "bob@example.com", Issuer: here}, {Name: "sub", Value: "b1", Issuer: here}}
}

// carlos are the facts about Carlos, from an ID token of another issuer.
func carlos() []Fact {
	return []Fact{
		{Name: "email", Value: "carlos@clinic.example", Issuer: abroad, Format: idToken},
		{Name: "role", Value: "nurse", Issuer: abroad, Format: idToken}, {Name: "role", Value: "midwife", Issuer: abroad, Format: idToken},
		{Name: "sub", Value: "c1", Issuer: abroad, Format: idToken},
	}
}

func claim(name string, values ...string) Claim {
	return Claim{RequiredClaim: uma.RequiredClaim{Name: name}, Values: values}
}

// question asks to view the photo through the app c1 at noon.
func question(facts []Fact) Question {
	return Question{Resource: "photo", Space: "alice", Server: "rs1", Scope: "view", Facts: facts, Now: noon, Client: "c1", Address: "127.0.0.1"}
}

// withBob is a share of the photo with Bob, changed as a case wants it.
func withBob(change ...func(*Share)) Share {
	s := Share{ID: "s1", Resource: "photo", Scopes: []uma.Scope{"view"}, Claims: []Claim{claim("email", "bob@example.com")}}
	for _, c := range change {
		c(&s)
	}
	return s
}

// withFamily is a share of the photo with a group, and with further claims.
func withFamily(claims ...Claim) Share {
	return withBob(func(s *Share) { s.Claims, s.Group = claims, "family" })
}

// withLink is a share of the photo with whoever holds its link.
func withLink() Share { return withBob(func(s *Share) { s.Claims, s.Link = nil, true }) }

func engine(t testing.TB, forbids string) *Engine {
	t.Helper()
	e, err := New(forbids)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Proves SEC-040, SEC-041, SEC-023, SEC-025, GRANT-5.6-01, PEER-Gravitee,
// PEER-CVE-2026-9799.
func TestWhatASharePermits(t *testing.T) {
	for _, c := range []struct {
		name   string
		shares []Share
		facts  []Fact
		change func(*Question)
		want   Outcome
	}{
		{"no shares at all", nil, bob(), nil, Deny},
		{"the person named", []Share{withBob()}, bob(), nil, Permit},
		{"another person", []Share{withBob()}, carlos(), nil, Deny},
		{"nobody yet", []Share{withBob()}, nil, nil, Need},
		{"neither a condition nor the word anyone", []Share{withBob(func(s *Share) { s.Claims = nil })}, bob(), nil, Deny},
		{"both", []Share{withBob(func(s *Share) { s.Anyone = true })}, bob(), nil, Deny},
		{"anyone", []Share{withBob(func(s *Share) { s.Claims, s.Anyone = nil, true })}, nil, nil, Permit},
		{"a claim without a name", []Share{withBob(func(s *Share) { s.Claims = []Claim{{}} })}, bob(), nil, Need},
		{"another resource", []Share{withBob(func(s *Share) { s.Resource = "album" })}, bob(), nil, Deny},
		{"a prefix of the resource", []Share{withBob(func(s *Share) { s.Resource = "pho" })}, bob(), nil, Deny},
		{"a wildcard for the resource", []Share{withBob(func(s *Share) { s.Resource = "*" })}, bob(), nil, Deny},
		{"no resource", []Share{withBob(func(s *Share) { s.Resource = "" })}, bob(), func(q *Question) { q.Resource = "" }, Deny},
		{"another scope", []Share{withBob()}, bob(), func(q *Question) { q.Scope = "edit" }, Deny},
		{"a wildcard for the scope", []Share{withBob(func(s *Share) { s.Scopes = []uma.Scope{"*"} })}, bob(), nil, Deny},
		{"the bare resource under a share with scopes", []Share{withBob()}, bob(), func(q *Question) { q.Scope = "" }, Deny},
		{"the bare resource under a share of it", []Share{withBob(func(s *Share) { s.Scopes = nil })}, bob(), func(q *Question) { q.Scope = "" }, Permit},
		{"a scope under a share of the bare resource", []Share{withBob(func(s *Share) { s.Scopes = nil })}, bob(), nil, Deny},
		{"through the app named", []Share{withBob(func(s *Share) { s.Client = "c1" })}, bob(), nil, Permit},
		{"through another app", []Share{withBob(func(s *Share) { s.Client = "c2" })}, bob(), nil, Deny},
		{"the instant it begins", []Share{withBob(func(s *Share) { s.NotBefore = noon })}, bob(), nil, Permit},
		{"before it begins", []Share{withBob(func(s *Share) { s.NotBefore = noon.Add(time.Second) })}, bob(), nil, Deny},
		{"the instant it ends", []Share{withBob(func(s *Share) { s.NotAfter = noon })}, bob(), nil, Deny},
		{"before it ends", []Share{withBob(func(s *Share) { s.NotAfter = noon.Add(time.Second) })}, bob(), nil, Permit},
		{"an address in another spelling", []Share{withBob(func(s *Share) { s.Claims = []Claim{claim("email", " BOB@Example.COM ")} })}, bob(), nil, Permit},
		{"anybody at the domain", []Share{withBob(func(s *Share) { s.Claims = []Claim{claim("email", "*@Clinic.example")} })}, carlos(), nil, Permit},
		{"a domain below", []Share{withBob(func(s *Share) { s.Claims = []Claim{claim("email", "*@example")} })}, carlos(), nil, Deny},
		{"any value", []Share{withBob(func(s *Share) { s.Claims = []Claim{claim("role")} })}, carlos(), nil, Permit},
		{"one of several values", []Share{withBob(func(s *Share) { s.Claims = []Claim{claim("role", "doctor", "midwife")} })}, carlos(), nil, Permit},
		{"all claims have to hold", []Share{withBob(func(s *Share) { s.Claims = []Claim{claim("role", "nurse"), claim("email", "bob@example.com")} })}, carlos(), nil, Deny},
		{"from another issuer than the one accepted", []Share{withBob(func(s *Share) {
			s.Claims = []Claim{{RequiredClaim: uma.RequiredClaim{Name: "role", Issuer: []string{here}}, Values: []string{"nurse"}}}
		})}, carlos(), nil, Need},
		{"in another format than the one accepted", []Share{withBob(func(s *Share) {
			s.Claims = []Claim{{RequiredClaim: uma.RequiredClaim{Name: "email", ClaimTokenFormat: []string{idToken}}}}
		})}, bob(), nil, Need},
		{"in the format accepted, from the issuer accepted", []Share{withBob(func(s *Share) {
			s.Claims = []Claim{{RequiredClaim: uma.RequiredClaim{Name: "role", Issuer: []string{here, abroad}, ClaimTokenFormat: []string{idToken}}, Values: []string{"nurse"}}}
		})}, carlos(), nil, Permit},
		{"a purpose not stated", []Share{withBob(func(s *Share) { s.Purpose = "care" })}, bob(), nil, Need},
		{"a purpose stated", []Share{withBob(func(s *Share) { s.Purpose = "care" })}, append(bob(), Fact{Name: ClaimPurpose, Value: "care", Issuer: here}), nil, Permit},
		{"another purpose stated", []Share{withBob(func(s *Share) { s.Purpose = "care" })}, append(bob(), Fact{Name: ClaimPurpose, Value: "ads", Issuer: here}), nil, Need},
		{"terms not accepted", []Share{withBob(func(s *Share) { s.Terms = "https://t.example" })}, bob(), nil, Need},
		{"terms accepted", []Share{withBob(func(s *Share) { s.Terms = "https://t.example" })}, append(bob(), Fact{Name: ClaimTerms, Value: "https://t.example", Issuer: here}), nil, Permit},
		{"a purpose is not asked of the wrong person", []Share{withBob(func(s *Share) { s.Purpose = "care" })}, carlos(), nil, Deny},
		{"ask me first", []Share{withBob(func(s *Share) { s.Ask = true })}, bob(), nil, AskOwner},
		{"ask me first about a stranger", []Share{{ID: "s1", Resource: "photo", Scopes: []uma.Scope{"view"}, Anyone: true, Ask: true}}, nil, nil, Need},
		{"a group that has the address", []Share{withFamily()}, bob(), func(q *Question) { q.Groups = []GroupID{"choir", "family"} }, Permit},
		{"a group that has not", []Share{withFamily()}, bob(), func(q *Question) { q.Groups = []GroupID{"choir"} }, Deny},
		{"a group, of nobody yet", []Share{withFamily()}, nil, nil, Need},
		{"a group, of somebody without an address", []Share{withFamily()}, []Fact{{Name: "sub", Value: "b1", Issuer: here}}, nil, Need},
		{"a group that a claim names", []Share{withFamily()}, append(bob(), Fact{Name: "groups", Value: "family", Issuer: here}), nil, Deny},
		{"a group and a claim", []Share{withFamily(claim("role", "nurse"))}, carlos(), func(q *Question) { q.Groups = []GroupID{"family"} }, Permit},
		{"a group and not the claim", []Share{withFamily(claim("role", "doctor"))}, carlos(), func(q *Question) { q.Groups = []GroupID{"family"} }, Deny},
		{"a group and anyone", []Share{{ID: "s1", Resource: "photo", Scopes: []uma.Scope{"view"}, Group: "family", Anyone: true}}, bob(), func(q *Question) { q.Groups = []GroupID{"family"} }, Deny},
		{"a link that is held", []Share{withLink()}, []Fact{{Name: ClaimLink, Value: "s1", Issuer: here}}, nil, Permit},
		{"a link that is not", []Share{withLink()}, bob(), nil, Need},
		{"another link", []Share{withLink()}, []Fact{{Name: ClaimLink, Value: "s2", Issuer: here}}, nil, Need},
		{"a link and anyone", []Share{withBob(func(s *Share) { s.Claims, s.Link, s.Anyone = nil, true, true })}, []Fact{{Name: ClaimLink, Value: "s1", Issuer: here}}, nil, Deny},
		{"permit before ask", []Share{withBob(func(s *Share) { s.Ask = true }), withBob(func(s *Share) { s.ID = "s2" })}, bob(), nil, Permit},
		{"need before ask", []Share{withBob(func(s *Share) { s.Ask = true }), withBob(func(s *Share) { s.ID, s.Claims = "s2", []Claim{claim("role")} })}, bob(), nil, Need},
	} {
		q := question(c.facts)
		if c.change != nil {
			c.change(&q)
		}
		v := engine(t, "").Judge(c.shares, q)
		if v.Outcome != c.want || v.Reason == "" {
			t.Errorf("%s: %+v, want outcome %d", c.name, v, c.want)
		}
		if (v.Outcome == Need) != (len(v.Missing) > 0) {
			t.Errorf("%s: missing is %v", c.name, v.Missing)
		}
	}
}

// Need never tells the values that would satisfy, and each claim once.
func TestWhatIsMissingNeverTellsWhoMay(t *testing.T) {
	shares := []Share{withBob(), withBob(func(s *Share) {
		s.ID = "s2"
		s.Claims = []Claim{claim("email", "carlos@clinic.example"), claim("role", "nurse")}
	})}
	v := engine(t, "").Judge(shares, question(nil))
	if len(v.Missing) != 2 || v.Missing[0].Name != "email" || v.Missing[1].Name != "role" {
		t.Errorf("missing is %+v", v.Missing)
	}
	if len(v.Shares) != 2 {
		t.Errorf("the shares that decided are %v", v.Shares)
	}
}

// Who is asked for an address cannot tell whether a group or a person is meant.
func TestAGroupIsNotTold(t *testing.T) {
	group := engine(t, "").Judge([]Share{withFamily()}, question(nil))
	person := engine(t, "").Judge([]Share{withBob()}, question(nil))
	if !reflect.DeepEqual(group.Missing, person.Missing) {
		t.Errorf("for a group is missing %+v, for a person %+v", group.Missing, person.Missing)
	}
}

func TestOfSeveralSharesTheOneThatLastsLongestGrants(t *testing.T) {
	ends := func(id ShareID, at time.Time) Share {
		return withBob(func(s *Share) { s.ID, s.NotAfter = id, at })
	}
	hour, day := noon.Add(time.Hour), noon.Add(24*time.Hour)
	for _, c := range []struct {
		shares []Share
		want   ShareID
		end    time.Time
	}{
		{[]Share{ends("a", hour), ends("b", day)}, "b", day}, {[]Share{ends("b", day), ends("a", time.Time{})}, "a", time.Time{}},
		{[]Share{ends("b", day), ends("a", day)}, "a", day},
	} {
		for range 2 {
			v := engine(t, "").Judge(c.shares, question(bob()))
			if v.Outcome != Permit || len(v.Shares) != 1 || v.Shares[0] != c.want || !v.NotAfter.Equal(c.end) {
				t.Errorf("%+v, want share %s", v, c.want)
			}
			slices.Reverse(c.shares)
		}
	}
}

// An issuer's claim is taken for an address only if it is one: a letter that
// looks like another, or a second @, is nobody's.
func TestWhatIsNoAddressIsAtNoDomain(t *testing.T) {
	domain := withBob(func(s *Share) { s.Claims = []Claim{claim("email", "*@clinic.example")} })
	back := withBob(func(s *Share) { s.Claims = []Claim{claim("email", "back@example.com")} })
	for value, share := range map[string]Share{
		"x@evil.example (@clinic.example": domain, "a@b@clinic.example": domain, "b\u043eb@clinic.example": domain, "@clinic.example": domain, "a b@clinic.example": domain,
		"bac\u212a@example.com": back,
	} {
		if v := engine(t, "").Judge([]Share{share}, question([]Fact{{Name: "email", Value: value, Issuer: abroad}})); v.Outcome != Deny {
			t.Errorf("%q: %+v", value, v)
		}
	}
}

// Proves SEC-043.
func TestTheOperatorsForbidsAlwaysWinAndFailClosed(t *testing.T) {
	ask := withBob(func(s *Share) { s.Ask = true })
	for _, c := range []struct {
		name, forbids string
		share         Share
		facts         []Fact
		want          Outcome
	}{
		{"a forbid that matches", `forbid (principal, action, resource);`, withBob(), bob(), Deny},
		{"it wins over a need, too", `forbid (principal, action, resource);`, withBob(), nil, Deny},
		{"and over the owner's question", `forbid (principal, action, resource);`, ask, bob(), Deny},
		{"one that does not match", `forbid (principal, action == Action::"edit", resource);`, withBob(), bob(), Permit},
		{"by scope", `forbid (principal, action == Action::"view", resource);`, withBob(), bob(), Deny},
		{"by resource type", `forbid (principal, action, resource) when { resource.type == "secret" };`, withBob(), bob(), Permit},
		{"by resource server", `forbid (principal, action, resource) when { resource.server == "rs1" };`, withBob(), bob(), Deny},
		{"by space", `forbid (principal, action, resource) when { resource.space == "alice" };`, withBob(), bob(), Deny},
		{"by client", `forbid (principal, action, resource) unless { context.server.client == "c1" };`, withBob(), bob(), Permit},
		{"by address", `forbid (principal, action, resource) unless { context.server.address like "10.*" };`, withBob(), bob(), Deny},
		{"by time", `forbid (principal, action, resource) when { context.server.time >= datetime("2026-05-01") };`, withBob(), bob(), Deny},
		{"by claim", `forbid (principal, action, resource) when { context.claims has email && context.claims.email.contains("bob@example.com") };`, withBob(), bob(), Deny},
		{"by person", `forbid (principal == RequestingParty::"https://as.example#b1", action, resource);`, withBob(), bob(), Deny},
		{"one that fails forbids", `forbid (principal, action, resource) when { context.claims.nothing.contains("x") };`, withBob(), bob(), Deny},
		{"one that fails forbids the question, too", `forbid (principal, action, resource) when { context.claims.nothing.contains("x") };`, ask, bob(), Deny},
		{"claims may cure one that fails", `forbid (principal, action, resource) when { context.claims.email.contains("x") };`, withBob(), nil, Need},
	} {
		if v := engine(t, c.forbids).Judge([]Share{c.share}, question(c.facts)); v.Outcome != c.want {
			t.Errorf("%s: %+v, want outcome %d", c.name, v, c.want)
		}
	}
	for _, text := range []string{`permit (principal, action, resource);`, `forbid (`, `forbid (principal, action, resource); permit (principal, action, resource);`} {
		if _, err := New(text); err == nil {
			t.Errorf("operator policies %q are accepted", text)
		}
	}
}

// Proves SEC-044, SEC-053, PEER-CVE-2026-18572. Whatever a claim is called, it
// never becomes what the server knows.
func TestNoClaimReachesWhatTheServerKnows(t *testing.T) {
	var facts []Fact
	for _, name := range []string{
		"server", "time", "client", "address", "context", "context.server", "context.server.time", "server.time", "now", "client_id", "ip", "acr",
		"claims", "facts", "__proto__", "principal", "",
	} {
		for _, value := range []string{"c2", "2000-01-01T00:00:00Z", "10.0.0.1", "0"} {
			facts = append(facts, Fact{Name: name, Value: value, Issuer: abroad})
		}
	}
	facts = append(facts, bob()...)
	e := engine(t, `forbid (principal, action, resource) unless {
		context.server.time == datetime("2026-05-01T12:00:00Z") && context.server.client == "c1" && context.server.address == "127.0.0.1" };`)
	for name, share := range map[string]Share{
		"ended":           withBob(func(s *Share) { s.NotAfter = noon.Add(-time.Hour) }),
		"not begun":       withBob(func(s *Share) { s.NotBefore = noon.Add(time.Hour) }),
		"for another app": withBob(func(s *Share) { s.Client = "c2" }),
	} {
		if v := e.Judge([]Share{share}, question(facts)); v.Outcome != Deny {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if v := e.Judge([]Share{withBob()}, question(facts)); v.Outcome != Permit {
		t.Errorf("the server's own knowledge was replaced: %+v", v)
	}
}

// No value can be more than a value: text that is Cedar is only compared.
func TestAValueIsNeverPolicy(t *testing.T) {
	evil := `"]) }; permit (principal, action, resource); //`
	share := Share{ID: ShareID(evil), Resource: "photo", Scopes: []uma.Scope{"view"}, Claims: []Claim{claim("name", evil)}, Purpose: evil}
	e := engine(t, "")
	if v := e.Judge([]Share{share}, question(bob())); v.Outcome != Need {
		t.Errorf("without the claims: %+v", v)
	}
	facts := append(bob(), Fact{Name: "name", Value: evil, Issuer: here}, Fact{Name: ClaimPurpose, Value: evil, Issuer: here})
	if v := e.Judge([]Share{share}, question(facts)); v.Outcome != Permit {
		t.Errorf("with them: %+v", v)
	}
}
