package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/licet/licet/uma"
	"pgregory.net/rapid"
)

// The generators draw from few values, so that conditions are often met.

func anyFact(t *rapid.T) Fact {
	return Fact{
		Name:   rapid.SampledFrom([]string{"email", "role", "sub", ClaimPurpose, ClaimTerms, ClaimLink, "server"}).Draw(t, "name"),
		Value:  rapid.SampledFrom([]string{"bob@example.com", "a@clinic.example", "x", "y", "care", "a", "b"}).Draw(t, "value"),
		Issuer: rapid.SampledFrom([]string{here, abroad}).Draw(t, "issuer"),
		Format: rapid.SampledFrom([]string{"", idToken}).Draw(t, "format"),
	}
}

func some[T any](t *rapid.T, label string, values ...T) []T {
	var out []T
	for _, v := range values {
		if rapid.Bool().Draw(t, label) {
			out = append(out, v)
		}
	}
	return out
}

func anyClaim(t *rapid.T) Claim {
	return Claim{
		RequiredClaim: uma.RequiredClaim{
			Name:   rapid.SampledFrom([]string{"email", "role", "sub"}).Draw(t, "claim"),
			Issuer: some(t, "issuers", here, abroad), ClaimTokenFormat: some(t, "formats", idToken),
		},
		Values: some(t, "values", "bob@example.com", "*@clinic.example", "x"),
	}
}

func anyTime(t *rapid.T, label string) time.Time {
	return rapid.SampledFrom([]time.Time{{}, noon.Add(-time.Hour), noon, noon.Add(time.Hour)}).Draw(t, label)
}

func anyShare(t *rapid.T) Share {
	s := Share{
		ID:       ShareID(rapid.StringMatching(`[a-f]{1,3}`).Draw(t, "id")),
		Resource: rapid.SampledFrom([]uma.ResourceID{"photo", "photo", "album"}).Draw(t, "resource"),
		Scopes:   some(t, "scopes", uma.Scope("view"), uma.Scope("edit")),
		Client:   rapid.SampledFrom([]string{"", "", "c1", "c2"}).Draw(t, "client"), NotBefore: anyTime(t, "from"), NotAfter: anyTime(t, "until"),
		Purpose: rapid.SampledFrom([]string{"", "", "care"}).Draw(t, "purpose"), Terms: rapid.SampledFrom([]string{"", "", "x"}).Draw(t, "terms"),
		Ask: rapid.Bool().Draw(t, "ask"),
	}
	if s.Anyone = rapid.Bool().Draw(t, "anyone"); !s.Anyone {
		s.Claims = rapid.SliceOfN(rapid.Custom(anyClaim), 0, 2).Draw(t, "claims")
		s.Link = rapid.SampledFrom([]bool{false, false, true}).Draw(t, "link")
		s.Group = rapid.SampledFrom([]GroupID{"", "", "family", "choir"}).Draw(t, "group")
	}
	return s
}

func anyShares(t *rapid.T) []Share {
	return rapid.SliceOfNDistinct(rapid.Custom(anyShare), 0, 4, func(s Share) ShareID { return s.ID }).Draw(t, "shares")
}

func anyQuestion(t *rapid.T) Question {
	q := question(rapid.SliceOfN(rapid.Custom(anyFact), 0, 5).Draw(t, "facts"))
	q.Scope = rapid.SampledFrom([]uma.Scope{"view", "edit", ""}).Draw(t, "scope")
	q.Groups = some(t, "groups", GroupID("family"), "choir")
	return q
}

// plainly is a second judge, without Cedar and without shortcuts, written from
// what a share says.
func plainly(shares []Share, q Question) Outcome {
	best := Deny
	for _, s := range shares {
		if o := plainlyOne(s, q); o > best {
			best = o
		}
	}
	return best
}

func plainlyOne(s Share, q Question) Outcome {
	named := q.Scope == "" && len(s.Scopes) == 0
	for _, scope := range s.Scopes {
		named = named || q.Scope != "" && scope == q.Scope
	}
	if !named || s.Resource != q.Resource || s.Anyone != (len(s.Claims) == 0 && s.Group == "" && !s.Link) || s.Client != "" && s.Client != q.Client ||
		q.Now.Before(s.NotBefore) || !s.NotAfter.IsZero() && !s.NotAfter.After(q.Now) {
		return Deny
	}
	missing := false
	if s.Group != "" && !slices.Contains(q.Groups, s.Group) {
		if slices.ContainsFunc(q.Facts, func(f Fact) bool { return f.Name == "email" }) {
			return Deny
		}
		missing = true
	}
	for _, c := range s.Claims {
		told, right := false, false
		for _, f := range q.Facts {
			fits := f.Name == c.Name && (len(c.Issuer) == 0 || slices.Contains(c.Issuer, f.Issuer)) && (len(c.ClaimTokenFormat) == 0 || slices.Contains(c.ClaimTokenFormat, f.Format))
			told = told || fits || f.Name == "sub" && c.Name == "sub"
			right = right || fits && (len(c.Values) == 0 || slices.Contains(c.Values, f.Value) || f.Name == "email" && f.Value == "a@clinic.example" && slices.Contains(c.Values, "*@clinic.example"))
		}
		if told && !right {
			return Deny
		}
		missing = missing || !right
	}
	if s.Link && !slices.ContainsFunc(q.Facts, func(f Fact) bool { return f.Name == ClaimLink && f.Value == string(s.ID) }) {
		missing = true
	}
	for name, value := range map[string]string{ClaimPurpose: s.Purpose, ClaimTerms: s.Terms} {
		if value != "" && !slices.ContainsFunc(q.Facts, func(f Fact) bool { return f.Name == name && f.Value == value }) {
			missing = true
		}
	}
	known := slices.ContainsFunc(q.Facts, func(f Fact) bool { return f.Name == "sub" })
	switch {
	case missing, s.Ask && !known:
		return Need
	case s.Ask:
		return AskOwner
	default:
		return Permit
	}
}

// Proves SEC-042.
func TestTwoJudgesAgree(t *testing.T) {
	e := engine(t, "")
	rapid.Check(t, func(t *rapid.T) {
		shares, q := anyShares(t), anyQuestion(t)
		if got, want := e.Judge(shares, q).Outcome, plainly(shares, q); got != want {
			t.Fatalf("judged %d, plainly it is %d\n%+v\n%+v", got, want, shares, q)
		}
	})
}

func TestLawsOfJudging(t *testing.T) {
	e := engine(t, "")
	strict := engine(t, `forbid (principal, action == Action::"edit", resource); forbid (principal, action, resource) when { context.claims has role };`)
	rapid.Check(t, func(t *rapid.T) {
		shares, q := anyShares(t), anyQuestion(t)
		v := e.Judge(shares, q)

		shuffled := rapid.Permutation(shares).Draw(t, "order")
		if w := e.Judge(shuffled, q); w.Outcome != v.Outcome || !slices.Equal(w.Shares, v.Shares) || !w.NotAfter.Equal(v.NotAfter) {
			t.Fatalf("the order of the shares matters: %+v and %+v", v, w)
		}
		foreign := anyShare(t)
		foreign.Resource, foreign.ID = "diary", "zzz"
		if w := e.Judge(append(slices.Clone(shares), foreign), q); w.Outcome != v.Outcome {
			t.Fatalf("a share of another resource matters: %+v and %+v", v, w)
		}
		if len(shares) > 0 && v.Outcome == Deny {
			i := rapid.IntRange(0, len(shares)-1).Draw(t, "removed")
			if w := e.Judge(slices.Delete(slices.Clone(shares), i, i+1), q); w.Outcome != Deny {
				t.Fatalf("removing a share adds something: %+v", w)
			}
		}
		if w := strict.Judge(shares, q); w.Outcome == Permit && v.Outcome != Permit {
			t.Fatalf("forbids permit something: %+v", w)
		}
		if v.Outcome == Permit {
			i := slices.IndexFunc(shares, func(s Share) bool { return s.ID == v.Shares[0] })
			if q.Scope != "" && !slices.Contains(shares[i].Scopes, q.Scope) {
				t.Fatalf("permitted by a share that does not name the scope: %+v", shares[i])
			}
		}
	})
}

// The two locks are made from one share in two ways. Whatever the share and the
// question, one opens exactly when the other does: then a plain share, of which
// Cedar is not asked, loses nothing by that.
//
// Proves SEC-041.
func TestBothLocksOfAShareOpenTogether(t *testing.T) {
	e, err := New("")
	if err != nil {
		t.Fatal(err)
	}
	opened, plain := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s, q := anyShare(t), anyQuestion(t)
		s.Ask = false
		if rapid.Bool().Draw(t, "fitting") {
			q = fitting(t, s, q)
		}
		if !s.speaksOf(q) {
			return // Cedar is asked only of shares that speak of the question
		}
		missing, possible := s.missing(q)
		native := possible && len(missing) == 0
		if cedar := e.cedarAllows(s, q); native != cedar {
			t.Fatalf("Go says %v, Cedar says %v:\n%+v\n%+v", native, cedar, s, q)
		}
		if native {
			opened++
			if s.plain() {
				plain++
			}
		}
	})
	if (opened == 0 || plain == 0) && !testing.Short() { // a short run tries twenty
		t.Errorf("of the shares tried %d opened, %d of them plain: this test proves nothing", opened, plain)
	}
}

// With the first lock out of order the second still holds: what weighing lets
// through by mistake Cedar refuses.
func TestCedarAloneRefusesWhatAShareDoesNotSay(t *testing.T) {
	e, err := New("")
	if err != nil {
		t.Fatal(err)
	}
	share := Share{
		ID: "s", Resource: "photo", Scopes: []uma.Scope{"view"}, Client: "c1", NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		Claims:  []Claim{{RequiredClaim: uma.RequiredClaim{Name: "email", Issuer: []string{here}, ClaimTokenFormat: []string{idToken}}, Values: []string{"bob@example.com"}}},
		Purpose: "care",
	}
	right := question([]Fact{{Name: "email", Value: "bob@example.com", Issuer: here, Format: idToken}, {Name: ClaimPurpose, Value: "care", Issuer: here}})
	right.Scope, right.Client = "view", "c1"
	if !e.cedarAllows(share, right) {
		t.Fatal("Cedar refuses what the share says: this test proves nothing")
	}
	for name, wrong := range map[string]func(*Question){
		"another resource": func(q *Question) { q.Resource = "album" },
		"another scope":    func(q *Question) { q.Scope = "edit" },
		"no scope":         func(q *Question) { q.Scope = "" },
		"another client":   func(q *Question) { q.Client = "c2" },
		"too early":        func(q *Question) { q.Now = noon.Add(-2 * time.Hour) },
		"too late":         func(q *Question) { q.Now = share.NotAfter },
		"another value":    func(q *Question) { q.Facts[0].Value = "carlos@example.com" },
		"another issuer":   func(q *Question) { q.Facts[0].Issuer = abroad },
		"another format":   func(q *Question) { q.Facts[0].Format = "" },
		"another purpose":  func(q *Question) { q.Facts[1].Value = "research" },
		"no purpose":       func(q *Question) { q.Facts = q.Facts[:1] },
		"nobody":           func(q *Question) { q.Facts = nil },
	} {
		q := right
		q.Facts = slices.Clone(right.Facts)
		wrong(&q)
		if e.cedarAllows(share, q) {
			t.Errorf("%s: Cedar permits", name)
		}
	}
}

// A share of which several things have to hold is asked of Cedar before it
// permits, and any share is where the operator forbids something.
func TestCedarIsAskedWhereConditionsCombine(t *testing.T) {
	for name, s := range map[string]Share{
		"two claims": {Claims: []Claim{{}, {}}}, "a purpose": {Anyone: true, Purpose: "care"}, "terms": {Anyone: true, Terms: "https://terms.example"},
	} {
		if s.plain() {
			t.Errorf("a share with %s counts as plain", name)
		}
	}
	e, err := New(`forbid (principal, action, resource) when { context.server.client == "c1" };`)
	if err != nil {
		t.Fatal(err)
	}
	share := Share{ID: "s", Resource: "photo", Scopes: []uma.Scope{"view"}, Anyone: true}
	q := question(nil)
	q.Scope, q.Client = "view", "c1"
	if !share.plain() || e.allows([]Share{share}, "s", q) {
		t.Error("a plain share permits what the operator forbids")
	}
	q.Client = "c2"
	if !e.allows([]Share{share}, "s", q) {
		t.Error("a plain share does not permit what the operator does not forbid: this test proves nothing")
	}
}
