package rows

import (
	"reflect"
	"testing"

	"github.com/licet/licet/policy"
	"github.com/licet/licet/uma"
)

// Whichever way a list of scopes is written, it is the JSON text of the list, and
// whichever way that is read, it is the list.
func TestScopesAreWrittenAndReadAsJSON(t *testing.T) {
	for _, scopes := range [][]uma.Scope{nil, {}, {""}, {"view"}, {"view", "https://example.org/a~b"}, {`a"b`}, {`a\b`}, {"a\tb"}, {"ü", "view"}, {"<&>"}, {`","`}, {`"`, `\`}, {"", ""}} {
		want, err := marshal(scopes)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := listOf(scopes).Value(); got != want || err != nil {
			t.Errorf("%q is written as %v (%v), want %v", scopes, got, err, want)
		}
		got := []uma.Scope{"what was there"}
		if err := listInto(&got).SetText(want.(string)); err != nil || !reflect.DeepEqual(got, scopes) {
			t.Errorf("%v is read as %q (%v), want %q", want, got, err, scopes)
		}
	}
}

// Whichever way claims are read, they are those that were written.
func TestClaimsAreReadAsJSON(t *testing.T) {
	named := func(name string, values ...string) policy.Claim {
		return policy.Claim{RequiredClaim: uma.RequiredClaim{Name: name}, Values: values}
	}
	from := named("sub", "7")
	from.Issuer = []string{"https://as.example"}
	for i, claims := range [][]policy.Claim{
		nil, {}, {named("email", "bob@example.org")}, {named("email", `b"o\b`)}, {named("email", `x"]},{"name":"y`)}, {named(`a","Values":["b`, "c")},
		{named("email", "a", "b")}, {named("email", `a","b`)}, {named("email")}, {named("", "")}, {from}, {named("a", "b"), named("c", "d")}, {named("ü", "<&>")},
	} {
		text, err := listOf(claims).Value()
		if err != nil {
			t.Fatal(err)
		}
		got := []policy.Claim{named("what was there")}
		if err := listInto(&got).SetText(text.(string)); err != nil || !reflect.DeepEqual(got, claims) {
			t.Errorf("%d: %v is read as %q (%v), want %q", i, text, got, err, claims)
		}
	}
	if _, plain := readNamed(`[{"name":"email","Values":["bob@example.org"]}]`); !plain {
		t.Error("one claim with one value is not read as such")
	}
}
